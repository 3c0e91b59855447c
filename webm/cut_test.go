package webm

// Clips and join points, against the blocks that the reference would keep.

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// wantClip is what a clip should have of blocks: those kept, with the timestamps
// that they have in the clip, where it begins, and whether it begins with the sound there.
func wantClip(blocks []refBlock, scale, start, end int64) (kept []refBlock, from int64, bySound bool) {
	// playing tells whether a block of sound is heard at start: none follows soon.
	playing := func(i int) bool {
		at := blocks[i].ticks * scale
		for _, b := range blocks[i+1:] {
			if b.track == blocks[i].track && b.ticks*scale > at {
				return b.ticks*scale-at < 100e6
			}
		}
		return at+60e6 > start
	}
	begun := map[uint64]bool{}
	first, key, sound, next := int64(1<<62), -1, -1, int64(1<<62)
	for i, b := range blocks {
		at := b.ticks * scale
		if !begun[b.track] {
			begun[b.track] = true
			first = min(first, b.ticks)
		}
		switch {
		case b.typ == Video && b.key && at <= start:
			key = i
		case b.typ != Video && at <= start && playing(i) && (sound < 0 || blocks[sound].ticks <= b.ticks):
			sound = i
		case at > start && (b.typ != Video || b.key):
			next = min(next, b.ticks)
		}
	}
	all, base := start <= first*scale, next
	switch {
	case all:
		base = first
	case key >= 0:
		base = blocks[key].ticks
	case sound >= 0:
		base = blocks[sound].ticks
	}
	last := map[uint64]int{}
	for i, b := range blocks {
		if b.ticks*scale < end {
			last[b.track] = i
		}
	}
	clear(begun)
	for i, b := range blocks {
		begun[b.track] = begun[b.track] || all || b.typ != Video || b.key && i >= key
		if begun[b.track] && (all || b.ticks >= base) && (b.ticks*scale < end || b.typ == Video && i < last[b.track]) {
			b.ticks -= base
			kept = append(kept, b)
		}
	}
	return kept, base * scale, !all && key < 0
}

// clipped makes a clip and checks it in every respect that holds for all. It is
// empty if there is nothing to be kept.
func clipped(t *testing.T, stream []byte, start, end int64) (f file, plan *Plan) {
	t.Helper()
	ix := indexOf(t, stream)
	ix.KeepUndecodable = true
	cutter, err := ix.Clip(start, end)
	if err != nil {
		t.Fatal(err)
	}
	stranger := func(b refBlock) bool { return b.typ == 0 } // of no track, which a clip need not have
	blocks := slices.DeleteFunc(refBlocks(uncut(stream, split(Options{}, stream))), stranger)
	scale := ix.header.TimestampScale
	want, from, _ := wantClip(blocks, scale, start, end)
	plan, err = cutter.PlanFrom(bytes.NewReader(stream))
	if len(want) == 0 {
		wantCode(t, fmt.Sprintf("a clip of nothing, %d to %d", start, end), err, CodeInvalidRange)
		return file{}, nil
	}
	if err != nil {
		t.Fatal(err)
	}
	what := fmt.Sprintf("clip from %v to %v", time.Duration(start), time.Duration(end))
	out := made(t, plan, stream)
	f = parse(t, out)
	f.blocks = slices.DeleteFunc(f.blocks, stranger)
	sameBlocks(t, what, media(f.blocks), media(want))
	if plan.Start != from {
		t.Errorf("%s begins at %v; want %v", what, time.Duration(plan.Start), time.Duration(from))
	}
	earliest := want[0].ticks
	for _, b := range want {
		earliest = min(earliest, b.ticks)
	}
	if earliest != 0 {
		t.Errorf("%s: its timestamps begin at %d", what, earliest)
	}
	if got := float64(plan.End-plan.Start) / float64(scale); f.duration != got {
		t.Errorf("%s: Duration %v; the plan has %v", what, f.duration, got)
	}
	o := split(Options{}, out)
	o.check(t, out)
	if o.err() != nil {
		t.Fatalf("%s: %v", what, o.err())
	}
	// The last frame of each track is as long as until the next, or about.
	least, most := int64(0), int64(0)
	gaps, at := map[uint64]int64{}, map[uint64]int64{}
	for _, b := range blocks {
		gaps[b.track] = max(gaps[b.track], b.ticks-at[b.track])
		at[b.track] = b.ticks
	}
	for _, b := range want {
		least = max(least, b.ticks*scale+from)
		most = max(most, (b.ticks+gaps[b.track])*scale+from+60e6) // the longest Opus packet
	}
	if plan.End < least || plan.End > min(most, ix.Duration()) {
		t.Errorf("%s ends at %v; want between %v and %v, the recording ending at %v", what, time.Duration(plan.End), time.Duration(least), time.Duration(most), time.Duration(ix.Duration()))
	}
	var cues []seen
	for _, c := range f.cues {
		if ix.isOf(c.track, Video) {
			cues = append(cues, c)
		}
	}
	var keys []seen
	for _, b := range f.blocks {
		if b.typ == Video && b.key {
			keys = append(keys, seen{b.ticks, b.track, b.start})
		}
	}
	if !slices.Equal(byTime(cues), byTime(keys)) {
		t.Errorf("%s: cues of video %v; want %v", what, cues, keys)
	}
	return f, plan
}

