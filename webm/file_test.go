package webm

// Files that plans make, taken apart by the reference: right in every position that they
// claim, with the media of the recording and nothing else.

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/webmend/webmend/ebml"
)

// A refBlock is a SimpleBlock or BlockGroup by the reference.
type refBlock struct {
	track uint64
	typ   TrackType
	ticks int64
	key   bool
	rest  string // all of it, but without what plans may change
	start int
}

func refBlocks(b []byte) (all []refBlock) {
	types := map[uint64]TrackType{}
	var number uint64
	var timestamp int64
	elements := refElements(b)
	for i, e := range elements {
		switch e.id {
		case 0xD7:
			number = refUint(b, e)
		case 0x83:
			types[number] = TrackType(refUint(b, e))
		case 0xE7:
			timestamp = int64(refUint(b, e))
		case 0xA3, 0xA0:
			block, key := e, true
			for _, child := range elements[i+1:] {
				if child.start >= e.end || e.id == 0xA3 {
					break
				}
				if child.id == 0xA1 {
					block = child
				}
				key = key && child.id != 0xFB
			}
			track, n := ebml.ParseVINT(b[block.data:])
			at := block.data + n
			if e.id == 0xA3 {
				key = b[at+2]&0x80 != 0
			}
			rest := bytes.Clone(b[e.start:e.end])
			clear(rest[block.data-e.start : at+2-e.start])
			if e.id == 0xA3 {
				rest[at+2-e.start] &^= 0x80
			}
			relative := int64(int16(uint16(b[at])<<8 | uint16(b[at+1])))
			all = append(all, refBlock{track, types[track], timestamp + relative, key, string(rest), e.start})
		}
	}
	return all
}

// media are blocks as a plan must give them: without their places, and the key
// flag on all audio.
func media(blocks []refBlock) []refBlock {
	blocks = slices.Clone(blocks)
	for i := range blocks {
		blocks[i].start = 0
		blocks[i].key = blocks[i].key || blocks[i].typ == Audio
	}
	return blocks
}

func sameBlocks(t *testing.T, what string, got, want []refBlock) {
	t.Helper()
	for i := range min(len(got), len(want)) {
		if got[i] != want[i] {
			t.Fatalf("%s: block %d is\n\t%.200q\nand should be\n\t%.200q", what, i, fmt.Sprint(got[i]), fmt.Sprint(want[i]))
		}
	}
	if len(got) != len(want) {
		t.Fatalf("%s: %d blocks; want %d", what, len(got), len(want))
	}
}

// A seen is a CuePoint and what it points at.
type seen struct {
	ticks int64
	track uint64
	block int // where its block is in the file
}

// A file is a seekable file, taken apart.
type file struct {
	elements []refElement
	top      []refElement // children of the Segment
	clusters []refElement
	blocks   []refBlock
	cues     []seen
	docType  string
	duration float64 // 0 if there is none
}

// names are the IDs of the Segment's children before the first Cluster.
func (f file) names() string {
	var s []string
	for _, e := range f.top {
		if e.id == 0x1F43B675 {
			break
		}
		s = append(s, elementName(ebml.ID(e.id)))
	}
	return strings.Join(s, " ")
}

// parse takes a seekable file apart and checks all that it claims.
func parse(t *testing.T, b []byte) file {
	t.Helper()
	f := claims(t, b)
	if names := f.names(); strings.Contains(names, "Void") {
		t.Errorf("the Segment has %s", names)
	}
	return f
}

