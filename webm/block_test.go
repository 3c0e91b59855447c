package webm

import (
	"slices"
	"strings"
	"testing"
)

func TestABlockIsReadWithItsFrames(t *testing.T) {
	large := strings.Repeat("L", 600)
	for _, c := range []struct {
		name string
		data string
		want Block
		all  []string // its frames
	}{
		{
			"without lacing", "\x81\x00\x28\x80frame",
			Block{Track: 1, Timestamp: 40, Key: true}, []string{"frame"},
		},
		{
			"with a frame of no bytes", "\x81\x00\x00\x00",
			Block{Track: 1}, []string{""},
		},
		{
			"before the time of its cluster", "\x82\xFF\xFE\x00x",
			Block{Track: 2, Timestamp: -2}, []string{"x"},
		},
		{
			"with the largest and the smallest time", "\x82\x80\x00\x00x",
			Block{Track: 2, Timestamp: -32768}, []string{"x"},
		},
		{
			"with a track number of two octets", "\x41\x2C\x7F\xFF\x00x",
			Block{Track: 300, Timestamp: 32767}, []string{"x"},
		},
		{
			"with a track number of eight octets", "\x01\x00\x00\x00\x00\x00\x00\x05\x00\x00\x00x",
			Block{Track: 5}, []string{"x"},
		},
		{
			"with every flag", "\x81\x00\x00\x89x",
			Block{Track: 1, Key: true, Invisible: true, Discardable: true}, []string{"x"},
		},
		{
			"with flags that are reserved", "\x81\x00\x00\x70x",
			Block{Track: 1}, []string{"x"},
		},
		{
			"Xiph lacing", "\x81\x00\x00\x02\x02\x03\x01onetthe rest",
			Block{Track: 1, Lacing: XiphLacing}, []string{"one", "t", "the rest"},
		},
		{
			"Xiph lacing of a large frame", "\x81\x00\x00\x02\x01\xFF\xFF\x5A" + large + "rest",
			Block{Track: 1, Lacing: XiphLacing}, []string{large, "rest"},
		},
		{
			"Xiph lacing of 255 bytes, whose size ends with a zero", "\x81\x00\x00\x02\x01\xFF\x00" + large[:255] + "rest",
			Block{Track: 1, Lacing: XiphLacing}, []string{large[:255], "rest"},
		},
		{
			"Xiph lacing of no bytes", "\x81\x00\x00\x02\x02\x00\x00",
			Block{Track: 1, Lacing: XiphLacing}, []string{"", "", ""},
		},
		{
			"Xiph lacing of one frame", "\x81\x00\x00\x02\x00frame",
			Block{Track: 1, Lacing: XiphLacing}, []string{"frame"},
		},
		{
			"fixed lacing", "\x81\x00\x00\x84\x02abcdef",
			Block{Track: 1, Key: true, Lacing: FixedLacing}, []string{"ab", "cd", "ef"},
		},
		{
			"fixed lacing of one frame", "\x81\x00\x00\x04\x00frame",
			Block{Track: 1, Lacing: FixedLacing}, []string{"frame"},
		},
		{
			"fixed lacing of no bytes", "\x81\x00\x00\x04\x03",
			Block{Track: 1, Lacing: FixedLacing}, []string{"", "", "", ""},
		},
		{
			// 5, then 2 less, then 1 more, then the rest.
			"EBML lacing", "\x81\x00\x00\x06\x03\x85\xBD\xC0" + "fives" + "thr" + "four" + "and more",
			Block{Track: 1, Lacing: EBMLLacing}, []string{"fives", "thr", "four", "and more"},
		},
		{
			// The example of RFC 9559 §10.3.3: 800, 500 and 1000 bytes.
			"EBML lacing of large frames", "\x81\x00\x00\x06\x02\x43\x20\x5E\xD3" + strings.Repeat("A", 800) + strings.Repeat("B", 500) + strings.Repeat("C", 1000),
			Block{Track: 1, Lacing: EBMLLacing}, []string{strings.Repeat("A", 800), strings.Repeat("B", 500), strings.Repeat("C", 1000)},
		},
		{
			"EBML lacing of one frame", "\x81\x00\x00\x06\x00frame",
			Block{Track: 1, Lacing: EBMLLacing}, []string{"frame"},
		},
		{
			"EBML lacing of no bytes", "\x81\x00\x00\x06\x02\x80\xBF",
			Block{Track: 1, Lacing: EBMLLacing}, []string{"", "", ""},
		},
		{
			"EBML lacing of 256 frames", "\x81\x00\x00\x06\xFF\x81" + strings.Repeat("\xBF", 254) + strings.Repeat("x", 256),
			Block{Track: 1, Lacing: EBMLLacing}, slices.Repeat([]string{"x"}, 256),
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			data := []byte(c.data)
			got, ok := ParseBlock(data)
			if !ok || got.Track != c.want.Track || got.Timestamp != c.want.Timestamp || got.Lacing != c.want.Lacing ||
				got.Key != c.want.Key || got.Invisible != c.want.Invisible || got.Discardable != c.want.Discardable {
				t.Errorf("ParseBlock = %+v, %v; want %+v", got, ok, c.want)
			}
			var frames []string
			total := 0
			for _, f := range got.Frames {
				frames = append(frames, string(f))
				total += len(f)
			}
			if !slices.Equal(frames, c.all) {
				t.Errorf("frames %.100q; want %.100q", frames, c.all)
			}
			// They are slices of the data, not copies.
			if last := got.Frames[len(got.Frames)-1]; len(last) > 0 && &last[len(last)-1] != &data[len(data)-1] {
				t.Error("the last frame is not the end of the data")
			}
			// A frame that a caller appends to must not reach into the next.
			if len(got.Frames) > 1 && cap(got.Frames[0]) != len(got.Frames[0]) {
				t.Error("the first frame has room for more")
			}
		})
	}
}

