package webm

// Video after a loss, what comes twice, and what comes in another order: what the
// report says of it, and that plans leave it out.

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/webmend/webmend/ebml"
)

// pushed splits the parts, with Lost between them, whole and byte by byte.
func pushed(t *testing.T, parts ...[]byte) (*Splitter, []Cluster, Report) {
	t.Helper()
	var first string
	for _, bytewise := range []bool{true, false} {
		s := NewSplitter(Options{})
		for i, part := range parts {
			if i > 0 {
				if err := s.Lost(); err != nil {
					t.Fatal(err)
				}
			}
			size := len(part)
			if bytewise {
				size = 1
			}
			for chunk := range slices.Chunk(part, max(size, 1)) {
				if err := s.Push(chunk); err != nil {
					t.Fatal(err)
				}
			}
		}
		clusters := slices.Collect(s.TakeClusters())
		report, err := s.Finish()
		if err != nil {
			t.Fatal(err)
		}
		clusters = append(clusters, slices.Collect(s.TakeClusters())...)
		o := outcome{clusters: clusters, report: report}
		for h, ok := s.TakeHeader(); ok; h, ok = s.TakeHeader() {
			o.headers = append(o.headers, h)
		}
		o.check(t, slices.Concat(parts...))
		if said := fmt.Sprint(o, report.Undecodable); bytewise {
			first = said
		} else {
			compare(t, "whole", said, first)
			return s, clusters, report
		}
	}
	panic("unreachable")
}

// undecodable is what the report says is left out, as "reason track frames start-end".
func undecodable(report Report) string {
	var all []string
	for _, u := range report.Undecodable {
		all = append(all, fmt.Sprintf("%s %d %d %d-%d", u.Reason, u.Track, u.Frames, u.Start/1e6, u.End/1e6))
	}
	return strings.Join(all, ", ")
}

// times are the blocks of a seekable file, as "track@time".
func times(t *testing.T, ix *Index, stream []byte) string {
	t.Helper()
	plan, err := ix.Seekable()
	if err != nil {
		return string(wantError(err).Code)
	}
	out := made(t, plan, stream)
	f := parse(t, out)
	var all []string
	for _, b := range f.blocks {
		all = append(all, fmt.Sprintf("%d@%d", b.track, b.ticks))
	}
	if want := f.duration * float64(ix.header.TimestampScale); float64(plan.End) != want {
		t.Errorf("the plan ends at %d, and the file says %v", plan.End, want)
	}
	return strings.Join(all, " ")
}

func wantError(err error) *Error { return err.(*Error) }

