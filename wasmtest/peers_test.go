package wasmtest

// Cross-checks by programs that others wrote: ffprobe, mkvinfo and ffmpeg say the
// same as package webm and the command line.

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
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

// run runs a program and returns its standard output. Whatever it writes to
// standard error fails the test.
func run(t testing.TB, program string, args ...string) []byte {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), program, args...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil || stderr.Len() > 0 {
		t.Fatalf("%s %s: %v\n%s", program, strings.Join(args, " "), err, &stderr)
	}
	return out
}

// eachRecording runs a subtest for every recording with a byte in it.
func eachRecording(t *testing.T, test func(t *testing.T, r recording)) {
	for _, r := range recordings(t) {
		if len(r.data) == 0 {
			continue
		}
		t.Run(r.name, func(t *testing.T) {
			t.Parallel()
			test(t, r)
		})
	}
}

// A part is one recording of a stream, that of a restarted recorder alone.
type part struct {
	start    int64 // in the stream
	data     []byte
	sized    bool // its Segment's size is known
	header   webm.Header
	clusters []webm.Cluster
	blocks   []block
}

// A block is where package webm finds one, and what it begins with.
type block struct {
	cluster  int
	track    uint64
	time     int64 // in ticks
	size     int64 // of its frame
	keyFrame bool
}

// parts takes a stream apart by package webm.
func parts(t *testing.T, data []byte) []part {
	t.Helper()
	s := webm.NewSplitter(webm.Options{})
	if err := s.Push(data); err != nil {
		t.Fatal(err)
	}
	report, err := s.Finish()
	if err != nil {
		t.Fatal(err)
	}
	var all []part
	for i, r := range report.Recordings {
		end := int64(len(data))
		if i+1 < len(report.Recordings) {
			end = report.Recordings[i+1].Header.Start
		}
		all = append(all, part{start: r.Header.Start, data: data[r.Header.Start:end], header: r.Header})
	}
	for c := range s.TakeClusters() {
		all[c.Recording].clusters = append(all[c.Recording].clusters, c)
	}
	for i := range all {
		all[i].blocks = blocks(t, &all[i])
	}
	return all
}

func blocks(t *testing.T, p *part) (found []block) {
	t.Helper()
	var timestamp int64
	cluster := -1
	w := webm.NewWalker(0, func(e webm.Element) {
		switch e.Name {
		case "Segment":
			p.sized = e.Size >= 0
		case "Cluster":
			cluster++
		case "Timestamp":
			timestamp = 0
			for _, c := range e.Data {
				timestamp = timestamp<<8 | int64(c)
			}
		case "BlockGroup":
			found = append(found, block{cluster: cluster, keyFrame: true})
		case "ReferenceBlock":
			found[len(found)-1].keyFrame = false
		case "SimpleBlock":
			found = append(found, block{cluster: cluster, keyFrame: e.Data[3]&0x80 != 0})
		}
		if e.Name == "SimpleBlock" || e.Name == "Block" {
			b := &found[len(found)-1]
			b.track = uint64(e.Data[0] & 0x7F) // browsers' tracks have small numbers, in one byte
			b.time = timestamp + int64(int16(uint16(e.Data[1])<<8|uint16(e.Data[2])))
			b.size = e.Size - 4
		}
	})
	if err := w.Push(p.data); err != nil {
		t.Fatal(err)
	}
	if err := w.Finish(); err != nil {
		t.Fatal(err)
	}
	return found
}

