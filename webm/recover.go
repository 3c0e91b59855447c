package webm

// How a Splitter goes on after damage, and how it reads a part of the stream again.

// goOn takes in what the parser has come to, unless that leads elsewhere: to the bytes
// again, or to Tracks that come later and back.
func (s *Splitter) goOn(e event) {
	away := s.parse.isAway()
	switch {
	case e == blockDone && s.opts.Rewinds && s.asks():
	case e == tracksLater:
		s.findTracks()
	case e == partDone && away:
		s.takeDetour()
	case e == rootDone && away:
		s.findNoTracks()
	default:
		s.take(e)
	}
}

// asks tells whether something has to be found out first about the block that the parser
// has come to, which takes the clock of its track back: whether it was pushed before, or is
// one of another cluster. Then the stream is read again.
func (s *Splitter) asks() bool {
	b := &s.parse.block
	if b.track < 0 || s.repeats.isRepeated(b.Start) {
		return false
	}
	if c := &s.time.clocks[b.track]; c.seen && b.at < c.latest.at && (s.mayRepeat(b) || s.mayHide(b)) {
		s.parse.uncommit()
		return true
	}
	s.repeats.remember(b.sum, b.Start)
	return false
}

// damaged goes on after the error of the parser: it takes back what that has not read.
func (s *Splitter) damaged(in *input) {
	p := &s.parse
	if len(s.ledger.report.Dropped) >= maxDrops {
		text := "webm: the stream is damaged in more than " + decimal(maxDrops) + " places, the last at " + decimal(p.err.Offset)
		p.err = &Error{Code: CodeTooLarge, Offset: p.err.Offset, text: text}
	}
	switch {
	case p.isAway():
		s.findNoTracks()
		return
	case s.opts.Strict || p.err.final():
		s.settle()
		s.end(p.err)
		return
	}
	reason := p.takeError()
	held, rest, offset := p.scan.Unread()
	n := p.scan.Looked()
	if s.requestSearch(reason, offset, offset+int64(n)) {
		return
	}
	if !s.afford(int64(n), offset) {
		inHeld := min(n, len(held))
		held, rest, offset = held[inHeld:], rest[n-inHeld:], offset+int64(n)
	}
	s.lose(reason)
	in.putBack(offset, held, rest)
}

// takeError takes the parser's error, or what was wrong before it.
func (p *parser) takeError() *Error {
	reason := p.err
	if reason != nil && p.inCluster && p.cluster.doubtful != nil {
		reason = p.cluster.doubtful
	}
	p.err = nil
	return reason
}

// lose ends what is open with its last whole element, and begins to search for
// where the stream goes on. A header without Tracks stays open: they may follow.
func (s *Splitter) lose(reason *Error) {
	if s.parse.begun == nil || s.parse.begun.hasTracks {
		s.settle()
	}
	s.searchFrom(s.parse.committed, reason)
}

// requestSearch leaves open what is open, and asks for the bytes again from its beginning
// on, to be searched; if the caller can push them, and the work is in proportion. An element
// whose size is damaged, or whose end is lost, takes in what follows it, and the damage shows
// only where it ends. The damage begins at offset, and shows at end.
func (s *Splitter) requestSearch(reason *Error, offset, end int64) bool {
	from := s.openStart()
	switch p := &s.parse; {
	case p.inCluster:
		from = max(from+1, s.delivery.given.state.End)
	case p.begun != nil:
		from++
		for _, part := range p.begun.parts {
			if part.id == IDTracks {
				from = max(from, part.End) // without them there is no cluster
			}
		}
	}
	if !s.opts.Rewinds || s.parse.bound > 0 || end-from < minCluster || !s.afford(readTwice*(end-from), end) {
		return false
	}
	s.search = &search{reason: reason, from: from, until: offset}
	s.wait(from, searching)
	return true
}

