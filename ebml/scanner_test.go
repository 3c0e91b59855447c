package ebml

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// The document type of these tests: Segments hold Clusters, which hold Groups,
// numbers and bytes. A Cluster of unknown size ends at a Cluster, Cues or
// Segment.
const (
	idSegment ID = 0x18538067
	idCluster ID = 0x1F43B675
	idCues    ID = 0x1C53BB6B
	idGroup   ID = 0xA0
	idNumber  ID = 0xE7
	idBytes   ID = 0xA3
	idOther   ID = 0x4FFF // of which this document type knows nothing
)

func ends(open, id ID) bool {
	switch id {
	case IDEBML, idSegment:
		return open == idSegment || open == idCluster
	case idCluster, idCues:
		return open == idCluster
	}
	return false
}

// element is an element of known size, and unknown one of unknown size.
func element(id ID, children ...[]byte) []byte {
	return AppendBinary(nil, id, slices.Concat(children...))
}

func unknown(id ID, children ...[]byte) []byte {
	return append(AppendHead(nil, id, UnknownSize), slices.Concat(children...)...)
}

func data(s string) []byte { return []byte(s) }

// newScanner returns a scanner for the document type of these tests.
func newScanner() *Scanner { return &Scanner{Ends: ends} }

// scan pushes the chunks and finishes. It returns a line for each token and for
// the error, with all that the scanner says at that point. Masters are entered;
// of a number all is read, of bytes 3, then 6, then 2; the rest is stepped over.
func scan(s *Scanner, chunks ...[]byte) []string {
	return scanBy(s, (*Scanner).Next, chunks...)
}

// quickly is Next, but for bytes that ReadNext finds, in elements that can have them.
func quickly(s *Scanner) Kind {
	switch s.Parent() {
	case idSegment, idCluster, idGroup:
		if s.ReadNext(idBytes, 3, 1<<62) {
			return Value
		}
	}
	return s.Next()
}

func scanBy(s *Scanner, next func(*Scanner) Kind, chunks ...[]byte) []string {
	var lines []string
	tell := func(format string, args ...any) { lines = append(lines, fmt.Sprintf(format, args...)) }
	started := int64(-1) // the last offset that start has told
	drain := func() {
		for {
			kind := next(s)
			if kind == More {
				return
			}
			h, in := s.Head(), fmt.Sprintf("in %X, depth %d", s.Parent(), s.Depth())
			if kind == Start {
				started = h.Offset
			}
			if kind == Value && h.Offset > started {
				started = h.Offset // by ReadNext
				tell("start %X at %d, head %d, size %d, %s", h.ID, h.Offset, h.Len, h.Size, in)
			}
			switch kind {
			case Start:
				tell("start %X at %d, head %d, size %d, %s", h.ID, h.Offset, h.Len, h.Size, in)
				switch h.ID {
				case IDEBML, idSegment, idCluster, idGroup:
					s.Enter()
				case idNumber:
					s.Read(8)
				case idBytes:
					s.Read(3)
				}
			case Value:
				n := len(s.Data())
				tell("value %X: %q, %s", h.ID, s.Data(), in)
				if h.ID == idBytes && n == 3 && h.Size > 3 {
					s.Read(6)
				} else if h.ID == idBytes && n > 3 {
					s.Read(2)
				}
			case End:
				tell("end %X at %d to %d, %s", h.ID, h.Offset, s.EndOffset(), in)
			}
		}
	}
	for _, chunk := range chunks {
		// A copy that is spoilt afterwards shows a scanner that keeps it.
		chunk = slices.Clone(chunk)
		s.Push(chunk)
		drain()
		for i := range chunk {
			chunk[i] = 0xEE
		}
	}
	s.Finish()
	drain()
	if err := s.Err(); err != nil {
		tell("error %v, path %X: %v", err.Reason, err.Path, err)
	}
	return lines
}

