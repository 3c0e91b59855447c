package wasmtest

// How long recordings last, beside what mkvmerge says: of files that ffmpeg writes, and
// of those that mkvmerge makes of them, which put several frames of sound into a block
// and say how long the last lasts.

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// closely is how many seconds two durations may differ by: timestamps are in whole
// milliseconds, and of Vorbis no frame tells how long it is.
const closely = 0.003

// The inputs of ffmpeg: sound or pictures that last so long.
func sine(rate int, seconds string) string {
	return fmt.Sprintf("-f lavfi -i sine=sample_rate=%d:duration=%s", rate, seconds)
}

func testsrc(seconds string) string {
	return "-f lavfi -i testsrc=size=160x120:rate=25:duration=" + seconds
}

// A timedFile is one to be made, or one that is there.
type timedFile struct {
	name   string
	ffmpeg string  // its arguments but for the output, or none
	file   string  // the output, or what is there
	cues   string  // what is in cues.srt
	want   float64 // how many seconds it lasts, where mkvmerge says otherwise
	why    string  // it does
}

var timedFiles = []timedFile{
	{name: "Vorbis", ffmpeg: sine(48000, "1.5") + " -c:a libvorbis", file: "out.webm"},
	{name: "Opus", ffmpeg: sine(48000, "1.5") + " -c:a libopus", file: "out.webm"},
	{name: "Opus that ends within a frame", ffmpeg: sine(48000, "1.007") + " -c:a libopus", file: "out.webm"},
	{name: "Opus of 60 ms that ends within a frame", ffmpeg: sine(48000, "1.007") + " -c:a libopus -frame_duration 60", file: "out.webm"},
	{name: "Opus of 2.5 ms", ffmpeg: sine(48000, "1.007") + " -c:a libopus -frame_duration 2.5 -application lowdelay", file: "out.webm"},
	{name: "FLAC of 48 kHz", ffmpeg: sine(48000, "1.3") + " -c:a flac", file: "out.mkv"},
	{name: "FLAC of 44.1 kHz", ffmpeg: sine(44100, "1.3") + " -c:a flac", file: "out.mkv"},
	{name: "FLAC whose frames have a size of their own", ffmpeg: sine(44100, "1.3") + " -c:a flac -frame_size 1000", file: "out.mkv"},
	{name: "FLAC at a rate of its own", ffmpeg: sine(12345, "1.3") + " -c:a flac", file: "out.mkv"},
	{name: "PCM", ffmpeg: sine(44100, "1.3") + " -c:a pcm_s16le", file: "out.mkv"},
	{name: "MP3, of whose end there is too much", ffmpeg: sine(48000, "1.3") + " -c:a libmp3lame", file: "out.mkv"},
	{name: "AAC", ffmpeg: sine(48000, "1.3") + " -c:a aac", file: "out.mkv"},
	{name: "VP8", ffmpeg: testsrc("1.2") + " -c:v libvpx", file: "out.webm"},
	{name: "VP9", ffmpeg: testsrc("1.2") + " -c:v libvpx-vp9", file: "out.webm"},
	{name: "H.264 with B-frames", ffmpeg: testsrc("1.2") + " -pix_fmt yuv420p -c:v libx264 -bf 3", file: "out.mkv"},
	{name: "MPEG-4 with B-frames", ffmpeg: testsrc("1.2") + " -c:v mpeg4 -bf 2", file: "out.mkv"},
	{name: "VP8, and Opus that ends later", ffmpeg: testsrc("1.2") + " " + sine(48000, "1.507") + " -c:v libvpx -c:a libopus", file: "out.webm"},
	{name: "VP8, and Vorbis that ends earlier", ffmpeg: testsrc("1.2") + " " + sine(48000, "1.007") + " -c:v libvpx -c:a libvorbis", file: "out.webm"},
	{name: "subtitles that end before the picture", ffmpeg: testsrc("1.2") + " -i cues.srt -c:v libvpx -c:s srt", file: "out.mkv",
		cues: "1\n00:00:00,200 --> 00:00:00,500\nThe first\n\n2\n00:00:00,900 --> 00:00:01,000\nThe second\n"},
	{name: "subtitles that end after the picture", ffmpeg: testsrc("1.2") + " -i cues.srt -c:v libvpx -c:s srt", file: "out.mkv",
		cues: "1\n00:00:00,200 --> 00:00:00,500\nThe first\n\n2\n00:00:01,100 --> 00:00:02,000\nThe second\n"},
	{name: "WebVTT that ends after the picture", ffmpeg: testsrc("1.2") + " -i cues.srt -c:v libvpx -c:s webvtt", file: "out.webm",
		cues: "1\n00:00:00,200 --> 00:00:00,500\nThe first\n\n2\n00:00:01,100 --> 00:00:02,000\nThe second\n"},
	{name: "subtitles the last of which last for a moment", ffmpeg: testsrc("1.2") + " -i cues.srt -c:v libvpx -c:s srt", file: "out.mkv",
		cues: "1\n00:00:00,100 --> 00:00:00,200\nThe first\n\n2\n00:00:01,180 --> 00:00:01,190\nThe second\n"},
	{name: "subtitles the last of which do not say how long they last", ffmpeg: testsrc("1.2") + " -i cues.srt -c:v libvpx -c:s srt", file: "out.mkv",
		cues: "1\n00:00:00,200 --> 00:00:00,500\nThe first\n\n2\n00:00:01,500 --> 00:00:01,500\nThe second\n",
		want: 1.5, why: "mkvmerge leaves such subtitles out"},
	{name: "subtitles alone", ffmpeg: "-i cues.srt -c:s srt", file: "out.mkv",
		cues: "1\n00:00:00,200 --> 00:00:00,500\nThe first\n\n2\n00:00:00,900 --> 00:00:01,000\nThe second\n"},
	{name: "Vorbis the last lace of which is shorter", file: "../webm/testdata/cases/last-lace-is-shorter.webm",
		want: 0.789, why: "mkvmerge counts half of the first frame, of which a decoder puts out nothing"},
}

