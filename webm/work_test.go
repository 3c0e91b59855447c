package webm

// What streams cost that are made to cost much.

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/webmend/webmend/ebml"
)

// crafted are streams that are to make a splitter look at the same bytes again and
// again: what to begin with, and what follows for so many bytes.
var crafted = []struct {
	name  string
	begin []byte
	rest  func(n int) []byte
}{
	{"a recording", ebmlHeader(), again(stream(tracks(vp8, opus), cluster(0, simpleBlock(1, 0, 0x80, "frame"), simpleBlock(2, 0, 0x80, "sound")))[12:])},
	{"recordings", nil, again(stream(tracks(vp8), cluster(0, simpleBlock(1, 0, 0x80, "frame"))))},
	{"EBML headers", spoilt, again(ebmlHeader())},
	{"EBML headers without a DocType", spoilt, again(element(ebml.IDEBML))},
	{"EBML headers that claim much", spoilt, again([]byte(ebmlMagic + "\x08\x00\x00\x00\x42\x82\x4F\xFF"))},
	{"the beginning of EBML headers", spoilt, again([]byte(ebmlMagic[:3]))},
	{"first octets of the ID of an EBML header", spoilt, again([]byte(ebmlMagic[:1]))},
	{"first octets of the ID of a Cluster", spoilt, again([]byte(clusterMagic[:1]))},
	{"IDs of Clusters", spoilt, again([]byte(clusterMagic))},
	{"Clusters with nothing in them", spoilt, again(unknown(IDCluster))},
	{"Clusters with a Timestamp alone", spoilt, again(cluster(0))},
	{"Clusters with a block that claims all that there can be", spoilt, again(cluster(0, huge(IDSimpleBlock)))},
	{"Clusters with a block, and one that claims much", spoilt, again(cluster(0, simpleBlock(1, 0, 0, ""), []byte("\xA3\x10\x00\x40\x00\x81\x00\x00\x00")))},
	{"Clusters with blocks, and one that claims much", spoilt, again(cluster(0, simpleBlock(1, 0, 0, ""), simpleBlock(1, 0, 0, ""), []byte("\xA3\x10\x00\x40\x00\x81\x00\x00\x00")))},
	{"Clusters with a block with lacing that claims much", spoilt, again(cluster(0, simpleBlock(1, 0, 0, ""), []byte("\xA3\x10\x00\x40\x00\x82\x00\x00\x06\xFF\xFF\xFF")))},
	{"sized Clusters that claim much", spoilt, again([]byte(clusterMagic + "\x10\x00\x40\x00\xE7\x81\x00\xA3\x10\x00\x3F\xF8\x81\x00\x00\x00"))},
	{"sized Clusters in each other", nil, func(n int) (b []byte) {
		b = stream(tracks(vp8))
		for len(b) < n {
			b = ebml.AppendHeadWidth(b, IDCluster, int64(n-len(b)), 4)
			b = append(b, "\xE7\x81\x00\xA3\x84\x81\x00\x00\x00"...)
		}
		return b
	}},
	{"Clusters with damage in between", spoilt, again(cluster(0, simpleBlock(1, 0, 0, ""), simpleBlock(1, 0, 0, ""), []byte{0}))},
	{"blocks that go back in time", spoilt, again(cluster(9, simpleBlock(2, 9, 0, ""), simpleBlock(2, 0, 0, "")))},
	{"blocks of no track", spoilt, again(cluster(0, simpleBlock(1, 0, 0, ""), simpleBlock(7, 0, 0, "")))},
	{"empty elements in a Cluster", whole, again(element(ebml.IDVoid))},
	{"empty BlockGroups", whole, again(group())},
	{"blocks without frames", whole, again(simpleBlock(1, 0, 0x80, ""))},
	{"blocks of 256 frames without bytes", whole, again(simpleBlock(1, 0, 0x82, "\xFF"+strings.Repeat("\x00", 255)))},
	{"empty elements before the Tracks", stream(), again(element(ebml.IDVoid))},
	{"elements in Info", append(stream(), huge(IDInfo)...), again(text(IDMuxingApp, ""))},
	{"elements of a track", append(stream(), ebml.AppendHead(huge(IDTracks), IDTrackEntry, 1<<40)...), again(text(IDCodecID, ""))},
	{"bytes of CodecPrivate", append(stream(), ebml.AppendHead(ebml.AppendHead(huge(IDTracks), IDTrackEntry, 1<<40), IDCodecPrivate, 1<<39)...), again([]byte{0})},
	{"Clusters of 128 tracks", stream(tracks(slices.Repeat(vp8, 128))), again(cluster(0, simpleBlock(1, 0, 0, "")))},
	{"Cues", whole, again(element(IDCues))},
	{"zeros", spoilt, again([]byte{0})},
}

