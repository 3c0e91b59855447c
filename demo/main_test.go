package main

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/webmend/webmend/demo/uploads"
)

var built = fstest.MapFS{
	"index.js":       {Data: []byte("export {}")},
	"index.js.map":   {Data: []byte("{}")},
	"webmend.wasm":   {Data: []byte("\x00asm")},
	"inner/file.txt": {Data: []byte("inner")},
}

// uploadsIn is a server of what is in a folder.
func uploadsIn(t testing.TB, folder string) *uploads.Server {
	t.Helper()
	store, err := uploads.OpenFolder(folder)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { store.Close() })
	server, err := uploads.New(t.Context(), store, uploads.Options{Limits: uploads.Limits{PartSize: 64 << 10}}) // so that little is enough for many parts
	if err != nil {
		t.Fatal(err)
	}
	return server
}

func TestThePageAndThePackageAreServedWithTheirTypes(t *testing.T) {
	h := handler(built, uploadsIn(t, t.TempDir()))
	for _, want := range []struct{ path, contentType string }{
		{"/", "text/html; charset=utf-8"},
		{"/app.js", "text/javascript; charset=utf-8"},
		{"/style.css", "text/css; charset=utf-8"},
		{"/icon.svg", "image/svg+xml"},
		{"/dist/index.js", "text/javascript; charset=utf-8"},
		{"/dist/index.js.map", "application/json"},
		{"/dist/webmend.wasm", "application/wasm"},
	} {
		got := get(h, want.path)
		if got.Code != http.StatusOK || got.Header().Get("Content-Type") != want.contentType {
			t.Errorf("%s: %d %q, want 200 %q", want.path, got.Code, got.Header().Get("Content-Type"), want.contentType)
		}
		if cache := got.Header().Get("Cache-Control"); cache != "no-cache" {
			t.Errorf("%s: Cache-Control %q, want no-cache", want.path, cache)
		}
	}
}

func TestAllThatThePageRefersToIsServedHere(t *testing.T) {
	h := handler(built, uploadsIn(t, t.TempDir()))
	page := get(h, "/").Body.String()
	references := regexp.MustCompile(`(?:src|href)="([^"]+)"`).FindAllStringSubmatch(page, -1)
	if len(references) < 3 {
		t.Fatalf("found only %d references in the page", len(references))
	}
	for _, reference := range references {
		if got := get(h, "/"+reference[1]); got.Code != http.StatusOK {
			t.Errorf("%s: status %d", reference[1], got.Code)
		}
	}
}

func TestNothingOutsideIsServedAndNoFolderIsListed(t *testing.T) {
	dist := t.TempDir()
	write(t, filepath.Join(dist, "index.js"), "export {}")
	write(t, filepath.Join(filepath.Dir(dist), "secret"), "secret")
	h := handler(os.DirFS(dist), uploadsIn(t, t.TempDir()))
	for _, path := range []string{
		"/dist/", "/dist/../secret", "/dist/..%2fsecret", "/dist/%2e%2e/secret", "/dist//../secret",
		"/../main.go", "/main.go", "/page/index.html", "/dist/missing.js",
	} {
		got := get(h, path)
		if got.Code == http.StatusOK || got.Body.String() == "secret" {
			t.Errorf("%s: status %d, body %q", path, got.Code, got.Body)
		}
	}
	inner := get(handler(built, uploadsIn(t, t.TempDir())), "/dist/inner/")
	if inner.Code != http.StatusNotFound {
		t.Errorf("/dist/inner/: status %d, want 404", inner.Code)
	}
}

func TestOnlyReadingIsAllowed(t *testing.T) {
	recorder := httptest.NewRecorder()
	handler(built, uploadsIn(t, t.TempDir())).ServeHTTP(recorder, httptest.NewRequest("POST", "/dist/index.js", nil))
	if recorder.Code != http.StatusMethodNotAllowed {
		t.Errorf("POST: status %d, want 405", recorder.Code)
	}
}

