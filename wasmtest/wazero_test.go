package wasmtest

// The reactor under wazero, called as a host in Go would call it.

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"math"
	"os"
	"sync"
	"testing"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/imports/wasi_snapshot_preview1"
)

// The module is there three times: what ships, the same with files and lines for stack
// traces, and what the compiler wrote, which has an _initialize to be called.
const (
	linked = "webmend.wasm"
	lines  = "webmend.lines.wasm"
	plain  = "webmend.plain.wasm"
)

// A compilation is a module compiled once for all tests.
type compilation struct {
	once    sync.Once
	runtime wazero.Runtime
	module  wazero.CompiledModule
}

var compilations = map[string]*compilation{linked: {}, lines: {}, plain: {}}

func compiled(t testing.TB, name string) *compilation {
	t.Helper()
	path := built(t, name)
	c := compilations[name]
	c.once.Do(func() { c.runtime, c.module = compile(t, path, wazero.NewRuntimeConfig()) })
	return c
}

func compile(t testing.TB, path string, config wazero.RuntimeConfig) (wazero.Runtime, wazero.CompiledModule) {
	t.Helper()
	code, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	ctx := context.Background()
	runtime := wazero.NewRuntimeWithConfig(ctx, config)
	wasi_snapshot_preview1.MustInstantiate(ctx, runtime)
	module, err := runtime.CompileModule(ctx, code)
	if err != nil {
		t.Fatal(err)
	}
	return runtime, module
}

// An instance is one instance of the reactor.
type instance struct {
	t      testing.TB
	module api.Module
}

func newInstance(t testing.TB) *instance {
	t.Helper()
	return newInstanceOf(t, linked)
}

func newInstanceOf(t testing.TB, name string) *instance {
	t.Helper()
	return newInstanceWith(t, name, wazero.NewModuleConfig().WithSysNanotime().WithSysWalltime().WithStderr(os.Stderr))
}

