package webm

import "github.com/webmend/webmend/ebml"

// Lacing is how several frames share a block (RFC 9559 §10.3).
type Lacing uint8

const (
	NoLacing    Lacing = 0
	XiphLacing  Lacing = 1
	FixedLacing Lacing = 2
	EBMLLacing  Lacing = 3
)

// A Block is the data of a SimpleBlock or Block element (RFC 9559 §10.1, §10.2).
type Block struct {
	Track       uint64 // the number of the track it belongs to
	Timestamp   int16  // in ticks, relative to the Timestamp of its Cluster
	Key         bool   // the key frame flag, which only a SimpleBlock has
	Invisible   bool   // decoded, not shown
	Discardable bool   // may be left out; only a SimpleBlock has it
	Lacing      Lacing
	Frames      [][]byte // the frames, slices of the data that was parsed
}

// The flags of a SimpleBlock (RFC 9559 §10.2).
const (
	flagKey         = 0x80
	flagInvisible   = 0x08
	flagLacing      = 0x06
	flagDiscardable = 0x01
)

// ParseBlock parses the whole data of a SimpleBlock or Block. It says no when
// the data is too short for a block's head, or when its lacing does not add up.
func ParseBlock(data []byte) (Block, bool) {
	h, n, ok := parseBlockHead(data)
	if !ok {
		return Block{}, false
	}
	b := Block{
		Track:       h.track,
		Timestamp:   h.timestamp,
		Key:         h.flags&flagKey != 0,
		Invisible:   h.flags&flagInvisible != 0,
		Discardable: h.flags&flagDiscardable != 0,
		Lacing:      h.lacing(),
	}
	b.Frames, ok = splitLaces(b.Lacing, data[n:])
	return b, ok
}

// A blockHead is what a block begins with.
type blockHead struct {
	track     uint64 // its number
	timestamp int16  // ticks
	flags     byte
}

func (h blockHead) lacing() Lacing { return Lacing(h.flags & flagLacing >> 1) }

// parseBlockHead parses a block up to its flags and returns how many bytes that
// were.
func parseBlockHead(data []byte) (h blockHead, n int, ok bool) {
	track, n := ebml.ParseVINT(data)
	if n <= 0 || len(data) < n+3 {
		return h, 0, false
	}
	return blockHead{track, int16(data[n])<<8 | int16(data[n+1]), data[n+2]}, n + 3, true
}

// splitLaces takes apart what follows a block's flags (RFC 9559 §10.3).
func splitLaces(lacing Lacing, data []byte) ([][]byte, bool) {
	if lacing == NoLacing {
		return [][]byte{data}, true
	}
	if len(data) == 0 {
		return nil, false
	}
	count := int(data[0]) + 1
	data = data[1:]
	sizes := make([]int, count)
	switch lacing {
	case XiphLacing:
		for i := range sizes[:count-1] {
			for {
				if len(data) == 0 {
					return nil, false
				}
				c := data[0]
				data = data[1:]
				sizes[i] += int(c)
				if c != 0xFF {
					break
				}
			}
		}
	case FixedLacing:
		if len(data)%count != 0 {
			return nil, false
		}
		for i := range sizes {
			sizes[i] = len(data) / count
		}
	case EBMLLacing:
		var size int64
		for i := range sizes[:count-1] {
			v, n := ebml.ParseVINT(data)
			if n <= 0 {
				return nil, false
			}
			data = data[n:]
			if i == 0 {
				size = int64(v)
			} else {
				// A difference to the size before, in the middle of the range
				// that its octets give.
				size += int64(v) - (1<<(7*n-1) - 1)
			}
			if size < 0 || size > int64(len(data)) {
				return nil, false
			}
			sizes[i] = int(size)
		}
	}
	frames := make([][]byte, count)
	for i, size := range sizes {
		if lacing != FixedLacing && i == count-1 {
			size = len(data)
		}
		if size > len(data) {
			return nil, false
		}
		frames[i], data = data[:size:size], data[size:]
	}
	return frames, true
}

// sumOf tells blocks apart by their size, the Timestamp of their cluster and the first
// bytes of their data, which begin with track and time.
func sumOf(data []byte, size, timestamp int64) uint32 {
	const prime = 0x9E3779B97F4A7C15
	sum := (uint64(size)*prime ^ uint64(timestamp)) * prime
	if len(data) >= blockHeadLen { // in two words, as this is done for each block
		sum = (sum ^ word(data)) * prime
		sum = (sum>>32 ^ sum ^ word(data[blockHeadLen-8:])) * prime
	} else {
		for _, c := range data {
			sum = (sum ^ uint64(c)) * prime
		}
	}
	return uint32(sum >> 32)
}

// word is the first 8 bytes of data.
func word(data []byte) uint64 {
	_ = data[7]
	return uint64(data[0]) | uint64(data[1])<<8 | uint64(data[2])<<16 | uint64(data[3])<<24 |
		uint64(data[4])<<32 | uint64(data[5])<<40 | uint64(data[6])<<48 | uint64(data[7])<<56
}
