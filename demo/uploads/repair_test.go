package uploads

import (
	"bytes"
	"fmt"
	"net/http"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/webmend/webmend/webm"
)

func TestOfWhatArrivedARecordingIsMadeInWhichPlayersCanSeek(t *testing.T) {
	t.Parallel()
	sound := sample(t, "chromium-26-long-audio-nots-75s")
	video := sample(t, "chromium-11b-camera-vp8opus")
	for _, c := range []struct {
		name  string
		data  []byte
		kind  string
		keeps func(number, count int) bool
		least float64 // of the blocks
	}{
		{"all parts", sound, "parts", func(int, int) bool { return true }, 1},
		{"all parts of video", video, "parts", func(int, int) bool { return true }, 1},
		{"all but the last", video, "parts", func(n, count int) bool { return n < count }, 0.6},
		{"all but the second", video, "parts", func(n, count int) bool { return n != 2 }, 0.5},
		{"all but the first", video, "parts", func(n, count int) bool { return n != 1 }, 1},
		{"all but the first of sound", sound, "parts", func(n, count int) bool { return n != 1 }, 1},
		{"all but the first and second of sound", sound, "parts", func(n, count int) bool { return n > 2 }, 0.5},
		{"nothing but the opening", video, "parts", func(int, int) bool { return false }, 0.1},
		{"all segments", video, "segments", func(int, int) bool { return true }, 1},
		{"the first segments", video, "segments", func(n, count int) bool { return n <= count/2 }, 0.3},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := serviceOf(t, uploadsIn(t, t.TempDir()))
			upload, u := s.begin(c.kind)
			if c.kind == "parts" {
				opening, parts := uploaded(t, c.data, u.PartSize)
				told[nothingTold](s, http.StatusNoContent, "PUT", upload+"/opening", opening)
				for n := 1; n <= len(parts); n++ {
					if c.keeps(n, len(parts)) {
						s.putPart(upload, n, parts[n-1])
					}
				}
			} else {
				offset := 0
				segments := segmentsOf(t, c.data)
				for n, segment := range segments {
					if c.keeps(n, len(segments)) {
						s.putSegment(upload, n, offset, segment)
					}
					offset += len(segment)
				}
			}
			s.repairs(upload, c.data, c.least)
		})
	}
}

// uploaded is what a page uploads of a recording: its opening, and the parts of a file
// that begins with room for an index.
func uploaded(t testing.TB, data []byte, size int64) (opening []byte, parts [][]byte) {
	t.Helper()
	splitter, _, err := webm.Scan(bytes.NewReader(data), int64(len(data)), webm.Options{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	index := splitter.Index(0)
	seekable, err := index.Seekable()
	if err != nil {
		t.Fatal(err)
	}
	made := func(plan *webm.Plan) []byte {
		var out bytes.Buffer
		if _, err := plan.CopyTo(&out, bytes.NewReader(data)); err != nil {
			t.Fatal(err)
		}
		return out.Bytes()
	}
	header := made(index.InitializationSegment())
	clusters := bytes.Join(segmentsOf(t, made(seekable))[1:], nil)
	const room = 10_000 // which a Void has
	void := append([]byte{0xec, 0x01, 0, 0, 0, 0, 0, room >> 8, room & 0xff}, make([]byte, room)...)
	return slices.Concat(header, clusters)[:size], partsOf(slices.Concat(header, void, clusters), size)
}

// repairs has an upload repaired, and checks how much of the recording there is then.
func (s service) repairs(upload string, recorded []byte, least float64) {
	s.t.Helper()
	var u Facts
	for range 2 { // as the answer may be lost
		u = told[Facts](s, http.StatusOK, "POST", upload+"/repair", nil)
	}
	_, file := s.ask("GET", upload+"/file", nil)
	if u.Size != int64(len(file)) || !u.Done {
		s.t.Errorf("a recording of %d bytes is told as %+v", len(file), u)
	}
	got, length := blocks(s.t, file)
	want, most := blocks(s.t, recorded)
	if got > want || float64(got) < least*float64(want) || length > most {
		s.t.Errorf("of %d blocks and %v there are %d and %v", want, most, got, length)
	}
	plays(s.t, file)
}

// blocks are how many a recording has, and how long it is.
func blocks(t testing.TB, file []byte) (int, time.Duration) {
	t.Helper()
	n := 0
	_, report, err := webm.Scan(bytes.NewReader(file), int64(len(file)), webm.Options{}, func(_ *webm.Header, c webm.Cluster) error {
		n += c.Blocks
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return n, time.Duration(report.Recordings[0].Duration)
}

// plays has ffprobe read each frame, and the duration, of a file that is seekable.
func plays(t testing.TB, file []byte) {
	t.Helper()
	name := filepath.Join(t.TempDir(), "file.webm")
	write(t, name, string(file))
	out, err := exec.Command("ffprobe", "-v", "error", "-count_frames", "-show_entries", "stream=nb_read_frames:format=duration", "-of", "default", name).CombinedOutput()
	text := string(out)
	if err != nil || !strings.Contains(text, "nb_read_frames=") || strings.Contains(text, "=N/A") || strings.Contains(text, "[matroska") {
		t.Errorf("ffprobe says %s (%v)", text, err)
	}
}

func TestWhatIsNoRecordingIsNotRepairedAndCanGoOn(t *testing.T) {
	t.Parallel()
	s := serviceOf(t, uploadsIn(t, t.TempDir()))
	data := sample(t, vp8)
	upload, u := s.begin("parts")
	s.putPart(upload, 1, make([]byte, u.PartSize))
	if no := told[Refusal](s, http.StatusUnprocessableEntity, "POST", upload+"/repair", nil); !strings.Contains(no.Reason, "no recording") {
		t.Errorf("it says %q", no.Reason)
	}
	parts := partsOf(data, u.PartSize)
	for n, part := range parts {
		s.putPart(upload, n+1, part)
	}
	told[Facts](s, http.StatusOK, "POST", upload+"/complete", fmt.Appendf(nil, `{"count":%d}`, len(parts)))
	s.is(upload, data)
}