func TestAClipHasTheBlocksOfItsRange(t *testing.T) {
	eachPart(t, func(t *testing.T, stream []byte) {
		ix := indexOf(t, stream)
		all := ix.Duration()
		ranges := [][2]int64{{0, all}, {-5, all + 5}, {all / 3, all / 2}, {all / 2, all}, {0, 1}, {0, all / 9}, {all - 1, all}, {all - 1, 1 << 62}}
		blocks := refBlocks(stream)
		// At the times of blocks exactly, and a nanosecond beside them.
		for i := 0; i < len(blocks); i += 1 + len(blocks)/either(3, 5) {
			at := blocks[i].ticks * 1e6
			ranges = append(ranges, [2]int64{at, at + 1}, [2]int64{at - 1, at}, [2]int64{at + 1, at + 2e9}, [2]int64{at / 2, at}, [2]int64{at / 2, at + 1})
		}
		for i := range ix.keyFrames.len() {
			at := ix.keyFrames.at(i).Timestamp * 1e6
			if i%7 == 0 {
				ranges = append(ranges, [2]int64{at, at + 1e9}, [2]int64{at - 1, at + 1e9}, [2]int64{at + 1, at + 1e9})
			}
		}
		for _, r := range ranges {
			if r[0] < r[1] && r[0] < all && r[1] > 0 {
				clipped(t, stream, r[0], r[1])
			}
		}
	})
}

