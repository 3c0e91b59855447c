package webm

// What plans leave out of a recording: video after a loss, whose frames refer to some that
// are not there, until the next key frame; blocks of no track; what was pushed twice.

// forgetFrom forgets what there is of a cluster that begins at an offset.
func (ix *Index) forgetFrom(offset int64) {
	ix.left = ix.left[:ix.leftFrom(offset)]
	ix.keyFrames.cutFrom(offset)
}

// leaveOut adds a block that plans leave out, as a rule after those that there are.
//
//go:noinline
func (ix *Index) leaveOut(r Range) {
	n := len(ix.left)
	if n > 0 && ix.left[n-1].End == r.Start {
		ix.left[n-1].End = r.End
		return
	}
	ix.left = append(ix.left, r)
	for ; n > 0 && ix.left[n-1].Start > r.Start; n-- {
		ix.left[n], ix.left[n-1] = ix.left[n-1], ix.left[n]
	}
}

// leftOut are the ranges of the stream that plans leave out of a cluster, until more are.
func (ix *Index) leftOut(e *entry) []Range {
	if ix.KeepUndecodable {
		return nil
	}
	return ix.left[ix.leftFrom(e.Start):ix.leftFrom(e.End)]
}

// leftFrom is the first range that is left out from an offset on.
//
//go:noinline
func (ix *Index) leftFrom(offset int64) int {
	low, high := 0, len(ix.left)
	for low < high {
		middle := (low + high) / 2
		if ix.left[middle].Start < offset {
			low = middle + 1
		} else {
			high = middle
		}
	}
	return low
}

// isLeftOut tells whether plans leave out the block at an offset.
func (ix *Index) isLeftOut(offset int64) bool {
	i := ix.leftFrom(offset+1) - 1
	return i >= 0 && offset < ix.left[i].End && !ix.KeepUndecodable
}

// isOut tells whether the block at an offset is in one of the ranges.
//
//go:noinline
func isOut(out []Range, offset int64) bool {
	for _, r := range out {
		if r.Start <= offset && offset < r.End {
			return true
		}
	}
	return false
}

// leftOutBefore is how many bytes of them come before an offset.
//
//go:noinline
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
