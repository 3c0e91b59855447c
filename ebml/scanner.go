package ebml

// A Kind says what Next found.
type Kind uint8

const (
	More  Kind = iota // nothing until more bytes are pushed, or ever if Err says why
	Start             // the head of an element: Enter or Read it, or its data is stepped over
	Value             // the bytes of its data that Read asked for
	End               // the element is complete
)

// DefaultMaxDepth is how deep elements may be nested when MaxDepth is 0. The
// schema of Matroska needs 8, and 2 more for each level of chapters or tags.
const DefaultMaxDepth = 32

// A Scanner reads an EBML stream that is pushed in chunks cut anywhere. Its
// zero value is ready for a stream without elements of unknown size. One goroutine at a time
// may use it.
//
//	s.Push(chunk)
//	for {
//		switch s.Next() {
//		case ebml.Start:
//			switch s.Head().ID {
//			case idMaster: s.Enter()
//			case idNumber: s.Read(8)
//			}
//		case ebml.Value: number = ebml.ParseUint(s.Data())
//		case ebml.End:
//		case ebml.More:
//			if err := s.Err(); err != nil {
//				return err
//			}
//			return nil // until the next chunk
//		}
//	}
//
// Every element gives Start, then Value once for each Read, then, for one that
// was entered, the tokens of its children, then End. The tokens are the same
// however the stream is cut. The work for an element is the same whatever the
// size of its data.
type Scanner struct {
	// Ends tells whether an element id, where a child of the open element
	// could stand, ends that element: whether id is a parent or sibling of it
	// and not its child (RFC 8794 §6.2). That is how an element of unknown size
	// ends; one of known size does so, too, as its size is then not true. An
	// element that another of its own ID does not end must have a known size.
	// Nil allows no unknown sizes.
	Ends func(open, id ID) bool

	// MaxDepth is how many elements may be open at once. 0 is
	// DefaultMaxDepth.
	MaxDepth int

	chunk []byte // pushed and not yet read
	pos   int64  // offset of chunk[0]
	open  []opened
	cur   Head // the element under way
	step  step
	want  int    // how many bytes of its data Read asked for
	data  []byte // those that came in earlier pushes
	part  [MaxHeadLen]byte
	nPart int  // octets in part of a head that is cut by the end of a push
	ahead byte // the first of the next element, which nobody reads: see ReadNext

	ended    Head // the master that the last token is the end of
	isEnded  bool // it is that
	value    []byte
	end      int64
	finished bool
	err      *Error
}

// opened is a master element that was entered.
type opened struct {
	Head
	limit int64 // where it or a parent of known size ends, or -1
}

type step uint8

const (
	betweenElements step = iota
	headRead             // cur is read; elements that it ends may have to close first
	reading              // gathering the data that Read asked for
	skipping             // stepping over what is left of cur's data
)

// Push hands the scanner the next bytes of the stream. It keeps no reference to
// chunk once Next has returned More, and chunk must not change before.
func (s *Scanner) Push(chunk []byte) { s.chunk = chunk }

// Finish says that no more bytes come. Next then ends the elements of unknown
// size that are open; an element that is cut short is an error.
func (s *Scanner) Finish() { s.finished = true }

// Reset makes the scanner begin anew at offset of the stream, inside the elements
// open, the outermost first.
func (s *Scanner) Reset(offset int64, open ...Head) {
	*s = Scanner{Ends: s.Ends, MaxDepth: s.MaxDepth, pos: offset, open: s.open[:0], data: s.data[:0]}
	for _, h := range open {
		limit := h.End()
		if limit < 0 {
			limit = s.limit()
		}
		s.open = append(s.open, opened{h, limit})
	}
}

// Unread is the stream from the element on that the last token or an error speaks of,
// or from its end on if it has ended, and where that is: held, which is the caller's,
// and then the rest of what was pushed last. It is the same however the stream is cut,
// but for where held ends. Of an element that is being stepped over there is only
// what comes next.
func (s *Scanner) Unread() (held, chunk []byte, offset int64) {
	if s.step == betweenElements {
		return append(held, s.part[:s.nPart]...), s.chunk, s.pos - int64(s.nPart)
	}
	if s.isInside() {
		return nil, s.chunk, s.pos
	}
	// The head is read already, and so may be the value.
	held = AppendHeadWidth(nil, s.cur.ID, s.cur.Size, s.cur.Len-s.cur.ID.Len())
	return append(held, s.data...), s.chunk, s.cur.Offset
}

