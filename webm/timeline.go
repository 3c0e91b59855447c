package webm

// The time of a recording: the clocks of its tracks, the gaps in them, and the key
// frames that are waited for after a loss.

// cueInterval is how far apart the blocks are that a recording without video is
// entered at, in nanoseconds: the least that WebM's guidelines ask for.
const cueInterval = 500_000_000

// A timeline follows the blocks of one recording, in the order of the stream. Times are
// nanoseconds. What it does for a block or a cluster does not depend on how many tracks
// there are.
type timeline struct {
	tracks   []Track // of the recording
	clocks   []clock // by the order of tracks
	waits    []wait  // likewise
	hasVideo bool

	timelineMarks
	kept  timelineMarks // those from when the open cluster began
	saved []savedClock  // of the tracks that have blocks in the open cluster
}

// timelineMarks are what a timeline knows beside its clocks.
type timelineMarks struct {
	nextCue int64 // where the next cue can be if there is no video
	odd     int64 // offset of the last block of sound that does not follow the one before it
	sounds  int64 // how many blocks of sound there have been
}

// A savedClock is what a track's clock was when the open cluster began.
type savedClock struct {
	track int
	clock clock
	wait  wait
}

// A wait is for the key frame of a track of video.
type wait struct {
	on  bool  // there has been a loss, and no key frame since
	end int64 // where the last frame before the loss ends
}

// newTimeline is the timeline of a recording before its first block.
func newTimeline(tracks []Track) timeline {
	t := timeline{tracks: tracks, clocks: make([]clock, len(tracks)), waits: make([]wait, len(tracks)), hasVideo: hasVideo(tracks)}
	t.restart()
	return t
}

// restart makes the clocks begin anew after a loss: what a frame lasts is not known
// across it. Key frames are waited for as before.
func (t *timeline) restart() {
	for i := range t.tracks {
		t.clocks[i] = clock{exact: t.tracks[i].Type != Video && t.tracks[i].Type != Audio}
	}
	t.timelineMarks = timelineMarks{}
	t.save()
}

// save says that a cluster begins, to which restore goes back.
//
//go:noinline
func (t *timeline) save() {
	for i := range t.saved {
		t.clocks[t.saved[i].track].inOne = stay{}
	}
	t.saved = t.saved[:0]
	t.kept = t.timelineMarks
}

// restore makes the timeline what it was when the open cluster began.
func (t *timeline) restore() {
	for _, s := range t.saved {
		t.clocks[s.track], t.waits[s.track] = s.clock, s.wait
	}
	t.saved = t.saved[:0]
	t.timelineMarks = t.kept
}

// touch says that the open cluster has a first block of a track.
func (t *timeline) touch(track int) {
	c := &t.clocks[track]
	t.saved = append(t.saved, savedClock{track, *c, t.waits[track]})
	c.inOne.open = true
}

// endOfCluster is where the last frame of the open cluster ends, if that is after other.
func (t *timeline) endOfCluster(other int64) int64 {
	for _, s := range t.saved {
		if c := &t.clocks[s.track]; c.inOne.seen {
			other = max(other, c.endInCluster())
		}
	}
	return other
}

// awaitKeyFrames says that bytes are lost before what comes now.
func (t *timeline) awaitKeyFrames() {
	for i := range t.tracks {
		if t.tracks[i].Type == Video && !t.waits[i].on {
			t.waits[i] = wait{on: true, end: t.clocks[i].endIfSeen()}
		}
	}
}

// decodable is where the last frame ends that can be decoded, if that is after other, to
// which the clusters before the open one have come.
func (t *timeline) decodable(other int64) int64 {
	for _, s := range t.saved {
		if w := t.waits[s.track]; w.on {
			other = max(other, w.end)
		} else {
			other = max(other, t.clocks[s.track].endIfSeen())
		}
	}
	return other
}

// duration is where the last frame ends, likewise.
func (t *timeline) duration(other int64) int64 {
	for _, s := range t.saved {
		other = max(other, t.clocks[s.track].endIfSeen())
	}
	return other
}

// cue tells whether audio that has no video beside it is cued at a time.
func (t *timeline) cue(at int64) bool {
	if t.hasVideo || at < t.nextCue {
		return false
	}
	t.nextCue = at + cueInterval
	return true
}

// followed is up to where every track has frames that are followed by others.
func (t *timeline) followed() int64 {
	end := int64(maxTime)
	for i := range t.clocks {
		if c := &t.clocks[i]; c.seen {
			end = min(end, c.latest.at-c.delta)
		}
	}
	return end
}

const (
	maxGap = 3           // packets
	minGap = 100_000_000 // nanoseconds, as packets can be 2.5 ms long

	// maxGaps bounds what a report keeps of a stream whose clock is mad.
	maxGaps = 1000

	// maxHoles bounds how many holes may yet be made good.
	maxHoles = 4
)

