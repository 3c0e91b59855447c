package wasmtest

// What the module is to its host: imports, exports, size and memory.

import (
	"bytes"
	"compress/gzip"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/tetratelabs/wazero/api"
)

// An import too many is a package that came in by accident, and a LinkError in
// every host that does not have it.
func TestTheReactorImportsOnlyWhatTheRuntimeNeeds(t *testing.T) {
	built(t, "webmend.wasm")
	_, module := compiled()
	var got []string
	for _, f := range module.ImportedFunctions() {
		from, name, _ := f.Import()
		got = append(got, from+"."+name)
	}
	slices.Sort(got)
	want := []string{
		"wasi_snapshot_preview1.args_get",
		"wasi_snapshot_preview1.args_sizes_get",
		"wasi_snapshot_preview1.clock_time_get",
		"wasi_snapshot_preview1.environ_get",
		"wasi_snapshot_preview1.environ_sizes_get",
		"wasi_snapshot_preview1.fd_write",
		"wasi_snapshot_preview1.poll_oneoff",
		"wasi_snapshot_preview1.proc_exit",
		"wasi_snapshot_preview1.random_get",
		"wasi_snapshot_preview1.sched_yield",
	}
	if !slices.Equal(got, want) {
		t.Errorf("imports\n\t%s\nwant\n\t%s", strings.Join(got, "\n\t"), strings.Join(want, "\n\t"))
	}
	if memories := module.ImportedMemories(); len(memories) > 0 {
		t.Errorf("%d memories are imported", len(memories))
	}
}

func TestTheReactorExportsWhatItsPackageCommentSays(t *testing.T) {
	built(t, "webmend.wasm")
	_, module := compiled()
	var got []string
	for name, f := range module.ExportedFunctions() {
		signature := name + "(" + types(f.ParamTypes()) + ")" + types(f.ResultTypes())
		got = append(got, signature)
	}
	slices.Sort(got)
	want := []string{
		"_initialize()",
		"close(i32)i32",
		"edit(i32 i32)i32",
		"finish(i32)i32",
		"join(i32)i32",
		"lastError(i32)i32",
		"open(i32)i32",
		"plan(i32 i32 i32 i32 f64 f64)i32",
		"pushChunk(i32 i32)i32",
		"report(i32)i32",
		"reserve(i32)i32",
		"result()i32",
		"takeClusters(i32)i32",
		"takeElements(i32)i32",
		"takeForms(i32)i32",
		"takeFragments(i32)i32",
		"takeHeader(i32)i32",
		"takeLiterals(i32)i32",
		"takePatches(i32)i32",
		"takePlan(i32)i32",
	}
	if !slices.Equal(got, want) {
		t.Errorf("exports\n\t%s\nwant\n\t%s", strings.Join(got, "\n\t"), strings.Join(want, "\n\t"))
	}
	if memories := module.ExportedMemories(); len(memories) != 1 || memories["memory"] == nil {
		t.Errorf("exported memories %v; want one, named memory", memories)
	}
}

func types(list []api.ValueType) string {
	var names []string
	for _, v := range list {
		names = append(names, api.ValueTypeName(v))
	}
	return strings.Join(names, " ")
}

// What webmend itself adds to the runtime that every Go module carries.
func TestSizeIsAtMost64KiBAboveAnEmptyReactor(t *testing.T) {
	code, err := os.ReadFile(built(t, "webmend.wasm"))
	if err != nil {
		t.Fatal(err)
	}
	empty := emptyReactor(t)
	zipped, zippedEmpty := gzipped(t, code), gzipped(t, empty)
	t.Logf("            %10s %10s", "bytes", "gzip -9")
	t.Logf("webmend     %10d %10d", len(code), zipped)
	t.Logf("empty       %10d %10d", len(empty), zippedEmpty)
	t.Logf("difference  %10d %10d", len(code)-len(empty), zipped-zippedEmpty)
	if more := zipped - zippedEmpty; more > 64<<10 {
		t.Errorf("the module is %d bytes larger than an empty one; want at most %d", more, 64<<10)
	}
}

