package webm

// The live form: what a player is given of a recording while it is recorded.

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
)

// A player takes the live form of the recordings of a stream as it is pushed.
type player struct {
	splitter *Splitter
	stream   []byte // pushed so far
	next     int64
	got      []byte
	plans    []*Plan
}

// take takes all that there is of a recording.
func (p *player) take(t *testing.T, recording int) {
	t.Helper()
	for {
		plan, next := p.splitter.Live(recording, p.next)
		if plan.Size == 0 {
			return
		}
		if next <= p.next || next > int64(len(p.stream)) {
			t.Fatalf("from %d on comes up to %d, of %d bytes", p.next, next, len(p.stream))
		}
		p.next = next
		p.got = append(p.got, made(t, plan, p.stream)...)
		p.plans = append(p.plans, plan)
	}
}

// played is the live form of a stream of one recording, taken after each chunk that
// take says, and at the end.
func played(t *testing.T, chunks [][]byte, take func(i int) bool) *player {
	t.Helper()
	p := &player{splitter: NewSplitter(Options{})}
	for i, chunk := range chunks {
		p.splitter.Push(chunk)
		p.stream = append(p.stream, chunk...)
		if take(i) {
			p.take(t, 0)
		}
	}
	p.splitter.Finish()
	p.take(t, 0)
	return p
}

func always(int) bool { return true }
func never(int) bool  { return false }

// initialized is the live form after an initialization segment.
func (p *player) initialized(t *testing.T) []byte {
	return append(made(t, p.splitter.Index(0).InitializationSegment(), p.stream), p.got...)
}

func TestTheLiveFormHasEveryBlockOnceWheneverItIsTaken(t *testing.T) {
	eachPart(t, func(t *testing.T, stream []byte) {
		want := played(t, [][]byte{stream}, never)
		out := want.initialized(t)
		o := split(Options{}, out)
		if o.err() != nil || len(o.headers) != 1 {
			t.Fatal(o.err())
		}
		for i, c := range o.clusters {
			if c.Known {
				t.Errorf("cluster %d has a size", i)
			}
			if i > 0 && !c.BeginsWithKeyFrame() {
				t.Errorf("cluster %d of %d does not begin with a key frame", i, len(o.clusters))
			}
		}
		sameBlocks(t, "all at once", media(refBlocks(out)), media(refBlocks(uncut(stream, split(Options{}, stream)))))

		for name, chunks := range map[string][][]byte{"cut at random": cut(stream, 2), "in small cuts": cut(stream, 1)} {
			for name, take := range map[string]func(int) bool{name: always, name + ", now and then": func(i int) bool { return i%5 == 2 }} {
				if got := played(t, chunks, take); !bytes.Equal(got.got, want.got) {
					t.Errorf("%s: %d bytes, other than the %d at once", name, len(got.got), len(want.got))
				}
			}
		}
	})
}

func TestTheLiveFormIsThatOfAStoreAndOfWhatNoStoreHas(t *testing.T) {
	eachPart(t, func(t *testing.T, stream []byte) {
		p := &player{splitter: NewSplitter(Options{}), stream: stream}
		p.splitter.Push(stream[:len(stream)*9/10]) // in the midst of a cluster
		h, ok := p.splitter.TakeHeader()
		if !ok {
			return // or of the header
		}
		p.take(t, 0)
		p.splitter.Index(0).Stored = true
		store := stored(stream, h, slices.Collect(p.splitter.TakeClusters()))
		var got []byte
		for next := int64(0); ; {
			var plan *Plan
			if plan, next = p.splitter.Live(0, next); plan.Size == 0 {
				break
			}
			got = append(got, made(t, plan, store, stream)...)
		}
		if !bytes.Equal(got, p.got) {
			t.Errorf("of a store come %d bytes, other than the %d of the stream", len(got), len(p.got))
		}
	})
}

