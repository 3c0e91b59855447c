package main

import (
	"bytes"
	"math"
	"strings"
	"testing"
)

func TestNumbersAreWrittenInTheFewestBytesAndReadBack(t *testing.T) {
	for _, test := range []struct {
		v    uint32
		want string
	}{
		{0, "\x00"}, {1, "\x01"}, {127, "\x7F"}, {128, "\x80\x01"}, {624485, "\xE5\x8E\x26"}, {math.MaxUint32, "\xFF\xFF\xFF\xFF\x0F"},
	} {
		b := appendU32(nil, test.v)
		r := &reader{"it", b}
		if got := r.u32(); string(b) != test.want || got != test.v || len(r.b) > 0 {
			t.Errorf("%d is written as %x and read as %d; want %x", test.v, b, got, test.want)
		}
	}
	for _, test := range []struct {
		v    int64
		want string
	}{
		{0, "\x00"}, {63, "\x3F"}, {64, "\xC0\x00"}, {-1, "\x7F"}, {-64, "\x40"}, {-65, "\xBF\x7F"}, {-123456, "\xC0\xBB\x78"},
		{math.MaxInt64, "\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x00"}, {math.MinInt64, "\x80\x80\x80\x80\x80\x80\x80\x80\x80\x7F"},
	} {
		b := appendS64(nil, test.v)
		r := &reader{"it", b}
		if got := r.s64(); string(b) != test.want || got != test.v || len(r.b) > 0 {
			t.Errorf("%d is written as %x and read as %d; want %x", test.v, b, got, test.want)
		}
	}
}

func TestNumbersAndNamesThatAreCutShortOrTooLongAreRefused(t *testing.T) {
	u32, s64, name := func(r *reader) { r.u32() }, func(r *reader) { r.s64() }, func(r *reader) { _ = r.name() }
	for _, test := range []struct {
		read func(r *reader)
		b    string
		want string
	}{
		{u32, "", "it is cut short"},
		{u32, "\x80\x80", "it is cut short"},
		{u32, "\x80\x80\x80\x80\x10", "more than 32 bits"},
		{u32, "\x80\x80\x80\x80\x80\x00", "more than 32 bits"},
		{s64, "\xFF", "it is cut short"},
		{s64, strings.Repeat("\x80", 10) + "\x00", "more than 64 bits"},
		{name, "\x05name", "4 bytes are left of 5"},
	} {
		refused(t, test.want, func() { test.read(&reader{"it", []byte(test.b)}) })
	}
}

// refused wants a refusal that says something.
func refused(t *testing.T, want string, f func()) {
	t.Helper()
	defer func() {
		t.Helper()
		if r, ok := recover().(refusal); !ok || !strings.Contains(string(r), want) {
			t.Errorf("got %q; want a refusal that says %q", r, want)
		}
	}()
	f()
}

func concat(parts ...any) []byte {
	var b bytes.Buffer
	for _, p := range parts {
		switch p := p.(type) {
		case int:
			b.WriteByte(byte(p))
		case string:
			b.WriteString(p)
		case []byte:
			b.Write(p)
		}
	}
	return b.Bytes()
}
