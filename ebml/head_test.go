package ebml

import (
	"math/rand/v2"
	"testing"
)

func TestAHeadIsReadFromItsFirstOctets(t *testing.T) {
	for _, c := range []struct {
		name string
		in   string
		id   ID
		size int64
		len  int
	}{
		{"one octet each", "\xEC\x81", 0xEC, 1, 2},
		{"127 in two octets is a size, as one octet of ones is not", "\xEC\x40\x7F", 0xEC, 127, 3},
		{"the least ID of two octets is the one whose data is reserved in one", "\x40\x7F\x80", 0x407F, 0, 3},
		{"a size need not be shortest", "\xA3\x10\x00\x00\x02", 0xA3, 2, 5},
		{"data bits of zero are allowed in one octet: ChapterDisplay", "\x80\x82", 0x80, 2, 2},
		{"an ID of three octets", "\x2A\xD7\xB1\x83", 0x2AD7B1, 3, 4},
		{"the largest size", "\xEC\x01\xFF\xFF\xFF\xFF\xFF\xFF\xFE", 0xEC, 1<<56 - 2, 9},
		{"a Cluster as Chromium writes it", "\x1F\x43\xB6\x75\x01\xFF\xFF\xFF\xFF\xFF\xFF\xFF", 0x1F43B675, UnknownSize, 12},
	} {
		t.Run(c.name, func(t *testing.T) {
			h, reason := ParseHead([]byte(c.in+"data"), 1000)
			if want := (Head{c.id, 1000, c.size, c.len}); h != want || reason != 0 {
				t.Errorf("ParseHead(% x) = %+v, %v; want %+v", c.in, h, reason, want)
			}
			for n := range c.in {
				if h, reason := ParseHead([]byte(c.in[:n]), 1000); h != (Head{}) || reason != 0 {
					t.Errorf("ParseHead(% x), which is cut short, = %+v, %v; want nothing", c.in[:n], h, reason)
				}
			}
		})
	}
}

func TestDataBitsThatAreAllOneAreAnUnknownSizeAtEveryWidth(t *testing.T) {
	for n := 1; n <= MaxVINTLen; n++ {
		unknown := AppendHeadWidth(nil, 0xEC, UnknownSize, n)
		if h, reason := ParseHead(unknown, 0); h.Size != UnknownSize || h.Len != 1+n || reason != 0 {
			t.Errorf("ParseHead(% x) = %+v, %v; want an unknown size in %d octets", unknown, h, reason, n)
		}
		largest := int64(1)<<(7*n) - 2
		known := AppendHeadWidth(nil, 0xEC, largest, n)
		if h, reason := ParseHead(known, 0); h.Size != largest || h.Len != 1+n || reason != 0 {
			t.Errorf("ParseHead(% x) = %+v, %v; want size %d in %d octets", known, h, reason, largest, n)
		}
	}
}

func TestAHeadReadsBackAsItWasWritten(t *testing.T) {
	ids := []ID{0x80, 0x81, 0xFE, 0x407F, 0x4286, 0x7FFE, 0x203FFF, 0x2AD7B1, 0x3FFFFE, 0x101FFFFF, IDEBML, 0x1FFFFFFE}
	sizes := []int64{0, 1, 126, 127, 128, 1<<14 - 2, 1<<14 - 1, 1<<28 - 2, 1<<28 - 1, 1<<49 - 1, 1<<56 - 2, UnknownSize}
	random := rand.New(rand.NewPCG(1, 2))
	for range 100 {
		sizes = append(sizes, random.Int64N(1<<random.Int64N(56)+1))
	}
	for _, id := range ids {
		if b := AppendID(nil, id); len(b) != id.Len() {
			t.Errorf("AppendID(%X) = % x; Len() = %d", id, b, id.Len())
		}
		for _, size := range sizes {
			width := MaxVINTLen // of an unknown size
			if size != UnknownSize {
				width = VINTLen(uint64(size))
			}
			want := Head{id, 7, size, id.Len() + width}
			b := AppendHead(nil, id, size)
			if h, reason := ParseHead(b, 7); h != want || reason != 0 || len(b) != h.Len {
				t.Errorf("AppendHead(%X, %d) = % x, which is %+v, %v", id, size, b, h, reason)
			}
			for width <= MaxVINTLen {
				b := AppendHeadWidth(nil, id, size, width)
				want.Len = id.Len() + width
				if h, reason := ParseHead(b, 7); h != want || reason != 0 || len(b) != h.Len {
					t.Errorf("AppendHeadWidth(%X, %d, %d) = % x, which is %+v, %v", id, size, width, b, h, reason)
				}
				width++
			}
		}
	}
}

func TestWhatNoElementBeginsWithIsRefused(t *testing.T) {
	for _, c := range []struct {
		name string
		in   string
		want Reason
	}{
		{"an ID of five octets", "\x08\x01\x02\x03\x04\x81", InvalidID},
		{"an ID of five octets, by its first", "\x0F", InvalidID},
		{"an octet of zero", "\x00", InvalidID},
		{"an ID of one octet of ones", "\xFF\x81", InvalidID},
		{"an ID of two octets of ones", "\x7F\xFF", InvalidID},
		{"an ID of three octets of ones", "\x3F\xFF\xFF", InvalidID},
		{"an ID of four octets of ones", "\x1F\xFF\xFF\xFF", InvalidID},
		{"two octets for an ID of one", "\x40\x7E", InvalidID},
		{"three octets for an ID of two", "\x20\x3F\xFE", InvalidID},
		{"four octets for an ID of three", "\x10\x1F\xFF\xFE", InvalidID},
		{"two octets of zero data", "\x40\x00", InvalidID},
		{"four octets of zero data", "\x10\x00\x00\x00", InvalidID},
		{"a size of nine octets", "\xEC\x00\x81", InvalidSize},
		{"a size of nine octets, by its first", "\x1F\x43\xB6\x75\x00", InvalidSize},
	} {
		t.Run(c.name, func(t *testing.T) {
			if h, reason := ParseHead([]byte(c.in), 0); h != (Head{}) || reason != c.want {
				t.Errorf("ParseHead(% x) = %+v, %v; want %v", c.in, h, reason, c.want)
			}
		})
	}
}

func TestAHeadTellsWhereItsElementLies(t *testing.T) {
	h := Head{ID: 0xEC, Offset: 1000, Size: 30, Len: 2}
	if h.DataOffset() != 1002 || h.End() != 1032 {
		t.Errorf("%+v: data at %d, end at %d; want 1002, 1032", h, h.DataOffset(), h.End())
	}
	h.Size = UnknownSize
	if h.DataOffset() != 1002 || h.End() != -1 {
		t.Errorf("%+v: data at %d, end at %d; want 1002, -1", h, h.DataOffset(), h.End())
	}
	if longest := AppendHead(nil, IDEBML, UnknownSize); len(longest) != MaxHeadLen {
		t.Errorf("the longest head has %d octets; MaxHeadLen is %d", len(longest), MaxHeadLen)
	}
}
