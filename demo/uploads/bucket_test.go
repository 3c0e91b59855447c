//go:build s3

package uploads

// Uploads to an S3-compatible store, versitygw, which `make test-s3` brings.

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"

	"github.com/webmend/webmend/demo/internal/s3test"
	"github.com/webmend/webmend/webm"
)

const versitygw = "../../.cache/versitygw"

// inBucket is a server of what is in a bucket of a store, with its parts of the default size.
func inBucket(t *testing.T, store *s3test.Store) *Server {
	t.Helper()
	bucket, err := NewBucket(t.Context(), store.Client, s3test.Bucket)
	if err != nil {
		t.Fatal(err)
	}
	return serverWith(t, bucket, Options{Limits: bucketLimits})
}

var bucketLimits = Limits{PartSize: BucketPartSize, Quiet: time.Nanosecond}

// film is a recording of as many bytes as are some parts for S3: one that is much
// shorter, again and again.
func film(t *testing.T) []byte {
	t.Helper()
	data := sample(t, vp8)
	splitter, _, err := webm.Scan(bytes.NewReader(data), int64(len(data)), webm.Options{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	const times = 21
	plan, err := webm.Join(slices.Repeat([]*webm.Index{splitter.Index(0)}, times)...)
	if err != nil {
		t.Fatal(err)
	}
	var made bytes.Buffer
	if _, err := plan.CopyTo(&made, slices.Repeat([]io.ReaderAt{bytes.NewReader(data)}, times)...); err != nil {
		t.Fatal(err)
	}
	return made.Bytes()
}

// placed puts a part where the server tells a page of its own to put it.
func (s service) placed(path string, part []byte) (where string) {
	s.t.Helper()
	told := told[struct{ URL string }](s, http.StatusOK, "POST", path, fmt.Appendf(nil, `{"size":%d}`, len(part)), "Origin", s.url)
	if where = told.URL; strings.HasPrefix(where, "/") {
		where = s.url + where
	}
	if answer := put(s.t, where, part); answer.StatusCode >= 300 {
		s.t.Fatalf("%s at %s: %s", path, where, answer.Status)
	}
	return where
}

func put(t testing.TB, where string, body []byte) *http.Response {
	t.Helper()
	r, err := http.NewRequest("PUT", where, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()
	return answer
}

// has lists what is in a bucket: its objects, and its uploads that are not finished.
func has(t *testing.T, store *s3test.Store) (objects []string, unfinished int) {
	t.Helper()
	for o := range store.ListObjects(t.Context(), s3test.Bucket, minio.ListObjectsOptions{Recursive: true}) {
		if o.Err != nil {
			t.Fatal(o.Err)
		}
		objects = append(objects, o.Key)
	}
	for u := range store.ListIncompleteUploads(t.Context(), s3test.Bucket, "", true) {
		if u.Err != nil {
			t.Fatal(u.Err)
		}
		unfinished++
	}
	return objects, unfinished
}

func TestS3PartsBecomeAnObject(t *testing.T) {
	data := film(t)
	for _, c := range []struct {
		name   string
		direct bool
	}{{"straight from the page, where the store takes them from it", true}, {"through the server, where it does not", false}} {
		t.Run(c.name, func(t *testing.T) {
			// The page has the address of the server, which is known once that listens.
			var server *Server
			listening := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { server.ServeHTTP(w, r) }))
			t.Cleanup(listening.Close)
			s := service{t, listening.URL}
			origin := "https://example.com"
			if c.direct {
				origin = s.url
			}
			store := s3test.Start(t, versitygw, origin)
			server = inBucket(t, store)
			upload, u := s.begin("parts")
			if u.PartSize != BucketPartSize {
				t.Fatalf("parts are to have %d bytes", u.PartSize)
			}
			parts := partsOf(data, u.PartSize)
			for _, n := range []int{2, 2, 3} {
				if where := s.placed(fmt.Sprintf("%s/parts/%d", upload, n), parts[n-1]); strings.HasPrefix(where, s.url) == c.direct {
					t.Errorf("part %d goes to %s", n, where)
				}
			}
			if c.direct {
				where := told[struct{ URL string }](s, http.StatusOK, "POST", upload+"/parts/1", []byte(`{"size":1000}`), "Origin", s.url).URL
				if answer := put(t, where, make([]byte, 1001)); answer.StatusCode < 400 {
					t.Errorf("another size than was asked for is answered with %s", answer.Status)
				}
			}

			// The server is started again, and the page asks what it has.
			server = inBucket(t, store)
			have := told[Facts](s, http.StatusOK, "GET", upload, nil).Pieces
			if len(have) != 2 || have[0].Number != 2 || have[1].Size != int64(len(parts[2])) {
				t.Errorf("what has arrived is told as %v", have)
			}
			told[Refusal](s, http.StatusConflict, "POST", upload+"/parts/2", []byte(`{"size":1}`), "Origin", s.url)
			no := told[Refusal](s, http.StatusConflict, "POST", upload+"/complete", fmt.Appendf(nil, `{"count":%d}`, len(parts)))
			if !slices.Equal(no.Missing, []int{1}) {
				t.Errorf("missing are %v", no.Missing)
			}
			s.putPart(upload, 1, parts[0]) // as where the bucket cannot be reached from the page
			for range 2 {
				told[Facts](s, http.StatusOK, "POST", upload+"/complete", fmt.Appendf(nil, `{"count":%d}`, len(parts)))
			}
			s.is(upload, data)
			answer, got := s.ask("GET", upload+"/file", nil, "Range", "bytes=6000000-6000009")
			if answer.StatusCode != http.StatusPartialContent || !bytes.Equal(got, data[6000000:6000010]) {
				t.Errorf("a range is answered with %s", answer.Status)
			}
			if objects, unfinished := has(t, store); len(objects) != 2 || unfinished > 0 {
				t.Errorf("when it is complete there are %v and %d uploads", objects, unfinished)
			}
			told[nothingTold](s, http.StatusNoContent, "DELETE", upload, nil)
			if objects, unfinished := has(t, store); len(objects)+unfinished > 0 {
				t.Errorf("when it is deleted there are %v and %d uploads", objects, unfinished)
			}
		})
	}
}

func TestS3WhatIsTooSmallForTheStoreToPutTogetherGoesThroughTheServer(t *testing.T) {
	store := s3test.Start(t, versitygw, "none")
	bucket, err := NewBucket(t.Context(), store.Client, s3test.Bucket)
	if err != nil {
		t.Fatal(err)
	}
	s := serviceOf(t, serverWith(t, bucket, Options{Limits: testLimits}))
	data := sample(t, vp8)
	upload, _ := s.begin("segments")
	offset := 0
	segments := segmentsOf(t, data)
	for n, segment := range segments {
		for range 2 {
			if answer, text := s.putSegment(upload, n, offset, segment); answer.StatusCode != http.StatusNoContent {
				t.Fatalf("segment %d: %s: %s", n, answer.Status, text)
			}
		}
		offset += len(segment)
	}
	if answer, text := s.putSegment(upload, 0, 0, segments[1]); answer.StatusCode != http.StatusConflict {
		t.Errorf("another segment 0: %s: %s", answer.Status, text)
	}
	told[Facts](s, http.StatusOK, "POST", upload+"/complete", fmt.Appendf(nil, `{"count":%d}`, len(segments)))
	s.is(upload, bytes.Join(segments, nil))
	if answer, _ := s.putSegment(upload, 0, 0, []byte("x")); answer.StatusCode != http.StatusConflict {
		t.Errorf("a segment of what is finished: %s", answer.Status)
	}
	if objects, unfinished := has(t, store); len(objects) != 2 || unfinished > 0 {
		t.Errorf("there are %v and %d uploads", objects, unfinished)
	}
}

func TestS3ObjectsAreRepairedByReadingRanges(t *testing.T) {
	data := film(t)
	store := s3test.Start(t, versitygw, "none")
	s := serviceOf(t, inBucket(t, store))
	for _, c := range []struct {
		name  string
		parts []int
		least float64
	}{
		{"all of it", []int{1, 2, 3}, 1},
		{"without the first part", []int{2, 3}, 1},
		{"without the second", []int{1, 3}, 0.5},
		{"without the last", []int{1, 2}, 0.75},
		{"nothing but the opening", nil, 0.3},
	} {
		t.Run(c.name, func(t *testing.T) {
			upload, u := s.begin("parts")
			opening, parts := uploaded(t, data, u.PartSize)
			s.placed(upload+"/opening", opening)
			for _, n := range c.parts {
				s.placed(fmt.Sprintf("%s/parts/%d", upload, n), parts[n-1])
			}
			s.repairs(upload, data, c.least)
			told[nothingTold](s, http.StatusNoContent, "DELETE", upload, nil)
		})
	}

	// A repair that fails changes nothing: it goes on.
	upload, u := s.begin("parts")
	parts := partsOf(data, u.PartSize)
	s.placed(upload+"/parts/1", make([]byte, u.PartSize))
	for range 2 {
		told[Refusal](s, http.StatusUnprocessableEntity, "POST", upload+"/repair", nil)
	}
	for n, part := range parts {
		s.putPart(upload, n+1, part)
	}
	told[Facts](s, http.StatusOK, "POST", upload+"/complete", fmt.Appendf(nil, `{"count":%d}`, len(parts)))
	s.is(upload, data)
	told[nothingTold](s, http.StatusNoContent, "DELETE", upload, nil)
	if objects, unfinished := has(t, store); len(objects)+unfinished > 0 {
		t.Errorf("when all is deleted there are %v and %d uploads", objects, unfinished)
	}
}

// A bad way is between a server and its store: answers are lost, are 500 or take long.
func badWay(t *testing.T, to *s3test.Store) (bucket *Bucket, isBad *atomic.Bool) {
	t.Helper()
	target, err := url.Parse(to.URL())
	if err != nil {
		t.Fatal(err)
	}
	isBad = new(atomic.Bool)
	proxy := httputil.NewSingleHostReverseProxy(target)
	rewrite := proxy.Director
	proxy.Director = func(r *http.Request) {
		host := r.Host // which is signed
		rewrite(r)
		r.Host = host
	}
	way := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !isBad.Load() {
			proxy.ServeHTTP(w, r)
			return
		}
		switch rand.IntN(10) {
		case 0: // the answer is lost
			proxy.ServeHTTP(httptest.NewRecorder(), r)
			panic(http.ErrAbortHandler)
		case 1:
			w.WriteHeader(http.StatusInternalServerError)
		case 2: // nothing arrives
			panic(http.ErrAbortHandler)
		case 3:
			time.Sleep(200 * time.Millisecond)
			proxy.ServeHTTP(w, r)
		default:
			proxy.ServeHTTP(w, r)
		}
	}))
	t.Cleanup(way.Close)
	client, err := minio.New(strings.TrimPrefix(way.URL, "http://"), &minio.Options{
		Creds: credentials.NewStaticV4(s3test.Access, s3test.Secret, ""), Region: "us-east-1",
	})
	if err != nil {
		t.Fatal(err)
	}
	if bucket, err = NewBucket(t.Context(), client, s3test.Bucket); err != nil {
		t.Fatal(err)
	}
	return bucket, isBad
}

