// Package webmtest builds streams for tests. It does not import webm, so that the tests
// inside of that package can use it, and has the few IDs that it needs itself.
package webmtest

// What every test of webm builds its streams of.

import (
	"slices"

	"github.com/webmend/webmend/ebml"
)

const (
	idSegment     ebml.ID = 0x18538067
	idInfo        ebml.ID = 0x1549A966
	idMuxingApp   ebml.ID = 0x4D80
	idTracks      ebml.ID = 0x1654AE6B
	idTrackEntry  ebml.ID = 0xAE
	idTrackNumber ebml.ID = 0xD7
	idTrackUID    ebml.ID = 0x73C5
	idTrackType   ebml.ID = 0x83
	idCodecID     ebml.ID = 0x86
	idPrivate     ebml.ID = 0x63A2
	idCluster     ebml.ID = 0x1F43B675
	idTimestamp   ebml.ID = 0xE7
	idSimpleBlock ebml.ID = 0xA3
	idBlockGroup  ebml.ID = 0xA0
	idBlock       ebml.ID = 0xA1
	idDuration    ebml.ID = 0x9B // BlockDuration
	idReference   ebml.ID = 0xFB // ReferenceBlock
	idCues        ebml.ID = 0x1C53BB6B
	idTags        ebml.ID = 0x1254C367
)

// The types of tracks.
const (
	video = 1
	audio = 2
)

// Element is an element whose size is known, in as few octets as hold it.
func Element(id ebml.ID, children ...[]byte) []byte {
	return ebml.AppendBinary(nil, id, slices.Concat(children...))
}

// Unknown is an element of unknown size, in 8 octets.
func Unknown(id ebml.ID, children ...[]byte) []byte {
	return append(ebml.AppendHead(nil, id, ebml.UnknownSize), slices.Concat(children...)...)
}

// Number is an element that holds an unsigned integer.
func Number(id ebml.ID, v uint64) []byte { return ebml.AppendUint(nil, id, v) }

// Text is an element that holds a string.
func Text(id ebml.ID, s string) []byte { return ebml.AppendString(nil, id, s) }

// Huge is the head of an element that claims the most that can be claimed.
func Huge(id ebml.ID) []byte { return ebml.AppendHead(nil, id, 1<<56-2) }

// EBMLHeader is an EBML header of 12 bytes.
func EBMLHeader() []byte { return Element(ebml.IDEBML, Text(ebml.IDDocType, "webm")) }

// Stream is an EBML header and a Segment of unknown size, which together take
// the first 24 bytes.
func Stream(children ...[]byte) []byte {
	return append(EBMLHeader(), Unknown(idSegment, children...)...)
}

// Tracks is the header of a recording with these TrackEntries.
func Tracks(entries ...[]byte) []byte { return Element(idTracks, entries...) }

// Track is a TrackEntry.
func Track(n, typ uint64, codec string, more ...[]byte) []byte {
	return Element(idTrackEntry, Number(idTrackNumber, n), Number(idTrackType, typ), Text(idCodecID, codec), slices.Concat(more...))
}

// VP8 and Opus are the tracks that a browser records by default, 1 and 2, of 20
// and 21 bytes. A stream of VP8 alone has a header of 49.
var (
	VP8  = Track(1, video, "V_VP8", Number(idTrackUID, 0x8001))
	Opus = Track(2, audio, "A_OPUS", Number(idTrackUID, 0x8002))
)

// Cluster is a Cluster of unknown size.
func Cluster(timestamp uint64, children ...[]byte) []byte {
	return Unknown(idCluster, Number(idTimestamp, timestamp), slices.Concat(children...))
}

// BlockData is what a SimpleBlock and a Block hold.
func BlockData(track byte, relative int16, flags byte, payload string) []byte {
	return append([]byte{0x80 | track, byte(relative >> 8), byte(relative), flags}, payload...)
}

// SimpleBlock is a SimpleBlock of a track up to 127.
func SimpleBlock(track byte, relative int16, flags byte, payload string) []byte {
	return Element(idSimpleBlock, BlockData(track, relative, flags, payload))
}

// Block is a Block, to be put into a Group.
func Block(track byte, relative int16, payload string) []byte {
	return Element(idBlock, BlockData(track, relative, 0, payload))
}

// Group is a BlockGroup.
func Group(children ...[]byte) []byte { return Element(idBlockGroup, children...) }
