package main

// What a person sees of uploads, and what then is on the server.

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/webmend/webmend/demo/uploads"
)

// ownParts has the recording that is uploaded give its parts once more, to compare with.
const ownParts = `
	import("/dist/index.js").then(({ Recording }) => {
		const { parts } = Recording.prototype;
		Recording.prototype.parts = function (options) {
			window.again = async () => {
				const all = [];
				for await (const { number, blob } of parts.call(this, options)) all[number - 1] = blob;
				return new Blob(all);
			};
			return parts.call(this, options);
		};
	});
	const uploads = () => [...document.querySelectorAll("#uploads li")];`

// serverHasAll checks that what is on the server is the recording that ownParts gives.
func (p *tab) serverHasAll() {
	p.t.Helper()
	p.run(`again().then((blob) => (window.own = blob))`)
	if got, want := fetched(p.t, p.text(`uploads()[0].querySelector("a").href`)), p.bytes(`own`); !bytes.Equal(got, want) {
		p.t.Errorf("on the server are %d bytes, and not the %d of the recording's parts", len(got), len(want))
	}
}

// badNetwork has fetches fail while it is cut and, in turns, arrive without their answer
// and twice: the second time after what comes later.
const badNetwork = `
	const reach = fetch;
	let [cut, turn, failed, delayed] = [false, 0, 0, null];
	window.fetch = async (url, options) => {
		if (options?.method !== "PUT") return reach(url, options);
		if (cut) {
			failed++;
			throw new TypeError("no network");
		}
		const before = delayed;
		delayed = null;
		const answer = await reach(url, options);
		if (before) await reach(...before);
		if (++turn % 2 === 0) delayed = [url, { ...options, signal: undefined }];
		if (turn % 3 === 0) {
			failed++;
			throw new TypeError("the answer is lost");
		}
		return answer;
	};`

func TestARecordingIsUploadedThoughTheNetworkIsCutAndRestored(t *testing.T) {
	t.Parallel()
	p := open(t, os.DirFS(dist), ownParts, badNetwork, faint)
	p.see(looks[0])
	p.choose("source", "scene")
	p.run(`$("upload").click()`)
	p.click("record")
	p.until(`document.body.dataset.state === "recording" && / [1-9]\d* parts?, /.test($("upload-text").textContent)`)
	p.run(`cut = true, failed = 0`)
	p.until(`failed >= 2 && $("uploading").dataset.state === "waiting" && $("upload-text").textContent.includes("no network")`)
	p.keep("no network")
	p.stop()
	p.until(`$("uploading").dataset.state === "waiting"`)
	p.run(`cut = false, dispatchEvent(new Event("online"))`)
	p.until(`$("uploading").dataset.state === "complete" && uploads().length === 1 && !uploads()[0].textContent.includes("unfinished")`)

	p.run(`again().then((blob) => (window.own = blob))`)
	want := p.bytes(`own`)
	file := p.text(`uploads()[0].querySelector("a").href`)
	got := fetched(t, file)
	if !bytes.Equal(got, want) {
		t.Errorf("on the server are %d bytes, and not the %d of the recording's parts", len(got), len(want))
	}
	p.length(got)
	plays(t, got)
	p.run(`$("video").src = uploads()[0].querySelector("a").href`)
	p.until(`$("video").duration < Infinity && Math.abs($("video").duration - duration()) < 0.1`)
	p.run(`$("video").currentTime = duration() / 2, $("video").play()`)
	p.until(`$("video").currentTime > duration() / 2 + 0.2`)
}

