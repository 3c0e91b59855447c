package webm

// How what a plan makes is read at any offset, without being made.

import (
	"io"
	"sync"
)

// A PlanReader reads what a plan makes as if it were a file. It is an [io.ReaderAt] with a
// Size, as [io.NewSectionReader] wants, and so what [net/http.ServeContent] needs to answer
// requests for ranges of a file that exists nowhere. [Plan.ReaderAt] makes one.
//
// Several goroutines may use it at once, as far as they may use its sources. Its memory is
// a thousandth of what has been read of pieces with an [Edit]. To read what lies deep inside of
// such a piece for the first time, it reads that piece from its beginning on, and at most all
// of one cluster.
type PlanReader struct {
	plan *Plan
	src  []io.ReaderAt
	err  error // why it cannot be read

	mutex  sync.Mutex
	places map[int64][]place // in order, by where in the plan their piece begins
}

// A place is where reading can begin in a piece with an edit: from there on up to child
// nothing changes, and there begins a child of the cluster.
type place struct{ from, child int64 }

const (
	// placesApart is how far apart the places are that are kept: what is read in vain of
	// a piece that is known already, beside at most one block.
	placesApart = 16 << 10

	// stepOver is how much that does not change is not read, where it is not asked for. To
	// read it can be quicker than another call.
	stepOver = 64 << 10
)

// ReaderAt returns a reader of what the plan makes out of src, its sources, of which there
// is one but for a join. The plan and the sources must not change while it is used. If a
// source is missing, each read returns an [*Error] of CodeNoSource.
func (p *Plan) ReaderAt(src ...io.ReaderAt) *PlanReader {
	return &PlanReader{plan: p, src: src, err: p.checkSources(src), places: map[int64][]place{}}
}

// checkSources returns an error if pieces are of a source that is not there.
func (p *Plan) checkSources(src []io.ReaderAt) error {
	for c := p.pieces.cursor(); c.next(); {
		if err := c.checkSource(src); err != nil {
			return err
		}
	}
	return nil
}

// checkSource returns an error if the piece is of a source that is not there.
func (p *Piece) checkSource(src []io.ReaderAt) error {
	if p.Data == nil && (uint(p.Source) >= uint(len(src)) || src[p.Source] == nil) {
		return planError(CodeNoSource, "source "+decimal(int64(p.Source))+" of the plan is missing")
	}
	return nil
}

// Size returns how many bytes there are.
func (r *PlanReader) Size() int64 { return r.plan.pieces.total() }

// ReadAt reads len(p) bytes from offset off on, as [io.ReaderAt] says. Its error is [io.EOF]
// at the end, a source's, [io.ErrUnexpectedEOF] if a source is too short, or an [*Error] where
// a source does not have the blocks that the plan was made of.
func (r *PlanReader) ReadAt(p []byte, off int64) (n int, err error) {
	switch {
	case r.err != nil:
		return 0, r.err
	case off < 0:
		return 0, planError(CodeInvalidRange, "a negative offset")
	case len(p) == 0:
		return 0, nil
	case off >= r.Size():
		return 0, io.EOF
	}
	read := planRead{r: r, ahead: ahead{src: r.src}}
	c := r.plan.pieces.cursorAt(off)
	for c.until = min(c.until, off+int64(len(p))); n < len(p); {
		at := off + int64(n) - c.at
		part := p[n : n+int(min(int64(len(p)-n), c.Len()-at))]
		switch {
		case c.Data != nil:
			copy(part, c.Data[at:])
		case c.Edit == nil:
			err = read.full(part, c.Start+at, &c)
		default:
			err = read.edited(part, c.Start+at, &c)
		}
		if err != nil {
			return n, err
		}
		if n += len(part); !c.next() {
			break
		}
	}
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

// A planRead is what one call of ReadAt needs.
type planRead struct {
	r      *PlanReader
	ahead  ahead
	editor Editor
	window []byte
}

// full reads all of p from an offset of the range that the cursor is at.
func (read *planRead) full(p []byte, at int64, c *pieceCursor) error {
	for len(p) > 0 {
		n, err := read.ahead.read(p, at, c)
		if n == 0 {
			return readError(err)
		}
		p = p[n:]
		at += int64(n)
	}
	return nil
}

// edited reads a part of the range that the cursor is at, from offset at of its source on, and
// edits it. It reads on for a few bytes, up to which those of the part can still change.
func (read *planRead) edited(p []byte, at int64, c *pieceCursor) error {
	end := at + int64(len(p))
	limit := min(end+patchDelay, c.End)
	next := read.r.placeBefore(c, at)
	begun := false
	for pos := next.from; pos < limit; {
		if !begun || next.child-pos >= stepOver {
			if from, to := max(at, pos), min(end, next.child); from < to {
				if err := read.full(p[from-at:to-at], from, c); err != nil {
					return err
				}
			}
			pos, begun = next.child, true
			read.editor.reset(c.Edit, pos)
			continue
		}
		if want := min(windowLen, limit-pos); int64(len(read.window)) < want {
			read.window = make([]byte, want)
		}
		chunk := read.window[:min(int64(len(read.window)), limit-pos)]
		if err := read.full(chunk, pos, c); err != nil {
			return err
		}
		if from, to := max(at, pos), min(end, pos+int64(len(chunk))); from < to {
			copy(p[from-at:], chunk[from-pos:to-pos])
		}
		for len(chunk) > 0 {
			n := min(len(chunk), placesApart/4)
			patches, err := read.editor.Push(chunk[:n])
			if err != nil {
				return err
			}
			for _, patch := range patches {
				if at <= patch.Offset && patch.Offset < end {
					p[patch.Offset-at] = patch.Value
				}
			}
			chunk = chunk[n:]
			pos += int64(n)
			if place, ok := read.editor.place(); ok {
				next = place
				read.r.keep(c, place)
			}
		}
	}
	return nil
}

// place is the next place where another editor could begin. There is none inside of a
// BlockGroup.
func (d *Editor) place() (p place, ok bool) {
	h, pos := d.scan.Head(), d.scan.Pos()
	switch {
	case d.scan.Depth() > 0:
		return place{}, false
	case h.End() <= pos: // and the head of the next is not complete
		p = place{h.End(), h.End()}
	case h.DataOffset()+editLen <= pos:
		p = place{pos, h.End()}
	default:
		p = place{h.Offset, h.Offset}
	}
	return place{d.offset + p.from, d.offset + p.child}, true
}

// placeBefore is the last known place at or before an offset in the range that a cursor is at.
func (r *PlanReader) placeBefore(c *pieceCursor, at int64) place {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	places := r.places[c.at]
	n := bisect(len(places), func(i int) bool { return places[i].from > at })
	if n == 0 {
		return place{c.Start, c.Start}
	}
	return places[n-1]
}

// keep keeps a place in the range that a cursor is at, unless it is near to another or to the
// beginning.
func (r *PlanReader) keep(c *pieceCursor, p place) {
	if p.child < c.Start+placesApart {
		return
	}
	r.mutex.Lock()
	defer r.mutex.Unlock()
	places := r.places[c.at]
	last := c.Start
	if n := len(places); n > 0 {
		last = places[n-1].child
	}
	if p.child >= last+placesApart {
		r.places[c.at] = append(places, p)
	}
}

// bisect is a binary search: the first of n for which something is true that stays true from
// there on, or n.
func bisect(n int, is func(i int) bool) int {
	low, high := 0, n
	for low < high {
		if middle := (low + high) / 2; is(middle) {
			high = middle
		} else {
			low = middle + 1
		}
	}
	return low
}