func TestVideoAfterALossIsLeftOutUpToItsNextKeyFrame(t *testing.T) {
	head := stream(tracks(vp8, opus))
	key := func(at int16) []byte { return simpleBlock(1, at, 0x80, fmt.Sprint("key ", at)) }
	frame := func(at int16) []byte { return simpleBlock(1, at, 0, fmt.Sprint("frame ", at)) }
	sound := func(at int16) []byte { return simpleBlock(2, at, 0x80, fmt.Sprint("\x08sound ", at)) } // 20 ms
	first := cluster(0, key(0), sound(0), frame(33), sound(20))
	for _, c := range []struct {
		name        string
		parts       [][]byte
		undecodable string
		times       string // of the seekable file
	}{
		{"after damage", [][]byte{slices.Concat(head, first, []byte{0}, cluster(500, sound(0), frame(10), frame(43), key(76), frame(109)))},
			"no-key-frame 1 2 510-576", "1@0 2@0 1@33 2@20 2@500 1@576 1@609"},
		{"after bytes that are known to be missing", [][]byte{slices.Concat(head, first), cluster(500, sound(0), frame(10), key(76))},
			"no-key-frame 1 1 510-576", "1@0 2@0 1@33 2@20 2@500 1@576"},
		{"after bytes that are missing inside of a cluster, of which the rest is dropped", [][]byte{slices.Concat(head, first), slices.Concat(frame(66), sound(60), cluster(500, sound(0), frame(10), key(76)))},
			"no-key-frame 1 1 510-576", "1@0 2@0 1@33 2@20 2@500 1@576"},
		{"over several clusters", [][]byte{slices.Concat(head, first), slices.Concat(cluster(500, sound(0), frame(10)), cluster(600, frame(0), sound(0)), cluster(700, key(0), sound(0)))},
			"no-key-frame 1 2 510-700", "1@0 2@0 1@33 2@20 2@500 2@600 1@700 2@700"},
		{"until the end, if no key frame comes", [][]byte{slices.Concat(head, first), cluster(500, sound(0), frame(10), frame(43))},
			"no-key-frame 1 2 510-576", "1@0 2@0 1@33 2@20 2@500"},
		{"and a cluster that has nothing else is left out whole", [][]byte{slices.Concat(head, first), slices.Concat(cluster(500, frame(0), frame(33)), cluster(566, key(0)))},
			"no-key-frame 1 2 500-566", "1@0 2@0 1@33 2@20 1@566"},
		{"but not if it begins with a key frame", [][]byte{slices.Concat(head, first), cluster(500, key(0), frame(33))},
			"", "1@0 2@0 1@33 2@20 1@500 1@533"},
		{"twice", [][]byte{slices.Concat(head, first), cluster(500, frame(0), sound(0)), cluster(700, frame(0), sound(0), key(33))},
			"no-key-frame 1 2 500-733", "1@0 2@0 1@33 2@20 2@500 2@700 1@733"},
		{"of a recording that is joined in mid-stream", [][]byte{head, slices.Concat([]byte("rest of a block"), cluster(5000, sound(0), frame(10)), cluster(6000, key(0), sound(0)))},
			"no-key-frame 1 1 5010-6000", "2@5000 1@6000 2@6000"},
		{"and there is no file if there is nothing else", [][]byte{stream(tracks(vp8)), cluster(5000, frame(0), frame(33))},
			"no-key-frame 1 2 5000-5066", "no-key-frame"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, _, report := pushed(t, c.parts...)
			if got := undecodable(report); got != c.undecodable {
				t.Errorf("undecodable: %s; want %s", got, c.undecodable)
			}
			stream := slices.Concat(c.parts...)
			if got := times(t, s.Index(0), stream); got != c.times {
				t.Errorf("blocks %s; want %s", got, c.times)
			}
			// All is there if it is wanted.
			s.Index(0).KeepUndecodable = true
			n := 0
			for _, r := range report.Undecodable {
				n += r.Frames
			}
			all := strings.Fields(times(t, s.Index(0), stream))
			if left := strings.Count(c.times, "@"); len(all) != left+n {
				t.Errorf("%d blocks in all, of which %d are left out; %d are left", len(all), n, left)
			}
		})
	}
}

func TestAPartOfARecordingLeavesOutWhatCannotBeDecoded(t *testing.T) {
	key, frame := simpleBlock(1, 0, 0x80, "key"), simpleBlock(1, 33, 0, "frame")
	begin, end := stream(tracks(vp8), cluster(0, key, frame)), slices.Concat(cluster(500, frame), cluster(600, key, frame), cluster(700, frame))
	s, _, _ := pushed(t, begin, end)
	all := slices.Concat(begin, end)
	cutter, err := s.Index(0).Clip(0, 1e9)
	if err != nil {
		t.Fatal(err)
	}
	plan, err := cutter.PlanFrom(bytes.NewReader(all))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, b := range parse(t, made(t, plan, all)).blocks {
		got = append(got, fmt.Sprint(b.ticks))
	}
	if want := "0 33 600 633 733"; strings.Join(got, " ") != want {
		t.Errorf("blocks at %s; want %s", strings.Join(got, " "), want)
	}
}

