package webm

import "github.com/webmend/webmend/ebml"

// How a Splitter goes on after damage: it looks for the next place that really is
// a Cluster, or the EBML header of another recording, and not merely the four
// bytes of one's ID. The test of a candidate is to read it: a cluster must have its
// Timestamp and then a whole block, of a track that there is.

const (
	// maxTrials bounds how many candidates are read at once, so that the work for a
	// byte is bounded too. IDs by chance are one in four billion bytes.
	maxTrials = 8

	// maxJunk is how far into a stream its header is looked for, if there is nothing
	// in it that shows that it is WebM: longer than a chunk.
	maxJunk = 16 << 20

	// maxDrops bounds what a report keeps of a stream that is damaged on purpose.
	maxDrops = 10_000

	// minCluster is how many bytes a cluster has at least that is worth looking for.
	minCluster = 16
)

// A search is under way from damage to where the stream goes on.
type search struct {
	reason *Error
	from   int64       // where the search begins
	until  int64       // where the damage showed, if the search begins before it
	middle bool        // it is the middle of a recording, whose header may yet come
	hidden bool        // nothing is damaged unless a cluster begins before until
	tail   []byte      // the last bytes, fewer than an ID has
	trials []*Splitter // candidates, in the order of the stream
}

// midStream is a splitter in the middle of a recording, inside its Segment, that
// stops at the first thing that is wrong.
func midStream(opts Options, h Header, offset int64) *Splitter {
	opts.Strict = true
	s := NewSplitter(opts)
	s.begin.known = true
	s.report.Recordings = []Recording{{Header: h}}
	s.indexes = []*Index{{}}
	s.hasTracks = true
	s.closeHeader(h.End)
	s.scan.Reset(offset, ebml.Head{ID: IDSegment, Size: ebml.UnknownSize})
	return s
}

// midHeader is a splitter in the middle of a header, before its Tracks.
func midHeader(opts Options, h Header, offset int64) *Splitter {
	s := midStream(opts, Header{}, offset)
	h.Tracks = nil
	s.report.Recordings[0].Header = h
	s.inHeader, s.hasTracks, s.inTracks = true, false, true
	return s
}

// push takes the bytes at offset, and returns the candidate that is proven first.
// That has taken of them what it needed for its proof.
func (l *search) push(s *Splitter, chunk []byte, offset int64) *Splitter {
	for _, t := range l.trials {
		t.scan.Push(chunk)
		t.run()
	}
	// Candidates that begin in the tail, or in these bytes: each is tried when peekLen
	// bytes of it are there.
	first := l.first()
	tail := len(l.tail)
	l.tail = append(l.tail, chunk[:min(len(chunk), peekLen-1)]...)
	for i := -tail; i+peekLen <= len(chunk); i++ {
		var bytes []byte
		if i < 0 {
			bytes = l.tail[tail+i:]
		} else {
			bytes = chunk[i:]
		}
		if l.hidden && offset+int64(i) >= l.until {
			break
		}
		if c := bytes[0]; c != clusterMagic[0] && c != ebmlMagic[0] && c != tracksMagic[0] {
			continue
		}
		if first != nil && offset+int64(i) >= first.scan.EndOffset() {
			break // what comes later is proven later
		}
		if l.try(s, bytes, offset+int64(i), chunk, offset) {
			first = l.first()
		}
	}
	if len(chunk) >= peekLen-1 {
		l.tail = append(l.tail[:0], chunk[len(chunk)-peekLen+1:]...)
	} else if n := len(l.tail); n >= peekLen {
		l.tail = append(l.tail[:0], l.tail[n-peekLen+1:]...)
	}
	l.forget(offset + int64(len(chunk)))
	return first
}

// first is the candidate that is proven first, or nil. A Cluster without a header before it
// proves that the middle of a recording is searched, whose header may yet come.
func (l *search) first() (first *Splitter) {
	for _, t := range l.trials {
		if t.proven && (first == nil || t.scan.EndOffset() < first.scan.EndOffset()) {
			first = t
		}
	}
	if first != nil && first.headless {
		l.foundMiddle(first.tried)
		return nil
	}
	return first
}

// forget drops the candidates that had failed before the stream came to an offset.
func (l *search) forget(offset int64) {
	trials := l.trials[:0]
	for _, t := range l.trials {
		if t.err == nil || t.scan.Pos() > offset {
			trials = append(trials, t)
		}
	}
	l.trials = trials
}

