package uploads

// A server that is killed again and again, with clients that repeat what was not answered.

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// asServer has the test's program serve a folder at an address, to be killed.
const asServer = "WEBMEND_UPLOADS_SERVE"

func TestMain(m *testing.M) {
	if at, folder, ok := strings.Cut(os.Getenv(asServer), " "); ok {
		fmt.Fprintln(os.Stderr, serve(at, folder))
		os.Exit(1)
	}
	os.Exit(m.Run())
}

func serve(at, folder string) error {
	store, err := OpenFolder(folder)
	if err != nil {
		return err
	}
	server, err := New(context.Background(), store, Options{Limits: testLimits})
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", at)
	if err != nil {
		return err
	}
	return http.Serve(listener, server)
}

func TestNothingAcknowledgedIsLostThoughTheServerIsKilledAHundredTimes(t *testing.T) {
	const kills, clients = 100, 8
	folder := t.TempDir()
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	at := free.Addr().String()
	free.Close()

	var killed atomic.Int32
	over := make(chan struct{})
	go func() {
		defer close(over)
		for killed.Load() < kills {
			server := exec.Command(os.Args[0])
			server.Env = append(os.Environ(), asServer+"="+at+" "+folder)
			server.Stderr = os.Stderr
			if err := server.Start(); err != nil {
				t.Error(err)
				return
			}
			// Once it answers, it has some time to do harm.
			for {
				answer, err := http.Get("http://" + at + "/uploads")
				if err == nil {
					answer.Body.Close()
					break
				}
				time.Sleep(time.Millisecond)
			}
			time.Sleep(time.Duration(rand.IntN(60)) * time.Millisecond)
			server.Process.Kill()
			server.Wait()
			killed.Add(1)
		}
	}()

	var all sync.WaitGroup
	var made, deleted atomic.Int32
	var mu sync.Mutex
	whole := map[string][]byte{} // recordings that were said to be complete
	for i := range clients {
		all.Go(func() {
			c := client{t: t, at: at, over: over}
			for n := 0; ; n++ {
				kind := []string{"parts", "segments"}[(i+n)%2]
				data := bytes.Repeat([]byte(fmt.Sprintf("recording %d of client %d ", n, i)), 10_000)
				path, ok := c.upload(kind, data)
				if !ok {
					return
				}
				made.Add(1)
				if n%3 == 2 {
					if !c.ask(nil, "DELETE", path, nil) {
						return
					}
					deleted.Add(1)
					continue
				}
				mu.Lock()
				whole[path] = data
				mu.Unlock()
			}
		})
	}
	all.Wait()
	<-over

	// Now it is left alone.
	uploads := uploadsIn(t, folder)
	s := serviceOf(t, uploads)
	for path, data := range whole {
		s.is(path, data)
	}
	listed := told[[]Facts](s, http.StatusOK, "GET", "/uploads", nil)
	if done := slices.DeleteFunc(slices.Clone(listed), func(f Facts) bool { return !f.Done }); len(done) < len(whole) {
		t.Errorf("%d recordings are complete, and %d are listed", len(whole), len(done))
	}
	if got, want := uploads.room.used.Load(), du(t, folder); got != want {
		t.Errorf("%d bytes are said to be taken, and %d are", got, want)
	}
	for _, u := range listed { // what was not finished when the last client went away
		told[nothingTold](s, http.StatusNoContent, "DELETE", "/uploads/"+u.ID, nil)
	}
	if left := filesIn(t, folder); len(left) > 0 {
		t.Errorf("when all that is listed is deleted there is %v", left)
	}
	if len(whole) < clients {
		t.Errorf("only %d recordings were completed", len(whole))
	}
	t.Logf("%d kills, %d recordings, %d of them deleted", killed.Load(), made.Load(), deleted.Load())
}

// A client repeats what is not answered, until there is no server any more.
type client struct {
	t    *testing.T
	at   string
	over chan struct{}
}

// upload uploads a recording, and gives the path of the upload; ok is false if the server was
// gone before.
func (c client) upload(kind string, data []byte) (path string, ok bool) {
	var id [16]byte
	for i := range id {
		id[i] = byte(rand.IntN(256))
	}
	path = fmt.Sprintf("/uploads/%x-%x-%x-%x-%x", id[:4], id[4:6], id[6:8], id[8:10], id[10:])
	var u Facts
	if !c.ask(&u, "POST", "/uploads", fmt.Appendf(nil, `{"id":%q,"kind":%q,%s}`, path[len("/uploads/"):], kind, webmType)) {
		return path, false
	}
	size := u.PartSize
	if kind == "segments" {
		size = 50_000
	}
	pieces := partsOf(data, size)
	had := map[int]int64{} // what was acknowledged
	offset := 0
	for n, piece := range pieces {
		where, headers := fmt.Sprintf("%s/parts/%d", path, n+1), []string(nil)
		if kind == "segments" {
			where = fmt.Sprintf("%s/segments/%d", path, n)
			headers = []string{"Segment-Offset", fmt.Sprint(offset), "Segment-CRC32", fmt.Sprintf("%08x", crc32.ChecksumIEEE(piece))}
		}
		if !c.ask(nil, "PUT", where, piece, headers...) || !c.ask(&u, "GET", path, nil) {
			return path, false
		}
		offset += len(piece)
		had[n] = int64(len(piece))
		for i, size := range had {
			if len(u.Pieces) <= i || u.Pieces[i].Size != size {
				c.t.Errorf("piece %d of %s was acknowledged with %d bytes, and there is %v", i, path, size, u.Pieces)
			}
		}
	}
	return path, c.ask(&u, "POST", path+"/complete", fmt.Appendf(nil, `{"count":%d}`, len(pieces)))
}

// ask asks until there is an answer, and is false if there can be none any more.
func (c client) ask(into any, method, path string, body []byte, headers ...string) bool {
	for tries := 0; ; tries++ {
		select {
		case <-c.over:
			return false
		default:
		}
		r, err := http.NewRequest(method, "http://"+c.at+path, bytes.NewReader(body))
		if err != nil {
			c.t.Error(err)
			return false
		}
		for i := 0; i < len(headers); i += 2 {
			r.Header.Set(headers[i], headers[i+1])
		}
		answer, err := http.DefaultClient.Do(r)
		if err != nil {
			time.Sleep(time.Millisecond)
			continue
		}
		text, err := io.ReadAll(answer.Body)
		answer.Body.Close()
		if err != nil {
			continue
		}
		if method == "DELETE" && tries > 0 && answer.StatusCode == http.StatusNotFound {
			return true // its answer was lost
		}
		if answer.StatusCode >= 300 {
			c.t.Errorf("%s %s: %s: %s", method, path, answer.Status, text)
			return false
		}
		if into != nil {
			if err := json.Unmarshal(text, into); err != nil {
				c.t.Errorf("%s %s: %q: %v", method, path, text, err)
			}
		}
		return true
	}
}