// claims is parse for a file that may have a Void before its clusters.
func claims(t *testing.T, b []byte) (f file) {
	t.Helper()
	f.elements, f.blocks = refElements(b), refBlocks(b)
	var segment refElement
	roots := 0
	for _, e := range f.elements {
		if e.unknown {
			t.Errorf("%X at %d has an unknown size", e.id, e.start)
		}
		switch {
		case e.level == 0:
			roots++
			segment = e
		case e.level == 1 && roots == 2:
			f.top = append(f.top, e)
			if e.id == 0x1F43B675 {
				f.clusters = append(f.clusters, e)
			} else if len(f.clusters) > 0 {
				t.Errorf("%X comes after clusters", e.id)
			}
		case e.id == 0x4282:
			f.docType = string(b[e.data:e.end])
		}
	}
	if roots != 2 || f.elements[0].id != 0x1A45DFA3 || segment.id != 0x18538067 || segment.end != len(b) {
		t.Fatalf("%d elements at the root, the last %X up to %d of %d", roots, segment.id, segment.end, len(b))
	}
	if names := f.names(); !strings.HasPrefix(names, "SeekHead Info") || strings.Count(names, "SeekHead") != 1 ||
		strings.Count(names, "Tracks") != 1 || strings.Contains(names, "CRC-32") {
		t.Errorf("the Segment has %s", names)
	}

	at := map[int]refElement{} // the Segment's children by where they are in its data
	for _, e := range f.top {
		at[e.start-segment.data] = e
	}
	blockAt := map[int]refBlock{}
	for _, block := range f.blocks {
		blockAt[block.start] = block
	}
	sought := map[int]bool{}
	info := map[uint32]int{}
	var seekID uint32
	var point seen
	var cluster int
	pointsAt := func() {
		block, ok := blockAt[point.block]
		switch {
		case !ok:
			t.Errorf("the cue at %d points at %d, where no block is", point.ticks, point.block)
		case block.ticks != point.ticks || block.track != point.track || !block.key:
			t.Errorf("the cue of track %d at %d points at a block of track %d at %d, key %v", point.track, point.ticks, block.track, block.ticks, block.key)
		}
		f.cues = append(f.cues, point)
	}
	for _, e := range f.elements {
		switch e.id {
		case 0x53AB:
			seekID = 0
			for _, c := range b[e.data:e.end] {
				seekID = seekID<<8 | uint32(c)
			}
		case 0x53AC:
			position := int(refUint(b, e))
			if at[position].id != seekID || sought[position] {
				t.Errorf("SeekHead has %X at %d, where %X is", seekID, position, at[position].id)
			}
			sought[position] = true
		case 0x4489:
			f.duration = ebml.ParseFloat(b[e.data:e.end])
			info[e.id]++
		case 0x2AD7B1, 0x4D80, 0x5741:
			info[e.id]++
		case 0xB3:
			point = seen{ticks: int64(refUint(b, e))}
		case 0xF7:
			point.track = refUint(b, e)
		case 0xF1:
			cluster = int(refUint(b, e))
			if at[cluster].id != 0x1F43B675 {
				t.Errorf("the cue at %d has its cluster at %d, where %X is", point.ticks, cluster, at[cluster].id)
			}
		case 0xF0:
			point.block = at[cluster].data + int(refUint(b, e))
			if point.block >= at[cluster].end {
				t.Errorf("the cue at %d is beyond its cluster", point.ticks)
			}
			pointsAt()
		}
	}
	for i, e := range f.top {
		if i > 0 && e.id != 0x1F43B675 && e.id != 0xEC && !sought[e.start-segment.data] {
			t.Errorf("SeekHead lacks %X", e.id)
		}
	}
	if info[0x4D80] != 1 || info[0x5741] != 1 || info[0x2AD7B1] > 1 || info[0x4489] > 1 {
		t.Errorf("Info has MuxingApp, WritingApp, TimestampScale and Duration so often: %v", info)
	}
	if !slices.IsSortedFunc(f.cues, func(a, b seen) int { return cmp.Compare(a.ticks, b.ticks) }) {
		t.Errorf("the cues are not sorted: %v", f.cues)
	}
	return f
}

// wantCues are those that a file with these blocks should have.
func wantCues(blocks []refBlock, scale int64) (cues []seen) {
	video := slices.ContainsFunc(blocks, func(b refBlock) bool { return b.typ == Video })
	first := map[uint64]bool{}
	next := int64(0)
	for _, b := range blocks {
		cued := b.typ == Video && b.key || b.typ == Audio && video && !first[b.track]
		if !video && b.ticks*scale >= next {
			cued, next = true, b.ticks*scale+500_000_000
		}
		first[b.track] = true
		if cued {
			cues = append(cues, seen{b.ticks, b.track, b.start})
		}
	}
	return byTime(cues)
}

