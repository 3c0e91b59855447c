package webm

// Initialization segments, and segments of some clusters.

import (
	"fmt"
	"slices"
	"testing"
)

// live checks an initialization segment and what follows it, and returns its
// blocks.
func live(t *testing.T, out []byte) []refBlock {
	t.Helper()
	o := split(Options{}, out)
	o.check(t, out)
	if o.err() != nil || len(o.headers) != 1 {
		t.Fatalf("the splitter says %v", o.err())
	}
	for _, e := range refElements(out) {
		switch {
		case e.id == 0x18538067 != e.unknown:
			t.Errorf("%X at %d has an unknown size: %v", e.id, e.start, e.unknown)
		case e.level == 1 && e.id != 0x1F43B675 && int64(e.start) > o.headers[0].End:
			t.Errorf("%X comes after the header", e.id)
		case slices.Contains([]uint32{0x114D9B74, 0x1C53BB6B, 0x4489}, e.id), e.level == 1 && (e.id == 0xEC || e.id == 0xBF):
			t.Errorf("it has %X", e.id)
		}
	}
	return refBlocks(out)
}

func TestAnInitializationSegmentGoesBeforeAnySizedClusters(t *testing.T) {
	eachPart(t, func(t *testing.T, stream []byte) {
		o := split(Options{}, stream)
		ix := indexOf(t, stream)
		out := made(t, ix.InitializationSegment(), stream)
		for _, c := range o.clusters {
			out = append(out, formed(stream, &c)...)
		}
		sameBlocks(t, "initialization segment and clusters", media(live(t, out)), media(refBlocks(uncut(stream, o))))
		if got, want := ix.InitializationSegment().MimeType, o.report.Recordings[0].Header.MimeType(); got != want {
			t.Errorf("its type is %s; want %s", got, want)
		}
	})
}

func TestAStandaloneSegmentHasItsClustersWithTimesKeptOrFromZero(t *testing.T) {
	eachPart(t, func(t *testing.T, stream []byte) {
		o := split(Options{}, stream)
		ix := indexOf(t, stream)
		n := len(o.clusters)
		for _, r := range [][2]int{{0, n}, {0, 1}, {n / 2, n/2 + 1}, {n / 3, n}, {n - 1, n}} {
			var want []refBlock
			for _, b := range refBlocks(uncut(stream, o)) {
				if int64(b.start) >= o.clusters[r[0]].Start && int64(b.start) < o.clusters[r[1]-1].End {
					want = append(want, b)
				}
			}
			for _, fromZero := range []bool{false, true} {
				plan, key := ix.Standalone(r[0], r[1], fromZero)
				shift := int64(0)
				if fromZero {
					shift = o.clusters[r[0]].Timestamp
				}
				want := media(want)
				for i := range want {
					want[i].ticks -= shift
				}
				sameBlocks(t, fmt.Sprint("clusters ", r), media(live(t, made(t, plan, stream))), want)
				if key != o.clusters[r[0]].BeginsWithKeyFrame() {
					t.Errorf("clusters %v begin with a key frame: %v", r, key)
				}
				last := o.clusters[r[1]-1]
				if start, end := o.clusters[r[0]].Timestamp*1e6, last.Timestamp*1e6+last.Duration; plan.Start != start || plan.End < end {
					t.Errorf("clusters %v are from %d to %d; want %d to %d", r, plan.Start, plan.End, start, end)
				}
			}
		}
	})
}

func TestStandaloneSaysWhetherItBeginsWithAKeyFrame(t *testing.T) {
	for _, c := range []struct {
		name     string
		tracks   []byte
		children [][]byte
		want     bool
	}{
		{"a key frame", tracks(vp8, opus), [][]byte{simpleBlock(1, 0, 0x80, "v")}, true},
		{"audio, then a key frame", tracks(vp8, opus), [][]byte{simpleBlock(2, 0, 0, "a"), simpleBlock(1, 0, 0x80, "v")}, true},
		{"another frame, then a key frame", tracks(vp8, opus), [][]byte{simpleBlock(1, 0, 0, "v"), simpleBlock(1, 40, 0x80, "v")}, false},
		{"a BlockGroup", tracks(vp8, opus), [][]byte{group(block(1, 0, "v"))}, true},
		{"a BlockGroup that refers to another", tracks(vp8, opus), [][]byte{group(block(1, 0, "v"), number(IDReferenceBlock, 1))}, false},
		{"audio alone in a recording with video", tracks(vp8, opus), [][]byte{simpleBlock(2, 0, 0x80, "a")}, false},
		{"audio alone", tracks(opus), [][]byte{simpleBlock(2, 0, 0, "a")}, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			stream := stream(c.tracks, cluster(0, c.children...))
			if _, key := indexOf(t, stream).Standalone(0, 1, false); key != c.want {
				t.Errorf("%v; want %v", key, c.want)
			}
			if o := split(Options{}, stream); o.clusters[0].BeginsWithKeyFrame() != c.want {
				t.Errorf("the cluster says %v; want %v", o.clusters[0].BeginsWithKeyFrame(), c.want)
			}
		})
	}
}

func TestStandalonePanicsForClustersThatTheIndexDoesNotHave(t *testing.T) {
	ix := indexOf(t, stream(tracks(vp8), cluster(0, simpleBlock(1, 0, 0x80, "v")), cluster(40, simpleBlock(1, 0, 0, "v"))))
	for _, r := range [][2]int{{-1, 1}, {0, 3}, {2, 3}, {1, 0}, {2, 1}, {0, 1000}} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("clusters %v do not panic", r)
				}
			}()
			ix.Standalone(r[0], r[1], false)
		}()
	}
}

func TestAClusterAtAnotherTimeHasTheSameBlocks(t *testing.T) {
	eachPart(t, func(t *testing.T, stream []byte) {
		o := split(Options{}, stream)
		init := made(t, indexOf(t, stream).InitializationSegment(), stream)
		for _, timestamp := range []int64{0, 255, 256, 1 << 40} {
			out := slices.Clone(init)
			var want []refBlock
			for _, c := range o.clusters {
				head, data, edit := c.FormAt(timestamp)
				out = slices.Concat(out, head, edited(stream, data, edit))
				part := refBlocks(slices.Concat(init, stream[c.Start:c.End]))
				for i := range part {
					part[i].ticks += timestamp - c.Timestamp
				}
				want = append(want, part...)
			}
			sameBlocks(t, fmt.Sprint("at ", timestamp), media(live(t, out)), media(want))
		}
	})
}
