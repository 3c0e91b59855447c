package webm

// What plans leave out: video after a loss, whose frames refer to some that are not
// there, until the next key frame.

// Undecodable is frames that are there and cannot be decoded, or not at the right time.
// Plans leave them out, unless their Index says KeepUndecodable.
type Undecodable struct {
	// Reason is CodeNoKeyFrame of video between a loss and the next key frame of its
	// track, CodeOutOfOrder of all that follows a block of audio that goes back in time
	// in its cluster, as the head of another is lost before it, CodeInvalidBlock of
	// blocks of a track that the header has not, and CodeMisplaced of bytes in a cluster
	// that are an element which cannot be there, and no frames.
	Reason     Code
	Recording  int    // index of the recording
	Track      uint64 // its number, or that of the first of them, or 0 if there are none
	Frames     int    // blocks, of one frame as a rule
	Start, End int64  // nanoseconds, of the first of them, and of the key frame or the end of the last
	Offset     int64  // of the first one's SimpleBlock or BlockGroup
}

// A wait is for the key frame of a track of video.
type wait struct {
	on  bool  // there has been a loss, and no key frame since
	end int64 // nanoseconds, where the last frame before the loss ends
}

// A frame is what is kept of frames of video until it is known whether they can be
// decoded, and of those that plans leave out until their cluster is complete.
type frame struct {
	Range   // of its block
	track   int
	at, end int64 // nanoseconds
	key     bool

	// What it is if not video after a loss, or "": a code of Undecodable, or repeated.
	reason   Code
	stranger uint64 // its track, if the header has not that
}

// repeated says that a cluster has had a block already.
const repeated Code = "repeated"

// maxRecent bounds how many frames are kept of those since the last sound, which
// comes every 60 ms or so.
const maxRecent = 64

// awaitKeyFrames says that something is lost before what comes now.
func (s *Splitter) awaitKeyFrames() {
	for i, t := range s.recording().Header.Tracks {
		if t.Type == Video && !s.waits[i].on {
			s.waits[i] = wait{on: true, end: s.clocks[i].endIfSeen()}
		}
	}
	s.recent = s.recent[:0]
}

// see takes in a frame of video.
func (s *Splitter) see(f frame) {
	w := &s.waits[f.track]
	switch {
	case w.on && f.key:
		s.open.left = append(s.open.left, f)
		*w = wait{}
	case w.on:
		s.open.left = append(s.open.left, f)
	case len(s.recent) < maxRecent:
		s.recent = append(s.recent, f)
	}
}

// gapInSound takes the frames since the last sound for what they are if there is
// none from start to end: where pictures go on in between, only sound is missing,
// and otherwise all is.
func (s *Splitter) gapInSound(start, end int64) {
	margin := (end - start) / 4
	recent := s.recent
	for _, f := range recent {
		if f.at > start+margin && f.at < end-margin {
			return
		}
	}
	s.awaitKeyFrames()
	for i := range s.waits {
		// The clocks are further on than the loss by what has come since.
		s.waits[i].end = min(s.waits[i].end, start+margin)
	}
	for _, f := range recent {
		if f.at >= end-margin {
			s.see(f)
		}
	}
}

// dispel leaves out what was doubtful before the block that has just ended, or stops
// there after all if that is none of a track.
func (s *Splitter) dispel() {
	if !s.block.hasHead || s.block.track < 0 {
		s.err = s.open.doubtful
		return
	}
	at := s.block.at
	s.open.left = append(s.open.left, frame{Range: Range{s.whole, s.block.offset}, track: -1, at: at, end: at, reason: s.open.doubtful.Code})
	s.open.doubtful = nil
	s.awaitKeyFrames()
}

// commit takes what the open cluster has seen into the report and the index.
func (s *Splitter) commit(ix *Index) {
	for _, k := range s.open.first {
		if !ix.hasFirst(k.Track) {
			ix.first = append(ix.first, k)
		}
	}
	if room := maxGaps - len(s.report.Gaps); room > 0 {
		s.report.Gaps = append(s.report.Gaps, s.open.gaps[:min(room, len(s.open.gaps))]...)
	}
	for _, f := range s.open.left {
		switch f.reason {
		case repeated:
			s.recording().Repeated++
			ix.leaveOut(f.Range)
		case "":
			s.leaveOut(ix, f)
		default:
			s.leaveOutFor(ix, f)
		}
	}
}

