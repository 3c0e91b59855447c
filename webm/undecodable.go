package webm

// What plans leave out: video after a loss, whose frames refer to some that are not
// there, until the next key frame.

// Undecodable is frames that are there and cannot be decoded, or not at the right time.
// Plans leave them out, unless their Index says KeepUndecodable.
type Undecodable struct {
	// Reason is CodeNoKeyFrame of video between lost bytes and the next key frame of its
	// track, CodeInvalidBlock of blocks of a track that the header does not have, and
	// CodeMisplaced of an element in a cluster that cannot be there, and has no frames.
	Reason     Code
	Recording  int    // index of the recording
	Track      uint64 // its number, or that of the first of them, or 0 if there are none
	Frames     int    // blocks, of one frame as a rule
	Start, End int64  // nanoseconds, of the first of them, and of the key frame or the end of the last
	Offset     int64  // of the first one's SimpleBlock or BlockGroup
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
	stranger uint64 // the number of its track, if the header does not have that
}

// repeated says that a cluster has had a block already.
const repeated Code = "repeated"

// see takes in a frame of video.
func (s *Splitter) see(f frame) {
	w := &s.time.waits[f.track]
	if w.on {
		s.open.left = append(s.open.left, f)
		if f.key {
			*w = wait{}
		}
	}
}

// dispel leaves out what was doubtful before the block that has just ended, or stops
// there after all if that is none of a track. What the specification does not have may be
// of a later version, and stays.
func (s *Splitter) dispel() {
	if !s.block.hasHead || s.block.track < 0 {
		s.err = s.open.doubtful
		return
	}
	if !s.open.unheard {
		at := s.block.at
		s.open.left = append(s.open.left, frame{Range: Range{s.whole, s.block.offset}, track: -1, at: at, end: at, reason: s.open.doubtful.Code})
	}
	s.open.doubtful = nil
}

// commit takes what the open cluster has seen into the report and the index.
func (s *Splitter) commit(ix *Index) {
	ix.addFirst(s.open.first)
	s.report.addGaps(s.open.gaps)
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
	recording, track, frames := len(s.report.Recordings)-1, f.stranger, 0
	if f.reason == CodeInvalidBlock {
		frames = 1
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
//
//go:noinline
func (ix *Index) leaveOut(r Range) {
	n := len(ix.left)
	if n > 0 && ix.left[n-1].End == r.Start {
		ix.left[n-1].End = r.End
		return
	}
	ix.left = append(ix.left, r)
	for ; n > 0 && ix.left[n-1].Start > r.Start; n-- {
		ix.left[n], ix.left[n-1] = ix.left[n-1], ix.left[n]
	}
}

// leftOut are the ranges of the stream that plans leave out of a cluster, until more are.
func (ix *Index) leftOut(e *entry) (out []Range) {
	from := ix.leftFrom(e.Start)
	to := from
	for to < len(ix.left) && ix.left[to].Start < e.End {
		to++
	}
	if ix.KeepUndecodable {
		return nil
	}
	return ix.left[from:to]
}

// leftFrom is the first range that is left out from an offset on.
//
//go:noinline
func (ix *Index) leftFrom(offset int64) int {
	low, high := 0, len(ix.left)
	for low < high {
		middle := (low + high) / 2
		if ix.left[middle].Start < offset {
			low = middle + 1
		} else {
			high = middle
		}
	}
	return low
}

// isLeftOut tells whether plans leave out the block at an offset.
func (ix *Index) isLeftOut(offset int64) bool {
	i := ix.leftFrom(offset+1) - 1
	return i >= 0 && offset < ix.left[i].End && !ix.KeepUndecodable
}

// isOut tells whether the block at an offset is in one of the ranges.
func isOut(out []Range, offset int64) bool {
	for _, r := range out {
		if r.Start <= offset && offset < r.End {
			return true
		}
	}
	return false
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
