package webm

// What a damaged element takes in, and damage before and in headers.

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/webmend/webmend/ebml"
)

func TestWhatADamagedElementTookInIsFoundByReadingAgain(t *testing.T) {
	frame := simpleBlock(1, 0, 0x80, "frame") // of 11 bytes
	good := func(at uint64) []byte { return cluster(at, frame, simpleBlock(1, 10, 0, "frame")) }
	head := stream(tracks(vp8)) // of 49
	claims := func(id ebml.ID, size int64, data ...[]byte) []byte {
		return append(ebml.AppendHeadWidth(nil, id, size, 2), slices.Concat(data...)...)
	}
	n := len(good(0))
	for _, c := range []struct {
		name    string
		stream  []byte
		forward string // clusters, if nothing is read again
		rewound string
		dropped string // then
	}{
		{
			name:    "a block that claims the next cluster, and a bit of the one after it",
			stream:  slices.Concat(head, good(0), claims(IDSimpleBlock, int64(n+30), []byte("\x81\x00\x14\x00frame")), good(100), good(200), good(300)),
			forward: "49-156? 172-210", rewound: "49-86? 98-135 135-172 172-210",
			dropped: "86-98 overrun",
		},
		{
			name:    "a block that claims more than there is",
			stream:  slices.Concat(head, good(0), claims(IDSimpleBlock, 9999, []byte("\x81\x00\x14\x00frame")), good(100), good(200)),
			forward: "49-86?", rewound: "49-86? 98-135 135-172",
			dropped: "86-98 overrun",
		},
		{
			name:    "a Void between clusters",
			stream:  slices.Concat(head, element(IDCluster, number(IDTimestamp, 0), frame), claims(ebml.IDVoid, 9999), good(100), good(200)),
			forward: "49-68", rewound: "49-68 71-108 108-145",
			dropped: "68-71 overrun",
		},
		{
			name:    "Tags before the first cluster",
			stream:  slices.Concat(head, claims(IDTags, 60), good(100), good(200), good(300)),
			forward: "", rewound: "55-92 92-129 129-167",
			dropped: "49-55 overrun",
		},
		{
			name:    "a sized cluster that is shorter than it claims",
			stream:  slices.Concat(head, claims(IDCluster, 60, number(IDTimestamp, 0), frame), good(100), good(200)),
			forward: "49-69 69-106 106-143", rewound: "49-69 69-106 106-143",
		},
		{
			name:    "a header that begins in a block",
			stream:  slices.Concat(head, good(0), []byte{0xA3}, head, good(0), good(100)),
			forward: "49-86?", rewound: "49-86? 136-173 173-210",
			dropped: "86-87 overrun",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := ranges(split(Options{}, c.stream).clusters); got != c.forward {
				t.Errorf("forward: clusters %s; want %s", got, c.forward)
			}
			o := splitAllWays(t, Options{Rewinds: true}, c.stream)
			if got := ranges(o.clusters); got != c.rewound {
				t.Errorf("clusters %s; want %s", got, c.rewound)
			}
			var dropped []string
			for _, d := range o.report.Dropped {
				dropped = append(dropped, fmt.Sprintf("%d-%d %s", d.Start, d.End, d.Reason.Code))
			}
			if got := strings.Join(dropped, ", "); got != c.dropped {
				t.Errorf("dropped %s; want %s", got, c.dropped)
			}

			var clusters []Cluster
			s, report, err := Scan(bytes.NewReader(c.stream), int64(len(c.stream)), Options{}, func(_ *Header, c Cluster) error {
				clusters = append(clusters, c)
				return nil
			})
			if err != nil || ranges(clusters) != c.rewound || report.Bytes != int64(len(c.stream)) {
				t.Errorf("Scan: %v, %+v", err, report)
			}
			if kept := slices.Collect(s.TakeClusters()); len(kept) > 0 {
				t.Errorf("Scan kept %d clusters", len(kept))
			}
		})
	}
}

