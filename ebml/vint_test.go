package ebml

import (
	"bytes"
	"testing"
)

func TestAVINTReadsBackAtEveryWidthAndBorder(t *testing.T) {
	for n := 1; n <= MaxVINTLen; n++ {
		most := uint64(1)<<(7*n) - 1
		for _, v := range []uint64{0, 1, most >> 7, most>>7 + 1, most / 2, most - 1, most} {
			b := AppendVINT([]byte{0xAA}, v, n)
			if len(b) != 1+n || b[0] != 0xAA {
				t.Errorf("AppendVINT(%d, %d octets) = % x", v, n, b)
			}
			if got, gotN := ParseVINT(append(b[1:], 0x55)); got != v || gotN != n {
				t.Errorf("ParseVINT(% x 55) = %d, %d; want %d, %d", b[1:], got, gotN, v, n)
			}
			for short := range n {
				if got, gotN := ParseVINT(b[1 : 1+short]); got != 0 || gotN != 0 {
					t.Errorf("ParseVINT(% x), which is cut short, = %d, %d; want 0, 0", b[1:1+short], got, gotN)
				}
			}
		}
	}
}

func TestAVINTIsWrittenAsTheSpecificationShows(t *testing.T) {
	for _, c := range []struct {
		v    uint64
		n    int
		want string
	}{
		{2, 1, "\x82"}, // the four forms of 2 in RFC 8794 §4.4
		{2, 2, "\x40\x02"},
		{2, 3, "\x20\x00\x02"},
		{2, 4, "\x10\x00\x00\x02"},
		{127, 2, "\x40\x7F"},
		{16383, 3, "\x20\x3F\xFF"},
		{1<<56 - 1, 8, "\x01\xFF\xFF\xFF\xFF\xFF\xFF\xFF"},
		{0x1FF, 1, "\xFF"}, // bits that do not fit are lost
	} {
		if got := AppendVINT(nil, c.v, c.n); string(got) != c.want {
			t.Errorf("AppendVINT(%d, %d octets) = % x; want % x", c.v, c.n, got, c.want)
		}
	}
}

func TestAVINTOfMoreThanEightOctetsIsRefusedByItsFirst(t *testing.T) {
	for _, b := range [][]byte{{0}, {0, 0x80}, bytes.Repeat([]byte{0}, 16)} {
		if v, n := ParseVINT(b); v != 0 || n != -1 {
			t.Errorf("ParseVINT(% x) = %d, %d; want 0, -1", b, v, n)
		}
	}
}

func TestTheShortestVINTLeavesTheReservedValueOut(t *testing.T) {
	for _, c := range []struct {
		v    uint64
		want int
	}{
		{0, 1}, {1, 1}, {126, 1}, {127, 2}, {128, 2},
		{1<<14 - 2, 2}, {1<<14 - 1, 3},
		{1<<21 - 2, 3}, {1<<21 - 1, 4},
		{1<<28 - 2, 4}, {1<<28 - 1, 5},
		{1<<35 - 2, 5}, {1<<35 - 1, 6},
		{1<<42 - 2, 6}, {1<<42 - 1, 7},
		{1<<49 - 2, 7}, {1<<49 - 1, 8},
		{1<<56 - 2, 8},
	} {
		if got := VINTLen(c.v); got != c.want {
			t.Errorf("VINTLen(%d) = %d; want %d", c.v, got, c.want)
		}
	}
}
