package webm

// Files whose beginning is written last: see Index.Head.

import (
	"slices"
	"strings"
	"testing"
)

// withHead plans a whole file of a head and the clusters after it.
func withHead(ix *Index, room int64) (*Plan, error) {
	plan, err := ix.Head(room)
	if err != nil {
		return nil, err
	}
	for i := range ix.NumClusters() {
		if e := ix.clusters.at(i); ix.Stored {
			plan.add(Piece{Range: Range{e.form, e.formEnd()}})
			continue
		}
		head, data, edit := ix.Form(i)
		plan.write(head)
		plan.add(Piece{Range: data, Edit: edit})
	}
	return plan, nil
}

// headed is a file of a recording whose head has room bytes, taken apart, and its cues as
// they are if there is room for all.
func headed(t *testing.T, ix *Index, source, clusters []byte, room int64) (f file, all []seen) {
	t.Helper()
	plan, err := ix.Head(room)
	if err != nil {
		t.Fatal(err)
	}
	if plan.Size != room || plan.Start != 0 || plan.End != ix.Duration() {
		t.Errorf("the head has %d bytes, of times from %d to %d; there is room for %d and it lasts %d", plan.Size, plan.Start, plan.End, room, ix.Duration())
	}
	out := append(made(t, plan, source), clusters...)
	f = claims(t, out)
	if names := f.names(); !strings.HasSuffix(names, " Void") || strings.Count(names, "Void") != 1 {
		t.Errorf("the Segment has %s", names)
	}
	if want := float64(ix.Duration()) / float64(ix.header.TimestampScale); f.duration != want {
		t.Errorf("Duration is %v; want %v", f.duration, want)
	}
	return f, wantCues(f.blocks, ix.header.TimestampScale)
}

// smallest is the least room that a head can have.
func smallest(t *testing.T, ix *Index) int64 {
	t.Helper()
	for room := int64(-1); ; room++ {
		plan, err := ix.Head(room)
		if err == nil {
			return plan.Size
		}
		wantCode(t, "too small a room", err, CodeTooLarge)
	}
}

func TestAFileWhoseHeadIsWrittenLastHasTheSameMediaAndCuesThatFit(t *testing.T) {
	eachPart(t, func(t *testing.T, stream []byte) {
		ix, o := indexOf(t, stream), split(Options{}, stream)
		store := stored(stream, o.headers[0], o.clusters)
		clusters := store[o.headers[0].End:]
		least := smallest(t, ix)
		for _, inStore := range []bool{false, true} {
			ix.Stored = inStore
			source := stream
			if inStore {
				source = store
			}
			for _, room := range []int64{least, least + 1, least + 100, least + 300, least + 1000, 1 << 16} {
				f, all := headed(t, ix, source, clusters, room)
				sameBlocks(t, "the file", media(f.blocks), media(refBlocks(uncut(stream, o))))
				got := byTime(f.cues)
				if room == 1<<16 && !slices.Equal(got, all) {
					t.Errorf("with room for all, cues %v; want %v", got, all)
				}
				evenlySpread(t, got, all)
			}
		}
	})
}

// evenlySpread checks that some of all cues are the first of each track, and between
// those of a track about as many are left out everywhere.
func evenlySpread(t *testing.T, some, all []seen) {
	t.Helper()
	first := map[uint64]bool{}
	var kept []int // of the others
	others := 0
	for _, c := range all {
		has := slices.Contains(some, c)
		if !first[c.track] {
			first[c.track] = true
			if !has {
				t.Errorf("the first cue of track %d is not there", c.track)
			}
			continue
		}
		if has {
			kept = append(kept, others)
		}
		others++
	}
	if len(kept)+len(first) != len(some) {
		t.Errorf("the cues %v are not among %v", some, all)
	}
	for i, at := range kept {
		if want := i * others / len(kept); at != want {
			t.Errorf("of %d cues, the %d that there is room for are %v", others, len(kept), kept)
			break
		}
	}
}

func TestCuesThinOutUntilTheyFit(t *testing.T) {
	t.Parallel()
	ix := simulated(60_000, 100_000)
	before := 0
	for _, room := range []int64{1 << 10, 16 << 10, 64 << 10, 1 << 20} {
		plan, err := ix.Head(room)
		if err != nil {
			t.Fatal(err)
		}
		cues, void, pieces := 0, 0, piecesOf(plan)
		for _, e := range refElements(pieces[len(pieces)-1].Data) {
			switch e.id {
			case 0xBB:
				cues++
			case 0xEC:
				void = e.end - e.start
			}
		}
		if plan.Size != room || cues <= before || void < 2 || void > 30+cues/10 {
			t.Errorf("in %d of %d bytes there are %d cues and a Void of %d", plan.Size, room, cues, void)
		}
		before = cues
	}
}

func TestAHeadThatHasRoomOnceHasItUntilTheEnd(t *testing.T) {
	eachPart(t, func(t *testing.T, stream []byte) {
		s := NewSplitter(Options{})
		room := int64(0)
		var clusters []byte
		for rest := stream; ; {
			for c := range s.TakeClusters() {
				clusters = append(clusters, formed(stream, &c)...)
			}
			if ix := s.Index(0); ix != nil && ix.NumClusters() > 0 {
				if room == 0 {
					room = smallest(t, ix)
				}
				headed(t, ix, stream, clusters, room)
			}
			if len(rest) == 0 {
				return
			}
			n := min(len(rest), len(stream)/5+1)
			if err := s.Push(rest[:n]); err != nil {
				t.Fatal(err)
			}
			if rest = rest[n:]; len(rest) == 0 {
				if _, err := s.Finish(); err != nil {
					t.Fatal(err)
				}
			}
		}
	})
}

// What was sent before it was known to be out of order, twice there or undecodable is
// in the file, and what the head says of it is true.
func TestAHeadDescribesClustersAsTheyAreWhateverIsWrongWithThem(t *testing.T) {
	frame := func(at int16, flags byte) []byte { return simpleBlock(1, at, flags, "video") }
	late := cluster(2000, frame(0, 0x80), frame(40, 0))
	early := cluster(1000, frame(0, 0x80), frame(40, 0))
	twice := cluster(3000, frame(0, 0x80), frame(0, 0x80), frame(40, 0))
	for name, stream := range map[string][]byte{
		"out of order": stream(tracks(vp8), late, early),
		"twice":        stream(tracks(vp8), early, late, twice),
		"undecodable":  stream(tracks(vp8), cluster(0, frame(0, 0), frame(40, 0)), early),
	} {
		t.Run(name, func(t *testing.T) {
			ix, o := indexOf(t, stream), split(Options{}, stream)
			f, _ := headed(t, ix, stream, stored(stream, o.headers[0], o.clusters)[o.headers[0].End:], 1000)
			sameBlocks(t, "the file", media(f.blocks), media(refBlocks(stream)))
		})
	}
}

func TestARecordingWithoutClustersHasNoHead(t *testing.T) {
	_, err := indexOf(t, stream(tracks(vp8))).Head(1 << 16)
	wantCode(t, "no cluster", err, CodeNoClusters)
}
