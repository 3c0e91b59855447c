package wasmtest

// Recordings that are attached to the recorders of both browsers.

import (
	"fmt"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/webmend/webmend/webm"
)

// attached is what came of one.
type attached struct {
	Name, Code, Message, State            string
	AfterStop, Bytes, Delivered, Segments int
	Differs                               int // the first byte that is not the recorder's
	Dropped                               []webm.Range
	Durations                             []float64 // s, of each recording in the stream
}

const atOnce = "stopped at once, and finished"

func checkAttached(t *testing.T, all []attached) {
	if len(all) < 8 {
		t.Errorf("%d recorders", len(all))
	}
	for _, a := range all {
		t.Run(a.Name, func(t *testing.T) {
			if a.Name == atOnce && a.Code == "invalid-id" {
				return // Chromium writes an EBML header then, and zeros
			}
			if a.Code != "" {
				t.Fatalf("%s: %s", a.Code, a.Message)
			}
			if a.Bytes != a.Delivered || a.Segments != a.Delivered || a.Delivered == 0 || a.Differs >= 0 || len(a.Dropped) > 0 {
				t.Errorf("%d bytes were delivered, %d pushed, %d came out; they differ at %d; dropped %v", a.Delivered, a.Bytes, a.Segments, a.Differs, a.Dropped)
			}
			recordings := 1
			if strings.HasPrefix(a.Name, "started again") {
				recordings = 2
			}
			if len(a.Durations) != recordings || a.State != "inactive" {
				t.Errorf("%d recordings, the recorder is %s", len(a.Durations), a.State)
			}
			for _, d := range a.Durations {
				if a.Name != atOnce && d < 0.5 || d > 5 {
					t.Errorf("a recording lasts %v s", d)
				}
			}
			t.Logf("%d bytes in %d recordings, %d blobs after stop", a.Bytes, recordings, a.AfterStop)
		})
	}
}

func TestWhatIsAttachedHearsTheRecorderToItsEndInChromium(t *testing.T) {
	p := open(t, func(chromedp.ConsoleMessage) bool { return false })
	checkAttached(t, evaluate[[]attached](t, p, `import("/page/attach.mjs").then((m) => m.recordAll(false))`))
}

func TestWhatIsAttachedHearsTheRecorderToItsEndInFirefox(t *testing.T) {
	t.Parallel()
	checkAttached(t, ask[[]attached](t, startFirefox(t), `import("/page/attach.mjs").then((m) => m.recordAll(true))`))
}

// stopped is what the report has of a recorder that stopped by itself.
type stopped struct {
	Code, Message, State string
	Bytes, Size          int
	Seconds              float64
	Dropped              []webm.Range
}

func (s *stopped) check(t *testing.T, how string) {
	t.Helper()
	if s.Code != "recorder" || !strings.Contains(s.Message, "the recorder stopped by itself: ") || !strings.Contains(s.Message, "Error: ") || s.State != "inactive" {
		t.Errorf("%s: %s: %s; the recorder is %s", how, s.Code, s.Message, s.State)
	}
	if s.Bytes == 0 || len(s.Dropped) > 0 || s.Seconds < 0.5 || s.Size < s.Bytes/2 {
		t.Errorf("%s: of %d bytes, %v are dropped; the file has %d, of %.2f s", how, s.Bytes, s.Dropped, s.Size, s.Seconds)
	}
	t.Logf("%s: %s", how, s.Message)
}

func TestWhyARecorderStoppedByItselfIsInTheReportInChromium(t *testing.T) {
	p := open(t, func(chromedp.ConsoleMessage) bool { return false })
	for _, how := range []string{"added", "removed"} {
		got := evaluate[stopped](t, p, fmt.Sprintf(`import("/page/attach.mjs").then((m) => m.changed(%q, false))`, how))
		got.check(t, how)
	}
}

func TestWhyARecorderStoppedByItselfIsInTheReportInFirefox(t *testing.T) {
	f := startFirefox(t)
	for _, how := range []string{"added", "removed"} {
		got := ask[stopped](t, f, fmt.Sprintf(`import("/page/attach.mjs").then((m) => m.changed(%q, true))`, how))
		got.check(t, how)
	}
}

func TestARecorderOfMP4IsRefusedWithWhatToAskFor(t *testing.T) {
	p := open(t, func(chromedp.ConsoleMessage) bool { return false })
	for _, throws := range []bool{true, false} {
		got := evaluate[struct{ Name, Code, Message string }](t, p, fmt.Sprintf(`import("/page/attach.mjs").then((m) => m.refused("video/mp4;codecs=vp9", %v))`, throws))
		if got.Name != "WebmendError" || got.Code != "not-webm" || !strings.Contains(strings.ToUpper(got.Message), "MP4") || !strings.Contains(got.Message, "give MediaRecorder the mimeType video/webm") {
			t.Errorf("it throws %+v", got)
		}
	}
}
