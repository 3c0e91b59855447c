package webm

// What plans make, taken apart by the reference: files that are right in every
// position they claim, with the media of the recording and nothing else.

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/webmend/webmend/ebml"
)

// indexes are those of the recordings of a stream, which may be damaged.
func indexes(stream []byte) ([]*Index, Report) {
	s := NewSplitter(Options{})
	s.Push(stream)
	report, _ := s.Finish()
	var all []*Index
	for i := range report.Recordings {
		all = append(all, s.Index(i))
	}
	return all, report
}

// indexOf is the index of the one recording of a stream.
func indexOf(t testing.TB, stream []byte) *Index {
	t.Helper()
	all, report := indexes(stream)
	if len(all) != 1 {
		t.Fatalf("%d recordings, dropped %v", len(all), report.Dropped)
	}
	return all[0]
}

// made is what a plan makes.
func made(t testing.TB, plan *Plan, sources ...[]byte) []byte {
	t.Helper()
	var readers []io.ReaderAt
	for _, s := range sources {
		readers = append(readers, bytes.NewReader(s))
	}
	var out bytes.Buffer
	n, err := plan.CopyTo(&out, readers...)
	if err != nil {
		t.Fatal(err)
	}
	if n != plan.Size || n != int64(out.Len()) {
		t.Fatalf("CopyTo says %d bytes and wrote %d; the plan's Size is %d", n, out.Len(), plan.Size)
	}
	for i, p := range plan.Pieces {
		if p.Len() <= 0 || p.Data != nil && p.Edit != nil {
			t.Errorf("piece %d is %+v", i, p)
		}
	}
	return out.Bytes()
}

// eachPart runs a subtest for each recording in testdata, those of a restarted
// recorder one by one.
func eachPart(t *testing.T, test func(t *testing.T, stream []byte)) {
	eachFixture(t, func(t *testing.T, f fixture) {
		t.Parallel()
		headers, _ := refSplit(f.data)
		for i, h := range headers {
			end := int64(len(f.data))
			if i+1 < len(headers) {
				end = headers[i+1].Start
			}
			test(t, f.data[h.Start:end])
		}
	})
}

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

func TestARecordingBecomesASeekableFileWithTheSameMedia(t *testing.T) {
	eachPart(t, func(t *testing.T, stream []byte) { seekable(t, stream) })
}

