package webm

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"unsafe"
)

func TestAListOfClustersGivesBackWhatWasAdded(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	l := clusterList{scale: 1000}
	var want []entry
	var last entry
	for i := range 10*pageLen + 7 {
		e := entry{headLen: uint8(5 + random.IntN(8)), flags: uint8(random.IntN(16)), timeLen: uint8(2 + random.IntN(9)), timeAt: random.Uint32N(1 << random.IntN(31))}
		e.Start = last.End + random.Int64N(1<<random.IntN(40))
		e.End = e.Start + 20 + random.Int64N(1<<random.IntN(50))
		e.timestamp = random.Int64N(maxTime) >> random.IntN(60) / l.scale
		e.until = random.Int64N(maxTime) >> random.IntN(60)
		if i%3 == 0 { // as clusters mostly are: one after the other, and some milliseconds long
			e.Start, e.headLen, e.timeLen, e.timeAt = last.End, last.headLen, last.timeLen, last.timeAt
			e.End = e.Start + 40000
			e.until = (e.timestamp + 250) * l.scale
		}
		if i == 0 {
			e.form = 200
		} else {
			e.form = last.formEnd()
		}
		l.add(e)
		want = append(want, e)
		last = e
		if l.len() != len(want) {
			t.Fatalf("it has %d entries after %d", l.len(), len(want))
		}
	}
	for range 3 * len(want) { // in any order
		if i := random.IntN(len(want)); l.at(i) != want[i] {
			t.Fatalf("entry %d is %+v; want %+v", i, l.at(i), want[i])
		}
	}
}

func TestAListOfClustersTakesFewBytesForEach(t *testing.T) {
	s := NewSplitter(Options{})
	recording := load(t, "chromium-noalpha-03-vp8opus-ts250").data
	if err := s.Push(recording); err != nil {
		t.Fatal(err)
	}
	clusters := slices.Collect(s.TakeClusters())
	again := recording[clusters[0].Start:clusters[len(clusters)-1].End]
	for range 99 {
		if err := s.Push(again); err != nil {
			t.Fatal(err)
		}
	}
	l := &s.Index(0).clusters
	bytes := 0
	for _, p := range l.pages {
		bytes += len(p.rest) + int(unsafe.Sizeof(p))
	}
	if each := float64(bytes) / float64(l.len()); each > 11 || l.len() < 4000 {
		t.Errorf("%d clusters take %.1f bytes each", l.len(), each)
	}
}

func TestVarintsOfAnySizeAndSignAreReadBack(t *testing.T) {
	for _, v := range []int64{0, 1, -1, 63, 64, -64, -65, 8191, 8192, math.MaxInt64, math.MinInt64} {
		b := appendVarint(nil, v)
		rest := append(b, 0xFF)
		if got := takeVarint(&rest); got != v || len(rest) != 1 {
			t.Errorf("%d is read as %d, and %d bytes are left; want 1", v, got, len(rest))
		}
	}
}
