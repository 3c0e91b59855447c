package webm

// Chunks that come with numbers: late, twice or never.

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
)

// A receiver has what a server has of a stream whose chunks are numbered.
type receiver struct {
	chunks   *Chunks
	splitter *Splitter
	stored   []byte
	numbers  []int64 // of the chunks taken
	failing  error   // what taking a chunk fails with
}

func receive(opts ChunkOptions) *receiver {
	r := &receiver{splitter: NewSplitter(Options{})}
	r.chunks = NewChunks(opts, func(c Chunk) error {
		r.stored = append(r.stored[:c.Offset-opts.Offset], c.Data...) // as a file is written to, though it fails later
		if r.failing != nil {
			return r.failing
		}
		if c.Lost {
			r.splitter.Lost()
		}
		r.numbers = append(r.numbers, c.Number)
		return r.splitter.Push(c.Data)
	})
	return r
}

// push pushes a chunk in a buffer that is then used for something else.
func (r *receiver) push(number int64, data []byte) error {
	buffer := bytes.Clone(data)
	defer clear(buffer)
	return r.chunks.Push(number, buffer)
}

// finish ends the stream, accounts for every byte of it, and returns what was split.
func (r *receiver) finish(t *testing.T) outcome {
	t.Helper()
	if err := r.chunks.Finish(); err != nil {
		t.Fatal(err)
	}
	var o outcome
	report, err := r.splitter.Finish()
	errors.As(err, &o.finishErr)
	o.report, o.clusters = report, slices.Collect(r.splitter.TakeClusters())
	for h, ok := r.splitter.TakeHeader(); ok; h, ok = r.splitter.TakeHeader() {
		o.headers = append(o.headers, h)
	}
	o.check(t, r.stored)
	return o
}

// permutations are all orders of the numbers below n.
func permutations(n int64) [][]int64 {
	if n == 0 {
		return [][]int64{nil}
	}
	var all [][]int64
	for _, p := range permutations(n - 1) {
		for i := range len(p) + 1 {
			all = append(all, slices.Insert(slices.Clone(p), i, n-1))
		}
	}
	return all
}

func TestNumberedChunksAreTakenInTheOrderOfTheirNumbersEachOnce(t *testing.T) {
	f := load(t, "firefox-08-pause-vp8opus-ts500")
	want := split(Options{}, f.data).String()
	few := slices.Collect(slices.Chunk(f.data, len(f.data)/5+1))
	type order struct {
		name    string
		chunks  [][]byte
		numbers []int64
	}
	var orders []order
	for _, numbers := range permutations(int64(len(few))) {
		orders = append(orders, order{fmt.Sprint(numbers), few, numbers})
	}
	n := len(f.chunks)
	named := map[string][]int64{}
	for i := range int64(n) {
		named["backwards"] = append(named["backwards"], int64(n)-1-i)
		named["in pairs that are swapped"] = append(named["in pairs that are swapped"], min(i^1, int64(n)-1))
		named["each twice"] = append(named["each twice"], i, i)
		named["again from the beginning"] = append(named["again from the beginning"], i, 0, i>>1)
	}
	named["in pairs that are swapped"] = append(named["in pairs that are swapped"], int64(n)-1, int64(n)-2)
	for name, numbers := range named {
		orders = append(orders, order{name, f.chunks, numbers})
	}
	if len(orders) != 120+4 {
		t.Fatalf("%d orders", len(orders))
	}
	for _, o := range orders {
		r := receive(ChunkOptions{})
		for _, number := range o.numbers {
			if err := r.push(number, o.chunks[number]); err != nil {
				t.Fatal(err)
			}
		}
		if missing := r.chunks.Missing(); len(missing) > 0 || r.chunks.Next() != int64(len(o.chunks)) {
			t.Errorf("%s: missing %v, next is %d", o.name, missing, r.chunks.Next())
		}
		if !bytes.Equal(r.stored, f.data) || len(r.numbers) != len(o.chunks) {
			t.Fatalf("%s: %d bytes of %d chunks are not the stream", o.name, len(r.stored), len(r.numbers))
		}
		compare(t, o.name, r.finish(t).String(), want)
	}
}

