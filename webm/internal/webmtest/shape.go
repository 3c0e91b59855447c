package webmtest

// Streams made to cost much, as long as one wants them.

import (
	"iter"
	"slices"
	"strings"

	"github.com/webmend/webmend/ebml"
)

// A Shape is a sort of stream: what it begins with, and pieces that follow for as many
// bytes as are wanted.
type Shape struct {
	Name  string
	begin []byte

	// next appends a piece, of which i came before it. Left bytes are still wanted.
	next func(b []byte, i, left int) []byte
}

// Stream is a stream of the shape, of size bytes or up to one piece more. It comes in
// chunks of about 64 KB, each valid until the next one comes.
func (s *Shape) Stream(size int) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		const most = 64 << 10
		chunk := make([]byte, 0, most+most/4)
		chunk = append(chunk, s.begin...)
		given := 0
		for i := 0; ; i++ {
			full := given+len(chunk) >= size
			if len(chunk) >= most || full {
				if !yield(chunk) || full {
					return
				}
				given += len(chunk)
				chunk = chunk[:0]
			}
			chunk = s.next(chunk, i, size-given-len(chunk))
		}
	}
}

// Bytes is such a stream as a whole.
func (s *Shape) Bytes(size int) []byte {
	b := make([]byte, 0, size+size/8)
	for chunk := range s.Stream(size) {
		b = append(b, chunk...)
	}
	return b
}

// again repeats a piece.
func again(pieces ...[]byte) func(b []byte, i, left int) []byte {
	piece := slices.Concat(pieces...)
	return func(b []byte, _, _ int) []byte { return append(b, piece...) }
}

// piece makes each piece anew.
func piece(of func(i int) []byte) func(b []byte, i, left int) []byte {
	return func(b []byte, i, _ int) []byte { return append(b, of(i)...) }
}

const (
	ebmlMagic    = "\x1A\x45\xDF\xA3"
	clusterMagic = "\x1F\x43\xB6\x75"
	claimsMuch   = "\xA3\x10\x00\x40\x00\x81\x00\x00\x00" // a SimpleBlock of 16 KB
)

// What some shapes begin with.
var (
	key    = SimpleBlock(1, 0, 0x80, "frame")
	empty  = SimpleBlock(1, 0, 0, "")
	whole  = Stream(Tracks(VP8, Opus), Cluster(0, key)) // in whose cluster more may follow
	spoilt = append(slices.Clone(whole), 0)             // at whose end there is damage
	many   = Stream(manyTracks())
)

// manyTracks are as many tracks as a recording may have.
func manyTracks() []byte {
	var entries [][]byte
	for n := range uint64(128) {
		entries = append(entries, Track(n+1, video, "V_VP8"))
	}
	return Tracks(entries...)
}

// sized is a Cluster of known size, with a Timestamp of 4 octets.
func sized(timestamp int, children ...[]byte) []byte {
	t := []byte{0x84, byte(timestamp >> 24), byte(timestamp >> 16), byte(timestamp >> 8), byte(timestamp)}
	return Element(idCluster, []byte{byte(idTimestamp)}, t, slices.Concat(children...))
}

// inCluster is block i of clusters that have so many blocks each, which are so many ticks
// apart, and the head of the cluster if it is the first.
func inCluster(i, blocks, ticks int, block func(relative int16) []byte) []byte {
	b := block(int16(i % blocks * ticks))
	if i%blocks == 0 {
		return append(Cluster(uint64(i*ticks)), b...)
	}
	return b
}

// Shapes are all there are.
var Shapes = slices.Concat(searches, clusters, blocks, headers)