// Beyond the media of each test, the common checks are clipped's.
func TestAClipOf(t *testing.T) {
	key := func(at int16) []byte { return simpleBlock(1, at, 0x80, fmt.Sprint("key", at)) }
	frame := func(at int16) []byte { return simpleBlock(1, at, 0, fmt.Sprint("frame", at)) }
	sound := func(at int16) []byte { return simpleBlock(2, at, 0, fmt.Sprint("\x08sound", at)) } // 20 ms
	inGroup := func(at int16, more ...[]byte) []byte {
		return group(block(1, at, fmt.Sprint("group", at)), number(IDBlockDuration, 7), slices.Concat(more...))
	}
	reference := number(IDReferenceBlock, 1)
	other := func(at int16, flags byte) []byte { return simpleBlock(3, at, flags, fmt.Sprint("other", at)) }
	av := func(clusters ...[]byte) []byte { return stream(tracks(vp8, opus), slices.Concat(clusters...)) }
	two := func(clusters ...[]byte) []byte {
		return stream(tracks(vp8, opus, track(3, Video, "V_VP8")), slices.Concat(clusters...))
	}
	audio := func(clusters ...[]byte) []byte { return stream(tracks(opus), slices.Concat(clusters...)) }
	// 1 s a cluster, each with a key frame first and one in the middle.
	regular := av(
		cluster(0, key(0), sound(0), frame(250), key(500), sound(500), frame(750)),
		cluster(1000, key(0), sound(0), frame(250), key(500), sound(500), frame(750)),
		cluster(2000, key(0), sound(0), frame(250), key(500), sound(500), frame(750)))
	empty := unknown(IDCluster)
	for _, c := range []struct {
		name   string
		stream []byte
		start  int64 // ms
		end    int64
		blocks string // by track, number and time
	}{
		{"all", regular, 0, 3000, "1@0 2@0 1@250 1@500 2@500 1@750 1@1000 2@1000 1@1250 1@1500 2@1500 1@1750 1@2000 2@2000 1@2250 1@2500 2@2500 1@2750"},
		{"a start at a key frame", regular, 1000, 1500, "1@0 2@0 1@250"},
		{"a start between key frames", regular, 1400, 1500, "1@0 2@0 1@250"},
		{"a start at a key frame inside a cluster", regular, 1500, 2001, "1@0 2@0 1@250 1@500 2@500"},
		{"an end inside the first cluster", regular, 0, 251, "1@0 2@0 1@250"},
		{"an end at a block", regular, 0, 250, "1@0 2@0"},
		{"a range at the last key frame", regular, 2900, 9000, "1@0 2@0 1@250"},
		{"a range that ends before the video begins", av(cluster(100, sound(0), key(50))), 0, 120, "2@0"},
		{"a start before the first key frame", av(cluster(0, frame(0), sound(0), frame(40), key(80), sound(90), frame(120))), 10, 200, "2@0 1@80 2@90 1@120"},
		{"a key frame in the second cluster only", av(cluster(0, frame(0), sound(0), sound(90)), cluster(80, frame(0), key(40), frame(50))), 1, 200, "2@0 2@90 1@120 1@130"},
		{"audio ahead of the key frame, in the cluster before it",
			av(cluster(0, key(0), frame(40), sound(90), sound(110), sound(130)), cluster(100, key(0), sound(50), frame(40))), 100, 1000, "2@10 2@30 1@0 2@50 1@40"},
		{"audio ahead of the key frame, two clusters before it",
			av(cluster(0, key(0), sound(0), sound(210)), cluster(100, frame(0), sound(130)), cluster(200, key(0), sound(50))), 200, 1000, "2@10 2@30 1@0 2@50"},
		{"a cluster that begins before the key frame", av(cluster(0, key(0), sound(0)), cluster(300, sound(0), sound(60), key(70), sound(120), frame(110))), 370, 1000, "1@0 2@50 1@40"},
		{"frames not in the order of time", av(cluster(0, key(0), frame(120), frame(40), frame(80), key(240), frame(160), frame(200), frame(360), frame(280), frame(320))), 240, 330, "1@0 1@120 1@40 1@80"},
		{"frames not in the order of time, whole", av(cluster(0, key(0), frame(120), frame(40), frame(80), key(240), frame(160), frame(200))), 0, 1000, "1@0 1@120 1@40 1@80 1@240 1@160 1@200"},
		{"frames before the timestamp of their cluster", av(cluster(100, key(-50), frame(-10), frame(30))), 0, 1000, "1@0 1@40 1@80"},
		{"BlockGroups", av(cluster(0, inGroup(0), inGroup(40, reference), sound(50), inGroup(80), inGroup(120, reference))), 90, 1000, "1@0 1@40"},
		{"two tracks of video", two(cluster(0, key(0), other(0, 0x80), frame(40), other(40, 0)), cluster(80, key(0), other(10, 0), frame(20), other(30, 0x80), other(50, 0))), 80, 1000, "1@0 1@20 3@30 3@50"},
		{"two tracks of video, one of which begins only later", two(cluster(0, key(0), other(0, 0x80)), cluster(80, key(0), other(10, 0)), cluster(160, frame(0), other(10, 0)), cluster(240, frame(0), other(0, 0), other(10, 0x80), other(20, 0)), cluster(320, frame(0), other(0, 0))),
			80, 1000, "1@0 1@80 1@160 3@170 3@180 1@240 3@240"},
		{"two tracks of video, one of which has no key frame any more", two(cluster(0, key(0), other(0, 0x80)), cluster(80, key(0), other(10, 0)), cluster(160, frame(0), other(10, 0)), cluster(240, frame(0), other(0, 0))),
			80, 1000, "1@0 1@80 1@160"},
		{"audio alone", audio(cluster(0, sound(0), sound(20), sound(40)), cluster(60, sound(0), sound(20))), 30, 70, "2@0 2@20 2@40"},
		{"audio alone, from a block on", audio(cluster(0, sound(0), sound(20), sound(40)), cluster(60, sound(0), sound(20))), 40, 1000, "2@0 2@20 2@40"},
		{"audio alone, from the second cluster on", audio(cluster(0, sound(0), sound(20), sound(40)), cluster(60, sound(0), sound(20), sound(40))), 80, 90, "2@0"},
		{"audio alone that begins late", audio(cluster(1000, sound(5), sound(25))), 0, 2000, "2@0 2@20"},
		{"audio alone that begins before 0", audio(cluster(0, sound(-7), sound(13), sound(33))), 0, 25, "2@0 2@20"},
		{"audio alone, a start before it", audio(cluster(0, sound(0), sound(20))), -100, 15, "2@0"},
		{"audio alone with a gap", audio(cluster(0, sound(0)), cluster(1000, sound(0), sound(20))), 500, 1010, "2@0"},
		{"audio alone in a recording with a track of video", av(cluster(0, sound(0), sound(20)), cluster(40, sound(0), sound(20))), 20, 50, "2@0 2@20"},
		{"audio alone after a cluster of nothing", audio(cluster(0), cluster(100, sound(0), sound(20))), 50, 1000, "2@0 2@20"},
		{"audio alone with a cluster of nothing in between", audio(cluster(0, sound(0)), cluster(40), cluster(100, sound(0), sound(20))), 60, 1000, "2@0 2@20"},
		{"clusters without even a Timestamp", av(empty, cluster(0, key(0), sound(0)), empty, cluster(40, frame(0)), empty), 0, 50, "1@0 2@0 1@40"},
		{"audio and clusters without even a Timestamp", audio(empty, cluster(100, sound(0)), empty, cluster(140, sound(0)), empty), 150, 1000, "2@0"},
		{"a later cluster that goes back in time", av(cluster(0, key(0)), cluster(200, key(0), sound(0)), cluster(100, frame(0), sound(90), frame(120)), cluster(300, key(0))), 200, 1000, "1@0 2@0 1@20 1@100"},
		{"subtitles without the key flag", stream(tracks(vp8, track(3, Subtitle, "S_TEXT/UTF8")), cluster(0, key(0), other(0, 0), frame(40), other(50, 0))), 0, 45, "1@0 3@0 1@40"},
		{"blocks of a track that is not there", av(cluster(0, key(0), simpleBlock(9, 10, 0x80, "9"), frame(40))), 0, 30, "1@0"},
	} {
		t.Run(c.name, func(t *testing.T) {
			f, plan := clipped(t, c.stream, c.start*1e6, c.end*1e6)
			var got []string
			for _, b := range f.blocks {
				got = append(got, fmt.Sprintf("%d@%d", b.track, b.ticks))
			}
			if strings.Join(got, " ") != c.blocks {
				t.Errorf("blocks %s; want %s", strings.Join(got, " "), c.blocks)
			}
			if plan == nil {
				return
			}
			sameFromAStore(t, c.stream)
		})
	}
}