func TestFragmentsThatWereGivenAreNotTakenBack(t *testing.T) {
	// The second block takes in a cluster, and is given as a fragment before that shows.
	frame := simpleBlock(1, 0, 0x80, "frame")
	claims := append(ebml.AppendHead(nil, IDSimpleBlock, 60), "\x81\x00\x14\x00frame"...)
	inside := cluster(100, frame, simpleBlock(1, 10, 0, "frame"))
	begin := slices.Concat(stream(tracks(vp8)), cluster(0, frame), claims, inside, make([]byte, 60-len(inside)-9))
	end := slices.Concat([]byte{0, 0, 0}, cluster(200, frame, simpleBlock(1, 10, 0, "frame")))
	all := slices.Concat(begin, end)

	s := NewSplitter(Options{Rewinds: true})
	s.Push(begin)
	given := slices.Collect(s.TakeFragments())
	if len(given) != 1 || given[0].Blocks != 2 {
		t.Fatalf("fragments %+v", given)
	}
	for at := len(begin); at < len(all); {
		s.Push(all[at:])
		at = len(all)
		if back, ok := s.Rewind(); ok {
			if back < given[0].End {
				t.Fatalf("back to %d, into what was given up to %d", back, given[0].End)
			}
			at = int(back)
		}
	}
	report, _ := s.Finish()
	more := slices.Collect(s.TakeClusters())
	if len(more) != 1 || more[0].Timestamp != 200 || len(report.Dropped) != 1 || report.Dropped[0].Start != given[0].End {
		t.Errorf("then %+v, dropped %v", more, report.Dropped)
	}
}

func TestFragmentsOfAClusterThatIsReadAgainGoOnWhereTheyWere(t *testing.T) {
	for _, name := range []string{"firefox-01-opus-ts50", "chromium-36-late-requestdata"} {
		data := load(t, name).data
		for seed := range uint64(60) {
			random := rand.New(rand.NewPCG(seed, 1))
			damaged := slices.Clone(data)
			for range 1 + random.IntN(3) {
				at := random.IntN(len(damaged) - 20)
				switch random.IntN(3) {
				case 0: // lost
					damaged = slices.Delete(damaged, at, at+1+random.IntN(19))
				case 1: // damaged
					copy(damaged[at:], junk(random, 1+random.IntN(10)))
				case 2: // twice
					end := min(len(damaged), at+random.IntN(2000))
					damaged = slices.Insert(damaged, end, damaged[at:end]...)
				}
			}
			s := NewSplitter(Options{Rewinds: true})
			last := Cluster{Recording: -1}
			for at, again := int64(0), true; again; at, again = s.Rewind() {
				for at < int64(len(damaged)) {
					end := min(at+int64(1+random.IntN(4000)), int64(len(damaged)))
					s.Push(damaged[at:end])
					at = end
					for f := range s.TakeFragments() {
						if f.Start < last.End || f.End < f.Start || f.Fragment && f.Blocks < 1 {
							t.Fatalf("%s, seed %d: after %d comes %+v", name, seed, last.End, f)
						}
						last = f
					}
					if back, ok := s.Rewind(); ok {
						at = back
					}
				}
				s.Finish()
			}
		}
	}
}

func TestACallerThatDoesNotRewindAfterAllGoesOnFromThere(t *testing.T) {
	frame := simpleBlock(1, 0, 0x80, "frame")
	good := cluster(500, frame, simpleBlock(1, 10, 0, "frame"))
	s := NewSplitter(Options{Rewinds: true})
	begin := slices.Concat(stream(tracks(vp8)), cluster(0, frame, frame), make([]byte, 40))
	s.Push(begin)
	s.Push(good)
	s.Push(good)
	report, err := s.Finish()
	if err != nil || report.Bytes != int64(len(begin)+2*len(good)) {
		t.Errorf("%v, %d bytes", err, report.Bytes)
	}
	if n := len(slices.Collect(s.TakeClusters())); n < 2 {
		t.Errorf("%d clusters", n)
	}
}

