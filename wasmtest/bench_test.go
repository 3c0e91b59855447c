//go:build bench

package wasmtest

// The benchmark: webmend beside everyone else, on this machine, in one run. make bench
// runs it; each section is a subtest, and can be run alone. Whatever is compared takes
// turns, as a machine has its moods, and medians are reported.

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

var (
	megabytes = flag.Int64("megabytes", 1000, "the size of the largest input")
	results   = flag.String("results", "", "the file for the results of all sections, besides standard output")
)

// A bench is one run.
type bench struct {
	t      *testing.T
	dir    string // of the inputs, and what is made of them
	goSide string // the program of bench/
	server string // gives pages the package, the peers and the inputs
	rounds int
	text   strings.Builder
}

func TestBench(t *testing.T) {
	dir := t.TempDir()
	b := &bench{t: t, dir: dir, goSide: filepath.Join(dir, "bench"), rounds: 5}
	if *megabytes < 100 {
		b.rounds = 3
	}
	run(t, "go", "build", "-o", b.goSide, "./bench")
	bundle := func(from, to string, options ...string) {
		args := []string{"tool", "esbuild", "--bundle", "--format=esm", "--log-level=warning", "--outfile=bench/node_modules/" + to, from}
		run(t, "go", append(args, options...)...)
	}
	bundle("../js/src/engine/module.ts", "webmend-module.mjs")
	bundle("../js/src/engine/scan.ts", "webmend-scan.mjs")
	bundle("bench/node_modules/webm-duration-fix/lib/index.js", "webm-duration-fix.mjs", "--platform=browser")
	run(t, b.goSide, "inputs", dir, "../webm/testdata", strconv.FormatInt(*megabytes, 10))
	server := httptest.NewServer(b.handler())
	defer server.Close()
	b.server = server.URL

	b.machine()
	complete := true
	for _, section := range []struct {
		name string
		run  func(*bench, *testing.T)
	}{
		{"inputs", (*bench).inputs},
		{"scan", (*bench).scan},
		{"seekable", (*bench).seekable},
		{"stop", (*bench).stop},
		{"start", (*bench).start},
		{"latency", (*bench).latency},
		{"growth", (*bench).growth},
	} {
		ran := false
		t.Run(section.name, func(t *testing.T) {
			ran = true
			section.run(b, t)
		})
		complete = complete && ran
	}
	if complete {
		b.print("%s", learnt)
	}
	if *results != "" && complete && !t.Failed() {
		if err := os.WriteFile(*results, []byte(b.text.String()), 0o666); err != nil {
			t.Fatal(err)
		}
	}
}

// learnt is what profiles say of these figures.
const learnt = `
## What was learnt

- Scanning takes time for each block and each cluster, and none for what is in them. Of bytes that are at hand, as they
  are when they have just been read or copied, that is some 50 ns a block natively and 230 in Go's WebAssembly, and
  about 1 and 4 µs a cluster; the inputs have one for every 12 blocks, and audio for 50.
- Of memory that no cache has, a scan waits for the head of each block, as only that says where the next one is: *hop*
  does nothing else. So where blocks are small it cannot be as fast as reading all of them, which the processor does
  ahead. The next head is asked for before the block is looked at, which takes a tenth off.
- A block took the module 600 ns and takes half of that since one call of the scanner finds it, not three, since what is
  kept of it has no pointers, and since whether it came before is told by two words of it, not by thirteen bytes. To have
  the compiler inline more of it by a profile made nothing faster. So audio is scanned at 1.7 times the speed of
  ts-ebml's decoder, which only finds the blocks.
- The facts of a cluster took 8 µs as JSON on both sides, and take 2 in numbers. What is between that and 5 GB/s in a
  page is copying in, a quarter of the time, then blocks, clusters, and Go's collector, a tenth.
- To give bytes takes as long as ranges, and then as copying in and out. A Recording had made a Blob of each cluster
  when it came, half a millisecond in Chromium; one that is taken as it comes, as here, has its bytes.
- At stop() Chromium takes a tenth of a millisecond for each Blob that a file is made of. They were of 1 MB; now 16 of
  them become one, so that after hours they are still few.
- The Go library reads a file twice, to scan it and to copy it, where cp copies inside the kernel, once. To read the file
  into a program and cp (above) are the least that a scan and a copy can take. Copying in the kernel, with the heads of
  clusters patched in place afterwards, took 1.8 times cp and not 2.2 when it was tried: not worth another way of
  carrying out plans.
- Scan had kept what is known of each cluster for whoever might take it, and plans were put together twice: the library
  took 30 MB for the gigabyte.
- The command line's process pays for compiling the module, some 0.2 s of CPU time, which shows in small files.
- Where the page works without a pause, each step waits for its turn, by the worker for one more than by the page.
- The module's memory grows by some 130 KB for an hour of a cluster a second, and the time of a chunk not at all.
`

