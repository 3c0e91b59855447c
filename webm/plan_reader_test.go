package webm

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"testing/iotest"
)

// editedClusters is a plan of the clusters of a stream in which every block is changed.
func editedClusters(clusters []Cluster) *Plan {
	plan := &Plan{}
	for i := range clusters {
		head, data, edit := clusters[i].Form()
		plan.write(head)
		plan.add(Piece{Range: data, Edit: edit.and(&Edit{Shift: 1, Void: true})})
	}
	return plan
}

// wantRead fails the test if a part of what a plan makes is read otherwise than it is made.
func wantRead(t *testing.T, what string, r *PlanReader, want []byte, at, n int) {
	t.Helper()
	p := bytes.Repeat([]byte{0xAA}, n)
	got, err := r.ReadAt(p, int64(at))
	there := want[min(at, len(want)):min(at+n, len(want))]
	if got != len(there) || !bytes.Equal(p[:got], there) || (err != nil) != (got < n) || err != nil && err != io.EOF {
		t.Errorf("%s, %d bytes at %d: %d bytes, error %v; want %d", what, n, at, got, err, len(there))
	}
}

func TestWhatAPlanMakesCanBeReadAtAnyOffset(t *testing.T) {
	eachPart(t, func(t *testing.T, stream []byte) {
		ix := indexOf(t, stream)
		if ix.NumClusters() == 0 {
			return
		}
		random := rand.New(rand.NewPCG(1, 2))
		plans := map[string]*Plan{"edited clusters": editedClusters(split(Options{}, stream).clusters)}
		for _, p := range planners(ix) {
			if plan, err := p.plan(ix, stream); err == nil {
				plans[p.name] = plan
			}
		}
		for what, plan := range plans {
			want := made(t, plan, stream)
			src := bytes.NewReader(stream)
			r := plan.ReaderAt(src)
			if r.Size() != plan.Size {
				t.Errorf("%s: Size %d; want %d", what, r.Size(), plan.Size)
			}
			// At random, and again with nothing known of what comes before.
			for range 20 {
				at, n := random.IntN(len(want)), random.IntN(1<<random.IntN(18))
				wantRead(t, what, r, want, at, n)
				wantRead(t, what+", anew", plan.ReaderAt(src), want, at, n)
			}
			// About where pieces meet.
			meet := 0
			for i, p := range piecesOf(plan) {
				if i == 100 {
					break
				}
				meet += int(p.Len())
				at := max(0, meet-random.IntN(30))
				wantRead(t, what, r, want, at, random.IntN(60))
			}
			// From one end to the other.
			n := 1 + random.IntN(1<<16)
			for at := 0; at <= len(want); at += n {
				wantRead(t, what, r, want, at, n)
			}
		}
	})
}

func TestBytesOfAPlanThatAreReadOneByOneAreThose(t *testing.T) {
	plan, want, first, second := threePieces()
	for _, most := range []int{1, 7, 1 << 20} {
		r := plan.ReaderAt(readerAt{first, most, io.EOF, true}, readerAt{second, most, io.EOF, false})
		for at := range want {
			for n := range min(len(want)-at, 40) {
				wantRead(t, fmt.Sprint(most, " bytes at a time"), r, want, at, n)
			}
		}
		if err := iotest.TestReader(io.NewSectionReader(r, 0, r.Size()), want); err != nil {
			t.Error(err)
		}
	}
}

func TestAPlanCanBeReadByManyAtOnce(t *testing.T) {
	stream := load(t, "firefox-08-pause-vp8opus-ts500").data
	plan := editedClusters(split(Options{}, stream).clusters)
	want := made(t, plan, stream)
	r := plan.ReaderAt(bytes.NewReader(stream))
	var group sync.WaitGroup
	for i := range 8 {
		group.Go(func() {
			random := rand.New(rand.NewPCG(uint64(i), 0))
			for range 50 {
				wantRead(t, "at once", r, want, random.IntN(len(want)), random.IntN(100_000))
			}
		})
	}
	group.Wait()
}

func TestOneCallReadsManySmallPiecesOfAPlanAtOnce(t *testing.T) {
	for _, flags := range []byte{0, 0x80} {
		stream := tinyClusters(20_000, opus, 2, flags)
		plan, err := indexOf(t, stream).Seekable()
		if err != nil {
			t.Fatal(err)
		}
		source := &countedSource{data: stream}
		want := made(t, plan, stream)
		r := plan.ReaderAt(source)
		for at := 0; at < len(want); at += 32 << 10 {
			source.calls, source.read = 0, 0
			wantRead(t, "tiny clusters", r, want, at, 32<<10)
			if source.calls > 2 || source.read > 33<<10 {
				t.Errorf("32 KiB at %d are %d calls that read %d bytes", at, source.calls, source.read)
			}
		}
	}
}

