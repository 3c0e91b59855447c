package webm

// What an index lists.

import (
	"bytes"
	"fmt"
	"slices"
	"testing"
)

func TestAnIndexListsTheClustersAndTheKeyFramesInThem(t *testing.T) {
	eachPart(t, func(t *testing.T, stream []byte) {
		s := NewSplitter(Options{})
		var clusters []IndexedCluster
		var keyFrames []KeyFrame
		video := false
		compare := func(what string) {
			for {
				h, ok := s.TakeHeader()
				if !ok {
					break
				}
				video = hasVideo(h.Tracks)
			}
			for _, c := range slices.Collect(s.TakeClusters()) {
				clusters = append(clusters, IndexedCluster{c.Range, c.Time, c.Duration, c.BeginsWithKeyFrame()})
				keyFrames = append(keyFrames, c.KeyFrames...)
			}
			ix := s.Index(0)
			if ix == nil {
				return
			}
			if got := slices.Collect(ix.Clusters()); !slices.Equal(got, clusters) || ix.NumClusters() != len(clusters) {
				t.Fatalf("%s: %d clusters %v; want %v", what, ix.NumClusters(), got, clusters)
			}
			got := slices.Collect(ix.KeyFrames())
			if video && !slices.Equal(got, keyFrames) {
				t.Fatalf("%s: key frames %v; want %v", what, got, keyFrames)
			}
			if video || len(clusters) == 0 {
				return
			}
			for i, k := range got {
				if i > 0 && k.Time-got[i-1].Time < cueInterval || k.Time != k.Timestamp*ix.header.TimestampScale || k.Offset >= clusters[len(clusters)-1].End {
					t.Errorf("%s: sound alone is listed at %+v after %+v", what, k, got[max(0, i-1)])
				}
			}
			if n := ix.Duration() / (2 * cueInterval); int64(len(got)) < n {
				t.Errorf("%s: %d places are listed; want at least %d", what, len(got), n)
			}
		}
		for i, piece := range cut(stream, 1) {
			s.Push(piece)
			if i%20 == 0 {
				compare("before the end")
			}
		}
		s.Finish()
		compare("at the end")

		for range s.Index(0).Clusters() {
			break
		}
		for range s.Index(0).KeyFrames() {
			break
		}
	})
}

func TestAnIndexListsNoKeyFrameThatPlansLeaveOut(t *testing.T) {
	// The end of a cluster and the beginning of the next come twice, which shows only in that.
	key := func(at int16) []byte { return simpleBlock(1, at, 0x80, fmt.Sprint("key frame ", at)) }
	sound := func(at int16) []byte { return simpleBlock(2, at, 0x80, fmt.Sprint("\x08sound ", at)) }
	over := slices.Concat(sound(900), key(905), sound(920), cluster(1000, sound(0), key(10), sound(20)))
	whole := slices.Concat(stream(tracks(vp8, opus)), cluster(0, key(0), sound(0)), over, over, sound(40))
	s, report, err := Scan(bytes.NewReader(whole), int64(len(whole)), Options{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	var times []int64
	for k := range s.Index(0).KeyFrames() {
		times = append(times, k.Time)
	}
	if want := []int64{0, 905e6, 1010e6}; report.Recordings[0].Repeated != 6 || !slices.Equal(times, want) {
		t.Errorf("%d blocks are there twice, and key frames are listed at %v; want %v", report.Recordings[0].Repeated, times, want)
	}
}

func TestTheZeroIndexHasNothing(t *testing.T) {
	ix := new(Index)
	_, err := ix.Seekable()
	wantCode(t, "Seekable", err, CodeNoClusters)
	_, err = ix.Head(1000)
	wantCode(t, "Head", err, CodeNoClusters)
	_, err = ix.Clip(0, 1)
	wantCode(t, "Clip", err, CodeNoClusters)
	_, err = ix.JoinPoint()
	wantCode(t, "JoinPoint", err, CodeNoClusters)
	if n := len(slices.Collect(ix.Clusters())) + len(slices.Collect(ix.KeyFrames())) + ix.NumClusters() + int(ix.Duration()); n != 0 {
		t.Errorf("it has something: %d", n)
	}
	ix.InitializationSegment() // of no tracks
}
