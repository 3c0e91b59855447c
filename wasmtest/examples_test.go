package wasmtest

// The servers that package webm shows as examples, asked by ffprobe.

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/chromedp/chromedp"
)

// exampleServer is a program of the examples that serves a handler.
const exampleServer = `package main

import (
	"fmt"
	"log"
	"net"
	"net/http"
	"os"
)

func main() {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	stream, err := os.Create(os.Args[1])
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("http://" + listener.Addr().String())
	log.Fatal(http.Serve(listener, %s(stream)))
}
`

// serveExample runs the server of an example, and returns its address.
func serveExample(t *testing.T, file, handler string) string {
	t.Helper()
	dir := t.TempDir()
	build := []string{"build", "-o", filepath.Join(dir, "server"), filepath.Join(dir, "main.go")}
	if err := os.WriteFile(build[3], fmt.Appendf(nil, exampleServer, handler), 0o666); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"example", file} {
		source, err := os.ReadFile("../webm/" + name + "_test.go")
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(dir, name+".go")
		if err := os.WriteFile(path, bytes.Replace(source, []byte("package webm_test"), []byte("package main"), 1), 0o666); err != nil {
			t.Fatal(err)
		}
		build = append(build, path)
	}
	run(t, "go", build...)
	server := exec.CommandContext(t.Context(), build[2], filepath.Join(dir, "stream"))
	out, err := server.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { server.Wait() }) // which its context ends
	address, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(address)
}

func TestOfChunksInAnyOrderFfprobeFindsEveryFrame(t *testing.T) {
	address := serveExample(t, "example_chunks", "newReceiver")
	r := load(t, "firefox-08-pause-vp8opus-ts500")
	chunks := slices.Collect(slices.Chunk(r.data, 40_000))
	for i := range chunks {
		for _, number := range []int{i ^ 1, i / 2} {
			if number >= len(chunks) {
				continue
			}
			request, err := http.NewRequest("PUT", fmt.Sprint(address, "/chunks/", number), bytes.NewReader(chunks[number]))
			if err != nil {
				t.Fatal(err)
			}
			asked(t, request)
		}
	}
	finish, err := http.NewRequest("POST", address+"/finish", nil)
	if err != nil {
		t.Fatal(err)
	}
	asked(t, finish)
	plan, err := index(t, r.data, 0).Seekable()
	if err != nil {
		t.Fatal(err)
	}
	if got, want := frames(t, address+"/recording.webm"), frames(t, carryOut(t, plan, r.data)); len(want) == 0 || !slices.EqualFunc(got, want, slices.Equal) {
		t.Error("ffprobe finds other frames in what is served than in the file")
	}
}

// asked fails the test if a request is not answered with 200.
func asked(t *testing.T, request *http.Request) {
	t.Helper()
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if said, _ := io.ReadAll(response.Body); response.StatusCode != http.StatusOK {
		t.Errorf("%s %s: %s %s", request.Method, request.URL, response.Status, said)
	}
}

// A lateView is a recording that goes to the relay of an example: its second half comes once
// somebody views it.
type lateView struct {
	recording
	address string     // for viewers
	over    chan error // what became of the POST
}

func postLate(t *testing.T, name string) lateView {
	t.Helper()
	address := serveExample(t, "example_live", "newRelay")
	relay, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	proxy := httputil.NewSingleHostReverseProxy(relay)
	proxy.FlushInterval = -1
	joined, once := make(chan struct{}), sync.Once{}
	viewed := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		once.Do(func() { close(joined) })
		proxy.ServeHTTP(w, r)
	}))
	t.Cleanup(viewed.Close)

	l := lateView{load(t, name), viewed.URL, make(chan error, 1)}
	body, recorder := io.Pipe()
	go func() {
		response, err := http.Post(address, "video/webm", body)
		if err == nil {
			err = response.Body.Close()
		}
		l.over <- err
	}()
	if _, err := recorder.Write(l.data[:200_000]); err != nil {
		t.Fatal(err)
	}
	go func() {
		defer recorder.Close()
		select {
		case <-joined:
		case <-t.Context().Done():
			return
		}
		for chunk := range slices.Chunk(l.data[200_000:], 10_000) {
			recorder.Write(chunk)
		}
	}()
	return l
}

func TestAViewerWhoJoinsLateGetsEveryFrameFromAKeyFrameOn(t *testing.T) {
	l := postLate(t, "chromium-36-late-requestdata")
	got, want := frames(t, l.address), frames(t, l.path)
	if err := <-l.over; err != nil {
		t.Fatal(err)
	}
	if len(got) != len(want) {
		t.Fatalf("%d tracks; want %d", len(got), len(want))
	}
	for i := range got {
		if n := len(want[i]) - len(got[i]); len(got[i]) == 0 || n < 0 || !slices.EqualFunc(got[i], want[i][n:], func(a, b frame) bool { return a.hash == b.hash && a.ticks == b.ticks }) {
			t.Errorf("of track %d the viewer has %d frames, which are not the last of the recording's %d", i, len(got[i]), len(want[i]))
		}
	}
	if !got[0][0].key {
		t.Error("the first frame is no key frame")
	}
}

// playLate is what a <video> makes of an address: how wide its picture is, and when it ends,
// in seconds that browsers count from other times.
const playLate = `(async (address) => {
	const video = document.createElement("video");
	video.muted = true;
	video.src = address;
	document.body.append(video);
	await new Promise((resolve, reject) => {
		video.onended = resolve;
		video.onerror = () => reject(video.error);
		video.play().catch(reject);
	});
	return { width: video.videoWidth, end: video.currentTime };
})(%q)`

func TestAViewerWhoJoinsLateSeesIt(t *testing.T) {
	type seen struct{ Width, End float64 }
	for _, browser := range []struct {
		name string
		open func(t *testing.T) func(expression string) seen
	}{
		{"in Chromium", func(t *testing.T) func(string) seen {
			p := open(t, func(chromedp.ConsoleMessage) bool { return false })
			return func(expression string) seen { return evaluate[seen](t, p, expression) }
		}},
		{"in Firefox", func(t *testing.T) func(string) seen {
			f := startFirefox(t)
			return func(expression string) seen { return ask[seen](t, f, expression) }
		}},
	} {
		t.Run(browser.name, func(t *testing.T) {
			show := browser.open(t)
			l := postLate(t, "chromium-36-late-requestdata")
			got := show(fmt.Sprintf(playLate, l.address))
			if err := <-l.over; err != nil {
				t.Fatal(err)
			}
			if got.Width == 0 || got.End == 0 {
				t.Errorf("it shows a picture %v pixels wide, up to %v s", got.Width, got.End)
			}
		})
	}
}
