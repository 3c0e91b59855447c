package wasmtest

// Recordings that Chromium makes while it stands still, as where a laptop sleeps, a
// machine has too much to do or a page is busy. Its encoders make nothing meanwhile, so
// that nothing refers to what is not there: all that it delivers is whole.

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// A stalled is what the report says of a recording, of what these tests are about.
type stalled struct {
	Bytes      int
	Recordings []struct {
		Repeated int
		Duration float64
		Tracks   []struct {
			Number int
			Type   string
		}
	}
	Dropped, Missing, Undecodable []json.RawMessage

	Gaps []struct {
		Recording  int
		Tracks     []int
		Start, End float64 // s
		Offset     int64
	}
	Error *struct{ Code, Message string }
}

// stops are how long it is stopped, each time for longer.
var stops = []time.Duration{300 * time.Millisecond, 700 * time.Millisecond, 1500 * time.Millisecond}

func TestNothingThatChromiumDeliversIsLeftOutHoweverLongItStoodStill(t *testing.T) {
	browser, err := startChromium()
	if err != nil {
		t.Fatalf("no browser to test with: %v", err)
	}
	p := openIn(t, func() (context.Context, error) { return browser, nil }, func(chromedp.ConsoleMessage) bool { return false })
	isRenderer := func(arguments string) bool { return strings.Contains(arguments, "--type=renderer") }
	isAny := func(string) bool { return true }

	for _, c := range []struct {
		name  string
		sound string
		stall func(t *testing.T, p *tab) // at another time of each recording
	}{
		{"its renderer is stopped", "a tone", func(t *testing.T, p *tab) { stop(t, browser, isRenderer, p) }},
		{"its renderer is stopped while nothing is to be heard", "silence", func(t *testing.T, p *tab) { stop(t, browser, isRenderer, p) }},
		{"all of it is stopped", "a tone", func(t *testing.T, p *tab) { stop(t, browser, isAny, p) }},
		{"the page is busy while nothing is to be heard", "silence", busy},
		{"the page is busy while the sound is off", "a track that is disabled", busy},
	} {
		t.Run(c.name, func(t *testing.T) {
			evaluate[chromedp.Void](t, p, fmt.Sprintf(`import("/page/stalls.mjs").then((m) => m.start({ sound: %q })).then((r) => void (globalThis.recorded = r))`, c.sound))
			evaluate[chromedp.Void](t, p, `recorded.more(0.8)`)
			c.stall(t, p)
			r := evaluate[stalled](t, p, fmt.Sprintf(`recorded.finish(%q)`, c.name))
			if longest := checkStalled(t, p, c.name, r); longest < aHole {
				t.Errorf("it has packets all the time, but for %.3f s: it did not stand still", longest)
			}
		})
	}
}

// busy keeps the page busy.
func busy(t *testing.T, p *tab) {
	evaluate[chromedp.Void](t, p, `recorded.busy(1)`)
	evaluate[chromedp.Void](t, p, `recorded.more(0.6)`)
}

// stop stops those processes of a browser whose arguments are wanted, as often as there
// are stops, and has the page record a while after each.
func stop(t *testing.T, browser context.Context, wanted func(arguments string) bool, p *tab) {
	t.Helper()
	var pids []int
	for _, pid := range processes(chromedp.FromContext(browser).Browser.Process().Pid) {
		arguments, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
		if err == nil && wanted(string(arguments)) {
			pids = append(pids, pid)
		}
	}
	if len(pids) == 0 {
		t.Fatal("there is no such process")
	}
	send := func(signal syscall.Signal) {
		for _, pid := range pids {
			if err := syscall.Kill(pid, signal); err != nil && err != syscall.ESRCH {
				t.Errorf("process %d: %v", pid, err)
			}
		}
	}
	defer send(syscall.SIGCONT)
	for _, d := range stops {
		send(syscall.SIGSTOP)
		time.Sleep(d)
		send(syscall.SIGCONT)
		evaluate[chromedp.Void](t, p, `recorded.more(0.6)`)
	}
}

// processes are a process and those that it started, and those that these started.
func processes(pid int) []int {
	all := []int{pid}
	files, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid))
	for _, path := range files {
		children, _ := os.ReadFile(path) // one that has ended has none
		for child := range strings.FieldsSeq(string(children)) {
			if n, err := strconv.Atoi(child); err == nil {
				all = append(all, processes(n)...)
			}
		}
	}
	return all
}

