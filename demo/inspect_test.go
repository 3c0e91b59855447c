package main

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"

	"github.com/webmend/webmend/webm"
)

const testdata = "../webm/testdata"

// withTestdata is the built package, with the recordings of the tests in a folder of it.
type withTestdata struct{ dist fs.FS }

func (f withTestdata) Open(name string) (fs.File, error) {
	if recording, ok := strings.CutPrefix(name, "testdata/"); ok {
		return os.DirFS(testdata).Open(recording)
	}
	return f.dist.Open(name)
}

// inspectHelpers shorten what the tests of the inspector say in JavaScript.
const inspectHelpers = `
	const load = async (name) => (await fetch("/dist/testdata/" + name + ".webm")).blob();
	const give = (...files) => {
		const transfer = new DataTransfer();
		for (const [name, ...parts] of files) transfer.items.add(new File(parts, name));
		$("files").files = transfer.files;
		$("files").dispatchEvent(new Event("change"));
	};
	const drop = (...files) => {
		const dataTransfer = new DataTransfer();
		for (const [name, ...parts] of files) dataTransfer.items.add(new File(parts, name));
		for (const type of ["dragover", "drop"]) dispatchEvent(new DragEvent(type, { dataTransfer, cancelable: true }));
	};
	const inState = (state) => document.body.dataset.state === state;
	const shownRows = (id) => [...document.querySelectorAll("#" + id + " .space > .row:not([hidden])")]
		.sort((a, b) => a.getBoundingClientRect().y - b.getBoundingClientRect().y);
	const treeRow = (name) => shownRows("tree").find((row) => row.querySelector(".name").textContent === name);
	const selectedName = () => document.querySelector("#tree [aria-selected=true] .name")?.textContent ?? "";
	const key = (id, key, more) => $(id).dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true, ...more }));`

// inspector opens the inspector in a new tab.
func inspector(t *testing.T) *tab {
	t.Helper()
	p := visit(t, withTestdata{os.DirFS(dist)}, inspectHelpers)
	p.do(chromedp.EmulateViewport(1440, 900))
	p.do(chromedp.Navigate(p.text(`location.href`) + "inspect.html"))
	return p
}

// inspects has the inspector open a recording of the tests.
func (p *tab) inspects(name string) {
	p.t.Helper()
	p.run(fmt.Sprintf(`load(%q).then((blob) => give([%[1]q + ".webm", blob]))`, name))
	p.sees(`inState("done")`)
}

// sees waits for a condition.
func (p *tab) sees(condition string) {
	p.t.Helper()
	if err := chromedp.Do(p.ctx, chromedp.Poll[chromedp.Void](condition, chromedp.WithPollingTimeout(15*time.Second))); err != nil {
		p.t.Fatalf("waiting for %s: %v; the page says %q", condition, err, p.text(`[document.body.dataset.state, ...["problem", "problems", "name", "status", "path", "details"].map((id) => $(id).innerText)].join("; ")`))
	}
}

// picture keeps what all of the page looks like for someone to look at.
func (p *tab) picture(name string) {
	p.t.Helper()
	p.run(`new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)))`)
	image, err := chromedp.Call(p.ctx, page.CaptureScreenshot, page.CaptureScreenshotParams{CaptureBeyondViewport: new(true)})
	if err != nil {
		p.t.Fatal(err)
	}
	if err := os.MkdirAll("artefacts", 0o777); err != nil {
		p.t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join("artefacts", name+".png"), image.Data, 0o666); err != nil {
		p.t.Fatal(err)
	}
}

// scheme has the page be dark or light.
func (p *tab) scheme(name string) {
	p.t.Helper()
	_, err := chromedp.Call(p.ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: name}},
	})
	if err != nil {
		p.t.Fatal(err)
	}
}

// damaged gives a recording of which a part is overwritten and the end is lost, in two chunks.
const damaged = `load("chromium-noalpha-03-vp8opus-ts250").then(async (blob) => {
	const bytes = new Uint8Array(await blob.arrayBuffer());
	bytes.fill(0, 300000, 310000);
	return bytes.subarray(0, bytes.length - 3000);
})`

