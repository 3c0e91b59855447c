package webm

import (
	"cmp"
	"math/rand/v2"
	"slices"
	"testing"
)

func TestARangeListIsWhatWasAddedInOrder(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		var list rangeList
		var want []Range // as they were added, but in order
		n := rng.IntN(5 * pageLen)
		for at := int64(0); n > 0; n-- {
			at += int64(rng.IntN(3) * rng.IntN(1000)) // which they often adjoin
			r := Range{at, at + 1 + int64(rng.IntN(1000))}
			at = r.End
			want = append(want, r)
		}
		for _, late := range []bool{false, true} { // most come in order, and then some between them
			for i, r := range want {
				if (i%7 == 3) == late {
					list.add(r)
				}
			}
		}
		check := func() {
			t.Helper()
			got := list.slice(0, list.len())
			if !slices.IsSortedFunc(got, func(a, b Range) int { return cmp.Compare(a.Start, b.Start) }) {
				t.Fatalf("not in order: %v", got)
			}
			if a, b := merged(got), merged(want); !slices.Equal(a, b) {
				t.Fatalf("got %v, want %v", a, b)
			}
			for range 50 {
				offset := rng.Int64N(want[len(want)-1].End + 10)
				i := list.from(offset)
				if i > 0 && list.at(i-1).Start >= offset || i < list.len() && list.at(i).Start < offset {
					t.Fatalf("%d is not the first of %v from %d on", i, got, offset)
				}
			}
		}
		if len(want) == 0 {
			continue
		}
		check()
		copied := list.copied()
		before := list.slice(0, list.len())
		cut := rng.IntN(list.len() + 1)
		list.cut(cut)
		if got := list.slice(0, list.len()); !slices.Equal(got, before[:cut]) {
			t.Fatalf("cut at %d there is %v", cut, got)
		}
		for _, r := range before[cut:] {
			list.add(r)
		}
		check()
		list.add(Range{1 << 40, 1<<40 + 1})
		if got := copied.slice(0, copied.len()); !slices.Equal(got, before) {
			t.Fatalf("a copy has become %v", got)
		}
	}
}

func TestARangeListIsCutAnywhere(t *testing.T) {
	for n := range 2*pageLen + 3 {
		for cut := range n + 1 {
			var list rangeList
			var want []Range
			for i := range n {
				r := Range{int64(10 * i), int64(10*i + 5)}
				list.add(r)
				want = append(want, r)
			}
			list.cut(cut)
			want = want[:cut]
			for _, r := range []Range{{5000, 5001}, {6000, 6001}} {
				if got := list.slice(0, list.len()); !slices.Equal(got, want) {
					t.Fatalf("of %d, cut at %d, there is %v", n, cut, got)
				}
				list.add(r)
				want = append(want, r)
			}
		}
	}
}

func TestARangeListHasNothingTwice(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	for range 500 {
		var list rangeList
		var has [400]bool
		for range rng.IntN(150) {
			start := rng.IntN(len(has) - 20)
			r := Range{int64(start), int64(start + 1 + rng.IntN(20))}
			list.add(r)
			for i := r.Start; i < r.End; i++ {
				has[i] = true
			}
		}
		var got [400]bool
		end := int64(-1)
		for _, r := range list.slice(0, list.len()) {
			if r.Start < end || r.Start >= r.End {
				t.Fatalf("%v is not in order", list.slice(0, list.len()))
			}
			end = r.End
			for i := r.Start; i < r.End; i++ {
				got[i] = true
			}
		}
		if got != has {
			t.Fatalf("it is %v", list.slice(0, list.len()))
		}
	}
}

// merged are ranges of which none adjoin.
func merged(ranges []Range) (all []Range) {
	for _, r := range ranges {
		if n := len(all); n > 0 && all[n-1].End == r.Start {
			all[n-1].End = r.End
		} else {
			all = append(all, r)
		}
	}
	return all
}
