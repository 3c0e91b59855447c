package webm

// Chunks that are pushed twice, or in another order: within a cluster their blocks
// have the right time.

// sumsLen is how many blocks are remembered, at the best.
const sumsLen = 1024

// lookForRepeat tells whether the open cluster has had the same block already, by its
// size and what there is of its data, which begins with its track and time.
func (s *Splitter) lookForRepeat(data []byte, size int64) {
	sum := uint64(size) ^ uint64(s.open.Cluster.Start)<<20
	for _, c := range data[:min(blockHeadLen, len(data))] {
		sum = (sum ^ uint64(c)) * 0x100000001B3 // FNV-1a
	}
	s.block.sum = uint32(sum>>32) | 1
	s.block.repeated = s.sums != nil && s.sums[s.block.sum>>1%sumsLen] == s.block.sum
}

// remember keeps that the open cluster has had a block.
func (s *Splitter) remember(sum uint32) {
	if s.trial || s.visit != nil {
		return
	}
	if s.sums == nil {
		s.sums = make([]uint32, sumsLen)
	}
	s.sums[sum>>1%sumsLen] = sum
}

// goesBack tells whether the block under way is earlier than its track has come in
// its cluster, and does not fill a hole that there is.
func (s *Splitter) goesBack(track *Track) bool {
	b := &s.block
	c := &s.clocks[b.track]
	if track.Type != Audio || b.repeated || s.open.counts[b.track].Blocks == 0 {
		return false
	}
	at := (s.open.Cluster.Timestamp + int64(b.head.Timestamp)) * s.recording().Header.TimestampScale
	if at >= c.last {
		return false
	}
	jitter := c.duration / 2
	if at < c.hole[0]-jitter || at >= c.hole[1]-jitter {
		return true
	}
	c.hole[0] = at + c.duration
	return false
}