func TestEachViewOfTheInspectorFitsEachScreen(t *testing.T) {
	t.Parallel()
	for _, screen := range []struct {
		name, scheme  string
		width, height int64
		options       []chromedp.EmulateViewportOption
	}{
		{"light", "light", 1440, 900, nil},
		{"dark", "dark", 1440, 900, nil},
		{"narrow", "light", 1000, 700, nil},
		{"phone", "light", 390, 844, []chromedp.EmulateViewportOption{chromedp.EmulateMobile, chromedp.EmulateScale(2)}},
		{"phone-dark", "dark", 390, 844, []chromedp.EmulateViewportOption{chromedp.EmulateMobile, chromedp.EmulateScale(2)}},
	} {
		t.Run(screen.name, func(t *testing.T) {
			t.Parallel()
			p := inspector(t)
			p.scheme(screen.scheme)
			p.do(chromedp.EmulateViewport(screen.width, screen.height, screen.options...))
			shot := func(view string) {
				t.Helper()
				if got := p.text(`String(document.documentElement.scrollWidth)`); got != fmt.Sprint(screen.width) {
					t.Errorf("%s: the page is %s pixels wide, want %d", view, got, screen.width)
				}
				p.picture("inspector-" + screen.name + "-" + view)
			}
			shot("welcome")
			p.run(damaged + `.then((bytes) => give(["talk-2.webm", bytes.subarray(400000)], ["talk-1.webm", bytes.subarray(0, 400000)]))`)
			p.sees(`inState("done")`)
			p.run(`key("tree", "End")`)
			p.sees(`treeRow("Cluster")`)
			p.run(`treeRow("Cluster").click()`)
			p.run(`key("tree", "ArrowRight"), key("tree", "ArrowDown"), key("tree", "ArrowDown")`)
			p.sees(`selectedName() !== "Cluster"`)
			shot("elements")
			for _, view := range []string{"blocks", "tracks", "problems", "chunks"} {
				p.click("tab-" + view)
				shot(view)
			}
			p.click("repair")
			p.sees(`inState("done") && !$("repaired").hidden`)
			shot("repaired")
		})
	}
}

// lines are those of the command line's list of elements, of a file of the tests.
func lines(t *testing.T, name string) []string {
	t.Helper()
	command := exec.Command("node", filepath.Join(dist, "cli.js"), "info", filepath.Join(testdata, name+".webm"))
	out, err := command.Output()
	if err != nil {
		t.Fatal(err)
	}
	return strings.Split(strings.TrimSpace(string(out)), "\n")
}

// shownLines is the whole tree as such lines, by scrolling through it and opening all
// that is closed. A value of a block or a Cluster is left out: theirs are shorter.
const shownLines = `(async () => {
	const frame = () => new Promise(requestAnimationFrame);
	const lines = new Map();
	for (let last = -1; ; ) {
		await frame();
		await frame();
		const rows = shownRows("tree");
		const closed = rows.filter((row) => row.ariaExpanded === "false");
		for (const row of closed) row.querySelector(".twisty").click();
		if (closed.length > 0) continue;
		for (const row of rows) {
			const text = (name) => row.querySelector("." + name).textContent;
			const [name, offset, value] = [text("name"), text("offset").replaceAll(",", ""), text("value")];
			lines.set(row.id, "  ".repeat(row.ariaLevel - 1) + name + " at " + offset + (value && !/Block$|^Cluster/.test(name) ? ": " + value : ""));
		}
		if ($("tree").scrollTop === last) break;
		last = $("tree").scrollTop;
		$("tree").scrollTop += $("tree").clientHeight - 60;
	}
	return [...lines.values()].join("\n");
})()`