// try begins to read a candidate at offset at, if these bytes of it look like one.
func (l *search) try(s *Splitter, bytes []byte, at int64, chunk []byte, offset int64) bool {
	kind := looksLike(bytes)
	if kind == 0 {
		return false
	}
	if l.forget(at + peekLen); len(l.trials) >= maxTrials {
		return false
	}
	known := s.complete()
	if known == nil && (l.middle && kind == IDCluster || !l.middle && at-l.from >= maxJunk) {
		return false
	}
	var t *Splitter
	switch {
	case kind == IDTracks && s.inHeader && !s.hasTracks:
		t = midHeader(s.opts, s.recording().Header, at)
	case kind == IDTracks:
		return false
	case known != nil:
		t = midStream(s.opts, known.Header, at)
	default:
		t = midStream(s.opts, Header{TimestampScale: 1_000_000}, at)
		t.headless = kind == IDCluster
	}
	switch kind {
	case IDCluster:
		t.time.awaitKeyFrames()
	case ebml.IDEBML:
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
	return true
}

// peekLen is how many bytes of a candidate are looked at before it is tried: its ID,
// the longest size, and the first byte of a child.
const peekLen = 4 + ebml.MaxVINTLen + 1

// looksLike is the ID that peekLen bytes begin with if a stream can go on with it and
// what follows looks like a size and a first child, or 0.
func looksLike(bytes []byte) ebml.ID {
	_, n := ebml.ParseVINT(bytes[4:])
	if n <= 0 {
		return 0
	}
	child := ebml.ID(bytes[4+n])
	switch {
	case hasPrefix(bytes, clusterMagic) && (child == IDTimestamp || child == ebml.IDVoid || child == ebml.IDCRC32):
		return IDCluster
	case hasPrefix(bytes, tracksMagic) && (child == IDTrackEntry || child == ebml.IDVoid || child == ebml.IDCRC32):
		return IDTracks
	case hasPrefix(bytes, ebmlMagic):
		return ebml.IDEBML
	}
	return 0
}

// complete is the last recording whose header is complete, or nil.
func (s *Splitter) complete() *Recording {
	n := len(s.report.Recordings)
	if s.inHeader && !s.hasTracks {
		n--
	}
	if n == 0 {
		return nil
	}
	return &s.report.Recordings[n-1]
}

// goOnWithLast goes on where the stream ends with the first candidate that has a whole
// block, and tells whether there is one.
func (s *Splitter) goOnWithLast() bool {
	for _, t := range s.lost.trials {
		if t.err == nil && t.inCluster && t.open.Blocks > 0 && t.tried >= s.lost.until {
			s.settle()
			s.goOn(t)
			return true
		}
	}
	return false
}

// needed is the offset of the first byte that a candidate may have, of a stream of
// that size.
func (l *search) needed(size int64) int64 {
	at := size - int64(len(l.tail))
	for _, t := range l.trials {
		at = min(at, t.tried)
	}
	return at
}

// goAround takes the error for damage, and searches what of the pushed bytes has not
// been read for where the stream goes on. It tells whether the scanner is there, and
// has the rest of them.
func (s *Splitter) goAround() bool {
	if len(s.report.Dropped) >= maxDrops {
		text := "webm: the stream is damaged in more than " + decimal(maxDrops) + " places, the last at " + decimal(s.err.Offset)
		s.err = &Error{Code: CodeTooLarge, Offset: s.err.Offset, text: text}
	}
	if s.detour > 0 {
		s.findNoTracks()
		return false
	}
	if s.opts.Strict || s.err.final() {
		s.settle()
		return false
	}
	reason := s.err
	if s.inCluster && s.open.doubtful != nil {
		reason = s.open.doubtful
	}
	held, chunk, offset := s.scan.Unread()
	n := s.scan.Looked()
	if s.suspend(reason, offset, offset+int64(n)) {
		return false
	}
	if !s.mayLookAgain(n, offset) {
		inHeld := min(n, len(held))
		held, chunk, offset = held[inHeld:], chunk[n-inHeld:], offset+int64(n)
	}
	s.lose(reason)
	s.feed(held, offset)
	if s.lost != nil {
		s.search(chunk, offset+int64(len(held)))
	} else if s.err == nil && s.back < 0 {
		s.scan.Push(chunk)
	}
	return s.err == nil && s.lost == nil && s.back < 0
}

// lose ends what is open with its last whole element, and begins to search for
// where the stream goes on. A header without Tracks stays open: they may follow.
func (s *Splitter) lose(reason *Error) {
	s.begin.known = true
	if s.inCluster || s.hasTracks {
		s.settle()
	}
	s.lost = &search{reason: reason, from: s.whole}
}

// search goes on searching in the bytes at offset.
func (s *Splitter) search(chunk []byte, offset int64) {
	found := s.lost.push(s, chunk, offset)
	known := s.complete() != nil
	switch {
	case found != nil && found.inTracks:
		s.goOnInHeader(found)
	case found != nil:
		s.meet(found)
	case s.inCluster && s.lost.needed(s.size) >= s.lost.until:
		s.findNone()
	case !known && !s.lost.middle && len(s.lost.trials) == 0 && offset+int64(len(chunk))-peekLen >= s.lost.from+maxJunk:
		s.giveUp(s.lost.reason)
	}
}

// foundMiddle takes in that there is a Cluster before any header.
func (l *search) foundMiddle(at int64) {
	l.middle, l.trials = true, nil // the others begin in what it holds
	if l.reason.Code == CodeNotWebM || l.reason.Code == CodeLost {
		l.reason = &Error{Code: CodeMissing, Offset: at, Path: "Cluster",
			text: "webm: Cluster at " + decimal(at) + " has no header before it: the beginning of the recording is missing. Push the stored header before the rest, and " + everyBlob}
	}
}

// giveUp ends the search for good.
func (s *Splitter) giveUp(reason *Error) {
	s.settle()
	s.err, s.lost = reason, nil
}

// goOnInHeader takes over the Tracks that a candidate has read.
func (s *Splitter) goOnInHeader(t *Splitter) {
	rec, ix := s.recording(), s.indexes[len(s.indexes)-1]
	rec.Header.Tracks = t.recording().Header.Tracks
	ix.parts = append(ix.parts, t.indexes[0].parts...)
	reason := s.lost.reason
	s.lost, s.hasTracks = nil, true
	if s.opts.Seeks && s.opts.Rewinds && s.early > 0 { // only the order is another
		s.back = s.early
		s.scan.Reset(s.back, s.segment)
		return
	}
	s.tell(rec.Header.Start, rec.Header.Start)
	s.drop(reason, s.told, -1)
	s.scan, s.whole = t.scan, t.whole
}

// goOn takes over what a candidate has read.
func (s *Splitter) goOn(t *Splitter) {
	reason := s.lost.reason
	s.lost = nil
	if reason.Code == CodeTruncated { // it was not the end
		reason = &Error{CodeOverrun, reason.Offset, reason.Path, reason.text + ", or claims more than is its own"}
	}
	s.tell(s.whole, s.whole)
	after := int64(-1)
	if t.inCluster {
		after = t.open.Timestamp * s.recording().Header.TimestampScale
	}
	lost := t.tried > s.told || reason.Code == CodeLost
	if lost {
		s.drop(reason, t.tried, after)
	}
	s.told, s.whole, s.bound = t.tried, t.whole, 0
	s.scan = t.scan
	if !t.inCluster {
		s.report.Recordings = append(s.report.Recordings, t.report.Recordings[1])
		s.recording().Header.Recording = len(s.report.Recordings) - 1
		s.indexes = append(s.indexes, t.indexes[1])
		s.indexes[len(s.indexes)-1].splitter = s
		s.inHeader, s.hasTracks = true, false
		return
	}
	s.settleGaps()
	if lost {
		s.time.awaitKeyFrames()
	}
	left := t.open.left[:0]
	for _, f := range t.open.left { // as if something were lost
		if s.time.waits[f.track].on {
			left = append(left, f)
		}
	}
	t.open.left = left
	for i, w := range s.time.waits {
		t.time.waits[i] = wait{w.on && t.time.waits[i].on, w.end}
	}
	t.time.nextCue = max(s.time.nextCue, t.time.nextCue)
	s.time = t.time // what a frame lasts is not known across the gap
	s.inCluster, s.open, s.block, s.before = true, t.open, t.block, t.before
	s.open.Recording = len(s.report.Recordings) - 1
	s.repeats.reset()
	s.repeats.begin(t.tried)
	if t.ended {
		s.closeCluster()
	}
}
