//go:build !js

package main

import (
	"iter"
	"math"

	"github.com/webmend/webmend/webm"
)

// headWords is how many words there are for what a cluster begins with in another form:
// its ID and size, and a Timestamp.
const headWords = 3

// clusters answers in numbers, in the order that main.go says: JSON of them would take
// both sides longer than finding them takes.
func (w *writer) clusters(list iter.Seq[webm.Cluster], recordings []webm.Recording) {
	n := 0
	list(func(c webm.Cluster) bool {
		h := &recordings[c.Recording].Header
		w.number(int64(c.Recording))
		w.number(c.Start)
		w.number(c.End)
		w.number(c.Timestamp)
		w.seconds(c.Timestamp * h.TimestampScale)
		w.seconds(c.Duration)
		w.number(boolean(c.Known))
		w.number(boolean(c.Cut))
		w.number(boolean(c.Fragment))
		w.number(boolean(c.BeginsWithKeyFrame()))
		w.number(int64(c.Blocks))
		w.number(int64(c.Entries(h.Tracks)))
		w.number(int64(len(c.Tracks)))
		for i := range c.Tracks {
			t := &c.Tracks[i]
			w.number(int64(t.Number))
			w.number(int64(t.Blocks))
			w.number(int64(t.KeyFrames))
		}
		w.form(c.Form())
		w.form(c.FormAt(0))
		n++
		return n < maxAnswer
	})
}

// forms answers likewise with the final forms of clusters that it has not told yet.
func (w *writer) forms(st *stream) {
	st.newForms(func(recording int, head []byte, data webm.Range, edit *webm.Edit) {
		w.number(int64(recording))
		w.form(head, data, edit)
	})
}

// patches answers likewise with what an editor changes.
func (w *writer) patches(list []webm.Patch) {
	for _, p := range list {
		w.number(p.Offset)
		w.number(int64(p.Value))
	}
}

func (w *writer) form(head []byte, data webm.Range, edit *webm.Edit) {
	w.number(data.Start)
	w.number(data.End)
	w.number(boolean(edit != nil))
	w.number(int64(len(head)))
	var words [headWords]uint64
	for i, c := range head {
		words[i/8] |= uint64(c) << (i % 8 * 8)
	}
	w.words = append(w.words, words[:]...)
}

//go:noinline
func (w *writer) number(n int64) { w.words = append(w.words, math.Float64bits(float64(n))) }

// seconds writes nanoseconds.
func (w *writer) seconds(ns int64) { w.words = append(w.words, math.Float64bits(float64(ns)/1e9)) }