func TestTheTreeListsWhatTheCommandLineLists(t *testing.T) {
	t.Parallel()
	for _, name := range []string{
		"chromium-23b-stop-at-60ms",         // unknown sizes
		"chromium-26-long-audio-nots-75s",   // known sizes and Cues
		"firefox-23-stop-immediately",       // an empty SeekHead, Duration 0, no Cluster
		"firefox-10b-two-recordings",        // SimpleBlocks of 4-byte sizes
		"chromium-13b-alpha-vp9",            // BlockGroups with BlockAdditions
		"chromium-24-same-recorder-restart", // two recordings
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := inspector(t)
			p.do(chromedp.EmulateViewport(1000, 5000)) // fewer pages
			p.inspects(name)
			want := lines(t, name)
			for i, line := range want {
				place, rest, _ := strings.Cut(line, ",")
				_, value, found := strings.Cut(rest, ": ")
				if want[i] = place; found && !strings.Contains(place, "Block at") {
					want[i] += ": " + value
				}
			}
			if got := strings.Split(p.text(shownLines), "\n"); !slices.Equal(got, want) {
				i := 0
				for i < min(len(got), len(want)) && got[i] == want[i] {
					i++
				}
				t.Errorf("%d lines, want %d; from line %d on: %q, want %q", len(got), len(want), i+1, got[i:min(i+3, len(got))], want[i:min(i+3, len(want))])
			}
		})
	}
}

func TestEveryRecordingOpensWithAllItsElements(t *testing.T) {
	t.Parallel()
	p := inspector(t)
	recordings, err := filepath.Glob(filepath.Join(testdata, "*.webm"))
	if err != nil || len(recordings) < 20 {
		t.Fatalf("%d recordings (%v)", len(recordings), err)
	}
	for _, path := range recordings {
		name := strings.TrimSuffix(filepath.Base(path), ".webm")
		if name == "chromium-23-stop-immediately" {
			continue // has no bytes
		}
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		elements := 0
		walker := webm.NewWalker(0, func(webm.Element) { elements++ })
		walker.Push(data)
		walker.Finish() // a recording may be cut short
		p.inspects(name)
		p.sees(fmt.Sprintf(`$("name").textContent === "%s.webm" && parseInt($("tab-elements").lastElementChild.textContent.replace(",", "")) === %d`, name, elements))
		if got := p.text(`[...$("problems").querySelectorAll(".damage")].map((item) => item.innerText).join()`); got != "" && name != "firefox-23-stop-immediately" {
			t.Errorf("%s: %s", name, got)
		}
	}
}

func TestAnElementShowsItsBytesAndAByteItsElement(t *testing.T) {
	t.Parallel()
	for _, screen := range []struct{ name, columns string }{{"wide", "16"}, {"phone", "8"}} {
		t.Run(screen.name, func(t *testing.T) {
			t.Parallel()
			p := inspector(t)
			if screen.name == "phone" {
				p.do(chromedp.EmulateViewport(390, 844, chromedp.EmulateMobile))
			}
			p.inspects("chromium-13b-alpha-vp9")
			p.run(`window.e = 0, window.cursor = () => document.querySelector("#hex [aria-label]")`)

			// An element in the tree: its bytes are marked, and they are those of the file.
			p.sees(`treeRow("Info") && shownRows("hex").length > 3`)
			p.run(`treeRow("Info").click()`)
			p.sees(`selectedName() === "Info" && /^15 at [\d,]+: ID of Info at /.test(cursor()?.ariaLabel)`)
			p.sees(`[...document.querySelectorAll("#hex [role=gridcell].selected")].map((b) => b.textContent).join("").startsWith("1549a966")`)
			want := p.text(`load("chromium-13b-alpha-vp9").then((blob) => blob.arrayBuffer()).then((all) => [...new Uint8Array(all).subarray(0, 64)].map((b) => b.toString(16).padStart(2, "0")).join(" "))`)
			p.run(`$("hex").scrollTop = 0`)
			p.sees(`shownRows("hex").flatMap((row) => [...row.querySelectorAll("[role=gridcell]:not([hidden])")]).map((b) => b.textContent).join(" ").startsWith("` + want + `")`)
			if got := p.text(`String(shownRows("hex")[0].querySelectorAll("[role=gridcell]:not([hidden])").length)`); got != screen.columns {
				t.Errorf("a row has %s bytes, want %s", got, screen.columns)
			}

			// A byte deep in a block: its element is selected, and what that is in is open.
			p.run(`$("offset").value = "0x3000", $("go").requestSubmit()`)
			p.sees(`cursor()?.ariaLabel.includes(" at 12,288: data of Block")`)
			p.run(`cursor().nextElementSibling.click()`)
			p.sees(`cursor()?.ariaLabel.includes(" at 12,289: data of Block") && /^Block/.test(selectedName())`)
			p.sees(`$("path").innerText.replaceAll(/\s/g, "").startsWith("SegmentClusterBlockGroupBlock")`)
			p.run(`[...$("path").querySelectorAll("button")].find((b) => b.textContent === "BlockGroup").click()`)
			p.sees(`selectedName() === "BlockGroup" && cursor()?.ariaLabel.includes("a0 at ") && cursor().ariaLabel.includes("ID of BlockGroup")`)

			// By keyboard.
			p.run(`key("hex", "ArrowRight")`)
			p.sees(`cursor()?.ariaLabel.includes("size of BlockGroup") && $("hex").getAttribute("aria-activedescendant") === cursor().id`)
			p.run(`key("hex", "Home", { ctrlKey: true })`)
			p.sees(`selectedName() === "EBML" && cursor()?.ariaLabel.startsWith("1a at 0: ID of EBML")`)
			p.run(`key("hex", "End", { ctrlKey: true })`)
			p.sees(`selectedName() === "ReferenceBlock" && shownRows("hex").at(-1).contains(cursor())`)
		})
	}
}

