package ebml

// What the scanner refuses, where, and what it says of it.

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
)

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

func TestAnErrorIsItsReason(t *testing.T) {
	var s Scanner
	s.Push([]byte{0xEC, 0x81})
	s.Finish()
	s.Next()
	s.Next()
	err := fmt.Errorf("of a stream: %w", s.Err())
	if !errors.Is(err, Truncated) || errors.Is(err, Overrun) {
		t.Errorf("%v is Truncated: %v; and Overrun: %v", err, errors.Is(err, Truncated), errors.Is(err, Overrun))
	}
	var reason Reason
	if !errors.As(err, &reason) || reason.Error() != "ebml: element is cut short by the end of the stream" {
		t.Errorf("as a Reason it is %v", reason)
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

func TestWhatHasBeenLookedAtIsInWhatIsUnread(t *testing.T) {
	value := element(idNumber, data("12345678"))
	for _, c := range []struct {
		name   string
		stream []byte
		want   int // looked at
	}{
		{"an error of the element itself", value[:5], 0},
		{"the value is given", value, len(value)},
		{"what is after the value is stepped over", element(idBytes, data("123456789012"))[:12], 0},
		{"an error in the head after it", slices.Concat(value, data("\x42\x86\xFF")), 0},
		{"an error in the ID after it", slices.Concat(value, data("\x00")), 0},
	} {
		for _, chunk := range []int{1, 2, 3, 100} {
			s := Scanner{Ends: func(open, id ID) bool { return false }}
			for chunk := range slices.Chunk(c.stream, chunk) {
				s.Push(chunk)
				for kind := s.Next(); kind != More; kind = s.Next() {
					if kind == Start {
						s.Read(8)
					}
					if kind == Value && len(c.stream) == len(value) {
						break // asked before it goes on
					}
				}
			}
			held, rest, _ := s.Unread()
			if got := s.Looked(); got != c.want || got > len(held)+len(rest) {
				t.Errorf("%s, in chunks of %d: %d bytes of %d; want %d", c.name, chunk, got, len(held)+len(rest), c.want)
			}
		}
	}
}