func TestASeekableFileCarriesAllButWhatPlansMakeAnew(t *testing.T) {
	frame := simpleBlock(1, 0, 0x80, "frame")
	info := func(more ...[]byte) []byte {
		return element(IDInfo, text(IDMuxingApp, "muxer"), text(IDWritingApp, "writer"), slices.Concat(more...))
	}
	duration := ebml.AppendFloat(nil, IDDuration, 1)
	void := element(ebml.IDVoid, make([]byte, 9))
	colour := track(1, Video, "V_VP8", element(IDVideo, number(IDPixelWidth, 320), element(0x55B0, number(0x55B1, 1))), element(0x4FFE, []byte("unknown")))
	tags := element(IDTags, []byte("\x73\x73\x80"))
	attachments := element(IDAttachments, []byte("\x61\xA7\x80"))
	seekHead := element(IDSeekHead, element(IDSeek, element(IDSeekID, []byte(clusterMagic)), number(IDSeekPosition, 7)))
	cues := element(IDCues, element(IDCuePoint, number(IDCueTime, 7)))
	for _, c := range []struct {
		name   string
		stream []byte
		names  string   // of what comes before the clusters
		has    []string // bytes that must be there
		lacks  []string // and those that must not
	}{
		{
			name: "nothing but Tracks", stream: stream(tracks(vp8), cluster(0, frame)),
			names: "SeekHead Info Tracks Cues", has: []string{"webmend"},
		},
		{
			name: "Info without MuxingApp", stream: stream(element(IDInfo, text(IDWritingApp, "writer")), tracks(vp8), cluster(0, frame)),
			names: "SeekHead Info Tracks Cues", has: []string{"writer", "\x4D\x80\x87webmend"},
		},
		{
			name: "Info without WritingApp", stream: stream(element(IDInfo, text(IDMuxingApp, "muxer")), tracks(vp8), cluster(0, frame)),
			names: "SeekHead Info Tracks Cues", has: []string{"muxer", "\x57\x41\x87webmend"},
		},
		{
			name: "Info with all there can be", stream: stream(info(duration, void, element(ebml.IDCRC32, []byte("crc!")), text(IDTitle, "title"), element(0x4FFD, []byte("more"))), tracks(vp8), cluster(0, frame)),
			names: "SeekHead Info Tracks Cues", has: []string{"muxer", "writer", "title", "\x4F\xFD\x84more"}, lacks: []string{"webmend", "crc!"},
		},
		{
			name: "Info after Tracks", stream: stream(tracks(vp8), info(), cluster(0, frame)),
			names: "SeekHead Info Tracks Cues", lacks: []string{"webmend"},
		},
		{
			name: "SeekHead, Void and CRC-32", stream: stream(element(ebml.IDCRC32, []byte("crc!")), seekHead, void, info(duration), void, tracks(vp8), void, cluster(0, frame)),
			names: "SeekHead Info Tracks Cues", lacks: []string{"crc!", clusterMagic + "\x53\xAC"},
		},
		{
			name: "Cues before and after", stream: stream(info(), tracks(vp8), cues, cluster(0, frame), cues, cluster(40, frame), cues),
			names: "SeekHead Info Tracks Cues",
		},
		{
			name: "Tags before Tracks", stream: stream(info(), tags, tracks(vp8), cluster(0, frame)),
			names: "SeekHead Info Tags Tracks Cues", has: []string{string(tags)},
		},
		{
			name: "Tags and Attachments after the clusters", stream: stream(info(), tracks(vp8), cluster(0, frame), tags, cues, attachments),
			names: "SeekHead Info Tracks Tags Attachments Cues", has: []string{string(tags), string(attachments)},
		},
		{
			name: "Tags between the clusters, and twice", stream: stream(info(), tracks(vp8), cluster(0, frame), tags, cluster(40, frame), tags),
			names: "SeekHead Info Tracks Tags Tags Cues",
		},
		{
			name: "an unknown element in the Segment", stream: stream(info(), element(0x4FFC, []byte("unknown")), tracks(vp8), cluster(0, frame)),
			names: "SeekHead Info 0x4FFC Tracks Cues", has: []string{"\x4F\xFC\x87unknown"},
		},
		{
			name: "Colour and an unknown element of a track", stream: stream(info(), tracks(colour), cluster(0, frame)),
			names: "SeekHead Info Tracks Cues", has: []string{string(colour)},
		},
		{
			name: "Tracks and Info again after the clusters, which are not read again", stream: stream(info(), tracks(vp8), cluster(0, frame), info(text(IDTitle, "late")), tracks(opus)),
			names: "SeekHead Info Tracks Cues", lacks: []string{"A_OPUS", "late"},
		},
		{
			name: "Position and PrevSize, which become Void", stream: stream(info(), tracks(vp8), cluster(0, number(IDPosition, 77), number(IDPrevSize, 78), frame)),
			names: "SeekHead Info Tracks Cues", has: []string{"\xEC\x81\x4D\xEC\x81\x4E"},
		},
		{
			name: "CRC-32 of a cluster, before its Timestamp", stream: stream(info(), tracks(vp8), unknown(IDCluster, element(ebml.IDCRC32, []byte("crc!")), number(IDTimestamp, 0), frame)),
			names: "SeekHead Info Tracks Cues", has: []string{"\xEC\x84crc!\xE7\x81"},
		},
		{
			name: "Void and unknown elements of a cluster", stream: stream(info(), tracks(vp8), cluster(0, void, element(0x4FFB, []byte("unknown")), frame)),
			names: "SeekHead Info Tracks Cues", has: []string{"\x4F\xFB\x87unknown"},
		},
		{
			name: "an unknown element of the EBML header",
			stream: slices.Concat(element(ebml.IDEBML, text(ebml.IDDocType, "webm"), element(0x4281, []byte("extension")), void),
				unknown(IDSegment, tracks(vp8), cluster(0, frame))),
			names: "SeekHead Info Tracks Cues", has: []string{"\x42\x81\x89extension"},
		},
		{
			name: "no EBML header to speak of", stream: append(element(ebml.IDEBML), unknown(IDSegment, tracks(vp8), cluster(0, frame))...),
			names: "SeekHead Info Tracks Cues", has: []string{"matroska"},
		},
		{
			name: "a second Segment", stream: stream(tracks(vp8), cluster(0, frame), unknown(IDSegment, cluster(40, frame))),
			names: "SeekHead Info Tracks Cues",
		},
		{
			name: "no block", stream: stream(tracks(vp8), cluster(0), cluster(5), element(IDTags)),
			names: "SeekHead Info Tracks Tags",
		},
		{
			name: "a frame before the Timestamp of its cluster", stream: stream(tracks(vp8), cluster(100, simpleBlock(1, -50, 0x80, "frame"))),
			names: "SeekHead Info Tracks Cues",
		},
		{
			name: "a cluster without Timestamp", stream: stream(tracks(vp8), unknown(IDCluster), cluster(5, frame)),
			names: "SeekHead Info Tracks Cues",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			f, out := seekableBytes(t, c.stream)
			if f.names() != c.names {
				t.Errorf("it has %s; want %s", f.names(), c.names)
			}
			for _, s := range c.has {
				if !bytes.Contains(out, []byte(s)) {
					t.Errorf("%q is missing", s)
				}
			}
			for _, s := range c.lacks {
				if bytes.Contains(out, []byte(s)) {
					t.Errorf("%q is still there", s)
				}
			}
		})
	}
}

func TestTracksAreKeptHoweverMuchComesBeforeThem(t *testing.T) {
	junk := bytes.Repeat(element(0x4FFC, []byte("junk")), 2*maxParts)
	stream := stream(junk, tracks(vp8), cluster(0, simpleBlock(1, 0, 0x80, "frame")))
	plan, err := indexOf(t, stream).Seekable()
	if err != nil {
		t.Fatal(err)
	}
	f := parse(t, made(t, plan, stream))
	if !strings.HasSuffix(f.names(), "Tracks Cues") {
		t.Errorf("it ends with %s", f.names()[len(f.names())-40:])
	}
}

