package webm

// Recordings damaged in every way that they can be on theirs: what is lost is what was
// touched, and all else comes out where it is.

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
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
			for seed := range uint64(either(1, 2)) {
				s := wrecked(f, way, seed)
				stream := joinScraps(s)
				var chunks [][]byte
				for _, s := range s {
					chunks = append(chunks, s.data)
				}
				pieces := cut(stream, 1-seed) // the first in chunks that are not so tiny
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
		for n := 0; n < len(f.data); n += either(4999, 997) {
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
			for n := 0; n <= len(f.data); n += either(3, 1) {
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
