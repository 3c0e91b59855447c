package webm

// Recordings damaged in every way that they can be on theirs: what is lost is what was
// touched, and all else comes out where it is, in bounded memory and with work in
// proportion to the stream.

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/webmend/webmend/ebml"
)

// A scrap is bytes of a damaged recording: a range of the recording as it was, or,
// if from is -1, bytes that were never in it.
type scrap struct {
	data []byte
	from int
}

// scraps are some ranges of a recording, one after the other.
func scraps(all []byte, ranges ...int) (s []scrap) {
	for i := 0; i < len(ranges); i += 2 {
		if from, to := ranges[i], ranges[i+1]; from < to {
			s = append(s, scrap{all[from:to], from})
		}
	}
	return s
}

// wrecks are ways to damage a recording: its chunk from a to b, and the one after it
// that ends at c, or any place.
var wrecks = []struct {
	name string
	do   func(random *rand.Rand, all []byte, a, b, c int) []scrap
}{
	{"a chunk is lost", func(_ *rand.Rand, all []byte, a, b, c int) []scrap {
		return scraps(all, 0, a, b, len(all))
	}},
	{"a chunk is doubled", func(_ *rand.Rand, all []byte, a, b, c int) []scrap {
		return scraps(all, 0, b, a, len(all))
	}},
	{"two chunks are swapped", func(_ *rand.Rand, all []byte, a, b, c int) []scrap {
		return scraps(all, 0, a, b, c, a, b, c, len(all))
	}},
	{"a chunk is zeroed", func(_ *rand.Rand, all []byte, a, b, c int) []scrap {
		return slices.Concat(scraps(all, 0, a), []scrap{{make([]byte, b-a), -1}}, scraps(all, b, len(all)))
	}},
	{"900 bytes are lost", func(random *rand.Rand, all []byte, a, b, c int) []scrap {
		at := random.IntN(len(all))
		return scraps(all, 0, at, min(at+900, len(all)), len(all))
	}},
	{"64 bytes are overwritten", func(random *rand.Rand, all []byte, a, b, c int) []scrap {
		at := random.IntN(len(all) - 64)
		return slices.Concat(scraps(all, 0, at), []scrap{{junk(random, 64), -1}}, scraps(all, at+64, len(all)))
	}},
	{"4 KB of junk are inserted", func(random *rand.Rand, all []byte, a, b, c int) []scrap {
		at := random.IntN(len(all))
		return slices.Concat(scraps(all, 0, at), []scrap{{junk(random, 4096), -1}}, scraps(all, at, len(all)))
	}},
}

func junk(random *rand.Rand, n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(random.Uint32())
	}
	return b
}

// chunkEnds is where the chunks of a recording end, the empty ones left out. One that
// came in few is cut into 20 first.
func chunkEnds(f fixture) (ends []int) {
	at := 0
	for _, c := range f.chunks {
		if at += len(c); len(c) > 0 {
			ends = append(ends, at)
		}
	}
	if len(ends) > 3 {
		return ends
	}
	ends = nil
	for i := range 20 {
		ends = append(ends, (i+1)*len(f.data)/20)
	}
	return ends
}

// wrecked is a recording damaged in a way, by chance.
func wrecked(f fixture, way int, seed uint64) []scrap {
	random := rand.New(rand.NewPCG(seed, uint64(way)))
	ends := append([]int{0}, chunkEnds(f)...)
	i := random.IntN(len(ends) - 2)
	return wrecks[way].do(random, f.data, ends[i], ends[i+1], ends[i+2])
}

func joinScraps(s []scrap) (stream []byte) {
	for _, s := range s {
		stream = append(stream, s.data...)
	}
	return stream
}

func TestDamageCostsWhatItTouchesAndNoMore(t *testing.T) {
	eachFixture(t, func(t *testing.T, f fixture) {
		if len(f.data) < 3000 {
			return
		}
		t.Parallel()
		elements := refElements(f.data)
		for way := range wrecks {
			for seed := range uint64(2) {
				s := wrecked(f, way, seed)
				stream := joinScraps(s)
				var chunks [][]byte
				for _, s := range s {
					chunks = append(chunks, s.data)
				}
				pieces := cut(stream, seed)
				var o outcome
				for _, opts := range []Options{{}, {Rewinds: true}} {
					o = split(opts, stream)
					o.check(t, stream)
					compare(t, "cut where it is damaged", split(opts, chunks...).String(), o.String())
					compare(t, "cut at random", split(opts, pieces...).String(), o.String())
					for i := range o.headers {
						blocksOf(t, stream, o, i)
					}
				}
				for _, lost := range missing(elements, s, o) {
					t.Errorf("%s, seed %d: %s (%v, dropped %s)", wrecks[way].name, seed, lost, o.err(), drops(o))
				}
			}
		}
	})
}

