package wasmtest

// The package in service workers, where import() is not allowed: the inline builds have all
// scripts inside.

import (
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

// served is what came of each thing that a service worker was to do, and what must.
type served struct{ Want, Got map[string]any }

const inServiceWorker = `import("/page/in-service-worker.mjs").then((m) => m.run(%q, %q))`

const (
	asScript = "/page/service-worker.js?build=webmend.inline.global.js" // which every browser has
	asModule = "/page/service-worker-inline.mjs"
)

func (s served) check(t *testing.T) {
	t.Helper()
	if len(s.Got) != 6 || !reflect.DeepEqual(s.Got, s.Want) {
		t.Errorf("what comes of it is %v; want %v", s.Got, s.Want)
	}
}

func TestAServiceWorkerDoesEverythingWithTheInlineBuildsInChromium(t *testing.T) {
	p := open(t, func(chromedp.ConsoleMessage) bool { return false })
	evaluate[served](t, p, fmt.Sprintf(inServiceWorker, asScript, "classic")).check(t)
	evaluate[served](t, p, fmt.Sprintf(inServiceWorker, asModule, "module")).check(t)
}

func TestAServiceWorkerDoesEverythingWithTheInlineBuildsInFirefox(t *testing.T) {
	f := startFirefox(t)
	ask[served](t, f, fmt.Sprintf(inServiceWorker, asScript, "classic")).check(t)
}

func TestTheMainEntryTellsAServiceWorkerToUseTheInlineOne(t *testing.T) {
	p := open(t, func(chromedp.ConsoleMessage) bool { return false })
	got := evaluate[served](t, p, fmt.Sprintf(inServiceWorker, "/page/service-worker-index.mjs", "module"))
	if got.Got["segments"] != got.Want["segments"] {
		t.Errorf("segments, for which nothing is loaded, are %v; want %v", got.Got["segments"], got.Want["segments"])
	}
	for _, name := range []string{"parts", "crc32", "recoverable", "repair", "replay"} {
		said := fmt.Sprint(got.Got[name])
		if !strings.HasPrefix(said, "WebmendError load: webmend: ") || !strings.Contains(said, "a service worker needs webmend/inline") {
			t.Errorf("%s: %s", name, said)
		}
	}
}
