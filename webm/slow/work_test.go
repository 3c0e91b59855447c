// Package slow has the tests of webm that take long. They need nothing of its inside, or run
// the tests that are there with more streams.
package slow

// What streams cost that are made to cost much.

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/webmend/webmend/webm/internal/webmtest"
)

// Work is the statements that run, which a program with coverage counters counts,
// and the bytes that are allocated: for a byte the same however long the stream is.
func TestWorkIsInProportionToTheStreamWhateverIsInIt(t *testing.T) {
	program := filepath.Join(t.TempDir(), "work")
	if out, err := exec.Command("go", "build", "-cover", "-covermode=count", "-coverpkg=github.com/webmend/webmend/ebml,github.com/webmend/webmend/webm,./testdata/work", "-o", program, "./testdata/work").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	covdata, err := exec.Command("go", "tool", "-n", "covdata").Output()
	if err != nil {
		t.Fatal(err)
	}
	for _, shape := range webmtest.Shapes {
		t.Run(shape.Name, func(t *testing.T) {
			t.Parallel()
			for _, pushed := range []struct {
				chunk   int
				rewinds bool
				streams []int   // their lengths, a short one first so that what is not in proportion fails soon
				most    float64 // statements a byte
			}{
				{1 << 30, true, []int{64 << 10, 1 << 20, 4 << 20}, 200},
				{1 << 30, false, []int{64 << 10, 1 << 20}, 200},
				{4 << 10, true, []int{256 << 10, 512 << 10}, 200},
				{1, true, []int{32 << 10, 64 << 10}, 1500},
			} {
				var before [2]float64 // a byte, the most
				for i, n := range pushed.streams {
					stream := shape.Bytes(n)
					got := work(t, program, strings.TrimSpace(string(covdata)), pushed.chunk, pushed.rewinds, stream)
					// What lists allocate as they grow is up to a half more or less.
					how := fmt.Sprintf("%d bytes in chunks of %d, rewinds %v: %.1f statements run for a byte, %.1f bytes are allocated", n, pushed.chunk, pushed.rewinds, got[0], got[1])
					t.Log(how)
					if got[0] > pushed.most || i > 0 && (got[0] > 1.25*before[0]+1 || got[1] > 1.6*before[1]+1) {
						t.Fatalf("%s; before it were %.1f", how, before)
					}
					before = [2]float64{max(before[0], got[0]), max(before[1], got[1])}
				}
			}
		})
	}
}

// work tells how many statements of ebml and webm run for a byte of a stream that is
// split in chunks of so many bytes, and how many bytes are allocated.
func work(t *testing.T, program, covdata string, chunk int, rewinds bool, stream []byte) (perByte [2]float64) {
	t.Helper()
	dir := t.TempDir()
	cmd := exec.CommandContext(t.Context(), program, strconv.Itoa(chunk), strconv.FormatBool(rewinds))
	cmd.Env = append(os.Environ(), "GOCOVERDIR="+dir, "GOGC=400")
	cmd.Stdin = bytes.NewReader(stream)
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	fmt.Sscan(string(out), &perByte[1])
	textfmt := exec.Command(covdata, "textfmt", "-i=.", "-o=profile")
	textfmt.Dir = dir // whose name may have a comma, which separates inputs
	if out, err := textfmt.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	lines, err := os.ReadFile(filepath.Join(dir, "profile"))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(lines)) {
		// file.go:1.2,3.4 statements times
		if fields := strings.Fields(line); len(fields) == 3 && !strings.Contains(fields[0], "/testdata/") {
			statements, _ := strconv.ParseFloat(fields[1], 64)
			times, _ := strconv.ParseFloat(fields[2], 64)
			perByte[0] += statements * times
		}
	}
	if perByte[0] == 0 || perByte[1] == 0 {
		t.Fatalf("%s counts %v", program, perByte)
	}
	for i := range perByte {
		perByte[i] /= float64(len(stream))
	}
	return perByte
}
