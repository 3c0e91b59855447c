package webm

// Bytes by chance, and recordings with a few bits wrong, thousands of them: every byte is
// accounted for, memory stays bounded, and plans stay sound.

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync/atomic"
	"testing"

	"github.com/webmend/webmend/ebml"
)

func TestRandomBytesAreRefusedAndAccountedFor(t *testing.T) {
	random := rand.New(rand.NewPCG(5, 6))
	for _, c := range []struct {
		name  string
		begin []byte
	}{
		{"from the start", nil},
		{"after the ID of an EBML header", []byte(ebmlMagic)},
		{"after an EBML header and a Segment", stream()},
		{"in a Tracks", append(stream(), ebml.AppendHead(nil, IDTracks, 200)...)},
		{"in a TrackEntry", stream(ebml.AppendHead(nil, IDTracks, 300), ebml.AppendHead(nil, IDTrackEntry, 200))},
		{"after a header", stream(tracks(vp8, opus))},
		{"in a cluster", stream(tracks(vp8, opus), cluster(0))},
		{"in a cluster of known size", stream(tracks(vp8, opus), ebml.AppendHead(nil, IDCluster, 200), number(IDTimestamp, 0))},
		{"in a BlockGroup", stream(tracks(vp8, opus), cluster(0, ebml.AppendHead(nil, IDBlockGroup, 100)))},
		{"in a laced block", stream(tracks(vp8, opus), cluster(0, ebml.AppendHead(nil, IDSimpleBlock, 100), blockData(1, 0, 6, "")))},
	} {
		t.Run(c.name, func(t *testing.T) {
			for i := range 200 {
				b := slices.Clone(c.begin)
				for range random.IntN(250) {
					b = append(b, byte(random.Uint32()))
				}
				o := split(Options{}, b)
				o.check(t, b)
				compare(t, fmt.Sprintf("stream %d, % x, byte by byte", i, b), split(Options{}, bytewise(b)...).String(), o.String())
				if c.begin == nil && (o.finishErr == nil || len(o.headers) > 0) {
					t.Errorf("stream %d, % x, is a recording: %v", i, b, o)
				}
				if t.Failed() {
					break
				}
			}
		})
	}
}

func TestAMutatedRecordingIsAccountedForHoweverItIsCut(t *testing.T) {
	everything := slices.Concat(
		stream(
			element(IDSeekHead, element(IDSeek, element(IDSeekID, []byte(clusterMagic)))),
			element(IDInfo, number(IDTimestampScale, 1_000_000), ebml.AppendFloat(nil, IDDuration, 100), text(IDMuxingApp, "test")),
			tracks(
				track(1, Video, "V_VP9", element(IDVideo, number(IDPixelWidth, 640), number(IDPixelHeight, 360))),
				track(2, Audio, "A_OPUS", element(IDCodecPrivate, []byte("OpusHead"))),
				track(3, Audio, "A_PCM/INT/LIT", element(IDAudio, ebml.AppendFloat(nil, IDSamplingFrequency, 8000), number(IDBitDepth, 16))),
			),
			cluster(0,
				simpleBlock(2, 0, 0x82, "\x02\x03\x03\xFC12\xFC34\xFC56"),
				simpleBlock(1, 0, 0x80, "\x82\x49\x83\x42\x00frame"),
				group(number(IDBlockDuration, 40), block(1, 40, "frame"), element(IDReferenceBlock, []byte{0xD8}), element(IDDiscardPadding, []byte{1})),
				simpleBlock(3, 0, 0x04, "\x01pcm.pcm."),
			),
			element(IDCluster, number(IDTimestamp, 100), simpleBlock(2, 20, 0x86, "\x01\x83abcdef"), simpleBlock(1, 0, 0, "frame")),
			element(ebml.IDVoid, make([]byte, 10)),
			cluster(200, simpleBlock(1, 0, 0x80, "frame"), simpleBlock(2, 0, 0, "\xFC")),
			element(IDCues, element(IDCuePoint, number(IDCueTime, 0))),
		),
		stream(tracks(vp8), cluster(0, simpleBlock(1, 0, 0x80, "frame"))),
	)
	if o := splitAllWays(t, Options{}, everything); o.err() != nil || len(o.clusters) != 4 {
		t.Fatalf("not mutated it is %v", o)
	}
	// What breaks more than a random byte would.
	harmful := [][]byte{
		[]byte(clusterMagic), []byte(ebmlMagic), []byte("\x18\x53\x80\x67"), []byte("\x1C\x53\xBB\x6B"),
		cluster(5), huge(IDSimpleBlock), huge(ebml.IDVoid), huge(IDCluster), unknown(IDTags), {0xFF}, {0}, {0xA3, 0x80}, {0xA0, 0x81}, {0xE7, 0x88, 0xFF},
		stream(tracks(opus)), ebmlHeader(), tracks(opus), number(IDTimestampScale, 1e12), number(IDDefaultDuration, 1<<63),
		number(IDBlockDuration, 1<<63), ebml.AppendFloat(nil, IDSamplingFrequency, 1e300), number(IDTimestamp, 1<<40),
	}
	for _, c := range []struct {
		name  string
		data  []byte
		times int
	}{
		{"all that a stream can have", everything, 1400},
		{"from Chromium", load(t, "chromium-23b-stop-at-60ms").data, 300},
		{"from Firefox", load(t, "firefox-23-stop-immediately").data, 300},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			random := rand.New(rand.NewPCG(7, uint64(len(c.data))))
			saved := 0
			for i := range c.times {
				b := slices.Clone(c.data)
				for range 1 + random.IntN(4) {
					at := random.IntN(len(b))
					switch random.IntN(5) {
					case 0:
						b[at] ^= 1 << random.IntN(8)
					case 1:
						b[at] = byte(random.Uint32())
					case 2:
						b = slices.Delete(b, at, min(len(b), at+1+random.IntN(20)))
					case 3:
						b = slices.Insert(b, at, harmful[random.IntN(len(harmful))]...)
					case 4:
						b = append(b[:at:at], slices.Concat(harmful[random.IntN(len(harmful))], b[at:])...)
						b = b[:max(1, len(b)-random.IntN(10))]
					}
					if len(b) == 0 {
						b = []byte{0}
					}
				}
				o := split(Options{}, b)
				o.check(t, b)
				saved += len(o.clusters)
				compare(t, fmt.Sprintf("mutation %d byte by byte", i), split(Options{}, bytewise(b)...).String(), o.String())
				compare(t, fmt.Sprintf("mutation %d cut", i), split(Options{}, cut(b, uint64(i))...).String(), o.String())
				for _, cl := range o.clusters {
					if cl.Duration < 0 || cl.Timestamp < 0 || cl.HeadLen < 5 {
						t.Errorf("mutation %d has cluster %+v", i, cl)
					}
				}
				for _, r := range o.report.Recordings {
					if r.Duration < 0 {
						t.Errorf("mutation %d has a recording of %d ns", i, r.Duration)
					}
				}
				if t.Failed() {
					t.Fatalf("mutation %d: % x", i, b)
				}
			}
			if saved < c.times/20 {
				t.Errorf("%d clusters in %d mutations: they break too much to show anything", saved, c.times)
			}
		})
	}
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