func TestDamageBeforeOrInAHeaderIsSearchedThrough(t *testing.T) {
	frame := simpleBlock(1, 0, 0x80, "frame")
	good := cluster(0, frame, simpleBlock(1, 10, 0, "frame")) // of 37
	whole := stream(tracks(vp8), good)
	segment := slices.Concat(ebml.AppendHeadWidth(nil, IDSegment, ebml.UnknownSize, 8))
	info := element(IDInfo, number(IDTimestampScale, 1_000_000))
	second := slices.Concat(whole, stream(), []byte{0, 0}, tracks(opus), cluster(0, simpleBlock(2, 0, 0x80, "\x08sound"), simpleBlock(2, 20, 0x80, "\x08sound")))
	for _, c := range []struct {
		name     string
		stream   []byte
		clusters string
		err      string // code and offset
	}{
		{"junk before it", slices.Concat(make([]byte, 500), whole), "549-586", ""},
		{"one byte before it", slices.Concat([]byte{0}, whole), "50-87", ""},
		{"an EBML header that is cut, and then a whole one", slices.Concat([]byte(ebmlMagic), []byte{0x87, 0x42}, whole), "55-92", ""},
		{"a broken element before Tracks", slices.Concat(ebmlHeader(), segment, []byte{0, 0, 0}, info, tracks(vp8), good), fmt.Sprintf("%d-%d", 52+len(info), 89+len(info)), ""},
		{"an element before Tracks that claims them", slices.Concat(ebmlHeader(), segment, ebml.AppendHead(nil, ebml.IDVoid, 1<<40), tracks(vp8), good), "56-93", ""},
		{"a broken element after Tracks", slices.Concat(ebmlHeader(), segment, tracks(vp8), []byte{0, 0}, good), "51-88", ""},
		{"Tracks that are broken", slices.Concat(ebmlHeader(), segment, tracks([]byte{0xAE, 0x90, 0, 0}), good), "", "overrun 29"},
		{"no Tracks", slices.Concat(ebmlHeader(), segment, good, good), "", "missing 24"},
		{"no header", slices.Concat(frame, good, good), "", "missing 11"},
		{"no header, but that of another recording", slices.Concat(frame, frame, whole), "71-108", ""},
		{"the header of a second recording", second, fmt.Sprintf("49-86 %d-%d", len(whole)+24+2+26, len(second)), ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := splitAllWays(t, Options{}, c.stream)
			if got := ranges(o.clusters); got != c.clusters {
				t.Errorf("clusters %s; want %s", got, c.clusters)
			}
			got := ""
			if o.finishErr != nil {
				got = fmt.Sprintf("%s %d", o.finishErr.Code, o.finishErr.Offset)
			}
			if got != c.err {
				t.Errorf("error %s: %v; want %s", got, o.finishErr, c.err)
			}
			if c.err == "" {
				if len(o.report.Dropped) == 0 {
					t.Error("nothing is dropped")
				}
				for i := range o.headers {
					all, _ := indexes(c.stream)
					plan, err := all[i].Seekable()
					if err != nil {
						t.Fatal(err)
					}
					if f := parse(t, made(t, plan, c.stream)); len(f.blocks) == 0 {
						t.Error("the file has no blocks")
					}
				}
			}
		})
	}
}

func TestJunkBeforeAHeaderIsSearchedThroughUpToALimit(t *testing.T) {
	t.Parallel()
	whole := stream(tracks(vp8), cluster(0, simpleBlock(1, 0, 0x80, "frame"), simpleBlock(1, 10, 0, "frame"))) // of 86
	for _, c := range []struct {
		junk     int
		clusters string
		err      Code
	}{
		{maxJunk - 1, fmt.Sprintf("%d-%d", maxJunk-1+49, maxJunk-1+86), ""},
		{maxJunk + 1, "", CodeNotWebM},
	} {
		all := slices.Concat(make([]byte, c.junk), whole)
		near := maxJunk - 100 // from where on the stream is also cut at each byte
		for _, opts := range []Options{{}, {Rewinds: true}} {
			o := split(opts, all)
			o.check(t, all)
			if got := ranges(o.clusters); got != c.clusters || (o.finishErr != nil) != (c.err != "") || c.err != "" && o.finishErr.Code != c.err {
				t.Errorf("after %d bytes, clusters %s, error %v", c.junk, got, o.finishErr)
			}
			compare(t, "near the limit byte by byte", split(opts, append([][]byte{all[:near]}, bytewise(all[near:])...)...).String(), o.String())
			compare(t, "in chunks of 64 KB", split(opts, slices.Collect(slices.Chunk(all, 64<<10))...).String(), o.String())
		}
	}
}

