//go:build bench

package wasmtest

// Sections of the benchmark about what a page, or a host that goes on for days, sees.

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/andybalholm/brotli"
	"github.com/chromedp/chromedp"
)

// inBrowsers runs something in a page of each.
func inBrowsers(t *testing.T, do func(t *testing.T, name string, tab *tab, ask func(v any, expression string))) {
	t.Run("Chromium", func(t *testing.T) {
		p := open(t, func(chromedp.ConsoleMessage) bool { return false })
		do(t, "Chromium", p, func(v any, expression string) { unmarshal(t, evaluate[json.RawMessage](t, p, expression), v) })
	})
	t.Run("Firefox", func(t *testing.T) {
		f := startFirefox(t)
		do(t, "Firefox", f.tab, func(v any, expression string) { unmarshal(t, ask[json.RawMessage](t, f, expression), v) })
	})
}

func unmarshal(t *testing.T, text json.RawMessage, v any) {
	t.Helper()
	if err := json.Unmarshal(text, v); err != nil {
		t.Fatal(err)
	}
}

func (b *bench) pageExpression(call string, args ...any) string {
	var texts []string
	for _, a := range args {
		text, err := json.Marshal(a)
		if err != nil {
			b.t.Fatal(err)
		}
		texts = append(texts, string(text))
	}
	return fmt.Sprintf("import(%q).then((m) => m.%s(%s))", b.server+"/bench/page.mjs", call, strings.Join(texts, ", "))
}

// stop is what a page waits for once its recorder has stopped.
func (b *bench) stop(t *testing.T) {
	b.print("## At `stop()` in a page\n\nFrom the recording's last blob to its seekable file, where webmend has had the blobs as they came, and mediabunny (Conversion) begins with all of them. With how many Blobs each slices and reads, and how many bytes it puts into new ones from memory.\n\n")
	type made struct {
		Milliseconds          float64
		Slices, Reads, Copied int64
		Size                  int64
	}
	type told struct {
		Blobs, Memory       int64
		Pushing             float64
		Webmend, Mediabunny []made
	}
	rows := [][]string{{"", "÷ mediabunny's time", "ms", "slices", "reads", "bytes copied", "frames", "times", "Duration", "Cues", "ms before, for each blob"}}
	inBrowsers(t, func(t *testing.T, browser string, _ *tab, ask func(any, string)) {
		names := []string{b.middle()}
		if browser == "Chromium" && b.largest() != b.middle() {
			names = append(names, b.largest()) // in Firefox it takes longer than its page may
		}
		for _, name := range names {
			withPeer := name == b.middle()
			var got told
			ask(&got, b.pageExpression("stop", name, b.rounds, withPeer))
			in := b.about(t, b.input(name))
			want := packetsOf(t, b.input(name))
			times := func(all []made) (ms []float64) {
				for _, m := range all {
					ms = append(ms, m.Milliseconds)
				}
				return ms
			}
			row := func(who string, all []made, pushing string) {
				compared := ""
				if withPeer {
					compared = ratio(over(times(all), times(got.Mediabunny)))
				}
				file := filepath.Join(b.dir, who)
				m := all[len(all)-1]
				cells := append([]string{fmt.Sprintf("%s of %s, %s", who, name, browser), compared, fmt.Sprintf("%.1f", median(times(all))), fmt.Sprint(m.Slices), fmt.Sprint(m.Reads), fmt.Sprint(m.Copied)}, verdict(b, t, file, in, want)...)
				os.Remove(file)
				rows = append(rows, append(cells, pushing))
			}
			row("webmend", got.Webmend, fmt.Sprintf("%.2f", got.Pushing/float64(got.Blobs)))
			if withPeer {
				row("mediabunny", got.Mediabunny, "")
			}
		}
	})
	b.table(rows)
}

