package webm

// Small recordings that are odd in one way each, as people have reported them, and what
// must come out of them.

import (
	"bytes"
	"slices"
	"strings"
	"testing"
)

// A scanned case is one that has been split, and can be planned.
type scannedCase struct {
	stream []byte
	want   packetList // the packets of the stream, by the reference
	index  *Index
	report Report
	file   packetList // the packets of the seekable file
}

// clip makes a clip, start and end in nanoseconds, and returns its packets and its plan.
func (c *scannedCase) clip(t *testing.T, start, end int64) (packetList, *Plan) {
	t.Helper()
	plan, err := clipOf(c.index, c.stream, start, end)
	if err != nil {
		t.Fatalf("clip from %d to %d: %v", start, end, err)
	}
	got, ok := packetsOf(made(t, plan, c.stream))
	if !ok || len(got) != 1 {
		t.Fatalf("the clip from %d to %d has %d recordings, ok %v", start, end, len(got), ok)
	}
	return got[0], plan
}

// firsts tells whether some packets are the first of all, in the same order, with times
// that are base ticks less.
func firsts(some, all []packet, base int64) bool {
	return len(some) <= len(all) && slices.EqualFunc(some, all[:len(some)], func(a, b packet) bool {
		return a.sum == b.sum && a.ticks+base == b.ticks
	})
}

func TestWhatIsOddInARecordingIsNoReasonToLeaveAnythingOut(t *testing.T) {
	streams := cases(t)
	tested := 0
	for _, c := range []struct {
		name          string
		frames, sound int // packets of a seekable file
		drops         int // in the report
		also          func(t *testing.T, c *scannedCase)
	}{
		// The browser was stopped for 2 seconds, and has lost nothing.
		{name: "stalled-recorder", frames: 74, sound: 93},
		// The first Cluster claims all those after it.
		{name: "nested-clusters", frames: 29, sound: 50},
		// Two frames that begin alike, at the same time.
		{name: "same-head-not-same-frame", frames: 5},
		{name: "camera-joins-later", frames: 29, sound: 50, also: func(t *testing.T, c *scannedCase) {
			all, plan := c.clip(t, 0, maxTime)
			if sound := all.all(Audio); plan.Start != 0 || len(sound) != 50 || sound[0].ticks != 0 {
				t.Errorf("a clip of all begins at %d and has %d packets of sound, the first of %d", plan.Start, len(sound), c.want.count(Audio))
			}
			// The sound from 0.5 to 1.5 s, when there is no video yet.
			some, plan := c.clip(t, 500_000_000, 1_500_000_000)
			sound := some.all(Audio)
			if n := len(sound); n < 16 || n > 18 { // of 60 ms
				t.Errorf("a clip of a second has %d packets of sound", n)
			}
			if n := some.count(Video); n != 0 {
				t.Errorf("a clip that ends before the video begins has %d frames", n)
			}
			if plan.Start < 0 || plan.Start > 500_000_000 || plan.End < 1_400_000_000 || plan.End > 1_600_000_000 {
				t.Errorf("a clip from 0.5 to 1.5 s is from %d to %d", plan.Start, plan.End)
			}
			i := slices.IndexFunc(c.want.all(Audio), func(p packet) bool { return p.ticks*1_000_000 == plan.Start })
			if i < 0 || !firsts(sound, c.want.all(Audio)[i:], plan.Start/1_000_000) {
				t.Errorf("the sound of a clip from %d on is not that of the recording", plan.Start)
			}
		}},
		// Of the ID of the EBML header there are three bytes.
		{name: "first-byte-lost", frames: 29, sound: 50, drops: 1, also: func(t *testing.T, c *scannedCase) {
			if d := c.report.Dropped[0]; d.Range != (Range{}) || d.Reason.Code != CodeLost {
				t.Errorf("dropped is %v: %s", d.Range, describe(d.Reason))
			}
		}},
		{name: "clusters-in-decode-order", frames: 30, also: func(t *testing.T, c *scannedCase) {
			if !firsts(c.file.all(Video), c.want.all(Video), 0) {
				t.Error("the frames are in another order")
			}
		}},
		{name: "clip-b-frames", frames: 60, also: func(t *testing.T, c *scannedCase) {
			some, plan := c.clip(t, 0, 1_000_000_000)
			got, all := some.all(Video), c.want.all(Video)
			if !firsts(got, all, plan.Start/1_000_000) {
				t.Fatalf("the %d frames of a clip are not the first of the recording: some refer to others that are not there", len(got))
			}
			if len(got) == len(all) {
				t.Error("a clip of the first of two seconds has all frames")
			}
			for i, p := range all {
				if p.ticks < 1000 && i >= len(got) {
					t.Errorf("the frame at %d is not in a clip of the first second", p.ticks)
				}
			}
		}},
		// Vorbis, 8 packets a block.
		{name: "last-lace-is-shorter", sound: 5, also: func(t *testing.T, c *scannedCase) {
			const want, margin = 789_000_000, 2_000_000
			for what, d := range map[string]int64{"report's Recording": c.report.Recordings[0].Duration, "index": c.index.Duration()} {
				if d < want-margin || d > want+margin {
					t.Errorf("the duration of the %s is %d; want about %d", what, d, want)
				}
			}
		}},
		{name: "tracks-after-clusters", sound: 10, also: func(t *testing.T, c *scannedCase) {
			s := NewSplitter(Options{})
			for _, piece := range cut(c.stream, 1) {
				s.Push(piece)
			}
			_, err := s.Finish()
			wantCode(t, "pushed as a stream", err, Code("tracks-later"))
		}},
		{name: "cut-at-cluster", sound: 48, drops: 1, also: func(t *testing.T, c *scannedCase) {
			end := int64(len(c.stream))
			d := c.report.Dropped[len(c.report.Dropped)-1]
			if d.Range != (Range{end, end}) || d.Reason.Code != CodeTruncated || !strings.Contains(d.Reason.Error(), "1316 bytes") {
				t.Errorf("the last that is dropped is %v of %d bytes: %s; want 1316 bytes missing at the end", d.Range, end, describe(d.Reason))
			}
		}},
	} {
		tested++
		t.Run(c.name, func(t *testing.T) {
			stream, there := streams[c.name]
			want, ok := packetsOf(stream)
			if !there || !ok || len(want) != 1 {
				t.Fatalf("%d recordings by the reference, ok %v", len(want), ok)
			}
			s, report, err := Scan(bytes.NewReader(stream), int64(len(stream)), Options{}, nil)
			if err != nil {
				t.Fatal(err)
			}
			if len(report.Recordings) != 1 {
				t.Fatalf("%d recordings", len(report.Recordings))
			}
			ix := s.Index(0)
			plan, err := ix.Seekable()
			if err != nil {
				t.Fatal(err)
			}
			file, ok := packetsOf(made(t, plan, stream))
			if !ok || len(file) != 1 {
				t.Fatalf("the seekable file has %d recordings, ok %v", len(file), ok)
			}
			if frames, sound := file[0].count(Video), file[0].count(Audio); frames != c.frames || sound != c.sound {
				t.Errorf("the seekable file has %d frames and %d packets of sound; want %d and %d", frames, sound, c.frames, c.sound)
			}
			if len(report.Dropped) != c.drops {
				t.Fatalf("%d ranges are dropped, %v; want %d", len(report.Dropped), report.Dropped, c.drops)
			}
			if c.also != nil {
				c.also(t, &scannedCase{stream, want[0], ix, report, file[0]})
			}
		})
	}
	if tested != len(streams) {
		t.Errorf("%d of %d cases are tested", tested, len(streams))
	}
}
