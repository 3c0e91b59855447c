package webm

// What browsers recorded, split.

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the golden files of testdata anew")

func TestARecordingGivesTheSameHoweverItIsCut(t *testing.T) {
	eachFixture(t, func(t *testing.T, f fixture) {
		t.Parallel()
		whole := split(Options{}, f.data)
		whole.check(t, f.data)
		want := whole.String()
		compare(t, "byte by byte", split(Options{}, bytewise(f.data)...).String(), want)
		compare(t, "as recorded", split(Options{}, f.chunks...).String(), want)
		for seed := range uint64(4) {
			compare(t, fmt.Sprintf("cut with seed %d", seed), split(Options{}, cut(f.data, seed)...).String(), want)
		}
	})
}

func TestARecordingIsSplitAsTheReferenceDoes(t *testing.T) {
	eachFixture(t, func(t *testing.T, f fixture) {
		headers, clusters := refSplit(f.data)
		o := split(Options{}, f.data)
		var ranges []Range
		for _, h := range o.headers {
			ranges = append(ranges, h.Range)
		}
		if !slices.Equal(ranges, headers) {
			t.Errorf("headers %v; the reference has %v", ranges, headers)
		}
		if len(o.clusters) != len(clusters) {
			t.Fatalf("%d clusters; the reference has %d", len(o.clusters), len(clusters))
		}
		for i, c := range o.clusters {
			c.Duration = 0 // which the reference does not have
			if got, want := show(c), show(clusters[i]); got != want {
				t.Errorf("cluster %d is\n\t%s\nand by the reference\n\t%s", i, got, want)
			}
		}
	})
}

// The golden files show every change of what is said of a real recording. Make
// them with: go test ./webm -update
func TestARecordingIsWhatItsGoldenFileSays(t *testing.T) {
	eachFixture(t, func(t *testing.T, f fixture) {
		path := filepath.Join("testdata", f.name+".golden")
		got := golden(split(Options{}, f.data))
		if *update {
			if err := os.WriteFile(path, []byte(got), 0o666); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		compare(t, f.name, got, string(want))
	})
}

func golden(o outcome) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d bytes\n", o.report.Bytes)
	for _, e := range []*Error{o.pushErr, o.finishErr} {
		if e != nil {
			fmt.Fprintf(&b, "error: %s at %d: %v\n", e.Code, e.Offset, e)
		}
	}
	clusters := o.clusters
	for i, r := range o.report.Recordings {
		h := o.headers[i]
		fmt.Fprintf(&b, "\nrecording %d: header %d-%d, %s\n", i, h.Start, h.End, h.MimeType())
		fmt.Fprintf(&b, "  DocType %s, TimestampScale %d, Duration %g, MuxingApp %q, WritingApp %q\n",
			h.DocType, h.TimestampScale, h.Duration, h.MuxingApp, h.WritingApp)
		fmt.Fprintf(&b, "  %s in all, %d clusters, in the end %s\n", seconds(r.Duration), r.NumClusters, r.Header.MimeType())
		for _, t := range h.Tracks {
			fmt.Fprintf(&b, "  track %d: %v %s, UID %d, codec %q", t.Number, t.Type, t.CodecID, t.UID, t.Codec)
			if t.Type == Video {
				fmt.Fprintf(&b, ", %dx%d, alpha %v, MaxBlockAdditionID %d", t.Width, t.Height, t.AlphaMode, t.MaxBlockAdditionID)
			} else {
				fmt.Fprintf(&b, ", %g Hz, %d channels, %d bits, CodecDelay %d, SeekPreRoll %d", t.SampleRate, t.Channels, t.BitDepth, t.CodecDelay, t.SeekPreRoll)
			}
			fmt.Fprintf(&b, ", DefaultDuration %d, Name %q, Language %q, CodecPrivate %x\n", t.DefaultDuration, t.Name, t.Language, t.CodecPrivate)
		}
		for len(clusters) > 0 && clusters[0].Recording == i {
			c := clusters[0]
			clusters = clusters[1:]
			size := "unknown size"
			if c.Known {
				size = "known size"
			}
			if c.Cut {
				size += ", cut"
			}
			fmt.Fprintf(&b, "  cluster %d-%d: head %d, %s, timestamp %d, %s, %d blocks", c.Start, c.End, c.HeadLen, size, c.Timestamp, seconds(c.Duration), c.Blocks)
			for _, t := range c.Tracks {
				fmt.Fprintf(&b, ", track %d %d (%d key)", t.Number, t.Blocks, t.KeyFrames)
			}
			for _, k := range c.KeyFrames {
				fmt.Fprintf(&b, "; track %d key at %d, byte %d", k.Track, k.Timestamp, k.Offset)
			}
			b.WriteByte('\n')
		}
	}
	for _, r := range o.report.Other {
		fmt.Fprintf(&b, "\nother %d-%d", r.Start, r.End)
	}
	for _, d := range o.report.Dropped {
		fmt.Fprintf(&b, "\ndropped %d-%d: %v", d.Start, d.End, d.Reason)
	}
	return strings.TrimRight(b.String(), "\n") + "\n"
}

