package webm

import "github.com/webmend/webmend/ebml"

// Chunks that are pushed twice. A block that takes the clock of its track back, and begins
// as one before it did, may be the second of the same bytes. Encoders reorder frames,
// silence repeats itself and heads can agree by chance, so that is no proof. The stream is
// read again from the first of the two on, and compared whole block by whole block. Only
// what is the same byte for byte is left out.

const (
	// maxPast is how many blocks are remembered, of a minute or so.
	maxPast  = 4096
	minPast  = 256
	numHeads = 1024

	// maxCompared is how far back in the stream they may be.
	maxCompared = 4 << 20

	// maxStarts is how many clusters they may be in.
	maxStarts = 64

	// maxFound is how many runs a cluster may have twice.
	maxFound = 64
)

// repeats is what a splitter remembers of a recording to find what comes twice.
type repeats struct {
	past  []pastBlock // the last ones, by their number; its length is a power of two
	n     int32       // how many there have been
	heads []int32     // by sum: the number of the newest block with it, plus 1

	starts []int64 // where the last clusters begin, the open one included
	asked  int64   // the offset of the last block for which there was one
	found  []Range // runs in the open cluster that were pushed before
}

// A pastBlock is what is remembered of a block.
type pastBlock struct {
	offset int64
	sum    uint32 // of its size, its time, and its first bytes
	before int32  // the number of the newest block before it with the same head, plus 1
}

// remember keeps a block that has come, if it comes for the first time.
func (r *repeats) remember(sum uint32, offset int64) {
	if r.n > 0 && r.numbered(r.n-1).offset >= offset {
		return
	}
	if n := len(r.past); int(r.n) == n && n < maxPast { // they are where they were, in more room
		r.past = append(make([]pastBlock, 0, max(minPast, 2*n)), r.past...)
		r.past = r.past[:cap(r.past)]
		if n == 0 {
			r.heads = make([]int32, numHeads)
		}
	}
	head := &r.heads[sum%numHeads]
	r.past[int(r.n)&(len(r.past)-1)] = pastBlock{offset, sum, *head}
	r.n++
	*head = r.n
}

// numbered is the block with a number, or nil if that is forgotten.
//
//go:noinline
func (r *repeats) numbered(n int32) *pastBlock {
	if n < 0 || n < r.n-int32(len(r.past)) {
		return nil
	}
	return &r.past[int(n)&(len(r.past)-1)]
}

// find is the number of the newest block with that sum, or -1.
func (r *repeats) find(sum uint32) int32 {
	if r.n == 0 {
		return -1
	}
	for n := r.heads[sum%numHeads] - 1; ; {
		b := r.numbered(n)
		if b == nil {
			return -1
		}
		if b.sum == sum {
			return n
		}
		n = b.before - 1
	}
}

// forgetFrom forgets the blocks from an offset on, as they come again.
func (r *repeats) forgetFrom(offset int64) {
	for b := r.numbered(r.n - 1); b != nil && b.offset >= offset; b = r.numbered(r.n - 1) {
		r.heads[b.sum%numHeads] = b.before
		r.n--
	}
}

// begin takes in that a cluster begins.
//
//go:noinline
func (r *repeats) begin(start int64) {
	if n := len(r.starts); n > 0 && r.starts[n-1] >= start {
		return // it is read again
	}
	for len(r.found) > 0 && r.found[0].End <= start {
		r.found = r.found[1:]
	}
	if len(r.starts) == maxStarts {
		r.starts = r.starts[1:]
	}
	r.starts = append(r.starts, start)
	for len(r.starts) > 1 && r.starts[0] < start-maxCompared {
		r.starts = r.starts[1:]
	}
}

// reset forgets all, where another recording begins or bytes are lost.
//
//go:noinline
func (r *repeats) reset() {
	r.n, r.starts, r.found = 0, nil, nil
	clear(r.heads)
}

// suspect is a comparison, to be made, if a block that goes back in time begins as one before
// it did, and nil otherwise.
func (r *repeats) suspect(b *openBlock) *comparison {
	at := b.Start
	n := r.find(b.sum)
	if n < 0 || at <= r.asked || len(r.starts) == 0 || len(r.found) == maxFound {
		return nil
	}
	first := r.numbered(n).offset
	if first < r.starts[0] {
		return nil
	}
	// The run can have begun before these two, as far as they are apart.
	from := first
	for p := r.numbered(n - 1); p != nil && p.offset >= max(r.starts[0], first-(at-first)); p = r.numbered(n - 1) {
		from, n = p.offset, n-1
	}
	c := &comparison{from: from, first: first, second: at, at: from}
	c.begin()
	c.scan.Ends = endsUnknown
	c.scan.Reset(from, ebml.Head{ID: IDSegment, Size: ebml.UnknownSize}, ebml.Head{ID: IDCluster, Size: ebml.UnknownSize})
	return c
}

// A comparison reads a part of the stream again, in which a run of blocks may be twice.
type comparison struct {
	scan          ebml.Scanner
	from          int64 // where it begins to read
	first, second int64 // the blocks that are alike
	at            int64 // up to where it has read
	open          child // the one under way
	halfAt        int64 // where its second half begins
	children      []child
	next          int   // which of them is compared next, from second on
	end           int64 // of what is the same
	over          bool
}