// mayHide asks for a search if a block, which goes back in time, can be one of a cluster
// whose head was taken for media: some element before it is none that there is, so
// that bytes may be missing. Only if there is such a head, nothing is as it seems.
func (s *Splitter) mayHide(b *openBlock) bool {
	c := &s.parse.cluster
	if c.strange == nil || s.searched == c.Start || !s.requestSearch(c.strange, b.Start, b.Start) {
		return false
	}
	s.search.hidden = true
	return true
}

// mayRepeat asks for a comparison if a block, which goes back in time, begins as one
// before it did.
func (s *Splitter) mayRepeat(b *openBlock) bool {
	if s.parse.bound > 0 {
		return false
	}
	c := s.repeats.suspect(b)
	if c == nil || !s.afford(c.work(s.parse.cluster.Start), b.Start) {
		return false
	}
	s.repeats.asked = b.Start
	s.compare = c
	s.wait(c.from, comparing)
	return true
}

// searchOn searches the bytes at offset.
func (s *Splitter) searchOn(chunk []byte, offset int64) {
	l, p := s.search, &s.parse
	end := offset + int64(len(chunk))
	found := l.push(p, chunk, offset)
	switch {
	case found != nil && found.kind == IDTracks:
		s.adoptTracks(found)
	case found != nil && p.inCluster && found.at < l.until: // in what was taken for blocks
		p.bound = found.at
		s.readAgain()
	case found != nil:
		s.adopt(found)
	case p.inCluster && l.needed(end) >= l.until:
		s.findNone()
	case l.isHopeless(p, end):
		s.settle()
		s.end(l.reason)
	}
}

// findNone goes on where the open cluster has been searched up to the damage: with what
// comes after it or, if nothing is damaged, with the cluster itself.
func (s *Splitter) findNone() {
	if !s.search.hidden {
		s.settle()
		return
	}
	s.searched = s.parse.cluster.Start
	s.readAgain()
}

// compareOn compares the next bytes.
func (s *Splitter) compareOn(chunk []byte) {
	if s.compare.push(chunk) {
		s.conclude()
	}
}

// conclude ends the comparison, and has the open cluster read again.
func (s *Splitter) conclude() {
	c := s.compare
	s.compare = nil
	run, ahead := c.repeat()
	start := s.parse.cluster.Start
	before := Range{} // what of it is in clusters that are complete
	if run.Start < start && run.End > 0 {
		ahead = c.upTo(ahead, start)
		if s.time.isOddIn(Range{run.Start, start}) || c.unlike(ahead) {
			before = Range{run.Start, start}
			s.ledger.leaveOutBefore(before, ahead)
		} else {
			run.Start = start
		}
	}
	if run.End > 0 {
		s.repeats.found = append(s.repeats.found, run)
	}
	s.readAgain()
	if before.End > 0 {
		s.time.forget(run)
	}
}

// readAgain goes back to the beginning of the open cluster.
func (s *Splitter) readAgain() {
	start := s.parse.cluster.Start
	s.ledger.forget()
	s.time.restore()
	s.repeats.forgetFrom(start)
	s.parse.goTo(start)
	s.parse.committed = start
	s.search = nil
	s.wait(start, scanning)
}

// adopt goes on with a candidate that is proven.
func (s *Splitter) adopt(c *candidate) {
	l, reason := &s.ledger, s.search.reason
	s.phase, s.search = scanning, nil
	if s.parse.committed > c.at { // elements that had taken in the candidate are none
		s.parse.committed = l.forgetParts(s.parse.begun, c.at)
	}
	s.settle()
	if reason.Code == CodeTruncated { // it was not the end
		reason = &Error{CodeOverrun, reason.Offset, reason.Path, reason.text + ", or claims more than is its own"}
	}
	l.account(s.parse.committed, s.parse.committed)
	after := int64(-1)
	if c.inCluster || c.proof == clusterDone {
		after = c.cluster.timestamp * c.header.TimestampScale
	}
	lost := c.at > l.accounted || reason.Code == CodeLost
	if lost {
		l.drop(reason, c.at, after, false)
	}
	l.accounted = c.at
	c.policy, c.bound, c.segment = s.parse.policy, 0, s.parse.segment
	s.parse = c.parser
	if c.kind != IDCluster {
		return
	}
	l.addGaps(s.time.settleGaps())
	if lost {
		s.time.awaitKeyFrames()
	}
	cue := s.time.nextCue
	s.time.restart()
	s.take(clusterBegun)
	s.goOn(c.proof)
	s.time.nextCue = max(s.time.nextCue, cue)
}

