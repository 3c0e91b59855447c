package main

// Which of the runtime's functions cannot run once a module has started. Go's linker
// keeps every function that another one calls, even where the call is never made: to
// start the program, or to trace, profile or debug it. Here is a list of such functions.
// What only they lead to is found, and cut with them.

import (
	"bytes"
	"encoding/binary"
	"strings"
)

// never lists functions of the runtime that are not called in a module that has
// started, each with the reason. A * stands for the rest of a name. Where the reason
// is that the module does not have a certain function, unless names it.
var never = []struct{ name, unless string }{
	// The start. The snapshot ran _initialize and dropped its export, and nothing returns
	// to these: rt0_go and mstart0 call the scheduler, which does not return, and a
	// library's main ends in pause, which unwinds it.
	{name: "runtime.rt0_go"},
	{name: "runtime.mstart0"},
	{name: "runtime.main"},
	{name: "runtime.doInit1"},

	// A second thread: on wasm there is none, and newosproc throws.
	{name: "runtime.newm"},

	// C functions: on wasm there is no cgo.
	{name: "runtime.cgocall"},

	// The execution tracer: trace.enabled is set in StartTrace alone. A traceLocker that
	// is ok comes from traceAcquireEnabled alone.
	{name: "runtime.traceAdvance*", unless: "runtime.StartTrace"},
	{name: "runtime.traceAcquireEnabled", unless: "runtime.StartTrace"},
	{name: "runtime.traceLocker.*", unless: "runtime.StartTrace"},

	// Profiles of goroutines, and of those that leak: the flags that lead here are set
	// for package runtime/pprof alone.
	{name: "runtime.tryRecordGoroutineProfile", unless: "runtime.goroutineProfileWithLabelsConcurrent"},
	{name: "runtime.findGoroutineLeaks", unless: "runtime/pprof.runtime_goroutineLeakGC"},

	// Settings of GODEBUG: checkfinalizers, gccheckmark, and schedtrace or scheddetail.
	// The environment has none when the snapshot is made, and is not read again.
	{name: "runtime.checkFinalizersAndCleanups*"},
	{name: "runtime.setCheckmark"},
	{name: "runtime.schedtrace*"},

	// Printing floats: GODEBUG=gcpacertrace does it, and print, which no package calls.
	// So does a panic with a float as its value, if nobody recovers it: that ends the
	// instance in any case.
	{name: "runtime.printfloat32"},
	{name: "runtime.printfloat64"},
	{name: "runtime.printcomplex64"},
	{name: "runtime.printcomplex128"},
}

// trap is a function's body: no locals, and the instruction unreachable.
var trap = []byte{0, opUnreachable, opEnd}

// cut has all functions trap that cannot run any more. Their types stay, and their
// places in the table.
func cut(m *module) {
	names := functionNames(m)
	alive := reachable(m, names, neverCalled(names))
	for i := range m.bodies {
		if !alive[m.imported+uint32(i)] {
			m.bodies[i] = trap
		}
	}
}

// functionNames are the names of functions, by index.
func functionNames(m *module) map[uint32]string {
	p := findPclntab(m.memory)
	names := map[uint32]string{}
	for _, f := range p.funcs() {
		name, _, _ := bytes.Cut(p.funcnametab[get32(f[funcName:]):], []byte{0})
		i, ok := m.functionAt(uint64(get32(f[funcEntry:])) << pcShift)
		if !ok {
			refuse("pclntab: %s is not in the table of functions", name)
		}
		names[i] = string(name)
	}
	return names
}

// neverCalled are the functions of the list.
func neverCalled(names map[uint32]string) map[uint32]bool {
	present := map[string]bool{}
	for _, name := range names {
		present[name] = true
	}
	listed := map[uint32]bool{}
	for _, f := range never {
		if f.unless != "" && present[f.unless] {
			refuse("the module has %s, with which %s can run: see wasm/link/cut.go", f.unless, f.name)
		}
		found := false
		prefix, isPrefix := strings.CutSuffix(f.name, "*")
		for i, name := range names {
			if name == f.name || isPrefix && strings.HasPrefix(name, prefix) {
				listed[i], found = true, true
			}
		}
		if !found {
			refuse("the module has no %s: see what became of it in this version of Go, and correct wasm/link/cut.go", f.name)
		}
	}
	return listed
}

// reachable are the functions that can run, but for those listed: exported ones, those
// that a program counter in memory leads to (of a goroutine that waits, of a function
// value, of an interface's method), all that the runtime may call by name, and those
// that any of these calls or takes the address of.
//
// The runtime finds a method by name when it asserts that a value has an interface.
// Neither the runtime nor the packages in internal/ do so for one that has a method
// which is not exported. Of all other packages everything is kept.
func reachable(m *module, names map[uint32]string, listed map[uint32]bool) map[uint32]bool {
	alive := map[uint32]bool{}
	var next []uint32
	add := func(i uint32) {
		if !alive[i] && !listed[i] {
			alive[i] = true
			next = append(next, i)
		}
	}
	addPC := func(pc uint64) {
		if i, ok := m.functionAt(pc); ok {
			add(i)
		}
	}
	for _, e := range m.exports {
		if e.kind == kindFunc {
			add(e.index)
		}
	}
	for at := 0; at+8 <= len(m.memory); at += 8 {
		addPC(binary.LittleEndian.Uint64(m.memory[at:]))
	}
	for i := range uint32(len(m.bodies)) {
		if name := names[m.imported+i]; !isRuntime(name) || isExportedMethod(name) {
			add(m.imported + i)
		}
	}
	for len(next) > 0 {
		i := next[len(next)-1]
		next = next[:len(next)-1]
		if i < m.imported {
			continue
		}
		r := &reader{"a function", m.bodies[i-m.imported]}
		skipLocals(r)
		for len(r.b) > 0 {
			switch op, operand := readInstruction(r); op {
			case opCall:
				add(uint32(operand))
			case opI32, opI64:
				addPC(uint64(operand))
			}
		}
	}
	return alive
}

func isRuntime(name string) bool {
	return strings.HasPrefix(name, "runtime.") || strings.HasPrefix(name, "internal/")
}

// isExportedMethod says whether a name is like internal/abi.(*Type).Size.
func isExportedMethod(name string) bool {
	parts := strings.Split(name[strings.LastIndexByte(name, '/')+1:], ".")
	last := parts[len(parts)-1]
	return len(parts) > 2 && last != "" && 'A' <= last[0] && last[0] <= 'Z'
}
