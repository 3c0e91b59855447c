package webm

// If no byte of a stream is dropped, every output has all packets of it, in order, with
// their bytes and their times. Gaps, equal times, silence that repeats and times that go
// back are no reasons to leave one out.

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/webmend/webmend/ebml"
)

// wholeComesOutWhole fails the test if no byte of the stream is dropped and an output lacks
// a packet, or has it changed. It compares what comes out of Scan, and of a Splitter that is
// pushed the pieces, or random ones if none are given. It returns false if there was nothing
// to compare: bytes are dropped, or the reference does not know the stream's packets.
func wholeComesOutWhole(t *testing.T, name string, stream []byte, pieces ...[]byte) (compared bool) {
	t.Helper()
	want, ok := packetsOf(stream)
	if !ok {
		return false
	}
	var clusters []Cluster
	s, report, err := Scan(bytes.NewReader(stream), int64(len(stream)), Options{}, func(c Cluster) { clusters = append(clusters, c) })
	if !dropsNothing(report, err) {
		return false
	}
	problem := lacking(t, stream, s, report, clusters, want)
	if problem != "" {
		t.Errorf("%s, scanned: %s", name, problem)
		return true
	}

	if len(pieces) == 0 {
		pieces = cut(stream, 1)
	}
	s, clusters = NewSplitter(Options{}), nil
	for _, piece := range pieces {
		s.Push(piece) // Finish has its error, too
		clusters = append(clusters, s.Clusters()...)
	}
	report, err = s.Finish()
	clusters = append(clusters, s.Clusters()...)
	if slices.ContainsFunc(want, func(l packetList) bool { return l.tracksLater }) {
		return true // a splitter cannot know the tracks in time
	}
	if !dropsNothing(report, err) {
		t.Errorf("%s, pushed: %v, and %v is dropped", name, err, report.Dropped)
	} else if problem := lacking(t, stream, s, report, clusters, want); problem != "" {
		t.Errorf("%s, pushed: %s", name, problem)
	}
	return true
}

// dropsNothing tells whether no byte of a stream is dropped. An empty Drop says that bytes
// are missing before its first or after its last one: all there is must come out then, too.
func dropsNothing(report Report, err error) bool {
	return err == nil && !slices.ContainsFunc(report.Dropped, func(d Drop) bool { return d.Start < d.End })
}

// lacking tells the first thing that is wrong with the outputs of a stream.
func lacking(t *testing.T, stream []byte, s *Splitter, report Report, clusters []Cluster, want []packetList) string {
	if len(report.Recordings) != len(want) {
		return fmt.Sprintf("%d recordings; want %d", len(report.Recordings), len(want))
	}
	for _, u := range report.Undecodable {
		if _, known := want[u.Recording].types[u.Track]; known {
			return fmt.Sprintf("of recording %d %d packets of track %d are undecodable: %s, at %d", u.Recording, u.Frames, u.Track, u.Reason, u.Start)
		}
	}
	for i, r := range report.Recordings {
		if r.Repeated != 0 {
			return fmt.Sprintf("recording %d has %d packets twice", i, r.Repeated)
		}
		var own []Cluster
		for _, c := range clusters {
			if c.Recording == i {
				own = append(own, c)
			}
		}
		if problem := outputsLack(t, stream, s.Index(i), r.Header, own, &want[i]); problem != "" {
			return fmt.Sprintf("recording %d, %s", i, problem)
		}
	}
	return ""
}

// outputsLack tells where the first output of a recording that is not right is not.
func outputsLack(t *testing.T, stream []byte, ix *Index, header Header, clusters []Cluster, want *packetList) string {
	empty := !slices.ContainsFunc(clusters, func(c Cluster) bool { return c.Blocks > 0 })
	segments := made(t, ix.InitializationSegment(), stream)
	asRecorded := slices.Clone(stream[header.Start:header.End])
	for _, c := range clusters {
		segments = append(segments, formed(stream, &c)...)
		asRecorded = append(asRecorded, stream[c.Start:c.End]...)
	}
	outputs := []struct {
		name string
		plan func() (*Plan, error)
		out  []byte // if there is no plan
		skip bool
	}{
		{name: "segments", out: segments},
		{name: "header and clusters as recorded", out: asRecorded, skip: want.tracksLater},
		{name: "seekable", plan: ix.Seekable, skip: empty},
		{name: "parts", plan: func() (*Plan, error) { return withHead(ix, 1<<16) }, skip: empty},
		{name: "clip of all", plan: func() (*Plan, error) { return clipOf(ix, stream, 0, maxTime) }, skip: empty || ix.Duration() == 0 || !want.clips()},
	}
	for _, o := range outputs {
		if o.skip {
			continue
		}
		out, base := o.out, int64(0)
		if o.plan != nil {
			plan, err := o.plan()
			if err != nil {
				return fmt.Sprintf("%s: %v", o.name, err)
			}
			out = made(t, plan, stream)
			if o.name == "clip of all" {
				base = plan.Start / want.scale
			}
		}
		got, ok := packetsOf(out)
		if !ok || len(got) != 1 {
			return fmt.Sprintf("%s: %d recordings, ok %v", o.name, len(got), ok)
		}
		if problem := want.differ(&got[0], base); problem != "" {
			return fmt.Sprintf("%s: %s", o.name, problem)
		}
	}
	return ""
}

