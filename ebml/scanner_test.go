package ebml

import (
	"fmt"
	"math/rand/v2"
	"runtime"
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

func TestAnInvalidStreamIsRefusedWhereItIsWrong(t *testing.T) {
	// Data that would be huge, and a stream that has none of it.
	huge := func(id ID) []byte { return AppendHead(nil, id, 1<<56-2) }
	for _, c := range []struct {
		name     string
		document []byte
		last     string // token before the error, "" for none
		reason   Reason
		offset   int64
		path     []ID
		text     string
	}{
		{
			"no ID at the start", data("\x00"), "",
			InvalidID, 0, nil, "ebml: element at 0 has no valid Element ID",
		},
		{
			"no ID after an element", slices.Concat(element(IDVoid), data("\xFF\x80")), "end EC at 0 to 2, in 0, depth 0",
			InvalidID, 2, nil, "ebml: element at 2 has no valid Element ID",
		},
		{
			"no ID in an element of unknown size", unknown(idSegment, unknown(idCluster, data("\x40\x01"))),
			"start 1F43B675 at 12, head 12, size -1, in 18538067, depth 1",
			InvalidID, 24, []ID{idSegment, idCluster}, "ebml: element at 24 (18538067/1F43B675) has no valid Element ID",
		},
		{
			"no size after an ID", unknown(idSegment, data("\xEC\x00")),
			"start 18538067 at 0, head 12, size -1, in 0, depth 0",
			InvalidSize, 12, []ID{idSegment}, "ebml: element at 12 (18538067) has no valid Element Data Size",
		},
		{
			"an element larger than its parent", element(idSegment, data("\xA3\x82a")),
			"start 18538067 at 0, head 5, size 3, in 0, depth 0",
			Overrun, 5, []ID{idSegment, idBytes}, "ebml: element at 5 (18538067/A3) runs past the end of its parent",
		},
		{
			"an element larger than its parent's parent, its parent's size unknown",
			element(idSegment, unknown(idCluster, data("\xA3\x82a"))),
			"start 1F43B675 at 5, head 12, size -1, in 18538067, depth 1",
			Overrun, 17, []ID{idSegment, idCluster, idBytes}, "ebml: element at 17 (18538067/1F43B675/A3) runs past the end of its parent",
		},
		{
			"a head that its parent's end cuts", slices.Concat(element(idSegment, data("\x4F")), data("\xFF\x80")),
			"start 18538067 at 0, head 5, size 1, in 0, depth 0",
			Overrun, 5, []ID{idSegment, idOther}, "ebml: element at 5 (18538067/4FFF) runs past the end of its parent",
		},
		{
			"a head of unknown size that its parent's end cuts", slices.Concat(element(idSegment, data("\x1F\x43\xB6")), data("\x75\xFF")),
			"start 18538067 at 0, head 5, size 3, in 0, depth 0",
			Overrun, 5, []ID{idSegment, idCluster}, "ebml: element at 5 (18538067/1F43B675) runs past the end of its parent",
		},
		{
			"a huge element in one of known size", element(idSegment, huge(idBytes)),
			"start 18538067 at 0, head 5, size 9, in 0, depth 0",
			Overrun, 5, []ID{idSegment, idBytes}, "ebml: element at 5 (18538067/A3) runs past the end of its parent",
		},
		{
			"an unknown size where it must be known", unknown(idSegment, unknown(idGroup)),
			"start 18538067 at 0, head 12, size -1, in 0, depth 0",
			UnexpectedUnknownSize, 12, []ID{idSegment, idGroup}, "ebml: element at 12 (18538067/A0) has an unknown size where it must be known",
		},
		{
			"a Void of unknown size", slices.Concat(unknown(idSegment, unknown(idCluster)), data("\xEC\xFF")),
			"start 1F43B675 at 12, head 12, size -1, in 18538067, depth 1",
			UnexpectedUnknownSize, 24, []ID{idSegment, idCluster, IDVoid}, "ebml: element at 24 (18538067/1F43B675/EC) has an unknown size where it must be known",
		},
		{
			"the stream ends in an ID", unknown(idSegment, data("\x1F\x43\xB6")),
			"start 18538067 at 0, head 12, size -1, in 0, depth 0",
			Truncated, 12, []ID{idSegment}, "ebml: element at 12 (18538067) is cut short by the end of the stream",
		},
		{
			"the stream ends in a size", slices.Concat(element(IDVoid), data("\xEC\x40")), "end EC at 0 to 2, in 0, depth 0",
			Truncated, 2, nil, "ebml: element at 2 is cut short by the end of the stream",
		},
		{
			"the stream ends in data that is stepped over", unknown(idSegment, data("\xEC\x84abc")),
			"start EC at 12, head 2, size 4, in 18538067, depth 1",
			Truncated, 12, []ID{idSegment, IDVoid}, "ebml: element at 12 (18538067/EC) is cut short by the end of the stream",
		},
		{
			"the stream ends in data that is read", unknown(idSegment, data("\xE7\x84abc")),
			"start E7 at 12, head 2, size 4, in 18538067, depth 1",
			Truncated, 12, []ID{idSegment, idNumber}, "ebml: element at 12 (18538067/E7) is cut short by the end of the stream",
		},
		{
			"the stream ends after data that was read", unknown(idSegment, data("\xA3\x84abc")),
			`value A3: "abc", in 18538067, depth 1`,
			Truncated, 12, []ID{idSegment, idBytes}, "ebml: element at 12 (18538067/A3) is cut short by the end of the stream",
		},
		{
			"the stream ends before the data", unknown(idSegment, data("\xEC\x84")),
			"start EC at 12, head 2, size 4, in 18538067, depth 1",
			Truncated, 12, []ID{idSegment, IDVoid}, "ebml: element at 12 (18538067/EC) is cut short by the end of the stream",
		},
		{
			"the stream ends between the children of a master", unknown(idSegment, data("\xA0\x85"), element(idNumber, data("1"))),
			"end E7 at 14 to 17, in A0, depth 2",
			Truncated, 12, []ID{idSegment, idGroup}, "ebml: element at 12 (18538067/A0) is cut short by the end of the stream",
		},
		{
			"the stream ends in an element of unknown size whose parent's size is known",
			append(AppendHead(nil, idSegment, 20), unknown(idCluster)...),
			"start 1F43B675 at 5, head 12, size -1, in 18538067, depth 1",
			Truncated, 5, []ID{idSegment, idCluster}, "ebml: element at 5 (18538067/1F43B675) is cut short by the end of the stream",
		},
		{
			"the stream ends where data of 2^56-2 bytes begins", unknown(idSegment, huge(idBytes)),
			"start A3 at 12, head 9, size 72057594037927934, in 18538067, depth 1",
			Truncated, 12, []ID{idSegment, idBytes}, "ebml: element at 12 (18538067/A3) is cut short by the end of the stream",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newScanner()
			got := scan(s, c.document)
			err := s.Err()
			if err == nil {
				t.Fatalf("no error; got\n\t%s", strings.Join(got, "\n\t"))
			}
			if err.Reason != c.reason || err.Offset != c.offset || !slices.Equal(err.Path, c.path) || err.Error() != c.text {
				t.Errorf("got %v at %d, path %X: %q\nwant %v at %d, path %X: %q",
					err.Reason, err.Offset, err.Path, err, c.reason, c.offset, c.path, c.text)
			}
			last := ""
			if n := len(got); n > 1 {
				last = got[n-2]
			}
			if last != c.last {
				t.Errorf("the last token was %q; want %q", last, c.last)
			}
			if kind := s.Next(); kind != More || s.Err() != err {
				t.Errorf("after the error, Next() = %v and Err() = %v", kind, s.Err())
			}
			expect(t, c.document, got)
		})
	}
}

