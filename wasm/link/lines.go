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
//	_func       name, and offsets of its tables in pctab
//
// Of a function's tables two say files and lines. The runtime looks at them only
// to print, and prints ? where there is no table.

import (
	"bytes"
	"encoding/binary"
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
	funcNfuncdata = 43
	funcSize      = 44 // then npcdata offsets in pctab, then nfuncdata offsets elsewhere

	maxPcdata   = 5 // internal/abi/symtab.go: PCDATA_PanicBounds is the last
	maxFuncdata = 8 // FUNCDATA_WrapInfo is the last
)

// dropLines takes the tables of files and lines out of pctab, and moves what is
// left together.
func dropLines(m *module) {
	if m.compiler != knownGo && !strings.HasPrefix(m.compiler, knownGo+".") {
		refuse("the module is by %q, and line tables are known of %s: build with GOTOOLCHAIN=%[2]s.0 or later, or see wasm/link/lines.go", m.compiler, knownGo)
	}
	p := findPclntab(m.memory)
	funcs := p.funcs()
	tables := p.tables(funcs)

	moved := map[uint32]uint32{0: 0}
	kept := []byte{0}
	for _, t := range tables {
		if t.kept {
			moved[t.start] = uint32(len(kept))
			kept = append(kept, p.pctab[t.start:t.end]...)
		}
	}
	clear(p.pctab)
	copy(p.pctab, kept)
	for _, f := range funcs {
		for _, offset := range f.tables() {
			put32(offset, moved[get32(offset)])
		}
		clear(f[funcPcfile:][:8])   // and pcln
		clear(f[funcCuOffset:][:8]) // and startLine
	}
	clear(p.cutab)
	clear(p.filetab)
}

// A pclntab is where its parts are in memory.
type pclntab struct {
	funcnametab, cutab, filetab, pctab []byte
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

// tables are the function's offsets in pctab, but for those of files and lines.
func (f function) tables() [][]byte {
	offsets := [][]byte{f[funcPcsp:]}
	for i := range get32(f[funcNpcdata:]) {
		offsets = append(offsets, f[funcSize+4*i:])
	}
	return offsets
}

// A table is a part of pctab, kept if functions have it for more than lines: equal
// tables are there once.
type table struct {
	start, end uint32
	kept       bool
}

// tables are all tables of pctab, from its first byte to its last.
func (p *pclntab) tables(funcs []function) []table {
	kept := map[uint32]bool{}
	for _, f := range funcs {
		kept[get32(f[funcPcfile:])] = false
		kept[get32(f[funcPcln:])] = false
	}
	for _, f := range funcs {
		for _, offset := range f.tables() {
			kept[get32(offset)] = true
		}
	}
	delete(kept, 0)

	var tables []table
	for start, k := range kept {
		if start >= uint32(len(p.pctab)) {
			refuse("pclntab: a function's table is at %d, outside of pctab", start)
		}
		tables = append(tables, table{start, start + tableSize(p.pctab[start:]), k})
	}
	slices.SortFunc(tables, func(a, b table) int { return int(a.start) - int(b.start) })
	at := uint32(1)
	for _, t := range tables {
		if t.start != at {
			refuse("pclntab: pctab has a table at %d; want %d, where the one before it ends", t.start, at)
		}
		at = t.end
	}
	if align(uint64(at)) != align(uint64(len(p.pctab))) {
		refuse("pclntab: tables end at %d of %d bytes of pctab", at, len(p.pctab))
	}
	return tables
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
