package main

import (
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"io/fs"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"testing/fstest"
	"time"

	"github.com/chromedp/cdproto/browser"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
)

const dist = "../js/dist"

// chrome is the browser whose tabs the tests use.
var chrome context.Context

func TestMain(m *testing.M) {
	if err := checkDist(dist); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(inChrome(m.Run))
}

func chromeOptions() []chromedp.ExecAllocatorOption {
	return append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.NoSandbox, // which root cannot have
		chromedp.DisableGPU,
		chromedp.Flag("autoplay-policy", "no-user-gesture-required"),
		chromedp.Flag("use-fake-ui-for-media-stream", true),
		chromedp.Flag("use-fake-device-for-media-stream", true),
	)
}

// inChrome runs the tests in one browser, with a camera and a microphone that are
// not real, and which it gives to every page that asks.
func inChrome(run func() int) int {
	ctx, cancel := chromedp.NewExecAllocator(context.Background(), chromeOptions()...)
	defer cancel()
	chrome, cancel = chromedp.NewContext(ctx)
	defer cancel()
	if err := chromedp.Do(chrome); err != nil {
		fmt.Fprintln(os.Stderr, "no browser to test with:", err)
		return 1
	}
	return run()
}

func TestAPersonRecordsTheDrawnSceneAndDownloadsWhatItIsMadeOf(t *testing.T) {
	t.Parallel()
	p := open(t, os.DirFS(dist), keepBlobs)
	p.choose("source", "scene")
	p.record(3)
	p.stop()

	p.openDetails()
	p.clickRow(1)
	p.run(`rows()[2].dispatchEvent(new MouseEvent("click", { bubbles: true, shiftKey: true }))`)
	if got := p.text(`rows().map((row) => row.ariaSelected).slice(0, 4).join()`); !strings.HasPrefix(got, "true,true,true") {
		t.Fatalf("of the first rows these are selected: %s", got)
	}
	p.click("play")
	p.until(`$("video").currentTime > 0.3 && $("video").videoWidth === 640`)

	stream := p.bytes(`new Blob(blobs)`)
	header := stream[p.offset(0, "start"):p.offset(0, "end")]
	p.downloads("download", `-clusters-1-3\.webm`, append(bytes.Clone(header), stream[p.offset(1, "start"):p.offset(3, "end")]...))
	p.downloads("download-header", `-header\.webm`, header)
	p.downloads("download-all", `-as-recorded\.webm`, stream)

	if got := p.text(`$("report").innerText`); !strings.Contains(got, "VP8 video, 640 × 360") || !strings.Contains(got, "Opus audio") || !strings.Contains(got, "none were dropped") {
		t.Errorf("the report is %q", got)
	}
}

func TestEverySourceAndTimesliceIsSplitAndPlays(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ source, format, timeslice string }{
		{"camera", "VP8 + Opus", "50"},
		{"camera", "VP9 + Opus", ""},
		{"microphone", "Opus", "50"},
		{"screen", "VP8 + Opus", "250"},
		{"scene", "H.264 + Opus", "250"},
	} {
		t.Run(c.source+" "+c.format+" "+c.timeslice, func(t *testing.T) {
			t.Parallel()
			p := open(t, os.DirFS(dist))
			p.choose("source", c.source)
			p.run(`$("format").value = [...format.options].find((o) => o.text === "` + c.format + `").value`)
			p.choose("timeslice", c.timeslice)
			if c.timeslice == "" {
				p.click("record")
				p.until(`$("elapsed").textContent > "0:00.8" && $("video").currentTime > 0`) // as it is now
			} else {
				p.record(3)
			}
			p.stop()
			p.openDetails()
			p.click("play") // as it was recorded
			p.until(`$("video").currentTime > 0.3`)
			p.click("back") // made seekable
			p.until(`$("stage").dataset.shown === "whole" && $("video").duration < Infinity`)
			p.click("toggle")
			p.until(`$("video").currentTime > 0.1`)
		})
	}
}

func TestASelectionWithoutAKeyFrameIsToldAndCanBeExtended(t *testing.T) {
	t.Parallel()
	p := open(t, os.DirFS(dist))
	p.choose("source", "scene")
	p.record(3)
	// The last with a key frame and the one after it: that need not be the first two.
	p.until(`(window.key = rows().findIndex((row, i) => row.matches(".key:has(+ :not(.key))"))) >= 0`)
	p.stop()
	p.run(`rows()[key + 1].click()`)
	p.until(`!$("no-key").hidden && $("no-key-text").textContent.startsWith("Cluster " + (key + 2) + " has no key frame")`)
	p.openDetails()
	p.click("from-key")
	p.until(`$("no-key").hidden && rows().every((row, i) => (row.ariaSelected === "true") === (i === key || i === key + 1))`)
}

