package webm

// How often the source of a plan is read, and how much of it.

import (
	"bytes"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
)

// A countedSource is a source that counts the calls and the bytes that are read of it, and
// has a hole which no call may touch.
type countedSource struct {
	data        []byte
	calls, read int
	hole        Range
}

var errHole = errors.New("nothing can be read there")

func (s *countedSource) ReadAt(p []byte, at int64) (int, error) {
	s.calls++
	if at < s.hole.End && s.hole.Start < at+int64(len(p)) {
		return 0, errHole
	}
	n, err := bytes.NewReader(s.data).ReadAt(p, at)
	s.read += n
	return n, err
}

// tinyClusters is a stream of n clusters of 18 bytes, each with a block of a track.
func tinyClusters(n int, entry []byte, number byte, flags byte) []byte {
	b := stream(tracks(entry))
	for i := range n {
		time := []byte{byte(IDTimestamp), 0x83, byte(i >> 16), byte(i >> 8), byte(i)}
		b = append(b, element(IDCluster, time, simpleBlock(number, 0, flags, "ab"))...)
	}
	return b
}

func TestOneCallReadsManySmallPiecesOfAPlan(t *testing.T) {
	const n = 20_000
	for _, flags := range []byte{0, 0x80} { // as Firefox records it, so that each is edited, and not
		stream := tinyClusters(n, opus, 2, flags)
		plan, err := indexOf(t, stream).Seekable()
		if err != nil {
			t.Fatal(err)
		}
		source := &countedSource{data: stream}
		var out bytes.Buffer
		if _, err := plan.CopyTo(&out, source); err != nil || !bytes.Equal(out.Bytes(), made(t, plan, stream)) {
			t.Fatalf("%d bytes, %v", out.Len(), err)
		}
		if most := len(stream)/(aheadLen-smallLen) + 8; source.calls > most {
			t.Errorf("%d calls for %d bytes", source.calls, len(stream))
		}
		if source.read > len(stream) {
			t.Errorf("%d bytes are read of %d", source.read, len(stream))
		}
	}
}

func TestPiecesAreReadTogetherWhereThatSavesCalls(t *testing.T) {
	source := make([]byte, 1<<20)
	for i := range source {
		source[i] = byte(i ^ i>>8)
	}
	at := func(start, size int64) Piece { return Piece{Range: Range{start, start + size}} }
	head := Piece{Data: []byte("head")}
	for _, c := range []struct {
		name        string
		pieces      []Piece
		calls, read int
	}{
		{"one", []Piece{at(100, 10)}, 1, 10},
		{"near to each other", []Piece{at(100, 10), head, at(120, 10), head, at(4226, 10)}, 1, 4136},
		{"the last of them far away", []Piece{at(100, 10), head, at(120, 10), head, at(4227, 10)}, 2, 40},
		{"backwards", []Piece{at(120, 10), at(100, 10)}, 2, 20},
		{"backwards, in what has been read", []Piece{at(100, 10), at(120, 10), at(100, 5)}, 1, 30},
		{"one of them large", []Piece{at(0, 10), head, at(20, smallLen), at(20+smallLen+10, 10)}, 3, 20 + smallLen},
		{"more than a window", []Piece{at(0, 8000), at(8010, 8000), at(16020, 8000), at(24030, 8000), at(32040, 8000), at(40050, 8000), at(48060, 8000), at(56070, 8000), at(64080, 8000)}, 2, 64070 + 8000},
	} {
		t.Run(c.name, func(t *testing.T) {
			plan := &Plan{}
			var want []byte
			for _, p := range c.pieces {
				plan.add(Piece{Data: bytes.Clone(p.Data), Range: p.Range})
				want = append(append(want, p.Data...), source[p.Start:p.End]...)
			}
			counted := &countedSource{data: source}
			var out bytes.Buffer
			if _, err := plan.CopyTo(&out, counted); err != nil || !bytes.Equal(out.Bytes(), want) {
				t.Errorf("%d bytes of %d, %v", out.Len(), len(want), err)
			}
			if counted.calls != c.calls || counted.read != c.read {
				t.Errorf("%d calls read %d bytes; want %d and %d", counted.calls, counted.read, c.calls, c.read)
			}
		})
	}
}

func TestPiecesOfTwoSourcesAreNotMistakenForEachOther(t *testing.T) {
	a, b := []byte(strings.Repeat("a", 100)), []byte(strings.Repeat("b", 100))
	plan := &Plan{}
	for i := range int64(10) {
		plan.add(Piece{Source: int(i / 2 % 2), Range: Range{10 * i, 10*i + 5}})
	}
	if got, want := string(made(t, plan, a, b)), strings.Repeat("aaaaaaaaaabbbbbbbbbb", 3)[:50]; got != want {
		t.Errorf("it makes %q; want %q", got, want)
	}
}

// What is read ahead in vain costs nothing that is there.
func TestWhatCannotBeReadCostsOnlyThePiecesThatAreThere(t *testing.T) {
	data := slices.Repeat([]byte("0123456789"), 10)
	plan := &Plan{}
	for i := range int64(10) {
		plan.add(Piece{Range: Range{10 * i, 10*i + 5}})
	}
	for _, c := range []struct {
		name   string
		source io.ReaderAt
		want   int
		err    error
	}{
		{"a hole", &countedSource{data: data, hole: Range{42, 43}}, 20, errHole},
		{"a hole between pieces", &countedSource{data: data, hole: Range{46, 48}}, 50, nil},
		{"an early end", &countedSource{data: data[:42]}, 22, io.ErrUnexpectedEOF},
	} {
		var out bytes.Buffer
		n, err := plan.CopyTo(&out, c.source)
		if want := strings.Repeat("01234", 10)[:c.want]; out.String() != want || n != int64(c.want) || err != c.err {
			t.Errorf("%s: %q, %d bytes, %v; want %q, %v", c.name, out.String(), n, err, want, c.err)
		}
	}
}
