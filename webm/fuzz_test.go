package webm

// Any bytes at all, cut anywhere, and whatever is made of them. `make fuzz` looks
// for some that break what must always hold; what it finds is kept in
// testdata/fuzz and tried by every test run.

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/webmend/webmend/ebml"
)

// maxFuzzed is how large a stream may be of which all is made that can be.
const maxFuzzed = 64 << 10

// cutBy cuts a stream into chunks whose lengths are those of cuts, over and over:
// single bytes if there are none.
func cutBy(stream, cuts []byte) (chunks [][]byte) {
	if len(bytes.Trim(cuts, "\x00")) == 0 {
		cuts = []byte{1}
	}
	for i := 0; len(stream) > 0; i++ {
		n := min(int(cuts[i%len(cuts)]), len(stream))
		chunks = append(chunks, stream[:n])
		stream = stream[n:]
	}
	return chunks
}

// small is a recording with the elements that it has, but no more than a few of
// each sort in any, and only the beginning of each frame.
func small(stream []byte) []byte {
	const children, clusters, frame = 7, 3, 16
	all := refElements(stream)
	var build func(parent uint32, level, end int) []byte
	i := 0
	build = func(parent uint32, level, end int) (b []byte) {
		seen := map[uint32]int{}
		for i < len(all) && all[i].start < end && all[i].level == level {
			e := all[i]
			i++
			var data []byte
			if i < len(all) && all[i].level > level {
				data = build(e.id, level+1, e.end)
			} else if data = stream[e.data:e.end]; e.id == 0xA3 || e.id == 0xA1 || e.id == 0xA5 || e.id == 0xEC {
				data = data[:min(len(data), frame)]
			}
			if seen[e.id]++; seen[e.id] > children || e.id == 0x1F43B675 && seen[e.id] > clusters {
				continue
			}
			if e.unknown {
				b = append(b, unknown(ebml.ID(e.id), data)...)
			} else {
				b = append(b, element(ebml.ID(e.id), data)...)
			}
		}
		return b
	}
	return build(0, 0, len(stream))
}