func TestARangeCanBeChosenByKeyboard(t *testing.T) {
	t.Parallel()
	p := open(t, os.DirFS(dist))
	p.choose("source", "scene")
	p.click("record")
	p.until(`duration() > 2`)
	p.stop()
	p.openDetails()
	p.run(`document.querySelector("#clusters tr[tabindex='0']").focus()`)
	p.press("ArrowDown", false)
	p.press("ArrowDown", true)
	p.until(`rows().map((row) => row.ariaSelected === "true" ? 1 : 0).join("").startsWith("011") && !$("play-clip").disabled`)

	p.click("no-clip")
	p.run(`document.querySelector(".handle.from").focus()`)
	p.press("Home", false)
	p.press("ArrowRight", true) // a second
	p.until(`document.activeElement.ariaValueText === "1.00 seconds"`)
	p.run(`document.querySelector(".handle.to").focus()`)
	p.press("End", false)
	p.press("ArrowLeft", false) // a tenth
	p.until(`Math.abs(document.activeElement.ariaValueMax - document.activeElement.ariaValueNow - 0.1) < 0.011`)
	p.until(`/^Clip: cut at 0\.\d+ s and [\d.]+ s, from the key frame before/.test($("clip-text").textContent)`)
	p.click("no-clip")
	p.until(`$("play-clip").disabled && rows().every((row) => row.ariaSelected === "false")`)
}

func TestTheTableOfALongRecordingStaysShort(t *testing.T) {
	t.Parallel()
	p := open(t, os.DirFS(dist))
	p.run(`import("/table.js").then(({ ClusterTable }) => {
		const clusters = [];
		const pages = { box: $("pages"), text: $("pages-text"), earlier: $("earlier"), later: $("later") };
		window.table = new ClusterTable($("clusters"), pages, (first, last) => table.select(first, last));
		table.reset(clusters);
		window.grow = (n) => {
			for (const end = clusters.length + n; clusters.length < end; ) {
				clusters.push({ time: 1, duration: 1, start: 0, end: 1000, blocks: 9, keyframes: 0 });
			}
			table.grow();
		};
		window.shown = () => rows()[0].dataset.index + "-" + rows().at(-1).dataset.index;
		$("recording").hidden = false;
	})`)
	p.openDetails()
	p.run(`for (let i = 0; i < 120; i++) grow(10)`)
	p.until(`rows().length === 500 && shown() === "700-1199"`)
	p.click("earlier")
	p.run(`grow(10)`)
	p.until(`shown() === "200-699" && $("pages-text").textContent === "Clusters 201–700 of 1,210"`)
	p.click("earlier")
	p.until(`shown() === "0-499" && $("earlier").disabled`)
	p.run(`table.select(650, 1100), table.reveal(900)`)
	p.until(`shown() === "650-1149" && document.querySelectorAll("#clusters [aria-selected=true]").length === 451`)
	p.click("later")
	p.run(`grow(10)`)
	p.until(`shown() === "720-1219" && $("later").disabled`)
	p.run(`rows()[0].focus()`)
	p.press("ArrowUp", false)
	p.until(`document.activeElement.dataset.index === "719" && shown() === "469-968"`)
}

func TestASecondRecordingTakesThePlaceOfTheFirst(t *testing.T) {
	t.Parallel()
	p := open(t, os.DirFS(dist))
	p.choose("source", "scene")
	p.record(3)
	p.click("pause")
	p.until(`$("status").textContent === "Paused."`)
	p.click("pause")
	p.stop()
	p.choose("source", "microphone")
	p.choose("timeslice", "50")
	p.record(2)
	p.stop()
	if got := p.text(`$("report").innerText`); strings.Contains(got, "video") {
		t.Errorf("the report of a recording of sound is %q", got)
	}
}