func TestTheTreeIsWalkedByKeyboard(t *testing.T) {
	t.Parallel()
	p := inspector(t)
	p.inspects("chromium-07-vp8opus-nots")
	active := func(name string, rest string) {
		t.Helper()
		p.sees(fmt.Sprintf(`selectedName() === %q && document.getElementById($("tree").getAttribute("aria-activedescendant"))?.ariaSelected === "true" && (%s)`, name, rest))
	}
	p.run(`key("tree", "Home")`)
	active("EBML", `document.querySelector("#tree [aria-selected=true]").ariaExpanded === "false"`)
	p.run(`key("tree", "ArrowRight")`)
	active("EBML", `document.querySelector("#tree [aria-selected=true]").ariaExpanded === "true"`)
	p.run(`key("tree", "ArrowRight")`)
	active("EBMLVersion", `document.querySelector("#tree [aria-selected=true]").ariaLevel === "2" && document.querySelector("#tree [aria-selected=true]").ariaPosInSet === "1"`)
	p.run(`key("tree", "ArrowLeft"), key("tree", "ArrowLeft"), key("tree", "ArrowDown")`)
	active("Segment", `document.querySelector("#tree [aria-selected=true]").ariaSetSize === "2"`)
	p.run(`key("tree", "End")`)
	active("Cues", `true`)
	p.run(`key("tree", "PageUp"), key("tree", "PageDown"), key("tree", "ArrowUp")`)
	active("Cluster", `true`)

	// By name, and by ID.
	p.run(`$("filter").value = "cuetime", $("filter").dispatchEvent(new Event("input"))`)
	p.sees(`treeRow("CueTime") && treeRow("Cues") && !treeRow("Info") && /^[\d,]+ rows$/.test($("found").textContent)`)
	p.run(`$("filter").value = "2ad7b1", $("filter").dispatchEvent(new Event("input"))`)
	p.sees(`shownRows("tree").map((row) => row.querySelector(".name").textContent).join() === "Segment,Info,TimestampScale"`)
	p.run(`key("tree", "End")`)
	active("TimestampScale", `true`)
	p.run(`$("filter").value = "", $("filter").dispatchEvent(new Event("input"))`)
	active("TimestampScale", `treeRow("Tracks")`)
}

