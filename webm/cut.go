package webm

import "io"

// A Cutter makes the plan of a part of a recording. An index has no blocks, so
// that clusters in which the part begins or ends must be looked into: Reads says
// which ranges of the sources those are, and their bytes go into Push. One goroutine at a
// time may use it. The zero value is of no use: see [Index.Clip].
type Cutter struct {
	index      *Index
	start, end int64 // nanoseconds; only what starts in between is kept
	all        bool  // from the beginning on: nothing is left out at the start
	base       int64 // ticks that become 0
	seekable   bool  // with Cues and Duration, not as an initialization segment and clusters
	from, to   int   // the clusters that can have something to keep
	reads      []int
	key        int64 // offset of the key frame that the part begins with, or -1

	parse  parser         // of the cluster that is being pushed
	blocks [][]blockFacts // of each of reads, offsets from their clusters' data
	read   int            // which of them is being pushed
	left   int64          // how many bytes of it are to come
}

// jitter is how much later than the one before it ends a packet of sound can come, in
// nanoseconds, and follow it all the same.
const jitter = 25_000_000

// Clip is the part of the recording from start up to end, in nanoseconds, as a
// seekable file whose timestamps begin at 0. It begins at the last key frame at
// or before start. Where there is none it begins with the sound at start, and video
// follows from its first key frame on. If start is not after the first block of any
// track, it is all of the recording up to end.
//
// It ends with the last block that starts before end. Of video it has what comes before
// that in the order of the stream, too, as that may be referred to. The plan's Start and
// End are the times actually used.
//
// The error is an [*Error]: CodeInvalidRange when start is not before end or the
// recording is over by then, CodeNoKeyFrame, CodeNoClusters.
func (ix *Index) Clip(start, end int64) (*Cutter, error) {
	ix = ix.now()
	if ix.clusters.len() == 0 {
		return nil, planError(CodeNoClusters, "the recording has no cluster yet")
	}
	if start >= end || start >= ix.duration || end <= 0 {
		return nil, planError(CodeInvalidRange, "a clip must start before it ends, and before the recording ends")
	}
	c := &Cutter{index: ix, seekable: true, end: end, start: start, key: -1}
	if begin := ix.begin(); start <= begin {
		c.start, c.all = begin, true
	} else if key, ok := ix.keyFrameBefore(start); ok {
		c.start, c.key = key.Time, key.Offset
	} else if !ix.hasBlocks(false) && ix.keyFrames.len() == 0 {
		return nil, errNoKeyFrame()
	}
	c.choose()
	return c, nil
}

// JoinPoint is what live viewers need who join late: an initialization segment, and
// the clusters from the newest key frame on, with known sizes. Times stay.
//
// The error is an [*Error]: CodeNoKeyFrame or CodeNoClusters.
func (ix *Index) JoinPoint() (*Cutter, error) {
	ix = ix.now()
	if ix.clusters.len() == 0 {
		return nil, planError(CodeNoClusters, "the recording has no cluster yet")
	}
	last := ix.clusters.len() - 1
	for last > 0 && ix.clusters.at(last).flags&hasBlocks == 0 {
		last--
	}
	c := &Cutter{index: ix, end: maxTime, start: ix.clusters.at(last).timestamp * ix.header.TimestampScale, key: -1}
	if ix.hasBlocks(true) {
		key, ok := ix.keyFrameBefore(maxTime)
		if !ok {
			return nil, errNoKeyFrame()
		}
		c.start, c.key = key.Time, key.Offset
	}
	c.choose()
	return c, nil
}

func errNoKeyFrame() *Error {
	return planError(CodeNoKeyFrame, "the video has no key frame to begin with")
}

// begin is the time of the first block of any track, in nanoseconds.
func (ix *Index) begin() int64 {
	begin := int64(maxTime)
	for i := range ix.first {
		begin = min(begin, ix.first[i].Time)
	}
	return begin
}

// hasBlocks tells whether there is a block of video, or of another track.
func (ix *Index) hasBlocks(video bool) bool {
	for i := range ix.first {
		if ix.isOf(ix.first[i].Track, Video) == video {
			return true
		}
	}
	return false
}

// keyFrameBefore is the last key frame of video at or before a time, if there is one.
func (ix *Index) keyFrameBefore(time int64) (k KeyFrame, ok bool) {
	if !ix.hasBlocks(true) {
		return KeyFrame{}, false
	}
	for n := ix.keyFrames.len() - 1; n >= 0; n-- {
		if k = ix.keyFrames.at(n); k.Time <= time && !ix.isLeftOut(k.Offset) {
			return k, true
		}
	}
	return KeyFrame{}, false
}

