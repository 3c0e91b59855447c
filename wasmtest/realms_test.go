package wasmtest

// What comes of a frame's recorder, Blobs and bytes in the page around it.

import (
	"testing"

	"github.com/chromedp/chromedp"
)

func TestWhatAFrameGivesIsReadAsThePagesOwn(t *testing.T) {
	p := open(t, func(chromedp.ConsoleMessage) bool { return false })
	runAll(t, p, "/page/realms.mjs", "tests")
}

func TestWhatAFrameGivesIsReadAsThePagesOwnInFirefoxToo(t *testing.T) {
	t.Parallel()
	askAll(t, startFirefox(t), "/page/realms.mjs")
}
