package ebml

import (
	"math"
	"testing"
)

func TestIntegersHaveUpToEightOctets(t *testing.T) {
	for _, c := range []struct {
		name     string
		data     string
		unsigned uint64
		signed   int64
	}{
		{"no octets are 0", "", 0, 0},
		{"zero", "\x00", 0, 0},
		{"the sign is the first bit of one octet", "\x80", 128, -128},
		{"minus one in one octet", "\xFF", 255, -1},
		{"a leading zero makes it positive", "\x00\xFF", 255, 255},
		{"three octets", "\x0F\x42\x40", 1_000_000, 1_000_000},
		{"three octets, negative", "\xFF\xFF\xFE", 0xFFFFFE, -2},
		{"eight octets, the largest", "\x7F\xFF\xFF\xFF\xFF\xFF\xFF\xFF", math.MaxInt64, math.MaxInt64},
		{"eight octets, the smallest", "\x80\x00\x00\x00\x00\x00\x00\x00", 1 << 63, math.MinInt64},
		{"eight octets of ones", "\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF", math.MaxUint64, -1},
		{"of nine octets the last eight count", "\x01\x00\x00\x00\x00\x00\x00\x00\x02", 2, 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := ParseUint([]byte(c.data)); got != c.unsigned {
				t.Errorf("ParseUint(% x) = %d; want %d", c.data, got, c.unsigned)
			}
			if got := ParseInt([]byte(c.data)); got != c.signed {
				t.Errorf("ParseInt(% x) = %d; want %d", c.data, got, c.signed)
			}
		})
	}
}

func TestFloatsHaveNoneFourOrEightOctets(t *testing.T) {
	for _, c := range []struct {
		data string
		want float64
	}{
		{"", 0},
		{"\x00\x00\x00\x00", 0},
		{"\x47\x3B\x80\x00", 48000},
		{"\xBF\x80\x00\x00", -1},
		{"\x7F\x80\x00\x00", math.Inf(1)},
		{"\x40\xE7\x70\x00\x00\x00\x00\x00", 48000},
		{"\x3F\xB9\x99\x99\x99\x99\x99\x9A", 0.1},
	} {
		if got := ParseFloat([]byte(c.data)); got != c.want {
			t.Errorf("ParseFloat(% x) = %v; want %v", c.data, got, c.want)
		}
	}
	for _, n := range []int{1, 2, 3, 5, 6, 7, 9, 10, 16} {
		if got := ParseFloat(make([]byte, n)); !math.IsNaN(got) {
			t.Errorf("ParseFloat of %d octets = %v; want NaN", n, got)
		}
	}
}

func TestAStringEndsAtItsFirstNULAndIsACopy(t *testing.T) {
	for _, c := range []struct{ data, want string }{
		{"", ""},
		{"webm", "webm"},
		{"webm\x00", "webm"}, // as GStreamer writes it
		{"webm\x00\x00rest", "webm"},
		{"\x00", ""},
		{"größe", "größe"},
	} {
		data := []byte(c.data)
		got := ParseString(data)
		clear(data)
		if got != c.want {
			t.Errorf("ParseString(%q) = %q; want %q", c.data, got, c.want)
		}
	}
}

func TestWhatIsAppendedParsesBack(t *testing.T) {
	const id ID = 0x4286
	// data takes the head off and checks that nothing comes after the data.
	data := func(t *testing.T, b []byte, wantSize int64) []byte {
		t.Helper()
		if b[0] != 0xAA {
			t.Fatalf("% x does not begin with what was there before", b)
		}
		h, reason := ParseHead(b[1:], 1)
		if h.ID != id || reason != 0 || h.Size != wantSize || h.End() != int64(len(b)) {
			t.Fatalf("% x has head %+v, %v; want %d bytes of data", b, h, reason, wantSize)
		}
		return b[h.DataOffset():]
	}
	before := []byte{0xAA}

	for _, c := range []struct {
		v    uint64
		size int64
	}{
		{0, 1}, {1, 1}, {255, 1}, {256, 2}, {1<<16 - 1, 2}, {1 << 16, 3}, {1_000_000, 3}, {1 << 24, 4},
		{1 << 32, 5}, {1 << 40, 6}, {1 << 48, 7}, {1<<56 - 1, 7}, {1 << 56, 8}, {math.MaxUint64, 8},
	} {
		if got := ParseUint(data(t, AppendUint(before, id, c.v), c.size)); got != c.v {
			t.Errorf("AppendUint(%d) reads back as %d", c.v, got)
		}
	}
	for _, v := range []float64{0, 1, -1, 0.1, 1e300, math.Inf(-1)} {
		if got := ParseFloat(data(t, AppendFloat(before, id, v), 8)); got != v {
			t.Errorf("AppendFloat(%v) reads back as %v", v, got)
		}
	}
	for _, s := range []string{"", "webm", string(make([]byte, 200))} {
		if got := string(data(t, AppendString(before, id, s), int64(len(s)))); got != s {
			t.Errorf("AppendString(%q) reads back as %q", s, got)
		}
		if got := string(data(t, AppendBinary(before, id, []byte(s)), int64(len(s)))); got != s {
			t.Errorf("AppendBinary(%q) reads back as %q", s, got)
		}
	}
}