// byTime sorts cues by their time, then place: of the same time any order is right.
func byTime(cues []seen) []seen {
	return slices.SortedStableFunc(slices.Values(cues), func(a, b seen) int {
		return cmp.Or(cmp.Compare(a.ticks, b.ticks), cmp.Compare(a.block, b.block))
	})
}

// finalForm is the data of a cluster as a plan must give it.
func finalForm(data []byte, types map[uint64]TrackType) []byte {
	b := unknown(IDCluster, data)
	for _, e := range refElements(b) {
		if e.level != 1 {
			continue
		}
		switch e.id {
		case 0xA7, 0xAB, 0xBF:
			b[e.start] = 0xEC
		case 0xA3:
			if track, n := ebml.ParseVINT(b[e.data:]); types[track] == Audio {
				b[e.data+n+2] |= 0x80
			}
		}
	}
	return b[12:]
}

// uncut is a stream that the reference can read: without what was lost of its
// last cluster.
func uncut(stream []byte, o outcome) []byte {
	last := o.clusters[len(o.clusters)-1]
	if !last.Cut {
		return stream
	}
	return append(slices.Clone(stream[:last.Start]), unknown(IDCluster, stream[last.Start+int64(last.HeadLen):last.End])...)
}

// seekable makes the seekable file of a stream and checks it in every respect
// that holds for all.
func seekable(t *testing.T, stream []byte) file {
	t.Helper()
	f, _ := seekableBytes(t, stream)
	return f
}

func seekableBytes(t *testing.T, stream []byte) (file, []byte) {
	t.Helper()
	ix := indexOf(t, stream)
	plan, err := ix.Seekable()
	if err != nil {
		t.Fatal(err)
	}
	out := made(t, plan, stream)
	f := parse(t, out)
	o := split(Options{}, stream)
	sameBlocks(t, "seekable", media(f.blocks), media(refBlocks(uncut(stream, o))))

	header := &o.report.Recordings[0].Header
	if want := float64(o.report.Recordings[0].Duration) / float64(header.TimestampScale); f.duration != want {
		t.Errorf("Duration is %v; want %v", f.duration, want)
	}
	if plan.Start != 0 || plan.End != o.report.Recordings[0].Duration {
		t.Errorf("the plan is from %d to %d; want to %d", plan.Start, plan.End, o.report.Recordings[0].Duration)
	}
	if got, want := byTime(f.cues), wantCues(f.blocks, header.TimestampScale); !slices.Equal(got, want) {
		t.Errorf("cues %v; want %v", got, want)
	}

	types := map[uint64]TrackType{}
	docType := header.DocType
	for _, track := range header.Tracks {
		types[track.Number] = track.Type
		if !slices.Contains([]string{"V_VP8", "V_VP9", "V_AV1", "A_OPUS", "A_VORBIS"}, track.CodecID) {
			docType = "matroska"
		}
	}
	if f.docType != docType || strings.Contains(plan.MimeType, "/webm") != (docType == "webm") {
		t.Errorf("DocType %s and type %s; want %s", f.docType, plan.MimeType, docType)
	}
	if len(f.clusters) != len(o.clusters) {
		t.Fatalf("%d clusters; want %d", len(f.clusters), len(o.clusters))
	}
	for i, c := range o.clusters {
		got := out[f.clusters[i].data:f.clusters[i].end]
		if want := finalForm(stream[c.Start+int64(c.HeadLen):c.End], types); !bytes.Equal(got, want) {
			t.Errorf("cluster %d has other data than was recorded: %.100x, not %.100x", i, got, want)
		}
	}

	again := split(Options{}, out)
	again.check(t, out)
	if again.err() != nil || len(again.headers) != 1 {
		t.Fatalf("the splitter says %v of it", again.err())
	}
	got, want := again.headers[0].Tracks, o.headers[0].Tracks
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("tracks %+v; want %+v", got, want)
	}
	twice, err := indexOf(t, out).Seekable()
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(made(t, twice, out), out) {
		t.Error("made seekable once more, it is another file")
	}
	return f, out
}