// cuttings are ways to cut b: at each byte, at each single place, and at random
// places, some of them several times so that chunks are empty.
func cuttings(b []byte) [][][]byte {
	all := [][][]byte{slices.Collect(slices.Chunk(b, 1))}
	for at := range len(b) + 1 {
		all = append(all, [][]byte{b[:at], b[at:]})
	}
	random := rand.New(rand.NewPCG(3, 4))
	for range 100 {
		var chunks [][]byte
		for rest := b; len(rest) > 0; {
			n := random.IntN(min(len(rest), 12) + 1)
			chunks = append(chunks, rest[:n])
			rest = rest[n:]
		}
		all = append(all, chunks)
	}
	return all
}

// expect fails the test where the document does not give these lines, however it
// is cut.
func expect(t *testing.T, document []byte, want []string) {
	t.Helper()
	if got := scan(newScanner(), document); !slices.Equal(got, want) {
		t.Errorf("whole, got\n\t%s\nwant\n\t%s", strings.Join(got, "\n\t"), strings.Join(want, "\n\t"))
	}
	if got := scanBy(newScanner(), quickly, document); !slices.Equal(got, want) {
		t.Errorf("whole, with ReadNext, got\n\t%s\nwant\n\t%s", strings.Join(got, "\n\t"), strings.Join(want, "\n\t"))
	}
	for _, chunks := range cuttings(document) {
		for _, next := range []func(*Scanner) Kind{(*Scanner).Next, quickly} {
			if got := scanBy(newScanner(), next, chunks...); !slices.Equal(got, want) {
				t.Fatalf("cut into %q, got\n\t%s\nwant\n\t%s", chunks, strings.Join(got, "\n\t"), strings.Join(want, "\n\t"))
			}
		}
	}
}

func TestTheTokensAreTheSameHoweverTheStreamIsCut(t *testing.T) {
	document := slices.Concat(
		element(IDEBML, element(IDDocType, data("test"))),
		unknown(idSegment,
			element(IDVoid, data("\x1F\x43\xB6\x75")), // a Cluster ID that is none
			unknown(idCluster,
				element(IDCRC32, data("1234")),
				element(idNumber, data("\x01\x02")),
				element(IDVoid, data("abc")),
				element(idOther, data("x")),
				element(idGroup, element(idBytes, data("abcdefgh")), element(idNumber)),
			),
			element(idCluster,
				element(idBytes, data("\x1F\x43\xB6\x75\xFF")),
				element(idGroup),
			),
			element(idCues, data("cues")),
			unknown(idCluster), // nothing in it, and the stream ends
		),
	)
	expect(t, document, []string{
		"start 1A45DFA3 at 0, head 5, size 7, in 0, depth 0",
		"start 4282 at 5, head 3, size 4, in 1A45DFA3, depth 1",
		"end 4282 at 5 to 12, in 1A45DFA3, depth 1",
		"end 1A45DFA3 at 0 to 12, in 0, depth 0",
		"start 18538067 at 12, head 12, size -1, in 0, depth 0",
		"start EC at 24, head 2, size 4, in 18538067, depth 1",
		"end EC at 24 to 30, in 18538067, depth 1",
		"start 1F43B675 at 30, head 12, size -1, in 18538067, depth 1",
		"start BF at 42, head 2, size 4, in 1F43B675, depth 2",
		"end BF at 42 to 48, in 1F43B675, depth 2",
		"start E7 at 48, head 2, size 2, in 1F43B675, depth 2",
		`value E7: "\x01\x02", in 1F43B675, depth 2`,
		"end E7 at 48 to 52, in 1F43B675, depth 2",
		"start EC at 52, head 2, size 3, in 1F43B675, depth 2",
		"end EC at 52 to 57, in 1F43B675, depth 2",
		"start 4FFF at 57, head 3, size 1, in 1F43B675, depth 2",
		"end 4FFF at 57 to 61, in 1F43B675, depth 2",
		"start A0 at 61, head 2, size 12, in 1F43B675, depth 2",
		"start A3 at 63, head 2, size 8, in A0, depth 3",
		`value A3: "abc", in A0, depth 3`,
		`value A3: "abcdef", in A0, depth 3`,
		`value A3: "ab", in A0, depth 3`,
		"end A3 at 63 to 73, in A0, depth 3",
		"start E7 at 73, head 2, size 0, in A0, depth 3",
		`value E7: "", in A0, depth 3`,
		"end E7 at 73 to 75, in A0, depth 3",
		"end A0 at 61 to 75, in 1F43B675, depth 2",
		"end 1F43B675 at 30 to 75, in 18538067, depth 1",
		"start 1F43B675 at 75, head 5, size 9, in 18538067, depth 1",
		"start A3 at 80, head 2, size 5, in 1F43B675, depth 2",
		`value A3: "\x1fC\xb6", in 1F43B675, depth 2`,
		`value A3: "\x1fC\xb6u\xff", in 1F43B675, depth 2`, // all there is, less than was asked for
		`value A3: "\x1fC", in 1F43B675, depth 2`,
		"end A3 at 80 to 87, in 1F43B675, depth 2",
		"start A0 at 87, head 2, size 0, in 1F43B675, depth 2",
		"end A0 at 87 to 89, in 1F43B675, depth 2",
		"end 1F43B675 at 75 to 89, in 18538067, depth 1",
		"start 1C53BB6B at 89, head 5, size 4, in 18538067, depth 1",
		"end 1C53BB6B at 89 to 98, in 18538067, depth 1",
		"start 1F43B675 at 98, head 12, size -1, in 18538067, depth 1",
		"end 1F43B675 at 98 to 110, in 18538067, depth 1",
		"end 18538067 at 12 to 110, in 0, depth 0",
	})
}