func TestAScannerWithoutEndsAllowsNoUnknownSize(t *testing.T) {
	var s Scanner
	s.Push(unknown(idSegment))
	if kind := s.Next(); kind != More || s.Err() == nil || s.Err().Reason != UnexpectedUnknownSize {
		t.Errorf("Next() = %v, Err() = %v; want an unexpected unknown size", kind, s.Err())
	}
}

func TestAnElementOfUnknownSizeThatIsNotEnteredIsAnError(t *testing.T) {
	for _, c := range []struct {
		name string
		do   func(*Scanner)
	}{
		{"when it is stepped over", func(*Scanner) {}},
		{"when it is read", func(s *Scanner) { s.Read(8) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newScanner()
			s.Push(unknown(idSegment, unknown(idCluster)))
			s.Next()
			s.Enter()
			if kind := s.Next(); kind != Start || s.Head().ID != idCluster {
				t.Fatalf("got %v of %X; want the start of the Cluster", kind, s.Head().ID)
			}
			c.do(s)
			if kind := s.Next(); kind != More || s.Err() == nil {
				t.Fatalf("Next() = %v, Err() = %v; want an error", kind, s.Err())
			}
			err := s.Err()
			if err.Reason != UnexpectedUnknownSize || err.Offset != 12 || !slices.Equal(err.Path, []ID{idSegment, idCluster}) {
				t.Errorf("got %v at %d, path %X", err.Reason, err.Offset, err.Path)
			}
		})
	}
}