// spoilt is a recording to whose end there is damage, whole one in whose last
// cluster more may follow.
var (
	whole  = stream(tracks(vp8, opus), cluster(0, simpleBlock(1, 0, 0x80, "frame")))
	spoilt = append(slices.Clone(whole), 0)
)

func again(b []byte) func(n int) []byte {
	return func(n int) []byte { return bytes.Repeat(b, n/len(b)) }
}

// Work is the statements that run, which a program with coverage counters counts,
// and the bytes that are allocated: for a byte the same however long the stream is.
func TestWorkIsInProportionToTheStreamWhateverIsInIt(t *testing.T) {
	program := filepath.Join(t.TempDir(), "work")
	if out, err := exec.Command("go", "build", "-cover", "-covermode=count", "-coverpkg=../ebml,.,./testdata/work", "-o", program, "./testdata/work").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	covdata, err := exec.Command("go", "tool", "-n", "covdata").Output()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range crafted {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			for _, pushed := range []struct {
				chunk   int
				rewinds bool
				streams []int   // their lengths, a short one first so that what is not in proportion fails soon
				most    float64 // statements a byte
			}{
				{1 << 30, true, []int{64 << 10, 1 << 20, 4 << 20}, 150},
				{1 << 30, false, []int{64 << 10, 1 << 20}, 150},
				{4 << 10, true, []int{256 << 10, 512 << 10}, 150},
				{1, true, []int{16 << 10, 64 << 10}, 1500},
			} {
				var before [2]float64 // a byte
				for i, n := range pushed.streams {
					stream := slices.Concat(c.begin, c.rest(n-len(c.begin)))
					got := work(t, program, strings.TrimSpace(string(covdata)), pushed.chunk, pushed.rewinds, stream)
					// What lists allocate as they grow is up to a half more or less.
					how := fmt.Sprintf("%d bytes in chunks of %d, rewinds %v: %.1f statements run for a byte, %.1f bytes are allocated", n, pushed.chunk, pushed.rewinds, got[0], got[1])
					if t.Log(how); got[0] > pushed.most || i > 0 && (got[0] > 1.25*before[0]+1 || got[1] > 1.6*before[1]+1) {
						t.Fatalf("%s; before it were %.1f", how, before)
					}
					before = got
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
	cmd.Env = append(os.Environ(), "GOCOVERDIR="+dir)
	cmd.Stdin = bytes.NewReader(stream)
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	fmt.Sscan(string(out), &perByte[1])
	profile := filepath.Join(dir, "profile")
	if out, err := exec.Command(covdata, "textfmt", "-i="+dir, "-o="+profile).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	lines, err := os.ReadFile(profile)
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

func TestFragmentsOfALongClusterCostWhatIsInThem(t *testing.T) {
	half := uint64(0)
	for _, megabytes := range []int{1, 2, 4} {
		stream := slices.Concat(whole, again(simpleBlock(1, 0, 0x80, ""))(megabytes<<20))
		n := allocatedBy(func() {
			s := NewSplitter(Options{})
			for chunk := range slices.Chunk(stream, 64<<10) {
				s.Push(chunk)
				s.Fragments()
			}
			s.Finish()
		})
		if half > 0 && n > half*22/10 {
			t.Errorf("%d MB: %d bytes are allocated, and %d for half", megabytes, n, half)
		}
		half = n
	}
}
