package wasmtest

// What the READMEs promise a reader who pastes their examples.

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/webmend/webmend/webm"
)

// recorderOfTheReadme is what the README's examples take for granted, in a page.
const recorderOfTheReadme = `
	const { Recording } = await import("/dist/index.js");
	const canvas = document.createElement("canvas");
	const context = canvas.getContext("2d");
	let hue = 0;
	const draw = setInterval(() => {
		context.fillStyle = "hsl(" + (hue += 9) + " 90% 50%)";
		context.fillRect(0, 0, canvas.width, canvas.height);
	}, 33);
	const recorder = new MediaRecorder(canvas.captureStream(30), { videoKeyFrameIntervalDuration: 500 });
	const blobs = [];
	recorder.addEventListener("dataavailable", (event) => blobs.push(event.data));
	const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
	const sent = [];
	const same = async () => {
		const [got, want] = await Promise.all([sent, blobs].map(async (all) => new Uint8Array(await new Blob(all).arrayBuffer())));
		return want.length > 0 && got.length === want.length && got.every((byte, i) => byte === want[i]);
	};
`

// readmeExamples are the JavaScript examples of README.md, without what they import.
func readmeExamples(t *testing.T) []string {
	t.Helper()
	readme, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, m := range regexp.MustCompile("(?ms)^```js\n(.*?)^```").FindAllStringSubmatch(string(readme), -1) {
		all = append(all, strings.ReplaceAll(m[1], `import { Recording } from "webmend";`, ""))
	}
	if len(all) != 2 {
		t.Fatalf("the README has %d examples", len(all))
	}
	return all
}

func TestTheReadmesFirstExampleRecordsSendsAndPlays(t *testing.T) {
	p := open(t, func(chromedp.ConsoleMessage) bool { return false })
	got := evaluate[struct {
		Same              bool
		Sent              int
		Duration, Reached float64
		SeekableTo        float64
	}](t, p, `(async () => {`+recorderOfTheReadme+`
		const video = Object.assign(document.createElement("video"), { muted: true });
		const send = async (blob) => {
			await wait(sent.length % 3); // an upload takes its time
			sent.push(blob);
		};
		const example = (async () => {`+readmeExamples(t)[0]+`})();
		await wait(3000);
		recorder.stop();
		await example;
		await new Promise((resolve) => video.addEventListener("canplaythrough", resolve));
		await video.play();
		await new Promise((resolve) => video.addEventListener("ended", resolve));
		clearInterval(draw);
		return {
			same: await same(), sent: sent.length,
			duration: video.duration, reached: video.currentTime, seekableTo: video.seekable.end(0),
		};
	})()`)
	if !got.Same || got.Sent < 3 {
		t.Errorf("of the %d segments sent it is %v that they are what was recorded", got.Sent, got.Same)
	}
	if got.Duration < 1 || got.Reached != got.Duration || got.SeekableTo != got.Duration {
		t.Errorf("it lasts %v s, is seekable to %v and played to %v", got.Duration, got.SeekableTo, got.Reached)
	}
}

func TestTheReadmesExampleOfPushedChunksSendsInOrderWhatComesCloseTogether(t *testing.T) {
	p := open(t, func(chromedp.ConsoleMessage) bool { return false })
	got := evaluate[struct {
		Same     bool
		Sent     int
		Clusters int
	}](t, p, `(async () => {`+recorderOfTheReadme+`
		const stopped = new Promise((resolve) => recorder.addEventListener("stop", resolve));
		recorder.start(50);
		await wait(3000);
		recorder.stop();
		await stopped;
		clearInterval(draw);
		const source = {};
		const socket = { send: (blob) => void sent.push(blob) };
		`+readmeExamples(t)[1]+`
		// What would wait for bytes gets them the sooner the later it asks.
		const { Cluster } = await import("/dist/index.js");
		const { bytes } = Cluster.prototype;
		let delay = 500;
		Cluster.prototype.bytes = async function () {
			await wait((delay -= 20));
			return bytes.call(this);
		};
		await Promise.all(blobs.map((blob) => source.ondata(blob))); // all in one task
		const report = await source.onend();
		const last = recording.takeClusters();
		sent.push(...last.map((cluster) => cluster.blob()));
		return { same: await same(), sent: sent.length, clusters: report.recordings[0].clusters };
	})()`)
	if !got.Same || got.Sent != got.Clusters+1 || got.Clusters < 4 {
		t.Errorf("of %d clusters %d segments were sent, and it is %v that they are what was recorded", got.Clusters, got.Sent, got.Same)
	}
}

// An example of js/README.md, which is what npm shows.
type example struct{ heading, code string }

func examples(t *testing.T) (all []example) {
	t.Helper()
	readme, err := os.ReadFile("../js/README.md")
	if err != nil {
		t.Fatal(err)
	}
	heading := ""
	for _, m := range regexp.MustCompile("(?ms)^## ([^\n]*)|^```js\n(.*?)^```").FindAllStringSubmatch(string(readme), -1) {
		if m[1] != "" {
			heading = m[1]
		} else {
			all = append(all, example{heading, m[2]})
		}
	}
	return all
}

// under is the code of the example under a heading.
func under(t *testing.T, heading string) string {
	t.Helper()
	all := examples(t)
	i := slices.IndexFunc(all, func(e example) bool { return e.heading == heading })
	if i < 0 {
		t.Fatalf("js/README.md has no example under %s", heading)
	}
	return all[i].code
}

