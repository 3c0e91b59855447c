package wasmtest

// The same in Firefox, which has no driver here: its page asks the test's server
// what to do, and posts what came of it.

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/webmend/webmend/webm"
)

const firefoxPreferences = `
user_pref("media.autoplay.default", 0);
user_pref("media.navigator.permission.disabled", true);
user_pref("media.navigator.streams.fake", true);
user_pref("browser.aboutwelcome.enabled", false);
user_pref("browser.shell.checkDefaultBrowser", false);
user_pref("browser.startup.homepage_override.mstone", "ignore");
user_pref("datareporting.policy.dataSubmissionEnabled", false);
user_pref("datareporting.healthreport.uploadEnabled", false);
user_pref("toolkit.telemetry.enabled", false);
user_pref("app.normandy.enabled", false);
user_pref("app.update.disabledForTesting", true);
user_pref("extensions.update.enabled", false);
user_pref("network.captive-portal-service.enabled", false);
user_pref("network.connectivity-service.enabled", false);
user_pref("services.settings.server", "data:,#remote-settings-dummy/v1");
user_pref("media.gmp-manager.updateEnabled", false);
`

// A firefox shows a page that does what it is asked.
type firefox struct {
	*tab
	next    chan string
	answers chan []byte
	stderr  bytes.Buffer // to be read once it has exited
	exited  chan struct{}
	kill    func()
	profile string
	address string
}

// untilClosed runs a program, and kills it and all its processes when the pipe to
// it is closed: when a test takes too long, nothing else would.
const untilClosed = `(cat <&3; kill -9 0) >/dev/null 2>&1 & exec 3<&-; exec "$0" "$@"`

// patience is how long any one thing may take: where it says no more, Firefox hangs.
const patience = 90 * time.Second

func startFirefox(t testing.TB) *firefox {
	t.Helper()
	for _, name := range []string{"index.js", linked, plain} {
		built(t, name)
	}
	f := &firefox{tab: &tab{t: t, uploads: &sync.Map{}}, answers: make(chan []byte, 1), profile: t.TempDir()}
	server := httptest.NewServer(f.handler())
	t.Cleanup(server.Close)
	f.address = server.URL + "/"
	if err := os.WriteFile(filepath.Join(f.profile, "user.js"), []byte(firefoxPreferences), 0o666); err != nil {
		t.Fatal(err)
	}
	f.start()
	return f
}

// start opens the page, and with it the browser, for the first time or after it was
// killed.
func (f *firefox) start() {
	f.t.Helper()
	t := f.t
	f.next = make(chan string) // which what was killed no longer hears
	f.exited = make(chan struct{})
	cmd := exec.Command("sh", "-c", untilClosed, "firefox-esr", "--headless", "--no-remote", "--profile", f.profile, f.address)
	cmd.Env = append(os.Environ(), "HOME="+f.profile, "MOZ_CRASHREPORTER_DISABLE=1")
	cmd.Stderr = &f.stderr
	ours, theirs, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { theirs.Close() })
	cmd.ExtraFiles = []*os.File{ours}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // so that its other processes end with it
	cmd.WaitDelay = 10 * time.Second
	err = cmd.Start()
	ours.Close()
	if err != nil {
		t.Fatalf("no Firefox to test with: %v", err)
	}
	exited := f.exited
	go func() {
		cmd.Wait()
		close(exited)
	}()
	f.kill = func() {
		syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
		<-exited
	}
	t.Cleanup(f.kill)
}

func (f *firefox) handler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/", f.tab.handler())
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, `<!doctype html><meta charset="utf-8"><title>webmend's tests</title><link rel="icon" href="data:,">
<body><script type="module" src="/page/firefox.mjs"></script></body>`)
	})
	mux.HandleFunc("GET /next", func(w http.ResponseWriter, r *http.Request) {
		next := f.next
		select {
		case expression := <-next:
			io.WriteString(w, expression)
		case <-r.Context().Done():
		}
	})
	mux.HandleFunc("POST /answer", func(w http.ResponseWriter, r *http.Request) {
		answer, err := io.ReadAll(r.Body)
		if err == nil {
			f.answers <- answer
		}
	})
	mux.HandleFunc("POST /uncaught", func(w http.ResponseWriter, r *http.Request) {
		message, _ := io.ReadAll(r.Body)
		f.t.Errorf("uncaught in the page: %s", message)
	})
	return mux
}

