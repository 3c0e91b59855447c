package webm

const (
	ebmlMagic    = "\x1A\x45\xDF\xA3" // the ID of the EBML header
	clusterMagic = "\x1F\x43\xB6\x75"
	recogniseLen = 12 // enough to tell the containers that a recorder may give instead
)

// unrecognised says what a stream is that begins with these bytes, up to
// recogniseLen of them, and not with an EBML header.
func unrecognised(begin []byte) *Error {
	e := &Error{Code: CodeNotWebM}
	var box string
	if len(begin) >= 8 {
		box = string(begin[4:8])
	}
	switch {
	case len(begin) == 0:
		e.Code = CodeEmpty
		e.text = "webm: the stream at 0 is empty"
	case len(begin) < len(ebmlMagic) && hasPrefix([]byte(ebmlMagic), string(begin)):
		e.Code = CodeTruncated
		e.text = "webm: the stream at 0 ends inside the ID of its EBML header"
	case hasPrefix(begin, clusterMagic):
		e.text = "webm: the stream at 0 begins with a Cluster: the header before it is missing"
	case box == "ftyp" || box == "styp" || box == "moov" || box == "moof":
		e.text = "webm: the stream at 0 is MP4, not WebM: ask MediaRecorder for mimeType video/webm or audio/webm"
	case hasPrefix(begin, "OggS"):
		e.text = "webm: the stream at 0 is Ogg, not WebM: ask MediaRecorder for mimeType video/webm or audio/webm"
	case hasPrefix(begin, "RIFF"):
		e.text = "webm: the stream at 0 is RIFF (WAV or AVI), not WebM"
	default:
		const digits = "0123456789ABCDEF"
		text := []byte("webm: the stream at 0 begins with")
		for _, c := range begin[:min(4, len(begin))] {
			text = append(text, ' ', digits[c>>4], digits[c&0xF])
		}
		e.text = string(text) + ", not with an EBML header (1A 45 DF A3)"
	}
	return e
}

func hasPrefix(b []byte, prefix string) bool {
	return len(b) >= len(prefix) && string(b[:len(prefix)]) == prefix
}
