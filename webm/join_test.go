package webm

// Recordings joined into one file.

import (
	"fmt"
	"slices"
	"testing"

	"github.com/webmend/webmend/ebml"
)

// joined is what a join makes of streams, each of one recording.
func joined(t *testing.T, streams ...[]byte) (file, *Plan) {
	t.Helper()
	var all []*Index
	for _, s := range streams {
		all = append(all, indexOf(t, s))
	}
	plan, err := Join(all...)
	if err != nil {
		t.Fatal(err)
	}
	return parse(t, made(t, plan, streams...)), plan
}

func TestAJoinNumbersTracksAsTheFirstDoes(t *testing.T) {
	av := func(video, audio byte, more ...[]byte) []byte {
		wide := element(IDSimpleBlock, append([]byte{0x40, audio, 0, 7, 0}, "\x08wide"...)) // a number in two octets
		return stream(tracks(track(uint64(video), Video, "V_VP8"), track(uint64(audio), Audio, "A_OPUS", element(IDAudio, number(IDChannels, 2)))),
			cluster(0, simpleBlock(video, 0, 0x80, "v0"), simpleBlock(audio, 0, 0, "\x08a0"), slices.Concat(more...)),
			cluster(20, group(block(video, 0, "v1"), number(IDReferenceBlock, 1)), wide, group(block(audio, 10, "\x08a2"))))
	}
	for _, c := range []struct {
		name    string
		streams [][]byte
	}{
		{"the same", [][]byte{av(1, 2), av(1, 2)}},
		{"swapped", [][]byte{av(1, 2), av(2, 1)}},
		{"three, each in its own way", [][]byte{av(1, 2), av(2, 1), av(7, 126)}},
		{"one in the other's place", [][]byte{av(2, 3), av(3, 4), av(1, 2)}},
		{"one alone", [][]byte{av(1, 2)}},
	} {
		t.Run(c.name, func(t *testing.T) {
			f, plan := joined(t, c.streams...)
			var want []refBlock
			numbers := map[TrackType]uint64{}
			for _, b := range refBlocks(c.streams[0]) {
				numbers[b.typ] = b.track
			}
			shift := int64(0)
			for _, s := range c.streams {
				for _, b := range media(refBlocks(s)) {
					b.ticks += shift
					b.track = numbers[b.typ]
					want = append(want, b)
				}
				shift += indexOf(t, s).Duration() / 1e6
			}
			sameBlocks(t, "join", media(f.blocks), want)
			if f.duration != float64(shift) || plan.End != shift*1e6 || plan.Start != 0 {
				t.Errorf("Duration %v, plan to %d; want %d", f.duration, plan.End, shift)
			}
			// Each recording has a cue for its key frame and for its audio.
			if len(f.cues) != 2*len(c.streams) {
				t.Errorf("cues %v", f.cues)
			}
		})
	}
}

func TestAJoinContinuesAfterTheLongestTrackRoundedUp(t *testing.T) {
	for _, c := range []struct {
		scale    uint64
		duration int64 // of the first
		shift    int64 // in ticks
	}{
		{1_000_000, 66_000_000, 66},
		{1_000_000, 66_000_001, 67},
		{999_999, 66_999_933, 67},
		{999_999, 66_999_934, 68},
		{7_000_000, 84_000_001, 13},
		{3, 60_000_001, 20_000_001},
		{1e9, 1, 1},
	} {
		t.Run(fmt.Sprintf("%d ns at a scale of %d", c.duration, c.scale), func(t *testing.T) {
			stream := stream(element(IDInfo, number(IDTimestampScale, c.scale)), tracks(vp8, opus),
				cluster(0, simpleBlock(1, 0, 0x80, "v"), simpleBlock(1, 1, 0, "v"), simpleBlock(2, 0, 0, "\x08a")))
			ix := indexOf(t, stream)
			ix.duration, ix.decodable = c.duration, c.duration
			plan, err := Join(ix, indexOf(t, stream))
			if err != nil {
				t.Fatal(err)
			}
			f := parse(t, made(t, plan, stream, stream))
			if got := f.blocks[3].ticks; got != c.shift {
				t.Errorf("the second begins at tick %d; want %d", got, c.shift)
			}
			second := indexOf(t, stream).Duration()
			if want := c.shift*int64(c.scale) + second; plan.End != want {
				t.Errorf("it ends at %d; want %d", plan.End, want)
			}
		})
	}
}