func TestBlocksAreListedByTrackAndLeadToTheTree(t *testing.T) {
	t.Parallel()
	p := inspector(t)
	p.inspects("chromium-07-vp8opus-nots")
	p.click("tab-tracks")
	p.sees(`/V_VP8.*A_OPUS|A_OPUS.*V_VP8/s.test($("tracks").innerText) && $("tracks").querySelectorAll("tbody tr").length === 2`)
	p.click("tab-blocks")
	count := p.text(`$("block-count").textContent`)
	p.sees(`shownRows("blocks").length > 10 && $("track").length === 3`)
	p.run(`$("track").selectedIndex = 1, $("track").dispatchEvent(new Event("change"))`)
	p.sees(`shownRows("blocks").every((row) => row.children[1].textContent === "1") && $("block-count").textContent !== ` + fmt.Sprintf("%q", count))
	p.run(`shownRows("blocks")[3].click()`)
	p.sees(`/Block$/.test($("path").innerText) && shownRows("blocks")[3].ariaSelected === "true"`)
	p.sees(`document.querySelector("#hex [aria-label]").ariaLabel.includes("at " + shownRows("blocks")[3].lastChild.textContent + ": ID of")`)
	p.run(`key("blocks", "End")`)
	p.sees(`shownRows("blocks").at(-1).ariaSelected === "true" && shownRows("blocks").at(-1).id === $("blocks").getAttribute("aria-activedescendant")`)
}

func TestChunksAreOneStreamInTheOrderOfTheirNames(t *testing.T) {
	t.Parallel()
	p := inspector(t)
	p.run(`load("firefox-06-vp8only-ts100").then((blob) => drop(...[10, 2, 1, 9].map((n) => {
		const at = { 1: 0, 2: 50000, 9: 100000, 10: 100001 };
		const end = { 1: 50000, 2: 100000, 9: 100001, 10: blob.size };
		return ["chunk-" + n + ".webm", blob.slice(at[n], end[n])];
	})))`)
	p.sees(`inState("done") && $("name").textContent === "chunk-1.webm to chunk-10.webm" && $("about").textContent.startsWith("4 chunks, ")`)
	p.sees(`$("status").textContent.includes("150 elements") && $("drop").hidden`)
	p.click("tab-chunks")
	p.sees(`shownRows("chunks").map((row) => row.children[1].textContent).join() === "chunk-1.webm,chunk-2.webm,chunk-9.webm,chunk-10.webm"`)
	p.run(`shownRows("chunks")[1].click()`)
	p.sees(`document.querySelector("#hex .cursor.chunk[aria-label]")?.ariaLabel.endsWith(", a chunk begins")`)
	p.click("tab-elements")
	p.sees(`document.querySelector("#tree [aria-selected=true] .badge")?.textContent === "chunk-2.webm"`)
}

func TestAScanCanBeCancelledAndWhatThereIsStays(t *testing.T) {
	t.Parallel()
	p := inspector(t)
	p.run(large(200 << 20))
	p.sees(`inState("scanning") && treeRow("Tracks") && $("progress").value > 0`)
	p.click("cancel")
	p.sees(`inState("cancelled") && /^Cancelled at \d+ %/.test($("status").textContent) && $("progress").hidden`)
	p.run(`key("tree", "End")`)
	p.sees(`selectedName() === "Cluster"`)
	p.inspects("firefox-31-camera-audioonly") // instead
	p.sees(`$("name").textContent === "firefox-31-camera-audioonly.webm" && $("status").textContent.startsWith("246 elements")`)
}

// large gives the page a file of about so many bytes, whose clusters are those of a
// recording again and again.
func large(size int) string {
	return fmt.Sprintf(`load("chromium-noalpha-03-vp8opus-ts250").then(async (blob) => {
		const bytes = new Uint8Array(await blob.arrayBuffer());
		const first = bytes.findIndex((_, i) => bytes[i] === 0x1f && bytes[i + 1] === 0x43 && bytes[i + 2] === 0xb6 && bytes[i + 3] === 0x75);
		const clusters = new Blob([bytes.subarray(first)]);
		window.longest = window.frames = 0;
		let last = performance.now();
		const tick = () => {
			frames++;
			longest = Math.max(longest, performance.now() - last);
			last = performance.now();
			if (!inState("done")) requestAnimationFrame(tick);
		};
		const parts = [bytes.subarray(0, first), ...Array(Math.ceil(%d / clusters.size)).fill(clusters)];
		window.size = new Blob(parts).size;
		window.began = performance.now();
		requestAnimationFrame(tick);
		give(["large.webm", ...parts]);
	})`, size)
}