func drops(o outcome) (s string) {
	for _, d := range o.report.Dropped {
		s += fmt.Sprintf("%d-%d ", d.Start, d.End)
	}
	return s
}

// missing tells what of a damaged recording is not among the clusters though it
// could be: of every scrap the clusters whose heads and Timestamps are in it, each
// up to the last block that is. elements are those of the recording as it was. If
// the header is damaged nothing need be there.
func missing(elements []refElement, s []scrap, o outcome) (lost []string) {
	header := 0
	for header < len(elements) && elements[header].id != 0x1F43B675 {
		header++
	}
	if s[0].from != 0 || len(s[0].data) < elements[header].start {
		return nil
	}
	at := 0 // in the stream
	for _, s := range s {
		if s.from >= 0 {
			for i, e := range elements {
				if e.id != 0x1F43B675 || e.start < s.from || e.data >= s.from+len(s.data) {
					continue
				}
				end, blocks := 0, 0
				for _, child := range elements[i+1:] {
					if child.start >= e.end || child.end > s.from+len(s.data) {
						break
					}
					if child.level == e.level+1 && (child.id == 0xA3 || child.id == 0xA0) {
						end, blocks = child.end, blocks+1
					}
				}
				if blocks == 0 {
					continue
				}
				start := int64(e.start - s.from + at)
				end += at - s.from
				if !slices.ContainsFunc(o.clusters, func(c Cluster) bool { return c.Start == start && c.End >= int64(end) }) {
					lost = append(lost, fmt.Sprintf("%d blocks of the cluster at %d up to %d", blocks, start, end))
				}
			}
		}
		at += len(s.data)
	}
	return lost
}

func TestAFalseClusterDoesNotHideATrueOne(t *testing.T) {
	frame := simpleBlock(1, 0, 0x80, "frame")
	begin := slices.Concat(stream(tracks(vp8)), cluster(0, frame, frame), []byte{0})
	for name, candidate := range map[string][]byte{
		"an ID alone":         []byte(clusterMagic + "\x00"),
		"nothing in it":       unknown(IDCluster, []byte{0}),
		"no Timestamp":        unknown(IDCluster, frame),
		"a block of no track": cluster(9, frame, simpleBlock(7, 0, 0, "frame"), []byte{0}),
	} {
		for _, n := range []int{1, 2, 10} {
			t.Run(fmt.Sprintf("%s, %d times", name, n), func(t *testing.T) {
				all := slices.Concat(begin, bytes.Repeat(candidate, n), cluster(500, frame, frame))
				o := splitAllWays(t, Options{}, all)
				blocksOf(t, all, o, 0)
				if last := o.clusters[len(o.clusters)-1]; last.Timestamp != 500 || last.Blocks != 2 {
					t.Errorf("the last cluster is %+v", last)
				}
			})
		}
	}
}

// kept is up to where the first n bytes of a recording, whose elements these are,
// can be kept: what is cut off in the middle goes, and with it a header that lacks
// its Tracks and a cluster that has no block.
func kept(elements []refElement, n int) (at int) {
	header := 0 // of the recording
	for i, e := range elements {
		switch {
		case e.start >= n:
			return at
		case e.id == 0x1A45DFA3:
			header, at = e.start, e.start
		case e.id == 0x1654AE6B && e.end <= n:
			header, at = -1, e.end
		case header >= 0: // nothing counts before the Tracks
		case e.id == 0x1F43B675:
			blocks, end := 0, e.data
			for _, child := range elements[i+1:] {
				if child.start >= e.end || child.end > n {
					break
				}
				if child.level == e.level+1 {
					end = child.end
				}
				if child.id == 0xA3 || child.id == 0xA0 {
					blocks++
				}
			}
			if blocks > 0 || end == n && e.unknown || e.end <= n {
				at = end
			}
		case e.level == 1 && e.end <= n:
			at = e.end
		}
	}
	return at
}