func TestAPlayerBeginsAtTheKeyFrameBeforeATime(t *testing.T) {
	eachPart(t, func(t *testing.T, stream []byte) {
		p := played(t, [][]byte{stream}, never)
		scale := p.splitter.Index(0).header.TimestampScale
		starts := map[int64]bool{}
		for i, c := range split(Options{}, p.initialized(t)).clusters {
			begin := c.Timestamp * scale
			for _, time := range []int64{begin, begin + 1} {
				from := p.splitter.LiveFrom(0, time)
				if i == 0 && time == begin && from != p.splitter.LiveFrom(0, -1) {
					t.Errorf("before the beginning it begins at %d, not %d", p.splitter.LiveFrom(0, -1), from)
				}
				plan, _ := p.splitter.Live(0, from)
				if plan.Start != begin {
					t.Errorf("at %d ns it begins with %d; want %d", time, plan.Start, begin)
				}
				if out := made(t, plan, stream); !bytes.Contains(p.got, out) || out[0] != 0x1F {
					t.Errorf("at %d ns come %d bytes that are not of the whole", time, len(out))
				}
				starts[from] = true
			}
		}
		latest := map[uint64][]int64{}
		for _, b := range refBlocks(p.initialized(t)) {
			if b.typ == Audio || b.typ == Video {
				latest[b.track] = append(latest[b.track], b.ticks*scale)
			}
		}
		end := int64(maxTime)
		for _, times := range latest {
			slices.Sort(times)
			times = slices.Compact(times)
			end = min(end, times[max(0, len(times)-2)])
		}
		if last := p.plans[len(p.plans)-1]; last.End != end {
			t.Errorf("it says that it has all up to %d; that is %d", last.End, end)
		}
		if len(starts) != len(p.plans) {
			t.Errorf("it begins in %d places, and comes in %d plans", len(starts), len(p.plans))
		}
	})
}

// lived are the clusters of a live form, as their Timestamps and the times of their blocks.
func lived(t *testing.T, out []byte) string {
	var all []string
	o := split(Options{}, out)
	blocks := refBlocks(out)
	for _, c := range o.clusters {
		s := fmt.Sprint(c.Timestamp, ":")
		for _, b := range blocks {
			if int64(b.start) >= c.Start && int64(b.start) < c.End {
				s += fmt.Sprint(" ", b.ticks)
			}
		}
		all = append(all, s)
	}
	return fmt.Sprintf("%q", all)
}

func TestClustersOfTheLiveForm(t *testing.T) {
	const key = 0x80
	v := func(relative int16, flags byte) []byte { return simpleBlock(1, relative, flags, "v") }
	a := func(relative int16) []byte { return simpleBlock(2, relative, key, "a") }
	for _, test := range []struct {
		name     string
		tracks   [][]byte
		clusters [][]byte
		want     []string
	}{
		{"the blocks of those without a key frame follow the last that has one", [][]byte{vp8, opus}, [][]byte{
			cluster(0, a(0), v(5, key)), cluster(20, a(0), v(10, 0)), cluster(40, v(0, key)), cluster(50, v(1, 0)),
		}, []string{"0: 0 5 20 30", "40: 40 51"}},
		{"one that has no key frame before it is one itself", [][]byte{vp8, opus}, [][]byte{
			cluster(0, a(0)), cluster(10, v(0, 0)), cluster(20, v(0, key)),
		}, []string{"0: 0 10", "20: 20"}},
		{"one without blocks is none", [][]byte{vp8}, [][]byte{
			cluster(0), cluster(10, v(0, key)), cluster(20), cluster(30, v(0, 0)),
		}, []string{"10: 10 30"}},
		{"sound alone is as it was recorded", [][]byte{opus}, [][]byte{
			cluster(0, a(0)), cluster(1000, a(0), a(20)),
		}, []string{"0: 0", "1000: 1000 1020"}},
		{"one that begins too late is another", [][]byte{vp8}, [][]byte{
			cluster(0, v(0, key)), cluster(16000, v(0, 0), v(16383, 0)), cluster(17000, v(0, 0)), cluster(33384, v(0, 0)), cluster(33385, v(0, 0)),
		}, []string{"0: 0 16000 32383", "17000: 17000 33384", "33385: 33385"}},
		{"one that is too long is another", [][]byte{vp8}, [][]byte{
			cluster(0, v(0, key)), cluster(16000, v(0, 0), v(32767, 0)), cluster(17000, v(0, 0)),
		}, []string{"0: 0", "16000: 16000 48767 17000"}},
		{"one that goes back in time is another", [][]byte{vp8}, [][]byte{
			cluster(5000, v(0, key)), cluster(4000, v(0, 0)),
		}, []string{"5000: 5000", "4000: 4000"}},
		{"what is not a block is left out before blocks and void after", [][]byte{vp8}, [][]byte{
			cluster(7, number(IDPosition, 9), number(IDPrevSize, 9), v(0, key)), cluster(9, v(0, 0), number(IDPosition, 9)),
		}, []string{"7: 7 9"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			whole := stream(append([][]byte{tracks(test.tracks...)}, test.clusters...)...)
			p := played(t, [][]byte{whole}, never)
			out := p.initialized(t)
			if got, want := lived(t, out), fmt.Sprintf("%q", test.want); got != want {
				t.Errorf("at once it is %s; want %s", got, want)
			}
			if bytes.Contains(p.got, number(IDPosition, 9)) || bytes.Contains(p.got, number(IDPrevSize, 9)) {
				t.Error("it has a Position or PrevSize")
			}
			sameBlocks(t, "byte by byte", media(refBlocks(played(t, bytewise(whole), always).initialized(t))), media(refBlocks(out)))
		})
	}
}

