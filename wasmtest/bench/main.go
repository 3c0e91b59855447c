// The bench program is what webmend's benchmark runs as a process of its own, to measure
// its CPU time and memory: the Go library on files, and the maker of the files.
//
//	bench inputs DIR TESTDATA MEGABYTES
//	bench read FILE
//	bench scan FILE
//	bench seekable FILE OUTPUT
//	bench facts FILE                 # {"duration", "cues"} as JSON
//
// make bench runs all of it: see bench_test.go in the folder above.
package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strconv"

	"github.com/webmend/webmend/ebml"
	"github.com/webmend/webmend/webm"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(args []string) error {
	switch {
	case len(args) == 4 && args[0] == "inputs":
		megabytes, err := strconv.ParseInt(args[3], 10, 64)
		if err != nil {
			return err
		}
		return writeFiles(args[1], args[2], megabytes)
	case len(args) == 2 && args[0] == "read":
		return read(args[1], func([]byte) error { return nil })
	case len(args) == 2 && args[0] == "scan":
		return scan(args[1])
	case len(args) == 3 && args[0] == "seekable":
		return seekable(args[1], args[2])
	case len(args) == 2 && args[0] == "facts":
		return facts(args[1])
	}
	return fmt.Errorf("bench inputs|read|scan|seekable|facts: see its package comment")
}

// read reads a file in chunks.
func read(path string, take func(chunk []byte) error) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	buffer := make([]byte, 64<<10)
	for {
		n, err := f.Read(buffer)
		if err == io.EOF {
			return nil
		} else if err != nil {
			return err
		}
		if err := take(buffer[:n]); err != nil {
			return err
		}
	}
}

func scan(path string) error {
	s := webm.NewSplitter(webm.Options{})
	blocks := 0
	count := func() {
		for c := range s.TakeClusters() {
			blocks += c.Blocks
		}
	}
	err := read(path, func(chunk []byte) error {
		err := s.Push(chunk)
		count()
		return err
	})
	if err != nil {
		return err
	}
	_, err = s.Finish()
	count()
	fmt.Println(blocks)
	return err
}

func seekable(from, to string) error {
	src, err := os.Open(from)
	if err != nil {
		return err
	}
	defer src.Close()
	info, err := src.Stat()
	if err != nil {
		return err
	}
	s, _, err := webm.Scan(src, info.Size(), webm.Options{}, nil)
	if err != nil {
		return err
	}
	plan, err := s.Index(0).Seekable()
	if err != nil {
		return err
	}
	dst, err := os.Create(to)
	if err != nil {
		return err
	}
	if _, err := plan.CopyTo(dst, src); err != nil {
		return err
	}
	return dst.Close()
}

// facts says what a player would look for in a file.
func facts(path string) error {
	var found struct {
		Duration float64 `json:"duration"` // s
		Cues     int     `json:"cues"`
	}
	scale := uint64(1e6)
	w := webm.NewWalker(0, func(e webm.Element) {
		switch e.Name {
		case "TimestampScale":
			scale = ebml.ParseUint(e.Data)
		case "Duration":
			found.Duration = ebml.ParseFloat(e.Data)
		case "CuePoint":
			found.Cues++
		}
	})
	if err := read(path, w.Push); err != nil {
		return err
	}
	if err := w.Finish(); err != nil {
		return err
	}
	found.Duration *= float64(scale) / 1e9
	return json.NewEncoder(os.Stdout).Encode(found)
}
