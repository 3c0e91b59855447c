package webm

// What there is of the open cluster, until it is complete or given up.

// A tally counts the blocks of the open cluster, until it is complete.
type tally struct {
	previous int64 // where the cluster before it begins
	entry    entry // for the index
	blocks   int
	counts   []trackCount // of the tracks that have blocks, in the order of the header
	first    []KeyFrame   // the first blocks of tracks in the recording
	gaps     []Gap
	unlisted int // how many gaps there are more
	leaving  []leaving
	repeated int
	sawVideo bool // it has a block of video
}

// A trackCount is the TrackBlocks of the track at an index.
type trackCount struct {
	track int
	TrackBlocks
}

// A leaving is what plans leave out of the open cluster, of one track for one reason.
type leaving struct {
	Undecodable
	track int  // its index, of video after a loss, or -1
	over  bool // a key frame has come
}

// begin begins a cluster, with nothing of one that was open before.
func (l *ledger) begin() {
	c := &l.parse.cluster
	previous := l.open.entry.Start
	if previous == c.Start { // it is read again
		previous = l.open.previous
	}
	t := &l.open
	*t = tally{
		previous: previous,
		entry:    entry{Range: Range{Start: c.Start}, headLen: uint8(c.headLen)},
		counts:   t.counts[:0], // whose memory serves for every cluster
		first:    t.first[:0],
		gaps:     t.gaps[:0],
		leaving:  t.leaving[:0],
	}
	if !l.time.hasVideo {
		t.entry.flags = beginsWithKey
	}
	l.isOpen = true
}

// forget gives the open cluster up, as it has nothing or is to be read again.
//
//go:noinline
func (l *ledger) forget() {
	l.isOpen = false
	l.index.forgetFrom(l.open.entry.Start)
}

// count counts a block of the open cluster, and returns what there is of its track.
func (l *ledger) count(b *openBlock) *TrackBlocks {
	t := &l.open
	t.blocks++
	if b.head.timestamp >= maxLate {
		t.entry.flags |= isLong
	}
	if b.track < 0 {
		return nil
	}
	if b.codec != "" {
		l.index.header.Tracks[b.track].Codec = b.codec
	}
	if b.kind == Video {
		if b.flag && !t.sawVideo {
			t.entry.flags |= beginsWithKey
		}
		t.sawVideo = true
	}
	for i := range t.counts {
		if c := &t.counts[i]; c.track == b.track {
			c.Blocks++
			return &c.TrackBlocks
		}
	}
	return l.addCount(b.track)
}

// addCount begins to count the track at an index, with its first block.
func (l *ledger) addCount(track int) *TrackBlocks {
	t := &l.open
	i := 0
	for i < len(t.counts) && t.counts[i].track < track {
		i++
	}
	t.counts = append(t.counts, trackCount{})
	copy(t.counts[i+1:], t.counts[i:])
	t.counts[i] = trackCount{track, TrackBlocks{Number: l.index.header.Tracks[track].Number, Blocks: 1}}
	return &t.counts[i].TrackBlocks
}

// mark takes in what of a block is in the form of its cluster, and whether it is a key frame.
func (l *ledger) mark(b *openBlock, counts *TrackBlocks) {
	flags := &l.open.entry.flags
	*flags |= hasBlocks
	if b.key && !b.flag && b.simple {
		*flags |= needsKeys
	}
	if b.key {
		counts.KeyFrames++
	}
}

// keyFrame is the block as one.
//
//go:noinline
func (l *ledger) keyFrame(b *openBlock) KeyFrame {
	return KeyFrame{l.index.header.Tracks[b.track].Number, b.ticks, b.at, b.Start}
}

// addFirst takes in that a block is the first of its track.
func (l *ledger) addFirst(b *openBlock) { l.open.first = append(l.open.first, l.keyFrame(b)) }

// addKeyFrame takes in a key frame of video or, where there is no video, a cue.
func (l *ledger) addKeyFrame(b *openBlock) { l.index.keyFrames.add(l.keyFrame(b)) }

// videoKeys are the key frames of video, or nil if there is no video.
func (l *ledger) videoKeys() *keyFrameList {
	if !l.time.hasVideo {
		return nil
	}
	return &l.index.keyFrames
}

// noteGaps keeps gaps for the report, until their cluster is complete.
func (l *ledger) noteGaps(gaps []Gap) {
	for _, g := range gaps {
		if len(l.open.gaps) < maxGaps {
			l.open.gaps = append(l.open.gaps, g)
		} else {
			l.open.unlisted++
		}
	}
}

// leaveOut takes in a frame of video that cannot be decoded.
func (l *ledger) leaveOut(b *openBlock, end int64) {
	l.leavingFor(CodeNoKeyFrame, b.track, b.head.track, b.Range, b.at).add(1, end)
	l.index.left.add(b.Range)
}