func (b *bench) start(t *testing.T) {
	b.print("## Start\n\nFrom the module's bytes that the browser has never seen (cold), or its address, in the browser's cache (warm), to the first answer. An empty module is one straight from Go's compiler that answers nothing. Recording itself waits for none of it: chunks queue.\n\n")
	modules := startModules(t)
	rows := [][]string{{"", "× an empty module", "ms", "ms, the empty module"}}
	inBrowsers(t, func(t *testing.T, browser string, p *tab, ask func(any, string)) {
		uploadModules(t, p, modules)
		for _, how := range []string{"cold", "warm"} {
			times := map[string][]float64{}
			for range 3 * b.rounds {
				for _, name := range []string{linked, empty} {
					var ms float64
					ask(&ms, startExpression(how, name))
					times[name] = append(times[name], ms)
				}
			}
			rows = append(rows, []string{how + ", " + browser, ratio(over(times[linked], times[empty])), fmt.Sprintf("%.1f", median(times[linked])), fmt.Sprintf("%.1f", median(times[empty]))})
		}
	})
	b.table(rows)

	b.print("Bytes on the wire, by brotli at its best:\n\n")
	rows = [][]string{{"", "bytes", "brotli"}}
	for _, file := range []struct{ name, path string }{
		{"webmend.wasm", built(t, linked)},
		{"index.js", built(t, "index.js")},
		{"preview.js, if it is used", built(t, "preview.js")},
		{"mediabunny, bundled: Conversion from WebM to WebM", b.bundled(t, `export { Input, WEBM, BlobSource, Output, WebMOutputFormat, BufferTarget, Conversion } from "mediabunny"`)},
		{"ts-ebml, bundled", b.bundled(t, `export { Decoder, Reader, tools } from "ts-ebml"`)},
	} {
		code, err := os.ReadFile(file.path)
		if err != nil {
			t.Fatal(err)
		}
		rows = append(rows, []string{file.name, fmt.Sprint(len(code)), fmt.Sprint(packed(brotli.NewWriterLevel(nil, brotli.BestCompression), code))})
	}
	b.table(rows)
}

// bundled is what a page would load for a script.
func (b *bench) bundled(t *testing.T, script string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "bundle.js")
	cmd := exec.CommandContext(t.Context(), "go", "tool", "esbuild", "--bundle", "--minify", "--format=esm", "--platform=browser", "--log-level=error", "--outfile="+path)
	cmd.Dir = "bench"
	cmd.Stdin = strings.NewReader(script)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return path
}

func (b *bench) latency(t *testing.T) {
	b.print("## Latency\n\nFrom a blob's `dataavailable` to its clusters in hand, and to its media in the buffer of a preview, in ms. A busy page works for 50 ms at a time without a pause.\n\n")
	seconds := 10
	if *megabytes < 100 {
		seconds = 3
	}
	rows := [][]string{{"", "blobs", "clusters p50", "p99", "preview p50", "p99"}}
	inBrowsers(t, func(t *testing.T, browser string, _ *tab, ask func(any, string)) {
		for _, timeslice := range []int{50, 250} {
			for _, busy := range []bool{false, true} {
				for _, worker := range []bool{false, true} {
					var got struct{ Split, Shown []float64 }
					ask(&got, b.pageExpression("latency", map[string]any{"timeslice": timeslice, "busy": busy, "worker": worker, "seconds": seconds}))
					if len(got.Split) == 0 || len(got.Shown) == 0 {
						t.Errorf("%s, every %d ms, busy %v, worker %v: %d and %d blobs", browser, timeslice, busy, worker, len(got.Split), len(got.Shown))
						continue
					}
					name := fmt.Sprintf("%s, every %d ms, page %s, by the %s", browser, timeslice, map[bool]string{true: "busy", false: "idle"}[busy], map[bool]string{true: "worker", false: "page"}[worker])
					row := []string{name, fmt.Sprint(len(got.Split))}
					for _, ms := range [][]float64{got.Split, got.Shown} {
						row = append(row, fmt.Sprintf("%.1f", percentile(ms, 50)), fmt.Sprintf("%.1f", percentile(ms, 99)))
					}
					rows = append(rows, row)
				}
			}
		}
	})
	b.table(rows)
}

func (b *bench) growth(t *testing.T) {
	b.print("## Growth\n\nA recording in Node (`keep: false`) of as many hours, simulated: a cluster of 42 blocks every second. *Chunk* is pushing one and taking its cluster, in the last hour.\n\n")
	hours := "100"
	if *megabytes < 100 {
		hours = "10"
	}
	var points []struct {
		Hours, Clusters, Memory, Process int64
		Median, P99, Seconds             float64
	}
	if err := json.Unmarshal(run(t, "node", "bench/growth.mjs", filepath.Dir(built(t, "index.js")), hours), &points); err != nil {
		t.Fatal(err)
	}
	rows := [][]string{{"hours", "× the chunk of the first hour", "chunk, µs", "p99, µs", "module's memory, bytes", "more of it for each hour", "the process's, MB", "clusters"}}
	for i, p := range points {
		more := ""
		if i > 0 {
			more = fmt.Sprint((p.Memory - points[0].Memory) / (p.Hours - points[0].Hours))
		}
		rows = append(rows, []string{fmt.Sprint(p.Hours), ratio(p.Median / points[0].Median), fmt.Sprintf("%.0f", p.Median), fmt.Sprintf("%.0f", p.P99), fmt.Sprint(p.Memory), more, fmt.Sprint(p.Process >> 20), fmt.Sprint(p.Clusters)})
	}
	b.table(rows)
	slices.Reverse(points)
	b.print("%d hours took %v.\n", points[0].Hours, time.Duration(points[0].Seconds*float64(time.Second)).Round(time.Second))
}
