package main

// What a page that is gone has left on the computer.

import (
	"bytes"
	"os"
	"testing"

	"github.com/chromedp/chromedp"
)

const left = `
	const remains = () => [...document.querySelectorAll("#left-rows li")];
	const hit = (row, text) => [...row.querySelectorAll("button")].find((button) => button.textContent === text).click();
	window.confirm = () => true;`

func TestWhatAPageThatIsGoneRecordedIsSavedOrDeleted(t *testing.T) {
	t.Parallel()
	before := open(t, os.DirFS(dist))
	before.choose("source", "scene")
	before.record(3)
	server := before.text(`location.origin`)
	recorded := before.number(`duration()`)
	chromedp.Cancel(before.ctx)

	p := visitAt(t, server, left, faint)
	p.until(`remains().length === 1 && !$("left").hidden`)
	p.see(looks[0])
	p.keep("left")
	p.run(`remains()[0].querySelector("button").id = "save-left"`)
	got := p.download("save-left", `-recovered\.webm`)
	plays(t, got)
	if length := p.length(got); length < recorded-0.1 {
		t.Errorf("of %.2f s that were complete there are %.2f", recorded, length)
	}
	p.until(`remains().length === 1`)
	p.run(`hit(remains()[0], "Delete")`)
	p.until(`remains().length === 0 && $("left").hidden`)
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