func TestABeginningThatIsLostOrComesLaterIsFound(t *testing.T) {
	frame := simpleBlock(1, 0, 0x80, "frame")
	good := func(at uint64) []byte { return cluster(at, frame, simpleBlock(1, 10, 0, "frame")) } // of 37 or 38
	begin := func(docType string, rest ...[]byte) []byte {                                       // with an EBML header as recorders write it
		return slices.Concat(element(ebml.IDEBML, number(ebml.IDEBMLVersion, 1), text(ebml.IDDocType, docType)), stream(rest...)[len(ebmlHeader()):])
	}
	full := begin("webm", tracks(vp8), good(0))
	pcm := begin("matr_ska", tracks(track(1, Audio, "A_PCM/INT/LIT")), cluster(0, frame))
	n := int64(len(full))
	for _, c := range []struct {
		name    string
		stream  []byte
		header  Range
		docType string
		dropped string // first
	}{
		{"without its first byte", full[1:], Range{0, n - 38}, "webm", "lost 0-0"},
		{"after a chunk of the middle", slices.Concat(frame, good(500), good(600), full), Range{87, 87 + n - 37}, "webm", "missing 0-87"},
		{"after a chunk without a Cluster", slices.Concat(make([]byte, 200<<10), full), Range{200 << 10, 200<<10 + n - 37}, "webm", "not-webm 0-204800"},
		{"after a proxy's text", slices.Concat([]byte("HTTP/1.1 200 OK\r\n\r\n"), full), Range{19, 19 + n - 37}, "webm", "not-webm 0-19"},
		{"with a damaged DocType", begin("wecm", tracks(vp8), good(0)), Range{0, n - 37}, "webm", "invalid-value 0-0"},
		{"with a DocType that is cut", begin("we\x00m", tracks(vp8), good(0)), Range{0, n - 37}, "webm", "invalid-value 0-0"},
		{"with a damaged DocType, of what WebM does not have", pcm, Range{0, int64(len(pcm)) - 26}, "matroska", "invalid-value 0-0"},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := splitAllWays(t, Options{}, c.stream)
			if len(o.headers) != 1 || o.headers[0].Range != c.header || o.headers[0].DocType != c.docType || o.err() == nil {
				t.Fatalf("headers %+v; want %v of %s (%v)", o.headers, c.header, c.docType, o.err())
			}
			d := o.report.Dropped[0]
			if got := fmt.Sprintf("%s %d-%d", d.Reason.Code, d.Start, d.End); got != c.dropped || len(o.report.Dropped) > 1 {
				t.Errorf("dropped %s; want %s (%v)", got, c.dropped, d.Reason)
			}
			if got := seekableBlocks(t, c.stream); got != len(refBlocks(full)) && c.docType == "webm" {
				t.Errorf("%d blocks are in the file", got)
			}
		})
	}
}

// seekableBlocks is how many blocks the seekable file of a stream's first recording has.
func seekableBlocks(t *testing.T, stream []byte) int {
	t.Helper()
	s, _, err := Scan(bytes.NewReader(stream), int64(len(stream)), Options{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	plan, err := s.Index(0).Seekable()
	if err != nil {
		t.Fatal(err)
	}
	return len(parse(t, made(t, plan, stream)).blocks)
}

func TestTracksAfterTheClustersAreFoundInWhatIsWhole(t *testing.T) {
	sound := func(at int16) []byte { return simpleBlock(2, at, 0x80, fmt.Sprint("\x08sound ", at)) }
	seek := func(id ebml.ID, at int) []byte {
		return element(IDSeek, ebml.AppendBinary(nil, IDSeekID, ebml.AppendID(nil, id)), appendWideUint(nil, IDSeekPosition, int64(at), 4))
	}
	clusters := slices.Concat(cluster(10, sound(0), sound(20)), cluster(50, sound(0)))
	info := element(IDInfo, number(IDTimestampScale, 2_000_000))
	build := func(infoAt, tracksAt int) []byte {
		head := element(IDSeekHead, seek(IDInfo, infoAt), seek(IDTracks, tracksAt))
		return slices.Concat(ebmlHeader(), unknown(IDSegment, head), clusters, info, tracks(opus))
	}
	begin := len(build(0, 0)) - len(ebmlHeader()) - len(unknown(IDSegment)) - len(tracks(opus)) - len(info)
	stream := build(begin, begin+len(info))

	s, report, err := Scan(bytes.NewReader(stream), int64(len(stream)), Options{}, nil)
	if err != nil || len(report.Dropped) > 0 || report.Recordings[0].Duration != 120_000_000 {
		t.Fatalf("%v, %+v", err, report)
	}
	if got := times(t, s.Index(0), stream); got != "2@10 2@30 2@50" {
		t.Errorf("blocks %s", got)
	}
	if plan := s.Index(0).InitializationSegment(); !bytes.Contains(made(t, plan, stream), tracks(opus)) {
		t.Error("the initialization segment has no Tracks")
	}

	for _, opts := range []Options{{}, {Rewinds: true}} {
		o := split(opts, stream)
		if o.pushErr == nil || o.pushErr.Code != CodeTracksLater {
			t.Errorf("pushed as a stream: %v", o.pushErr)
		}
	}
	for name, at := range map[string]int{"at a Cluster": begin - len(clusters), "after the end": len(stream), "in the middle of something": begin + 3} {
		wrong := build(begin, at)
		s, report, err := Scan(bytes.NewReader(wrong), int64(len(wrong)), Options{}, nil)
		if err != nil || len(report.Dropped) > 0 {
			t.Fatalf("%s: %v, %+v", name, err, report)
		}
		if got := strings.Count(times(t, s.Index(0), wrong), "@"); got != 3 {
			t.Errorf("%s: %d blocks", name, got)
		}
	}
}
