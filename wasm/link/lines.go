package main

// Go's pclntab: what the runtime knows of functions, from which it unwinds stacks,
// finds pointers in them, and prints traces. It is made by
// cmd/link/internal/ld/pcln.go, and read by runtime/symtab.go:
//
//	header      where the others are
//	funcnametab names of functions
//	cutab       for each package, which files it has
//	filetab     names of files
//	pctab       tables from program counters to values; offset 0 is "no table"
//	functab     for each function its address, and where its _func is
//	_func       name, and offsets of its tables in pctab and of its data in gofunc
//	gofunc      pointer maps, and what else there is for whole functions
//	findfunctab where in functab to look for an address
//
// Of this the runtime reads some only to print, and prints less, or ?, where there
// is none: files and lines, what was inlined where, and which arguments a function
// has. And some it does not read on wasm: where it is safe to preempt a function,
// as there are no signals to do it by.
//
// What was inlined is read for one more reason: recover counts the functions between
// it and the panic, but for wrappers, and what is inlined in a wrapper counts
// (runtime/panic.go: gorecover). So wrappers keep it. In all other functions the
// count is the same without, as none that calls recover is ever inlined
// (cmd/compile/internal/inline/inl.go), and one more is one too many.

import (
	"bytes"
	"encoding/binary"
	"maps"
	"slices"
	"strings"
)

// What is known of other versions of Go is nothing: see whether these files say the
// same before another is allowed.
const (
	knownGo      = "go1.26"
	pclntabMagic = 0xFFFFFFF1 // internal/abi/symtab.go: CurrentPCLnTabMagic
)

const (
	headerSize  = 72
	minLC       = 1 // bytes of the smallest instruction
	pointerSize = 8
)

// Offsets in a _func (runtime/runtime2.go).
const (
	funcEntry     = 0
	funcName      = 4
	funcPcsp      = 16
	funcPcfile    = 20
	funcPcln      = 24
	funcNpcdata   = 28
	funcCuOffset  = 32
	funcStartLine = 36
	funcID        = 40
	funcNfuncdata = 43
	funcSize      = 44 // then npcdata offsets in pctab, then nfuncdata offsets in gofunc
)

// internal/abi/symtab.go
const (
	funcIDWrapper = 23 // and the last

	pcdataUnsafePoint = 0
	pcdataInlTree     = 2
	maxPcdata         = 5 // PCDATA_PanicBounds is the last

	funcdataInlTree = 3
	funcdataArgInfo = 5
	maxFuncdata     = 8 // FUNCDATA_WrapInfo is the last
)

// What offsets are where there is nothing.
const (
	noName  = 0
	noTable = 0
	noData  = 0xFFFFFFFF
)

// An inlinedCall (runtime/symtabinl.go) begins with a function's ID and its name.
const (
	inlinedName = 4
	inlinedSize = 16
)

// dropLines takes out of the tables what is not needed, and moves what is left of
// each together.
func dropLines(m *module) {
	if m.compiler != knownGo && !strings.HasPrefix(m.compiler, knownGo+".") {
		refuse("%q built the module, and the link step knows the line tables of %s alone: build the module with GOTOOLCHAIN=%[2]s.8 or another release of %[2]s, as the Makefile does, or keep the tables with -lines", m.compiler, knownGo)
	}
	p := findPclntab(m.memory)
	var tables, data []field
	funcs := p.funcs()
	for _, f := range funcs {
		tables = append(tables, f.tables()...)
		data = append(data, f.data()...)
	}
	p.checkTables(tables)
	names := p.names(funcs, data)
	compact(p.funcnametab, names, noName, 1)
	compact(p.pctab, tables, noTable, 1)
	compact(p.gofunc, data, noData, pointerSize)
	for _, f := range funcs {
		clear(f[funcCuOffset:][:8]) // and startLine
	}
	clear(p.cutab)
	clear(p.filetab)
}

// A pclntab is where its parts are in memory.
type pclntab struct {
	funcnametab, cutab, filetab, pctab []byte
	gofunc                             []byte
	pclntable                          []byte // functab and all _funcs
	nfunc                              uint64
}