// endLeaving takes in a key frame after such.
func (l *ledger) endLeaving(b *openBlock) {
	if l.leaving[b.track] == 0 && !l.isLeaving(b.track) {
		return
	}
	u := l.leavingFor(CodeNoKeyFrame, b.track, b.head.track, b.Range, b.at)
	u.End, u.over = b.at, true
}

// leaveOutStray takes in a block of no track, or elements that cannot be in a cluster.
func (l *ledger) leaveOutStray(r Range, reason Code, track uint64, frames int, at int64) {
	l.leavingFor(reason, -1, track, r, at).add(frames, at)
	l.index.left.add(r)
}

// add adds frames, the last of which ends at a time.
func (u *leaving) add(frames int, end int64) {
	u.Frames += frames
	u.End = max(u.End, end)
}

// isLeaving tells whether a track has frames in the open cluster that are left out.
func (l *ledger) isLeaving(track int) bool {
	for i := range l.open.leaving {
		if l.open.leaving[i].track == track {
			return true
		}
	}
	return false
}

// leavingFor is what the open cluster leaves out for a reason, of the track at an index or
// if that is -1 of any. If there is nothing yet it begins at a range of the stream and a time.
//
//go:noinline
func (l *ledger) leavingFor(reason Code, track int, number uint64, r Range, at int64) *leaving {
	t := &l.open
	for i := range t.leaving {
		if u := &t.leaving[i]; u.track == track && u.Reason == reason {
			return u
		}
	}
	t.leaving = append(t.leaving, leaving{Undecodable{reason, len(l.report.Recordings) - 1, number, 0, at, at, r.Start}, track, false})
	return &t.leaving[len(t.leaving)-1]
}

// leaveOutRepeated takes in a block that the stream has had already.
func (l *ledger) leaveOutRepeated(r Range) {
	l.open.repeated++
	l.index.left.add(r)
}

// commit takes what the open cluster has into the report and the index, up to what is
// whole, and returns it.
func (l *ledger) commit(cut bool) Cluster {
	l.isOpen = false
	t, rec, ix := &l.open, l.recording(), l.index
	ix.addFirst(t.first)
	l.addGaps(t.gaps)
	l.report.Unlisted += t.unlisted
	rec.Repeated += t.repeated
	l.commitUndecodable()
	c := l.soFar()
	c.Cut = cut
	rec.NumClusters++
	rec.Duration = l.time.duration(rec.Duration)
	ix.decodable = l.time.decodable(ix.decodable)
	ix.duration = rec.Duration
	ix.add(c.form)
	l.account(c.Start, c.End)
	return c
}

// commitUndecodable adds what the open cluster leaves out to the report, by the order of its
// first frames, or goes on with an entry of the same.
func (l *ledger) commitUndecodable() {
	for i := range l.open.leaving {
		u := &l.open.leaving[i]
		at := 0
		if n := len(l.report.Undecodable); u.track >= 0 {
			at = l.leaving[u.track]
		} else if n > 0 && l.report.Undecodable[n-1].Reason == u.Reason && l.report.Undecodable[n-1].Recording == u.Recording {
			at = n
		}
		if at == 0 {
			at = l.addUndecodable(u.Undecodable)
		} else if at > 0 {
			before := &l.report.Undecodable[at-1]
			before.Frames += u.Frames
			if before.End = max(before.End, u.End); u.over {
				before.End = u.End
			}
		}
		if u.over {
			at = 0
		}
		if u.track >= 0 {
			l.leaving[u.track] = at
		}
	}
}

// soFar is the open cluster up to what is whole.
func (l *ledger) soFar() Cluster {
	t, p, end := &l.open, &l.parse.cluster, l.parse.committed
	begin := p.timestamp * l.index.header.TimestampScale
	c := Cluster{
		Range:     Range{p.Start, end},
		Recording: len(l.report.Recordings) - 1,
		HeadLen:   p.headLen,
		Known:     p.known,
		Timestamp: p.timestamp,
		Time:      begin,
		Duration:  l.time.endOfCluster(begin) - begin,
		Blocks:    t.blocks,
		Tracks:    make([]TrackBlocks, len(t.counts)),
		form:      t.entry,
	}
	for i := range t.counts {
		c.Tracks[i] = t.counts[i].TrackBlocks
	}
	c.form.End, c.form.timestamp, c.form.timeAt, c.form.timeLen = end, p.timestamp, p.timeAt, p.timeLen
	c.form.flags |= p.flags
	if c.form.flags&hasBlocks != 0 {
		c.form.until = begin + c.Duration
	}
	return c
}
