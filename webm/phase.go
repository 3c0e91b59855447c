package webm

// The phase that a Splitter is in, and how often it may read again.

// A phase is what a Splitter does with the bytes that come next, and leads to others:
//
//	recognising ─ it is EBML ──────────────────────────▶ scanning
//	            ─ it is junk, in which that may follow,
//	              or bytes are missing ─────────────────▶ searching
//	scanning ──── damage, or bytes are missing ─────────▶ searching
//	         ──── damage that may have taken in clusters ▶ waiting, then searching
//	         ──── a block that may be there twice ──────▶ waiting, then comparing
//	         ──── Tracks come after the Clusters ───────▶ waiting, then scanning
//	searching ─── a candidate is proven ────────────────▶ scanning
//	          ─── it begins in the open cluster, or its
//	              Tracks come after the Clusters ───────▶ waiting, then scanning
//	          ─── a part read again has none ───────────▶ waiting, then scanning
//	comparing ─── it is certain, or bytes are missing,
//	              or the stream ends ───────────────────▶ waiting, then scanning
//	waiting ───── Rewind is asked ──────────────────────▶ what comes then
//	        ───── more is pushed without ───────────────▶ searching
//	each ──────── a final error, or the end ────────────▶ over
type phase uint8

const (
	recognising phase = iota // whether it is WebM at all
	scanning                 // elements
	searching                // for where the stream goes on
	comparing                // blocks that may be there twice
	waiting                  // until Rewind is asked
	over
)

// A recovery is the phase, with what belongs to it, and how much has been read again.
type recovery struct {
	phase   phase
	err     *Error      // over: why, or nil at the end of the stream
	search  *search     // searching, or waiting for that
	compare *comparison // comparing, or waiting for that
	then    phase       // waiting: what follows
	back    int64       // waiting: where Rewind goes back to

	rewound  int64 // bytes that it has gone back over
	rewinds  int64 // how often
	searched int64 // where the last cluster began that was searched for another, and has none
}

const (
	// readTwice is how often a part that is searched is read again: to search it, and
	// to read what has been searched.
	readTwice = 2

	// maxRewound is how often all of a stream may be, in sum.
	maxRewound = 4

	// perRewind is how many bytes of a stream there are at least for each time that it goes
	// back, but for the first minRewinds: callers push more than is read again.
	perRewind  = 256
	minRewinds = 64
)

// afford counts work, in bytes that are read again, if it is in proportion to a stream
// that has come to an offset.
//
//go:noinline
func (r *recovery) afford(work, offset int64) bool {
	if r.rewound+work > maxRewound*offset || r.rewinds > minRewinds+offset/perRewind {
		return work == 0
	}
	r.rewound += work
	return true
}

// wait asks for the stream from an offset on, for a phase. Like other small things of this
// package that seldom run it is not inlined, to keep the module small.
//
//go:noinline
func (r *recovery) wait(back int64, then phase) {
	r.phase, r.back, r.then = waiting, back, then
	r.rewinds++
}

// searchFrom begins a search.
//
//go:noinline
func (r *recovery) searchFrom(offset int64, reason *Error) {
	r.phase, r.search = searching, &search{reason: reason, from: offset}
}

// end ends all.
//
//go:noinline
func (r *recovery) end(err *Error) { r.phase, r.err, r.search, r.compare = over, err, nil, nil }