// choose finds the clusters that the part is in, and those to be read: where a
// cut may fall inside.
func (c *Cutter) choose() {
	ix := c.index
	n := ix.clusters.len()
	scale := ix.header.TimestampScale
	begin := func(i int) int64 { return ix.clusters.at(i).timestamp * scale }

	c.from = 0
	if c.key >= 0 {
		for c.from < n-1 && ix.clusters.at(c.from).End <= c.key {
			c.from++
		}
	} else if !c.all {
		for c.from < n-1 && ix.clusters.at(c.from).until+jitter <= c.start {
			c.from++
		}
	}
	inside := c.from
	// Audio that starts after the key frame can be in a cluster before it.
	for c.key >= 0 && c.from > 0 && ix.clusters.at(c.from-1).until > c.start {
		c.from--
	}
	for c.to = n; c.to > inside+1 && begin(c.to-1) >= c.end; {
		c.to--
	}
	if !c.all {
		inside = c.allBegun(inside)
	}
	ends := false // from here on a cluster can have blocks that start after the end
	for i := c.from; i < c.to; i++ {
		e := ix.clusters.at(i)
		ends = ends || e.until > c.end || begin(i) >= c.end
		if e.size() > 0 && (!c.all && (i <= inside || begin(i) <= c.start) || ends) {
			c.reads = append(c.reads, i)
		}
	}
	c.blocks = make([][]blockFacts, len(c.reads))
}

// allBegun is the cluster by which, from the one that the part begins in, every
// track of video has had a key frame: what comes of a track before is dropped.
func (c *Cutter) allBegun(cluster int) int {
	ix := c.index
	for i := range ix.first {
		track := ix.first[i].Track
		if !ix.isOf(track, Video) {
			continue
		}
		at := int64(1<<63 - 1)
		for k := ix.keyFrames.len() - 1; k >= 0 && ix.keyFrames.at(k).Offset >= c.key; k-- {
			if ix.keyFrames.at(k).Track == track {
				at = ix.keyFrames.at(k).Offset
			}
		}
		if at == ix.first[i].Offset {
			continue // nothing of it comes before
		}
		for cluster < c.to-1 && ix.clusters.at(cluster).End <= at {
			cluster++
		}
	}
	return cluster
}

// Reads are the ranges of the sources that must be pushed, in this order, as pieces
// without Data or an Edit.
func (c *Cutter) Reads() []Piece {
	pieces := make([]Piece, len(c.reads))
	for j, i := range c.reads {
		e := c.index.clusters.at(i)
		source, begin, _ := c.index.source(i, &e)
		pieces[j] = Piece{Source: source, Range: Range{begin, begin + e.size()}}
	}
	return pieces
}

// Waiting tells whether bytes of Reads are still to be pushed.
func (c *Cutter) Waiting() bool { return c.read < len(c.reads) }

// Push takes the bytes of Reads, back to back and cut anywhere. It keeps nothing
// of them.
func (c *Cutter) Push(chunk []byte) error {
	for len(chunk) > 0 {
		if c.left == 0 {
			if c.read == len(c.reads) {
				return planError(CodeInvalidRange, "more was pushed than a cutter asked for")
			}
			c.open()
		}
		n := int(min(c.left, int64(len(chunk))))
		c.parse.push(chunk[:n])
		if err := c.readBlocks(); err != nil {
			return err
		}
		chunk = chunk[n:]
		if c.left -= int64(n); c.left == 0 {
			c.read++
		}
	}
	return nil
}

// open makes ready for the next cluster to be read: a parser that is in the
// middle of the recording, and has read that cluster's head.
func (c *Cutter) open() {
	e := c.index.clusters.at(c.reads[c.read])
	head := clusterHead(e.size(), 8)
	// What the splitter has let pass is let pass.
	c.parse.begin(policy{limits: Options{MaxClusterSize: maxTime}, tolerant: true}, &c.index.header, e.data()-int64(len(head)))
	c.parse.push(head)
	c.readBlocks()
	c.left = e.size()
}

// readBlocks takes in the blocks of what has been pushed.
func (c *Cutter) readBlocks() error {
	for {
		switch c.parse.next() {
		case blockDone:
			if b := &c.parse.block; b.track >= 0 {
				data := c.parse.cluster.data()
				duration, _ := b.length()
				c.blocks[c.read] = append(c.blocks[c.read], blockFacts{Range{b.Start - data, b.End - data}, b.track, b.ticks, max(0, duration), b.key})
			}
		case damage:
			return c.parse.err
		case more:
			return nil
		}
	}
}