// searches are to make a splitter look at the same bytes again and again.
var searches = []Shape{
	{"EBML headers", spoilt, again(EBMLHeader())},
	{"EBML headers without a DocType", spoilt, again(Element(ebml.IDEBML))},
	{"EBML headers that claim much", spoilt, again([]byte(ebmlMagic + "\x08\x00\x00\x00\x42\x82\x4F\xFF"))},
	{"the beginning of EBML headers", spoilt, again([]byte(ebmlMagic[:3]))},
	{"first octets of the ID of an EBML header", spoilt, again([]byte(ebmlMagic[:1]))},
	{"first octets of the ID of a Cluster", spoilt, again([]byte(clusterMagic[:1]))},
	{"IDs of Clusters", spoilt, again([]byte(clusterMagic))},
	{"Clusters with nothing in them", spoilt, again(Unknown(idCluster))},
	{"Clusters with a Timestamp alone", spoilt, again(Cluster(0))},
	{"Clusters with a block that claims all that there can be", spoilt, again(Cluster(0, Huge(idSimpleBlock)))},
	{"Clusters with a block, and one that claims much", spoilt, again(Cluster(0, empty), []byte(claimsMuch))},
	{"Clusters with blocks, and one that claims much", spoilt, again(Cluster(0, empty, empty), []byte(claimsMuch))},
	{"Clusters with a block with lacing that claims much", spoilt, again(Cluster(0, empty), []byte("\xA3\x10\x00\x40\x00\x82\x00\x00\x06\xFF\xFF\xFF"))},
	{"sized Clusters that claim much", spoilt, again([]byte(clusterMagic + "\x10\x00\x40\x00\xE7\x81\x00\xA3\x10\x00\x3F\xF8\x81\x00\x00\x00"))},
	{"sized Clusters in each other", Stream(Tracks(VP8)), func(b []byte, _, left int) []byte {
		b = ebml.AppendHeadWidth(b, idCluster, int64(max(left, 21)-8), 4)
		return append(b, "\xE7\x81\x00\xA3\x84\x81\x00\x00\x00"...)
	}},
	{"false Clusters of 128 tracks, a Timestamp alone", append(slices.Clone(many), 0), again(Cluster(0))},
	{"false Clusters of 128 tracks, with a block that claims much", append(slices.Clone(many), 0), again(Cluster(0, empty), []byte(claimsMuch))},
	{"Clusters with damage in between", spoilt, again(Cluster(0, empty, empty), []byte{0})},
	{"damage after each block", whole, again(key, []byte{0})},
	{"damage every few bytes", whole, piece(func(i int) []byte {
		broken := SimpleBlock(1, 2, 0, "frame")
		switch i % 3 {
		case 0:
			broken[0] = 0 // no ID begins so
		case 1:
			broken[1] += byte(i / 3 % 30) // it takes in a bit of what follows
		case 2:
			broken[1] = 0x40 // or 129 bytes
		}
		return Cluster(uint64(i*3), key, empty, broken)
	})},
	{"zeros", spoilt, again([]byte{0})},
}

// clusters are to have a lot of them, or a lot in them.
var clusters = []Shape{
	{"Segments of one recording", EBMLHeader(), again(Stream(Tracks(VP8, Opus), Cluster(0, key, SimpleBlock(2, 0, 0x80, "sound")))[12:])},
	{"empty Clusters of 128 tracks", many, again(Element(idCluster))},
	{"Clusters of 128 tracks", many, again(Cluster(0, empty))},
	{"Clusters of 18 bytes", Stream(Tracks(VP8)), piece(func(i int) []byte { return sized(i*20, SimpleBlock(1, 0, 0x80, "")) })},
	{"one key frame, and then Clusters", whole, piece(func(i int) []byte { return Cluster(uint64(i), SimpleBlock(1, 0, 0, strings.Repeat("x", 480))) })},
	{"key frames without bytes in many Clusters", Stream(Tracks(VP8)), piece(func(i int) []byte {
		return inCluster(i, 100, 10, func(at int16) []byte { return SimpleBlock(1, at, 0x80, "") })
	})},
	{"audio alone, of a byte each", Stream(Tracks(Opus)), piece(func(i int) []byte {
		return inCluster(i, 1500, 20, func(at int16) []byte { return SimpleBlock(2, at, 0x80, "\x08") })
	})},
	{"a clock of audio that jumps at each block", Stream(Tracks(Opus)), piece(func(i int) []byte {
		return inCluster(i, 30, 1000, func(at int16) []byte { return SimpleBlock(2, at, 0x80, "\x08") })
	})},
	{"a clock of video that jumps at each block", Stream(Tracks(VP8)), piece(func(i int) []byte {
		return inCluster(i, 7, 1000*(1+i%3), func(at int16) []byte { return SimpleBlock(1, at, 0x80, "") })
	})},
	{"unknown elements between Clusters", whole, again(Element(0x4FFE, []byte("?")), Cluster(0, key), Element(0x4FFE))},
	{"Cues and Tags between Clusters", whole, again(Cluster(0, key), Element(idTags), Element(idCues), Element(idTags, []byte("\x73\x73\x80")))},
	{"Cues", whole, again(Element(idCues))},
}

