package webm

import (
	"encoding/base64"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/webmend/webmend/ebml"
)

// ranges are those of clusters, each with a "?" if it is cut.
func ranges(clusters []Cluster) string {
	var s []string
	for _, c := range clusters {
		r := fmt.Sprintf("%d-%d", c.Start, c.End)
		if c.Cut {
			r += "?"
		}
		s = append(s, r)
	}
	return strings.Join(s, " ")
}

func TestTheBytesOfAClusterIDElsewhereBeginNoCluster(t *testing.T) {
	t.Parallel()
	// The ID alone, and a whole head that would be believed.
	for _, magic := range []string{clusterMagic, clusterMagic + "\x01\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xE7\x81\x00", clusterMagic + "\x80"} {
		for _, c := range []struct {
			name string
			make func(s string) []byte // a stream with s in it
		}{
			{"in a block", func(s string) []byte {
				return stream(tracks(vp8, opus), cluster(0, simpleBlock(1, 0, 0x80, s), simpleBlock(1, 40, 0, "....."+s+".....")))
			}},
			{"in a block of a known-size cluster", func(s string) []byte {
				return stream(tracks(vp8, opus), element(IDCluster, number(IDTimestamp, 0), simpleBlock(1, 0, 0x80, s)), cluster(40, simpleBlock(1, 0, 0, s)))
			}},
			{"in a BlockGroup", func(s string) []byte {
				more := element(IDBlockAdditions, element(IDBlockMore, element(IDBlockAdditional, []byte(s))))
				return stream(tracks(vp8, opus), cluster(0, group(block(1, 0, s), more)))
			}},
			{"in a SeekHead", func(s string) []byte {
				seek := element(IDSeek, element(IDSeekID, []byte(s)), number(IDSeekPosition, 0x1F43B675))
				return stream(element(IDSeekHead, seek), tracks(vp8, opus), cluster(0, simpleBlock(1, 0, 0x80, "frame")))
			}},
			{"in a CodecPrivate", func(s string) []byte {
				private := element(IDCodecPrivate, []byte(s))
				return stream(tracks(track(1, Video, "V_VP8", private), opus), cluster(0, simpleBlock(1, 0, 0x80, "frame")))
			}},
			{"in a Void between clusters", func(s string) []byte {
				return stream(tracks(vp8, opus), element(IDCluster, number(IDTimestamp, 0), simpleBlock(1, 0, 0x80, "frame")),
					element(ebml.IDVoid, []byte(s)), cluster(40, simpleBlock(1, 0, 0, "frame")))
			}},
			{"in an element that is not known", func(s string) []byte {
				return stream(tracks(vp8, opus), cluster(0, element(0x4FFF, []byte(s)), simpleBlock(1, 0, 0x80, "frame")))
			}},
		} {
			t.Run(fmt.Sprintf("% x %s", magic, c.name), func(t *testing.T) {
				innocent := strings.Repeat("x", len(magic))
				with, without := c.make(magic), c.make(innocent)
				want := split(Options{}, without)
				want.check(t, without)
				if len(want.clusters) == 0 || want.err() != nil {
					t.Fatalf("even without it, %v", want)
				}
				// CodecPrivate comes out as it went in.
				same := func(o outcome) string {
					return strings.ReplaceAll(o.String(), base64.StdEncoding.EncodeToString([]byte(magic)), base64.StdEncoding.EncodeToString([]byte(innocent)))
				}
				for at := range len(with) + 1 {
					compare(t, fmt.Sprintf("cut at %d", at), same(split(Options{}, with[:at], with[at:])), want.String())
				}
				compare(t, "byte by byte", same(split(Options{}, bytewise(with)...)), want.String())
			})
		}
	}
}

