package webm

import (
	"io"

	"github.com/webmend/webmend/ebml"
)

// A Cutter makes the plan of a part of a recording. An index has no blocks, so
// that clusters in which the part begins or ends must be looked into: Reads says
// which ranges of the source those are, and their bytes go into Push.
type Cutter struct {
	index      *Index
	start, end int64 // nanoseconds; only what starts in between is kept
	base       int64 // ticks that become 0
	seekable   bool  // with Cues and Duration, not as an initialization segment and clusters
	from, to   int   // the clusters that can have something to keep
	reads      []int
	key        int64 // where the key frame begins that the part begins with, or -1

	split  *Splitter
	blocks [][]blockFacts // of each of reads, offsets from their clusters' data
	read   int            // which of them is being pushed
	left   int64          // how many bytes of it are to come
}

// Clip is the part of the recording from start up to end, in nanoseconds, as a
// seekable file whose timestamps begin at 0. It begins at the last key frame at
// or before start, or the first one, and ends with the last block that starts
// before end; of audio alone every block is a key frame. The plan's Start and End
// are the real cut points.
//
// The error is an [*Error]: CodeInvalidRange when start is not before end or the
// recording is over by then, CodeNoKeyFrame, CodeNoClusters.
func (ix *Index) Clip(start, end int64) (*Cutter, error) {
	if ix.clusters.len() == 0 {
		return nil, planError(CodeNoClusters, "the recording has no cluster yet")
	}
	if start >= end || start >= ix.duration || end <= 0 {
		return nil, planError(CodeInvalidRange, "a clip must have its start before its end, and before the recording's")
	}
	key, err := ix.keyFrameBefore(start)
	if err != nil {
		return nil, err
	}
	c := &Cutter{index: ix, seekable: true, end: end, start: start, key: -1}
	if key != nil {
		c.start, c.key = key.Timestamp*ix.header.TimestampScale, key.Offset
	}
	c.choose()
	return c, nil
}

// JoinPoint is what someone needs who comes late: an initialization segment, and
// the clusters from the newest key frame on, with known sizes. Times stay.
//
// The error is an [*Error]: CodeNoKeyFrame or CodeNoClusters.
func (ix *Index) JoinPoint() (*Cutter, error) {
	if ix.clusters.len() == 0 {
		return nil, planError(CodeNoClusters, "the recording has no cluster yet")
	}
	key, err := ix.keyFrameBefore(maxTime)
	if err != nil {
		return nil, err
	}
	last := ix.clusters.len() - 1
	for last > 0 && ix.clusters.at(last).flags&hasBlocks == 0 {
		last--
	}
	c := &Cutter{index: ix, end: maxTime, start: ix.clusters.at(last).timestamp * ix.header.TimestampScale, key: -1}
	if key != nil {
		c.start, c.key = key.Timestamp*ix.header.TimestampScale, key.Offset
	}
	c.choose()
	return c, nil
}

// keyFrameBefore is the last key frame of video at or before a time, or the first,
// or nil where there is no frame of video.
func (ix *Index) keyFrameBefore(time int64) (*KeyFrame, error) {
	video := false
	for i := range ix.first {
		video = video || ix.isOf(ix.first[i].Track, Video)
	}
	if !video {
		return nil, nil
	}
	n := ix.keyFrames.len()
	if n == 0 {
		return nil, planError(CodeNoKeyFrame, "the video has no key frame to begin with")
	}
	for n > 1 && ix.keyFrames.at(n-1).Timestamp*ix.header.TimestampScale > time {
		n--
	}
	return ix.keyFrames.at(n - 1), nil
}

// choose finds the clusters that the part is in, and those to be read: where a
// cut may fall inside.
func (c *Cutter) choose() {
	n := c.index.clusters.len()
	scale := c.index.header.TimestampScale
	begin := func(i int) int64 { return c.index.clusters.at(i).timestamp * scale }

	if c.key >= 0 {
		for c.from < n-1 && c.index.clusters.at(c.from).End <= c.key {
			c.from++
		}
	} else {
		empty := func(i int) bool { return c.index.clusters.at(i).flags&hasBlocks == 0 }
		for i := 1; i < n && (begin(i) <= c.start || empty(c.from)); i++ {
			if !empty(i) {
				c.from = i
			}
		}
	}
	inside := c.from
	// Audio that starts after the key frame can be in a cluster before it.
	for c.key >= 0 && c.from > 0 && c.index.clusters.at(c.from-1).until > c.start {
		c.from--
	}
	for c.to = n; c.to > inside+1 && begin(c.to-1) >= c.end; {
		c.to--
	}
	if c.key >= 0 {
		inside = c.allBegun(inside)
	}
	for i := c.from; i < c.to; i++ {
		e := c.index.clusters.at(i)
		if e.size() > 0 && (i <= inside || begin(i) < c.start || e.until > c.end) {
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
		for cluster < c.to-1 && ix.clusters.at(cluster).End <= at {
			cluster++
		}
	}
	return cluster
}

// Reads are the ranges of the source that must be pushed, in this order.
func (c *Cutter) Reads() []Range {
	ranges := make([]Range, len(c.reads))
	for j, i := range c.reads {
		e := c.index.clusters.at(i)
		begin := c.index.dataOf(&e)
		ranges[j] = Range{begin, begin + e.size()}
	}
	return ranges
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
		if err := c.split.Push(chunk[:n]); err != nil {
			return err
		}
		chunk = chunk[n:]
		if c.left -= int64(n); c.left == 0 {
			c.read++
		}
	}
	return nil
}

