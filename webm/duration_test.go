package webm

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/webmend/webmend/ebml"
)

const ms = 1_000_000 // nanoseconds

func TestAClusterLastsToTheEndOfItsLastFrame(t *testing.T) {
	const toc20ms = "\xF8" // an Opus packet of one frame of 20 ms
	pcm := func(rate float64, channels, depth uint64) []byte {
		return track(3, Audio, "A_PCM/INT/LIT", element(IDAudio,
			ebml.AppendFloat(nil, IDSamplingFrequency, rate), number(IDChannels, channels), number(IDBitDepth, depth)))
	}
	cues := element(IDCues)
	lasting := func(ticks uint64) []byte { return number(IDBlockDuration, ticks) }
	discard := func(octets ...byte) []byte { return element(IDDiscardPadding, octets) }
	v := func(relative int16) []byte { return simpleBlock(1, relative, 0, "frame") }

	for _, c := range []struct {
		name   string
		header [][]byte // Info and Tracks
		stream []byte   // after the header
		want   []int64  // of each cluster
		all    int64    // of the recording
	}{
		{
			"a frame of video lasts as long as the one before it", [][]byte{tracks(vp8)},
			cluster(0, v(0), v(40), v(90)),
			[]int64{140 * ms}, 140 * ms,
		},
		{
			"the only frame of video lasts for nothing that is known", [][]byte{tracks(vp8)},
			cluster(1000, v(5)),
			[]int64{5 * ms}, 1005 * ms,
		},
		{
			"the frame before may be in the cluster before", [][]byte{tracks(vp8)},
			slices.Concat(cluster(0, v(0)), cluster(40, v(0)), cluster(100, v(0))),
			[]int64{0, 40 * ms, 60 * ms}, 160 * ms,
		},
		{
			"frames out of order, as B-frames are: the latest lasts as long as the least distance to it", [][]byte{tracks(vp8)},
			cluster(0, v(0), v(120), v(40), v(80), v(240), v(160), v(200)),
			[]int64{280 * ms}, 280 * ms,
		},
		{
			"frames out of order, from the latest on", [][]byte{tracks(vp8)},
			cluster(0, v(80), v(40), v(0)),
			[]int64{120 * ms}, 120 * ms,
		},
		{
			"two frames at one time", [][]byte{tracks(vp8)},
			cluster(0, v(0), v(40), v(40)),
			[]int64{80 * ms}, 80 * ms,
		},
		{
			"frames before the time of the cluster", [][]byte{tracks(vp8)},
			cluster(1000, v(-100), v(-50)),
			[]int64{0}, 1000 * ms,
		},
		{
			"BlockDuration after the Block", [][]byte{tracks(vp8)},
			cluster(0, v(0), v(40), group(block(1, 80, "frame"), lasting(500))),
			[]int64{580 * ms}, 580 * ms,
		},
		{
			"BlockDuration before the Block", [][]byte{tracks(vp8)},
			cluster(0, v(0), v(40), group(lasting(500), block(1, 80, "frame"))),
			[]int64{580 * ms}, 580 * ms,
		},
		{
			"BlockDuration lasts for its own block only", [][]byte{tracks(vp8)},
			cluster(0, group(block(1, 0, "frame"), lasting(500)), v(40)),
			[]int64{80 * ms}, 80 * ms,
		},
		{
			"BlockDuration is in ticks", [][]byte{element(IDInfo, number(IDTimestampScale, 500_000)), tracks(vp8)},
			cluster(100, group(block(1, 20, "frame"), lasting(60))),
			[]int64{40 * ms}, 90 * ms,
		},
		{
			"BlockDuration above what an Opus packet says", [][]byte{tracks(opus)},
			cluster(0, group(block(2, 0, toc20ms), lasting(15))),
			[]int64{15 * ms}, 15 * ms,
		},
		{
			"DefaultDuration", [][]byte{tracks(track(1, Video, "V_VP8", number(IDDefaultDuration, 33*ms)))},
			cluster(0, v(0), v(40)),
			[]int64{73 * ms}, 73 * ms,
		},
		{
			"DefaultDuration for each frame of a laced block", [][]byte{tracks(track(1, Video, "V_VP8", number(IDDefaultDuration, 10*ms)))},
			cluster(0, simpleBlock(1, 0, 0x04, "\x02abc")),
			[]int64{30 * ms}, 30 * ms,
		},
		{
			"an Opus packet", [][]byte{tracks(opus)},
			cluster(0, simpleBlock(2, 0, 0, toc20ms+"packet"), simpleBlock(2, 22, 0, toc20ms+"packet")),
			[]int64{42 * ms}, 42 * ms,
		},
		{
			"an Opus packet of one byte", [][]byte{tracks(opus)},
			cluster(0, simpleBlock(2, 0, 0, toc20ms)),
			[]int64{20 * ms}, 20 * ms,
		},
		{
			"an Opus packet after a track number of eight octets", [][]byte{tracks(opus)},
			cluster(0, element(IDSimpleBlock, []byte("\x01\x00\x00\x00\x00\x00\x00\x02\x00\x00\x00\xFB\x03packet"))),
			[]int64{60 * ms}, 60 * ms,
		},
		{
			"an Opus packet of no bytes lasts as long as the one before it", [][]byte{tracks(opus)},
			cluster(0, simpleBlock(2, 0, 0, toc20ms), simpleBlock(2, 30, 0, "")),
			[]int64{60 * ms}, 60 * ms,
		},
		{
			"Opus packets in Xiph lacing", [][]byte{tracks(opus)},
			cluster(0, simpleBlock(2, 0, 0x02, "\x02\x02\x03"+"\xF8."+"\xFB\x02."+"\xF0........")),
			[]int64{(20 + 40 + 10) * ms}, 70 * ms,
		},
		{
			"Opus packets in fixed lacing", [][]byte{tracks(opus)},
			cluster(0, simpleBlock(2, 0, 0x04, "\x01"+"\xF8........."+"\xF9.........")),
			[]int64{(20 + 40) * ms}, 60 * ms,
		},
		{
			"Opus packets in EBML lacing", [][]byte{tracks(opus)},
			cluster(0, group(element(IDBlock, blockData(2, 0, 0x06, "\x02\x85\xBE"+"\xF8...."+"\xF9..."+"\xF0")))),
			[]int64{(20 + 40 + 10) * ms}, 70 * ms,
		},
		{
			"DiscardPadding is taken off", [][]byte{tracks(opus)},
			cluster(0, group(block(2, 0, toc20ms), discard(0x4C, 0x4B, 0x40))), // 5 ms
			[]int64{15 * ms}, 15 * ms,
		},
		{
			"BlockDuration is what is heard, without the DiscardPadding", [][]byte{tracks(opus)},
			cluster(0, group(discard(0x4C, 0x4B, 0x40), lasting(12), block(2, 0, toc20ms))),
			[]int64{12 * ms}, 12 * ms,
		},
		{
			"DiscardPadding before the Block", [][]byte{tracks(opus)},
			cluster(0, group(discard(0x4C, 0x4B, 0x40), block(2, 0, toc20ms))),
			[]int64{15 * ms}, 15 * ms,
		},
		{
			"the last lace by the number of its frames", [][]byte{tracks(vp8)},
			cluster(0, simpleBlock(1, 0, 0x04, "\x07frames..xxxxxxxx"), simpleBlock(1, 80, 0x04, "\x01xx")),
			[]int64{100 * ms}, 100 * ms,
		},
		{
			"subtitles last as long as they say, be it longer than those after them", [][]byte{tracks(track(3, Subtitle, "S_TEXT/UTF8"))},
			cluster(0, group(block(3, 0, "first"), lasting(500)), group(block(3, 100, "second"), lasting(50)), simpleBlock(3, 300, 0x80, "third")),
			[]int64{500 * ms}, 500 * ms,
		},
		{
			"DiscardPadding at the start, which is negative, makes no frame longer", [][]byte{tracks(opus)},
			cluster(0, group(block(2, 0, toc20ms), discard(0xFF))),
			[]int64{20 * ms}, 20 * ms,
		},
		{
			"DiscardPadding lasts for its own block only", [][]byte{tracks(opus)},
			cluster(0, group(block(2, 0, toc20ms), discard(0x4C, 0x4B, 0x40)), simpleBlock(2, 20, 0, toc20ms)),
			[]int64{40 * ms}, 40 * ms,
		},
		{
			"PCM by its size", [][]byte{tracks(pcm(48000, 2, 16))},
			cluster(0, simpleBlock(3, 0, 0, strings.Repeat("LLRR", 480))),
			[]int64{10 * ms}, 10 * ms,
		},
		{
			"PCM of 8000 Hz and one channel, which the header need not say",
			[][]byte{tracks(track(3, Audio, "A_PCM/INT/BIG", element(IDAudio, number(IDBitDepth, 8))))},
			cluster(0, simpleBlock(3, 0, 0, strings.Repeat("M", 80))),
			[]int64{10 * ms}, 10 * ms,
		},
		{
			"PCM that does not say how large a sample is lasts as long as the block before", [][]byte{tracks(track(3, Audio, "A_PCM/INT/LIT"))},
			cluster(0, simpleBlock(3, 0, 0, "pcm"), simpleBlock(3, 25, 0, "pcm")),
			[]int64{50 * ms}, 50 * ms,
		},
		{
			"PCM in lacing, without the sizes of the lacing", [][]byte{tracks(pcm(1000, 1, 8))},
			cluster(0, simpleBlock(3, 0, 0x02, "\x01\x05"+strings.Repeat("M", 20))),
			[]int64{20 * ms}, 20 * ms,
		},
		{
			"the track that ends last counts", [][]byte{tracks(vp8, opus)},
			cluster(0, simpleBlock(2, 0, 0, toc20ms), v(0), v(40), simpleBlock(2, 75, 0, toc20ms)),
			[]int64{95 * ms}, 95 * ms,
		},
		{
			"a track counts in the clusters that have a block of it, and in the recording always", [][]byte{tracks(vp8, opus)},
			slices.Concat(cluster(0, group(block(1, 0, "frame"), lasting(500))), cluster(100, simpleBlock(2, 0, 0, toc20ms)), cues),
			[]int64{500 * ms, 20 * ms}, 500 * ms,
		},
		{
			"without blocks there is no duration", [][]byte{tracks(vp8)},
			slices.Concat(cluster(0, v(0)), cluster(1000), cues),
			[]int64{0, 0}, 0,
		},
		{
			"durations that claim too much are 36 years", [][]byte{tracks(vp8, track(2, Audio, "A_OPUS", number(IDDefaultDuration, 1<<63)))},
			slices.Concat(cluster(0, group(block(1, 0, "frame"), lasting(1<<63))), cluster(0, simpleBlock(2, 0, 0x04, "\x07"+strings.Repeat("x", 8)))),
			[]int64{1 << 60, 1 << 60}, 1 << 60,
		},
		{
			"a DiscardPadding of more than the frame leaves nothing to be heard", [][]byte{tracks(opus)},
			cluster(0, simpleBlock(2, 0, 0, toc20ms), group(block(2, 20, toc20ms), discard(0x7F, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF))),
			[]int64{20 * ms}, 20 * ms,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := splitAllWays(t, Options{}, stream(append(c.header, c.stream)...))
			var got []int64
			for _, c := range o.clusters {
				got = append(got, c.Duration)
			}
			if !slices.Equal(got, c.want) || o.err() != nil {
				t.Errorf("clusters last %d ns, error %v; want %d", got, o.err(), c.want)
			}
			if got := o.report.Recordings[0].Duration; got != c.all {
				t.Errorf("the recording lasts %d ns; want %d", got, c.all)
			}
		})
	}
}

