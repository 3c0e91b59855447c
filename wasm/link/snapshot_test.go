package main

// A reactor as the compiler writes it, linked and run.

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/imports/wasi_snapshot_preview1"
	"github.com/tetratelabs/wazero/sys"
)

const program = `package main

import "runtime"

func main() {}

var began = make(map[string]int)

func init() { began["init"] = 40 }

// collect leaves garbage behind, collects it, and says how often that was done.
//
//go:wasmexport collect
func collect() int32 {
	var stats runtime.MemStats
	for range 3 {
		kept := make([][]byte, 0, 1000)
		for i := range cap(kept) {
			kept = append(kept, make([]byte, 1000))
			kept[i][i%1000] = byte(i)
		}
		runtime.GC()
		for i := range kept {
			if kept[i][i%1000] != byte(i) {
				return -1
			}
		}
	}
	runtime.ReadMemStats(&stats)
	return int32(stats.NumGC)
}

//go:wasmexport recovered
func recovered() (status int32) {
	defer func() {
		if recover() != nil {
			status = int32(began["init"] + 2)
		}
	}()
	var none []int
	return int32(none[began["init"]])
}

// deep has the stack grow, and collects with pointers in all its frames.
//
//go:wasmexport deep
func deep() int32 { return int32(*descend(1000)) }

//go:noinline
func descend(n int) (sum *int) {
	own := new(int)
	*own = n
	defer func() { *sum += *own - n + 1 }()
	if n == 0 {
		runtime.GC()
		return new(int)
	}
	return descend(n - 1)
}

var questions, answers = make(chan int), make(chan int)

func init() { go wait() }

// wait is where a goroutine waits when the snapshot is made.
func wait() {
	for question := range questions {
		answers <- question + began["init"]
	}
}

//go:wasmexport asked
func asked() int32 {
	questions <- 2
	return int32(<-answers)
}

type secret struct{}

func (secret) tell() int { return 42 }

var hidden any = secret{}

// told is 42 if the runtime finds a method that no code calls but by an interface.
//
//go:wasmexport told
func told() int32 {
	if teller, ok := hidden.(interface{ tell() int }); ok {
		return int32(teller.tell())
	}
	return 0
}

// failed is the length of what a runtime error says.
//
//go:wasmexport failed
func failed() (n int32) {
	defer func() { n = int32(len(recover().(error).Error())) }()
	var none []int
	return int32(none[began["init"]])
}

// finalized is how many of a hundred objects that are garbage were.
//
//go:wasmexport finalized
func finalized() (n int32) {
	for range 100 {
		runtime.SetFinalizer(new([64]byte), func(*[64]byte) { n++ })
	}
	for range 3 {
		runtime.GC()
		runtime.Gosched()
	}
	return n
}

func catch(caught *bool) { *caught = recover() != nil }

// through may be inlined in what calls it, as a function may not that recovers.
func through(caught *bool) { catch(caught) }

// direct is 1, as what is deferred recovers.
//
//go:wasmexport direct
func direct() int32 { return panicked(func(caught *bool) { defer catch(caught); panic("direct") }) }

// indirect is 2, as what is deferred calls what would recover.
//
//go:wasmexport indirect
func indirect() int32 { return panicked(func(caught *bool) { defer through(caught); panic("indirect") }) }

// panicked is 1 if f recovers by itself, and 2 if it does not.
func panicked(f func(caught *bool)) (result int32) {
	defer func() {
		if recover() != nil {
			result = 2
		}
	}()
	caught := false
	f(&caught)
	if caught {
		return 1
	}
	return 0
}
`

var compiled = sync.OnceValues(func() ([]byte, error) {
	dir, err := os.MkdirTemp("", "link")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	for name, text := range map[string]string{"go.mod": "module reactor\n\ngo 1.26\n", "main.go": program} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o666); err != nil {
			return nil, err
		}
	}
	cmd := exec.Command("go", "build", "-buildmode=c-shared", "-trimpath", "-ldflags=-s -w", "-o", "reactor.wasm", ".")
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOOS=wasip1", "GOARCH=wasm")
	if out, err := cmd.CombinedOutput(); err != nil {
		return out, err
	}
	return os.ReadFile(filepath.Join(dir, "reactor.wasm"))
})