func TestChunksThatNeverComeAreNamedAndWhatComesAfterThemIsTaken(t *testing.T) {
	f := load(t, "firefox-08-pause-vp8opus-ts500")
	size := func(numbers ...int) (n int64) {
		for _, i := range numbers {
			n += int64(len(f.chunks[i]))
		}
		return n
	}
	for _, c := range []struct {
		name  string
		lost  []int
		want  []MissingChunks
		drops int // by a loss
	}{
		{"none", nil, nil, 0},
		{"one", []int{1}, []MissingChunks{{1, 1, size(0)}}, 1},
		{"two together and one", []int{3, 4, 8}, []MissingChunks{{3, 4, size(0, 1, 2)}, {8, 8, size(0, 1, 2, 5, 6, 7)}}, 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := receive(ChunkOptions{})
			var parts [][]byte
			for i, chunk := range f.chunks {
				if slices.Contains(c.lost, i) {
					continue
				}
				parts = append(parts, chunk)
				if err := r.push(int64(i), chunk); err != nil {
					t.Fatal(err)
				}
			}
			if got := r.chunks.Missing(); !slices.Equal(got, c.want) {
				t.Errorf("missing %v; want %v", got, c.want)
			}
			if len(c.lost) > 0 && r.chunks.Next() != int64(c.lost[0]) {
				t.Errorf("next is %d", r.chunks.Next())
			}
			o := r.finish(t)
			if got := r.chunks.Missing(); !slices.Equal(got, c.want) {
				t.Errorf("at the end missing %v; want %v", got, c.want)
			}
			if !bytes.Equal(r.stored, slices.Concat(parts...)) {
				t.Error("what came is not stored")
			}
			lost := 0
			for _, d := range o.report.Dropped {
				if d.Reason.Code == CodeLost {
					lost++
				}
			}
			if lost != c.drops {
				t.Errorf("%d losses are reported: %v", lost, o.report.Dropped)
			}
			if last := o.clusters[len(o.clusters)-1]; last.End != int64(len(r.stored)) {
				t.Errorf("the last cluster ends at %d of %d", last.End, len(r.stored))
			}
		})
	}
}

func TestEarlyChunksWaitUpToALimit(t *testing.T) {
	for _, c := range []struct {
		name    string
		opts    ChunkOptions
		size    int // of a chunk
		waiting int
	}{
		{"of chunks", ChunkOptions{MaxWaiting: 3}, 1000, 3},
		{"of bytes", ChunkOptions{MaxWaitingBytes: 4999}, 1000, 4},
		{"of 100 chunks by default", ChunkOptions{}, 1000, 100},
		{"of 32 MiB by default", ChunkOptions{}, 1<<20 - 1, 32},
	} {
		t.Run(c.name, func(t *testing.T) {
			chunk := make([]byte, c.size)
			var taken, bytes int64
			chunks := NewChunks(c.opts, func(c Chunk) error {
				taken, bytes = taken+1, bytes+int64(len(c.Data))
				return nil
			})
			end := int64(c.waiting) + 1
			allocated := allocatedBy(func() {
				for i := end; i > 0; i-- { // 0 is missing
					if err := chunks.Push(i+1, chunk); i == 1 {
						wantCode(t, "one more", err, CodeWaiting)
						if want := fmt.Sprintf("webm: chunk 2 was not taken, as %d chunks wait for chunk 0", c.waiting); err.Error() != want {
							t.Errorf("%q; want %q", err, want)
						}
					} else if err != nil {
						t.Fatal(err)
					}
				}
			})
			if most := uint64(c.waiting*(c.size+c.size/8+512) + 4096); allocated > most {
				t.Errorf("%d bytes allocated for %d chunks", allocated, c.waiting)
			}
			// One that waits is a duplicate; the one that is missing is taken however large.
			if err := chunks.Push(end, chunk); err != nil {
				t.Error(err)
			}
			if err := chunks.Push(0, make([]byte, 33<<20)); err != nil || taken != 1 {
				t.Errorf("%d taken, %v", taken, err)
			}
			for i := range int64(2) {
				if err := chunks.Push(i+1, chunk); err != nil {
					t.Error(err)
				}
			}
			if taken != end+2 || bytes != 33<<20+(end+1)*int64(c.size) || len(chunks.Missing()) > 0 {
				t.Errorf("%d taken of %d bytes, missing %v", taken, bytes, chunks.Missing())
			}
		})
	}
}

func TestAChunkThatCouldNotBeTakenIsTakenLater(t *testing.T) {
	f := load(t, "firefox-08-pause-vp8opus-ts500")
	full := errors.New("the disk is full")
	r := receive(ChunkOptions{})
	push := func(number int64, want error) {
		t.Helper()
		if err := r.push(number, f.chunks[number]); err != want {
			t.Errorf("chunk %d: %v; want %v", number, err, want)
		}
	}
	push(0, nil)
	push(2, nil)
	r.failing = full
	push(1, full) // has not been taken
	push(3, nil)  // waits
	r.failing = nil
	push(1, nil)
	push(5, nil)
	push(6, nil)
	r.failing = full
	for range 2 {
		if err := r.chunks.Skip(); err != full {
			t.Errorf("skipping: %v", err)
		}
	}
	push(6, full) // is there, but has not been taken
	r.failing = nil
	push(5, nil)
	if want := []int64{0, 1, 2, 3, 5, 6}; !slices.Equal(r.numbers, want) || !bytes.Equal(r.stored, slices.Concat(slices.Concat(f.chunks[:4]...), f.chunks[5], f.chunks[6])) {
		t.Errorf("taken %v, %d bytes", r.numbers, len(r.stored))
	}
	if o := r.finish(t); len(o.report.Dropped) == 0 || o.report.Dropped[0].Reason.Code != CodeLost {
		t.Errorf("dropped %v", o.report.Dropped)
	}
}