// Looked is how many bytes Unread begins with that Value has given already: the head
// of an element, and what was asked for of its data.
func (s *Scanner) Looked() int {
	if len(s.value) == 0 || s.step == betweenElements || s.isInside() {
		return 0
	}
	return s.cur.Len + len(s.value)
}

// isInside tells whether the scanner is in the middle of data that it steps over.
func (s *Scanner) isInside() bool { return s.pos > s.cur.DataOffset()+int64(len(s.data)) }

// Pos is the offset up to which the scanner has read.
func (s *Scanner) Pos() int64 { return s.pos }

// Err is why the scanner has stopped, or nil. Return it as an error only where it is not nil:
// a nil *Error in an error is not nil.
func (s *Scanner) Err() *Error { return s.err }

// Head is the head of the element that the last token speaks of.
func (s *Scanner) Head() Head {
	if s.isEnded {
		return s.ended
	}
	return s.cur
}

// Data is, after Value, the bytes asked for: as many as Read said, or all of the
// data if that is less. They are valid until the next call of Next or ReadNext.
func (s *Scanner) Data() []byte { return s.value }

// EndOffset is, after End, the offset of the first byte after the element.
func (s *Scanner) EndOffset() int64 { return s.end }

// Depth is the number of open elements around the one the last token speaks of.
func (s *Scanner) Depth() int { return len(s.open) }

// Parent is the ID of the innermost open element around the one the last token
// speaks of, 0 at the root.
func (s *Scanner) Parent() ID {
	if len(s.open) == 0 {
		return 0
	}
	return s.open[len(s.open)-1].ID
}

// Path gives the open elements, the outermost first, and after them the element
// that is under way, if there is one.
//
//go:noinline
func (s *Scanner) Path() []Head {
	path := make([]Head, 0, len(s.open)+1)
	for _, o := range s.open {
		path = append(path, o.Head)
	}
	if s.step != betweenElements {
		path = append(path, s.cur)
	}
	return path
}

// Enter, after Start, says that the element is a master whose children are
// wanted.
func (s *Scanner) Enter() {
	maxDepth := s.MaxDepth
	if maxDepth == 0 {
		maxDepth = DefaultMaxDepth
	}
	if len(s.open) >= maxDepth {
		s.fail(TooDeep, s.cur.Offset)
		return
	}
	limit := s.cur.End()
	if limit < 0 {
		limit = s.limit()
	}
	s.open = append(s.open, opened{s.cur, limit})
	s.step = betweenElements
}

// Read, after Start or Value, says that the first n bytes of the element's data
// are wanted, or all of them if there are fewer. Only what has been pushed is
// ever kept in memory, so that a claimed size costs nothing.
func (s *Scanner) Read(n int) {
	if s.cur.Size == UnknownSize {
		s.fail(UnexpectedUnknownSize, s.cur.Offset)
		return
	}
	s.want = int(min(int64(n), s.cur.Size))
	s.step = reading
}

// ReadNext is three calls in one, for where many elements with one id follow each other:
// an id of one octet, of a child that the open element can have. If the next element has
// it, ends at offset most of the stream or before, and has the first n bytes of its data,
// or all if there are fewer, in what was pushed last, it is as if Next had given Start,
// Read(n) had been called, and Next had given Value. Otherwise nothing has changed, and
// Next tells what comes.
func (s *Scanner) ReadNext(id ID, n int, most int64) bool {
	if s.step != betweenElements || s.nPart > 0 || s.err != nil || len(s.chunk) == 0 || ID(s.chunk[0]) != id {
		return false
	}
	size, sizeLen := ParseVINT(s.chunk[1:])
	if sizeLen <= 0 || size == allOnes(sizeLen) {
		return false
	}
	h := Head{ID: id, Offset: s.pos, Size: int64(size), Len: 1 + sizeLen}
	if limit := s.limit(); limit >= 0 {
		most = min(most, limit)
	}
	n = int(min(int64(n), h.Size))
	if h.End() > most || len(s.chunk)-h.Len < n {
		return false
	}
	s.cur, s.isEnded = h, false
	s.advance(h.Len)
	s.value = s.chunk[:n]
	s.step = skipping
	// The next head is asked for, as it takes longer to come from memory than this element
	// to be looked at.
	if h.Size < int64(len(s.chunk)) {
		s.ahead = s.chunk[h.Size]
	}
	return true
}