func TestFfprobeFindsTheSamePackets(t *testing.T) {
	eachRecording(t, func(t *testing.T, r recording) {
		for i, p := range parts(t, r.data) {
			path := filepath.Join(t.TempDir(), "recording.webm")
			if err := os.WriteFile(path, p.data, 0o666); err != nil {
				t.Fatal(err)
			}
			var probe struct {
				Packets []struct {
					Stream int    `json:"stream_index"`
					PTS    *int64 `json:"pts"`
					Size   int64  `json:"size,string"`
					Flags  string `json:"flags"`
				}
			}
			if err := json.Unmarshal(run(t, "ffprobe", "-v", "error", "-show_packets", "-of", "json", path), &probe); err != nil {
				t.Fatal(err)
			}

			// ffmpeg's streams are the tracks in the order of the header.
			for index, track := range p.header.Tracks {
				// What the decoder puts out too much ffmpeg has begin before 0: only
				// Firefox says that there is any. Its time base is a tick.
				shift := int64(math.Round(float64(track.CodecDelay) / float64(p.header.TimestampScale)))
				var got, want []string
				for _, packet := range probe.Packets {
					if packet.Stream == index && packet.PTS != nil {
						got = append(got, about(track, *packet.PTS+shift, packet.Size, packet.Flags[0] == 'K'))
					}
				}
				for _, b := range p.blocks {
					if b.track == track.Number {
						want = append(want, about(track, b.time, b.size, b.keyFrame))
					}
				}
				if !slices.Equal(got, want) {
					t.Errorf("recording %d: ffprobe has of track %d %d packets\n%q\nwhere we have %d blocks\n%q", i, track.Number, len(got), got, len(want), want)
				}
				// And the counts of the splitter are those of the walker.
				count := 0
				for _, c := range p.clusters {
					for _, in := range c.Tracks {
						if in.Number == track.Number {
							count += in.Blocks
						}
					}
				}
				if count != len(want) {
					t.Errorf("recording %d: the clusters count %d blocks of track %d; there are %d", i, count, track.Number, len(want))
				}
			}
			if len(probe.Packets) != len(p.blocks) {
				t.Errorf("recording %d: ffprobe has %d packets; we have %d blocks", i, len(probe.Packets), len(p.blocks))
			}

			// Key frames are told of video alone: ffmpeg calls all of audio such.
			var keys []int64
			for _, c := range p.clusters {
				for _, k := range c.KeyFrames {
					keys = append(keys, k.Timestamp)
				}
			}
			var want []int64
			for _, packet := range probe.Packets {
				if p.header.Tracks[packet.Stream].Type == webm.Video && packet.Flags[0] == 'K' {
					want = append(want, *packet.PTS)
				}
			}
			if !slices.Equal(keys, want) {
				t.Errorf("recording %d: key frames at %v; ffprobe has them at %v", i, keys, want)
			}
		}
	})
}

func about(track webm.Track, time, size int64, key bool) string {
	if track.Type == webm.Video && key {
		return fmt.Sprintf("%d bytes at %d, key frame", size, time)
	}
	return fmt.Sprintf("%d bytes at %d", size, time)
}

// An mkvElement is a line of mkvinfo's.
type mkvElement struct {
	name   string
	value  string
	level  int
	offset int64
	size   int64 // of its data, -1 if unknown
}

var mkvLine = regexp.MustCompile(`^([| ]*)\+ (.*?)(?:: (.*))? at (\d+) size (?:(?:\d+ data size (\d+))|is unknown)$`)

// mkvNames has the specification's names of what mkvinfo calls otherwise, of the
// elements whose names are compared.
var mkvNames = map[string]string{
	"EBML head": "EBML", "Segment": "Segment", "Seek head": "SeekHead", "EBML void": "Void",
	"Segment information": "Info", "Timestamp scale": "TimestampScale", "Multiplexing application": "MuxingApp",
	"Tracks": "Tracks", "Track": "TrackEntry", "Track number": "TrackNumber", "Codec ID": "CodecID",
	"Cluster": "Cluster", "Cluster timestamp": "Timestamp", "Simple block": "SimpleBlock", "Block group": "BlockGroup",
	"Block": "Block", "Additions": "BlockAdditions", "Reference block": "ReferenceBlock", "Cues": "Cues", "Cue point": "CuePoint",
}

