package webm

import (
	"io"
	"iter"
)

// A Piece is one part of what a plan makes: bytes of its own, or a range of a
// source. The zero value makes nothing.
type Piece struct {
	Data   []byte // the bytes, if it is not a range
	Source int    // which source, for the plan of a join
	Range         // of the source, if Data is nil
	Edit   *Edit  // what changes in the range, which is then whole children of a cluster; nil for nothing
}

// Len is the number of bytes of the piece.
func (p *Piece) Len() int64 {
	if p.Data != nil {
		return int64(len(p.Data))
	}
	return p.End - p.Start
}

// A Plan is how to make a file or stream out of recordings: pieces, one after
// the other. Making a plan costs time by the number of clusters; no media is
// touched until it is carried out. The zero value makes nothing. Several goroutines may use a
// plan at once, as long as none changes it.
type Plan struct {
	Size     int64  // bytes, of all pieces
	MimeType string // with codecs
	Start    int64  // nanoseconds of the recording, where what it makes begins
	End      int64  // nanoseconds of the recording, where what it makes ends

	pieces pieceList
}

// Pieces returns the pieces of the plan, in order. Their Data and Edit are the plan's.
func (p *Plan) Pieces() iter.Seq[Piece] {
	return func(yield func(Piece) bool) {
		for c := p.pieces.cursor(); c.next() && yield(c.Piece); {
		}
	}
}

// Add appends pieces to the plan, and what they have to its Size. Their Data and Edit are the
// plan's from then on.
func (p *Plan) Add(pieces ...Piece) {
	for _, piece := range pieces {
		p.add(piece)
	}
}

// CopyTo carries the plan out: it writes the pieces to w and returns how many
// bytes it wrote. src are the sources, one but for a join. Memory is two windows
// of at most 256 KiB, whatever the size. Ranges that are small and near to each other are
// read by one call.
//
// It stops at the first error, which is one of w's, a source's, [io.ErrUnexpectedEOF] if a
// source is too short, or an [*Error]: CodeNoSource before anything is written, or what is
// wrong with a source that does not have the blocks that the plan was made of. To stop it
// early, let w return an error.
//
// It is not called WriteTo because it is not the method of [io.WriterTo].
func (p *Plan) CopyTo(w io.Writer, src ...io.ReaderAt) (int64, error) {
	if err := p.checkSources(src); err != nil {
		return 0, err
	}
	out := gatherer{w: w, window: make([]byte, 0, min(windowLen, p.pieces.total()))}
	out.ahead.src = src
	for c := p.pieces.cursor(); c.next(); {
		var err error
		switch {
		case c.Data != nil:
			err = out.write(c.Data)
		case c.Edit == nil:
			err = out.copy(&c)
		default:
			err = out.copyEdited(&c)
		}
		if err != nil {
			out.flush() // what comes before is whole
			return out.written, err
		}
	}
	err := out.flush()
	return out.written, err
}

// windowLen is what lies in a processor's cache, and is large enough for a call to cost
// nothing.
const windowLen = 256 << 10

// A gatherer writes pieces together: most are small, and a plan has many.
type gatherer struct {
	w       io.Writer
	window  []byte
	written int64

	ahead  ahead
	edited []byte // of a range with an edit
	editor Editor
}

func (g *gatherer) flush() error {
	if len(g.window) == 0 {
		return nil
	}
	n, err := g.w.Write(g.window)
	g.written += int64(n)
	g.window = g.window[:0]
	return err
}

func (g *gatherer) write(data []byte) error {
	for len(data) > 0 {
		n := min(len(data), cap(g.window)-len(g.window))
		g.window = append(g.window, data[:n]...)
		data = data[n:]
		if err := g.flushIfFull(); err != nil {
			return err
		}
	}
	return nil
}

// copy writes the range that the cursor is at.
func (g *gatherer) copy(c *pieceCursor) error {
	for r := c.Range; r.Start < r.End; {
		have := len(g.window)
		n, err := g.ahead.read(g.window[have:have+int(min(int64(cap(g.window)-have), r.End-r.Start))], r.Start, c)
		g.window = g.window[:have+n]
		if n == 0 {
			return readError(err)
		}
		r.Start += int64(n)
		if err := g.flushIfFull(); err != nil {
			return err
		}
	}
	return nil
}

func (g *gatherer) flushIfFull() error {
	if len(g.window) < cap(g.window) {
		return nil
	}
	return g.flush()
}

// readError is why nothing could be read of a source.
func readError(err error) error {
	if err == nil || err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}

// copyEdited writes the range with an edit that the cursor is at. The end of each window is
// written with the next, as it may yet have to be patched.
func (g *gatherer) copyEdited(c *pieceCursor) error {
	p := &c.Piece
	if want := min(windowLen, p.Len()); int64(len(g.edited)) < want {
		g.edited = make([]byte, want)
	}
	window, editor := g.edited, &g.editor
	editor.reset(p.Edit, p.Start)
	kept := 0
	for at := p.Start; at < p.End; {
		n, err := g.ahead.read(window[kept:kept+int(min(int64(len(window)-kept), p.End-at))], at, c)
		if n == 0 {
			return readError(err)
		}
		patches, err := editor.Push(window[kept : kept+n])
		if err != nil {
			return err
		}
		begin := at - int64(kept)
		for _, patch := range patches {
			window[patch.Offset-begin] = patch.Value
		}
		at += int64(n)
		filled := kept + n
		if kept = patchDelay; at == p.End {
			kept = 0
		}
		kept = min(kept, filled)
		if err := g.write(window[:filled-kept]); err != nil {
			return err
		}
		copy(window, window[filled-kept:filled])
	}
	return nil
}

// add appends a piece, joined to the last where that is possible.
func (p *Plan) add(piece Piece) {
	p.pieces.add(piece)
	p.Size += max(0, piece.Len())
}

// write appends bytes, which are the plan's from then on.
//
//go:noinline
func (p *Plan) write(data []byte) { p.add(Piece{Data: data}) }