func TestWhatCannotBeJoinedIsSaidWithTheTracks(t *testing.T) {
	frame := cluster(0, simpleBlock(1, 0, 0x80, "v"), simpleBlock(2, 0, 0, "a"))
	rate := func(hz float64) []byte { return ebml.AppendFloat(nil, IDSamplingFrequency, hz) }
	first := stream(tracks(vp8, opus), frame)
	for _, c := range []struct {
		name   string
		first  []byte
		second []byte
		text   string
	}{
		{"another video codec", first, stream(tracks(track(1, Video, "V_VP9"), opus), frame), "webm: track 1 of recording 2 is video (V_VP9), the first has V_VP8"},
		{"another audio codec", first, stream(tracks(vp8, track(2, Audio, "A_VORBIS")), frame), "webm: track 2 of recording 2 is audio (A_VORBIS), the first has A_OPUS"},
		{"other channels", first, stream(tracks(vp8, track(2, Audio, "A_OPUS", element(IDAudio, number(IDChannels, 2)))), frame), "webm: track 2 of recording 2 is audio (A_OPUS), with 2 channels, the first has 1"},
		{"another sample rate", first, stream(tracks(vp8, track(2, Audio, "A_OPUS", element(IDAudio, rate(48000)))), frame), "webm: track 2 of recording 2 is audio (A_OPUS), with another sample rate than in the first"},
		{"another CodecPrivate", first, stream(tracks(track(1, Video, "V_VP8", element(IDCodecPrivate, []byte("x"))), opus), frame), "webm: track 1 of recording 2 is video (V_VP8), with another CodecPrivate than in the first"},
		{"a track less", first, stream(tracks(vp8), frame), "webm: recording 2 has 1 tracks, the first has 2"},
		{"a track more", first, stream(tracks(vp8, opus, track(3, Audio, "A_OPUS")), frame), "webm: recording 2 has 3 tracks, the first has 2"},
		{"a type that the first does not have", first, stream(tracks(vp8, track(2, Subtitle, "S_TEXT/WEBVTT")), frame), "webm: track 2 of recording 2 is subtitle (S_TEXT/WEBVTT), which the first does not have"},
		{"a type twice", first, stream(tracks(vp8, track(2, Video, "V_VP8")), frame), "webm: track 2 of recording 2 is video (V_VP8), which the first does not have"},
		{"another TimestampScale", first, stream(element(IDInfo, number(IDTimestampScale, 1000)), tracks(vp8, opus), frame), "webm: recording 2 has another TimestampScale than the first"},
		{"a number too large", first, stream(tracks(vp8, track(300, Audio, "A_OPUS")), frame), "webm: recording 2 has another number for a track, and one too large to be changed"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := Join(indexOf(t, c.first), indexOf(t, c.second))
			if e := wantCode(t, "Join", err, CodeIncompatible); e.Error() != c.text {
				t.Errorf("it says\n\t%s\nand should say\n\t%s", e, c.text)
			}
		})
	}
	t.Run("one that is stored", func(t *testing.T) {
		inStore := indexOf(t, first)
		inStore.Stored = true
		_, err := Join(indexOf(t, first), inStore)
		wantCode(t, "Join", err, CodeIncompatible)
		_, err = Join(inStore, indexOf(t, first))
		wantCode(t, "Join", err, CodeIncompatible)
	})
	t.Run("the third without clusters", func(t *testing.T) {
		_, err := Join(indexOf(t, first), indexOf(t, first), indexOf(t, stream(tracks(vp8, opus))))
		if e := wantCode(t, "Join", err, CodeNoClusters); e.Error() != "webm: recording 3 has no cluster" {
			t.Error(e)
		}
	})
	t.Run("large numbers that are the same can", func(t *testing.T) {
		high := stream(tracks(track(300, Video, "V_VP8")), cluster(0, element(IDSimpleBlock, []byte("\x41\x2C\x00\x00\x80v"))))
		if f, _ := joined(t, high, high); len(f.blocks) != 2 || f.blocks[1].track != 300 {
			t.Errorf("blocks %v", f.blocks)
		}
	})
}
