//go:build s3

package main

// Uploads to an S3-compatible store, versitygw, which `make test-s3` brings.

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/minio/minio-go/v7"

	"github.com/webmend/webmend/webm"
)

const versitygw = "../.cache/versitygw"

// bucketFor is a bucket of a store that takes parts from pages of an origin, or from
// none.
func bucketFor(t *testing.T, origin string) *bucket {
	t.Helper()
	t.Setenv("AWS_ACCESS_KEY_ID", "access")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "secret")
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := taken.Addr().String()
	taken.Close()
	folder := t.TempDir()
	if err := os.Mkdir(filepath.Join(folder, "recordings"), 0o755); err != nil {
		t.Fatal(err)
	}
	store := exec.Command(versitygw, "--port", address, "--access", "access", "--secret", "secret", "--cors-allow-origin", origin, "--quiet", "posix", folder)
	if err := store.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		store.Process.Kill()
		store.Wait()
	})
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	for {
		b, err := newBucket(ctx, "http://"+address, "recordings")
		if err == nil {
			return b
		}
		if ctx.Err() != nil {
			t.Fatal(err)
		}
	}
}

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
func (b *bucket) has(t *testing.T) (objects, unfinished int) {
	t.Helper()
	for o := range b.core.Client.ListObjects(t.Context(), b.name, minio.ListObjectsOptions{Recursive: true}) {
		if o.Err != nil {
			t.Fatal(o.Err)
		}
		objects++
	}
	for u := range b.core.Client.ListIncompleteUploads(t.Context(), b.name, "", true) {
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
			folder := t.TempDir()
			uploads := uploadsIn(t, folder)
			s := serviceOf(t, uploads)
			origin := "https://example.com"
			if c.direct {
				origin = s.url
			}
			uploads.bucket = bucketFor(t, origin)
			upload, u := s.begin("parts")
			if u.PartSize != bucketPartSize {
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
			again := uploadsIn(t, folder)
			again.bucket = uploads.bucket
			uploads.bucket = nil
			told[refusal](s, http.StatusServiceUnavailable, "GET", upload, nil)
			uploads.bucket = again.bucket
			have := told[facts](s, http.StatusOK, "GET", upload, nil).Pieces
			if len(have) != 2 || have[0].Number != 2 || have[1].Size != int64(len(parts[2])) {
				t.Errorf("what has arrived is told as %v", have)
			}
			no := told[refusal](s, http.StatusConflict, "POST", upload+"/complete", fmt.Appendf(nil, `{"count":%d}`, len(parts)))
			if !slices.Equal(no.Missing, []int{1}) {
				t.Errorf("missing are %v", no.Missing)
			}
			s.putPart(upload, 1, parts[0]) // as where the bucket cannot be reached from the page
			for range 2 {
				told[facts](s, http.StatusOK, "POST", upload+"/complete", fmt.Appendf(nil, `{"count":%d}`, len(parts)))
			}
			s.is(upload, data)
			answer, got := s.ask("GET", upload+"/file", nil, "Range", "bytes=6000000-6000009")
			if answer.StatusCode != http.StatusPartialContent || !bytes.Equal(got, data[6000000:6000010]) {
				t.Errorf("a range is answered with %s", answer.Status)
			}
			if left, _ := os.ReadDir(filepath.Join(folder, u.ID)); len(left) != 1 {
				t.Errorf("the server itself has %v", left)
			}
			told[nothingTold](s, http.StatusNoContent, "DELETE", upload, nil)
			if objects, unfinished := uploads.bucket.has(t); objects+unfinished > 0 {
				t.Errorf("after it is deleted there are %d objects and %d uploads", objects, unfinished)
			}
		})
	}
}

func TestS3ObjectsAreRepairedByReadingRanges(t *testing.T) {
	data := film(t)
	uploads := uploadsIn(t, t.TempDir())
	s := serviceOf(t, uploads)
	uploads.bucket = bucketFor(t, s.url)
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
		})
	}

	// What cannot be repaired can be deleted.
	upload, u := s.begin("parts")
	s.placed(upload+"/parts/1", make([]byte, u.PartSize))
	for range 2 {
		told[refusal](s, http.StatusUnprocessableEntity, "POST", upload+"/repair", nil)
	}
	told[refusal](s, http.StatusConflict, "PUT", upload+"/parts/2", []byte("more"))
	told[nothingTold](s, http.StatusNoContent, "DELETE", upload, nil)
	begun, _ := s.begin("parts")
	if objects, unfinished := uploads.bucket.has(t); objects != 5 || unfinished != 1 {
		t.Errorf("there are %d objects and %d uploads", objects, unfinished)
	}
	told[nothingTold](s, http.StatusNoContent, "DELETE", begun, nil)
	if _, unfinished := uploads.bucket.has(t); unfinished > 0 {
		t.Errorf("there are %d uploads", unfinished)
	}
}

func TestS3APageUploadsStraightToTheBucket(t *testing.T) {
	for _, c := range []struct {
		name  string
		allow func(page string) string
		there bool
	}{
		{"where that takes parts from it", func(page string) string { return page }, true},
		{"or else through the server", func(string) string { return "https://example.com" }, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			uploads := uploadsIn(t, t.TempDir())
			server := httptest.NewServer(handler(os.DirFS(dist), uploads))
			t.Cleanup(server.Close)
			uploads.bucket = bucketFor(t, c.allow(server.URL))
			p := visitAt(t, server.URL, ownParts)
			p.until(`!$("record").disabled`)
			p.choose("source", "scene")
			p.run(`$("upload").click()`)
			p.record(2)
			p.stop()
			p.until(`$("uploading").dataset.state === "complete" && uploads().length === 1`)
			p.run(`again().then((blob) => (window.own = blob))`)
			if got, want := fetched(t, p.text(`uploads()[0].querySelector("a").href`)), p.bytes(`own`); !bytes.Equal(got, want) {
				t.Errorf("in the bucket are %d bytes, and not the %d of the recording's parts", len(got), len(want))
			}
			store := uploads.bucket.core.EndpointURL().Host
			if got := p.text(fmt.Sprintf(`String(performance.getEntriesByType("resource").some(({ name }) => new URL(name).host === %q))`, store)); got != fmt.Sprint(c.there) {
				t.Errorf("whether the page has asked the store is %s", got)
			}
			p.run(`$("video").src = uploads()[0].querySelector("a").href`)
			p.until(`$("video").duration < Infinity`)
		})
	}
}
