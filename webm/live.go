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
	i := l.search(func(e *entry) bool { return e.End > from })
	for start := l.startBefore(i); i < l.len(); i++ {
		e := l.at(i)
		if start = start.next(i, &e); e.flags&hasBlocks == 0 {
			continue
		}
		if plan.Size == 0 {
			plan.Start = e.timestamp * l.index.header.TimestampScale
		} else if start.cluster == i {
			break
		}
		l.add(plan, i, start, max(0, from-e.data()))
		plan.End, next = max(plan.End, e.until), e.End
		if i == l.len()-1 && recording == len(s.ledger.indexes)-1 {
			plan.End = s.time.followed()
		}
	}
	return plan, next
}

// add adds the blocks of cluster i from an offset of its data on, as ones of the Cluster that
// start says.
func (l *liveList) add(plan *Plan, i int, start liveStart, from int64) {
	e, ix := l.at(i), l.index
	blocks := int64(e.timeAt) + int64(e.timeLen)
	if i == start.cluster && (from <= blocks || e.flags&beginsWithKey == 0) {
		plan.write(ebml.AppendHead(nil, IDCluster, ebml.UnknownSize))
		plan.write(ebml.AppendUint(nil, IDTimestamp, uint64(e.timestamp)))
	}
	from = max(from, blocks)
	moved := &Edit{Shift: e.timestamp - start.timestamp()}
	source, begin, edit := ix.source(i, &e)
	var out []Range
	if i < ix.clusters.len() {
		out = ix.leftOut(&e)
	} else if begin, edit = e.data(), ix.form(&e); ix.Stored {
		source = 1
	}
	plan.data(begin, &e, source, from, e.size(), out, edit.and(moved))
}

// NoOffset says that there is no such place in the stream, or not yet.
const NoOffset int64 = -1

// LiveFrom returns where in the stream a player begins that is to show a recording from a time
// on, in nanoseconds: at the last Cluster that begins with a key frame at or before it, or at
// the first one that there is. It returns [NoOffset] while there is none to begin with.
func (s *Splitter) LiveFrom(recording int, time int64) int64 {
	l := s.live(recording)
	if l == nil || l.len() == 0 {
		return NoOffset
	}
	after := l.search(func(e *entry) bool { return e.timestamp*l.index.header.TimestampScale > time })
	e := l.at(max(l.startBefore(max(after, 1)).key-1, 0))
	return e.Start
}

// LiveAfter returns the first place at or after an offset of the stream where a player can
// begin: a Cluster of a recording that begins with a key frame. It returns [NoOffset] if there
// is none yet.
//
// So a relay that keeps only the last part of a stream knows how far back viewers can begin.
// It needs to keep what an [Index.InitializationSegment] makes, and the stream from that offset
// on; or, if all viewers keep up, from the least of the offsets that Live returned to them, and
// from [Splitter.LiveFrom] of the latest time for those who are still to join. Where Options
// say Rewinds, it needs what is from [Splitter.Needed] on as well. It need not take headers or
// clusters: one that waits to be taken has some 30 bytes, beside the 10 to 15 of an index.
func (s *Splitter) LiveAfter(recording int, offset int64) int64 {
	l := s.live(recording)
	if l == nil {
		return NoOffset
	}
	i := l.keyFrom(l.search(func(e *entry) bool { return e.Start >= offset }))
	if i == l.len() {
		return NoOffset
	}
	e := l.at(i)
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
	if s.ledger.isOpen && begun && s.ledger.index == ix && s.search == nil {
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
// or len. It looks at the first ones of pages first, which nothing has to be decoded for.
func (l *liveList) search(is func(*entry) bool) int {
	low, high := 0, l.len()
	for low < high {
		middle := (low + high) / 2
		if first := middle - middle%pageLen; first > low {
			middle = first
		}
		if e := l.at(middle); is(&e) {
			high = middle
		} else {
			low = middle + 1
		}
	}
	return low
}

// startBefore is what the live form has before cluster i.
func (l *liveList) startBefore(i int) liveStart {
	list := &l.index.clusters
	page, start := len(list.pages), list.before
	if i/pageLen < page {
		page = i / pageLen
		start = list.pages[page].before
	}
	for j := page * pageLen; j < i; j++ {
		e := l.at(j)
		start = start.next(j, &e)
	}
	return start
}

// keyFrom is the first cluster from cluster i on that begins with a key frame, or len. Between
// the page of cluster i and that of the other it looks at no cluster.
func (l *liveList) keyFrom(i int) int {
	list := &l.index.clusters
	pages := len(list.pages)
	if page := i / pageLen; page < pages {
		end := (page + 1) * pageLen
		if i = l.keyIn(i, end); i < end {
			return i
		}
		i = (page + bisect(pages-page, func(j int) bool {
			before := list.before
			if j += page + 1; j < pages {
				before = list.pages[j].before
			}
			return before.key > end
		})) * pageLen
	}
	return l.keyIn(i, l.len())
}

// keyIn is the first cluster from i up to end that begins with a key frame, or end.
func (l *liveList) keyIn(i, end int) int {
	for ; i < end; i++ {
		if e := l.at(i); e.flags&(beginsWithKey|hasBlocks) == beginsWithKey|hasBlocks {
			break
		}
	}
	return i
}

// A liveStart is the Cluster of unknown size that the live form has open: which cluster of
// the recording begins it, and which began last with a key frame. Its zero value is before any.
type liveStart struct {
	cluster int
	after   int64 // its Timestamp in ticks, plus 1
	key     int   // the cluster with the key frame, plus 1
}

func (s liveStart) timestamp() int64 { return s.after - 1 }

// next is the Cluster in which a player has the blocks of cluster i, where s is that before:
// another one where it begins with a key frame, or could not have the blocks in one with
// those before.
//
//go:noinline
func (s liveStart) next(i int, e *entry) liveStart {
	late := e.timestamp - s.timestamp()
	switch {
	case e.flags&hasBlocks == 0:
		return s
	case s.after > 0 && e.flags&(beginsWithKey|isLong) == 0 && late >= 0 && late <= maxLate:
		return s
	case e.flags&beginsWithKey != 0:
		s.key = i + 1
	}
	return liveStart{i, e.timestamp + 1, s.key}
}
