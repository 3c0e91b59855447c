package webm

// A list of the packets of a stream, to compare outputs with. It is made without the
// Splitter and the Scanner, from streams that are whole but for their end: of others it
// says that it does not know.

import (
	"bytes"
	"fmt"
	"hash/maphash"
	"math"
	"slices"
	"testing"

	"github.com/webmend/webmend/ebml"
)

// A packet is a SimpleBlock or BlockGroup. Its laces stay together.
type packet struct {
	ticks int64
	key   bool   // not a part of what is compared: outputs may set the flag
	sum   uint64 // of the block's data after its flags, and of what else the BlockGroup has
}

// A packetList is the packets of one recording.
type packetList struct {
	scale       int64                // nanoseconds a tick
	types       map[uint64]TrackType // of the tracks that the header has, by number
	packets     map[uint64][]packet  // of these, in the order of the stream
	tracksLater bool                 // Tracks come after the first Cluster
}

// count is how many packets tracks of a type have.
func (l *packetList) count(typ TrackType) (n int) {
	for track, packets := range l.packets {
		if l.types[track] == typ {
			n += len(packets)
		}
	}
	return n
}

// all are the packets of all tracks of a type, of which there is one as a rule.
func (l *packetList) all(typ TrackType) (all []packet) {
	for track, packets := range l.packets {
		if l.types[track] == typ {
			all = append(all, packets...)
		}
	}
	return all
}

// packetsOf lists the packets of a stream by recording, without a block that the end of the
// stream cuts short. It is not ok if anything before that is wrong, or not expected here.
func packetsOf(b []byte) (recordings []packetList, ok bool) {
	r := packetReader{b: b}
	for r.at < len(b) && !r.broken && !r.cut {
		r.element()
	}
	for i := range r.recordings {
		l := &r.recordings[i]
		if l.types == nil {
			return nil, false
		}
		for track := range l.packets {
			if _, known := l.types[track]; !known {
				delete(l.packets, track)
			}
		}
	}
	return r.recordings, !r.broken && len(r.recordings) > 0
}

// A packetReader takes the children of Segments and Clusters one after the other: their IDs
// tell what they are children of, and so what has ended before them.
type packetReader struct {
	b           []byte
	at          int
	recordings  []packetList
	broken, cut bool

	segment, cluster    bool // is open
	segmentEnd          int  // or noEnd
	clusterEnd          int  // likewise
	timestamp           int64
	hasTime, hasCluster bool // the Cluster, and the recording
}

// noEnd is where an element of unknown size ends.
const noEnd = math.MaxInt

// Children of a Cluster that have no packets.
var packetless = []uint32{0xA7, 0xAB, 0x5854, 0xAF}

// Children of a BlockGroup, but for its Block.
var besideBlock = []uint32{0x75A1, 0x9B, 0xFB, 0x75A2, 0xFA, 0xA4}

// element reads what comes next.
func (r *packetReader) element() {
	if r.at == r.clusterEnd {
		r.cluster, r.clusterEnd = false, noEnd
	}
	if r.at == r.segmentEnd {
		r.segment, r.cluster, r.segmentEnd = false, false, noEnd
	}
	id, data, end := r.head(r.at)
	if r.cut || r.broken {
		return
	}
	if end == noEnd && id != 0x18538067 && id != 0x1F43B675 {
		r.broken = true
		return
	}
	switch {
	case id == 0x1A45DFA3:
		// It ends a Segment of unknown size.
		r.broken = r.segmentEnd != noEnd
		r.recordings = append(r.recordings, packetList{scale: 1_000_000, packets: map[uint64][]packet{}})
		r.segment, r.cluster, r.hasCluster, r.clusterEnd = false, false, false, noEnd
	case id == 0x18538067:
		r.broken = r.segment || len(r.recordings) == 0 || r.hasCluster
		r.segment, r.segmentEnd, end = true, end, data
	case slices.Contains(refSegmentLevel, id):
		// A Cluster ends one whose size reaches over it. Nothing else does.
		sized := r.cluster && r.clusterEnd != noEnd
		r.broken = !r.segment || sized && id != 0x1F43B675
		r.cluster, r.clusterEnd = false, noEnd
		if id == 0x1F43B675 {
			r.broken = r.broken || r.segmentEnd != noEnd && end != noEnd && end > r.segmentEnd
			r.cluster, r.clusterEnd, end = true, end, data
			r.hasTime, r.hasCluster = false, true
		}
	case id == 0xEC || id == 0xBF:
	default:
		r.broken = !r.cluster || id != 0xE7 && id != 0xA3 && id != 0xA0 && !slices.Contains(packetless, id)
	}
	if r.broken = r.broken || end > min(r.clusterEnd, r.segmentEnd); r.broken {
		return
	}
	if r.cut = end > len(r.b); r.cut {
		return
	}
	switch r.at = end; id {
	case 0x1549A966:
		r.info(data, end)
	case 0x1654AE6B:
		r.tracks(data, end)
	case 0xE7:
		r.broken = r.hasTime || end-data > 8
		if !r.broken {
			r.timestamp, r.hasTime = int64(refUint(r.b, refElement{data: data, end: end})), true
		}
	case 0xA3:
		r.packet(data, end, nil, false)
	case 0xA0:
		r.group(data, end)
	}
}