// Chromium cuts its blobs there more often than not.
func TestAClusterIDMayBeCutAtEachOfItsBytes(t *testing.T) {
	first := stream(tracks(vp8), cluster(0, simpleBlock(1, 0, 0x80, "frame")))
	whole := append(slices.Clone(first), cluster(40, simpleBlock(1, 0, 0, "frame"))...)
	want := split(Options{}, whole)
	if got := ranges(want.clusters); got != "49-75 75-101" {
		t.Fatalf("clusters %s", got)
	}
	for n := range 12 {
		at := len(first) + n
		got := split(Options{}, whole[:at], nil, whole[at:])
		compare(t, fmt.Sprintf("%d bytes into the head", n), got.String(), want.String())
	}
}

func TestAClusterOfUnknownSizeEnds(t *testing.T) {
	// The header takes 49 bytes, the cluster 26 more.
	recording := []([]byte){tracks(vp8), cluster(0, simpleBlock(1, 0, 0x80, "frame"))}
	with := func(next ...[]byte) []byte { return stream(append(recording, next...)...) }
	frame := simpleBlock(1, 0, 0, "frame")
	for _, c := range []struct {
		name     string
		stream   []byte
		clusters string
		other    string
		headers  int
	}{
		{"at a Cluster", with(cluster(40, frame)), "49-75 75-101", "[]", 1},
		{"at a Cluster of known size", with(element(IDCluster, number(IDTimestamp, 40), frame)), "49-75 75-94", "[]", 1},
		{"at Cues", with(element(IDCues, make([]byte, 20))), "49-75", "[{75 100}]", 1},
		{"at Tags", with(element(IDTags)), "49-75", "[{75 80}]", 1},
		{"at SeekHead", with(element(IDSeekHead)), "49-75", "[{75 80}]", 1},
		{"at Info", with(element(IDInfo)), "49-75", "[{75 80}]", 1},
		{"at Tracks, which are not read again", with(tracks(opus)), "49-75", "[{75 101}]", 1},
		{"at Chapters", with(element(IDChapters)), "49-75", "[{75 80}]", 1},
		{"at Attachments", with(element(IDAttachments)), "49-75", "[{75 80}]", 1},
		{"at a Segment", with(element(IDSegment, make([]byte, 0))), "49-75", "[{75 80}]", 1},
		{"at a Segment with clusters of the same recording", with(unknown(IDSegment, cluster(40, frame))), "49-75 87-113", "[{75 87}]", 1},
		{"at an EBML header, which begins another recording", with(stream(recording...)), "49-75 124-150", "[]", 2},
		{
			"at the end of its Segment of known size",
			slices.Concat(ebmlHeader(), element(IDSegment, recording...), element(ebml.IDVoid)),
			"42-68", "[{68 70}]", 1,
		},
		{
			"at the end of its Segment of known size, with nothing after",
			slices.Concat(ebmlHeader(), element(IDSegment, recording...)),
			"42-68", "[]", 1,
		},
		{"at the end of the stream", with(), "49-75", "[]", 1},
		{"not at Void", with(element(ebml.IDVoid, make([]byte, 3)), frame), "49-91", "[]", 1},
		{"not at Void, and the stream ends", with(element(ebml.IDVoid, make([]byte, 3))), "49-80", "[]", 1},
		{"not at CRC-32", with(element(ebml.IDCRC32, make([]byte, 4)), frame), "49-92", "[]", 1},
		{"not at an ID that is not known", with(element(0x4FFF), frame), "49-89", "[]", 1},
		{"not at an ID that is not known, and Cues come", with(element(0x4FFF), element(IDCues)), "49-78", "[{78 83}]", 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := splitAllWays(t, Options{}, c.stream)
			if o.err() != nil {
				t.Errorf("error %v", o.err())
			}
			if got := ranges(o.clusters); got != c.clusters {
				t.Errorf("clusters %s; want %s", got, c.clusters)
			}
			if got := fmt.Sprint(o.report.Other); got != c.other {
				t.Errorf("other %s; want %s", got, c.other)
			}
			if len(o.headers) != c.headers {
				t.Errorf("%d headers; want %d", len(o.headers), c.headers)
			}
		})
	}
}