func (b *bench) input(name string) string { return filepath.Join(b.dir, name+".webm") }

// largest is the name of the largest input, and middle of that which fits into memory.
func (b *bench) largest() string { return b.sized(1000) }
func (b *bench) middle() string  { return b.sized(100) }

func (b *bench) sized(most int64) string {
	switch n := min(most, *megabytes); {
	case n >= 1000:
		return "1GB"
	case n >= 100:
		return "100MB"
	}
	return "10MB"
}

func (b *bench) handler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/bench/", http.StripPrefix("/bench", http.FileServer(http.Dir("bench"))))
	mux.Handle("/dist/", http.StripPrefix("/dist", http.FileServer(http.Dir(dist))))
	mux.Handle("/input/", http.StripPrefix("/input", http.FileServer(http.Dir(b.dir))))
	mux.HandleFunc("PUT /output/{name}", func(w http.ResponseWriter, r *http.Request) {
		f, err := os.Create(filepath.Join(b.dir, filepath.Base(r.PathValue("name"))))
		if err == nil {
			_, err = io.Copy(f, r.Body)
			f.Close()
		}
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
		}
	})
	// The page is the tests' own, of another origin.
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Access-Control-Allow-Origin", "*")
		w.Header().Set("Access-Control-Allow-Methods", "GET, PUT")
		w.Header().Set("Access-Control-Allow-Headers", "Content-Type, Range")
		if r.Method != "OPTIONS" {
			mux.ServeHTTP(w, r)
		}
	})
}

// print adds to the results.
func (b *bench) print(format string, args ...any) {
	s := fmt.Sprintf(format, args...)
	b.text.WriteString(s)
	os.Stdout.WriteString(s)
}

func (b *bench) table(rows [][]string) {
	for i, row := range rows {
		b.print("| %s |\n", strings.Join(row, " | "))
		if i == 0 {
			b.print("|%s\n", strings.Repeat(" --- |", len(row)))
		}
	}
	b.print("\n")
}

// machine says what all of it ran on.
func (b *bench) machine() {
	first := func(program string, args ...string) string {
		out, err := exec.Command(program, args...).CombinedOutput()
		if err != nil {
			b.t.Fatalf("%s: %v", program, err)
		}
		line, _, _ := strings.Cut(string(out), "\n")
		return strings.TrimSpace(line)
	}
	// Before Chromium says its version, its script may have complaints.
	chromium, err := exec.Command("chromium", "--version").Output()
	if err != nil {
		b.t.Fatal(err)
	}
	cpu := "?"
	if info, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		if m := regexp.MustCompile(`model name\s*: (.*)`).FindSubmatch(info); m != nil {
			cpu = string(m[1])
		}
	}
	load, _ := os.ReadFile("/proc/loadavg")
	b.print("# The benchmark\n\nWritten by `make bench`, at %s on %s. In each table ratios come first.\n\n", first("git", "rev-parse", "--short", "HEAD"), time.Now().Format(time.DateOnly))
	versions := [][]string{{"", ""},
		{"machine", fmt.Sprintf("%d cores of %s, Linux %s, %s", runtime.NumCPU(), cpu, first("uname", "-r"), runtime.GOARCH)},
		{"busy with other things before", fmt.Sprintf("load %s", strings.Join(strings.Fields(string(load))[:3], ", "))},
		{"Go", runtime.Version()},
		{"Node", first("node", "--version")},
		{"browsers", strings.TrimSpace(string(chromium)) + ", " + first("firefox-esr", "--version")},
		{"others", first("ffmpeg", "-version") + ", " + first("mkvmerge", "--version") + ", " + first("cp", "--version")},
	}
	for _, peer := range []string{"mediabunny", "ts-ebml", "webm-duration-fix", "ebml-stream"} {
		var about struct{ Version string }
		text, err := os.ReadFile("bench/node_modules/" + peer + "/package.json")
		if err == nil {
			err = json.Unmarshal(text, &about)
		}
		if err != nil {
			b.t.Fatal(err)
		}
		versions = append(versions, []string{peer, about.Version})
	}
	b.table(versions)
}