func TestAChunkThatWasGivenUpIsRefusedAndOneThatWasTakenIsIgnored(t *testing.T) {
	var taken []Chunk
	chunks := NewChunks(ChunkOptions{}, func(c Chunk) error {
		c.Data = nil
		taken = append(taken, c)
		return nil
	})
	push := func(number int64) error { return chunks.Push(number, []byte("chunk")) }
	if err := chunks.Skip(); err != nil || len(taken) > 0 {
		t.Error("something is skipped where nothing waits")
	}
	for _, number := range []int64{2, 3, 6, maxChunk} {
		push(number)
	}
	chunks.Skip()
	missing := []MissingChunks{{0, 1, 0}, {4, 5, 10}, {7, maxChunk - 1, 15}}
	if got := chunks.Missing(); !slices.Equal(got, missing) || chunks.Next() != 4 {
		t.Errorf("missing %v, next is %d", got, chunks.Next())
	}
	for number, want := range map[int64]Code{-1: CodeInvalidValue, 0: CodeLate, 1: CodeLate, 2: "", 3: "", 6: "", maxChunk + 1: CodeInvalidValue} {
		err := push(number)
		if want == "" && err != nil {
			t.Errorf("chunk %d: %v", number, err)
		} else if want != "" {
			wantCode(t, fmt.Sprintf("chunk %d", number), err, want)
		}
	}
	push(5)
	push(4)
	chunks.Finish()
	wantCode(t, "at the end", push(7), CodeLate)
	if want := []Chunk{{2, 0, nil, true}, {3, 5, nil, false}, {4, 10, nil, false}, {5, 15, nil, false}, {6, 20, nil, false}, {maxChunk, 25, nil, true}}; fmt.Sprint(taken) != fmt.Sprint(want) {
		t.Errorf("taken %v; want %v", taken, want)
	}
	if got, want := chunks.Missing(), []MissingChunks{{0, 1, 0}, {7, maxChunk - 1, 25}}; !slices.Equal(got, want) {
		t.Errorf("missing %v; want %v", got, want)
	}
}

func TestChunksGoOnWhereAServerHadStopped(t *testing.T) {
	f := load(t, "firefox-08-pause-vp8opus-ts500")
	stored := slices.Concat(f.chunks[:4]...)
	r := receive(ChunkOptions{First: 4, Offset: int64(len(stored))})
	if err := r.splitter.Push(stored); err != nil {
		t.Fatal(err)
	}
	for i := len(f.chunks) - 1; i >= 0; i-- {
		if err := r.push(int64(i), f.chunks[i]); err != nil {
			t.Fatal(err)
		}
	}
	r.stored = append(stored, r.stored...)
	compare(t, "resumed", r.finish(t).String(), split(Options{}, f.data).String())
}

func TestChunksInOrderAreNotCopied(t *testing.T) {
	chunks := NewChunks(ChunkOptions{}, func(Chunk) error { return nil })
	number, data := int64(0), make([]byte, 1<<20)
	if n := testing.AllocsPerRun(100, func() {
		chunks.Push(number, data)
		number++
	}); n > 0 {
		t.Errorf("%v allocations a chunk", n)
	}
}

// What is taken is what a receiver with memory for everything would sort.
func TestWhateverComesOfChunksIsTakenInOrder(t *testing.T) {
	for seed := range uint64(500) {
		random := rand.New(rand.NewPCG(seed, 0))
		var taken []int64
		var missing []MissingChunks
		next, came := int64(0), map[int64]bool{}
		chunks := NewChunks(ChunkOptions{MaxWaiting: 8}, func(c Chunk) error {
			if random.IntN(8) == 0 {
				return errors.ErrUnsupported
			}
			if c.Lost {
				missing = append(missing, MissingChunks{next, c.Number - 1, c.Offset})
			} else if c.Number != next {
				t.Errorf("chunk %d is taken where %d is next, and nothing is said of a loss", c.Number, next)
			}
			if len(c.Data) != 1 || c.Data[0] != byte(c.Number) || c.Offset != int64(len(taken)) {
				t.Errorf("chunk %d is %x at %d", c.Number, c.Data, c.Offset)
			}
			next = c.Number + 1
			taken = append(taken, c.Number)
			return nil
		})
		for range 200 {
			number := max(0, next+random.Int64N(12)-4)
			err := chunks.Push(number, []byte{byte(number)})
			came[number] = came[number] || err == nil
			if random.IntN(20) == 0 {
				chunks.Skip()
			}
		}
		for chunks.Finish() != nil {
		}
		for number := range came {
			if came[number] && !slices.Contains(taken, number) {
				t.Errorf("chunk %d came, and was not taken", number)
			}
		}
		if !slices.IsSorted(taken) || len(slices.Compact(slices.Clone(taken))) != len(taken) || !slices.Equal(chunks.Missing(), missing) {
			t.Errorf("taken %v, missing %v; want %v", taken, chunks.Missing(), missing)
		}
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
}