func TestDocTypeSaysWhatTheCodecsNeed(t *testing.T) {
	for _, c := range []struct{ docType, video, audio, want, mime string }{
		{"webm", "V_VP8", "A_OPUS", "webm", `video/webm; codecs="vp8,opus"`},
		{"webm", "V_VP9", "A_VORBIS", "webm", `video/webm; codecs="vp9,vorbis"`},
		{"webm", "V_AV1", "A_OPUS", "webm", `video/webm; codecs="av01,opus"`},
		{"webm", "V_MPEG4/ISO/AVC", "A_OPUS", "matroska", `video/x-matroska; codecs="avc1,opus"`},
		{"webm", "V_VP8", "A_PCM/FLOAT/IEEE", "matroska", `video/x-matroska; codecs="vp8,pcm"`},
		{"webm", "V_MPEGH/ISO/HEVC", "A_AAC", "matroska", `video/x-matroska; codecs="hvc1,mp4a.40.2"`},
		{"matroska", "V_VP8", "A_OPUS", "matroska", `video/x-matroska; codecs="vp8,opus"`},
		{"matroska", "V_MPEG4/ISO/AVC", "A_PCM/INT/LIT", "matroska", `video/x-matroska; codecs="avc1,pcm"`},
		{"webm\x00", "V_VP8\x00", "A_OPUS\x00", "webm", `video/webm; codecs="vp8,opus"`}, // as GStreamer writes it
	} {
		t.Run(c.docType+" "+c.video+" "+c.audio, func(t *testing.T) {
			stream := append(element(ebml.IDEBML, text(ebml.IDDocType, c.docType)), unknown(IDSegment,
				tracks(track(1, Video, c.video), track(2, Audio, c.audio)), cluster(0, simpleBlock(1, 0, 0x80, "frame"), simpleBlock(2, 0, 0, "frame")))...)
			seekable(t, stream)
			ix := indexOf(t, stream)
			plan, err := ix.Seekable()
			if err != nil {
				t.Fatal(err)
			}
			cutter, err := ix.JoinPoint()
			if err != nil {
				t.Fatal(err)
			}
			late, err := cutter.PlanFrom(bytes.NewReader(stream))
			if err != nil {
				t.Fatal(err)
			}
			one, _ := ix.Standalone(0, 1, false)
			joined, err := Join(ix, ix)
			if err != nil {
				t.Fatal(err)
			}
			for name, plan := range map[string]*Plan{"Seekable": plan, "JoinPoint": late, "Standalone": one, "InitializationSegment": ix.InitializationSegment(), "Join": joined} {
				o := split(Options{}, made(t, plan, stream, stream))
				if o.err() != nil || o.headers[0].DocType != c.want || plan.MimeType != c.mime {
					t.Errorf("%s has DocType %s and type %s, error %v; want %s and %s", name, o.headers[0].DocType, plan.MimeType, o.err(), c.want, c.mime)
				}
			}
		})
	}
}

func TestDurationIsInUnitsOfTheTimestampScale(t *testing.T) {
	for _, scale := range []uint64{1, 3, 100_000, 999_999, 1_000_000, 1_000_000_000} {
		t.Run(fmt.Sprint(scale), func(t *testing.T) {
			f := seekable(t, stream(element(IDInfo, number(IDTimestampScale, scale)), tracks(vp8),
				cluster(700, simpleBlock(1, -3, 0x80, "frame"), simpleBlock(1, 2, 0, "frame")), cluster(800, simpleBlock(1, 0, 0x80, "frame"))))
			if f.duration != 898 {
				t.Errorf("Duration %v; want 898, the last frame being as long as the one before", f.duration)
			}
		})
	}
}

func TestAClusterHeadKeepsItsWidthWhereThatHoldsTheSize(t *testing.T) {
	for width := 1; width <= 8; width++ {
		for _, known := range []bool{false, true} {
			for _, payload := range []int{5, 114, 115, 120, 16_000, 16_380} {
				t.Run(fmt.Sprintf("%d octets, known %v, %d bytes", width, known, payload), func(t *testing.T) {
					data := slices.Concat(number(IDTimestamp, 0), simpleBlock(1, 0, 0x80, strings.Repeat("x", payload)))
					size := int64(len(data))
					fits := width >= ebml.VINTLen(uint64(size))
					if known && !fits {
						return
					}
					if !known {
						size = ebml.UnknownSize
					}
					one := append(ebml.AppendHeadWidth(nil, IDCluster, size, width), data...)
					other := slices.Clone(one)
					other[len(other)-1] = 'y'
					other[len(other)-len(data)+2] = 1 // its Timestamp
					f := seekable(t, stream(tracks(vp8), one, other))
					want := 4 + width
					if !fits {
						want = 12
					}
					for _, c := range f.clusters {
						if c.data-c.start != want {
							t.Errorf("the head has %d bytes; want %d", c.data-c.start, want)
						}
					}
				})
			}
		}
	}
}

func TestACutLastClusterIsAsLongAsWhatThereIsOfIt(t *testing.T) {
	frame := simpleBlock(1, 0, 0x80, strings.Repeat("frame", 30))
	other := simpleBlock(1, 0, 0x80, strings.Repeat("other", 30))
	third := simpleBlock(1, 0, 0x80, strings.Repeat("third", 30))
	children := slices.Concat(number(IDTimestamp, 40), frame, other, third)
	for _, c := range []struct {
		name string
		last []byte
	}{
		{"unknown", unknown(IDCluster, children)},
		{"known", element(IDCluster, children)},
		{"known in 8 octets", append(ebml.AppendHeadWidth(nil, IDCluster, int64(len(children)), 8), children...)},
		{"unknown in 1 octet", append(ebml.AppendHeadWidth(nil, IDCluster, ebml.UnknownSize, 1), children...)},
	} {
		t.Run(c.name, func(t *testing.T) {
			for cut := range 2 * len(frame) {
				whole := stream(tracks(vp8), cluster(0, frame), c.last)
				f := seekable(t, whole[:len(whole)-cut])
				want := 4 - (cut+len(frame)-1)/len(frame)
				if len(f.blocks) != want {
					t.Errorf("cut by %d bytes, %d blocks; want %d", cut, len(f.blocks), want)
				}
			}
		})
	}
}

