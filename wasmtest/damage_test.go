package wasmtest

// Damaged recordings, judged by ffprobe and ffmpeg: what they find in the same
// bytes, and what they make of the file that is made of what is left.

import (
	"bytes"
	"crypto/md5"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/webmend/webmend/ebml"
	"github.com/webmend/webmend/webm"
)

// damages are what can happen to a recording on its way: to the chunk from a to b,
// and the one after it that ends at c, or at any place.
var damages = []struct {
	name string
	do   func(random *rand.Rand, all []byte, a, b, c int) []byte
}{
	{"a chunk is lost", func(_ *rand.Rand, all []byte, a, b, c int) []byte { return slices.Concat(all[:a], all[b:]) }},
	{"a chunk is doubled", func(_ *rand.Rand, all []byte, a, b, c int) []byte { return slices.Concat(all[:b], all[a:]) }},
	{"two chunks are swapped", func(_ *rand.Rand, all []byte, a, b, c int) []byte {
		return slices.Concat(all[:a], all[b:c], all[a:b], all[c:])
	}},
	{"a chunk is zeroed", func(_ *rand.Rand, all []byte, a, b, c int) []byte {
		return slices.Concat(all[:a], make([]byte, b-a), all[b:])
	}},
	{"900 bytes are lost", func(random *rand.Rand, all []byte, a, b, c int) []byte {
		at := random.IntN(len(all))
		return slices.Concat(all[:at], all[min(at+900, len(all)):])
	}},
	{"64 bytes are overwritten", func(random *rand.Rand, all []byte, a, b, c int) []byte {
		at := random.IntN(len(all) - 64)
		return slices.Concat(all[:at], junk(random, 64), all[at+64:])
	}},
	{"4 KB of junk are inserted", func(random *rand.Rand, all []byte, a, b, c int) []byte {
		at := random.IntN(len(all))
		return slices.Concat(all[:at], junk(random, 4096), all[at:])
	}},
}

func junk(random *rand.Rand, n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(random.Uint32())
	}
	return b
}

// damaged is a recording damaged in a way, by chance. One that came in few chunks is
// cut into 20 first.
func (r recording) damaged(way int) []byte {
	random := rand.New(rand.NewPCG(uint64(len(r.data)), uint64(way)))
	ends := []int{0}
	for _, n := range r.chunks {
		if n > 0 {
			ends = append(ends, ends[len(ends)-1]+n)
		}
	}
	if len(ends) < 5 {
		ends = nil
		for i := range 21 {
			ends = append(ends, i*len(r.data)/20)
		}
	}
	i := random.IntN(len(ends) - 2)
	return damages[way].do(random, r.data, ends[i], ends[i+1], ends[i+2])
}

// payloads counts frames by what is in them.
type payloads map[string]int

// of counts which of the frames are some of the recording's, each as often as the
// recording has it: garbage is not recovered, and what comes twice is recovered once.
func (p payloads) of(recording payloads) (n int) {
	for hash, count := range p {
		n += min(count, recording[hash])
	}
	return n
}

// among tells whether the recording has all of the frames.
func (p payloads) among(recording payloads) bool {
	for hash := range p {
		if recording[hash] == 0 {
			return false
		}
	}
	return true
}

// probed are the frames that ffprobe finds in a file, whatever it says of that.
func probed(t *testing.T, path string) payloads {
	t.Helper()
	all := payloads{}
	out, _ := exec.CommandContext(t.Context(), "ffprobe", "-v", "fatal", "-f", "matroska", "-show_data_hash", "md5",
		"-show_entries", "packet=data_hash", path).Output()
	for line := range strings.Lines(string(out)) {
		if _, hash, ok := strings.Cut(strings.TrimSpace(line), "data_hash=MD5:"); ok {
			all[hash]++
		}
	}
	return all
}

// A split is what package webm makes of a stream that may be damaged.
type split struct {
	indexes  []*webm.Index
	clusters []webm.Cluster
	report   webm.Report
	err      error
}