// findPclntab finds the header by its magic number, and all else twice: the header
// says it, and so does the runtime's moduledata.
func findPclntab(memory []byte) *pclntab {
	magic := binary.LittleEndian.AppendUint32(nil, pclntabMagic)
	header := find(memory, append(magic, 0, 0, minLC, pointerSize), "a header with the magic number 0xfffffff1")
	word := func(at uint64) uint64 {
		if at+8 > uint64(len(memory)) {
			refuse("pclntab: %d is outside of memory", at)
		}
		return binary.LittleEndian.Uint64(memory[at:])
	}
	p := &pclntab{nfunc: word(header + 8)}
	if word(header+24) != 0 || word(header+32) != headerSize {
		refuse("pclntab: the header is not of the known layout")
	}

	// moduledata begins with the header's address and then has slices.
	pointers := binary.LittleEndian.AppendUint64(nil, header)
	pointers = binary.LittleEndian.AppendUint64(pointers, header+headerSize)
	moduledata := find(memory, pointers, "the runtime's moduledata")
	end := header + headerSize
	slice := func(i int, size uint64, name string) []byte {
		field := moduledata + 8 + 24*uint64(i)
		start, length := word(field), word(field+8)
		if start != header+word(header+32+8*uint64(i)) || start < end || length != word(field+16) ||
			length > uint64(len(memory)) || start+size*length > uint64(len(memory)) {
			refuse("pclntab: %s is not where the header says, or not of the length that moduledata says", name)
		}
		end = start + size*length
		return memory[start:end:end]
	}
	p.funcnametab = slice(0, 1, "funcnametab")
	p.cutab = slice(1, 4, "cutab")
	p.filetab = slice(2, 1, "filetab")
	p.pctab = slice(3, 1, "pctab")
	p.pclntable = slice(4, 1, "functab")
	ftab := moduledata + 8 + 24*5
	if word(ftab) != word(ftab-24) || word(ftab+8) != p.nfunc+1 {
		refuse("pclntab: functab is not of the %d functions that the header says", p.nfunc)
	}
	gofunc, findfunctab, epclntab := word(moduledata+320), word(moduledata+152), word(moduledata+328)
	if gofunc < end || gofunc > findfunctab || findfunctab > epclntab || epclntab > uint64(len(memory)) {
		refuse("pclntab: gofunc is not where moduledata says, or not between functab and findfunctab")
	}
	p.gofunc = memory[gofunc:findfunctab]
	return p
}

// find finds the one place, at a multiple of 8, where memory has pattern.
func find(memory, pattern []byte, what string) uint64 {
	var found []int
	for i := 0; i+len(pattern) <= len(memory); i += 8 {
		if bytes.Equal(memory[i:][:len(pattern)], pattern) {
			found = append(found, i)
		}
	}
	if len(found) != 1 {
		refuse("pclntab: %s is in memory %d times; want once", what, len(found))
	}
	return uint64(found[0])
}

// A function is a _func with what follows it.
type function []byte

// funcs are all functions, each where the one before it ends.
func (p *pclntab) funcs() []function {
	if uint64(len(p.pclntable)) < 8*p.nfunc+4 {
		refuse("pclntab: functab is too short for %d functions", p.nfunc)
	}
	var funcs []function
	at := align(8*p.nfunc + 4)
	for i := range p.nfunc {
		entry, offset := get32(p.pclntable[8*i:]), get32(p.pclntable[8*i+4:])
		if uint64(offset) != at || at+funcSize > uint64(len(p.pclntable)) {
			refuse("pclntab: function %d is at %d; want %d", i, offset, at)
		}
		f := function(p.pclntable[at:])
		npcdata, nfuncdata := get32(f[funcNpcdata:]), f[funcNfuncdata]
		if get32(f[funcEntry:]) != entry || get32(f[funcName:]) >= uint32(len(p.funcnametab)) ||
			npcdata > maxPcdata || nfuncdata > maxFuncdata {
			refuse("pclntab: function %d is not of the known layout", i)
		}
		size := funcSize + 4*uint64(npcdata) + 4*uint64(nfuncdata)
		if size > uint64(len(f)) {
			refuse("pclntab: function %d is cut short", i)
		}
		funcs = append(funcs, f[:size])
		at = align(at + size)
	}
	return funcs
}

// A field is where in memory there is an offset of what begins in a table.
type field struct {
	memory []byte
	offset uint32
	kept   bool
}

func newField(memory []byte, kept bool) field { return field{memory, get32(memory), kept} }

// isWrapper says whether the compiler has made the function, to call another.
func (f function) isWrapper() bool { return f[funcID] == funcIDWrapper }