// walked is what the live form has open after cluster i, found by walking back to the last
// cluster that begins with a key frame, and forward from there.
func walked(clusters []entry, i int) liveStart {
	first := i
	for ; first > 0 && clusters[first].flags&(beginsWithKey|hasBlocks) != beginsWithKey|hasBlocks; first-- {
	}
	start := liveStart{}
	if e := &clusters[first]; e.flags&(beginsWithKey|hasBlocks) == beginsWithKey|hasBlocks {
		start.key = first + 1
	}
	for ; first <= i; first++ {
		e := &clusters[first]
		late := e.timestamp - start.timestamp()
		if e.flags&hasBlocks != 0 && (start.after == 0 || late < 0 || late > maxLate || e.flags&isLong != 0) {
			start = liveStart{first, e.timestamp + 1, start.key}
		}
	}
	return start
}

func TestTheListOfClustersKnowsWhereTheLiveFormHasEach(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for _, keys := range []int{1, 3, 50, 1 << 20} { // one in so many begins with a key frame
		var l clusterList
		var all []entry
		at := int64(0)
		for range 5*pageLen + 7 {
			at += random.Int64N(2000) - 200*int64(random.IntN(2))
			e := entry{timestamp: max(0, at)}
			for _, f := range []struct{ flag, odds int }{{beginsWithKey, keys}, {isLong, 40}} {
				if random.IntN(f.odds) == 0 {
					e.flags |= uint8(f.flag)
				}
			}
			if len(all) > 70 && random.IntN(5) > 0 {
				e.flags |= hasBlocks
			}
			l.add(e)
			all = append(all, e)
		}
		for _, l := range []liveList{{index: &Index{clusters: l}}, {index: &Index{clusters: l.copied()}}} {
			for i := range all {
				if got, want := l.startBefore(i+1), walked(all, i); got != want {
					t.Fatalf("one in %d with a key frame: after cluster %d it is %+v; want %+v", keys, i, got, want)
				}
			}
			if got := l.startBefore(0); got != (liveStart{}) {
				t.Errorf("before the first it is %+v", got)
			}
			for i := range len(all) + 1 {
				want := i
				for want < len(all) && walked(all, want).key != want+1 {
					want++
				}
				if got := l.keyFrom(i); got != want {
					t.Fatalf("one in %d with a key frame: the first from cluster %d on is %d; want %d", keys, i, got, want)
				}
			}
		}
	}
}

