package webm

// Damage in the middle of a stream: what is lost, and that all else is not.

import (
	"bytes"
	"fmt"
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

func TestARecordingHasNoGaps(t *testing.T) {
	eachFixture(t, func(t *testing.T, f fixture) {
		if gaps := split(Options{}, f.data).report.Gaps; len(gaps) > 0 {
			t.Errorf("%+v", gaps)
		}
	})
}

func TestMostChunksThatAreLostLeaveAGapOrDamage(t *testing.T) {
	t.Parallel()
	// Where a Cluster's head is lost with it, the time of the blocks after it can
	// happen to go on from that of the blocks before: only numbered chunks tell.
	lost, told := 0, 0
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
			if len(o.report.Dropped) > 0 {
				told++
			} else if gaps := o.report.Gaps; len(gaps) > 0 && gaps[0].Boundary {
				told++
			}
		}
	})
	if lost < 100 || told < lost*90/100 {
		t.Errorf("of %d chunks that were lost %d leave a gap or damage", lost, told)
	}
	t.Logf("of %d chunks that were lost %d leave a gap or damage", lost, told)
}

func TestAGapIsToldAndNothingIsLeftOutForIt(t *testing.T) {
	head := stream(tracks(vp8, opus))
	frame := func(at int16) []byte { return simpleBlock(1, at, 0, fmt.Sprint("frame ", at)) }
	sound := func(times ...int16) (blocks []byte) {
		for _, at := range times {
			blocks = append(blocks, simpleBlock(2, at, 0x80, fmt.Sprint("\x08sound ", at))...) // 20 ms
		}
		return blocks
	}
	key := simpleBlock(1, 0, 0x80, "key")
	for _, c := range []struct {
		name string
		data []byte // of one cluster
		gaps string // tracks, and milliseconds
	}{
		{"no sound, and no picture", slices.Concat(key, sound(0), frame(33), frame(533), sound(520), frame(566)), "[1 2] 20-520"},
		{"no sound, and no picture before it", slices.Concat(key, sound(0), sound(520), frame(566)), "[1 2] 20-520"},
		{"no sound, while pictures go on", slices.Concat(key, sound(0), frame(33), frame(266), frame(533), sound(520), frame(566)), "[2] 20-520"},
		{"twice", slices.Concat(key, sound(0, 20, 540, 560), frame(570), sound(1100)), "[1 2] 40-540, [1 2] 580-1100"},
		{"a packet that is late by less", slices.Concat(key, sound(0, 110)), ""},
		{"packets that are late, and catch up", slices.Concat(key, sound(0, 141, 143, 146, 150, 151, 160, 180, 200)), ""},
		{"packets that catch up only in part", slices.Concat(key, sound(0, 1001, 1002, 1003, 1020, 1040, 1060, 1080, 1100)), "[1 2] 20-1001"},
		{"no picture, while sound goes on", slices.Concat(key, sound(0, 20, 40, 60, 80, 100, 120, 140), frame(150)), ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.gaps != "" {
				c.gaps += ", "
			}
			all := slices.Concat(head, cluster(0, c.data))
			o := splitAllWays(t, Options{}, all)
			var gaps string
			for _, g := range o.report.Gaps {
				gaps += fmt.Sprintf("%v %d-%d, ", g.Tracks, g.Start/1e6, g.End/1e6)
				if g.Boundary {
					t.Errorf("a chunk begins in gap %v of a stream that is whole", g)
				}
			}
			if gaps != c.gaps {
				t.Errorf("gaps %s; want %s", gaps, c.gaps)
			}
			if len(o.report.Undecodable)+len(o.report.Dropped) > 0 {
				t.Errorf("%+v", o.report)
			}
			s, _, _ := Scan(bytes.NewReader(all), int64(len(all)), Options{}, nil)
			if got, want := strings.Count(times(t, s.Index(0), all), "@"), len(refBlocks(all)); got != want {
				t.Errorf("%d blocks of %d are in the file", got, want)
			}
		})
	}
}

func TestAGapSaysWhetherAChunkBeginsInIt(t *testing.T) {
	sound := func(at int16) []byte { return simpleBlock(2, at, 0x80, fmt.Sprint("\x08sound ", at)) }
	begin := slices.Concat(stream(tracks(opus)), cluster(0, sound(0), sound(20)))
	end := slices.Concat(sound(540), sound(560))
	for _, c := range []struct {
		name   string
		pieces [][]byte
		want   bool
	}{
		{"between its blocks", [][]byte{begin, end}, true},
		{"in the head of the block after it", [][]byte{append(slices.Clone(begin), end[:1]...), end[1:]}, true},
		{"in the block before it", [][]byte{begin[:len(begin)-1], append(slices.Clone(begin[len(begin)-1:]), end...)}, false},
		{"in a later block", [][]byte{slices.Concat(begin, end[:18]), end[18:]}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			gaps := split(Options{}, c.pieces...).report.Gaps
			if len(gaps) != 1 || gaps[0].Boundary != c.want {
				t.Errorf("gaps %+v", gaps)
			}
		})
	}
	s := NewSplitter(Options{})
	s.Push(begin)
	s.Continue(end)
	if report, err := s.Finish(); err != nil || len(report.Gaps) != 1 || report.Gaps[0].Boundary {
		t.Errorf("where the chunk goes on: %v, gaps %+v", err, report.Gaps)
	}
}
