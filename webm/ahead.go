package webm

// How the many small ranges that a plan can have of a source are read together.

import "io"

// An ahead reads the ranges of a plan out of its sources. What a range has that is small it
// reads together with the ranges after it: a plan of tiny clusters has two pieces for each,
// and to ask a file, or a server, for some bytes costs as much as for 64 KiB.
type ahead struct {
	src    []io.ReaderAt
	source int // of what is in the window
	at     int64
	window []byte
}

const (
	aheadLen = 64 << 10 // of the window
	smallLen = 8 << 10  // of what is read by way of it
	gapLen   = 4 << 10  // of what is read in vain, at most, between two ranges
)

// read reads into p what follows offset at of the source of the range that a cursor is at, of
// which at most that much is left. Like an [io.ReaderAt] it returns how many bytes it has
// read, and an error if there are none; but there may be fewer without one.
func (a *ahead) read(p []byte, at int64, c *pieceCursor) (int, error) {
	source := c.Source
	if !a.has(source, at) {
		if end := together(at, *c); end > c.End {
			a.fill(source, at, end)
		}
	}
	if !a.has(source, at) {
		return a.src[source].ReadAt(p, at)
	}
	return copy(p, a.window[at-a.at:]), nil
}

// has tells whether the byte at an offset of a source is in the window.
func (a *ahead) has(source int, at int64) bool {
	return source == a.source && a.at <= at && at < a.at+int64(len(a.window))
}

// fill reads into the window from at up to end, or as far as that is possible at once. An
// error is left for those ranges to find that need what it is about.
func (a *ahead) fill(source int, at, end int64) {
	if a.window == nil {
		a.window = make([]byte, aheadLen)
	}
	n, _ := a.src[source].ReadAt(a.window[:end-at], at)
	a.source, a.at, a.window = source, at, a.window[:n]
}

// together is the end of the last of the ranges that are read together with what is left from
// at on of the one that a cursor is at.
func together(at int64, c pieceCursor) int64 {
	source, end := c.Source, c.End
	if end-at >= smallLen {
		return end
	}
	for c.next() {
		if c.Data != nil {
			continue
		}
		if c.Source != source || c.Start < end || c.Start-end > gapLen || c.Len() >= smallLen || c.End-at > aheadLen {
			break
		}
		end = c.End
	}
	return end
}
