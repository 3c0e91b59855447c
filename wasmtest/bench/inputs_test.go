package main

import (
	"bytes"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/webmend/webmend/webm"
)

// The benchmark's inputs are streams without a fault, to us and to ffprobe, and as long
// as they say.
func TestInputsAreRecordings(t *testing.T) {
	for _, in := range inputs(1000) {
		t.Run(in.name, func(t *testing.T) {
			in.size, in.length = min(in.size, 3e6), min(in.length, 30*time.Second)
			var stream bytes.Buffer
			blobs, err := in.write(&stream, "../../webm/testdata")
			if err != nil {
				t.Fatal(err)
			}
			if n := int64(stream.Len()); n < in.size || n > in.size+1e6 {
				t.Errorf("it has %d bytes; want %d", n, in.size)
			}
			s := webm.NewSplitter(webm.Options{})
			at := 0
			for _, n := range blobs {
				if err := s.Push(stream.Bytes()[at : at+n]); err != nil {
					t.Fatal(err)
				}
				at += n
			}
			report, err := s.Finish()
			if err != nil || at != stream.Len() || len(report.Recordings) != 1 {
				t.Fatalf("error %v, %d bytes in blobs of %d, %d recordings", err, at, stream.Len(), len(report.Recordings))
			}
			if len(report.Dropped)+len(report.Gaps)+len(report.Undecodable) > 0 {
				t.Errorf("dropped %v, gaps %v, undecodable %v", report.Dropped, report.Gaps, report.Undecodable)
			}
			clusters := slices.Collect(s.TakeClusters())
			blocks := 0
			for i, c := range clusters {
				if i > 0 && c.Timestamp <= clusters[i-1].Timestamp {
					t.Errorf("cluster %d is at %d, after one at %d", i, c.Timestamp, clusters[i-1].Timestamp)
				}
				for _, track := range c.Tracks {
					blocks += track.Blocks
				}
			}
			if d := time.Duration(report.Recordings[0].Duration); d < in.length || d > 2*time.Minute {
				t.Errorf("it lasts %v; want %v", d, in.length)
			}

			probe := exec.CommandContext(t.Context(), "ffprobe", "-v", "error", "-count_packets", "-show_entries", "stream=nb_read_packets", "-of", "csv=p=0", "-")
			probe.Stdin = &stream
			out, err := probe.CombinedOutput() // it complains among the counts
			packets := 0
			for _, count := range strings.Fields(string(out)) {
				n, err := strconv.Atoi(strings.Trim(count, ","))
				if err != nil {
					t.Fatalf("ffprobe: %.300s", out)
				}
				packets += n
			}
			if err != nil || packets != blocks {
				t.Errorf("ffprobe has %d packets, and we %d blocks; error %v", packets, blocks, err)
			}
		})
	}
}