// Not beside other tests, which would have the browser draw other tabs.
func TestALargeFileShowsItsFirstRowsAtOnceAndThePageIsDrawnMeanwhile(t *testing.T) {
	p := inspector(t)
	p.run(large(320 << 20))
	p.sees(`treeRow("Tracks") && $("progress").value > 0`)
	first := p.text(`String(performance.now() - began)`)
	if got := p.text(`document.body.dataset.state`); got != "scanning" {
		t.Errorf("when the first rows are there the state is %q", got)
	}
	p.picture("inspector-scanning")
	for _, done := range []string{"0.3", "0.6", "1"} { // each may take a while
		p.sees(`$("progress").value >= ` + done)
	}
	p.sees(`inState("done")`)
	if got := p.text(`frames > 30 ? "many" : String(frames)`); got != "many" {
		t.Errorf("the page was drawn %s times", got)
	}
	t.Logf("first rows after %s ms, all after %s ms, the longest frame %s ms, %s", first, p.text(`String(performance.now() - began)`), p.text(`String(longest)`), p.text(`$("status").textContent`))

	// To the end and into the middle, by scrolling.
	p.run(`$("hex").scrollTop = $("hex").scrollHeight`)
	p.sees(`shownRows("hex").at(-1).index === Math.ceil(size / 16) - 1`)
	p.sees(`shownRows("hex").every((row) => row.children[1].textContent !== "··")`)
	p.run(`window.above = shownRows("hex")[0].index, $("hex").scrollTop -= 44`) // two rows, though the scroll bar stands for more than there is room for
	p.sees(`shownRows("hex")[0].index === above - 2`)
	p.run(`$("offset").value = "200000000", $("go").requestSubmit()`)
	p.sees(`document.querySelector("#hex [aria-label]")?.ariaLabel.includes(" at 200,000,000: ") && selectedName().includes("Block")`)
	p.run(`$("filter").value = "block", $("filter").dispatchEvent(new Event("input"))`)
	p.sees(`parseInt($("found").textContent.replaceAll(",", "")) > 100_000`)
}

func TestWhatIsWrongIsToldWithItsPlaceAndRepaired(t *testing.T) {
	t.Parallel()
	const firefox = `load("firefox-24-same-recorder-restart").then(async (blob) => new Uint8Array(await blob.arrayBuffer()))`
	const matroska = `load("chromium-05b-h264opus-webm").then(async (blob) => new Uint8Array(await blob.arrayBuffer()))`
	for _, c := range []struct {
		name, bytes, recording string
		titles                 []string
		file                   string
		leastSeconds           float64
	}{
		{"damaged and cut", damaged, "", []string{"Damaged: ", "The end is cut short: ", "Cannot be decoded", "No Duration", "No Cues", "The size of the Segment is unknown"}, "a-repaired.webm", 11},
		{"of two recordings the second", firefox, "1", []string{"2 recordings", "Duration is 0", "No Cues"}, "a-repaired.webm", 1},
		{"H.264", matroska, "", []string{"No Duration", "Clusters of unknown size"}, "a-repaired.mkv", 3},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			p := inspector(t)
			p.run(c.bytes + `.then((bytes) => give(["a.webm", bytes]))`)
			p.sees(`inState("done")`)
			p.click("tab-problems")
			for _, title := range c.titles {
				if got := p.text(`$("problems").innerText`); !strings.Contains(got, title) {
					t.Errorf("the problems are %q, without %q", got, title)
				}
			}
			// Each leads to its place.
			p.run(`$("problems").querySelector("button").click()`)
			p.sees(`document.querySelector("#hex [aria-label]")?.ariaLabel.includes(" " + $("problems").querySelector(".quiet").textContent + ": ")`)

			p.run(`addEventListener("click", (event) => {
				if (!event.target.download) return;
				event.preventDefault(); // it is enough to know that it would be saved
				window.saved = event.target.download;
			}, true)`)
			if c.recording != "" {
				p.run(fmt.Sprintf(`$("recording").value = %q`, c.recording))
			}
			p.click("repair")
			p.sees(`!$("repaired").hidden && inState("done")`)
			if got := p.text(`saved`); got != c.file {
				t.Errorf("it is saved as %s, want %s", got, c.file)
			}
			p.run(`fetch($("repaired").querySelector("a").href).then((r) => r.blob()).then((blob) => (window.made = blob))`)
			path := filepath.Join(t.TempDir(), c.file)
			if err := os.WriteFile(path, p.bytes("new Blob([made])"), 0o666); err != nil {
				t.Fatal(err)
			}
			out, err := exec.Command("ffprobe", "-v", "warning", "-count_packets", "-show_entries", "format=duration", "-of", "csv=p=0", path).CombinedOutput()
			if seconds, e := strconv.ParseFloat(strings.TrimSpace(string(out)), 64); err != nil || e != nil || seconds < c.leastSeconds {
				t.Errorf("ffprobe says %q (%v), want at least %v s", out, err, c.leastSeconds)
			}

			// It has what the other had not, and of that which is lost only the gap.
			p.run(`[...$("repaired").querySelectorAll("button")].find((b) => b.textContent === "Look into it").click()`)
			p.sees(fmt.Sprintf(`inState("done") && $("name").textContent === %q && !/Damaged|cut|decoded|No Duration|No Cues|unknown|is 0/.test($("problems").innerText) && $("sound").textContent !== ""`, c.file))
		})
	}
}