func TestTheNextPartOfALongRecordingIsNoMoreWorkThanThatOfAShort(t *testing.T) {
	const n = 8000
	whole := stream(tracks(vp8), cluster(0, simpleBlock(1, 0, 0x80, "key")))
	for i := range uint64(n) {
		whole = append(whole, cluster(i, simpleBlock(1, 0, 0, "frame"))...)
	}
	s := NewSplitter(Options{})
	s.Push(whole)
	ix := s.Index(0)
	if ix.NumClusters() != n {
		t.Fatalf("%d clusters are complete", ix.NumClusters())
	}
	last := ix.clusters.at(n - 1)
	ix.clusters.cached = 0
	if plan, next := s.Live(0, last.Start); len(piecesOf(plan)) != 2 || next != int64(len(whole)) {
		t.Errorf("the last two clusters are %d pieces, and next comes %d of %d", len(piecesOf(plan)), next, len(whole))
	}
	if ix.clusters.cached != 0 {
		t.Errorf("page %d of the index was decoded for it", ix.clusters.cached)
	}
	if from := s.LiveAfter(0, ix.header.End+1); from != NoOffset {
		t.Errorf("after the only key frame it begins at %d", from)
	}
	if ix.clusters.cached != 1 {
		t.Errorf("page %d of the index was decoded where only the first has what was asked for", ix.clusters.cached)
	}
	if from := s.LiveFrom(0, maxTime); from != ix.header.End {
		t.Errorf("it begins at %d; want the only key frame at %d", from, ix.header.End)
	}
}

func TestAPlayerBeginsWithAKeyFrameHoweverLongAgoThatWas(t *testing.T) {
	whole := stream(tracks(vp8), cluster(0, simpleBlock(1, 0, 0x80, "key")), cluster(9000, simpleBlock(1, 0, 0, "frame")), cluster(18000, simpleBlock(1, 0, 0, "frame")))
	s := NewSplitter(Options{})
	for i := range whole {
		from, after := s.LiveFrom(0, 18000e6), s.LiveAfter(0, 0)
		if ix := s.Index(0); ix == nil || i <= int(ix.header.End)+23 { // the key frame's block is not whole
			if from != NoOffset || after != NoOffset {
				t.Fatalf("after %d bytes it begins at %d or %d", i, from, after)
			}
		} else if from != ix.header.End || after != ix.header.End {
			t.Fatalf("after %d bytes it begins at %d or %d; want %d", i, from, after, ix.header.End)
		}
		s.Push(whole[i : i+1])
	}
	if after := s.LiveAfter(0, s.Index(0).header.End+1); after != NoOffset {
		t.Errorf("after the key frame it begins at %d", after)
	}
}

// A lastPart is a stream that is kept from an offset on.
type lastPart struct {
	*bytes.Reader
	from int64
}

func (l lastPart) ReadAt(p []byte, at int64) (int, error) {
	if at < l.from {
		return 0, errUnreadable
	}
	return l.Reader.ReadAt(p, at)
}

// A relay keeps what makes an initialization segment, and the last part of the stream.
func TestARelayThatKeepsTheLastPartServesWhoBeginsAtItsFirstPlace(t *testing.T) {
	eachPart(t, func(t *testing.T, stream []byte) {
		s := NewSplitter(Options{Rewinds: true})
		all := played(t, [][]byte{stream}, never)
		want := media(refBlocks(all.initialized(t)))
		served := 0
		size := int64(0)
		for _, chunk := range cut(stream, 2) {
			s.Push(chunk)
			size += int64(len(chunk))
			first := size * 2 / 3
			from := s.LiveAfter(0, first)
			if from == NoOffset || served == either(4, len(stream)) {
				continue
			}
			served++
			if from < first || from >= size {
				t.Fatalf("of the %d bytes from %d on the first place is %d", size, first, from)
			}
			out := made(t, s.Index(0).InitializationSegment(), stream[:size])
			for next := from; ; {
				var plan *Plan
				if plan, next = s.Live(0, next); plan.Size == 0 {
					break
				}
				var part bytes.Buffer
				if _, err := plan.CopyTo(&part, lastPart{bytes.NewReader(stream[:size]), from}); err != nil {
					t.Fatal(err)
				}
				out = append(out, part.Bytes()...)
			}
			if o := split(Options{}, out); !o.clusters[0].BeginsWithKeyFrame() || len(o.report.Dropped) > 0 {
				t.Fatalf("from %d on it is %v", from, o)
			}
			got := media(refBlocks(out))
			if i := slices.Index(want, got[0]); i < 0 || !slices.Equal(want[i:i+len(got)], got) {
				t.Fatalf("of the %d bytes from %d on it has other blocks", size, from)
			}
		}
		if len(all.plans) > 3 && served == 0 {
			t.Errorf("of %d places to begin at there is never one", len(all.plans))
		}
	})
}