// blocks are to have a lot of them in one Cluster.
var blocks = []Shape{
	{"blocks that go back in time", spoilt, again(Cluster(9, SimpleBlock(2, 9, 0, ""), SimpleBlock(2, 0, 0, "")))},
	{"Clusters with a block of no track", spoilt, again(Cluster(0, empty, SimpleBlock(7, 0, 0, "")))},
	{"blocks of no track, and Void between them", whole, again(SimpleBlock(7, 0, 0, ""), Element(ebml.IDVoid))},
	{"empty elements in a Cluster", whole, again(Element(ebml.IDVoid))},
	{"unknown elements in a Cluster", whole, again(Element(0x4FFE, []byte("?")), key)},
	{"empty BlockGroups", whole, again(Group())},
	{"BlockGroups", Stream(Tracks(VP8)), piece(func(i int) []byte {
		return inCluster(i, 1000, 20, func(at int16) []byte {
			return Group(Block(1, at, "frame"), Number(idDuration, 20), Element(idReference, []byte{0xEC}))
		})
	})},
	{"BlockGroups that go back in time", whole, again(Group(Block(1, 0, "frame"), Number(idDuration, 20)), Group(Block(1, 20, "frame"), Element(idReference, []byte{0xEC})))},
	{"blocks without frames", whole, again(SimpleBlock(1, 0, 0x80, ""))},
	{"key frames without bytes", Stream(Tracks(VP8), Cluster(0)), piece(func(i int) []byte { return SimpleBlock(1, int16(min(i, 1<<15-1)), 0x80, "") })},
	{"blocks of 256 frames without bytes", whole, again(SimpleBlock(1, 0, 0x82, "\xFF"+strings.Repeat("\x00", 255)))},
	{"blocks with Xiph lacing", whole, again(SimpleBlock(2, 0, 0x82, "\x02\x03\x03\x0812\x0834\x0856"))},
	{"blocks with EBML lacing", whole, again(SimpleBlock(2, 0, 0x86, "\x02\x82\xBF\x081\x082\x083"))},
}

// headers are to have a lot of them, or a lot in one.
var headers = []Shape{
	{"recordings", nil, again(Stream(Tracks(VP8), Cluster(0, key)))},
	{"recordings of 128 tracks", nil, again(many, Cluster(0, key))},
	{"headers of 128 tracks", nil, again(many)},
	{"empty elements before the Tracks", Stream(), again(Element(ebml.IDVoid))},
	{"elements in Info", append(Stream(), Huge(idInfo)...), again(Text(idMuxingApp, ""))},
	{"elements of a track", append(Stream(), ebml.AppendHead(Huge(idTracks), idTrackEntry, 1<<40)...), again(Text(idCodecID, ""))},
	{"bytes of CodecPrivate", append(Stream(), ebml.AppendHead(ebml.AppendHead(Huge(idTracks), idTrackEntry, 1<<40), idPrivate, 1<<39)...), again([]byte{0})},
}
