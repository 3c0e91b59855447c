package webm

import (
	"math"

	"github.com/webmend/webmend/ebml"
)

// TrackType is what a track holds (RFC 9559 §5.1.4.1.3).
type TrackType uint8

const (
	Video    TrackType = 1
	Audio    TrackType = 2
	Subtitle TrackType = 17
)

// String is "video", "audio" or "subtitle", or "other".
func (t TrackType) String() string {
	switch t {
	case Video:
		return "video"
	case Audio:
		return "audio"
	case Subtitle:
		return "subtitle"
	}
	return "other"
}

// A Track is one TrackEntry of a header (RFC 9559 §5.1.4.1). What the header
// does not say has its default value.
type Track struct {
	Number             uint64 // what blocks call the track; browsers do not always give the same number to the same type
	UID                uint64
	Type               TrackType
	CodecID            string // "V_VP8", "A_OPUS", …
	CodecPrivate       []byte // the decoder's configuration, as recorded
	CodecDelay         uint64 // nanoseconds that the decoder puts out before the first real sample
	SeekPreRoll        uint64 // nanoseconds that must be decoded before the point sought
	DefaultDuration    uint64 // nanoseconds a frame lasts, 0 if not said
	MaxBlockAdditionID uint64
	Name               string
	Language           string

	Width, Height uint64 // video: PixelWidth and PixelHeight, of the first frame as browsers record
	AlphaMode     bool   // video: blocks carry an alpha channel in a BlockAddition

	SampleRate float64 // audio: SamplingFrequency, in Hz
	Channels   uint64  // audio
	BitDepth   uint64  // audio: bits a sample, 0 if not said

	// Codec is the codec as a media type names it: "vp8", "vp09.00.30.08",
	// "opus", "avc1.42E01F". Where the header alone does not tell the profile
	// it is the short form ("vp9", "avc1"), until the first key frame tells.
	// It is "" for a codec that has no such name.
	Codec string
}

// set takes in the value of one of the children of a TrackEntry.
func (t *Track) set(id ebml.ID, data []byte) {
	number, text := ebml.ParseUint(data), ebml.ParseString(data)
	switch id {
	case IDTrackNumber:
		t.Number = number
	case IDTrackUID:
		t.UID = number
	case IDTrackType:
		t.Type = TrackType(number)
	case IDCodecID:
		t.CodecID = text
	case IDCodecPrivate:
		t.CodecPrivate = []byte(string(data))
	case IDCodecDelay:
		t.CodecDelay = number
	case IDSeekPreRoll:
		t.SeekPreRoll = number
	case IDDefaultDuration:
		t.DefaultDuration = number
	case IDMaxBlockAdditionID:
		t.MaxBlockAdditionID = number
	case IDName:
		t.Name = text
	case IDLanguage:
		t.Language = text
	case IDPixelWidth:
		t.Width = number
	case IDPixelHeight:
		t.Height = number
	case IDAlphaMode:
		t.AlphaMode = number != 0
	case IDSamplingFrequency:
		// Not NaN, which does not equal itself, nor another value that no rate can have.
		if rate := ebml.ParseFloat(data); rate > 0 && rate <= math.MaxFloat64 {
			t.SampleRate = rate
		}
	case IDChannels:
		t.Channels = number
	case IDBitDepth:
		t.BitDepth = number
	}
}

// hasVideo tells whether one of the tracks is video.
//
//go:noinline
func hasVideo(tracks []Track) bool {
	for i := range tracks {
		if tracks[i].Type == Video {
			return true
		}
	}
	return false
}

// trackNumbered is the index of the track with that number, or -1.
func trackNumbered(tracks []Track, number uint64) int {
	for i := range tracks {
		if tracks[i].Number == number {
			return i
		}
	}
	return -1
}

// onlyKeyFrames tells whether every frame of a track of the type can be decoded on its
// own, whatever the blocks' flags say: Firefox never sets them for audio.
func (t TrackType) onlyKeyFrames() bool { return t == Audio }

// allowedInWebM tells whether the codec is one of WebM's guidelines; others make
// a file Matroska.
func (t *Track) allowedInWebM() bool {
	switch t.CodecID {
	case "V_VP8", "V_VP9", "V_AV1", "A_VORBIS", "A_OPUS":
		return true
	}
	return t.Type != Video && t.Type != Audio
}

// docTypeFor is the DocType of a file that may have this one, or needs another for its codecs.
//
//go:noinline
func docTypeFor(docType string, tracks []Track) string {
	for i := range tracks {
		if !tracks[i].allowedInWebM() {
			return "matroska"
		}
	}
	return docType
}

