package wasmtest

// What plans make, judged by ffprobe, ffmpeg, mkvinfo, mkvmerge and webm_info:
// the frames of the recordings, and nothing else, in files that are right.

import (
	"bytes"
	"fmt"
	"io"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/webmend/webmend/webm"
)

// A frame is a packet as ffprobe sees it.
type frame struct {
	ticks int64
	key   bool
	hash  string // of its payload, and of its alpha channel if it has one
}

// frames are those of each track of a file, by the tracks' order in it.
func frames(t *testing.T, path string) [][]frame {
	t.Helper()
	out := run(t, "ffprobe", "-v", "fatal", "-show_data_hash", "md5", "-show_entries",
		"packet=stream_index,pts,flags,data_hash:packet_side_data", "-of", "default=nokey=0", path)
	var all [][]frame
	var f frame
	stream := 0
	for line := range strings.Lines(string(out)) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), "=")
		switch name {
		case "[PACKET]":
			f, stream = frame{}, 0
		case "stream_index":
			stream, _ = strconv.Atoi(value)
		case "pts":
			f.ticks, _ = strconv.ParseInt(value, 10, 64)
		case "flags":
			f.key = strings.HasPrefix(value, "K")
		case "data_hash":
			f.hash += value
		case "[/PACKET]":
			for len(all) <= stream {
				all = append(all, nil)
			}
			all[stream] = append(all[stream], f)
		}
	}
	return all
}

// index is the index of recording i of a stream, and the stream.
func index(t *testing.T, data []byte, i int) *webm.Index {
	t.Helper()
	s := webm.NewSplitter(webm.Options{})
	if err := s.Push(data); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Finish(); err != nil {
		t.Fatal(err)
	}
	return s.Index(i)
}

// carryOut writes what a plan makes to a file.
func carryOut(t *testing.T, plan *webm.Plan, sources ...[]byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "out.webm")
	file, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	var readers []io.ReaderAt
	for _, s := range sources {
		readers = append(readers, bytes.NewReader(s))
	}
	n, err := plan.CopyTo(file, readers...)
	if err != nil {
		t.Fatal(err)
	}
	if n != plan.Size {
		t.Fatalf("the plan made %d bytes, not the %d of its Size", n, plan.Size)
	}
	return path
}

// firefox tells whether ffprobe shows the recording's Opus 6.5 ms early, as it
// takes CodecDelay off.
func codecDelay(h *webm.Header, track int) int64 {
	return int64(math.Round(float64(h.Tracks[track].CodecDelay) / float64(h.TimestampScale)))
}

// wellFormed has others look at a file that is to be seekable.
func wellFormed(t *testing.T, path string, duration float64) {
	t.Helper()
	out := strings.TrimSpace(string(run(t, "ffprobe", "-v", "error", "-show_entries", "format=duration", "-of", "csv=p=0", path)))
	if got, err := strconv.ParseFloat(out, 64); err != nil || math.Abs(got-duration) > 0.001 {
		t.Errorf("ffprobe says that it lasts %s s, not %.3f", out, duration)
	}
	info := string(run(t, "mkvinfo", "-a", path))
	for _, wrong := range []string{"size unknown", "size is unknown", "EBML void", "Unknown element: Cluster", "| + Cluster\n"} {
		if strings.Contains(info, wrong) {
			t.Errorf("mkvinfo shows %q", wrong)
		}
	}
	if strings.Count(info, "Cues\n") != 1 || strings.Count(info, "Seek head\n") != 1 {
		t.Errorf("mkvinfo shows not one Cues and one SeekHead:\n%s", info[:min(len(info), 3000)])
	}
	if before, _, _ := strings.Cut(info, "|+ Cluster"); !strings.Contains(before, "|+ Cues") {
		t.Error("the Cues are not before the first Cluster")
	}
	merged := filepath.Join(t.TempDir(), "merged.mkv")
	if out, err := exec.CommandContext(t.Context(), "mkvmerge", "-q", "-o", merged, path).CombinedOutput(); err != nil || len(out) > 0 {
		t.Errorf("mkvmerge: %v\n%s", err, out)
	}
}

func TestASeekableFileHasTheFramesOfTheRecording(t *testing.T) {
	eachRecording(t, func(t *testing.T, r recording) {
		for i, p := range parts(t, r.data) {
			ix := index(t, p.data, 0)
			plan, err := ix.Seekable()
			if err != nil {
				t.Fatal(err)
			}
			path := carryOut(t, plan, p.data)
			raw := filepath.Join(t.TempDir(), "raw.webm")
			if err := os.WriteFile(raw, p.data, 0o666); err != nil {
				t.Fatal(err)
			}
			want, got := frames(t, raw), frames(t, path)
			for s := range want {
				if p.header.Tracks[s].Type == webm.Audio {
					for j := range want[s] {
						want[s][j].key = true
					}
				}
			}
			sameFrames(t, fmt.Sprintf("recording %d", i), want, got)
			wellFormed(t, path, float64(ix.Duration())/1e9)
		}
	})
}

// shifted are the frames with time added, in ticks.
func shifted(f []frame, ticks int64) []frame {
	f = slices.Clone(f)
	for i := range f {
		f[i].ticks += ticks
	}
	return f
}

