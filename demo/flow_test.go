package main

// What a person does with the page from beginning to end, and how it looks meanwhile.

import (
	"bytes"
	"fmt"
	"math"
	"os"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/webmend/webmend/webm"
)

// A look is a way that a page can be seen.
type look struct {
	name          string
	width, height int64
	dark          bool
}

var looks = []look{
	{"light", 1280, 900, false},
	{"dark", 1280, 900, true},
	{"phone", 390, 844, false},
	{"dark phone", 360, 740, true},
}

func TestEveryViewFitsWhereItIsSeenAndIsKeptAsAPicture(t *testing.T) {
	for _, l := range looks {
		t.Run(l.name, func(t *testing.T) {
			t.Parallel()
			p := open(t, os.DirFS(dist), painted, faint)
			p.see(l)
			p.choose("source", "scene")
			p.keep("idle")
			p.run(`$("upload").click()`)
			p.run(`window.before = $("timeline").getBoundingClientRect().top + scrollY`)
			p.click("record")
			p.until(`duration() > 4`)
			p.until(`$("live").ariaPressed === "true" && $("video").videoWidth > 0`)
			p.keep("recording")
			p.run(`$("scrub").focus(), scrub(1.5)`)
			p.until(`$("live").ariaPressed === "false" && $("caption").checkVisibility() && !$("video").seeking`)
			p.keep("gone back")
			if got := p.text(`String($("timeline").getBoundingClientRect().top + scrollY - before)`); got != "0" {
				t.Errorf("the timeline moved by %s pixels when the recording began", got)
			}
			p.stop()
			p.run(`document.querySelector(".handle.from").focus()`)
			p.press("PageUp", false)
			p.press("ArrowLeft", true)
			p.until(`!$("save-clip").disabled && $("clip-text").textContent.startsWith("Clip: cut")`)
			p.until(`$("uploading").dataset.state === "complete" && document.querySelector("#uploads .button")`)
			p.keep("recorded")
			p.click("play-clip")
			p.until(`$("caption-text").textContent.startsWith("Clip, ") && $("video").currentTime > 0.2`)
			p.openDetails()
			p.keep("clip and details")
		})
	}
}

func TestScrubbingShowsTheFrameOfTheTimeAskedFor(t *testing.T) {
	t.Parallel()
	p := open(t, os.DirFS(dist), painted)
	p.choose("source", "scene")
	p.click("record")
	p.until(`duration() > 3`)
	p.stop()
	if got := p.number(`$("video").duration - duration()`); math.Abs(got) > 0.05 {
		t.Errorf("the file and the recording differ by %.3f s", got)
	}

	p.reads(1)
	for _, to := range []float64{2.5, 0.5, 1.75, 2.9} {
		p.run(fmt.Sprintf(`scrub(%g)`, to))
		p.until(fmt.Sprintf(`at(%g)`, to))
		p.shows(to)
	}

	p.run(`$("scrub").focus()`)
	p.do(chromedp.KeyEvent(kb.ArrowLeft))
	p.until(`at(1.9)`)
	p.shows(1.9)
	p.do(chromedp.KeyEvent(" "))
	p.until(`$("video").currentTime > 2.1`)
	p.do(chromedp.KeyEvent(" "))
	p.until(`$("video").paused`)

	// A click in the middle of the timeline.
	box := p.box(`#timeline`)
	p.do(chromedp.MouseClickXY(box.x+box.width/2, box.y+20))
	middle := p.number(`duration() / 2`)
	p.until(fmt.Sprintf(`at(%g)`, middle))
	p.shows(middle)
}

func TestOneGoesBackWhileItRecordsAndToWhatIsLiveAgain(t *testing.T) {
	t.Parallel()
	p := open(t, os.DirFS(dist), painted)
	p.choose("source", "scene")
	p.click("record")
	p.until(`$("live").ariaPressed === "true" && painted() !== null`)
	p.until(`duration() > 4`)

	p.click("toggle")
	p.until(`$("video").paused`)
	p.reads(1)
	for _, to := range []float64{3, 0.5, 1.75} {
		p.run(fmt.Sprintf(`scrub(%g)`, to))
		p.until(fmt.Sprintf(`at(%g)`, to))
		p.shows(to)
	}
	p.until(`$("live").ariaPressed === "false" && /^[\d.]+ s behind$/.test($("caption-text").textContent) && $("caption").checkVisibility()`)
	p.click("toggle")
	p.until(`$("video").currentTime > 2`)

	p.click("live")
	p.until(`$("live").ariaPressed === "true" && $("caption").hidden && !$("video").paused`)
	p.until(`painted() / scene.rate - began > duration()`) // which is of what is complete
	p.run(`$("scrub").focus()`)
	p.do(chromedp.KeyEvent(kb.PageDown))
	p.until(`$("live").ariaPressed === "false"`)
	p.do(chromedp.KeyEvent(kb.End))
	p.until(`$("live").ariaPressed === "true"`)
	p.stop()
}

