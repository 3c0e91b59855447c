package webm

// Fragments: what is complete of a cluster that is still open, each block once.

import (
	"bytes"
	"fmt"
	"slices"
	"testing"
)

// fragmented pushes the chunks and takes fragments after each that take says.
func fragmented(chunks [][]byte, take func(i int) bool) (all []Cluster, report Report, ix *Index) {
	s := NewSplitter(Options{})
	for i, chunk := range chunks {
		s.Push(chunk)
		if take(i) {
			all = append(all, slices.Collect(s.TakeFragments())...)
		}
	}
	report, _ = s.Finish()
	return append(all, slices.Collect(s.TakeFragments())...), report, s.Index(0)
}

// checkFragments checks that fragments and clusters hold every block of a stream
// of one recording, once and in order, and tell what they hold.
func checkFragments(t *testing.T, what string, stream []byte, all []Cluster) {
	t.Helper()
	o := split(Options{}, stream)
	init := made(t, indexOf(t, stream).InitializationSegment(), stream)
	out := slices.Clone(init)
	at := int64(0)
	for i, c := range all {
		if c.Start < at || c.End <= c.Start {
			t.Errorf("%s: %d is %v, after %d", what, i, c.Range, at)
		}
		at = c.End
		form := formed(stream, &c)
		one := slices.Concat(init, form)
		blocks := live(t, one)
		alone := split(Options{}, one)
		if len(alone.clusters) != 1 || !alone.clusters[0].Known {
			t.Fatalf("%s: %d is no cluster of known size: %+v", what, i, alone.clusters)
		}
		got := alone.clusters[0]
		if got.Timestamp != c.Timestamp || got.Blocks != c.Blocks || show(Cluster{Tracks: got.Tracks}) != show(Cluster{Tracks: c.Tracks}) {
			t.Errorf("%s: %d tells %+v and holds %+v", what, i, c, got)
		}
		if got.BeginsWithKeyFrame() != c.BeginsWithKeyFrame() {
			t.Errorf("%s: %d begins with a key frame: %v", what, i, c.BeginsWithKeyFrame())
		}
		if got.Entries(o.headers[0].Tracks) != c.Entries(o.headers[0].Tracks) {
			t.Errorf("%s: %d has %d entries", what, i, c.Entries(o.headers[0].Tracks))
		}
		// Key frames are where they are in the stream.
		if len(got.KeyFrames) != len(c.KeyFrames) {
			t.Fatalf("%s: %d tells of key frames %v and holds %v", what, i, c.KeyFrames, got.KeyFrames)
		}
		for j, k := range c.KeyFrames {
			if g := got.KeyFrames[j]; k.Timestamp != g.Timestamp || k.Track != g.Track || k.Offset < c.Start || k.Offset >= c.End {
				t.Errorf("%s: %d has a key frame %+v; it is %+v", what, i, k, g)
			}
			if first := stream[k.Offset]; first != 0xA3 && first != 0xA0 {
				t.Errorf("%s: the key frame %+v is at %x", what, k, first)
			}
		}
		if c.Fragment != (c.HeadLen == 0) || len(blocks) != c.Blocks {
			t.Errorf("%s: %d is %+v, of %d blocks", what, i, c, len(blocks))
		}
		out = append(out, form...)
	}
	sameBlocks(t, what, media(live(t, out)), media(refBlocks(uncut(stream, o))))
}

// sameIndex checks that an index is that of the stream split at once.
func sameIndex(t *testing.T, what string, stream []byte, report Report, ix *Index) {
	t.Helper()
	want := indexOf(t, stream)
	if fmt.Sprint(ix.parts, ix.first, ix.duration, len(ix.clusters.pages), ix.keyFrames.pages) !=
		fmt.Sprint(want.parts, want.first, want.duration, len(want.clusters.pages), want.keyFrames.pages) {
		t.Errorf("%s: the index is another", what)
	}
	for i := range want.clusters.len() {
		if ix.clusters.at(i) != want.clusters.at(i) {
			t.Errorf("%s: the index has cluster %d as %+v; want %+v", what, i, ix.clusters.at(i), want.clusters.at(i))
		}
	}
	o := split(Options{}, stream)
	compare(t, what+": the report", outcome{report: report}.String(), outcome{report: o.report}.String())
}

