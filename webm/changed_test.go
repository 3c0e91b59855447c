package webm

// Recordings taken apart and put together in another way, so that nothing is lost: all of it
// comes out whole.

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/webmend/webmend/ebml"
)

// A dissected recording is its header and its blocks, which a test changes before it puts
// them together again.
type dissected struct {
	header []byte // with a Segment of unknown size
	tracks map[uint64]TrackType
	blocks []dissectedBlock
}

type dissectedBlock struct {
	track   uint64
	ticks   int64
	element []byte // SimpleBlock or BlockGroup
	time    int    // where in it the timestamp is
	begins  bool   // a cluster begins with it
	cluster int64  // its Timestamp then
}

// dissect takes apart each recording of a stream that is whole.
func dissect(stream []byte) (all []*dissected) {
	var d *dissected
	var number uint64
	var cluster int64
	header, begins := false, false // before the first cluster, before the first block of one
	elements := refElements(stream)
	for i, e := range elements {
		whole := stream[e.start:e.end]
		switch {
		case e.id == 0x1A45DFA3:
			d, header = &dissected{header: slices.Clone(whole), tracks: map[uint64]TrackType{}}, false
			all = append(all, d)
		case e.id == 0x18538067:
			d.header, header = append(d.header, unknown(IDSegment)...), true
		case e.id == 0x1F43B675:
			header, begins = false, true
		case e.level == 1 && header:
			d.header = append(d.header, whole...)
		case e.id == 0xD7:
			number = refUint(stream, e)
		case e.id == 0x83:
			d.tracks[number] = TrackType(refUint(stream, e))
		case e.id == 0xE7:
			cluster = int64(refUint(stream, e))
		case e.id == 0xA3 || e.id == 0xA0:
			block := e
			for j := i + 1; block.id == 0xA0; j++ {
				if elements[j].id == 0xA1 {
					block = elements[j]
				}
			}
			track, n := ebml.ParseVINT(stream[block.data:])
			at := block.data + n
			ticks := cluster + int64(int16(uint16(stream[at])<<8|uint16(stream[at+1])))
			d.blocks = append(d.blocks, dissectedBlock{track, ticks, whole, at - e.start, begins, cluster})
			begins = false
		}
	}
	return all
}

// stream puts a recording together, in clusters of unknown size. One begins where one did,
// and also where a time is too far from the Timestamp of the last.
func (d *dissected) stream() []byte {
	b := slices.Clone(d.header)
	var timestamp int64
	for i, block := range d.blocks {
		relative := block.ticks - timestamp
		if block.begins || i == 0 || relative != int64(int16(relative)) {
			if timestamp = block.ticks; block.begins && block.ticks-block.cluster == int64(int16(block.ticks-block.cluster)) {
				timestamp = block.cluster
			}
			relative = block.ticks - timestamp
			b = append(b, cluster(uint64(timestamp))...)
		}
		at := len(b) + block.time
		b = append(b, block.element...)
		b[at], b[at+1] = byte(relative>>8), byte(relative)
	}
	return b
}

// of are the indexes of a track's blocks, or of all if that is 0.
func (d *dissected) of(track uint64) (indexes []int) {
	for i, b := range d.blocks {
		if track == 0 || b.track == track {
			indexes = append(indexes, i)
		}
	}
	return indexes
}

// anyTrack is the number of a random track that is of a type, or of any type if that is 0,
// and has blocks. It is 0 if there is none.
func (d *dissected) anyTrack(random *rand.Rand, typ TrackType) uint64 {
	var tracks []uint64
	for number := uint64(1); number < 128; number++ {
		if t, known := d.tracks[number]; known && (typ == 0 || t == typ) && len(d.of(number)) > 0 {
			tracks = append(tracks, number)
		}
	}
	if len(tracks) == 0 {
		return 0
	}
	return tracks[random.IntN(len(tracks))]
}

// later adds shift to the times of a track, or of all tracks if that is 0, from the block
// at on. The Timestamps of the clusters after it follow if all tracks do.
func (d *dissected) later(track uint64, at int, shift int64) {
	for i := at; i < len(d.blocks); i++ {
		b := &d.blocks[i]
		if track == 0 || b.track == track {
			b.ticks += shift
		}
		if track == 0 && i > at {
			b.cluster += shift
		}
	}
}

