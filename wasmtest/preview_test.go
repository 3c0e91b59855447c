package wasmtest

// Previews of what the recorders of both browsers record meanwhile.

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

// A painted is a picture that a preview has shown.
type painted struct {
	N      int     // its number
	Time   float64 // s, on the preview's timeline
	Behind float64 // s, before what there was of the recording
	Drawn  float64 // ms, when it was drawn
	Late   float64 // ms, since then
	To     float64 // s, where it was to go
}

// A followed is what came of a preview.
type followed struct {
	Live, Again, Back []painted
	Buffered          [][][2]float64
	IsLive            []bool
	Duration          struct{ Recorded, Shown, End, Start float64 }
	First             float64 // s, of the first recording
	OtherAt           float64
	Left              struct{ Src, Error *string }
}

// checkLive checks that most of what was shown was at most a second behind what there
// was of the recording. How late it was by the clock depends on the machine, too.
func checkLive(t *testing.T, what string, shown []painted) {
	t.Helper()
	if len(shown) == 0 {
		t.Fatalf("%s: nothing was painted", what)
	}
	var late, behind []float64
	for _, p := range shown {
		late, behind = append(late, p.Late), append(behind, p.Behind)
	}
	slices.Sort(late)
	slices.Sort(behind)
	half, most := len(shown)/2, len(shown)*9/10
	t.Logf("%s: %d pictures, half of them %.0f ms after they were drawn and %.2f s behind, nine in ten %.0f and %.2f",
		what, len(shown), late[half], behind[half], late[most], behind[most])
	if behind[half] > 1 {
		t.Errorf("%s: pictures are shown %.2f s behind", what, behind[half])
	}
}

// checkBack checks that where the preview was to go it shows what was drawn then, before
// the recorder paused.
func checkBack(t *testing.T, back, live []painted) {
	t.Helper()
	var begins []float64
	for _, p := range live {
		begins = append(begins, p.Drawn-1000*p.Time)
	}
	slices.Sort(begins)
	for _, b := range back {
		if math.Abs(b.Time-b.To) > 0.3 {
			t.Errorf("at %.2f it shows what is at %.2f", b.To, b.Time)
		}
		if drawn := b.Drawn - begins[len(begins)/2] - 1000*b.Time; b.Time < 8 && math.Abs(drawn) > 400 {
			t.Errorf("at %.2f it shows picture %d, which was drawn %.0f ms later", b.To, b.N, drawn)
		}
	}
}

// checkBuffered checks that there was one range, and not longer than that. Where a recorder
// pauses or begins again there may be a moment without a picture.
func checkBuffered(t *testing.T, all [][][2]float64, longest float64) {
	t.Helper()
	const moment = 0.8
	for i, ranges := range all {
		if len(ranges) == 0 {
			t.Errorf("%d: nothing is buffered", i)
			continue
		}
		for j := range ranges[1:] {
			if ranges[j+1][0]-ranges[j][1] > moment {
				t.Errorf("%d: buffered are %v, with a hole", i, ranges)
			}
		}
		if ranges[len(ranges)-1][1]-ranges[0][0] > longest {
			t.Errorf("%d: buffered are %v, more than %v s", i, ranges, longest)
		}
	}
}

func (f *followed) check(t *testing.T) {
	t.Helper()
	checkLive(t, "live", f.Live)
	checkLive(t, "live again", f.Again)
	checkBack(t, f.Back, f.Live)
	checkBuffered(t, f.Buffered, 3+3+2*4.5) // what is kept, and a key frame's worth on both sides
	if fmt.Sprint(f.IsLive) != "[true false true true]" {
		t.Errorf("it is live: %v", f.IsLive)
	}
	d := f.Duration
	if math.Abs(d.Shown-d.Recorded) > guessed || math.Abs(d.End-d.Recorded) > guessed || d.Start > 0.5 {
		t.Errorf("durations and ends are %+v", d)
	}
	if f.Left.Src != nil || f.Left.Error != nil {
		t.Error("the element is not empty after it was closed")
	}
}

func (f *followed) checkRestarted(t *testing.T) {
	t.Helper()
	checkLive(t, "of the second recording", f.Live)
	checkBuffered(t, f.Buffered, 60)
	if fmt.Sprint(f.IsLive) != "[true false]" || f.OtherAt > f.First {
		t.Errorf("they are live: %v; the one that was paused is at %.2f", f.IsLive, f.OtherAt)
	}
	for i, b := range f.Back[1:] {
		if a := f.Back[i]; (a.N < b.N) != (a.Time < b.Time) {
			t.Errorf("picture %d is at %.2f, and %d at %.2f", a.N, a.Time, b.N, b.Time)
		}
	}
}

func TestAPreviewShowsWhatIsRecordedInChromium(t *testing.T) {
	for _, c := range []struct {
		name, mimeType string
		worker         bool
	}{
		{"vp8, by the page", "video/webm;codecs=vp8,opus", false},
		{"vp9, by the worker", "video/webm;codecs=vp9,opus", true},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := open(t, func(chromedp.ConsoleMessage) bool { return false })
			evaluate[chromedp.Void](t, p, fmt.Sprintf(`import("/dist/index.js").then((m) => m.init({ worker: %v }))`, c.worker))
			got := evaluate[followed](t, p, fmt.Sprintf(`import("/page/preview.mjs").then((m) => m.follow({ mimeType: %q }))`, c.mimeType))
			got.check(t)
		})
	}
}

func TestAPreviewOfARestartedRecorderGoesOnInChromium(t *testing.T) {
	p := open(t, func(chromedp.ConsoleMessage) bool { return false })
	got := evaluate[followed](t, p, `import("/page/preview.mjs").then((m) => m.restarted({ mimeType: "video/webm;codecs=vp8,opus" }))`)
	got.checkRestarted(t)
}

