package wasmtest

// The package with its worker: that recordings come out of it as they do
// of the page, and that pages where there can be no worker do not notice.

import (
	"fmt"
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
	for _, name := range []string{"worker.js", "webmend.trap.wasm"} {
		built(t, name)
	}
	f := startFirefox(t)
	names := ask[[]string](t, f, `import("/page/worker.mjs").then((m) => Object.keys(globalThis.tests = m.tests))`)
	if len(names) == 0 {
		t.Error("worker.mjs has no tests")
	}
	for _, name := range names {
		t.Run(name, func(t *testing.T) { ask[any](t, f, fmt.Sprintf(`tests[%q]()`, name)) })
	}
}

func TestAPageWhosePolicyForbidsWorkersDoesTheWorkItself(t *testing.T) {
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
	runAll(t, p, "/page/worker.mjs", "withoutWorkers")
}