// The positions all have as many octets as the largest of them needs, on which
// they themselves depend.
func TestCuesPointRightWhateverTheSizeOfTheFile(t *testing.T) {
	widths := map[int]bool{}
	for _, border := range []int{1 << 8, 1 << 16, 1 << 24} {
		for delta := -150; delta <= 30; delta++ {
			if border == 1<<24 && delta%90 != 0 {
				continue
			}
			padding := border + delta
			if padding < 150 {
				padding = 10
			}
			// The second cluster begins about the border.
			stream := stream(tracks(vp8), cluster(0, simpleBlock(1, 0, 0x80, strings.Repeat("x", max(0, padding-150)))), cluster(40, simpleBlock(1, 0, 0x80, "")))
			plan, err := indexOf(t, stream).Seekable()
			if err != nil {
				t.Fatal(err)
			}
			out := made(t, plan, stream)
			f := parse(t, out)
			if len(f.cues) != 2 {
				t.Fatalf("%d cues", len(f.cues))
			}
			for _, e := range f.elements {
				if e.id == 0xF1 {
					widths[e.end-e.data] = true
				}
			}
		}
	}
	for n := 2; n <= 4; n++ {
		if !widths[n] {
			t.Errorf("no position had %d octets: the test tests nothing", n)
		}
	}
}

// A simulated index of a stream of clusters, without the stream: it is what a
// splitter would have made.
func simulated(clusters int, clusterSize int64) *Index {
	o := split(Options{}, stream(tracks(vp8, opus)))
	ix := &Index{header: o.headers[0]}
	ix.parts = []part{{IDSegment, IDTracks, Range{24, ix.header.End}}}
	at := ix.header.End
	for i := range clusters {
		e := entry{Range: Range{at, at + clusterSize}, timestamp: int64(i) * 1000, until: int64(i+1) * 1e9, headLen: 12, timeLen: 4, flags: beginsWithKey}
		ix.add(e, []KeyFrame{{1, e.timestamp, at + 100}})
		at += clusterSize
	}
	ix.first = []KeyFrame{{1, 0, 100}, {2, 0, 200}}
	return ix
}

func TestTheWorkOfASeekableFileGrowsWithItsClustersOnly(t *testing.T) {
	allocations := func(ix *Index) float64 {
		return testing.AllocsPerRun(1, func() {
			if _, err := ix.Seekable(); err != nil {
				t.Fatal(err)
			}
		})
	}
	small, large := allocations(simulated(1000, 1<<20)), allocations(simulated(100_000, 1<<20))
	if large > 110*small {
		t.Errorf("%v allocations for 1,000 clusters and %v for 100,000", small, large)
	}
	if bigger := allocations(simulated(1000, 1<<30)); bigger > small+100 {
		t.Errorf("%v allocations for clusters of 1 MiB and %v for those of 1 GiB", small, bigger)
	}
	for _, n := range []int{1, 1000, 100_000} {
		plan, err := simulated(n, 1<<20).Seekable()
		if err != nil {
			t.Fatal(err)
		}
		if len(plan.Pieces) > 2*n+3 {
			t.Errorf("%d pieces of %d clusters", len(plan.Pieces), n)
		}
		ix := simulated(n, 1<<20)
		ix.Stored = true
		if plan, err = ix.Seekable(); err != nil {
			t.Fatal(err)
		}
		if len(plan.Pieces) > 4 {
			t.Errorf("%d pieces of a store of %d clusters", len(plan.Pieces), n)
		}
	}
}

func TestManyTinyClustersMakeASeekableFile(t *testing.T) {
	const n = 100_000
	parts := [][]byte{tracks(vp8, opus)}
	for i := range n {
		parts = append(parts, cluster(uint64(i)*20, simpleBlock(1, 0, 0x80, "v"), simpleBlock(2, 0, 0, "a")))
	}
	stream := stream(parts...)
	plan, err := indexOf(t, stream).Seekable()
	if err != nil {
		t.Fatal(err)
	}
	f := parse(t, made(t, plan, stream))
	if len(f.clusters) != n || len(f.blocks) != 2*n || len(f.cues) != n+1 {
		t.Errorf("%d clusters, %d blocks, %d cues", len(f.clusters), len(f.blocks), len(f.cues))
	}
}

