package webm

// What plans leave out of a recording: video after a loss, whose frames refer to some that
// are not there, until the next key frame; blocks of no track; elements that cannot be where
// they are; what was pushed twice.

// forgetFrom forgets what there is of a cluster that begins at an offset.
func (ix *Index) forgetFrom(offset int64) {
	ix.left.cut(ix.left.from(offset))
	ix.keyFrames.cutFrom(offset)
}

// leftOut are the ranges of the stream that plans leave out of a cluster.
func (ix *Index) leftOut(e *entry) []Range {
	if ix.KeepUndecodable || ix.left.len() == 0 {
		return nil
	}
	return ix.left.slice(ix.left.from(e.Start), ix.left.from(e.End))
}

// isLeftOut tells whether plans leave out the block at an offset.
func (ix *Index) isLeftOut(offset int64) bool {
	i := ix.left.from(offset+1) - 1
	return i >= 0 && offset < ix.left.at(i).End && !ix.KeepUndecodable
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