func TestAnElementOfUnknownSizeEnds(t *testing.T) {
	open := unknown(idSegment, unknown(idCluster, element(idNumber, data("1")))) // ends at 27
	for _, c := range []struct {
		name     string
		document []byte
		want     []string // the Ends of Segment and Cluster
	}{
		{
			"at a sibling", slices.Concat(open, element(idCluster)),
			[]string{"1F43B675 to 27", "1F43B675 to 32", "18538067 to 32"},
		},
		{
			"at a sibling of unknown size", slices.Concat(open, unknown(idCluster)),
			[]string{"1F43B675 to 27", "1F43B675 to 39", "18538067 to 39"},
		},
		{
			"at a sibling of its parent's schema", slices.Concat(open, element(idCues, data("1"))),
			[]string{"1F43B675 to 27", "18538067 to 33"},
		},
		{
			"at its parent, which ends as well", slices.Concat(open, element(idSegment)),
			[]string{"1F43B675 to 27", "18538067 to 27", "18538067 to 32"},
		},
		{
			"at another document, with its parent", slices.Concat(open, element(IDEBML)),
			[]string{"1F43B675 to 27", "18538067 to 27"},
		},
		{
			"at the end of its parent of known size",
			slices.Concat(element(idSegment, unknown(idCluster, element(idNumber, data("1")))), element(IDVoid)),
			[]string{"1F43B675 to 20", "18538067 to 20"},
		},
		{
			"at the end of its grandparent of known size",
			slices.Concat(element(IDEBML, unknown(idSegment, unknown(idCluster))), element(IDVoid)),
			[]string{"1F43B675 to 29", "18538067 to 29"},
		},
		{
			"at the end of its parent of known size, with nothing in it",
			slices.Concat(element(idSegment, unknown(idCluster)), element(IDVoid)),
			[]string{"1F43B675 to 17", "18538067 to 17"},
		},
		{
			"at the end of the stream", open,
			[]string{"1F43B675 to 27", "18538067 to 27"},
		},
		{
			"not at Void, CRC-32 or an ID that is not known",
			slices.Concat(open, element(IDVoid, data("1")), element(IDCRC32, data("1234")), element(idOther), element(idCues)),
			[]string{"1F43B675 to 39", "18538067 to 44"},
		},
		{
			"not at an ID in the data of a child", slices.Concat(open, element(idBytes, element(idCluster), element(idSegment))),
			[]string{"1F43B675 to 39", "18538067 to 39"},
		},
		{
			"not where a child of known size holds its ID", slices.Concat(open, element(idGroup, element(idCues))),
			[]string{"1F43B675 to 34", "18538067 to 34"},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			all := scan(newScanner(), c.document)
			var got []string
			for _, line := range all {
				var id string
				var start, end int
				if n, _ := fmt.Sscanf(line, "end %s at %d to %d,", &id, &start, &end); n == 3 && (id == "18538067" || id == "1F43B675") {
					got = append(got, fmt.Sprintf("%s to %d", id, end))
				}
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("got %q\nwant %q\nin\n\t%s", got, c.want, strings.Join(all, "\n\t"))
			}
			expect(t, c.document, all)
		})
	}
}