// seeds are streams to begin with: the recordings in testdata made small, and
// others as a recorder might never write them.
func seeds(t testing.TB) [][]byte {
	var all [][]byte
	paths, err := filepath.Glob("testdata/*.webm")
	if err != nil || len(paths) == 0 {
		t.Fatalf("%d recordings, error %v", len(paths), err)
	}
	for _, path := range paths {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, small(data))
	}

	key, frame := simpleBlock(1, 0, 0x80, "key"), simpleBlock(1, 40, 0, "frame")
	sound := func(at int16) []byte { return simpleBlock(2, at, 0, "\x08sound") }
	av := func(children ...[]byte) []byte { return stream(tracks(vp8, opus), slices.Concat(children...)) }
	info := element(IDInfo, number(IDTimestampScale, 1_000_000), ebml.AppendFloat(nil, IDDuration, 100), text(IDMuxingApp, "test"), element(ebml.IDVoid))
	inGroup := slices.Concat(
		group(number(IDBlockDuration, 40), block(1, 0, "key"), element(IDDiscardPadding, []byte{1})),
		group(block(1, 40, "frame"), number(IDReferenceBlock, 1), element(IDBlockAdditions, element(IDBlockMore, number(IDBlockAddID, 1)))), group())
	laced := slices.Concat(simpleBlock(2, 0, 0x82, "\x02\x03\x03\xFC12\xFC34\xFC56"), simpleBlock(2, 60, 0x04, "\x01\xFC12\xFC34"), simpleBlock(2, 100, 0x86, "\x02\x82\xBF\xFC1\xFC2\xFC3"))
	whole := av(cluster(0, key, sound(0), frame, sound(20)), cluster(80, frame, sound(0), key), element(IDCluster, number(IDTimestamp, 160), key, sound(0)), element(IDCues))
	return append(all,
		whole, whole[:len(whole)-30], whole[:90], slices.Concat(whole, whole), append(slices.Clone(whole), 0, 0), append(slices.Clone(whole), clusterMagic...),
		stream(element(IDSeekHead, element(IDSeek, element(IDSeekID, []byte(clusterMagic)))), info, element(ebml.IDVoid, make([]byte, 10)), tracks(vp8), element(IDTags, []byte("\x73\x73\x80")), cluster(0, key), element(IDTags)),
		slices.Concat(ebmlHeader(), element(IDSegment, info, tracks(vp8, opus), element(IDCluster, number(IDTimestamp, 0), key, sound(0)), cluster(40, frame))),
		slices.Concat(ebmlHeader(), element(IDSegment, element(IDSegment), ebmlHeader(), tracks(vp8), cluster(0, key), ebmlHeader())),
		av(cluster(0, inGroup, sound(0))), av(cluster(0, laced)), stream(tracks(opus), cluster(0, laced), cluster(200, laced)),
		av(unknown(IDCluster, number(IDPrevSize, 7), element(ebml.IDCRC32, []byte("crc!")), number(IDTimestamp, 5), number(IDPosition, 8), key, sound(0))),
		av(unknown(IDCluster), cluster(0, key), unknown(IDCluster), cluster(1000, simpleBlock(1, -50, 0x80, "key"), sound(-7)), cluster(500, frame, sound(0))),
		av([]byte("\x1F\x43\xB6\x75\xFF"), number(IDTimestamp, 0), key, sound(0), simpleBlock(1, 80, 0, strings.Repeat("x", 130))),
		av(cluster(0, key, simpleBlock(9, 0, 0x80, "stranger"), wide(IDSimpleBlock, 8, 1, 20, 0, "wide"), group(wide(IDBlock, 2, 2, 30, 0, "wide")))),
		stream(tracks(vp8, opus, track(3, Video, "V_VP8")), cluster(0, key, simpleBlock(3, 10, 0x80, "other"), sound(0)), cluster(80, simpleBlock(3, 10, 0, "other"), key)),
		stream(tracks(track(1, Video, "V_VP9", element(IDVideo, number(IDPixelWidth, 640))), track(2, Audio, "A_PCM/INT/LIT", element(IDAudio, ebml.AppendFloat(nil, IDSamplingFrequency, 8000), number(IDBitDepth, 16))), track(3, Subtitle, "S_TEXT/UTF8")),
			cluster(0, simpleBlock(1, 0, 0x80, "\x82\x49\x83\x42\x00frame"), simpleBlock(2, 0, 0x04, "\x01pcm.pcm."), simpleBlock(3, 0, 0, "text"))),
		stream(element(IDInfo, number(IDTimestampScale, 1e12)), tracks(vp8), cluster(1<<19, key, frame)),
		av(cluster(0, key), unknown(IDSegment, cluster(40, frame))), av(cluster(0), cluster(5)), av(),
		av(cluster(0, key, huge(IDSimpleBlock))), av(cluster(0, key, simpleBlock(2, 0, 0x86, "\x05\xFF"))), av(cluster(0, key), unknown(IDTags)), av(unknown(IDCluster, key)),
		stream(cluster(0, key)), stream(info), ebmlHeader(), []byte(ebmlMagic), []byte("\x1A"), []byte("\x00\x00\x00\x18ftypmp42"), nil,
	)
}

// stranger is, here, the type of a track that the header does not have.
const stranger TrackType = 255

