package wasmtest

// Recordings that keep a copy on disk, and pages that are gone in the midst of them.

import (
	"bytes"
	"context"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/heapprofiler"
	"github.com/chromedp/cdproto/inspector"
	cdppage "github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/storage"
	"github.com/chromedp/chromedp"

	"github.com/webmend/webmend/webm"
)

// A left is what was found of a recording.
type left struct {
	Name, MimeType string
	Size           int
	Duration       float64 // s, of the file made of it
}

func TestWhatIsKeptOnDiskIsFoundAgain(t *testing.T) {
	built(t, "spool.js")
	p := open(t, func(chromedp.ConsoleMessage) bool { return false })
	runAll(t, p, "/page/spool.mjs", "tests")
}

func TestWhatIsKeptOnDiskIsFoundAgainInFirefoxToo(t *testing.T) {
	inFirefoxToo(t, "/page/spool.mjs")
}

func TestWhatIsLeftOnDiskIsOfferedHoweverBrokenItIs(t *testing.T) {
	built(t, "spool.js")
	p := open(t, func(chromedp.ConsoleMessage) bool { return false })
	runAll(t, p, "/page/leftovers.mjs", "tests")
}

func TestWhatIsLeftOnDiskIsOfferedHoweverBrokenItIsInFirefoxToo(t *testing.T) {
	inFirefoxToo(t, "/page/leftovers.mjs")
}

func TestWhatIsKeptOnDiskIsFoundAgainWhereAPolicyForbidsWorkers(t *testing.T) {
	p := openWithoutWorkers(t)
	evaluate[chromedp.Void](t, p, `import("/page/spool.mjs").then(({ keeps }) => keeps())`)
}

func TestARecordingThatNobodyHasAnyMoreIsLeftToBeRecovered(t *testing.T) {
	p := open(t, func(chromedp.ConsoleMessage) bool { return false })
	evaluate[chromedp.Void](t, p, `import("/page/spool.mjs").then(({ forget }) => forget())`)
	late := time.Now().Add(patience)
	for evaluate[int](t, p, `import("/dist/index.js").then(({ Recording }) => Recording.recoverable()).then((all) => all.length)`) == 0 {
		if time.Now().After(late) {
			t.Fatal("it is not")
		}
		if _, err := chromedp.Call(p.ctx, heapprofiler.CollectGarbage, cdp.Empty{}); err != nil {
			t.Fatal(err)
		}
	}
}

// crash ends the process of the tab's page.
func (p *tab) crash() {
	p.t.Helper()
	crash := func(ctx context.Context, target *chromedp.Target) (chromedp.Void, error) {
		go cdp.Call(ctx, target, cdppage.Crash, cdp.Empty{}) // which nobody is left to answer
		return chromedp.Void{}, nil
	}
	if _, err := chromedp.Run(p.ctx, chromedp.WaitEvent(inspector.TargetCrashed, nil, crash)); err != nil {
		p.t.Fatal(err)
	}
}

// checkRecovered checks that all that the page had uploaded was recovered, and that
// ffprobe finds every whole block of it in the file.
func checkRecovered(t *testing.T, p *tab, l left) {
	t.Helper()
	var delivered []byte
	n := 0
	for ; ; n++ {
		chunk, ok := p.uploads.Load(fmt.Sprintf("%s/%d", l.Name, n))
		if !ok {
			break
		}
		delivered = append(delivered, chunk.([]byte)...)
	}
	stream, file := p.uploaded(l.Name+"/stream"), p.uploaded(l.Name+"/file")
	t.Cleanup(func() {
		if t.Failed() {
			keep(t, "recovered "+l.Name+".webm", stream)
		}
	})
	t.Logf("%s: %d chunks were delivered, %d bytes; %d were kept, %.2f s", l.Name, n, len(delivered), len(stream), l.Duration)
	if n < 20 || !bytes.HasPrefix(stream, delivered) || l.Size != len(stream) {
		t.Fatalf("%d bytes were recovered, of %d", len(stream), len(delivered))
	}
	if l.MimeType == "" || l.Duration < 1 {
		t.Errorf("it is of type %q and lasts %v s", l.MimeType, l.Duration)
	}
	probe := func(data []byte) payloads {
		path := filepath.Join(t.TempDir(), "recovered.webm")
		if err := os.WriteFile(path, data, 0o666); err != nil {
			t.Fatal(err)
		}
		return probed(t, path)
	}
	s := webm.NewSplitter(webm.Options{})
	if err := s.Push(delivered); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Finish(); err != nil {
		t.Fatal(err)
	}
	blocks := 0
	for c := range s.TakeClusters() {
		blocks += c.Blocks
	}
	if frames := probe(file).of(probe(delivered)); frames < blocks || blocks == 0 {
		t.Errorf("%d frames are in the file, of %d blocks", frames, blocks)
	}
}

