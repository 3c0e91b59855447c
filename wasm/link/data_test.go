package main

import (
	"bytes"
	"math/rand/v2"
	"slices"
	"testing"
)

func TestDataIsOneSegmentUnlessMoreThan64ZerosDivideIt(t *testing.T) {
	for _, test := range []struct {
		name   string
		memory []byte
		want   []byte
	}{
		{"nothing", nil, concat(0)},
		{"zeros", make([]byte, 1000), concat(0)},
		{"a byte at the start", concat(1, make([]byte, 100)), concat(1, 0, opI32, 0, opEnd, 1, 1)},
		{"a byte at the end", concat(make([]byte, 100), 1), concat(1, 0, opI32, "\xE4\x00", opEnd, 1, 1)},
		{"64 zeros between", concat(1, make([]byte, 64), 2), concat(1, 0, opI32, 0, opEnd, 66, 1, make([]byte, 64), 2)},
		{"65 zeros between", concat(1, make([]byte, 65), 2), concat(2, 0, opI32, 0, opEnd, 1, 1, 0, opI32, "\xC2\x00", opEnd, 1, 2)},
		{"65 zeros twice", concat(1, make([]byte, 65), 2, make([]byte, 65), 3),
			concat(3, 0, opI32, 0, opEnd, 1, 1, 0, opI32, "\xC2\x00", opEnd, 1, 2, 0, opI32, "\x84\x01", opEnd, 1, 3)},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := appendData(test.memory); !bytes.Equal(got, test.want) {
				t.Errorf("got\n%x\nwant\n%x", got, test.want)
			}
		})
	}
}

func TestMergedSegmentsGiveTheSameMemory(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for range 100 {
		// Segments in any order, over one another and with zeros in them.
		want := make([]byte, 2*pageSize)
		count := random.IntN(100)
		segments := appendU32(nil, uint32(count))
		for range count {
			data := make([]byte, random.IntN(300))
			for i := range data {
				data[i] = byte(max(0, random.IntN(400)-256))
			}
			at := random.IntN(len(want) - len(data))
			segments = append(appendS64(append(segments, 0, opI32), int64(at)), opEnd)
			segments = append(appendU32(segments, uint32(len(data))), data...)
			copy(want[at:], data)
		}
		m := &module{memory: make([]byte, len(want))}
		m.readData(&reader{"the data section", segments})
		if !bytes.Equal(m.memory, want) {
			t.Fatal("segments as they are give another memory")
		}
		merged := &module{memory: make([]byte, len(want))}
		merged.readData(&reader{"the data section", appendData(slices.Clone(want))})
		if !bytes.Equal(merged.memory, want) {
			t.Fatal("merged segments give another memory")
		}
	}
}