// emptyReactor is built by the command in the Makefile.
func emptyReactor(t *testing.T) []byte {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{
		"go.mod":  "module empty\n\ngo 1.26\n",
		"main.go": "package main\n\nfunc main() {}\n\n//go:wasmexport nothing\nfunc nothing() {}\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.CommandContext(t.Context(), "go", "build", "-buildmode=c-shared", "-trimpath", "-ldflags=-s -w", "-o", "empty.wasm", ".")
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOOS=wasip1", "GOARCH=wasm")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	code, err := os.ReadFile(filepath.Join(dir, "empty.wasm"))
	if err != nil {
		t.Fatal(err)
	}
	return code
}

func gzipped(t *testing.T, data []byte) int {
	t.Helper()
	var b bytes.Buffer
	w, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(data); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Len()
}

const maxMemory = 4 << 20

func TestMemoryStaysWithin4MiBForAGigabyteRecording(t *testing.T) {
	in := newInstance(t)
	start := in.module.Memory().Size()
	r := load(t, "chromium-noalpha-03-vp8opus-ts250")
	in.push(in.call("open", 0), r.data) // to learn where the header ends
	end := int(in.ask("takeHeader", 0).(object)["end"].(float64))
	in.call("close", 0)
	if status := in.call("open", 0); status != 0 {
		t.Fatalf("open returned %d", status)
	}

	clusters := 0
	stream := r.data // the header once, the clusters again and again
	for pushed := 0; pushed < 1<<30; {
		// A chunk goes straight from the recording to the module.
		address := uint32(in.call("reserve", pieceLength))
		for n := 0; n < pieceLength; {
			part := stream[:min(len(stream), pieceLength-n)]
			in.module.Memory().Write(address+uint32(n), part)
			n += len(part)
			if stream = stream[len(part):]; len(stream) == 0 {
				stream = r.data[end:]
			}
		}
		switch status := in.call("pushChunk", 0, pieceLength); {
		case status < 0:
			t.Fatalf("after %d bytes: %v", pushed, in.ask("lastError", 0))
		case status > 0:
			clusters += len(in.ask("takeClusters", 0).(array))
		}
		pushed += pieceLength
	}
	size := in.module.Memory().Size()
	t.Logf("%d bytes of memory at the start, %d after 1 GiB and %d clusters", start, size, clusters)
	if clusters < 1000 {
		t.Errorf("%d clusters came; want thousands", clusters)
	}
	if size > maxMemory {
		t.Errorf("%d bytes of memory; want at most %d", size, maxMemory)
	}
}

// A page that stays open makes many recordings.
func TestMemoryStaysBoundedForAThousandStreamsOneAfterAnother(t *testing.T) {
	r := load(t, "chromium-24-same-recorder-restart")
	for kind, test := range []struct {
		name, take string
		most       uint32
	}{
		{"that are split", "takeClusters", maxMemory},
		{"whose elements are listed", "takeElements", 2 * maxMemory}, // as text, many times what clusters are
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			in := newInstance(t)
			var sizes [2]uint32
			for i := range 1000 {
				data := r.data
				if i%7 == 0 {
					data = data[:len(data)/2] // and closed in the middle
				}
				handle := in.call("open", kind)
				for len(data) > 0 {
					piece := data[:min(len(data), pieceLength)]
					data = data[len(piece):]
					if in.push(handle, piece) < 0 {
						t.Fatal(in.ask("lastError", handle))
					}
					in.call(test.take, handle)
				}
				if i%7 > 0 {
					in.call("finish", handle)
				}
				in.call("close", handle)
				sizes[i/500] = in.module.Memory().Size()
			}
			t.Logf("%d bytes of memory after 500 streams, %d after 1,000", sizes[0], sizes[1])
			if sizes[1] > test.most {
				t.Errorf("%d bytes of memory; want at most %d", sizes[1], test.most)
			}
			if sizes[1] > sizes[0] {
				t.Errorf("memory grew from %d bytes after 500 streams to %d after 1,000", sizes[0], sizes[1])
			}
		})
	}
}
