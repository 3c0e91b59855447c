package webm

// What comes twice, what only looks like it, and what comes in another order.

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"
)

func TestOnlyWhatIsPushedTwiceIsLeftOut(t *testing.T) {
	head := stream(tracks(vp8, opus))
	n := 0
	sound := func(at int16) []byte { n++; return simpleBlock(2, at, 0x80, fmt.Sprint("\x08sound ", n)) }
	frame := func(at int16) []byte { n++; return simpleBlock(1, at, 0, fmt.Sprint("frame ", n)) }
	silence := func(at int16) []byte { return simpleBlock(2, at, 0x80, "\xF8\xFF\xFE") }
	key := simpleBlock(1, 0, 0x80, "key")
	second := func(at uint64) []byte { return cluster(at, sound(0), sound(20)) }

	run := slices.Concat(sound(20), frame(33), sound(40))
	a, b := second(40), second(80)
	long := cluster(40, sound(0), sound(20), sound(40))
	short := long[:len(long)-len(sound(40))]
	begin := slices.Concat(head, cluster(0, key, sound(0)))
	over := slices.Concat(sound(900), frame(905), sound(920), cluster(1000, sound(0), frame(10), sound(20)))
	quiet := slices.Concat(silence(0), silence(20), silence(40), silence(60))
	for _, c := range []struct {
		name     string
		stream   []byte
		repeated int
		times    string
	}{
		{"a run", slices.Concat(begin, run, run, sound(60)), 3, "1@0 2@0 2@20 1@33 2@40 2@60"},
		{"a run, three times", slices.Concat(begin, run, run, run, sound(60)), 6, "1@0 2@0 2@20 1@33 2@40 2@60"},
		{"a run, and again after another", slices.Concat(begin, run, sound(60), run, sound(80)), 3, "1@0 2@0 2@20 1@33 2@40 2@60 2@80"},
		{"a run that ends the stream", slices.Concat(begin, run, run), 3, "1@0 2@0 2@20 1@33 2@40"},
		{"a run that is cut", slices.Concat(begin, run, run[:len(run)-3]), 2, "1@0 2@0 2@20 1@33 2@40"},
		{"a cluster", slices.Concat(head, a, a, b), 2, "2@40 2@60 2@80 2@100"},
		{"a cluster, and again after another", slices.Concat(head, a, b, a), 2, "2@40 2@60 2@80 2@100"},
		{"a cluster that comes again, longer", slices.Concat(head, short, long), 2, "2@40 2@60 2@80"},
		{"a cluster that comes again, shorter", slices.Concat(head, long, short, second(100)), 2, "2@40 2@60 2@80 2@100 2@120"},
		{"a run over the head of a cluster", slices.Concat(begin, over, over, sound(40)), 6, "1@0 2@0 2@900 1@905 2@920 2@1000 1@1010 2@1020 2@1040"},

		{"one block that does not go back", slices.Concat(begin, silence(20), silence(20), silence(20), sound(40)), 0, "1@0 2@0 2@20 2@20 2@20 2@40"},
		{"blocks with equal heads", slices.Concat(begin, simpleBlock(2, 20, 0x80, "\x08the same at first"), sound(40), simpleBlock(2, 20, 0x80, "\x08the same at FIRST"), sound(60)), 0, "1@0 2@0 2@20 2@40 2@20 2@60"},
		{"silence in cluster after cluster", slices.Concat(head, cluster(0, quiet), cluster(80, quiet), cluster(160, quiet)), 0, "2@0 2@20 2@40 2@60 2@80 2@100 2@120 2@140 2@160 2@180 2@200 2@220"},
		{"the first half of a cluster of silence, after all of it", slices.Concat(head, cluster(0, quiet), cluster(80, quiet), cluster(80, silence(0), silence(20)), cluster(160, quiet)), 2,
			"2@0 2@20 2@40 2@60 2@80 2@100 2@120 2@140 2@160 2@180 2@200 2@220"},
		{"blocks that go back in time", slices.Concat(begin, sound(20), sound(40), sound(10), sound(60), second(100)), 0, "1@0 2@0 2@20 2@40 2@10 2@60 2@100 2@120"},
		{"clusters in another order", slices.Concat(head, second(0), second(80), second(40), second(120)), 0, "2@0 2@20 2@80 2@100 2@40 2@60 2@120 2@140"},
		{"two clusters of one time", slices.Concat(head, cluster(0, sound(0)), cluster(0, sound(20))), 0, "2@0 2@20"},
	} {
		t.Run(c.name, func(t *testing.T) {
			splitAllWays(t, Options{}, c.stream)
			s, report, err := Scan(bytes.NewReader(c.stream), int64(len(c.stream)), Options{}, nil)
			if err != nil || len(report.Undecodable) > 0 {
				t.Fatalf("%v, undecodable %v", err, report.Undecodable)
			}
			if got := report.Recordings[0].Repeated; got != c.repeated {
				t.Errorf("%d blocks come twice; want %d", got, c.repeated)
			}
			if got := times(t, s.Index(0), c.stream); got != c.times {
				t.Errorf("blocks %s; want %s", got, c.times)
			}
			ix := s.Index(0)
			ix.KeepUndecodable = true
			if got, want := len(strings.Fields(times(t, ix, c.stream))), len(strings.Fields(c.times))+c.repeated; got != want {
				t.Errorf("%d blocks if all are kept; want %d", got, want)
			}
		})
	}
}

func TestWithoutReadingAgainNothingIsTakenForARepeat(t *testing.T) {
	sound := func(at int16) []byte { return simpleBlock(2, at, 0x80, fmt.Sprint("\x08sound ", at)) }
	all := slices.Concat(stream(tracks(opus)), cluster(0, sound(0), sound(20), sound(0), sound(20)))
	s, _, report := pushed(t, all)
	if got := times(t, s.Index(0), all); got != "2@0 2@20 2@0 2@20" || report.Recordings[0].Repeated > 0 {
		t.Errorf("blocks %s, repeated %d", got, report.Recordings[0].Repeated)
	}
}

// Of every recording, each chunk after the header and before the end pushed twice.
func TestOfAChunkThatIsPushedTwiceEveryBlockComesOutOnce(t *testing.T) {
	t.Parallel()
	chunks, once := 0, 0
	eachFixture(t, func(t *testing.T, f fixture) {
		o := split(Options{}, f.data)
		if len(o.headers) != 1 || len(f.chunks) < 4 {
			return
		}
		want := media(blocksOf(t, f.data, o, 0))
		ends := chunkEnds(f)
		for i := 1; i < len(ends); i += 1 + len(ends)/10 {
			from, to := ends[i-1], ends[i]
			if from < int(o.headers[0].End) {
				continue
			}
			stream := slices.Concat(f.data[:to], f.data[from:])
			s, report, err := Scan(bytes.NewReader(stream), int64(len(stream)), Options{}, nil)
			if err != nil {
				t.Fatal(err)
			}
			plan, err := s.Index(0).Seekable()
			if err != nil {
				t.Fatal(err)
			}
			chunks++
			got := media(parse(t, made(t, plan, stream)).blocks)
			if len(got) < len(want) && len(report.Dropped) == 0 {
				t.Errorf("chunk %d of %d bytes: %d blocks of %d", i, to-from, len(got), len(want))
			}
			if slices.Equal(got, want) {
				once++
			} else {
				t.Logf("chunk %d from %d to %d: %d blocks of %d, repeated %d, dropped %v", i, from, to, len(got), len(want), report.Recordings[0].Repeated, drops(outcome{report: report}))
			}
		}
	})
	t.Logf("%d chunks, %d once", chunks, once)
}