// Clusters that go backwards in time, as no recorder has them, must not cost
// their number squared.
func TestCuesAreSortedWhateverTheirOrder(t *testing.T) {
	const n = 100_000
	for _, c := range []struct {
		name string
		time func(i int) int64
	}{
		{"backwards", func(i int) int64 { return n - int64(i) }},
		{"mixed", func(i int) int64 { return int64(i) * 7919 % n }},
		{"all the same", func(i int) int64 { return 5 }},
		{"up and down", func(i int) int64 { return int64(i) % 1000 }},
	} {
		t.Run(c.name, func(t *testing.T) {
			var cues []cue
			for i := range n {
				cues = append(cues, cue{time: c.time(i), cluster: int64(i)})
			}
			cues = sorted(cues)
			for i := range cues[1:] {
				if a, b := cues[i], cues[i+1]; a.time > b.time || a.time == b.time && a.cluster > b.cluster {
					t.Fatalf("%+v comes before %+v", a, b)
				}
			}
		})
	}
}

func TestAudioAloneIsCuedAboutEveryHalfSecond(t *testing.T) {
	for _, packet := range []uint64{10, 20, 60, 700} {
		var clusters [][]byte
		for i := range uint64(3) {
			var blocks [][]byte
			for at := uint64(0); at < 10_000; at += packet {
				blocks = append(blocks, simpleBlock(2, int16(at), 0, "\x08\x00"))
			}
			clusters = append(clusters, cluster(i*10_000, blocks...))
		}
		f := seekable(t, stream(append([][]byte{tracks(opus)}, clusters...)...))
		for i := range f.cues[1:] {
			if gap := f.cues[i+1].ticks - f.cues[i].ticks; gap < 500 || gap > int64(max(500+packet, 2*packet)) {
				t.Errorf("packets of %d ms: cues at %d and %d", packet, f.cues[i].ticks, f.cues[i+1].ticks)
			}
		}
		if last := f.cues[len(f.cues)-1].ticks; last < 28_000 {
			t.Errorf("packets of %d ms: the last cue is at %d", packet, last)
		}
	}
}

func TestARecordingWithoutClustersMakesNoFile(t *testing.T) {
	for _, stream := range [][]byte{stream(tracks(vp8)), stream(tracks(opus), element(IDTags)), stream(tracks(vp8), cluster(0, simpleBlock(1, 0, 0x80, "frame"))[:14])} {
		ix := indexOf(t, stream)
		_, seekErr := ix.Seekable()
		_, clipErr := ix.Clip(0, 1)
		_, pointErr := ix.JoinPoint()
		_, joinErr := Join(ix)
		for name, err := range map[string]error{"Seekable": seekErr, "Clip": clipErr, "JoinPoint": pointErr, "Join": joinErr} {
			wantCode(t, name, err, CodeNoClusters)
		}
		if o := split(Options{}, made(t, ix.InitializationSegment(), stream)); o.err() != nil || len(o.headers) != 1 {
			t.Errorf("the initialization segment is %v", o)
		}
	}
	_, err := Join()
	wantCode(t, "Join of nothing", err, CodeNoClusters)
}

func wantCode(t *testing.T, what string, err error, code Code) *Error {
	t.Helper()
	var e *Error
	if !errors.As(err, &e) {
		t.Fatalf("%s: error %v; want %s", what, err, code)
	}
	if e.Code != code || !strings.HasPrefix(e.Error(), "webm: ") {
		t.Errorf("%s: %s, %v; want %s", what, e.Code, e, code)
	}
	return e
}

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

// A planner is one way to make a plan of an index.
type planner struct {
	name string
	plan func(ix *Index, source []byte) (*Plan, error)
}