// open makes ready for the next cluster to be read: a splitter that is in the
// middle of the recording, and before that cluster's data.
func (c *Cutter) open() {
	e := c.index.clusters.at(c.reads[c.read])
	head := clusterHead(e.size(), 8)
	s := midStream(Options{}, c.index.header, e.data()-int64(len(head)))
	read := c.read
	s.visit = func(b blockFacts) {
		b.Start -= e.data()
		b.End -= e.data()
		c.blocks[read] = append(c.blocks[read], b)
	}
	s.Push(head)
	c.split, c.left = s, e.size()
}

// PlanFrom reads what must be read from src, the source, and makes the plan.
func (c *Cutter) PlanFrom(src io.ReaderAt) (*Plan, error) {
	window := make([]byte, 64<<10)
	for _, r := range c.Reads() {
		for at := r.Start; at < r.End; {
			n, err := src.ReadAt(window[:min(int64(len(window)), r.End-at)], at)
			if n == 0 {
				if err == nil || err == io.EOF {
					err = io.ErrUnexpectedEOF
				}
				return nil, err
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
	if c.key < 0 {
		c.beginWithAudio()
	}
	if c.seekable {
		c.base = c.start / scale
	}
	b := builder{index: ix}
	tracks := len(ix.header.Tracks)
	filter := filter{c, &b, make([]bool, tracks), make([]int64, tracks), 0}
	var until int64
	key := 0
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
		if c.seekable {
			moved = b.retimed(ix, i, 0, e.timestamp-c.base, ix.edit(&e))
		} else {
			b.cluster(ix, i)
		}
		for ; key < ix.keyFrames.len() && ix.keyFrames.at(key).Offset < e.End; key++ {
			if k := ix.keyFrames.at(key); k.Offset > e.Start {
				relative := k.Offset - e.data() + moved - leftOutBefore(ix.leftOut(&e), k.Offset)
				b.cues = append(b.cues, cue{k.Timestamp - c.base, k.Track, at, relative})
			}
		}
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

// beginWithAudio moves the start to that of the block that plays there, or of the
// first one after it.
func (c *Cutter) beginWithAudio() {
	scale := c.index.header.TimestampScale
	if len(c.blocks) == 0 {
		return
	}
	start := c.start
	for i, b := range c.blocks[0] {
		if at := b.ticks * scale; i == 0 || at <= c.start {
			start = at
		}
	}
	// Nor after a cluster that is kept as it is, should that go back in time.
	for i := c.from + 1; i < c.to && start > c.start; i++ {
		start = min(start, max(c.start, c.index.clusters.at(i).timestamp*scale))
	}
	c.start = start
}

// A filter adds clusters with only those blocks that a cut keeps.
type filter struct {
	cutter  *Cutter
	builder *builder
	begun   []bool // by track: has had a key frame, or needs none
	nextCue []int64
	until   int64 // nanoseconds, where the last frame ends that is kept
}

func (f *filter) cluster(i int, blocks []blockFacts) {
	c := f.cutter
	ix := c.index
	e := ix.clusters.at(i)
	scale := ix.header.TimestampScale
	timestamp := max(0, e.timestamp-c.base)
	shift := e.timestamp - c.base - timestamp

	// A frame that does not say how long it lasts does so until the next.
	clocks, next := make([]clock, len(f.begun)), make([]int64, len(f.begun))
	for j := len(blocks) - 1; j >= 0; j-- {
		b := &blocks[j]
		at := b.ticks * scale
		if b.duration == 0 && next[b.track] > at {
			b.duration = next[b.track] - at
		}
		next[b.track] = at
	}

	var kept Plan
	var cues []cue
	count := 0
	data := ix.dataOf(&e)
	out := ix.leftOut(&e)
	for _, b := range blocks {
		for len(out) > 0 && out[0].End <= e.data()+b.Start {
			out = out[1:]
		}
		if len(out) > 0 && out[0].Start <= e.data()+b.Start {
			continue
		}
		at := b.ticks * scale
		track := &ix.header.Tracks[b.track]
		if track.Type != Video || b.key && e.data()+b.Start >= c.key {
			f.begun[b.track] = true
		}
		if at >= c.end {
			continue
		}
		clocks[b.track].add(at, b.duration)
		if at < c.start || !f.begun[b.track] {
			continue
		}
		count++
		if b.key && f.cues(b.track, at) {
			cues = append(cues, cue{b.ticks - c.base, track.Number, f.builder.body.Size, kept.Size})
		}
		kept.add(Piece{Range: Range{data + b.Start, data + b.End}})
	}
	if kept.Size == 0 {
		return
	}
	for j := range clocks {
		if clocks[j].seen && f.begun[j] {
			f.until = max(f.until, clocks[j].end())
		}
	}
	if count == len(blocks) {
		f.until = max(f.until, e.until)
	}
	head, _ := e.retime(kept.Size, timestamp)
	timeLen := int64(len(ebml.AppendUint(nil, IDTimestamp, uint64(timestamp))))
	for _, q := range cues {
		q.relative += timeLen
		f.builder.cues = append(f.builder.cues, q)
	}
	f.builder.body.write(head)
	for _, piece := range kept.Pieces {
		piece.Edit = ix.edit(&e).and(&Edit{Shift: shift})
		f.builder.body.add(piece)
	}
}

// cues tells whether a block that can be decoded on its own is to be in the Cues:
// a key frame of video, the first block of audio beside video, or audio alone
// every half second.
func (f *filter) cues(track int, at int64) bool {
	if f.cutter.index.header.Tracks[track].Type == Video {
		return true
	}
	if at < f.nextCue[track] {
		return false
	}
	f.nextCue[track] = at + cueInterval
	if f.cutter.key >= 0 {
		f.nextCue[track] = maxTime
	}
	return true
}
