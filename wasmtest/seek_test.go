package wasmtest

// What Chromium's <video> makes of the files that come out of a recording.

import (
	"fmt"
	"math"
	"testing"

	"github.com/chromedp/chromedp"
)

// A viewing is how a file played.
type viewing struct {
	Duration float64
	Seekable [][2]float64
	Buffered [][2]float64 // before the first seek
	Width    int
	Seeks    []struct {
		To, At  float64
		Frame   *float64 // the time of the frame that was painted
		Colours int
	}
	Start, End float64   // of a clip
	Played     []float64 // the times of frames, in a join
}

// frameTime is more than any frame of the recordings lasts, but where a recorder
// had nothing new to show.
const frameTime = 0.3

func (v *viewing) check(t *testing.T, what string, duration float64, hasVideo bool, colours int) {
	t.Helper()
	if math.Abs(v.Duration-duration) > 0.002 {
		t.Errorf("%s: it lasts %v s; want %v", what, v.Duration, duration)
	}
	if len(v.Seekable) != 1 || v.Seekable[0][0] != 0 || math.Abs(v.Seekable[0][1]-duration) > 0.002 {
		t.Errorf("%s: seekable are %v of %v s", what, v.Seekable, duration)
	}
	v.checkSeeks(t, what, hasVideo, colours)
}

func (v *viewing) checkSeeks(t *testing.T, what string, hasVideo bool, colours int) {
	t.Helper()
	if len(v.Seeks) == 0 && v.Duration > 0.1 {
		t.Errorf("%s: nothing was sought", what)
	}
	for _, s := range v.Seeks {
		// A time before the first frame is that frame's.
		if math.Abs(s.At-s.To) > 0.001 && !(s.To == 0 && s.At < 0.1) {
			t.Errorf("%s: a seek to %v landed at %v", what, s.To, s.At)
		}
		switch {
		case !hasVideo:
		case s.Frame == nil:
			t.Errorf("%s: a seek to %v painted nothing", what, s.To)
		case math.Abs(*s.Frame-s.To) > frameTime:
			t.Errorf("%s: a seek to %v painted the frame of %v", what, s.To, *s.Frame)
		}
		if hasVideo && s.Colours < colours {
			t.Errorf("%s: a seek to %v painted a picture in %d colours", what, s.To, s.Colours)
		}
	}
}

func TestEverySeekLandsAndPaintsInWhatIsMadeOfARecording(t *testing.T) {
	p := open(t, func(chromedp.ConsoleMessage) bool { return false })
	for _, r := range recordings(t) {
		if len(r.data) == 0 {
			continue
		}
		t.Run(r.name, func(t *testing.T) {
			type told struct {
				Duration                                     float64
				HasVideo                                     bool
				Seekable, Clip, Uploaded, Streamed, Appended *viewing
			}
			got := evaluate[told](t, p, fmt.Sprintf(`import("/page/seek.mjs").then((m) => m.watchAll(%q))`, r.name))
			hasVideo, colours := got.HasVideo, 3
			if r.name == "chromium-20-disable-tracks" {
				colours = 1 // a track that is disabled is black
			}
			got.Seekable.check(t, "seekable file", got.Duration, hasVideo, colours)
			if got.Clip != nil {
				got.Clip.check(t, "clip", got.Clip.End-got.Clip.Start, hasVideo, colours)
				got.Uploaded.check(t, "what an upload stores", got.Duration, hasVideo, colours)
			}
			if got.Streamed != nil {
				got.Streamed.checkSeeks(t, "initialization segment and clusters", hasVideo, colours)
			}
			if got.Appended != nil {
				got.Appended.checkSeeks(t, "through Media Source Extensions", hasVideo, colours)
			}
		})
	}
}

func TestAJoinPlaysFromOneRecordingIntoTheNext(t *testing.T) {
	p := open(t, func(chromedp.ConsoleMessage) bool { return false })
	for _, names := range joined {
		got := evaluate[viewing](t, p, fmt.Sprintf(`import("/page/seek.mjs").then((m) => m.watchJoin(%s))`, names))
		got.checkJoin(t, names)
	}
}

// joined are recordings of about 5 s.
var joined = []string{
	`["chromium-10b-two-recordings", "chromium-10b-two-recordings-second"]`,
	`["firefox-10b-two-recordings", "firefox-10b-two-recordings-second"]`,
}

func (v *viewing) checkJoin(t *testing.T, names string) {
	t.Helper()
	v.check(t, names, v.End, true, 3)
	// In between a busy browser may leave frames out.
	if len(v.Played) < 3 || v.Played[0] > v.End*0.48 {
		t.Errorf("%s: from %v on it played the frames of %v", names, v.End*0.45, v.Played)
	}
}

func TestTheSeekableFileOfAGigabyteCopiesNoMedia(t *testing.T) {
	p := open(t, func(chromedp.ConsoleMessage) bool { return false })
	type told struct {
		Slices, Reads, Parts  int
		Bytes, Size, Recorded int64
		Milliseconds          float64
		Header                struct{ Start, End int64 }
		Video                 viewing
	}
	got := evaluate[told](t, p, `import("/page/seek.mjs").then((m) => m.long(1024))`)
	t.Logf("%d MB: ready %.1f ms after it was asked for, of %d parts", got.Size>>20, got.Milliseconds, got.Parts)
	if got.Size < got.Recorded || got.Recorded < 1<<30 {
		t.Errorf("the file has %d bytes, of %d recorded", got.Size, got.Recorded)
	}
	if got.Slices > 0 || got.Reads > 0 {
		t.Errorf("%d slices and %d reads of Blobs", got.Slices, got.Reads)
	}
	// The head with its Cues, and what of the media had not become a Blob yet.
	if got.Bytes > 4<<20 {
		t.Errorf("%d bytes were copied into Blobs", got.Bytes)
	}
	if got.Parts > 1500 {
		t.Errorf("it has %d parts", got.Parts)
	}
	got.Video.checkSeeks(t, "a gigabyte", true, 3)
}
