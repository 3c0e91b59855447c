package webm

import "github.com/webmend/webmend/ebml"

// maxLate is how much later than its Timestamp a Cluster of the live form has the
// blocks of another begin, in ticks: half of what can be said of a block.
const maxLate = 1 << 14

// Live plans the next part of a recording, for a player that is given it while it is
// being recorded and goes on after what it has: from an offset of the stream on, in
// bytes, up to the next Cluster that begins with a key frame or to the end of the last
// whole block. next is the offset of the part after it, or from if there is nothing new;
// from is one of those, or of [Splitter.LiveFrom]. Before the first part the player
// needs an [Index.InitializationSegment].
//
// Each Cluster that begins with a key frame becomes one of unknown size, and what
// follows until the next the blocks of that same one, their timestamps counted from it.
// So browsers show it without holes: Firefox loses the picture between Clusters that
// do not begin with a key frame. As a block cannot be 32768 ticks after its Cluster's
// Timestamp, another Cluster begins where one could be.
//
// Ranges are of source 0, but those of a Cluster that is not complete are of source 1
// if the index is Stored: no store has it. The plan is empty if there is nothing
// new, or no such recording; it is the caller's. Its Start is the Timestamp of the
// first Cluster. Its End is where the last frame ends or, if nothing comes after it, up to
// where every track has frames that are followed by others: so much any player can show
// by then. What is damaged between two blocks of an open Cluster is told only once that
// is closed, and may be given until then.
func (s *Splitter) Live(recording int, from int64) (plan *Plan, next int64) {
	plan, next = &Plan{}, from
	l := s.live(recording)
	if l == nil {
		return plan, next
	}
	plan.MimeType = l.index.header.MimeType()
	for i := l.search(func(e *entry) bool { return e.End > from }); i < l.len(); i++ {
		e := l.at(i)
		if e.flags&hasBlocks == 0 {
			continue
		}
		start := l.start(i)
		if start == i && plan.Size > 0 {
			break
		}
		if plan.Size == 0 {
			plan.Start = e.timestamp * l.index.header.TimestampScale
		}
		l.add(plan, i, start, max(0, from-e.data()))
		plan.End, next = max(plan.End, e.until), e.End
		if i == l.len()-1 && recording == len(s.ledger.indexes)-1 {
			plan.End = s.time.followed()
		}
	}
	return plan, next
}

// add adds the blocks of cluster i from an offset of its data on, as ones of cluster
// start.
func (l *liveList) add(plan *Plan, i, start int, from int64) {
	e, base, ix := l.at(i), l.at(start), l.index
	blocks := int64(e.timeAt) + int64(e.timeLen)
	if i == start && (from <= blocks || e.flags&beginsWithKey == 0) {
		plan.write(ebml.AppendHead(nil, IDCluster, ebml.UnknownSize))
		plan.write(ebml.AppendUint(nil, IDTimestamp, uint64(e.timestamp)))
	}
	from = max(from, blocks)
	moved := &Edit{Shift: e.timestamp - base.timestamp}
	source, begin, edit := ix.source(i, &e)
	var out []Range
	if i < ix.clusters.len() {
		out = ix.leftOut(&e)
	} else if begin, edit = e.data(), ix.form(&e); ix.Stored {
		source = 1
	}
	plan.data(begin, &e, source, from, e.size(), out, edit.and(moved))
}

// LiveFrom is where in the stream a player begins that is to show a recording from a
// time on, in nanoseconds: at the last Cluster that begins with a key frame at or
// before it, or at the first one. It is 0 if there is nothing to begin with yet.
func (s *Splitter) LiveFrom(recording int, time int64) int64 {
	l := s.live(recording)
	if l == nil || l.len() == 0 {
		return 0
	}
	after := l.search(func(e *entry) bool { return e.timestamp*l.index.header.TimestampScale > time })
	e := l.at(l.start(max(after-1, 0)))
	return e.Start
}

// A liveList is the clusters of a recording and, last, the open one if it is of that.
type liveList struct {
	index *Index
	open  []entry
}

func (s *Splitter) live(recording int) *liveList {
	ix := s.Index(recording)
	if ix == nil {
		return nil
	}
	l := &liveList{index: ix}
	// Before its first block of video it is not known whether it begins with a key frame.
	begun := !s.time.hasVideo || s.ledger.open.sawVideo
	if s.ledger.isOpen && begun && s.ledger.index() == ix && s.search == nil {
		l.open = append(l.open, s.ledger.soFar().form)
	}
	return l
}

func (l *liveList) len() int { return l.index.clusters.len() + len(l.open) }

func (l *liveList) at(i int) entry {
	if n := l.index.clusters.len(); i >= n {
		return l.open[i-n]
	}
	return l.index.clusters.at(i)
}

// search is the first cluster of which something is true that stays true from then on,
// or len.
func (l *liveList) search(is func(*entry) bool) int {
	low, high := 0, l.len()
	for low < high {
		middle := (low + high) / 2
		if e := l.at(middle); is(&e) {
			high = middle
		} else {
			low = middle + 1
		}
	}
	return low
}

// start is the cluster that begins the one of unknown size in which a player has the
// blocks of cluster i.
func (l *liveList) start(i int) int {
	begins := func(e *entry) bool { return e.flags&(beginsWithKey|hasBlocks) == beginsWithKey|hasBlocks }
	first := i
	for e := l.at(first); first > 0 && !begins(&e); e = l.at(first) {
		first--
	}
	start, timestamp := first, int64(-1)
	for ; first <= i; first++ {
		e := l.at(first)
		if e.flags&hasBlocks == 0 {
			continue
		}
		late := e.timestamp - timestamp
		if timestamp < 0 || late < 0 || late > maxLate || e.flags&isLong != 0 {
			start, timestamp = first, e.timestamp
		}
	}
	return start
}
