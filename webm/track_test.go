package webm

import (
	"slices"
	"strings"
	"testing"
)

// withCodec is a recording of one track with this CodecID and CodecPrivate, of
// which these frames come in one cluster.
func withCodec(codecID, private string, width, height uint64, frames ...string) []byte {
	typ := Video
	if codecID[0] == 'A' {
		typ = Audio
	}
	var more [][]byte
	if private != "" {
		more = append(more, element(IDCodecPrivate, []byte(private)))
	}
	more = append(more, element(IDVideo, number(IDPixelWidth, width), number(IDPixelHeight, height)))
	var blocks []byte
	for i, frame := range frames {
		blocks = append(blocks, simpleBlock(1, int16(i), 0, frame)...)
	}
	return stream(tracks(track(1, typ, codecID, more...)), cluster(0, blocks))
}

func TestTheHeaderTellsTheCodec(t *testing.T) {
	for _, c := range []struct{ name, codecID, private, want string }{
		{"VP8", "V_VP8", "", "vp8"},
		{"VP9 in its short form", "V_VP9", "", "vp9"},
		{"VP9 by its features", "V_VP9", "\x01\x01\x02\x02\x01\x33\x03\x01\x0A\x04\x01\x01", "vp09.02.51.10"},
		{"VP9 by its features in another order, with one that is not known", "V_VP9", "\x03\x01\x08\x09\x01\x07\x02\x01\x1F\x01\x01\x00", "vp09.00.31.08"},
		{"VP9 without the level among its features", "V_VP9", "\x01\x01\x02\x03\x01\x0A", "vp9"},
		{"VP9 whose features are cut short", "V_VP9", "\x01\x01\x02\x02\x01\x33\x03\x01", "vp9"},
		{"VP9 with a feature of two bytes, at which reading ends", "V_VP9", "\x01\x02\x00\x02\x02\x01\x33\x03\x01\x0A", "vp9"},
		{"AV1 without CodecPrivate", "V_AV1", "", "av01"},
		{"AV1 with too little of it", "V_AV1", "\x81\x05\x0C", "av01"},
		{"AV1 main profile", "V_AV1", "\x81\x05\x0C\x00\x0A\x0B", "av01.0.05M.08"},
		{"AV1 high tier of 10 bits", "V_AV1", "\x81\x0D\xC0\x00", "av01.0.13H.10"},
		{"AV1 professional profile of 12 bits", "V_AV1", "\x81\x50\x60\x00", "av01.2.16M.12"},
		{"AV1 high profile, its twelve_bit of no meaning without high_bitdepth", "V_AV1", "\x81\x3F\x20\x00", "av01.1.31M.08"},
		{"H.264 by its avcC", "V_MPEG4/ISO/AVC", "\x01\x64\x00\x1F\xFF", "avc1.64001F"},
		{"H.264 by as much of it as is needed", "V_MPEG4/ISO/AVC", "\x01\x42\xE0\x0A", "avc1.42E00A"},
		{"H.264 with too little of it", "V_MPEG4/ISO/AVC", "\x01\x64\x00", "avc1"},
		{"H.264 as Chromium records it", "V_MPEG4/ISO/AVC", "", "avc1"},
		{"HEVC", "V_MPEGH/ISO/HEVC", "", "hvc1"},
		{"Opus", "A_OPUS", "OpusHead", "opus"},
		{"Vorbis", "A_VORBIS", "", "vorbis"},
		{"FLAC", "A_FLAC", "", "flac"},
		{"AAC", "A_AAC", "", "mp4a.40.2"},
		{"AAC LC by its AudioSpecificConfig", "A_AAC", "\x11\x90", "mp4a.40.2"},
		{"HE-AAC", "A_AAC", "\x2B\x92\x08\x00", "mp4a.40.5"},
		{"xHE-AAC, of which more bits would tell", "A_AAC", "\xF9\x46", "mp4a.40.31"},
		{"PCM", "A_PCM/INT/LIT", "", "pcm"},
		{"PCM, big-endian", "A_PCM/INT/BIG", "", "pcm"},
		{"PCM, floating", "A_PCM/FLOAT/IEEE", "", "pcm"},
		{"a codec that no media type names", "V_THEORA", "", ""},
		{"one that only begins like another", "V_VP80", "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := splitAllWays(t, Options{}, withCodec(c.codecID, c.private, 0, 0))
			if got := o.headers[0].Tracks[0].Codec; got != c.want {
				t.Errorf("%q", got)
			}
		})
	}
}