func mkvinfo(t *testing.T, p part) (elements []mkvElement) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "recording.webm")
	if err := os.WriteFile(path, p.data, 0o666); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(bytes.NewReader(run(t, "mkvinfo", "--ui-language", "en_US", "-a", "-P", "-z", path)))
	for lines.Scan() {
		line := lines.Text()
		if strings.Contains(line, "+ Frame at ") {
			continue // no element
		}
		m := mkvLine.FindStringSubmatch(line)
		if m == nil {
			t.Fatalf("mkvinfo wrote %q", line)
		}
		e := mkvElement{name: m[2], value: m[3], level: len(m[1]), size: -1}
		e.offset, _ = strconv.ParseInt(m[4], 10, 64)
		e.offset += p.start
		if m[5] != "" {
			e.size, _ = strconv.ParseInt(m[5], 10, 64)
		}
		elements = append(elements, e)
	}
	return elements
}

func TestMkvinfoFindsHeaderAndClustersAtTheSamePlaces(t *testing.T) {
	eachRecording(t, func(t *testing.T, r recording) {
		for i, p := range parts(t, r.data) {
			elements := mkvinfo(t, p)
			var got, want []string
			end := int64(-1)
			for _, e := range elements {
				if e.name == "Cluster" {
					got = append(got, fmt.Sprintf("at %d with %d bytes", e.offset, e.size))
					if end < 0 {
						end = e.offset
					}
				}
			}
			if elements[0].name != "EBML head" || elements[0].offset != p.header.Start || p.header.End != end {
				t.Errorf("recording %d: the header is %v; mkvinfo has %v first, and the first cluster at %d", i, p.header.Range, elements[0], end)
			}
			for _, c := range p.clusters {
				size := int64(-1)
				if c.Known {
					size = c.End - c.Start - int64(c.HeadLen)
				}
				want = append(want, fmt.Sprintf("at %d with %d bytes", c.Start, size))
			}
			if !slices.Equal(got, want) {
				t.Errorf("recording %d: mkvinfo has clusters\n%q\nand we have\n%q", i, got, want)
			}
		}
	})
}

// The same frames come out of a run of clusters as went in: all of them, in
// particular, and those from a key frame on.
func TestFfmpegDecodesTheHeaderWithAnyRunOfClustersFromAKeyFrameOn(t *testing.T) {
	eachRecording(t, func(t *testing.T, r recording) {
		for i, p := range parts(t, r.data) {
			for _, run := range runs(p) {
				t.Run(fmt.Sprintf("recording %d clusters %d to %d", i, run[0], run[1]-1), func(t *testing.T) {
					decode(t, r.data, p, run)
				})
			}
		}
	})
}

// runs are some ranges of clusters that can be decoded: all, and of those that
// begin with a key frame the middle one alone and the last with all that follow.
func runs(p part) [][2]int {
	n := len(p.clusters)
	all := [][2]int{{0, n}}
	var starts []int
	for i := range p.clusters {
		if beginsWithKeyFrame(p, i) {
			starts = append(starts, i)
		}
	}
	if len(starts) > 0 {
		middle, last := starts[len(starts)/2], starts[len(starts)-1]
		all = append(all, [2]int{middle, middle + 1}, [2]int{middle, min(middle+3, n)}, [2]int{last, n})
	}
	slices.SortFunc(all, func(a, b [2]int) int { return slices.Compare(a[:], b[:]) })
	return slices.Compact(all)
}

func beginsWithKeyFrame(p part, cluster int) bool {
	for _, b := range p.blocks {
		if b.cluster == cluster && isVideo(p, b) {
			return b.keyFrame
		}
	}
	return !slices.ContainsFunc(p.header.Tracks, func(t webm.Track) bool { return t.Type == webm.Video })
}

func isVideo(p part, b block) bool {
	return slices.ContainsFunc(p.header.Tracks, func(t webm.Track) bool { return t.Number == b.track && t.Type == webm.Video })
}

