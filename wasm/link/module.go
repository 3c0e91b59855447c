package main

// A module of the one shape that Go's linker writes
// (cmd/link/internal/wasm/asm.go). What the steps change is taken apart; all else
// is looked at, so that nothing unknown gets by, and copied.

import (
	"slices"
)

// Sections, in the order of WebAssembly Core Specification §5.5.2.
const (
	sectionCustom   = 0
	sectionType     = 1
	sectionImport   = 2
	sectionFunction = 3
	sectionTable    = 4
	sectionMemory   = 5
	sectionGlobal   = 6
	sectionExport   = 7
	sectionStart    = 8
	sectionElement  = 9
	sectionCode     = 10
	sectionData     = 11
)

const (
	opUnreachable = 0x00
	magic         = "\x00asm\x01\x00\x00\x00"
	typeI32       = 0x7F
	typeI64       = 0x7E
	funcRef       = 0x70
	opEnd         = 0x0B
	opCall        = 0x10
	opI32         = 0x41 // i32.const
	opI64         = 0x42 // i64.const
	kindFunc      = 0
	kindMem       = 2
	kindGlobal    = 3
	pageSize      = 64 << 10
	wasi          = "wasi_snapshot_preview1"
	startName     = "_initialize"
)

// imports are what Go's runtime asks of a host.
var imports = []string{
	"args_get", "args_sizes_get", "clock_time_get", "environ_get", "environ_sizes_get",
	"fd_write", "poll_oneoff", "proc_exit", "random_get", "sched_yield",
}

type module struct {
	sections []section
	memory   []byte // all of it at the start, data segments and zeros
	globals  []global
	exports  []export
	imported uint32   // functions, which come first
	bodies   [][]byte // of the other functions: locals and code
	tableAt  uint32   // where in the table there are functions
	table    []uint32 // which these are
	compiler string   // such as go1.26.8
}

type section struct {
	id   byte
	body []byte // stale where module has a field for it
}

type global struct {
	kind  byte // typeI32 or typeI64; all are mutable
	value int64
}

type export struct {
	name  string
	kind  byte
	index uint32
}

func parse(data []byte) *module {
	m := &module{}
	r := &reader{"the module", data}
	if len(data) < len(magic) || string(r.bytes(uint64(len(magic)))) != magic {
		refuse("this is not a WebAssembly module of version 1")
	}
	seen := map[byte]bool{}
	for len(r.b) > 0 {
		s := section{id: r.byte()}
		s.body = r.bytes(uint64(r.u32()))
		if s.id != sectionCustom && seen[s.id] {
			refuse("there are two sections %d", s.id)
		}
		seen[s.id] = true
		m.sections = append(m.sections, s)
		m.read(s)
	}
	for id := byte(sectionType); id <= sectionData; id++ {
		if !seen[id] && id != sectionStart {
			refuse("there is no section %d", id)
		}
	}
	return m
}

func (m *module) read(s section) {
	switch s.id {
	case sectionCustom:
		m.readCustom(&reader{"a custom section", s.body})
	case sectionType, sectionFunction: // nothing in them can go wrong that an engine does not see
	case sectionImport:
		m.readImports(&reader{"the import section", s.body})
	case sectionTable:
		readTable(&reader{"the table section", s.body})
	case sectionMemory:
		m.readMemory(&reader{"the memory section", s.body})
	case sectionGlobal:
		m.readGlobals(&reader{"the global section", s.body})
	case sectionExport:
		m.readExports(&reader{"the export section", s.body})
	case sectionStart:
		refuse("there is a start section: a snapshot would run it twice")
	case sectionElement:
		m.readElements(&reader{"the element section", s.body})
	case sectionCode:
		m.readCode(&reader{"the code section", s.body})
	case sectionData:
		m.readData(&reader{"the data section", s.body})
	default:
		refuse("section %d is not known", s.id)
	}
}

func (m *module) readCustom(r *reader) {
	switch name := r.name(); name {
	case "go:buildid", "name":
	case "producers":
		for range r.u32() {
			field := r.name()
			for range r.u32() {
				value, version := r.name(), r.name()
				if field == "language" && value == "Go" {
					m.compiler = version
				}
			}
		}
		r.end()
	default:
		refuse("the custom section %q is not known", name)
	}
}

func (m *module) readImports(r *reader) {
	m.imported = r.u32()
	for range m.imported {
		from, name, kind := r.name(), r.name(), r.byte()
		if from != wasi || !slices.Contains(imports, name) || kind != kindFunc {
			refuse("the import %s.%s of kind %d is not one that Go's runtime needs", from, name, kind)
		}
		r.u32() // its type
	}
	r.end()
}