// planners are some of each sort of plan.
func planners(ix *Index) []planner {
	cut := func(c *Cutter, err error, source []byte) (*Plan, error) {
		if err != nil {
			return nil, err
		}
		return c.PlanFrom(bytes.NewReader(source))
	}
	all := []planner{
		{"seekable", func(ix *Index, source []byte) (*Plan, error) { return ix.Seekable() }},
		{"initialization segment", func(ix *Index, source []byte) (*Plan, error) { return ix.InitializationSegment(), nil }},
		{"head and clusters", func(ix *Index, source []byte) (*Plan, error) { return withHead(ix, 3000) }},
		{"join point", func(ix *Index, source []byte) (*Plan, error) {
			c, err := ix.JoinPoint()
			return cut(c, err, source)
		}},
	}
	for _, r := range [][2]float64{{-1, 1}, {0, 2}, {0.31, 0.9}, {0.5, 0.77}, {0, 0.01}, {0.99, 2}} {
		all = append(all, planner{fmt.Sprint("clip ", r), func(ix *Index, source []byte) (*Plan, error) {
			c, err := ix.Clip(int64(r[0]*float64(ix.Duration())), int64(r[1]*float64(ix.Duration())))
			return cut(c, err, source)
		}})
	}
	n := ix.Clusters()
	for _, r := range [][2]int{{0, n}, {n / 2, n}, {n / 3, n/3 + 1}} {
		for _, fromZero := range []bool{false, true} {
			if r[0] < r[1] && r[1] <= n {
				all = append(all, planner{fmt.Sprint("standalone ", r, " from zero ", fromZero), func(ix *Index, source []byte) (*Plan, error) {
					plan, _ := ix.Standalone(r[0], r[1], fromZero)
					return plan, nil
				}})
			}
		}
	}
	return all
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
		whole := len(ix.left) == 0
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
			if p.name == "seekable" && whole && len(got.Pieces) > len(ix.parts)+3 {
				t.Errorf("the seekable file of a store has %d pieces", len(got.Pieces))
			}
			for _, piece := range got.Pieces {
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

// live checks an initialization segment and what follows it, and returns its
// blocks.
func live(t *testing.T, out []byte) []refBlock {
	t.Helper()
	o := split(Options{}, out)
	o.check(t, out)
	if o.err() != nil || len(o.headers) != 1 {
		t.Fatalf("the splitter says %v", o.err())
	}
	for _, e := range refElements(out) {
		switch {
		case e.id == 0x18538067 != e.unknown:
			t.Errorf("%X at %d has an unknown size: %v", e.id, e.start, e.unknown)
		case e.level == 1 && e.id != 0x1F43B675 && int64(e.start) > o.headers[0].End:
			t.Errorf("%X comes after the header", e.id)
		case slices.Contains([]uint32{0x114D9B74, 0x1C53BB6B, 0x4489}, e.id), e.level == 1 && (e.id == 0xEC || e.id == 0xBF):
			t.Errorf("it has %X", e.id)
		}
	}
	return refBlocks(out)
}

func TestAnInitializationSegmentGoesBeforeAnySizedClusters(t *testing.T) {
	eachPart(t, func(t *testing.T, stream []byte) {
		o := split(Options{}, stream)
		ix := indexOf(t, stream)
		out := made(t, ix.InitializationSegment(), stream)
		for _, c := range o.clusters {
			out = append(out, formed(stream, &c)...)
		}
		sameBlocks(t, "initialization segment and clusters", media(live(t, out)), media(refBlocks(uncut(stream, o))))
		if got, want := ix.InitializationSegment().MimeType, o.report.Recordings[0].Header.MimeType(); got != want {
			t.Errorf("its type is %s; want %s", got, want)
		}
	})
}

func TestAStandaloneSegmentHasItsClustersWithTimesKeptOrFromZero(t *testing.T) {
	eachPart(t, func(t *testing.T, stream []byte) {
		o := split(Options{}, stream)
		ix := indexOf(t, stream)
		n := len(o.clusters)
		for _, r := range [][2]int{{0, n}, {0, 1}, {n / 2, n/2 + 1}, {n / 3, n}, {n - 1, n}} {
			var want []refBlock
			for _, b := range refBlocks(uncut(stream, o)) {
				if int64(b.start) >= o.clusters[r[0]].Start && int64(b.start) < o.clusters[r[1]-1].End {
					want = append(want, b)
				}
			}
			for _, fromZero := range []bool{false, true} {
				plan, key := ix.Standalone(r[0], r[1], fromZero)
				shift := int64(0)
				if fromZero {
					shift = o.clusters[r[0]].Timestamp
				}
				want := media(want)
				for i := range want {
					want[i].ticks -= shift
				}
				sameBlocks(t, fmt.Sprint("clusters ", r), media(live(t, made(t, plan, stream))), want)
				if key != o.clusters[r[0]].BeginsWithKeyFrame() {
					t.Errorf("clusters %v begin with a key frame: %v", r, key)
				}
				last := o.clusters[r[1]-1]
				if start, end := o.clusters[r[0]].Timestamp*1e6, last.Timestamp*1e6+last.Duration; plan.Start != start || plan.End < end {
					t.Errorf("clusters %v are from %d to %d; want %d to %d", r, plan.Start, plan.End, start, end)
				}
			}
		}
	})
}

func TestStandaloneSaysWhetherItBeginsWithAKeyFrame(t *testing.T) {
	for _, c := range []struct {
		name     string
		tracks   []byte
		children [][]byte
		want     bool
	}{
		{"a key frame", tracks(vp8, opus), [][]byte{simpleBlock(1, 0, 0x80, "v")}, true},
		{"audio, then a key frame", tracks(vp8, opus), [][]byte{simpleBlock(2, 0, 0, "a"), simpleBlock(1, 0, 0x80, "v")}, true},
		{"another frame, then a key frame", tracks(vp8, opus), [][]byte{simpleBlock(1, 0, 0, "v"), simpleBlock(1, 40, 0x80, "v")}, false},
		{"a BlockGroup", tracks(vp8, opus), [][]byte{group(block(1, 0, "v"))}, true},
		{"a BlockGroup that refers to another", tracks(vp8, opus), [][]byte{group(block(1, 0, "v"), number(IDReferenceBlock, 1))}, false},
		{"audio alone in a recording with video", tracks(vp8, opus), [][]byte{simpleBlock(2, 0, 0x80, "a")}, false},
		{"audio alone", tracks(opus), [][]byte{simpleBlock(2, 0, 0, "a")}, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			stream := stream(c.tracks, cluster(0, c.children...))
			if _, key := indexOf(t, stream).Standalone(0, 1, false); key != c.want {
				t.Errorf("%v; want %v", key, c.want)
			}
			if o := split(Options{}, stream); o.clusters[0].BeginsWithKeyFrame() != c.want {
				t.Errorf("the cluster says %v; want %v", o.clusters[0].BeginsWithKeyFrame(), c.want)
			}
		})
	}
}

func TestStandalonePanicsForClustersThatTheIndexDoesNotHave(t *testing.T) {
	ix := indexOf(t, stream(tracks(vp8), cluster(0, simpleBlock(1, 0, 0x80, "v")), cluster(40, simpleBlock(1, 0, 0, "v"))))
	for _, r := range [][2]int{{-1, 1}, {0, 3}, {2, 3}, {1, 0}, {2, 1}, {0, 1000}} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("clusters %v do not panic", r)
				}
			}()
			ix.Standalone(r[0], r[1], false)
		}()
	}
}

