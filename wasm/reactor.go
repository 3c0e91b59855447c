//go:build wasip1

package main

import (
	"runtime"
	"unsafe"
)

// maxReserve is the most bytes that one pushChunk takes. Hosts push what is
// larger in pieces; 64 KiB is as fast as any.
const maxReserve = 1 << 20

// What the host writes to and reads from. It is kept here so that the collector
// leaves it where the host has its address.
var (
	input  = make([]byte, 64<<10) // as much as hosts ask for
	output writer
)

// A first stream has the heap made ready for all. That is done here, to be in the
// snapshot of the link step, and not by each page's first call.
func init() {
	handle := open(kindSplit, 0, 0, 0, 0, 0)
	push(handle, input[:1], false)
	closeStream(handle)
}

// version is that of the calls between hosts and the module, to be raised whenever one of
// them changes: js/src/engine/module.ts has the same number, and takes no other module.
const version = 1

//go:wasmexport version
func exportVersion() int32 { return version }

// reserve returns the address of n bytes to write a chunk to, valid until the
// next reserve, or 0 if n is not from 1 to 1 MiB.
//
//go:wasmexport reserve
func exportReserve(n int32) uint32 {
	if n < 1 || n > maxReserve {
		return 0
	}
	if int(n) > len(input) {
		input = make([]byte, n)
	}
	return address(input)
}

// result returns the address of the last answer, valid until the next call.
//
//go:wasmexport result
func exportResult() uint32 {
	if len(output.words) > 0 {
		return address(output.words)
	}
	return address(output.b)
}

func address[T any](s []T) uint32 { return uint32(uintptr(unsafe.Pointer(unsafe.SliceData(s)))) }

//go:wasmexport open
func exportOpen(kind, flags int32, maxHeaderSize float64, maxTracks, maxDepth int32, maxClusterSize float64) (status int32) {
	defer recovered(&status)
	allocated(8 << 10)
	return open(kind, flags, maxHeaderSize, maxTracks, maxDepth, maxClusterSize)
}

//go:wasmexport lost
func exportLost(handle int32) (status int32) {
	defer recovered(&status)
	return lost(handle)
}

//go:wasmexport skip
func exportSkip(handle int32, offset float64) (status int32) {
	defer recovered(&status)
	return skip(handle, offset)
}

//go:wasmexport rewind
func exportRewind(handle int32) float64 { return rewind(handle) }

//go:wasmexport needed
func exportNeeded(handle int32) float64 { return needed(handle) }

//go:wasmexport takeHeader
func exportTakeHeader(handle int32) int32 { return answer(handle, opTakeHeader) }

//go:wasmexport takeClusters
func exportTakeClusters(handle int32) int32 { return answer(handle, opTakeClusters) }

//go:wasmexport takeForms
func exportTakeForms(handle int32) int32 { return answer(handle, opTakeForms) }

//go:wasmexport takePlan
func exportTakePlan(handle int32) int32 { return answer(handle, opTakePlan) }

//go:wasmexport takeLiterals
func exportTakeLiterals(handle int32) int32 { return answer(handle, opTakeLiterals) }

//go:wasmexport takePatches
func exportTakePatches(handle int32) int32 { return answer(handle, opTakePatches) }

//go:wasmexport plan
func exportPlan(handle, kind, recording, flags int32, a, b float64) (status int32) {
	defer recovered(&status)
	allocated(8 << 10)
	return plan(handle, kind, recording, flags, a, b)
}

// join takes n handles, of 4 bytes each and little-endian, from what reserve gave.
//
//go:wasmexport join
func exportJoin(n, flags int32) (status int32) {
	defer recovered(&status)
	handles := make([]int32, n)
	for i := range handles {
		h := input[4*i : 4*i+4]
		handles[i] = int32(h[0]) | int32(h[1])<<8 | int32(h[2])<<16 | int32(h[3])<<24
	}
	return join(handles, flags)
}

//go:wasmexport edit
func exportEdit(handle, i int32) (status int32) {
	defer recovered(&status)
	return edit(handle, i)
}

//go:wasmexport takeElements
func exportTakeElements(handle int32) int32 { return answer(handle, opTakeElements) }

//go:wasmexport report
func exportReport(handle int32) int32 { return answer(handle, opReport) }

//go:wasmexport lastError
func exportLastError(handle int32) int32 { return answer(handle, opLastError) }

//go:wasmexport close
func exportClose(handle int32) (status int32) {
	defer recovered(&status)
	closeStream(handle)
	return 0
}

// answer leaves an answer for result and returns its length.
//
//go:noinline
func answer(handle int32, op operation) (status int32) {
	defer recovered(&status)
	st := get(handle)
	if st == nil {
		return statusNoHandle
	}
	output.b, output.words = output.b[:0], output.words[:0]
	st.answer(&output, op)
	n := len(output.b) + 8*len(output.words)
	allocated(n) // an answer is about as long as what it is made of
	return int32(n)
}

// garbage is about how many bytes were allocated since the collector ran.
var garbage int

// allocated counts what a call allocates. Left alone the collector waits for
// 4 MiB, and a module's memory never becomes smaller again.
//
//go:noinline
func allocated(n int) {
	const patience = 128 << 10
	garbage += n
	if garbage > patience {
		garbage = 0
		runtime.GC()
	}
}

// waiting is how many bytes were pushed since the collector had its turn.
var waiting int

// collect gives the collector its turn, after a call that was given n bytes. No call waits for
// anything, so that a collection that one has begun would never end otherwise, and nothing
// would be free again.
//
//go:noinline
func collect(n int) {
	waiting += n
	if waiting >= len(input) {
		waiting = 0
		runtime.Gosched()
	}
}

// recovered turns a panic into a status: an instance that traps would take all
// of its streams with it.
func recovered(status *int32) {
	if recover() != nil {
		*status = statusPanic
	}
}
