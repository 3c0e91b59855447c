package webm

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/webmend/webmend/ebml"
)

// walk pushes the chunks and finishes. It returns a line for each element, and
// the error.
func walk(chunks ...[]byte) (lines []string, err *Error) {
	w := NewWalker(0, func(e Element) {
		lines = append(lines, fmt.Sprintf("%d %s %v at %d, head %d, size %d: %x", e.Level, e.Name, e.Type, e.Offset, e.Len, e.Size, e.Data))
	})
	var buffer []byte // the same for all chunks, to show a walker that keeps them
	for _, chunk := range chunks {
		buffer = append(buffer[:0], chunk...)
		if e := w.Push(buffer); e != nil {
			errors.As(e, &err)
		}
	}
	if e := w.Finish(); e != nil {
		var last *Error
		if errors.As(e, &last); err != nil && last != err {
			panic(fmt.Sprintf("Push said %v and Finish %v", err, last))
		}
		err = last
	}
	return lines, err
}

func TestAWalkOfARecordingIsThatOfTheReference(t *testing.T) {
	eachFixture(t, func(t *testing.T, f fixture) {
		var got []string
		w := NewWalker(0, func(e Element) {
			size := "unknown"
			if e.Size != ebml.UnknownSize {
				size = fmt.Sprint(e.Size)
			}
			got = append(got, fmt.Sprintf("%d %X %d-%d %s", e.Level, e.ID, e.Offset, e.DataOffset(), size))
			if name, typ, ok := Lookup(e.ID); e.Name != name || e.Type != typ || !ok {
				t.Errorf("%X at %d is %q, %v; by the schema %q, %v", e.ID, e.Offset, e.Name, e.Type, name, typ)
			}
			n := min(e.Size, maxWalkData)
			if e.Type == Binary {
				n = min(n, maxWalkBinary)
			}
			if e.Type == Master && e.Data != nil || e.Type != Master && len(e.Data) != int(n) {
				t.Errorf("%s of %d bytes comes with %d", e.Name, e.Size, len(e.Data))
			}
			if at := e.DataOffset(); string(e.Data) != string(f.data[at:at+int64(len(e.Data))]) {
				t.Errorf("the data of %s at %d is not that of the stream", e.Name, e.Offset)
			}
		})
		for _, chunk := range f.chunks {
			if err := w.Push(chunk); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.Finish(); err != nil && len(f.data) > 0 {
			t.Fatal(err)
		}
		var want []string
		for _, e := range refElements(f.data) {
			size := "unknown"
			if !e.unknown {
				size = fmt.Sprint(e.end - e.data)
			}
			want = append(want, fmt.Sprintf("%d %X %d-%d %s", e.level, e.id, e.start, e.data, size))
		}
		compare(t, f.name, strings.Join(got, "\n"), strings.Join(want, "\n"))
	})
}

func TestAWalkIsTheSameHoweverTheStreamIsCut(t *testing.T) {
	for _, name := range []string{"chromium-23b-stop-at-60ms", "chromium-36-late-requestdata", "firefox-24-same-recorder-restart"} {
		t.Run(name, func(t *testing.T) {
			f := load(t, name)
			whole, err := walk(f.data)
			if err != nil || len(whole) < 10 {
				t.Fatalf("%d elements, error %v", len(whole), err)
			}
			want := strings.Join(whole, "\n")
			for how, chunks := range map[string][][]byte{"as recorded": f.chunks, "byte by byte": bytewise(f.data), "cut": cut(f.data, 1)} {
				got, err := walk(chunks...)
				compare(t, how, strings.Join(got, "\n"), want)
				if err != nil {
					t.Errorf("%s: %v", how, err)
				}
			}
		})
	}
}

func TestAWalkNamesElementsAndGivesTheirFirstData(t *testing.T) {
	recording := stream(
		element(0x4FFF, []byte{1, 2}),
		cluster(5, simpleBlock(1, 0, 0x80, strings.Repeat("x", 300)), group()),
		element(IDTags, element(0x7373, element(0x67C8, element(0x4487, []byte(strings.Repeat("y", 300)))))),
	)
	lines, err := walk(recording)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"0 EBML master at 0, head 5, size 7: ",
		"1 DocType string at 5, head 3, size 4: 7765626d",
		"0 Segment master at 12, head 12, size -1: ",
		"1 0x4FFF " + Type(0).String() + " at 24, head 3, size 2: 0102",
		"1 Cluster master at 29, head 12, size -1: ",
		"2 Timestamp uinteger at 41, head 2, size 1: 05",
		"2 SimpleBlock binary at 44, head 3, size 304: 81000080" + strings.Repeat("78", 28),
		"2 BlockGroup master at 351, head 2, size 0: ",
		"1 Tags master at 353, head 6, size 312: ",
		"2 Tag master at 359, head 4, size 308: ",
		"3 SimpleTag master at 363, head 4, size 304: ",
		"4 TagString utf-8 at 367, head 4, size 300: " + strings.Repeat("79", 256),
	}
	if !slices.Equal(lines, want) {
		t.Errorf("got\n\t%s\nwant\n\t%s", strings.Join(lines, "\n\t"), strings.Join(want, "\n\t"))
	}
}

