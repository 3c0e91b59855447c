package wasmtest

// The module in Chromium, with what its MediaRecorder records while it is recorded.

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/http/httptest"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/webmend/webmend/webm"
)

// chromium is one browser for all tests, started by the first.
var chromium = sync.OnceValues(func() (context.Context, error) { return startChromium() })

// startChromium starts one that ends with the tests.
func startChromium(more ...chromedp.ExecAllocatorOption) (context.Context, error) {
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.NoSandbox, // which root cannot have
		chromedp.DisableGPU,
		chromedp.Flag("autoplay-policy", "no-user-gesture-required"),
		chromedp.Flag("disable-component-update", true),
	)
	options = append(options, more...)
	ctx, cancel := chromedp.NewExecAllocator(context.Background(), options...)
	stopChromium = append(stopChromium, cancel)
	ctx, cancel = chromedp.NewContext(ctx)
	stopChromium = append(stopChromium, cancel)
	return ctx, chromedp.Do(ctx)
}

var stopChromium []func()

func TestMain(m *testing.M) {
	code := m.Run()
	for _, stop := range slices.Backward(stopChromium) {
		stop()
	}
	removeShipped()
	os.Exit(code)
}

// A tab shows the test page. What it writes to the console as an error, and what
// it throws and does not catch, fails the test.
type tab struct {
	t       testing.TB
	browser func() (context.Context, error)
	ctx     context.Context
	uploads *sync.Map // bytes by name
	console []string
	quiet   func(chromedp.ConsoleMessage) bool // messages that are no failure
	read    sync.WaitGroup
}

func open(t testing.TB, quiet func(chromedp.ConsoleMessage) bool) *tab {
	t.Helper()
	return openIn(t, chromium, quiet)
}

// openIn opens a tab in a browser of its own.
func openIn(t testing.TB, browser func() (context.Context, error), quiet func(chromedp.ConsoleMessage) bool) *tab {
	t.Helper()
	for _, name := range []string{"index.js", "webmend.global.js", linked, plain, "webmend.go.wasm"} {
		built(t, name)
	}
	p := &tab{t: t, browser: browser, uploads: &sync.Map{}, quiet: quiet}
	server := httptest.NewServer(p.handler())
	t.Cleanup(server.Close)
	p.show(server.URL + "/page/")
	return p
}

// show opens the tab at an address.
func (p *tab) show(url string) {
	p.t.Helper()
	browser, err := p.browser()
	if err != nil {
		p.t.Fatalf("no browser to test with: %v", err)
	}
	ctx, cancel := chromedp.NewContext(browser)
	p.ctx = ctx
	messages := chromedp.Console(ctx)
	p.read.Go(func() {
		for m, err := range messages {
			if err != nil {
				return
			}
			if (m.Type == chromedp.ConsoleError || m.IsException()) && !p.quiet(m) {
				p.console = append(p.console, fmt.Sprintf("%v (%s:%d)", m, m.URL, m.Line+1))
			}
		}
	})
	p.t.Cleanup(func() {
		cancel()
		p.read.Wait()
		for _, m := range p.console {
			p.t.Errorf("console: %s", m)
		}
	})
	if err := chromedp.Do(ctx, chromedp.Navigate(url)); err != nil {
		p.t.Fatal(err)
	}
}

