// Work splits its standard input, pushed in chunks of as many bytes as its first
// argument says, and again where it is to be if the second is true. It prints how many
// bytes it allocated for that. A test builds it with
// coverage counters, to know how often each statement ran.
package main

import (
	"fmt"
	"io"
	"log"
	"os"
	"runtime"
	"strconv"

	"github.com/webmend/webmend/webm"
)

func main() {
	size, err := strconv.Atoi(os.Args[1])
	if err != nil {
		log.Fatal(err)
	}
	stream, err := io.ReadAll(os.Stdin)
	if err != nil {
		log.Fatal(err)
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	s := webm.NewSplitter(webm.Options{Rewinds: os.Args[2] == "true"})
	var report webm.Report
	for at, back := 0, true; back; {
		for at < len(stream) {
			end := min(at+size, len(stream))
			s.Push(stream[at:end])
			s.TakeHeader()
			for range s.TakeClusters() {
			}
			at, _ = rewound(s, end)
		}
		report, err = s.Finish()
		at, back = rewound(s, at)
	}
	runtime.ReadMemStats(&after)
	fmt.Println(after.TotalAlloc-before.TotalAlloc, len(report.Recordings), len(report.Dropped), err)
}

// rewound is where to go on, which is at or where the splitter wants to read again,
// and whether it does.
func rewound(s *webm.Splitter, at int) (int, bool) {
	if back, ok := s.Rewind(); ok {
		return int(back), true
	}
	return at, false
}
