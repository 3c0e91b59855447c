package webm

// Seekable files: what they carry of a recording, and what is made anew.

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/webmend/webmend/ebml"
)

func TestARecordingBecomesASeekableFileWithTheSameMedia(t *testing.T) {
	eachPart(t, func(t *testing.T, stream []byte) { seekable(t, stream) })
}

func TestASeekableFileCarriesAllButWhatPlansMakeAnew(t *testing.T) {
	frame := simpleBlock(1, 0, 0x80, "frame")
	info := func(more ...[]byte) []byte {
		return element(IDInfo, text(IDMuxingApp, "muxer"), text(IDWritingApp, "writer"), slices.Concat(more...))
	}
	duration := ebml.AppendFloat(nil, IDDuration, 1)
	void := element(ebml.IDVoid, make([]byte, 9))
	colour := track(1, Video, "V_VP8", element(IDVideo, number(IDPixelWidth, 320), element(0x55B0, number(0x55B1, 1))), element(0x4FFE, []byte("unknown")))
	tags := element(IDTags, []byte("\x73\x73\x80"))
	attachments := element(IDAttachments, []byte("\x61\xA7\x80"))
	seekHead := element(IDSeekHead, element(IDSeek, element(IDSeekID, []byte(clusterMagic)), number(IDSeekPosition, 7)))
	cues := element(IDCues, element(IDCuePoint, number(IDCueTime, 7)))
	for _, c := range []struct {
		name   string
		stream []byte
		names  string   // of what comes before the clusters
		has    []string // bytes that must be there
		lacks  []string // and those that must not
	}{
		{
			name: "nothing but Tracks", stream: stream(tracks(vp8), cluster(0, frame)),
			names: "SeekHead Info Tracks Cues", has: []string{"webmend"},
		},
		{
			name: "Info without MuxingApp", stream: stream(element(IDInfo, text(IDWritingApp, "writer")), tracks(vp8), cluster(0, frame)),
			names: "SeekHead Info Tracks Cues", has: []string{"writer", "\x4D\x80\x87webmend"},
		},
		{
			name: "Info without WritingApp", stream: stream(element(IDInfo, text(IDMuxingApp, "muxer")), tracks(vp8), cluster(0, frame)),
			names: "SeekHead Info Tracks Cues", has: []string{"muxer", "\x57\x41\x87webmend"},
		},
		{
			name: "Info with all there can be", stream: stream(info(duration, void, element(ebml.IDCRC32, []byte("crc!")), text(IDTitle, "title"), element(0x4FFD, []byte("more"))), tracks(vp8), cluster(0, frame)),
			names: "SeekHead Info Tracks Cues", has: []string{"muxer", "writer", "title", "\x4F\xFD\x84more"}, lacks: []string{"webmend", "crc!"},
		},
		{
			name: "Info after Tracks", stream: stream(tracks(vp8), info(), cluster(0, frame)),
			names: "SeekHead Info Tracks Cues", lacks: []string{"webmend"},
		},
		{
			name: "SeekHead, Void and CRC-32", stream: stream(element(ebml.IDCRC32, []byte("crc!")), seekHead, void, info(duration), void, tracks(vp8), void, cluster(0, frame)),
			names: "SeekHead Info Tracks Cues", lacks: []string{"crc!", clusterMagic + "\x53\xAC"},
		},
		{
			name: "Cues before and after", stream: stream(info(), tracks(vp8), cues, cluster(0, frame), cues, cluster(40, frame), cues),
			names: "SeekHead Info Tracks Cues",
		},
		{
			name: "Tags before Tracks", stream: stream(info(), tags, tracks(vp8), cluster(0, frame)),
			names: "SeekHead Info Tags Tracks Cues", has: []string{string(tags)},
		},
		{
			name: "Tags and Attachments after the clusters", stream: stream(info(), tracks(vp8), cluster(0, frame), tags, cues, attachments),
			names: "SeekHead Info Tracks Tags Attachments Cues", has: []string{string(tags), string(attachments)},
		},
		{
			name: "Tags between the clusters, and twice", stream: stream(info(), tracks(vp8), cluster(0, frame), tags, cluster(40, frame), tags),
			names: "SeekHead Info Tracks Tags Tags Cues",
		},
		{
			name: "an unknown element in the Segment", stream: stream(info(), element(0x4FFC, []byte("unknown")), tracks(vp8), cluster(0, frame)),
			names: "SeekHead Info 0x4FFC Tracks Cues", has: []string{"\x4F\xFC\x87unknown"},
		},
		{
			name: "Colour and an unknown element of a track", stream: stream(info(), tracks(colour), cluster(0, frame)),
			names: "SeekHead Info Tracks Cues", has: []string{string(colour)},
		},
		{
			name: "Tracks and Info again after the clusters, which are not read again", stream: stream(info(), tracks(vp8), cluster(0, frame), info(text(IDTitle, "late")), tracks(opus)),
			names: "SeekHead Info Tracks Cues", lacks: []string{"A_OPUS", "late"},
		},
		{
			name: "Position and PrevSize, which become Void", stream: stream(info(), tracks(vp8), cluster(0, number(IDPosition, 77), number(IDPrevSize, 78), frame)),
			names: "SeekHead Info Tracks Cues", has: []string{"\xEC\x81\x4D\xEC\x81\x4E"},
		},
		{
			name: "CRC-32 of a cluster, before its Timestamp", stream: stream(info(), tracks(vp8), unknown(IDCluster, element(ebml.IDCRC32, []byte("crc!")), number(IDTimestamp, 0), frame)),
			names: "SeekHead Info Tracks Cues", has: []string{"\xEC\x84crc!\xE7\x81"},
		},
		{
			name: "Void and unknown elements of a cluster", stream: stream(info(), tracks(vp8), cluster(0, void, element(0x4FFB, []byte("unknown")), frame)),
			names: "SeekHead Info Tracks Cues", has: []string{"\x4F\xFB\x87unknown"},
		},
		{
			name: "an unknown element of the EBML header",
			stream: slices.Concat(element(ebml.IDEBML, text(ebml.IDDocType, "webm"), element(0x4281, []byte("extension")), void),
				unknown(IDSegment, tracks(vp8), cluster(0, frame))),
			names: "SeekHead Info Tracks Cues", has: []string{"\x42\x81\x89extension"},
		},
		{
			name: "no EBML header to speak of", stream: append(element(ebml.IDEBML), unknown(IDSegment, tracks(vp8), cluster(0, frame))...),
			names: "SeekHead Info Tracks Cues", has: []string{"matroska"},
		},
		{
			name: "a second Segment", stream: stream(tracks(vp8), cluster(0, frame), unknown(IDSegment, cluster(40, frame))),
			names: "SeekHead Info Tracks Cues",
		},
		{
			name: "no block", stream: stream(tracks(vp8), cluster(0), cluster(5), element(IDTags)),
			names: "SeekHead Info Tracks Tags",
		},
		{
			name: "a frame before the Timestamp of its cluster", stream: stream(tracks(vp8), cluster(100, simpleBlock(1, -50, 0x80, "frame"))),
			names: "SeekHead Info Tracks Cues",
		},
		{
			name: "a cluster without Timestamp", stream: stream(tracks(vp8), unknown(IDCluster), cluster(5, frame)),
			names: "SeekHead Info Tracks Cues",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			f, out := seekableBytes(t, c.stream)
			if f.names() != c.names {
				t.Errorf("it has %s; want %s", f.names(), c.names)
			}
			for _, s := range c.has {
				if !bytes.Contains(out, []byte(s)) {
					t.Errorf("%q is missing", s)
				}
			}
			for _, s := range c.lacks {
				if bytes.Contains(out, []byte(s)) {
					t.Errorf("%q is still there", s)
				}
			}
		})
	}
}