// head reads an ID and a size.
func (r *packetReader) head(at int) (id uint32, data, end int) {
	if at == 0 && bytes.HasPrefix(r.b, []byte("\x45\xDF\xA3")) { // its first byte is lost
		id, at = 0x1A45DFA3, 3
	} else {
		v, n := r.vint(at, 4)
		id, at = uint32(v), at+n
	}
	size, n := r.vint(at, 8)
	data = at + n
	if size -= 1 << (7 * n); size == 1<<(7*n)-1 {
		return id, data, noEnd
	}
	return id, data, data + int(min(size, noEnd/2))
}

// vint reads an integer of a length that its first byte tells, with that marker.
func (r *packetReader) vint(at, most int) (v uint64, n int) {
	if at >= len(r.b) {
		r.cut = true
		return 0, 0
	}
	for n = 1; n <= most && r.b[at]<<(n-1) < 0x80; {
		n++
	}
	if n > most {
		r.broken = true
		return 0, 0
	}
	if at+n > len(r.b) {
		r.cut = true
		return 0, 0
	}
	for _, c := range r.b[at : at+n] {
		v = v<<8 | uint64(c)
	}
	return v, n
}

// children calls visit for what an element holds, which must fill it.
func (r *packetReader) children(at, end int, visit func(id uint32, start, data, end int)) {
	for at < end && !r.broken {
		id, data, childEnd := r.head(at)
		if r.broken = r.broken || r.cut || childEnd > end; !r.broken {
			visit(id, at, data, childEnd)
		}
		at = childEnd
	}
}

func (r *packetReader) uint(data, end int) (v uint64) {
	if r.broken = r.broken || end-data < 1 || end-data > 8; r.broken {
		return 0
	}
	return refUint(r.b, refElement{data: data, end: end})
}

func (r *packetReader) info(data, end int) {
	l := &r.recordings[len(r.recordings)-1]
	r.children(data, end, func(id uint32, _, data, end int) {
		if id == 0x2AD7B1 {
			l.scale = int64(r.uint(data, end))
			r.broken = r.broken || l.scale <= 0
		}
	})
}

func (r *packetReader) tracks(data, end int) {
	l := &r.recordings[len(r.recordings)-1]
	r.broken = l.types != nil
	l.types, l.tracksLater = map[uint64]TrackType{}, r.hasCluster
	r.children(data, end, func(id uint32, _, data, end int) {
		if id != 0xAE {
			return
		}
		var number, typ uint64
		r.children(data, end, func(id uint32, _, data, end int) {
			switch id {
			case 0xD7:
				r.broken = number != 0
				number = r.uint(data, end)
			case 0x83:
				typ = r.uint(data, end)
			}
		})
		if _, twice := l.types[number]; twice || number == 0 || typ == 0 || typ > 255 {
			r.broken = true
		}
		l.types[number] = TrackType(typ)
	})
}

func (r *packetReader) group(data, end int) {
	var block [2]int
	var beside [][]byte
	refers := false
	r.children(data, end, func(id uint32, start, data, end int) {
		switch {
		case id == 0xA1:
			r.broken = block[1] > 0
			block = [2]int{data, end}
		case slices.Contains(besideBlock, id):
			beside = append(beside, r.b[start:end])
			refers = refers || id == 0xFB
		case id != 0xEC && id != 0xBF:
			r.broken = true
		}
	})
	if r.broken = r.broken || block[1] == 0; !r.broken {
		r.packet(block[0], block[1], beside, !refers)
	}
}