func TestAClipEndsWhereItsLastFrameEnds(t *testing.T) {
	key := func(at int16) []byte { return simpleBlock(1, at, 0x80, "key") }
	sound := func(at int16) []byte { return simpleBlock(2, at, 0, "\x08sound") } // 20 ms
	av := stream(tracks(vp8, opus), cluster(0, key(0), key(40), sound(45)), cluster(80, key(0), key(40), sound(45)), cluster(160, key(0)))
	for _, c := range []struct {
		name                  string
		stream                []byte
		start, end            int64
		wantStart, wantFinish int64
	}{
		{"the recording's end", av, 0, 1000, 0, 200},
		{"within the last frame", av, 0, 170, 0, 200},
		{"at the last frame", av, 0, 160, 0, 160},
		{"by audio", av, 0, 126, 0, 160},
		{"by audio that is longer than video", stream(tracks(vp8, opus), cluster(0, key(0), key(5), sound(5))), 0, 1000, 0, 25},
		{"of one frame", av, 120, 121, 120, 160},
		{"of the frame before the last", av, 120, 160, 120, 160},
		{"of audio", stream(tracks(opus), cluster(0, sound(0), sound(20), sound(40))), 25, 30, 20, 40},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, plan := clipped(t, c.stream, c.start*1e6, c.end*1e6)
			if plan.Start != c.wantStart*1e6 || plan.End != c.wantFinish*1e6 {
				t.Errorf("it is from %v to %v; want %d to %d ms", time.Duration(plan.Start), time.Duration(plan.End), c.wantStart, c.wantFinish)
			}
		})
	}
}