func TestARecordingThatIsStoppedAtOnceIsToldAndAnotherCanBegin(t *testing.T) {
	t.Parallel()
	p := open(t, os.DirFS(dist), `
		const start = MediaRecorder.prototype.start;
		MediaRecorder.prototype.start = function (...args) {
			start.apply(this, args);
			MediaRecorder.prototype.start = start;
			queueMicrotask(() => $("stop").click());
		}`)
	p.choose("source", "scene")
	p.click("record")
	p.until(`$("problem").innerText.startsWith("Nothing was recorded") && !$("welcome").hidden`)
	p.record(1)
	p.stop()
}

func TestTheBestSourceThatThereIsIsChosen(t *testing.T) {
	t.Parallel()
	p := open(t, os.DirFS(dist), `
		let devices = "";
		navigator.mediaDevices.enumerateDevices = async () => devices.split(" ").map((kind) => ({ kind }))`)
	if got := p.text(`$("source").value + $("status").textContent`); !strings.HasPrefix(got, "sceneThere is no camera") {
		t.Errorf("without devices: %s", got)
	}
	for devices, want := range map[string]string{
		"audiooutput":           "scene",
		"audioinput":            "microphone",
		"videoinput":            "camera",
		"audioinput videoinput": "camera",
	} {
		if got := p.text(`devices = "` + devices + `", import("/sources.js").then((sources) => sources.likelySource())`); got != want {
			t.Errorf("with %s: %s, want %s", devices, got, want)
		}
	}
}

func TestACameraThatIsRefusedIsToldAndTheDrawnSceneOffered(t *testing.T) {
	t.Parallel()
	p := open(t, os.DirFS(dist), `
		let refusal = "";
		navigator.mediaDevices.getUserMedia = async () => { throw new DOMException("", refusal) }`)
	for refusal, want := range map[string]string{
		"NotAllowedError":  "not allowed",
		"NotFoundError":    "no camera",
		"NotReadableError": "another program",
	} {
		p.choose("source", "camera")
		p.run(`refusal = "` + refusal + `"`)
		p.click("record")
		p.until(`$("problem").innerText.includes("` + want + `")`)
	}
	p.click("scene-instead")
	p.until(`$("problem").hidden && document.body.dataset.state === "recording"`)
}

func TestACameraWithoutAMicrophoneIsRecordedWithoutSound(t *testing.T) {
	t.Parallel()
	p := open(t, os.DirFS(dist), `
		const ask = MediaDevices.prototype.getUserMedia;
		MediaDevices.prototype.getUserMedia = async function (constraints) {
			if (constraints.audio) throw new DOMException("", "NotFoundError");
			return ask.call(this, constraints);
		};`)
	p.choose("source", "camera")
	p.click("record")
	p.until(`$("bytes").textContent !== "0 B" && $("status").textContent === "Recording, without sound."`)
	p.stop()
	if got := p.text(`$("report").textContent`); !strings.Contains(got, `codecs="vp8"`) || strings.Contains(got, "audio") {
		t.Errorf("the report is %q", got)
	}
}

func TestAModuleThatCannotBeLoadedIsTold(t *testing.T) {
	t.Parallel()
	files := fstest.MapFS{"webmend.wasm": {Data: []byte("no module")}}
	for _, name := range []string{"index.js", "make.js", "midstream.js", "preview.js", "spool.js"} {
		script, err := os.ReadFile(filepath.Join(dist, name))
		if err != nil {
			t.Fatal(err)
		}
		files[name] = &fstest.MapFile{Data: script}
	}
	p := visit(t, files)
	p.until(`!$("problem").hidden && $("problem").innerText.includes("make build")`)
	if p.text(`String($("record").disabled)`) != "true" {
		t.Error("without the module one can record")
	}
}

func TestTheExampleOnThePageWorks(t *testing.T) {
	t.Parallel()
	p := open(t, os.DirFS(dist))
	p.run(`(async () => {
		const { openScene } = await import("/scene.js");
		const scene = await openScene();
		const recorder = new MediaRecorder(scene.stream);
		const video = document.createElement("video");
		video.muted = true;
		const [first, later] = $("example").textContent
			.replace('import { Recording } from "webmend";', 'const { Recording } = await import("/dist/index.js");')
			.split("// Any time later");
		const AsyncFunction = (async () => {}).constructor;
		const run = new AsyncFunction("recorder", "video", first + "return { recording, preview, async make() { //" + later + "return { file, blob, header, clusters } } }");
		const { recording, preview, make } = await run(recorder, video);
		while (recording.duration < 1.5 || video.currentTime < 1) await new Promise(requestAnimationFrame);
		preview.close();
		recorder.stop();
		const { file, blob, header, clusters } = await make();
		const some = new Blob([header, ...clusters].map((part) => part.blob()));
		for (const made of [file, blob, some]) {
			video.src = URL.createObjectURL(made);
			await video.play();
			while (video.currentTime < 0.1) await new Promise(requestAnimationFrame);
		}
		scene.stop();
		document.title = "played";
	})()`)
	p.until(`document.title === "played"`)
}