// blocksOf are the blocks of a recording in a stream that may be damaged: what
// can be read again of the clusters that the splitter gave.
func blocksOf(t *testing.T, stream []byte, o outcome, recording int) (all []refBlock) {
	t.Helper()
	types := map[uint64]TrackType{}
	for _, track := range slices.Backward(o.headers[recording].Tracks) {
		types[track.Number] = min(track.Type, stranger-1) // of two with a number the first has it
	}
	for _, c := range o.clusters {
		if c.Recording != recording {
			continue
		}
		s := &ebml.Scanner{}
		s.Push(stream[c.Start+int64(c.HeadLen) : c.End])
		begin := c.Start + int64(c.HeadLen)
		var b refBlock
		var rest []byte
		count := 0
		for kind := s.Next(); kind != ebml.More; kind = s.Next() {
			h := s.Head()
			group := s.Depth() == 0 && h.ID == IDBlockGroup
			simple := s.Depth() == 0 && h.ID == IDSimpleBlock
			inside := s.Depth() == 1 && h.ID == IDBlock
			switch {
			case kind == ebml.Start && (group || simple):
				b = refBlock{start: int(begin + h.Offset), key: group}
				rest = bytes.Clone(stream[b.start : begin+h.End()])
				if b.track = 0; group {
					s.Enter()
				} else {
					s.Read(int(h.Size))
				}
			case kind == ebml.Start && inside:
				s.Read(int(h.Size))
			case kind == ebml.Start && s.Depth() == 1 && h.ID == IDReferenceBlock:
				b.key = false
			case kind == ebml.Value && (simple || inside):
				head, n, ok := parseBlockHead(s.Data())
				if !ok {
					t.Fatalf("the block at %d is none", begin+h.Offset)
				}
				b.track, b.typ, b.ticks = head.track, stranger, c.Timestamp+int64(head.timestamp)
				if typ, ok := types[head.track]; ok {
					b.typ = typ
				}
				at := begin + h.DataOffset() - int64(b.start)
				clear(rest[at : at+int64(n)-1])
				if simple {
					b.key = head.flags&flagKey != 0
					rest[at+int64(n)-1] &^= flagKey
				}
				b.rest = string(rest)
			case kind == ebml.End && (group || simple) && b.rest != "":
				all = append(all, b)
				count++
			}
		}
		if s.Err() != nil || count != c.Blocks {
			t.Fatalf("cluster %v has %d blocks, error %v; want %d", c.Range, count, s.Err(), c.Blocks)
		}
	}
	return all
}

func FuzzSplitter(f *testing.F) {
	for i, stream := range seeds(f) {
		f.Add(stream, []byte{1, 0, byte(i), 13}, i%9 == 8)
	}
	f.Fuzz(func(t *testing.T, stream, cuts []byte, limited bool) {
		opts := Options{}
		if limited {
			opts = Options{MaxHeaderSize: 200, MaxTracks: 1}
		}
		opts.Rewinds = true
		again := split(opts, stream)
		again.check(t, stream)
		compare(t, "cut, and read again", split(opts, cutBy(stream, cuts)...).String(), again.String())
		for i := range again.headers {
			blocksOf(t, stream, again, i)
		}

		opts.Rewinds = false
		o := split(opts, stream)
		o.check(t, stream)
		compare(t, "cut", split(opts, cutBy(stream, cuts)...).String(), o.String())
		for i := range o.headers {
			blocksOf(t, stream, o, i)
		}
		for _, c := range o.clusters {
			if c.Duration < 0 || c.Timestamp < 0 || c.HeadLen < 5 {
				t.Errorf("cluster %+v", c)
			}
			for _, k := range c.KeyFrames {
				if k.Offset < c.Start || k.Offset >= c.End {
					t.Errorf("cluster %v has a key frame at %d", c.Range, k.Offset)
				}
			}
		}
		for _, r := range o.report.Recordings {
			if r.Duration < 0 {
				t.Errorf("recording %+v", r)
			}
		}
	})
}

// A recording cannot last longer than a day here, as the times of two that are
// joined must be less than [maxTime] as well.
const maxFuzzedTime = 86400 * 1_000_000_000

func FuzzPlans(f *testing.F) {
	for i, stream := range seeds(f) {
		f.Add(stream, uint8(7*i), uint8(60*i), uint8(i), uint8(i/2))
	}
	f.Fuzz(func(t *testing.T, stream []byte, start, length, from, count uint8) {
		if len(stream) > maxFuzzed {
			return
		}
		o := split(Options{}, stream)
		all, _ := indexes(stream)
		for i, ix := range all {
			ix.KeepUndecodable = true // all that there is, to be compared; what is left out has tests of its own
			fuzzPlans(t, stream, o, i, ix, start, length, from, count)
		}
	})
}