// tables are the function's in pctab.
func (f function) tables() []field {
	tables := []field{newField(f[funcPcsp:], true), newField(f[funcPcfile:], false), newField(f[funcPcln:], false)}
	for i := range get32(f[funcNpcdata:]) {
		kept := i != pcdataUnsafePoint && (i != pcdataInlTree || f.isWrapper())
		tables = append(tables, newField(f[funcSize+4*i:], kept))
	}
	return tables
}

// data are the function's in gofunc.
func (f function) data() []field {
	var data []field
	for i := range uint32(f[funcNfuncdata]) {
		kept := i != funcdataArgInfo && (i != funcdataInlTree || f.isWrapper())
		data = append(data, newField(f[funcSize+4*get32(f[funcNpcdata:])+4*i:], kept))
	}
	return data
}

// names are those of functions, which are kept, and of what was inlined in them.
func (p *pclntab) names(funcs []function, data []field) []field {
	var names []field
	order := starts(p.gofunc, data, noData)
	for _, f := range funcs {
		names = append(names, newField(f[funcName:], true))
		data := f.data()
		if len(data) <= funcdataInlTree || data[funcdataInlTree].offset == noData {
			continue
		}
		i, _ := slices.BinarySearch(order, data[funcdataInlTree].offset)
		for call := range slices.Chunk(p.gofunc[order[i]:order[i+1]], inlinedSize) {
			if len(call) < inlinedSize || call[0] > funcIDWrapper {
				refuse("pclntab: what is inlined in a function is not of the known layout")
			}
			names = append(names, newField(call[inlinedName:], f.isWrapper()))
		}
	}
	for _, start := range starts(p.funcnametab, names, noName) {
		if start > 0 && p.funcnametab[start-1] != 0 {
			refuse("pclntab: a name begins at %d, inside of another", start)
		}
	}
	return names
}

// checkTables refuses a pctab that has anything but the tables.
func (p *pclntab) checkTables(tables []field) {
	at := uint32(1)
	order := starts(p.pctab, tables, noTable)
	for _, start := range order[:len(order)-1] {
		if start != at {
			refuse("pclntab: pctab has a table at %d; want %d, where the one before it ends", start, at)
		}
		at += tableSize(p.pctab[start:])
	}
	if align(uint64(at)) != align(uint64(len(p.pctab))) {
		refuse("pclntab: tables end at %d of %d bytes of pctab", at, len(p.pctab))
	}
}

// starts are the offsets of the fields in order, each once, and then the end of the
// table.
func starts(table []byte, fields []field, none uint32) []uint32 {
	seen := map[uint32]bool{uint32(len(table)): true}
	for _, f := range fields {
		if f.offset == none {
			continue
		}
		if f.offset >= uint32(len(table)) {
			refuse("pclntab: a function's table is at %d, outside of %d bytes", f.offset, len(table))
		}
		seen[f.offset] = true
	}
	return slices.Sorted(maps.Keys(seen))
}

// compact takes out of a table what no field keeps, moves the rest together, and has
// the fields say so. Each part ends where the next begins, and is aligned as it was.
func compact(table []byte, fields []field, none uint32, alignment int) {
	kept := map[uint32]bool{}
	for _, f := range fields {
		kept[f.offset] = kept[f.offset] || f.kept
	}
	order := starts(table, fields, none)
	moved := map[uint32]uint32{none: none}
	rest := slices.Clone(table[:order[0]])
	for i, start := range order[:len(order)-1] {
		if !kept[start] {
			continue
		}
		for (len(rest)-int(start))%alignment != 0 {
			rest = append(rest, 0)
		}
		moved[start] = uint32(len(rest))
		rest = append(rest, table[start:order[i+1]]...)
	}
	clear(table)
	copy(table, rest)
	for _, f := range fields {
		offset := none
		if f.kept {
			offset = moved[f.offset]
		}
		put32(f.memory, offset)
	}
}

// tableSize is the length of a table: pairs of a difference of the value and one of
// the program counter, as base-128 numbers, until a difference of the value is zero
// that is not the first.
func tableSize(b []byte) uint32 {
	r := &reader{"pclntab: a table of pctab", b}
	for first := true; ; first = false {
		if r.u32() == 0 && !first {
			return uint32(len(b) - len(r.b))
		}
		r.u32()
	}
}

func align(n uint64) uint64 { return (n + 7) &^ 7 }

func get32(b []byte) uint32    { return binary.LittleEndian.Uint32(b) }
func put32(b []byte, v uint32) { binary.LittleEndian.PutUint32(b, v) }
