package webm

// How a stream ends.

import "github.com/webmend/webmend/ebml"

// Finish ends the stream. It closes the last cluster, and the last header if no
// cluster follows it; what the end cuts short is left out of them and is in
// Dropped. Its error is an [*Error], of a stream that has no whole header or is
// damaged for good; one that is only cut short after its header has none.
func (s *Splitter) Finish() (Report, error) {
	s.decline()
	if s.finished {
		return s.Report(), errorOrNil(s.err)
	}
	reason, lost := s.finishPhase()
	if s.phase == waiting {
		return s.Report(), nil
	}
	s.finished = true
	l := &s.ledger
	if s.err == nil && len(l.report.Recordings) == 0 {
		s.err = reason
	}
	l.addGaps(s.time.settleGaps())
	l.account(s.parse.committed, s.parse.committed)
	reason = s.cutShort(reason)
	if s.size > l.accounted || reason != nil && (reason.Code == CodeTruncated || lost && reason.Code == CodeLost) {
		l.drop(reason, s.size, -1, false)
		l.accounted = s.size
	}
	if s.err != nil && s.err.Code == CodeTruncated && len(l.report.Recordings) > 0 {
		s.err = nil
	}
	s.end(s.err)
	return s.Report(), errorOrNil(s.err)
}

// finishPhase closes what is open. It says why the rest of the stream is not whole, and
// whether it was searched.
func (s *Splitter) finishPhase() (reason *Error, lost bool) {
	switch s.phase {
	case recognising:
		s.err = s.begin.finish()
	case comparing:
		s.conclude()
	case searching:
		if s.search.hidden {
			s.findNone()
			return nil, false
		}
		s.settle()
		return s.search.reason, true
	case scanning:
		return s.finishScan(), false
	}
	return s.err, false
}

// finishScan reads what the end of the stream completes, and says why the rest is
// not whole.
func (s *Splitter) finishScan() (reason *Error) {
	p := &s.parse
	if p.isAway() {
		s.findNoTracks()
		return nil
	}
	p.finish()
	for s.phase == scanning {
		e := p.next()
		if e == more || e == damage {
			break
		}
		s.goOn(e)
	}
	if s.phase == waiting {
		return nil
	}
	if p.begun != nil && p.begun.docType != nil {
		p.err = p.begun.docType
	}
	reason = p.takeError()
	switch {
	case reason == nil && p.begun != nil && !p.begun.hasTracks:
		reason = &Error{Code: CodeTruncated, Offset: s.size, text: "webm: the stream ends at " + decimal(s.size) + ", before any Tracks"}
	case reason != nil && s.opts.Strict:
		s.err = reason
	case reason != nil && s.requestSearch(reason, p.committed, s.size):
		return nil
	}
	s.settle()
	return reason
}

// cutShort adds to a reason how much of a Segment of known size is missing at the end. Where
// bytes were dropped before, nobody knows.
func (s *Splitter) cutShort(reason *Error) *Error {
	segment := s.parse.segment
	missing := segment.End() - s.size
	if segment.Size < 0 || missing <= 0 || len(s.ledger.report.Dropped) > 0 || s.err != nil && s.err.Code != CodeTruncated {
		return reason
	}
	if reason == nil {
		reason = newError(CodeTruncated, segment.Offset, []ebml.Head{segment}, "is cut short by the end of the stream")
	}
	with := *reason
	with.text += ": " + decimal(missing) + " bytes are missing at the end of the Segment"
	return &with
}
