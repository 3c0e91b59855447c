//go:build js

package main

import "syscall/js"

// main gives the page an object webmend with the module's functions and waits
// for their calls, as long as the page lives.
func main() {
	object := js.Global().Get("Object").New()
	export := func(name string, f func(handle int32, args []js.Value) any) {
		object.Set(name, js.FuncOf(func(_ js.Value, args []js.Value) (result any) {
			defer func() {
				if recover() != nil {
					result = statusPanic
				}
			}()
			return f(int32(args[0].Int()), args[1:])
		}))
	}
	answer := func(name string, op operation) {
		export(name, func(handle int32, _ []js.Value) any {
			st := get(handle)
			if st == nil {
				return statusNoHandle
			}
			var w writer
			st.answer(&w, op)
			return js.Global().Get("JSON").Call("parse", string(w.b))
		})
	}
	export("open", func(kind int32, args []js.Value) any {
		var given [5]float64 // what is left out is 0
		for i := range min(len(args), len(given)) {
			given[i] = args[i].Float()
		}
		return open(kind, int32(given[0]), given[1], int32(given[2]), int32(given[3]), given[4])
	})
	export("lost", func(handle int32, _ []js.Value) any { return lost(handle) })
	export("skip", func(handle int32, args []js.Value) any { return skip(handle, args[0].Float()) })
	export("rewind", func(handle int32, _ []js.Value) any { return rewind(handle) })
	export("needed", func(handle int32, _ []js.Value) any { return needed(handle) })
	export("pushChunk", func(handle int32, args []js.Value) any { return pushBytes(handle, args[0], false) })
	export("continueChunk", func(handle int32, args []js.Value) any { return pushBytes(handle, args[0], true) })
	answer("takeHeader", opTakeHeader)
	answer("takeClusters", opTakeClusters)
	answer("takeFragments", opTakeFragments)
	answer("takeForms", opTakeForms)
	answer("takeElements", opTakeElements)
	answer("report", opReport)
	answer("finish", opFinish)
	answer("lastError", opLastError)
	answer("takePlan", opTakePlan)
	answer("takePatches", opTakePatches)
	export("takeLiterals", takeLiterals)
	export("plan", func(handle int32, args []js.Value) any {
		return plan(handle, int32(args[0].Int()), int32(args[1].Int()), int32(args[2].Int()), args[3].Float(), args[4].Float())
	})
	export("join", func(flags int32, args []js.Value) any {
		var handles []int32
		for _, h := range args {
			handles = append(handles, int32(h.Int()))
		}
		return join(handles, flags)
	})
	export("edit", func(handle int32, args []js.Value) any { return edit(handle, int32(args[0].Int())) })
	export("close", func(handle int32, _ []js.Value) any {
		closeStream(handle)
		return 0
	})
	js.Global().Set("webmend", object)
	select {}
}

// input is where pushed bytes are copied to, to be looked at.
var input []byte

// pushBytes takes a Uint8Array.
func pushBytes(handle int32, bytes js.Value, goesOn bool) any {
	n := bytes.Get("byteLength").Int()
	if n > len(input) {
		input = make([]byte, n)
	}
	js.CopyBytesToGo(input[:n], bytes)
	return push(handle, input[:n], goesOn)
}

// takeLiterals gives a Uint8Array.
func takeLiterals(handle int32, _ []js.Value) any {
	st := get(handle)
	if st == nil {
		return statusNoHandle
	}
	var w writer
	st.answer(&w, opTakeLiterals)
	array := js.Global().Get("Uint8Array").New(len(w.b))
	js.CopyBytesToJS(array, w.b)
	return array
}