func TestAClipHasOtherTimestampScalesToo(t *testing.T) {
	for _, scale := range []uint64{1, 7, 999_999, 10_000_000, 1_000_000_000} {
		stream := stream(element(IDInfo, number(IDTimestampScale, scale)), tracks(vp8, opus),
			cluster(0, simpleBlock(1, 0, 0x80, "key"), simpleBlock(1, 10, 0, "frame"), simpleBlock(2, 15, 0, "\x08"), simpleBlock(1, 20, 0x80, "key"), simpleBlock(1, 30, 0, "frame")),
			cluster(40, simpleBlock(1, 0, 0x80, "key"), simpleBlock(1, 10, 0, "frame")))
		for _, r := range [][2]int64{{0, 100}, {20, 45}, {25, 31}, {40, 41}, {45, 100}} {
			clipped(t, stream, r[0]*int64(scale), r[1]*int64(scale))
		}
	}
}

func TestAClipOfLongAudioReadsOnlyTheClustersItIsCutIn(t *testing.T) {
	var clusters [][]byte
	for i := range uint64(10) {
		var blocks [][]byte
		for at := 0; at < 30_000; at += 60 {
			blocks = append(blocks, simpleBlock(2, int16(at), 0, "\x18"))
		}
		clusters = append(clusters, cluster(i*30_000, blocks...))
	}
	stream := stream(append([][]byte{tracks(opus)}, clusters...)...)
	for _, c := range []struct{ start, end, reads int64 }{
		{0, 300_000, 0}, {45_000, 250_000, 2}, {45_000, 50_000, 1}, {60_000, 270_000, 2}, {299_000, 400_000, 1},
	} {
		cutter, err := indexOf(t, stream).Clip(c.start*1e6, c.end*1e6)
		if err != nil {
			t.Fatal(err)
		}
		if got := cutter.Reads(); int64(len(got)) != c.reads {
			t.Errorf("from %d to %d ms it reads %v", c.start, c.end, got)
		}
		f, _ := clipped(t, stream, c.start*1e6, c.end*1e6)
		for i := range f.cues[1:] {
			if gap := f.cues[i+1].ticks - f.cues[i].ticks; gap <= 0 || gap > 1100 {
				t.Errorf("from %d to %d ms: cues at %d and %d", c.start, c.end, f.cues[i].ticks, f.cues[i+1].ticks)
			}
		}
	}
}

