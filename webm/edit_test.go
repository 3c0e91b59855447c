package webm

// Edits, against a second way to make them, and how plans are carried out with
// them.

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/webmend/webmend/ebml"
)

// refEdited is the children of a cluster after an edit, by the reference.
func refEdited(data []byte, edit *Edit) []byte {
	b := unknown(IDCluster, data)
	parent := uint32(0)
	for _, e := range refElements(b) {
		if e.level == 1 {
			parent = e.id
		}
		switch {
		case edit.Void && e.level == 1 && (e.id == 0xA7 || e.id == 0xAB || e.id == 0xBF):
			b[e.start] = 0xEC
		case e.level == 1 && e.id == 0xA3, e.level == 2 && e.id == 0xA1 && parent == 0xA0:
			track, n := ebml.ParseVINT(b[e.data:])
			at := e.data + n
			for _, t := range edit.Tracks {
				if t[0] == track {
					b[at-1] = byte(t[1]) | b[at-1]&^0x7F // all numbers are below 127
					if n > 1 {
						b[at-1] = byte(t[1])
					}
				}
			}
			relative := int64(int16(uint16(b[at])<<8|uint16(b[at+1]))) + edit.Shift
			b[at], b[at+1] = byte(relative>>8), byte(relative)
			if e.id == 0xA3 && slices.Contains(edit.Keys, track) {
				b[at+2] |= 0x80
			}
		}
	}
	return b[12:]
}

// patched is data, which begins at offset, with the patches of an editor that is
// given it in chunks.
func patched(t *testing.T, edit *Edit, offset int64, chunks ...[]byte) ([]byte, string) {
	t.Helper()
	data := slices.Concat(chunks...)
	editor := edit.Editor(offset)
	var all []Patch
	pushed := offset
	for _, chunk := range chunks {
		patches, err := editor.Push(chunk)
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range patches {
			if p.Offset < pushed-patchDelay || p.Offset >= pushed+int64(len(chunk)) {
				t.Errorf("a patch at %d came with the bytes from %d to %d", p.Offset, pushed, pushed+int64(len(chunk)))
			}
			if n := len(all); n > 0 && p.Offset <= all[n-1].Offset {
				t.Errorf("a patch at %d comes after one at %d", p.Offset, all[n-1].Offset)
			}
			all = append(all, p)
			data[p.Offset-offset] = p.Value
		}
		pushed += int64(len(chunk))
	}
	return data, fmt.Sprint(all)
}

// wide is a SimpleBlock or Block with its track's number in more octets.
func wide(id ebml.ID, width int, track uint64, relative int16, flags byte, payload string) []byte {
	data := append(ebml.AppendVINT(nil, track, width), byte(relative>>8), byte(relative), flags)
	return element(id, data, []byte(payload))
}