// silence gives the same data to up to 30 packets of sound in a row, and then calls change
// with each. It returns false if there is no sound.
func (d *dissected) silence(random *rand.Rand, change func(n int, packet *dissectedBlock)) bool {
	track := d.anyTrack(random, Audio)
	if track == 0 {
		return false
	}
	packets := d.of(track)
	from := random.IntN(len(packets))
	var silent []byte
	for n, i := range packets[from:min(from+30, len(packets))] {
		b := &d.blocks[i]
		if n == 0 {
			silent = []byte("\xF8\xFF\xFE") // 20 ms of nothing
			if random.IntN(2) == 0 {
				silent = b.element[b.time+3:]
			}
		}
		// A SimpleBlock: its size may take more or fewer bytes.
		data := slices.Concat([]byte{0x80 | byte(track), 0, 0, b.element[b.time+2]}, silent)
		b.element = element(IDSimpleBlock, data)
		b.time = len(b.element) - len(data) + 1
		change(n, b)
	}
	return true
}

// harmless are changes of a recording that lose nothing. They return false where a recording
// has nothing to change in this way.
var harmless = []struct {
	name string
	do   func(random *rand.Rand, d *dissected) bool
}{
	{"all is later from some block on", func(random *rand.Rand, d *dissected) bool {
		at := random.IntN(len(d.blocks))
		d.later(0, at, 200+random.Int64N(4800))
		return true
	}},
	{"all is later from some block on, with which a cluster begins", func(random *rand.Rand, d *dissected) bool {
		at := random.IntN(len(d.blocks))
		d.later(0, at, 200+random.Int64N(4800))
		d.blocks[at].begins, d.blocks[at].cluster = true, d.blocks[at].ticks
		return true
	}},
	{"the sound is later from some block on", func(random *rand.Rand, d *dissected) bool {
		track := d.anyTrack(random, Audio)
		d.later(track, random.IntN(len(d.blocks)), 200+random.Int64N(4800))
		return track != 0
	}},
	{"the picture is later from some block on", func(random *rand.Rand, d *dissected) bool {
		track := d.anyTrack(random, Video)
		d.later(track, random.IntN(len(d.blocks)), 200+random.Int64N(4800))
		return track != 0
	}},
	{"there is silence", func(random *rand.Rand, d *dissected) bool {
		return d.silence(random, func(int, *dissectedBlock) {})
	}},
	{"there is silence that comes late, four packets at once", func(random *rand.Rand, d *dissected) bool {
		var ticks int64
		return d.silence(random, func(n int, packet *dissectedBlock) {
			if n%4 == 0 {
				ticks = packet.ticks
			}
			packet.ticks = ticks
		})
	}},
	{"a packet has the time of the one before", func(random *rand.Rand, d *dissected) bool {
		packets := d.of(d.anyTrack(random, 0))
		if len(packets) < 2 {
			return false
		}
		i := 1 + random.IntN(len(packets)-1)
		d.blocks[packets[i]].ticks = d.blocks[packets[i-1]].ticks
		return true
	}},
}

// seedsOf is how often a recording is changed in each way: a long one less often.
func seedsOf(stream []byte) uint64 {
	if len(stream) > 400_000 {
		return uint64(either(1, 2))
	}
	return uint64(either(1, 4))
}

func TestARecordingChangedSoThatNothingIsLostComesOutWhole(t *testing.T) {
	for _, change := range harmless {
		t.Run(change.name, func(t *testing.T) {
			compared := enough(t, either(20, 60))
			eachFixture(t, func(t *testing.T, f fixture) {
				t.Parallel()
				for seed := range seedsOf(f.data) {
					random := rand.New(rand.NewPCG(seed, uint64(len(f.data))))
					var stream []byte
					changed := false
					for _, d := range dissect(f.data) {
						changed = change.do(random, d) || changed
						stream = append(stream, d.stream()...)
					}
					if !changed {
						return
					}
					name := fmt.Sprint("with seed ", seed)
					if wholeComesOutWhole(t, name, stream, cutAs(stream, f.chunks)...) {
						compared.Add(1)
					} else {
						t.Errorf("%s, its packets are not compared, as there is an error or bytes are dropped", name)
					}
				}
			})
		})
	}
}

// cutAs cuts a stream into chunks of the sizes that these have.
func cutAs(stream []byte, chunks [][]byte) (pieces [][]byte) {
	for _, c := range chunks {
		n := min(len(c), len(stream))
		pieces = append(pieces, stream[:n])
		stream = stream[n:]
	}
	return append(pieces, stream)
}

