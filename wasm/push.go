//go:build wasip1 && !trap

package main

// pushChunk takes the first n bytes of what reserve gave.
//
//go:wasmexport pushChunk
func exportPushChunk(handle, n int32) (status int32) {
	defer recovered(&status)
	collect(int(n))
	return push(handle, input[:n], false)
}

// continueChunk is pushChunk for more bytes of the same chunk.
//
//go:wasmexport continueChunk
func exportContinueChunk(handle, n int32) (status int32) {
	defer recovered(&status)
	collect(int(n))
	return push(handle, input[:n], true)
}

//go:wasmexport takeFragments
func exportTakeFragments(handle int32) int32 { return answer(handle, opTakeFragments) }

//go:wasmexport finish
func exportFinish(handle int32) int32 { return answer(handle, opFinish) }