// fuzzPlans makes all plans of a recording, of the stream and of a store.
func fuzzPlans(t *testing.T, stream []byte, o outcome, recording int, ix *Index, start, length, from, count uint8) {
	var clusters []Cluster
	for _, c := range o.clusters {
		if c.Recording == recording {
			clusters = append(clusters, c)
		}
	}
	store := stored(stream, o.headers[recording], clusters)
	inStore := *ix
	inStore.Stored = true
	blocks := blocksOf(t, stream, o, recording)
	scale := ix.header.TimestampScale
	n := ix.NumClusters()

	// A clip by the time of a block, or a nanosecond beside it, or by parts of all.
	begin, end := ix.Duration()/256*int64(start), ix.Duration()/128*int64(length)
	if len(blocks) > 0 && start%2 == 0 {
		begin = blocks[int(start/2)%len(blocks)].ticks*scale + int64(length%3) - 1
		end = begin + int64(length)*scale
	}

	for _, p := range []struct {
		name string
		plan func(ix *Index, source []byte) (*Plan, error)
		has  func(got []refBlock, plan *Plan) // checks what it has of the blocks
	}{
		{
			"seekable", func(ix *Index, source []byte) (*Plan, error) { return ix.Seekable() },
			func(got []refBlock, _ *Plan) {
				sameBlocks(t, "seekable", got, media(blocks))
			},
		},
		{
			"initialization segment", func(ix *Index, source []byte) (*Plan, error) { return ix.InitializationSegment(), nil },
			func(got []refBlock, _ *Plan) { sameBlocks(t, "initialization segment", got, nil) },
		},
		{
			"join point", func(ix *Index, source []byte) (*Plan, error) {
				c, err := ix.JoinPoint()
				if err != nil {
					return nil, err
				}
				return c.PlanFrom(bytes.NewReader(source))
			},
			func(got []refBlock, plan *Plan) {
				// Key frames of no certain time are not what a part begins with.
				if inOrder(blocks, clusters) && ix.hasVideoBlocks() && ix.left.len() == 0 {
					want, from, _ := wantClip(known(blocks), scale, maxTime, 1<<62)
					for i := range want {
						want[i].ticks += from / scale
					}
					sameBlocks(t, "join point", known(got), media(want))
				}
				someOf(t, "join point", got, media(blocks), 0)
			},
		},
		{
			"clip", func(ix *Index, source []byte) (*Plan, error) {
				c, err := ix.Clip(begin, end)
				if err != nil {
					return nil, err
				}
				return c.PlanFrom(bytes.NewReader(source))
			},
			func(got []refBlock, plan *Plan) {
				if want, _, bySound := wantClip(known(blocks), scale, begin, end); !bySound && inOrder(blocks, clusters) && ix.left.len() == 0 {
					sameBlocks(t, fmt.Sprint("clip ", begin, " to ", end), known(got), media(want))
				}
				someOf(t, "clip", got, media(blocks), plan.Start/scale)
			},
		},
		{
			"standalone", func(ix *Index, source []byte) (*Plan, error) {
				if n == 0 {
					return nil, planError(CodeNoClusters, "")
				}
				first := int(from) / 2 % n
				plan, _ := ix.Standalone(first, first+1+int(count)%(n-first), from%2 == 0)
				return plan, nil
			},
			func(got []refBlock, plan *Plan) {
				first := int(from) / 2 % n
				base := int64(0)
				if from%2 == 0 {
					base = clusters[first].Timestamp
				}
				want := slices.Clone(blocks)
				last := clusters[first+int(count)%(n-first)]
				want = slices.DeleteFunc(want, func(b refBlock) bool {
					return int64(b.start) < clusters[first].Start || int64(b.start) >= last.End
				})
				for i := range want {
					c := clusters[slices.IndexFunc(clusters, func(c Cluster) bool { return int64(want[i].start) < c.End })]
					want[i].ticks += max(0, c.Timestamp-base) - c.Timestamp
				}
				sameBlocks(t, "standalone", got, media(want))
			},
		},
	} {
		plan, err := p.plan(ix, stream)
		fromStore, storedErr := p.plan(&inStore, store)
		if fmt.Sprint(err) != fmt.Sprint(storedErr) {
			t.Fatalf("%s: %v of the stream and %v of the store", p.name, err, storedErr)
		}
		if err != nil {
			if e := (*Error)(nil); !errors.As(err, &e) {
				t.Fatalf("%s: %v", p.name, err)
			}
			continue
		}
		out := made(t, plan, stream)
		p.has(fuzzedBlocks(t, p.name, plan, out), plan)
		after := slices.ContainsFunc(ix.parts, func(part part) bool { return part.Start >= ix.header.End })
		if (p.name == "seekable" || p.name == "clip") && after {
			continue // which the store has not
		}
		if fromStore.Start != plan.Start || fromStore.End != plan.End || !bytes.Equal(made(t, fromStore, store), out) {
			t.Fatalf("%s: of the store it is another file", p.name)
		}
	}

	if ix.Duration() > maxFuzzedTime {
		return
	}
	plan, err := Join(ix, ix)
	if err != nil {
		if e := (*Error)(nil); !errors.As(err, &e) {
			t.Fatal(err)
		}
		return
	}
	want := slices.Concat(blocks, blocks)
	for i := range blocks {
		want[len(blocks)+i].ticks += (ix.Duration() + scale - 1) / scale
	}
	sameBlocks(t, "join", fuzzedBlocks(t, "join", plan, made(t, plan, stream, stream)), media(want))
}

