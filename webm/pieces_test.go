package webm

// How the pieces of a plan are kept, and in how much memory.

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"testing"
)

// someEdit is one of a few edits, or none.
func someEdit(random *rand.Rand) *Edit {
	edit := &Edit{Void: random.IntN(2) == 0, Shift: random.Int64N(3)}
	for range random.IntN(3) {
		edit.Keys = append(edit.Keys, random.Uint64N(3))
		edit.Tracks = append(edit.Tracks, [2]uint64{random.Uint64N(3), random.Uint64N(3)})
	}
	return []*Edit{nil, nil, edit, {Shift: random.Int64() >> random.IntN(64)}, {Keys: []uint64{1}}}[random.IntN(5)]
}

func TestThePiecesOfAPlanAreThoseThatWereAdded(t *testing.T) {
	for seed := range uint64(200) {
		random := rand.New(rand.NewPCG(seed, 0))
		plan := &Plan{}
		var want []Piece
		var starts []int64
		size, at := int64(0), int64(0)
		for range random.IntN(500) {
			var p Piece
			if random.IntN(2) == 0 {
				p.Data = make([]byte, 1+random.IntN(1<<random.IntN(10)))
				for i := range p.Data {
					p.Data[i] = byte(random.Uint32())
				}
			} else {
				gap := random.Int64N(1<<random.IntN(40)) - random.Int64N(1<<random.IntN(40))
				if gap == 0 {
					gap = 1 // or they would be joined
				}
				at = max(0, at+gap)
				p = Piece{Source: random.IntN(3), Range: Range{at, at + 1 + random.Int64N(1<<random.IntN(30))}, Edit: someEdit(random)}
				at = p.End
			}
			if p.Edit != nil && p.Edit.empty() {
				p.Edit = nil
			}
			if n := len(want) - 1; n < 0 || p.Data == nil || want[n].Data == nil {
				want, starts = append(want, Piece{bytes.Clone(p.Data), p.Source, p.Range, p.Edit}), append(starts, size)
			} else {
				want[n].Data = append(want[n].Data, p.Data...)
			}
			plan.Add(p)
			size += p.Len()
		}
		if plan.Size != size {
			t.Errorf("Size is %d; want %d", plan.Size, size)
		}
		if got := piecesOf(plan); fmt.Sprint(shown(got)) != fmt.Sprint(shown(want)) {
			t.Errorf("of %d pieces come %d others", len(want), len(got))
		}
		for i := range want {
			for _, offset := range []int64{starts[i], starts[i] + want[i].Len()/2, starts[i] + want[i].Len() - 1} {
				c := plan.pieces.cursorAt(offset)
				if c.at != starts[i] || fmt.Sprint(shown([]Piece{c.Piece})) != fmt.Sprint(shown(want[i:i+1])) {
					t.Errorf("at %d is a piece that begins at %d; want %d", offset, c.at, starts[i])
				}
				if next := c.next(); next != (i+1 < len(want)) {
					t.Errorf("after piece %d of %d is another: %v", i, len(want), next)
				}
			}
		}
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
}

// shown are pieces with what their edits are.
func shown(pieces []Piece) (all []string) {
	for _, p := range pieces {
		edit := "no edit"
		if p.Edit != nil {
			edit = fmt.Sprint(*p.Edit)
		}
		all = append(all, fmt.Sprint(p.Data, p.Source, p.Range, edit))
	}
	return all
}

func TestGoingThroughThePiecesCanEndAnywhere(t *testing.T) {
	plan, _, _, _ := threePieces()
	for want := range 4 {
		n := 0
		for range plan.Pieces() {
			if n++; n > want {
				break
			}
		}
		if n != want+1 {
			t.Errorf("%d pieces; want %d", n, want+1)
		}
	}
}

// What a plan takes is in proportion to the stream, even where each of its clusters is smaller
// than a Piece.
func TestAPlanOfTinyClustersTakesLessThanTheyDo(t *testing.T) {
	const n = 1 << 16
	for _, c := range []struct {
		name  string
		entry []byte
		track byte
		flags byte
		plan  float64 // bytes allocated for each byte of the stream, at most, those dropped at once too
		file  float64 // the file's size, for each byte of the stream
	}{
		{"sound", opus, 2, 0x80, 2.5, 1.01},
		{"sound whose keys are missing", opus, 2, 0, 2.6, 1.01},
		{"video with a key frame in each", vp8, 1, 0x80, 6.7, 2.4},
	} {
		t.Run(c.name, func(t *testing.T) {
			stream := tinyClusters(n, c.entry, c.track, c.flags)
			size := float64(len(stream))
			ix := indexOf(t, stream)
			var plan *Plan
			planned := allocatedBy(func() { plan, _ = ix.Seekable() })
			if float64(planned) > c.plan*size {
				t.Errorf("the plan allocates %.2f bytes a byte", float64(planned)/size)
			}
			if float64(plan.Size) > c.file*size {
				t.Errorf("the file has %.2f bytes a byte", float64(plan.Size)/size)
			}
			if kept := float64(len(plan.pieces.pages)*48 + n*12); kept > size {
				t.Errorf("%.2f bytes a byte are kept", kept/size)
			}
			source := bytes.NewReader(stream)
			copied := allocatedBy(func() { plan.CopyTo(struct{ io.Writer }{io.Discard}, source) })
			if copied > 1<<20 {
				t.Errorf("%d bytes are allocated as the plan is carried out", copied)
			}
			read := allocatedBy(func() {
				r := plan.ReaderAt(source)
				for range slices.Repeat([]int{0}, 10) {
					r.ReadAt(make([]byte, 32<<10), r.Size()/2)
				}
			})
			if read > 2<<20 {
				t.Errorf("%d bytes are allocated to read ten times of the plan", read)
			}
		})
	}
}
