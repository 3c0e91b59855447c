package webm

// Chunks that are pushed twice, or in another order: what their blocks say of their
// time is right within a cluster, and clusters are known by their first block.

// sumsLen is how many blocks are remembered, at the best.
const sumsLen = 1024

// lookForRepeat tells whether the open cluster has had the same block already, by its
// size and what there is of its data, which begins with its track and time.
func (s *Splitter) lookForRepeat(data []byte, size int64) {
	const prime = 0x9E3779B97F4A7C15
	sum := uint64(size)
	if len(data) >= blockHeadLen { // in two words, as this is done for each block
		sum = (sum*prime ^ word(data)) * prime
		sum = (sum>>32 ^ sum ^ word(data[blockHeadLen-8:])) * prime
	} else {
		for _, c := range data {
			sum = (sum ^ uint64(c)) * prime
		}
	}
	if s.open.Cluster.Blocks == 0 {
		s.open.firstSum = uint32(sum>>32) | 1
	}
	s.block.sum = uint32((sum^uint64(s.open.Cluster.Start)^uint64(s.passes)<<48)*prime>>32) | 1
	s.block.repeated = s.sums != nil && s.sums[s.block.sum>>1%sumsLen] == s.block.sum
}

// word is the first 8 bytes of data.
func word(data []byte) uint64 {
	_ = data[7]
	return uint64(data[0]) | uint64(data[1])<<8 | uint64(data[2])<<16 | uint64(data[3])<<24 |
		uint64(data[4])<<32 | uint64(data[5])<<40 | uint64(data[6])<<48 | uint64(data[7])<<56
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

// goesBack tells whether the block under way, which is of audio, is earlier than its
// track has come in its cluster: the head of another Cluster is lost before it, and with
// that what its time is.
func (s *Splitter) goesBack() bool {
	b := &s.block
	return !b.repeated && s.open.counts[b.track].Blocks > 0 && b.at < s.clocks[b.track].last
}

// A pastCluster is what is kept of a cluster to know it again.
type pastCluster struct {
	blocks    Range // from the first to the end of the last
	timestamp int64
	firstSum  uint32
	count     int // of blocks
}

// noteRepeat leaves out of plans what has come twice: where the cluster that has just
// been completed begins as one of the last did, the shorter of the two.
func (s *Splitter) noteRepeat(ix *Index) {
	c := &s.open
	past := pastCluster{Range{c.entry.data() + int64(c.entry.timeAt) + int64(c.entry.timeLen), s.whole}, c.Timestamp, c.firstSum, c.Blocks}
	if past.firstSum == 0 {
		return // it has no block of a track that there is
	}
	for i := range s.past {
		p := &s.past[i]
		if p.timestamp != past.timestamp || p.firstSum != past.firstSum {
			continue
		}
		shorter := *p
		if shorter.count > past.count {
			shorter = past
		} else {
			*p = past
		}
		s.recording().Repeated += shorter.count
		ix.leaveOut(shorter.blocks)
		return
	}
	s.past[s.nextPast%len(s.past)] = past
	s.nextPast++
}