func (b *bench) inputs(t *testing.T) {
	b.print("## Inputs\n\nReal frames again and again with timestamps that go on, cut into blobs as the recorder cut them.\n\n")
	rows := [][]string{{"input", "bytes", "blocks", "clusters", "s", "blobs"}}
	paths, err := filepath.Glob(b.input("*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range paths {
		in := b.about(t, path)
		var blobs []int
		text, err := os.ReadFile(path + ".json")
		if err == nil {
			err = json.Unmarshal(text, &blobs)
		}
		if err != nil {
			t.Fatal(err)
		}
		rows = append(rows, []string{strings.TrimSuffix(filepath.Base(path), ".webm"), fmt.Sprint(in.bytes), fmt.Sprint(in.blocks), fmt.Sprint(in.clusters), fmt.Sprintf("%.1f", in.duration), fmt.Sprint(len(blobs))})
	}
	b.table(rows)
}

// A process is a program that is measured.
type process struct {
	name    string
	program string
	args    []string
	counts  bool // whether what it prints is how many blocks there are
}

// A usage is what a process took.
type usage struct {
	cpu, wall float64 // s
	peak      int64   // bytes
	out       string
	failed    string // why
}

// What takes longer than slow is run once, and what takes longer than hopeless is not
// waited for.
const (
	slow     = 15 * time.Second
	hopeless = time.Minute
)

// measure runs a process.
func (p process) measure(t *testing.T) usage {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), hopeless)
	defer cancel()
	cmd := exec.CommandContext(ctx, p.program, p.args...)
	var stdout, stderr bytes.Buffer
	cmd.Stderr = &stderr
	if p.counts {
		cmd.Stdout = &stdout
	}
	begin := time.Now()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	// Not what rusage says: a process that is begun has the peak of the one it is begun by.
	var u usage
	done := make(chan struct{})
	polled := make(chan struct{})
	go func() {
		defer close(polled)
		status := fmt.Sprintf("/proc/%d/status", cmd.Process.Pid)
		for tick := time.NewTicker(2 * time.Millisecond); ; {
			if text, err := os.ReadFile(status); err == nil {
				if m := highWater.FindSubmatch(text); m != nil {
					kb, _ := strconv.ParseInt(string(m[1]), 10, 64)
					u.peak = kb << 10
				}
			}
			select {
			case <-tick.C:
			case <-done:
				tick.Stop()
				return
			}
		}
	}()
	err := cmd.Wait()
	u.wall = time.Since(begin).Seconds()
	close(done)
	<-polled
	u.cpu = (cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()).Seconds()
	u.out = stdout.String()
	if ctx.Err() != nil {
		u.failed = fmt.Sprintf("is not done after %v", hopeless)
	} else if err != nil {
		u.failed = strings.TrimSpace(err.Error() + ": " + firstLine(stderr.String()))
	}
	return u
}

var highWater = regexp.MustCompile(`VmHWM:\s+(\d+) kB`)

func firstLine(s string) string {
	for line := range strings.Lines(s) {
		if strings.Contains(line, "Error") || strings.Contains(line, "error") {
			return strings.TrimSpace(line)
		}
	}
	return ""
}

func median[T int64 | float64](all []T) T {
	sorted := slices.Sorted(slices.Values(all))
	return sorted[len(sorted)/2]
}

// percentile is of values in any order.
func percentile(all []float64, p int) float64 {
	sorted := slices.Sorted(slices.Values(all))
	return sorted[min(len(sorted)*p/100, len(sorted)-1)]
}

// over is the median of how much more each round's a was than its b.
func over(a, b []float64) float64 {
	var all []float64
	for i := range min(len(a), len(b)) {
		all = append(all, a[i]/b[i])
	}
	return median(all)
}

func ratio(r float64) string {
	switch {
	case r >= 100:
		return fmt.Sprintf("%.0f", r)
	case r >= 10:
		return fmt.Sprintf("%.1f", r)
	case r < 0.1:
		return fmt.Sprintf("%.4f", r)
	}
	return fmt.Sprintf("%.2f", r)
}