func TestFragmentsAndClustersHoldEveryBlockOnce(t *testing.T) {
	eachFixture(t, func(t *testing.T, f fixture) {
		t.Parallel()
		headers, _ := refSplit(f.data)
		if len(headers) != 1 {
			return // see below
		}
		ways := []struct {
			name   string
			chunks [][]byte
			take   func(i int) bool
		}{
			{"as recorded", f.chunks, func(i int) bool { return true }},
			{"as recorded, now and then", f.chunks, func(i int) bool { return i%3 == 1 }},
			{"cut at random", cut(f.data, 7), func(i int) bool { return true }},
			{"not at all", f.chunks, func(i int) bool { return false }},
		}
		if len(f.data) < 4096 {
			ways = append(ways, struct {
				name   string
				chunks [][]byte
				take   func(i int) bool
			}{"byte by byte", bytewise(f.data), func(i int) bool { return true }})
		}
		for _, w := range ways {
			all, report, ix := fragmented(w.chunks, w.take)
			checkFragments(t, w.name, f.data, all)
			sameIndex(t, w.name, f.data, report, ix)
		}
	})
}

func TestFragmentsOfStreams(t *testing.T) {
	key := func(at int16) []byte { return simpleBlock(1, at, 0x80, "key") }
	frame := func(at int16) []byte { return simpleBlock(1, at, 0, "frame") }
	sound := func(at int16) []byte { return simpleBlock(2, at, 0, "\x08sound") }
	short := []byte{byte(0x1F), 0x43, 0xB6, 0x75, 0xFF} // a Cluster of unknown size in one octet
	for _, c := range []struct {
		name   string
		stream []byte
	}{
		{"clusters of unknown size", stream(tracks(vp8, opus), cluster(0, sound(0), key(0), frame(40), sound(60)), cluster(100, frame(0), key(10), sound(20)))},
		{"clusters of known size", stream(tracks(vp8, opus),
			element(IDCluster, number(IDTimestamp, 0), key(0), sound(0), frame(40)), element(IDCluster, number(IDTimestamp, 80), frame(0), sound(0), key(40)))},
		{"audio alone", stream(tracks(opus), cluster(0, sound(0), sound(20), sound(40)), cluster(60, sound(0)))},
		{"Position, PrevSize and Void", stream(tracks(vp8, opus),
			unknown(IDCluster, number(IDPrevSize, 7), number(IDTimestamp, 0), number(IDPosition, 8), key(0), element(0xEC, []byte("void")), sound(0), number(IDPrevSize, 9), frame(40)))},
		{"a Timestamp of eight octets", stream(tracks(vp8, opus), unknown(IDCluster, element(IDTimestamp, make([]byte, 8)), key(0), sound(0)))},
		{"heads of few octets", stream(tracks(vp8, opus), slices.Concat(short, number(IDTimestamp, 0), key(0), sound(0), frame(40)), slices.Concat(short, number(IDTimestamp, 300), frame(0), sound(0)))},
		{"BlockGroups", stream(tracks(vp8, opus), cluster(0, group(block(1, 0, "key")), group(block(1, 40, "frame"), number(IDReferenceBlock, 1)), sound(0)))},
		{"a cut last cluster", stream(tracks(vp8, opus), cluster(0, key(0), sound(0), frame(40)))[:115]},
		{"a cut last cluster of known size", stream(tracks(vp8, opus), element(IDCluster, number(IDTimestamp, 0), key(0), sound(0), frame(40)))[:104]},
		{"Cues between", stream(tracks(vp8, opus), cluster(0, key(0), sound(0)), element(IDCues), cluster(40, frame(0)), element(IDTags))},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, every := range []int{1, 2, 5, 13, 40} {
				all, report, ix := fragmented(bytewise(c.stream), func(i int) bool { return i%every == 0 })
				what := fmt.Sprintf("taken every %d bytes", every)
				checkFragments(t, what, c.stream, all)
				sameIndex(t, what, c.stream, report, ix)
				if every == 1 {
					for _, f := range all {
						if f.Blocks != 1 {
							t.Errorf("%s: a fragment of %d blocks", what, f.Blocks)
						}
					}
				}
			}
		})
	}
}

func TestAFragmentBeginsWithAKeyFrameIfItsFirstBlockOfVideoIsOne(t *testing.T) {
	key, frame, sound := simpleBlock(1, 0, 0x80, "key"), simpleBlock(1, 0, 0, "frame"), simpleBlock(2, 0, 0, "\x08sound")
	for _, c := range []struct {
		name   string
		pieces [][]byte
		want   string
	}{
		{"key frames first", [][]byte{{}, key, sound, key, frame}, "true false true false"},
		{"audio first", [][]byte{{}, sound, key, append(slices.Clone(sound), key...), append(slices.Clone(frame), key...)}, "false true true false"},
		{"a key frame after another frame", [][]byte{frame, frame, key}, "false false true"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := NewSplitter(Options{})
			if err := s.Push(stream(tracks(vp8, opus), cluster(0))); err != nil {
				t.Fatal(err)
			}
			var got []bool
			for _, piece := range c.pieces {
				if err := s.Push(piece); err != nil {
					t.Fatal(err)
				}
				for f := range s.TakeFragments() {
					got = append(got, f.BeginsWithKeyFrame())
				}
			}
			if fmt.Sprint(got) != "["+c.want+"]" {
				t.Errorf("%v; want %s", got, c.want)
			}
		})
	}
}

