package webm_test

import (
	"fmt"
	"hash/crc32"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/webmend/webmend/webm"
)

// room is what the file begins with once all is known: enough for 3,000 Cues.
const room = 64 << 10

// An upload takes the segments of a recording, the header and then each cluster, and makes
// a seekable file of them as they come.
type upload struct {
	mu       sync.Mutex
	splitter *webm.Splitter
	next     int      // the number of the segment that comes next
	recorded *os.File // the stream as it came
	file     *os.File
	end      int64 // of the file
}

func newUpload() (*upload, error) {
	recorded, err := os.CreateTemp("", "recorded")
	if err != nil {
		return nil, err
	}
	file, err := os.CreateTemp("", "seekable")
	if err != nil {
		return nil, err
	}
	return &upload{splitter: webm.NewSplitter(webm.Options{}), recorded: recorded, file: file, end: room}, nil
}

// ServeHTTP takes a segment with its number and the CRC-32 of its bytes. One that was there
// before is let drop; where one is missing the status is 409 and the answer names it.
func (u *upload) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var number int
	var sum uint32
	if _, err := fmt.Sscanf(r.URL.RawQuery, "number=%d&crc32=%d", &number, &sum); err != nil {
		http.Error(w, "a segment needs number and crc32", http.StatusBadRequest)
		return
	}
	segment, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 256<<20))
	if err != nil || crc32.ChecksumIEEE(segment) != sum {
		http.Error(w, fmt.Sprintf("segment %d was damaged on its way", number), http.StatusBadRequest)
		return
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	switch {
	case number > u.next:
		http.Error(w, fmt.Sprintf("segment %d is missing", u.next), http.StatusConflict)
	case number == u.next:
		if err := u.add(segment); err != nil {
			http.Error(w, err.Error(), http.StatusUnprocessableEntity)
			return
		}
		u.next++
	}
}

func (u *upload) add(segment []byte) error {
	if _, err := u.recorded.Write(segment); err != nil {
		return err
	}
	if err := u.splitter.Push(segment); err != nil {
		return err
	}
	return u.write()
}

// write writes the clusters that are complete, in their final form.
func (u *upload) write() error {
	for c := range u.splitter.TakeClusters() {
		if c.Recording > 0 {
			continue // of a recorder that was started again
		}
		head, data, edit := c.Form()
		var form webm.Plan
		form.Add(webm.Piece{Data: head}, webm.Piece{Range: data, Edit: edit})
		n, err := form.CopyTo(io.NewOffsetWriter(u.file, u.end), u.recorded)
		if err != nil {
			return err
		}
		u.end += n
	}
	return nil
}

// finish fills in the beginning of the file.
func (u *upload) finish() error {
	u.mu.Lock()
	defer u.mu.Unlock()
	if _, err := u.splitter.Finish(); err != nil {
		return err
	}
	if err := u.write(); err != nil {
		return err
	}
	head, err := u.splitter.Index(0).Head(room)
	if err != nil {
		return err
	}
	_, err = head.CopyTo(io.NewOffsetWriter(u.file, 0), u.recorded)
	return err
}

func (u *upload) remove() {
	for _, f := range []*os.File{u.recorded, u.file} {
		f.Close()
		os.Remove(f.Name())
	}
}

// A server makes a seekable file of segments as they come over HTTP, some of them twice,
// too early or damaged. No media is written again once all is there: only the beginning
// of the file is filled in.
func ExampleIndex_Head() {
	u, err := newUpload()
	if err != nil {
		log.Fatal(err)
	}
	defer u.remove()
	server := httptest.NewServer(u)
	defer server.Close()

	segments := segmentsOf("firefox-10b-two-recordings")
	send := func(number int, body string) {
		address := fmt.Sprintf("%s/?number=%d&crc32=%d", server.URL, number, crc32.ChecksumIEEE([]byte(segments[number])))
		response, err := http.Post(address, "application/octet-stream", strings.NewReader(body))
		if err != nil {
			log.Fatal(err)
		}
		defer response.Body.Close()
		said, err := io.ReadAll(response.Body)
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(strings.TrimSpace(fmt.Sprintf("%d: %s %s", number, response.Status, said)))
	}
	send(0, segments[0])
	send(1, segments[1])
	send(1, segments[1])
	send(3, segments[3])
	send(2, strings.ToUpper(segments[2]))
	for number := 2; number < len(segments); number++ {
		send(number, segments[number])
	}
	if err := u.finish(); err != nil {
		log.Fatal(err)
	}

	_, report, err := webm.Scan(u.file, u.end, webm.Options{}, nil)
	if err != nil {
		log.Fatal(err)
	}
	made := report.Recordings[0]
	duration := time.Duration(made.Header.Duration) * time.Duration(made.Header.TimestampScale)
	fmt.Printf("%d clusters, %v as it says itself, dropped %v\n", made.NumClusters, duration, report.Dropped)
	// Output:
	// 0: 200 OK
	// 1: 200 OK
	// 1: 200 OK
	// 3: 409 Conflict segment 2 is missing
	// 2: 400 Bad Request segment 2 was damaged on its way
	// 2: 200 OK
	// 3: 200 OK
	// 4: 200 OK
	// 5: 200 OK
	// 6: 200 OK
	// 6 clusters, 5.026s as it says itself, dropped []
}

// segmentsOf are the header and the clusters of a recording, as a page sends them.
func segmentsOf(name string) []string {
	var stream strings.Builder
	for _, blob := range blobs(name) {
		stream.Write(blob)
	}
	s := webm.NewSplitter(webm.Options{})
	if err := s.Push([]byte(stream.String())); err != nil {
		log.Fatal(err)
	}
	if _, err := s.Finish(); err != nil {
		log.Fatal(err)
	}
	header, _ := s.TakeHeader()
	segments := []string{stream.String()[:header.End]}
	for c := range s.TakeClusters() {
		segments = append(segments, stream.String()[c.Start:c.End])
	}
	return segments
}
