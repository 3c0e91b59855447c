package main

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
)

// snapshot runs _initialize and makes what it leaves the module's initial state.
func snapshot(m *module) {
	ctx := context.Background()
	// Interpreted, as that takes less time than to compile what runs once, and is
	// the same on every machine.
	runtime := wazero.NewRuntimeWithConfig(ctx, wazero.NewRuntimeConfigInterpreter())
	defer runtime.Close(ctx)

	instance := instantiate(ctx, runtime, m)
	start := instance.ExportedFunction(startName)
	if start == nil {
		refuse("there is no export %s", startName)
	}
	if _, err := start.Call(ctx); err != nil {
		var r refusal
		if errors.As(err, &r) {
			panic(r)
		}
		refuse("%s: %v", startName, err)
	}

	memory := instance.Memory()
	m.memory = slices.Clone(must(memory.Read(0, memory.Size())))
	for i := range m.globals {
		value := instance.ExportedGlobal(globalName(i)).Get()
		if m.globals[i].kind == typeI32 {
			m.globals[i].value = int64(int32(value))
		} else {
			m.globals[i].value = int64(value)
		}
	}
	m.exports = slices.DeleteFunc(m.exports, func(e export) bool { return e.name == startName })
}

// instantiate makes an instance of the module with its globals exported too.
func instantiate(ctx context.Context, runtime wazero.Runtime, m *module) api.Module {
	open := *m
	open.exports = slices.Clone(m.exports)
	for i := range m.globals {
		open.exports = append(open.exports, export{globalName(i), kindGlobal, uint32(i)})
	}
	code, err := runtime.CompileModule(ctx, open.bytes())
	if err != nil {
		refuse("%v", err)
	}
	host := runtime.NewHostModuleBuilder(wasi)
	for _, f := range code.ImportedFunctions() {
		_, name, _ := f.Import()
		host.NewFunctionBuilder().WithGoModuleFunction(answer(name), f.ParamTypes(), f.ResultTypes()).Export(name)
	}
	if _, err := host.Instantiate(ctx); err != nil {
		refuse("%v", err)
	}
	instance, err := runtime.InstantiateModule(ctx, code, wazero.NewModuleConfig().WithStartFunctions())
	if err != nil {
		refuse("%v", err)
	}
	return instance
}

func globalName(i int) string { return fmt.Sprintf("global %d", i) }

// clock is where a snapshot's clocks stand, in nanoseconds: the least there is, as
// the runtime takes zero for no clock at all.
var clock uint64 = 1

// answer is a host that is always the same: its clocks stand still, its random bytes
// count up, and there are no arguments and no environment. What else is called is not known to leave
// the runtime in a state to start from.
func answer(name string) api.GoModuleFunc {
	return func(_ context.Context, instance api.Module, stack []uint64) {
		memory := instance.Memory()
		ok := true
		switch name {
		case "clock_time_get": // clock, precision, result
			ok = memory.WriteUint64Le(uint32(stack[2]), clock)
		case "random_get": // address, length
			random := must(memory.Read(uint32(stack[0]), uint32(stack[1])))
			for i := range random {
				random[i] = byte(i + 1)
			}
		case "args_sizes_get", "environ_sizes_get": // count, size
			ok = memory.WriteUint32Le(uint32(stack[0]), 0) && memory.WriteUint32Le(uint32(stack[1]), 0)
		default:
			refuse("%s calls %s; only clocks, random bytes, arguments and the environment are known", startName, name)
		}
		if !ok {
			refuse("%s has %s write outside of memory", startName, name)
		}
		stack[0] = 0
	}
}

func must[T any](v T, ok bool) T {
	if !ok {
		refuse("%s reads outside of memory", startName)
	}
	return v
}