// tab is a tab with the page.
type tab struct {
	t    *testing.T
	ctx  context.Context
	look look // how it is seen

	close   func()      // ends the server that it came from
	refused atomic.Bool // whether the server refuses something or is away, which browsers say, too
}

// helpers shorten what the tests say in JavaScript.
const helpers = `
	const $ = (id) => document.getElementById(id);
	const rows = () => [...document.querySelectorAll("#clusters tbody:last-of-type tr")];
	const duration = () => Number(document.querySelector(".handle.to").ariaValueMax); // of what is complete`

// keepBlobs keeps what MediaRecorder gives the page, to compare with.
const keepBlobs = `
	const blobs = [];
	const start = MediaRecorder.prototype.start;
	MediaRecorder.prototype.start = function (...args) {
		this.addEventListener("dataavailable", (event) => blobs.push(event.data));
		return start.apply(this, args);
	};`

// open opens the page in a new tab, and waits until it can record. Whatever the
// browser then writes to its console as an error fails the test.
func open(t *testing.T, dist fs.FS, scripts ...string) *tab {
	t.Helper()
	p := visit(t, dist, scripts...)
	p.until(`!$("record").disabled`)
	return p
}

// visit opens the page with scripts that run before its own.
func visit(t *testing.T, dist fs.FS, scripts ...string) *tab {
	t.Helper()
	server := httptest.NewServer(handler(dist, uploadsIn(t, t.TempDir())))
	t.Cleanup(server.Close)
	p := visitAt(t, server.URL, scripts...)
	p.close = server.Close
	return p
}

// visitAt opens the page of a server that is there already.
func visitAt(t *testing.T, url string, scripts ...string) *tab {
	t.Helper()
	return visitIn(t, chrome, url, scripts...)
}

// visitIn opens the page in a tab of a browser.
func visitIn(t *testing.T, browser context.Context, url string, scripts ...string) *tab {
	t.Helper()
	ctx, cancel := chromedp.NewContext(browser)
	t.Cleanup(cancel)
	p := &tab{t: t, ctx: ctx}
	p.do(nothing)
	p.watchConsole()
	p.ctx, cancel = context.WithTimeout(ctx, time.Minute)
	t.Cleanup(cancel)
	source := helpers + strings.Join(scripts, ";\n")
	if _, err := chromedp.Call(p.ctx, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: source}); err != nil {
		t.Fatal(err)
	}
	p.do(chromedp.Navigate(url))
	return p
}

func nothing(context.Context, *chromedp.Target) (chromedp.Void, error) {
	return chromedp.Void{}, nil
}

func (p *tab) watchConsole() {
	messages := chromedp.Console(p.ctx)
	ended := make(chan struct{})
	ctx := p.ctx
	go func() {
		defer close(ended)
		for message, err := range messages {
			if err != nil {
				return
			}
			if strings.HasSuffix(message.URL, "/icon.svg") {
				continue // which the browser asks for again when it likes, though the server has gone
			}
			if p.refused.Load() && strings.Contains(message.String(), "Failed to load resource") {
				continue
			}
			if message.IsException() || message.Type == "error" {
				p.t.Errorf("the console says: %s (%s)", message, message.URL)
			}
		}
	}()
	p.t.Cleanup(func() {
		chromedp.Cancel(ctx)
		<-ended
	})
}

func (p *tab) do(steps ...chromedp.Action[chromedp.Void]) {
	p.t.Helper()
	if err := chromedp.Do(p.ctx, steps...); err != nil {
		p.t.Fatal(err)
	}
}

// run runs a script, and waits for its promise if it gives one.
func (p *tab) run(script string) {
	p.t.Helper()
	p.do(chromedp.Evaluate[chromedp.Void](script, chromedp.EvalAwaitPromise))
}

func (p *tab) text(expression string) string {
	p.t.Helper()
	return value[string](p, expression)
}

func (p *tab) number(expression string) float64 {
	p.t.Helper()
	return value[float64](p, expression)
}

