package main

// What ends while a page records and uploads, and what then is on the computer and on the server.

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	cdpinspector "github.com/chromedp/cdproto/inspector"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/storage"
	"github.com/chromedp/chromedp"

	"github.com/webmend/webmend/demo/uploads"
)

// says has the page say how many bytes of its recording have been accepted.
const says = `
	import("/dist/index.js").then(({ Recording }) => {
		const { pushChunk } = Recording.prototype;
		let accepted = 0;
		Recording.prototype.pushChunk = async function (blob) {
			await pushChunk.call(this, blob);
			accepted += blob.size;
			fetch("/accepted?bytes=" + accepted).catch(() => {});
		};
	});`

// An ending is a page that records and uploads, in a browser of its own.
type ending struct {
	*tab
	profile  string
	browser  context.Context
	server   *httptest.Server
	folder   string
	takes    atomic.Pointer[uploads.Server]
	away     atomic.Bool  // whether the server is out of reach
	accepted atomic.Int64 // bytes of the recording
}

// recordToTheEnd begins to record and upload, until some parts are on the server.
func recordToTheEnd(t *testing.T) *ending {
	t.Helper()
	e := &ending{profile: t.TempDir(), folder: t.TempDir()}
	e.takes.Store(uploadsIn(t, e.folder))
	pages := handler(os.DirFS(dist), http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if e.away.Load() {
			panic(http.ErrAbortHandler)
		}
		e.takes.Load().ServeHTTP(w, r)
	}))
	e.server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/accepted" {
			pages.ServeHTTP(w, r)
			return
		}
		n, _ := strconv.ParseInt(r.URL.Query().Get("bytes"), 10, 64)
		for old := e.accepted.Load(); old < n && !e.accepted.CompareAndSwap(old, n); old = e.accepted.Load() {
		}
	}))
	t.Cleanup(e.server.Close)
	e.startBrowser(t)
	e.visit(t, says)
	e.until(`!$("record").disabled`)
	e.choose("source", "scene")
	e.run(`$("upload").click()`)
	e.click("record")
	e.until(`/ ([3-9]|\d\d) parts, /.test($("upload-text").textContent)`)
	return e
}

// startBrowser starts a browser that has what the one before has left.
func (e *ending) startBrowser(t *testing.T) {
	t.Helper()
	ctx, cancel := chromedp.NewExecAllocator(context.Background(), append(chromeOptions(), chromedp.UserDataDir(e.profile))...)
	t.Cleanup(cancel)
	e.browser, cancel = chromedp.NewContext(ctx)
	t.Cleanup(cancel)
	if err := chromedp.Do(e.browser); err != nil {
		t.Fatal(err)
	}
}

// visit opens the page.
func (e *ending) visit(t *testing.T, scripts ...string) {
	t.Helper()
	e.tab = visitIn(t, e.browser, e.server.URL, scripts...)
	e.refused.Store(true)
}

// crash ends the process of the tab's page.
func (p *tab) crash() {
	p.t.Helper()
	crash := func(ctx context.Context, target *chromedp.Target) (chromedp.Void, error) {
		go cdp.Call(ctx, target, page.Crash, cdp.Empty{}) // which nobody is left to answer
		return chromedp.Void{}, nil
	}
	if _, err := chromedp.Run(p.ctx, chromedp.WaitEvent(cdpinspector.TargetCrashed, nil, crash)); err != nil {
		p.t.Fatal(err)
	}
}

// pieces are the parts that the server has of the one upload there is, by number, and its path.
func (e *ending) pieces(t *testing.T) (path string, sizes map[int]int64) {
	t.Helper()
	var told uploads.Facts
	id := regexp.MustCompile(`"id":"([^"]+)"`).FindSubmatch(fetched(t, e.server.URL+"/uploads"))
	path = fmt.Sprintf("%s/uploads/%s", e.server.URL, id[1])
	if err := json.Unmarshal(fetched(t, path), &told); err != nil {
		t.Fatal(err)
	}
	sizes = map[int]int64{}
	for _, p := range told.Pieces {
		sizes[p.Number] = p.Size
	}
	return path, sizes
}

