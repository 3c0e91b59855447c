package main

import (
	"bytes"
	"encoding/binary"
	"slices"
	"testing"
)

func TestDroppingLinesKeepsWhatElseThereIsOfFunctions(t *testing.T) {
	before, after := parse(reactor(t)), parse(reactor(t))
	dropLines(after)
	old, mended := findPclntab(before.memory), findPclntab(after.memory)
	if !bytes.Contains(old.filetab, []byte("symtab.go")) || bytes.ContainsFunc(mended.filetab, func(r rune) bool { return r != 0 }) {
		t.Error("file names were not there, or are not gone")
	}
	was, is := old.funcs(), mended.funcs()
	if len(was) != len(is) || len(is) < 1000 {
		t.Fatalf("%d functions became %d", len(was), len(is))
	}
	name := func(p *pclntab, offset uint32) string {
		name, _, _ := bytes.Cut(p.funcnametab[offset:], []byte{0})
		return string(name)
	}
	var data []field
	for _, f := range was {
		data = append(data, f.data()...)
	}
	ends := starts(old.gofunc, data, noData)
	kept, wrappers := 0, 0
	for i := range is {
		of := name(old, get32(was[i][funcName:]))
		if got := name(mended, get32(is[i][funcName:])); got != of {
			t.Fatalf("%s is named %s", of, got)
		}
		if get32(is[i][funcPcfile:]) != noTable || get32(is[i][funcPcln:]) != noTable {
			t.Fatalf("%s has a table of lines", of)
		}
		for j, a := range was[i].tables() {
			b := is[i].tables()[j]
			switch {
			case !a.kept && b.offset != noTable:
				t.Fatalf("%s has table %d", of, j)
			case a.kept && (a.offset == noTable) != (b.offset == noTable):
				t.Fatalf("%s has table %d at %d; it was at %d", of, j, b.offset, a.offset)
			case a.kept && a.offset != noTable:
				want := old.pctab[a.offset:][:tableSize(old.pctab[a.offset:])]
				if !bytes.HasPrefix(mended.pctab[b.offset:], want) {
					t.Fatalf("%s: table %d is %x; want %x", of, j, mended.pctab[b.offset:][:len(want)], want)
				}
				kept++
			}
		}
		for j, a := range was[i].data() {
			b := is[i].data()[j]
			switch {
			case !a.kept && b.offset != noData:
				t.Fatalf("%s has data %d", of, j)
			case a.kept && (a.offset == noData) != (b.offset == noData):
				t.Fatalf("%s has data %d at %d; it was at %d", of, j, b.offset, a.offset)
			case a.kept && a.offset != noData && j == funcdataInlTree:
				wrappers++
				was, is := old.gofunc[a.offset:], mended.gofunc[b.offset:]
				if name(old, get32(was[inlinedName:])) != name(mended, get32(is[inlinedName:])) || !bytes.Equal(was[8:16], is[8:16]) {
					t.Fatalf("%s: inlined is % x; want % x", of, is[:inlinedSize], was[:inlinedSize])
				}
			case a.kept && a.offset != noData:
				end, _ := slices.BinarySearch(ends, a.offset+1)
				want := old.gofunc[a.offset:ends[end]]
				if !bytes.HasPrefix(mended.gofunc[b.offset:], want) || b.offset%8 != a.offset%8 {
					t.Fatalf("%s: data %d is % x; want % x", of, j, mended.gofunc[b.offset:][:len(want)], want)
				}
			}
		}
	}
	t.Logf("%d functions with %d tables, %d wrappers with what is inlined in them", len(is), kept, wrappers)
	for name, tables := range map[string][2][]byte{
		"pctab":       {old.pctab, mended.pctab},
		"gofunc":      {old.gofunc, mended.gofunc},
		"funcnametab": {old.funcnametab, mended.funcnametab},
	} {
		left := len(bytes.TrimRight(tables[1], "\x00"))
		t.Logf("%s has %d bytes, of %d", name, left, len(tables[0]))
		if left > len(tables[0])*9/10 {
			t.Errorf("too little of %s is gone", name)
		}
	}
}