// adoptTracks takes over the Tracks that a candidate has read.
func (s *Splitter) adoptTracks(c *candidate) {
	p, l, reason := &s.parse, &s.ledger, s.search.reason
	s.phase, s.search = scanning, nil
	o := p.begun
	o.Tracks, o.allTracks, o.hasTracks = c.begun.Tracks, c.begun.allTracks, true
	o.parts = append(o.parts, c.begun.parts...)
	if s.opts.Seeks && s.opts.Rewinds && o.early > 0 { // only the order is another
		p.goToIn(p.segment, o.early)
		s.wait(o.early, scanning)
		return
	}
	l.account(o.Start, o.Start)
	l.drop(reason, l.accounted, -1, true)
	p.scan, p.committed = c.scan, c.committed
}

// findTracks goes on with the Tracks that come after the Clusters, of which the first is
// next, if the caller has those.
func (s *Splitter) findTracks() {
	p := &s.parse
	if !s.opts.Seeks || !s.opts.Rewinds || p.isAway() {
		p.fail(CodeTracksLater, "comes before its Tracks, which are at "+decimal(p.begun.later[laterTracks])+": that needs the whole file")
		return
	}
	p.begun.detour = p.scan.Head().Offset
	s.takeDetour()
}

// findNoTracks goes back to the Clusters, as there are no Tracks where the SeekHead says.
//
//go:noinline
func (s *Splitter) findNoTracks() {
	s.parse.begun.later = [2]int64{}
	s.takeDetour()
}

// takeDetour goes to the next element after the Clusters that the header lacks, and then
// back to them.
func (s *Splitter) takeDetour() {
	back := s.parse.begun.nextLater()
	s.parse.goToIn(s.parse.segment, back)
	s.wait(back, scanning)
}

// decline searches on from here, as Rewind was not asked.
func (s *Splitter) decline() {
	if s.phase != waiting {
		return
	}
	s.phase, s.compare = searching, nil
	if s.search == nil {
		at := s.parse.committed
		s.searchFrom(s.size, &Error{Code: CodeLost, Offset: at, text: "webm: bytes are missing at " + decimal(at)})
	}
	s.search.hidden = false
	s.settle()
}

// settle closes what is open when the stream breaks or ends, up to the last
// whole element. A cluster is worth keeping if it has a block, a header if it
// has its Tracks.
func (s *Splitter) settle() {
	s.repeats.reset()
	p := &s.parse
	if p.inCluster {
		p.inCluster = false
		if s.ledger.open.blocks > 0 {
			s.closeCluster(true)
		} else {
			s.ledger.forget()
			p.committed = p.cluster.Start
		}
	}
	if o := p.begun; o != nil {
		if !o.hasTracks {
			p.committed = o.Start
		}
		if p.closeHeader(p.committed) {
			s.take(headerDone)
		}
	}
}

// openStart is where what is open begins.
func (s *Splitter) openStart() int64 {
	switch {
	case s.phase == over:
		return s.size
	case s.parse.inCluster:
		return s.parse.cluster.Start
	case s.parse.begun != nil:
		return s.parse.begun.Start
	case s.phase == waiting:
		return s.back
	case s.phase == searching:
		return s.search.needed(s.size)
	}
	return s.parse.committed
}