func reactor(t *testing.T) []byte {
	t.Helper()
	code, err := compiled()
	if err != nil {
		t.Fatalf("%v\n%s", err, code)
	}
	return code
}

func TestAReactorLinkedTwiceIsTheSameByteForByte(t *testing.T) {
	for _, lines := range []bool{false, true} {
		first, sizes, err := link(reactor(t), lines)
		if err != nil {
			t.Fatal(err)
		}
		t.Log(sizes)
		second, _, err := link(reactor(t), lines)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(first, second) {
			t.Errorf("with lines %v: two runs differ", lines)
		}
		// What was linked has no _initialize to be run once more.
		if _, _, err := link(first, true); err == nil || !strings.Contains(err.Error(), "there is no export _initialize") {
			t.Errorf("a linked module was linked again: %v", err)
		}
	}
}

func TestAReactorRunsOnWhateverTheClockWasAndIs(t *testing.T) {
	defer func() { clock = 1 }()
	for _, test := range []struct {
		name     string
		snapshot uint64
		host     int64
	}{
		{"a snapshot of the least time", 1, 1e9},
		{"a host whose clock is behind the snapshot's", 1e18, 1},
		{"a host whose clock is where the snapshot's was", 1e9, 1e9 - 1},
		{"a host whose clock is far ahead", 1e9, 1e18},
	} {
		t.Run(test.name, func(t *testing.T) {
			clock = test.snapshot
			linked, _, err := link(reactor(t), false)
			if err != nil {
				t.Fatal(err)
			}
			now := test.host
			instance := run(t, linked, func() int64 {
				now += 1000
				return now
			})
			for i := range 2 {
				call(t, instance, "recovered", 42, 42)
				call(t, instance, "collect", 3*(i+1), 1000)
				call(t, instance, "deep", 1001, 1001)
			}
		})
	}
}

// Which deferred function recovers the runtime finds by what is inlined where.
func TestARecoverThatIsOneCallTooDeepDoesNotRecover(t *testing.T) {
	for name, lines := range map[string]bool{"with lines": true, "without": false} {
		t.Run(name, func(t *testing.T) {
			linked, _, err := link(reactor(t), lines)
			if err != nil {
				t.Fatal(err)
			}
			instance := run(t, linked, func() int64 { return 1e9 })
			call(t, instance, "direct", 1, 1)
			call(t, instance, "indirect", 2, 2)
		})
	}
}

func TestWhatWaitsOrIsFoundByNameRunsOn(t *testing.T) {
	for name, lines := range map[string]bool{"with all functions": true, "without those that cannot run": false} {
		t.Run(name, func(t *testing.T) {
			linked, _, err := link(reactor(t), lines)
			if err != nil {
				t.Fatal(err)
			}
			now := int64(1e9)
			instance := run(t, linked, func() int64 { now += 1000; return now })
			for range 3 {
				call(t, instance, "asked", 42, 42)
				call(t, instance, "told", 42, 42)
				call(t, instance, "failed", len("runtime error: index out of range [40] with length 0"), 100)
				call(t, instance, "finalized", 90, 100)
			}
		})
	}
}

func TestAClockAtZeroIsRefused(t *testing.T) {
	defer func() { clock = 1 }()
	clock = 0
	if _, _, err := link(reactor(t), false); err == nil || !strings.Contains(err.Error(), "_initialize calls fd_write") {
		t.Errorf("got %v; want a refusal, as the runtime writes what is wrong", err)
	}
}

func run(t *testing.T, code []byte, clock sys.Nanotime) api.Module {
	t.Helper()
	ctx := context.Background()
	runtime := wazero.NewRuntimeWithConfig(ctx, wazero.NewRuntimeConfigInterpreter())
	t.Cleanup(func() { runtime.Close(ctx) })
	wasi_snapshot_preview1.MustInstantiate(ctx, runtime)
	instance, err := runtime.InstantiateWithConfig(ctx, code, wazero.NewModuleConfig().
		WithStartFunctions().WithNanotime(clock, 1).WithStderr(os.Stderr))
	if err != nil {
		t.Fatal(err)
	}
	return instance
}

func call(t *testing.T, instance api.Module, name string, least, most int) {
	t.Helper()
	results, err := instance.ExportedFunction(name).Call(t.Context())
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	if got := int(int32(results[0])); got < least || got > most {
		t.Errorf("%s returned %d; want %d to %d", name, got, least, most)
	}
}