// fatal ends the test with what Firefox said.
func (f *firefox) fatal(t testing.TB, what string) {
	t.Helper()
	f.kill()
	t.Fatalf("%s; its stderr: %s", what, &f.stderr)
}

// ask is the value of a promise in Firefox's page.
func ask[T any](t testing.TB, f *firefox, expression string) T {
	t.Helper()
	late := time.After(patience)
	select {
	case f.next <- expression:
	case <-f.exited:
		f.fatal(t, "Firefox has exited")
	case <-late:
		f.fatal(t, "Firefox does not show the page")
	}
	var answer struct {
		Value T
		Error string
	}
	select {
	case text := <-f.answers:
		if err := json.Unmarshal(text, &answer); err != nil {
			t.Fatalf("%.200s: %v", expression, err)
		}
	case <-f.exited:
		f.fatal(t, "Firefox has exited")
	case <-late:
		f.fatal(t, expression+" does not end")
	}
	if answer.Error != "" {
		t.Fatalf("%.200s: %s", expression, answer.Error)
	}
	return answer.Value
}

// askAll runs each of the tests that a script of the page exports, which throw what is
// wrong.
func askAll(t *testing.T, f *firefox, script string) {
	t.Helper()
	names := ask[[]string](t, f, fmt.Sprintf(`import(%q).then((m) => Object.keys(globalThis.tests = m.tests))`, script))
	if len(names) == 0 {
		t.Errorf("%s has no tests", script)
	}
	for _, name := range names {
		t.Run(name, func(t *testing.T) { ask[any](t, f, fmt.Sprintf(`tests[%q]()`, name)) })
	}
}

// inFirefoxToo runs a script's tests of what is kept on disk, in a Firefox of their own.
func inFirefoxToo(t *testing.T, script string) {
	t.Helper()
	t.Parallel()
	built(t, "spool.js")
	askAll(t, startFirefox(t), script)
}

// guessed is how far off Firefox's guess may be of how long the last frame lasts, in
// what has no Duration.
const guessed = 0.1

func TestEverySeekLandsAndPaintsInFirefoxToo(t *testing.T) {
	t.Parallel()
	f := startFirefox(t)
	appended := 0
	for _, r := range recordings(t) {
		// Firefox plays no H.264 in Matroska: only the sound.
		if len(r.data) == 0 || r.name == "chromium-05b-h264opus-webm" {
			continue
		}
		t.Run(r.name, func(t *testing.T) {
			type told struct {
				Duration                           float64
				HasVideo                           bool
				Seekable, Clip, Uploaded, Appended *viewing
			}
			got := ask[told](t, f, fmt.Sprintf(`import("/page/seek.mjs").then((m) => m.watchAll(%q, { firefox: true }))`, r.name))
			colours := 3
			if r.name == "chromium-20-disable-tracks" {
				colours = 1 // a track that is disabled is black
			}
			got.Seekable.check(t, "seekable file", got.Duration, got.HasVideo, colours)
			if got.Duration < 1 {
				return
			}
			got.Clip.check(t, "clip", got.Clip.End-got.Clip.Start, got.HasVideo, colours)
			got.Uploaded.check(t, "what an upload stores", got.Duration, got.HasVideo, colours)

			if got.Appended != nil {
				appended++
				got.Appended.checkSeeks(t, "through Media Source Extensions", got.HasVideo, colours)
				b := got.Appended.Buffered
				if len(b) != 1 || b[0][0] > 0.1 || math.Abs(b[0][1]-got.Duration) > guessed {
					t.Errorf("through Media Source Extensions: buffered are %v of %v s", b, got.Duration)
				}
			}
		})
	}
	if appended < 5 {
		t.Errorf("%d recordings could be appended through Media Source Extensions", appended)
	}
}

func TestAJoinPlaysInFirefoxToo(t *testing.T) {
	t.Parallel()
	f := startFirefox(t)
	for _, names := range joined {
		got := ask[viewing](t, f, fmt.Sprintf(`import("/page/seek.mjs").then((m) => m.watchJoin(%s))`, names))
		got.checkJoin(t, names)
	}
}