func TestTracksAreKeptHoweverMuchComesBeforeThem(t *testing.T) {
	junk := bytes.Repeat(element(0x4FFC, []byte("junk")), 2*maxParts)
	stream := stream(junk, tracks(vp8), cluster(0, simpleBlock(1, 0, 0x80, "frame")))
	plan, err := indexOf(t, stream).Seekable()
	if err != nil {
		t.Fatal(err)
	}
	f := parse(t, made(t, plan, stream))
	if !strings.HasSuffix(f.names(), "Tracks Cues") {
		t.Errorf("it ends with %s", f.names()[len(f.names())-40:])
	}
}

func TestDocTypeSaysWhatTheCodecsNeed(t *testing.T) {
	for _, c := range []struct{ docType, video, audio, want, mime string }{
		{"webm", "V_VP8", "A_OPUS", "webm", `video/webm; codecs="vp8,opus"`},
		{"webm", "V_VP9", "A_VORBIS", "webm", `video/webm; codecs="vp9,vorbis"`},
		{"webm", "V_AV1", "A_OPUS", "webm", `video/webm; codecs="av01,opus"`},
		{"webm", "V_MPEG4/ISO/AVC", "A_OPUS", "matroska", `video/x-matroska; codecs="avc1,opus"`},
		{"webm", "V_VP8", "A_PCM/FLOAT/IEEE", "matroska", `video/x-matroska; codecs="vp8,pcm"`},
		{"webm", "V_MPEGH/ISO/HEVC", "A_AAC", "matroska", `video/x-matroska; codecs="hvc1,mp4a.40.2"`},
		{"matroska", "V_VP8", "A_OPUS", "matroska", `video/x-matroska; codecs="vp8,opus"`},
		{"matroska", "V_MPEG4/ISO/AVC", "A_PCM/INT/LIT", "matroska", `video/x-matroska; codecs="avc1,pcm"`},
		{"webm\x00", "V_VP8\x00", "A_OPUS\x00", "webm", `video/webm; codecs="vp8,opus"`}, // as GStreamer writes it
	} {
		t.Run(c.docType+" "+c.video+" "+c.audio, func(t *testing.T) {
			stream := append(element(ebml.IDEBML, text(ebml.IDDocType, c.docType)), unknown(IDSegment,
				tracks(track(1, Video, c.video), track(2, Audio, c.audio)), cluster(0, simpleBlock(1, 0, 0x80, "frame"), simpleBlock(2, 0, 0, "frame")))...)
			seekable(t, stream)
			ix := indexOf(t, stream)
			plan, err := ix.Seekable()
			if err != nil {
				t.Fatal(err)
			}
			cutter, err := ix.JoinPoint()
			if err != nil {
				t.Fatal(err)
			}
			late, err := cutter.PlanFrom(bytes.NewReader(stream))
			if err != nil {
				t.Fatal(err)
			}
			one, _ := ix.Standalone(0, 1, false)
			joined, err := Join(ix, ix)
			if err != nil {
				t.Fatal(err)
			}
			for name, plan := range map[string]*Plan{"Seekable": plan, "JoinPoint": late, "Standalone": one, "InitializationSegment": ix.InitializationSegment(), "Join": joined} {
				o := split(Options{}, made(t, plan, stream, stream))
				if o.err() != nil || o.headers[0].DocType != c.want || plan.MimeType != c.mime {
					t.Errorf("%s has DocType %s and type %s, error %v; want %s and %s", name, o.headers[0].DocType, plan.MimeType, o.err(), c.want, c.mime)
				}
			}
		})
	}
}