// eachMutation makes 30 streams of a recording, and 30 of a small one, with a few bits wrong:
// of all recordings, a thousand. Thoroughly it is ten times as many.
func eachMutation(f fixture, test func(n int, stream []byte, isSmall bool)) {
	for i, data := range [][]byte{f.data, small(f.data)} {
		if len(data) < 800 {
			continue
		}
		random := rand.New(rand.NewPCG(uint64(len(data)), 0))
		places := structure(data)
		for n := range either(15, 300) {
			test(n, mutated(random, data, places), i == 1)
		}
	}
}

func TestAMutatedRecordingCostsNoMemory(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1)) // otherwise a sweeper in the background makes ReadMemStats slow
	inputs := 0
	eachFixture(t, func(t *testing.T, f fixture) {
		eachMutation(f, func(n int, stream []byte, _ bool) {
			inputs++
			once := allocatedBy(func() {
				all, _ := indexes(stream)
				for _, ix := range all {
					ix.Seekable()
				}
			})
			again := allocatedBy(func() { Scan(bytes.NewReader(stream), int64(len(stream)), Options{}, nil) })
			if limit := uint64(128<<10 + len(stream)); once > limit || again > limit+64<<10 { // for Scan's window
				t.Errorf("input %d of %d bytes: %d bytes are allocated, and %d by Scan", n, len(stream), once, again)
			}
		})
	})
	if inputs < either(500, 10_000) {
		t.Errorf("%d inputs", inputs)
	}
}

// All of what is left of small recordings is planned and made, and of whole ones some.
func TestAMutatedRecordingMakesNoUnsoundPlan(t *testing.T) {
	var inputs, plans atomic.Int32
	t.Cleanup(func() { // after all subtests
		if int(inputs.Load()) < either(500, 10_000) || int(plans.Load()) < either(2000, 20_000) {
			t.Errorf("%d inputs made %d plans: the test tests little", inputs.Load(), plans.Load())
		}
	})
	eachFixture(t, func(t *testing.T, f fixture) {
		t.Parallel()
		eachMutation(f, func(n int, stream []byte, isSmall bool) {
			inputs.Add(1)
			split(Options{}, stream).check(t, stream)
			split(Options{Rewinds: true}, stream).check(t, stream)
			if isSmall || n%either(15, 75) == 0 {
				all, _ := indexes(stream)
				plans.Add(int32(soundPlans(t, stream, all)))
			}
			if t.Failed() {
				t.Fatalf("input %d of %d bytes", n, len(stream))
			}
		})
	})
}

// allocatedBy is how many bytes do allocates, those it drops at once too.
func allocatedBy(do func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	do()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

// soundPlans makes all sorts of plans of the recordings of a damaged stream, checks
// what they make, and tells how many they are.
func soundPlans(t *testing.T, stream []byte, all []*Index) (plans int) {
	t.Helper()
	for i, ix := range all {
		for _, p := range planners(ix) {
			plan, err := p.plan(ix, stream)
			if err != nil {
				var e *Error
				if !errors.As(err, &e) {
					t.Fatalf("recording %d, %s: %v", i, p.name, err)
				}
				continue
			}
			plans++
			out := made(t, plan, stream)
			o := split(Options{}, out)
			o.check(t, out)
			if o.err() != nil || len(o.headers) != 1 {
				t.Fatalf("recording %d, %s: the splitter says %v of it, with %d headers", i, p.name, o.err(), len(o.headers))
			}
			w := NewWalker(0, func(Element) {})
			err = w.Push(out)
			if err == nil {
				err = w.Finish()
			}
			// What is damaged inside other elements than these stays so.
			var e *Error
			if errors.As(err, &e) && slices.Contains([]string{"", "EBML", "Segment", "Segment/SeekHead", "Segment/Info", "Segment/Tracks", "Segment/Cues", "Segment/Cluster"}, e.Path) {
				t.Fatalf("recording %d, %s: the walker says %v", i, p.name, err)
			}
		}
		if plan, err := Join(ix, ix); err == nil {
			out := made(t, plan, stream, stream)
			if o := split(Options{}, out); o.err() != nil {
				t.Fatalf("recording %d, joined with itself: %v", i, o.err())
			}
		}
	}
	return plans
}