func decode(t *testing.T, stream []byte, p part, clusters [2]int) {
	t.Helper()
	file := slices.Clone(stream[p.header.Start:p.header.End])
	for _, c := range p.clusters[clusters[0]:clusters[1]] {
		file = append(file, stream[c.Start:c.End]...)
	}
	path := filepath.Join(t.TempDir(), "run.webm")
	if err := os.WriteFile(path, file, 0o666); err != nil {
		t.Fatal(err)
	}
	video := 0
	for _, b := range p.blocks {
		if clusters[0] <= b.cluster && b.cluster < clusters[1] && isVideo(p, b) {
			video++
		}
	}
	// Everything is decoded, and an error ends it. What must be printed is frames.
	cmd := exec.CommandContext(t.Context(), "ffmpeg", "-v", "error", "-xerror", "-i", path, "-map", "0", "-fps_mode", "passthrough", "-f", "framecrc", "-")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("ffmpeg: %v\n%s", err, &stderr)
	}
	for line := range strings.Lines(stderr.String()) {
		// A Segment whose size is known, as start() without a timeslice writes it,
		// claims what follows the clusters as well.
		if !p.sized || !strings.Contains(line, "File ended prematurely") {
			t.Errorf("ffmpeg: %s", line)
		}
	}
	frames := map[string]int{}
	for line := range strings.Lines(string(out)) {
		if !strings.HasPrefix(line, "#") {
			stream, _, _ := strings.Cut(line, ",")
			frames[p.typeOf(stream)]++
		}
	}
	if frames["video"] != video {
		t.Errorf("ffmpeg decoded %d frames of video; there are %d", frames["video"], video)
	}
	if video == 0 && frames["audio"] == 0 {
		t.Error("ffmpeg decoded nothing")
	}
}

// typeOf is what the stream that ffmpeg gives a number holds.
func (p part) typeOf(stream string) string {
	i, err := strconv.Atoi(stream)
	if err != nil || i >= len(p.header.Tracks) {
		return stream
	}
	return p.header.Tracks[i].Type.String()
}

// cli runs the command line.
func cli(t *testing.T, args ...string) []byte {
	t.Helper()
	return run(t, "node", append([]string{built(t, "cli.js")}, args...)...)
}

// chunkFiles writes the chunks as recorded to files.
func chunkFiles(t *testing.T, r recording) (paths []string) {
	t.Helper()
	dir := t.TempDir()
	rest := r.data
	for i, n := range r.chunks {
		path := filepath.Join(dir, fmt.Sprintf("%05d", i))
		if err := os.WriteFile(path, rest[:n], 0o666); err != nil {
			t.Fatal(err)
		}
		rest = rest[n:]
		paths = append(paths, path)
	}
	return paths
}

func TestTheCommandLineGivesHeadersAndClustersThatMakeTheStream(t *testing.T) {
	eachRecording(t, func(t *testing.T, r recording) {
		chunks := chunkFiles(t, r)
		var info struct {
			Bytes      int64
			Recordings []struct {
				Header   webm.Range
				Clusters []webm.Range
			}
			Other, Dropped []webm.Range
		}
		if err := json.Unmarshal(cli(t, append([]string{"info", "--json"}, chunks...)...), &info); err != nil {
			t.Fatal(err)
		}
		if info.Bytes != int64(len(r.data)) || len(info.Dropped) > 0 {
			t.Errorf("info accounts for %d bytes of %d and drops %v", info.Bytes, len(r.data), info.Dropped)
		}

		// The files say what is in each range; what is other has no command.
		rebuilt := make([]byte, len(r.data))
		written := 0
		put := func(file []byte, ranges ...webm.Range) {
			for _, x := range ranges {
				n := min(int(x.End-x.Start), len(file))
				written += copy(rebuilt[x.Start:x.End], file[:n])
				file = file[n:]
			}
			if len(file) > 0 {
				t.Errorf("%d bytes are written that info does not tell of", len(file))
			}
		}
		for _, x := range info.Other {
			put(r.data[x.Start:x.End], x)
		}
		for i, rec := range info.Recordings {
			number := strconv.Itoa(i + 1)
			for _, part := range []struct {
				command string
				ranges  []webm.Range
			}{{"header", []webm.Range{rec.Header}}, {"clusters", rec.Clusters}} {
				path := filepath.Join(t.TempDir(), part.command)
				args := append([]string{part.command, "-o", path, "--recording", number}, chunks...)
				cmd := exec.CommandContext(t.Context(), "node", append([]string{built(t, "cli.js")}, args...)...)
				if out, err := cmd.CombinedOutput(); err != nil {
					t.Fatalf("%s: %v\n%s", part.command, err, out)
				}
				file, err := os.ReadFile(path)
				if err != nil {
					t.Fatal(err)
				}
				put(file, part.ranges...)
			}
		}
		if written != len(r.data) || !bytes.Equal(rebuilt, r.data) {
			t.Errorf("header, clusters and other are %d bytes, and not the stream of %d", written, len(r.data))
		}
	})
}

