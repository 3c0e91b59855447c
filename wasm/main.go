//go:build !js

// Command wasm is webmend as a WebAssembly module, in two builds of one layer
// over package webm: a reactor for wasip1, which browsers, Node and wazero load,
// and a program for js, for pages that carry Go's wasm_exec.js already.
//
// A stream is known by a handle that open returns. Both builds export
//
//	open(kind, flags, maxHeaderSize, maxTracks, maxDepth, maxClusterSize) handle
//	                           kind 0 splits a stream, kind 1 lists its elements; flag 1: damage
//	                           is final, 2: rewind is called, 4: and all of the stream is there,
//	                           as that of a file; limits of 0 have their default
//	pushChunk(handle, …)       the next chunk, or the first bytes of it: how many answers wait, 1
//	                           more if the report has anything new, or a negative status
//	continueChunk(handle, …)   more bytes of that chunk: the same
//	lost(handle)               bytes are missing here: the same
//	skip(handle, offset)       the next bytes are at offset, and begin an element of a Segment or a
//	                           recording; those before it are neither told nor missing
//	rewind(handle)             asked after each of these and finish: the offset from which on the
//	                           stream must be pushed again, and finished again, or -1; with flag
//	                           4 it can be after what was pushed
//	needed(handle)             the offset from which on bytes can still be wanted
//	takeHeader(handle)         the next header, once, or null
//	takeClusters(handle)       the clusters completed since the last call, 1,000 at most: the
//	                           others are the answer of the next call
//	takeFragments(handle)      the same, with what there is of the open cluster
//	takeForms(handle)          where the final forms of those clusters are, for a store, likewise
//	takeElements(handle)       the elements come to since the last call
//	report(handle)             what is known so far
//	finish(handle)             ends the stream: the report
//	lastError(handle)          the error that ended it, or null
//	close(handle)              forgets the stream
//
// A plan is made of the streams that were split, and is a stream itself: what it
// must read is pushed into it.
//
//	plan(handle, kind, recording, flags, a, b) handle
//	                           kind 0: a seekable file; 1: a clip, from a to b seconds; 2: a join
//	                           point; 3: an initialization segment; 4: what a live player needs
//	                           from offset a on or, if that is -1, from b seconds on; 5: the head
//	                           of a file, in a bytes, for the clusters of a store.
//	                           flag 1: of a store, and of the stream for the open cluster, as
//	                           sources 0 and 1; 2: with frames that cannot be decoded
//	join(…, flags) handle      of all recordings of several handles, whose streams are its sources
//	takePlan(handle)           the pieces, or which ranges of the sources must be read first
//	takeLiterals(handle)       the bytes of those pieces that are not ranges, back to back
//	edit(handle, i) handle     for the bytes of piece i of a plan, or of clusters of recording i
//	takePatches(handle)        what they tell to change: offset, value, offset, value, …
//
// The reactor also exports
//
//	version()                  a number that is raised whenever any of this changes
//	reserve(n) address         where to write the n bytes that the next call takes
//	result() address           where the last answer is
//
// Answers are JSON, but for takeLiterals, with times in seconds and offsets in bytes, and
// null of a stream that is of another kind. The reactor returns their length in bytes, and
// where they are from result.
//
// In the reactor takeClusters, takeFragments, takeForms and takePatches answer in numbers
// instead: float64s, little-endian, with 0 and 1 for false and true, one thing after the
// other. takeForms has the recording before each form.
//
//	cluster: recordingIndex, start, end, timestamp (ticks), time, duration, sizeKnown, cut, fragment,
//	         beginsWithKeyFrame, blocks, keyframes, how many tracks, and of each its number,
//	         blocks and keyframes; form and fromZero
//	form:    start, end, edit, how many bytes head has, and 24 bytes that begin with head
//	patch:   offset, value
package main

func main() {}
