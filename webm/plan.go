package webm

import "io"

// A Piece is one part of what a plan makes: bytes of its own, or a range of a
// source.
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
// touched until it is carried out.
type Plan struct {
	Pieces   []Piece
	Size     int64  // bytes, of all pieces
	MimeType string // with codecs
	Start    int64  // nanoseconds of the recording, where what it makes begins
	End      int64  // nanoseconds of the recording, where what it makes ends
}

// CopyTo carries the plan out: it writes the pieces to w and returns how many
// bytes it wrote. src are the sources, one but for a join. Memory is a window of
// at most 1 MiB, whatever the size.
//
// It is not called WriteTo because it is not the method of [io.WriterTo].
func (p *Plan) CopyTo(w io.Writer, src ...io.ReaderAt) (int64, error) {
	var written int64
	var window []byte
	for i := range p.Pieces {
		piece := &p.Pieces[i]
		var n int64
		var err error
		switch {
		case piece.Data != nil:
			var m int
			m, err = w.Write(piece.Data)
			n = int64(m)
		case piece.Edit == nil:
			section := io.NewSectionReader(src[piece.Source], piece.Start, piece.Len())
			n, err = io.Copy(w, section)
			if err == nil && n < piece.Len() {
				err = io.ErrUnexpectedEOF
			}
		default:
			if want := min(1<<20, piece.Len()); int64(len(window)) < want {
				window = make([]byte, want)
			}
			n, err = copyEdited(w, src[piece.Source], piece, window)
		}
		written += n
		if err != nil {
			return written, err
		}
	}
	return written, nil
}

// copyEdited copies a range of src with its edit. The end of each window is
// written with the next, as it may yet have to be patched.
func copyEdited(w io.Writer, src io.ReaderAt, p *Piece, window []byte) (int64, error) {
	editor := p.Edit.Editor(p.Start)
	var written int64
	kept := 0
	for at := p.Start; at < p.End; {
		n, err := src.ReadAt(window[kept:kept+int(min(int64(len(window)-kept), p.End-at))], at)
		if n == 0 {
			if err == nil || err == io.EOF {
				err = io.ErrUnexpectedEOF
			}
			return written, err
		}
		patches, err := editor.Push(window[kept : kept+n])
		if err != nil {
			return written, err
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
		m, err := w.Write(window[:filled-kept])
		written += int64(m)
		if err != nil {
			return written, err
		}
		copy(window, window[filled-kept:filled])
	}
	return written, nil
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