func TestAClipThatCannotBeIsSaidWhy(t *testing.T) {
	key := stream(tracks(vp8, opus), cluster(0, simpleBlock(1, 0, 0x80, "key"), simpleBlock(1, 40, 0, "frame"), simpleBlock(2, 0, 0, "\x08")))
	for _, c := range []struct {
		name       string
		stream     []byte
		start, end int64
		code       Code
	}{
		{"no clusters", stream(tracks(vp8)), 0, 100, CodeNoClusters},
		{"no key frame", stream(tracks(vp8), cluster(0, simpleBlock(1, 0, 0, "frame"), simpleBlock(1, 40, 0, "frame"))), 1, 100e6, CodeNoKeyFrame},
		{"a start that is the end", key, 10e6, 10e6, CodeInvalidRange},
		{"a start after the end", key, 20e6, 10e6, CodeInvalidRange},
		{"a start at the recording's end", key, 80e6, 100e6, CodeInvalidRange},
		{"a start after the recording's end", key, 90e6, 100e6, CodeInvalidRange},
		{"an end at 0", key, -10e6, 0, CodeInvalidRange},
		{"an end before 0", key, -10e6, -5e6, CodeInvalidRange},
		{"clusters without blocks", stream(tracks(vp8), cluster(0), cluster(40)), 0, 100e6, CodeInvalidRange},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := indexOf(t, c.stream).Clip(c.start, c.end)
			wantCode(t, "Clip", err, c.code)
		})
	}
}

func TestACutterTakesItsBytesCutAnywhere(t *testing.T) {
	for _, name := range []string{"chromium-36-late-requestdata", "firefox-31-camera-audioonly", "chromium-13b-alpha-vp9"} {
		t.Run(name, func(t *testing.T) {
			f := load(t, name)
			ix := indexOf(t, f.data)
			for _, r := range [][2]int64{{0, ix.Duration() / 2}, {ix.Duration() / 3, ix.Duration() * 2 / 3}} {
				cutter, err := ix.Clip(r[0], r[1])
				if err != nil {
					t.Fatal(err)
				}
				plan, err := cutter.PlanFrom(bytes.NewReader(f.data))
				if err != nil {
					t.Fatal(err)
				}
				want := made(t, plan, f.data)
				var reads []byte
				for _, r := range cutter.Reads() {
					reads = append(reads, f.data[r.Start:r.End]...)
				}
				chunkings := [][][]byte{{reads}, bytewise(reads)}
				for seed := range uint64(4) {
					chunkings = append(chunkings, cut(reads, seed))
				}
				for i, chunks := range chunkings {
					cutter, err := ix.Clip(r[0], r[1])
					if err != nil {
						t.Fatal(err)
					}
					for _, chunk := range chunks {
						if err := cutter.Push(chunk); err != nil {
							t.Fatal(err)
						}
					}
					if cutter.Waiting() {
						t.Fatalf("chunking %d: it waits for more", i)
					}
					plan, err := cutter.Plan()
					if err != nil {
						t.Fatal(err)
					}
					if got := made(t, plan, f.data); !bytes.Equal(got, want) {
						t.Errorf("chunking %d makes another clip", i)
					}
				}
			}
		})
	}
}