// A child is one of a cluster, or the head of one and what stands before its first block.
type child struct {
	end  int64
	sum  uint64 // of all its bytes
	half uint64 // of a block of minHalf bytes or more: of its second half, which is media alone
	kind ebml.ID
}

const (
	minHalf = 32

	// maxChildren is how many are compared with: the blocks that are remembered, and some.
	maxChildren = 2 * maxPast
)

func (c child) isBlock() bool { return c.kind == IDSimpleBlock || c.kind == IDBlockGroup }

// later is the child so many bytes further on.
func (c child) later(length int64) child {
	c.end += length
	return c
}

// FNV-1a.
const (
	sumBegin = 0xCBF29CE484222325
	sumPrime = 0x100000001B3
)

// push takes the next bytes, and tells whether it is over.
func (c *comparison) push(chunk []byte) bool {
	c.scan.Push(chunk)
	for !c.over {
		switch c.scan.Next() {
		case ebml.Start:
			h := c.scan.Head()
			c.open.kind = h.ID
			if h.ID == IDCluster {
				c.scan.Enter()
			} else if c.scan.Parent() != IDCluster {
				c.over = true // the recording's clusters end
			} else if n := h.End() - h.Offset; c.open.isBlock() && n >= minHalf {
				c.halfAt = h.End() - n/2
			}
		case ebml.End:
			if c.scan.Head().ID != IDCluster {
				chunk = c.hash(chunk, c.scan.EndOffset())
				c.take(c.open)
				c.begin()
			}
		case ebml.More:
			c.over = c.scan.Err() != nil
			c.hash(chunk, c.at+int64(len(chunk)))
			return c.over
		}
	}
	return true
}

// work is how much is read again: from there on, the open cluster once more, and as far again.
func (c *comparison) work(cluster int64) int64 {
	return c.second - c.from + c.second - cluster + 2*(c.second-c.first)
}

// begin begins the next child.
func (c *comparison) begin() { c.open, c.halfAt = child{sum: sumBegin, half: sumBegin}, 1<<62 }

// hash adds the bytes of chunk, which begins where it has read up to, that come before
// end. It returns the others.
//
//go:noinline
func (c *comparison) hash(chunk []byte, end int64) []byte {
	n := int(end - c.at)
	for i, b := range chunk[:n] {
		c.open.sum = (c.open.sum ^ uint64(b)) * sumPrime
		if c.at+int64(i) >= c.halfAt {
			c.open.half = (c.open.half ^ uint64(b)) * sumPrime
		}
	}
	c.at, c.open.end = end, end
	return chunk[n:]
}

// take takes in the next child: one of those that are compared with, or one to compare.
func (c *comparison) take(t child) {
	if t.end <= c.second {
		c.over = len(c.children) == maxChildren
		c.children = append(c.children, t)
		if t.end <= c.first {
			c.next = len(c.children)
		}
		return
	}
	length := c.second - c.first
	if c.next == len(c.children) || c.children[c.next].later(length) != t {
		c.over = true
		return
	}
	c.next++
	c.end = t.end
	c.over = t.end == c.second+length
}

// repeat is the run of blocks that is proven to be there twice, the second time, and the
// children that it has before the block that has told of it: a chunk that was pushed
// twice in a row can begin before that, and is as long as the two are apart.
func (c *comparison) repeat() (run Range, ahead []child) {
	if c.end == 0 {
		return Range{}, nil
	}
	run = Range{c.second, c.end}
	length := c.second - c.first
	start := c.end - length
	if start >= c.second {
		return run, nil
	}
	// The last children up to each of the two, which are to be the same.
	i, j := len(c.children)-1, len(c.children)-1
	for j >= 0 && c.children[j].end > c.first {
		j--
	}
	for ; i >= 0 && j >= 0 && c.children[i].end > start; i, j = i-1, j-1 {
		if c.children[j].later(length) != c.children[i] {
			return run, nil
		}
	}
	if i < 0 || c.children[i].end != start || j >= 0 && c.children[j].end != start-length || j < 0 && c.from != start-length {
		return run, nil
	}
	return Range{start, c.end}, c.children[i+1:]
}

// unlike tells whether one of some children is a block whose media are twice in all that was
// compared, and no more often, as silence is.
func (c *comparison) unlike(some []child) bool {
	for _, s := range some {
		n := 0
		for _, t := range c.children {
			if t.half == s.half && t.isBlock() {
				n++
			}
		}
		if n == 2 && s.isBlock() && s.half != sumBegin {
			return true
		}
	}
	return false
}

// upTo are those of some children that end at an offset or before.
func (c *comparison) upTo(some []child, offset int64) []child {
	n := 0
	for n < len(some) && some[n].end <= offset {
		n++
	}
	return some[:n]
}

// isRepeated tells whether the block at an offset is in a run that was pushed before.
func (r *repeats) isRepeated(offset int64) bool {
	for _, f := range r.found {
		if f.Start <= offset && offset < f.End {
			return true
		}
	}
	return false
}
