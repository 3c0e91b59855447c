package webm_test

import (
	"bytes"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"time"

	"github.com/webmend/webmend/webm"
)

// recorded is a recording in testdata and its index.
func recorded(name string) ([]byte, *webm.Index) {
	recording := bytes.Join(blobs(name), nil)
	s := webm.NewSplitter(webm.Options{})
	if err := s.Push(recording); err != nil {
		log.Fatal(err)
	}
	if _, err := s.Finish(); err != nil {
		log.Fatal(err)
	}
	return recording, s.Index(0)
}

// A recording of Firefox becomes a file that players can seek in. The plan is
// made of the index alone; the media is only touched when it is carried out.
func ExampleIndex_Seekable() {
	recording, index := recorded("firefox-10b-two-recordings")
	plan, err := index.Seekable()
	if err != nil {
		log.Fatal(err)
	}
	var file bytes.Buffer
	if _, err := plan.CopyTo(&file, bytes.NewReader(recording)); err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%d clusters, %v, %s\n", index.NumClusters(), time.Duration(index.Duration()), plan.MimeType)
	fmt.Printf("%d bytes become %d\n", len(recording), file.Len())
	// Output:
	// 6 clusters, 5.026s, video/webm; codecs="vp8,opus"
	// 509180 bytes become 509264
}

// The places of a recording where a player can begin.
func ExampleIndex_KeyFrames() {
	_, index := recorded("chromium-10a-requestdata")
	for k := range index.KeyFrames() {
		fmt.Printf("%v at byte %d\n", time.Duration(k.Time), k.Offset)
	}
	// Output:
	// 0s at byte 223
	// 4.034s at byte 300052
	// 7.692s at byte 598553
}

// A server answers requests for ranges of a seekable file that it never makes: it reads the
// recording as it was uploaded.
func ExamplePlan_ReaderAt() {
	recording, index := recorded("firefox-10b-two-recordings")
	plan, err := index.Seekable()
	if err != nil {
		log.Fatal(err)
	}
	file := plan.ReaderAt(bytes.NewReader(recording)) // or an *os.File
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", plan.MimeType)
		http.ServeContent(w, r, "", time.Time{}, io.NewSectionReader(file, 0, file.Size()))
	}))
	defer server.Close()

	request, err := http.NewRequest("GET", server.URL, nil)
	if err != nil {
		log.Fatal(err)
	}
	request.Header.Set("Range", "bytes=400000-")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		log.Fatal(err)
	}
	defer response.Body.Close()
	part, err := io.ReadAll(response.Body)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%s: %d bytes, %s\n", response.Status, len(part), response.Header.Get("Content-Range"))
	// Output:
	// 206 Partial Content: 109264 bytes, bytes 400000-509263/509264
}

// A clip begins at the key frame at or before its start. Where it is cut inside
// a cluster, that cluster is read.
func ExampleIndex_Clip() {
	recording, index := recorded("chromium-36-late-requestdata")
	cutter, err := index.Clip(int64(3500*time.Millisecond), int64(6*time.Second))
	if err != nil {
		log.Fatal(err)
	}
	plan, err := cutter.PlanFrom(bytes.NewReader(recording))
	if err != nil {
		log.Fatal(err)
	}
	var file bytes.Buffer
	if _, err := plan.CopyTo(&file, bytes.NewReader(recording)); err != nil {
		log.Fatal(err)
	}
	fmt.Printf("from %v to %v, %d bytes\n", time.Duration(plan.Start), time.Duration(plan.End), file.Len())
	// Output:
	// from 3.061s to 6.044s, 134763 bytes
}

// Two recordings of one page become one file. What cannot be joined is said with
// the tracks.
func ExampleJoin() {
	first, a := recorded("chromium-10b-two-recordings")
	second, b := recorded("chromium-10b-two-recordings-second")
	plan, err := webm.Join(a, b)
	if err != nil {
		log.Fatal(err)
	}
	var file bytes.Buffer
	if _, err := plan.CopyTo(&file, bytes.NewReader(first), bytes.NewReader(second)); err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%v and %v make %v\n", time.Duration(a.Duration()), time.Duration(b.Duration()), time.Duration(plan.End))

	_, vp9 := recorded("chromium-13b-alpha-vp9")
	_, err = webm.Join(a, vp9)
	fmt.Println(err)
	// Output:
	// 5.039s and 5.015s make 10.054s
	// webm: track 1 of recording 2 is video (V_VP9), the first has V_VP8
}
