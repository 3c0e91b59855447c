package webm

// How the tests of this package load, build, cut and split streams.

import (
	"cmp"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/webmend/webmend/webm/internal/webmtest"
)

// What the tests allocate is large and soon garbage. With a ballast, Go collects it less
// often and keeps the memory for what is allocated next, which takes a third less time.
// Benchmarks go without: what they allocate would never be in a cache.
func TestMain(m *testing.M) {
	flag.Parse()
	var ballast []byte
	if flag.Lookup("test.bench").Value.String() == "" {
		ballast = make([]byte, 256<<20)
	}
	code := m.Run()
	runtime.KeepAlive(ballast)
	os.Exit(code)
}

// The tests that try a great many streams try a few, and all of them when webm/slow runs
// them.
var thorough = flag.Bool("thorough", false, "try all streams of the tests that are slow then")

// either is how many of something are tried.
func either(few, all int) int {
	if *thorough {
		return all
	}
	return few
}

// A fixture is a recording in testdata, as a browser delivered it.
type fixture struct {
	name   string
	data   []byte
	chunks [][]byte // the blobs of dataavailable, the empty ones too
}

func load(t testing.TB, name string) fixture {
	t.Helper()
	path := filepath.Join("testdata", name)
	data, err := os.ReadFile(path + ".webm")
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(path + ".json")
	if err != nil {
		t.Fatal(err)
	}
	var about struct{ Chunks []int }
	if err := json.Unmarshal(text, &about); err != nil {
		t.Fatal(err)
	}
	f := fixture{name: name, data: data}
	for _, n := range about.Chunks {
		f.chunks = append(f.chunks, data[:n:n])
		data = data[n:]
	}
	if len(data) != 0 {
		t.Fatalf("%s: %d bytes are in no chunk", name, len(data))
	}
	return f
}

// eachFixture runs a subtest for every recording in testdata.
func eachFixture(t *testing.T, test func(t *testing.T, f fixture)) {
	paths, err := filepath.Glob("testdata/*.webm")
	if err != nil || len(paths) < 20 {
		t.Fatalf("%d recordings, error %v", len(paths), err)
	}
	for _, path := range paths {
		f := load(t, strings.TrimSuffix(filepath.Base(path), ".webm"))
		t.Run(f.name, func(t *testing.T) { test(t, f) })
	}
}

// An outcome is all that a splitter says of a stream.
type outcome struct {
	headers   []Header
	clusters  []Cluster
	report    Report
	pushErr   *Error
	finishErr *Error
}

// split pushes the chunks, even after an error, and finishes. With Rewinds it pushes
// again what is to be read again.
func split(opts Options, chunks ...[]byte) outcome {
	var o outcome
	var buffer []byte // the same for all chunks of several, to show a splitter that keeps them
	var stream []byte
	if len(chunks) == 1 {
		stream = chunks[0]
	} else {
		stream = slices.Concat(chunks...)
	}
	s := NewSplitter(opts)
	needed := int64(0)
	take := func() {
		for h, ok := s.TakeHeader(); ok; h, ok = s.TakeHeader() {
			if h.Start < needed {
				panic(fmt.Sprintf("header %v is told, and %d was needed", h.Range, needed))
			}
			o.headers = append(o.headers, h)
		}
		clusters := slices.Collect(s.TakeClusters())
		if len(clusters) > 0 && clusters[0].Start < needed {
			panic(fmt.Sprintf("cluster %v is told, and %d was needed", clusters[0].Range, needed))
		}
		o.clusters = append(o.clusters, clusters...)
	}
	rewind := func(at int) int {
		if back, ok := s.Rewind(); ok {
			if back < needed || !opts.Rewinds {
				panic(fmt.Sprintf("back to %d, and %d was needed", back, needed))
			}
			return int(back)
		}
		needed = s.Needed()
		return at
	}
	push := func(at, end, size int) {
		for at < end || size == 0 {
			chunk := stream[at:min(at+max(size, 1), end)]
			if len(chunk) < len(stream) {
				buffer = append(buffer[:0], chunk...)
				chunk = buffer
			}
			err := s.Push(chunk)
			switch {
			case err != nil && o.pushErr == nil:
				errors.As(err, &o.pushErr)
			case o.pushErr != nil && err != error(o.pushErr):
				panic(fmt.Sprintf("the error became %v after %v", err, o.pushErr))
			}
			take()
			at = rewind(at + len(chunk))
			if size == 0 {
				return
			}
		}
	}
	end := 0
	for _, chunk := range chunks {
		push(end, end+len(chunk), len(chunk))
		end += len(chunk)
	}
	for {
		report, err := s.Finish()
		take()
		if at := rewind(len(stream)); at < len(stream) {
			push(at, len(stream), len(stream)/7+1)
			continue
		}
		o.report = report
		errors.As(err, &o.finishErr)
		return o
	}
}