func TestThereAreNoFragmentsWhereNothingIsNew(t *testing.T) {
	frame := simpleBlock(1, 0, 0x80, "frame")
	s := NewSplitter(Options{})
	for i, step := range []struct {
		push []byte
		want int
	}{
		{nil, 0},
		{stream(), 0},
		{tracks(vp8), 0},
		{cluster(0), 0},
		{frame[:5], 0},
		{frame[5:], 1},
		{nil, 0},
		{element(0xEC, []byte("void")), 0},
		{frame, 1},
		{cluster(40), 0}, // which ends the first, whose blocks have been given
		{slices.Concat(frame, cluster(80)), 1},
		{slices.Concat(frame, frame, cluster(120, frame), frame), 2},
		{element(IDCues), 0},
	} {
		if err := s.Push(step.push); err != nil {
			t.Fatal(err)
		}
		if got := slices.Collect(s.TakeFragments()); len(got) != step.want {
			t.Errorf("step %d: %d fragments; want %d: %+v", i, len(got), step.want, got)
		}
		if got := slices.Collect(s.TakeFragments()); len(got) != 0 {
			t.Errorf("step %d: again %+v", i, got)
		}
	}
	if _, err := s.Finish(); err != nil {
		t.Fatal(err)
	}
	if got := slices.Collect(s.TakeFragments()); len(got) != 0 {
		t.Errorf("after the end: %+v", got)
	}
}

func TestFragmentsOfARestartedRecorderAreOfBothRecordings(t *testing.T) {
	for _, name := range []string{"chromium-24-same-recorder-restart", "firefox-24-same-recorder-restart"} {
		f := load(t, name)
		o := split(Options{}, f.data)
		all, _, _ := fragmented(f.chunks, func(int) bool { return true })
		var got, want [2]int
		for _, c := range all {
			got[c.Recording] += c.Blocks
		}
		for _, c := range o.clusters {
			want[c.Recording] += c.Blocks
		}
		if got != want {
			t.Errorf("%s: %v blocks; want %v", name, got, want)
		}
	}
}

func TestWhatWasWholeBeforeDamageIsInFragments(t *testing.T) {
	frame := simpleBlock(1, 0, 0x80, "frame")
	s := NewSplitter(Options{Strict: true})
	if err := s.Push(stream(tracks(vp8), cluster(0, frame))); err != nil {
		t.Fatal(err)
	}
	if got := slices.Collect(s.TakeFragments()); len(got) != 1 || got[0].Blocks != 1 {
		t.Fatalf("before: %+v", got)
	}
	if err := s.Push(slices.Concat(frame, frame, []byte{0, 0, 0, 0, 0})); err == nil {
		t.Fatal("the damage is not seen")
	}
	if got := slices.Collect(s.TakeFragments()); len(got) != 1 || got[0].Blocks != 2 || !got[0].Cut {
		t.Errorf("after: %+v", got)
	}
	s.Finish()
	if got := slices.Collect(s.TakeFragments()); len(got) != 0 {
		t.Errorf("at the end: %+v", got)
	}
}

func TestAFragmentCanHaveAnotherTimestamp(t *testing.T) {
	stream := stream(tracks(vp8, opus), cluster(500, simpleBlock(1, 0, 0x80, "v"), simpleBlock(2, 3, 0, "a"), simpleBlock(1, 40, 0, "v")))
	all, _, _ := fragmented(bytewise(stream), func(int) bool { return true })
	init := made(t, indexOf(t, stream).InitializationSegment(), stream)
	for i, c := range all {
		head, data, edit := c.FormAt(1 << 33)
		blocks := live(t, slices.Concat(init, head, edited(stream, data, edit)))
		want := []int64{0, 3, 40}[i] + 1<<33
		if len(blocks) != 1 || blocks[0].ticks != want {
			t.Errorf("fragment %d is %v; want it at %d", i, blocks, want)
		}
	}
}

func TestFragmentsOfALongClusterCostWhatIsInThem(t *testing.T) {
	half := uint64(0)
	for _, megabytes := range []int{1, 2, 4} {
		stream := slices.Concat(stream(tracks(vp8), cluster(0)), bytes.Repeat(simpleBlock(1, 0, 0x80, ""), megabytes<<20/6))
		n := allocatedBy(func() {
			s := NewSplitter(Options{})
			for chunk := range slices.Chunk(stream, 64<<10) {
				s.Push(chunk)
				for range s.TakeFragments() {
				}
			}
			s.Finish()
		})
		if half > 0 && n > half*22/10 {
			t.Errorf("%d MB: %d bytes are allocated, and %d for half", megabytes, n, half)
		}
		half = n
	}
}