// The examples are run as they stand, but for the address of another server: an
// import map says what webmend is.
func TestTheExamplesThatNpmShowsDoWhatTheySay(t *testing.T) {
	mux := http.NewServeMux()
	mux.Handle("/", (&tab{t: t}).handler())
	mux.HandleFunc("/readme/{$}", func(w http.ResponseWriter, _ *http.Request) {
		io.WriteString(w, `<!doctype html><meta charset="utf-8"><link rel="icon" href="data:,">
<script type="importmap">{ "imports": { "webmend": "/dist/index.js", "webmend/inspect": "/dist/inspect.js" } }</script><body></body>`)
	})
	all := examples(t)
	for i, e := range all {
		mux.HandleFunc(fmt.Sprintf("/readme/%d.js", i), func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/javascript")
			io.WriteString(w, strings.ReplaceAll(e.code, "https://cdn.example/", "/dist/"))
		})
	}
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	module := `import("/page/readme.mjs")`
	checks := evaluate[[]string](t, visit(t, server.URL+"/readme/"), module+`.then(({ checks }) => Object.keys(checks))`)
	for i, e := range all {
		if e.heading == "In Node" || e.heading == "In React" || e.heading == "Upload by tus" {
			continue // which have tests of their own
		}
		at := slices.Index(checks, e.heading)
		if at < 0 {
			t.Errorf("nothing checks the example under %s", e.heading)
			continue
		}
		checks = slices.Delete(checks, at, at+1)
		t.Run(e.heading, func(t *testing.T) {
			t.Parallel()
			heading, err := json.Marshal(e.heading)
			if err != nil {
				t.Fatal(err)
			}
			run := fmt.Sprintf(`.then(({ checks }) => { let n = 0; return checks[%s](() => import("/readme/%d.js?" + n++)) })`, heading, i)
			evaluate[chromedp.Void](t, visit(t, server.URL+"/readme/"), module+run)
		})
	}
	if len(checks) > 0 {
		t.Errorf("there is no example under %q", checks)
	}
}

func TestTheHookForReactThatNpmShowsRecords(t *testing.T) {
	dir := project(t, "react")
	if err := os.WriteFile(filepath.Join(dir, "recorded.js"), []byte(under(t, "In React")), 0o666); err != nil {
		t.Fatal(err)
	}
	t.Setenv("NODE_ENV", "development") // when React does all effects twice
	tool(t, dir, "vite", "build")
	p := visit(t, serve(t, filepath.Join(dir, "dist"), ""))
	if d := evaluate[float64](t, p, "run()"); d < 0.5 || d > 5 {
		t.Errorf("the file lasts %v s", d)
	}
}

func TestTheServerInNodeThatNpmShowsReceivesARecording(t *testing.T) {
	dir := project(t, "node")
	port := freePort(t)
	server := strings.ReplaceAll(under(t, "In Node"), "8080", port)
	if err := os.WriteFile(filepath.Join(dir, "server.js"), []byte(server), 0o666); err != nil {
		t.Fatal(err)
	}
	r := load(t, "chromium-noalpha-03-vp8opus-ts250")
	path, err := filepath.Abs(r.path)
	if err != nil {
		t.Fatal(err)
	}
	out, err := command(dir, "node", "send.js", "http://127.0.0.1:"+port, path)
	if err != nil || out != "received\n" {
		t.Errorf("%v\n%s", err, out)
	}
	if received, err := os.ReadFile(filepath.Join(dir, "received.webm")); err != nil || !bytes.Equal(received, r.data) {
		t.Errorf("%d bytes were received of %d (%v)", len(received), len(r.data), err)
	}
}

func TestTheTusClientThatNpmShowsUploadsAllThatIsRecordedThoughTheNetworkFails(t *testing.T) {
	dir := project(t, "tus")
	port := freePort(t)
	recipe := strings.ReplaceAll(under(t, "Upload by tus"), "https://tus.example/", "http://127.0.0.1:"+port+"/")
	if err := os.WriteFile(filepath.Join(dir, "recipe.js"), []byte(recipe), 0o666); err != nil {
		t.Fatal(err)
	}
	tool(t, dir, "vite", "build")
	server := exec.Command("node", "server.js", port)
	server.Dir = dir
	said, err := server.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		server.Process.Kill()
		server.Wait()
	})
	lines := bufio.NewReader(said)
	if line, err := lines.ReadString('\n'); err != nil || line != "listening\n" {
		t.Fatalf("the tus server says %q (%v)", line, err)
	}
	p := visit(t, serve(t, filepath.Join(dir, "dist"), ""), "ERR_EMPTY_RESPONSE", "ERR_CONNECTION_RESET")
	want := evaluate[string](t, p, "run()")
	server.Process.Kill()
	if rest, err := io.ReadAll(lines); err != nil || !strings.Contains(string(rest), "failed") {
		t.Errorf("the network did not fail: %q (%v)", rest, err)
	}

	stored, err := filepath.Glob(filepath.Join(dir, "files", "*.json"))
	if err != nil || len(stored) != 1 {
		t.Fatalf("the tus server has %v (%v)", stored, err)
	}
	path := strings.TrimSuffix(stored[0], ".json")
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprintf("%x", sha256.Sum256(data)); got != want {
		t.Errorf("%d bytes are stored, with the hash %s; want %s", len(data), got, want)
	}
	s := webm.NewSplitter(webm.Options{})
	if err := s.Push(data); err != nil {
		t.Fatal(err)
	}
	report, err := s.Finish()
	if err != nil || len(report.Dropped) > 0 || report.Recordings[0].NumClusters < 3 {
		t.Errorf("stored are %d clusters, dropped %v (%v)", report.Recordings[0].NumClusters, report.Dropped, err)
	}
	decodes(t, path, videoBlocks(t, path))
}
