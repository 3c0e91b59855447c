package webm

// The pieces of a plan, kept small: a plan of tiny clusters has two pieces for each of them,
// and a Piece is larger than such a cluster.

// A pieceList is pieces, each but the last told by what it differs in from the one before:
// some 11 bytes for the head and the data of a small cluster.
type pieceList struct {
	pages []piecePage
	open  []byte // the code of the last page
	n     int    // how many pieces the pages have
	size  int64  // and how many bytes these
	end   int64  // of the last range that is told, where the next is likely to begin
	kinds []pieceKind
	large [][]byte
	last  Piece // which the next can be joined to; none if it is empty
}

// A piecePage is up to pageLen pieces.
type piecePage struct {
	at   int64 // where the first begins in what the plan makes
	end  int64 // of the last range before it
	code []byte
}

// maxInline is how many literal bytes are in the code, and so copied.
const maxInline = 64

// A pieceKind is what many ranges have in common. The Shift of an edit, which has few ranges
// in common, each of them tells itself.
type pieceKind struct {
	source int
	edit   *Edit
}

// add appends a piece, joined to the last where that is possible.
func (l *pieceList) add(piece Piece) {
	if piece.Len() <= 0 {
		return
	}
	if piece.Edit != nil && piece.Edit.empty() {
		piece.Edit = nil
	}
	last := &l.last
	switch {
	case last.Len() == 0:
	case piece.Data != nil && last.Data != nil:
		last.Data = append(last.Data, piece.Data...)
		return
	case piece.Data == nil && last.Data == nil && piece.Source == last.Source && piece.Start == last.End &&
		piece.Edit == nil && last.Edit == nil:
		last.End = piece.End
		return
	default:
		l.tell(last)
	}
	*last = piece
}

// total is how many bytes the pieces have.
func (l *pieceList) total() int64 { return l.size + l.last.Len() }

// tell appends the code of a piece: 0 and literal bytes, or its kind and a range.
func (l *pieceList) tell(p *Piece) {
	if l.n%pageLen == 0 {
		if last := len(l.pages) - 1; last >= 0 {
			l.pages[last].code = append([]byte(nil), l.open...)
			l.open = l.open[:0]
		}
		l.pages = append(l.pages, piecePage{at: l.size, end: l.end})
	}
	l.n++
	l.size += p.Len()
	switch {
	case len(p.Data) > maxInline:
		l.large = append(l.large, p.Data)
		l.number(0)
		l.number(-int64(len(l.large)))
	case p.Data != nil:
		l.number(0)
		l.number(int64(len(p.Data)))
		l.open = append(l.open, p.Data...)
	default:
		l.number(l.kind(p))
		if p.Edit != nil {
			l.number(p.Edit.Shift)
		}
		l.number(p.Start - l.end)
		l.number(p.End - p.Start)
		l.end = p.End
	}
}

//go:noinline
func (l *pieceList) number(v int64) { l.open = appendVarint(l.open, v) }

// kind is which of kinds a range is of, from 1 on. Most plans have one or two.
func (l *pieceList) kind(p *Piece) int64 {
	i := len(l.kinds)
	for least := max(0, i-4); i > least; i-- {
		if k := &l.kinds[i-1]; k.source == p.Source && k.edit.isLike(p.Edit) {
			return int64(i)
		}
	}
	l.kinds = append(l.kinds, pieceKind{p.Source, p.Edit})
	return int64(len(l.kinds))
}

// A pieceCursor goes through the pieces of a list, which does not change meanwhile. A copy
// goes on by itself.
type pieceCursor struct {
	Piece       // under the cursor
	at    int64 // where it begins in what the plan makes
	until int64 // where no other piece may begin

	list *pieceList
	page int    // the next one
	code []byte // of the one before
	end  int64
}

// cursor is before the first piece.
func (l *pieceList) cursor() pieceCursor { return pieceCursor{list: l, until: l.total()} }

// cursorAt is at the piece that has the byte at an offset of what the plan makes, which must
// be one of it.
func (l *pieceList) cursorAt(offset int64) pieceCursor {
	c := l.cursor()
	if after := bisect(len(l.pages), func(i int) bool { return l.pages[i].at > offset }); after > 0 {
		c.page = after - 1
		c.at, c.end = l.pages[c.page].at, l.pages[c.page].end
	}
	for c.next() && c.at+c.Len() <= offset {
	}
	return c
}

// next goes to the next piece, and tells whether there is one.
func (c *pieceCursor) next() bool {
	c.at += c.Len()
	if c.at >= c.until {
		return false
	}
	if len(c.code) == 0 {
		switch len(c.list.pages) - c.page {
		case 0:
			c.Piece = c.list.last
			return true
		case 1:
			c.code = c.list.open
		default:
			c.code = c.list.pages[c.page].code
		}
		c.page++
	}
	c.Piece = Piece{}
	kind := c.number()
	if kind == 0 {
		n := c.number()
		if n < 0 {
			c.Data = c.list.large[-n-1]
		} else {
			c.Data = c.code[:n:n]
			c.code = c.code[n:]
		}
		return true
	}
	k := &c.list.kinds[kind-1]
	c.Source, c.Edit = k.source, k.edit
	if k.edit != nil {
		c.Edit = k.edit.shifted(c.number())
	}
	c.Start = c.end + c.number()
	c.End = c.Start + c.number()
	c.end = c.End
	return true
}

func (c *pieceCursor) number() int64 { return takeVarint(&c.code) }