// cutCheck checks what a splitter makes of the first n bytes of a recording.
func cutCheck(t *testing.T, f fixture, elements []refElement, n int) outcome {
	t.Helper()
	stream := f.data[:n]
	o := split(Options{}, stream)
	o.check(t, stream)
	compare(t, fmt.Sprintf("cut to %d bytes, with Rewinds", n), split(Options{Rewinds: true}, stream).String(), o.String())
	var want string
	if at := kept(elements, n); at < n {
		want = fmt.Sprintf("%d-%d ", at, n)
	} else if slices.ContainsFunc(elements, func(e refElement) bool { return !e.unknown && e.start < n && n < e.end }) {
		want = fmt.Sprintf("%d-%d ", n, n) // the rest of an element of known size is missing
	}
	if drops(o) != want {
		t.Errorf("cut to %d bytes, %s is dropped; want %s", n, drops(o), want)
	}
	if o.pushErr != nil {
		t.Errorf("cut to %d bytes, Push says %v", n, o.pushErr)
	}
	if e := o.err(); e != nil && e.Code != CodeTruncated && e.Code != CodeEmpty {
		t.Errorf("cut to %d bytes: %v", n, e)
	}
	return o
}

func TestARecordingCutAtAnyPlaceKeepsWhatIsWholeBeforeIt(t *testing.T) {
	eachFixture(t, func(t *testing.T, f fixture) {
		t.Parallel()
		elements := refElements(f.data)
		for n := 0; n < len(f.data); n += 997 {
			cutCheck(t, f, elements, n)
		}
	})
}

// Cut to any number of bytes a recording is a file with all blocks that are whole,
// or there is an error that says what it lacks.
func TestARecordingCutAtAnyByteBecomesAFileOrAnError(t *testing.T) {
	for _, name := range []string{
		"chromium-23b-stop-at-60ms", "chromium-13b-alpha-vp9", "chromium-36-late-requestdata", "chromium-26-long-audio-nots-75s",
		"chromium-24-same-recorder-restart", "firefox-08-pause-vp8opus-ts500", "firefox-24-same-recorder-restart",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := load(t, name)
			if len(f.data) > 4000 {
				f.data = small(f.data)
			}
			elements, blocks := refElements(f.data), refBlocks(f.data)
			files, errs := 0, 0
			for n := range len(f.data) + 1 {
				o := cutCheck(t, f, elements, n)
				all, _ := indexes(f.data[:n])
				if len(all) == 0 && o.finishErr == nil {
					t.Errorf("cut to %d bytes, there is neither a recording nor an error", n)
				}
				for i, ix := range all {
					begin, end := int(o.headers[i].Start), n
					if i+1 < len(o.headers) {
						end = int(o.headers[i+1].Start)
					}
					var want []refBlock
					for _, b := range blocks {
						if begin <= b.start && b.start+len(b.rest) <= end {
							want = append(want, b)
						}
					}
					ix.KeepUndecodable = true // a recording made small has gaps
					plan, err := ix.Seekable()
					if err != nil {
						errs++
						if e := wantCode(t, "Seekable", err, CodeNoClusters); len(want) > 0 {
							t.Errorf("cut to %d bytes, recording %d: %v, and there are %d blocks", n, i, e, len(want))
						}
						continue
					}
					files++
					f := parse(t, made(t, plan, f.data[:n]))
					sameBlocks(t, fmt.Sprintf("cut to %d bytes, recording %d", n, i), media(f.blocks), media(want))
				}
			}
			if files < 100 || errs == 0 {
				t.Errorf("%d files and %d errors", files, errs)
			}
		})
	}
}

// eachMutation makes 300 streams of a recording, and 300 of a small one, with a few bits
// wrong: of all recordings, ten thousand.
func eachMutation(f fixture, test func(n int, stream []byte, isSmall bool)) {
	for i, data := range [][]byte{f.data, small(f.data)} {
		if len(data) < 800 {
			continue
		}
		random := rand.New(rand.NewPCG(uint64(len(data)), 0))
		places := structure(data)
		for n := range 300 {
			test(n, mutated(random, data, places), i == 1)
		}
	}
}