// newInstanceWith calls _initialize if there is one.
func newInstanceWith(t testing.TB, name string, config wazero.ModuleConfig) *instance {
	t.Helper()
	c := compiled(t, name)
	module, err := c.runtime.InstantiateModule(t.Context(), c.module, config.WithName("").WithStartFunctions("_initialize"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { module.Close(context.Background()) })
	return &instance{t, module}
}

// call calls an export, which may not trap. Arguments that are left out are 0.
func (in *instance) call(export string, args ...int) int {
	in.t.Helper()
	definition := in.module.ExportedFunction(export).Definition()
	types := definition.ParamTypes()
	words := make([]uint64, len(types))
	for i, a := range args {
		words[i] = api.EncodeI32(int32(a))
		if types[i] == api.ValueTypeF64 {
			words[i] = api.EncodeF64(float64(a))
		}
	}
	results, err := in.module.ExportedFunction(export).Call(in.t.Context(), words...)
	if err != nil {
		in.t.Fatalf("%s%v trapped: %v", export, args, err)
	}
	if definition.ResultTypes()[0] == api.ValueTypeF64 {
		return int(api.DecodeF64(results[0]))
	}
	return int(api.DecodeI32(results[0]))
}

const pieceLength = 64 << 10

// push pushes bytes in pieces, and returns the first negative status or else the
// last one.
func (in *instance) push(handle int, data []byte) int {
	in.t.Helper()
	failure := 0
	for {
		piece := data[:min(len(data), pieceLength)]
		data = data[len(piece):]
		status := in.pushPiece(handle, piece)
		if failure == 0 && status < 0 {
			failure = status
		}
		if len(data) == 0 {
			if failure < 0 {
				return failure
			}
			return status
		}
	}
}

// pushPiece pushes bytes at once, and returns the status.
func (in *instance) pushPiece(handle int, piece []byte) int {
	in.t.Helper()
	address := in.call("reserve", pieceLength)
	if !in.module.Memory().Write(uint32(address), piece) {
		in.t.Fatalf("reserve gave %d, outside of memory", address)
	}
	return in.call("pushChunk", handle, len(piece))
}

// answer calls an export that answers, and returns its answer or else its status.
func (in *instance) answer(export string, handle int) ([]byte, int) {
	in.t.Helper()
	n := in.call(export, handle)
	if n < 0 {
		return nil, n
	}
	answer, ok := in.module.Memory().Read(uint32(in.call("result")), uint32(n))
	if !ok {
		in.t.Fatalf("the answer of %s is outside of memory", export)
	}
	return bytes.Clone(answer), n
}

// ask calls an export that answers with JSON or in numbers, or else returns its status.
func (in *instance) ask(export string, handle int) value {
	in.t.Helper()
	answer, n := in.answer(export, handle)
	if n < 0 {
		return float64(n)
	}
	if string(answer) != "null" {
		numbers := &numbers{in.t, answer}
		switch export {
		case "takeClusters", "takeFragments":
			return numbers.list(numbers.cluster)
		case "takeForms":
			return numbers.list(func() value { return object{"recordingIndex": numbers.next(), "form": numbers.form()} })
		}
	}
	var v value
	if err := json.Unmarshal(answer, &v); err != nil {
		in.t.Fatalf("%s answered %q: %v", export, answer, err)
	}
	return v
}

// numbers are what is left of an answer in numbers.
type numbers struct {
	t    testing.TB
	left []byte
}

func (n *numbers) take(length int) []byte {
	n.t.Helper()
	if len(n.left) < length {
		n.t.Fatalf("an answer ends with % X, where %d bytes must be", n.left, length)
	}
	taken := n.left[:length]
	n.left = n.left[length:]
	return taken
}

func (n *numbers) list(one func() value) value {
	all := array{}
	for len(n.left) > 0 {
		all = append(all, one())
	}
	return all
}

func (n *numbers) next() float64 {
	n.t.Helper()
	return math.Float64frombits(binary.LittleEndian.Uint64(n.take(8)))
}

func (n *numbers) boolean() bool { return n.next() == 1 }

func (n *numbers) cluster() value {
	o := object{}
	for _, name := range []string{"recordingIndex", "start", "end", "timestamp", "time", "duration"} {
		o[name] = n.next()
	}
	for _, name := range []string{"sizeKnown", "cut", "fragment", "beginsWithKeyFrame"} {
		o[name] = n.boolean()
	}
	o["blocks"], o["keyframes"] = n.next(), n.next()
	tracks := array{}
	for range int(n.next()) {
		tracks = append(tracks, object{"number": n.next(), "blocks": n.next(), "keyframes": n.next()})
	}
	o["tracks"], o["form"], o["fromZero"] = tracks, n.form(), n.form()
	return o
}

func (n *numbers) form() value {
	o := object{"start": n.next(), "end": n.next(), "edit": n.boolean()}
	length := int(n.next())
	head := n.take(24)
	o["head"] = hex.EncodeToString(head[:length])
	if len(bytes.Trim(head[length:], "\x00")) > 0 {
		n.t.Errorf("a head of %d bytes is followed by % X", length, head[length:])
	}
	return o
}

// transcript takes a stream apart, as expectedTranscript does.
func (in *instance) transcript(j job) value {
	in.t.Helper()
	handle := in.call("open", 0)
	steps := array{}
	var failed value
	pushed := 0
	take := func() {
		headers := array{}
		for h := in.ask("takeHeader", handle); h != nil; h = in.ask("takeHeader", handle) {
			headers = append(headers, h)
		}
		clusters := in.ask("takeClusters", handle).(array)
		if len(headers)+len(clusters) > 0 {
			steps = append(steps, object{"pushed": float64(pushed), "headers": headers, "clusters": clusters})
		}
	}
	rest := j.data
	for _, n := range j.Sizes {
		status := in.push(handle, rest[:n])
		rest = rest[n:]
		pushed += n
		if status < 0 && failed == nil {
			failed = object{"pushed": float64(pushed), "error": in.ask("lastError", handle)}
		}
		if status != 0 {
			take()
		}
	}
	report := in.ask("finish", handle)
	take()
	in.call("close", handle)
	return object{"steps": steps, "failed": failed, "report": report}
}

// elements lists the elements of a stream.
func (in *instance) elements(j job) value {
	in.t.Helper()
	handle := in.call("open", 1)
	elements := array{}
	rest := j.data
	for _, n := range j.Sizes {
		if in.push(handle, rest[:n]) != 0 {
			elements = append(elements, in.ask("takeElements", handle).(array)...)
		}
		rest = rest[n:]
	}
	in.ask("finish", handle)
	elements = append(elements, in.ask("takeElements", handle).(array)...)
	problem := in.ask("lastError", handle)
	in.call("close", handle)
	return object{"elements": elements, "problem": problem}
}

// calls makes calls one after another on a new instance.
func (in *instance) calls(calls []call) array {
	results := array{}
	for _, c := range calls {
		switch c.Export {
		case "pushChunk":
			results = append(results, float64(in.push(c.Argument, []byte(c.Bytes))))
		case "open", "close":
			results = append(results, float64(in.call(c.Export, c.Argument)))
		default:
			results = append(results, in.ask(c.Export, c.Argument))
		}
	}
	return results
}