func TestElementsMayBeNestedAsDeepAsMaxDepthAndNoDeeper(t *testing.T) {
	nested := func(n int) []byte {
		b := element(idGroup)
		for range n - 1 {
			b = element(idGroup, b)
		}
		return b
	}
	for _, c := range []struct {
		name     string
		maxDepth int
		allowed  int
	}{
		{"one", 1, 1},
		{"five", 5, 5},
		{"the default for 0", 0, DefaultMaxDepth},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newScanner()
			s.MaxDepth = c.maxDepth
			scan(s, nested(c.allowed))
			if err := s.Err(); err != nil {
				t.Errorf("%d levels: %v", c.allowed, err)
			}

			s = newScanner()
			s.MaxDepth = c.maxDepth
			document := nested(c.allowed + 1)
			want := scan(s, document)
			err := s.Err()
			offset := int64(2 * c.allowed) // of the innermost, as each head has two octets
			if err == nil || err.Reason != TooDeep || err.Offset != offset || len(err.Path) != c.allowed+1 {
				t.Errorf("%d levels: %v; want that the one at %d is too deep", c.allowed+1, err, offset)
			}
			for _, chunks := range cuttings(document) {
				s := newScanner()
				s.MaxDepth = c.maxDepth
				if got := scan(s, chunks...); !slices.Equal(got, want) {
					t.Fatalf("cut into %q, got %q; want %q", chunks, got, want)
				}
			}
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

func TestAClaimOfSizeAllocatesNothing(t *testing.T) {
	const pushed = 100
	s := newScanner()
	s.Push(append(AppendHead(nil, idBytes, 1<<56-2), make([]byte, pushed)...))
	if kind := s.Next(); kind != Start {
		t.Fatalf("got %v; want the start of the element", kind)
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	s.Read(1 << 50)
	kind := s.Next()
	runtime.ReadMemStats(&after)
	if kind != More || s.Err() != nil {
		t.Errorf("Next() = %v, %v; want More", kind, s.Err())
	}
	// The bytes that came are kept; the rest of the bound is for what the
	// runtime itself may allocate meanwhile.
	if n := after.TotalAlloc - before.TotalAlloc; n > 64<<10 {
		t.Errorf("allocated %d bytes for an element of which %d came", n, pushed)
	}
}

func TestPushingAllocatesNothingOnceTheScannerIsWarm(t *testing.T) {
	s := newScanner()
	s.Push(unknown(idSegment, unknown(idCluster)))
	for s.Next() == Start {
		s.Enter()
	}
	period := slices.Concat(
		element(idNumber, data("12345678")),
		element(idBytes, make([]byte, 200)),
		element(idGroup, element(idNumber, data("12")), element(idBytes, make([]byte, 20))),
		element(IDVoid, make([]byte, 50)),
	)
	for _, c := range []struct {
		name string
		cut  int // where the period is cut in two chunks
	}{
		{"inside a value that is read", 5},
		{"inside a head", 11},
		{"inside data that is stepped over", 100},
		{"inside a master", 10 + 203 + 4},
		{"nowhere", len(period)},
	} {
		t.Run("cut "+c.name, func(t *testing.T) {
			ended := 0
			push := func(chunk []byte) {
				s.Push(chunk)
				for {
					switch s.Next() {
					case Start:
						switch s.Head().ID {
						case idGroup:
							s.Enter()
						case idNumber:
							s.Read(8)
						case idBytes:
							s.Read(100)
						}
					case End:
						ended++
					case More:
						return
					}
				}
			}
			allocs := testing.AllocsPerRun(100, func() {
				push(period[:c.cut])
				push(period[c.cut:])
			})
			if allocs != 0 || s.Err() != nil {
				t.Errorf("%v allocations, error %v", allocs, s.Err())
			}
			if ended != 101*6 { // AllocsPerRun runs once more, to warm up
				t.Errorf("%d elements ended; want %d", ended, 101*6)
			}
		})
	}
}

func TestEveryReasonIsAPredicate(t *testing.T) {
	for reason, want := range map[Reason]string{
		0:                     "is valid",
		InvalidID:             "has no valid Element ID",
		InvalidSize:           "has no valid Element Data Size",
		Overrun:               "runs past the end of its parent",
		UnexpectedUnknownSize: "has an unknown size where it must be known",
		TooDeep:               "is nested too deep",
		Truncated:             "is cut short by the end of the stream",
	} {
		if got := reason.String(); got != want {
			t.Errorf("Reason(%d) %q; want %q", reason, got, want)
		}
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

func TestWhatAnErrorLeavesUnreadIsTheSameHoweverTheStreamIsCut(t *testing.T) {
	// An ID of two octets, and then no size: at 4.
	stream := []byte{0xEC, 0x82, 1, 2, 0x42, 0x86, 0x00, 7, 8, 9}
	for cut := range stream {
		var s Scanner
		for _, chunk := range [][]byte{stream[:cut], stream[cut:]} {
			if s.Err() != nil {
				break
			}
			s.Push(chunk)
			for s.Next() != More {
			}
		}
		held, chunk, offset := s.Unread()
		if got := append(append([]byte(nil), held...), chunk...); s.Err() == nil || offset != 4 || string(got) != string(stream[4:4+len(got)]) {
			t.Errorf("cut at %d: % x at %d, error %v", cut, got, offset, s.Err())
		}
	}
}
