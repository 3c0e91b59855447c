package ebml

// That the scanner allocates nothing for bytes that are pushed or claimed.

import (
	"math"
	"runtime"
	"slices"
	"testing"
)

func TestAClaimOfSizeAllocatesNothing(t *testing.T) {
	const pushed = 100
	s := newScanner()
	s.Push(append(AppendHead(nil, idBytes, 1<<56-2), make([]byte, pushed)...))
	if kind := s.Next(); kind != Start {
		t.Fatalf("got %v; want the start of the element", kind)
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	s.Read(math.MaxInt)
	kind := s.Next()
	runtime.ReadMemStats(&after)
	if kind != More || s.Err() != nil {
		t.Errorf("Next() = %v, %v; want More", kind, s.Err())
	}
	// The bytes that came are kept; the rest of the bound is for what the
	// runtime itself may allocate meanwhile.
	if n := after.TotalAlloc - before.TotalAlloc; n > 64<<10 {
		t.Errorf("allocated %d bytes for an element of which %d came", n, pushed)
	}
}

func TestPushingAllocatesNothingOnceTheScannerIsWarm(t *testing.T) {
	s := newScanner()
	s.Push(unknown(idSegment, unknown(idCluster)))
	for s.Next() == Start {
		s.Enter()
	}
	period := slices.Concat(
		element(idNumber, data("12345678")),
		element(idBytes, make([]byte, 200)),
		element(idGroup, element(idNumber, data("12")), element(idBytes, make([]byte, 20))),
		element(IDVoid, make([]byte, 50)),
	)
	for _, c := range []struct {
		name string
		cut  int // where the period is cut in two chunks
	}{
		{"inside a value that is read", 5},
		{"inside a head", 11},
		{"inside data that is stepped over", 100},
		{"inside a master", 10 + 203 + 4},
		{"nowhere", len(period)},
	} {
		t.Run("cut "+c.name, func(t *testing.T) {
			ended := 0
			push := func(chunk []byte) {
				s.Push(chunk)
				for {
					switch s.Next() {
					case Start:
						switch s.Head().ID {
						case idGroup:
							s.Enter()
						case idNumber:
							s.Read(8)
						case idBytes:
							s.Read(100)
						}
					case End:
						ended++
					case More:
						return
					}
				}
			}
			allocs := testing.AllocsPerRun(100, func() {
				push(period[:c.cut])
				push(period[c.cut:])
			})
			if allocs != 0 || s.Err() != nil {
				t.Errorf("%v allocations, error %v", allocs, s.Err())
			}
			if ended != 101*6 { // AllocsPerRun runs once more, to warm up
				t.Errorf("%d elements ended; want %d", ended, 101*6)
			}
		})
	}
}
