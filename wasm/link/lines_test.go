package main

import (
	"bytes"
	"testing"
)

func TestDroppingLinesKeepsNamesAndAllOtherTables(t *testing.T) {
	before, after := parse(reactor(t)), parse(reactor(t))
	dropLines(after)
	old, mended := findPclntab(before.memory), findPclntab(after.memory)
	if !bytes.Contains(old.filetab, []byte("symtab.go")) || bytes.ContainsFunc(mended.filetab, func(r rune) bool { return r != 0 }) {
		t.Error("file names were not there, or are not gone")
	}
	if !bytes.Contains(mended.funcnametab, []byte("runtime.gopanic")) || !bytes.Equal(old.funcnametab, mended.funcnametab) {
		t.Error("function names have changed")
	}
	was, is := old.funcs(), mended.funcs()
	if len(was) != len(is) || len(is) < 1000 {
		t.Fatalf("%d functions became %d", len(was), len(is))
	}
	kept := 0
	for i := range is {
		if get32(is[i][funcPcfile:]) != 0 || get32(is[i][funcPcln:]) != 0 {
			t.Fatalf("function %d has a table of lines", i)
		}
		for j, offset := range is[i].tables() {
			a, b := get32(was[i].tables()[j]), get32(offset)
			if a == 0 && b == 0 {
				continue
			}
			want := old.pctab[a:][:tableSize(old.pctab[a:])]
			if !bytes.HasPrefix(mended.pctab[b:], want) {
				t.Fatalf("function %d: table %d is %x; want %x", i, j, mended.pctab[b:][:len(want)], want)
			}
			kept++
		}
	}
	t.Logf("%d functions with %d tables", len(is), kept)
	end := bytes.TrimRight(mended.pctab, "\x00")
	t.Logf("%d bytes of tables, of %d", len(end), len(old.pctab))
	if len(end) > len(old.pctab)*2/3 {
		t.Error("too few tables are gone")
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
		{"a table outside of pctab", func(_ []byte, p *pclntab) { put32(p.funcs()[5][funcPcln:], uint32(len(p.pctab))) }, "outside of pctab"},
		{"a table inside of another", func(_ []byte, p *pclntab) {
			f := p.funcs()[5]
			put32(f[funcPcln:], get32(f[funcPcsp:])+1)
		}, "where the one before it ends"},
		{"a table without an end", func(_ []byte, p *pclntab) {
			for i := range p.pctab {
				p.pctab[i] |= 1
			}
		}, "pctab"},
	} {
		t.Run(test.name, func(t *testing.T) {
			m := parse(reactor(t))
			header := find(m.memory, []byte("\xF1\xFF\xFF\xFF\x00\x00\x01\x08"), "the header")
			test.damage(m.memory[header:], findPclntab(m.memory))
			refused(t, test.want, func() { dropLines(m) })
		})
	}
}
