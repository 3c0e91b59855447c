package webm

// How tests make plans, and what holds for plans of every kind.

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
)

// indexes are those of the recordings of a stream, which may be damaged.
func indexes(stream []byte) ([]*Index, Report) {
	s := NewSplitter(Options{})
	s.Push(stream)
	report, _ := s.Finish()
	var all []*Index
	for i := range report.Recordings {
		all = append(all, s.Index(i))
	}
	return all, report
}

// indexOf is the index of the one recording of a stream.
func indexOf(t testing.TB, stream []byte) *Index {
	t.Helper()
	all, report := indexes(stream)
	if len(all) != 1 {
		t.Fatalf("%d recordings, dropped %v", len(all), report.Dropped)
	}
	return all[0]
}

// made is what a plan makes.
func made(t testing.TB, plan *Plan, sources ...[]byte) []byte {
	t.Helper()
	var readers []io.ReaderAt
	for _, s := range sources {
		readers = append(readers, bytes.NewReader(s))
	}
	var out bytes.Buffer
	out.Grow(int(plan.Size))
	n, err := plan.CopyTo(&out, readers...)
	if err != nil {
		t.Fatal(err)
	}
	if n != plan.Size || n != int64(out.Len()) {
		t.Fatalf("CopyTo says %d bytes and wrote %d; the plan's Size is %d", n, out.Len(), plan.Size)
	}
	for p := range plan.Pieces() {
		if p.Len() <= 0 || p.Data != nil && p.Edit != nil {
			t.Errorf("a piece is %+v", p)
		}
	}
	return out.Bytes()
}

// piecesOf are the pieces of a plan.
func piecesOf(plan *Plan) []Piece { return slices.Collect(plan.Pieces()) }

// planOf is a plan of pieces.
func planOf(pieces ...Piece) *Plan {
	plan := &Plan{}
	plan.Add(pieces...)
	return plan
}

// eachPart runs a subtest for each recording in testdata, those of a restarted
// recorder one by one.
func eachPart(t *testing.T, test func(t *testing.T, stream []byte)) {
	eachFixture(t, func(t *testing.T, f fixture) {
		t.Parallel()
		headers, _ := refSplit(f.data)
		for i, h := range headers {
			end := int64(len(f.data))
			if i+1 < len(headers) {
				end = headers[i+1].Start
			}
			test(t, f.data[h.Start:end])
		}
	})
}

func TestARecordingWithoutClustersMakesNoFile(t *testing.T) {
	for _, stream := range [][]byte{stream(tracks(vp8)), stream(tracks(opus), element(IDTags)), stream(tracks(vp8), cluster(0, simpleBlock(1, 0, 0x80, "frame"))[:14])} {
		ix := indexOf(t, stream)
		_, seekErr := ix.Seekable()
		_, clipErr := ix.Clip(0, 1)
		_, pointErr := ix.JoinPoint()
		_, joinErr := Join(ix)
		for name, err := range map[string]error{"Seekable": seekErr, "Clip": clipErr, "JoinPoint": pointErr, "Join": joinErr} {
			wantCode(t, name, err, CodeNoClusters)
		}
		if o := split(Options{}, made(t, ix.InitializationSegment(), stream)); o.err() != nil || len(o.headers) != 1 {
			t.Errorf("the initialization segment is %v", o)
		}
	}
	_, err := Join()
	wantCode(t, "Join of nothing", err, CodeNoClusters)
}

func wantCode(t *testing.T, what string, err error, code Code) *Error {
	t.Helper()
	var e *Error
	if !errors.As(err, &e) {
		t.Fatalf("%s: error %v; want %s", what, err, code)
	}
	if e.Code != code || !strings.HasPrefix(e.Error(), "webm: ") {
		t.Errorf("%s: %s, %v; want %s", what, e.Code, e, code)
	}
	return e
}

// A planner is one way to make a plan of an index.
type planner struct {
	name string
	plan func(ix *Index, source []byte) (*Plan, error)
}

// planners are some of each sort of plan.
func planners(ix *Index) []planner {
	cut := func(c *Cutter, err error, source []byte) (*Plan, error) {
		if err != nil {
			return nil, err
		}
		return c.PlanFrom(bytes.NewReader(source))
	}
	all := []planner{
		{"seekable", func(ix *Index, source []byte) (*Plan, error) { return ix.Seekable() }},
		{"initialization segment", func(ix *Index, source []byte) (*Plan, error) { return ix.InitializationSegment(), nil }},
		{"head and clusters", func(ix *Index, source []byte) (*Plan, error) { return withHead(ix, 3000) }},
		{"join point", func(ix *Index, source []byte) (*Plan, error) {
			c, err := ix.JoinPoint()
			return cut(c, err, source)
		}},
	}
	for _, r := range [][2]float64{{-1, 1}, {0, 2}, {0.31, 0.9}, {0.5, 0.77}, {0, 0.01}, {0.99, 2}} {
		all = append(all, planner{fmt.Sprint("clip ", r), func(ix *Index, source []byte) (*Plan, error) {
			c, err := ix.Clip(int64(r[0]*float64(ix.Duration())), int64(r[1]*float64(ix.Duration())))
			return cut(c, err, source)
		}})
	}
	n := ix.NumClusters()
	for _, r := range [][2]int{{0, n}, {n / 2, n}, {n / 3, n/3 + 1}} {
		for _, fromZero := range []bool{false, true} {
			if r[0] < r[1] && r[1] <= n {
				all = append(all, planner{fmt.Sprint("standalone ", r, " from zero ", fromZero), func(ix *Index, source []byte) (*Plan, error) {
					plan, _ := ix.Standalone(r[0], r[1], fromZero)
					return plan, nil
				}})
			}
		}
	}
	return all
}
