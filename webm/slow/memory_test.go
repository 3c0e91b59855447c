package slow

// How much of the heap a splitter holds.

import (
	"runtime"
	"testing"

	"github.com/webmend/webmend/webm"
	"github.com/webmend/webmend/webm/internal/webmtest"
)

// greedy are the shapes of which a splitter holds more than it may, and what it held when
// that was measured: if nothing is taken, and if all is, where that is too much as well.
// Mend one, and take it out.
var greedy = map[string]string{
	"recordings": "5.6 MB of 1 MB; taken, 5.3 MB of 1 MB",
}

// mostHeld is how many bytes a splitter may hold of a stream of so many.
func mostHeld(stream int) int64 { return 1<<20 + 4*int64(stream) }

func TestMemoryIsInProportion(t *testing.T) {
	known := 0
	for _, shape := range webmtest.Shapes {
		t.Run(shape.Name, func(t *testing.T) {
			what, isGreedy := greedy[shape.Name]
			if isGreedy {
				known++
			}
			isMended := true
			for _, taking := range []bool{false, true} {
				for _, size := range []int{1 << 20, 4 << 20} {
					if isGreedy && !isMended {
						continue
					}
					stream := shape.Bytes(size)
					peak := held(stream, taking)
					if peak > mostHeld(len(stream)) {
						if isMended = false; !isGreedy {
							t.Errorf("%.1f MB are held of %.1f MB, taking what there is: %v", megabytes(peak), megabytes(int64(len(stream))), taking)
						}
					}
				}
			}
			if isGreedy && isMended {
				t.Errorf("it is mended and no longer greedy: it held %s", what)
			}
		})
	}
	if known < len(greedy) {
		t.Errorf("greedy has shapes that there are not: %v", greedy)
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
	const chunk, interval = 64 << 10, 256 << 10
	measured, pushes := 0, 0
	for at, again := int64(0), true; again; at, again = s.Rewind() {
		for at < int64(len(stream)) {
			end := min(at+chunk, int64(len(stream)))
			s.Push(stream[at:end])
			take()
			at = end
			if back, ok := s.Rewind(); ok {
				at = back
			}
			// Where there is a lot of damage, the same chunk is pushed a great many times.
			if pushes++; int(end) >= measured+interval || pushes%4096 == 0 {
				measured, peak = max(measured, int(end)), max(peak, inUse()-start)
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