var infoLine = regexp.MustCompile(`^( *)(\S+) at (\d+), size (\d+|unknown)(?:: (.*))?$`)

func TestTheCommandLineListsTheElementsThatMkvinfoLists(t *testing.T) {
	eachRecording(t, func(t *testing.T, r recording) {
		var want []mkvElement
		for _, p := range parts(t, r.data) {
			want = append(want, mkvinfo(t, p)...)
		}
		lines := bufio.NewScanner(bytes.NewReader(cli(t, append([]string{"info"}, chunkFiles(t, r)...)...)))
		n := 0
		for ; lines.Scan(); n++ {
			m := infoLine.FindStringSubmatch(lines.Text())
			if m == nil {
				t.Fatalf("info wrote %q", lines.Text())
			}
			if n >= len(want) {
				t.Fatalf("mkvinfo lists %d elements; info goes on with %q", len(want), lines.Text())
			}
			got := mkvElement{name: m[2], level: len(m[1]) / 2, size: -1, value: m[5]}
			got.offset, _ = strconv.ParseInt(m[3], 10, 64)
			if m[4] != "unknown" {
				got.size, _ = strconv.ParseInt(m[4], 10, 64)
			}
			w := want[n]
			if name, ok := mkvNames[w.name]; got.level != w.level || got.offset != w.offset || got.size != w.size || ok && got.name != name {
				t.Fatalf("info: %+v; mkvinfo: %+v", got, w)
			}
			if got.name == "SimpleBlock" || got.name == "Block" {
				if g, w := ourBlock(t, got.value), mkvBlock(t, w.value); g != w {
					t.Fatalf("the block at %d is %s; by mkvinfo %s", got.offset, g, w)
				}
			}
		}
		if n != len(want) {
			t.Errorf("info lists %d elements; mkvinfo lists %d", n, len(want))
		}
	})
}

var (
	ourBlockValue = regexp.MustCompile(`^track (\d+), timestamp \d+ \((\d+\.\d+) s\)(, key frame)?$`)
	mkvBlockValue = regexp.MustCompile(`^(key, )?track number (\d+), 1 frame\(s\), timestamp (\d+):(\d+):(\d+\.\d+)$`)
)

func ourBlock(t *testing.T, value string) string {
	t.Helper()
	m := ourBlockValue.FindStringSubmatch(value)
	if m == nil {
		t.Fatalf("info says %q of a block", value)
	}
	return fmt.Sprintf("track %s, %s s, key %v", m[1], m[2], m[3] != "")
}

func mkvBlock(t *testing.T, value string) string {
	t.Helper()
	m := mkvBlockValue.FindStringSubmatch(value)
	if m == nil {
		t.Fatalf("mkvinfo says %q of a block", value)
	}
	hours, _ := strconv.ParseFloat(m[3], 64)
	minutes, _ := strconv.ParseFloat(m[4], 64)
	seconds, _ := strconv.ParseFloat(m[5], 64)
	return fmt.Sprintf("track %s, %.3f s, key %v", m[2], 3600*hours+60*minutes+seconds, m[1] != "")
}