func TestBytesThatAreMissingAreDroppedWithTheirTime(t *testing.T) {
	frame := simpleBlock(1, 0, 0x80, "frame") // of 11 bytes
	head := stream(tracks(vp8))               // 49
	good := func(at uint64) []byte { return cluster(at, frame, frame) }
	for _, c := range []struct {
		name    string
		parts   [][]byte
		dropped string
	}{
		{"between clusters", [][]byte{slices.Concat(head, good(0)), good(500)}, "lost 86-86 0-500"},
		{"within a block", [][]byte{slices.Concat(head, good(0), good(100)[:30]), slices.Concat(frame, good(500))}, "lost 112-127 200-500"},
		{"after the header", [][]byte{head, good(500)}, "lost 49-49 0-500"},
		{"before another recording", [][]byte{slices.Concat(head, good(0)), slices.Concat(head, good(0))}, "lost 86-86 0--1"},
		{"at the end", [][]byte{slices.Concat(head, good(0)), nil}, "lost 86-86 0--1"},
		{"twice at one place", [][]byte{slices.Concat(head, good(0)), nil, good(500)}, "lost 86-86 0-500"},
		{"while the stream is searched", [][]byte{slices.Concat(head, good(0)), make([]byte, 9), good(500)}, "lost 86-95 0-500"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, _, report := pushed(t, c.parts...)
			var dropped []string
			for _, d := range report.Dropped {
				after := d.After / 1e6
				if d.After < 0 {
					after = -1
				}
				dropped = append(dropped, fmt.Sprintf("%s %d-%d %d-%d", d.Reason.Code, d.Start, d.End, d.Before/1e6, after))
				if want := fmt.Sprintf("webm: bytes are missing at %d", d.Reason.Offset); d.Reason.Error() != want {
					t.Errorf("%v; want %s", d.Reason, want)
				}
			}
			if got := strings.Join(dropped, ", "); got != c.dropped {
				t.Errorf("dropped %s; want %s", got, c.dropped)
			}
		})
	}
}

func TestBlocksOfNoTrackAreLeftOut(t *testing.T) {
	sound := func(at int16) []byte { return simpleBlock(2, at, 0x80, fmt.Sprint("\x08sound ", at)) }
	all := slices.Concat(stream(tracks(opus)), cluster(0, sound(0), simpleBlock(7, 10, 0x80, "other"), simpleBlock(7, 15, 0x80, "another"), sound(20)))
	s, _, report := pushed(t, all)
	if got := undecodable(report); got != "invalid-block 7 2 10-15" {
		t.Errorf("undecodable: %s", got)
	}
	if got := times(t, s.Index(0), all); got != "2@0 2@20" {
		t.Errorf("blocks %s", got)
	}
}

func TestASmallElementInAClusterIsNoDamageIfAWholeBlockFollows(t *testing.T) {
	key, frame := simpleBlock(1, 0, 0x80, "key"), simpleBlock(1, 33, 0, "frame")
	unknown := append(ebml.AppendHead(nil, 0x7FFE, 5000), make([]byte, 5000)...) // which a later version may have
	for _, c := range []struct {
		name        string
		element     []byte
		undecodable string
		left        int // bytes of it that are in the file
	}{
		{"that cannot be there", element(IDCuePoint, []byte("misread")), "misplaced 0 0 33-33", 0},
		{"that the specification does not have", unknown, "", len(unknown)},
	} {
		t.Run(c.name, func(t *testing.T) {
			stream := stream(tracks(vp8), cluster(0, key, c.element, frame), cluster(66, frame))
			s, report, err := Scan(bytes.NewReader(stream), int64(len(stream)), Options{}, nil)
			if err != nil || len(report.Dropped) > 0 || s.Index(0).NumClusters() != 2 {
				t.Fatalf("%v, %+v", err, report)
			}
			if got := undecodable(report); got != c.undecodable {
				t.Errorf("undecodable: %s", got)
			}
			if got := times(t, s.Index(0), stream); got != "1@0 1@33 1@99" {
				t.Errorf("blocks %s", got)
			}
			plan, _ := s.Index(0).Seekable()
			if got := bytes.Count(made(t, plan, stream), c.element); got != c.left/max(1, len(c.element)) {
				t.Errorf("the file has it %d times", got)
			}
		})
	}
}

