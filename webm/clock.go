package webm

// How long the frames of one track last, and where they end.

// A clock follows the time of one track's blocks.
type clock struct {
	seen   bool
	exact  bool    // a frame lasts as long as it says and no longer, as subtitles do
	latest lasting // the block with the latest timestamp
	delta  int64   // the least time from it to another block
	over   int64   // how many frames that other block has
	until  int64   // if exact: where the block ends that ends latest
	inOne  stay    // in the open cluster
	hole   hole    // the longest time without a block since the last block of sound
	end    int64   // offset, where the latest block ends in the stream
	late   lag     // of sound
}

// A lasting is when a block begins, and what tells how long it lasts.
type lasting struct {
	at       int64
	duration int64 // as it says, or unknownDuration
	frames   int64 // how many it has
	padding  int64 // what is not heard of them, if it does not say how long they last
}

// unknownDuration is that of a block which does not say how long it lasts.
const unknownDuration = -1

// A stay is what a clock has seen of one cluster.
type stay struct {
	open   bool // it has a block
	seen   bool // which counts for the time
	latest lasting
	until  int64
}

// A span is time.
type span struct{ from, to int64 }

// A hole is time without a block, of when there had been so many blocks of sound.
type hole struct {
	span
	sounds int64
}

// add takes in a block, which need not come in the order of time, when there have been so
// many blocks of sound.
func (c *clock) add(b lasting, sounds int64) {
	in := &c.inOne
	if c.exact {
		end := b.at + max(0, b.duration)
		c.until, in.until = max(c.until, end), max(in.until, end)
	}
	if !in.seen || b.at > in.latest.at {
		in.seen, in.latest = true, b
	}
	since := b.at - c.latest.at
	switch {
	case !c.seen:
		c.seen = true
	case since > 0:
		c.delta, c.over = since, c.latest.frames
		if c.hole.sounds != sounds || since > c.hole.to-c.hole.from {
			c.hole = hole{span{c.latest.at, b.at}, sounds}
		}
	case since < 0 && (c.delta == 0 || -since < c.delta):
		c.delta, c.over = -since, b.frames
		return
	default:
		return
	}
	c.latest = b
}

// endOf is where a block ends, which lasts as long as it says or, for each of its frames,
// as long as others took.
//
//go:noinline
func (c *clock) endOf(b *lasting) int64 {
	switch {
	case c.exact:
		return b.at
	case b.duration >= 0:
		return b.at + b.duration
	}
	usual := c.delta
	if c.over != b.frames && c.over > 0 {
		usual = min(c.delta, maxTime/256) / c.over * b.frames
	}
	return b.at + max(0, usual-b.padding)
}

// endOfLast is where the latest frame ends.
func (c *clock) endOfLast() int64 { return max(c.until, c.endOf(&c.latest)) }

// endInCluster is where the last frame of the open cluster ends.
func (c *clock) endInCluster() int64 { return max(c.inOne.until, c.endOf(&c.inOne.latest)) }

// endIfSeen is endOfLast, or 0 before the first frame.
func (c *clock) endIfSeen() int64 {
	if !c.seen {
		return 0
	}
	return c.endOfLast()
}
