package webm

// If no byte of a stream is dropped, every output has all packets of it, in order, with
// their bytes and their times. Gaps, equal times, silence that repeats and times that go
// back are no reasons to leave one out.

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
)

// wholeComesOutWhole fails the test if no byte of the stream is dropped and an output lacks
// a packet, or has it changed. It compares what comes out of Scan, and of a Splitter that is
// pushed the pieces, or random ones if none are given. It returns false if there was nothing
// to compare: bytes are dropped, or the reference does not know the stream's packets.
func wholeComesOutWhole(t *testing.T, name string, stream []byte, pieces ...[]byte) (compared bool) {
	t.Helper()
	want, ok := packetsOf(stream)
	if !ok {
		return false
	}
	var clusters []Cluster
	s, report, err := Scan(bytes.NewReader(stream), int64(len(stream)), Options{}, func(_ *Header, c Cluster) error {
		clusters = append(clusters, c)
		return nil
	})
	if !dropsNothing(report, err) {
		return false
	}
	problem := lacking(t, stream, s, report, clusters, want)
	if problem != "" {
		t.Errorf("%s, scanned: %s", name, problem)
		return true
	}

	if len(pieces) == 0 {
		pieces = cut(stream, 1)
	}
	s, clusters = NewSplitter(Options{}), nil
	for _, piece := range pieces {
		s.Push(piece) // Finish has its error, too
		clusters = append(clusters, slices.Collect(s.TakeClusters())...)
	}
	report, err = s.Finish()
	clusters = append(clusters, slices.Collect(s.TakeClusters())...)
	if slices.ContainsFunc(want, func(l packetList) bool { return l.tracksLater }) {
		return true // a splitter cannot know the tracks in time
	}
	if !dropsNothing(report, err) {
		t.Errorf("%s, pushed: %v, and %v is dropped", name, err, report.Dropped)
	} else if problem := lacking(t, stream, s, report, clusters, want); problem != "" {
		t.Errorf("%s, pushed: %s", name, problem)
	}
	return true
}

// dropsNothing tells whether no byte of a stream is dropped. An empty Drop says that bytes
// are missing before its first or after its last one: all there is must come out then, too.
func dropsNothing(report Report, err error) bool {
	return err == nil && !slices.ContainsFunc(report.Dropped, func(d Drop) bool { return d.Start < d.End })
}

// lacking tells the first thing that is wrong with the outputs of a stream.
func lacking(t *testing.T, stream []byte, s *Splitter, report Report, clusters []Cluster, want []packetList) string {
	if len(report.Recordings) != len(want) {
		return fmt.Sprintf("%d recordings; want %d", len(report.Recordings), len(want))
	}
	for _, u := range report.Undecodable {
		if _, known := want[u.Recording].types[u.Track]; known {
			return fmt.Sprintf("of recording %d %d packets of track %d are undecodable: %s, at %d", u.Recording, u.Frames, u.Track, u.Reason, u.Start)
		}
	}
	for i, r := range report.Recordings {
		if r.Repeated != 0 {
			return fmt.Sprintf("recording %d has %d packets twice", i, r.Repeated)
		}
		var own []Cluster
		for _, c := range clusters {
			if c.Recording == i {
				own = append(own, c)
			}
		}
		if problem := outputsLack(t, stream, s.Index(i), r.Header, own, &want[i]); problem != "" {
			return fmt.Sprintf("recording %d, %s", i, problem)
		}
	}
	return ""
}

// outputsLack tells where the first output of a recording that is not right is not.
func outputsLack(t *testing.T, stream []byte, ix *Index, header Header, clusters []Cluster, want *packetList) string {
	empty := !slices.ContainsFunc(clusters, func(c Cluster) bool { return c.Blocks > 0 })
	segments := made(t, ix.InitializationSegment(), stream)
	asRecorded := slices.Clone(stream[header.Start:header.End])
	for _, c := range clusters {
		segments = append(segments, formed(stream, &c)...)
		asRecorded = append(asRecorded, stream[c.Start:c.End]...)
	}
	outputs := []struct {
		name string
		plan func() (*Plan, error)
		out  []byte // if there is no plan
		skip bool
	}{
		{name: "segments", out: segments},
		{name: "header and clusters as recorded", out: asRecorded, skip: want.tracksLater},
		{name: "seekable", plan: ix.Seekable, skip: empty},
		{name: "parts", plan: func() (*Plan, error) { return withHead(ix, 1<<16) }, skip: empty},
		{name: "clip of all", plan: func() (*Plan, error) { return clipOf(ix, stream, 0, maxTime) }, skip: empty || ix.Duration() == 0 || !want.clips()},
	}
	for _, o := range outputs {
		if o.skip {
			continue
		}
		out, base := o.out, int64(0)
		if o.plan != nil {
			plan, err := o.plan()
			if err != nil {
				return fmt.Sprintf("%s: %v", o.name, err)
			}
			out = made(t, plan, stream)
			if o.name == "clip of all" {
				base = plan.Start / want.scale
			}
		}
		got, ok := packetsOf(out)
		if !ok || len(got) != 1 {
			return fmt.Sprintf("%s: %d recordings, ok %v", o.name, len(got), ok)
		}
		if problem := want.differ(&got[0], base); problem != "" {
			return fmt.Sprintf("%s: %s", o.name, problem)
		}
	}
	return ""
}

