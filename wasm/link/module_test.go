package main

import (
	"bytes"
	"maps"
	"slices"
	"strings"
	"testing"
)

// small is a module of the shape that Go's linker writes, by section. Its
// _initialize grows memory by a page, writes 7 to its end, changes both globals and
// asks for random bytes.
func small() map[byte][]byte {
	start := concat(0,
		0x41, 1, 0x40, 0, 0x1A, // memory.grow 1, dropped
		0x41, "\x80\x80\x08", 0x41, 7, 0x3A, 0, "\xFF\xFF\x03", // i32.store8 131072+65535 7: the last byte of three pages
		0x41, 0x7F, 0x24, 0, // global 0 = -1
		0x42, 42, 0x24, 1, // global 1 = 42
		0x41, 8, 0x41, 3, 0x10, 0, 0x1A, // random_get(8, 3), dropped
		0x0B)
	return map[byte][]byte{
		sectionCustom:   concat(9, "producers", 1, 8, "language", 1, 2, "Go", 8, "go1.26.8"),
		sectionType:     concat(2, 0x60, 2, typeI32, typeI32, 1, typeI32, 0x60, 0, 0),
		sectionImport:   concat(1, len(wasi), wasi, 10, "random_get", 0, 0),
		sectionFunction: concat(1, 1),
		sectionTable:    concat(1, funcRef, 0, 4),
		sectionMemory:   concat(1, 0, 2),
		sectionGlobal:   concat(2, typeI32, 1, opI32, 0, opEnd, typeI64, 1, opI64, 0, opEnd),
		sectionExport:   concat(2, 11, "_initialize", 0, 1, 6, "memory", 2, 0),
		sectionElement:  concat(1, 0, opI32, 0, opEnd, 1, 1),
		sectionCode:     concat(1, len(start), start),
		sectionData:     concat(2, 0, opI32, 16, opEnd, 2, "hi", 0, opI32, 60, opEnd, 5, "there"),
	}
}

func assemble(sections map[byte][]byte) []byte {
	b := []byte(magic)
	for _, id := range slices.Sorted(maps.Keys(sections)) {
		b = append(b, id)
		b = append(appendU32(b, uint32(len(sections[id]))), sections[id]...)
	}
	return b
}

// body is a code section of one function.
func body(instructions string) []byte {
	code := concat(0, instructions, opEnd)
	return concat(1, len(code), code)
}

