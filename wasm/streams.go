package main

import (
	"github.com/webmend/webmend/webm"
)

// What a call returns when it has no answer.
const (
	statusError    = -1 // the stream is damaged or not WebM: lastError says how
	statusNoHandle = -2 // there is no such stream, or it is not of the kind that the call is for
	statusPanic    = -3 // a bug in this module
)

// The kinds of stream that open knows.
const (
	kindSplit    = 0
	kindElements = 1
)

// An operation is one of the calls that answer.
type operation int

const (
	opTakeHeader operation = iota
	opTakeClusters
	opTakeFragments
	opTakeForms
	opTakeElements
	opReport
	opFinish
	opLastError
	opTakePlan
	opTakeLiterals
	opTakePatches
)

// A stream is what a handle stands for: a splitter, a walker, a plan that may
// need bytes to be read, or an editor.
type stream struct {
	splitter *webm.Splitter
	forms    []int // how many of each recording's clusters have been told by takeForms
	reported int   // how many entries the report had when status told of them

	walker   *webm.Walker
	elements writer
	nElement int

	cutter *webm.Cutter
	plan   *webm.Plan
	next   int64        // of a live plan
	source []int        // of a join: which source of the host each of the plan's is
	edits  []*webm.Edit // of the plan's pieces, up to the last that has one, once they have been told

	editor  *webm.Editor
	patches []webm.Patch

	err *webm.Error
}

// streams is indexed by handle; a closed one is nil and its handle used again.
var streams []*stream

// Flags of open.
const (
	openStrict  = 1
	openRewinds = 2 // the host calls rewind
	openSeeks   = 4 // and has all of the stream
)

// open begins a stream. Limits that are 0 have their default; maxDepth is for kindElements, the
// others are for kindSplit.
func open(kind, flags int32, maxHeaderSize float64, maxTracks, maxDepth int32, maxClusterSize float64) int32 {
	st := &stream{}
	switch kind {
	case kindSplit:
		st.splitter = webm.NewSplitter(webm.Options{
			MaxHeaderSize:  bytes(maxHeaderSize),
			MaxTracks:      int(max(0, maxTracks)),
			MaxClusterSize: bytes(maxClusterSize),
			Strict:         flags&openStrict != 0,
			Rewinds:        flags&openRewinds != 0,
			Seeks:          flags&openSeeks != 0,
		})
	case kindElements:
		st.walker = webm.NewWalker(int(max(0, maxDepth)), func(e webm.Element) {
			st.elements.next(st.nElement)
			st.elements.element(e)
			st.nElement++
		})
	default:
		return statusNoHandle
	}
	return add(st)
}

// bytes is a number of bytes that a host gives, from 0 on.
func bytes(n float64) int64 {
	const most = 1 << 53
	if !(n > 0) { // NaN too
		return 0
	}
	return int64(min(n, most))
}

