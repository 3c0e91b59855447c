package ebml

import (
	"bytes"
	"fmt"
	"slices"
	"testing"
)

// Elements whose data is stepped over cost the same whatever their size; those that are
// read cost by what is read.
func BenchmarkScanner(b *testing.B) {
	for _, size := range []int{100, 10_000} {
		stream := unknown(idSegment, unknown(idCluster, bytes.Repeat(element(idBytes, make([]byte, size)), 10_000_000/size)))
		for _, chunk := range []int{1 << 10, 64 << 10} {
			b.Run(fmt.Sprintf("elements of %d bytes/chunks of %d", size, chunk), func(b *testing.B) {
				chunks := slices.Collect(slices.Chunk(stream, chunk))
				b.SetBytes(int64(len(stream)))
				b.ReportAllocs()
				for b.Loop() {
					s := newScanner()
					for _, c := range chunks {
						s.Push(c)
						for kind := s.Next(); kind != More; kind = s.Next() {
							if kind != Start {
								continue
							}
							if id := s.Head().ID; id == idSegment || id == idCluster {
								s.Enter()
							} else {
								s.Read(4)
							}
						}
					}
					if err := s.Err(); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}
