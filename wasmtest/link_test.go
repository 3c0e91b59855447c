package wasmtest

// That the linked module, which begins as a copy of one that had started at build
// time, does all that one does which starts where it runs.

import (
	"bytes"
	"context"
	crypto "crypto/rand"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/sys"
)

// The snapshot was made at one nanosecond. Between two collections the clock may
// do what it likes.
func TestTheCollectorRunsByAnyClock(t *testing.T) {
	r := load(t, "chromium-24-same-recorder-restart")
	for _, test := range []struct {
		name  string
		clock func(calls int64) int64 // nanoseconds
	}{
		{"of a host that has just begun", func(calls int64) int64 { return 1 + calls }},
		{"that stands still where the snapshot was made", func(int64) int64 { return 1 }},
		{"that stands still", func(int64) int64 { return 1e9 }},
		{"of a host that has run for years", func(calls int64) int64 { return 1e17 + 1e6*calls }},
		{"that runs backward", func(calls int64) int64 { return 1e12 - 1000*calls }},
		{"that goes to and fro", func(calls int64) int64 { return 1e12 + calls%7*1e9 }},
		{"in steps of five minutes", func(calls int64) int64 { return 300e9 * calls }},
	} {
		for name := range compilations {
			t.Run(test.name+" "+name, func(t *testing.T) {
				calls := int64(0)
				now := func() int64 {
					calls++
					return test.clock(calls)
				}
				in := newInstanceWith(t, name, wazero.NewModuleConfig().
					WithNanotime(now, sys.ClockResolution(1)).
					WithWalltime(func() (int64, int32) { return now() / 1e9, int32(now() % 1e9) }, sys.ClockResolution(1)))
				j := job{r.path, r.chunks, r.data}
				want := expectedTranscript(j)
				before := calls
				for range 20 { // the collector runs each 256 KiB that is allocated
					compare(t, in.transcript(j), want)
				}
				if calls-before < 20 {
					t.Errorf("the clock was asked %d times: the collector cannot have run", calls-before)
				}
				if size := in.module.Memory().Size(); size > maxMemory {
					t.Errorf("%d bytes of memory", size)
				}
			})
		}
	}
}

func TestPanicsAreStatusesAndTheModuleAnswersOn(t *testing.T) {
	const panicked = -3
	r := load(t, "firefox-23-stop-immediately")
	for name := range compilations {
		t.Run(name, func(t *testing.T) {
			in := newInstanceOf(t, name)
			for range 3 {
				handle := in.call("open", 0)
				in.call("reserve", 100)
				for range 100 {
					if status := in.call("pushChunk", handle, 2<<20); status != panicked {
						t.Fatalf("pushChunk of more than was reserved returned %d; want %d", status, panicked)
					}
				}
				in.call("close", handle)
				j := job{r.path, r.chunks, r.data}
				compare(t, in.transcript(j), expectedTranscript(j))
			}
		})
	}
}

// A fatal error of the runtime traps, and says to standard error where it was: with
// files, lines and what was inlined, but for what ships.
func TestATrapNamesTheFunctionsThatItWasIn(t *testing.T) {
	traces := map[string]string{}
	for name := range compilations {
		ctx := context.Background()
		runtime, code := compile(t, built(t, name), wazero.NewRuntimeConfigInterpreter().WithMemoryLimitPages(128))
		defer runtime.Close(ctx)
		var text bytes.Buffer
		module, err := runtime.InstantiateModule(ctx, code, wazero.NewModuleConfig().WithStartFunctions("_initialize").WithStderr(&text))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := module.ExportedFunction("join").Call(ctx, 1<<28, 0); err == nil { // a GiB for handles, of 8 MiB
			t.Fatal("join of too many handles did not trap")
		}
		traces[name] = text.String()
	}
	want := []string{"runtime.throw", "runtime.(*mcache).allocLarge", "runtime.mallocgcLarge", "runtime.mallocgc", "runtime.makeslice", "main.exportJoin"}
	for name, trace := range traces {
		if got := functions(trace); !strings.Contains(trace, "out of memory") || len(got) < len(want) || !slices.Equal(got[:len(want)], want) {
			t.Errorf("%s: the trace has the functions %q; want %q\n%s", name, got, want, trace)
		}
	}
	// The same frames, of all goroutines: no table was lost that the stack is walked by.
	for _, name := range []string{linked, lines} {
		if got, want := functions(traces[name]), functions(traces[plain]); !slices.Equal(got, want) {
			t.Errorf("%s: the trace has\n%q; as compiled\n%q", name, got, want)
		}
	}
	if strings.Contains(traces[linked], ".go:") {
		t.Errorf("linked, the trace has files and lines:\n%s", traces[linked])
	}
	for _, name := range []string{lines, plain} {
		if !strings.Contains(traces[name], "wasm/reactor.go:") || !strings.Contains(traces[name], "runtime.goparkunlock(...)") {
			t.Errorf("%s: the trace has not all files, lines and functions that were inlined:\n%s", name, traces[name])
		}
	}
}

// functions are those of a trace's frames, without what is inlined in them.
func functions(trace string) (names []string) {
	for line := range strings.Lines(trace) {
		if end := strings.LastIndexByte(line, '('); end > 0 && !strings.HasPrefix(line, "runtime: ") && !strings.HasPrefix(line, "\t") && line[end:] != "(...)\n" {
			names = append(names, line[:end])
		}
	}
	return names
}

func TestInstancesOfOneCompiledModuleShareNothing(t *testing.T) {
	first, second := newInstance(t), newInstance(t)
	r := load(t, "chromium-24-same-recorder-restart")
	j := job{r.path, r.chunks, r.data}
	want := expectedTranscript(j)

	// The first is left in the middle of three streams, and has panicked.
	for range 3 {
		first.push(first.call("open", 0), r.data[:len(r.data)/2])
	}
	first.call("pushChunk", 0, 2<<20)
	if handle := second.call("open", 0); handle != 0 {
		t.Errorf("the first handle of the second instance is %d", handle)
	}
	compare(t, second.transcript(j), want)
	first.module.Close(context.Background())
	compare(t, second.transcript(j), want)
	compare(t, newInstance(t).transcript(j), want)
}

// A snapshot has the seeds of one build in it, so nothing that leaves the module
// may depend on them.
func TestAnswersDoNotDependOnRandomBytes(t *testing.T) {
	var seeded []*instance
	for range 3 {
		seeded = append(seeded, newInstanceWith(t, plain, wazero.NewModuleConfig().WithRandSource(crypto.Reader)))
	}
	seeded = append(seeded, newInstanceWith(t, linked, wazero.NewModuleConfig().WithRandSource(crypto.Reader)))
	for _, r := range recordings(t) {
		j := job{r.path, r.chunks, r.data}
		want := expectedTranscript(j)
		for _, in := range seeded {
			in.t = t
			compare(t, in.transcript(j), want)
		}
	}
}

func TestTheModuleHasNoPackageOfRandomNumbers(t *testing.T) {
	cmd := exec.Command("go", "list", "-deps", "../wasm")
	cmd.Env = append(cmd.Environ(), "GOOS=wasip1", "GOARCH=wasm")
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range strings.Fields(string(out)) {
		if strings.Contains(name, "math/rand") || strings.Contains(name, "crypto") {
			t.Errorf("it has %s", name)
		}
	}
}