var packetSeed = maphash.MakeSeed()

// packet takes in a block with the data from data to end.
func (r *packetReader) packet(data, end int, beside [][]byte, key bool) {
	v, n := r.vint(data, 8)
	if r.broken = r.broken || r.cut || !r.hasTime || data+n+3 > end; r.broken {
		return
	}
	l := &r.recordings[len(r.recordings)-1]
	track, head := v-1<<(7*n), r.b[data+n:end]
	var sum maphash.Hash
	sum.SetSeed(packetSeed)
	sum.Write(head[3:])
	for _, b := range beside {
		sum.Write(b)
	}
	ticks := r.timestamp + int64(int16(uint16(head[0])<<8|uint16(head[1])))
	l.packets[track] = append(l.packets[track], packet{ticks, key || head[2]&0x80 != 0, sum.Sum64()})
}

// differ describes the first difference between a recording and an output, whose times
// must be base ticks less. It is empty if there is none.
func (l *packetList) differ(out *packetList, base int64) string {
	if out.scale != l.scale {
		return fmt.Sprintf("a tick is %d ns, and was %d", out.scale, l.scale)
	}
	for track := range out.packets {
		if _, known := l.types[track]; !known {
			return fmt.Sprintf("there is a track %d", track)
		}
	}
	for track, want := range l.packets {
		got := out.packets[track]
		for i := range min(len(got), len(want)) {
			if got[i].ticks+base != want[i].ticks || got[i].sum != want[i].sum {
				what := "is another"
				if got[i].sum == want[i].sum {
					what = "is at another time"
				}
				return fmt.Sprintf("of %d packets of track %d there are %d; number %d, at %d, %s, at %d", len(want), track, len(got), i, want[i].ticks, what, got[i].ticks+base)
			}
		}
		if len(got) != len(want) {
			return fmt.Sprintf("of %d packets of track %d there are %d", len(want), track, len(got))
		}
	}
	return ""
}