// A firefoxConfig is a way to record in Firefox.
type firefoxConfig struct {
	Name       string `json:"name"`
	MimeType   string `json:"mimeType,omitempty"` // or Firefox's default
	Canvas     bool   `json:"canvas"`
	Camera     bool   `json:"camera"`
	Microphone bool   `json:"microphone"`
	Timeslice  int    `json:"timeslice,omitempty"` // ms, or none
	Ends       bool   `json:"ends,omitempty"`      // not by stop: its tracks end
	AtOnce     bool   `json:"atOnce,omitempty"`    // stopped when it was started

	want string // the media type that webmend makes of it
}

var firefoxConfigs = []firefoxConfig{
	{Name: "canvas and microphone every 100 ms", MimeType: "video/webm;codecs=vp8,opus", Canvas: true, Microphone: true, Timeslice: 100,
		want: `video/webm; codecs="vp8,opus"`},
	{Name: "camera and microphone as is the default, at the end", Camera: true, Microphone: true,
		want: `video/webm; codecs="vp8,opus"`},
	{Name: "camera and microphone that end", Camera: true, Microphone: true, Timeslice: 100, Ends: true,
		want: `video/webm; codecs="vp8,opus"`},
	{Name: "camera and microphone, stopped at once", Camera: true, Microphone: true, AtOnce: true,
		want: `video/webm; codecs="vp8,opus"`},
	{Name: "canvas every 100 ms", MimeType: "video/webm;codecs=vp8", Canvas: true, Timeslice: 100,
		want: `video/webm; codecs="vp8"`},
	{Name: "microphone every 100 ms", MimeType: "audio/webm;codecs=opus", Microphone: true, Timeslice: 100,
		want: `audio/webm; codecs="opus"`},
}

func TestWhatFirefoxRecordsIsSplitWhileItIsRecordedAndPlays(t *testing.T) {
	t.Parallel()
	f := startFirefox(t)
	for _, c := range firefoxConfigs {
		t.Run(c.Name, func(t *testing.T) {
			arguments, err := json.Marshal(c)
			if err != nil {
				t.Fatal(err)
			}
			type told struct {
				Blobs                         []int
				Empty, AfterStop, Late, Early int
				RecorderType, MimeType        string
				Duration                      float64
				HasVideo                      bool
				Headers, Clusters             int
				Dropped                       []webm.Range
				Seekable                      *viewing
			}
			got := ask[told](t, f, fmt.Sprintf(`import("/page/firefox-record.mjs").then((m) => m.record(%s))`, arguments))
			stream := f.uploaded(c.Name + "/stream")
			t.Cleanup(func() {
				if t.Failed() {
					keep(t, "firefox "+c.Name+".webm", stream)
				}
			})
			for _, module := range []string{linked, plain} {
				if parts := f.uploaded(c.Name + "/" + module); len(stream) == 0 || !bytes.Equal(parts, stream) {
					t.Errorf("%s: header and clusters are %d bytes, and not the %d of the blobs", module, len(parts), len(stream))
				}
			}
			if got.Headers != 1 || len(got.Dropped) > 0 || got.MimeType != c.want {
				t.Errorf("%d headers, dropped %v, the media type is %s", got.Headers, got.Dropped, got.MimeType)
			}
			if c.Timeslice > 0 && got.Early < 2 || got.Early > got.Clusters {
				t.Errorf("%d of %d clusters came before stop", got.Early, got.Clusters)
			}
			if got.Late > 0 {
				t.Errorf("%d blobs came after the task in which the recording was finished", got.Late)
			}
			if got.Empty == 0 && !c.AtOnce {
				t.Error("no blob has zero bytes, though it was asked twice for data")
			}
			colours := 2
			if c.Camera {
				colours = 1 // the fake camera's picture is of one
			}
			got.Seekable.check(t, "seekable file", got.Duration, got.HasVideo, colours)
			t.Logf("%d blobs, %d empty, %d after stop, %d of %d clusters before stop, %.3f s, %s for %s", len(got.Blobs), got.Empty, got.AfterStop, got.Early, got.Clusters, got.Duration, got.MimeType, got.RecorderType)
		})
	}
}