func TestWhatStandsBetweenAndAfterClustersIsOther(t *testing.T) {
	known := func(timestamp uint64) []byte {
		return element(IDCluster, number(IDTimestamp, timestamp), simpleBlock(1, 0, 0, "frame"))
	}
	void := element(ebml.IDVoid, make([]byte, 8))
	for _, c := range []struct {
		name     string
		stream   []byte
		clusters string
		other    string
	}{
		{"Void after a cluster of known size", stream(tracks(vp8), known(0), void), "49-68", "[{68 78}]"},
		{"Void, Cues and Tags are one range", stream(tracks(vp8), known(0), void, element(IDCues), element(IDTags)), "49-68", "[{68 88}]"},
		{"Void between clusters of known size", stream(tracks(vp8), known(0), void, known(40)), "49-68 78-97", "[{68 78}]"},
		{"Cues between, Void at the end", stream(tracks(vp8), known(0), element(IDCues), known(40), void), "49-68 73-92", "[{68 73} {92 102}]"},
		{"an element that is not known", stream(tracks(vp8), known(0), element(0x4FFF, make([]byte, 5))), "49-68", "[{68 76}]"},
		{"a Void after the Segment", slices.Concat(ebmlHeader(), element(IDSegment, tracks(vp8), known(0)), void), "42-61", "[{61 71}]"},
		{
			"a header without Tracks before the one that has them",
			append(stream(element(IDInfo)), stream(tracks(vp8), known(0))...), "78-97", "[{0 29}]",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := splitAllWays(t, Options{}, c.stream)
			if got := ranges(o.clusters); got != c.clusters || o.err() != nil {
				t.Errorf("clusters %s, error %v; want %s", got, o.err(), c.clusters)
			}
			if got := fmt.Sprint(o.report.Other); got != c.other {
				t.Errorf("other %s; want %s", got, c.other)
			}
			if len(o.headers) != 1 {
				t.Errorf("%d headers", len(o.headers))
			}
		})
	}
}

