package wasmtest

// How much memory an instance takes for streams that are made to cost much.

import (
	"flag"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// mostMemory is how many bytes of memory an instance may have after a stream of so many:
// Go's heap grows to twice what it holds, in steps.
func mostMemory(stream int) int { return 16<<20 + 4*stream }

// everySize is for some twenty minutes: go test ./wasmtest -run Memory -timeout 1h -args -every-size
var everySize = flag.Bool("every-size", false, "try streams of 1, 2, 4 and 8 MB in TestMemoryIsInProportionToAnyStream, taken and not")

func TestMemoryIsInProportionToAnyStream(t *testing.T) {
	shapes := buildShapes(t)
	names, err := exec.Command(shapes).Output()
	if err != nil {
		t.Fatal(err)
	}
	sizes, ways := []int{1 << 20}, 1
	if *everySize {
		sizes, ways = []int{1 << 20, 2 << 20, 4 << 20, 8 << 20}, 2
	}
	for _, name := range strings.Split(strings.TrimSpace(string(names)), "\n") {
		t.Run(name, func(t *testing.T) {
			for _, size := range sizes {
				for _, taking := range []bool{false, true}[:ways] {
					scanShape(t, shapes, name, size, taking)
				}
			}
		})
	}
}

// What Go's collector has begun in one call it must be able to end in others, though none of
// them waits for anything.
func TestMemoryIsCollectedWhileAStreamIsPushedOfWhichNothingIsTaken(t *testing.T) {
	scanShape(t, buildShapes(t), "empty Clusters of 128 tracks", 8<<20, false)
}

// buildShapes builds the program that writes streams that are made to cost much.
func buildShapes(t *testing.T) (shapes string) {
	t.Helper()
	shapes = filepath.Join(t.TempDir(), "shapes")
	if out, err := command(".", "go", "build", "-o", shapes, "../webm/internal/shapes"); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return shapes
}

// scanShape has an instance scan a stream, and says if that takes too much memory.
func scanShape(t *testing.T, shapes, name string, size int, taking bool) {
	t.Helper()
	stream, err := exec.Command(shapes, name, strconv.Itoa(size)).Output()
	if err != nil {
		t.Fatal(err)
	}
	in := newInstance(t)
	in.scan(stream, taking)
	got := int(in.module.Memory().Size())
	in.module.Close(t.Context())
	if got > mostMemory(len(stream)) {
		t.Errorf("%.1f MB of memory for %.1f MB, taking what there is: %v", megabytesOf(got), megabytesOf(len(stream)), taking)
	}
}

func megabytesOf(n int) float64 { return float64(n) / (1 << 20) }

// scan pushes a stream as hosts do, which have all of it and are asked for parts of it again.
// Taking says whether all that can be taken is, after each push.
func (in *instance) scan(stream []byte, taking bool) {
	in.t.Helper()
	const firstLength = 1 << 10
	handle := in.call("open", 0, 2)
	at, pace := 0, pieceLength
	goOn := func() bool {
		back := in.call("rewind", handle)
		if back < 0 {
			return false
		}
		at, pace = back, firstLength
		return true
	}
	take := func() {
		if taking {
			in.take(handle)
		}
	}
	for again := true; again; again = goOn() {
		for at < len(stream) {
			piece := stream[at:min(at+pace, len(stream))]
			at, pace = at+len(piece), min(2*pace, pieceLength)
			status := in.pushPiece(handle, piece)
			goOn()
			if status != 0 {
				take()
			}
		}
		in.call("finish", handle)
	}
	take()
}

// take takes all that can be taken, and the report.
func (in *instance) take(handle int) {
	in.t.Helper()
	for in.call("takeHeader", handle) > len("null") {
	}
	for in.call("takeForms", handle) > 0 {
	}
	for in.call("takeClusters", handle) > 0 {
	}
	in.call("report", handle)
}