func TestAnEditChangesWhatItSaysAndNothingElse(t *testing.T) {
	duration := number(IDBlockDuration, 40)
	additions := element(IDBlockAdditions, element(IDBlockMore, number(IDBlockAddID, 1), element(IDBlockAdditional, []byte("\xA3\x84\x81\x00\x00\x00"))))
	children := slices.Concat(
		element(ebml.IDCRC32, []byte("crc!")), number(IDTimestamp, 1000), number(IDPosition, 1<<20), number(IDPrevSize, 0),
		simpleBlock(1, 100, 0, "one"), simpleBlock(2, 110, 0, ""), simpleBlock(2, 120, 0x80, "two"), simpleBlock(3, 130, 0x08, "\xA3\x84\x81\x00\x00\x00"),
		group(block(1, 140, "in a group"), duration), group(duration, number(IDReferenceBlock, 1), block(2, 150, "after"), additions),
		group(element(ebml.IDCRC32, []byte("crc!")), block(3, 160, "of its own")), group(duration), group(),
		wide(IDSimpleBlock, 2, 1, 170, 0, "wide"), wide(IDSimpleBlock, 8, 2, 180, 0x06, "\x00\x80widest"), group(wide(IDBlock, 2, 2, 190, 0, "wide")),
		element(ebml.IDVoid, make([]byte, 30)), element(0x4FFF, []byte("\xA3\x84\x81\x00\x00\x00")),
		simpleBlock(2, -5, 0, "before"), simpleBlock(1, -32000, 0x01, "long before"), element(IDPosition), element(IDPrevSize, make([]byte, 8)),
	)
	for _, c := range []struct {
		name string
		edit Edit
	}{
		{"nothing", Edit{}},
		{"Keys", Edit{Keys: []uint64{2}}},
		{"Keys of several", Edit{Keys: []uint64{3, 1}}},
		{"Keys of a track that is not there", Edit{Keys: []uint64{4}}},
		{"Void", Edit{Void: true}},
		{"Tracks", Edit{Tracks: [][2]uint64{{1, 7}}}},
		{"Tracks exchanged", Edit{Tracks: [][2]uint64{{1, 2}, {2, 1}}}},
		{"Tracks moved on", Edit{Tracks: [][2]uint64{{1, 2}, {2, 3}, {3, 126}}}},
		{"Tracks that stay", Edit{Tracks: [][2]uint64{{2, 2}}}},
		{"Shift", Edit{Shift: 12345}},
		{"Shift back", Edit{Shift: -100}},
		{"Shift by 1 and over 256", Edit{Shift: 156}},
		{"all", Edit{Keys: []uint64{1, 2}, Void: true, Tracks: [][2]uint64{{1, 2}, {2, 1}}, Shift: -256}},
	} {
		t.Run(c.name, func(t *testing.T) {
			want := refEdited(children, &c.edit)
			const offset = 1 << 40
			got, patches := patched(t, &c.edit, offset, children)
			if !bytes.Equal(got, want) {
				t.Errorf("it makes\n\t%x\nand should make\n\t%x", got, want)
			}
			if changed := !bytes.Equal(want, children); changed == (patches == "[]") && c.name != "nothing" {
				t.Errorf("the reference changes something: %v; patches %s", changed, patches)
			}
			_, bytewisePatches := patched(t, &c.edit, offset, bytewise(children)...)
			if bytewisePatches != patches {
				t.Errorf("byte by byte, the patches are\n\t%s\nand should be\n\t%s", bytewisePatches, patches)
			}
			for seed := range uint64(8) {
				if _, p := patched(t, &c.edit, offset, cut(children, seed)...); p != patches {
					t.Errorf("cut with seed %d, the patches are\n\t%s\nand should be\n\t%s", seed, p, patches)
				}
			}
			for at := range children {
				if _, p := patched(t, &c.edit, offset, children[:at], children[at:]); p != patches {
					t.Errorf("cut at %d, the patches are\n\t%s\nand should be\n\t%s", at, p, patches)
				}
			}
		})
	}
}

// What the splitter takes for a block the editor does, and nothing else.
func TestAnEditorLooksForBlocksWhereTheSplitterDoes(t *testing.T) {
	all := Edit{Keys: []uint64{1}, Void: true, Tracks: [][2]uint64{{1, 2}}, Shift: 1}
	deep := block(1, 0, "frame")
	for range 50 {
		deep = group(deep)
	}
	for _, c := range []struct {
		name string
		data []byte
	}{
		{"a Block outside a BlockGroup", block(1, 0, "frame")},
		{"a SimpleBlock in a BlockGroup", group(simpleBlock(1, 0, 0, "frame"))},
		{"a BlockGroup in a BlockGroup", group(group(block(1, 0, "frame")))},
		{"a BlockGroup in a BlockGroup that is not one", group(element(IDBlockGroup, []byte("\x00\x00\x00")))},
		{"BlockGroups nested deep", deep},
		{"PrevSize in a BlockGroup", group(number(IDPrevSize, 1), element(ebml.IDCRC32, []byte("crc!")))},
		{"a SimpleBlock too short to be one", element(IDSimpleBlock, []byte("\x81\x00\x00"))},
		{"an empty SimpleBlock", element(IDSimpleBlock)},
		{"a SimpleBlock whose track has no number", element(IDSimpleBlock, make([]byte, 20))},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, patches := patched(t, &all, 0, c.data)
			if !bytes.Equal(got, c.data) {
				t.Errorf("it is changed: %s", patches)
			}
		})
	}
}

