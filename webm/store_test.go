package webm

// Plans of a store, which has clusters in their final form: see Index.Stored.

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/webmend/webmend/ebml"
)

// stored is a store of a recording, as the comment of Index.Stored says.
func stored(stream []byte, h Header, clusters []Cluster) []byte {
	store := slices.Clone(stream[h.Start:h.End])
	for _, c := range clusters {
		store = append(store, formed(stream, &c)...)
	}
	return store
}

// formed is a cluster or fragment in its final form.
func formed(stream []byte, c *Cluster) []byte {
	head, data, edit := c.Form()
	return append(head, edited(stream, data, edit)...)
}

// edited is a range of a stream with its edit.
func edited(stream []byte, r Range, edit *Edit) []byte {
	b := slices.Clone(stream[r.Start:r.End])
	if edit != nil {
		patches, err := edit.Editor(r.Start).Push(b)
		if err != nil {
			panic(err)
		}
		for _, p := range patches {
			b[p.Offset-r.Start] = p.Value
		}
	}
	return b
}

// sameFromAStore checks that plans on a store make what those on the stream make.
func sameFromAStore(t *testing.T, stream []byte) {
	t.Helper()
	o := split(Options{}, stream)
	for i, ix := range func() []*Index { all, _ := indexes(stream); return all }() {
		var clusters []Cluster
		for _, c := range o.clusters {
			if c.Recording == i {
				head, data, edit := c.Form()
				h, d, e := ix.Form(len(clusters))
				if !bytes.Equal(head, h) || data != d || fmt.Sprint(edit) != fmt.Sprint(e) {
					t.Errorf("the form of cluster %d is %x %v %v, and of the index %x %v %v", len(clusters), head, data, edit, h, d, e)
				}
				if any := edited(stream, data, ix.Edit()); !bytes.Equal(any, edited(stream, data, edit)) {
					t.Errorf("the edit for any cluster does something else to cluster %d", len(clusters))
				}
				clusters = append(clusters, c)
			}
		}
		store := stored(stream, o.headers[i], clusters)
		whole := ix.left.len() == 0
		inStore := *ix
		inStore.Stored = true
		for _, p := range planners(ix) {
			want, err := p.plan(ix, stream)
			got, storedErr := p.plan(&inStore, store)
			if fmt.Sprint(err) != fmt.Sprint(storedErr) {
				t.Errorf("%s: %v of the stream and %v of the store", p.name, err, storedErr)
			}
			if err != nil || storedErr != nil {
				continue
			}
			if a, b := made(t, got, store), made(t, want, stream); !bytes.Equal(a, b) {
				t.Errorf("%s: of the store another file than of the stream, %d bytes and %d", p.name, len(a), len(b))
			}
			if got.Start != want.Start || got.End != want.End || got.MimeType != want.MimeType {
				t.Errorf("%s: of the store %d-%d %s and of the stream %d-%d %s", p.name, got.Start, got.End, got.MimeType, want.Start, want.End, want.MimeType)
			}
			if p.name == "seekable" && whole && len(piecesOf(got)) > len(ix.parts)+3 {
				t.Errorf("the seekable file of a store has %d pieces", len(piecesOf(got)))
			}
			for piece := range got.Pieces() {
				if piece.Edit != nil && p.name != "join point" && !strings.HasPrefix(p.name, "clip") {
					t.Errorf("%s: a piece of the store is edited: %+v", p.name, *piece.Edit)
				}
			}
		}
	}
}

func TestPlansMakeTheSameOfAStoreAsOfTheStream(t *testing.T) {
	eachFixture(t, func(t *testing.T, f fixture) {
		t.Parallel()
		sameFromAStore(t, f.data)
	})
	frame := func(at int16, flags byte) []byte { return simpleBlock(1, at, flags, "video") }
	sound := func(at int16) []byte { return simpleBlock(2, at, 0, "\x08audio") }
	narrow := func(children ...[]byte) []byte {
		return append(ebml.AppendHeadWidth(nil, IDCluster, ebml.UnknownSize, 1), slices.Concat(children...)...)
	}
	for _, c := range []struct {
		name   string
		stream []byte
	}{
		{"heads that grow", stream(tracks(vp8, opus),
			narrow(number(IDTimestamp, 0), frame(0, 0x80), sound(0), frame(40, 0), sound(60), simpleBlock(1, 80, 0, strings.Repeat("x", 200))),
			narrow(number(IDTimestamp, 100), frame(0, 0x80), sound(0)),
			narrow(number(IDTimestamp, 140), frame(0, 0x80), sound(0)))},
		{"Position and PrevSize", stream(tracks(vp8, opus),
			cluster(0, number(IDPosition, 9), frame(0, 0x80), sound(0)),
			unknown(IDCluster, number(IDPrevSize, 9), number(IDTimestamp, 40), frame(0, 0x80), sound(0)))},
		{"two recordings", slices.Concat(stream(tracks(vp8), cluster(0, frame(0, 0x80), frame(40, 0))), stream(tracks(vp8, opus), cluster(7, frame(0, 0x80), sound(0)), cluster(90, sound(0))))},
	} {
		t.Run(c.name, func(t *testing.T) { sameFromAStore(t, c.stream) })
	}
}

func TestOfAStoreASeekableFileLacksWhatStoodAfterTheClusters(t *testing.T) {
	tags := element(IDTags, []byte("\x73\x73\x80"))
	stream := stream(element(IDTags, []byte("\x73\x73\x81\x00")), tracks(vp8), cluster(0, simpleBlock(1, 0, 0x80, "frame")), tags)
	ix := indexOf(t, stream)
	o := split(Options{}, stream)
	store := stored(stream, o.headers[0], o.clusters)
	for _, inStore := range []bool{false, true} {
		ix.Stored = inStore
		plan, err := ix.Seekable()
		if err != nil {
			t.Fatal(err)
		}
		source, names := stream, "SeekHead Info Tags Tracks Tags Cues"
		if inStore {
			source, names = store, "SeekHead Info Tags Tracks Cues"
		}
		if f := parse(t, made(t, plan, source)); f.names() != names {
			t.Errorf("stored %v, it has %s; want %s", inStore, f.names(), names)
		}
	}
}
