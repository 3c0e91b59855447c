package main

import (
	"iter"

	"github.com/webmend/webmend/webm"
)

// clusters answers with objects here, as there is no script of ours to make them.
func (w *writer) clusters(list iter.Seq[webm.Cluster], recordings []webm.Recording) {
	w.put("[")
	n := 0
	list(func(c webm.Cluster) bool {
		w.next(n)
		w.cluster(&c, &recordings[c.Recording].Header)
		n++
		return n < maxAnswer
	})
	w.put("]")
}

// forms answers with the final forms of clusters that it has not told yet.
func (w *writer) forms(st *stream) {
	w.put("[")
	i := 0
	st.newForms(func(recording int, head []byte, data webm.Range, edit *webm.Edit) {
		w.next(i)
		i++
		w.put(`{"recordingIndex":#`, int64(recording))
		w.form(`,"form":`, head, data, edit)
		w.put("}")
	})
	w.put("]")
}

// patches answers with what an editor changes.
func (w *writer) patches(list []webm.Patch) {
	w.put("[")
	for i := range list {
		w.next(i)
		w.put("#,#", list[i].Offset, int64(list[i].Value))
	}
	w.put("]")
}

func (w *writer) cluster(c *webm.Cluster, h *webm.Header) {
	w.put(`{"recordingIndex":#,"start":#,"end":#,"timestamp":#,"time":$,"duration":$,"sizeKnown":?,"cut":?,"fragment":?,"beginsWithKeyFrame":?,"blocks":#,"keyframes":#,"tracks":[`,
		int64(c.Recording), c.Start, c.End, c.Timestamp, c.Timestamp*h.TimestampScale, c.Duration,
		boolean(c.Known), boolean(c.Cut), boolean(c.Fragment), boolean(c.BeginsWithKeyFrame()),
		int64(c.Blocks), int64(c.Entries(h.Tracks)))
	for i := range c.Tracks {
		t := &c.Tracks[i]
		w.next(i)
		w.put(`{"number":#,"blocks":#,"keyframes":#}`, int64(t.Number), int64(t.Blocks), int64(t.KeyFrames))
	}
	head, data, edit := c.Form()
	w.form(`],"form":`, head, data, edit)
	head, data, edit = c.FormAt(0)
	w.form(`,"fromZero":`, head, data, edit)
	w.put(`}`)
}

// form writes a template and then a cluster's form.
func (w *writer) form(template string, head []byte, data webm.Range, edit *webm.Edit) {
	w.put(template)
	w.put(`{"start":#,"end":#,"edit":?,"head":"`, data.Start, data.End, boolean(edit != nil))
	for _, c := range head {
		w.hex(c)
	}
	w.put(`"}`)
}