// fuzzedBlocks are the blocks of what a plan makes, which must be sound.
func fuzzedBlocks(t *testing.T, what string, plan *Plan, out []byte) []refBlock {
	t.Helper()
	again := split(Options{}, out)
	again.check(t, out)
	if again.err() != nil || len(again.headers) != 1 || plan.Start > plan.End {
		t.Fatalf("%s: the splitter says %v of it, with %d headers; it is from %d to %d", what, again.err(), len(again.headers), plan.Start, plan.End)
	}
	return media(blocksOf(t, out, again, 0))
}

// known are the blocks of tracks that the header has, which alone a part of a
// recording must keep.
func known(blocks []refBlock) []refBlock {
	return slices.DeleteFunc(slices.Clone(blocks), func(b refBlock) bool { return b.typ == stranger })
}

// inOrder tells whether the clusters come in the order of time and each block is in
// its own, or at most in the one before it, as all recorders have it; where there is
// no video, also whether each block comes after the one before, and the first of a
// cluster at its time. Only then an index knows where to look for all that a part
// could have.
func inOrder(blocks []refBlock, clusters []Cluster) bool {
	video := slices.ContainsFunc(blocks, func(b refBlock) bool { return b.typ == Video })
	at, i := int64(-1), -1
	for j, b := range blocks {
		first := i < 0
		for i < 0 || int64(b.start) >= clusters[i].End {
			i++
			first = true
		}
		if b.ticks < clusters[i].Timestamp || i+2 < len(clusters) && b.ticks >= clusters[i+2].Timestamp ||
			!video && (first && b.ticks > clusters[i].Timestamp || j > 0 && b.ticks <= at) {
			return false
		}
		// Of a frame that does not say how long it lasts an index may not know that
		// it is not over when another begins.
		same := func(other refBlock) bool { return int64(other.start) >= clusters[i].End && other.ticks == b.ticks }
		if i+1 < len(clusters) && b.ticks >= clusters[i+1].Timestamp && slices.ContainsFunc(blocks[j:], same) {
			return false
		}
		at = b.ticks
	}
	return slices.IsSortedFunc(clusters, func(a, b Cluster) int { return cmp.Compare(a.Timestamp, b.Timestamp) })
}

// someOf fails the test unless got are, in their order, some of all, base ticks
// earlier.
func someOf(t *testing.T, what string, got, all []refBlock, base int64) {
	t.Helper()
	for i, b := range got {
		b.ticks += base
		at := slices.Index(all, b)
		if at < 0 {
			t.Fatalf("%s: block %d is %.200q, which is not in the recording, or not after those before it", what, i, fmt.Sprint(b))
		}
		all = all[at+1:]
	}
}

