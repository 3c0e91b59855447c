package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/webmend/webmend/ebml"
	"github.com/webmend/webmend/webm"
)

// An input is a long recording, made of a real one that is short: its clusters again and
// again, with timestamps that go on, cut where the recorder cut its blobs.
type input struct {
	name     string
	template string // in webm/testdata
	size     int64  // at least so many bytes
	length   time.Duration
}

// inputs are those of a benchmark whose largest has so many megabytes.
func inputs(megabytes int64) []input {
	const video = "chromium-noalpha-03-vp8opus-ts250"
	all := []input{
		{name: "10MB", template: video, size: 10e6},
		// Firefox's packets last 20 ms: 360,000 in two hours.
		{name: "audio", template: "firefox-01-opus-ts50", length: 2 * time.Hour},
		{name: "firefox", template: "firefox-08-pause-vp8opus-ts500", size: 100e6},
		{name: "blockgroups", template: "chromium-13b-alpha-vp9", size: 100e6},
		{name: "100MB", template: video, size: 100e6},
		{name: "1GB", template: video, size: 1e9},
	}
	var fit []input
	for _, in := range all {
		if in.size > megabytes*1e6 {
			if in.template == video {
				continue
			}
			in.size = megabytes * 1e6
		}
		if in.length > 0 && megabytes < 100 {
			in.length /= 12
		}
		fit = append(fit, in)
	}
	return fit
}

// write writes the recording, and returns the sizes of the blobs that it would have come
// in. dir is webm/testdata.
func (in input) write(w io.Writer, dir string) (blobs []int, err error) {
	stream, err := os.ReadFile(filepath.Join(dir, in.template+".webm"))
	if err != nil {
		return nil, err
	}
	text, err := os.ReadFile(filepath.Join(dir, in.template+".json"))
	if err != nil {
		return nil, err
	}
	var about struct{ Chunks []int }
	if err := json.Unmarshal(text, &about); err != nil {
		return nil, err
	}
	s := webm.NewSplitter(webm.Options{})
	if err := s.Push(stream); err != nil {
		return nil, err
	}
	report, err := s.Finish()
	if err != nil {
		return nil, err
	}
	header := report.Recordings[0].Header
	scale := time.Duration(header.TimestampScale)
	loop := (time.Duration(report.Recordings[0].Duration) + scale - 1) / scale // ticks
	clusters := slices.Collect(s.TakeClusters())

	isCut := map[int64]bool{}
	var at int64
	for _, n := range about.Chunks {
		at += int64(n)
		isCut[at] = true
	}
	out := bufio.NewWriterSize(w, 1<<20)
	var size int64
	blob := 0
	put := func(b []byte) {
		out.Write(b) // Flush has its error
		size += int64(len(b))
		blob += len(b)
	}
	// copied writes a range of the real recording, cut as that was.
	copied := func(start, end int64) {
		for start < end {
			next := start + 1
			for next < end && !isCut[next] {
				next++
			}
			put(stream[start:next])
			if isCut[next] {
				blobs = append(blobs, blob)
				blob = 0
			}
			start = next
		}
	}
	copied(header.Start, header.End)
	for shift := time.Duration(0); ; shift += loop {
		for _, c := range clusters {
			if size >= in.size && shift*scale+time.Duration(c.Timestamp)*scale >= in.length {
				return append(blobs, blob), out.Flush()
			}
			// Both browsers write the Timestamp first.
			data := c.Start + int64(c.HeadLen)
			head, reason := ebml.ParseHead(stream[data:c.End], data)
			if head.ID != webm.IDTimestamp {
				return nil, fmt.Errorf("%s: the cluster at %d begins with %x, %v", in.template, c.Start, head.ID, reason)
			}
			copied(c.Start, data)
			put(ebml.AppendUint(nil, webm.IDTimestamp, uint64(int64(shift)+c.Timestamp)))
			copied(head.End(), c.End)
		}
	}
}

// writeFiles writes the inputs to a directory, and the sizes of their blobs beside them.
func writeFiles(dir, testdata string, megabytes int64) error {
	for _, in := range inputs(megabytes) {
		path := filepath.Join(dir, in.name+".webm")
		f, err := os.Create(path)
		if err != nil {
			return err
		}
		blobs, err := in.write(f, testdata)
		if err == nil {
			err = f.Close()
		}
		if err != nil {
			return err
		}
		text, err := json.Marshal(blobs)
		if err != nil {
			return err
		}
		if err := os.WriteFile(path+".json", text, 0o666); err != nil {
			return err
		}
	}
	return nil
}
