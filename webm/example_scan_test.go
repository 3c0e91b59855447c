package webm_test

import (
	"bytes"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"time"

	"github.com/webmend/webmend/webm"
)

// An object is what is stored at an address, read by ranges of 128 KiB. It is for one
// goroutine at a time.
type object struct {
	address  string
	size     int64
	requests int
	at       int64 // where window is
	window   []byte
}

func openObject(address string) (*object, error) {
	response, err := http.Head(address)
	if err != nil {
		return nil, err
	}
	response.Body.Close()
	if response.StatusCode != http.StatusOK || response.ContentLength < 0 {
		return nil, fmt.Errorf("HEAD %s: %s", address, response.Status)
	}
	return &object{address: address, size: response.ContentLength}, nil
}

// ReadAt is that of io.ReaderAt.
func (o *object) ReadAt(p []byte, offset int64) (n int, err error) {
	for n < len(p) {
		at := offset + int64(n)
		if at >= o.size {
			return n, io.EOF
		}
		if at < o.at || at >= o.at+int64(len(o.window)) {
			if err := o.fetch(at); err != nil {
				return n, err
			}
		}
		n += copy(p[n:], o.window[at-o.at:])
	}
	return n, nil
}

func (o *object) fetch(at int64) error {
	request, err := http.NewRequest("GET", o.address, nil)
	if err != nil {
		return err
	}
	end := min(at+128<<10, o.size)
	request.Header.Set("Range", fmt.Sprintf("bytes=%d-%d", at, end-1))
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusPartialContent {
		return fmt.Errorf("GET %s: %s", o.address, response.Status)
	}
	o.requests++
	o.at, o.window = at, make([]byte, end-at)
	_, err = io.ReadFull(response.Body, o.window)
	return err
}

// What is left of an upload that broke off, with bytes missing in its midst, is repaired by
// reading ranges of it, twice each: to find out what there is, and to write it.
func ExampleScan() {
	stream := bytes.Join(blobs("chromium-36-late-requestdata"), nil)
	broken := append(bytes.Clone(stream[:200_000]), stream[210_000:len(stream)-5_000]...)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.ServeContent(w, r, "broken.webm", time.Time{}, bytes.NewReader(broken))
	}))
	defer server.Close()

	stored, err := openObject(server.URL)
	if err != nil {
		log.Fatal(err)
	}
	s, report, err := webm.Scan(stored, stored.size, webm.Options{}, nil)
	if err != nil {
		log.Fatal(err)
	}
	for _, d := range report.Dropped {
		fmt.Println("left out:", d.Reason)
	}
	plan, err := s.Index(0).Seekable()
	if err != nil {
		log.Fatal(err)
	}
	var file bytes.Buffer // or another object
	if _, err := plan.CopyTo(&file, stored); err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%v in %d of %d bytes, by %d requests\n", time.Duration(plan.End), file.Len(), stored.size, stored.requests)
	// Output:
	// left out: webm: Cluster at 189003: 0x72B0 at 200000 runs past the end of its parent
	// left out: webm: Cluster at 366072: SimpleBlock at 411119 is cut short by the end of the stream
	// 8.958s in 389540 of 412340 bytes, by 9 requests
}

// The key frames of a file, however large: a cluster is forgotten once it has been visited.
func ExampleScan_keyFrames() {
	file, err := os.Open("testdata/chromium-10a-requestdata.webm")
	if err != nil {
		log.Fatal(err)
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		log.Fatal(err)
	}
	_, _, err = webm.Scan(file, info.Size(), webm.Options{}, func(_ *webm.Header, c webm.Cluster) error {
		for _, k := range c.KeyFrames {
			fmt.Printf("at %v track %d has a key frame at byte %d, in the cluster at %d\n", time.Duration(k.Time), k.Track, k.Offset, c.Start)
		}
		return nil
	})
	if err != nil {
		log.Fatal(err)
	}
	// Output:
	// at 0s track 1 has a key frame at byte 223, in the cluster at 208
	// at 4.034s track 1 has a key frame at byte 300052, in the cluster at 300036
	// at 7.692s track 1 has a key frame at byte 598553, in the cluster at 598537
}
