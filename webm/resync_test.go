package webm

// Damage in the middle of a stream: what is lost, and that all else is not.

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/webmend/webmend/ebml"
)

func TestAStreamGoesOnAfterDamage(t *testing.T) {
	frame := simpleBlock(1, 0, 0x80, "frame") // of 11 bytes
	good := func(timestamp uint64) []byte { return cluster(timestamp, frame, frame, frame) }
	head := stream(tracks(vp8))
	for _, c := range []struct {
		name     string
		parts    [][]byte
		clusters int
		dropped  string // start-end, and the time before and after in ms
	}{
		{"at the next cluster", [][]byte{head, good(0), {0, 0, 0}, good(500)}, 2, "97-100 0 500"},
		{"at the next cluster, inside of one", [][]byte{head, good(0), cluster(100, frame, frame), bytes.Repeat([]byte{0}, 99), good(500)}, 3, "134-233 200 500"},
		{"at a cluster without a block", [][]byte{head, good(0), {0}, cluster(300), good(500)}, 3, "97-98 0 300"},
		{"not at the ID of a cluster alone", [][]byte{head, good(0), {0}, []byte(clusterMagic), {0}, good(500)}, 2, "97-103 0 500"},
		{"not at a cluster that begins with no Timestamp", [][]byte{head, good(0), {0}, unknown(IDCluster, frame, frame), good(500)}, 2, "97-132 0 500"},
		{"not at a cluster of a track that there is not", [][]byte{head, good(0), {0}, cluster(9, simpleBlock(7, 0, 0, "frame"), frame), good(500)}, 2, "97-135 0 500"},
		{"at a cluster that follows the ID of one", [][]byte{head, good(0), {0}, []byte(clusterMagic[:3]), []byte(clusterMagic), []byte(clusterMagic), good(500)}, 2, "97-109 0 500"},
		{"at a cluster of known size", [][]byte{head, good(0), {0}, element(IDCluster, number(IDTimestamp, 500), frame), good(700)}, 3, "97-98 0 500"},
		{"at the last block of the stream", [][]byte{head, good(0), {0}, cluster(500, frame)}, 2, "97-98 0 500"},
		{"at the last block that is whole", [][]byte{head, good(0), {0}, cluster(500, frame, frame[:7])}, 2, "97-98 0 500, 125-132 500 -"},
		{"at another recording", [][]byte{head, good(0), {0}, head, good(500)}, 2, "97-98 0 -"},
		{"and not at an EBML header without a DocType", [][]byte{head, good(0), {0}, element(ebml.IDEBML), head, good(500)}, 2, "97-103 0 -"},
		{"twice", [][]byte{head, good(0), {0}, good(500), {0, 0}, good(900)}, 3, "97-98 0 500, 147-149 500 900"},
		{"never, if nothing follows", [][]byte{head, good(0), bytes.Repeat([]byte{0}, 50)}, 1, "97-147 0 -"},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := splitAllWays(t, Options{}, slices.Concat(c.parts...))
			if o.pushErr != nil || o.finishErr != nil {
				t.Errorf("errors %v, %v", o.pushErr, o.finishErr)
			}
			var dropped []string
			for _, d := range o.report.Dropped {
				after := "-"
				if d.After >= 0 {
					after = fmt.Sprint(d.After / 1e6)
				}
				dropped = append(dropped, fmt.Sprintf("%d-%d %d %s", d.Start, d.End, d.Before/1e6, after))
			}
			if got := strings.Join(dropped, ", "); got != c.dropped || len(o.clusters) != c.clusters {
				t.Errorf("dropped %s, clusters %s; want %s and %d clusters", got, ranges(o.clusters), c.dropped, c.clusters)
			}
		})
	}
}

// damages are what can happen to a recording on its way, by its chunks.
var damages = []struct {
	name string
	do   func(random *rand.Rand, chunks [][]byte) [][]byte
}{
	{"a chunk is lost", func(r *rand.Rand, c [][]byte) [][]byte {
		i := 1 + r.IntN(len(c)-1)
		return slices.Delete(slices.Clone(c), i, i+1)
	}},
	{"a chunk is doubled", func(r *rand.Rand, c [][]byte) [][]byte {
		i := 1 + r.IntN(len(c)-1)
		return slices.Insert(slices.Clone(c), i, c[i])
	}},
	{"two chunks are swapped", func(r *rand.Rand, c [][]byte) [][]byte {
		c = slices.Clone(c)
		i := 1 + r.IntN(len(c)-2)
		c[i], c[i+1] = c[i+1], c[i]
		return c
	}},
	{"900 bytes are lost", func(r *rand.Rand, c [][]byte) [][]byte {
		all := slices.Concat(c...)
		at := 400 + r.IntN(len(all)-1400)
		return [][]byte{all[:at], all[at+900:]}
	}},
	{"64 bytes are overwritten", func(r *rand.Rand, c [][]byte) [][]byte {
		all := slices.Concat(c...)
		at := 400 + r.IntN(len(all)-500)
		for i := range 64 {
			all[at+i] = byte(r.Uint32())
		}
		return [][]byte{all}
	}},
	{"a chunk is zeroed", func(r *rand.Rand, c [][]byte) [][]byte {
		c = slices.Clone(c)
		i := 1 + r.IntN(len(c)-1)
		c[i] = make([]byte, len(c[i]))
		return c
	}},
	{"4 KB of junk are inserted", func(r *rand.Rand, c [][]byte) [][]byte {
		all := slices.Concat(c...)
		at := 400 + r.IntN(len(all)-500)
		junk := make([]byte, 4096)
		for i := range junk {
			junk[i] = byte(r.Uint32())
		}
		return [][]byte{all[:at], junk, all[at:]}
	}},
}

