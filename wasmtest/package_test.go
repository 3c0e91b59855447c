package wasmtest

// The package as npm packs it, in what its users have: bundlers, pages without
// one, and TypeScript.

import (
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/andybalholm/brotli"
	"github.com/chromedp/chromedp"
)

// consumers is the folder of its users, where their tools are installed.
const consumers = "consumers"

// shipped is a folder with the package as npm packs it, and an empty project where it
// is installed.
var shipped = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "webmend-")
	if err != nil {
		return "", err
	}
	removeShipped = func() { os.RemoveAll(dir) }
	if out, err := command("../js", "npm", "pack", "--ignore-scripts", "--pack-destination", dir); err != nil {
		return "", fmt.Errorf("npm pack: %w\n%s", err, out)
	}
	packs, err := filepath.Glob(filepath.Join(dir, "*.tgz"))
	if err != nil || len(packs) != 1 {
		return "", fmt.Errorf("npm pack made %v (%v)", packs, err)
	}
	if err := os.Rename(packs[0], filepath.Join(dir, "webmend.tgz")); err != nil {
		return "", err
	}
	if out, err := command(dir, "npm", "install", "--offline", "--no-audit", "--no-fund", "./webmend.tgz"); err != nil {
		return "", fmt.Errorf("npm install: %w\n%s", err, out)
	}
	return dir, nil
})

var removeShipped = func() {}

