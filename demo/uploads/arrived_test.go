package uploads

import (
	"bytes"
	"slices"
	"strings"
	"testing"
)

func TestTheOpeningGoesOnIntoTheSecondPart(t *testing.T) {
	media := sample(t, "firefox-08-pause-vp8opus-ts500")
	zeros := make([]byte, 1<<20)
	one := append(slices.Clone(zeros[1:]), 1)
	for _, c := range []struct {
		name       string
		tail, head []byte
		want       int
	}{
		{"nothing", media[:1000], media[5000:6000], 0},
		{"something", media[:6000], media[5000:9000], 1000},
		{"all of the second", media[:6000], media[5000:6000], 1000},
		{"all of the first", media[5000:6000], media[5000:9000], 1000},
		{"bytes that repeat", []byte("abababab"), []byte("babababc"), 7},
		{"less than it looked like", []byte("aaab"), []byte("aab"), 3},
		{"none after a beginning", []byte("xaaxaa"), []byte("aax"), 2},
		{"no bytes", nil, nil, 0},
		// Each byte of which could be where it begins.
		{"zeros and a one after zeros", one, zeros, 0},
		{"zeros after zeros and a one", zeros, one, 1<<20 - 1},
		{"zeros but for the middle", bytes.Repeat([]byte(strings.Repeat("\x00", 1023)+"\x01"), 1<<10), zeros, 0},
	} {
		if got := overlapOf(c.tail, c.head); got != c.want {
			t.Errorf("%s: %d bytes overlap; want %d", c.name, got, c.want)
		}
	}
}
