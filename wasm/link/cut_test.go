package main

import (
	"bytes"
	"encoding/binary"
	"maps"
	"slices"
	"testing"
)

func TestWhatCannotRunTrapsWithItsIndexAndTypeKept(t *testing.T) {
	before, after := parse(reactor(t)), parse(reactor(t))
	dropLines(after)
	snapshot(after)
	cut(after)
	if len(after.bodies) != len(before.bodies) || !slices.Equal(after.table, before.table) {
		t.Fatal("functions were moved")
	}
	for i := range before.sections {
		if s := before.sections[i]; s.id == sectionType || s.id == sectionFunction {
			if !bytes.Equal(s.body, after.sections[i].body) {
				t.Errorf("section %d is another", s.id)
			}
		}
	}

	names := functionNames(after)
	gone := map[string]bool{}
	for i, body := range after.bodies {
		name := names[after.imported+uint32(i)]
		switch {
		case bytes.Equal(body, trap):
			gone[name] = true
		case !bytes.Equal(body, before.bodies[i]):
			t.Errorf("%s is neither what it was nor a trap", name)
		}
	}
	t.Logf("%d of %d functions trap", len(gone), len(after.bodies))
	for name, want := range map[string]bool{
		"runtime.rt0_go":                 true, // listed
		"runtime.traceAdvance.func1":     true, // listed by its prefix
		"runtime.schedinit":              true, // of the start
		"internal/strconv.genericFtoa":   true, // to print floats
		"runtime.traceWriter.event":      true, // of the tracer
		"runtime.typelinksinit":          true,
		"main.init.0":                    false,
		"main.wait":                      false,
		"runtime.bgsweep":                false, // a goroutine waits in it
		"runtime.boundsError.Error":      false, // found by its name
		"runtime.mapaccess1_faststr":     false, // which the program calls
		"runtime.preprintpanics":         false,
		"runtime.traceback2":             false,
		"runtime.(*mheap).grow":          false,
		"runtime.gopanic":                false,
		"runtime.newstack":               false,
		"runtime.gcMarkTermination":      false,
		"internal/strconv.AppendUint":    true, // of floats, in this program
		"runtime.printquoted":            false,
		"runtime.(*mspan).reportZombies": false,
	} {
		if gone[name] != want {
			t.Errorf("%s traps: %v; want %v", name, gone[name], want)
		}
		if !slices.Contains(slices.Collect(maps.Values(names)), name) {
			t.Errorf("there is no %s", name)
		}
	}
}

// Functions 0 and 1 are imported, and the table has functions from 4096 on.
func TestAFunctionIsKeptThatAnythingLeadsTo(t *testing.T) {
	const tableAt = 4096
	pc := func(function, block uint64) uint64 { return (tableAt+function)<<pcShift | block }
	calls := func(function int) []byte { return concat(0, opCall, function, opEnd) }
	takes := func(op int, function uint64) []byte {
		return concat(0, op, appendS64(nil, int64(pc(function, 0))), opEnd)
	}
	idle := concat(0, opEnd)
	for _, test := range []struct {
		name   string
		bodies [][]byte // of functions 2, 3, …
		names  map[uint32]string
		memory uint64
		want   []uint32
	}{
		{"what an export calls", [][]byte{calls(3), calls(4), idle, idle}, nil, 0, []uint32{2, 3, 4}},
		{"what it imports", [][]byte{calls(1)}, nil, 0, []uint32{1, 2}},
		{"what calls itself", [][]byte{calls(2), calls(3)}, nil, 0, []uint32{2}},
		{"what an export has the address of", [][]byte{takes(opI64, 3), takes(opI32, 4), idle, idle}, nil, 0, []uint32{2, 3, 4}},
		{"a function value in memory", [][]byte{idle, idle, idle}, nil, pc(4, 0), []uint32{2, 4}},
		{"a goroutine that waits", [][]byte{idle, idle, calls(3)}, nil, pc(4, 7), []uint32{2, 3, 4}},
		{"an address past the table", [][]byte{idle, idle}, nil, pc(4, 0), []uint32{2}},
		{"an address before the table", [][]byte{idle, idle}, nil, pc(0, 0) - 1, []uint32{2}},
		{"an exported method", [][]byte{idle, idle}, map[uint32]string{3: "internal/abi.(*Type).Size"}, 0, []uint32{2, 3}},
		{"a method of a generic type", [][]byte{idle, idle}, map[uint32]string{3: "internal/runtime/atomic.(*Pointer[...]).Load"}, 0, []uint32{2, 3}},
		{"an exported function, which has no receiver", [][]byte{idle, idle}, map[uint32]string{3: "runtime.GC"}, 0, []uint32{2}},
		{"a method that is not exported", [][]byte{idle, idle}, map[uint32]string{3: "runtime.(*mspan).init"}, 0, []uint32{2}},
		{"a closure of an exported method", [][]byte{idle, idle}, map[uint32]string{3: "runtime.(*Func).Name.func1"}, 0, []uint32{2}},
		{"any function of another package", [][]byte{idle, idle}, map[uint32]string{3: "main.init"}, 0, []uint32{2, 3}},
		{"a function that has no name", [][]byte{idle, idle}, map[uint32]string{3: ""}, 0, []uint32{2, 3}},
		{"what is listed", [][]byte{calls(5), idle, idle, calls(4)}, map[uint32]string{5: "runtime.listed"}, pc(5, 1), []uint32{2}},
	} {
		t.Run(test.name, func(t *testing.T) {
			m := &module{imported: 2, bodies: test.bodies, tableAt: tableAt, exports: []export{{"f", kindFunc, 2}, {"memory", kindMem, 0}}}
			m.memory = binary.LittleEndian.AppendUint64(make([]byte, 8), test.memory)
			names, listed := map[uint32]string{}, map[uint32]bool{}
			for i := range m.imported + uint32(len(m.bodies)) {
				m.table = append(m.table, i)
				name, ok := test.names[i]
				if !ok {
					name = "runtime.some"
				}
				names[i] = name
				listed[i] = name == "runtime.listed"
			}
			if got := slices.Sorted(maps.Keys(reachable(m, names, listed))); !slices.Equal(got, test.want) {
				t.Errorf("functions %v can run; want %v", got, test.want)
			}
		})
	}
}

func TestARuntimeThatTheListIsNotTrueOfIsRefused(t *testing.T) {
	names := func() map[uint32]string {
		names := map[uint32]string{}
		for i, f := range never {
			name, _ := bytes.CutSuffix([]byte(f.name), []byte("*"))
			names[uint32(i)] = string(name)
		}
		return names
	}
	if listed := neverCalled(names()); len(listed) != len(never) {
		t.Errorf("%d functions are listed of %d", len(listed), len(never))
	}
	refused(t, "the module has runtime.StartTrace, with which runtime.traceAdvance* can run", func() {
		with := names()
		with[1000] = "runtime.StartTrace"
		neverCalled(with)
	})
	for i, f := range never {
		refused(t, "the module has no "+f.name, func() {
			without := names()
			without[uint32(i)] = "runtime.renamed"
			neverCalled(without)
		})
	}
}