func TestARangeOfTheTimelineBecomesAClipWithItsRealCutPoints(t *testing.T) {
	t.Parallel()
	p := open(t, os.DirFS(dist), painted)
	p.choose("source", "scene")
	p.click("record")
	p.until(`duration() > 3`)

	// While it records, and so the timeline spans 10 s.
	box := p.box(`#timeline`)
	at := func(time float64) float64 { return box.x + time/10*box.width }
	p.do(chromedp.DragAndDropXY(at(1), box.y+40, at(2), box.y+40, 5))
	p.until(`!$("save-clip").disabled && $("clip-text").textContent.startsWith("Clip: cut at 0.")`)
	p.click("play-clip")
	p.until(`$("stage").dataset.shown === "clip" && $("video").currentTime > 0.2`)
	p.click("back")
	p.until(`$("stage").dataset.shown === "live" && $("video").currentTime > 3 && !$("video").paused`)
	p.stop()
	cut := p.text(`$("clip-text").textContent.match(/cut at ([\d.]+) s and ([\d.]+) s/).slice(1).join(" ")`)
	var start, end float64
	fmt.Sscan(cut, &start, &end)
	if start > 1 || math.Abs(end-2) > 0.2 {
		t.Errorf("the clip of 1 to 2 s is cut at %s", cut)
	}
	p.reads(1)

	p.click("play-clip")
	p.until(`$("stage").dataset.shown === "clip" && $("video").ended`)
	p.run(`scrub(0.5)`)
	p.until(`at(0.5)`)
	p.shows(start + 0.5)

	file := p.download("save-clip", fmt.Sprintf(`-clip-%.2f-%.2f\.webm`, start, end))
	if got := p.length(file); math.Abs(got-(end-start)) > 0.1 {
		t.Errorf("the clip that was saved lasts %.3f s, and was cut at %s", got, cut)
	}
	whole := p.download("save-file", `\.webm`)
	if got, want := p.length(whole), p.number(`duration()`); math.Abs(got-want) > 0.02 {
		t.Errorf("the file that was saved lasts %.3f s, want %.3f", got, want)
	}
}

func TestTheLastSecondsAreSavedWhileItRecords(t *testing.T) {
	t.Parallel()
	p := open(t, os.DirFS(dist))
	p.choose("source", "scene")
	p.click("record")
	p.until(`duration() > 2`)
	file := p.download("save-last", `-last-\d+s\.webm`)
	if got := p.length(file); got < 1 || got > 31 {
		t.Errorf("what was saved of 2 s lasts %.3f s", got)
	}
	p.stop()
}

// What is left of the blobs beside it mostly fits together: then all that shows is that there
// is no sound.
func TestWhatIsLostIsHatchedInTheTimeline(t *testing.T) {
	t.Parallel()
	p := open(t, os.DirFS(dist))
	p.choose("source", "scene")
	p.record(2)
	p.openDetails()
	p.click("lose")
	p.until(`/(something lost|no sound) in 1 place/.test(document.querySelector("#timeline canvas").ariaLabel)`)
	p.stop()
	p.until(`/1 blob lost on purpose[^]*(Something is lost|No sound) from [\d.]+ s to [\d.]+ s/.test($("report").innerText)`)
}

func TestOnceItIsLoadedThePageWorksWithoutANetwork(t *testing.T) {
	t.Parallel()
	p := open(t, os.DirFS(dist))
	p.close() // the server, and with it all that the page could ask
	p.choose("source", "scene")
	p.record(3)
	p.stop()
	p.click("toggle")
	p.until(`$("video").currentTime > 0.2`)
	p.run(`document.querySelector(".handle.from").focus()`)
	p.press("ArrowRight", true)
	p.until(`!$("play-clip").disabled`)
	p.click("play-clip")
	p.until(`$("stage").dataset.shown === "clip" && $("video").currentTime > 0.2`)
	p.length(p.download("save-file", `\.webm`))
}

func TestTheInspectorLooksIntoTheFile(t *testing.T) {
	t.Parallel()
	p := open(t, os.DirFS(dist))
	p.choose("source", "scene")
	p.record(2)
	p.stop()
	// In a frame, as of two tabs only one is drawn.
	p.run(`
		const frame = document.createElement("iframe");
		frame.name = "frame";
		document.body.append(frame);
		const inTab = window.open;
		window.open = (url) => (window.opened = inTab(url, "frame"));`)
	p.click("inspect")
	p.until(`opened.document.body?.dataset.state === "done" && /^webmend-\d{8}-\d{6}\.webm$/.test(opened.document.getElementById("name").textContent)`)
	p.until(`opened.document.getElementById("about").textContent.includes($("bytes").textContent.split(" ")[1])`)
}

