//go:build bench

package wasmtest

// Sections of the benchmark about files: what processes make of them, and how fast
// streams are scanned inside one.

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"hash/maphash"
	"io"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/tetratelabs/wazero/api"

	"github.com/webmend/webmend/webm"
)

// peer is the process of peers.mjs.
func peer(name, does string, args ...string) process {
	return process{name: name, program: "node", args: append([]string{"bench/peers.mjs", does}, args...)}
}

// webmend is the process of the command line.
func webmend(t testing.TB, args ...string) process {
	return process{name: "**`webmend " + args[0] + "` (Node)**", program: "node", args: append([]string{built(t, "cli.js")}, args...)}
}

func (b *bench) scan(t *testing.T) {
	b.print("## Scan\n\nFinding every block of a file, as a process of its own: CPU time, as a multiple of a Go program that only reads the file 64 KB at a time, and peak memory.\n\n")
	for _, name := range []string{b.largest(), "audio"} {
		path := b.input(name)
		in := b.about(t, path)
		jobs := []process{
			{name: "reading (Go)", program: b.goSide, args: []string{"read", path}},
			{name: "**webmend, Go library**", program: b.goSide, args: []string{"scan", path}, counts: true},
			peer("reading (Node)", "scan read", path),
			webmend(t, "info", "--json", path),
			peer("mediabunny", "scan mediabunny", path),
			peer("ts-ebml", "scan ts-ebml", path),
			peer("ebml-stream", "scan ebml-stream", path),
			{name: "`ffprobe`", program: "ffprobe", args: []string{"-v", "error", "-count_packets", "-show_entries", "stream=nb_read_packets", "-of", "csv=p=0", path}, counts: true},
			{name: "`mkvinfo -a`", program: "mkvinfo", args: []string{"--ui-language", "en_US", "-a", path}},
		}
		for i := range jobs[4:7] {
			jobs[4+i].counts = true
		}
		used := turns(t, 3, jobs, func(int) {})
		rows := [][]string{{"of " + name, "× reading", "CPU s", "MB/s of CPU", "peak MB", ""}}
		for i, j := range jobs {
			var cpu []float64
			var peak []int64
			for _, u := range used[i] {
				cpu, peak = append(cpu, max(u.cpu, 0.001)), append(peak, u.peak)
			}
			verdict := used[i][0].failed
			if counts := strings.FieldsFunc(used[i][0].out, func(r rune) bool { return r < '0' || r > '9' }); verdict == "" && j.counts {
				blocks := 0
				for _, c := range counts {
					var n int
					fmt.Sscan(c, &n)
					blocks += n
				}
				verdict = "all blocks"
				if blocks != in.blocks {
					verdict = fmt.Sprintf("**%d blocks of %d**", blocks, in.blocks)
				}
			}
			rows = append(rows, []string{j.name, ratio(over(cpu, cpuOf(used[0]))), fmt.Sprintf("%.2f", median(cpu)),
				fmt.Sprintf("%.0f", float64(in.bytes)/1e6/median(cpu)), fmt.Sprint(median(peak) >> 20), verdict})
		}
		b.table(rows)
	}

	b.print("The same inside a process, of streams in memory, in GB/s; in brackets as a part of how fast bytes are copied in the same runtime: for ranges in (natively: read), for bytes and Recording in and out again. " +
		"*Ranges* is the module alone, told 64 KB at a time, with the facts of each cluster taken; *bytes* copies each cluster out as well; *Recording* is the package (`keep: false`), with `bytes()` of each cluster. Peers with chunks of 64 KB. " +
		"Natively *ranges* is of memory that no cache has, and *hop* looks at one byte of each block, which is the least that it can do; *ranges, at hand* is what scanning adds for bytes that have just been copied in, as they have been where they come from a file or the network. " +
		"Payloads are not looked at: what ranges take (of a module, besides copying in) is for each block and each cluster, so that *KB a block* is how large blocks must be on average to be scanned at 5 GB/s.\n\n")
	for _, name := range []string{b.middle(), "audio"} {
		in := b.about(t, b.input(name))
		rows := [][]string{{fmt.Sprintf("of %s, %.1f KB a block", name, float64(in.bytes)/1e3/float64(in.blocks)), "1 KB", "64 KB", "1 MB", "ns a block", "KB a block for 5 GB/s"}}
		add := func(where string, m memoryScan) {
			native := m.Seconds["read"] != nil
			for _, way := range []string{"copy in", "copy in and out", "read", "hop", "ranges", "ranges, at hand", "bytes", "Recording", "mediabunny", "ts-ebml", "ebml-stream"} {
				all := m.Seconds[way]
				if all == nil {
					continue
				}
				beside := m.Seconds[map[string]string{"ranges": "copy in", "bytes": "copy in and out", "Recording": "copy in and out"}[way]]
				if native && way != "copy in" && way != "read" {
					beside = m.Seconds["read"]
				}
				row := []string{where + ": " + way}
				for _, chunk := range []string{"1024", "65536", "1048576"} {
					cell := ""
					if s := all[chunk]; s != nil {
						cell = fmt.Sprintf("%.2f", float64(m.Bytes)/1e9/median(s))
					}
					if beside != nil {
						cell += fmt.Sprintf(" (%.2f)", over(beside[chunk], all[chunk]))
					}
					row = append(row, cell)
				}
				switch {
				case native && way != "copy in" && way != "read":
					each := median(all["65536"]) / float64(in.blocks)
					row = append(row, fmt.Sprintf("%.0f", 1e9*each), fmt.Sprintf("%.1f", each*5e9/1e3))
				case way == "ranges":
					// What is left of the time once the bytes have been copied in.
					each := (median(all["65536"]) - median(m.Seconds["copy in"]["65536"])) / float64(in.blocks)
					left := 1/5e9 - median(m.Seconds["copy in"]["65536"])/float64(m.Bytes)
					row = append(row, fmt.Sprintf("%.0f", 1e9*each), fmt.Sprintf("%.1f", each/max(left, 0)/1e3))
				default:
					row = append(row, "", "")
				}
				rows = append(rows, row)
			}
		}
		data, err := os.ReadFile(b.input(name))
		if err != nil {
			t.Fatal(err)
		}
		add("native", scanNatively(t, data, b.rounds))
		add("wazero", scanByWazero(t, data, 3))
		out := run(t, "node", "bench/scan.mjs", filepath.Dir(built(t, "index.js")), b.input(name), "3")
		var inNode memoryScan
		unmarshal(t, out, &inNode)
		add("Node", inNode)
		// A round at a time: Firefox's page may take 90 s for what it is asked.
		expression := fmt.Sprintf(`import(%q).then((m) => m.scan(%q))`, b.server+"/bench/scan.mjs", "/input/"+name+".webm")
		inBrowsers(t, func(t *testing.T, browser string, _ *tab, ask func(any, string)) {
			all := memoryScan{Seconds: map[string]map[string][]float64{}}
			for range 3 {
				var round memoryScan
				ask(&round, expression)
				all.Bytes = round.Bytes
				for way, chunks := range round.Seconds {
					if all.Seconds[way] == nil {
						all.Seconds[way] = map[string][]float64{}
					}
					for chunk, s := range chunks {
						all.Seconds[way][chunk] = append(all.Seconds[way][chunk], s...)
					}
				}
			}
			add(browser, all)
		})
		b.table(rows)
	}
}