func TestWhatIsLeftOutBesideOtherThingsLeavesAFileWhole(t *testing.T) {
	head := stream(tracks(vp8, opus))
	sound := func(at int16) []byte { return simpleBlock(2, at, 0x80, fmt.Sprint("\x08sound ", at)) }
	frame := func(at int16) []byte { return simpleBlock(1, at, 0, fmt.Sprint("frame ", at)) }
	key, other := simpleBlock(1, 0, 0x80, "key"), simpleBlock(9, 1, 0x80, "of no track")
	cue := element(IDCuePoint, element(IDCueTime, []byte{1}))
	begin := slices.Concat(head, cluster(0, key, sound(0)))
	early := element(IDCluster, cue, element(IDTimestamp, []byte{100}), sound(1), frame(2))
	run := slices.Concat(sound(900), other, frame(905), sound(920), cluster(1000, sound(0), frame(10), sound(20)))
	for _, c := range []struct {
		name, times string
		stream      []byte
	}{
		{"an element before the Timestamp that cannot be there", "1@0 2@0 2@101 1@102 2@200", slices.Concat(begin, early, cluster(200, sound(0)))},
		{"the same after a block of no track", "1@0 2@101 1@102 2@200", slices.Concat(head, cluster(0, key, other), early, cluster(200, sound(0)))},
		{"blocks that come twice, with one of no track", "1@0 2@0 2@900 1@905 2@920 2@1000 1@1010 2@1020 2@1040", slices.Concat(begin, run, run, sound(40))},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, report, err := Scan(bytes.NewReader(c.stream), int64(len(c.stream)), Options{}, nil)
			if err != nil || len(report.Dropped) > 0 {
				t.Fatalf("%v, %+v", err, report.Dropped)
			}
			plan, err := s.Index(0).Seekable()
			if err != nil {
				t.Fatal(err)
			}
			file := made(t, plan, c.stream)
			again, report, err := Scan(bytes.NewReader(file), int64(len(file)), Options{}, nil)
			if err != nil || len(report.Dropped) > 0 || int64(len(file)) != plan.Size {
				t.Fatalf("of the file of %d bytes, which is to have %d: %v, %+v", len(file), plan.Size, err, report.Dropped)
			}
			for _, got := range []string{times(t, s.Index(0), c.stream), times(t, again.Index(0), file)} {
				if got != c.times {
					t.Errorf("blocks %s, want %s", got, c.times)
				}
			}
		})
	}
}

func TestAStreamMayBeginAThousandRecordingsAndNoMore(t *testing.T) {
	one := stream(tracks(vp8), cluster(0, simpleBlock(1, 0, 0x80, "frame")))
	for n, want := range map[int]Code{maxRecordings: "", maxRecordings + 1: CodeTooLarge} {
		all := bytes.Repeat(one, n)
		o := split(Options{}, all)
		o.check(t, all)
		got := Code("")
		if o.pushErr != nil {
			got = o.pushErr.Code
		}
		if got != want || len(o.report.Recordings) != maxRecordings {
			t.Errorf("%d: error %q, %d recordings", n, got, len(o.report.Recordings))
		}
	}
}

func TestARecordingHasNothingUndecodableAndNothingTwice(t *testing.T) {
	eachFixture(t, func(t *testing.T, f fixture) {
		report := split(Options{}, f.data).report
		if len(report.Undecodable) > 0 {
			t.Errorf("%+v", report.Undecodable)
		}
		for _, r := range report.Recordings {
			if r.Repeated > 0 {
				t.Errorf("%d blocks come twice", r.Repeated)
			}
		}
	})
}

func TestAJoinOfNothingThatCanBeDecodedIsNoFile(t *testing.T) {
	s, _, _ := pushed(t, stream(tracks(vp8)), cluster(0, simpleBlock(1, 0, 0, "frame")))
	_, err := Join(s.Index(0), s.Index(0))
	wantCode(t, "Join", err, CodeNoKeyFrame)
}
