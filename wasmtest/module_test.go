package wasmtest

// What the module is to its host: imports, exports, size and memory.

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/andybalholm/brotli"
	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
)

// An import too many is a package that came in by accident, and a LinkError in
// every host that does not have it.
func TestTheReactorImportsOnlyWhatTheRuntimeNeeds(t *testing.T) {
	for name := range compilations {
		t.Run(name, func(t *testing.T) { checkImports(t, compiled(t, name).module) })
	}
}

func checkImports(t *testing.T, module wazero.CompiledModule) {
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
	t.Run(linked, func(t *testing.T) { checkExports(t, compiled(t, linked).module, nil) })
	t.Run(lines, func(t *testing.T) { checkExports(t, compiled(t, lines).module, nil) })
	t.Run(plain, func(t *testing.T) { checkExports(t, compiled(t, plain).module, []string{"_initialize()"}) })
}

func checkExports(t *testing.T, module wazero.CompiledModule, more []string) {
	var got []string
	for name, f := range module.ExportedFunctions() {
		signature := name + "(" + types(f.ParamTypes()) + ")" + types(f.ResultTypes())
		got = append(got, signature)
	}
	slices.Sort(got)
	want := append(more,
		"close(i32)i32",
		"continueChunk(i32 i32)i32",
		"edit(i32 i32)i32",
		"finish(i32)i32",
		"join(i32 i32)i32",
		"lastError(i32)i32",
		"lost(i32)i32",
		"needed(i32)f64",
		"open(i32 i32 f64 i32 i32 f64)i32",
		"plan(i32 i32 i32 i32 f64 f64)i32",
		"pushChunk(i32 i32)i32",
		"report(i32)i32",
		"reserve(i32)i32",
		"result()i32",
		"rewind(i32)f64",
		"skip(i32 f64)i32",
		"takeClusters(i32)i32",
		"takeElements(i32)i32",
		"takeForms(i32)i32",
		"takeFragments(i32)i32",
		"takeHeader(i32)i32",
		"takeLiterals(i32)i32",
		"takePatches(i32)i32",
		"takePlan(i32)i32",
		"version()i32",
	)
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

// What ships, with all that webmend does, is compared with the least that Go makes: a
// reactor of one empty function, straight from the compiler. The other rows say what
// the link step does to each. Brotli and an instance take long, and are only for who reads
// the figures: make size.
func TestSizeIsAtMostThatOfAnEmptyReactor(t *testing.T) {
	t.Parallel()
	empty := reactor(t, "//go:wasmexport nothing\nfunc nothing() {}")
	linkedEmpty := filepath.Join(t.TempDir(), "linked.wasm")
	run(t, "go", "run", "../wasm/link", "-o", linkedEmpty, empty)
	rows := []struct {
		name, path string
		size       [4]int // raw, gzip, brotli, memory of an instance
	}{
		{name: "empty", path: empty},
		{name: "empty, linked", path: linkedEmpty},
		{name: "webmend as compiled", path: built(t, plain)},
		{name: "webmend, with lines", path: built(t, lines)},
		{name: "webmend, linked", path: built(t, linked)},
	}
	var group sync.WaitGroup
	for i := range rows {
		group.Go(func() {
			r := &rows[i]
			code, err := os.ReadFile(r.path)
			if err != nil {
				t.Error(err)
				return
			}
			gz, _ := gzip.NewWriterLevel(nil, gzip.BestCompression)
			r.size = [4]int{len(code), packed(gz, code)}
			if testing.Verbose() {
				r.size[2] = packed(brotli.NewWriterLevel(nil, brotli.BestCompression), code)
			}
		})
	}
	group.Wait()
	for i := range rows {
		if testing.Verbose() {
			rows[i].size[3] = begun(t, rows[i].path)
		}
	}

	t.Logf("%-20s %19s %19s %19s %19s", "", "bytes", "gzip -9", "brotli 11", "memory")
	for _, r := range rows {
		line := fmt.Sprintf("%-20s", r.name)
		for i, size := range r.size {
			line += fmt.Sprintf(" %10d (%5.3f)", size, float64(size)/float64(rows[0].size[i]))
		}
		t.Log(line)
	}
	if got, most := rows[len(rows)-1].size[1], rows[0].size[1]; got > most {
		t.Errorf("by gzip, what ships is %d bytes, and an empty reactor %d", got, most)
	}
}

// begun is how much memory an instance has that has started.
func begun(t *testing.T, path string) int {
	t.Helper()
	runtime, module := compile(t, path, wazero.NewRuntimeConfigInterpreter())
	defer runtime.Close(t.Context())
	instance, err := runtime.InstantiateModule(t.Context(), module, wazero.NewModuleConfig().WithStartFunctions("_initialize"))
	if err != nil {
		t.Fatal(err)
	}
	return int(instance.Memory().Size())
}

// packed is how long data is after w, which has yet to be told where to write.
func packed(w interface {
	io.WriteCloser
	Reset(io.Writer)
}, data []byte) int {
	var b bytes.Buffer
	w.Reset(&b)
	w.Write(data) // to memory, which takes everything
	w.Close()
	return b.Len()
}

// reactor is the path of a module of some functions and no more, built by the command
// in the Makefile.
func reactor(t testing.TB, functions string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{
		"go.mod":  "module empty\n\ngo 1.26\n",
		"main.go": "package main\n\n" + functions + "\n\nfunc main() {}\n",
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
	return filepath.Join(dir, "empty.wasm")
}

const maxMemory = 4 << 20

// What grows is the index, by some 12 bytes a cluster, and as Go takes memory in
// steps of half a MiB: a gigabyte of low bit rate, cut every quarter of a second,
// has 32,000 clusters.
func TestMemoryStaysFlatForAGigabyteRecordingButForItsIndex(t *testing.T) {
	for _, c := range []struct {
		name, recording string
		most            uint32
	}{
		{"clusters from key frame to key frame", "chromium-noalpha-06-vp8only-ts100", maxMemory},
		{"clusters of a quarter of a second", "chromium-noalpha-03-vp8opus-ts250", maxMemory + 1<<20},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			pushGigabyte(t, c.recording, c.most)
		})
	}
}

func pushGigabyte(t *testing.T, recording string, most uint32) {
	in := newInstance(t)
	start := in.module.Memory().Size()
	r := load(t, recording)
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
	if size > most {
		t.Errorf("%d bytes of memory; want at most %d", size, most)
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
