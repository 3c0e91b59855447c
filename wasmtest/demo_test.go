package wasmtest

// The demo page in Firefox; demo has its tests in Chromium.

import (
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"testing"
)

func TestTheDemoPageRecordsRewindsScrubsAndClipsInFirefoxToo(t *testing.T) {
	t.Parallel()
	f := startFirefox(t)
	times := []float64{2.5, 0.5, 3.5, 1.75}
	list, err := json.Marshal(times)
	if err != nil {
		t.Fatal(err)
	}
	got := ask[struct {
		Report, Problem      string
		Duration, Start, End float64
		Rewound, Seen        []float64
		ClipSeen             float64
	}](t, f, fmt.Sprintf(`import("/page/demo.mjs").then((m) => m.use(%s))`, list))
	if got.Problem != "" || !strings.Contains(got.Report, "VP8 video, 640 × 360") || !strings.Contains(got.Report, "none were dropped") {
		t.Errorf("the page says %q; the report is %q", got.Problem, got.Report)
	}
	if got.Duration < 4 {
		t.Errorf("the file lasts %.3f s", got.Duration)
	}
	// The scene in a browser that is busy leaves out some frames.
	for i, time := range times {
		if math.Abs(got.Rewound[i]-time) > 0.25 || math.Abs(got.Seen[i]-time) > 0.25 {
			t.Errorf("at %g s is a frame of %.3f s while it records, and then of %.3f s", time, got.Rewound[i], got.Seen[i])
		}
	}
	if got.Start > 2 || math.Abs(got.End-got.Duration) > 0.1 {
		t.Errorf("the clip from 2 s on is cut at %.2f and %.2f s of %.2f", got.Start, got.End, got.Duration)
	}
	if math.Abs(got.ClipSeen-got.Start-0.5) > 0.25 {
		t.Errorf("half a second into a clip from %.2f s is a frame of %.3f s", got.Start, got.ClipSeen)
	}
}