func TestABlockThatDoesNotAddUpIsRefused(t *testing.T) {
	for _, c := range []struct{ name, data string }{
		{"no data", ""},
		{"a track number only", "\x81"},
		{"a track number and half a timestamp", "\x81\x00"},
		{"no flags", "\x81\x00\x00"},
		{"no flags after a track number of two octets", "\x41\x2C\x00\x00"},
		{"a track number that is cut short", "\x10\x00\x00"},
		{"a track number of nine octets", "\x00\x80\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"},
		{"Xiph lacing without a count", "\x81\x00\x00\x02"},
		{"Xiph lacing without sizes", "\x81\x00\x00\x02\x01"},
		{"Xiph lacing whose size does not end", "\x81\x00\x00\x02\x01\xFF\xFF"},
		{"Xiph lacing of one byte too many", "\x81\x00\x00\x02\x01\x06frame"},
		{"Xiph lacing of which only the sum is too large", "\x81\x00\x00\x02\x02\x03\x03frame"},
		{"fixed lacing without a count", "\x81\x00\x00\x04"},
		{"fixed lacing of unequal frames", "\x81\x00\x00\x04\x01frame"},
		{"EBML lacing without a count", "\x81\x00\x00\x06"},
		{"EBML lacing without sizes", "\x81\x00\x00\x06\x01"},
		{"EBML lacing whose size is no VINT", "\x81\x00\x00\x06\x01\x00\x80frame"},
		{"EBML lacing whose size is cut short", "\x81\x00\x00\x06\x01\x10\x00"},
		{"EBML lacing without the second size", "\x81\x00\x00\x06\x02\x81"},
		{"EBML lacing of one byte too many", "\x81\x00\x00\x06\x01\x86frame"},
		{"EBML lacing that becomes negative", "\x81\x00\x00\x06\x02\x82\x80frame"},
		{"EBML lacing that becomes too large", "\x81\x00\x00\x06\x02\x82\xFEframe"},
		{"EBML lacing of which only the sum is too large", "\x81\x00\x00\x06\x02\x84\xBFframe"},
		{"EBML lacing of 2^56-2 bytes", "\x81\x00\x00\x06\x01\x01\xFF\xFF\xFF\xFF\xFF\xFF\xFEframe"},
		{"EBML lacing that grows by 2^55", "\x81\x00\x00\x06\x02\x81\x01\xFF\xFF\xFF\xFF\xFF\xFF\xFEframe"},
		{"EBML lacing that shrinks by 2^55", "\x81\x00\x00\x06\x02\x81\x01\x00\x00\x00\x00\x00\x00\x00frame"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if b, ok := ParseBlock([]byte(c.data)); ok {
				t.Errorf("ParseBlock(% x) = %+v", c.data, b)
			}
		})
	}
}
