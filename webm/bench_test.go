package webm

import (
	"bytes"
	"fmt"
	"io"
	"slices"
	"testing"
)

// Real recordings, in small chunks, as they are read from a file, and as recorded: the work
// is by the block, not by the byte.
func BenchmarkSplitter(b *testing.B) {
	for _, name := range benchmarked {
		f := load(b, name)
		for _, chunking := range []struct {
			name   string
			chunks [][]byte
		}{
			{"1KB", slices.Collect(slices.Chunk(f.data, 1<<10))},
			{"64KB", slices.Collect(slices.Chunk(f.data, 64<<10))},
			{"recorded", f.chunks},
		} {
			b.Run(f.name+"/"+chunking.name, func(b *testing.B) {
				b.SetBytes(int64(len(f.data)))
				b.ReportAllocs()
				blocks := 0
				for b.Loop() {
					s := NewSplitter(Options{})
					for _, chunk := range chunking.chunks {
						if err := s.Push(chunk); err != nil {
							b.Fatal(err)
						}
						for c := range s.TakeClusters() {
							blocks += c.Blocks
						}
					}
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(blocks), "ns/block")
			})
		}
	}
}

// benchmarked are a recording of each shape: large blocks, BlockGroups, Firefox's, and
// sound alone.
var benchmarked = []string{"chromium-noalpha-03-vp8opus-ts250", "chromium-13b-alpha-vp9", "firefox-08-pause-vp8opus-ts500", "firefox-01-opus-ts50"}

// A clip and a join point read a cluster or two of the stream.
func BenchmarkCuts(b *testing.B) {
	f := load(b, benchmarked[0])
	src := bytes.NewReader(f.data)
	s, _, err := Scan(src, int64(len(f.data)), Options{}, nil)
	if err != nil {
		b.Fatal(err)
	}
	ix := s.Index(0)
	for _, cut := range []struct {
		name string
		make func() (*Cutter, error)
	}{
		{"clip", func() (*Cutter, error) { return ix.Clip(3e9, 8e9) }},
		{"join point", ix.JoinPoint},
	} {
		b.Run(cut.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				cutter, err := cut.make()
				if err == nil {
					_, err = cutter.PlanFrom(src)
				}
				if err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// The work of a seekable file is by its clusters, of about 100 KB, as a second of
// video has: 100, 10,000 and 100,000 of them.
func BenchmarkSeekable(b *testing.B) {
	for _, stream := range []struct {
		name string
		size int64
	}{{"10MB", 10e6}, {"1GB", 1e9}, {"10GB", 10e9}} {
		for _, stored := range []bool{false, true} {
			b.Run(fmt.Sprintf("%s/stored=%v", stream.name, stored), func(b *testing.B) {
				ix := simulated(int(stream.size/100_000), 100_000)
				ix.Stored = stored
				b.ReportAllocs()
				var plan *Plan
				for b.Loop() {
					var err error
					if plan, err = ix.Seekable(); err != nil {
						b.Fatal(err)
					}
				}
				b.ReportMetric(float64(len(piecesOf(plan))), "pieces")
			})
		}
	}
}

// The work of a join is by the clusters of all.
func BenchmarkJoin(b *testing.B) {
	ix := simulated(10_000, 100_000)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Join(ix, ix); err != nil {
			b.Fatal(err)
		}
	}
}

// Against copying the bytes, which a plan leaves to its executor.
func BenchmarkCopyTo(b *testing.B) {
	stream := stream(tracks(vp8, opus), cluster(0, bytes.Repeat(simpleBlock(2, 0, 0, string(make([]byte, 1000))), 10_000)))
	source := bytes.NewReader(stream)
	for _, bench := range []struct {
		name string
		edit *Edit
	}{{"ranges", nil}, {"edits", &Edit{Keys: []uint64{2}}}} {
		b.Run(bench.name, func(b *testing.B) {
			plan := &Plan{}
			plan.add(Piece{Range: Range{int64(len(stream)) - 10_000*1007, int64(len(stream))}, Edit: bench.edit})
			b.SetBytes(plan.Size)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := plan.CopyTo(struct{ io.Writer }{io.Discard}, source); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
