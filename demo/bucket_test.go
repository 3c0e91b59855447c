//go:build s3

package main

// The page with an S3-compatible store, versitygw, which `make test-s3` brings.

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"testing"

	"github.com/webmend/webmend/demo/internal/s3test"
	"github.com/webmend/webmend/demo/uploads"
)

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
			var inBucket http.Handler
			server := httptest.NewServer(handler(os.DirFS(dist), http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { inBucket.ServeHTTP(w, r) })))
			t.Cleanup(server.Close)
			store := s3test.Start(t, "../.cache/versitygw", c.allow(server.URL))
			t.Setenv("AWS_ACCESS_KEY_ID", s3test.Access)
			t.Setenv("AWS_SECRET_ACCESS_KEY", s3test.Secret)
			bucket, limits, err := openStore(t.Context(), "", store.URL(), s3test.Bucket)
			if err != nil {
				t.Fatal(err)
			}
			if inBucket, err = uploads.New(t.Context(), bucket, uploads.Options{Limits: limits}); err != nil {
				t.Fatal(err)
			}
			p := visitAt(t, server.URL, ownParts)
			p.until(`!$("record").disabled`)
			p.choose("source", "scene")
			p.run(`$("upload").click()`)
			p.record(2)
			p.stop()
			p.until(`$("uploading").dataset.state === "complete" && uploads().length === 1`)
			p.serverHasAll()
			host := store.EndpointURL().Host
			if got := p.text(fmt.Sprintf(`String(performance.getEntriesByType("resource").some(({ name }) => new URL(name).host === %q))`, host)); got != fmt.Sprint(c.there) {
				t.Errorf("whether the page has asked the store is %s", got)
			}
			p.run(`$("video").src = uploads()[0].querySelector("a").href`)
			p.until(`$("video").duration < Infinity`)
		})
	}
}
