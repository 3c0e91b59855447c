package webm

import "github.com/webmend/webmend/ebml"

const (
	ebmlMagic    = "\x1A\x45\xDF\xA3" // the ID of the EBML header
	clusterMagic = "\x1F\x43\xB6\x75"
	tracksMagic  = "\x16\x54\xAE\x6B"
	recogniseLen = 12 // enough to tell the containers that a recorder may give instead
)

// A beginning holds back the first bytes of a stream until they tell whether it
// is EBML at all.
type beginning struct {
	held  []byte
	known bool // it is
	junk  bool // it is not, nor is it anything else that is known
	short bool // it is, but for its first byte
}

// push takes the next bytes of the stream. Once they are known to be EBML or not it
// returns those of earlier pushes, which come before chunk.
func (b *beginning) push(chunk []byte) (held []byte, err *Error) {
	if b.known {
		return nil, nil
	}
	n := len(b.held)
	b.held = append(b.held, chunk[:min(recogniseLen-n, len(chunk))]...)
	if hasPrefix(b.held, ebmlMagic) {
		b.known = true
		return b.held[:n], nil
	}
	// With a size and the first child of the header, as three bytes can be anything.
	if len(b.held) == recogniseLen && hasPrefix(b.held, ebmlMagic[1:]) {
		if _, size := ebml.ParseVINT(b.held[3:]); size > 0 && b.held[3+size] == byte(ebml.IDEBMLVersion>>8) {
			b.known, b.short = true, true
			return b.held[:n], nil
		}
	}
	if len(b.held) == recogniseLen {
		var e *Error
		e, b.junk = unrecognised(b.held)
		return b.held[:n], e
	}
	return nil, nil
}

// finish says what a stream is that ended before it was known.
func (b *beginning) finish() *Error {
	if b.known {
		return nil
	}
	e, _ := unrecognised(b.held)
	return e
}

// strangers are what else a stream can begin with, a name of it, and advice.
var strangers = [...]struct {
	offset        int
	magic, advice string
}{
	{0, "OggS", "is Ogg, not WebM: " + askForWebM},
	{0, "RIFF", "is RIFF (WAV or AVI), not WebM"},
	{4, "ftyp", "is MP4, not WebM: " + askForWebM},
	{4, "styp", "is MP4, not WebM: " + askForWebM},
	{4, "moof", "is MP4, not WebM: " + askForWebM},
}

const askForWebM = "give MediaRecorder the mimeType video/webm or audio/webm"

// unrecognised says what a stream is that begins with these bytes, up to
// recogniseLen of them, and not with an EBML header, and whether it can be junk
// before one.
func unrecognised(begin []byte) (e *Error, junk bool) {
	e = &Error{Code: CodeNotWebM}
	what := ""
	if len(begin) == 0 {
		e.Code, what = CodeEmpty, "is empty"
	} else if hasPrefix([]byte(ebmlMagic), string(begin)) {
		e.Code, what = CodeTruncated, "ends inside the ID of its EBML header"
	}
	for _, s := range strangers {
		if len(begin) > s.offset && hasPrefix(begin[s.offset:], s.magic) {
			what = s.advice
		}
	}
	if what == "" {
		what = "begins with "
		for _, c := range begin[:min(4, len(begin))] {
			what += hex(c) + " "
		}
		what += "and not with an EBML header (1A 45 DF A3)"
		junk = true
	}
	e.text = "webm: the stream " + what
	return e, junk
}

//go:noinline
func hasPrefix(b []byte, prefix string) bool {
	return len(b) >= len(prefix) && string(b[:len(prefix)]) == prefix
}