func splitDamaged(stream []byte) (o split) {
	var s *webm.Splitter
	s, o.report, o.err = webm.Scan(bytes.NewReader(stream), int64(len(stream)), webm.Options{}, func(_ *webm.Header, c webm.Cluster) error {
		o.clusters = append(o.clusters, c)
		return nil
	})
	for i := range o.report.Recordings {
		o.indexes = append(o.indexes, s.Index(i))
	}
	return o
}

// frames are those in the clusters.
func (o split) frames(t *testing.T, stream []byte) payloads {
	t.Helper()
	all := payloads{}
	for _, c := range o.clusters {
		data := stream[c.Start+int64(c.HeadLen) : c.End]
		blocks := 0
		s := &ebml.Scanner{}
		s.Push(data)
		for kind := s.Next(); kind != ebml.More; kind = s.Next() {
			h := s.Head()
			if kind != ebml.Start {
				continue
			}
			switch h.ID {
			case webm.IDBlockGroup:
				blocks++
				s.Enter()
			case webm.IDSimpleBlock, webm.IDBlock:
				if h.ID == webm.IDSimpleBlock {
					blocks++
				}
				if b, ok := webm.ParseBlock(data[h.DataOffset():h.End()]); ok {
					for _, f := range b.Frames {
						all[fmt.Sprintf("%x", md5.Sum(f))]++
					}
				}
			}
		}
		if blocks != c.Blocks || s.Err() != nil {
			t.Errorf("cluster %v has %d blocks, error %v; it says %d", c.Range, blocks, s.Err(), c.Blocks)
		}
	}
	return all
}

func file(t *testing.T, data []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "file.webm")
	if err := os.WriteFile(path, data, 0o666); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestOfADamagedRecordingAsManyFramesAreLeftAsFfprobeFindsAndMakeAFile(t *testing.T) {
	eachRecording(t, func(t *testing.T, r recording) {
		if len(r.data) < 3000 {
			return
		}
		whole := splitDamaged(r.data).frames(t, r.data)
		if !maps.Equal(whole, probed(t, r.path)) {
			t.Fatal("the frames of the recording are not those that ffprobe finds")
		}
		for way, damage := range damages {
			t.Run(damage.name, func(t *testing.T) {
				stream := r.damaged(way)
				o := splitDamaged(stream)
				found := probed(t, file(t, stream)).of(whole)
				if left := o.frames(t, stream).of(whole); left < found {
					t.Errorf("%d frames are left, and ffprobe finds %d (%v, dropped %v)", left, found, o.err, o.report.Dropped)
				}
				for _, ix := range o.indexes {
					if ix.NumClusters() > 0 {
						path, duration := repaired(t, ix, stream, whole, len(o.report.Dropped) > 0 && len(o.report.Gaps) == 0)
						if damage.name == "900 bytes are lost" { // for the others it would take long
							wellFormed(t, path, duration)
						}
					}
				}
			})
		}
	})
}

// repaired makes a file of a damaged recording, in which nothing is wrong any more, and
// tells how many seconds it lasts. What was damaged inside of a frame stays so, and of
// that a decoder may complain; so it may where a chunk was lost without a trace or is not in
// its place, as all that is whole is in the file. It must not if every loss is known.
func repaired(t *testing.T, ix *webm.Index, stream []byte, whole payloads, known bool) (path string, duration float64) {
	t.Helper()
	plan, err := ix.Seekable()
	if err != nil {
		t.Fatal(err)
	}
	path = carryOut(t, plan, stream)
	made, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	o := splitDamaged(made)
	if o.err != nil || len(o.report.Dropped) > 0 || len(o.indexes) != 1 {
		t.Fatalf("the splitter says %v of the file, and drops %v", o.err, o.report.Dropped)
	}
	frames := o.frames(t, made)
	if got := probed(t, path); !maps.Equal(got, frames) {
		t.Errorf("ffprobe finds %d frames in the file, of %d", got.of(frames), frames.of(frames))
	}
	out, err := exec.CommandContext(t.Context(), "ffmpeg", "-v", "error", "-i", path, "-map", "0", "-fps_mode", "passthrough", "-enc_time_base", "-1", "-f", "null", "-").CombinedOutput()
	if err != nil {
		t.Errorf("ffmpeg: %v", err)
	}
	mayComplain := !known || !frames.among(whole)
	for line := range strings.Lines(string(out)) {
		if timeLine.MatchString(line) {
			continue
		}
		if !mayComplain || !decoderLine.MatchString(line) {
			t.Errorf("ffmpeg: %s", line)
			break
		}
	}
	return path, float64(plan.End) / 1e9
}

