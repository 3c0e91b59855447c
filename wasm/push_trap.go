//go:build wasip1 && trap

package main

import (
	"strconv"
	"strings"
)

// A module for tests, which is made with -tags trap and never shipped: it traps in
// the midst of a recording, as a bug would have it, so that hosts can be seen to lose
// nothing.

// trapCalls is where a test writes, into the module's file, at which call an instance
// traps; 0 is none.
var trapCalls = "trap at call 00000000"

// trapFinish and trapFragments are where it writes 1 if every instance traps at finish, or at
// takeFragments.
var (
	trapFinish    = "trap at finish 0"
	trapFragments = "trap at fragments 0"
)

// Whatever the calls, it traps at these bytes.
const trapBytes = "trap at these bytes"

var calls int

// pushChunk is the real one, until it traps: nothing recovers its panic, and Go's
// runtime ends the instance.
//
//go:wasmexport pushChunk
func exportPushChunk(handle, n int32) int32 { return pushOrTrap(handle, n, false) }

//go:wasmexport continueChunk
func exportContinueChunk(handle, n int32) int32 { return pushOrTrap(handle, n, true) }

func pushOrTrap(handle, n int32, goesOn bool) int32 {
	collect(int(n))
	calls++
	at, err := strconv.Atoi(trapCalls[len("trap at call "):])
	if err != nil {
		panic("trapCalls has no number")
	}
	if calls == at || strings.Contains(string(input[:n]), trapBytes) {
		push(handle, input[:n/2], goesOn) // and is in the midst of it
		panic("told to trap")
	}
	return push(handle, input[:n], goesOn)
}

//go:wasmexport takeFragments
func exportTakeFragments(handle int32) int32 {
	return answerOrTrap(handle, opTakeFragments, trapFragments)
}

//go:wasmexport finish
func exportFinish(handle int32) int32 { return answerOrTrap(handle, opFinish, trapFinish) }

func answerOrTrap(handle int32, op operation, told string) int32 {
	if told[len(told)-1] == '1' {
		panic("told to trap")
	}
	return answer(handle, op)
}
