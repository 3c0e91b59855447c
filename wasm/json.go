package main

import (
	"math"
	"strconv"

	"github.com/webmend/webmend/webm"
)

// A writer makes an answer: bytes, which are JSON as a rule, or in the reactor numbers
// where there is much to tell. encoding/json would make the module half as large again,
// and even calls of append for each member would add to it; so the members are written
// by templates.
type writer struct {
	b     []byte
	words []uint64 // of numbers
}

// put writes a template in which these stand for the next of values: # an
// integer, $ nanoseconds that are to be seconds, ? a boolean.
func (w *writer) put(template string, values ...int64) {
	from := 0
	for i := range len(template) {
		c := template[i]
		if c != '#' && c != '$' && c != '?' {
			continue
		}
		w.b = append(w.b, template[from:i]...)
		from = i + 1
		switch c {
		case '#':
			w.b = strconv.AppendInt(w.b, values[0], 10)
		case '$':
			w.decimal(values[0], 1e9)
		case '?':
			w.b = strconv.AppendBool(w.b, values[0] != 0)
		}
		values = values[1:]
	}
	w.b = append(w.b, template[from:]...)
}

// decimal writes v divided by unit, a power of ten, exactly.
func (w *writer) decimal(v, unit int64) {
	if v < 0 {
		w.b = append(w.b, '-')
		v = -v
	}
	w.b = strconv.AppendInt(w.b, v/unit, 10)
	v %= unit
	for point := "."; v > 0; point = "" {
		w.put(point)
		unit /= 10
		w.b = append(w.b, byte('0'+v/unit))
		v %= unit
	}
}

const hexDigits = "0123456789abcdef"

// text writes a template and then s as a JSON string. What of s is not UTF-8 is
// left to the decoder, which replaces it.
func (w *writer) text(template, s string) {
	w.put(template)
	w.b = append(w.b, '"')
	for i := range len(s) {
		c := s[i]
		if c < 0x20 || c == '"' || c == '\\' {
			w.put(`\u00`)
			w.hex(c)
		} else {
			w.b = append(w.b, c)
		}
	}
	w.b = append(w.b, '"')
}

//go:noinline
func (w *writer) hex(c byte) { w.b = append(w.b, hexDigits[c>>4], hexDigits[c&0xF]) }

// next writes a comma before all but the first member of an array. Like hex it is
// not inlined, to keep the module small.
//
//go:noinline
func (w *writer) next(i int) {
	if i > 0 {
		w.b = append(w.b, ',')
	}
}

func (w *writer) header(h *webm.Header) {
	w.put(`{"recordingIndex":#,"start":#,"end":#,`, int64(h.Recording), h.Start, h.End)
	w.facts(h)
	w.put(`}`)
}

// facts writes what a header says, as members of an object.
func (w *writer) facts(h *webm.Header) {
	w.text(`"mimeType":`, h.MimeType())
	w.text(`,"docType":`, h.DocType)
	w.text(`,"muxingApp":`, h.MuxingApp)
	w.text(`,"writingApp":`, h.WritingApp)
	w.put(`,"timestampScale":#,"tracks":[`, h.TimestampScale)
	for i := range h.Tracks {
		w.next(i)
		w.track(&h.Tracks[i])
	}
	w.put(`]`)
}

func (w *writer) track(t *webm.Track) {
	w.put(`{"number":#`, int64(t.Number))
	w.text(`,"type":`, t.Type.String())
	w.text(`,"codecId":`, t.CodecID)
	w.text(`,"codec":`, t.Codec)
	w.text(`,"name":`, t.Name)
	w.text(`,"language":`, t.Language)
	w.put(`,"codecDelay":$,"seekPreRoll":$,"defaultDuration":$`,
		clamp(t.CodecDelay), clamp(t.SeekPreRoll), clamp(t.DefaultDuration))
	switch t.Type {
	case webm.Video:
		w.put(`,"width":#,"height":#,"alpha":?`, clamp(t.Width), clamp(t.Height), boolean(t.AlphaMode))
	case webm.Audio:
		w.put(`,"channels":#,"bitDepth":#,"sampleRate":`, clamp(t.Channels), clamp(t.BitDepth))
		w.decimal(int64(math.Max(0, math.Min(t.SampleRate, 1e12))*1000), 1000)
	}
	w.put(`}`)
}

