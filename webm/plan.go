package webm

import "io"

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
	Pieces   []Piece
	Size     int64  // bytes, of all pieces
	MimeType string // with codecs
	Start    int64  // nanoseconds of the recording, where what it makes begins
	End      int64  // nanoseconds of the recording, where what it makes ends
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
	var size int64 // of what the pieces are, whoever made the plan
	for i := range p.Pieces {
		size += p.Pieces[i].Len()
	}
	if err := checkSources(p.Pieces, src); err != nil {
		return 0, err
	}
	out := gatherer{w: w, window: make([]byte, 0, min(windowLen, size))}
	out.ahead.src = src
	for i := range p.Pieces {
		piece := &p.Pieces[i]
		var err error
		switch {
		case piece.Data != nil:
			err = out.write(piece.Data)
		case piece.Edit == nil:
			err = out.copy(p.Pieces[i:])
		default:
			err = out.copyEdited(p.Pieces[i:])
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

// copy writes the first of pieces, a range.
func (g *gatherer) copy(pieces []Piece) error {
	for r := pieces[0].Range; r.Start < r.End; {
		have := len(g.window)
		n, err := g.ahead.read(g.window[have:have+int(min(int64(cap(g.window)-have), r.End-r.Start))], r.Start, pieces)
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

// copyEdited writes the first of pieces, a range with an edit. The end of each window is
// written with the next, as it may yet have to be patched.
func (g *gatherer) copyEdited(pieces []Piece) error {
	p := &pieces[0]
	if want := min(windowLen, p.Len()); int64(len(g.edited)) < want {
		g.edited = make([]byte, want)
	}
	window, editor := g.edited, &g.editor
	editor.reset(p.Edit, p.Start)
	kept := 0
	for at := p.Start; at < p.End; {
		n, err := g.ahead.read(window[kept:kept+int(min(int64(len(window)-kept), p.End-at))], at, pieces)
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
	if piece.Len() == 0 {
		return
	}
	if piece.Edit != nil && piece.Edit.empty() {
		piece.Edit = nil
	}
	p.Size += piece.Len()
	if n := len(p.Pieces); n > 0 {
		last := &p.Pieces[n-1]
		switch {
		case piece.Data != nil && last.Data != nil:
			last.Data = append(last.Data, piece.Data...)
			return
		case piece.Data == nil && last.Data == nil && piece.Source == last.Source && piece.Start == last.End &&
			piece.Edit == nil && last.Edit == nil:
			last.End = piece.End
			return
		}
	}
	p.Pieces = append(p.Pieces, piece)
}

// write appends bytes, which are the plan's from then on.
//
//go:noinline
func (p *Plan) write(data []byte) { p.add(Piece{Data: data}) }