// value is that of an expression, or of its promise.
func value[T any](p *tab, expression string) T {
	p.t.Helper()
	v, err := chromedp.Run(p.ctx, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
	if err != nil {
		p.t.Fatalf("%s: %v", expression, err)
	}
	return v
}

func (p *tab) until(condition string) {
	p.t.Helper()
	if err := chromedp.Do(p.ctx, chromedp.Poll[chromedp.Void](condition, chromedp.WithPollingTimeout(15*time.Second))); err != nil {
		p.t.Fatalf("waiting for %s: %v; the page says %q", condition, err, p.text(`$("status").innerText + $("problem").innerText`))
	}
}

func (p *tab) click(id string) {
	p.t.Helper()
	p.do(chromedp.Click(chromedp.CSS("#" + id)))
}

func (p *tab) clickRow(number int) {
	p.t.Helper()
	p.run(fmt.Sprintf(`rows()[%d].click()`, number-1))
}

func (p *tab) press(key string, shift bool) {
	p.t.Helper()
	p.run(fmt.Sprintf(`document.activeElement.dispatchEvent(new KeyboardEvent("keydown", { key: %q, shiftKey: %t, bubbles: true }))`, key, shift))
}

func (p *tab) choose(id, value string) {
	p.t.Helper()
	p.run(fmt.Sprintf(`$(%q).value = %q, $(%[1]q).dispatchEvent(new Event("change"))`, id, value))
}

// record begins to record, and waits for some clusters.
func (p *tab) record(clusters int) {
	p.t.Helper()
	p.run(`[$("record"), $("again")].find((button) => button.checkVisibility()).click()`)
	p.until(fmt.Sprintf(`document.body.dataset.state === "recording" && rows().length >= %d`, clusters))
}

// stop ends the recording, and waits for its file.
func (p *tab) stop() {
	p.t.Helper()
	p.click("stop")
	p.until(`!$("report").hidden && $("stage").dataset.shown === "whole" && $("video").readyState >= 2`)
}

func (p *tab) openDetails() {
	p.t.Helper()
	p.run(`$("details").open = true`)
}

// offset is where a row says that its bytes start or end: row 0 is the header.
func (p *tab) offset(row int, end string) int {
	p.t.Helper()
	index := map[string]int{"start": 0, "end": 1}[end]
	text := p.text(fmt.Sprintf(`document.querySelectorAll("#clusters tbody tr")[%d].lastChild.textContent.replaceAll(",", "").split("–")[%d]`, row, index))
	offset, err := strconv.Atoi(text)
	if err != nil {
		p.t.Fatal(err)
	}
	return offset
}

// bytes are those of a Blob in the page.
func (p *tab) bytes(blob string) []byte {
	p.t.Helper()
	encoded := p.text(`new Promise((resolve) => {
		const reader = new FileReader();
		reader.onload = () => resolve(reader.result.split(",")[1]);
		reader.readAsDataURL(` + blob + `);
	})`)
	data, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil {
		p.t.Fatal(err)
	}
	return data
}

// downloads presses a button and compares the file that the browser then saves.
func (p *tab) downloads(button, name string, want []byte) {
	p.t.Helper()
	if got := p.download(button, name); !bytes.Equal(got, want) {
		p.t.Errorf("what %s saves has %d bytes that differ from the %d wanted", button, len(got), len(want))
	}
}

// download presses a button and gives the file that the browser then saves: its name
// is that of the recording and what the pattern says.
func (p *tab) download(button, name string) []byte {
	p.t.Helper()
	folder := p.t.TempDir()
	_, err := chromedp.CallBrowser(p.ctx, browser.SetDownloadBehavior, browser.SetDownloadBehaviorParams{
		Behavior: browser.SetDownloadBehaviorBehaviorAllow, DownloadPath: folder,
	})
	if err != nil {
		p.t.Fatal(err)
	}
	p.click(button)
	// Until it is complete, it has another name or is empty.
	whole := regexp.MustCompile(`^webmend-\d{8}-\d{6}` + name + `$`)
	var seen string
	for p.ctx.Err() == nil {
		saved, _ := os.ReadDir(folder)
		for _, file := range saved {
			seen = file.Name()
			if got, _ := os.ReadFile(filepath.Join(folder, seen)); whole.MatchString(seen) && len(got) > 0 {
				return got
			}
		}
	}
	p.t.Fatalf("%s saved %q, want %s", button, seen, whole)
	return nil
}