func TestToReadAPartOfAPlanTakesLittleMoreThanThePart(t *testing.T) {
	const n = 1 << 10
	one := simpleBlock(1, 0, 0, string(make([]byte, 1000)))
	large := simpleBlock(1, 0, 0, string(make([]byte, 3<<20)))
	grouped := group(block(1, 0, string(make([]byte, 3<<20))))
	small := bytes.Repeat(one, 2000)
	most := n + placesApart*5/4 + len(one) + patchDelay
	for _, c := range []struct {
		name  string
		data  []byte
		first int // bytes that are read at most to read at the end for the first time
		most  int // and later anywhere
	}{
		{"small blocks", small, len(small), most},
		{"a large block at the end", slices.Concat(small, large), len(small) + windowLen + n, most},
		{"large blocks in the midst", slices.Concat(small, large, grouped, small), 3<<20 + 2*len(small) + 2*windowLen, most + 3<<20},
	} {
		t.Run(c.name, func(t *testing.T) {
			plan := &Plan{}
			plan.write([]byte("head"))
			plan.add(Piece{Range: Range{0, int64(len(c.data))}, Edit: &Edit{Shift: 1}})
			want := made(t, plan, c.data)
			src := &countedSource{data: c.data}
			r := plan.ReaderAt(src)
			wantRead(t, "the end", r, want, len(want)-n, n)
			if src.read > c.first {
				t.Errorf("the end: %d bytes are read; want at most %d", src.read, c.first)
			}
			for at := 0; at+n < len(want); at += 50 * n / 7 {
				src.read = 0
				wantRead(t, "later", r, want, at, n)
				if src.read > c.most {
					t.Errorf("%d bytes at %d: %d bytes are read; want at most %d", n, at, src.read, c.most)
				}
			}
			places := 0
			for _, p := range r.places {
				places += len(p)
			}
			if places == 0 || places > len(c.data)/placesApart {
				t.Errorf("%d places are kept of %d bytes", places, len(c.data))
			}
		})
	}
}

func TestAPlanIsReadWhereverItsBlocksBegin(t *testing.T) {
	// The head of a large block is cut at each of its bytes by where an editor pauses.
	for before := range 2 * patchDelay {
		first := simpleBlock(1, 0, 0, string(make([]byte, 2*placesApart-before-7)))
		data := slices.Concat(first, simpleBlock(1, 5, 0, string(make([]byte, 100_000))), simpleBlock(1, 6, 0, "frame"))
		plan := planOf(Piece{Range: Range{0, int64(len(data))}, Edit: &Edit{Shift: 300, Keys: []uint64{1}}})
		want := made(t, plan, data)
		for at := len(first); at < len(first)+12; at++ {
			r := plan.ReaderAt(bytes.NewReader(data))
			what := fmt.Sprintf("a block that begins %d bytes before", before)
			wantRead(t, what, r, want, len(data)-1, 1)
			wantRead(t, what, r, want, at, len(data))
		}
	}
}

func TestWhyAPlanCannotBeReadIsSaid(t *testing.T) {
	plan, want, first, second := threePieces()
	sources := func(a, b io.ReaderAt) []io.ReaderAt { return []io.ReaderAt{a, b} }
	a, b := bytes.NewReader(first), bytes.NewReader(second)
	broken := errors.New("broken")
	odd := planOf(Piece{Source: -1, Range: Range{0, 1}})
	for _, c := range []struct {
		name string
		plan *Plan
		src  []io.ReaderAt
		err  error
	}{
		{"no source", plan, nil, CodeNoSource},
		{"the second is missing", plan, sources(a, b)[:1], CodeNoSource},
		{"the second is nil", plan, sources(a, nil), CodeNoSource},
		{"a source before the first", odd, sources(a, b), CodeNoSource},
		{"the first is too short", plan, sources(bytes.NewReader(first[:194]), b), io.ErrUnexpectedEOF},
		{"the second is too short", plan, sources(a, bytes.NewReader(second[:len(second)-1])), io.ErrUnexpectedEOF},
		{"the second breaks", plan, sources(a, readerAt{second[:50], 10, broken, false}), broken},
		{"the second is another", plan, sources(a, bytes.NewReader(make([]byte, len(second)))), CodeInvalidID},
	} {
		t.Run(c.name, func(t *testing.T) {
			var out bytes.Buffer
			copied, err := c.plan.CopyTo(&out, c.src...)
			if !errors.Is(err, c.err) || c.err == error(CodeNoSource) && copied > 0 {
				t.Errorf("CopyTo: %d bytes, error %v; want %v", copied, err, c.err)
			}
			r := c.plan.ReaderAt(c.src...)
			p := make([]byte, r.Size())
			n, err := r.ReadAt(p, 0)
			if !errors.Is(err, c.err) || int64(n) == r.Size() || !bytes.Equal(p[:n], want[:n]) {
				t.Errorf("ReadAt: %d bytes, error %v; want %v", n, err, c.err)
			}
		})
	}
	cutter, err := indexOf(t, stream(tracks(vp8), cluster(0, simpleBlock(1, 0, 0x80, "frame"), simpleBlock(1, 10, 0, "frame")))).Clip(0, 5_000_000)
	if err != nil {
		t.Fatal(err)
	}
	_, err = cutter.PlanFrom()
	wantCode(t, "PlanFrom without a source", err, CodeNoSource)
	_, err = plan.ReaderAt(a, b).ReadAt(make([]byte, 1), -1)
	wantCode(t, "a negative offset", err, CodeInvalidRange)
	if n, err := new(Plan).ReaderAt().ReadAt(make([]byte, 1), 0); n != 0 || err != io.EOF {
		t.Errorf("of nothing: %d bytes, error %v", n, err)
	}
	if n, err := plan.ReaderAt(a, b).ReadAt(nil, 1<<40); n != 0 || err != nil {
		t.Errorf("no bytes past the end: %d bytes, error %v", n, err)
	}
}