func TestAPageThatCrashesLosesNothingThatWasDelivered(t *testing.T) {
	for name, options := range map[string]string{
		"as files":                        "{}",
		"as files, and a worker reads it": "{ worker: true }",
		"in IndexedDB":                    "{ files: false }",
	} {
		t.Run(name, func(t *testing.T) {
			p := open(t, func(chromedp.ConsoleMessage) bool { return false })
			address := evaluate[string](t, p, "location.href")
			for _, name := range []string{"first", "second"} {
				evaluate[chromedp.Void](t, p, fmt.Sprintf(`import("/page/spool.mjs").then((m) => m.record(%q, %s))`, name, options))
			}
			p.crash()

			recording := visit(t, address)
			evaluate[chromedp.Void](t, recording, `import("/page/spool.mjs").then((m) => m.record("in another tab"))`)

			all := evaluate[[]left](t, visit(t, address), `import("/page/spool.mjs").then((m) => m.recover())`)
			if len(all) != 2 || all[0].Name != "first" || all[1].Name != "second" {
				t.Fatalf("recovered are %v", all)
			}
			for _, l := range all {
				checkRecovered(t, p, l)
			}
			if got := evaluate[string](t, recording, "kept[0].state"); got != "recording" {
				t.Errorf("the recorder in another tab is %s", got)
			}
		})
	}
}

func TestABrowserThatIsKilledLosesNothingThatWasDeliveredInFirefox(t *testing.T) {
	t.Parallel()
	f := startFirefox(t)
	ask[any](t, f, `import("/page/spool.mjs").then((m) => m.record("killed", { microphone: true }))`)
	f.kill()
	f.start()
	all := ask[[]left](t, f, `import("/page/spool.mjs").then((m) => m.recover())`)
	if len(all) != 1 {
		t.Fatalf("recovered are %v", all)
	}
	checkRecovered(t, f.tab, all[0])
}

func TestWhereTheBrowserHasNoSpaceThereAreWarningsAndNoChunkIsLost(t *testing.T) {
	p := open(t, func(chromedp.ConsoleMessage) bool { return false })
	address, err := url.Parse(evaluate[string](t, p, "location.href"))
	if err != nil {
		t.Fatal(err)
	}
	quota := 4e6 // Chromium takes up a million at once
	if _, err := chromedp.Call(p.ctx, storage.OverrideQuotaForOrigin, storage.OverrideQuotaForOriginParams{Origin: "http://" + address.Host, QuotaSize: &quota}); err != nil {
		t.Fatal(err)
	}
	got := evaluate[struct {
		Codes, Causes                            []string
		Pushed, Bytes, Recordings, Dropped, Left int
	}](t, p, `import("/page/spool.mjs").then((m) => m.fill())`)
	t.Logf("%+v", got)
	if fmt.Sprint(got.Codes) != "[low-space spool]" || got.Causes[1] != "QuotaExceededError" {
		t.Errorf("the warnings are %v, by %v", got.Codes, got.Causes)
	}
	if got.Bytes != got.Pushed || got.Recordings != 20 || got.Dropped > 0 || got.Left == 0 || got.Left >= got.Pushed {
		t.Errorf("of %d bytes %d were taken, and %d are on disk", got.Pushed, got.Bytes, got.Left)
	}
}