func TestFinishGivesWhatIsWholeAndSaysWhatIsNot(t *testing.T) {
	frame := simpleBlock(1, 0, 0x80, "frame") // of 11 bytes
	recording := stream(tracks(vp8), cluster(0, frame, frame))
	for _, c := range []struct {
		name     string
		stream   []byte
		headers  string // their ranges
		clusters string
		dropped  string // the range, and code, offset and path of the reason
		finish   string // the code of the error
	}{
		{"the last cluster of unknown size", recording, "0-49", "49-86", "", ""},
		{"a block cut in its data", recording[:85], "0-49", "49-75?", "75-85 truncated at 75 in Segment/Cluster/SimpleBlock", ""},
		{"a block cut in its first data", recording[:78], "0-49", "49-75?", "75-78 truncated at 75 in Segment/Cluster/SimpleBlock", ""},
		{"a block cut in its head", recording[:76], "0-49", "49-75?", "75-76 truncated at 75 in Segment/Cluster", ""},
		{"a cluster cut between its blocks, which nothing shows", recording[:75], "0-49", "49-75", "", ""},
		{"a cluster cut in its first block", recording[:74], "0-49", "", "49-74 truncated at 64 in Segment/Cluster/SimpleBlock", ""},
		{"a cluster cut in its Timestamp", recording[:63], "0-49", "", "49-63 truncated at 61 in Segment/Cluster/Timestamp", ""},
		{"a cluster cut in its head", recording[:60], "0-49", "", "49-60 truncated at 49 in Segment", ""},
		{"a header without clusters", recording[:49], "0-49", "", "", ""},
		{
			"a header without clusters, and Cues", stream(tracks(vp8), element(IDCues)),
			"0-54", "", "", "",
		},
		{
			"a header with what comes after Tracks cut short", stream(tracks(vp8), element(IDTags, make([]byte, 20)))[:60],
			"0-49", "", "49-60 truncated at 49 in Segment/Tags", "",
		},
		{"a header cut in its Tracks", recording[:48], "", "", "0-48 truncated at 44 in Segment/Tracks/TrackEntry/TrackUID", "truncated"},
		{"a header cut before its Tracks", recording[:24], "", "", "0-24 truncated at 24 in ", "truncated"},
		{"a header cut in the head of the Segment", recording[:20], "", "", "0-20 truncated at 12 in ", "truncated"},
		{"a header cut in the EBML header", recording[:10], "", "", "0-10 truncated at 5 in EBML/DocType", "truncated"},
		{"a header cut in the ID of the EBML header", recording[:3], "", "", "0-3 truncated at 0 in ", "truncated"},
		{
			"the second recording's header cut short", append(slices.Clone(recording), recording[:40]...),
			"0-49", "49-86", "86-126 truncated at 123 in Segment/Tracks/TrackEntry/CodecID", "",
		},
		{
			"a known-size cluster cut in a block",
			slices.Concat(stream(tracks(vp8)), element(IDCluster, number(IDTimestamp, 0), frame, frame)[:28]),
			"0-49", "49-68?", "68-77 truncated at 68 in Segment/Cluster/SimpleBlock", "",
		},
		{
			"a known-size cluster cut between its blocks",
			slices.Concat(stream(tracks(vp8)), element(IDCluster, number(IDTimestamp, 0), frame, frame)[:19]),
			"0-49", "49-68?", "68-68 truncated at 49 in Segment/Cluster", "",
		},
		{
			"Cues cut short after the last cluster", slices.Concat(recording, element(IDCues, make([]byte, 20))[:10]),
			"0-49", "49-86", "86-96 truncated at 86 in Segment/Cues", "",
		},
		{
			"a BlockGroup cut between its children",
			slices.Concat(recording, group(block(1, 0, "frame"), number(IDBlockDuration, 5))[:14]),
			"0-49", "49-86?", "86-100 truncated at 99 in Segment/Cluster/BlockGroup", "",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := splitAllWays(t, Options{}, c.stream)
			var headers, dropped []string
			for _, h := range o.headers {
				headers = append(headers, fmt.Sprintf("%d-%d", h.Start, h.End))
			}
			for _, d := range o.report.Dropped {
				dropped = append(dropped, fmt.Sprintf("%d-%d %s at %d in %s", d.Start, d.End, d.Reason.Code, d.Reason.Offset, d.Reason.Path))
			}
			if got := strings.Join(headers, " "); got != c.headers {
				t.Errorf("headers %s; want %s", got, c.headers)
			}
			if got := ranges(o.clusters); got != c.clusters {
				t.Errorf("clusters %s; want %s", got, c.clusters)
			}
			if got := strings.Join(dropped, "; "); got != c.dropped {
				t.Errorf("dropped %s; want %s", got, c.dropped)
			}
			if o.pushErr != nil {
				t.Errorf("Push says %v", o.pushErr)
			}
			if got := o.finishErr; got == nil && c.finish != "" || got != nil && string(got.Code) != c.finish {
				t.Errorf("Finish says %v; want %q", got, c.finish)
			}
		})
	}
}

func TestFinishAgainSaysTheSame(t *testing.T) {
	recording := stream(tracks(vp8), cluster(0, simpleBlock(1, 0, 0x80, "frame"), simpleBlock(1, 0, 0x80, "frame")))
	for _, n := range []int{0, 3, 20, 49, 80, len(recording)} {
		s := NewSplitter(Options{})
		s.Push(recording[:n])
		report, err := s.Finish()
		first := outcome{report: report}.String()
		report, again := s.Finish()
		compare(t, fmt.Sprintf("after %d bytes", n), outcome{report: report}.String(), first)
		if fmt.Sprint(again) != fmt.Sprint(err) {
			t.Errorf("after %d bytes, Finish says %v and then %v", n, err, again)
		}
	}
}