func TestAnEditorOfBadDataSaysSo(t *testing.T) {
	for _, c := range []struct {
		name string
		data []byte
		code Code
	}{
		{"no ID", []byte("\x00\x00\x00\x00"), CodeInvalidID},
		{"no size", []byte("\xA3\x00\x00\x00"), CodeInvalidSize},
		{"a Block that runs past its BlockGroup", []byte("\xA0\x83\xA1\x90\x81"), CodeOverrun},
		{"a BlockGroup of unknown size", []byte("\xA0\xFF\xA1\x90\x81"), CodeUnknownSize},
		{"a SimpleBlock of unknown size", []byte("\xA3\xFF\x81\x00\x00"), CodeUnknownSize},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := (&Edit{Shift: 1}).Editor(100).Push(c.data)
			wantCode(t, "Push", err, c.code)
			plan := planOf(Piece{Range: Range{0, int64(len(c.data))}, Edit: &Edit{Shift: 1}})
			_, err = plan.CopyTo(io.Discard, bytes.NewReader(c.data))
			wantCode(t, "CopyTo", err, c.code)
		})
	}
}

func TestAnEditorTakesWhateverComes(t *testing.T) {
	random := rand.New(rand.NewPCG(4, 0))
	heads := []string{"\xA3\x88", "\xA0\x8A", "\xA1\x86", "\xA7\x81", "\xBF\x84", "\xEC\x82", "\xA3\x40\x20", "\xA0\x01\xFF\xFF\xFF\xFF\xFF\xFF\xFE"}
	for range 2000 {
		var data []byte
		for range random.IntN(12) {
			data = append(data, heads[random.IntN(len(heads))]...)
			for range random.IntN(10) {
				data = append(data, byte(random.Uint32()))
			}
		}
		edit := Edit{Keys: []uint64{random.Uint64N(130)}, Void: true, Tracks: [][2]uint64{{random.Uint64N(130), random.Uint64()}}, Shift: random.Int64() >> random.IntN(64)}
		editor := edit.Editor(0)
		for _, chunk := range cut(data, random.Uint64()) {
			patches, err := editor.Push(chunk)
			for _, p := range patches {
				if p.Offset < 0 || p.Offset >= int64(len(data)) {
					t.Fatalf("a patch at %d of %d bytes %x", p.Offset, len(data), data)
				}
			}
			if err != nil {
				break
			}
		}
	}
}

// A patch may be of bytes that were read in the window before.
func TestAnEditIsMadeAcrossTheWindowsOfCopyTo(t *testing.T) {
	t.Parallel()
	const window = 1 << 20
	edit := &Edit{Keys: []uint64{1, 2}, Void: true, Tracks: [][2]uint64{{1, 2}, {2, 1}}, Shift: -100}
	small := slices.Concat(
		simpleBlock(1, 0, 0, ""), number(IDPosition, 5), group(block(2, 10, "group")), wide(IDSimpleBlock, 8, 2, 20, 0, "wide"), element(IDPrevSize, make([]byte, 8)),
		append(ebml.AppendHeadWidth(nil, IDSimpleBlock, 5, 8), "\x82\x00\x05\x00x"...), append(ebml.AppendHeadWidth(nil, IDPosition, 1, 8), 7),
		append(ebml.AppendHeadWidth(nil, IDSimpleBlock, 12, 8), append(ebml.AppendVINT(nil, 1, 8), "\x00\x05\x00x"...)...))
	large := func(size int) []byte {
		return element(IDSimpleBlock, blockData(1, 0, 0, strings.Repeat("x", size-8)))
	}
	for before := range len(small) + patchDelay {
		data := slices.Concat(large(window-before), small, small)
		want := append([]byte("head"), refEdited(data, edit)...)
		source := append([]byte("four"), data...)
		plan := planOf(Piece{Data: []byte("head")}, Piece{Range: Range{4, int64(len(source))}, Edit: edit})
		if got := made(t, plan, source); !bytes.Equal(got, want) {
			t.Fatalf("with %d bytes before the border, byte %d differs", before, firstDifference(got, want))
		}
	}
}

func firstDifference(a, b []byte) int {
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			return i
		}
	}
	return min(len(a), len(b))
}