// checkStalled checks a recording and what was made of it, and returns how long its
// longest hole is, in seconds.
func checkStalled(t *testing.T, p *tab, name string, r stalled) (longest float64) {
	t.Helper()
	delivered := p.uploaded(name + "/delivered")
	t.Cleanup(func() {
		if t.Failed() {
			keep(t, "stalled "+name+".webm", delivered)
		}
	})
	if r.Bytes != len(delivered) || len(r.Recordings) != 1 || len(delivered) == 0 {
		t.Fatalf("%d bytes in %d recordings; %d were delivered", r.Bytes, len(r.Recordings), len(delivered))
	}
	for what, all := range map[string][]json.RawMessage{"dropped": r.Dropped, "missing": r.Missing, "undecodable": r.Undecodable} {
		if len(all) > 0 {
			t.Errorf("nothing was lost, and %d are %s: %s", len(all), what, all[0])
		}
	}
	if r.Recordings[0].Repeated > 0 || r.Error != nil {
		t.Errorf("%d blocks are called repeated, error %v", r.Recordings[0].Repeated, r.Error)
	}

	seekable := file(t, p.uploaded(name+"/seekable"))
	want, got, clip := frames(t, file(t, delivered)), frames(t, seekable), frames(t, file(t, p.uploaded(name+"/clip")))
	if len(want) != 2 || len(want[0]) == 0 || len(want[1]) == 0 {
		t.Fatalf("the recorder delivered %d tracks", len(want))
	}
	hash := func(f frame) string { return f.hash }
	compareFrames(t, "the seekable file", got, want, func(f frame) string { return fmt.Sprintf("%s at %d", f.hash, f.ticks) })
	compareFrames(t, "the clip of all", clip, want, hash)
	decodesInFull(t, seekable)

	for i, packets := range timed(t, file(t, delivered)) {
		track := r.Recordings[0].Tracks[i]
		for _, h := range holes(packets) {
			longest = max(longest, h.end-h.start)
			t.Logf("no %s from %.3f to %.3f s, of which %.3f s are not made good", track.Type, h.start, h.end, h.lost)
			if track.Type != "audio" {
				continue
			}
			told := false
			for _, g := range r.Gaps {
				told = told || g.Start < h.end && g.End > h.start && slices.Contains(g.Tracks, track.Number)
			}
			if h.lost > 0.3 && !told {
				t.Errorf("there is no sound from %.3f to %.3f s, and the gaps are %+v", h.start, h.end, r.Gaps)
			}
			if h.lost < 0.06 && told { // a packet lasts as long
				t.Errorf("all sound from %.3f to %.3f s came late, and the gaps are %+v", h.start, h.end, r.Gaps)
			}
		}
	}
	for _, g := range r.Gaps {
		if g.End <= g.Start || g.Offset <= 0 || g.Offset >= int64(r.Bytes) || g.Recording != 0 {
			t.Errorf("a gap is %+v", g)
		}
	}
	return longest
}

// compareFrames compares frames by what is shown of them, track by track.
func compareFrames(t *testing.T, name string, got, want [][]frame, show func(frame) string) {
	t.Helper()
	if len(got) != len(want) {
		t.Errorf("%s has %d tracks, not %d", name, len(got), len(want))
		return
	}
	for i := range want {
		j := 0 // the first that is not the same
		for j < min(len(got[i]), len(want[i])) && show(got[i][j]) == show(want[i][j]) {
			j++
		}
		if j < max(len(got[i]), len(want[i])) {
			at := int64(-1)
			if j < len(want[i]) {
				at = want[i][j].ticks
			}
			t.Errorf("%s has %d packets of stream %d; the recorder delivered %d, and the first that is not there is number %d, at %d ms", name, len(got[i]), i, len(want[i]), j, at)
		}
	}
}

// decodesInFull has ffmpeg decode a file, of which it may only say that packets share a time.
func decodesInFull(t *testing.T, path string) {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "ffmpeg", "-v", "error", "-i", path, "-map", "0", "-fps_mode", "passthrough", "-enc_time_base", "-1", "-f", "null", "-").CombinedOutput()
	if err != nil {
		t.Errorf("ffmpeg: %v", err)
	}
	for line := range strings.Lines(string(out)) {
		if !timeLine.MatchString(line) {
			t.Errorf("ffmpeg: %s", line)
		}
	}
}

// A packetTime is when a packet begins and how long it lasts, in seconds.
type packetTime struct{ at, lasts float64 }

// timed are the packets of each track of a file. What of video says nothing lasts for
// nothing.
func timed(t *testing.T, path string) (all [][]packetTime) {
	t.Helper()
	for line := range strings.Lines(string(run(t, "ffprobe", "-v", "fatal", "-show_entries", "packet=stream_index,pts_time,duration_time", "-of", "csv=p=0", path))) {
		values := strings.Split(strings.TrimSpace(line), ",")
		if len(values) < 3 {
			continue // what belongs to the packet beside its data
		}
		var n [3]float64
		for i := range n {
			n[i], _ = strconv.ParseFloat(values[i], 64) // or N/A
		}
		for len(all) <= int(n[0]) {
			all = append(all, nil)
		}
		all[int(n[0])] = append(all[int(n[0])], packetTime{n[1], n[2]})
	}
	return all
}

// A hole is a while in which no packet of a track begins or lasts, in seconds. What is
// lost of it is less where packets come late: then those after it are closer together
// than they last.
type hole struct{ start, end, lost float64 }

// aHole is how many seconds one has at least.
const aHole = 0.25

func holes(packets []packetTime) (all []hole) {
	for i := 1; i < len(packets); i++ {
		before := packets[i-1]
		h := hole{before.at + before.lasts, packets[i].at, packets[i].at - before.at - before.lasts}
		if h.lost < aHole {
			continue
		}
		// Up to the next hole, or to the end.
		due := h.start
		for j, p := range packets[i:] {
			if j > 0 && p.at-packets[i+j-1].at-packets[i+j-1].lasts >= aHole {
				break
			}
			h.lost = min(h.lost, p.at-due)
			due += p.lasts
		}
		all = append(all, h)
	}
	return all
}