func TestAReportBeforeTheEndHasWhatIsKnown(t *testing.T) {
	recording := stream(tracks(vp8), cluster(0, simpleBlock(1, 40, 0x80, "frame")), element(IDCues), cluster(80, simpleBlock(1, 0, 0, "frame")))
	s := NewSplitter(Options{})
	if r := s.Report(); r.Bytes != 0 || len(r.Recordings) != 0 {
		t.Errorf("before anything, %+v", r)
	}
	if err := s.Push(recording[:len(recording)-1]); err != nil {
		t.Fatal(err)
	}
	r := s.Report()
	if r.Bytes != int64(len(recording)-1) || len(r.Recordings) != 1 || r.Recordings[0].NumClusters != 1 || r.Recordings[0].Duration != 40e6 {
		t.Errorf("in the second cluster, %+v", r)
	}
	if got := fmt.Sprint(r.Other, r.Dropped); got != "[] []" {
		t.Errorf("in the second cluster, other and dropped are %s", got)
	}
}

func TestHeadersAndClustersAreGivenOnce(t *testing.T) {
	recording := stream(tracks(vp8), cluster(0, simpleBlock(1, 0, 0x80, "frame")))
	two := append(slices.Clone(recording), recording...)
	s := NewSplitter(Options{})
	if err := s.Push(two); err != nil {
		t.Fatal(err)
	}
	for i := range 2 {
		if h, ok := s.TakeHeader(); !ok || h.Recording != i {
			t.Errorf("header %d is %+v, %v", i, h, ok)
		}
	}
	if h, ok := s.TakeHeader(); ok {
		t.Errorf("a third header: %+v", h)
	}
	if c := slices.Collect(s.TakeClusters()); len(c) != 1 {
		t.Errorf("%d clusters; want the first recording's", len(c))
	}
	if c := slices.Collect(s.TakeClusters()); len(c) != 0 {
		t.Errorf("clusters again: %+v", c)
	}
	s.Finish()
	if c := slices.Collect(s.TakeClusters()); len(c) != 1 || c[0].Recording != 1 {
		t.Errorf("clusters at the end: %+v", c)
	}
}