// A lag is how far the sound of a track is behind its clock: since a hole, until the
// packets that follow it have made that good, or have not.
type lag struct {
	holes  []Gap
	heard  int64 // where the sound is, had there been no hole
	length int64 // of the holes
	wait   int64 // how many more packets are looked at
}

// sound takes in a block of audio before its clock does, and returns the gaps that are
// certain now.
func (t *timeline) sound(c *clock, b *openBlock, duration, seam, previous int64) (gaps []Gap) {
	l, at, offset := &c.late, b.at, b.Start
	if hole := (span{c.endOfLast(), at}); c.seen && c.latest.duration > 0 && hole.to-hole.from > max(minGap-1, maxGap*c.latest.duration) {
		t.odd = offset
		if len(l.holes) == maxHoles {
			gaps = l.settle()
		}
		if len(l.holes) == 0 {
			l.heard, l.length = hole.from, 0
		}
		// Before the first block of a cluster, one between that and the last can be missing.
		boundary := seam >= c.end || !c.inOne.seen && seam >= previous
		gap := Gap{Tracks: t.silentIn(hole, b.track), Start: hole.from, End: hole.to, Offset: offset, Boundary: boundary}
		l.holes = append(l.holes[:len(l.holes):len(l.holes)], gap)
		l.length += hole.to - hole.from
		l.wait = 8 + 2*l.length/c.latest.duration
	}
	if c.seen && at < c.latest.at {
		t.odd = offset
	}
	t.sounds++
	if len(l.holes) == 0 {
		return gaps
	}
	if at-l.heard <= max(duration, minGap/2) {
		l.holes = nil // it was late, and is not lost
		return gaps
	}
	l.heard += max(0, duration)
	if l.wait--; l.wait <= 0 {
		gaps = append(gaps, l.settle()...)
	}
	return gaps
}

// take takes in a block, with the clock of its track, and returns the gaps in the sound that are certain now. The last
// chunk begins at seam, and the cluster before the open one at previous.
func (t *timeline) take(c *clock, b *openBlock, seam, previous int64) (gaps []Gap) {
	if !c.inOne.open {
		t.touch(b.track)
	}
	duration, padding := b.length()
	if b.kind == Audio {
		gaps = t.sound(c, b, duration, seam, previous)
	}
	c.add(lasting{b.at, duration, b.frames, padding}, t.sounds)
	if b.at == c.latest.at {
		c.end = b.End
	}
	return gaps
}

// isOddIn tells whether a range of the stream has the last block of sound that does not
// follow the one before it.
func (t *timeline) isOddIn(r Range) bool { return r.Start <= t.odd && t.odd < r.End }

// observe takes in a frame of video, and tells whether one before it is missing that it may
// refer to, or was up to this key frame.
func (t *timeline) observe(track int, key bool) bool {
	w := &t.waits[track]
	missing := w.on
	if key {
		*w = wait{}
	}
	return missing
}

// forget takes back what blocks in a range of the stream have told, which are there twice.
func (t *timeline) forget(r Range) {
	for i := range t.clocks {
		c := &t.clocks[i]
		*c = clock{exact: c.exact, late: c.late}
		c.late.holes = gapsOutside(c.late.holes, r)
	}
}

// gapsOutside are those that end outside of a range of the stream.
//
//go:noinline
func gapsOutside(gaps []Gap, r Range) (outside []Gap) {
	for _, g := range gaps {
		if g.Offset < r.Start || g.Offset >= r.End {
			outside = append(outside, g)
		}
	}
	return outside
}

// settle are the holes, now that nothing can make them good.
//
//go:noinline
func (l *lag) settle() []Gap {
	gaps := l.holes
	l.holes = nil
	return gaps
}

// settleGaps are the holes of all tracks, where the recording ends or bytes are lost.
//
//go:noinline
func (t *timeline) settleGaps() (gaps []Gap) {
	for i := range t.clocks {
		gaps = append(gaps, t.clocks[i].late.settle()...)
	}
	return gaps
}

// silentIn are the numbers of the tracks that have nothing in a hole of the sound of one
// of them: that, and others whose blocks leave as long a time out.
func (t *timeline) silentIn(hole span, sound int) (numbers []uint64) {
	for i := range t.clocks {
		c := &t.clocks[i]
		since := span{c.latest.at, hole.to} // the last block
		if i == sound || c.seen && (c.hole.sounds == t.sounds && c.hole.covers(hole) || since.covers(hole)) {
			numbers = append(numbers, t.tracks[i].Number)
		}
	}
	return numbers
}

// covers tells whether another span is in this, but for a quarter at its ends.
//
//go:noinline
func (s span) covers(other span) bool {
	margin := (other.to - other.from) / 4
	return s.from <= other.from+margin && s.to >= other.to-margin
}
