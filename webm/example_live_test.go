package webm_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"sync"
	"time"

	"github.com/webmend/webmend/webm"
)

// A relay takes a recording by one POST, as it is made, and gives it to any number of viewers
// by GET: each from the last key frame on that there is when they join, and then all that
// follows. A <video> plays that, and so do ffmpeg and ffplay.
type relay struct {
	mutex    sync.Mutex
	changed  *sync.Cond // there is more, it is over, or a viewer is gone
	stream   *os.File
	size     int64
	splitter *webm.Splitter
	over     bool
}

func newRelay(stream *os.File) *relay {
	l := &relay{stream: stream, splitter: webm.NewSplitter(webm.Options{})}
	l.changed = sync.NewCond(&l.mutex)
	return l
}

func (l *relay) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodPost {
		_, err := io.Copy(l, r.Body)
		l.change(func() { l.splitter.Finish(); l.over = true })
		if err != nil {
			http.Error(w, err.Error(), http.StatusUnprocessableEntity)
		}
		return
	}
	defer context.AfterFunc(r.Context(), func() { l.change(func() {}) })()
	w.Header().Set("Content-Type", "video/webm")
	for plan, next := l.next(r.Context(), webm.NoOffset); plan != nil; plan, next = l.next(r.Context(), next) {
		if _, err := plan.CopyTo(w, l.stream); err != nil {
			return // the viewer is gone
		}
		http.NewResponseController(w).Flush()
	}
}

// Write takes the next bytes of the recording.
func (l *relay) Write(p []byte) (n int, err error) {
	l.change(func() {
		if n, err = l.stream.WriteAt(p, l.size); err == nil {
			l.size += int64(n)
			err = l.splitter.Push(p)
		}
	})
	return n, err
}

func (l *relay) change(do func()) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	do()
	l.changed.Broadcast()
}

// next waits for what comes after an offset of the stream, and first, after NoOffset, for what
// a player must have before all else. It returns nil when there will be nothing more.
func (l *relay) next(viewer context.Context, from int64) (*webm.Plan, int64) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	for ; viewer.Err() == nil; l.changed.Wait() {
		if from == webm.NoOffset {
			if index := l.splitter.Index(0); index != nil {
				if start := l.splitter.LiveFrom(0, index.Duration()); start != webm.NoOffset {
					return index.InitializationSegment(), start
				}
			}
		} else if plan, next := l.splitter.Live(0, from); plan.Size > 0 {
			return plan, next
		}
		if l.over {
			break
		}
	}
	return nil, 0
}

// wait waits until the relay has so many bytes.
func (l *relay) wait(size int64) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	for l.size < size {
		l.changed.Wait()
	}
}

// Viewers who join late see a recording from its last key frame on, while it is made.
func ExampleSplitter_Live() {
	stream, err := os.CreateTemp("", "stream")
	if err != nil {
		log.Fatal(err)
	}
	defer os.Remove(stream.Name())
	defer stream.Close()
	relay := newRelay(stream)
	server := httptest.NewServer(relay)
	defer server.Close()

	// view watches to the end, and says what it saw.
	view := func() <-chan string {
		saw := make(chan string)
		response, err := http.Get(server.URL)
		if err != nil {
			log.Fatal(err)
		}
		go func() {
			defer response.Body.Close()
			got, err := io.ReadAll(response.Body)
			if err != nil {
				log.Fatal(err)
			}
			blocks, first := 0, time.Duration(-1)
			_, _, err = webm.Scan(bytes.NewReader(got), int64(len(got)), webm.Options{}, func(_ *webm.Header, c webm.Cluster) error {
				if first < 0 {
					first = time.Duration(c.Time)
				}
				blocks += c.Blocks
				return nil
			})
			saw <- fmt.Sprintf("%d blocks from %v on, %v", blocks, first, err)
		}()
		return saw
	}

	recording := bytes.Join(blobs("chromium-10a-requestdata"), nil)
	body, recorder := io.Pipe()
	go http.Post(server.URL, "video/webm", body)
	record := func(part []byte) {
		if _, err := recorder.Write(part); err != nil {
			log.Fatal(err)
		}
	}
	record(recording[:400_000])
	relay.wait(400_000)
	late := view()
	record(recording[400_000:])
	recorder.Close()
	fmt.Println(<-late)
	fmt.Println(<-view())
	// Output:
	// 175 blocks from 4.034s on, <nil>
	// 13 blocks from 7.692s on, <nil>
}