func FuzzFragments(f *testing.F) {
	for i, stream := range seeds(f) {
		f.Add(stream, []byte{3, 0, byte(i), 40}, uint8(i))
	}
	f.Fuzz(func(t *testing.T, stream, cuts []byte, now uint8) {
		if len(stream) > maxFuzzed/4 {
			return
		}
		o := split(Options{}, stream)
		chunks := cutBy(stream, cuts)
		all, report, _ := fragmented(chunks, func(i int) bool { return now>>(i%8)&1 != 0 })
		compare(t, "the report", outcome{report: report}.String(), outcome{report: o.report}.String())
		ixs, _ := indexes(stream)
		at := int64(0)
		got := make([][]refBlock, len(ixs))
		for i, c := range all {
			if c.Start < at || c.End <= c.Start || c.Fragment != (c.HeadLen == 0) {
				t.Fatalf("%d is %+v, after %d", i, c, at)
			}
			at = c.End
			one := append(made(t, ixs[c.Recording].InitializationSegment(), stream), formed(stream, &c)...)
			alone := split(Options{}, one)
			if alone.err() != nil || len(alone.clusters) != 1 || !alone.clusters[0].Known {
				t.Fatalf("%d, %+v, is no cluster of known size: %v", i, c, alone)
			}
			is := alone.clusters[0]
			left := len(report.Undecodable) > 0 || slices.ContainsFunc(report.Recordings, func(r Recording) bool { return r.Repeated > 0 })
			if left && is.Blocks == c.Blocks {
				// Alone it can have nothing twice, and its times may be right.
			} else if is.Timestamp != c.Timestamp || is.Blocks != c.Blocks || len(is.KeyFrames) != len(c.KeyFrames) ||
				show(Cluster{Tracks: is.Tracks}) != show(Cluster{Tracks: c.Tracks}) || is.BeginsWithKeyFrame() != c.BeginsWithKeyFrame() {
				t.Fatalf("%d tells %+v and holds %+v", i, c, is)
			}
			got[c.Recording] = append(got[c.Recording], blocksOf(t, one, alone, 0)...)
		}
		for i := range ixs {
			sameBlocks(t, "fragments", media(got[i]), media(blocksOf(t, stream, o, i)))
		}
	})
}

func FuzzBlock(f *testing.F) {
	for _, data := range []string{
		"", "\x81", "\x81\x00\x28\x80frame", "\x81\x00\x00\x00", "\x41\x2C\x7F\xFF\x89x", "\x01\x00\x00\x00\x00\x00\x00\x05\x00\x00\x00x", "\x00\x00\x00\x00\x00",
		"\x81\x00\x00\x02\x02\x03\x01onetthe rest", "\x81\x00\x00\x02\x01\xFF\x00" + strings.Repeat("x", 300), "\x81\x00\x00\x02\x02\xFF", "\x81\x00\x00\x02\x00frame",
		"\x81\x00\x00\x84\x02abcdef", "\x81\x00\x00\x04\x03", "\x81\x00\x00\x04\x02ab", "\x81\x00\x00\x04",
		"\x81\x00\x00\x06\x03\x85\xBD\xC0fivesthrfourand more", "\x81\x00\x00\x06\x02\x80\xBF", "\x81\x00\x00\x06\x02\x81\x80", "\x81\x00\x00\x06\x02\x40\x01\x01\xFF\xFF\xFF\xFF\xFF\xFF\xFF",
	} {
		f.Add([]byte(data))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		b, ok := ParseBlock(data)
		if !ok {
			return
		}
		total := 0
		for _, frame := range b.Frames {
			total += len(frame)
		}
		at := len(data) - total
		_, n := ebml.ParseVINT(data)
		if at < n+3 || b.Lacing == NoLacing && (at != n+3 || len(b.Frames) != 1) || b.Lacing == FixedLacing && at != n+4 {
			t.Fatalf("%d frames of %d bytes, of %d", len(b.Frames), total, len(data))
		}
		for i, frame := range b.Frames {
			if len(frame) > 0 && &frame[0] != &data[at] {
				t.Errorf("frame %d is not at %d", i, at)
			}
			if b.Lacing == FixedLacing && len(frame) != len(b.Frames[0]) {
				t.Errorf("frame %d has %d bytes, the first %d", i, len(frame), len(b.Frames[0]))
			}
			at += len(frame)
		}
		if b.Lacing == NoLacing {
			return
		}
		// Laced again in the shortest way, they are the same.
		again := append(slices.Clone(data[:n+3]), byte(len(b.Frames)-1))
		last := 0
		for i, frame := range b.Frames[:len(b.Frames)-1] {
			switch size := len(frame); {
			case b.Lacing == XiphLacing:
				again = append(append(again, bytes.Repeat([]byte{0xFF}, size/255)...), byte(size%255))
			case b.Lacing == EBMLLacing && i == 0:
				again = ebml.AppendVINT(again, uint64(size), ebml.VINTLen(uint64(size)))
			case b.Lacing == EBMLLacing:
				again = ebml.AppendVINT(again, uint64(size-last+1<<27-1), 4)
			}
			last = len(frame)
		}
		again = append(again, slices.Concat(b.Frames...)...)
		if c, ok := ParseBlock(again); !ok || fmt.Sprint(c) != fmt.Sprint(b) {
			t.Errorf("%x laced again is %x: %v; want %v", data, again, c, b)
		}
	})
}