// A memoryScan is how many seconds each way took in each round, by the size of chunks.
type memoryScan struct {
	Bytes   int
	Seconds map[string]map[string][]float64
}

func (m *memoryScan) note(way string, chunk int, begin time.Time) {
	if m.Seconds[way] == nil {
		m.Seconds[way] = map[string][]float64{}
	}
	key := fmt.Sprint(chunk)
	m.Seconds[way][key] = append(m.Seconds[way][key], time.Since(begin).Seconds())
}

// nothing is not known to the compiler.
var nothing = 0

var chunkSizes = []int{1 << 10, 64 << 10, 1 << 20}

func scanNatively(t *testing.T, data []byte, rounds int) memoryScan {
	m := memoryScan{len(data), map[string]map[string][]float64{}}
	var hops []int // from each block to the next
	last := 0
	w := webm.NewWalker(0, func(e webm.Element) {
		if e.ID == webm.IDSimpleBlock || e.ID == webm.IDBlockGroup {
			hops = append(hops, int(e.Offset)-last)
			last = int(e.Offset)
		}
	})
	if err := w.Push(data); err != nil {
		t.Fatal(err)
	}
	for range rounds {
		for _, chunk := range chunkSizes {
			each := func(f func(piece []byte)) {
				for at := 0; at < len(data); at += chunk {
					f(data[at:min(at+chunk, len(data))])
				}
			}
			memory := make([]byte, chunk)
			begin := time.Now()
			each(func(piece []byte) { copy(memory, piece) })
			m.note("copy in", chunk, begin)
			copying := time.Since(begin)

			begin = time.Now()
			at, next := 0, 0
			for _, n := range hops {
				at += n + next // where the next is depends on what is read here
				next = int(data[at]) & nothing
			}
			m.note("hop", chunk, begin)

			begin = time.Now()
			s := webm.NewSplitter(webm.Options{})
			each(func(piece []byte) {
				if err := s.Push(memory[:copy(memory, piece)]); err != nil {
					t.Fatal(err)
				}
				for range s.TakeClusters() {
				}
			})
			m.note("ranges, at hand", chunk, begin.Add(copying))

			begin = time.Now()
			each(func(piece []byte) { bytes.Count(piece, []byte{0}) }) // the fastest that reads all
			m.note("read", chunk, begin)

			begin = time.Now()
			s = webm.NewSplitter(webm.Options{})
			each(func(piece []byte) {
				if err := s.Push(piece); err != nil {
					t.Fatal(err)
				}
				for range s.TakeClusters() {
				}
			})
			m.note("ranges", chunk, begin)
		}
	}
	return m
}