// clipOf makes the plan of a clip of a stream, start and end in nanoseconds.
func clipOf(ix *Index, stream []byte, start, end int64) (*Plan, error) {
	c, err := ix.Clip(start, end)
	if err != nil {
		return nil, err
	}
	return c.PlanFrom(bytes.NewReader(stream))
}

// clips tells whether a clip from 0 on can have all packets: no time is negative, and video
// begins with a key frame. Mutated recordings may have it otherwise.
func (l *packetList) clips() bool {
	for track, packets := range l.packets {
		if l.types[track] == Video && !packets[0].key {
			return false
		}
		for _, p := range packets {
			if p.ticks < 0 || p.ticks > maxTime/2/l.scale {
				return false
			}
		}
	}
	return true
}

// names are those of the recordings in testdata.
func names(t *testing.T) (all []string) {
	t.Helper()
	paths, err := filepath.Glob("testdata/*.webm")
	if err != nil || len(paths) < 20 {
		t.Fatalf("%d recordings, error %v", len(paths), err)
	}
	for _, path := range paths {
		all = append(all, strings.TrimSuffix(filepath.Base(path), ".webm"))
	}
	return all
}

// cases are the streams in testdata/cases, by name.
func cases(t *testing.T) map[string][]byte {
	t.Helper()
	all := map[string][]byte{}
	paths, err := filepath.Glob("testdata/cases/*.webm")
	if err != nil || len(paths) < 10 {
		t.Fatalf("%d cases, error %v", len(paths), err)
	}
	for _, path := range paths {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		all[strings.TrimSuffix(filepath.Base(path), ".webm")] = data
	}
	return all
}

// enough counts the streams that the subtests of a test compare, and fails it if they are
// fewer than least.
func enough(t *testing.T, least int) *atomic.Int32 {
	var compared atomic.Int32
	t.Cleanup(func() { // after all subtests
		if n := int(compared.Load()); n < least {
			t.Errorf("the packets of %d streams are compared; at least %d should be", n, least)
		}
	})
	return &compared
}

func TestARecordingComesOutWhole(t *testing.T) {
	compared := enough(t, 27)
	eachFixture(t, func(t *testing.T, f fixture) {
		t.Parallel()
		if wholeComesOutWhole(t, "it", f.data, f.chunks...) {
			compared.Add(1)
		} else if len(f.data) > 0 {
			t.Error("its packets are not compared")
		}
	})
}

func TestACaseComesOutWhole(t *testing.T) {
	for name, stream := range cases(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if !wholeComesOutWhole(t, "it", stream) {
				t.Error("its packets are not compared, as there is an error or bytes are dropped")
			}
		})
	}
}

func TestEachOfTwoRecordingsInAStreamComesOutWhole(t *testing.T) {
	all := names(t)
	compared := enough(t, len(all)-2)
	for i, name := range all {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			first, second := load(t, name), load(t, all[(i+1)%len(all)])
			if len(first.data) == 0 || len(second.data) == 0 {
				return
			}
			stream := slices.Concat(first.data, second.data)
			if wholeComesOutWhole(t, "with "+second.name, stream, slices.Concat(first.chunks, second.chunks)...) {
				compared.Add(1)
			} else {
				t.Error("their packets are not compared, as there is an error or bytes are dropped")
			}
		})
	}
}

func TestWhatIsMutatedAndNotDroppedComesOutWhole(t *testing.T) {
	compared := enough(t, either(15, 300))
	for _, name := range []string{
		"chromium-10b-two-recordings", "chromium-13b-alpha-vp9", "chromium-20-disable-tracks",
		"chromium-24-same-recorder-restart", "firefox-24-same-recorder-restart",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			data := small(load(t, name).data)
			eachMutation(fixture{data: data}, func(n int, stream []byte, isSmall bool) {
				if isSmall || len(stream) > len(data) {
					return // what comes twice in it may be left out once
				}
				if wholeComesOutWhole(t, fmt.Sprintf("input %d of %d bytes", n, len(stream)), stream) {
					compared.Add(1)
				}
			})
		})
	}
}

// What must be kept of a damaged stream is for other tests to say.
func TestNothingIsComparedOfAStreamOfWhichBytesAreDropped(t *testing.T) {
	data := load(t, "chromium-noalpha-03-vp8opus-ts250").data
	if wholeComesOutWhole(t, "without 900 bytes", append(data[:200_000:200_000], data[200_900:]...)) {
		t.Error("what is left is compared")
	}
}