func TestAHeaderSaysWhatStandsInIt(t *testing.T) {
	info := element(IDInfo,
		number(IDTimestampScale, 500_000), ebml.AppendFloat(nil, IDDuration, 1234.5),
		text(IDMuxingApp, "muxer\x00\x00"), text(IDWritingApp, "größe"), element(ebml.IDVoid, make([]byte, 5)))
	video := track(3, Video, "V_VP9",
		number(IDTrackUID, 1<<63), text(IDName, "screen"), text(IDLanguage, "de\x00"), number(IDDefaultDuration, 40e6), number(IDMaxBlockAdditionID, 1),
		element(IDVideo, number(IDPixelWidth, 640), number(IDPixelHeight, 360), number(IDAlphaMode, 1)))
	audio := track(300, Audio, "A_OPUS",
		element(IDCodecPrivate, []byte("OpusHead")), number(IDCodecDelay, 6_500_000), number(IDSeekPreRoll, 80_000_000),
		element(IDAudio, ebml.AppendFloat(nil, IDSamplingFrequency, 48000), number(IDChannels, 2), number(IDBitDepth, 32)))
	other := track(5, Subtitle, "S_TEXT/WEBVTT")
	video3 := Track{
		Number: 3, UID: 1 << 63, Type: Video, CodecID: "V_VP9", Codec: "vp9", DefaultDuration: 40e6, MaxBlockAdditionID: 1,
		Name: "screen", Language: "de", Width: 640, Height: 360, AlphaMode: true,
	}
	audio300 := Track{
		Number: 300, Type: Audio, CodecID: "A_OPUS", Codec: "opus", CodecPrivate: []byte("OpusHead"), CodecDelay: 6_500_000, SeekPreRoll: 80_000_000,
		Language: "eng", SampleRate: 48000, Channels: 2, BitDepth: 32,
	}
	subtitle5 := Track{Number: 5, Type: Subtitle, CodecID: "S_TEXT/WEBVTT", Language: "eng"}
	end := []byte(clusterMagic + "\xFF")

	for _, c := range []struct {
		name   string
		stream []byte
		want   Header
	}{
		{
			"all of it",
			stream(info, tracks(video, audio, other), end),
			Header{
				DocType: "webm", TimestampScale: 500_000, Duration: 1234.5, MuxingApp: "muxer", WritingApp: "größe",
				Tracks: []Track{video3, audio300, subtitle5},
			},
		},
		{
			"Tracks and Info in either order, with others around them",
			stream(element(IDSeekHead), element(ebml.IDVoid, make([]byte, 50)), tracks(other), element(IDTags), info, element(IDAttachments), end),
			Header{
				DocType: "webm", TimestampScale: 500_000, Duration: 1234.5, MuxingApp: "muxer", WritingApp: "größe",
				Tracks: []Track{subtitle5},
			},
		},
		{
			"defaults for what it does not say",
			slices.Concat(element(ebml.IDEBML), unknown(IDSegment, tracks(track(1, Audio, "A_OPUS"), track(2, Video, "V_VP8")), end)),
			Header{
				DocType: "matroska", TimestampScale: 1_000_000,
				Tracks: []Track{
					{Number: 1, Type: Audio, CodecID: "A_OPUS", Codec: "opus", Language: "eng", SampleRate: 8000, Channels: 1},
					{Number: 2, Type: Video, CodecID: "V_VP8", Codec: "vp8", Language: "eng"},
				},
			},
		},
		{
			"defaults for elements without data",
			slices.Concat(element(ebml.IDEBML, element(ebml.IDDocType)), unknown(IDSegment,
				element(IDInfo, element(IDTimestampScale), element(IDDuration), element(IDMuxingApp)),
				tracks(track(1, Audio, "A_OPUS", element(IDLanguage), element(IDCodecPrivate), element(IDAudio, element(IDSamplingFrequency), element(IDChannels)))),
				end)),
			Header{
				DocType: "matroska", TimestampScale: 1_000_000,
				Tracks: []Track{{Number: 1, Type: Audio, CodecID: "A_OPUS", Codec: "opus", Language: "eng", SampleRate: 8000, Channels: 1}},
			},
		},
		{
			"defaults for sample rates that none can be",
			slices.Concat(ebmlHeader(), unknown(IDSegment, tracks(
				track(1, Audio, "A_OPUS", element(IDAudio, element(IDSamplingFrequency, []byte("NaN")))),
				track(2, Audio, "A_OPUS", element(IDAudio, ebml.AppendFloat(nil, IDSamplingFrequency, -1))),
				track(3, Video, "V_VP8", element(IDAudio, ebml.AppendFloat(nil, IDSamplingFrequency, math.Inf(1))))), end)),
			Header{
				DocType: "webm", TimestampScale: 1_000_000,
				Tracks: []Track{
					{Number: 1, Type: Audio, CodecID: "A_OPUS", Codec: "opus", Language: "eng", SampleRate: 8000, Channels: 1},
					{Number: 2, Type: Audio, CodecID: "A_OPUS", Codec: "opus", Language: "eng", SampleRate: 8000, Channels: 1},
					{Number: 3, Type: Video, CodecID: "V_VP8", Codec: "vp8", Language: "eng"},
				},
			},
		},
		{
			"a DocType with NUL octets, as GStreamer writes it, and a track without a type",
			slices.Concat(element(ebml.IDEBML, text(ebml.IDDocType, "webm\x00")), unknown(IDSegment, tracks(element(IDTrackEntry, number(IDTrackNumber, 9), text(IDCodecID, "V_VP8\x00"))), end)),
			Header{
				DocType: "webm", TimestampScale: 1_000_000,
				Tracks: []Track{{Number: 9, CodecID: "V_VP8", Codec: "vp8", Language: "eng"}},
			},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := splitAllWays(t, Options{}, c.stream)
			if len(o.headers) != 1 {
				t.Fatalf("%d headers, error %v", len(o.headers), o.err())
			}
			c.want.Range = Range{0, int64(len(c.stream) - len(end))}
			if got, want := show(o.headers[0]), show(c.want); got != want {
				t.Errorf("got\n\t%s\nwant\n\t%s", got, want)
			}
		})
	}
}