func scanByWazero(t *testing.T, data []byte, rounds int) memoryScan {
	m := memoryScan{len(data), map[string]map[string][]float64{}}
	in := newInstance(t)
	ctx := context.Background()
	call := func(name string, args ...uint64) int {
		results, err := in.module.ExportedFunction(name).Call(ctx, args...)
		if err != nil {
			t.Fatal(err)
		}
		return int(api.DecodeI32(results[0]))
	}
	for range rounds {
		for _, chunk := range chunkSizes {
			each := func(f func(piece []byte)) {
				for at := 0; at < len(data); at += chunk {
					end := min(at+chunk, len(data))
					for i := at; i < end; i += pieceLength {
						f(data[i:min(i+pieceLength, end)])
					}
				}
			}
			address := uint32(call("reserve", pieceLength))
			begin := time.Now()
			each(func(piece []byte) { in.module.Memory().Write(address, piece) })
			m.note("copy in", chunk, begin)

			handle := uint64(in.call("open", 0))
			begin = time.Now()
			each(func(piece []byte) {
				in.module.Memory().Write(uint32(call("reserve", pieceLength)), piece)
				if call("pushChunk", handle, uint64(len(piece))) > 0 {
					call("takeHeader", handle)
					n := call("takeClusters", handle)
					in.module.Memory().Read(uint32(call("result")), uint32(n))
				}
			})
			m.note("ranges", chunk, begin)
			in.call("close", int(handle))
		}
	}
	return m
}

// turns runs processes in turn, some times over, and returns what each took in each round.
func turns(t *testing.T, rounds int, jobs []process, after func(i int)) [][]usage {
	t.Helper()
	used := make([][]usage, len(jobs))
	for range rounds {
		for i, j := range jobs {
			if len(used[i]) > 0 && used[i][0].wall > slow.Seconds() {
				continue
			}
			used[i] = append(used[i], j.measure(t))
			after(i)
		}
	}
	return used
}