func TestWhatAPageThatIsGoneLeftBehindIsCompletedOrDeleted(t *testing.T) {
	t.Parallel()
	before := open(t, os.DirFS(dist), ownParts)
	before.choose("source", "scene")
	before.run(`$("upload").click()`)
	before.click("record")
	before.until(`/ ([3-9]|\d\d) parts, /.test($("upload-text").textContent)`)
	server := before.text(`location.origin`)
	recorded := before.number(`duration()`)
	chromedp.Cancel(before.ctx)

	p := visitAt(t, server, ownParts)
	p.until(`uploads().length === 1 && uploads()[0].textContent.includes("unfinished")`)
	p.run(`uploads()[0].querySelector("button").click()`)
	p.until(`uploads()[0].querySelector("a")`)
	file := p.text(`uploads()[0].querySelector("a").href`)
	got := fetched(t, file)
	plays(t, got)
	if length := p.length(got); length < recorded/2 {
		t.Errorf("of %.2f s that were complete there are %.2f", recorded, length)
	}
	p.run(`[...uploads()[0].querySelectorAll("button")].at(-1).click()`)
	p.until(`uploads().length === 0 && $("server").hidden`)
	answer, err := http.Get(file)
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()
	if answer.StatusCode != http.StatusNotFound {
		t.Errorf("what is deleted is answered with %s", answer.Status)
	}
}

// troubledAt is a page whose server answers otherwise where it is told to.
func troubledAt(t *testing.T, trouble func(w http.ResponseWriter, r *http.Request) bool, scripts ...string) (p *tab) {
	t.Helper()
	takes := uploadsIn(t, t.TempDir())
	server := httptest.NewServer(handler(os.DirFS(dist), http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !trouble(w, r) {
			takes.ServeHTTP(w, r)
		}
	})))
	t.Cleanup(server.Close)
	p = visitAt(t, server.URL, scripts...)
	p.refused.Store(true)
	p.until(`!$("record").disabled`)
	return p
}

func TestARecordingWhoseUploadFailsForGoodIsKept(t *testing.T) {
	t.Parallel()
	for _, status := range []int{403, 404, 409, 413, 415, 421} {
		t.Run(http.StatusText(status), func(t *testing.T) {
			t.Parallel()
			var parts atomic.Int64
			p := troubledAt(t, func(w http.ResponseWriter, r *http.Request) bool {
				if !strings.Contains(r.URL.Path, "/parts/") || parts.Add(1) < 3 {
					return false
				}
				w.WriteHeader(status)
				return true
			}, left, faint)
			p.choose("source", "scene")
			p.run(`$("upload").click()`)
			p.click("record")
			p.until(`$("uploading").dataset.state === "failed" && $("problem-text").textContent.includes("kept on this computer")`)
			p.stop()
			recorded := p.number(`duration()`)
			p.run(`$("upload").click()`)
			p.click("again")
			p.until(`remains().length === 1 && remains()[0].textContent.includes("its upload failed: the server answers ") && remains()[0].querySelector("video").duration > 0`)
			p.stop()
			got := p.saveLeft()
			if length := p.length(got); length < recorded-0.1 {
				t.Errorf("of %.2f s there are %.2f", recorded, length)
			}
		})
	}
}

func TestAServerThatForgetsAnUploadIsSentAllOfItAgain(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	var takes atomic.Pointer[uploads.Server]
	takes.Store(uploadsIn(t, folder))
	server := httptest.NewServer(handler(os.DirFS(dist), http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { takes.Load().ServeHTTP(w, r) })))
	t.Cleanup(server.Close)
	p := visitAt(t, server.URL, ownParts)
	p.until(`!$("record").disabled`)
	p.choose("source", "scene")
	p.run(`$("upload").click()`)
	p.click("record")
	p.until(`/ ([3-9]|\d\d) parts, /.test($("upload-text").textContent)`)
	p.refused.Store(true)
	takes.Store(uploadsIn(t, t.TempDir())) // it is emptied
	p.until(`/ ([5-9]|\d\d) parts, /.test($("upload-text").textContent)`)
	p.stop()
	p.until(`$("uploading").dataset.state === "complete" && uploads().length === 1`)
	p.serverHasAll()
}