func TestDamageToARecordingCostsWhatItIsInAndNoMore(t *testing.T) {
	eachFixture(t, func(t *testing.T, f fixture) {
		if len(f.data) < 3000 || len(f.chunks) < 3 {
			return
		}
		// The header stays: without it there is nothing to go on with.
		whole := split(Options{}, f.data)
		for len(f.chunks[0]) < int(whole.headers[0].End) {
			f.chunks = append([][]byte{slices.Concat(f.chunks[0], f.chunks[1])}, f.chunks[2:]...)
		}
		if len(f.chunks) < 3 {
			return
		}
		for i, damage := range damages {
			for seed := range uint64(2) {
				random := rand.New(rand.NewPCG(seed, uint64(i)))
				chunks := damage.do(random, f.chunks)
				damaged := slices.Concat(chunks...)
				o := splitChunked(t, chunks, damaged)
				o.check(t, damaged)
				if o.pushErr != nil {
					t.Errorf("%s, seed %d: %v", damage.name, seed, o.pushErr)
				}

				// Of clusters that the damage did not touch all are there, but for
				// that in which a block whose size was damaged ended.
				lost := 0
				for _, c := range whole.clusters {
					was := f.data[c.Start:c.End]
					if !bytes.Contains(damaged, was) {
						continue
					}
					if !slices.ContainsFunc(o.clusters, func(d Cluster) bool { return bytes.Equal(damaged[d.Start:d.End], was) }) {
						lost++
					}
				}
				if lost > 2 {
					t.Errorf("%s, seed %d: %d clusters are lost that were not touched, of %d", damage.name, seed, lost, len(whole.clusters))
				}
			}
		}
	})
}

// splitChunked splits a stream in these chunks and in others, and compares.
func splitChunked(t *testing.T, chunks [][]byte, stream []byte) outcome {
	t.Helper()
	o := split(Options{}, chunks...)
	compare(t, "cut at random", split(Options{}, cut(stream, uint64(len(stream)))...).String(), o.String())
	return o
}

func TestSearchingTakesWorkInProportionToTheStream(t *testing.T) {
	// Candidates that never are anything: each could have everything after it read.
	trap := slices.Concat([]byte(clusterMagic), []byte("\x01\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xE7\x81\x00\xA3\x08\x00\x00\x00"))
	var before float64
	for _, megabytes := range []int{1, 2, 4} {
		data := slices.Concat(stream(tracks(vp8), cluster(0, simpleBlock(1, 0, 0x80, "frame"))), []byte{0}, bytes.Repeat(trap, megabytes<<20/len(trap)))
		var s *Splitter
		n := testing.AllocsPerRun(1, func() {
			s = NewSplitter(Options{})
			for chunk := range slices.Chunk(data, 64<<10) {
				s.Push(chunk)
			}
			s.Finish()
		})
		if before > 0 && n > 2.2*before {
			t.Errorf("%d MB: %.0f allocations, after %.0f for half", megabytes, n, before)
		}
		if len(s.lost.trials) > maxTrials {
			t.Errorf("%d candidates are read at once", len(s.lost.trials))
		}
		before = n
	}
}

func TestARecordingHasNoGaps(t *testing.T) {
	eachFixture(t, func(t *testing.T, f fixture) {
		if gaps := split(Options{}, f.data).report.Gaps; len(gaps) > 0 {
			t.Errorf("%+v", gaps)
		}
	})
}

func TestAChunkThatIsLostIsMissed(t *testing.T) {
	// Where a Cluster's head is lost with it, the time of the blocks after it can
	// happen to go on from that of the blocks before: only numbered chunks tell.
	lost, missed := 0, 0
	eachFixture(t, func(t *testing.T, f fixture) {
		o := split(Options{}, f.data)
		if len(o.headers) != 1 || !slices.ContainsFunc(o.headers[0].Tracks, func(t Track) bool { return t.Type == Audio }) {
			return
		}
		for i, chunk := range f.chunks {
			before := slices.Concat(f.chunks[:i]...)
			if len(before) < int(o.headers[0].End) || i == len(f.chunks)-1 || len(chunk) < 12000 {
				continue // the header, the end, and what is shorter than a gap
			}
			lost++
			o := split(Options{}, before, slices.Concat(f.chunks[i+1:]...))
			if len(o.report.Dropped) > 0 || len(o.report.Gaps) > 0 || len(o.report.Undecodable) > 0 {
				missed++
			}
		}
	})
	if lost < 100 || missed < lost*95/100 {
		t.Errorf("of %d chunks that were lost %d are missed", lost, missed)
	}
	t.Logf("of %d chunks that were lost %d are missed", lost, missed)
}