func TestAModuleWithAnythingUnknownInItIsRefused(t *testing.T) {
	for _, test := range []struct {
		name string
		id   byte
		with []byte
		want string
	}{
		{"a global of type f64", sectionGlobal, concat(1, 0x7C, 1, 0x44, "\x00\x00\x00\x00\x00\x00\x00\x00", opEnd), "global 0 is of type 0x7c"},
		{"a global that refers to a function", sectionGlobal, concat(1, funcRef, 1, 0xD0, funcRef, opEnd), "global 0 is of type 0x70"},
		{"a global that is constant", sectionGlobal, concat(1, typeI32, 0, opI32, 0, opEnd), "global 0 is not mutable"},
		{"a global that begins as another", sectionGlobal, concat(1, typeI32, 1, 0x23, 0, opEnd), "global 0 begins as what instruction 0x23 gives"},
		{"a global that begins as a sum", sectionGlobal, concat(1, typeI32, 1, opI32, 1, opI32, 1, 0x6A, opEnd), "more than a constant"},
		{"an import of another function", sectionImport, concat(1, len(wasi), wasi, 7, "fd_read", 0, 0), "the import wasi_snapshot_preview1.fd_read"},
		{"an import from elsewhere", sectionImport, concat(1, 3, "env", 10, "random_get", 0, 0), "the import env.random_get"},
		{"an imported memory", sectionImport, concat(1, len(wasi), wasi, 10, "random_get", 2, 0, 1), "of kind 2"},
		{"two tables", sectionTable, concat(2, funcRef, 0, 4, funcRef, 0, 4), "there are 2 tables"},
		{"a table with a maximum", sectionTable, concat(1, funcRef, 1, 4, 4), "limits of kind 1"},
		{"two memories", sectionMemory, concat(2, 0, 2, 0, 2), "there are 2 memories"},
		{"a shared memory", sectionMemory, concat(1, 3, 2, 4), "limits of kind 3"},
		{"a memory of 4 GiB", sectionMemory, concat(1, 0, appendU32(nil, 1<<16)), "the memory has 65536 pages"},
		{"an exported global", sectionExport, concat(1, 1, "g", 3, 0), `the export "g" is of kind 3`},
		{"an exported table", sectionExport, concat(1, 1, "t", 1, 0), `the export "t" is of kind 1`},
		{"no _initialize", sectionExport, concat(1, 6, "memory", 2, 0), "there is no export _initialize"},
		{"a start section", sectionStart, concat(1), "there is a start section"},
		{"a passive element segment", sectionElement, concat(1, 1, 0, 1, 1), "the element segment is of kind 1"},
		{"two element segments", sectionElement, concat(2, 0, opI32, 0, opEnd, 0, 0, opI32, 0, opEnd, 0), "there are 2 element segments"},
		{"a passive data segment", sectionData, concat(1, 1, 2, "hi"), "data segment 0 is of kind 1"},
		{"a data segment of another memory", sectionData, concat(1, 2, 1, opI32, 0, opEnd, 2, "hi"), "data segment 0 is of kind 2"},
		{"a data segment where a global says", sectionData, concat(1, 0, 0x23, 0, opEnd, 2, "hi"), "data segment 0 is at what instruction 0x23 gives"},
		{"a data segment outside of memory", sectionData, concat(1, 0, opI32, "\xFF\xFF\x07", opEnd, 2, "hi"), "data segment 0 is outside of memory"},
		{"a data segment cut short", sectionData, concat(1, 0, opI32, 0, opEnd, 3, "hi"), "the data section is cut short"},
		{"more than its data segments", sectionData, concat(1, 0, opI32, 0, opEnd, 2, "hi", 0), "1 bytes too many"},
		{"a count of data segments", 12, concat(2), "section 12 is not known"},
		{"tags", 13, concat(0), "section 13 is not known"},
		{"another custom section", sectionCustom, concat(7, "linking"), `the custom section "linking" is not known`},
		{"table.set", sectionCode, body("\x41\x00\x41\x00\x26\x00"), "the instruction 0x26"},
		{"table.copy", sectionCode, body("\x41\x00\x41\x00\x41\x00\xFC\x0E\x00\x00"), "the instruction 0xfc 14"},
		{"memory.init", sectionCode, body("\x41\x00\x41\x00\x41\x00\xFC\x08\x00\x00"), "the instruction 0xfc 8"},
		{"a vector instruction", sectionCode, body("\xFD\x00\x00\x00"), "the instruction 0xfd"},
		{"a trap in _initialize", sectionCode, body("\x00"), "_initialize: wasm error: unreachable"},
		{"what an engine does not take", sectionCode, body("\x6A"), "invalid function[0]"},
		{"an _initialize that waits", sectionImport, concat(1, len(wasi), wasi, 11, "poll_oneoff", 0, 0), "_initialize calls poll_oneoff"},
		{"a pclntab of another magic number", sectionData, concat(1, 0, opI32, 16, opEnd, 8, "\xF0\xFF\xFF\xFF\x00\x00\x01\x08"), "magic number 0xfffffff1 is in memory 0 times"},
		{"another version of Go", sectionCustom, concat(9, "producers", 1, 8, "language", 1, 2, "Go", 6, "go1.27"), `"go1.27" built the module`},
		{"a version of Go that begins like the known one", sectionCustom, concat(9, "producers", 1, 8, "language", 1, 2, "Go", 7, "go1.260"), `"go1.260" built the module`},
	} {
		t.Run(test.name, func(t *testing.T) {
			sections := small()
			sections[test.id] = test.with
			lines := !strings.Contains(test.name, "pclntab") && !strings.Contains(test.name, "version")
			_, _, err := link(assemble(sections), lines)
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v; want %q", err, test.want)
			}
		})
	}
}

func TestBytesThatAreNoModuleAreRefused(t *testing.T) {
	whole := assemble(small())
	for n := range whole {
		if _, _, err := link(whole[:n], true); err == nil {
			t.Errorf("%d bytes of %d were linked", n, len(whole))
		}
	}
	twice := append(slices.Clone(whole), 0)
	if _, _, err := link(twice, true); err == nil {
		t.Error("a byte too many was linked")
	}
	refused(t, "there are two sections 11", func() {
		data := small()[sectionData]
		parse(slices.Concat(whole, []byte{sectionData, byte(len(data))}, data))
	})
}

func TestASnapshotIsWhatInitializeLeft(t *testing.T) {
	linked, _, err := link(assemble(small()), true)
	if err != nil {
		t.Fatal(err)
	}
	want := small()
	want[sectionMemory] = concat(1, 0, 3)
	want[sectionGlobal] = concat(2, typeI32, 1, opI32, 0x7F, opEnd, typeI64, 1, opI64, 42, opEnd)
	want[sectionExport] = concat(1, 6, "memory", 2, 0)
	want[sectionData] = concat(2,
		0, opI32, 8, opEnd, 57, "\x01\x02\x03", make([]byte, 5), "hi", make([]byte, 42), "there",
		0, opI32, "\xFF\xFF\x0B", opEnd, 1, 7)
	if !bytes.Equal(linked, assemble(want)) {
		t.Errorf("got\n%x\nwant\n%x", linked, assemble(want))
	}
}
