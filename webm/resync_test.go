package webm

// Damage in the middle of a stream: what is lost, and that all else is not.

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/webmend/webmend/ebml"
)

func TestAStreamGoesOnAfterDamage(t *testing.T) {
	frame := simpleBlock(1, 0, 0x80, "frame") // of 11 bytes
	good := func(timestamp uint64) []byte { return cluster(timestamp, frame, frame, frame) }
	head := stream(tracks(vp8))
	for _, c := range []struct {
		name     string
		parts    [][]byte
		clusters int
		dropped  string // start-end, and the time before and after in ms
	}{
		{"at the next cluster", [][]byte{head, good(0), {0, 0, 0}, good(500)}, 2, "97-100 0 500"},
		{"at the next cluster, inside of one", [][]byte{head, good(0), cluster(100, frame, frame), bytes.Repeat([]byte{0}, 99), good(500)}, 3, "134-233 200 500"},
		{"at a cluster without a block", [][]byte{head, good(0), {0}, cluster(300), good(500)}, 3, "97-98 0 300"},
		{"not at the ID of a cluster alone", [][]byte{head, good(0), {0}, []byte(clusterMagic), {0}, good(500)}, 2, "97-103 0 500"},
		{"not at a cluster that begins with no Timestamp", [][]byte{head, good(0), {0}, unknown(IDCluster, frame, frame), good(500)}, 2, "97-132 0 500"},
		{"not at a cluster of a track that there is not", [][]byte{head, good(0), {0}, cluster(9, simpleBlock(7, 0, 0, "frame"), frame), good(500)}, 2, "97-135 0 500"},
		{"at a cluster that follows the ID of one", [][]byte{head, good(0), {0}, []byte(clusterMagic[:3]), []byte(clusterMagic), []byte(clusterMagic), good(500)}, 2, "97-109 0 500"},
		{"at a cluster of known size", [][]byte{head, good(0), {0}, element(IDCluster, number(IDTimestamp, 500), frame), good(700)}, 3, "97-98 0 500"},
		{"at the last block of the stream", [][]byte{head, good(0), {0}, cluster(500, frame)}, 2, "97-98 0 500"},
		{"at the last block that is whole", [][]byte{head, good(0), {0}, cluster(500, frame, frame[:7])}, 2, "97-98 0 500, 125-132 500 -"},
		{"at another recording", [][]byte{head, good(0), {0}, head, good(500)}, 2, "97-98 0 -"},
		{"and not at an EBML header without a DocType", [][]byte{head, good(0), {0}, element(ebml.IDEBML), head, good(500)}, 2, "97-103 0 -"},
		{"twice", [][]byte{head, good(0), {0}, good(500), {0, 0}, good(900)}, 3, "97-98 0 500, 147-149 500 900"},
		{"never, if nothing follows", [][]byte{head, good(0), bytes.Repeat([]byte{0}, 50)}, 1, "97-147 0 -"},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := splitAllWays(t, Options{}, slices.Concat(c.parts...))
			if o.pushErr != nil || o.finishErr != nil {
				t.Errorf("errors %v, %v", o.pushErr, o.finishErr)
			}
			var dropped []string
			for _, d := range o.report.Dropped {
				after := "-"
				if d.After >= 0 {
					after = fmt.Sprint(d.After / 1e6)
				}
				dropped = append(dropped, fmt.Sprintf("%d-%d %d %s", d.Start, d.End, d.Before/1e6, after))
			}
			if got := strings.Join(dropped, ", "); got != c.dropped || len(o.clusters) != c.clusters {
				t.Errorf("dropped %s, clusters %s; want %s and %d clusters", got, ranges(o.clusters), c.dropped, c.clusters)
			}
		})
	}
}

func TestARecordingHasNoGaps(t *testing.T) {
	eachFixture(t, func(t *testing.T, f fixture) {
		if gaps := split(Options{}, f.data).report.Gaps; len(gaps) > 0 {
			t.Errorf("%+v", gaps)
		}
	})
}

func TestAChunkThatIsLostIsMissed(t *testing.T) {
	// Where a Cluster's head is lost with it, the time of the blocks after it can
	// happen to go on from that of the blocks before: only numbered chunks tell.
	lost, missed := 0, 0
	eachFixture(t, func(t *testing.T, f fixture) {
		o := split(Options{}, f.data)
		if len(o.headers) != 1 || !slices.ContainsFunc(o.headers[0].Tracks, func(t Track) bool { return t.Type == Audio }) {
			return
		}
		for i, chunk := range f.chunks {
			before := slices.Concat(f.chunks[:i]...)
			if len(before) < int(o.headers[0].End) || i == len(f.chunks)-1 || len(chunk) < 12000 {
				continue // the header, the end, and what is shorter than a gap
			}
			lost++
			o := split(Options{}, before, slices.Concat(f.chunks[i+1:]...))
			if len(o.report.Dropped) > 0 || len(o.report.Gaps) > 0 || len(o.report.Undecodable) > 0 {
				missed++
			}
		}
	})
	if lost < 100 || missed < lost*95/100 {
		t.Errorf("of %d chunks that were lost %d are missed", lost, missed)
	}
	t.Logf("of %d chunks that were lost %d are missed", lost, missed)
}