func TestAKeyFrameTellsWhatTheHeaderDoesNot(t *testing.T) {
	const sync = "\x49\x83\x42"
	startCode := "\x00\x00\x00\x01"
	for _, c := range []struct {
		name, codecID string
		width, height uint64
		frames        []string
		want          string
	}{
		{"VP9 profile 0", "V_VP9", 640, 360, []string{"\x82" + sync + "\x00\x00"}, "vp09.00.21.08"},
		{"VP9 profile 1", "V_VP9", 640, 360, []string{"\xA2" + sync + "\x00\x00"}, "vp09.01.21.08"},
		{"VP9 profile 2 of 10 bits", "V_VP9", 640, 360, []string{"\x92" + sync + "\x00\x00"}, "vp09.02.21.10"},
		{"VP9 profile 2 of 12 bits", "V_VP9", 640, 360, []string{"\x92" + sync + "\x80\x00"}, "vp09.02.21.12"},
		{"VP9 profile 3 of 10 bits", "V_VP9", 640, 360, []string{"\xB1\x24\xC1\xA1\x00\x00"}, "vp09.03.21.10"},
		{"VP9 profile 3 of 12 bits", "V_VP9", 640, 360, []string{"\xB1\x24\xC1\xA1\x40\x00"}, "vp09.03.21.12"},
		{"VP9 in five bytes, which are enough", "V_VP9", 640, 360, []string{"\x82" + sync + "\x00"}, "vp09.00.21.08"},
		{"VP9 in too few", "V_VP9", 640, 360, []string{"\x82" + sync}, "vp9"},
		{"VP9 by its second frame, as the first is none", "V_VP9", 640, 360, []string{"\x86\x00\x40\x92\x00\x00", "\x82" + sync + "\x00\x00"}, "vp09.00.21.08"},
		{"VP9 without a key frame", "V_VP9", 640, 360, []string{"\x86\x00\x40\x92\x00\x00", "\x86\x00\x40\x92\x00\x00"}, "vp9"},
		{"VP9 by its first key frame", "V_VP9", 640, 360, []string{"\x82" + sync + "\x00\x00", "\x92" + sync + "\x00\x00"}, "vp09.00.21.08"},
		{"not VP9 at all", "V_VP9", 640, 360, []string{"\x02" + sync + "\x00\x00", "", "\x82"}, "vp9"},
		{"VP9 of no size", "V_VP9", 0, 0, []string{"\x82" + sync + "\x00\x00"}, "vp09.00.10.08"},
		{"VP9 256x144", "V_VP9", 256, 144, []string{"\x82" + sync + "\x00\x00"}, "vp09.00.10.08"},
		{"VP9 wider than level 1 allows", "V_VP9", 513, 10, []string{"\x82" + sync + "\x00\x00"}, "vp09.00.11.08"},
		{"VP9 320x240", "V_VP9", 320, 240, []string{"\x82" + sync + "\x00\x00"}, "vp09.00.20.08"},
		{"VP9 854x480", "V_VP9", 854, 480, []string{"\x82" + sync + "\x00\x00"}, "vp09.00.30.08"},
		{"VP9 1280x720", "V_VP9", 1280, 720, []string{"\x82" + sync + "\x00\x00"}, "vp09.00.31.08"},
		{"VP9 1080x1920", "V_VP9", 1080, 1920, []string{"\x82" + sync + "\x00\x00"}, "vp09.00.40.08"},
		{"VP9 3840x2160", "V_VP9", 3840, 2160, []string{"\x82" + sync + "\x00\x00"}, "vp09.00.50.08"},
		{"VP9 7680x4320", "V_VP9", 7680, 4320, []string{"\x82" + sync + "\x00\x00"}, "vp09.00.60.08"},
		{"VP9 of a size that overflows when multiplied", "V_VP9", 1 << 32, 1 << 32, []string{"\x82" + sync + "\x00\x00"}, "vp09.00.60.08"},
		{"H.264 by its sequence parameter set", "V_MPEG4/ISO/AVC", 640, 360, []string{startCode + "\x67\x42\xE0\x1F\x8C" + startCode + "\x68"}, "avc1.42E01F"},
		{"H.264 after an access unit delimiter, with a short start code", "V_MPEG4/ISO/AVC", 640, 360, []string{startCode + "\x09\xF0\x00\x00\x01\x27\x64\x00\x28"}, "avc1.640028"},
		{"H.264 late in the frame", "V_MPEG4/ISO/AVC", 640, 360, []string{startCode + "\x06" + strings.Repeat("sei.", 60) + startCode + "\x67\x42\xE0\x1F"}, "avc1.42E01F"},
		{"H.264 later than is looked at", "V_MPEG4/ISO/AVC", 640, 360, []string{startCode + "\x06" + strings.Repeat("sei.", 70) + startCode + "\x67\x42\xE0\x1F"}, "avc1"},
		{"H.264 by its second frame", "V_MPEG4/ISO/AVC", 640, 360, []string{startCode + "\x41\x9A\x00\x00", startCode + "\x67\x42\xE0\x1F"}, "avc1.42E01F"},
		{"H.264 cut in its sequence parameter set", "V_MPEG4/ISO/AVC", 640, 360, []string{startCode + "\x67\x42\xE0"}, "avc1"},
		{"H.264 in a laced block, which is not looked at", "V_MPEG4/ISO/AVC", 640, 360, nil, "avc1"},
		{"VP8, of which the header tells all", "V_VP8", 640, 360, []string{"\x82" + sync + "\x00\x00"}, "vp8"},
	} {
		t.Run(c.name, func(t *testing.T) {
			recording := withCodec(c.codecID, "", c.width, c.height, c.frames...)
			if c.frames == nil {
				recording = append(recording, simpleBlock(1, 0, 0x02, "\x00"+startCode+"\x67\x42\xE0\x1F")...)
			}
			o := splitAllWays(t, Options{}, recording)
			got := o.report.Recordings[0].Header
			if got.Tracks[0].Codec != c.want {
				t.Errorf("%q; want %q", got.Tracks[0].Codec, c.want)
			}
			if want := `video/webm; codecs="` + c.want + `"`; got.MimeType() != want {
				t.Errorf("%s; want %s", got.MimeType(), want)
			}
			// The header that was given before any frame came stays as it was.
			if first := o.headers[0].Tracks[0].Codec; strings.Contains(first, ".") {
				t.Errorf("the header told %q", first)
			}
		})
	}
}

