package main

import (
	"cmp"
	"context"
	"errors"
	"io"
	"net/http"
	"slices"

	"github.com/webmend/webmend/webm"
)

// repair makes a recording in which players can seek of what has arrived. It reads that
// twice, by ranges, and has none of it in memory but a window.
func (s *uploads) repair(w http.ResponseWriter, r *http.Request, u *upload) error {
	if u.Done { // the answer was lost
		return answer(w, http.StatusOK, u.facts)
	}
	ctx := context.WithoutCancel(r.Context()) // what has begun is brought to its end
	store := s.store(u)
	pieces, err := store.pieces(ctx, u)
	if err != nil {
		return err
	}
	var opening extent
	if !u.begins(pieces) {
		if opening.source, opening.size, err = store.opening(ctx, u); err != nil {
			return err
		}
		if opening.size == 0 {
			return refuse(http.StatusUnprocessableEntity, "neither part 1 has arrived nor the opening: nothing plays without it")
		}
	} else if len(pieces) == 0 {
		return refuse(http.StatusUnprocessableEntity, "nothing has arrived of this upload")
	}
	u.Pieces = pieces // as the bucket forgets them
	if err := s.save(u); err != nil {
		return err
	}
	extents, err := store.extents(ctx, u, pieces)
	if err != nil {
		return err
	}
	arrived, err := arrange(opening, extents)
	if err != nil {
		return err
	}
	splitter, report, err := webm.Scan(arrived, arrived.size, webm.Options{}, nil)
	if damage := new(webm.Error); errors.As(err, &damage) {
		return refuse(http.StatusUnprocessableEntity, "what has arrived is no recording: %v", err)
	} else if err != nil {
		return err
	}
	plan, err := splitter.Index(0).Seekable()
	if err != nil {
		return refuse(http.StatusUnprocessableEntity, "what has arrived does not play: %v", err)
	}
	err = store.write(ctx, u, plan.Size, func(w io.Writer) error {
		_, err := plan.CopyTo(w, arrived)
		return err
	})
	if err != nil {
		return err
	}
	u.Repaired = true
	u.Size = plan.Size
	u.Duration = float64(plan.End) / 1e9
	for _, drop := range report.Dropped {
		u.Dropped += drop.End - drop.Start
	}
	return s.finish(ctx, w, u)
}

// places are where in the recording pieces begin.
func (u *upload) places(pieces []piece) []int64 {
	places := make([]int64, len(pieces))
	for i, p := range pieces {
		switch {
		case u.Kind == "parts":
			places[i] = int64(p.Number-1) * u.PartSize
		case i > 0:
			places[i] = places[i-1] + pieces[i-1].Size
		}
	}
	return places
}

// An extent is where bytes of a recording are to be had: from an offset on in a source.
type extent struct {
	at, size int64
	source   io.ReaderAt
	from     int64
}

// arrived is a recording as far as there are extents of it. What is missing reads as
// zeros, which nothing in WebM is: where it goes on is found as after any damage.
type arrived struct {
	extents []extent
	size    int64
}

// arrange puts an opening, if there is one, and what came after the first part behind each
// other. The first part would have had room for an index, which the opening has not: it
// goes on some way into the second.
func arrange(opening extent, extents []extent) (*arrived, error) {
	all := new(arrived)
	shift := int64(0)
	if opening.size > 0 {
		if len(extents) > 0 && extents[0].at == opening.size {
			both, err := overlap(opening, extents[0])
			if err != nil {
				return nil, err
			}
			opening.size -= both
			shift = both
		}
		all.add(opening)
	}
	for _, e := range extents {
		e.at -= shift
		all.add(e)
	}
	return all, nil
}

// overlap is how many bytes at the end of an extent the next one begins with.
func overlap(a, b extent) (int64, error) {
	const most = 1 << 20 // room for the index of a day
	tail, head := make([]byte, min(a.size, most)), make([]byte, min(b.size, most))
	if err := a.read(tail, a.size-int64(len(tail))); err != nil {
		return 0, err
	}
	if err := b.read(head, 0); err != nil {
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

// read fills p from an offset in the extent on.
func (e extent) read(p []byte, at int64) error {
	n, err := e.source.ReadAt(p, e.from+at)
	if n == len(p) {
		return nil
	}
	if err == nil || err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}

// add adds an extent behind the others.
func (a *arrived) add(e extent) {
	a.extents = append(a.extents, e)
	a.size = e.at + e.size
}

func (a *arrived) ReadAt(p []byte, at int64) (int, error) {
	read := 0
	first, _ := slices.BinarySearchFunc(a.extents, at, func(e extent, at int64) int { return cmp.Compare(e.at+e.size, at+1) })
	for _, e := range a.extents[first:] {
		if read == len(p) {
			return read, nil
		}
		here := at + int64(read)
		if e.at > here {
			zeros := int(min(e.at-here, int64(len(p)-read)))
			clear(p[read : read+zeros])
			read += zeros
			here += int64(zeros)
		}
		n := min(int64(len(p)-read), e.at+e.size-here)
		if err := e.read(p[read:read+int(n)], here-e.at); err != nil {
			return read, err
		}
		read += int(n)
	}
	if read < len(p) {
		return read, io.EOF
	}
	return read, nil
}