func TestThePacketsOfAStreamAreListed(t *testing.T) {
	key, frame, sound := simpleBlock(1, 0, 0x80, "key"), simpleBlock(1, 40, 0, "frame"), simpleBlock(2, 20, 0x80, "sound")
	header := tracks(vp8, opus)
	inGroup := func(data, alpha string) []byte {
		return group(block(1, 40, data), element(IDBlockAdditions, []byte(alpha)), element(IDReferenceBlock, []byte{1}))
	}
	sized := func(timestamp uint64, children ...[]byte) []byte {
		return element(IDCluster, number(IDTimestamp, timestamp), slices.Concat(children...))
	}
	ofUnknownSize := func(id ebml.ID, width int, data ...[]byte) []byte {
		size := bytes.Repeat([]byte{0xFF}, width)
		size[0] >>= width - 1
		return slices.Concat(ebml.AppendHead(nil, id, 0)[:4], size, slices.Concat(data...))
	}
	one := stream(header, cluster(0, key, sound), cluster(100, frame))
	const all = "1: 0 140, 2: 20"
	cases := []struct {
		name   string
		stream []byte
		want   string // tracks and times, by recording; "" if it is not ok
	}{
		{"clusters of unknown size", one, all},
		{"clusters of known size", stream(header, sized(0, key, sound), sized(100, frame)), all},
		{"a Segment of known size", append(ebmlHeader(), element(IDSegment, header, cluster(0, key, sound), cluster(100, frame))...), all},
		{"a cluster whose size reaches over the one after it", stream(header, sized(0, key, sound, cluster(100, frame))), all},
		{"Tracks after clusters", stream(cluster(0, key, sound), cluster(100, frame), header), all},
		{"the first byte is missing", one[1:], all},
		{"BlockGroups", stream(header, cluster(0, key, sound, inGroup("frame", "alpha"))), "1: 0 40, 2: 20"},
		{"other elements", stream(element(ebml.IDVoid), header, cluster(0, number(IDPosition, 7), element(ebml.IDVoid), key, sound), element(IDTags), cluster(100, frame), element(IDCues)), all},
		{"a track that the header does not have", stream(tracks(vp8), cluster(0, key, sound, frame)), "1: 0 40"},
		{"a time before the cluster", stream(header, cluster(100, simpleBlock(1, -3, 0, ""))), "1: 97"},
		{"two recordings", slices.Concat(one, one), all + "; " + all},
		{"the end is cut short", one[:len(one)-1], "1: 0, 2: 20"},
		{"the end is cut in a head", append(slices.Clone(one), 0x1F, 0x43), all},
		{"nothing", nil, ""},
		{"no Tracks", stream(cluster(0, key)), ""},
		{"a block of unknown size", stream(header, cluster(0, key, ofUnknownSize(IDSimpleBlock, 1))), ""},
		{"a block longer than its cluster", append(stream(header), "\x1F\x43\xB6\x75\x86\xE7\x81\x00\xA3\x84\x81\x00\x00\x00"...), ""},
		{"a block before the Timestamp", stream(header, unknown(IDCluster, key)), ""},
		{"two Timestamps", stream(header, cluster(0, number(IDTimestamp, 1), key)), ""},
		{"an element that cannot be in a cluster", stream(header, cluster(0, key, number(IDTrackNumber, 1), frame)), ""},
		{"an ID that there cannot be", stream(header, cluster(0, key, []byte{0}, frame)), ""},
		{"a block without a time", stream(header, cluster(0, element(IDSimpleBlock, []byte("\x81\x00\x00")))), ""},
		{"a BlockGroup without a Block", stream(header, cluster(0, group(number(IDBlockDuration, 1)))), ""},
		{"tracks of the same number", stream(tracks(vp8, vp8), cluster(0, key)), ""},
		{"a recording in one of known size", append(ebmlHeader(), element(IDSegment, header, cluster(0, key), one)...), ""},
	}
	for width := 1; width <= 8; width++ {
		cases = append(cases, struct {
			name   string
			stream []byte
			want   string
		}{fmt.Sprintf("unknown sizes of %d bytes", width), append(ebmlHeader(), ofUnknownSize(IDSegment, width, header,
			ofUnknownSize(IDCluster, width, number(IDTimestamp, 0), key, sound), ofUnknownSize(IDCluster, width, number(IDTimestamp, 100), frame))...), all})
	}
	for _, c := range cases {
		got := ""
		recordings, ok := packetsOf(c.stream)
		for i, l := range recordings {
			if i > 0 {
				got += "; "
			}
			for track := uint64(1); track <= 9; track++ {
				if len(l.packets[track]) == 0 {
					continue
				}
				if track > 1 {
					got += ", "
				}
				got += fmt.Sprintf("%d:", track)
				for _, p := range l.packets[track] {
					got += fmt.Sprintf(" %d", p.ticks)
				}
			}
		}
		if ok != (c.want != "") || ok && got != c.want {
			t.Errorf("%s: %q, ok %v; want %q", c.name, got, ok, c.want)
		}
	}

	sums := map[uint64]bool{}
	for _, b := range [][]byte{frame, simpleBlock(1, 40, 0, "other"), inGroup("frame", "alpha"), inGroup("frame", "other")} {
		l, _ := packetsOf(stream(header, cluster(0, b)))
		sums[l[0].packets[1][0].sum] = true
	}
	flagged, _ := packetsOf(stream(header, cluster(0, simpleBlock(1, 7, 0x80, "frame"))))
	if same := sums[flagged[0].packets[1][0].sum]; len(sums) != 4 || !same {
		t.Errorf("of 4 packets that differ in their data %d sums differ; the sum of one at another time, with the key flag, is the same: %v", len(sums), same)
	}
}

func TestTheRecordingsHaveThePacketsThatTheOtherReferenceFinds(t *testing.T) {
	eachFixture(t, func(t *testing.T, f fixture) {
		recordings, ok := packetsOf(f.data)
		if len(f.data) > 0 && !ok {
			t.Fatalf("not ok, of %d recordings", len(recordings))
		}
		var got, want []string
		for _, l := range recordings {
			for track, packets := range l.packets {
				for _, p := range packets {
					got = append(got, fmt.Sprint(track, p.ticks, p.key))
				}
			}
		}
		for _, b := range refBlocks(f.data) {
			want = append(want, fmt.Sprint(b.track, b.ticks, b.key))
		}
		slices.Sort(got)
		slices.Sort(want)
		if !slices.Equal(got, want) {
			t.Errorf("%d packets, and %d blocks by the other reference, or other times", len(got), len(want))
		}
	})
}