func TestTheMediaTypeNamesContainerKindAndCodecs(t *testing.T) {
	v := func(codec string) Track { return Track{Type: Video, Codec: codec} }
	a := func(codec string) Track { return Track{Type: Audio, Codec: codec} }
	for _, c := range []struct {
		name    string
		docType string
		tracks  []Track
		want    string
	}{
		{"video and audio", "webm", []Track{v("vp8"), a("opus")}, `video/webm; codecs="vp8,opus"`},
		{"audio first", "webm", []Track{a("opus"), v("vp09.00.30.08")}, `video/webm; codecs="opus,vp09.00.30.08"`},
		{"audio only", "webm", []Track{a("opus")}, `audio/webm; codecs="opus"`},
		{"video only", "webm", []Track{v("av01.0.05M.08")}, `video/webm; codecs="av01.0.05M.08"`},
		{"Matroska", "matroska", []Track{v("avc1.42E01F"), a("opus")}, `video/x-matroska; codecs="avc1.42E01F,opus"`},
		{"Matroska of audio only", "matroska", []Track{a("pcm")}, `audio/x-matroska; codecs="pcm"`},
		{"a codec without a name, by its CodecID", "matroska", []Track{{Type: Video, CodecID: "V_MPEG2"}, a("opus")}, `video/x-matroska; codecs="V_MPEG2,opus"`},
		{"a CodecID that is no name", "matroska", []Track{{Type: Video, CodecID: "V\"\n"}}, `video/x-matroska; codecs="unknown"`},
		{"subtitles, which have none", "webm", []Track{v("vp8"), {Type: Subtitle, CodecID: "D_WEBVTT/SUBTITLES"}}, `video/webm; codecs="vp8"`},
		{"no tracks", "webm", nil, `audio/webm`},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := Header{DocType: c.docType, Tracks: c.tracks}
			if got := h.MimeType(); got != c.want {
				t.Errorf("%s; want %s", got, c.want)
			}
		})
	}
}

func TestATrackTypeHasAName(t *testing.T) {
	for typ, want := range map[TrackType]string{Video: "video", Audio: "audio", Subtitle: "subtitle", 0: "other", 3: "other", 255: "other"} {
		if got := typ.String(); got != want {
			t.Errorf("%d is %q; want %q", typ, got, want)
		}
	}
}

func TestACodecPrivateIsTheCallersOwn(t *testing.T) {
	recording := withCodec("A_OPUS", "OpusHead", 0, 0, "\xFC")
	chunk := slices.Clone(recording)
	s := NewSplitter(Options{})
	if err := s.Push(chunk); err != nil {
		t.Fatal(err)
	}
	clear(chunk)
	if h, ok := s.TakeHeader(); !ok || string(h.Tracks[0].CodecPrivate) != "OpusHead" {
		t.Errorf("got %q, %v", h.Tracks[0].CodecPrivate, ok)
	}
}