//go:noinline
func add(st *stream) int32 {
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
//
//go:noinline
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

// push gives a stream its next bytes, which may go on with the chunk before, and returns
// how many answers wait.
func push(handle int32, chunk []byte, goesOn bool) int32 {
	st := get(handle)
	if st == nil {
		return statusNoHandle
	}
	var err error
	switch {
	case st.splitter != nil && goesOn:
		err = st.splitter.Continue(chunk)
	case st.splitter != nil:
		err = st.splitter.Push(chunk)
	case st.walker != nil:
		err = st.walker.Push(chunk)
	case st.cutter != nil:
		err = st.cutter.Push(chunk)
	case st.editor != nil:
		var patches []webm.Patch
		patches, err = st.editor.Push(chunk)
		st.patches = append(st.patches, patches...)
	default:
		return statusNoHandle
	}
	return st.status(err)
}

// status is how many answers wait after a push: not 0 if the report has anything new,
// too.
func (st *stream) status(err error) int32 {
	st.collect(err)
	if st.err != nil {
		return statusError
	}
	n := st.nElement + len(st.patches)
	if st.splitter != nil {
		headers, clusters := st.splitter.Waiting()
		n += headers + clusters
		r := st.splitter.Report()
		entries := len(r.Other) + len(r.Dropped) + len(r.Gaps) + len(r.Undecodable)
		if entries != st.reported {
			st.reported = entries
			n++
		}
	}
	return int32(n)
}

// lost says that bytes are missing here, and returns what push does.
func lost(handle int32) int32 {
	st := get(handle)
	if st == nil || st.splitter == nil {
		return statusNoHandle
	}
	return st.status(st.splitter.Lost())
}

// skip makes a stream go on at an offset.
func skip(handle int32, offset float64) int32 {
	st := get(handle)
	switch {
	case st != nil && st.splitter != nil:
		st.splitter.Skip(bytes(offset))
	case st != nil && st.walker != nil:
		st.walker.Skip(bytes(offset))
	default:
		return statusNoHandle
	}
	return 0
}

// rewind is the offset from which on the stream must be pushed again, or -1.
func rewind(handle int32) float64 {
	if st := get(handle); st != nil && st.splitter != nil {
		if offset, ok := st.splitter.Rewind(); ok {
			return float64(offset)
		}
	}
	return -1
}

// needed is the offset from which on bytes can still be wanted.
func needed(handle int32) float64 {
	if st := get(handle); st != nil && st.splitter != nil {
		return float64(st.splitter.Needed())
	}
	return 0
}

// collect gathers what a push or the end of the stream has completed.
func (st *stream) collect(err error) {
	st.err, _ = err.(*webm.Error)
}

// answer writes what a call answers, null where it has nothing to say.
func (st *stream) answer(w *writer, op operation) {
	switch {
	case op == opLastError:
		w.error(st.err)
	case st.splitter != nil:
		st.answerSplit(w, op)
	case st.walker != nil && op == opTakeElements:
		w.put("[")
		w.b = append(w.b, st.elements.b...)
		w.put("]")
		st.elements.b, st.nElement = st.elements.b[:0], 0
	case st.walker != nil && op == opFinish:
		st.collect(st.walker.Finish())
		w.put("null")
	case st.editor != nil && op == opTakePatches:
		w.patches(st.patches)
		st.patches = st.patches[:0]
	case op == opTakePlan:
		st.answerPlan(w)
	case op == opTakeLiterals && st.plan != nil:
		st.plan.Pieces()(func(piece webm.Piece) bool {
			w.b = append(w.b, piece.Data...)
			return true
		})
	default:
		w.put("null")
	}
}

func (st *stream) answerSplit(w *writer, op operation) {
	switch op {
	case opTakeHeader:
		if h, ok := st.splitter.TakeHeader(); ok {
			w.header(&h)
		} else {
			w.put("null")
		}
	case opTakeClusters:
		w.clusters(st.splitter.TakeClusters(), st.splitter.Report().Recordings)
	case opTakeFragments:
		w.clusters(st.splitter.TakeFragments(), st.splitter.Report().Recordings)
	case opTakeForms:
		w.forms(st)
	case opReport:
		report := st.splitter.Report()
		w.report(&report, st.err)
	case opFinish:
		report, err := st.splitter.Finish()
		st.collect(err)
		w.report(&report, st.err)
	default:
		w.put("null")
	}
}

// maxAnswer is how many clusters, or forms, an answer has at most. The others wait.
const maxAnswer = 1000

// newForms visits the final forms of clusters that it has not visited yet.
func (st *stream) newForms(visit func(recording int, head []byte, data webm.Range, edit *webm.Edit)) {
	n := 0
	for i := range st.splitter.Report().Recordings {
		if i == len(st.forms) {
			st.forms = append(st.forms, 0)
		}
		ix := st.splitter.Index(i)
		for ; st.forms[i] < ix.NumClusters() && n < maxAnswer; n++ {
			head, data, edit := ix.Form(st.forms[i])
			visit(i, head, data, edit)
			st.forms[i]++
		}
	}
}