func FuzzEditor(f *testing.F) {
	for i, stream := range seeds(f) {
		for _, c := range split(Options{}, stream).clusters {
			f.Add(stream[c.Start+int64(c.HeadLen):c.End], []byte{1, byte(i)}, uint8(1+i%2), uint8(i), int64(i-20), i%3 > 0)
		}
	}
	f.Fuzz(func(t *testing.T, data, cuts []byte, from, to uint8, shift int64, void bool) {
		to %= 127
		edit := &Edit{Keys: []uint64{uint64(from)}, Void: void, Tracks: [][2]uint64{{uint64(from), uint64(to)}}, Shift: shift}
		got, err := editedBy(t, edit, bytes.Clone(data), data)
		cut, cutErr := editedBy(t, edit, bytes.Clone(data), cutBy(data, cuts)...)
		if fmt.Sprint(err) != fmt.Sprint(cutErr) || !bytes.Equal(got, cut) {
			t.Fatalf("cut, it is\n\t%x, %v\nand should be\n\t%x, %v", cut, cutErr, got, err)
		}
		// Both, read again side by side, differ in what the edit says alone.
		var before, after ebml.Scanner
		before.Push(data)
		after.Push(got)
		for {
			kind := before.Next()
			if other := after.Next(); other != kind {
				t.Fatalf("%d becomes %d", kind, other)
			}
			h, g := before.Head(), after.Head()
			voided := before.Depth() == 0 && void && (h.ID == IDPosition || h.ID == IDPrevSize || h.ID == ebml.IDCRC32)
			isBlock := before.Depth() == 0 && h.ID == IDSimpleBlock || before.Depth() == 1 && h.ID == IDBlock
			if kind == ebml.More {
				return
			}
			if voided {
				h.ID = ebml.IDVoid
			}
			if h != g || before.EndOffset() != after.EndOffset() {
				t.Fatalf("%+v becomes %+v", h, g)
			}
			switch {
			case kind == ebml.Start && before.Depth() == 0 && h.ID == IDBlockGroup:
				before.Enter()
				after.Enter()
			case kind == ebml.Start:
				before.Read(len(data))
				after.Read(len(data))
			case kind == ebml.Value:
				want := bytes.Clone(before.Data())
				if b, n, ok := parseBlockHead(want); ok && isBlock {
					if b.track == uint64(from) {
						copy(want, ebml.AppendVINT(nil, uint64(to), n-3))
						if h.ID == IDSimpleBlock {
							want[n-1] |= flagKey
						}
					}
					time := int64(b.timestamp) + shift
					want[n-3], want[n-2] = byte(time>>8), byte(time)
				}
				if !bytes.Equal(after.Data(), want) {
					t.Fatalf("%+v with\n\t%x becomes\n\t%x and should become\n\t%x", h, before.Data(), after.Data(), want)
				}
			}
		}
	})
}

// editedBy is data after an edit, given to the editor in chunks.
func editedBy(t *testing.T, edit *Edit, data []byte, chunks ...[]byte) ([]byte, error) {
	t.Helper()
	const offset = 1000
	editor := edit.Editor(offset)
	pushed := offset
	for _, chunk := range chunks {
		patches, err := editor.Push(chunk)
		for _, p := range patches {
			if p.Offset < int64(pushed-patchDelay) || p.Offset < offset || p.Offset >= int64(pushed+len(chunk)) {
				t.Fatalf("a patch at %d came with the bytes from %d to %d", p.Offset, pushed, pushed+len(chunk))
			}
			data[p.Offset-offset] = p.Value
		}
		if err != nil {
			return data, err
		}
		pushed += len(chunk)
	}
	return data, nil
}