func cpuOf(used []usage) (cpu []float64) {
	for _, u := range used {
		cpu = append(cpu, max(u.cpu, 0.001))
	}
	return cpu
}

func (b *bench) seekable(t *testing.T) {
	b.print("## Make seekable, file to file\n\nCPU time of the process as a multiple of `cp`, which copies inside the kernel, and peak memory; beside it what it takes a Go program only to read the file once, 64 KB at a time. What each wrote is checked: *frames* by their checksums in order, and *times*, by ffmpeg against the recording; Duration against the end of the last frame; Cues.\n\n")
	names := []string{b.middle(), b.largest(), "audio", "firefox", "blockgroups"}
	if names[0] == names[1] {
		names = names[1:]
	}
	for _, name := range names {
		path := b.input(name)
		in := b.about(t, path)
		want := packetsOf(t, path)
		out := filepath.Join(b.dir, "out.webm")
		jobs := []process{
			{name: "`cp`", program: "cp", args: []string{path, out}},
			peer("copy by Node's streams", "Node's streams", path, out),
			{name: "reading (Go)", program: b.goSide, args: []string{"read", path}},
			{name: "**webmend, Go library**", program: b.goSide, args: []string{"seekable", path, out}},
			webmend(t, "seekable", path, "-o", out),
			{name: "`ffmpeg -c copy`", program: "ffmpeg", args: []string{"-v", "error", "-y", "-i", path, "-map", "0", "-c", "copy", out}},
			{name: "`mkvmerge`", program: "mkvmerge", args: []string{"-q", "--webm", "-o", out, path}},
			peer("mediabunny Conversion", "mediabunny Conversion", path, out),
			peer("mediabunny packets", "mediabunny packets", path, out),
			peer("webm-duration-fix", "webm-duration-fix", path, out),
			peer("ts-ebml", "ts-ebml", path, out),
		}
		verdicts := make([][]string, len(jobs))
		used := turns(t, 3, jobs, func(i int) {
			if i >= 3 && verdicts[i] == nil {
				verdicts[i] = verdict(b, t, out, in, want)
			}
			os.Remove(out)
		})
		rows := [][]string{{"of " + name, "× cp", "× copy in Node", "CPU s", "s", "peak MB", "frames", "times", "Duration", "Cues"}}
		for i, j := range jobs {
			var wall []float64
			var peak []int64
			for _, u := range used[i] {
				wall, peak = append(wall, u.wall), append(peak, u.peak)
			}
			cells := verdicts[i]
			if failed := used[i][0].failed; failed != "" {
				cells = []string{"**" + failed + "**", "", "", ""}
			} else if cells == nil {
				cells = []string{"", "", "", ""}
			}
			rows = append(rows, append([]string{j.name, ratio(over(cpuOf(used[i]), cpuOf(used[0]))), ratio(over(cpuOf(used[i]), cpuOf(used[1]))),
				fmt.Sprintf("%.2f", median(cpuOf(used[i]))), fmt.Sprintf("%.2f", median(wall)), fmt.Sprint(median(peak) >> 20)}, cells...))
		}
		b.table(rows)
	}
}

// An aboutInput is what an input holds, by package webm.
type aboutInput struct {
	bytes            int64
	blocks, clusters int
	duration         float64 // s
}