// A takeover is what came of several previews in one element.
type takeover struct {
	Stays       bool
	Live, Again []painted
	Errors      []string
	Left        struct{ Src, Error *string }
}

func (o *takeover) check(t *testing.T) {
	t.Helper()
	checkLive(t, "of the second preview", o.Live)
	checkLive(t, "of the last preview", o.Again)
	if !o.Stays || len(o.Errors) > 0 || o.Left.Src != nil || o.Left.Error != nil {
		t.Errorf("that it stays when the first is closed is %v; errors are %v; it leaves %+v", o.Stays, o.Errors, o.Left)
	}
}

// refusals are how previews are refused, by what is wrong.
var refusals = map[string]string{
	"[object HTMLBodyElement]":   "WebmendError invalid-argument webmend: a preview needs a <video> or <audio> element to play in, not [object HTMLBodyElement]",
	"[object HTMLCanvasElement]": "WebmendError invalid-argument webmend: a preview needs a <video> or <audio> element to play in, not [object HTMLCanvasElement]",
	"null":                       "WebmendError invalid-argument webmend: a preview needs a <video> or <audio> element to play in, not null",
	"undefined":                  "WebmendError invalid-argument webmend: a preview needs a <video> or <audio> element to play in, not undefined",
	"video":                      "WebmendError invalid-argument webmend: a preview needs a <video> or <audio> element to play in, not video",
	"aborted":                    "AbortError 20 ",
	"closed meanwhile":           "WebmendError finished webmend: the recording was closed, and has nothing left to play: close it after its preview",
	"closed":                     "WebmendError finished webmend: the recording was closed, and has nothing left to play: close it after its preview",
}

func checkRefusals(t *testing.T, got map[string]string) {
	t.Helper()
	if len(got) != len(refusals) {
		t.Errorf("%d are refused", len(got))
	}
	for what, want := range refusals {
		if !strings.HasPrefix(got[what], want) {
			t.Errorf("%s: %s; want %s", what, got[what], want)
		}
	}
}

func TestAPreviewTakesItsElementOverFromTheOneBeforeInChromium(t *testing.T) {
	p := open(t, func(chromedp.ConsoleMessage) bool { return false })
	got := evaluate[takeover](t, p, `import("/page/preview.mjs").then((m) => m.takenOver({ mimeType: "video/webm;codecs=vp8,opus" }))`)
	got.check(t)
	checkRefusals(t, evaluate[map[string]string](t, p, `import("/page/preview.mjs").then((m) => m.refused())`))
}

func TestAPreviewTakesItsElementOverFromTheOneBeforeInFirefox(t *testing.T) {
	f := startFirefox(t)
	got := ask[takeover](t, f, `import("/page/preview.mjs").then((m) => m.takenOver({ mimeType: "video/webm;codecs=vp8,opus", microphone: true }))`)
	got.check(t)
	checkRefusals(t, ask[map[string]string](t, f, `import("/page/preview.mjs").then((m) => m.refused({ microphone: true }))`))
}

func TestAPreviewOfSoundAloneInChromium(t *testing.T) {
	p := open(t, func(chromedp.ConsoleMessage) bool { return false })
	got := evaluate[struct {
		followed
		Behind float64
	}](t, p, `import("/page/preview.mjs").then((m) => m.soundOnly({}))`)
	if got.Behind > 1 || !got.IsLive[0] {
		t.Errorf("it is %.2f s behind, and live: %v", got.Behind, got.IsLive)
	}
	checkBuffered(t, got.Buffered, 60)
}

func TestAPreviewOfH264IsAFileInChromium(t *testing.T) {
	p := open(t, func(chromedp.ConsoleMessage) bool { return false })
	got := evaluate[struct {
		Src           string
		First, Second float64
		Supported     bool
	}](t, p, `import("/page/preview.mjs").then((m) => m.asFile({ mimeType: "video/x-matroska;codecs=avc1,opus" }))`)
	if got.Supported || got.Src != "blob:" || got.First > got.Second {
		t.Errorf("it is %+v", got)
	}
}

func TestAPreviewGoesOnWhereTheBrowserHasNoMoreRoom(t *testing.T) {
	small := func() (context.Context, error) {
		return startChromium(chromedp.Flag("mse-video-buffer-size-limit-mb", "3"), chromedp.Flag("mse-audio-buffer-size-limit-mb", "1"))
	}
	p := openIn(t, small, func(chromedp.ConsoleMessage) bool { return false })
	got := evaluate[struct {
		followed
		Refused string
	}](t, p, `import("/page/preview.mjs").then((m) => m.crowded({ mimeType: "video/webm;codecs=vp8,opus", videoBitsPerSecond: 8e6 }))`)
	if got.Refused != "QuotaExceededError" || fmt.Sprint(got.IsLive) != "[false true]" {
		t.Errorf("it is refused by %q, and live: %v", got.Refused, got.IsLive)
	}
	checkBuffered(t, got.Buffered, 30)
}

func TestAPreviewShowsWhatIsRecordedInFirefox(t *testing.T) {
	f := startFirefox(t)
	got := ask[followed](t, f, `import("/page/preview.mjs").then((m) => m.follow({ mimeType: "video/webm;codecs=vp8,opus", microphone: true }))`)
	got.check(t)
	got = ask[followed](t, f, `import("/page/preview.mjs").then((m) => m.restarted({ mimeType: "video/webm;codecs=vp8,opus", microphone: true }))`)
	got.checkRestarted(t)
}
