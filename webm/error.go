package webm

import (
	"strconv"

	"github.com/webmend/webmend/ebml"
)

// A Code names a kind of [Error] for programs, as "truncated" does. Codes do not change. A Code
// is an error itself, so that errors.Is(err, webm.CodeTruncated) recognizes any error of this
// package by its Code, however it is wrapped. The zero value is no Code that an Error has.
type Code string

const (
	CodeEmpty        Code = "empty"         // the stream has no bytes
	CodeNotWebM      Code = "not-webm"      // the stream is something else, which the error names where it can
	CodeInvalidID    Code = "invalid-id"    // no Element ID where one must be
	CodeInvalidSize  Code = "invalid-size"  // no Element Data Size after an ID
	CodeOverrun      Code = "overrun"       // an element is larger than the one it is in
	CodeUnknownSize  Code = "unknown-size"  // an element that is not a Segment or Cluster has an unknown size
	CodeTooDeep      Code = "too-deep"      // elements are nested too deep
	CodeTruncated    Code = "truncated"     // the stream ends inside an element
	CodeInvalidValue Code = "invalid-value" // an element's value is one that it cannot have
	CodeInvalidBlock Code = "invalid-block" // a block is too short, or its lacing adds up to more than it holds
	CodeTracksLater  Code = "tracks-later"  // Tracks come after the Clusters, so that the whole file is needed
	CodeMissing      Code = "missing"       // something must come before this element, and has not
	CodeMisplaced    Code = "misplaced"     // an element stands in one that cannot have it
	CodeTooLarge     Code = "too-large"     // a limit is reached: one of Options, or another that the message says
	CodeLost         Code = "lost"          // bytes are missing, by Lost

	// Of plans, which have no offset:
	CodeNoClusters   Code = "no-clusters"   // the recording has no cluster, so there is nothing to make
	CodeNoKeyFrame   Code = "no-key-frame"  // the video has none to begin with
	CodeInvalidRange Code = "invalid-range" // a start after the end, or beyond the recording
	CodeIncompatible Code = "incompatible"  // recordings that one file cannot hold
	CodeNoSource     Code = "no-source"     // a plan is carried out without one of its sources
)

// Error returns the Code itself.
func (c Code) Error() string { return string(c) }

// An Error says what is wrong with a stream, and where. All errors of this package are
// of this type, but for those of the sources and writers that it is given.
// Nothing changes an Error, so several goroutines may use it. The zero value means nothing.
type Error struct {
	Code   Code
	Offset int64  // of the element that is wrong, in bytes
	Path   string // the names of the elements around it and its own: "Segment/Cluster/SimpleBlock"; "" where nothing is open
	text   string
}

// Error reads like
// "webm: Cluster at 1042: SimpleBlock at 20480 runs past the end of its parent".
func (e *Error) Error() string { return e.text }

// Unwrap returns the Code, for errors.Is and errors.As.
func (e *Error) Unwrap() error { return e.Code }

// final tells whether a stream is not to be searched for where it goes on: it is not
// WebM, or a limit of the report is reached.
func (e *Error) final() bool {
	return e.Code == CodeNotWebM || e.Code == CodeTracksLater || e.Code == CodeTooLarge && (e.Path == "EBML" || e.Path == "")
}

// newError makes the Error of the innermost element of path, or of whatever is
// at offset if that is not where the innermost element begins.
//
//go:noinline
func newError(code Code, offset int64, path []ebml.Head, predicate string) *Error {
	offset = max(0, offset) // see readShort
	e := &Error{Code: code, Offset: offset}
	parent, subject := "", "element"
	for i, h := range path {
		name := elementName(h.ID)
		if i > 0 {
			e.Path += "/"
		}
		e.Path += name
		if h.Offset == offset && i == len(path)-1 {
			subject = name
		} else {
			parent = name + " at " + decimal(h.Offset) + ": "
		}
	}
	e.text = "webm: " + parent + subject + " at " + decimal(offset) + " " + predicate
	return e
}

// planError makes the Error of a plan that cannot be made.
//
//go:noinline
func planError(code Code, text string) *Error { return &Error{Code: code, text: "webm: " + text} }

// errorOrNil keeps a nil *Error from becoming an error that is not nil.
func errorOrNil(e *Error) error {
	if e == nil {
		return nil
	}
	return e
}

// decimal is not inlined, like other small things of this package that seldom
// run, to keep the module small.
//
//go:noinline
func decimal(v int64) string { return strconv.FormatInt(v, 10) }

// scanError says in this package's words why the scanner has stopped.
func scanError(scan *ebml.Scanner) *Error {
	e := scan.Err()
	codes := [...]Code{
		ebml.InvalidID:             CodeInvalidID,
		ebml.InvalidSize:           CodeInvalidSize,
		ebml.Overrun:               CodeOverrun,
		ebml.UnexpectedUnknownSize: CodeUnknownSize,
		ebml.TooDeep:               CodeTooDeep,
		ebml.Truncated:             CodeTruncated,
	}
	return newError(codes[e.Reason], e.Offset, scan.Path(), e.Reason.String())
}

// elementName is the specification's name of an element, or its ID as the
// specification would print it.
func elementName(id ebml.ID) string {
	if name, _, ok := Lookup(id); ok {
		return name
	}
	name := "0x"
	for shift := 8 * (id.Len() - 1); shift >= 0; shift -= 8 {
		name += hex(byte(id >> shift))
	}
	return name
}

// hex is c in two upper-case digits.
//
//go:noinline
func hex(c byte) string {
	const digits = "0123456789ABCDEF"
	return digits[c>>4:c>>4+1] + digits[c&0xF:c&0xF+1]
}

// fail stops the parser at the element that the last token speaks of.
//
//go:noinline
func (p *parser) fail(code Code, predicate string) event {
	h, path := p.scan.Head(), p.scan.Path()
	if path[len(path)-1].Offset != h.Offset {
		path = append(path, h) // it has just ended
	}
	p.err = newError(code, h.Offset, path, predicate)
	return none
}

// misread stops at an element that the specification has in another place, or does
// not have and that is larger than limit: so misread bytes look.
//
//go:noinline
func (p *parser) misread(h ebml.Head, limit int64) event {
	if _, _, known := Lookup(h.ID); known || h.Size > limit {
		return p.fail(CodeMisplaced, "cannot be there")
	}
	return none
}
