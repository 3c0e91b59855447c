package slow

// How much of the heap a splitter holds.

import (
	"runtime"
	"testing"

	"github.com/webmend/webmend/webm"
	"github.com/webmend/webmend/webm/internal/webmtest"
)

// mostHeld is how many bytes a splitter may hold of a stream of so many.
func mostHeld(stream int) int64 { return 1<<20 + 4*int64(stream) }

func TestMemoryIsInProportion(t *testing.T) {
	for _, shape := range webmtest.Shapes {
		t.Run(shape.Name, func(t *testing.T) {
			for _, taking := range []bool{false, true} {
				for _, size := range []int{1 << 20, 2 << 20, 4 << 20, 8 << 20} {
					stream := shape.Bytes(size)
					if peak := held(stream, taking); peak > mostHeld(len(stream)) {
						t.Errorf("%.1f MB are held of %.1f MB, taking what there is: %v", megabytes(peak), megabytes(int64(len(stream))), taking)
					}
				}
			}
		})
	}
}

func megabytes(n int64) float64 { return float64(n) / (1 << 20) }

// held is the most bytes that a splitter holds while a stream is pushed, and after it.
// Taking says whether all that can be taken is, after each push.
func held(stream []byte, taking bool) (peak int64) {
	start := inUse()
	s := webm.NewSplitter(webm.Options{Rewinds: true})
	take := func() {
		for ok := taking; ok; _, ok = s.TakeHeader() {
		}
		if taking {
			for range s.TakeClusters() {
			}
		}
	}
	const chunk, interval = 64 << 10, 512 << 10
	measured, pushed, want := 0, 0, int64(chunk)
	for at, again := int64(0), true; again; at, again = s.Rewind() {
		for at < int64(len(stream)) {
			end := min(at+want, int64(len(stream)))
			s.Push(stream[at:end])
			take()
			pushed += int(end - at)
			at, want = end, min(2*want, chunk)
			if back, ok := s.Rewind(); ok {
				at, want = back, 1<<10
			}
			if pushed >= measured+interval {
				measured, peak = pushed, max(peak, inUse()-start)
			}
		}
		s.Finish()
		take()
	}
	peak = max(peak, inUse()-start)
	runtime.KeepAlive(s)
	runtime.KeepAlive(stream)
	return peak
}

// inUse is how many bytes of the heap are in use.
func inUse() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}