// leaveOut takes an undecodable frame, or the key frame after such, into the report.
func (s *Splitter) leaveOut(ix *Index, f frame) {
	entry := &s.entries[f.track]
	if *entry == 0 && !f.key {
		track := s.recording().Header.Tracks[f.track].Number
		s.report.Undecodable = append(s.report.Undecodable, Undecodable{CodeNoKeyFrame, len(s.report.Recordings) - 1, track, 0, f.at, f.at, f.Start})
		*entry = len(s.report.Undecodable)
	}
	if *entry == 0 {
		return
	}
	u := &s.report.Undecodable[*entry-1]
	if f.key {
		u.End = f.at
		*entry = 0
		return
	}
	u.Frames++
	u.End = max(u.End, f.end)
	ix.leaveOut(f.Range)
}

// leaveOutFor takes a frame that is left out for another reason into the report, with
// those before it of the same.
func (s *Splitter) leaveOutFor(ix *Index, f frame) {
	recording, track, frames := len(s.report.Recordings)-1, f.stranger, 1
	if f.track < 0 {
		frames = 0
	} else if track == 0 {
		track = s.recording().Header.Tracks[f.track].Number
	}
	n := len(s.report.Undecodable)
	if n == 0 || s.report.Undecodable[n-1].Reason != f.reason || s.report.Undecodable[n-1].Recording != recording {
		s.report.Undecodable = append(s.report.Undecodable, Undecodable{f.reason, recording, track, 0, f.at, f.at, f.Start})
		n++
	}
	u := &s.report.Undecodable[n-1]
	u.Frames += frames
	u.End = max(u.End, f.end)
	ix.leaveOut(f.Range)
}

// leaveOut adds a block that plans leave out, as a rule after those that there are.
func (ix *Index) leaveOut(r Range) {
	n := ix.left.len()
	if n > 0 && ix.left.at(n-1).End == r.Start {
		ix.left.at(n - 1).End = r.End
		return
	}
	ix.left.add(r)
	for ; n > 0 && ix.left.at(n-1).Start > r.Start; n-- {
		*ix.left.at(n), *ix.left.at(n - 1) = *ix.left.at(n - 1), *ix.left.at(n)
	}
}

// order is the order of clusters by time, or nil if they are in it: of chunks that
// were pushed in another order.
func (ix *Index) order() []int {
	n := ix.clusters.len()
	inOrder := true
	for i := 1; i < n && inOrder; i++ {
		inOrder = ix.clusters.at(i-1).timestamp <= ix.clusters.at(i).timestamp
	}
	if inOrder {
		return nil
	}
	times := make([]cue, n)
	for i := range times {
		times[i] = cue{time: ix.clusters.at(i).timestamp, cluster: int64(i)}
	}
	order := make([]int, n)
	for i, t := range sorted(times) {
		order[i] = int(t.cluster)
	}
	return order
}

// leftOut are the ranges of the stream that plans leave out of a cluster.
func (ix *Index) leftOut(e *entry) (out []Range) {
	n := ix.left.len()
	if n == 0 || ix.KeepUndecodable {
		return nil
	}
	low, high := 0, n // of the first range after the beginning of the cluster
	for low < high {
		middle := (low + high) / 2
		if ix.left.at(middle).Start < e.Start {
			low = middle + 1
		} else {
			high = middle
		}
	}
	for ; low < n && ix.left.at(low).Start < e.End; low++ {
		out = append(out, *ix.left.at(low))
	}
	return out
}

// leftOutBefore is how many bytes of them come before an offset.
func leftOutBefore(out []Range, offset int64) (n int64) {
	for _, r := range out {
		if r.Start < offset {
			n += r.End - r.Start
		}
	}
	return n
}

// length is the nanoseconds from timestamp 0 to the end of the last frame that plans
// have.
func (ix *Index) length() int64 {
	if ix.KeepUndecodable {
		return ix.duration
	}
	return ix.decodable
}
