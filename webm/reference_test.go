package webm

// A second reading of streams, to compare the first with: all bytes at hand, no
// state, and nothing of this module used. It is for streams that are whole.

import (
	"encoding/binary"
	"slices"
)

type refElement struct {
	id               uint32
	level            int
	start, data, end int
	unknown          bool
}

// The masters that recorders write.
var refMasters = []uint32{
	0x1A45DFA3, 0x18538067, 0x114D9B74, 0x4DBB, 0x1549A966, 0x1654AE6B, 0xAE, 0xE0, 0x55B0, 0x55D0, 0xE1,
	0x1F43B675, 0xA0, 0x75A1, 0xA6, 0x1C53BB6B, 0xBB, 0xB7,
}

// What may stand in a Segment, and so ends a Cluster of unknown size.
var refSegmentLevel = []uint32{
	0x114D9B74, 0x1549A966, 0x1654AE6B, 0x1F43B675, 0x1C53BB6B, 0x1043A770, 0x1254C367, 0x1941A469,
}

// refElements lists the elements of a stream, masters before their children.
func refElements(b []byte) []refElement {
	var all []refElement
	// walk reads elements from at to end, or to one that cannot be in parent,
	// the ID of a master of unknown size, and returns where that is.
	var walk func(at, end, level int, parent uint32) int
	walk = func(at, end, level int, parent uint32) int {
		for at < end {
			n := 1
			for b[at]<<(n-1) < 0x80 {
				n++
			}
			var id uint32
			for _, c := range b[at : at+n] {
				id = id<<8 | uint32(c)
			}
			if parent != 0 && (id == 0x1A45DFA3 || id == 0x18538067) || parent == 0x1F43B675 && slices.Contains(refSegmentLevel, id) {
				return at
			}
			e := refElement{id: id, level: level, start: at}
			at += n

			n = 1
			for b[at]<<(n-1) < 0x80 {
				n++
			}
			var size uint64
			for _, c := range b[at : at+n] {
				size = size<<8 | uint64(c)
			}
			size -= 1 << (7 * n) // the marker
			e.unknown = size == 1<<(7*n)-1
			e.data = at + n

			i := len(all)
			all = append(all, e)
			switch {
			case e.unknown:
				e.end = walk(e.data, end, level+1, id)
			case slices.Contains(refMasters, id):
				e.end = walk(e.data, e.data+int(size), level+1, 0)
			default:
				e.end = e.data + int(size)
			}
			all[i].end = e.end
			at = e.end
		}
		return at
	}
	walk(0, len(b), 0, 0)
	return all
}

// refUint is the integer that an element holds.
func refUint(b []byte, e refElement) uint64 {
	var padded [8]byte
	copy(padded[8-(e.end-e.data):], b[e.data:e.end])
	return binary.BigEndian.Uint64(padded[:])
}

// refSplit finds the ranges of the headers and the clusters of a stream, but not
// their durations.
func refSplit(b []byte) (headers []Range, clusters []Cluster) {
	types := map[uint64]TrackType{} // of the recording's tracks, by number
	var numbers []uint64            // of its tracks, in order
	elements := refElements(b)
	for i, e := range elements {
		switch e.id {
		case 0x1A45DFA3:
			headers = append(headers, Range{int64(e.start), -1})
			numbers = nil
		case 0xD7:
			numbers = append(numbers, refUint(b, e))
		case 0x83:
			types[numbers[len(numbers)-1]] = TrackType(refUint(b, e))
		case 0x1F43B675:
			if h := &headers[len(headers)-1]; h.End < 0 {
				h.End = int64(e.start)
			}
			c := Cluster{
				Range:     Range{int64(e.start), int64(e.end)},
				Recording: len(headers) - 1,
				HeadLen:   e.data - e.start,
				Known:     !e.unknown,
			}
			for _, n := range numbers {
				c.Tracks = append(c.Tracks, TrackBlocks{Number: n})
			}
			clusters = append(clusters, c)
		case 0xE7:
			c := &clusters[len(clusters)-1]
			c.Timestamp = int64(refUint(b, e))
			c.Time = c.Timestamp * 1e6 // as a tick is a millisecond in all recordings of browsers
		case 0xA0, 0xA3:
			c := &clusters[len(clusters)-1]
			block, key := e, b[e.data+3]&0x80 != 0
			if e.id == 0xA0 {
				key = true
				for _, child := range elements[i+1:] {
					if child.start >= e.end {
						break
					}
					switch child.id {
					case 0xA1:
						block = child
					case 0xFB:
						key = false
					}
				}
			}
			number := uint64(b[block.data] & 0x7F)
			key = key || types[number] == Audio
			c.Blocks++
			for i := range c.Tracks {
				if c.Tracks[i].Number == number {
					c.Tracks[i].Blocks++
					if key {
						c.Tracks[i].KeyFrames++
					}
				}
			}
			if key && types[number] == Video {
				at := c.Timestamp + int64(int16(binary.BigEndian.Uint16(b[block.data+1:])))
				c.KeyFrames = append(c.KeyFrames, KeyFrame{number, at, at * 1e6, int64(e.start)})
			}
		}
	}
	if n := len(headers); n > 0 && headers[n-1].End < 0 { // no cluster came
		headers[n-1].End = int64(len(b))
	}
	for i := range clusters {
		c := &clusters[i]
		c.Tracks = slices.DeleteFunc(c.Tracks, func(t TrackBlocks) bool { return t.Blocks == 0 })
	}
	return headers, clusters
}
