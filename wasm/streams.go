package main

import "github.com/webmend/webmend/webm"

// What a call returns when it has no answer.
const (
	statusError    = -1 // the stream is damaged or not WebM: lastError says how
	statusNoHandle = -2 // there is no such stream, or no such kind of stream
	statusPanic    = -3 // a bug in this module
)

// The kinds of stream that open knows.
const (
	kindSplit    = 0
	kindElements = 1
)

// An operation is one of the calls that answer with JSON.
type operation int

const (
	opTakeHeader operation = iota
	opTakeClusters
	opTakeElements
	opReport
	opFinish
	opLastError
)

// A stream is what a handle stands for.
type stream struct {
	splitter *webm.Splitter
	walker   *webm.Walker
	headers  []webm.Header
	clusters []webm.Cluster
	elements writer
	nElement int
	err      *webm.Error
}

// streams is indexed by handle; a closed one is nil and its handle used again.
var streams []*stream

func open(kind int32) int32 {
	st := &stream{}
	switch kind {
	case kindSplit:
		st.splitter = webm.NewSplitter(webm.Options{})
	case kindElements:
		st.walker = webm.NewWalker(func(e webm.Element) {
			st.elements.next(st.nElement)
			st.elements.element(e)
			st.nElement++
		})
	default:
		return statusNoHandle
	}
	for h, used := range streams {
		if used == nil {
			streams[h] = st
			return int32(h)
		}
	}
	streams = append(streams, st)
	return int32(len(streams) - 1)
}

// get is the stream of a handle, or nil.
func get(handle int32) *stream {
	if uint(handle) >= uint(len(streams)) {
		return nil
	}
	return streams[handle]
}

func closeStream(handle int32) {
	if get(handle) != nil {
		streams[handle] = nil
	}
}

// push gives a stream its next bytes and returns how many answers wait.
func push(handle int32, chunk []byte) int32 {
	st := get(handle)
	if st == nil {
		return statusNoHandle
	}
	var err error
	if st.walker != nil {
		err = st.walker.Push(chunk)
	} else {
		err = st.splitter.Push(chunk)
	}
	st.collect(err)
	if st.err != nil {
		return statusError
	}
	return int32(len(st.headers) + len(st.clusters) + st.nElement)
}

// collect gathers what a push or the end of the stream has completed.
func (st *stream) collect(err error) {
	st.err, _ = err.(*webm.Error)
	if st.splitter == nil {
		return
	}
	for {
		h, ok := st.splitter.Header()
		if !ok {
			break
		}
		st.headers = append(st.headers, h)
	}
	st.clusters = append(st.clusters, st.splitter.Clusters()...)
}

// answer writes what a call answers, null where it has nothing to say.
func (st *stream) answer(w *writer, op operation) {
	switch {
	case op == opTakeHeader && len(st.headers) > 0:
		w.header(&st.headers[0])
		st.headers = st.headers[1:]
	case op == opTakeClusters && st.splitter != nil:
		w.put("[")
		for i := range st.clusters {
			c := &st.clusters[i]
			w.next(i)
			w.cluster(c, &st.splitter.Report().Recordings[c.Recording].Header)
		}
		w.put("]")
		st.clusters = st.clusters[:0]
	case op == opTakeElements:
		w.put("[")
		w.b = append(w.b, st.elements.b...)
		w.put("]")
		st.elements.b, st.nElement = st.elements.b[:0], 0
	case op == opReport && st.splitter != nil:
		report := st.splitter.Report()
		w.report(&report, st.err)
	case op == opFinish && st.splitter != nil:
		report, err := st.splitter.Finish()
		st.collect(err)
		w.report(&report, st.err)
	case op == opFinish:
		st.collect(st.walker.Finish())
		w.put("null")
	case op == opLastError:
		w.error(st.err)
	default:
		w.put("null")
	}
}
