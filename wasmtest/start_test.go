package wasmtest

// How long the module takes to start, where it is used. These are figures, for make
// size to print: what a shared machine measures is no reason to fail.

import (
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

// idle is all that the package needs of a module, to start one that does nothing.
const idle = `import "unsafe"

var input [64 << 10]byte

//go:wasmexport version
func version() int32 { return 1 } // as wasm/reactor.go has it

//go:wasmexport reserve
func reserve(int32) uint32 { return uint32(uintptr(unsafe.Pointer(&input))) }

//go:wasmexport open
func open(int32, int32, float64, int32, int32, float64) int32 { return 0 }

//go:wasmexport pushChunk
func pushChunk(int32, int32) int32 { return 0 }

//go:wasmexport rewind
func rewind(int32) float64 { return -1 }

//go:wasmexport needed
func needed(int32) float64 { return 0 }
`

const empty = "empty.wasm" // which answers as idle does

func startModules(t testing.TB) map[string]string {
	return map[string]string{empty: reactor(t, idle), plain: built(t, plain), linked: built(t, linked)}
}

// uploadModules has a page's server give the modules.
func uploadModules(t testing.TB, p *tab, modules map[string]string) {
	t.Helper()
	for name, path := range modules {
		code, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		p.uploads.Store(name, code)
	}
}

// startExpression is a page's, for how many milliseconds a module takes to start.
func startExpression(how, name string) string {
	return fmt.Sprintf(`import("/page/start.mjs").then((m) => m.%s(%q))`, how, name)
}

func BenchmarkStart(b *testing.B) {
	modules := startModules(b)

	// measure starts the modules in turn, and reports what ships beside the others.
	measure := func(b *testing.B, start func(name string) float64) {
		times := map[string][]float64{}
		for b.Loop() {
			for name := range modules {
				times[name] = append(times[name], start(name))
			}
		}
		median := func(of func(i int) float64) float64 {
			var all []float64
			for i := range b.N {
				all = append(all, of(i))
			}
			slices.Sort(all)
			return all[b.N/2]
		}
		b.ReportMetric(0, "ns/op")
		b.ReportMetric(median(func(i int) float64 { return times[linked][i] }), "ms")
		b.ReportMetric(median(func(i int) float64 { return times[linked][i] / times[plain][i] }), "of-plain")
		b.ReportMetric(median(func(i int) float64 { return times[linked][i] / times[empty][i] }), "of-empty")
	}

	b.Run("cold/Node", func(b *testing.B) {
		measure(b, func(name string) float64 {
			out := run(b, "node", "page/start.mjs", built(b, "index.js"), modules[name])
			ms, err := strconv.ParseFloat(strings.TrimSpace(string(out)), 64)
			if err != nil {
				b.Fatal(err)
			}
			return ms
		})
	})
	for _, how := range []string{"cold", "warm"} {
		b.Run(how+"/Chromium", func(b *testing.B) {
			p := open(b, func(chromedp.ConsoleMessage) bool { return false })
			uploadModules(b, p, modules)
			measure(b, func(name string) float64 { return evaluate[float64](b, p, startExpression(how, name)) })
		})
		b.Run(how+"/Firefox", func(b *testing.B) {
			f := startFirefox(b)
			uploadModules(b, f.tab, modules)
			measure(b, func(name string) float64 { return ask[float64](b, f, startExpression(how, name)) })
		})
	}
}
