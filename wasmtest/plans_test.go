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
	"regexp"
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

// codecDelay is how many ticks early ffprobe shows the frames of a track, as it
// takes CodecDelay off. Only Firefox's Opus has one.
func codecDelay(h *webm.Header, track int) int64 {
	return int64(math.Round(float64(h.Tracks[track].CodecDelay) / float64(h.TimestampScale)))
}

// wellFormed has others look at a file that is to be seekable, and has nothing else
// that mkvinfo shows than is allowed.
func wellFormed(t *testing.T, path string, duration float64, allowed ...string) {
	t.Helper()
	out := strings.TrimSpace(string(run(t, "ffprobe", "-v", "error", "-show_entries", "format=duration", "-of", "csv=p=0", path)))
	if got, err := strconv.ParseFloat(out, 64); err != nil || math.Abs(got-duration) > 0.001 {
		t.Errorf("ffprobe says that it lasts %s s, not %.3f", out, duration)
	}
	info := string(run(t, "mkvinfo", "-a", path))
	for _, wrong := range []string{"size unknown", "size is unknown", "EBML void", "Unknown element: Cluster", "| + Cluster\n"} {
		if strings.Contains(info, wrong) && !slices.Contains(allowed, wrong) {
			t.Errorf("mkvinfo shows %q", wrong)
		}
	}
	if strings.Count(info, "Cues\n") != 1 || strings.Count(info, "Seek head\n") != 1 {
		t.Errorf("mkvinfo shows not one Cues and one SeekHead:\n%s", info[:min(len(info), 3000)])
	}
	if before, _, _ := strings.Cut(info, "|+ Cluster"); !strings.Contains(before, "|+ Cues") {
		t.Error("the Cues are not before the first Cluster")
	}
	webmInfo(t, path)
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
			decodes(t, path, count(got, p.header.Tracks))
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

// clips are ranges by parts of a recording's duration.
var clips = [][2]float64{{0, 1}, {0.31, 0.9}, {0.5, 0.77}, {0, 0.01}, {0.99, 2}}

func TestAClipHasTheFramesOfItsRange(t *testing.T) {
	eachRecording(t, func(t *testing.T, r recording) {
		p := parts(t, r.data)[0]
		ix := index(t, p.data, 0)
		plan, err := ix.Seekable()
		if err != nil {
			t.Fatal(err)
		}
		all := frames(t, carryOut(t, plan, p.data))
		// Two of them for each recording are enough: package webm's tests have the rest.
		for _, i := range []int{len(r.data) % 5, (len(r.data) + 2) % 5} {
			cut := clips[i]
			start, end := int64(cut[0]*float64(ix.Duration())), int64(cut[1]*float64(ix.Duration()))
			cutter, err := ix.Clip(start, end)
			if err != nil {
				t.Fatal(err)
			}
			clip, err := cutter.PlanFrom(bytes.NewReader(p.data))
			if err != nil {
				for _, b := range p.blocks {
					if b.time*p.header.TimestampScale < end {
						t.Errorf("clip %v: %v", cut, err)
					}
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
			video := count(want, p.header.Tracks)
			if clip.End > clip.Start {
				wellFormed(t, path, float64(clip.End-clip.Start)/1e9)
			}
			if clip.Start > max(start, 0) && cut[0] > 0.1 {
				t.Errorf("clip %v begins at %d, after %d", cut, clip.Start, start)
			}
			decodes(t, path, video)
			if video > 0 {
				beginsWithAPicture(t, path, r, videoBefore(p, clip.Start))
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
	w := webm.NewWalker(0, func(e webm.Element) {
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

// count is how many of the frames are of video.
func count(frames [][]frame, tracks []webm.Track) (video int) {
	for s, f := range frames {
		if tracks[s].Type == webm.Video {
			video += len(f)
		}
	}
	return video
}

// decodes has ffmpeg decode all of a file. Any error of its fails the test: of
// what browsers recorded it has none to report.
func decodes(t *testing.T, path string, video int) {
	t.Helper()
	out := run(t, "ffmpeg", "-v", "error", "-xerror", "-i", path, "-map", "0", "-fps_mode", "passthrough", "-f", "framecrc", "-")
	stream, got := "", 0
	for line := range strings.Lines(string(out)) {
		if rest, ok := strings.CutPrefix(line, "#media_type "); ok {
			if number, what, _ := strings.Cut(rest, ": "); strings.TrimSpace(what) == "video" {
				stream = number + ","
			}
		} else if stream != "" && strings.HasPrefix(line, stream) {
			got++
		}
	}
	if got != video {
		t.Errorf("ffmpeg decodes %d frames of video; there are %d", got, video)
	}
	if video == 0 && len(out) == 0 {
		t.Error("ffmpeg decodes nothing")
	}
}

// beginsWithAPicture checks that the first frame of video that a decoder gives is
// not all of one colour, as one is that it had to make up, unless frame number n of
// the recording is the same.
func beginsWithAPicture(t *testing.T, path string, r recording, n int) {
	t.Helper()
	pictures := func(path string, args ...string) []byte {
		args = slices.Concat([]string{"-v", "error", "-i", path, "-map", "0:v:0", "-fps_mode", "passthrough"}, args)
		return run(t, "ffmpeg", append(args, "-pix_fmt", "gray", "-f", "rawvideo", "-")...)
	}
	luma := pictures(path, "-frames:v", "1")
	var sum, squares float64
	for _, y := range luma {
		sum += float64(y)
		squares += float64(y) * float64(y)
	}
	pixels := float64(len(luma))
	mean := sum / pixels
	if deviation := math.Sqrt(max(0, squares/pixels-mean*mean)); pixels == 0 || deviation < 5 {
		all := pictures(r.path)
		if pixels == 0 || len(all) < (n+1)*len(luma) || !bytes.Equal(luma, all[n*len(luma):(n+1)*len(luma)]) {
			t.Errorf("the first picture has %v pixels, whose brightness is %.1f ± %.1f", pixels, mean, deviation)
		}
	}
}

// videoBefore counts the frames of video of a recording before a time.
func videoBefore(p part, time int64) (n int) {
	for _, b := range p.blocks {
		if isVideo(p, b) && b.time*p.header.TimestampScale < time {
			n++
		}
	}
	return n
}

var webmInfoLine = regexp.MustCompile(`^ *(Segment:|Cues:|Cue Point:\d+|Cluster:|Block:|Clusters \(count\):)(.*)`)

// webmInfo has libwebm's webm_info read a file. It fails only where sizes are
// wrong, so what it prints is checked too: all clusters, all blocks, and that each
// cue is of a cluster.
func webmInfo(t *testing.T, path string) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	p := parts(t, data)[0]
	counts := map[string]int{}
	clusters, cues := map[int64]bool{}, map[int64]bool{}
	segment := int64(0)
	for line := range strings.Lines(string(run(t, "webm_info", "-all", "-i", path))) {
		m := webmInfoLine.FindStringSubmatch(line)
		if m == nil {
			continue
		}
		name, _, _ := strings.Cut(m[1], ":")
		counts[name]++
		_, place, _ := strings.Cut(m[2], "@:")
		at, _ := strconv.ParseInt(strings.TrimSpace(strings.SplitN(place+" size", "size", 2)[0]), 10, 64)
		switch name {
		case "Segment":
			segment = at + 12 // where its data begins
		case "Cluster":
			clusters[at] = true
		case "Cue Point":
			cues[segment+at] = true
		}
	}
	for _, c := range p.clusters {
		if !clusters[c.Start] {
			t.Errorf("webm_info has no cluster at %d", c.Start)
		}
	}
	for at := range cues {
		if !clusters[at] {
			t.Errorf("webm_info has a cue of a cluster at %d, where none is", at)
		}
	}
	if counts["Cluster"] != len(p.clusters) || counts["Block"] != len(p.blocks) || len(cues) == 0 || counts["Cues"] != 1 {
		t.Errorf("webm_info has %v; there are %d clusters and %d blocks", counts, len(p.clusters), len(p.blocks))
	}
}

// What webm_info says can go wrong, or it is no check.
func TestWebmInfoRefusesAFileWhoseSizesAreWrong(t *testing.T) {
	data := load(t, "chromium-36-late-requestdata").data
	plan, err := index(t, data, 0).Seekable()
	if err != nil {
		t.Fatal(err)
	}
	path := carryOut(t, plan, data)
	file, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	webmInfo(t, path)
	for name, id := range map[string]string{"Segment": "\x18\x53\x80\x67", "Cluster": "\x1F\x43\xB6\x75"} {
		wrong := bytes.Clone(file)
		wrong[bytes.Index(wrong, []byte(id))+11] ^= 1
		path := filepath.Join(t.TempDir(), "wrong.webm")
		if err := os.WriteFile(path, wrong, 0o666); err != nil {
			t.Fatal(err)
		}
		if out, err := exec.CommandContext(t.Context(), "webm_info", "-all", "-i", path).CombinedOutput(); err == nil {
			t.Errorf("webm_info takes a %s of another size:\n%.300s", name, out)
		}
	}
}

// representative are recordings of each sort: codecs, browsers, shapes.
var representative = []string{
	"chromium-01-opus-ts50", "chromium-05a-av1opus", "chromium-05b-h264opus-webm", "chromium-08-pause-vp8opus-ts500",
	"chromium-13b-alpha-vp9", "chromium-36-late-requestdata", "firefox-08-pause-vp8opus-ts500", "firefox-31-camera-audioonly",
}

// eachRepresentative runs a subtest for each of them.
func eachRepresentative(t *testing.T, test func(t *testing.T, r recording, p part)) {
	for _, name := range representative {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := load(t, name)
			test(t, r, parts(t, r.data)[0])
		})
	}
}

// videoBlocks counts the blocks of video of a file.
func videoBlocks(t *testing.T, path string) (n int) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	p := parts(t, data)[0]
	for _, b := range p.blocks {
		if isVideo(p, b) {
			n++
		}
	}
	return n
}

func TestFfmpegDecodesWhatAJoinPointGives(t *testing.T) {
	eachRepresentative(t, func(t *testing.T, r recording, p part) {
		cutter, err := index(t, p.data, 0).JoinPoint()
		if err != nil {
			t.Fatal(err)
		}
		plan, err := cutter.PlanFrom(bytes.NewReader(p.data))
		if err != nil {
			t.Fatal(err)
		}
		path := carryOut(t, plan, p.data)
		video := videoBlocks(t, path)
		decodes(t, path, video)
		if video > 0 {
			beginsWithAPicture(t, path, r, videoBefore(p, plan.Start))
		}
	})
}

func TestFfmpegDecodesStandaloneSegmentsThatBeginWithAKeyFrame(t *testing.T) {
	eachRepresentative(t, func(t *testing.T, r recording, p part) {
		ix := index(t, p.data, 0)
		for i, run := range runs(p) {
			plan, key := ix.Standalone(run[0], run[1], i%2 == 0)
			if key != beginsWithKeyFrame(p, run[0]) {
				t.Errorf("clusters %v begin with a key frame: %v", run, key)
			}
			if !key {
				continue
			}
			path := carryOut(t, plan, p.data)
			decodes(t, path, videoBlocks(t, path))
		}
	})
}

// formed appends a cluster or fragment in its final form.
func formed(t *testing.T, dst, stream []byte, c *webm.Cluster) []byte {
	t.Helper()
	head, data, edit := c.Form()
	dst = append(dst, head...)
	begin := int64(len(dst))
	dst = append(dst, stream[data.Start:data.End]...)
	if edit != nil {
		patches, err := edit.Editor(begin).Push(stream[data.Start:data.End])
		if err != nil {
			t.Fatal(err)
		}
		for _, patch := range patches {
			dst[patch.Offset] = patch.Value
		}
	}
	return dst
}

// appended is what comes first, and clusters or fragments, in a file.
func appended(t *testing.T, first *webm.Plan, stream []byte, clusters []webm.Cluster) string {
	t.Helper()
	path := carryOut(t, first, stream)
	file, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for i := range clusters {
		file = formed(t, file, stream, &clusters[i])
	}
	if err := os.WriteFile(path, file, 0o666); err != nil {
		t.Fatal(err)
	}
	return path
}

// keyed are frames with the key flag on all of audio.
func keyed(all [][]frame, tracks []webm.Track) [][]frame {
	for s := range all {
		for j := range all[s] {
			all[s][j].key = all[s][j].key || tracks[s].Type == webm.Audio
		}
	}
	return all
}

func TestSizedClustersAfterTheInitializationSegmentHaveAllFrames(t *testing.T) {
	eachRepresentative(t, func(t *testing.T, r recording, p part) {
		path := appended(t, index(t, p.data, 0).InitializationSegment(), p.data, p.clusters)
		sameFrames(t, "clusters", keyed(frames(t, r.path), p.header.Tracks), frames(t, path))
		decodes(t, path, videoBlocks(t, path))
	})
}

func TestAFileWhoseHeadIsWrittenLastIsSeekable(t *testing.T) {
	eachRepresentative(t, func(t *testing.T, r recording, p part) {
		ix := index(t, p.data, 0)
		want := keyed(frames(t, r.path), p.header.Tracks)
		for _, room := range []int64{600, 4 << 10, 64 << 10} { // for a few cues, and for all
			head, err := ix.Head(room)
			if room == 600 && err != nil {
				continue // the CodecPrivate of some is longer
			} else if err != nil {
				t.Fatal(err)
			}
			path := appended(t, head, p.data, p.clusters)
			sameFrames(t, fmt.Sprintf("with a head of %d bytes", room), want, frames(t, path))
			wellFormed(t, path, float64(ix.Duration())/1e9, "EBML void")
			decodes(t, path, videoBlocks(t, path))
		}
	})
}

func TestFragmentsAfterTheInitializationSegmentHaveAllFrames(t *testing.T) {
	eachRepresentative(t, func(t *testing.T, r recording, p part) {
		s := webm.NewSplitter(webm.Options{})
		var all []webm.Cluster
		rest := r.data
		for _, n := range r.chunks {
			if err := s.Push(rest[:n]); err != nil {
				t.Fatal(err)
			}
			rest = rest[n:]
			all = append(all, slices.Collect(s.TakeFragments())...)
		}
		if _, err := s.Finish(); err != nil {
			t.Fatal(err)
		}
		all = append(all, slices.Collect(s.TakeFragments())...)
		if len(all) < len(p.clusters) {
			t.Errorf("%d fragments of %d clusters", len(all), len(p.clusters))
		}
		path := appended(t, s.Index(0).InitializationSegment(), r.data, all)
		sameFrames(t, "fragments", keyed(frames(t, r.path), p.header.Tracks), frames(t, path))
		decodes(t, path, videoBlocks(t, path))
	})
}