func TestAPackageThatIsNotBuiltIsSaidWithWhatToDo(t *testing.T) {
	dist := t.TempDir()
	write(t, filepath.Join(dist, "index.js"), "export {}")
	err := run(context.Background(), []string{"-dist", dist}, io.Discard, io.Discard)
	if err == nil || !strings.Contains(err.Error(), "make build") || !strings.Contains(err.Error(), "webmend.wasm") {
		t.Errorf("got %v, want an error that names webmend.wasm and `make build`", err)
	}
}

func TestItPrintsTheAddressServesAndStopsWhenInterrupted(t *testing.T) {
	dist := t.TempDir()
	write(t, filepath.Join(dist, "index.js"), "export {}")
	write(t, filepath.Join(dist, "webmend.wasm"), "\x00asm")
	ctx, interrupt := context.WithCancel(context.Background())
	defer interrupt()
	out, in := io.Pipe()
	ended := make(chan error, 1)
	go func() {
		ended <- run(ctx, []string{"-addr", "127.0.0.1:0", "-dist", dist, "-data", t.TempDir()}, in, io.Discard)
	}()

	line := make([]byte, 200)
	n, err := out.Read(line)
	if err != nil {
		t.Fatal(err)
	}
	address := regexp.MustCompile(`http://127\.0\.0\.1:\d+/`).Find(line[:n])
	if address == nil || bytes.Count(line[:n], []byte("\n")) != 1 {
		t.Fatalf("printed %q, want one line with the address", line[:n])
	}
	answer, err := http.Get(string(address) + "dist/index.js")
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()
	interrupt()
	if err := <-ended; err != nil {
		t.Errorf("ended with %v", err)
	}
}

func TestAFreePortIsTakenWhenTheUsualOneIsNot(t *testing.T) {
	// Whether this or another program has it: afterwards it is taken.
	if taken, err := net.Listen("tcp", defaultAddr); err == nil {
		defer taken.Close()
	}
	listener, err := listen("")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	if got := listener.Addr().String(); got == defaultAddr || !strings.HasPrefix(got, "127.0.0.1:") {
		t.Errorf("listens on %s, want another port of 127.0.0.1", got)
	}
	if other, err := listen(listener.Addr().String()); err == nil {
		other.Close()
		t.Error("an address that was asked for and is taken is no error")
	}
}

func TestAnAddressForEveryInterfaceIsToldAsThisMachinesOwn(t *testing.T) {
	listener, err := net.Listen("tcp", "0.0.0.0:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	if got := address(listener); !strings.HasPrefix(got, "http://127.0.0.1:") {
		t.Errorf("got %s, want 127.0.0.1", got)
	}
}

func get(h http.Handler, path string) *httptest.ResponseRecorder {
	recorder := httptest.NewRecorder()
	h.ServeHTTP(recorder, httptest.NewRequest("GET", path, nil))
	return recorder
}

func write(t testing.TB, file, text string) {
	t.Helper()
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestABucketWithoutAnEndpointIsAMistake(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		args []string
		says string
	}{
		{[]string{"-bucket", "b"}, "go together"},
		{[]string{"-s3", "http://127.0.0.1:1"}, "go together"},
		{[]string{"-s3", "example.com", "-bucket", "b"}, "to be a URL"},
	} {
		err := run(context.Background(), append(c.args, "-dist", dist, "-data", t.TempDir()), io.Discard, io.Discard)
		if err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%v: %v, want %q", c.args, err, c.says)
		}
	}
}

func TestUploadsAreTakenUnderTheNamesOfThisMachineAlone(t *testing.T) {
	h := handler(built, uploadsIn(t, t.TempDir()))
	for host, want := range map[string]int{"127.0.0.1:8080": 200, "localhost": 200, "[::1]:8080": 200, "192.0.2.1": 200, "example.com:8080": 421, "localhost.example.com": 421} {
		r := httptest.NewRequest("GET", "/uploads", nil)
		r.Host = host
		got := httptest.NewRecorder()
		if h.ServeHTTP(got, r); got.Code != want {
			t.Errorf("%s: status %d, want %d: %s", host, got.Code, want, got.Body)
		}
	}
}