func (b *bench) about(t *testing.T, path string) (a aboutInput) {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	s := webm.NewSplitter(webm.Options{})
	count := func() {
		for c := range s.TakeClusters() {
			a.clusters++
			a.blocks += c.Blocks
		}
	}
	buffer := make([]byte, 1<<20)
	for {
		n, err := f.Read(buffer)
		if err == io.EOF {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		if err := s.Push(buffer[:n]); err != nil {
			t.Fatal(err)
		}
		count()
	}
	report, err := s.Finish()
	if err != nil || len(report.Dropped) > 0 {
		t.Fatalf("%s: error %v, dropped %v", path, err, report.Dropped)
	}
	count()
	a.bytes = report.Bytes
	a.duration = time.Duration(report.Recordings[0].Duration).Seconds()
	return a
}

// packets are those of one kind that ffmpeg finds: how many, and a hash of all that
// they and their side data hold, and when they are.
type packets struct {
	count int
	data  maphash.Hash
	times []int32 // ms
}

var seed = maphash.MakeSeed()

// packetsOf are a file's, by the type of their stream.
func packetsOf(t *testing.T, path string) map[string]*packets {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "ffmpeg", "-v", "quiet", "-copyts", "-i", path, "-map", "0", "-c", "copy", "-f", "framecrc", "-")
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]*packets{}
	types := map[string]string{}
	tick := map[string]float64{} // ms
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		line := lines.Text()
		if rest, ok := strings.CutPrefix(line, "#media_type "); ok {
			stream, kind, _ := strings.Cut(rest, ": ")
			types[stream] = kind
			f := &packets{}
			f.data.SetSeed(seed)
			found[kind] = f
		}
		if rest, ok := strings.CutPrefix(line, "#tb "); ok {
			stream, base, _ := strings.Cut(rest, ": ")
			var a, b float64
			if n, err := fmt.Sscanf(base, "%g/%g", &a, &b); n < 2 {
				t.Fatalf("ffmpeg writes %q: %v", line, err)
			}
			tick[stream] = 1000 * a / b
		}
		if strings.HasPrefix(line, "#") {
			continue
		}
		// Stream, decoding and presentation time, duration, size, checksum, and what more there is.
		fields := strings.Split(line, ",")
		f := found[types[fields[0]]]
		f.count++
		time, err := strconv.Atoi(strings.TrimSpace(fields[2]))
		if err != nil {
			t.Fatalf("ffmpeg writes %q", line)
		}
		f.times = append(f.times, int32(math.Round(float64(time)*tick[fields[0]])))
		for _, field := range fields[4:] {
			if !strings.Contains(field, "F=") { // the key flag, which Firefox leaves out
				f.data.WriteString(strings.TrimSpace(field))
				f.data.WriteByte(',')
			}
		}
	}
	cmd.Wait() // what it could not read is missing
	return found
}

// verdict says of a file its frames, their times, Duration and Cues.
func verdict(b *bench, t *testing.T, path string, in aboutInput, want map[string]*packets) []string {
	t.Helper()
	cells := []string{"all", "right", "**none**", "**none**"}
	got := packetsOf(t, path)
	var off int32
	for kind, w := range want {
		g := got[kind]
		switch {
		case g == nil:
			cells[0] = "**no " + kind + "**"
		case g.count != w.count:
			cells[0] = fmt.Sprintf("**%d of %d of %s**", g.count, w.count, kind)
		case g.data.Sum64() != w.data.Sum64():
			cells[0] = "**" + kind + " differs**"
		}
		if g == nil || g.count != w.count {
			cells[1] = ""
			continue
		}
		for i := range g.times {
			off = max(off, g.times[i]-w.times[i], w.times[i]-g.times[i])
		}
	}
	if off > 0 && cells[1] != "" {
		cells[1] = fmt.Sprintf("up to %d ms off", off)
	}
	var facts struct {
		Duration float64
		Cues     int
	}
	out, err := exec.CommandContext(t.Context(), b.goSide, "facts", path).Output()
	if err == nil {
		err = json.Unmarshal(out, &facts)
	}
	if err != nil {
		return []string{cells[0], cells[1], "**unreadable**", ""}
	}
	if late := facts.Duration - in.duration; math.Abs(late) < 0.0015 {
		cells[2] = "right"
	} else if facts.Duration > 0 {
		cells[2] = fmt.Sprintf("%+.3f s", late)
	}
	if facts.Cues > 0 {
		cells[3] = fmt.Sprint(facts.Cues)
	}
	return cells
}