func TestAPclntabOfAnotherLayoutIsRefused(t *testing.T) {
	for _, test := range []struct {
		name   string
		damage func(header []byte, p *pclntab)
		want   string
	}{
		{"another magic number", func(h []byte, _ *pclntab) { h[0] = 0xF0 }, "magic number 0xfffffff1 is in memory 0 times"},
		{"another size of pointers", func(h []byte, _ *pclntab) { h[7] = 4 }, "magic number 0xfffffff1 is in memory 0 times"},
		{"an address of text", func(h []byte, _ *pclntab) { h[24] = 1 }, "the header is not of the known layout"},
		{"a larger header", func(h []byte, _ *pclntab) { h[32] = 80 }, "the header is not of the known layout"},
		{"cutab elsewhere", func(h []byte, _ *pclntab) { h[40] ^= 4 }, "cutab is not where the header says"},
		{"pctab elsewhere", func(h []byte, _ *pclntab) { h[56] ^= 4 }, "pctab is not where the header says"},
		{"another number of functions", func(h []byte, _ *pclntab) { h[8]++ }, "functab is not of the"},
		{"a second header", func(h []byte, _ *pclntab) { copy(h[4096:], h[:8]) }, "is in memory 2 times"},
		{"a _func elsewhere", func(_ []byte, p *pclntab) { p.pclntable[4] += 8 }, "function 0 is at"},
		{"a _func of another entry", func(_ []byte, p *pclntab) { p.funcs()[5][funcEntry]++ }, "function 5 is not of the known layout"},
		{"a _func of no name", func(_ []byte, p *pclntab) { put32(p.funcs()[5][funcName:], 1<<30) }, "function 5 is not of the known layout"},
		{"a larger _func", func(_ []byte, p *pclntab) { p.funcs()[5][funcNpcdata] += 4 }, "function"},
		{"a table outside of pctab", func(_ []byte, p *pclntab) { put32(p.funcs()[5][funcPcln:], uint32(len(p.pctab))) }, "a function's table is at"},
		{"a table inside of another", func(_ []byte, p *pclntab) {
			f := p.funcs()[5]
			put32(f[funcPcln:], get32(f[funcPcsp:])+1)
		}, "where the one before it ends"},
		{"a table without an end", func(_ []byte, p *pclntab) {
			for i := range p.pctab {
				p.pctab[i] |= 1
			}
		}, "pctab"},
		{"a name inside of another", func(_ []byte, p *pclntab) { p.funcs()[5][funcName]++ }, "inside of another"},
		{"data outside of gofunc", func(_ []byte, p *pclntab) { put32(p.funcs()[5].data()[0].memory, uint32(len(p.gofunc))) }, "outside of"},
		{"another size of what is inlined", func(_ []byte, p *pclntab) { put32(inlining(p).memory, inlining(p).offset+4) }, "what is inlined in a function is not of the known layout"},
		{"a function inlined that is of no known kind", func(_ []byte, p *pclntab) { p.gofunc[inlining(p).offset] = funcIDWrapper + 1 }, "what is inlined in a function is not of the known layout"},
		{"a function inlined that has no name", func(_ []byte, p *pclntab) { put32(p.gofunc[inlining(p).offset+inlinedName:], 1<<30) }, "outside of"},
	} {
		t.Run(test.name, func(t *testing.T) {
			m := parse(reactor(t))
			header := find(m.memory, []byte("\xF1\xFF\xFF\xFF\x00\x00\x01\x08"), "the header")
			test.damage(m.memory[header:], findPclntab(m.memory))
			refused(t, test.want, func() { dropLines(m) })
		})
	}
}

func TestAGofuncThatIsNotInPclntabIsRefused(t *testing.T) {
	for _, address := range []uint64{0, 1 << 40} {
		m := parse(reactor(t))
		start := uint64(cap(m.memory) - cap(findPclntab(m.memory).gofunc))
		moduledata := find(m.memory, binary.LittleEndian.AppendUint64(nil, start), "the address of gofunc")
		binary.LittleEndian.PutUint64(m.memory[moduledata:], address)
		refused(t, "gofunc is not where moduledata says", func() { dropLines(m) })
	}
}

// inlining is where the first function that has any says what is inlined in it.
func inlining(p *pclntab) field {
	for _, f := range p.funcs() {
		if data := f.data(); len(data) > funcdataInlTree && data[funcdataInlTree].offset != noData {
			return data[funcdataInlTree]
		}
	}
	panic("nothing is inlined")
}