var (
	// timeLine is what ffmpeg writes where it has decoded a frame that is earlier than
	// the one before it. Where chunks are swapped inside of a cluster its blocks are.
	timeLine = regexp.MustCompile(`^(\[null @ \w+\] Application provided invalid, non monotonically increasing dts| +Last message repeated)`)

	// decoderLine is what ffmpeg writes where it decodes, and not where it reads a file.
	decoderLine = regexp.MustCompile(`^(\[(vp8|vp9|h264|libdav1d|opus) @ |Error while decoding stream)`)
)

func TestOfARecordingThatIsCutAsManyFramesAreLeftAsFfprobeFinds(t *testing.T) {
	for _, name := range representative {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := load(t, name)
			whole := splitDamaged(r.data).frames(t, r.data)
			// Package webm's tests cut every recording at every 997th byte; ffprobe
			// gets a dozen of these.
			for n := 997; n < len(r.data); n += 997 * max(1, len(r.data)/997/12) {
				o := splitDamaged(r.data[:n])
				want := probed(t, file(t, r.data[:n])).of(whole)
				if got := o.frames(t, r.data[:n]).of(whole); got < want {
					t.Errorf("cut to %d bytes: %d frames are left, and ffprobe finds %d (%v)", n, got, want, o.err)
				}
			}
		})
	}
}

// A header that is damaged costs nothing if it was kept: ffprobe has no such way, and
// makes do with what is left of it.
func TestOfARecordingWhoseHeaderIsDamagedAStoredOneRecoversAsMuchAsFfprobeFinds(t *testing.T) {
	eachRepresentative(t, func(t *testing.T, r recording, p part) {
		whole := splitDamaged(r.data).frames(t, r.data)
		random := rand.New(rand.NewPCG(uint64(len(r.data)), uint64(len(damages))))
		header, rest := r.data[:p.header.End], r.data[p.header.End:]
		for _, damage := range damages[4:] { // those at any place
			for range 2 {
				stream := append(damage.do(random, header, 0, 0, 0), rest...)
				o := splitJoined(header, stream)
				want := probed(t, file(t, stream)).of(whole)
				if got := o.frames(t, slices.Concat(header, stream)).of(whole); got < want {
					t.Errorf("%s: %d frames are left, and ffprobe finds %d (%v)", damage.name, got, want, o.err)
				}
			}
		}
	})
}

// splitJoined is what package webm makes of a stream that is joined after a stored
// header.
func splitJoined(header, stream []byte) (o split) {
	all := slices.Concat(header, stream)
	s := webm.NewSplitter(webm.Options{Rewinds: true})
	s.Push(header)
	s.Lost()
	for at := len(header); ; {
		for at < len(all) {
			end := min(at+64<<10, len(all))
			s.Push(all[at:end])
			at = end
			if back, ok := s.Rewind(); ok {
				at = int(back)
			}
		}
		o.report, o.err = s.Finish()
		back, ok := s.Rewind()
		if !ok {
			break
		}
		at = int(back)
	}
	o.clusters = slices.Collect(s.TakeClusters())
	for i := range o.report.Recordings {
		o.indexes = append(o.indexes, s.Index(i))
	}
	return o
}
