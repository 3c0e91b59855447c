package webm

// The Cues of seekable files: where they point, how many they are, and what they cost.

import (
	"strings"
	"testing"
)

// The positions all have as many octets as the largest of them needs, on which
// they themselves depend.
func TestCuesPointRightWhateverTheSizeOfTheFile(t *testing.T) {
	t.Parallel()
	widths := map[int]bool{}
	for _, border := range []int{1 << 8, 1 << 16, 1 << 24} {
		for delta := -150; delta <= 30; delta++ {
			if border == 1<<24 && delta%either(180, 90) != 0 || border == 1<<16 && delta%either(3, 1) != 0 {
				continue
			}
			padding := border + delta
			if padding < 150 {
				padding = 10
			}
			// The second cluster begins about the border.
			stream := stream(tracks(vp8), cluster(0, simpleBlock(1, 0, 0x80, strings.Repeat("x", max(0, padding-150)))), cluster(40, simpleBlock(1, 0, 0x80, "")))
			plan, err := indexOf(t, stream).Seekable()
			if err != nil {
				t.Fatal(err)
			}
			out := made(t, plan, stream)
			f := parse(t, out)
			if len(f.cues) != 2 {
				t.Fatalf("%d cues", len(f.cues))
			}
			for _, e := range f.elements {
				if e.id == 0xF1 {
					widths[e.end-e.data] = true
				}
			}
		}
	}
	for n := 2; n <= 4; n++ {
		if !widths[n] {
			t.Errorf("no position had %d octets: the test tests nothing", n)
		}
	}
}

// A simulated index of a stream of clusters, without the stream: it is what a
// splitter would have made.
func simulated(clusters int, clusterSize int64) *Index {
	o := split(Options{}, stream(tracks(vp8, opus)))
	ix := &Index{header: o.headers[0]}
	ix.parts = []part{{IDSegment, IDTracks, Range{24, ix.header.End}}}
	at := ix.header.End
	for i := range clusters {
		e := entry{Range: Range{at, at + clusterSize}, timestamp: int64(i) * 1000, until: int64(i+1) * 1e9, headLen: 12, timeLen: 4, flags: beginsWithKey}
		ix.keyFrames.add(KeyFrame{Track: 1, Timestamp: e.timestamp, Offset: at + 100})
		ix.add(e)
		at += clusterSize
	}
	ix.first = []KeyFrame{{Track: 1, Offset: 100}, {Track: 2, Offset: 200}}
	return ix
}

func TestTheWorkOfASeekableFileGrowsWithItsClustersOnly(t *testing.T) {
	allocations := func(ix *Index) float64 {
		return testing.AllocsPerRun(1, func() {
			if _, err := ix.Seekable(); err != nil {
				t.Fatal(err)
			}
		})
	}
	small, large := allocations(simulated(1000, 1<<20)), allocations(simulated(100_000, 1<<20))
	if large > 110*small {
		t.Errorf("%v allocations for 1,000 clusters and %v for 100,000", small, large)
	}
	if bigger := allocations(simulated(1000, 1<<30)); bigger > small+100 {
		t.Errorf("%v allocations for clusters of 1 MiB and %v for those of 1 GiB", small, bigger)
	}
	for _, n := range []int{1, 1000, 100_000} {
		plan, err := simulated(n, 1<<20).Seekable()
		if err != nil {
			t.Fatal(err)
		}
		if len(piecesOf(plan)) > 2*n+3 {
			t.Errorf("%d pieces of %d clusters", len(piecesOf(plan)), n)
		}
		ix := simulated(n, 1<<20)
		ix.Stored = true
		if plan, err = ix.Seekable(); err != nil {
			t.Fatal(err)
		}
		if len(piecesOf(plan)) > 4 {
			t.Errorf("%d pieces of a store of %d clusters", len(piecesOf(plan)), n)
		}
	}
}

func TestManyTinyClustersMakeASeekableFile(t *testing.T) {
	t.Parallel()
	n := either(20_000, 100_000)
	parts := [][]byte{tracks(vp8, opus)}
	for i := range n {
		parts = append(parts, cluster(uint64(i)*20, simpleBlock(1, 0, 0x80, "v"), simpleBlock(2, 0, 0, "a")))
	}
	stream := stream(parts...)
	plan, err := indexOf(t, stream).Seekable()
	if err != nil {
		t.Fatal(err)
	}
	f := parse(t, made(t, plan, stream))
	if len(f.clusters) != n || len(f.blocks) != 2*n || len(f.cues) != n+1 {
		t.Errorf("%d clusters, %d blocks, %d cues", len(f.clusters), len(f.blocks), len(f.cues))
	}
}

// Clusters that go backwards in time, as no recorder has them, must not cost
// their number squared.
func TestCuesAreSortedWhateverTheirOrder(t *testing.T) {
	t.Parallel()
	const n = 100_000
	for _, c := range []struct {
		name string
		time func(i int) int64
	}{
		{"backwards", func(i int) int64 { return n - int64(i) }},
		{"mixed", func(i int) int64 { return int64(i) * 7919 % n }},
		{"all the same", func(i int) int64 { return 5 }},
		{"up and down", func(i int) int64 { return int64(i) % 1000 }},
	} {
		t.Run(c.name, func(t *testing.T) {
			var cues []cue
			for i := range n {
				cues = append(cues, cue{time: c.time(i), cluster: int64(i)})
			}
			cues = sorted(cues)
			for i := range cues[1:] {
				if a, b := cues[i], cues[i+1]; a.time > b.time || a.time == b.time && a.cluster > b.cluster {
					t.Fatalf("%+v comes before %+v", a, b)
				}
			}
		})
	}
}

func TestAudioAloneIsCuedAboutEveryHalfSecond(t *testing.T) {
	for _, packet := range []uint64{10, 20, 60, 700} {
		var clusters [][]byte
		for i := range uint64(3) {
			var blocks [][]byte
			for at := uint64(0); at < 10_000; at += packet {
				blocks = append(blocks, simpleBlock(2, int16(at), 0, "\x08\x00"))
			}
			clusters = append(clusters, cluster(i*10_000, blocks...))
		}
		f := seekable(t, stream(append([][]byte{tracks(opus)}, clusters...)...))
		for i := range f.cues[1:] {
			if gap := f.cues[i+1].ticks - f.cues[i].ticks; gap < 500 || gap > int64(max(500+packet, 2*packet)) {
				t.Errorf("packets of %d ms: cues at %d and %d", packet, f.cues[i].ticks, f.cues[i+1].ticks)
			}
		}
		if last := f.cues[len(f.cues)-1].ticks; last < 28_000 {
			t.Errorf("packets of %d ms: the last cue is at %d", packet, last)
		}
	}
}
