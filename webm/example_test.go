package webm_test

import (
	"encoding/json"
	"fmt"
	"log"
	"os"
	"time"

	"github.com/webmend/webmend/ebml"
	"github.com/webmend/webmend/webm"
)

// blobs are those of a recording, as Chromium's MediaRecorder delivered them.
func blobs(name string) [][]byte {
	data, err := os.ReadFile("testdata/" + name + ".webm")
	if err != nil {
		log.Fatal(err)
	}
	text, err := os.ReadFile("testdata/" + name + ".json")
	if err != nil {
		log.Fatal(err)
	}
	var about struct{ Chunks []int }
	if err := json.Unmarshal(text, &about); err != nil {
		log.Fatal(err)
	}
	var blobs [][]byte
	for _, n := range about.Chunks {
		blobs = append(blobs, data[:n])
		data = data[n:]
	}
	return blobs
}

// A recording is pushed as its blobs come. The header and the clusters are
// ranges of the stream, known as soon as they are complete.
func ExampleSplitter() {
	s := webm.NewSplitter(webm.Options{})
	clusters := func() {
		for c := range s.TakeClusters() {
			fmt.Printf("cluster %d-%d lasts %v, %d blocks, %d key frames\n",
				c.Start, c.End, time.Duration(c.Duration), c.Blocks, len(c.KeyFrames))
		}
	}
	for _, blob := range blobs("chromium-10a-requestdata") {
		if err := s.Push(blob); err != nil {
			log.Fatal(err)
		}
		if h, ok := s.TakeHeader(); ok {
			fmt.Printf("header %d-%d of %s\n", h.Start, h.End, h.MimeType())
		}
		clusters()
	}
	report, err := s.Finish()
	if err != nil {
		log.Fatal(err)
	}
	clusters()
	fmt.Println("other", report.Other, "dropped", report.Dropped)
	// Output:
	// header 0-208 of video/webm; codecs="vp8,opus"
	// cluster 208-300036 lasts 4.057s, 168 blocks, 1 key frames
	// cluster 300036-598537 lasts 3.683s, 162 blocks, 1 key frames
	// cluster 598537-631292 lasts 326ms, 13 blocks, 1 key frames
	// other [{631292 631342}] dropped []
}

// Every element of a stream, in its order: this is what Firefox records when it
// is stopped at once.
func ExampleWalker() {
	w := webm.NewWalker(0, func(e webm.Element) {
		fmt.Printf("%*s%s at %d", 2*e.Level, "", e.Name, e.Offset)
		switch e.Type {
		case webm.String, webm.UTF8:
			fmt.Printf(": %q", e.Data)
		case webm.Uint:
			fmt.Printf(": %d", ebml.ParseUint(e.Data))
		}
		fmt.Println()
	})
	for _, blob := range blobs("firefox-23-stop-immediately") {
		if err := w.Push(blob); err != nil {
			log.Fatal(err)
		}
	}
	if err := w.Finish(); err != nil {
		log.Fatal(err)
	}
	// Output:
	// EBML at 0
	//   EBMLVersion at 12: 1
	//   EBMLReadVersion at 16: 1
	//   EBMLMaxIDLength at 20: 4
	//   EBMLMaxSizeLength at 24: 8
	//   DocType at 28: "webm"
	//   DocTypeVersion at 35: 2
	//   DocTypeReadVersion at 39: 2
	// Segment at 43
	//   SeekHead at 55
	//   Info at 67
	//     TimestampScale at 79: 1000000
	//     Duration at 86
	//     MuxingApp at 97: "QTmuxingAppLibWebM-0.0.1"
	//     WritingApp at 124: "QTwritingAppLibWebM-0.0.1"
	//   Tracks at 152
	//     TrackEntry at 164
	//       TrackNumber at 173: 1
	//       TrackUID at 176: 221450263
	//       CodecName at 183: "VP8"
	//       TrackType at 190: 1
	//       CodecID at 193: "V_VP8"
	//       Video at 200
	//         PixelWidth at 209: 640
	//         PixelHeight at 213: 480
	//     TrackEntry at 217
	//       TrackNumber at 226: 2
	//       TrackUID at 229: 3477728311
	//       TrackType at 236: 2
	//       CodecDelay at 239: 6500000
	//       SeekPreRoll at 246: 80000000
	//       CodecID at 253: "A_OPUS"
	//       CodecPrivate at 261
	//       CodecName at 283: "OPUS"
	//       Audio at 291
	//         SamplingFrequency at 300
	//         Channels at 310: 1
	//   Cluster at 313
	//     Timestamp at 325: 6
	//     SimpleBlock at 328
}
