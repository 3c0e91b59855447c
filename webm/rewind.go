package webm

import "github.com/webmend/webmend/ebml"

// How a Splitter reads a part of the stream again. An element whose size is damaged,
// or whose end is lost, takes in what follows it, and the damage shows only where it
// ends. So the cluster that it is in is searched for others, and read again up to
// where one is found.

// before is what there was when the open cluster began, to read it again from there.
type before struct {
	start int64
	time  timeline
	given Cluster // what had been told of it as fragments when it was given up
	keys  int     // and how many key frames

	searched int64 // where the last cluster began that was searched for another, and has none
}

// take keeps what there is now that a cluster begins at start.
func (b *before) take(s *Splitter, start int64) (given Cluster, keys int) {
	if b.start == start {
		given, keys = b.given, b.keys
	}
	if start >= s.bound {
		s.bound = 0
	}
	b.start, b.given, b.keys = start, Cluster{}, 0
	b.time.copyFrom(&s.time)
	return given, keys
}

// suspend leaves open what is open, and asks for the bytes again from its beginning
// on, to be searched; if the caller can push them, and the work is in proportion.
// The damage begins at offset, and shows at end.
func (s *Splitter) suspend(reason *Error, offset, end int64) bool {
	s.err = nil
	from, ok := s.mayGoBack(end)
	if !ok {
		return false
	}
	s.rewound += readTwice * (end - from)
	s.lost = &search{reason: reason, from: from, until: offset}
	s.back = from
	return true
}

const (
	// readTwice is how often a part that is searched is read again: to search it, and
	// to read what has been searched.
	readTwice = 2

	// maxRewound is how often all of a stream may be, in sum.
	maxRewound = 4
)

// mayLookAgain tells whether the first n bytes of an element that is damaged, which
// have been looked at, may be searched as well, and counts them.
func (s *Splitter) mayLookAgain(n int, offset int64) bool {
	if s.rewound+int64(n) > maxRewound*offset {
		return n == 0
	}
	s.rewound += int64(n)
	return true
}

// mayGoBack tells where the search would begin for what damage that shows at end has
// taken in, and whether it may.
func (s *Splitter) mayGoBack(end int64) (from int64, ok bool) {
	from = s.openStart()
	switch {
	case s.inCluster:
		from = max(from+1, s.open.given.End)
	case s.inHeader:
		from++
		for _, p := range s.indexes[len(s.indexes)-1].parts {
			if p.id == IDTracks {
				from = max(from, p.End) // without them there is no cluster
			}
		}
	}
	work := readTwice * (end - from)
	return from, s.opts.Rewinds && !s.trial && s.bound == 0 && end-from >= minCluster && s.rewound+work <= maxRewound*end
}

// Rewind is asked after each Push, Lost and Finish, if Options say Rewinds. If it is
// ok, the stream must be pushed from offset on again, and Lost and Finish said again
// once it comes to where they were. The offset is not before what Needed was before that
// call, nor after what was pushed, unless Options say Seeks. In all no more is pushed
// again than four times the stream.
func (s *Splitter) Rewind() (offset int64, ok bool) {
	if s.back < 0 {
		return 0, false
	}
	offset = s.back
	s.size, s.back = offset, -1
	return offset, true
}

// stay searches on from here, as Rewind was not asked.
func (s *Splitter) stay() {
	if s.back < 0 {
		return
	}
	s.back, s.repeats.compare = -1, nil
	if s.lost == nil {
		s.lost = &search{reason: &Error{Code: CodeLost, Offset: s.whole, text: "webm: bytes are missing at " + decimal(s.whole)}, from: s.size}
	}
	s.settle()
}

// Needed is the offset from which on bytes of the stream can still be wanted: by the
// ranges of clusters and fragments that are told later, or by Rewind. With
// Options.Rewinds that is up to 4 MiB before the open cluster, to find out what was
// pushed twice.
func (s *Splitter) Needed() int64 {
	at := s.openStart()
	if s.err == nil && len(s.repeats.starts) > 0 {
		at = min(at, s.repeats.starts[0])
	}
	return at
}

// openStart is where what is open begins.
func (s *Splitter) openStart() int64 {
	switch {
	case s.err != nil:
		return s.size
	case s.inCluster:
		return s.open.Cluster.Start
	case s.inHeader:
		return s.recording().Header.Start
	case s.back >= 0:
		return s.back
	case s.lost != nil:
		return s.lost.needed(s.size)
	}
	return s.whole
}

// meet goes on with the candidate that is proven, or, where that begins in what was
// taken for blocks of the open cluster, reads that again up to there.
func (s *Splitter) meet(t *Splitter) {
	if s.inCluster && t.tried < s.lost.until {
		s.bound = t.tried
		s.readAgain()
		return
	}
	s.settleBefore(t.tried)
	s.goOn(t)
}

// findNone goes on where the open cluster has been searched up to the damage: with what
// comes after it or, if nothing is damaged, with the cluster itself.
func (s *Splitter) findNone() {
	if s.lost.hidden {
		s.before.searched = s.open.Cluster.Start
		s.readAgain()
		return
	}
	s.settle()
}

// mayHide asks for a search if the block under way, which goes back in time, can be one of
// a cluster whose head was taken for media: some element before it is none that there is, so
// that bytes may be missing. Only if there is such a head, nothing is as it seems.
func (s *Splitter) mayHide() bool {
	if s.open.strange == nil || s.before.searched == s.open.Cluster.Start || !s.suspend(s.open.strange, s.block.offset, s.block.offset) {
		return false
	}
	s.lost.hidden = true
	return true
}

// readAgain goes back to the beginning of the open cluster.
func (s *Splitter) readAgain() {
	s.lost, s.inCluster = nil, false
	s.back, s.whole = s.before.start, s.before.start
	s.time.copyFrom(&s.before.time)
	s.before.given, s.before.keys = s.open.given, s.open.givenKeys
	s.repeats.forgetFrom(s.back)
	s.scan.Reset(s.back, ebml.Head{ID: IDSegment, Size: ebml.UnknownSize})
}

// settleBefore settles what is open where a candidate begins at offset. Elements of
// the Segment that had taken that in are none.
func (s *Splitter) settleBefore(offset int64) {
	if n := len(s.indexes); n > 0 && s.whole > offset {
		ix := s.indexes[n-1]
		s.whole = s.told
		kept := ix.parts[:0]
		for _, p := range ix.parts {
			if p.End <= offset {
				kept = append(kept, p)
				s.whole = max(s.whole, p.End)
			}
		}
		ix.parts = kept
	}
	s.settle()
}
