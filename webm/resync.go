package webm

import "github.com/webmend/webmend/ebml"

// How a Splitter goes on after damage: it looks for the next place that really is
// a Cluster, or the EBML header of another recording, and not merely the four
// bytes of one's ID. The test of a candidate is to read it: a cluster must have its
// Timestamp and then whole blocks, of tracks that there are.

const (
	// provenBlocks is how many whole blocks prove a cluster, if it has not ended
	// before: the end of one is where the next must begin.
	provenBlocks = 2

	// maxTrials bounds how many candidates are read at once, so that the work for a
	// byte is bounded too. IDs by chance are one in four billion bytes.
	maxTrials = 4
)

// A search is under way from damage to where the stream goes on.
type search struct {
	reason *Error
	tail   []byte      // the last bytes, fewer than an ID has
	trials []*Splitter // candidates, in the order of the stream
}

// midStream is a splitter in the middle of a recording, inside its Segment, that
// stops at the first thing that is wrong.
func midStream(h Header, offset int64) *Splitter {
	s := NewSplitter(Options{Strict: true})
	s.begin.known = true
	s.report.Recordings = []Recording{{Header: h}}
	s.indexes = []*Index{{}}
	s.hasTracks = true
	s.closeHeader(h.End)
	s.scan.Reset(offset, ebml.Head{ID: IDSegment, Size: ebml.UnknownSize})
	return s
}

// push takes the bytes at offset, and returns the candidate that is proven first.
// That has taken of them what it needed for its proof.
func (l *search) push(s *Splitter, chunk []byte, offset int64) *Splitter {
	for _, t := range l.trials {
		t.scan.Push(chunk)
		t.run()
	}
	// Candidates that begin in these bytes, or in the tail before them.
	begin := offset - int64(len(l.tail))
	near := append(append([]byte(nil), l.tail...), chunk[:min(len(chunk), len(ebmlMagic)-1)]...)
	for i := range l.tail {
		l.try(s, near[i:], begin+int64(i), chunk, offset)
	}
	for i := range chunk {
		if chunk[i] == ebmlMagic[0] || chunk[i] == clusterMagic[0] {
			l.try(s, chunk[i:], offset+int64(i), chunk, offset)
		}
	}
	if n := len(near); len(chunk) >= len(ebmlMagic)-1 {
		l.tail = append(l.tail[:0], chunk[len(chunk)-len(ebmlMagic)+1:]...)
	} else {
		l.tail = append(l.tail[:0], near[max(0, n-len(ebmlMagic)+1):]...)
	}

	var first *Splitter
	trials := l.trials[:0]
	for _, t := range l.trials {
		if t.proven && (first == nil || t.scan.EndOffset() < first.scan.EndOffset()) {
			first = t
		}
		if t.err == nil {
			trials = append(trials, t)
		}
	}
	l.trials = trials
	return first
}

// try begins to read a candidate at offset at, if these bytes begin with an ID
// that makes it one.
func (l *search) try(s *Splitter, bytes []byte, at int64, chunk []byte, offset int64) {
	isCluster := hasPrefix(bytes, clusterMagic)
	if len(l.trials) == maxTrials || !isCluster && !hasPrefix(bytes, ebmlMagic) {
		return
	}
	t := midStream(s.recording().Header, at)
	if !isCluster {
		t.scan.Reset(at)
	}
	t.trial, t.tried = true, at
	if at < offset { // it begins in the tail
		t.scan.Push(bytes[:offset-at])
		t.run()
		at = offset
	}
	t.scan.Push(chunk[at-offset:])
	t.run()
	l.trials = append(l.trials, t)
}

// last is the candidate to go on with when the stream has ended: the first that
// has a whole block.
func (l *search) last() *Splitter {
	for _, t := range l.trials {
		if t.inCluster && t.open.Blocks > 0 {
			return t
		}
	}
	return nil
}

// beginSearch closes what is whole before the damage and begins to search after it.
func (s *Splitter) beginSearch() {
	held, chunk, offset := s.scan.Unread()
	held = append([]byte(nil), held...)
	s.lost = &search{reason: s.err}
	s.err = nil
	s.settle()
	s.lost.push(s, held, offset) // too few to prove anything
	s.search(chunk, offset+int64(len(held)))
}

// search goes on searching in the bytes at offset.
func (s *Splitter) search(chunk []byte, offset int64) {
	if found := s.lost.push(s, chunk, offset); found != nil {
		s.goOn(found)
	}
}

// goOn takes over what a candidate has read.
func (s *Splitter) goOn(t *Splitter) {
	reason := s.lost.reason
	s.lost = nil
	s.tell(s.whole, s.whole)
	drop := Drop{Range: Range{s.told, t.tried}, Reason: reason, Before: s.recording().Duration, After: -1}
	s.scan = t.scan
	if t.inCluster {
		drop.After = t.open.Timestamp * s.recording().Header.TimestampScale
		s.inCluster, s.open, s.block = true, t.open, t.block
		s.open.Recording = len(s.report.Recordings) - 1
		ix := s.indexes[len(s.indexes)-1]
		for _, k := range t.indexes[0].first {
			if !ix.hasFirst(k.Track) {
				ix.first = append(ix.first, k)
			}
		}
		s.clocks = t.clocks // what a frame lasts is not known across the gap
		s.nextCue = max(s.nextCue, t.nextCue)
	} else {
		s.report.Recordings = append(s.report.Recordings, t.report.Recordings[1])
		s.report.Recordings[len(s.report.Recordings)-1].Header.Recording = len(s.report.Recordings) - 1
		s.indexes = append(s.indexes, t.indexes[1])
		s.inHeader, s.hasTracks = true, false
	}
	if drop.End > drop.Start {
		s.report.Dropped = append(s.report.Dropped, drop)
	}
	s.told, s.whole = t.tried, t.whole
	if t.ended {
		s.closeCluster()
	}
}
