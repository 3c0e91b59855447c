package main

// What a page that is gone has left on the computer.

import (
	"bytes"
	"os"
	"regexp"
	"testing"

	"github.com/chromedp/chromedp"
)

const left = `
	const remains = () => [...document.querySelectorAll("#left-rows li")];
	const kept = () => [...document.querySelectorAll("#kept-rows li")];
	const hit = (row, text) => [...row.querySelectorAll("button")].find((button) => button.textContent === text).click();`

// saveLeft saves the first of what is left.
func (p *tab) saveLeft() []byte {
	p.t.Helper()
	p.run(`[...remains()[0].querySelectorAll("button")].find((button) => button.textContent === "Save").id = "save-left"`)
	return p.download("save-left", `-recovered\.webm`)
}

func TestWhatAPageThatIsGoneRecordedIsSavedOrDeleted(t *testing.T) {
	t.Parallel()
	before := open(t, os.DirFS(dist))
	before.choose("source", "scene")
	before.record(3)
	server := before.text(`location.origin`)
	recorded := before.number(`duration()`)
	chromedp.Cancel(before.ctx)

	p := visitAt(t, server, left, faint)
	p.until(`remains().length === 1 && !$("left").hidden && remains()[0].querySelector("video").duration > 0`)
	if text := p.text(`remains()[0].textContent`); !regexp.MustCompile(`\d:\d\d\.\d, .*neither downloaded nor uploaded`).MatchString(text) {
		t.Errorf("it is listed as %q", text)
	}
	p.see(looks[0])
	p.keep("left")
	got := p.saveLeft()
	plays(t, got)
	if length := p.length(got); length < recorded-0.1 {
		t.Errorf("of %.2f s that were complete there are %.2f", recorded, length)
	}
	p.until(`remains().length === 0 && kept().length === 1 && kept()[0].textContent.includes("downloaded")`)
	p.run(`hit(kept()[0], "Delete")`)
	p.until(`kept()[0].textContent.includes("deleted")`)
	p.run(`hit(kept()[0], "Undo")`)
	p.until(`kept()[0].textContent.includes("downloaded")`)
	p.run(`hit(kept()[0], "Delete")`)
	p.until(`kept().length === 0 && $("kept").hidden`)
}

func TestWhatWasNeitherDownloadedNorUploadedIsListedWhenAnotherIsRecorded(t *testing.T) {
	t.Parallel()
	p := open(t, os.DirFS(dist), left, faint)
	p.choose("source", "scene")
	p.record(2)
	p.stop()
	recorded := p.number(`duration()`)
	p.click("again")
	p.until(`remains().length === 1 && document.body.dataset.state === "recording" && duration() > 0.5`)
	for _, event := range []string{"true", "false"} { // while it is recorded, and when it is over
		if got := p.text(`String(!dispatchEvent(new Event("beforeunload", { cancelable: true })))`); got != event {
			t.Errorf("whether the page asks before it is closed is %s, want %s", got, event)
		}
		if event == "true" {
			p.stop()
		}
	}
	got := p.saveLeft()
	if length := p.length(got); length < recorded-0.1 || length > recorded+0.1 {
		t.Errorf("the first, of %.2f s, has %.2f", recorded, length)
	}
	p.download("save-file", `\.webm`)
	p.click("again")
	p.until(`kept().length === 2 && remains().length === 0`)
	p.stop()
}

func TestAnUploadGoesOnAfterThePageWasGone(t *testing.T) {
	t.Parallel()
	before := open(t, os.DirFS(dist))
	before.choose("source", "scene")
	before.run(`$("upload").click()`)
	before.click("record")
	before.until(`/ ([2-9]|\d\d) parts, /.test($("upload-text").textContent)`)
	server := before.text(`location.origin`)
	recorded := before.number(`duration()`)
	chromedp.Cancel(before.ctx)

	p := visitAt(t, server, left, ownParts, `
		const puts = [];
		const reach = fetch;
		window.fetch = (url, options) => {
			if (options?.method === "PUT") puts.push(url);
			return reach(url, options);
		};`)
	p.until(`remains().length === 1`)
	p.run(`hit(remains()[0], "Upload the rest")`)
	p.until(`remains().length === 0 && uploads().length === 1 && !uploads()[0].textContent.includes("unfinished")`)
	if puts := p.text(`puts.join()`); bytes.Contains([]byte(puts), []byte("parts/2")) {
		t.Errorf("what the server had is sent again: %s", puts)
	}
	got := fetched(t, p.text(`uploads()[0].querySelector("a").href`))
	plays(t, got)
	if length := p.length(got); length < recorded-0.1 {
		t.Errorf("of %.2f s that were complete there are %.2f", recorded, length)
	}
}