func TestACutterWantsTheBytesItAskedForAndNoMore(t *testing.T) {
	frame := simpleBlock(1, 0, 0x80, "frame")
	stream := stream(tracks(vp8), cluster(0, frame, frame), cluster(40, frame))
	cutter := func() (*Cutter, []byte) {
		c, err := indexOf(t, stream).Clip(1, 1e6)
		if err != nil {
			t.Fatal(err)
		}
		r := c.Reads()[0]
		return c, stream[r.Start:r.End]
	}
	c, data := cutter()
	if _, err := c.Plan(); err == nil || !c.Waiting() {
		t.Errorf("Plan without bytes: %v", err)
	}
	if err := c.Push(data[:5]); err != nil {
		t.Fatal(err)
	}
	_, err := c.Plan()
	wantCode(t, "Plan with too few bytes", err, CodeInvalidRange)
	if err := c.Push(data[5:]); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Plan(); err != nil || c.Waiting() {
		t.Errorf("Plan with all bytes: %v", err)
	}
	wantCode(t, "one byte more", c.Push([]byte{0}), CodeInvalidRange)
	if err := c.Push(nil); err != nil {
		t.Errorf("no bytes more: %v", err)
	}
	c, _ = cutter()
	if _, err := c.PlanFrom(bytes.NewReader(stream[:70])); err == nil {
		t.Error("a source that ends early makes a plan")
	}
}

// The source may not be any more what the index was made of.
func TestACutterOfOtherBytesMakesAnErrorOrAPlan(t *testing.T) {
	t.Parallel()
	f := load(t, "chromium-24-same-recorder-restart")
	all, _ := indexes(f.data)
	failed := 0
	for at := 0; at < len(f.data); at += 997 {
		other := slices.Clone(f.data)
		for i := range 40 {
			if at+i < len(other) {
				other[at+i] ^= 0x5A
			}
		}
		for _, ix := range all {
			for _, p := range planners(ix) {
				plan, err := p.plan(ix, other)
				if err != nil {
					failed++
					continue
				}
				plan.CopyTo(&bytes.Buffer{}, bytes.NewReader(other))
			}
		}
	}
	if failed == 0 {
		t.Error("no change was noticed: the test tests nothing")
	}
	for _, c := range []struct {
		name string
		data []byte
	}{
		{"zeros", nil},
		{"a block without Timestamp", simpleBlock(1, 0, 0x80, "frame")},
		{"another track", slices.Concat(number(IDTimestamp, 0), simpleBlock(9, 0, 0x80, "frame"))},
		{"another cluster", cluster(0, simpleBlock(1, 0, 0x80, "frame"))},
		{"an EBML header", ebmlHeader()},
		{"a header", stream(tracks(opus))},
		{"a block that is larger", slices.Concat(number(IDTimestamp, 0), huge(IDSimpleBlock))},
		{"a Segment", unknown(IDSegment)},
		{"a later Timestamp", slices.Concat(number(IDTimestamp, 1<<50), simpleBlock(1, 0, 0x80, "frame"))},
	} {
		t.Run(c.name, func(t *testing.T) {
			frame := simpleBlock(1, 0, 0x80, strings.Repeat("frame", 20))
			stream := stream(tracks(vp8), cluster(0, frame, frame), cluster(40, frame))
			cutter, err := indexOf(t, stream).Clip(1, 30e6)
			if err != nil {
				t.Fatal(err)
			}
			r := cutter.Reads()[0]
			other := make([]byte, r.End-r.Start)
			copy(other, c.data)
			if err := cutter.Push(other); err == nil {
				if _, err := cutter.Plan(); err == nil {
					t.Error("it makes a plan")
				}
			} else if again := cutter.Push(other); again == nil {
				t.Error("it forgets its error")
			}
		})
	}
}