func TestAClusterAtAnotherTimeHasTheSameBlocks(t *testing.T) {
	eachPart(t, func(t *testing.T, stream []byte) {
		o := split(Options{}, stream)
		init := made(t, indexOf(t, stream).InitializationSegment(), stream)
		for _, timestamp := range []int64{0, 255, 256, 1 << 40} {
			out := slices.Clone(init)
			var want []refBlock
			for _, c := range o.clusters {
				head, data, edit := c.FormAt(timestamp)
				out = slices.Concat(out, head, edited(stream, data, edit))
				part := refBlocks(slices.Concat(init, stream[c.Start:c.End]))
				for i := range part {
					part[i].ticks += timestamp - c.Timestamp
				}
				want = append(want, part...)
			}
			sameBlocks(t, fmt.Sprint("at ", timestamp), media(live(t, out)), media(want))
		}
	})
}

// joined is what a join makes of streams, each of one recording.
func joined(t *testing.T, streams ...[]byte) (file, *Plan) {
	t.Helper()
	var all []*Index
	for _, s := range streams {
		all = append(all, indexOf(t, s))
	}
	plan, err := Join(all...)
	if err != nil {
		t.Fatal(err)
	}
	return parse(t, made(t, plan, streams...)), plan
}

func TestAJoinNumbersTracksAsTheFirstDoes(t *testing.T) {
	av := func(video, audio byte, more ...[]byte) []byte {
		wide := element(IDSimpleBlock, append([]byte{0x40, audio, 0, 7, 0}, "\x08wide"...)) // a number in two octets
		return stream(tracks(track(uint64(video), Video, "V_VP8"), track(uint64(audio), Audio, "A_OPUS", element(IDAudio, number(IDChannels, 2)))),
			cluster(0, simpleBlock(video, 0, 0x80, "v0"), simpleBlock(audio, 0, 0, "\x08a0"), slices.Concat(more...)),
			cluster(20, group(block(video, 0, "v1"), number(IDReferenceBlock, 1)), wide, group(block(audio, 10, "\x08a2"))))
	}
	for _, c := range []struct {
		name    string
		streams [][]byte
	}{
		{"the same", [][]byte{av(1, 2), av(1, 2)}},
		{"swapped", [][]byte{av(1, 2), av(2, 1)}},
		{"three, each in its own way", [][]byte{av(1, 2), av(2, 1), av(7, 126)}},
		{"one in the other's place", [][]byte{av(2, 3), av(3, 4), av(1, 2)}},
		{"one alone", [][]byte{av(1, 2)}},
	} {
		t.Run(c.name, func(t *testing.T) {
			f, plan := joined(t, c.streams...)
			var want []refBlock
			numbers := map[TrackType]uint64{}
			for _, b := range refBlocks(c.streams[0]) {
				numbers[b.typ] = b.track
			}
			shift := int64(0)
			for _, s := range c.streams {
				for _, b := range media(refBlocks(s)) {
					b.ticks += shift
					b.track = numbers[b.typ]
					want = append(want, b)
				}
				shift += indexOf(t, s).Duration() / 1e6
			}
			sameBlocks(t, "join", media(f.blocks), want)
			if f.duration != float64(shift) || plan.End != shift*1e6 || plan.Start != 0 {
				t.Errorf("Duration %v, plan to %d; want %d", f.duration, plan.End, shift)
			}
			// Each recording has a cue for its key frame and for its audio.
			if len(f.cues) != 2*len(c.streams) {
				t.Errorf("cues %v", f.cues)
			}
		})
	}
}

func TestAJoinContinuesAfterTheLongestTrackRoundedUp(t *testing.T) {
	for _, c := range []struct {
		scale    uint64
		duration int64 // of the first
		shift    int64 // in ticks
	}{
		{1_000_000, 66_000_000, 66},
		{1_000_000, 66_000_001, 67},
		{999_999, 66_999_933, 67},
		{999_999, 66_999_934, 68},
		{7_000_000, 84_000_001, 13},
		{3, 60_000_001, 20_000_001},
		{1e9, 1, 1},
	} {
		t.Run(fmt.Sprintf("%d ns at a scale of %d", c.duration, c.scale), func(t *testing.T) {
			stream := stream(element(IDInfo, number(IDTimestampScale, c.scale)), tracks(vp8, opus),
				cluster(0, simpleBlock(1, 0, 0x80, "v"), simpleBlock(1, 1, 0, "v"), simpleBlock(2, 0, 0, "\x08a")))
			ix := indexOf(t, stream)
			ix.duration, ix.decodable = c.duration, c.duration
			plan, err := Join(ix, indexOf(t, stream))
			if err != nil {
				t.Fatal(err)
			}
			f := parse(t, made(t, plan, stream, stream))
			if got := f.blocks[3].ticks; got != c.shift {
				t.Errorf("the second begins at tick %d; want %d", got, c.shift)
			}
			second := indexOf(t, stream).Duration()
			if want := c.shift*int64(c.scale) + second; plan.End != want {
				t.Errorf("it ends at %d; want %d", plan.End, want)
			}
		})
	}
}