// painted has what reads the number on a frame of the scene, in the stage's picture.
const painted = `
	const painted = () => scene.frameOn($("video"));
	const scrub = (time) => ($("scrub").value = time, $("scrub").dispatchEvent(new Event("input")));
	const at = (time) => !$("video").seeking && Math.abs($("video").currentTime - time) < 0.02;
	addEventListener("DOMContentLoaded", async () => (window.scene = await import("/scene.js")));`

// reads goes to a time of the recording, and takes from there when the scene began:
// before the recorder did.
func (p *tab) reads(time float64) {
	p.t.Helper()
	p.run(fmt.Sprintf(`scrub(%g)`, time))
	p.until(fmt.Sprintf(`at(%g) && painted() !== null`, time))
	p.run(fmt.Sprintf(`window.began = painted() / scene.rate - %g`, time))
}

// shows waits for the frame of a time of the recording, by its number: a browser that
// is busy shows it a little after it says so, and leaves out some of the scene's.
func (p *tab) shows(time float64) {
	p.t.Helper()
	p.until(fmt.Sprintf(`Math.abs(painted() / scene.rate - began - %g) < 0.25`, time))
}

type box struct{ x, y, width float64 }

// box is where an element is in the window, once that has been moved there.
func (p *tab) box(selector string) box {
	p.t.Helper()
	p.run(fmt.Sprintf(`document.querySelector(%q).scrollIntoView({ block: "center" })`, selector))
	of := func(name string) float64 {
		return p.number(fmt.Sprintf(`document.querySelector(%q).getBoundingClientRect().%s`, selector, name))
	}
	return box{of("x"), of("y"), of("width")}
}

// length is that of a file, in seconds, which must be whole.
func (p *tab) length(file []byte) float64 {
	p.t.Helper()
	_, report, err := webm.Scan(bytes.NewReader(file), int64(len(file)), webm.Options{}, nil)
	if err != nil || len(report.Recordings) != 1 || len(report.Dropped) > 0 {
		p.t.Fatalf("a file of %d bytes: %v; it has %d recordings, and dropped are %v", len(file), err, len(report.Recordings), report.Dropped)
	}
	return float64(report.Recordings[0].Duration) / 1e9
}

// faint has what finds text that is less than 4.5 to 1 against what is behind it, where
// it is not of what cannot be used just now.
const faint = `
	const rgba = (color) => {
		const c = new OffscreenCanvas(1, 1).getContext("2d");
		c.fillStyle = color;
		c.fillRect(0, 0, 1, 1);
		return [...c.getImageData(0, 0, 1, 1).data].map((v) => v / 255);
	};
	const over = ([r, g, b, a], below) => [r, g, b].map((v, i) => v * a + below[i] * (1 - a));
	const behind = (element) => {
		if (!element) return [1, 1, 1];
		return over(rgba(getComputedStyle(element).backgroundColor), behind(element.parentElement));
	};
	const light = (color) => {
		const [r, g, b] = color.map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4));
		return 0.2126 * r + 0.7152 * g + 0.0722 * b + 0.05;
	};
	const faint = () => {
		const found = [];
		const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
		while (texts.nextNode()) {
			const { parentElement: element, data } = texts.currentNode;
			if (!data.trim() || !element.checkVisibility() || element.closest(":disabled, script, noscript, option")) continue;
			const below = behind(element);
			const [a, b] = [light(over(rgba(getComputedStyle(element).color), below)), light(below)];
			const ratio = Math.max(a, b) / Math.min(a, b);
			if (ratio < 4.5) found.push(data.trim() + " has " + ratio.toFixed(2));
		}
		return found;
	};`

// see has the page seen in a way.
func (p *tab) see(l look) {
	p.t.Helper()
	p.look = l
	var options []chromedp.EmulateViewportOption
	if l.width < 600 {
		options = append(options, chromedp.EmulateMobile, chromedp.EmulateScale(2))
	}
	p.do(chromedp.EmulateViewport(l.width, l.height, options...))
	p.scheme(map[bool]string{false: "light", true: "dark"}[l.dark])
}

// keep makes a picture of all of the page, which must be as wide as what it is seen on.
func (p *tab) keep(view string) {
	p.t.Helper()
	if got := p.text(`String(document.documentElement.scrollWidth)`); got != fmt.Sprint(p.look.width) {
		p.t.Errorf("%s: the page is %s pixels wide, want %d", view, got, p.look.width)
	}
	if got := p.text(`faint().join("; ")`); got != "" {
		p.t.Errorf("%s: too little contrast: %s", view, got)
	}
	p.picture(strings.ReplaceAll(p.look.name+" "+view, " ", "-"))
}
