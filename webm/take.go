package webm

// How what the parser has come to goes into timeline, repeats, ledger and delivery.

// take takes in what the parser has come to.
func (s *Splitter) take(e event) {
	p, l := &s.parse, &s.ledger
	switch e {
	case badDocType:
		l.account(p.begun.Start, p.begun.Start)
		l.drop(p.begun.repaired, l.accounted, 0, true)
	case headerDone:
		l.addGaps(s.time.settleGaps())
		l.addRecording(p.header, p.parts)
		s.time = newTimeline(p.header.Tracks)
		s.repeats.reset()
		s.delivery.addHeader(*p.header)
	case partDone:
		if p.begun == nil {
			l.addPart(p.part)
		}
	case clusterBegun:
		if s.opts.Rewinds {
			s.repeats.begin(p.cluster.Start)
		}
		s.time.save()
		s.delivery.begin(p.cluster.Start, s.time.hasVideo)
		l.begin()
	case blockDone:
		s.takeBlock()
	case clusterDone:
		s.closeCluster(false)
	}
}

// takeBlock takes in the block that the parser has come to.
func (s *Splitter) takeBlock() {
	b, l := &s.parse.block, &s.ledger
	if b.strays.End > 0 {
		l.leaveOutStray(b.strays, CodeMisplaced, 0, 0, b.at)
	}
	counts := l.count(b)
	if b.track < 0 {
		l.leaveOutStray(b.Range, CodeInvalidBlock, b.head.track, 1, b.at)
		return
	}
	isVideo := b.kind == Video
	if isVideo {
		s.delivery.given.see(b.Start, b.flag)
	}
	if s.repeats.isRepeated(b.Start) {
		l.leaveOutRepeated(b.Range)
		return
	}
	c := &s.time.clocks[b.track]
	if !c.seen {
		l.addFirst(b)
	}
	if gaps := s.time.take(c, b, s.seam, l.open.previous); len(gaps) > 0 {
		l.noteGaps(gaps)
	}
	l.mark(b, counts)
	if isVideo && s.time.observe(b.track, b.key) {
		if b.key {
			l.endLeaving(b)
		} else {
			l.leaveOut(b, c.endOfLast())
		}
	}
	if b.key && (isVideo || s.time.cue(b.at)) {
		l.addKeyFrame(b)
	}
}

// closeCluster ends the open cluster where the last whole element ends; cut says that it
// is not its end.
func (s *Splitter) closeCluster(cut bool) {
	c := s.ledger.commit(cut)
	s.delivery.add(c, s.ledger.videoKeys(), s.time.hasVideo)
}
