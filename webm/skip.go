package webm

import "github.com/webmend/webmend/ebml"

// How a stream goes on without a part of it that is known already.

// Skip continues at offset, in bytes from the start of the stream: what comes next is an
// element of a Segment, or another recording. The bytes before it are accounted for
// elsewhere, so that the Report neither has them nor calls them missing.
//
// So another Splitter can take over in the middle of a stream, with offsets that stay true:
// skip to where each header begins and push it, and then skip to a Cluster.
func (s *Splitter) Skip(offset int64) {
	s.settle()
	s.parse.goTo(offset)
	s.size, s.seam, s.pushed, s.parse.committed, s.ledger.accounted = offset, offset, offset, offset, offset
}

// Skip continues at offset, in bytes from the start of the stream, with an element of a
// Segment, even after an error.
func (w *Walker) Skip(offset int64) {
	w.err, w.begin.known = nil, true
	w.scan.Reset(offset, someSegment)
}

// someSegment is a Segment that ends where another recording begins.
var someSegment = ebml.Head{ID: IDSegment, Size: ebml.UnknownSize}
