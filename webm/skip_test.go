package webm

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

func TestAnotherSplitterTakesOverAtAnyCluster(t *testing.T) {
	for _, name := range []string{"chromium-noalpha-03-vp8opus-ts250", "firefox-24-same-recorder-restart", "chromium-36-late-requestdata", "chromium-07-vp8opus-nots"} {
		t.Run(name, func(t *testing.T) {
			data := load(t, name).data
			whole := split(Options{}, data)
			for i, c := range whole.clusters {
				s := NewSplitter(Options{})
				for _, h := range whole.headers[:c.Recording+1] {
					s.Skip(h.Start)
					if err := s.Push(data[h.Start:h.End]); err != nil {
						t.Fatal(err)
					}
				}
				s.Skip(c.Start)
				if err := s.Push(data[c.Start:]); err != nil {
					t.Fatal(err)
				}
				rep, err := s.Finish()
				if err != nil {
					t.Fatal(err)
				}
				compare(t, fmt.Sprint("from cluster ", i), ranges(slices.Collect(s.TakeClusters())), ranges(whole.clusters[i:]))
				if rep.Bytes != int64(len(data)) || len(rep.Dropped) > 0 {
					t.Errorf("from cluster %d there are %d bytes, and dropped %v", i, rep.Bytes, rep.Dropped)
				}
				if last := len(rep.Recordings) - 1; rep.Recordings[last].Header.Range != whole.report.Recordings[last].Header.Range || rep.Recordings[last].Duration != whole.report.Recordings[last].Duration {
					t.Errorf("from cluster %d the last recording is %+v", i, rep.Recordings[last])
				}
			}
		})
	}
}

func TestAWalkGoesOnAtAnyPartOfASegment(t *testing.T) {
	data := load(t, "firefox-24-same-recorder-restart").data
	var found []string
	visit := func(e Element) { found = append(found, fmt.Sprint(e.Level, e.Name, e.Offset)) }
	NewWalker(0, visit).Push(data)
	whole := found
	for i, c := range split(Options{}, data).clusters {
		w := NewWalker(0, visit)
		if err := w.Push(append(data[:c.Start:c.Start], make([]byte, 20)...)); err == nil {
			t.Fatal("the walk has not stopped")
		}
		found = nil
		w.Skip(c.Start)
		if err := w.Push(data[c.Start:]); err != nil {
			t.Fatal(err)
		}
		want := whole[slices.Index(whole, fmt.Sprint(1, "Cluster", c.Start)):]
		compare(t, fmt.Sprint("from cluster ", i), strings.Join(found, "\n"), strings.Join(want, "\n"))
	}
}