func seconds(ns int64) string { return fmt.Sprintf("%.4f s", float64(ns)/1e9) }

func TestARestartedRecorderGivesTwoRecordings(t *testing.T) {
	for _, name := range []string{"chromium-24-same-recorder-restart", "firefox-24-same-recorder-restart"} {
		t.Run(name, func(t *testing.T) {
			f := load(t, name)
			o := split(Options{}, f.chunks...)
			if len(o.headers) != 2 {
				t.Fatalf("%d headers; want 2", len(o.headers))
			}
			second := bytes.LastIndex(f.data, []byte(ebmlMagic))
			first := bytes.Index(f.data, []byte(clusterMagic))
			third := second + bytes.Index(f.data[second:], []byte(clusterMagic))
			if got, want := o.headers[0].Range, (Range{0, int64(first)}); got != want {
				t.Errorf("the first header is %v; want %v", got, want)
			}
			if got, want := o.headers[1].Range, (Range{int64(second), int64(third)}); got != want {
				t.Errorf("the second header is %v; want %v", got, want)
			}
			count := [2]int{}
			for _, c := range o.clusters {
				want := 0
				if c.Start >= int64(second) {
					want = 1
				}
				if c.Recording != want {
					t.Errorf("cluster %v is of recording %d; want %d", c.Range, c.Recording, want)
				}
				if count[want] == 0 && c.Timestamp > 100 {
					t.Errorf("recording %d begins at %d ticks; want about 0", want, c.Timestamp)
				}
				count[want]++
			}
			for i, r := range o.report.Recordings {
				if r.NumClusters != count[i] || count[i] == 0 {
					t.Errorf("recording %d has %d clusters, of which %d were given", i, r.NumClusters, count[i])
				}
				// Each lasts about half of the recording's 6 s, on a clock of its own.
				if r.Duration < 2e9 || r.Duration > 4e9 {
					t.Errorf("recording %d lasts %s", i, seconds(r.Duration))
				}
				if i > 0 && r.Header.Tracks[0].UID == o.report.Recordings[0].Header.Tracks[0].UID {
					t.Error("both recordings have the same TrackUID: one header was read for the other")
				}
			}
		})
	}
}

// One after the other, the files of two recorders are a stream as well.
func TestRecordingsOneAfterAnotherAreSplitAsEachAlone(t *testing.T) {
	var stream []byte
	var want []string
	for i, name := range []string{"chromium-36-late-requestdata", "firefox-23-stop-immediately", "chromium-07-vp8opus-nots"} {
		f := load(t, name)
		o := split(Options{}, f.data)
		for _, c := range o.clusters {
			c.Start += int64(len(stream))
			c.End += int64(len(stream))
			c.Recording = i
			for j := range c.KeyFrames {
				c.KeyFrames[j].Offset += int64(len(stream))
			}
			want = append(want, show(c))
		}
		stream = append(stream, f.data...)
	}
	o := split(Options{}, cut(stream, 2)...)
	o.check(t, stream)
	var got []string
	for _, c := range o.clusters {
		got = append(got, show(c))
	}
	if !slices.Equal(got, want) {
		t.Errorf("got clusters\n\t%s\nwant\n\t%s", strings.Join(got, "\n\t"), strings.Join(want, "\n\t"))
	}
}