// plan writes the pieces of a plan: [length] of literal bytes, or [source, start,
// end, whether it is edited], and keeps the edits for edit. next is where that after a live one
// begins.
func (w *writer) plan(st *stream) {
	p := st.plan
	w.text(`{"mimeType":`, p.MimeType)
	w.put(`,"size":#,"start":$,"end":$,"next":#,"pieces":[`, p.Size, p.Start, p.End, st.next)
	st.edits = st.edits[:0]
	i := 0
	p.Pieces()(func(piece webm.Piece) bool { // not by range, which would add 2 KB
		w.next(i)
		if piece.Data != nil {
			w.put(`[#]`, int64(len(piece.Data)))
		} else {
			source := piece.Source
			if st.source != nil {
				source = st.source[source]
			}
			w.put(`[#,#,#,?]`, int64(source), piece.Start, piece.End, boolean(piece.Edit != nil))
		}
		if piece.Edit != nil {
			for len(st.edits) <= i {
				st.edits = append(st.edits, nil)
			}
			st.edits[i] = piece.Edit
		}
		i++
		return true
	})
	w.put(`]}`)
}

func (w *writer) report(r *webm.Report, err *webm.Error) {
	w.put(`{"bytes":#,"recordings":[`, r.Bytes)
	for i := range r.Recordings {
		rec := &r.Recordings[i]
		w.next(i)
		w.put(`{"header":{"start":#,"end":#},"duration":$,"clusters":#,"repeated":#,`,
			rec.Header.Start, rec.Header.End, rec.Duration, int64(rec.NumClusters), int64(rec.Repeated))
		w.facts(&rec.Header)
		w.put(`}`)
	}
	w.put(`],"other":[`)
	for i := range r.Other {
		w.next(i)
		w.put(`{"start":#,"end":#}`, r.Other[i].Start, r.Other[i].End)
	}
	w.put(`],"dropped":[`)
	for i := range r.Dropped {
		d := &r.Dropped[i]
		w.next(i)
		w.put(`{"start":#,"end":#,"before":$,"after":`, d.Start, d.End, d.Before)
		if d.After < 0 {
			w.put(`null`)
		} else {
			w.put(`$`, d.After)
		}
		w.put(`,"reason":`)
		w.error(d.Reason)
		w.put(`}`)
	}
	w.put(`],"gaps":[`)
	for i := range r.Gaps {
		g := &r.Gaps[i]
		w.next(i)
		w.put(`{"recordingIndex":#,"start":$,"end":$,"offset":#,"boundary":?,"tracks":[`, int64(g.Recording), g.Start, g.End, g.Offset, boolean(g.Boundary))
		for j, number := range g.Tracks {
			w.next(j)
			w.put(`#`, clamp(number))
		}
		w.put(`]}`)
	}
	w.put(`],"undecodable":[`)
	for i := range r.Undecodable {
		u := &r.Undecodable[i]
		w.next(i)
		w.text(`{"reason":`, string(u.Reason))
		w.put(`,"recordingIndex":#,"track":#,"frames":#,"start":$,"end":$,"offset":#}`, int64(u.Recording), int64(u.Track), int64(u.Frames), u.Start, u.End, u.Offset)
	}
	w.put(`],"unlisted":#,"error":`, int64(r.Unlisted))
	w.error(err)
	w.put(`}`)
}

func (w *writer) error(e *webm.Error) {
	if e == nil {
		w.put(`null`)
		return
	}
	w.text(`{"code":`, string(e.Code))
	w.text(`,"path":`, e.Path)
	w.text(`,"message":`, e.Error())
	w.put(`,"offset":#}`, e.Offset)
}

// element writes an element, its size -1 when it is unknown and its first bytes
// in hexadecimal.
func (w *writer) element(e webm.Element) {
	w.text(`{"name":`, e.Name)
	w.text(`,"type":`, e.Type.String())
	w.put(`,"id":#,"level":#,"offset":#,"headLength":#,"size":#,"data":"`,
		int64(e.ID), int64(e.Level), e.Offset, int64(e.Len), e.Size)
	for _, c := range e.Data {
		w.hex(c)
	}
	w.put(`"}`)
}

// clamp keeps an unsigned number within what a JavaScript number holds exactly.
func clamp(v uint64) int64 { return int64(min(v, 1<<53-1)) }

func boolean(v bool) int64 {
	if v {
		return 1
	}
	return 0
}
