package ebml

// Any bytes at all, cut anywhere. `make fuzz` looks for some that break what must
// always hold; what it finds is kept in testdata/fuzz and tried by every test run.

import (
	"bytes"
	"slices"
	"strings"
	"testing"
)

// cutBy cuts a document into chunks whose lengths are those of cuts, over and
// over: single bytes if there are none.
func cutBy(document, cuts []byte) (chunks [][]byte) {
	if len(bytes.Trim(cuts, "\x00")) == 0 {
		cuts = []byte{1}
	}
	for i := 0; len(document) > 0; i++ {
		n := min(int(cuts[i%len(cuts)]), len(document))
		chunks = append(chunks, document[:n])
		document = document[n:]
	}
	return chunks
}

func FuzzScanner(f *testing.F) {
	header := element(IDEBML, element(IDDocType, data("test")))
	body := slices.Concat(
		element(IDCRC32, data("1234")), element(idNumber, data("\x01\x02")), element(idOther, data("x")),
		element(idGroup, element(idBytes, data("abcdefgh")), element(idNumber)))
	deep := element(idBytes, data("deep"))
	for range DefaultMaxDepth + 1 {
		deep = element(idGroup, deep)
	}
	for _, document := range [][]byte{
		nil,
		header,
		slices.Concat(header, unknown(idSegment, unknown(idCluster, body), element(idCluster, body), element(idCues, data("cues")), unknown(idCluster))),
		slices.Concat(header, element(idSegment, unknown(idCluster, body), unknown(idCluster)), header),
		unknown(idSegment, unknown(idCluster, body)[:40]),
		unknown(idSegment, unknown(idSegment), unknown(idSegment, unknown(idCluster))),
		deep,
		unknown(idGroup, body),     // which may not be
		data("\xA0\x83\xA3\x82ab"), // a child that is larger than its parent
		data("\xA0\x81\xA3\x80"),   // a child whose head is
		data("\xE7\xFF"),           // unknown in one octet
		append(data("\xA0\x80\xA0\x40\x90\xA3\xFF"), make([]byte, 142)...), // likewise, in one that would have room if it were a size
		data("\xE7\x40\x01x\xE7\x01\x00\x00\x00\x00\x00\x00\x01y"),         // sizes that are longer than they need be
		data("\xE7\x01\xFF\xFF\xFF\xFF\xFF\xFF\xFEx"),                      // the largest there is
		data("\xA0\x01\xFF\xFF\xFF\xFF\xFF\xFF\xFE\xE7\x81x"),              // likewise, with a child
		data("\xFF\x80"), data("\x00\x80"), data("\xE7\x00"), // what is no ID or size
		data("\x40\x7E\x80"), data("\x7F\xFF\x80"), data("\x80\x80"), // an ID that is too long, all ones, all zeros
		data("\x1F"), data("\x1F\x43\xB6"), data("\x1F\x43\xB6\x75\x01\xFF\xFF"),
	} {
		for _, cuts := range []string{"", "\x03", "\x00\x01\x00\x0D\x05"} {
			f.Add(document, data(cuts))
		}
	}
	f.Fuzz(func(t *testing.T, document, cuts []byte) {
		want := scan(newScanner(), document)
		if got := scan(newScanner(), cutBy(document, cuts)...); !slices.Equal(got, want) {
			t.Errorf("cut, got\n\t%s\nwant\n\t%s", strings.Join(got, "\n\t"), strings.Join(want, "\n\t"))
		}
		if got := scanBy(newScanner(), quickly, cutBy(document, cuts)...); !slices.Equal(got, want) {
			t.Errorf("cut, with ReadNext, got\n\t%s\nwant\n\t%s", strings.Join(got, "\n\t"), strings.Join(want, "\n\t"))
		}
		scanSound(t, document, cutBy(document, cuts))
	})
}

// scanSound scans a document and fails the test where a token cannot be true, by
// the document and the tokens before it, or the scanner keeps too much.
func scanSound(t *testing.T, document []byte, chunks [][]byte) {
	const most = 8 // that is read of an element
	s := newScanner()
	var open []Head // entered, and not yet ended
	var cur *Head   // started, and neither entered nor ended
	var at int64    // what is before it has been told
	var pushed int64
	drain := func() {
		for kind := s.Next(); kind != More; kind = s.Next() {
			h := s.Head()
			if kind == End && cur == nil {
				if len(open) == 0 || h != open[len(open)-1] {
					t.Fatalf("%X at %d ends, and is not open: %v", h.ID, h.Offset, open)
				}
				open = open[:len(open)-1]
			} else if kind != Start && (cur == nil || h != *cur) {
				t.Fatalf("%d of %+v, where %v is under way", kind, h, cur)
			}
			if parent := s.Parent(); s.Depth() != len(open) || len(open) > 0 && parent != open[len(open)-1].ID || len(open) == 0 && parent != 0 {
				t.Fatalf("%X at %d is in %X at depth %d; open are %v", h.ID, h.Offset, parent, s.Depth(), open)
			}
			switch kind {
			case Start:
				if cur != nil || h.Offset != at || h.DataOffset() > pushed {
					t.Fatalf("%+v starts, of %d bytes pushed; %d is next and %v under way", h, pushed, at, cur)
				}
				if again, reason := ParseHead(document[h.Offset:], h.Offset); again != h || reason != 0 {
					t.Fatalf("the head is %+v, and %+v alone, %v", h, again, reason)
				}
				for _, o := range open {
					if o.Size != UnknownSize && h.End() > o.End() {
						t.Fatalf("%+v runs past %+v", h, o)
					}
				}
				at = h.DataOffset()
				switch h.ID {
				case IDEBML, idSegment, idCluster, idGroup:
					if s.Enter(); s.Err() == nil {
						open = append(open, h)
					}
				default:
					cur = &h
					s.Read(int(h.Offset % (most + 1)))
				}
			case Value:
				want := min(h.Offset%(most+1), h.Size)
				if !bytes.Equal(s.Data(), document[h.DataOffset():h.DataOffset()+want]) {
					t.Fatalf("the data of %+v is %q", h, s.Data())
				}
			case End:
				end := s.EndOffset()
				if end < at || end > pushed || h.Size != UnknownSize && end != h.End() {
					t.Fatalf("%+v ends at %d, of %d bytes pushed; %d is next", h, end, pushed, at)
				}
				if cur == nil && end != at {
					t.Fatalf("%+v ends at %d, its last child at %d", h, end, at)
				}
				cur, at = nil, end
			}
		}
		if len(s.data) > most || s.Err() == nil && len(s.chunk) > 0 || s.nPart >= MaxHeadLen {
			t.Fatalf("it keeps %d bytes of data, %d of a head and %d of the chunk", len(s.data), s.nPart, len(s.chunk))
		}
	}
	for _, chunk := range chunks {
		pushed += int64(len(chunk))
		s.Push(chunk)
		drain()
	}
	s.Finish()
	drain()
	if err := s.Err(); err != nil {
		if err.Offset < 0 || err.Offset > int64(len(document)) || len(err.Path) < len(open) {
			t.Fatalf("error %v, offset %d of %d, path %X; open are %v", err, err.Offset, len(document), err.Path, open)
		}
	} else if len(open) > 0 || cur != nil || at != int64(len(document)) {
		t.Fatalf("it came to %d of %d, with %v open and %v under way", at, len(document), open, cur)
	}
}
