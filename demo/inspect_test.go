package main

import (
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
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
		p.t.Fatalf("waiting for %s: %v; the page says %q", condition, err, p.text(`document.body.innerText`))
	}
}

// picture keeps what the page looks like for someone to look at.
func (p *tab) picture(name string) {
	p.t.Helper()
	p.run(`new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)))`)
	image, err := chromedp.Run(p.ctx, chromedp.CaptureScreenshot())
	if err != nil {
		p.t.Fatal(err)
	}
	if err := os.MkdirAll("artefacts", 0o777); err != nil {
		p.t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join("artefacts", name+".png"), image, 0o666); err != nil {
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
