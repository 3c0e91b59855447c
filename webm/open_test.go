package webm

// Plans of a recording that is going on: they have the open cluster, as far as it is.

import (
	"bytes"
	"fmt"
	"io"
	"slices"
	"testing"
)

// Pushed up to any place, a recording is a file with all blocks that are whole by then,
// and what is pushed later changes nothing of that.
func TestBeforeTheEndAPlanHasEveryWholeBlockThatWasPushed(t *testing.T) {
	eachFixture(t, func(t *testing.T, f fixture) {
		t.Parallel()
		all := refBlocks(f.data)
		o := split(Options{}, f.data)
		if len(o.headers) != 1 || len(all) < 20 {
			return
		}
		s := NewSplitter(Options{Rewinds: true})
		at, files := 0, 0
		times := either(4, 12)
		for i := range times {
			to := len(f.data) * (i + 1) / (times + 1)
			s.Push(f.data[at:to])
			if _, again := s.Rewind(); again {
				t.Fatal("a whole recording is to be read again")
			}
			at = to
			ix := s.Index(0)
			want := slices.DeleteFunc(slices.Clone(all), func(b refBlock) bool { return b.start+len(b.rest) > to })
			if ix == nil || len(want) == 0 {
				continue
			}
			files++
			what := fmt.Sprintf("after %d bytes", to)
			for _, p := range planners(ix)[:1] {
				plan, err := p.plan(ix, f.data)
				if err != nil {
					t.Fatalf("%s, %s: %v", what, p.name, err)
				}
				sameBlocks(t, what+", "+p.name, media(parse(t, made(t, plan, f.data)).blocks), media(want))
			}
			cutter, err := ix.Clip(0, maxTime)
			if err != nil {
				t.Fatal(err)
			}
			s.Push(nil)
			sameBlocks(t, what+", clip of all", timeless(media(parse(t, planned(t, cutter, f.data)).blocks)), timeless(media(want)))
			if cutter, err = ix.JoinPoint(); err == nil {
				got := live(t, planned(t, cutter, f.data))
				if last := want[len(want)-1]; len(got) == 0 || got[len(got)-1].rest != media([]refBlock{last})[0].rest {
					t.Errorf("%s, the join point does not end with the last block", what)
				}
			}
			fromAStore(t, what, s, f.data, want)
		}
		if files < times/2 {
			t.Errorf("%d files", files)
		}
	})
}

// planned is what a cut of the stream makes.
func planned(t *testing.T, cutter *Cutter, sources ...[]byte) []byte {
	t.Helper()
	var readers []io.ReaderAt
	for _, s := range sources {
		readers = append(readers, bytes.NewReader(s))
	}
	plan, err := cutter.PlanFrom(readers...)
	if err != nil {
		t.Fatal(err)
	}
	return made(t, plan, sources...)
}

// timeless are blocks without their times.
func timeless(blocks []refBlock) []refBlock {
	for i := range blocks {
		blocks[i].ticks = 0
	}
	return blocks
}

// fromAStore checks the same where complete clusters are in a store, and only the open one
// comes from the stream.
func fromAStore(t *testing.T, what string, s *Splitter, stream []byte, want []refBlock) {
	t.Helper()
	ix := s.Index(0)
	store := slices.Clone(stream[ix.header.Start:ix.header.End])
	for i := range ix.NumClusters() {
		head, data, edit := ix.Form(i)
		store = append(append(store, head...), edited(stream, data, edit)...)
	}
	ix.Stored = true
	defer func() { ix.Stored = false }()
	plan, err := ix.Seekable()
	if err != nil {
		t.Fatal(err)
	}
	sameBlocks(t, what+", of a store", media(parse(t, made(t, plan, store, stream)).blocks), media(want))
	cutter, err := ix.Clip(0, maxTime)
	if err != nil {
		t.Fatal(err)
	}
	sameBlocks(t, what+", clip of a store", timeless(media(parse(t, planned(t, cutter, store, stream)).blocks)), timeless(media(want)))
	half := ix.Duration() / 2
	if cutter, err = ix.Clip(half, maxTime); err != nil {
		t.Fatal(err)
	}
	fromStore := planned(t, cutter, store, stream)
	ix.Stored = false
	if cutter, err = ix.Clip(half, maxTime); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(fromStore, planned(t, cutter, stream)) {
		t.Errorf("%s, of a store the clip is another", what)
	}
}

func TestAPlanIsOfWhatThereWasWhenItWasAskedFor(t *testing.T) {
	key, frame := simpleBlock(1, 0, 0x80, "key"), simpleBlock(1, 33, 0, "frame")
	begin := stream(tracks(vp8), cluster(0, key, frame), unknown(IDCluster, number(IDTimestamp, 66), key))
	end := slices.Concat(frame, cluster(132, key, frame))
	s := NewSplitter(Options{})
	s.Push(begin)
	cutter, err := s.Index(0).Clip(66e6, 2e9)
	if err != nil {
		t.Fatal(err)
	}
	s.Push(end)
	all := slices.Concat(begin, end)
	if got := len(parse(t, planned(t, cutter, all)).blocks); got != 1 {
		t.Errorf("%d blocks in the clip; want the one that there was", got)
	}
}