func (p *tab) handler() http.Handler {
	mux := http.NewServeMux()
	package_ := http.FileServer(http.Dir(dist))
	mux.Handle("/dist/", http.StripPrefix("/dist", package_))
	mux.Handle("/demo/", http.StripPrefix("/demo", http.FileServer(http.Dir("../demo/page"))))
	mux.Handle("/demo/dist/", http.StripPrefix("/demo/dist", package_))
	mux.Handle("/page/", http.StripPrefix("/page", http.FileServer(http.Dir("page"))))
	mux.Handle("/testdata/", http.StripPrefix("/testdata", http.FileServer(http.Dir("../webm/testdata"))))
	mux.HandleFunc("/wasm_exec.js", func(w http.ResponseWriter, r *http.Request) {
		http.ServeFile(w, r, filepath.Join(goroot(p.t), "lib/wasm/wasm_exec.js"))
	})

	// The package where its module comes only when the page says so, where the
	// server has other types for it, and where it is not at all.
	gate := make(chan struct{})
	mux.HandleFunc("POST /open-the-gate", func(http.ResponseWriter, *http.Request) { close(gate) })
	scripts := func(folder string) {
		for _, name := range []string{"/index.js", "/make.js", "/midstream.js"} {
			mux.Handle(folder+name, http.StripPrefix(folder, package_))
		}
	}
	scripts("/gated")
	mux.HandleFunc("/gated/webmend.wasm", func(w http.ResponseWriter, r *http.Request) {
		select {
		case <-gate:
		case <-r.Context().Done():
		}
		http.StripPrefix("/gated", package_).ServeHTTP(w, r)
	})
	for folder, contentType := range map[string]string{
		"/plain":      "text/plain",
		"/parameters": "application/wasm; charset=utf-8",
		"/page-there": "text/html",
	} {
		scripts(folder)
		mux.HandleFunc(folder+"/webmend.wasm", func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", contentType)
			http.StripPrefix(folder, package_).ServeHTTP(w, r)
		})
	}
	scripts("/nowhere-near-the-module")

	// The package whose other scripts come only when the page says so.
	var mended atomic.Bool
	mux.HandleFunc("POST /mend", func(http.ResponseWriter, *http.Request) { mended.Store(true) })
	mux.Handle("/flaky/", http.StripPrefix("/flaky", package_))
	for _, name := range []string{"make", "tail"} {
		mux.HandleFunc("/flaky/"+name+".js", func(w http.ResponseWriter, r *http.Request) {
			if mended.Load() {
				http.StripPrefix("/flaky", package_).ServeHTTP(w, r)
			} else {
				http.Error(w, "not yet", http.StatusBadGateway)
			}
		})
	}

	// The package without the worker's script, and where the one for copies on disk never comes.
	mux.Handle("/pages-only/", http.StripPrefix("/pages-only", package_))
	mux.HandleFunc("/pages-only/remote.js", http.NotFound)
	mux.Handle("/hanging/", http.StripPrefix("/hanging", package_))
	mux.HandleFunc("/hanging/spool.js", func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })

	mux.HandleFunc("POST /upload/{name...}", func(w http.ResponseWriter, r *http.Request) {
		data, err := io.ReadAll(r.Body)
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		p.uploads.Store(r.PathValue("name"), data)
	})
	mux.HandleFunc("GET /upload/{name...}", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", mime.TypeByExtension(path.Ext(r.URL.Path)))
		w.Header().Set("Cache-Control", "max-age=3600")
		w.Write(p.uploaded(r.PathValue("name")))
	})
	return mux
}

// uploaded is what the page has uploaded by that name.
func (p *tab) uploaded(name string) []byte {
	data, _ := p.uploads.Load(name)
	b, _ := data.([]byte)
	return b
}

