package uploads

import (
	"cmp"
	"context"
	"io"
	"slices"
)

// An extent is where bytes of a recording are to be had: at the beginning of an object.
type extent struct {
	at, size int64
	name     string
}

// arrived is a recording as far as there are extents of it. What is missing reads as
// zeros, which nothing in WebM is: where it goes on is found as after any damage.
type arrived struct {
	ctx     context.Context
	store   Store
	extents []extent
	size    int64

	window []byte // what was read last, as each read of a store takes a while
	at     int64  // of the window
	name   string // of the object that is open
	open   Reader
}

// arrange puts an opening, if there is one, and what came after the first part behind each
// other. The first part would have had room for an index, which the opening has not: it
// goes on some way into the second.
func arrange(ctx context.Context, store Store, opening extent, extents []extent) (*arrived, error) {
	a := &arrived{ctx: ctx, store: store}
	shift := int64(0)
	if opening.size > 0 {
		if len(extents) > 0 && extents[0].at == opening.size {
			both, err := a.overlap(opening, extents[0])
			if err != nil {
				a.close()
				return nil, err
			}
			opening.size -= both
			shift = both
		}
		a.add(opening)
	}
	for _, e := range extents {
		e.at -= shift
		a.add(e)
	}
	return a, nil
}

// add adds an extent behind the others.
func (a *arrived) add(e extent) {
	a.extents = append(a.extents, e)
	a.size = e.at + e.size
}

// overlap is how many bytes at the end of an extent the next one begins with.
func (a *arrived) overlap(one, next extent) (int64, error) {
	const most = 1 << 20 // room for the index of a day
	tail, head := make([]byte, min(one.size, most)), make([]byte, min(next.size, most))
	if err := a.read(one, tail, one.size-int64(len(tail))); err != nil {
		return 0, err
	}
	if err := a.read(next, head, 0); err != nil {
		return 0, err
	}
	if n := overlapOf(tail, head); n >= min(len(head), 256) { // so much is not twice in media
		return int64(n), nil
	}
	return 0, nil
}

// overlapOf is how many bytes at the end of tail head begins with, at most, as Knuth, Morris
// and Pratt found it: in time by their length, whatever they are.
func overlapOf(tail, head []byte) int {
	again := make([]int32, len(head)) // by the length of a beginning, less 1: how much of it ends as head begins
	longer := func(n int, c byte) int {
		for n > 0 && (n == len(head) || head[n] != c) {
			n = int(again[n-1])
		}
		if n < len(head) && head[n] == c {
			n++
		}
		return n
	}
	n := 0
	for i := 1; i < len(head); i++ {
		n = longer(n, head[i])
		again[i] = int32(n)
	}
	n = 0
	for _, c := range tail {
		n = longer(n, c)
	}
	return n
}

// windowSize is how much is read of a store at once.
const windowSize = 4 << 20

func (a *arrived) ReadAt(p []byte, at int64) (int, error) {
	read := 0
	for read < len(p) && at < a.size {
		if at < a.at || at >= a.at+int64(len(a.window)) {
			if err := a.fetch(at); err != nil {
				return read, err
			}
		}
		n := copy(p[read:], a.window[at-a.at:])
		read += n
		at += int64(n)
	}
	if read < len(p) {
		return read, io.EOF
	}
	return read, nil
}

// fetch fills the window from an offset on, up to the end of the extent or the hole there.
func (a *arrived) fetch(at int64) error {
	if a.window == nil {
		a.window = make([]byte, 0, windowSize)
	}
	i, _ := slices.BinarySearchFunc(a.extents, at, func(e extent, at int64) int { return cmp.Compare(e.at+e.size, at+1) })
	e := a.extents[i]
	a.at = at
	if at < e.at {
		a.window = a.window[:min(windowSize, e.at-at)]
		clear(a.window)
		return a.ctx.Err()
	}
	a.window = a.window[:min(windowSize, e.at+e.size-at)]
	err := a.read(e, a.window, at-e.at)
	if err != nil {
		a.window = a.window[:0] // of which nothing may be taken
	}
	return err
}

// read fills p from an offset in an extent on.
func (a *arrived) read(e extent, p []byte, at int64) error {
	if err := a.ctx.Err(); err != nil {
		return err
	}
	if a.name != e.name || a.open == nil {
		a.close()
		open, err := a.store.Open(a.ctx, e.name)
		if err != nil {
			return err
		}
		a.name, a.open = e.name, open
	}
	n, err := a.open.ReadAt(p, at)
	if n == len(p) {
		return nil
	}
	if err == nil || err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}

// close lets go of the object that is open.
func (a *arrived) close() {
	if a.open != nil {
		a.open.Close()
	}
	a.open = nil
}