// needsKeyFrame tells whether a key frame can say more of Codec than the header.
func (t *Track) needsKeyFrame() bool { return t.Codec == "vp9" || t.Codec == "avc1" }

// headerCodec is what the header tells of Codec.
func (t *Track) headerCodec() string {
	private := t.CodecPrivate
	for _, c := range codecs {
		if c.id == t.CodecID {
			switch c.name {
			case "vp9":
				return vp9FromPrivate(private)
			case "av01":
				return av1FromPrivate(private)
			case "avc1":
				if len(private) >= 4 { // AVCDecoderConfigurationRecord, ISO/IEC 14496-15
					return avcCodec(private[1:4])
				}
			case "mp4a.40.2":
				if len(private) > 0 { // AudioSpecificConfig, ISO/IEC 14496-3
					return "mp4a.40." + decimal(int64(private[0]>>3))
				}
			}
			return c.name
		}
	}
	return ""
}

// codecs are the short names of the codecs that recorders use.
var codecs = [...]struct{ id, name string }{
	{"V_VP8", "vp8"},
	{"V_VP9", "vp9"},
	{"V_AV1", "av01"},
	{"V_MPEG4/ISO/AVC", "avc1"},
	{"V_MPEGH/ISO/HEVC", "hvc1"},
	{"A_OPUS", "opus"},
	{"A_VORBIS", "vorbis"},
	{"A_FLAC", "flac"},
	{"A_AAC", "mp4a.40.2"},
	{"A_PCM/INT/LIT", "pcm"},
	{"A_PCM/INT/BIG", "pcm"},
	{"A_PCM/FLOAT/IEEE", "pcm"},
}

// keyFrameCodec is what the first bytes of a key frame tell of Codec, or what is
// known already.
func (t *Track) keyFrameCodec(frame []byte) string {
	switch t.Codec {
	case "vp9":
		return vp9FromFrame(frame, t.Width, t.Height)
	case "avc1":
		return avcFromAnnexB(frame)
	}
	return t.Codec
}

// vp9FromPrivate reads the list of ID, length, value that WebM keeps in
// CodecPrivate (VP9 Codec Feature Metadata). No browser's recorder writes it.
func vp9FromPrivate(private []byte) string {
	var feature [4]byte // profile, level, bit depth, chroma subsampling
	var seen byte
	for len(private) >= 3 && private[1] == 1 {
		if id := private[0]; id >= 1 && id <= 4 {
			feature[id-1] = private[2]
			seen |= 1 << id
		}
		private = private[3:]
	}
	if seen&0b1110 != 0b1110 {
		return "vp9"
	}
	return vp9Codec(feature[0], feature[1], feature[2])
}

// vp9FromFrame reads the profile and bit depth from the uncompressed header of a
// key frame (VP9 bitstream specification §6.2). The level is not in the stream:
// it is the lowest whose pictures are as large as the track's.
func vp9FromFrame(frame []byte, width, height uint64) string {
	if len(frame) < 5 || frame[0]>>6 != 2 {
		return "vp9"
	}
	profile := frame[0]>>5&1 | frame[0]>>4&1<<1
	bit := 4 // of the frame, from its most significant: what follows the profile
	if profile == 3 {
		bit++
	}
	bit += 4 // show_existing_frame, frame_type, show_frame, error_resilient_mode
	bits := uint64(frame[0])<<32 | uint64(frame[1])<<24 | uint64(frame[2])<<16 | uint64(frame[3])<<8 | uint64(frame[4])
	if bits>>(40-bit-24)&0xFFFFFF != 0x498342 {
		return "vp9"
	}
	depth := byte(8)
	if profile >= 2 {
		depth = 10
		if bits>>(40-bit-25)&1 != 0 {
			depth = 12
		}
	}
	return vp9Codec(profile, vp9Level(width, height), depth)
}

// vp9Level is the lowest level whose pictures may be this large (VP9 bitstream
// specification, annex A).
func vp9Level(width, height uint64) byte {
	for _, l := range [...]struct {
		level     byte
		size, dim uint64
	}{
		{10, 36864, 512}, {11, 73728, 768}, {20, 122880, 960}, {21, 245760, 1344}, {30, 552960, 2048},
		{31, 983040, 2752}, {40, 2228224, 4160}, {50, 8912896, 8384},
	} {
		if max(width, height) <= l.dim && width*height <= l.size {
			return l.level
		}
	}
	return 60
}

func vp9Codec(profile, level, depth byte) string {
	return "vp09." + decimal2(profile) + "." + decimal2(level) + "." + decimal2(depth)
}

