package webm

// The account of a stream: every byte is part of a header, a cluster, another element or a
// drop. Nothing else writes the Report and the indexes.

// A ledger keeps the Report and the indexes.
type ledger struct {
	parse *parser   // which knows what of the open cluster is whole
	time  *timeline // and when it ends

	report    Report
	indexes   []*Index // of report.Recordings
	index     *Index   // the last of them, or nil
	accounted int64    // the end of the last range assigned to a header, cluster, other element or drop
	leaving   []int    // by the order of tracks: which of report.Undecodable goes on, plus 1, or unlisted

	isOpen bool // there is an open cluster
	open   tally
}

// unlisted stands for an entry that a full list does not have.
const unlisted = -1

const (
	// maxDrops bounds what a report keeps of a stream that is damaged on purpose.
	maxDrops = 10_000

	// maxOther and maxUndecodable bound its other lists.
	maxOther       = 10_000
	maxUndecodable = 1000
)

// recording is the one that is being read. There must be one.
func (l *ledger) recording() *Recording { return &l.report.Recordings[len(l.report.Recordings)-1] }

// account assigns the range from start to end to a header or cluster. What is
// whole between it and the range before it is other elements.
//
//go:noinline
func (l *ledger) account(start, end int64) {
	if start > l.accounted {
		if len(l.report.Other) < maxOther {
			l.report.Other = append(l.report.Other, Range{l.accounted, start})
		} else {
			l.report.Unlisted++
		}
	}
	l.accounted = max(l.accounted, end)
}

// drop reports what lies between what is accounted for and end, after which the Timestamp
// of a cluster is after, or -1. Nothing can come before the blocks of a header that is open.
//
//go:noinline
func (l *ledger) drop(reason *Error, end, after int64, inHeader bool) {
	before := int64(0)
	if len(l.report.Recordings) > 0 && !inHeader {
		before = l.recording().Duration
	}
	l.report.Dropped = append(l.report.Dropped, Drop{Range{l.accounted, end}, reason, before, after})
}

// addRecording begins a recording with a header that is complete, and its parts.
func (l *ledger) addRecording(h *Header, parts []part) {
	l.account(h.Start, h.End)
	l.report.Recordings = append(l.report.Recordings, Recording{Header: *h})
	ix := &Index{ledger: l, header: *h, parts: parts}
	ix.clusters.scale, ix.keyFrames.scale = h.TimestampScale, h.TimestampScale
	l.indexes, l.index = append(l.indexes, ix), ix
	l.leaving = make([]int, len(h.Tracks))
}

// addPart takes in an element of the Segment after the header.
func (l *ledger) addPart(p part) {
	if l.index != nil && len(l.index.parts) < maxParts {
		l.index.parts = p.appendTo(l.index.parts, false)
	}
}

// forgetParts forgets those of the open header, or of the last recording, that end after an
// offset, as they were none. It returns where the last other one ends, or what is accounted for.
func (l *ledger) forgetParts(begun *openHeader, offset int64) (end int64) {
	end = l.accounted
	parts := &[]part{}
	if begun != nil {
		parts = &begun.parts
	} else if l.index != nil {
		parts = &l.index.parts
	}
	kept := (*parts)[:0]
	for _, p := range *parts {
		if p.End <= offset {
			kept = append(kept, p)
			end = max(end, p.End)
		}
	}
	*parts = kept
	return end
}

// addGaps adds gaps of the last recording, but none that ends where another of it goes on:
// several tracks of audio can tell of the same.
//
//go:noinline
func (l *ledger) addGaps(gaps []Gap) {
	r := &l.report
	for _, g := range gaps {
		g.Recording = len(r.Recordings) - 1
		if n := len(r.Gaps); n > 0 && r.Gaps[n-1].Recording == g.Recording && g.Start < r.Gaps[n-1].End && r.Gaps[n-1].Start < g.End {
			continue
		}
		if len(r.Gaps) < maxGaps {
			r.Gaps = append(r.Gaps, g)
		} else {
			r.Unlisted++
		}
	}
}

// addUndecodable adds an entry and returns its place, plus 1, or unlisted.
//
//go:noinline
func (l *ledger) addUndecodable(u Undecodable) int {
	if len(l.report.Undecodable) == maxUndecodable {
		l.report.Unlisted++
		return unlisted
	}
	l.report.Undecodable = append(l.report.Undecodable, u)
	return len(l.report.Undecodable)
}

// leaveOutBefore takes in that blocks of complete clusters, which are children of them in a
// range, are there twice.
func (l *ledger) leaveOutBefore(r Range, children []child) {
	at := r.Start
	for _, c := range children {
		if c.isBlock() {
			l.recording().Repeated++
			l.index.left.add(Range{at, c.end})
		}
		at = c.end
	}
	l.report.Gaps = gapsOutside(l.report.Gaps, r)
}