// err is the first error there was, or else why bytes were dropped.
func (o outcome) err() *Error {
	switch {
	case o.pushErr != nil:
		return o.pushErr
	case o.finishErr != nil:
		return o.finishErr
	case len(o.report.Dropped) > 0:
		return o.report.Dropped[0].Reason
	}
	return nil
}

// show is all that a caller can see of a Header, Cluster or Recording. Those with
// the same are equal, which their values need not be: a Duration can be NaN, and
// there is more in them than can be seen.
func show(v any) string {
	claimed := ""
	switch facts := v.(type) {
	case Header:
		claimed, facts.Duration = fmt.Sprint(" Duration ", facts.Duration), 0
		v = facts
	case Recording:
		claimed, facts.Header.Duration = fmt.Sprint(" Duration ", facts.Header.Duration), 0
		v = facts
	}
	text, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return string(text) + claimed
}

// String has all of the outcome, so that outcomes with the same are equal.
func (o outcome) String() string {
	var b strings.Builder
	for _, h := range o.headers {
		fmt.Fprintf(&b, "header %s\n", show(h))
	}
	for _, c := range o.clusters {
		fmt.Fprintf(&b, "cluster %s\n", show(c))
	}
	fmt.Fprintf(&b, "%d bytes\n", o.report.Bytes)
	for _, r := range o.report.Recordings {
		fmt.Fprintf(&b, "recording %s\n", show(r))
	}
	fmt.Fprintf(&b, "other %v\n", o.report.Other)
	for _, d := range o.report.Dropped {
		fmt.Fprintf(&b, "dropped %v: %s\n", d.Range, describe(d.Reason))
	}
	fmt.Fprintf(&b, "push: %s\nfinish: %s\n", describe(o.pushErr), describe(o.finishErr))
	return b.String()
}

func describe(e *Error) string {
	if e == nil {
		return "no error"
	}
	return fmt.Sprintf("%s at %d in %q: %v", e.Code, e.Offset, e.Path, e)
}

// check fails the test where an outcome does not account for each byte of its
// stream once, in order, or contradicts itself.
func (o outcome) check(t *testing.T, stream []byte) {
	t.Helper()
	type piece struct {
		Range
		what string
	}
	var all []piece
	add := func(what string, r Range) {
		if n := len(all); n > 0 && all[n-1].what == what && all[n-1].Start >= r.Start && all[n-1].Start < all[n-1].End {
			t.Errorf("%s %v comes after %v", what, r, all[n-1].Range)
		}
		all = append(all, piece{r, what})
	}
	clusters := make([]int, len(o.headers))
	for _, h := range o.headers {
		add("header", h.Range)
	}
	for _, c := range o.clusters {
		add("cluster", c.Range)
		clusters[c.Recording]++
	}
	for _, r := range o.report.Other {
		add("other", r)
	}
	for _, d := range o.report.Dropped {
		add("dropped", d.Range)
		if d.Reason == nil || d.Reason.Offset < 0 || d.Reason.Offset > int64(len(stream)) {
			t.Errorf("%v is dropped because %s", d.Range, describe(d.Reason))
		}
	}
	slices.SortStableFunc(all, func(a, b piece) int { return cmp.Or(int(a.Start-b.Start), int(a.End-b.End)) })
	at := int64(0)
	for _, p := range all {
		if p.Start != at || p.End < p.Start || p.End == p.Start && p.what != "dropped" {
			t.Errorf("%s %v comes where %d is next", p.what, p.Range, at)
		}
		at = p.End
	}
	if at != int64(len(stream)) || o.report.Bytes != at {
		t.Errorf("the ranges end at %d and the report has %d bytes; the stream has %d", at, o.report.Bytes, len(stream))
	}

	if len(o.report.Recordings) != len(o.headers) {
		t.Fatalf("%d recordings, %d headers", len(o.report.Recordings), len(o.headers))
	}
	for i, r := range o.report.Recordings {
		h := o.headers[i]
		if r.Header.Range != h.Range || r.Header.Recording != i || h.Recording != i || r.NumClusters != clusters[i] {
			t.Errorf("recording %d is %+v; its header was %+v, with %d clusters", i, r, h, clusters[i])
		}
	}
	for _, e := range []*Error{o.pushErr, o.finishErr} {
		if e != nil && (e.Offset < 0 || e.Offset > int64(len(stream)) || e.Code == "" || !strings.HasPrefix(e.Error(), "webm: ")) {
			t.Errorf("error %s in a stream of %d bytes", describe(e), len(stream))
		}
	}
	if o.pushErr != nil && o.pushErr != o.finishErr && o.pushErr.Code != CodeTruncated {
		t.Errorf("Push said %v and Finish %v", o.pushErr, o.finishErr)
	}
}

