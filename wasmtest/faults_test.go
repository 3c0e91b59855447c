package wasmtest

// What pages and browsers do to recordings: callbacks that break, and what fails below them.

import (
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

func TestNoCallbackBreaksARecording(t *testing.T) {
	built(t, "spool.js")
	p := open(t, func(m chromedp.ConsoleMessage) bool {
		return m.Source == "network" && strings.Contains(m.URL, "/nowhere-near-the-module/") // whose absence is a test
	})
	runAll(t, p, "/page/callbacks.mjs", "tests")
}

func TestNoCallbackBreaksARecordingInFirefoxToo(t *testing.T) {
	inFirefoxToo(t, "/page/callbacks.mjs")
}

func TestACopyOnDiskSurvivesWhateverFails(t *testing.T) {
	built(t, "spool.js")
	p := open(t, func(chromedp.ConsoleMessage) bool { return false })
	runAll(t, p, "/page/faults.mjs", "tests")
}

func TestACopyOnDiskSurvivesWhateverFailsInFirefoxToo(t *testing.T) {
	inFirefoxToo(t, "/page/faults.mjs")
}
