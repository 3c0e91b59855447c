package webm_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/webmend/webmend/webm"
)

// A receiver takes the chunks of one recording over HTTP and serves it as a file in which
// players can seek, which it never makes: it reads the stream as it came.
//
//	PUT  /chunks/{number}  takes a chunk, from 0 on: in any order, and as often as it comes
//	POST /finish           ends the recording, and says which chunks are missing
//	GET  /recording.webm   is what has come so far
type receiver struct {
	mutex    sync.Mutex
	stream   *os.File // or anything else that is an io.ReaderAt and an io.WriterAt
	chunks   *webm.Chunks
	splitter *webm.Splitter
}

func newReceiver(stream *os.File) http.Handler {
	r := &receiver{stream: stream, splitter: webm.NewSplitter(webm.Options{})}
	r.chunks = webm.NewChunks(webm.ChunkOptions{}, func(c webm.Chunk) error {
		if _, err := stream.WriteAt(c.Data, c.Offset); err != nil {
			return err
		}
		if c.Lost {
			r.splitter.Lost() // Push returns its error, too
		}
		return r.splitter.Push(c.Data)
	})
	mux := http.NewServeMux()
	mux.HandleFunc("PUT /chunks/{number}", r.put)
	mux.HandleFunc("POST /finish", r.finish)
	mux.HandleFunc("GET /recording.webm", r.get)
	return mux
}

func (r *receiver) put(w http.ResponseWriter, request *http.Request) {
	number, err := strconv.ParseInt(request.PathValue("number"), 10, 64)
	data, unread := io.ReadAll(http.MaxBytesReader(w, request.Body, 16<<20))
	if err := errors.Join(err, unread); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	r.mutex.Lock()
	defer r.mutex.Unlock()
	switch err := r.chunks.Push(number, data); {
	case errors.Is(err, webm.CodeWaiting): // others must come first
		http.Error(w, err.Error(), http.StatusServiceUnavailable)
	case err != nil:
		http.Error(w, err.Error(), http.StatusUnprocessableEntity)
	}
}

func (r *receiver) finish(w http.ResponseWriter, request *http.Request) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	err := r.chunks.Finish()
	if _, damage := r.splitter.Finish(); err != nil || damage != nil {
		http.Error(w, errors.Join(err, damage).Error(), http.StatusUnprocessableEntity)
		return
	}
	json.NewEncoder(w).Encode(r.chunks.Missing())
}

func (r *receiver) get(w http.ResponseWriter, request *http.Request) {
	r.mutex.Lock()
	index := r.splitter.Index(0)
	if index == nil {
		r.mutex.Unlock()
		http.Error(w, "nothing has come yet", http.StatusNotFound)
		return
	}
	plan, err := index.Seekable()
	r.mutex.Unlock()
	if err != nil {
		http.Error(w, err.Error(), http.StatusNotFound)
		return
	}
	w.Header().Set("Content-Type", plan.MimeType)
	w.Header().Set("ETag", fmt.Sprintf(`"%d"`, plan.Size)) // another file once more has come
	file := plan.ReaderAt(r.stream)
	http.ServeContent(w, request, "", time.Time{}, io.NewSectionReader(file, 0, file.Size()))
}

// A server receives the chunks of a recording out of order, some of them twice and one never,
// and serves a file that players can seek in.
func ExampleChunks() {
	stream, err := os.CreateTemp("", "stream")
	if err != nil {
		log.Fatal(err)
	}
	defer os.Remove(stream.Name())
	defer stream.Close()
	server := httptest.NewServer(newReceiver(stream))
	defer server.Close()
	ask := func(method, path string, body []byte, headers ...string) []byte {
		request, err := http.NewRequest(method, server.URL+path, bytes.NewReader(body))
		if err != nil {
			log.Fatal(err)
		}
		if len(headers) > 0 {
			request.Header.Set(headers[0], headers[1])
		}
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			log.Fatal(err)
		}
		defer response.Body.Close()
		answer, err := io.ReadAll(response.Body)
		if err != nil {
			log.Fatal(err)
		}
		if response.StatusCode != http.StatusOK {
			fmt.Println(strings.TrimSpace(fmt.Sprintln(method, path, response.Status, response.Header.Get("Content-Range"))))
		}
		return answer
	}

	recording := bytes.Join(blobs("chromium-36-late-requestdata"), nil)
	chunks := slices.Collect(slices.Chunk(recording, 40_000))
	for _, number := range []int{1, 0, 0, 3, 2, 5, 6, 1, 5} { // 4 is lost
		ask("PUT", fmt.Sprint("/chunks/", number), chunks[number])
	}
	for number := 7; number < len(chunks); number++ {
		ask("PUT", fmt.Sprint("/chunks/", number), chunks[number])
	}
	fmt.Printf("%d chunks, missing %s", len(chunks), ask("POST", "/finish", nil))
	ask("PUT", "/chunks/4", chunks[4])
	ask("GET", "/recording.webm", nil, "Range", "bytes=100000-199999")
	file := ask("GET", "/recording.webm", nil)
	_, report, err := webm.Scan(bytes.NewReader(file), int64(len(file)), webm.Options{}, nil)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(report.Recordings[0].NumClusters, "clusters,", time.Duration(report.Recordings[0].Duration), "dropped", report.Dropped)
	// Output:
	// 11 chunks, missing [{"First":4,"Last":4,"Offset":160000}]
	// PUT /chunks/4 422 Unprocessable Entity
	// GET /recording.webm 206 Partial Content bytes 100000-199999/355256
	// 8 clusters, 9.02s dropped []
}