// splitAllWays splits a stream whole, byte by byte and at random places, fails
// the test where that makes a difference, and returns the outcome.
func splitAllWays(t *testing.T, opts Options, stream []byte) outcome {
	t.Helper()
	if !opts.Rewinds && !opts.Strict {
		opts.Rewinds = true
		splitAllWays(t, opts, stream)
		opts.Rewinds = false
	}
	o := split(opts, stream)
	o.check(t, stream)
	want := o.String()
	compare(t, "byte by byte", split(opts, bytewise(stream)...).String(), want)
	for seed := range uint64(4) {
		compare(t, fmt.Sprintf("cut with seed %d", seed), split(opts, cut(stream, seed)...).String(), want)
	}
	return o
}

// compare shows the first line in which got and want differ.
func compare(t *testing.T, how, got, want string) {
	t.Helper()
	if got == want {
		return
	}
	g, w := strings.Split(got, "\n"), strings.Split(want, "\n")
	for i := range min(len(g), len(w)) {
		if g[i] != w[i] {
			t.Errorf("%s, line %d is\n\t%s\nand should be\n\t%s", how, i+1, g[i], w[i])
			return
		}
	}
	t.Errorf("%s, there are %d lines and should be %d:\n%s", how, len(g), len(w), got)
}

func bytewise(stream []byte) [][]byte {
	return slices.AppendSeq(make([][]byte, 0, len(stream)), slices.Chunk(stream, 1))
}

// cut cuts a stream at random places. The chunks get larger with the seed; a
// third of them has no bytes.
func cut(stream []byte, seed uint64) [][]byte {
	random := rand.New(rand.NewPCG(seed, 0))
	largest := 7 << (4 * (seed % 4))
	chunks := make([][]byte, 0, 10+4*len(stream)/largest) // a third of them is half as large
	for len(stream) > 0 {
		n := 0
		if random.IntN(3) > 0 {
			n = 1 + random.IntN(min(largest, len(stream)))
		}
		chunks = append(chunks, stream[:n])
		stream = stream[n:]
	}
	return append(chunks, nil)
}

// Streams are built of these.
var (
	element, unknown, huge     = webmtest.Element, webmtest.Unknown, webmtest.Huge
	number, text               = webmtest.Number, webmtest.Text
	ebmlHeader, stream, tracks = webmtest.EBMLHeader, webmtest.Stream, webmtest.Tracks
	vp8, opus                  = webmtest.VP8, webmtest.Opus
	cluster, simpleBlock       = webmtest.Cluster, webmtest.SimpleBlock
	group, block, blockData    = webmtest.Group, webmtest.Block, webmtest.BlockData
)

func track(n uint64, typ TrackType, codec string, more ...[]byte) []byte {
	return webmtest.Track(n, uint64(typ), codec, more...)
}
