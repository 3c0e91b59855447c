package ebml

import "strconv"

// A Reason says what is wrong with a stream. It is 0 when nothing is. A Reason is an error
// itself, so that errors.Is(err, ebml.Truncated) recognizes an [Error] by its Reason.
type Reason uint8

const (
	InvalidID             Reason = iota + 1 // no Element ID begins with these bytes (RFC 8794 §5)
	InvalidSize                             // no Element Data Size begins with these bytes (RFC 8794 §6)
	Overrun                                 // the element runs past the end of its parent
	UnexpectedUnknownSize                   // the element must have a known size (RFC 8794 §6.2)
	TooDeep                                 // elements are nested deeper than the scanner allows
	Truncated                               // the stream ends inside the element
)

// String says what is wrong as a predicate: "runs past the end of its parent".
func (r Reason) String() string {
	switch r {
	case InvalidID:
		return "has no valid Element ID"
	case InvalidSize:
		return "has no valid Element Data Size"
	case Overrun:
		return "runs past the end of its parent"
	case UnexpectedUnknownSize:
		return "has an unknown size where it must be known"
	case TooDeep:
		return "is nested too deep"
	case Truncated:
		return "is cut short by the end of the stream"
	}
	return "is valid"
}

// Error says what is wrong: "ebml: element runs past the end of its parent".
func (r Reason) Error() string { return "ebml: element " + r.String() }

// An Error says that a stream is not EBML from Offset on. Nothing changes it, so several
// goroutines may use it. The zero value means nothing.
type Error struct {
	Reason Reason
	Offset int64 // of the element that is wrong, in bytes from the start of the stream
	Path   []ID  // the elements open there, the outermost first, then the wrong one where its head was read
}

// Error gives the offset, the path in hexadecimal IDs, and the reason:
// "ebml: element at 1042 (18538067/1F43B675/A3) runs past the end of its parent".
func (e *Error) Error() string {
	b := strconv.AppendInt([]byte("ebml: element at "), e.Offset, 10)
	for i, id := range e.Path {
		if i == 0 {
			b = append(b, " ("...)
		} else {
			b = append(b, '/')
		}
		const digits = "0123456789ABCDEF"
		for shift := 8*id.Len() - 4; shift >= 0; shift -= 4 {
			b = append(b, digits[id>>shift&0xF])
		}
	}
	if len(e.Path) > 0 {
		b = append(b, ')')
	}
	b = append(b, ' ')
	return string(append(b, e.Reason.String()...))
}

// Unwrap returns the Reason, for errors.Is and errors.As.
func (e *Error) Unwrap() error { return e.Reason }
