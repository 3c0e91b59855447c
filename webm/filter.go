package webm

// Which blocks of a cluster a cut keeps, of the clusters that it goes through.

import "github.com/webmend/webmend/ebml"

// A filter adds clusters with only those blocks that a cut keeps.
type filter struct {
	cutter  *Cutter
	builder *builder
	begun   []bool  // by track: has had a key frame, or needs none
	last    []int64 // by track: see lastOfVideo
	nextCue []int64
	until   int64 // nanoseconds, where the last frame ends that is kept
}

// keeps tells whether a block is kept.
func (f *filter) keeps(b *blockFacts, offset int64) bool {
	c := f.cutter
	at := b.ticks * c.index.header.TimestampScale
	if c.all || c.index.header.Tracks[b.track].Type != Video || b.key && offset >= c.key {
		f.begun[b.track] = true
	}
	return f.begun[b.track] && (c.all || at >= c.start) && (at < c.end || offset < f.last[b.track])
}

func (f *filter) cluster(i int, blocks []blockFacts) {
	c := f.cutter
	ix := c.index
	e := ix.clusters.at(i)
	scale := ix.header.TimestampScale
	timestamp := max(0, e.timestamp-c.base)
	shift := e.timestamp - c.base - timestamp

	// A frame that does not say how long it lasts does so until the next.
	clocks, next, has := make([]clock, len(f.begun)), make([]int64, len(f.begun)), make([]bool, len(f.begun))
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
	source, data, edit := ix.source(i, &e)
	out := ix.leftOut(&e)
	for j := range blocks {
		b := &blocks[j]
		offset := e.data() + b.Start
		at := b.ticks * scale
		keeps := f.keeps(b, offset)
		if isOut(out, offset) {
			continue
		}
		if keeps || at < c.end {
			duration := b.duration
			if duration == 0 {
				duration = unknownDuration
			}
			clocks[b.track].add(lasting{at, duration, 1, 0}, 0)
		}
		if !keeps {
			continue
		}
		count++
		has[b.track] = true
		if b.key && f.cues(b.track, at) {
			cues = append(cues, cue{b.ticks - c.base, ix.header.Tracks[b.track].Number, f.builder.body.Size, kept.Size})
		}
		kept.add(Piece{Source: source, Range: Range{data + b.Start, data + b.End}})
	}
	if kept.Size == 0 {
		return
	}
	for j := range clocks {
		if has[j] {
			f.until = max(f.until, clocks[j].endOfLast())
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
	for c := kept.pieces.cursor(); c.next(); {
		c.Edit = edit.and(&Edit{Shift: shift})
		f.builder.body.add(c.Piece)
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
	if hasVideo(f.cutter.index.header.Tracks) {
		f.nextCue[track] = maxTime
	}
	return true
}
