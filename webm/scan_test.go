package webm

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"testing"

	"github.com/webmend/webmend/ebml"
)

// A source is a stream that counts what is read of it, and that cannot be read from an
// offset on, or after a number of reads.
type source struct {
	begin  []byte // which zeros follow
	unread int64  // from where on it cannot be read
	reads  int    // after how many it fails; 0 for never
	bytes  int64  // how many have been read
	calls  int
}

var errUnreadable = errors.New("unreadable")

func (s *source) ReadAt(p []byte, at int64) (int, error) {
	if s.calls++; s.reads > 0 && s.calls > s.reads || at >= s.unread {
		return 0, errUnreadable
	}
	n := min(int64(len(p)), s.unread-at)
	clear(p[:n])
	copy(p[:n], s.begin[min(at, int64(len(s.begin))):])
	s.bytes += n
	if n < int64(len(p)) {
		return int(n), errUnreadable
	}
	return int(n), nil
}

func TestScanStopsReadingWhereTheErrorIsFinal(t *testing.T) {
	const size = 1 << 30
	good := cluster(0, simpleBlock(1, 0, 0x80, "frame"))
	for _, c := range []struct {
		name     string
		stream   []byte
		opts     Options
		code     Code
		clusters int
	}{
		{name: "MP4", stream: []byte("\x00\x00\x00\x20ftypisom"), code: CodeNotWebM},
		{name: "damage, if strict", stream: stream(tracks(vp8), good, good, []byte{0, 0, 0}), opts: Options{Strict: true}, code: CodeInvalidID, clusters: 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			src := &source{begin: c.stream, unread: size}
			clusters := 0
			s, report, err := Scan(src, size, c.opts, func(*Header, Cluster) error {
				clusters++
				return nil
			})
			wantCode(t, "Scan", err, c.code)
			if src.bytes > 64<<10 {
				t.Errorf("%d bytes are read", src.bytes)
			}
			if clusters != c.clusters || s == nil {
				t.Errorf("%d clusters, splitter %p", clusters, s)
			}
			if n := len(report.Dropped); report.Bytes != size || n != 1 || report.Dropped[n-1].End != size {
				t.Errorf("the report has %d bytes and drops %v; want it to account for all %d", report.Bytes, report.Dropped, size)
			}
		})
	}
}

func TestVisitIsGivenTheHeaderOfEachClusterAndCanStopTheScan(t *testing.T) {
	all := slices.Concat(load(t, "chromium-23b-stop-at-60ms").data, load(t, "firefox-08-pause-vp8opus-ts500").data)
	var clusters []Cluster
	_, report, err := Scan(bytes.NewReader(all), int64(len(all)), Options{}, func(h *Header, c Cluster) error {
		if h.Recording != c.Recording || h.Range.End > c.Start || len(h.Tracks) != len(c.Tracks) {
			t.Errorf("the header %v of recording %d is given with cluster %v of %d", h.Range, h.Recording, c.Range, c.Recording)
		}
		clusters = append(clusters, c)
		return nil
	})
	if err != nil || len(report.Recordings) != 2 || clusters[len(clusters)-1].Recording != 1 {
		t.Fatalf("%d recordings, error %v", len(report.Recordings), err)
	}

	enough := errors.New("enough")
	for stop := range clusters {
		n := 0
		s, report, err := Scan(bytes.NewReader(all), int64(len(all)), Options{}, func(*Header, Cluster) error {
			if n++; n > stop {
				return enough
			}
			return nil
		})
		if err != enough || n != stop+1 || s.Index(0) == nil || report.Bytes < clusters[stop].End {
			t.Errorf("stopped at cluster %d: %d visited, %d bytes, error %v", stop, n, report.Bytes, err)
		}
	}
}

func TestScanKeepsWhatItReadBeforeTheSourceFails(t *testing.T) {
	if _, _, err := Scan(bytes.NewReader(nil), 1, Options{}, nil); err != io.ErrUnexpectedEOF {
		t.Errorf("a source that is too short: error %v", err)
	}
	_, _, err := Scan(bytes.NewReader(nil), 0, Options{}, nil)
	wantCode(t, "an empty stream", err, CodeEmpty)

	// The first cluster's last block takes in the second, so that it is read twice.
	frame := simpleBlock(1, 0, 0x80, "frame")
	claims := append(ebml.AppendHead(nil, IDSimpleBlock, 60), "\x81\x00\x14\x00frame"...)
	good := cluster(100, frame, simpleBlock(1, 10, 0, "frame"))
	all := slices.Concat(stream(tracks(vp8)), cluster(0, frame), claims, good, good, cluster(200, frame, frame))
	whole := &source{begin: all, unread: int64(len(all))}
	if _, _, err := Scan(whole, int64(len(all)), Options{}, nil); err != nil || whole.bytes <= int64(len(all)) {
		t.Fatalf("%d bytes are read, error %v; want some of %d to be read twice", whole.bytes, err, len(all))
	}

	for unread := range int64(len(all)) {
		s, report, err := Scan(&source{begin: all, unread: unread}, int64(len(all)), Options{}, nil)
		want, wantReport, _ := Scan(bytes.NewReader(all[:unread]), unread, Options{}, nil)
		if err != errUnreadable {
			t.Fatalf("from %d on unreadable: error %v", unread, err)
		}
		compare(t, fmt.Sprintf("from %d on unreadable", unread), outcome{report: report}.String(), outcome{report: wantReport}.String())
		if (s.Index(0) == nil) != (want.Index(0) == nil) {
			t.Errorf("from %d on unreadable: index %v", unread, s.Index(0))
		} else if s.Index(0) != nil {
			got, _ := s.Index(0).Seekable()
			want, _ := want.Index(0).Seekable()
			compare(t, fmt.Sprintf("the plan from %d on unreadable", unread), show(got), show(want))
		}
	}
	for reads := 1; reads < whole.calls; reads++ {
		s, report, err := Scan(&source{begin: all, unread: int64(len(all)), reads: reads}, int64(len(all)), Options{}, nil)
		if err != errUnreadable || report.Bytes != int64(len(all)) || s.Index(0) == nil {
			t.Errorf("after %d reads unreadable: %d bytes, error %v", reads, report.Bytes, err)
		}
	}
}