// sized are changes of the sizes of clusters, or of where the stream ends, that touch no
// block. They may write into the stream.
var sized = []struct {
	name string
	do   func(random *rand.Rand, stream []byte, clusters []refElement) []byte
}{
	{"a cluster's size is known", func(random *rand.Rand, stream []byte, clusters []refElement) []byte {
		c := clusters[random.IntN(len(clusters))]
		copy(stream[c.start:c.data], ebml.AppendHeadWidth(nil, IDCluster, int64(c.end-c.data), c.data-c.start-4))
		return stream
	}},
	{"no cluster's size is known", func(random *rand.Rand, stream []byte, clusters []refElement) []byte {
		for _, c := range clusters {
			width := c.data - c.start - 4
			for i := range width {
				stream[c.start+4+i] = 0xFF
			}
			stream[c.start+4] >>= width - 1
		}
		return stream
	}},
	{"a cluster's size reaches over those after it", func(random *rand.Rand, stream []byte, clusters []refElement) []byte {
		i := random.IntN(len(clusters))
		c, last := clusters[i], clusters[i]
		for _, next := range clusters[i:] {
			if bytes.Contains(stream[c.start:next.start], []byte(ebmlMagic)) {
				break // it is of the next recording
			}
			last = next
		}
		copy(stream[c.start:c.data], ebml.AppendHeadWidth(nil, IDCluster, int64(last.end-c.data), c.data-c.start-4))
		return stream
	}},
	{"it ends where a cluster began", func(random *rand.Rand, stream []byte, clusters []refElement) []byte {
		return stream[:clusters[random.IntN(len(clusters))].start]
	}},
}

func TestARecordingWithOtherSizesOfClustersComesOutWhole(t *testing.T) {
	for _, change := range sized {
		t.Run(change.name, func(t *testing.T) {
			compared := enough(t, either(20, 60))
			eachFixture(t, func(t *testing.T, f fixture) {
				if len(f.data) == 0 {
					return
				}
				t.Parallel()
				var clusters []refElement
				for _, e := range refElements(f.data) {
					if e.id == 0x1F43B675 {
						clusters = append(clusters, e)
					}
				}
				for seed := range seedsOf(f.data) {
					random := rand.New(rand.NewPCG(seed, uint64(len(f.data))))
					stream := change.do(random, slices.Clone(f.data), clusters)
					name := fmt.Sprint("with seed ", seed)
					if wholeComesOutWhole(t, name, stream, cutAs(stream, f.chunks)...) {
						compared.Add(1)
					} else {
						t.Errorf("%s, its packets are not compared, as there is an error or bytes are dropped", name)
					}
				}
			})
		})
	}
}

// If dissect or stream lost a packet, the tests above would not notice.
func TestARecordingTakenApartAndPutTogetherHasItsPackets(t *testing.T) {
	eachFixture(t, func(t *testing.T, f fixture) {
		want, _ := packetsOf(f.data)
		var stream []byte
		for _, d := range dissect(f.data) {
			stream = append(stream, d.stream()...)
		}
		got, _ := packetsOf(stream)
		if len(got) != len(want) {
			t.Fatalf("%d recordings; want %d", len(got), len(want))
		}
		for i := range want {
			if problem := want[i].differ(&got[i], 0); problem != "" {
				t.Error(problem)
			}
		}
	})
}

// The comparison itself must be able to fail.
func TestAPacketThatIsMissingOrOtherIsNoticed(t *testing.T) {
	data := load(t, "chromium-noalpha-03-vp8opus-ts250").data
	want, _ := packetsOf(data)
	for _, c := range []struct {
		name   string
		change func(d *dissected, i int)
	}{
		{"missing", func(d *dissected, i int) { d.blocks = slices.Delete(d.blocks, i, i+1) }},
		{"twice", func(d *dissected, i int) { d.blocks = slices.Insert(d.blocks, i, d.blocks[i]) }},
		{"later", func(d *dissected, i int) { d.blocks[i].ticks++ }},
		{"other", func(d *dissected, i int) {
			b := &d.blocks[i]
			b.element = bytes.Clone(b.element)
			b.element[len(b.element)-1] ^= 1
		}},
		{"of another track", func(d *dissected, i int) {
			b := &d.blocks[i]
			b.element = bytes.Clone(b.element)
			b.element[b.time-1] ^= 3
		}},
	} {
		for _, at := range []int{1, 77, 400} {
			d := dissect(data)[0]
			c.change(d, at)
			got, ok := packetsOf(d.stream())
			if !ok || want[0].differ(&got[0], 0) == "" {
				t.Errorf("that packet %d is %s is not noticed, ok %v", at, c.name, ok)
			}
		}
	}
}