func TestWhatWasAcceptedIsOnThisComputerAfterThePageOrItsBrowserHasEnded(t *testing.T) {
	for name, end := range map[string]func(e *ending){
		"the page crashes": func(e *ending) { e.crash() },
		"the browser is killed": func(e *ending) {
			browser := chromedp.FromContext(e.browser).Browser.Process()
			browser.Kill()
			browser.Wait()
			e.startBrowser(t)
		},
	} {
		t.Run(name, func(t *testing.T) {
			e := recordToTheEnd(t)
			recorded := e.number(`duration()`)
			accepted := e.accepted.Load()
			_, acknowledged := e.pieces(t)
			end(e)
			e.visit(t, left, ownParts)
			e.until(`remains().length === 1 && remains()[0].querySelector("video").duration > 0`)
			kept := e.text(`import("/dist/index.js").then(({ Recording }) => Recording.recoverable()).then(([left]) => String(left.size))`)
			if n, err := strconv.ParseInt(kept, 10, 64); err != nil || n < accepted || accepted == 0 {
				t.Errorf("%d bytes were accepted, and %s are kept", accepted, kept)
			}
			path, now := e.pieces(t)
			for number, size := range acknowledged {
				if now[number] != size {
					t.Errorf("part %d was acknowledged with %d bytes, and the server has %d", number, size, now[number])
				}
			}
			e.run(`hit(remains()[0], "Upload the rest")`)
			e.until(`remains().length === 0 && uploads().length === 1 && uploads()[0].textContent.includes("complete")`)
			got := fetched(t, path+"/file")
			plays(t, got)
			if length := e.length(got); length < recorded-0.1 {
				t.Errorf("of %.2f s there are %.2f on the server", recorded, length)
			}
			t.Logf("%d bytes accepted, %s kept, %d parts acknowledged, %d bytes in the file", accepted, kept, len(acknowledged), len(got))
		})
	}
}

func TestAnUploadOutlivesItsServer(t *testing.T) {
	e := recordToTheEnd(t)
	_, acknowledged := e.pieces(t)
	e.away.Store(true)
	e.until(`$("uploading").dataset.state === "waiting"`)
	time.Sleep(20 * time.Second)          // in which it is tried again, and fails
	e.takes.Store(uploadsIn(t, e.folder)) // it is started again
	e.away.Store(false)
	e.until(`$("uploading").dataset.state === "sending"`)
	e.stop()
	e.until(`$("uploading").dataset.state === "complete" && !$("uploading").hidden`)
	var told []uploads.Facts
	if err := json.Unmarshal(fetched(t, e.server.URL+"/uploads"), &told); err != nil || len(told) != 1 || !told[0].Done || told[0].Repaired {
		t.Fatalf("the server has %+v (%v)", told, err)
	}
	var least int64
	for _, size := range acknowledged {
		least += size
	}
	got := fetched(t, e.server.URL+"/uploads/"+told[0].ID+"/file")
	plays(t, got)
	if recorded, length := e.number(`duration()`), e.length(got); int64(len(got)) < least || length < recorded-0.1 {
		t.Errorf("of %.2f s, of which %d bytes were acknowledged before, there are %.2f s and %d bytes", recorded, least, length, len(got))
	}
}

// workers are those of the page, to be ended.
const workers = `
	const workers = [];
	const Made = Worker;
	globalThis.Worker = class extends Made {
		constructor(...all) {
			super(...all);
			workers.push(this);
		}
	};`

func TestARecordingIsUploadedThoughItCannotBeKeptOnThisComputer(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(p *tab){
		"as there is no room": func(p *tab) {
			_, err := chromedp.Call(p.ctx, storage.OverrideQuotaForOrigin, storage.OverrideQuotaForOriginParams{
				Origin: p.text(`location.origin`), QuotaSize: new(float64(1000)),
			})
			if err != nil {
				p.t.Fatal(err)
			}
		},
		"as the worker that keeps it has ended": func(p *tab) { p.run(`workers.forEach((worker) => worker.terminate())`) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := open(t, os.DirFS(dist), ownParts, workers)
			p.choose("source", "scene")
			p.run(`$("upload").click()`)
			p.click("record")
			p.until(`/ ([2-9]|\d\d) parts, /.test($("upload-text").textContent)`)
			end(p)
			p.until(`!$("problem").hidden && $("problem-text").textContent.includes("memory")`)
			p.until(`/ ([5-9]|\d\d) parts, /.test($("upload-text").textContent)`)
			p.stop()
			p.until(`$("uploading").dataset.state === "complete" && uploads().length === 1`)
			p.serverHasAll()
		})
	}
}
