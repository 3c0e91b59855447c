package wasmtest

// Scripts that are loaded when they are needed, and cannot be at first.

import (
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

// withoutScripts asks for files before the scripts that make them can be loaded, and after.
const withoutScripts = `(async () => {
	const { Recording, repair, Replay } = await import("/flaky/index.js");
	const bytes = new Uint8Array(await (await fetch("/testdata/chromium-noalpha-03-vp8opus-ts250.webm")).arrayBuffer());
	const recording = new Recording();
	const replay = new Replay({ seconds: 3600 });
	const files = [() => recording.seekable(), () => repair(new Blob([bytes])).then((r) => r.blob), () => replay.clip().then((c) => c.blob)];
	for (const r of [recording, replay]) await r.pushChunk(bytes.subarray(0, 300_000));
	const refused = await Promise.all(files.map((make) => make().catch(({ name, code, message }) => name + " " + code + ": " + message)));
	await fetch("/mend", { method: "POST" });
	for (const r of [recording, replay]) await r.pushChunk(bytes.subarray(300_000));
	const seconds = [];
	for (const make of files) seconds.push((await repair(await make())).report.recordings[0].duration);
	return { refused, seconds };
})()`

type delayed struct {
	Refused []string
	Seconds []float64
}

func (d delayed) check(t *testing.T) {
	t.Helper()
	for _, r := range d.Refused {
		if !strings.HasPrefix(r, "WebmendError load: webmend: ") || !strings.Contains(r, ".js could not be loaded") {
			t.Errorf("it is refused by %s", r)
		}
	}
	if len(d.Seconds) != 3 || slices.Min(d.Seconds) < 10 || slices.Max(d.Seconds)-slices.Min(d.Seconds) > 0.5 {
		t.Errorf("the files last %v s", d.Seconds)
	}
}

func TestFilesAreMadeOnceTheirScriptsCanBeLoadedInChromium(t *testing.T) {
	p := open(t, func(m chromedp.ConsoleMessage) bool { return strings.Contains(m.URL, "/flaky/") })
	evaluate[delayed](t, p, withoutScripts).check(t)
}

func TestFilesAreMadeOnceTheirScriptsCanBeLoadedInFirefox(t *testing.T) {
	ask[delayed](t, startFirefox(t), withoutScripts).check(t)
}

func TestARecordingGoesOnWithoutScriptsThatNeverCome(t *testing.T) {
	p := open(t, func(m chromedp.ConsoleMessage) bool { return strings.Contains(m.URL, "/pages-only/") })
	runAll(t, p, "/page/late.mjs", "tests")
}

func TestARecordingGoesOnWithoutScriptsThatNeverComeInFirefoxToo(t *testing.T) {
	inFirefoxToo(t, "/page/late.mjs")
}