func TestSoundOfAnOpenClusterWaitsForItsPicture(t *testing.T) {
	whole := stream(tracks(vp8, opus), cluster(0, simpleBlock(1, 0, 0x80, "v")))
	open := append(cluster(1000), simpleBlock(2, 0, 0x80, "a")...)
	p := &player{splitter: NewSplitter(Options{}), stream: slices.Concat(whole, open)}
	p.splitter.Push(p.stream)
	p.take(t, 0)
	if got := lived(t, p.initialized(t)); got != `["0: 0"]` {
		t.Errorf("there is %s; whether the next begins with a key frame is not known yet", got)
	}
	p.stream = append(p.stream, simpleBlock(1, 9, 0x80, "v")...)
	p.splitter.Push(p.stream[len(whole)+len(open):])
	p.take(t, 0)
	if got := lived(t, p.initialized(t)); got != `["0: 0" "1000: 1000 1009"]` {
		t.Errorf("there is %s", got)
	}
}

func TestTheLiveFormOfARestartedRecorderIsOfEachRecording(t *testing.T) {
	one := stream(tracks(vp8), cluster(0, simpleBlock(1, 0, 0x80, "v")))
	p := &player{splitter: NewSplitter(Options{}), stream: slices.Concat(one, one)}
	p.splitter.Push(p.stream)
	p.take(t, 0)
	first := p.got
	if p.next != int64(len(one)) {
		t.Errorf("the first goes up to %d of %d", p.next, len(one))
	}
	p.got = nil
	p.take(t, 1)
	if !bytes.Equal(p.got, first) || p.next != int64(len(p.stream)) {
		t.Errorf("the second is %x up to %d; the first was %x", p.got, p.next, first)
	}
	if plan, next := p.splitter.Live(2, 5); plan.Size != 0 || next != 5 || p.splitter.LiveFrom(2, 0) != NoOffset || p.splitter.LiveAfter(2, 0) != NoOffset {
		t.Error("there is a third")
	}
}

func TestTheLiveFormLacksWhatCannotBeDecoded(t *testing.T) {
	f := load(t, "chromium-08-pause-vp8opus-ts500")
	o := split(Options{}, f.data)
	c := o.clusters[1]
	damaged := slices.Concat(f.data[:c.Start+500], f.data[c.End-100:])
	p := played(t, [][]byte{damaged}, never)
	plan, err := p.splitter.Index(0).Seekable()
	if err != nil {
		t.Fatal(err)
	}
	sameBlocks(t, "after a loss", media(refBlocks(p.initialized(t))), media(refBlocks(made(t, plan, damaged))))
}

func FuzzLive(f *testing.F) {
	for i, stream := range seeds(f) {
		f.Add(stream, []byte{1, 0, byte(i), 13})
	}
	f.Fuzz(func(t *testing.T, stream, cuts []byte) {
		if len(stream) > maxFuzzed {
			return
		}
		o := split(Options{}, stream)
		for recording := range o.headers {
			p := &player{splitter: NewSplitter(Options{})}
			take := func() {
				if ix := p.splitter.Index(recording); ix != nil {
					ix.KeepUndecodable = true // all that there is, to be compared
				}
				p.take(t, recording)
			}
			for _, chunk := range cutBy(stream, cuts) {
				p.splitter.Push(chunk)
				p.stream = append(p.stream, chunk...)
				take()
			}
			p.splitter.Finish()
			take()
			if len(o.report.Dropped) > 0 {
				continue
			}
			init := made(t, p.splitter.Index(recording).InitializationSegment(), stream)
			out := append(init, p.got...)
			got := blocksOf(t, out, split(Options{}, out), 0)
			sameBlocks(t, "live", media(known(got)), media(known(blocksOf(t, stream, o, recording))))
		}
	})
}
