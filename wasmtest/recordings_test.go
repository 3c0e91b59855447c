// Package wasmtest tests what only exists once it is built: the WebAssembly
// module under wazero, in Node and in Chromium, and the command line. It judges
// them by package webm, and package webm by programs that others wrote.
package wasmtest

// The recordings that all tests look at, and the ways to cut them.

import (
	"encoding/json"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const dist = "../js/dist"

// built is the path of a file that make build makes.
func built(t testing.TB, name string) string {
	t.Helper()
	path, err := filepath.Abs(filepath.Join(dist, name))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(path); err != nil {
		t.Fatalf("%s is missing: run make build js/dist/webmend.go.wasm", path)
	}
	return path
}

// A recording is a file of webm/testdata, as a browser delivered it.
type recording struct {
	name   string
	path   string
	data   []byte
	chunks []int // the sizes of the blobs of dataavailable, zero bytes included
}

func recordings(t testing.TB) []recording {
	t.Helper()
	paths, err := filepath.Glob("../webm/testdata/*.webm")
	if err != nil || len(paths) < 20 {
		t.Fatalf("%d recordings in webm/testdata, error %v", len(paths), err)
	}
	var all []recording
	for _, path := range paths {
		all = append(all, load(t, strings.TrimSuffix(filepath.Base(path), ".webm")))
	}
	return all
}

func load(t testing.TB, name string) recording {
	t.Helper()
	path, err := filepath.Abs(filepath.Join("../webm/testdata", name))
	if err != nil {
		t.Fatal(err)
	}
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
	total := 0
	for _, n := range about.Chunks {
		total += n
	}
	if total != len(data) {
		t.Fatalf("%s: its chunks have %d bytes of %d", name, total, len(data))
	}
	return recording{name, path + ".webm", data, about.Chunks}
}

// A chunking is a way to cut a stream.
type chunking struct {
	name  string
	sizes []int
}

// small is what can be pushed a byte at a time within a test's patience.
const small = 4 << 10

func (r recording) chunkings() []chunking {
	n := len(r.data)
	all := []chunking{
		{"whole", []int{n}},
		{"as recorded", r.chunks},
		{"cut at random to the tens of bytes", randomCuts(n, 20, 1)},
		{"cut at random to the thousands of bytes", randomCuts(n, 5000, 2)},
	}
	if n > 64<<10 {
		all[2].sizes = randomCuts(n, 500, 1)
		all[2].name = "cut at random to the hundreds of bytes"
	}
	if n <= small {
		all = append(all, chunking{"one byte at a time", slices.Repeat([]int{1}, n)})
	}
	return all
}

// randomCuts cuts n bytes to pieces of up to twice the mean, some of them empty.
func randomCuts(n, mean int, seed uint64) []int {
	random := rand.New(rand.NewPCG(seed, uint64(n)))
	sizes := []int{}
	for n > 0 {
		size := min(random.IntN(2*mean), n)
		sizes = append(sizes, size)
		n -= size
	}
	return sizes
}