// A blockFacts is what a Cutter must know of a block.
type blockFacts struct {
	Range        // of its SimpleBlock or BlockGroup, from its cluster's data on
	track    int // index of its track
	ticks    int64
	duration int64 // nanoseconds, 0 if not known
	key      bool
}

// PlanFrom reads what must be read from the sources, and makes the plan.
func (c *Cutter) PlanFrom(src ...io.ReaderAt) (*Plan, error) {
	reads := c.Reads()
	for i := range reads {
		if err := reads[i].checkSource(src); err != nil {
			return nil, err
		}
	}
	window := make([]byte, 64<<10)
	for _, r := range reads {
		for at := r.Start; at < r.End; {
			n, err := src[r.Source].ReadAt(window[:min(int64(len(window)), r.End-at)], at)
			if n == 0 {
				return nil, readError(err)
			}
			if err := c.Push(window[:n]); err != nil {
				return nil, err
			}
			at += int64(n)
		}
	}
	return c.Plan()
}

// Plan makes the plan, once all of Reads has been pushed.
func (c *Cutter) Plan() (*Plan, error) {
	if c.Waiting() {
		return nil, planError(CodeInvalidRange, "a cutter lacks bytes that it asked for")
	}
	ix := c.index
	scale := ix.header.TimestampScale
	if c.key < 0 && !c.all {
		c.beginWithSound()
	}
	if c.seekable {
		c.base = c.start / scale
	}
	b := builder{index: ix}
	tracks := len(ix.header.Tracks)
	filter := filter{c, &b, make([]bool, tracks), c.lastOfVideo(), make([]int64, tracks), 0}
	var until int64
	for i, read := c.from, 0; i < c.to; i++ {
		if read < len(c.reads) && c.reads[read] == i {
			filter.cluster(i, c.blocks[read])
			read++
			continue
		}
		e := ix.clusters.at(i)
		if e.size() == 0 {
			continue
		}
		at, moved := b.body.Size, int64(0)
		if timestamp := e.timestamp - c.base; !c.seekable {
			b.cluster(ix, i)
		} else if _, _, edit := ix.source(i, &e); timestamp >= 0 {
			moved = b.retimed(ix, i, 0, timestamp, edit)
		} else { // it is before the first block, whose own relative timestamp is more than that
			moved = b.retimed(ix, i, 0, 0, edit.and(&Edit{Shift: timestamp}))
		}
		b.cueCluster(ix, &e, at, moved, -c.base, nil)
		until = max(until, e.until)
	}
	until = min(max(until, filter.until), ix.length())
	if b.body.Size == 0 {
		return nil, planError(CodeInvalidRange, "no block starts in the range")
	}
	var plan *Plan
	if c.seekable {
		plan, _ = b.finish(until - c.base*scale)
	} else {
		plan = ix.InitializationSegment()
		plan.append(&b.body)
	}
	plan.Start, plan.End = c.start, max(c.start, until) // of unknown tracks it knows no end
	return plan, nil
}

// beginWithSound moves the start to that of the block that plays there, or of the
// first one after it, be it sound or a key frame of video.
func (c *Cutter) beginWithSound() {
	ix := c.index
	scale := ix.header.TimestampScale
	start, playing := int64(maxTime), int64(-maxTime)
	for j, blocks := range c.blocks {
		e := ix.clusters.at(c.reads[j])
		out := ix.leftOut(&e)
		for _, b := range blocks {
			at := b.ticks * scale
			switch {
			case isOut(out, e.data()+b.Start):
			case at > c.start && (b.key || ix.header.Tracks[b.track].Type != Video):
				start = min(start, at)
			case at <= c.start && ix.header.Tracks[b.track].Type != Video && (b.duration == 0 || at+b.duration+jitter > c.start):
				playing = max(playing, at)
			}
		}
	}
	for i := c.from + 1; i < c.to && start > c.start; i++ { // one that is not read
		start = min(start, max(c.start, ix.clusters.at(i).timestamp*scale))
	}
	if playing > -maxTime {
		start = playing
	}
	if start < maxTime {
		c.start = start
	}
}

// lastOfVideo is, by track, the offset of the last block of video that starts before the
// end: what comes before that in the order of the stream may be referred to.
func (c *Cutter) lastOfVideo() []int64 {
	ix := c.index
	last := make([]int64, len(ix.header.Tracks))
	for j, blocks := range c.blocks {
		e := ix.clusters.at(c.reads[j])
		for _, b := range blocks {
			if b.ticks*ix.header.TimestampScale < c.end && ix.header.Tracks[b.track].Type == Video {
				last[b.track] = max(last[b.track], e.data()+b.Start)
			}
		}
	}
	return last
}