func TestDurationIsInUnitsOfTheTimestampScale(t *testing.T) {
	for _, scale := range []uint64{1, 3, 100_000, 999_999, 1_000_000, 1_000_000_000} {
		t.Run(fmt.Sprint(scale), func(t *testing.T) {
			f := seekable(t, stream(element(IDInfo, number(IDTimestampScale, scale)), tracks(vp8),
				cluster(700, simpleBlock(1, -3, 0x80, "frame"), simpleBlock(1, 2, 0, "frame")), cluster(800, simpleBlock(1, 0, 0x80, "frame"))))
			if f.duration != 898 {
				t.Errorf("Duration %v; want 898, the last frame being as long as the one before", f.duration)
			}
		})
	}
}

func TestAClusterHeadKeepsItsWidthWhereThatHoldsTheSize(t *testing.T) {
	for width := 1; width <= 8; width++ {
		for _, known := range []bool{false, true} {
			for _, payload := range []int{5, 114, 115, 120, 16_000, 16_380} {
				t.Run(fmt.Sprintf("%d octets, known %v, %d bytes", width, known, payload), func(t *testing.T) {
					data := slices.Concat(number(IDTimestamp, 0), simpleBlock(1, 0, 0x80, strings.Repeat("x", payload)))
					size := int64(len(data))
					fits := width >= ebml.VINTLen(uint64(size))
					if known && !fits {
						return
					}
					if !known {
						size = ebml.UnknownSize
					}
					one := append(ebml.AppendHeadWidth(nil, IDCluster, size, width), data...)
					other := slices.Clone(one)
					other[len(other)-1] = 'y'
					other[len(other)-len(data)+2] = 1 // its Timestamp
					f := seekable(t, stream(tracks(vp8), one, other))
					want := 4 + width
					if !fits {
						want = 12
					}
					for _, c := range f.clusters {
						if c.data-c.start != want {
							t.Errorf("the head has %d bytes; want %d", c.data-c.start, want)
						}
					}
				})
			}
		}
	}
}

func TestACutLastClusterIsAsLongAsWhatThereIsOfIt(t *testing.T) {
	frame := simpleBlock(1, 0, 0x80, strings.Repeat("frame", 30))
	other := simpleBlock(1, 0, 0x80, strings.Repeat("other", 30))
	third := simpleBlock(1, 0, 0x80, strings.Repeat("third", 30))
	children := slices.Concat(number(IDTimestamp, 40), frame, other, third)
	for _, c := range []struct {
		name string
		last []byte
	}{
		{"unknown", unknown(IDCluster, children)},
		{"known", element(IDCluster, children)},
		{"known in 8 octets", append(ebml.AppendHeadWidth(nil, IDCluster, int64(len(children)), 8), children...)},
		{"unknown in 1 octet", append(ebml.AppendHeadWidth(nil, IDCluster, ebml.UnknownSize, 1), children...)},
	} {
		t.Run(c.name, func(t *testing.T) {
			for cut := range 2 * len(frame) {
				whole := stream(tracks(vp8), cluster(0, frame), c.last)
				f := seekable(t, whole[:len(whole)-cut])
				want := 4 - (cut+len(frame)-1)/len(frame)
				if len(f.blocks) != want {
					t.Errorf("cut by %d bytes, %d blocks; want %d", cut, len(f.blocks), want)
				}
			}
		})
	}
}