// Next finds the next token.
func (s *Scanner) Next() Kind {
	for s.err == nil {
		switch s.step {
		case reading:
			if !s.gather() {
				return s.starve(s.cur.Offset)
			}
			s.isEnded = false
			s.step = skipping
			return Value

		case skipping:
			if s.cur.Size == UnknownSize {
				s.fail(UnexpectedUnknownSize, s.cur.Offset)
				return More
			}
			rest := s.cur.End() - s.pos
			n := min(rest, int64(len(s.chunk)))
			s.advance(int(n))
			if n < rest {
				return s.starve(s.cur.Offset)
			}
			s.data = s.data[:0]
			s.isEnded, s.end = false, s.pos
			s.step = betweenElements
			return End

		case betweenElements:
			at := s.pos - int64(s.nPart)
			if limit := s.limit(); limit >= 0 && at >= limit {
				return s.close(at)
			}
			if !s.readHead(at) {
				if s.err == nil && s.finished && s.nPart == 0 && len(s.open) > 0 && s.limit() < 0 {
					return s.close(at)
				}
				return s.starve(at)
			}
			s.value = nil
			s.step = headRead

		case headRead:
			if n := len(s.open); n > 0 && s.Ends != nil && s.Ends(s.open[n-1].ID, s.cur.ID) {
				return s.close(s.cur.Offset)
			}
			s.check()
			if s.err != nil {
				return More
			}
			s.isEnded = false
			s.step = skipping
			return Start
		}
	}
	return More
}

// readHead reads the head at offset at into cur, or keeps what there is of it.
func (s *Scanner) readHead(at int64) bool {
	var h Head
	var reason Reason
	if s.nPart == 0 {
		h, reason = ParseHead(s.chunk, at)
	} else {
		n := copy(s.part[s.nPart:], s.chunk)
		h, reason = ParseHead(s.part[:s.nPart+n], at)
	}
	if reason != 0 {
		s.fail(reason, at)
		return false
	}
	if h.Len == 0 {
		n := copy(s.part[s.nPart:], s.chunk)
		s.nPart += n
		s.advance(n)
		return false
	}
	s.advance(h.Len - s.nPart)
	s.nPart = 0
	s.cur = h
	return true
}

// check stops the scanner if cur cannot stand where it does.
func (s *Scanner) check() {
	if s.cur.Size == UnknownSize && (s.Ends == nil || !s.Ends(s.cur.ID, s.cur.ID)) {
		s.fail(UnexpectedUnknownSize, s.cur.Offset)
	}
	if limit := s.limit(); limit >= 0 && max(s.cur.DataOffset(), s.cur.End()) > limit {
		s.fail(Overrun, s.cur.Offset)
	}
}

// gather makes value hold the bytes that Read asked for, from the chunk itself
// where they are all in it.
func (s *Scanner) gather() bool {
	if len(s.data) == 0 && len(s.chunk) >= s.want {
		s.value = s.chunk[:s.want]
		return true
	}
	if n := min(s.want-len(s.data), len(s.chunk)); n > 0 {
		s.data = append(s.data, s.chunk[:n]...)
		s.advance(n)
	}
	if len(s.data) < s.want {
		return false
	}
	s.value = s.data[:s.want] // a Read for less may follow one for more
	return true
}

// close ends the innermost open element at offset end.
//
//go:noinline
func (s *Scanner) close(end int64) Kind {
	last := len(s.open) - 1
	s.ended, s.isEnded, s.end = s.open[last].Head, true, end
	s.open = s.open[:last]
	return End
}

// limit is where the innermost open element must end at the latest, or -1.
func (s *Scanner) limit() int64 {
	if len(s.open) == 0 {
		return -1
	}
	return s.open[len(s.open)-1].limit
}

// starve is More: for now, or, when no bytes come any more, for good. What began
// at offset at is then cut short, if it is anything.
//
//go:noinline
func (s *Scanner) starve(at int64) Kind {
	if s.finished && s.err == nil && (at < s.pos || len(s.open) > 0) {
		if at == s.pos {
			at = s.open[len(s.open)-1].Offset
		}
		s.fail(Truncated, at)
	}
	return More
}

func (s *Scanner) advance(n int) {
	s.chunk = s.chunk[n:]
	s.pos += int64(n)
}

// fail stops the scanner. It is not inlined, as that would make the module
// larger for what seldom runs; so with the other marks in this package.
//
//go:noinline
func (s *Scanner) fail(reason Reason, offset int64) {
	s.err = &Error{Reason: reason, Offset: offset}
	for _, h := range s.Path() {
		s.err.Path = append(s.err.Path, h.ID)
	}
}