func TestWhatIsNoWebMIsTold(t *testing.T) {
	t.Parallel()
	p := inspector(t)
	for _, c := range []struct{ name, bytes, want string }{
		{"nothing", `""`, "The stream is empty."},
		{"text", `"no WebM, but text"`, "The stream begins with 6E 6F 20 57 and not with an EBML header"},
		{"MP4", `"\0\0\0\x20ftypisom\0\0\x02\0isomiso2mp41"`, "The stream is MP4, not WebM"},
		{"random bytes", `Uint8Array.from({ length: 3e6 }, (_, i) => (i * i * 31) >> 3)`, "and not with an EBML header"},
		{"the first byte", `"\x1a"`, "The stream ends inside the ID of its EBML header"},
		{"an EBML header alone", `Uint8Array.of(0x1a, 0x45, 0xdf, 0xa3, 0x80)`, "the stream ends at 5, before any Tracks"},
	} {
		p.run(fmt.Sprintf(`give([%q, %s])`, c.name, c.bytes))
		p.sees(fmt.Sprintf(`inState("done") && $("name").textContent === %q && ($("problem").innerText + $("problems").innerText).includes(%q) && $("repair").disabled`, c.name, c.want))
	}
	p.run(`give(["good", "bad"]), load("firefox-31-camera-audioonly").then((blob) => give(["good", blob]))`)
	p.sees(`inState("done") && $("status").textContent.startsWith("246 elements") && $("problem").hidden && !$("repair").disabled`)
}

func TestAFileThatCanNoLongerBeReadIsTold(t *testing.T) {
	t.Parallel()
	p := inspector(t)
	p.run(`load("firefox-31-camera-audioonly").then((blob) => {
		Blob.prototype.arrayBuffer = async () => { throw new DOMException("it is gone", "NotReadableError") };
		give(["gone.webm", blob]);
	})`)
	p.sees(`inState("failed") && /could not be read.*it is gone/.test($("problem").innerText) && $("cancel").hidden`)
}

// element is an EBML element whose ID is given in hexadecimal.
func element(id string, data ...string) string {
	head, err := hex.DecodeString(id)
	if err != nil {
		panic(err) // the test's own
	}
	all := strings.Join(data, "")
	return string(head) + string([]byte{0x40 | byte(len(all)>>8), byte(len(all))}) + all
}