func TestOfTenThousandMutatedRecordingsNoneCostsMemory(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1)) // otherwise a sweeper in the background makes ReadMemStats slow
	inputs := 0
	eachFixture(t, func(t *testing.T, f fixture) {
		eachMutation(f, func(n int, stream []byte, _ bool) {
			inputs++
			once := allocatedBy(func() {
				all, _ := indexes(stream)
				for _, ix := range all {
					ix.Seekable()
				}
			})
			again := allocatedBy(func() { Scan(bytes.NewReader(stream), int64(len(stream)), Options{}, nil) })
			if limit := uint64(128<<10 + len(stream)); once > limit || again > limit+64<<10 { // for Scan's window
				t.Errorf("input %d of %d bytes: %d bytes are allocated, and %d by Scan", n, len(stream), once, again)
			}
		})
	})
	if inputs < 10_000 {
		t.Errorf("%d inputs", inputs)
	}
}

// All of what is left of small recordings is planned and made, and of whole ones some.
func TestOfTenThousandMutatedRecordingsNoneMakesAnUnsoundPlan(t *testing.T) {
	var inputs, plans atomic.Int32
	t.Cleanup(func() { // after all subtests
		if inputs.Load() < 10_000 || plans.Load() < 20_000 {
			t.Errorf("%d inputs made %d plans: the test tests little", inputs.Load(), plans.Load())
		}
	})
	eachFixture(t, func(t *testing.T, f fixture) {
		t.Parallel()
		eachMutation(f, func(n int, stream []byte, isSmall bool) {
			inputs.Add(1)
			split(Options{}, stream).check(t, stream)
			split(Options{Rewinds: true}, stream).check(t, stream)
			if isSmall || n%75 == 0 {
				all, _ := indexes(stream)
				plans.Add(int32(soundPlans(t, stream, all)))
			}
			if t.Failed() {
				t.Fatalf("input %d of %d bytes", n, len(stream))
			}
		})
	})
}