// evaluate is the value of a promise in the tab.
func evaluate[T any](t testing.TB, p *tab, expression string) T {
	t.Helper()
	v, err := chromedp.Run(p.ctx, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
	if err != nil {
		t.Fatalf("%.200s: %v", expression, err)
	}
	return v
}

// A config is a way to record.
type config struct {
	Name        string `json:"name"`
	MimeType    string `json:"mimeType"`
	Video       bool   `json:"video"`
	Audio       bool   `json:"audio"`
	Alpha       bool   `json:"alpha"`                 // whether the canvas has an alpha channel, as is the default
	Timeslice   *int   `json:"timeslice,omitempty"`   // ms, or none
	KeyInterval int    `json:"keyInterval,omitempty"` // ms from key frame to key frame, or Chromium's default
	Script      string `json:"script,omitempty"`      // what is done beside start and stop

	want string // the media type that webmend makes of it, or its beginning
}

var configs = []config{
	{Name: "vp8 and opus every 50 ms", MimeType: "video/webm;codecs=vp8,opus", Video: true, Audio: true, Timeslice: new(50),
		want: `video/webm; codecs="`},
	{Name: "vp8 with alpha and opus every 250 ms", MimeType: "video/webm;codecs=vp8,opus", Video: true, Audio: true, Alpha: true, Timeslice: new(250),
		want: `video/webm; codecs="`},
	{Name: "vp8 and opus every 1000 ms", MimeType: "video/webm;codecs=vp8,opus", Video: true, Audio: true, Timeslice: new(1000),
		want: `video/webm; codecs="`},
	{Name: "vp8 and opus at the end", MimeType: "video/webm;codecs=vp8,opus", Video: true, Audio: true,
		want: `video/webm; codecs="`},
	{Name: "vp9 with alpha and opus every 250 ms", MimeType: "video/webm;codecs=vp9,opus", Video: true, Audio: true, Alpha: true, Timeslice: new(250),
		want: `video/webm; codecs="`},
	{Name: "vp9 and opus at the end", MimeType: "video/webm;codecs=vp9,opus", Video: true, Audio: true,
		want: `video/webm; codecs="`},
	{Name: "av1 and opus every 250 ms", MimeType: "video/webm;codecs=av01,opus", Video: true, Audio: true, Timeslice: new(250),
		want: `video/webm; codecs="`},
	{Name: "h264 and opus every 250 ms", MimeType: "video/x-matroska;codecs=avc1,opus", Video: true, Audio: true, Timeslice: new(250),
		want: `video/x-matroska; codecs="`},
	{Name: "opus alone every 50 ms", MimeType: "audio/webm;codecs=opus", Audio: true, Timeslice: new(50),
		want: `audio/webm; codecs="opus"`},
	{Name: "opus alone at the end", MimeType: "audio/webm;codecs=opus", Audio: true,
		want: `audio/webm; codecs="opus"`},
	{Name: "vp8 alone every 1000 ms", MimeType: "video/webm;codecs=vp8", Video: true, Timeslice: new(1000), KeyInterval: 500,
		want: `video/webm; codecs="vp8"`},
	{Name: "vp9 alone every 50 ms", MimeType: "video/webm;codecs=vp9", Video: true, Timeslice: new(50), KeyInterval: 500,
		want: `video/webm; codecs="vp09.`},
	{Name: "pause and resume", MimeType: "video/webm;codecs=vp8,opus", Video: true, Audio: true, Timeslice: new(250), Script: "pause",
		want: `video/webm; codecs="`},
	{Name: "requestData at once", MimeType: "video/webm;codecs=vp8,opus", Video: true, Audio: true, KeyInterval: 500, Script: "early requestData",
		want: `video/webm; codecs="`},
	{Name: "requestData after clusters", MimeType: "video/webm;codecs=vp8,opus", Video: true, Audio: true, KeyInterval: 500, Script: "late requestData",
		want: `video/webm; codecs="`},
	{Name: "one recorder started twice", MimeType: "video/webm;codecs=vp8,opus", Video: true, Audio: true, Timeslice: new(100), Script: "restart",
		want: `video/webm; codecs="`},
}

// facts are what the page says of a recording.
type facts struct {
	Error  string
	Blobs  []int
	Builds map[string]struct {
		Headers, Clusters, Other, Dropped []webm.Range
		Early                             int // clusters that came before stop
	}
	Plays []struct {
		Recording, Clusters int
		Duration            float64 // s, by webmend
		Ended               bool
		Times               []float64 // at each timeupdate
		Width, Height       int
	}
	MimeType string
	Buffered [][2]float64
}

func TestWhatChromiumRecordsIsSplitWhileItIsRecordedAndPlays(t *testing.T) {
	p := open(t, func(chromedp.ConsoleMessage) bool { return false })
	arguments, err := json.Marshal(configs)
	if err != nil {
		t.Fatal(err)
	}
	for i, f := range evaluate[[]facts](t, p, `import("/page/record.mjs").then((m) => m.recordAll(`+string(arguments)+`))`) {
		c := configs[i]
		t.Run(c.Name, func(t *testing.T) {
			if f.Error != "" {
				t.Fatal(f.Error)
			}
			stream := p.uploaded(c.Name + "/stream")
			t.Cleanup(func() {
				if t.Failed() {
					keep(t, c.Name+".webm", stream)
				}
			})
			checkSplit(t, p, c, f, stream)
			checkPlayed(t, c, f)
		})
	}
}

// checkSplit checks what the builds made of the blobs.
func checkSplit(t *testing.T, p *tab, c config, f facts, stream []byte) {
	t.Helper()
	s := webm.NewSplitter(webm.Options{})
	if err := s.Push(stream); err != nil {
		t.Fatal(err)
	}
	report, err := s.Finish()
	if err != nil {
		t.Fatal(err)
	}
	var headers, clusters []webm.Range
	for h, ok := s.TakeHeader(); ok; h, ok = s.TakeHeader() {
		headers = append(headers, h.Range)
	}
	for c := range s.TakeClusters() {
		clusters = append(clusters, c.Range)
	}
	recordings := 1
	if c.Script == "restart" {
		recordings = 2
	}
	if len(headers) != recordings || len(f.Builds) != 4 {
		t.Errorf("%d headers of %d recordings, %d builds", len(headers), recordings, len(f.Builds))
	}
	for name, build := range f.Builds {
		if !slices.Equal(build.Headers, headers) || !slices.Equal(build.Clusters, clusters) {
			t.Errorf("build %s: headers %v, clusters %v; package webm has %v and %v", name, build.Headers, build.Clusters, headers, clusters)
		}
		if len(build.Dropped) > 0 {
			t.Errorf("build %s: dropped %v", name, build.Dropped)
		}

		// Its parts and the other elements are the stream, in order.
		var ranges []webm.Range
		parts := map[webm.Range][]byte{}
		rest := p.uploaded(c.Name + "/" + name)
		ranges = slices.Concat(build.Headers, build.Clusters)
		slices.SortFunc(ranges, func(a, b webm.Range) int { return int(a.Start - b.Start) })
		for _, r := range ranges {
			n := min(int(r.End-r.Start), len(rest))
			parts[r], rest = rest[:n], rest[n:]
		}
		for _, r := range build.Other {
			parts[r] = stream[r.Start:r.End]
		}
		ranges = append(ranges, build.Other...)
		slices.SortFunc(ranges, func(a, b webm.Range) int { return int(a.Start - b.Start) })
		var rebuilt []byte
		for _, r := range ranges {
			rebuilt = append(rebuilt, parts[r]...)
		}
		if !bytes.Equal(rebuilt, stream) || len(stream) == 0 {
			t.Errorf("build %s: header, clusters and other are %d bytes, and not the %d of the blobs", name, len(rebuilt), len(stream))
		}

		switch {
		case c.Timeslice != nil && build.Early < 2:
			t.Errorf("build %s: %d clusters came before stop; want at least 2", name, build.Early)
		case build.Early > len(clusters):
			t.Errorf("build %s: %d clusters came early of %d", name, build.Early, len(clusters))
		}
	}
	if !strings.HasPrefix(f.MimeType, c.want) || f.MimeType != report.Recordings[recordings-1].Header.MimeType() {
		t.Errorf("the media type is %s; package webm says %s", f.MimeType, report.Recordings[recordings-1].Header.MimeType())
	}
	total := 0
	for _, n := range f.Blobs {
		total += n
	}
	if total != len(stream) {
		t.Errorf("%d bytes in blobs; %d in the stream", total, len(stream))
	}
}

// checkPlayed checks how header and clusters played.
func checkPlayed(t *testing.T, c config, f facts) {
	t.Helper()
	if len(f.Plays) == 0 {
		t.Error("nothing was played")
	}
	for _, play := range f.Plays {
		name := fmt.Sprintf("recording %d, the last %d clusters", play.Recording, play.Clusters)
		if width, height := 320, 240; c.Video && (play.Width != width || play.Height != height) {
			t.Errorf("%s: the video is %d x %d; want %d x %d", name, play.Width, play.Height, width, height)
		}
		if len(play.Times) < 2 || !slices.IsSorted(play.Times) || play.Times[len(play.Times)-1] <= play.Times[0] || !play.Ended {
			t.Errorf("%s: it played at %v, ended %v", name, play.Times, play.Ended)
		}
	}
	if strings.Contains(c.want, "/webm") && len(f.Buffered) == 0 {
		t.Error("MediaSource has nothing buffered")
	}
	t.Logf("%d blobs, %s, %d plays, buffered %v", len(f.Blobs), f.MimeType, len(f.Plays), f.Buffered)
}

// keep leaves a recording that failed for someone to look at.
func keep(t *testing.T, name string, data []byte) {
	path := filepath.Join("artefacts", strings.ReplaceAll(name, " ", "-"))
	if err := os.MkdirAll("artefacts", 0o777); err != nil {
		t.Error(err)
	} else if err := os.WriteFile(path, data, 0o666); err != nil {
		t.Error(err)
	} else {
		t.Logf("the recording is in wasmtest/%s", path)
	}
}

func TestThePackageInAPage(t *testing.T) {
	p := open(t, func(m chromedp.ConsoleMessage) bool {
		return m.Source == "network" && strings.Contains(m.URL, "/nowhere/") // whose absence is a test
	})
	runAll(t, p, "/page/behaviour.mjs", "tests")
}

// runAll runs each of the tests that a script of the page exports, which throw what is
// wrong.
func runAll(t *testing.T, p *tab, script, tests string) {
	t.Helper()
	names := evaluate[[]string](t, p, fmt.Sprintf(`import(%q).then((m) => Object.keys(globalThis.tests = m.%s))`, script, tests))
	if len(names) == 0 {
		t.Errorf("%s has no %s", script, tests)
	}
	for _, name := range names {
		t.Run(name, func(t *testing.T) {
			expression, err := json.Marshal(name)
			if err != nil {
				t.Fatal(err)
			}
			evaluate[chromedp.Void](t, p, fmt.Sprintf(`tests[%s]()`, expression))
		})
	}
}