func TestFilesLastAsLongAsMkvmergeSays(t *testing.T) {
	for _, c := range timedFiles {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			made := c.file
			if c.ffmpeg != "" {
				made = filepath.Join(dir, c.file)
				cues := filepath.Join(dir, "cues.srt")
				if err := os.WriteFile(cues, []byte(c.cues), 0o666); err != nil {
					t.Fatal(err)
				}
				args := strings.Fields("-v error " + c.ffmpeg)
				if i := slices.Index(args, "cues.srt"); i >= 0 {
					args[i] = cues
				}
				run(t, "ffmpeg", append(args, made)...)
			}
			remuxed, again := filepath.Join(dir, "remuxed.mkv"), filepath.Join(dir, "again.mkv")
			run(t, "mkvmerge", "-q", "-o", remuxed, made)
			run(t, "mkvmerge", "-q", "-o", again, remuxed)

			want := mkvDuration(t, remuxed)
			if c.why != "" {
				// Then ffprobe agrees, and mkvmerge does not.
				if _, got := span(t, made); math.Abs(got-c.want) > closely {
					t.Errorf("by ffprobe its packets end at %.4f s, not at %.4f", got, c.want)
				}
				if math.Abs(want-c.want) <= closely {
					t.Errorf("mkvmerge says %.4f s as well: it is not so that %s", want, c.why)
				}
				want = c.want
			}
			checkDuration(t, "the file", made, want)
			checkDuration(t, "what mkvmerge made of it", remuxed, mkvDuration(t, again))
		})
	}
}

func checkDuration(t *testing.T, name, path string, want float64) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	o := splitDamaged(data)
	if o.err != nil || len(o.report.Dropped) > 0 || len(o.report.Recordings) != 1 {
		t.Fatalf("%s: error %v, dropped %v, %d recordings", name, o.err, o.report.Dropped, len(o.report.Recordings))
	}
	if got := float64(o.report.Recordings[0].Duration) / 1e9; math.Abs(got-want) > closely {
		t.Errorf("%s lasts %.4f s, not %.4f", name, got, want)
	}
}

// mkvDuration is when a file that mkvmerge made ends, in seconds: its Duration, which
// mkvmerge counts from the first frame on.
func mkvDuration(t *testing.T, path string) float64 {
	t.Helper()
	var told struct {
		Container struct {
			Properties struct{ Duration float64 } // ns
		}
	}
	if err := json.Unmarshal(run(t, "mkvmerge", "-J", path), &told); err != nil {
		t.Fatal(err)
	}
	if told.Container.Properties.Duration == 0 {
		t.Fatal("mkvmerge finds no Duration")
	}
	begin, _ := span(t, path)
	return begin + told.Container.Properties.Duration/1e9
}

// span is when the first packet of a file begins and the last ends by ffprobe, in
// seconds from 0 on.
func span(t *testing.T, path string) (begin, end float64) {
	t.Helper()
	begin = math.Inf(1)
	for _, packets := range timed(t, path) {
		for _, p := range packets {
			begin, end = min(begin, p.at), max(end, p.at+p.lasts)
		}
	}
	return max(0, begin), end
}
