package webm

// What plans leave out of a recording: video after a loss, whose frames refer to some that
// are not there, until the next key frame; blocks of no track; what was pushed twice.

// A rangeList is ranges of the stream, in order. It grows without copying what it has.
type rangeList struct {
	pages [][]Range
}

func (l *rangeList) len() int {
	n := len(l.pages)
	if n == 0 {
		return 0
	}
	return (n-1)*pageLen + len(l.pages[n-1])
}

func (l *rangeList) at(i int) *Range { return &l.pages[i/pageLen][i%pageLen] }

// copied is the list as it is now, which can grow by itself.
func (l *rangeList) copied() rangeList {
	pages := append([][]Range(nil), l.pages...)
	if n := len(pages); n > 0 {
		pages[n-1] = append(make([]Range, 0, pageLen), pages[n-1]...)
	}
	return rangeList{pages}
}

// add adds a range, as a rule after those that there are, or the continuation of the last.
//
//go:noinline
func (l *rangeList) add(r Range) {
	i := l.len()
	if i > 0 && l.at(i-1).End == r.Start {
		l.at(i - 1).End = r.End
		return
	}
	if i%pageLen == 0 {
		l.pages = append(l.pages, make([]Range, 0, pageLen))
	}
	last := &l.pages[len(l.pages)-1]
	*last = append(*last, r)
	for ; i > 0 && l.at(i-1).Start > r.Start; i-- {
		*l.at(i), *l.at(i - 1) = *l.at(i - 1), *l.at(i)
	}
}

// cutFrom removes the ranges that begin at an offset or after.
func (l *rangeList) cutFrom(offset int64) {
	n := l.from(offset)
	l.pages = l.pages[:(n+pageLen-1)/pageLen]
	if n%pageLen > 0 {
		l.pages[n/pageLen] = l.pages[n/pageLen][:n%pageLen]
	}
}

// from is the first range that begins at an offset or after.
//
//go:noinline
func (l *rangeList) from(offset int64) int {
	low, high := 0, l.len()
	for low < high {
		middle := (low + high) / 2
		if l.at(middle).Start < offset {
			low = middle + 1
		} else {
			high = middle
		}
	}
	return low
}

// forgetFrom forgets what there is of a cluster that begins at an offset.
func (ix *Index) forgetFrom(offset int64) {
	ix.left.cutFrom(offset)
	ix.keyFrames.cutFrom(offset)
}

// leftOut are the ranges of the stream that plans leave out of a cluster.
func (ix *Index) leftOut(e *entry) (out []Range) {
	if ix.KeepUndecodable {
		return nil
	}
	for i := ix.left.from(e.Start); i < ix.left.len() && ix.left.at(i).Start < e.End; i++ {
		out = append(out, *ix.left.at(i))
	}
	return out
}

// isLeftOut tells whether plans leave out the block at an offset.
func (ix *Index) isLeftOut(offset int64) bool {
	i := ix.left.from(offset+1) - 1
	return i >= 0 && offset < ix.left.at(i).End && !ix.KeepUndecodable
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