func TestThePathNamesWhatIsOpenAndWhatIsUnderWay(t *testing.T) {
	s := newScanner()
	path := func() string {
		var ids []string
		for _, h := range s.Path() {
			ids = append(ids, fmt.Sprintf("%X@%d", h.ID, h.Offset))
		}
		return strings.Join(ids, "/")
	}
	check := func(kind Kind, want string) {
		t.Helper()
		if got := s.Next(); got != kind || path() != want {
			t.Errorf("got %v with path %q; want %v with %q", got, path(), kind, want)
		}
	}
	s.Push(unknown(idSegment, unknown(idCluster, element(idNumber, data("1")))))
	check(Start, "18538067@0")
	s.Enter()
	check(Start, "18538067@0/1F43B675@12")
	s.Enter()
	check(Start, "18538067@0/1F43B675@12/E7@24")
	s.Read(1)
	check(Value, "18538067@0/1F43B675@12/E7@24")
	check(End, "18538067@0/1F43B675@12")
	check(More, "18538067@0/1F43B675@12")
	s.Push(AppendHead(nil, idCues, 5))
	check(End, "18538067@0/1C53BB6B@27") // what ended the Cluster is under way already
	check(Start, "18538067@0/1C53BB6B@27")
	check(More, "18538067@0/1C53BB6B@27")
}

func TestFinishLeavesNothingOpenAndNothingMoreToCome(t *testing.T) {
	for _, c := range []struct {
		name   string
		stream []byte
		want   []string
	}{
		{"of an empty stream", nil, nil},
		{"after an element of known size", element(IDVoid), []string{
			"start EC at 0, head 2, size 0, in 0, depth 0",
			"end EC at 0 to 2, in 0, depth 0",
		}},
		{"after elements of unknown size", unknown(idSegment, unknown(idCluster)), []string{
			"start 18538067 at 0, head 12, size -1, in 0, depth 0",
			"start 1F43B675 at 12, head 12, size -1, in 18538067, depth 1",
			"end 1F43B675 at 12 to 24, in 18538067, depth 1",
			"end 18538067 at 0 to 24, in 0, depth 0",
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			expect(t, c.stream, c.want)
			s := newScanner()
			scan(s, c.stream)
			s.Finish()
			if kind := s.Next(); kind != More || s.Err() != nil || s.Depth() != 0 || len(s.Path()) != 0 || s.Parent() != 0 {
				t.Errorf("after the end: %v, error %v, path %v", kind, s.Err(), s.Path())
			}
		})
	}
}

func TestAScannerCanBeginInsideOfElements(t *testing.T) {
	// A Void that ends where the element around it does, at 1000 + 2 + 5.
	var s Scanner
	s.Reset(1002, Head{ID: 0xAE, Offset: 1000, Len: 2, Size: 5})
	s.Push([]byte{0xEC, 0x83, 1, 2, 3, 0xFF})
	for _, want := range []struct {
		kind   Kind
		id     ID
		offset int64
	}{{Start, IDVoid, 1002}, {End, IDVoid, 1002}, {End, 0xAE, 1000}} {
		if kind := s.Next(); kind != want.kind || s.Head().ID != want.id || s.Head().Offset != want.offset {
			t.Fatalf("%v of %v; want %v", kind, s.Head(), want)
		}
	}
	if s.EndOffset() != 1007 {
		t.Errorf("the element around it ends at %d", s.EndOffset())
	}
}