// readerAt is a source that reads at most most bytes a time and ends at end, with
// what error and whether together with the last bytes.
type readerAt struct {
	data []byte
	most int
	err  error
	soon bool
}

func (r readerAt) ReadAt(p []byte, at int64) (int, error) {
	if at >= int64(len(r.data)) {
		return 0, r.err
	}
	n := copy(p[:min(len(p), r.most)], r.data[at:])
	if r.soon && at+int64(n) == int64(len(r.data)) {
		return n, r.err
	}
	return n, nil
}

// failing is a writer that takes so many bytes and then fails.
type failing struct {
	out  bytes.Buffer
	room int
}

var errFull = errors.New("full")

func (w *failing) Write(p []byte) (int, error) {
	n, _ := w.out.Write(p[:min(len(p), w.room-w.out.Len())])
	if n < len(p) {
		return n, errFull
	}
	return n, nil
}

// threePieces is a plan of two sources: bytes of its own, a range of the one, and
// an edited range of the other.
func threePieces() (plan *Plan, want []byte, first, second []byte) {
	first = bytes.Repeat([]byte("0123456789"), 20)
	for i := range 10 {
		second = slices.Concat(second, simpleBlock(1, int16(i), 0, "frame"), number(IDPosition, 7), group(block(1, 0, "frame")))
	}
	edit := &Edit{Keys: []uint64{1}, Void: true, Shift: 1}
	plan = &Plan{}
	plan.write([]byte("head"))
	plan.add(Piece{Range: Range{15, 195}})
	plan.add(Piece{Source: 1, Range: Range{0, int64(len(second))}, Edit: edit})
	plan.write([]byte("tail"))
	want = slices.Concat([]byte("head"), first[15:195], refEdited(second, edit), []byte("tail"))
	return plan, want, first, second
}

func TestCopyToReadsItsSourcesHoweverTheyGiveTheirBytes(t *testing.T) {
	plan, want, first, second := threePieces()
	for _, most := range []int{1, 2, 7, patchDelay, 100, 1 << 20} {
		for _, soon := range []bool{false, true} {
			var out bytes.Buffer
			n, err := plan.CopyTo(&out, readerAt{first, most, io.EOF, soon}, readerAt{second, most, io.EOF, soon})
			if err != nil || n != plan.Size || !bytes.Equal(out.Bytes(), want) {
				t.Errorf("%d bytes at a time, EOF soon %v: %d bytes and error %v; want %d", most, soon, n, err, plan.Size)
			}
		}
	}
}

func TestCopyToSaysHowFarItCameWhenASourceEndsEarly(t *testing.T) {
	plan, want, first, second := threePieces()
	broken := errors.New("broken")
	for _, c := range []struct {
		name        string
		first       readerAt
		second      readerAt
		err         error
		least, most int64 // bytes written
	}{
		{"the first is empty", readerAt{nil, 10, io.EOF, false}, readerAt{second, 10, io.EOF, false}, io.ErrUnexpectedEOF, 4, 4},
		{"the first lacks a byte", readerAt{first[:194], 10, io.EOF, false}, readerAt{second, 10, io.EOF, false}, io.ErrUnexpectedEOF, 183, 183},
		{"the first lacks a byte, EOF with the last", readerAt{first[:194], 10, io.EOF, true}, readerAt{second, 10, io.EOF, false}, io.ErrUnexpectedEOF, 183, 183},
		{"the first breaks", readerAt{first[:100], 10, broken, false}, readerAt{second, 10, io.EOF, false}, broken, 89, 89},
		{"the second is empty", readerAt{first, 10, io.EOF, false}, readerAt{nil, 10, io.EOF, false}, io.ErrUnexpectedEOF, 184, 184},
		{"the second lacks a byte", readerAt{first, 10, io.EOF, false}, readerAt{second[:len(second)-1], 10, io.EOF, false}, io.ErrUnexpectedEOF, plan.Size - 5 - patchDelay, plan.Size - 5},
		{"the second lacks a byte, EOF with the last", readerAt{first, 10, io.EOF, false}, readerAt{second[:len(second)-1], 10, io.EOF, true}, io.ErrUnexpectedEOF, plan.Size - 5 - patchDelay, plan.Size - 5},
		{"the second breaks", readerAt{first, 10, io.EOF, false}, readerAt{second[:50], 10, broken, false}, broken, 184 + 50 - patchDelay, 184 + 50},
		{"the second gives nothing, and no error", readerAt{first, 10, io.EOF, false}, readerAt{second[:50], 10, nil, false}, io.ErrUnexpectedEOF, 184 + 50 - patchDelay, 184 + 50},
	} {
		t.Run(c.name, func(t *testing.T) {
			var out bytes.Buffer
			n, err := plan.CopyTo(&out, c.first, c.second)
			if err != c.err {
				t.Errorf("error %v; want %v", err, c.err)
			}
			if n < c.least || n > c.most || n != int64(out.Len()) {
				t.Errorf("it says %d bytes and wrote %d; want %d to %d", n, out.Len(), c.least, c.most)
			}
			if !bytes.HasPrefix(want, out.Bytes()) {
				t.Error("what it wrote is wrong")
			}
		})
	}
}

