package webm

import (
	"go/ast"
	goparser "go/parser"
	"go/token"
	"strconv"
	"strings"
	"testing"

	"github.com/webmend/webmend/ebml"
)

func TestTheSchemaIsSortedAndNoIDOrNameIsTwiceInIt(t *testing.T) {
	names := map[string]ebml.ID{}
	for i, e := range schema {
		if i > 0 && e.id <= schema[i-1].id {
			t.Errorf("%s (%X) stands after %s (%X)", e.name, e.id, schema[i-1].name, schema[i-1].id)
		}
		if other, ok := names[e.name]; ok {
			t.Errorf("%s is both %X and %X", e.name, other, e.id)
		}
		names[e.name] = e.id
	}
}

func TestEveryElementOfTheSchemaHasAValidIDAndAType(t *testing.T) {
	for _, e := range schema { // 0x80 among them, which RFC 8794 reserves and RFC 9559 allows
		b := append(ebml.AppendID(nil, e.id), 0x80)
		h, reason := ebml.ParseHead(b, 0)
		if reason != 0 || h.ID != e.id || h.Len != len(b) {
			t.Errorf("%s: the head % X is read as ID %X of length %d: it %v", e.name, b, h.ID, h.Len, reason)
		}
		if e.typ < Master || e.typ > Binary || e.name == "" {
			t.Errorf("%X: type %d, name %q", e.id, e.typ, e.name)
		}
	}
}

func TestEveryElementOfTheSchemaIsFound(t *testing.T) {
	for _, e := range schema {
		name, typ, ok := Lookup(e.id)
		if name != e.name || typ != e.typ || !ok {
			t.Errorf("Lookup(%X) = %q, %v, %v; want %q, %v", e.id, name, typ, ok, e.name, e.typ)
		}
	}
}

func TestWellKnownElementsHaveTheNameAndTypeOfTheSpecification(t *testing.T) {
	for _, c := range []struct {
		id   ebml.ID
		name string
		typ  string
	}{
		{0x80, "ChapterDisplay", "master"}, // the first
		{0x86, "CodecID", "string"},
		{0xA3, "SimpleBlock", "binary"},
		{0xAF, "EncryptedBlock", "binary"}, // reclaimed
		{0xBF, "CRC-32", "binary"},
		{0xE7, "Timestamp", "uinteger"},
		{0xEC, "Void", "binary"},
		{0xFB, "ReferenceBlock", "integer"},
		{0x4281, "DocTypeExtension", "master"},
		{0x4461, "DateUTC", "date"},
		{0x4489, "Duration", "float"},
		{0x4D80, "MuxingApp", "utf-8"},
		{0x2AD7B1, "TimestampScale", "uinteger"},
		{0x18538067, "Segment", "master"},
		{0x1A45DFA3, "EBML", "master"},
		{0x1F43B675, "Cluster", "master"}, // the last
	} {
		name, typ, ok := Lookup(c.id)
		if name != c.name || typ.String() != c.typ || !ok {
			t.Errorf("Lookup(%X) = %q, %v, %v; want %q, %v", c.id, name, typ, ok, c.name, c.typ)
		}
	}
}

func TestAnIDThatNoSpecificationHasIsNotFound(t *testing.T) {
	for _, id := range []ebml.ID{0, 0x7F, 0x81, 0xFE, 0x4001, 0x7FFE, 0x18538066, 0x1F43B676, 0xFFFFFFFF} {
		if name, typ, ok := Lookup(id); name != "" || typ != 0 || ok {
			t.Errorf("Lookup(%X) = %q, %v, %v; want nothing", id, name, typ, ok)
		}
	}
}

// The IDs are written twice, as constants and in the table; a slip in either
// would make two parts of the package disagree in silence.
func TestEveryIDConstantIsTheIDOfTheElementItIsNamedAfter(t *testing.T) {
	file, err := goparser.ParseFile(token.NewFileSet(), "schema.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	ast.Inspect(file, func(node ast.Node) bool {
		spec, ok := node.(*ast.ValueSpec)
		if !ok || len(spec.Values) != 1 || !strings.HasPrefix(spec.Names[0].Name, "ID") {
			return true
		}
		id, err := strconv.ParseUint(spec.Values[0].(*ast.BasicLit).Value, 0, 32)
		if err != nil {
			t.Fatal(err)
		}
		if name, _, _ := Lookup(ebml.ID(id)); "ID"+name != spec.Names[0].Name {
			t.Errorf("%s is %X, which is the ID of %q", spec.Names[0].Name, id, name)
		}
		n++
		return true
	})
	if n == 0 {
		t.Error("no constants found")
	}
}

func TestOnlyWhatCannotStandInsideEndsAnElementOfUnknownSize(t *testing.T) {
	const unknown ebml.ID = 0x7FFE
	for _, c := range []struct {
		name                     string
		id                       ebml.ID
		endsSegment, endsCluster bool
	}{
		{"EBML", ebml.IDEBML, true, true},
		{"Segment", IDSegment, true, true},
		{"SeekHead", IDSeekHead, false, true},
		{"Info", IDInfo, false, true},
		{"Tracks", IDTracks, false, true},
		{"Cluster", IDCluster, false, true},
		{"Cues", IDCues, false, true},
		{"Chapters", IDChapters, false, true},
		{"Tags", IDTags, false, true},
		{"Attachments", IDAttachments, false, true},
		{"Timestamp", IDTimestamp, false, false},
		{"SimpleBlock", IDSimpleBlock, false, false},
		{"BlockGroup", IDBlockGroup, false, false},
		{"TrackEntry", IDTrackEntry, false, false},
		{"Void", ebml.IDVoid, false, false},
		{"CRC-32", ebml.IDCRC32, false, false},
		{"an unknown ID", unknown, false, false},
	} {
		if got := endsUnknown(IDSegment, c.id); got != c.endsSegment {
			t.Errorf("%s ends a Segment: %v", c.name, got)
		}
		if got := endsUnknown(IDCluster, c.id); got != c.endsCluster {
			t.Errorf("%s ends a Cluster: %v", c.name, got)
		}
	}
}

func TestNoElementButSegmentAndClusterMayHaveAnUnknownSize(t *testing.T) {
	for _, e := range schema {
		want := e.id == IDSegment || e.id == IDCluster
		if got := endsUnknown(e.id, e.id); got != want {
			t.Errorf("%s may have an unknown size: %v", e.name, got)
		}
		if !want && endsUnknown(e.id, ebml.IDEBML) {
			t.Errorf("%s of unknown size is ended by EBML", e.name)
		}
	}
}
