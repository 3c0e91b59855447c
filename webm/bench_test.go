package webm

import (
	"bytes"
	"fmt"
	"io"
	"testing"
)

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
				b.ReportMetric(float64(len(plan.Pieces)), "pieces")
			})
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
