package main

import "github.com/webmend/webmend/webm"

// The kinds of plan that plan knows, and what their two numbers are.
const (
	planSeekable       = 0
	planClip           = 1 // from, to, in seconds
	planJoinPoint      = 2
	planInitialization = 3
	planLive           = 4 // the offset from which on, or -1 and then a time in seconds
	planHead           = 5 // how many bytes there is room for
)

// Flags of plan and join.
const (
	planStored          = 1 // the source is a store, as Index.Stored says
	planKeepUndecodable = 2
)

// plan begins a plan of a recording of a stream that is being split. What is wrong
// with it takePlan and lastError say.
func plan(handle, kind, recording, flags int32, a, b float64) int32 {
	st := get(handle)
	if st == nil || st.splitter == nil {
		return statusNoHandle
	}
	ix := st.splitter.Index(int(recording))
	if ix == nil {
		return statusNoHandle
	}
	ix.Stored, ix.KeepUndecodable = flags&planStored != 0, flags&planKeepUndecodable != 0
	p := &stream{}
	var err error
	switch kind {
	case planSeekable:
		p.plan, err = ix.Seekable()
	case planClip:
		p.cutter, err = ix.Clip(nanoseconds(a), nanoseconds(b))
	case planJoinPoint:
		p.cutter, err = ix.JoinPoint()
	case planInitialization:
		p.plan = ix.InitializationSegment()
	case planLive:
		from := int64(bytes(a))
		if a < 0 {
			from = st.splitter.LiveFrom(int(recording), nanoseconds(b))
		}
		p.plan, p.next = st.splitter.Live(int(recording), from)
	case planHead:
		p.plan, err = ix.Head(bytes(a))
	default:
		return statusNoHandle
	}
	p.collect(err)
	return add(p)
}

// nanoseconds keeps seconds within what a clip can be asked for.
func nanoseconds(seconds float64) int64 {
	const most = 1e9 // 31 years
	switch {
	case !(seconds > -most): // NaN too
		seconds = -most
	case seconds > most:
		seconds = most
	}
	return int64(seconds * 1e9)
}

// join begins the plan of all recordings of streams, one after the other. A stream is a
// source.
func join(handles []int32, flags int32) int32 {
	var indexes []*webm.Index
	var sources []int
	for source, h := range handles {
		st := get(h)
		if st == nil || st.splitter == nil || st.splitter.Index(0) == nil {
			return statusNoHandle
		}
		recordings := len(st.splitter.Report().Recordings)
		for i := range recordings {
			ix := st.splitter.Index(i)
			if recordings > 1 && ix.NumClusters() == 0 {
				continue
			}
			ix.Stored, ix.KeepUndecodable = false, flags&planKeepUndecodable != 0
			indexes, sources = append(indexes, ix), append(sources, source)
		}
	}
	p := &stream{source: sources}
	var err error
	p.plan, err = webm.Join(indexes...)
	p.collect(err)
	return add(p)
}

// edit begins an editor for the bytes of piece i of a plan, or for those of
// clusters of recording i of a stream that is being split.
func edit(handle, i int32) int32 {
	st := get(handle)
	switch {
	case st == nil:
	case st.splitter != nil && st.splitter.Index(int(i)) != nil:
		return add(&stream{editor: st.splitter.Index(int(i)).Edit().Editor(0)})
	case uint(i) < uint(len(st.edits)) && st.edits[i] != nil:
		return add(&stream{editor: st.edits[i].Editor(0)})
	}
	return statusNoHandle
}

// answerPlan writes the plan, or the ranges that must be pushed first.
func (st *stream) answerPlan(w *writer) {
	if st.cutter != nil && st.plan == nil && st.err == nil {
		var err error
		if st.plan, err = st.cutter.Plan(); err != nil && st.cutter.Waiting() {
			w.put(`{"reads":[`)
			for i, r := range st.cutter.Reads() {
				w.next(i)
				w.put(`{"source":#,"start":#,"end":#}`, int64(r.Source), r.Start, r.End)
			}
			w.put(`]}`)
			return
		}
		st.collect(err)
	}
	if st.plan == nil {
		w.put("null")
		return
	}
	w.plan(st)
}