// With vp8 alone the first block of these clusters is at 65.
func TestKeyFramesAreWhatAPlayerCanBeginAt(t *testing.T) {
	other := track(3, Subtitle, "S_TEXT/WEBVTT")
	reference := element(IDReferenceBlock, []byte{0xFF})
	for _, c := range []struct {
		name    string
		tracks  [][]byte
		blocks  []byte
		tracked string // blocks/key frames by track
		key     []KeyFrame
		entries int
	}{
		{
			"a SimpleBlock by its flag", [][]byte{vp8},
			slices.Concat(simpleBlock(1, 0, 0x80, "k"), simpleBlock(1, 40, 0, "p"), simpleBlock(1, 80, 0x81, "k")),
			"3/2", []KeyFrame{{1, 1000, 1000e6, 65}, {1, 1080, 1080e6, 79}}, 2,
		},
		{
			"a BlockGroup without a ReferenceBlock", [][]byte{vp8},
			slices.Concat(group(block(1, 0, "k")), group(block(1, 40, "p"), reference), group(reference, block(1, 80, "p")), group(block(1, 120, "k"))),
			"4/2", []KeyFrame{{1, 1000, 1000e6, 65}, {1, 1120, 1120e6, 65 + 9 + 12 + 12}}, 2,
		},
		{
			"a BlockGroup whatever the flag that its Block does not have", [][]byte{vp8},
			slices.Concat(group(element(IDBlock, blockData(1, 0, 0x80, "p")), reference), group(block(1, 40, "k"))),
			"2/1", []KeyFrame{{1, 1040, 1040e6, 77}}, 1,
		},
		{
			"all of audio, which counts for no entry beside video", [][]byte{vp8, opus},
			slices.Concat(simpleBlock(2, 0, 0, "a"), simpleBlock(2, 20, 0x80, "a"), group(block(2, 40, "a"), reference), simpleBlock(1, 0, 0x80, "k")),
			"1/1 3/3", []KeyFrame{{1, 1000, 1000e6, 86 + 7 + 7 + 12}}, 1,
		},
		{
			"every block of audio without video", [][]byte{opus},
			slices.Concat(simpleBlock(2, 0, 0, "a"), simpleBlock(2, 20, 0x80, "a"), group(block(2, 40, "a"))),
			"3/3", nil, 3,
		},
		{
			"none where video has none", [][]byte{vp8, opus},
			slices.Concat(simpleBlock(1, 0, 0, "p"), simpleBlock(2, 0, 0x80, "a")),
			"1/0 1/1", nil, 0,
		},
		{
			"by its flag in any other track, and no entry", [][]byte{other, vp8},
			slices.Concat(simpleBlock(3, 0, 0x80, "s"), simpleBlock(3, 0, 0, "s"), simpleBlock(1, 0, 0x80, "k")),
			"2/1 1/1", []KeyFrame{{1, 1000, 1000e6, 88 + 7 + 7}}, 1,
		},
		{
			"before the cluster's own time as well", [][]byte{vp8}, simpleBlock(1, -1100, 0x80, "k"),
			"1/1", []KeyFrame{{1, -100, -100e6, 65}}, 1,
		},
		{
			"not of a track that the header does not have", [][]byte{vp8},
			slices.Concat(simpleBlock(5, 0, 0x80, "?"), simpleBlock(1, 0, 0x80, "k")),
			"1/1", []KeyFrame{{1, 1000, 1000e6, 72}}, 1,
		},
		{
			"not where a BlockGroup has no Block", [][]byte{vp8},
			slices.Concat(simpleBlock(1, 0, 0x80, "k"), group(number(IDBlockDuration, 5)), simpleBlock(1, 40, 0, "p")),
			"2/1", []KeyFrame{{1, 1000, 1000e6, 65}}, 1,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := splitAllWays(t, Options{}, stream(tracks(c.tracks...), cluster(1000, c.blocks)))
			if len(o.clusters) != 1 || o.err() != nil {
				t.Fatalf("%d clusters, error %v", len(o.clusters), o.err())
			}
			got := o.clusters[0]
			var tracked []string
			for i, b := range got.Tracks {
				if b.Number != o.headers[0].Tracks[i].Number {
					t.Errorf("track %d counts as %d", o.headers[0].Tracks[i].Number, b.Number)
				}
				tracked = append(tracked, fmt.Sprintf("%d/%d", b.Blocks, b.KeyFrames))
			}
			if strings.Join(tracked, " ") != c.tracked {
				t.Errorf("blocks and key frames of the tracks are %s; want %s", tracked, c.tracked)
			}
			if !slices.Equal(got.KeyFrames, c.key) {
				t.Errorf("key frames %v; want %v", got.KeyFrames, c.key)
			}
			if n := got.Entries(o.headers[0].Tracks); n != c.entries {
				t.Errorf("%d entries; want %d", n, c.entries)
			}
		})
	}
}