// command runs a program in a folder, and returns all that it says.
func command(dir, program string, args ...string) (string, error) {
	cmd := exec.Command(program, args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "NO_COLOR=1")
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// install is shipped, of what make has built.
func install(t *testing.T) string {
	t.Helper()
	for _, name := range []string{"index.js", "inline.js", "inspect.js", "worker.js", "index.d.ts", "webmend.wasm"} {
		built(t, name)
	}
	dir, err := shipped()
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// project is a copy of the folder of one of the package's users, with the package
// and all tools installed.
func project(t *testing.T, name string) string {
	t.Helper()
	dir := t.TempDir()
	for from, to := range map[string]string{
		filepath.Join(consumers, name):                       dir,
		filepath.Join(install(t), "node_modules", "webmend"): filepath.Join(dir, "node_modules", "webmend"),
	} {
		if err := os.CopyFS(to, os.DirFS(from)); err != nil {
			t.Fatal(err)
		}
	}
	copyFile(t, filepath.Join(consumers, "record.js"), filepath.Join(dir, "record.js"))
	copyFile(t, filepath.Join(consumers, "package.json"), filepath.Join(dir, "package.json"))
	tools, err := filepath.Abs(filepath.Join(consumers, "node_modules"))
	if err != nil {
		t.Fatal(err)
	}
	entries, err := os.ReadDir(tools)
	if err != nil {
		t.Fatalf("%v: run make wasmtest/consumers/node_modules/.package-lock.json", err)
	}
	for _, entry := range entries {
		if err := os.Symlink(filepath.Join(tools, entry.Name()), filepath.Join(dir, "node_modules", entry.Name())); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func copyFile(t *testing.T, from, to string) {
	t.Helper()
	data, err := os.ReadFile(from)
	if err == nil {
		err = os.WriteFile(to, data, 0o666)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// tool runs a tool of the package's users in their project. It is to succeed.
func tool(t *testing.T, dir, name string, args ...string) string {
	t.Helper()
	out, err := command(dir, filepath.Join(dir, "node_modules/.bin", name), args...)
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
	return out
}

// files are the files of a folder with an extension.
func files(t *testing.T, dir, extension string) []string {
	t.Helper()
	var found []string
	err := filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error {
		if filepath.Ext(path) == extension {
			found = append(found, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// serve serves a folder, with a content security policy if there is one.
func serve(t *testing.T, dir, policy string) string {
	t.Helper()
	files := http.FileServer(http.Dir(dir))
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if policy != "" {
			w.Header().Set("Content-Security-Policy", policy)
		}
		files.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	return server.URL
}

// visit opens a page. Messages that have one of some texts are no failure.
func visit(t *testing.T, url string, expected ...string) *tab {
	t.Helper()
	p := &tab{t: t, browser: chromium, uploads: &sync.Map{}, quiet: func(m chromedp.ConsoleMessage) bool {
		return slices.ContainsFunc(expected, func(text string) bool { return strings.Contains(m.String(), text) })
	}}
	p.show(url)
	return p
}

// consumed is what record.js says.
type consumed struct {
	InPage                   bool
	Bytes, Segments, Dropped int
	Recorded                 float64
	Streamed, Seekable       struct {
		Finite            bool
		Duration, Reached float64
		Width             int
	}
}

// checkRecords has the page record, and then in a worker, and checks what comes of it.
func checkRecords(t *testing.T, p *tab) {
	t.Helper()
	checkRecorded(t, evaluate[consumed](t, p, "run(false)"), true)
	checkRecorded(t, evaluate[consumed](t, p, "run(true)"), false)
}

// checkRecorded checks what record.js says, and whether it was the page that did the work.
func checkRecorded(t *testing.T, got consumed, inPage bool) {
	t.Helper()
	if got.InPage != inPage {
		t.Errorf("the page did the work: %v; want %v", got.InPage, inPage)
	}
	if got.Bytes == 0 || got.Segments < 5 || got.Dropped > 0 {
		t.Errorf("%d bytes in %d segments, %d ranges dropped", got.Bytes, got.Segments, got.Dropped)
	}
	if got.Streamed.Width != 300 || got.Streamed.Reached < got.Recorded-0.2 {
		t.Errorf("header and clusters are %d pixels wide, and played to %v s of %v", got.Streamed.Width, got.Streamed.Reached, got.Recorded)
	}
	if s := got.Seekable; s.Width != 300 || !s.Finite || s.Reached < got.Recorded-0.05 || s.Duration > got.Recorded+0.05 {
		t.Errorf("the seekable file is %d pixels wide, and played to %v s of %v; the recording lasts %v s", s.Width, s.Reached, s.Duration, got.Recorded)
	}
}

func TestVitesBuildFindsTheModuleByItselfAndRecords(t *testing.T) {
	dir := project(t, "vite")
	out := tool(t, dir, "vite", "build")
	if strings.Contains(out, "webmend/dist") || strings.Contains(strings.ToLower(out), "warn") {
		t.Errorf("Vite says\n%s", out)
	}
	if modules := files(t, filepath.Join(dir, "dist"), ".wasm"); len(modules) != 1 {
		t.Errorf("the modules in the build are %v", modules)
	}
	checkRecords(t, visit(t, serve(t, filepath.Join(dir, "dist"), "")))
}

func TestWebpacksBuildFindsTheModuleByItselfAndRecords(t *testing.T) {
	dir := project(t, "webpack")
	if out, err := command(dir, "node", "build.js"); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	built := filepath.Join(dir, "dist")
	for _, page := range files(t, dir, ".html") {
		copyFile(t, page, filepath.Join(built, filepath.Base(page)))
	}
	if modules := files(t, built, ".wasm"); len(modules) != 1 {
		t.Errorf("the modules in the build are %v", modules)
	}
	url := serve(t, built, "")
	t.Run("with the module beside it", func(t *testing.T) { checkRecords(t, visit(t, url)) })
	t.Run("with the module inside", func(t *testing.T) {
		inline, err := os.ReadFile(filepath.Join(built, "inline.js"))
		if err != nil || strings.Contains(string(inline), `.wasm"`) {
			t.Errorf("the inlined build asks for a file (%v)", err)
		}
		checkRecords(t, visit(t, url+"/inline.html"))
	})
}

// freePort is a port that nobody listens to.
func freePort(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	_, port, err := net.SplitHostPort(listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	return port
}

// Vite serves dependencies from a cache of its own, where their files are not.
func TestVitesServerFindsTheModuleByItself(t *testing.T) {
	dir := project(t, "vite")
	port := freePort(t)
	vite := exec.Command(filepath.Join(dir, "node_modules/.bin/vite"), "--strictPort", "--host", "127.0.0.1", "--port", port)
	vite.Dir = dir
	if err := vite.Start(); err != nil {
		t.Fatal(err)
	}
	exited := make(chan error, 1)
	go func() { exited <- vite.Wait() }()
	t.Cleanup(func() { vite.Process.Kill() })
	url := "http://127.0.0.1:" + port + "/"
	for {
		response, err := http.Get(url)
		if err == nil {
			response.Body.Close()
			break
		}
		select {
		case err := <-exited:
			t.Fatalf("Vite has exited: %v", err)
		case <-time.After(50 * time.Millisecond):
		}
	}
	p := visit(t, url)
	evaluate[chromedp.Void](t, p, `new Promise((resolve) => {
		const ready = () => globalThis.run ? resolve() : setTimeout(ready, 20);
		ready();
	})`)
	checkRecords(t, p)
}

func TestThePackageInAPageWithoutABundler(t *testing.T) {
	dir := project(t, "plain")
	if err := os.CopyFS(filepath.Join(dir, "webmend"), os.DirFS(filepath.Join(dir, "node_modules/webmend/dist"))); err != nil {
		t.Fatal(err)
	}
	// As unpkg and jsDelivr give it by the package's name, which has no folder.
	var manifest struct{ Unpkg, Jsdelivr string }
	text, err := os.ReadFile(filepath.Join(dir, "node_modules/webmend/package.json"))
	if err == nil {
		err = json.Unmarshal(text, &manifest)
	}
	if err != nil || manifest.Unpkg != manifest.Jsdelivr {
		t.Fatalf("unpkg has %s, jsDelivr %s (%v)", manifest.Unpkg, manifest.Jsdelivr, err)
	}
	copyFile(t, filepath.Join(dir, "node_modules/webmend", manifest.Unpkg), filepath.Join(dir, "named"))
	strict := "default-src 'none'; img-src data:; media-src blob:; script-src 'self'"
	allowed := strict + " 'wasm-unsafe-eval'"
	typed := "; require-trusted-types-for 'script'" // a worker's address must be trusted, too
	for _, test := range []struct {
		name, page, policy string
		inPage             bool // for want of a worker
	}{
		{"by import", "module.html", "", false},
		{"by import, with a strict policy", "module.html", allowed + "; connect-src 'self'", false},
		{"by import, with Trusted Types", "module.html", allowed + typed + "; connect-src 'self'", true},
		{"by its script tag", "global.html", "", false},
		{"by its script tag, with Trusted Types", "global.html", allowed + typed + "; connect-src 'self'", true},
		{"by its script tag, by the package's name", "named.html", "", false},
		{"by the script tag that has the module inside", "inline.html", "", false},
		{"by the script tag that has the module inside, where nothing may be fetched", "inline.html", allowed + "; worker-src blob:", false},
		{"by the script tag that has the module inside, with Trusted Types", "inline.html", allowed + typed, true},
		{"by the script tag that has the module inside, where no script may be", "inline.html", allowed, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			var said []string // by a policy that forbids the worker
			if test.inPage {
				said = []string{"TrustedScriptURL", "worker-src"}
			}
			p := visit(t, serve(t, dir, test.policy)+"/"+test.page, said...)
			if test.page != "module.html" {
				if got := evaluate[[]string](t, p, "globals"); !slices.Equal(got, []string{"webmend"}) {
					t.Errorf("the globals that it makes are %v", got)
				}
			}
			checkRecorded(t, evaluate[consumed](t, p, "run(true)"), test.inPage)
		})
	}

	for _, page := range []string{"module.html", "inline.html"} {
		t.Run("under a policy that forbids WebAssembly: "+page, func(t *testing.T) {
			t.Parallel()
			p := visit(t, serve(t, dir, strict+"; connect-src 'self'")+"/"+page)
			got := evaluate[struct{ Name, Code, Message string }](t, p, `webmend.init().then(() => ({}), ({ name, code, message }) => ({ name, code, message }))`)
			if got.Name != "WebmendError" || got.Code != "load" || !strings.Contains(got.Message, "script-src needs 'wasm-unsafe-eval'") {
				t.Errorf("init() throws %+v", got)
			}
		})
	}

	t.Run("opened as a file", func(t *testing.T) {
		t.Parallel()
		p := visit(t, "file://"+filepath.Join(dir, "inline.html"))
		script, err := os.ReadFile(filepath.Join(dir, "record.js")) // a module, which no file can import
		if err != nil {
			t.Fatal(err)
		}
		evaluate[chromedp.Void](t, p, strings.Replace(string(script), "export ", "", 1)+"; undefined")
		checkRecorded(t, evaluate[consumed](t, p, "record(webmend, true)"), false)
	})
}

func TestThePackageIsTypedForPagesAndForServers(t *testing.T) {
	dir := project(t, "types")
	newest, err := filepath.Abs("../js/node_modules/.bin/tsc")
	if err != nil {
		t.Fatal(err)
	}
	oldest := filepath.Join(dir, "node_modules/.bin/tsc")
	for _, args := range [][]string{
		{oldest, "page"}, {oldest, "server"}, {oldest, "both"},
		{newest, "page"}, {newest, "server"}, {newest, "both"},
	} {
		version, err := command(dir, args[0], "--version")
		t.Run(strings.TrimSpace(version)+" for "+args[1], func(t *testing.T) {
			t.Parallel()
			if out, e := command(dir, args[0], "-p", args[1]+".json"); e != nil || err != nil {
				t.Errorf("%v\n%s", e, out)
			}
		})
	}
}

func TestThePackageIsPackedAsItShouldBe(t *testing.T) {
	pack := filepath.Join(install(t), "webmend.tgz")
	dir := project(t, "plain")
	tool(t, dir, "publint", pack, "--strict")
	tool(t, dir, "attw", pack, "--profile", "esm-only", "--exclude-entrypoints", "webmend.wasm", "webmend.lines.wasm")
}

// Bundlers make scripts smaller by what is not used of them; brotli is for who reads
// the figures.
func TestSizeIsAtMost10KBOfScript(t *testing.T) {
	t.Logf("%-26s %9s %9s %9s", "", "bytes", "gzip -9", "brotli 11")
	for _, name := range []string{"index.js", "worker.js", "inspect.js", "webmend.global.js", "inline.js", "webmend.inline.global.js"} {
		script, err := os.ReadFile(built(t, name))
		if err != nil {
			t.Fatal(err)
		}
		gz, _ := gzip.NewWriterLevel(nil, gzip.BestCompression)
		size, br := packed(gz, script), 0
		if testing.Verbose() {
			br = packed(brotli.NewWriterLevel(nil, brotli.BestCompression), script)
		}
		t.Logf("%-26s %9d %9d %9d", name, len(script), size, br)
		if name == "index.js" && size > 10<<10 {
			t.Errorf("by gzip, %s is %d bytes; want at most 10,240", name, size)
		}
	}
}