// allocatedBy is how many bytes do allocates, those it drops at once too.
func allocatedBy(do func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	do()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

// soundPlans makes all sorts of plans of the recordings of a damaged stream, checks
// what they make, and tells how many they are.
func soundPlans(t *testing.T, stream []byte, all []*Index) (plans int) {
	t.Helper()
	for i, ix := range all {
		for _, p := range planners(ix) {
			plan, err := p.plan(ix, stream)
			if err != nil {
				var e *Error
				if !errors.As(err, &e) {
					t.Fatalf("recording %d, %s: %v", i, p.name, err)
				}
				continue
			}
			plans++
			out := made(t, plan, stream)
			o := split(Options{}, out)
			o.check(t, out)
			if o.err() != nil || len(o.headers) != 1 {
				t.Fatalf("recording %d, %s: the splitter says %v of it, with %d headers", i, p.name, o.err(), len(o.headers))
			}
			w := NewWalker(0, func(Element) {})
			err = w.Push(out)
			if err == nil {
				err = w.Finish()
			}
			// What is damaged inside other elements than these stays so.
			var e *Error
			if errors.As(err, &e) && slices.Contains([]string{"", "EBML", "Segment", "Segment/SeekHead", "Segment/Info", "Segment/Tracks", "Segment/Cues", "Segment/Cluster"}, e.Path) {
				t.Fatalf("recording %d, %s: the walker says %v", i, p.name, err)
			}
		}
		if plan, err := Join(ix, ix); err == nil {
			out := made(t, plan, stream, stream)
			if o := split(Options{}, out); o.err() != nil {
				t.Fatalf("recording %d, joined with itself: %v", i, o.err())
			}
		}
	}
	return plans
}

// crafted are streams that are to make a splitter look at the same bytes again and
// again: what to begin with, and what follows for so many bytes.
var crafted = []struct {
	name  string
	begin []byte
	rest  func(n int) []byte
}{
	{"a recording", ebmlHeader(), again(stream(tracks(vp8, opus), cluster(0, simpleBlock(1, 0, 0x80, "frame"), simpleBlock(2, 0, 0x80, "sound")))[12:])},
	{"recordings", nil, again(stream(tracks(vp8), cluster(0, simpleBlock(1, 0, 0x80, "frame"))))},
	{"EBML headers", spoilt, again(ebmlHeader())},
	{"EBML headers without a DocType", spoilt, again(element(ebml.IDEBML))},
	{"EBML headers that claim much", spoilt, again([]byte(ebmlMagic + "\x08\x00\x00\x00\x42\x82\x4F\xFF"))},
	{"the beginning of EBML headers", spoilt, again([]byte(ebmlMagic[:3]))},
	{"first octets of the ID of an EBML header", spoilt, again([]byte(ebmlMagic[:1]))},
	{"first octets of the ID of a Cluster", spoilt, again([]byte(clusterMagic[:1]))},
	{"IDs of Clusters", spoilt, again([]byte(clusterMagic))},
	{"Clusters with nothing in them", spoilt, again(unknown(IDCluster))},
	{"Clusters with a Timestamp alone", spoilt, again(cluster(0))},
	{"Clusters with a block that claims all that there can be", spoilt, again(cluster(0, huge(IDSimpleBlock)))},
	{"Clusters with a block, and one that claims much", spoilt, again(cluster(0, simpleBlock(1, 0, 0, ""), []byte("\xA3\x10\x00\x40\x00\x81\x00\x00\x00")))},
	{"Clusters with blocks, and one that claims much", spoilt, again(cluster(0, simpleBlock(1, 0, 0, ""), simpleBlock(1, 0, 0, ""), []byte("\xA3\x10\x00\x40\x00\x81\x00\x00\x00")))},
	{"Clusters with a block with lacing that claims much", spoilt, again(cluster(0, simpleBlock(1, 0, 0, ""), []byte("\xA3\x10\x00\x40\x00\x82\x00\x00\x06\xFF\xFF\xFF")))},
	{"sized Clusters that claim much", spoilt, again([]byte(clusterMagic + "\x10\x00\x40\x00\xE7\x81\x00\xA3\x10\x00\x3F\xF8\x81\x00\x00\x00"))},
	{"sized Clusters in each other", nil, func(n int) (b []byte) {
		b = stream(tracks(vp8))
		for len(b) < n {
			b = ebml.AppendHeadWidth(b, IDCluster, int64(n-len(b)), 4)
			b = append(b, "\xE7\x81\x00\xA3\x84\x81\x00\x00\x00"...)
		}
		return b
	}},
	{"Clusters with damage in between", spoilt, again(cluster(0, simpleBlock(1, 0, 0, ""), simpleBlock(1, 0, 0, ""), []byte{0}))},
	{"blocks that go back in time", spoilt, again(cluster(9, simpleBlock(2, 9, 0, ""), simpleBlock(2, 0, 0, "")))},
	{"blocks of no track", spoilt, again(cluster(0, simpleBlock(1, 0, 0, ""), simpleBlock(7, 0, 0, "")))},
	{"empty elements in a Cluster", whole, again(element(ebml.IDVoid))},
	{"empty BlockGroups", whole, again(group())},
	{"blocks without frames", whole, again(simpleBlock(1, 0, 0x80, ""))},
	{"blocks of 256 frames without bytes", whole, again(simpleBlock(1, 0, 0x82, "\xFF"+strings.Repeat("\x00", 255)))},
	{"empty elements before the Tracks", stream(), again(element(ebml.IDVoid))},
	{"elements in Info", append(stream(), huge(IDInfo)...), again(text(IDMuxingApp, ""))},
	{"elements of a track", append(stream(), ebml.AppendHead(huge(IDTracks), IDTrackEntry, 1<<40)...), again(text(IDCodecID, ""))},
	{"bytes of CodecPrivate", append(stream(), ebml.AppendHead(ebml.AppendHead(huge(IDTracks), IDTrackEntry, 1<<40), IDCodecPrivate, 1<<39)...), again([]byte{0})},
	{"Clusters of 128 tracks", stream(tracks(slices.Repeat(vp8, 128))), again(cluster(0, simpleBlock(1, 0, 0, "")))},
	{"Cues", whole, again(element(IDCues))},
	{"zeros", spoilt, again([]byte{0})},
}

// spoilt is a recording to whose end there is damage, whole one in whose last
// cluster more may follow.
var (
	whole  = stream(tracks(vp8, opus), cluster(0, simpleBlock(1, 0, 0x80, "frame")))
	spoilt = append(slices.Clone(whole), 0)
)

func again(b []byte) func(n int) []byte {
	return func(n int) []byte { return bytes.Repeat(b, n/len(b)) }
}

// Work is the statements that run, which a program with coverage counters counts,
// and the bytes that are allocated: for a byte the same however long the stream is.
func TestWorkIsInProportionToTheStreamWhateverIsInIt(t *testing.T) {
	program := filepath.Join(t.TempDir(), "work")
	if out, err := exec.Command("go", "build", "-cover", "-covermode=count", "-coverpkg=../ebml,.,./testdata/work", "-o", program, "./testdata/work").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	covdata, err := exec.Command("go", "tool", "-n", "covdata").Output()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range crafted {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			for _, pushed := range []struct {
				chunk   int
				rewinds bool
				streams []int   // their lengths, a short one first so that what is not in proportion fails soon
				most    float64 // statements a byte
			}{
				{1 << 30, true, []int{64 << 10, 1 << 20, 4 << 20}, 150},
				{1 << 30, false, []int{64 << 10, 1 << 20}, 150},
				{4 << 10, true, []int{256 << 10, 512 << 10}, 150},
				{1, true, []int{16 << 10, 64 << 10}, 1500},
			} {
				var before [2]float64 // a byte
				for i, n := range pushed.streams {
					stream := slices.Concat(c.begin, c.rest(n-len(c.begin)))
					got := work(t, program, strings.TrimSpace(string(covdata)), pushed.chunk, pushed.rewinds, stream)
					// What lists allocate as they grow is up to a half more or less.
					how := fmt.Sprintf("%d bytes in chunks of %d, rewinds %v: %.1f statements run for a byte, %.1f bytes are allocated", n, pushed.chunk, pushed.rewinds, got[0], got[1])
					if t.Log(how); got[0] > pushed.most || i > 0 && (got[0] > 1.25*before[0]+1 || got[1] > 1.6*before[1]+1) {
						t.Fatalf("%s; before it were %.1f", how, before)
					}
					before = got
				}
			}
		})
	}
}