func TestBlocksOfTracksThatTheHeaderDoesNotHaveCountForTheClusterOnly(t *testing.T) {
	o := splitAllWays(t, Options{}, stream(tracks(vp8), cluster(0, simpleBlock(9, 0, 0x80, "?"), group(block(9, 500, "?")), simpleBlock(1, 40, 0x80, "k"))))
	if len(o.clusters) != 1 {
		t.Fatal(o)
	}
	if c := o.clusters[0]; c.Blocks != 3 || c.Tracks[0].Blocks != 1 || c.Duration != 40e6 {
		t.Errorf("got %+v; want 3 blocks, 1 of them of track 1, and its 40 ms", c)
	}
}

func TestAPushThatCompletesNothingAllocatesNothing(t *testing.T) {
	pcm := track(3, Audio, "A_PCM/FLOAT/IEEE", element(IDAudio, ebml.AppendFloat(nil, IDSamplingFrequency, 48000), number(IDChannels, 2), number(IDBitDepth, 32)))
	vp9 := track(4, Video, "V_VP9") // whose codec string a key frame still has to tell
	period := slices.Concat(
		simpleBlock(2, 0, 0x80, "\xFCopus packet"),
		simpleBlock(1, 0, 0, strings.Repeat("frame", 100)),
		group(
			block(1, 10, strings.Repeat("frame", 50)),
			element(IDBlockAdditions, element(IDBlockMore, number(IDBlockAddID, 1), element(IDBlockAdditional, make([]byte, 100)))),
			element(IDReferenceBlock, []byte{0xF0}),
			number(IDBlockDuration, 40), element(IDDiscardPadding, []byte{1}),
		),
		simpleBlock(3, 0, 0, strings.Repeat("pcm.", 50)),
		simpleBlock(4, 0, 0, strings.Repeat("frame", 100)),
		element(ebml.IDVoid, make([]byte, 20)),
	)
	for _, c := range []struct {
		name string
		cut  int // where the period is cut in two chunks
	}{
		{"inside the first bytes of a block", 4},
		{"inside the data of a block", 200},
		{"inside the head of a block", 2 + 4 + 12 + 1},
		{"inside the ID of a BlockGroup's child", 2 + 4 + 12 + 3 + 4 + 500 + 3 + 3 + 4 + 250 + 1},
		{"inside the first bytes of a block that may tell its codec", len(period) - 22 - 400},
		{"nowhere", len(period)},
	} {
		t.Run("cut "+c.name, func(t *testing.T) {
			s := NewSplitter(Options{})
			if err := s.Push(append(stream(tracks(vp8, opus, pcm, vp9), cluster(0)), period[:c.cut]...)); err != nil {
				t.Fatal(err)
			}
			// Each chunk ends where the next begins, so that both of its ends are
			// inside the same thing.
			chunk := slices.Concat(period[c.cut:], period, period[:c.cut])
			runs := 0
			allocs := testing.AllocsPerRun(100, func() {
				runs++
				if err := s.Push(chunk); err != nil {
					t.Error(err)
				}
			})
			if allocs != 0 {
				t.Errorf("%v allocations a push", allocs)
			}
			s.Push(period[c.cut:])
			s.Finish()
			clusters := slices.Collect(s.TakeClusters())
			if len(clusters) != 1 || clusters[0].Blocks != 5*(2*runs+1) {
				t.Errorf("%d runs gave %+v", runs, clusters)
			}
		})
	}
}