func TestS3NothingAcknowledgedIsLostWithAStoreThatFailsIsSlowLosesAnswersAndIsStopped(t *testing.T) {
	store := s3test.Start(t, versitygw, "none")
	bucket, isBad := badWay(t, store)
	limits := bucketLimits
	limits.PartSize, limits.Patience = 64<<10, 5*time.Second
	s := serviceOf(t, serverWith(t, bucket, Options{Limits: limits}))
	data := film(t)
	isBad.Store(true)
	// until repeats a request until it is done.
	until := func(method, path string, body []byte) {
		t.Helper()
		for tries := range 100 {
			answer, text := s.ask(method, path, body)
			if answer.StatusCode < 300 || method == "DELETE" && answer.StatusCode == http.StatusNotFound && tries > 0 {
				return
			}
			if answer.StatusCode < 500 {
				t.Fatalf("%s %s: %s: %s", method, path, answer.Status, text)
			}
		}
		t.Fatalf("%s %s is never done", method, path)
	}
	begin := func(n int, size int64) string {
		id := fmt.Sprintf("01234567-89ab-cdef-0123-%012x", n)
		until("POST", "/uploads", fmt.Appendf(nil, `{"id":%q,"kind":"parts","partSize":%d,%s}`, id, size, webmType))
		return "/uploads/" + id
	}
	for n, size := range []int64{BucketPartSize, 1 << 20} { // which the store puts together, and the server
		upload := begin(n, size)
		parts := partsOf(data, size)
		for i, part := range parts {
			until("PUT", fmt.Sprintf("%s/parts/%d", upload, i+1), part)
			if i == 1 {
				store.Stop()
				answer, text := s.ask("PUT", upload+"/parts/3", parts[2])
				if answer.StatusCode < 500 {
					t.Errorf("while the store is stopped a part is answered with %s: %s", answer.Status, text)
				}
				store.Run()
			}
		}
		until("POST", upload+"/complete", fmt.Appendf(nil, `{"count":%d}`, len(parts)))
		isBad.Store(false)
		s.is(upload, data)
		isBad.Store(true)
		until("DELETE", upload, nil)
	}
	repaired := begin(9, 1<<20)
	for i, part := range partsOf(data, 1<<20)[:4] {
		until("PUT", fmt.Sprintf("%s/parts/%d", repaired, i+1), part)
	}
	until("POST", repaired+"/repair", nil)
	isBad.Store(false)
	_, file := s.ask("GET", repaired+"/file", nil)
	plays(t, file)
	told[nothingTold](s, http.StatusNoContent, "DELETE", repaired, nil)
	serverWith(t, bucket, Options{}) // which tidies up
	if objects, _ := has(t, store); len(objects) > 0 {
		t.Errorf("when all is deleted there are %v", objects)
	}
}
