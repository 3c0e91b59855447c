package uploads

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/webmend/webmend/webm"
)

// testLimits are small, so that little is enough for many parts and to be too much.
var testLimits = Limits{
	PartSize: 64 << 10,
	MaxPart:  6 << 20,
	Upload:   32 << 20,
	Total:    64 << 20,
	Quiet:    time.Nanosecond, // so that repairs need not wait
}

// uploadsIn is a server of what is in a folder.
func uploadsIn(t testing.TB, folder string) *Server {
	return serverOf(t, folder, Options{Limits: testLimits})
}

func serverOf(t testing.TB, folder string, options Options) *Server {
	t.Helper()
	return serverWith(t, folderAt(t, folder), options)
}

func folderAt(t testing.TB, name string) *Folder {
	t.Helper()
	store, err := OpenFolder(name)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { store.Close() })
	return store
}

func serverWith(t testing.TB, store Store, options Options) *Server {
	t.Helper()
	s, err := New(t.Context(), store, options)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// service is the server, to be asked.
type service struct {
	t   testing.TB
	url string
}

func serviceOf(t testing.TB, s http.Handler) service {
	t.Helper()
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	return service{t, server.URL}
}

// ask sends a request, with headers as pairs, and gives the answer with its body read.
func (s service) ask(method, path string, body []byte, headers ...string) (*http.Response, []byte) {
	s.t.Helper()
	r, err := http.NewRequest(method, s.url+path, bytes.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
		if headers[i] == "Host" {
			r.Host = headers[i+1]
		}
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		s.t.Fatal(err)
	}
	defer answer.Body.Close()
	told, err := io.ReadAll(answer.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return answer, told
}

// told asks what must be answered with a status, and gives the answer.
func told[T any](s service, status int, method, path string, body []byte, headers ...string) T {
	s.t.Helper()
	answer, text := s.ask(method, path, body, headers...)
	var value T
	if answer.StatusCode != status {
		s.t.Fatalf("%s %s: %s, want %d: %s", method, path, answer.Status, status, text)
	}
	if status == http.StatusNoContent {
		return value
	}
	if err := json.Unmarshal(text, &value); err != nil {
		s.t.Fatalf("%s %s: %q: %v", method, path, text, err)
	}
	return value
}

type nothingTold struct{}

const webmType = `"type":"video/webm;codecs=\"vp8,opus\""`

// begin begins an upload, and gives its path.
func (s service) begin(kind string) (string, Facts) {
	s.t.Helper()
	u := told[Facts](s, http.StatusCreated, "POST", "/uploads", fmt.Appendf(nil, `{"kind":%q,%s}`, kind, webmType))
	return "/uploads/" + u.ID, u
}

func (s service) putPart(upload string, number int, part []byte) {
	s.t.Helper()
	told[nothingTold](s, http.StatusNoContent, "PUT", fmt.Sprintf("%s/parts/%d", upload, number), part)
}

func (s service) putSegment(upload string, number, offset int, segment []byte) (*http.Response, []byte) {
	s.t.Helper()
	return s.ask("PUT", fmt.Sprintf("%s/segments/%d", upload, number), segment,
		"Segment-Offset", fmt.Sprint(offset), "Segment-CRC32", fmt.Sprintf("%08x", crc32.ChecksumIEEE(segment)))
}

// is checks that the recording of an upload is some bytes.
func (s service) is(upload string, want []byte) {
	s.t.Helper()
	answer, got := s.ask("GET", upload+"/file", nil)
	if answer.StatusCode != http.StatusOK || !bytes.Equal(got, want) {
		s.t.Errorf("the recording has %d bytes (%s), and not the %d that were sent", len(got), answer.Status, len(want))
	}
}

const testdata = "../../webm/testdata"

func write(t testing.TB, name, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func sample(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(testdata, name+".webm"))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func partsOf(data []byte, size int64) [][]byte { return slices.Collect(slices.Chunk(data, int(size))) }

// segmentsOf are the header and the clusters of a recording.
func segmentsOf(t testing.TB, data []byte) [][]byte {
	t.Helper()
	s := webm.NewSplitter(webm.Options{})
	if err := s.Push(data); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Finish(); err != nil {
		t.Fatal(err)
	}
	header, _ := s.TakeHeader()
	segments := [][]byte{data[header.Start:header.End]}
	for c := range s.TakeClusters() {
		segments = append(segments, data[c.Start:c.End])
	}
	return segments
}

const vp8 = "chromium-07-vp8opus-nots"

func TestPartsComeInAnyOrderAndTwiceAndBecomeTheBytesThatWereSent(t *testing.T) {
	t.Parallel()
	s := serviceOf(t, uploadsIn(t, t.TempDir()))
	data := sample(t, vp8)
	upload, u := s.begin("parts")
	parts := partsOf(data, u.PartSize)
	for _, n := range rand.Perm(2 * len(parts)) {
		n = n%len(parts) + 1
		where := told[struct{ URL string }](s, http.StatusOK, "POST", fmt.Sprintf("%s/parts/%d", upload, n), fmt.Appendf(nil, `{"size":%d}`, len(parts[n-1])))
		told[nothingTold](s, http.StatusNoContent, "PUT", where.URL, parts[n-1])
	}
	if got := told[Facts](s, http.StatusOK, "GET", upload, nil); len(got.Pieces) != len(parts) || got.Size != int64(len(data)) || got.Done {
		t.Errorf("what has arrived is told as %+v", got)
	}
	for range 2 { // as the answer may be lost
		if got := told[Facts](s, http.StatusOK, "POST", upload+"/complete", fmt.Appendf(nil, `{"count":%d}`, len(parts))); !got.Done || got.Size != int64(len(data)) {
			t.Errorf("what is complete is told as %+v", got)
		}
	}
	s.is(upload, data)
	told[Refusal](s, http.StatusConflict, "PUT", upload+"/parts/1", parts[0])
}

func TestSegmentsAreAppendedRepeatsIgnoredAndHolesNamed(t *testing.T) {
	t.Parallel()
	s := serviceOf(t, uploadsIn(t, t.TempDir()))
	data := sample(t, vp8)
	segments := segmentsOf(t, data)
	upload, _ := s.begin("segments")
	var want []byte
	for n, segment := range segments {
		if n+2 < len(segments) {
			answer, text := s.putSegment(upload, n+2, len(want)+1, segments[n+2])
			var no Refusal
			if err := json.Unmarshal(text, &no); err != nil || answer.StatusCode != http.StatusConflict || !slices.Equal(no.Missing, []int{n, n + 1}) {
				t.Fatalf("segment %d after %d is answered with %s %s", n+2, n-1, answer.Status, text)
			}
		}
		for range 2 {
			if answer, text := s.putSegment(upload, n, len(want), segment); answer.StatusCode != http.StatusNoContent {
				t.Fatalf("segment %d: %s: %s", n, answer.Status, text)
			}
		}
		want = append(want, segment...)
	}
	told[Facts](s, http.StatusOK, "POST", upload+"/complete", fmt.Appendf(nil, `{"count":%d}`, len(segments)))
	s.is(upload, want)
}

func TestWhatIsRefusedSaysWhy(t *testing.T) {
	t.Parallel()
	s := serviceOf(t, uploadsIn(t, t.TempDir()))
	parts, u := s.begin("parts")
	segments, _ := s.begin("segments")
	finished, _ := s.begin("parts")
	s.putPart(finished, 1, []byte("all"))
	told[Facts](s, http.StatusOK, "POST", finished+"/complete", []byte(`{"count":1}`))
	s.putPart(parts, 2, make([]byte, 10))
	s.putPart(parts, 3, make([]byte, 10))
	tooLarge := make([]byte, u.PartSize+1)
	at := []string{"Segment-Offset", "0", "Segment-CRC32", "00000000"}

	for _, c := range []struct {
		name, method, path string
		body               []byte
		headers            []string
		status             int
		says               string
	}{
		{"a kind that there is not", "POST", "/uploads", []byte(`{"kind":"files",` + webmType + `}`), nil, 400, `not "files"`},
		{"what is not JSON", "POST", "/uploads", []byte(`kind`), nil, 400, "not understood"},
		{"an id that is no UUID", "POST", "/uploads", []byte(`{"kind":"parts","id":"../mine",` + webmType + `}`), nil, 400, `not "../mine"`},
		{"what nobody knows", "POST", "/uploads", []byte(`{"kind":"parts","name":"mine",` + webmType + `}`), nil, 400, `unknown field "name"`},
		{"too much JSON", "POST", "/uploads", []byte(`{"kind":"` + strings.Repeat("x", 20_000)), nil, 413, "too much"},
		{"a type that pages could run", "POST", "/uploads", []byte(`{"kind":"parts","type":"text/html"}`), nil, 415, `not "text/html"`},
		{"parts that are too small", "POST", "/uploads", []byte(`{"kind":"parts","partSize":10,` + webmType + `}`), nil, 400, "not 10"},
		{"parts that are too large", "POST", "/uploads", []byte(`{"kind":"parts","partSize":10000000,` + webmType + `}`), nil, 400, "not 10000000"},
		{"an upload that there is not", "PUT", "/uploads/ABCDEFGHIJKLMNOPQRSTUVWXYZ/parts/1", []byte("x"), nil, 404, "no such upload"},
		{"part 0", "PUT", parts + "/parts/0", []byte("x"), nil, 400, "from 1 to 10000"},
		{"part 10001", "PUT", parts + "/parts/10001", []byte("x"), nil, 400, "from 1 to 10000"},
		{"a part with a word for a number", "PUT", parts + "/parts/one", []byte("x"), nil, 400, `not "one"`},
		{"a part behind what an upload may have", "PUT", parts + "/parts/513", []byte("x"), nil, 413, "at most 33554432"},
		{"a part of nothing", "PUT", parts + "/parts/1", nil, nil, 400, "nothing"},
		{"a part that is too large", "PUT", parts + "/parts/1", tooLarge, nil, 413, "at most 65536"},
		{"a place for a part that is too large", "POST", parts + "/parts/1", []byte(`{"size":65537}`), nil, 413, "not 65537"},
		{"a part for an upload of segments", "PUT", segments + "/parts/1", []byte("x"), nil, 409, "of segments"},
		{"a part for what is finished", "PUT", finished + "/parts/2", []byte("x"), nil, 409, "finished"},
		{"an opening for what is finished", "PUT", finished + "/opening", []byte("x"), nil, 409, "finished"},
		{"an opening that is too large", "PUT", parts + "/opening", tooLarge, nil, 413, "at most 65536"},
		{"a place for an opening of segments", "POST", segments + "/opening", []byte(`{"size":1}`), nil, 409, "of segments"},
		{"a segment for an upload of parts", "PUT", parts + "/segments/0", []byte("x"), at, 409, "of parts"},
		{"a segment without its place", "PUT", segments + "/segments/0", []byte("x"), nil, 400, "Segment-Offset"},
		{"a segment without its CRC-32", "PUT", segments + "/segments/0", []byte("x"), at[:2], 400, "Segment-CRC32"},
		{"a segment that is not what was sent", "PUT", segments + "/segments/0", []byte("x"), at, 400, "8cdc1683, not 00000000"},
		{"a segment of another place", "PUT", segments + "/segments/0", []byte("x"), []string{"Segment-Offset", "7", "Segment-CRC32", "8cdc1683"}, 409, "not at 7"},
		{"completion without a count", "POST", parts + "/complete", []byte(`{}`), nil, 400, "how many parts"},
		{"completion with a part missing", "POST", parts + "/complete", []byte(`{"count":3}`), nil, 400, "part 2 has 10 bytes"},
		{"completion with the last missing", "POST", segments + "/complete", []byte(`{"count":2}`), nil, 409, "missing"},
		{"completion of more than anybody has", "POST", parts + "/complete", []byte(`{"count":9223372036854775807}`), nil, 400, "not 9223372036854775807"},
		{"completion with more than there are", "POST", parts + "/complete", []byte(`{"count":1}`), nil, 400, "number 2"},
		{"the file of what is not finished", "GET", parts + "/file", nil, nil, 409, "not finished"},
		{"repair of nothing", "POST", segments + "/repair", nil, nil, 422, "nothing has arrived"},
		{"repair without a beginning", "POST", parts + "/repair", nil, nil, 422, "nor the opening"},
		{"a page of another origin", "POST", "/uploads", nil, []string{"Origin", "https://example.com"}, 403, "of this server alone"},
		{"a page of another site", "DELETE", finished, nil, []string{"Sec-Fetch-Site", "cross-site"}, 403, "of this server alone"},
	} {
		t.Run(c.name, func(t *testing.T) {
			answer, text := s.ask(c.method, c.path, c.body, c.headers...)
			var no Refusal
			if err := json.Unmarshal(text, &no); err != nil || answer.StatusCode != c.status || !strings.Contains(no.Reason, c.says) {
				t.Errorf("answered with %s %s, want %d and %q", answer.Status, text, c.status, c.says)
			}
		})
	}
	if got := told[Facts](s, http.StatusOK, "GET", segments, nil); len(got.Pieces) != 0 {
		t.Errorf("of what was refused this is kept: %v", got.Pieces)
	}
}

func TestNoPathLeavesTheFolder(t *testing.T) {
	t.Parallel()
	around := t.TempDir()
	write(t, filepath.Join(around, "...json"), `{"id":"..","done":true}`)
	write(t, filepath.Join(around, "recording"), "secret")
	uploads := uploadsIn(t, filepath.Join(around, "data"))
	s := serviceOf(t, uploads)
	u, _ := s.begin("parts")
	for _, path := range []string{
		"/uploads/../file", "/uploads/..%2f/file", "/uploads/%2e%2e/file", "/uploads/..%2f..%2fetc%2fpasswd/file",
		"/uploads/%00/file", "/uploads/.%2f" + filepath.Base(u) + "/file", u + "/../../file", "/uploads/...json/file",
	} {
		for _, method := range []string{"GET", "DELETE", "PUT"} {
			if answer, text := s.ask(method, path, []byte("x")); answer.StatusCode < 400 || strings.Contains(string(text), "secret") {
				t.Errorf("%s %s: %s: %s", method, path, answer.Status, text)
			}
		}
	}
	for _, path := range []string{u + "/parts/..%2f..%2f..%2fout", u + "/parts/1%2f..%2fout"} {
		if answer, text := s.ask("PUT", path, []byte("x")); answer.StatusCode != http.StatusBadRequest {
			t.Errorf("PUT %s: %s: %s", path, answer.Status, text)
		}
	}
	// Not even where a link leads out.
	linked := strings.Repeat("A", 26)
	write(t, filepath.Join(around, "data", "uploads", linked+".json"), `{"id":"`+linked+`","done":true,"type":"video/webm"}`)
	write(t, filepath.Join(around, "data", "recordings", "x"), "")
	if err := os.Symlink(filepath.Join(around, "recording"), filepath.Join(around, "data", "recordings", linked+".webm")); err != nil {
		t.Fatal(err)
	}
	if answer, text := s.ask("GET", "/uploads/"+linked+"/file", nil); answer.StatusCode < 400 || strings.Contains(string(text), "secret") {
		t.Errorf("through a link: %s: %s", answer.Status, text)
	}
	if left, _ := os.ReadDir(around); len(left) != 3 {
		t.Errorf("around the folder there is %v", left)
	}
}

func TestAnUploadGoesOnWhereItWasWhenTheServerIsStartedAgain(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	sent := sample(t, vp8)
	before := serviceOf(t, uploadsIn(t, data))
	upload, u := before.begin("parts")
	parts := partsOf(sent, u.PartSize)
	for n := 2; n < len(parts)-1; n++ {
		before.putPart(upload, n, parts[n-1])
	}
	// It ends while it writes a part.
	write(t, filepath.Join(data, unready, "HALF"), "half")

	s := serviceOf(t, uploadsIn(t, data))
	have := told[Facts](s, http.StatusOK, "GET", upload, nil).Pieces
	for n, part := range parts {
		if !slices.ContainsFunc(have, func(p Piece) bool { return p.Number == n+1 && p.Size == int64(len(part)) }) {
			s.putPart(upload, n+1, part)
		}
	}
	if len(have) != len(parts)-3 {
		t.Errorf("%d of %d parts are told after the start", len(have), len(parts)-3)
	}
	told[Facts](s, http.StatusOK, "POST", upload+"/complete", fmt.Appendf(nil, `{"count":%d}`, len(parts)))
	s.is(upload, sent)
	again := serviceOf(t, uploadsIn(t, data))
	again.is(upload, sent)
	if left := filesIn(t, data); !slices.Equal(left, []string{"recordings/" + u.ID + ".webm", "uploads/" + u.ID + ".json"}) {
		t.Errorf("of an upload that is complete there is %v", left)
	}
}

// filesIn are the files in a folder, with their paths.
func filesIn(t testing.TB, folder string) (names []string) {
	t.Helper()
	err := fs.WalkDir(os.DirFS(folder), ".", func(name string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() {
			names = append(names, name)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}

func TestHalfAPartIsNoPart(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		limits Limits
		then   func(net.Conn)
		says   string
	}{
		{"when the connection ends", testLimits, func(c net.Conn) { c.(*net.TCPConn).CloseWrite() }, "400"},
		{"when nothing more comes", Limits{PartSize: 64 << 10, Patience: 200 * time.Millisecond, Slowest: 1}, func(net.Conn) {}, "408"},
		{"when it comes too slowly", Limits{PartSize: 64 << 10, Patience: 200 * time.Millisecond, Slowest: 1 << 40}, func(net.Conn) {}, "408"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			uploads := serverOf(t, t.TempDir(), Options{Limits: c.limits})
			s := serviceOf(t, uploads)
			upload, _ := s.begin("parts")
			empty := uploads.room.used.Load()
			connection, err := net.Dial("tcp", strings.TrimPrefix(s.url, "http://"))
			if err != nil {
				t.Fatal(err)
			}
			defer connection.Close()
			fmt.Fprintf(connection, "PUT %s/parts/1 HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 1000\r\n\r\nhalf", upload)
			c.then(connection)
			answer := make([]byte, 12)
			if _, err := io.ReadFull(connection, answer); err != nil || !strings.HasSuffix(string(answer), c.says) {
				t.Errorf("half a part is answered with %q (%v), want %s", answer, err, c.says)
			}
			if got := told[Facts](s, http.StatusOK, "GET", upload, nil); len(got.Pieces) > 0 {
				t.Errorf("half a part is told as %v", got.Pieces)
			}
			if got := uploads.room.used.Load(); got != empty {
				t.Errorf("half a part takes %d bytes of the room", got-empty)
			}
			if left, _ := os.ReadDir(filepath.Join(uploads.store.Store.(*Folder).root.Name(), unready)); len(left) > 0 {
				t.Errorf("of half a part there is %v", left)
			}
		})
	}
}

func TestTheRecordingIsServedByRangesAndWithItsType(t *testing.T) {
	t.Parallel()
	s := serviceOf(t, uploadsIn(t, t.TempDir()))
	upload, _ := s.begin("parts")
	s.putPart(upload, 1, []byte("0123456789"))
	told[Facts](s, http.StatusOK, "POST", upload+"/complete", []byte(`{"count":1}`))
	answer, got := s.ask("GET", upload+"/file", nil, "Range", "bytes=3-5")
	if answer.StatusCode != http.StatusPartialContent || string(got) != "345" {
		t.Errorf("bytes 3 to 5 are answered with %s %q", answer.Status, got)
	}
	for header, want := range map[string]string{
		"Content-Type":                 `video/webm; codecs="vp8,opus"`,
		"X-Content-Type-Options":       "nosniff",
		"Cross-Origin-Resource-Policy": "same-origin",
	} {
		if got := answer.Header.Get(header); got != want {
			t.Errorf("%s: %s, want %s", header, got, want)
		}
	}
}

func TestWithoutRoomNothingIsTakenUntilSomethingIsDeleted(t *testing.T) {
	t.Parallel()
	uploads := uploadsIn(t, t.TempDir())
	uploads.room.total = 150 << 10
	s := serviceOf(t, uploads)
	first, _ := s.begin("parts")
	second, _ := s.begin("parts")
	part := make([]byte, 64<<10)
	s.putPart(first, 1, part)
	s.putPart(second, 1, part)
	told[Refusal](s, http.StatusInsufficientStorage, "PUT", second+"/parts/2", part)
	if got := told[[]Facts](s, http.StatusOK, "GET", "/uploads", nil); len(got) != 2 || got[0].Size != 64<<10 || got[0].Done {
		t.Errorf("the uploads are told as %+v", got)
	}
	told[nothingTold](s, http.StatusNoContent, "DELETE", first, nil)
	told[Refusal](s, http.StatusNotFound, "GET", first, nil)
	s.begin("segments") // when it is measured again
	s.putPart(second, 2, part)
}

func TestTwoHundredRecordingsUploadAtOnceAndNothingIsLost(t *testing.T) {
	uploads := uploadsIn(t, t.TempDir())
	uploads.room.total = 1 << 30
	s := serviceOf(t, uploads)
	data := sample(t, vp8)
	segments := segmentsOf(t, data)

	// What is used of memory besides what the tests have.
	runtime.GC()
	var before runtime.MemStats
	runtime.ReadMemStats(&before)
	var most atomic.Uint64
	measured, stop := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(measured)
		for ticks := time.NewTicker(20 * time.Millisecond); ; {
			var stats runtime.MemStats
			runtime.ReadMemStats(&stats)
			most.Store(max(most.Load(), stats.HeapInuse-min(stats.HeapInuse, before.HeapInuse)))
			select {
			case <-ticks.C:
			case <-stop:
				return
			}
		}
	}()

	var all sync.WaitGroup
	for i := range 200 {
		all.Go(func() {
			kind := []string{"parts", "segments"}[i%2]
			upload, u := s.begin(kind)
			pieces := segments
			if kind == "parts" {
				pieces = partsOf(data, 4*u.PartSize)[:1] // another for each would only take longer
				pieces = partsOf(pieces[0], u.PartSize)
				pieces[len(pieces)-1] = fmt.Appendf(nil, "the end of recording %d", i)
				for _, n := range rand.Perm(len(pieces)) {
					s.putPart(upload, n+1, pieces[n])
				}
			} else {
				offset := 0
				for n, segment := range pieces {
					s.putSegment(upload, n, offset, segment)
					offset += len(segment)
				}
			}
			told[Facts](s, http.StatusOK, "POST", upload+"/complete", fmt.Appendf(nil, `{"count":%d}`, len(pieces)))
			answer, err := http.Get(s.url + upload + "/file")
			if err != nil {
				t.Error(err)
				return
			}
			defer answer.Body.Close()
			if err := same(answer.Body, pieces); err != nil {
				t.Errorf("recording %d: %v", i, err)
			}
		})
	}
	all.Wait()
	close(stop)
	<-measured
	if got := told[[]Facts](s, http.StatusOK, "GET", "/uploads", nil); len(got) != 200 {
		t.Errorf("%d of 200 are listed", len(got))
	}
	// All that is uploaded at once is 85 MB.
	if got := most.Load(); got > 60<<20 {
		t.Errorf("the most memory in use was %d MiB", got>>20)
	}
	t.Logf("the most memory in use was %d MiB", most.Load()>>20)
}

// same compares what is read with pieces, without having all of it in memory.
func same(body io.Reader, pieces [][]byte) error {
	buffer := make([]byte, 32<<10)
	for i, piece := range pieces {
		for len(piece) > 0 {
			n := min(len(piece), len(buffer))
			if _, err := io.ReadFull(body, buffer[:n]); err != nil {
				return fmt.Errorf("piece %d: %w", i, err)
			}
			if !bytes.Equal(buffer[:n], piece[:n]) {
				return fmt.Errorf("piece %d is another", i)
			}
			piece = piece[n:]
		}
	}
	if n, err := body.Read(buffer); n > 0 || !errors.Is(err, io.EOF) {
		return fmt.Errorf("there is more (%v)", err)
	}
	return nil
}