// A caller that waits for no byte too many can write a cluster while the next is
// recorded.
func TestHeadersAndClustersComeWithTheByteThatCompletesThem(t *testing.T) {
	for _, name := range []string{"chromium-24-same-recorder-restart", "chromium-36-late-requestdata", "firefox-08-pause-vp8opus-ts500"} {
		t.Run(name, func(t *testing.T) {
			f := load(t, name)
			heads := map[int64]int64{} // where the head of the element that begins here ends
			for _, e := range refElements(f.data) {
				heads[int64(e.start)] = int64(e.data)
			}
			// What nothing follows is complete when Finish says so.
			ready := func(end int64) int64 { return max(heads[end], 0) }

			s := NewSplitter(Options{})
			n := 0
			for i := range f.data {
				if err := s.Push(f.data[i : i+1]); err != nil {
					t.Fatal(err)
				}
				pushed := int64(i + 1)
				if h, ok := s.TakeHeader(); ok {
					n++
					if pushed != ready(h.End) {
						t.Errorf("header %v came after %d bytes", h.Range, pushed)
					}
				}
				for c := range s.TakeClusters() {
					n++
					want := c.End
					if !c.Known {
						want = ready(c.End)
					}
					if pushed != want {
						t.Errorf("cluster %v, known %v, came after %d bytes", c.Range, c.Known, pushed)
					}
				}
			}
			if _, err := s.Finish(); err != nil {
				t.Error(err)
			}
			late := slices.Collect(s.TakeClusters())
			for _, c := range late {
				if c.Known || c.End != int64(len(f.data)) {
					t.Errorf("cluster %v, known %v, came at Finish", c.Range, c.Known)
				}
			}
			o := split(Options{}, f.data)
			if n+len(late) != len(o.headers)+len(o.clusters) {
				t.Errorf("%d came with their last byte and %d at the end; there are %d headers and %d clusters",
					n, len(late), len(o.headers), len(o.clusters))
			}
		})
	}
}

func TestAFileCutAtAnyByteGivesAllThatWasCompleteBefore(t *testing.T) {
	for _, name := range []string{"chromium-23b-stop-at-60ms", "firefox-23-stop-immediately"} {
		t.Run(name, func(t *testing.T) {
			f := load(t, name)
			elements := refElements(f.data)
			full := split(Options{}, f.data)
			boundaries := map[int]bool{0: true} // where elements begin or end that a splitter can stop at
			tracksEnd := 0
			for _, e := range elements {
				if e.level <= 2 {
					boundaries[e.end] = true
				}
				if e.level < 2 && (e.id == 0x18538067 || e.id == 0x1F43B675) {
					boundaries[e.data] = true
				}
				if e.id == 0x1654AE6B {
					tracksEnd = e.end
				}
			}
			for n := range f.data {
				o := split(Options{}, f.data[:n])
				o.check(t, f.data[:n])
				if o.pushErr != nil {
					t.Errorf("cut to %d bytes, Push says %v", n, o.pushErr)
				}
				if n < tracksEnd {
					if o.finishErr == nil || len(o.headers) > 0 {
						t.Errorf("cut to %d bytes, %d headers and error %v", n, len(o.headers), o.finishErr)
					}
					continue
				}
				if o.finishErr != nil || len(o.headers) != 1 {
					t.Fatalf("cut to %d bytes, %d headers and error %v", n, len(o.headers), o.finishErr)
				}
				if int64(n) >= full.headers[0].End && o.headers[0].Range != full.headers[0].Range {
					t.Errorf("cut to %d bytes, the header is %v", n, o.headers[0].Range)
				}
				if boundaries[n] == (len(o.report.Dropped) > 0) {
					t.Errorf("cut to %d bytes, dropped %v", n, o.report.Dropped)
				}

				given := o.clusters
				for _, want := range full.clusters {
					if int64(n) < want.End {
						want = refCutCluster(elements, want, n)
					}
					if want.Blocks == 0 {
						continue
					}
					if len(given) == 0 {
						t.Errorf("cut to %d bytes, cluster %v is missing", n, want.Range)
						break
					}
					if got := given[0]; got.Range != want.Range || got.Blocks != want.Blocks || got.Timestamp != want.Timestamp {
						t.Errorf("cut to %d bytes, a cluster is\n\t%+v\nand should be\n\t%+v", n, got, want)
					}
					given = given[1:]
				}
				for _, c := range given {
					if c.Blocks > 0 {
						t.Errorf("cut to %d bytes, %+v is one cluster too many", n, c)
					}
				}
			}
		})
	}
}

// refCutCluster is what there is of a cluster in the first n bytes.
func refCutCluster(elements []refElement, c Cluster, n int) Cluster {
	c.Blocks = 0
	end := c.End
	c.End = 0
	for _, e := range elements {
		if e.level == 2 && int64(e.start) >= c.Start && int64(e.end) <= end && e.end <= n {
			c.End = int64(e.end)
			if e.id == 0xA0 || e.id == 0xA3 {
				c.Blocks++
			}
		}
	}
	return c
}
