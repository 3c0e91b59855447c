// Command link makes the module that ships of what the compiler wrote:
//
//	go run ./wasm/link -o webmend.wasm webmend.plain.wasm
//
// It does to a Go reactor, in this order:
//
//  1. merge: the compiler writes a data segment between any two runs of eight
//     zeros, tens of thousands of them. They become a few hundred.
//  2. lines: of Go's pclntab goes what the runtime reads only to print stack
//     traces, or never: file names and line numbers, what was inlined where, the
//     places of arguments, and where a signal might preempt. Function names stay,
//     so a trap still says in which functions it was; -lines keeps the rest too.
//  3. snapshot: _initialize is run here, once, and what it left in memory and in
//     the globals becomes the module's initial state. The export goes, and every
//     host starts where _initialize would have ended.
//  4. cut: a module that has started never runs a fifth of its code. Most of that
//     starts the runtime, traces, profiles or debugs it, or prints floats. The bodies
//     of these functions become one instruction that traps; see cut.go for which, and
//     for why they cannot run. -lines keeps them, too.
//
// Lines come before the snapshot so that the runtime, as it starts, verifies the
// tables that ship. The cut comes after it, as it looks in memory for the functions
// that goroutines wait in. The same input gives the same bytes, on every machine.
//
// # What a snapshot fixes
//
// What the runtime drew at its start is in the file: the seeds of maps and of
// math/rand are constants of the build. Nothing that leaves the module may depend
// on either. So are the arguments and the environment (none) and GOGC. The
// runtime's clock starts at one nanosecond, which no host's clock is behind.
//
// # What is dropped
//
// All readers of what goes are in the runtime, which prints less without it, and are
// known for one version of Go only: another is refused, and so is a table that is
// not as it should be. What was inlined is read by recover, too, and kept where that
// counts; see lines.go.
//
// A short list names functions that are never called. These are cut, and so is all that
// nothing else leads to. The list holds for the same version of Go, and a runtime that
// lacks one of them is refused. Should one be called after all, the instance traps, as in
// any fatal error, and the host makes another. What pclntab says of the functions stays:
// it is 1.5 KB after compression.
//
// # What is compiled
//
// The Makefile builds with GOEXPERIMENT=nogreenteagc, the collector that Go had up to 1.25,
// which is 8 KB smaller after compression: the new one is quicker for heaps that are larger
// than a module's few MiB.
//
// # What is refused
//
// A module with anything in it that is not known here, in a sentence that names
// it: then this program is to be taught, and not to be worked around.
//
// Other ways to make a Go module smaller were tried, or thought of, and are not
// used:
//
//   - Replaced runtime files (go build -overlay), to leave out what a reactor does
//     not need: a fork of the runtime to maintain for every release of Go, and what
//     ships would no longer be what Go's own tests have seen.
//   - -gcflags=all=-B, without bounds checks: a damaged recording could then read
//     and write anywhere in memory, where now it panics and is answered for.
//   - -gcflags=all=-l, without inlining: smaller before compression and slower, as
//     scanning is made of small functions.
//   - Binaryen's wasm-opt: 1 % after compression, for a large tool that building
//     would need besides Go, and which rewrites all code.
package main

import (
	"flag"
	"fmt"
	"log"
	"os"
)

func main() {
	log.SetFlags(0)
	log.SetPrefix("link: ")
	lines := flag.Bool("lines", false, "keep file names, line numbers and all else that stack traces say, and functions that cannot run")
	output := flag.String("o", "", "where the linked `module` goes")
	flag.Parse()
	if flag.NArg() != 1 || *output == "" {
		log.Fatal("usage: link [-lines] -o linked.wasm plain.wasm")
	}
	plain, err := os.ReadFile(flag.Arg(0))
	if err != nil {
		log.Fatal(err)
	}
	linked, sizes, err := link(plain, *lines)
	if err != nil {
		log.Fatalf("%s: %v", flag.Arg(0), err)
	}
	if err := os.WriteFile(*output, linked, 0o666); err != nil {
		log.Fatal(err)
	}
	fmt.Println("link:", sizes)
}

// link does all steps, and says how large the module was after each.
func link(plain []byte, lines bool) (linked []byte, sizes string, err error) {
	defer func() {
		if r := recover(); r != nil {
			var ok bool
			if err, ok = r.(refusal); !ok {
				panic(r)
			}
		}
	}()
	m := parse(plain)
	linked = m.bytes()
	sizes = fmt.Sprintf("%d bytes, %d merged", len(plain), len(linked))
	if !lines {
		dropLines(m)
		linked = m.bytes()
		sizes += fmt.Sprintf(", %d without lines", len(linked))
	}
	snapshot(m)
	linked = m.bytes()
	sizes += fmt.Sprintf(", %d with its snapshot", len(linked))
	if !lines {
		cut(m)
		linked = m.bytes()
		sizes += fmt.Sprintf(", %d without what cannot run", len(linked))
	}
	return linked, sizes, nil
}

// A refusal says what of a module is not known. It is thrown, so that the reading
// of a format that no one else writes stays short.
type refusal string

func (r refusal) Error() string { return string(r) }

func refuse(format string, args ...any) {
	panic(refusal(fmt.Sprintf(format, args...)))
}