// late makes a join point and checks it.
func late(t *testing.T, stream []byte) ([]refBlock, *Plan) {
	t.Helper()
	ix := indexOf(t, stream)
	cutter, err := ix.JoinPoint()
	if err != nil {
		t.Fatal(err)
	}
	plan, err := cutter.PlanFrom(bytes.NewReader(stream))
	if err != nil {
		t.Fatal(err)
	}
	got := live(t, made(t, plan, stream))
	want, from, _ := wantClip(refBlocks(uncut(stream, split(Options{}, stream))), ix.header.TimestampScale, 1<<62, 1<<62)
	if !ix.hasVideoBlocks() {
		want = nil // it is the whole last cluster
		last := ix.clusters.at(ix.clusters.len() - 1)
		for _, b := range refBlocks(uncut(stream, split(Options{}, stream))) {
			if int64(b.start) >= last.Start {
				want = append(want, b)
			}
		}
		from = want[0].ticks * ix.header.TimestampScale
	} else {
		for i := range want {
			want[i].ticks += from / ix.header.TimestampScale
		}
	}
	sameBlocks(t, "join point", media(got), media(want))
	if plan.Start != from || plan.End != ix.Duration() {
		t.Errorf("it is from %d to %d; want %d to %d", plan.Start, plan.End, from, ix.Duration())
	}
	return got, plan
}

func (ix *Index) hasVideoBlocks() bool {
	return slices.ContainsFunc(ix.first, func(k KeyFrame) bool { return ix.isOf(k.Track, Video) })
}

func TestAJoinPointBeginsWithTheNewestKeyFrame(t *testing.T) {
	eachPart(t, func(t *testing.T, stream []byte) { late(t, stream) })
	key := func(at int16) []byte { return simpleBlock(1, at, 0x80, "key") }
	frame := func(at int16) []byte { return simpleBlock(1, at, 0, "frame") }
	sound := func(at int16) []byte { return simpleBlock(2, at, 0, "\x08sound") }
	for _, c := range []struct {
		name     string
		children [][]byte
		blocks   int
	}{
		{"in the last cluster", [][]byte{cluster(0, key(0), sound(0)), cluster(40, sound(0), key(10), sound(20), frame(30))}, 3},
		{"in the first cluster", [][]byte{cluster(0, key(0), sound(0)), cluster(40, sound(0), frame(10)), cluster(80, frame(0))}, 5},
		{"in the middle of a cluster before", [][]byte{cluster(0, key(0), key(10), sound(5), sound(15)), cluster(40, frame(0), sound(0))}, 4},
		{"with audio of it in the cluster before", [][]byte{cluster(0, key(0), sound(50)), cluster(40, key(0), sound(20))}, 3},
		{"and there is only one frame", [][]byte{cluster(0, key(0))}, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got, _ := late(t, stream(append([][]byte{tracks(vp8, opus)}, c.children...)...)); len(got) != c.blocks {
				t.Errorf("%d blocks; want %d", len(got), c.blocks)
			}
		})
	}
	t.Run("or, of audio alone, the last cluster", func(t *testing.T) {
		if got, _ := late(t, stream(tracks(opus), cluster(0, sound(0)), cluster(20, sound(0), sound(20)))); len(got) != 2 {
			t.Errorf("%d blocks", len(got))
		}
	})
	t.Run("unless there is none", func(t *testing.T) {
		_, err := indexOf(t, stream(tracks(vp8), cluster(0, frame(0)))).JoinPoint()
		wantCode(t, "JoinPoint", err, CodeNoKeyFrame)
	})
	t.Run("unless there is no block", func(t *testing.T) {
		cutter, err := indexOf(t, stream(tracks(vp8), cluster(0), unknown(IDCluster))).JoinPoint()
		if err == nil {
			_, err = cutter.PlanFrom(bytes.NewReader(nil))
		}
		if err == nil {
			t.Error("it makes a plan")
		}
	})
}

// A store has the final form, which a cutter must be able to read.
func TestAClipOfAStoreHasTheKeyFlagsToo(t *testing.T) {
	data := load(t, "firefox-08-pause-vp8opus-ts500").data
	sameFromAStore(t, data)
	f, _ := clipped(t, data, 1e9, 3e9)
	for _, b := range f.blocks {
		if b.typ == Audio && !b.key {
			t.Fatalf("the block of audio at %d has no key flag", b.ticks)
		}
	}
}
