package wasmtest

// Files that exist nowhere: plans that are served out of the recordings they are made of.

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

func TestASeekableFileIsServedThatExistsNowhere(t *testing.T) {
	for _, name := range []string{"firefox-08-pause-vp8opus-ts500", "chromium-36-late-requestdata"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := load(t, name)
			plan, err := index(t, r.data, 0).Seekable()
			if err != nil {
				t.Fatal(err)
			}
			var sought atomic.Bool
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
				if part := request.Header.Get("Range"); part != "" && part != "bytes=0-" {
					sought.Store(true)
				}
				w.Header().Set("Content-Type", plan.MimeType)
				file := io.NewSectionReader(plan.ReaderAt(bytes.NewReader(r.data)), 0, plan.Size)
				http.ServeContent(w, request, "", time.Time{}, file)
			}))
			defer server.Close()
			file := carryOut(t, plan, r.data)
			if got, want := frames(t, server.URL), frames(t, file); len(want) == 0 || !slices.EqualFunc(got, want, slices.Equal) {
				t.Error("ffprobe finds other frames in what is served than in the file")
			}
			fromTwoSeconds := func(at string) string {
				return string(run(t, "ffprobe", "-v", "error", "-read_intervals", "2%+#5", "-show_entries", "packet=pts,data_hash", "-show_data_hash", "md5", "-of", "csv", at))
			}
			if got, want := fromTwoSeconds(server.URL), fromTwoSeconds(file); got != want || !strings.Contains(want, "packet") {
				t.Errorf("at 2 s ffprobe finds %q; want %q", got, want)
			}
			if !sought.Load() {
				t.Error("ffprobe never asked for a part")
			}
		})
	}
}