// av1FromPrivate reads the av1C box that CodecPrivate holds (AV1 in Matroska;
// AV1 Codec ISO Media File Format Binding §2.3, §5).
func av1FromPrivate(private []byte) string {
	if len(private) < 4 {
		return "av01"
	}
	profile, level := private[1]>>5, private[1]&0x1F
	tier, highDepth, twelve := private[2]>>7, private[2]>>6&1, private[2]>>5&1
	return "av01." + decimal(int64(profile)) + "." + decimal2(level) + "MH"[tier:tier+1] + "." +
		decimal2(8+2*highDepth+2*(highDepth&twelve))
}

// avcFromAnnexB finds the sequence parameter set that begins a key frame which
// a browser recorded: start codes instead of lengths, and no CodecPrivate
// (ISO/IEC 14496-10 annex B).
func avcFromAnnexB(frame []byte) string {
	const sequenceParameterSet = 7
	for i := 0; i+6 < len(frame); i++ {
		if frame[i] == 0 && frame[i+1] == 0 && frame[i+2] == 1 && frame[i+3]&0x1F == sequenceParameterSet {
			return avcCodec(frame[i+4 : i+7])
		}
	}
	return "avc1"
}

// avcCodec names profile, constraints and level (RFC 6381 §3.3).
func avcCodec(profile []byte) string {
	return "avc1." + hex(profile[0]) + hex(profile[1]) + hex(profile[2])
}

//go:noinline
func decimal2(v byte) string {
	if v < 10 {
		return "0" + decimal(int64(v))
	}
	return decimal(int64(v))
}

// codecName is Codec or, of video and audio that has no such name, the CodecID, which no
// player takes for a codec that it has.
func (t *Track) codecName() string {
	if t.Codec != "" || t.Type != Video && t.Type != Audio {
		return t.Codec
	}
	for i := range len(t.CodecID) {
		switch c := t.CodecID[i]; {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '_', c == '/', c == '.', c == '-':
		default:
			return "unknown"
		}
	}
	if t.CodecID == "" {
		return "unknown"
	}
	return t.CodecID
}

// mimeType is the media type of a recording with these tracks.
func mimeType(docType string, tracks []Track) string {
	kind, codecs := "audio", ""
	if hasVideo(tracks) {
		kind = "video"
	}
	for i := range tracks {
		if name := tracks[i].codecName(); name != "" {
			if codecs != "" {
				codecs += ","
			}
			codecs += name
		}
	}
	container := "/x-matroska" // the name that browsers know; RFC 9559 §27.3 has video/matroska
	if docType == "webm" {
		container = "/webm"
	}
	if codecs != "" {
		codecs = `; codecs="` + codecs + `"`
	}
	return kind + container + codecs
}

// frameDuration is how long a frame lasts by what the header and the frame itself
// tell, in nanoseconds up to maxTime, or 0 if they do not. Of the frame only the first
// bytes need be there; size is that of all of it.
func (t *Track) frameDuration(frame []byte, size int64) int64 {
	switch {
	case t.DefaultDuration > 0:
		return clampTime(t.DefaultDuration)
	case t.Codec == "opus":
		return opusDuration(frame)
	case t.Codec == "flac":
		return flacDuration(frame, t.SampleRate)
	case t.Codec == "pcm" && t.SampleRate >= 1 && t.Channels > 0 && t.BitDepth >= 8:
		bytesPerSecond := t.SampleRate * float64(t.Channels) * float64(t.BitDepth/8)
		return int64(min(float64(size)/bytesPerSecond*1e9, maxTime))
	}
	return 0
}

// opusFrames are the lengths in nanoseconds that a packet's frames can have, by its
// configuration (RFC 6716 §3.1): SILK, hybrid and CELT.
var opusFrames = [32]int64{
	10e6, 20e6, 40e6, 60e6, 10e6, 20e6, 40e6, 60e6, 10e6, 20e6, 40e6, 60e6,
	10e6, 20e6, 10e6, 20e6,
	2.5e6, 5e6, 10e6, 20e6, 2.5e6, 5e6, 10e6, 20e6, 2.5e6, 5e6, 10e6, 20e6, 2.5e6, 5e6, 10e6, 20e6,
}

// opusDuration is the length in nanoseconds of the Opus packet that begins with
// these bytes, at least two if it has them, 0 if it is not one (RFC 6716 §3.1,
// §3.2).
func opusDuration(packet []byte) int64 {
	if len(packet) == 0 {
		return 0
	}
	frame := opusFrames[packet[0]>>3]
	switch packet[0] & 3 {
	case 0:
		return frame
	case 1, 2:
		return 2 * frame
	}
	if len(packet) < 2 {
		return 0
	}
	return int64(packet[1]&0x3F) * frame
}