func TestCopyToStopsWhereTheWriterFails(t *testing.T) {
	plan, want, first, second := threePieces()
	for room := range int(plan.Size) {
		w := &failing{room: room}
		n, err := plan.CopyTo(w, bytes.NewReader(first), bytes.NewReader(second))
		if err != errFull || n != int64(room) || !bytes.Equal(w.out.Bytes(), want[:room]) {
			t.Errorf("with room for %d bytes: %d bytes, error %v", room, n, err)
		}
	}
}

func TestPiecesThatAdjoinBecomeOne(t *testing.T) {
	edit := &Edit{Shift: 1}
	for _, c := range []struct {
		name   string
		pieces []Piece
		want   int
	}{
		{"bytes", []Piece{{Data: []byte("a")}, {Data: []byte("b")}}, 1},
		{"ranges", []Piece{{Range: Range{0, 5}}, {Range: Range{5, 9}}}, 1},
		{"ranges with a gap", []Piece{{Range: Range{0, 5}}, {Range: Range{6, 9}}}, 2},
		{"ranges of two sources", []Piece{{Range: Range{0, 5}}, {Source: 1, Range: Range{5, 9}}}, 2},
		{"an edited range and another", []Piece{{Range: Range{0, 5}, Edit: edit}, {Range: Range{5, 9}}}, 2},
		{"a range and an edited one", []Piece{{Range: Range{0, 5}}, {Range: Range{5, 9}, Edit: edit}}, 2},
		{"edits that change nothing", []Piece{{Range: Range{0, 5}, Edit: &Edit{}}, {Range: Range{5, 9}, Edit: &Edit{}}}, 1},
		{"nothing", []Piece{{Data: []byte{}}, {Range: Range{5, 5}}, {}}, 0},
		{"ranges with nothing between", []Piece{{Range: Range{0, 5}}, {Data: []byte{}}, {Range: Range{5, 9}}}, 1},
		{"bytes and a range", []Piece{{Data: []byte("a")}, {Range: Range{0, 5}}, {Data: []byte("b")}}, 3},
	} {
		t.Run(c.name, func(t *testing.T) {
			plan := planOf(c.pieces...)
			size := int64(0)
			for _, p := range c.pieces {
				size += p.Len()
			}
			if got := piecesOf(plan); len(got) != c.want || plan.Size != size {
				t.Errorf("%d pieces, Size %d: %+v; want %d and %d", len(got), plan.Size, got, c.want, size)
			}
		})
	}
}

func TestAPlanThatSomebodyElseMadeIsCarriedOut(t *testing.T) {
	plan := planOf(Piece{Data: []byte("head ")}, Piece{Range: Range{1, 4}}, Piece{Data: nil, Range: Range{2, 2}}, Piece{Range: Range{3, 2}})
	if plan.Size != 8 {
		t.Errorf("its Size is %d", plan.Size)
	}
	var out strings.Builder
	if n, err := plan.CopyTo(&out, strings.NewReader("abcdef")); n != 8 || err != nil || out.String() != "head bcd" {
		t.Errorf("it makes %q, %d bytes, %v", out.String(), n, err)
	}
	if n, err := new(Plan).CopyTo(&out); n != 0 || err != nil {
		t.Errorf("nothing makes %d bytes, %v", n, err)
	}
}