func TestAClipHasTheFramesOfItsRange(t *testing.T) {
	eachRecording(t, func(t *testing.T, r recording) {
		for _, p := range parts(t, r.data)[:1] {
			ix := index(t, p.data, 0)
			plan, err := ix.Seekable()
			if err != nil {
				t.Fatal(err)
			}
			all := frames(t, carryOut(t, plan, p.data))
			for _, cut := range [][2]float64{{0, 1}, {0.31, 0.9}, {0.5, 0.77}, {0, 0.01}, {0.99, 2}} {
				start, end := int64(cut[0]*float64(ix.Duration())), int64(cut[1]*float64(ix.Duration()))
				cutter, err := ix.Clip(start, end)
				if err != nil {
					t.Fatal(err)
				}
				clip, err := cutter.PlanFrom(bytes.NewReader(p.data))
				if err != nil {
					if slices.ContainsFunc(slices.Concat(all...), func(f frame) bool { return f.ticks*p.header.TimestampScale < end }) {
						t.Errorf("clip %v: %v", cut, err)
					}
					continue
				}
				var want [][]frame
				for s, track := range p.header.Tracks {
					delay := codecDelay(&p.header, s)
					var kept []frame
					begun := track.Type == webm.Audio
					for _, f := range all[s] {
						at := (f.ticks + delay) * p.header.TimestampScale
						begun = begun || f.key && at >= clip.Start
						if begun && at >= clip.Start && at < end {
							kept = append(kept, f)
						}
					}
					want = append(want, shifted(kept, -clip.Start/p.header.TimestampScale))
				}
				path := carryOut(t, clip, p.data)
				got := frames(t, path)
				for len(got) < len(want) {
					got = append(got, nil)
				}
				sameFrames(t, fmt.Sprintf("clip %v of %v", cut, clip.Start), want, got)
				wellFormed(t, path, float64(clip.End-clip.Start)/1e9)
				if clip.Start > max(start, 0) && cut[0] > 0.1 {
					t.Errorf("clip %v begins at %d, after %d", cut, clip.Start, start)
				}
			}
		}
	})
}

func TestAJoinHasTheFramesOfAllOneAfterTheOther(t *testing.T) {
	camera := load(t, "chromium-11b-camera-vp8opus").data // its audio is track 1
	for name, streams := range map[string][][]byte{
		"Chromium's":             {load(t, "chromium-10b-two-recordings").data, load(t, "chromium-10b-two-recordings-second").data},
		"Firefox's":              {load(t, "firefox-10b-two-recordings").data, load(t, "firefox-10b-two-recordings-second").data},
		"with other numbers":     {camera, swapped(t, camera), camera},
		"of audio alone":         {load(t, "chromium-01-opus-ts50").data, load(t, "chromium-01-opus-ts50").data},
		"of one that is sized":   {load(t, "chromium-07-vp8opus-nots").data, load(t, "chromium-08-pause-vp8opus-ts500").data},
		"of one that is partly":  {load(t, "chromium-36-late-requestdata").data, load(t, "chromium-10a-requestdata").data},
		"of one recording alone": {camera},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var indexes []*webm.Index
			var want [][]frame
			var duration int64
			for _, data := range streams {
				ix := index(t, data, 0)
				indexes = append(indexes, ix)
				plan, err := ix.Seekable()
				if err != nil {
					t.Fatal(err)
				}
				shift := (duration + 999_999) / 1_000_000
				got := frames(t, carryOut(t, plan, data))
				if want == nil {
					want = make([][]frame, len(got))
				}
				for s := range got {
					want[s] = append(want[s], shifted(got[s], shift)...)
				}
				duration = shift*1_000_000 + ix.Duration()
			}
			plan, err := webm.Join(indexes...)
			if err != nil {
				t.Fatal(err)
			}
			path := carryOut(t, plan, streams...)
			sameFrames(t, "join", want, frames(t, path))
			wellFormed(t, path, float64(duration)/1e9)
		})
	}
}

// swapped is a recording with the numbers of its two tracks exchanged.
func swapped(t *testing.T, data []byte) []byte {
	data = bytes.Clone(data)
	p := parts(t, data)[0]
	for _, c := range p.clusters {
		edit := &webm.Edit{Tracks: [][2]uint64{{1, 2}, {2, 1}}}
		begin := c.Start + int64(c.HeadLen)
		patches, err := edit.Editor(begin).Push(data[begin:c.End])
		if err != nil {
			t.Fatal(err)
		}
		for _, patch := range patches {
			data[patch.Offset] = patch.Value
		}
	}
	w := webm.NewWalker(func(e webm.Element) {
		if e.Name == "TrackNumber" {
			data[e.DataOffset()] = 3 - e.Data[0]
		}
	})
	if err := w.Push(bytes.Clone(data)); err != nil {
		t.Fatal(err)
	}
	return data
}

func sameFrames(t *testing.T, what string, want, got [][]frame) {
	t.Helper()
	if len(want) != len(got) {
		t.Fatalf("%s: %d tracks, not %d", what, len(got), len(want))
	}
	for s := range want {
		if !slices.Equal(want[s], got[s]) {
			for j := range min(len(want[s]), len(got[s])) {
				if want[s][j] != got[s][j] {
					t.Fatalf("%s, track %d, frame %d of %d/%d: %+v, not %+v", what, s, j, len(got[s]), len(want[s]), got[s][j], want[s][j])
				}
			}
			t.Fatalf("%s, track %d: %d frames, not %d", what, s, len(got[s]), len(want[s]))
		}
	}
}