// clipOf makes the plan of a clip of a stream, start and end in nanoseconds.
func clipOf(ix *Index, stream []byte, start, end int64) (*Plan, error) {
	c, err := ix.Clip(start, end)
	if err != nil {
		return nil, err
	}
	return c.PlanFrom(bytes.NewReader(stream))
}

// clips tells whether a clip from 0 on can have all packets: no time is negative, and video
// begins with a key frame. Mutated recordings may have it otherwise.
func (l *packetList) clips() bool {
	for track, packets := range l.packets {
		if l.types[track] == Video && !packets[0].key {
			return false
		}
		for _, p := range packets {
			if p.ticks < 0 || p.ticks > maxTime/2/l.scale {
				return false
			}
		}
	}
	return true
}

// names are those of the recordings in testdata.
func names(t *testing.T) (all []string) {
	t.Helper()
	paths, err := filepath.Glob("testdata/*.webm")
	if err != nil || len(paths) < 20 {
		t.Fatalf("%d recordings, error %v", len(paths), err)
	}
	for _, path := range paths {
		all = append(all, strings.TrimSuffix(filepath.Base(path), ".webm"))
	}
	return all
}

// cases are the streams in testdata/cases, by name.
func cases(t *testing.T) map[string][]byte {
	t.Helper()
	all := map[string][]byte{}
	paths, err := filepath.Glob("testdata/cases/*.webm")
	if err != nil || len(paths) < 10 {
		t.Fatalf("%d cases, error %v", len(paths), err)
	}
	for _, path := range paths {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		all[strings.TrimSuffix(filepath.Base(path), ".webm")] = data
	}
	return all
}

// enough counts the streams that the subtests of a test compare, and fails it if they are
// fewer than least.
func enough(t *testing.T, least int) *atomic.Int32 {
	var compared atomic.Int32
	t.Cleanup(func() { // after all subtests
		if n := int(compared.Load()); n < least {
			t.Errorf("the packets of %d streams are compared; at least %d should be", n, least)
		}
	})
	return &compared
}

func TestARecordingComesOutWhole(t *testing.T) {
	compared := enough(t, 27)
	eachFixture(t, func(t *testing.T, f fixture) {
		t.Parallel()
		if wholeComesOutWhole(t, "it", f.data, f.chunks...) {
			compared.Add(1)
		} else if len(f.data) > 0 {
			t.Error("its packets are not compared")
		}
	})
}

func TestACaseComesOutWhole(t *testing.T) {
	for name, stream := range cases(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if !wholeComesOutWhole(t, "it", stream) {
				t.Error("its packets are not compared, as there is an error or bytes are dropped")
			}
		})
	}
}

func TestEachOfTwoRecordingsInAStreamComesOutWhole(t *testing.T) {
	all := names(t)
	compared := enough(t, len(all)-2)
	for i, name := range all {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			first, second := load(t, name), load(t, all[(i+1)%len(all)])
			if len(first.data) == 0 || len(second.data) == 0 {
				return
			}
			stream := slices.Concat(first.data, second.data)
			if wholeComesOutWhole(t, "with "+second.name, stream, slices.Concat(first.chunks, second.chunks)...) {
				compared.Add(1)
			} else {
				t.Error("their packets are not compared, as there is an error or bytes are dropped")
			}
		})
	}
}

func TestWhatIsMutatedAndNotDroppedComesOutWhole(t *testing.T) {
	compared := enough(t, 300)
	for _, name := range []string{
		"chromium-10b-two-recordings", "chromium-13b-alpha-vp9", "chromium-20-disable-tracks",
		"chromium-24-same-recorder-restart", "firefox-24-same-recorder-restart",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			data := small(load(t, name).data)
			eachMutation(fixture{data: data}, func(n int, stream []byte, isSmall bool) {
				if isSmall || len(stream) > len(data) {
					return // what comes twice in it may be left out once
				}
				if wholeComesOutWhole(t, fmt.Sprintf("input %d of %d bytes", n, len(stream)), stream) {
					compared.Add(1)
				}
			})
		})
	}
}

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
		return 2
	}
	return 4
}

func TestARecordingChangedSoThatNothingIsLostComesOutWhole(t *testing.T) {
	for _, change := range harmless {
		t.Run(change.name, func(t *testing.T) {
			compared := enough(t, 60)
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
			compared := enough(t, 60)
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

// What must be kept of a damaged stream is for other tests to say.
func TestNothingIsComparedOfAStreamOfWhichBytesAreDropped(t *testing.T) {
	data := load(t, "chromium-noalpha-03-vp8opus-ts250").data
	if wholeComesOutWhole(t, "without 900 bytes", append(data[:200_000:200_000], data[200_900:]...)) {
		t.Error("what is left is compared")
	}
}