func TestWhatAFileSaysIsShownAsText(t *testing.T) {
	t.Parallel()
	hostile := `<img src=x onerror=document.title=1><script>document.title=1</script>`
	file := element("1a45dfa3", element("4282", "webm")) +
		element("18538067",
			element("1549a966", element("4d80", hostile), element("7ba9", hostile+"\x00\u202e\x07")),
			element("1654ae6b", element("ae", element("d7", "\x01"), element("83", "\x02"), element("86", hostile), element("536e", hostile), element("22b59c", hostile))),
			element("1f43b675", element("e7", "\x00"), element("a3", "\x81\x00\x00\x80frame")))
	p := inspector(t)
	p.run(fmt.Sprintf(`give([%q, new TextEncoder().encode(""), Uint8Array.from(atob(%q), (c) => c.charCodeAt(0))])`, hostile+".webm", base64.StdEncoding.EncodeToString([]byte(file))))
	p.sees(fmt.Sprintf(`inState("done") && $("name").textContent === %q`, hostile+".webm"))
	p.run(`treeRow("Title").click()`)
	p.sees(`$("details").textContent.includes("onerror") && treeRow("MuxingApp").textContent.includes("<script>")`)
	for _, tab := range []string{"tracks", "blocks", "problems"} {
		p.click("tab-" + tab)
	}
	p.sees(`$("tracks").textContent.includes("onerror")`)
	p.click("repair")
	p.sees(`!$("repaired").hidden || !$("problem").hidden`)
	if got := p.text(`document.querySelectorAll("main img, main script, body > script").length + " " + document.title.startsWith("<img")`); got != "0 true" {
		t.Errorf("what the file says has become elements: %s", got)
	}
}

func TestAPageOfTheSameOriginHandsOverARecording(t *testing.T) {
	t.Parallel()
	p := inspector(t)
	p.run(`window.ready = false, load("chromium-noalpha-06-vp8only-ts100").then((blob) => {
		window.blobs = [blob.slice(0, 1000), blob.slice(1000)];
		addEventListener("message", ({ source, data }) => (ready ||= source === other && data?.type === "webmend-inspector-ready"));
		// In a frame, as of two tabs only one is drawn.
		const frame = document.createElement("iframe");
		frame.name = "frame";
		document.body.append(frame);
		window.other = window.open("/inspect.html", "frame");
	})`)
	p.sees(`ready`)
	// Nobody else does.
	p.run(`other.dispatchEvent(new other.MessageEvent("message", { data: { type: "webmend-inspect", name: "b", blobs }, origin: "https://elsewhere.example", source: window }))`)
	p.run(`other.dispatchEvent(new other.MessageEvent("message", { data: { type: "webmend-inspect", name: "b", blobs }, origin: location.origin, source: other }))`)
	p.run(`other.postMessage({ type: "webmend-inspect", name: 1 }, location.origin), other.postMessage(null, location.origin)`)
	p.run(`other.postMessage({ type: "webmend-inspect", name: "take 1.webm", blobs }, location.origin)`)
	p.sees(`other.document.body.dataset.state === "done" && other.document.getElementById("name").textContent === "take 1.webm"`)
	p.sees(`other.document.getElementById("about").textContent.startsWith("2 chunks") && other.document.getElementById("status").textContent.startsWith("209 elements")`)
}

func TestTheInspectorWorksWithoutANetworkOnceItIsLoaded(t *testing.T) {
	t.Parallel()
	p := inspector(t)
	p.run(`load("chromium-noalpha-06-vp8only-ts100").then((blob) => (window.kept = blob))`)
	p.sees(`performance.getEntriesByName(new URL("dist/webmend.wasm", location).href)[0]?.responseEnd > 0`)
	offline := network.EmulateNetworkConditionsByRuleParams{MatchedNetworkConditions: []*network.Conditions{{Offline: true, DownloadThroughput: -1, UploadThroughput: -1}}}
	if _, err := chromedp.Call(p.ctx, network.EmulateNetworkConditionsByRule, offline); err != nil {
		t.Fatal(err)
	}
	p.run(`give(["kept.webm", kept])`)
	p.sees(`inState("done")`)
	p.click("repair")
	p.sees(`!$("repaired").hidden`)
}