func TestWhatCannotBeJoinedIsSaidWithTheTracks(t *testing.T) {
	frame := cluster(0, simpleBlock(1, 0, 0x80, "v"), simpleBlock(2, 0, 0, "a"))
	rate := func(hz float64) []byte { return ebml.AppendFloat(nil, IDSamplingFrequency, hz) }
	first := stream(tracks(vp8, opus), frame)
	for _, c := range []struct {
		name   string
		first  []byte
		second []byte
		text   string
	}{
		{"another video codec", first, stream(tracks(track(1, Video, "V_VP9"), opus), frame), "webm: track 1 of recording 2 is video (V_VP9), the first has V_VP8"},
		{"another audio codec", first, stream(tracks(vp8, track(2, Audio, "A_VORBIS")), frame), "webm: track 2 of recording 2 is audio (A_VORBIS), the first has A_OPUS"},
		{"other channels", first, stream(tracks(vp8, track(2, Audio, "A_OPUS", element(IDAudio, number(IDChannels, 2)))), frame), "webm: track 2 of recording 2 is audio (A_OPUS), with 2 channels, the first has 1"},
		{"another sample rate", first, stream(tracks(vp8, track(2, Audio, "A_OPUS", element(IDAudio, rate(48000)))), frame), "webm: track 2 of recording 2 is audio (A_OPUS), with another sample rate than in the first"},
		{"another CodecPrivate", first, stream(tracks(track(1, Video, "V_VP8", element(IDCodecPrivate, []byte("x"))), opus), frame), "webm: track 1 of recording 2 is video (V_VP8), with another CodecPrivate than in the first"},
		{"a track less", first, stream(tracks(vp8), frame), "webm: recording 2 has 1 tracks, the first has 2"},
		{"a track more", first, stream(tracks(vp8, opus, track(3, Audio, "A_OPUS")), frame), "webm: recording 2 has 3 tracks, the first has 2"},
		{"a type that the first does not have", first, stream(tracks(vp8, track(2, Subtitle, "S_TEXT/WEBVTT")), frame), "webm: track 2 of recording 2 is subtitle (S_TEXT/WEBVTT), which the first does not have"},
		{"a type twice", first, stream(tracks(vp8, track(2, Video, "V_VP8")), frame), "webm: track 2 of recording 2 is video (V_VP8), which the first does not have"},
		{"another TimestampScale", first, stream(element(IDInfo, number(IDTimestampScale, 1000)), tracks(vp8, opus), frame), "webm: recording 2 has another TimestampScale than the first"},
		{"a number too large", first, stream(tracks(vp8, track(300, Audio, "A_OPUS")), frame), "webm: recording 2 has another number for a track, and one too large to be changed"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := Join(indexOf(t, c.first), indexOf(t, c.second))
			if e := wantCode(t, "Join", err, CodeIncompatible); e.Error() != c.text {
				t.Errorf("it says\n\t%s\nand should say\n\t%s", e, c.text)
			}
		})
	}
	t.Run("one that is stored", func(t *testing.T) {
		inStore := indexOf(t, first)
		inStore.Stored = true
		_, err := Join(indexOf(t, first), inStore)
		wantCode(t, "Join", err, CodeIncompatible)
		_, err = Join(inStore, indexOf(t, first))
		wantCode(t, "Join", err, CodeIncompatible)
	})
	t.Run("the third without clusters", func(t *testing.T) {
		_, err := Join(indexOf(t, first), indexOf(t, first), indexOf(t, stream(tracks(vp8, opus))))
		if e := wantCode(t, "Join", err, CodeNoClusters); e.Error() != "webm: recording 3 has no cluster" {
			t.Error(e)
		}
	})
	t.Run("large numbers that are the same can", func(t *testing.T) {
		high := stream(tracks(track(300, Video, "V_VP8")), cluster(0, element(IDSimpleBlock, []byte("\x41\x2C\x00\x00\x80v"))))
		if f, _ := joined(t, high, high); len(f.blocks) != 2 || f.blocks[1].track != 300 {
			t.Errorf("blocks %v", f.blocks)
		}
	})
}

// structure are the places of a stream where its elements' heads are.
func structure(stream []byte) (places []int) {
	for _, e := range refElements(stream) {
		for at := e.start; at < e.data; at++ {
			places = append(places, at)
		}
		if e.level > 1 && e.end-e.data < 9 || e.id == 0xA3 {
			places = append(places, e.data, min(e.data+1, e.end-1), min(e.data+3, e.end-1))
		}
	}
	return places
}

// mutated is a stream with a few bytes changed, mostly where it matters, and
// perhaps a piece left out, put in twice or cut off.
func mutated(random *rand.Rand, stream []byte, places []int) []byte {
	stream = slices.Clone(stream)
	for range 1 + random.IntN(3) {
		at := random.IntN(len(stream))
		if random.IntN(4) > 0 {
			at = places[random.IntN(len(places))]
			if random.IntN(3) == 0 {
				at = places[random.IntN(min(len(places), 300))] // the header
			}
		}
		if at < 4 {
			continue // or it is not EBML at all
		}
		stream[at] ^= 1 << random.IntN(8)
	}
	at := 400 + random.IntN(len(stream)-400)
	n := random.IntN(min(len(stream)-at, 2000))
	switch random.IntN(6) {
	case 0:
		stream = slices.Delete(stream, at, at+n)
	case 1:
		stream = slices.Insert(stream, at, slices.Clone(stream[at:at+n])...)
	case 2:
		stream = stream[:at]
	}
	return stream
}