func TestAWalkEndsWhereTheStreamIsWrong(t *testing.T) {
	deep := element(IDBlockGroup)
	for range 40 {
		deep = element(IDBlockGroup, deep)
	}
	for _, c := range []struct {
		name     string
		stream   []byte
		elements int
		code     Code
		offset   int64
		path     string
		text     string
	}{
		{"empty", nil, 0, CodeEmpty, 0, "", "webm: the stream is empty"},
		{"no ID", append(ebmlHeader(), 0), 2, CodeInvalidID, 12, "", "webm: element at 12 has no valid Element ID"},
		{"no size", stream(element(IDCues), []byte{0xEC, 0}), 4, CodeInvalidSize, 29, "Segment", "webm: Segment at 12: element at 29 has no valid Element Data Size"},
		{"overrun", stream(element(IDTags, element(0x7373, make([]byte, 9))[:5]), make([]byte, 9)), 4, CodeOverrun, 29, "Segment/Tags/Tag", "webm: Tags at 24: Tag at 29 runs past the end of its parent"},
		{"an unknown size", stream(unknown(IDTags)), 3, CodeUnknownSize, 24, "Segment/Tags", "webm: Segment at 12: Tags at 24 has an unknown size where it must be known"},
		{"cut short in data", stream(cluster(0, simpleBlock(1, 0, 0, "frame")[:9])), 5, CodeTruncated, 39, "Segment/Cluster/SimpleBlock", "webm: Cluster at 24: SimpleBlock at 39 is cut short by the end of the stream"},
		{"cut short in a master", stream(cluster(0, group(block(1, 0, "frame"))[:2])), 6, CodeTruncated, 39, "Segment/Cluster/BlockGroup", "webm: Cluster at 24: BlockGroup at 39 is cut short by the end of the stream"},
		{"too deep", stream(deep), 3 + 32, CodeTooDeep, 0, "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			lines, err := walk(c.stream)
			if err == nil {
				t.Fatalf("no error; %d elements", len(lines))
			}
			if c.code == CodeTooDeep { // 31 BlockGroups can be open in a Segment
				c.offset = 24 + 31*2
				c.path = "Segment" + strings.Repeat("/BlockGroup", 32)
				c.text = "webm: BlockGroup at 84: BlockGroup at 86 is nested too deep"
			}
			if err.Code != c.code || err.Offset != c.offset || err.Path != c.path || err.Error() != c.text {
				t.Errorf("got %s\nwant %s", describe(err), describe(&Error{c.code, c.offset, c.path, c.text}))
			}
			if len(lines) != c.elements {
				t.Errorf("%d elements; want %d:\n\t%s", len(lines), c.elements, strings.Join(lines, "\n\t"))
			}
			again, err2 := walk(bytewise(c.stream)...)
			compare(t, "byte by byte", strings.Join(again, "\n"), strings.Join(lines, "\n"))
			if describe(err2) != describe(err) {
				t.Errorf("byte by byte the error is %s", describe(err2))
			}
		})
	}
}

func TestAWalkerReadsAStreamWithoutItsFirstByte(t *testing.T) {
	stream := slices.Concat(element(ebml.IDEBML, number(ebml.IDEBMLVersion, 1), text(ebml.IDDocType, "webm")), tracks(vp8))
	walk := func(stream []byte) (names []string) {
		w := NewWalker(0, func(e Element) { names = append(names, e.Name) })
		for _, chunk := range bytewise(stream) {
			if err := w.Push(chunk); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.Finish(); err != nil {
			t.Fatal(err)
		}
		return names
	}
	if got, want := walk(stream[1:]), walk(stream); !slices.Equal(got, want) {
		t.Errorf("elements %v; want %v", got, want)
	}
}