// A stream of more than a gigabyte would be needed to show it otherwise.
func TestPCMThatLastsMoreThan36YearsLastsThem(t *testing.T) {
	track := Track{Codec: "pcm", SampleRate: 1, Channels: 1, BitDepth: 8}
	if got := track.frameDuration(nil, 1<<40); got != maxTime {
		t.Errorf("%d ns", got)
	}
}

// RFC 6716, table 2, in tenths of a millisecond.
var opusTenths = [32]int64{
	100, 200, 400, 600, // SILK, narrowband
	100, 200, 400, 600, // SILK, mediumband
	100, 200, 400, 600, // SILK, wideband
	100, 200, // hybrid, super-wideband
	100, 200, // hybrid, fullband
	25, 50, 100, 200, // CELT, narrowband
	25, 50, 100, 200, // CELT, wideband
	25, 50, 100, 200, // CELT, super-wideband
	25, 50, 100, 200, // CELT, fullband
}

func TestAnOpusPacketSaysHowLongItLasts(t *testing.T) {
	for config, length := range opusTenths {
		for _, c := range []struct {
			name   string
			code   byte
			rest   string
			frames int64
		}{
			{"one frame", 0, "x", 1},
			{"two frames of one size", 1, "xx", 2},
			{"two frames", 2, "\x01xx", 2},
			{"five frames", 3, "\x05xxxxx", 5},
			{"five frames with padding, of variable size", 3, "\xC5xxxxx", 5},
			{"no frames", 3, "\x00", 0},
			{"no number of frames", 3, "", 0},
		} {
			for _, stereo := range []byte{0, 4} {
				toc := byte(config<<3) | stereo | c.code
				packet := string([]byte{toc}) + c.rest
				o := split(Options{}, stream(tracks(opus), cluster(0, simpleBlock(2, 0, 0, packet))))
				want := length * c.frames * ms / 10
				if got := o.clusters[0].Duration; got != want {
					t.Errorf("TOC %02X, %s: %d ns; want %d", toc, c.name, got, want)
				}
			}
		}
	}
}

func TestTimeIsInTicksOfTheRecording(t *testing.T) {
	for _, c := range []struct {
		scale    uint64
		duration int64
	}{
		{1, 240},
		{1_000_000, 240 * ms},
		{1e12, 240e12},
	} {
		t.Run(fmt.Sprintf("%d ns", c.scale), func(t *testing.T) {
			o := splitAllWays(t, Options{}, stream(element(IDInfo, number(IDTimestampScale, c.scale)), tracks(vp8),
				cluster(1000, simpleBlock(1, 0, 0x80, "frame"), simpleBlock(1, 120, 0, "frame"))))
			cl := o.clusters[0]
			if cl.Timestamp != 1000 || cl.Duration != c.duration || cl.KeyFrames[0].Timestamp != 1000 {
				t.Errorf("got %+v; want timestamp 1000 and %d ns", cl, c.duration)
			}
		})
	}
}