// work tells how many statements of ebml and webm run for a byte of a stream that is
// split in chunks of so many bytes, and how many bytes are allocated.
func work(t *testing.T, program, covdata string, chunk int, rewinds bool, stream []byte) (perByte [2]float64) {
	t.Helper()
	dir := t.TempDir()
	cmd := exec.CommandContext(t.Context(), program, strconv.Itoa(chunk), strconv.FormatBool(rewinds))
	cmd.Env = append(os.Environ(), "GOCOVERDIR="+dir)
	cmd.Stdin = bytes.NewReader(stream)
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	fmt.Sscan(string(out), &perByte[1])
	profile := filepath.Join(dir, "profile")
	if out, err := exec.Command(covdata, "textfmt", "-i="+dir, "-o="+profile).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	lines, err := os.ReadFile(profile)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(lines)) {
		// file.go:1.2,3.4 statements times
		if fields := strings.Fields(line); len(fields) == 3 && !strings.Contains(fields[0], "/testdata/") {
			statements, _ := strconv.ParseFloat(fields[1], 64)
			times, _ := strconv.ParseFloat(fields[2], 64)
			perByte[0] += statements * times
		}
	}
	if perByte[0] == 0 || perByte[1] == 0 {
		t.Fatalf("%s counts %v", program, perByte)
	}
	for i := range perByte {
		perByte[i] /= float64(len(stream))
	}
	return perByte
}

func TestFragmentsOfALongClusterCostWhatIsInThem(t *testing.T) {
	half := uint64(0)
	for _, megabytes := range []int{1, 2, 4} {
		stream := slices.Concat(whole, again(simpleBlock(1, 0, 0x80, ""))(megabytes<<20))
		n := allocatedBy(func() {
			s := NewSplitter(Options{})
			for chunk := range slices.Chunk(stream, 64<<10) {
				s.Push(chunk)
				s.Fragments()
			}
			s.Finish()
		})
		if half > 0 && n > half*22/10 {
			t.Errorf("%d MB: %d bytes are allocated, and %d for half", megabytes, n, half)
		}
		half = n
	}
}