func readTable(r *reader) {
	if n := r.u32(); n != 1 {
		refuse("there are %d tables; want one", n)
	}
	if kind, limits := r.byte(), r.byte(); kind != funcRef || limits != 0 {
		refuse("the table is of type %#x with limits of kind %d; want functions and no maximum", kind, limits)
	}
	r.u32() // its size
	r.end()
}

func (m *module) readMemory(r *reader) {
	if n := r.u32(); n != 1 {
		refuse("there are %d memories; want one", n)
	}
	if limits := r.byte(); limits != 0 {
		refuse("the memory has limits of kind %d; want no maximum", limits)
	}
	pages := r.u32()
	const most = 1 << 10
	if pages > most {
		refuse("the memory has %d pages; want at most %d", pages, most)
	}
	m.memory = make([]byte, pages*pageSize)
	r.end()
}

func (m *module) readGlobals(r *reader) {
	for i := range r.u32() {
		kind, mutable := r.byte(), r.byte()
		if mutable != 1 {
			refuse("global %d is not mutable", i)
		}
		var want byte
		switch kind {
		case typeI32:
			want = opI32
		case typeI64:
			want = opI64
		default:
			refuse("global %d is of type %#x; only i32 and i64 are known", i, kind)
		}
		if op := r.byte(); op != want {
			refuse("global %d begins as what instruction %#x gives; only constants are known", i, op)
		}
		m.globals = append(m.globals, global{kind, r.s64()})
		if r.byte() != opEnd {
			refuse("global %d begins as more than a constant", i)
		}
	}
	r.end()
}

func (m *module) readExports(r *reader) {
	for range r.u32() {
		e := export{r.name(), r.byte(), r.u32()}
		if e.kind != kindFunc && e.kind != kindMem {
			refuse("the export %q is of kind %d; only functions and the memory are known", e.name, e.kind)
		}
		m.exports = append(m.exports, e)
	}
	r.end()
}

func (m *module) readElements(r *reader) {
	if n := r.u32(); n != 1 {
		refuse("there are %d element segments; want one", n)
	}
	if kind := r.u32(); kind != 0 {
		refuse("the element segment is of kind %d; only an active one is known", kind)
	}
	if r.byte() != opI32 {
		refuse("the element segment is not at a constant")
	}
	m.tableAt = uint32(r.s64())
	if r.byte() != opEnd {
		refuse("the element segment is at more than a constant")
	}
	for range r.u32() {
		m.table = append(m.table, r.u32())
	}
	r.end()
}

// pcShift is how far to the left a program counter has the table's index of a
// function. What is right of it is where in the function to go on.
const pcShift = 16

// functionAt is the function that a program counter is in, if it is one.
func (m *module) functionAt(pc uint64) (function uint32, ok bool) {
	i := pc>>pcShift - uint64(m.tableAt)
	if i >= uint64(len(m.table)) {
		return 0, false
	}
	return m.table[i], true
}

// readData writes the segments to memory, as an engine would.
func (m *module) readData(r *reader) {
	for i := range r.u32() {
		if kind := r.u32(); kind != 0 {
			refuse("data segment %d is of kind %d; only active ones are known", i, kind)
		}
		if op := r.byte(); op != opI32 {
			refuse("data segment %d is at what instruction %#x gives; only constants are known", i, op)
		}
		at := uint64(uint32(r.s64()))
		if r.byte() != opEnd {
			refuse("data segment %d is at more than a constant", i)
		}
		data := r.bytes(uint64(r.u32()))
		if at+uint64(len(data)) > uint64(len(m.memory)) {
			refuse("data segment %d is outside of memory", i)
		}
		copy(m.memory[at:], data)
	}
	r.end()
}

// bytes writes the module.
func (m *module) bytes() []byte {
	b := []byte(magic)
	for _, s := range m.sections {
		switch s.id {
		case sectionMemory:
			s.body = appendU32([]byte{1, 0}, uint32(len(m.memory)/pageSize))
		case sectionGlobal:
			s.body = appendU32(nil, uint32(len(m.globals)))
			for _, g := range m.globals {
				op := byte(opI32)
				if g.kind == typeI64 {
					op = opI64
				}
				s.body = append(s.body, g.kind, 1, op)
				s.body = append(appendS64(s.body, g.value), opEnd)
			}
		case sectionExport:
			s.body = appendU32(nil, uint32(len(m.exports)))
			for _, e := range m.exports {
				s.body = append(appendName(s.body, e.name), e.kind)
				s.body = appendU32(s.body, e.index)
			}
		case sectionCode:
			s.body = appendU32(nil, uint32(len(m.bodies)))
			for _, body := range m.bodies {
				s.body = append(appendU32(s.body, uint32(len(body))), body...)
			}
		case sectionData:
			s.body = appendData(m.memory)
		}
		b = append(b, s.id)
		b = append(appendU32(b, uint32(len(s.body))), s.body...)
	}
	return b
}