func TestAnotherTabLeavesARunningUploadAlone(t *testing.T) {
	t.Parallel()
	p := open(t, os.DirFS(dist), ownParts)
	p.choose("source", "scene")
	p.run(`$("upload").click()`)
	p.click("record")
	p.until(`/ ([2-9]|\d\d) parts, /.test($("upload-text").textContent)`)
	other := visitAt(t, p.text(`location.origin`), ownParts, left)
	other.until(`uploads().length === 1 && uploads()[0].textContent.includes("another tab is uploading it")`)
	if got := other.text(`String(uploads()[0].querySelectorAll("button").length + remains().length)`); got != "0" {
		t.Errorf("the other tab has %s buttons or rows for it", got)
	}
	// Not even if it is asked for.
	other.refused.Store(true)
	if got := other.text(`fetch("uploads").then((answer) => answer.json()).then(([{ id }]) => fetch("uploads/" + id + "/repair", { method: "POST" })).then((answer) => String(answer.status))`); got != "409" {
		t.Errorf("a repair is answered with %s", got)
	}
	p.stop()
	p.until(`$("uploading").dataset.state === "complete" && uploads().length === 1`)
	p.serverHasAll()
	other.until(`uploads()[0].textContent.includes("complete")`)
}

func TestWhatTheServerHasIsNeverMadeShorterByACopy(t *testing.T) {
	t.Parallel()
	before := open(t, os.DirFS(dist))
	before.choose("source", "scene")
	before.run(`$("upload").click()`)
	before.click("record")
	before.until(`/ ([2-9]|\d\d) parts, /.test($("upload-text").textContent)`)
	server := before.text(`location.origin`)
	chromedp.Cancel(before.ctx)

	// The copy is shorter than what the server has, as where the disk was full.
	have := fetched(t, server+"/uploads")
	id := regexp.MustCompile(`"id":"([^"]+)"`).FindSubmatch(have)[1]
	put, err := http.NewRequest("PUT", fmt.Sprintf("%s/uploads/%s/parts/500", server, id), bytes.NewReader(make([]byte, 1000)))
	if err != nil {
		t.Fatal(err)
	}
	if answer, err := http.DefaultClient.Do(put); err != nil || answer.StatusCode != http.StatusNoContent {
		t.Fatal(answer, err)
	}
	p := visitAt(t, server, left, ownParts)
	p.until(`remains().length === 1`)
	p.run(`hit(remains()[0], "Upload the rest")`)
	p.until(`$("problem-text").textContent.includes("the server has more of it") && remains().length === 1`)
	p.until(`uploads().length === 1 && uploads()[0].textContent.includes("unfinished")`)
	if now := fetched(t, server+"/uploads/"+string(id)); !bytes.Contains(now, []byte(`{"number":500,"size":1000}`)) {
		t.Errorf("the server has %s", now)
	}
}

func TestWithoutItsSwitchNothingIsUploaded(t *testing.T) {
	t.Parallel()
	p := open(t, os.DirFS(dist))
	p.choose("source", "scene")
	p.record(2)
	p.stop()
	if got := p.text(`fetch("/uploads").then((answer) => answer.text())`); got != "[]\n" {
		t.Errorf("on the server is %s", got)
	}
	p.until(`$("server").hidden`)
}

// plays has ffprobe read each frame, and the duration, of a file that is seekable.
func plays(t testing.TB, file []byte) {
	t.Helper()
	name := filepath.Join(t.TempDir(), "file.webm")
	write(t, name, string(file))
	out, err := exec.Command("ffprobe", "-v", "error", "-count_frames", "-show_entries", "stream=nb_read_frames:format=duration", "-of", "default", name).CombinedOutput()
	text := string(out)
	if err != nil || !strings.Contains(text, "nb_read_frames=") || strings.Contains(text, "=N/A") || strings.Contains(text, "[matroska") {
		t.Errorf("ffprobe says %s (%v)", text, err)
	}
}

func fetched(t *testing.T, url string) []byte {
	t.Helper()
	answer, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	var got bytes.Buffer
	if _, err := got.ReadFrom(answer.Body); err != nil || answer.StatusCode != http.StatusOK {
		t.Fatalf("%s: %s, %v", url, answer.Status, err)
	}
	return got.Bytes()
}
