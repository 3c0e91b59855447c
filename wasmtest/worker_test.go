package wasmtest

// The package with its worker: that recordings come out of it as they do
// of the page, and that pages where there can be no worker do not notice.

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

func TestAWorkerDoesWhatThePageDoes(t *testing.T) {
	for _, name := range []string{"worker.js", "webmend.trap.wasm"} {
		built(t, name)
	}
	p := open(t, func(m chromedp.ConsoleMessage) bool {
		return m.Source == "network" && strings.Contains(m.URL, "/nowhere-near-the-module/") // whose absence is a test
	})
	runAll(t, p, "/page/worker.mjs", "tests")
	runAll(t, p, "/page/worker.mjs", "withRecorder")
}

func TestAWorkerDoesWhatThePageDoesInFirefoxToo(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"worker.js", "webmend.trap.wasm"} {
		built(t, name)
	}
	f := startFirefox(t)
	askAll(t, f, "/page/worker.mjs")
}

// openWithoutWorkers opens the test page with a policy that forbids workers.
func openWithoutWorkers(t *testing.T) *tab {
	t.Helper()
	p := open(t, func(m chromedp.ConsoleMessage) bool {
		return strings.Contains(m.String(), "worker-src") // what the policy has to say
	})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Security-Policy", "worker-src 'none'")
		p.handler().ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	if err := chromedp.Do(p.ctx, chromedp.Navigate(server.URL+"/page/")); err != nil {
		t.Fatal(err)
	}
	return p
}

func TestAPageWhosePolicyForbidsWorkersDoesTheWorkItself(t *testing.T) {
	p := openWithoutWorkers(t)
	runAll(t, p, "/page/worker.mjs", "withoutWorkers")
}
