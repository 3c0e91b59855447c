package webm

import (
	"math/rand/v2"
	"slices"
	"testing"
	"unsafe"
)

// someKeyFrames are as many key frames of any tracks and times, at growing offsets.
func someKeyFrames(n int, random *rand.Rand) []KeyFrame {
	var all []KeyFrame
	k := KeyFrame{Track: 1}
	for range n {
		if random.IntN(3) == 0 {
			k.Track = random.Uint64N(1 << (1 + random.IntN(63)))
		}
		if random.IntN(5) == 0 {
			k.Timestamp = random.Int64N(maxTime) >> random.IntN(60)
		} else {
			k.Timestamp += 3000
		}
		k.Offset += 6 + random.Int64N(1<<random.IntN(40))
		all = append(all, k)
	}
	return all
}

// same fails the test where the list has other key frames than are wanted.
func (l *keyFrameList) same(t *testing.T, what string, want []KeyFrame, random *rand.Rand) {
	t.Helper()
	if l.len() != len(want) {
		t.Fatalf("%s: %d key frames; want %d", what, l.len(), len(want))
	}
	for range 2 * len(want) { // in any order
		i := random.IntN(len(want))
		if got := l.at(i); got != want[i] {
			t.Fatalf("%s: key frame %d is %+v; want %+v", what, i, got, want[i])
		}
		for _, near := range []int64{-1, 0, 1} {
			offset := want[i].Offset + near
			first := slices.IndexFunc(want, func(k KeyFrame) bool { return k.Offset >= offset })
			if first < 0 {
				first = len(want)
			}
			if got := l.from(offset); got != first {
				t.Fatalf("%s: the first from %d on is %d; want %d", what, offset, got, first)
			}
		}
	}
}

func TestAListOfKeyFramesGivesBackWhatWasAddedAndNotCutOff(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for n := range 4*pageLen + 2 {
		if n%pageLen > 2 && n%pageLen < pageLen-2 {
			continue
		}
		all := someKeyFrames(n, random)
		for _, left := range []int{n, n - 1, n / 2, pageLen, 0} {
			if left < 0 || left > n {
				continue
			}
			var l keyFrameList
			for _, k := range all {
				l.add(k)
			}
			l.same(t, "added", all, random)
			copied := l.copied()
			l.cutFrom(slices.Concat(all, []KeyFrame{{Offset: 1 << 62}})[left].Offset)
			l.same(t, "cut off", all[:left], random)
			again := slices.Concat(all[:left], someKeyFrames(pageLen+1, random))
			for i := left; i < len(again); i++ {
				again[i].Offset += 1 << 61
				l.add(again[i])
			}
			l.same(t, "added again", again, random)
			copied.same(t, "copied before", all, random)
		}
	}
}

func TestAListOfKeyFramesTakesFewBytesForEach(t *testing.T) {
	for name, most := range map[string]float64{"chromium-noalpha-03-vp8opus-ts250": 6.5, "chromium-26-long-audio-nots-75s": 6.5} {
		recording := load(t, name).data
		o := split(Options{}, recording)
		s := NewSplitter(Options{})
		s.Push(recording)
		for range 99 {
			s.Push(recording[o.clusters[0].Start:o.clusters[len(o.clusters)-1].End])
		}
		l := &s.Index(0).keyFrames
		bytes := 0
		for _, p := range l.pages {
			bytes += cap(p) + int(unsafe.Sizeof(p))
		}
		if each := float64(bytes) / float64(len(l.pages)*pageLen); each > most || len(l.pages) < 1 {
			t.Errorf("%s: %d key frames take %.1f bytes each; want at most %v", name, l.len(), each, most)
		}
	}
}
