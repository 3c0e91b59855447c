package wasmtest

// One suite that all builds pass: the same answers as package webm, of every
// recording, cut in every way tried, and of streams that are no recordings.

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/webmend/webmend/webm"
)

// A build is one way to use the module. What it has no way to do is nil.
type build struct {
	name        string
	transcripts func(t *testing.T, jobs []job) []value
	elements    func(t *testing.T, jobs []job) []value
	calls       func(t *testing.T, lists [][]call) []array
}

// A call is one call of an export, pushChunk with bytes.
type call struct {
	Export   string `json:"export"`
	Argument int    `json:"argument"`
	Bytes    string `json:"bytes"`
	want     value
}

var builds = []build{
	underWazero("the reactor under wazero", linked),
	underWazero("the reactor with lines, under wazero", lines),
	underWazero("the reactor as compiled, under wazero", plain),
	{
		"the GOOS=js build in Node",
		func(t *testing.T, jobs []job) []value { return goInNode(t, input{Jobs: jobs}).Jobs },
		func(t *testing.T, jobs []job) []value { return goInNode(t, input{Walks: jobs}).Walks },
		func(t *testing.T, lists [][]call) []array { return goInNode(t, input{Calls: lists}).Calls },
	},
	inNode("the reactor in Node by the npm package", linked),
	inNode("the reactor as compiled, in Node by the npm package", plain),
}

func underWazero(name, module string) build {
	return build{
		name,
		func(t *testing.T, jobs []job) []value { return each(jobs, newInstanceOf(t, module).transcript) },
		func(t *testing.T, jobs []job) []value { return each(jobs, newInstanceOf(t, module).elements) },
		func(t *testing.T, lists [][]call) []array { return each(lists, newInstanceOf(t, module).calls) },
	}
}

func inNode(name, module string) build {
	return build{
		name,
		func(t *testing.T, jobs []job) []value {
			return node(t, input{Jobs: jobs}, "npm", built(t, "index.js"), built(t, module)).Jobs
		},
		nil, nil,
	}
}

func each[A, B any](all []A, f func(A) B) (results []B) {
	for _, a := range all {
		results = append(results, f(a))
	}
	return results
}

// input and output are what node.mjs reads and writes.
type input struct {
	Jobs  []job    `json:"jobs"`
	Walks []job    `json:"walks"`
	Calls [][]call `json:"calls"`
}

type output struct {
	Jobs, Walks []value
	Calls       []array
}

func goInNode(t *testing.T, in input) output {
	t.Helper()
	return node(t, in, "js", filepath.Join(goroot(t), "lib/wasm/wasm_exec.js"), built(t, "webmend.go.wasm"))
}

func goroot(t testing.TB) string {
	t.Helper()
	out, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(out))
}

func node(t *testing.T, in input, args ...string) (out output) {
	t.Helper()
	in.Jobs, in.Walks, in.Calls = append([]job{}, in.Jobs...), append([]job{}, in.Walks...), append([][]call{}, in.Calls...) // not null
	text, err := json.Marshal(in)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "node", append([]string{"node.mjs"}, args...)...)
	cmd.Stdin = bytes.NewReader(text)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	answer, err := cmd.Output()
	if err != nil || stderr.Len() > 0 {
		t.Fatalf("node %s: %v\n%s", strings.Join(args, " "), err, &stderr)
	}
	if err := json.Unmarshal(answer, &out); err != nil {
		t.Fatalf("node.mjs wrote %.200q: %v", answer, err)
	}
	return out
}

func TestEveryBuildSplitsEveryRecordingAsPackageWebmDoesHoweverItIsCut(t *testing.T) {
	var jobs []job
	var names []string
	for _, r := range recordings(t) {
		for _, c := range r.chunkings() {
			jobs = append(jobs, job{r.path, c.sizes, r.data})
			names = append(names, r.name+" "+c.name)
		}
	}
	checkTranscripts(t, names, jobs)
}

// Bad streams, and what must be said of each besides being what package webm says.
func TestEveryBuildSaysWhatIsWrongAndWhere(t *testing.T) {
	whole := load(t, "chromium-24-same-recorder-restart").data
	clusters := []int{} // where clusters begin
	for i := range whole {
		if bytes.HasPrefix(whole[i:], []byte("\x1F\x43\xB6\x75\x01\xFF\xFF\xFF\xFF\xFF\xFF\xFF")) {
			clusters = append(clusters, i)
		}
	}
	damaged := func(at int, with string) []byte {
		return slices.Concat(whole[:at], []byte(with), whole[at+len(with):])
	}
	first := clusters[1] + bytes.IndexByte(whole[clusters[1]:], 0xE7) // the Timestamp of a cluster, and what follows it
	first += 2 + int(whole[first+1]&0x7F)
	streams := []struct {
		name string
		data []byte
		code webm.Code
		says string
	}{
		{"an empty stream", nil, webm.CodeEmpty, "is empty"},
		{"MP4", []byte("\x00\x00\x00\x18ftypmp42\x00\x00\x00\x00mp42isom"), webm.CodeNotWebM, "MP4"},
		{"Ogg", []byte("OggS\x00\x02\x00\x00\x00\x00\x00\x00\x00\x00"), webm.CodeNotWebM, "Ogg"},
		{"noise", whole[clusters[0]+1000 : clusters[0]+9000], webm.CodeNotWebM, "EBML header"},
		{"a stream without its header", whole[clusters[0]:], webm.CodeMissing, "no header before it"},
		{"one cut inside the EBML ID", whole[:3], webm.CodeTruncated, "EBML header"},
		{"one cut inside the header", whole[:clusters[0]-20], webm.CodeTruncated, ""},
		{"one cut inside a block", whole[:clusters[0]+10000], "", ""},
		{"a zero where an element must be", damaged(clusters[1], "\x00\x00\x00\x00"), webm.CodeInvalidID, ""},
		{"a cluster with an element of 2^56-2 bytes", slices.Concat(whole[:first], []byte("\xA3\x01\xFF\xFF\xFF\xFF\xFF\xFF\xFE"), whole[first:]), webm.CodeTooLarge, "MaxClusterSize"},
		{"a sized cluster that its block runs out of", slices.Concat(whole[:clusters[0]],
			[]byte("\x1F\x43\xB6\x75\x85\xE7\x81\x00"+"\xA3\x88"), make([]byte, 100)), webm.CodeOverrun, "runs past the end"},
		{"Tracks of unknown size", damaged(bytes.Index(whole, []byte("\x16\x54\xAE\x6B"))+4, "\xFF"), webm.CodeUnknownSize, ""},
		{"another DocType", damaged(bytes.Index(whole, []byte("webm")), "quux"), webm.CodeInvalidValue, `"quux"`},
	}
	var jobs []job
	var names []string
	for i, s := range streams {
		path := filepath.Join(t.TempDir(), fmt.Sprint(i))
		if err := os.WriteFile(path, s.data, 0o666); err != nil {
			t.Fatal(err)
		}
		n := len(s.data)
		for _, c := range []chunking{{"whole", []int{n}}, {"in pieces", randomCuts(n, 1000, 3)}} {
			j := job{path, c.sizes, s.data}
			jobs = append(jobs, j)
			names = append(names, s.name+" "+c.name)

			report := expectedTranscript(j).(object)["report"].(object)
			problem, _ := report["error"].(object)
			for _, d := range report["dropped"].(array) { // damage that a stream could go on after
				if reason := d.(object)["reason"].(object); problem == nil && reason["code"] != string(webm.CodeTruncated) {
					problem = reason
				}
			}
			if s.code == "" != (problem == nil) {
				t.Errorf("%s: package webm says %v; want code %q", s.name, problem, s.code)
			} else if problem != nil && (problem["code"] != string(s.code) || !strings.Contains(problem["message"].(string), s.says)) {
				t.Errorf("%s: package webm says %v; want code %q and %q", s.name, problem, s.code, s.says)
			}
		}
	}
	checkTranscripts(t, names, jobs)
}

func checkTranscripts(t *testing.T, names []string, jobs []job) {
	for _, b := range builds {
		t.Run(b.name, func(t *testing.T) {
			t.Parallel()
			for i, got := range b.transcripts(t, jobs) {
				want := expectedTranscript(jobs[i])
				if b.calls == nil {
					asByPackage(want)
				}
				t.Run(names[i], func(t *testing.T) { compare(t, got, want) })
			}
		})
	}
}

// asByPackage takes out of a transcript what the npm package's clusters have as bytes
// instead, and puts in what only its reports and segments have.
func asByPackage(transcript value) {
	transcript.(object)["report"].(object)["missing"] = array{}
	var segments []object
	for _, step := range transcript.(object)["steps"].(array) {
		for _, header := range step.(object)["headers"].(array) {
			header.(object)["kind"] = "header"
			segments = append(segments, header.(object))
		}
		for _, cluster := range step.(object)["clusters"].(array) {
			cluster.(object)["kind"] = "cluster"
			delete(cluster.(object), "form")
			delete(cluster.(object), "fromZero")
			segments = append(segments, cluster.(object))
		}
	}
	slices.SortFunc(segments, func(a, b object) int { return cmp.Compare(a["start"].(float64), b["start"].(float64)) })
	for i, segment := range segments {
		segment["sequence"] = float64(i)
	}
}

func TestEveryBuildListsTheElementsThatPackageWebmFinds(t *testing.T) {
	var jobs []job
	var names []string
	for _, r := range recordings(t) {
		for _, c := range r.chunkings()[:2] {
			jobs = append(jobs, job{r.path, c.sizes, r.data})
			names = append(names, r.name+" "+c.name)
		}
	}
	for _, b := range builds {
		if b.elements == nil {
			continue
		}
		t.Run(b.name, func(t *testing.T) {
			t.Parallel()
			for i, got := range b.elements(t, jobs) {
				t.Run(names[i], func(t *testing.T) {
					elements, problem := expectedElements(jobs[i].data)
					compare(t, got, object{"elements": elements, "problem": problem})
				})
			}
		})
	}
}

func TestTheReactorPlansTheHeadThatPackageWebmPlans(t *testing.T) {
	const head = 5 // its kind
	in := newInstance(t)
	for _, r := range recordings(t) {
		t.Run(r.name, func(t *testing.T) {
			in.t = t
			handle := in.call("open", 0)
			defer in.call("close", handle)
			in.push(handle, r.data)
			in.ask("finish", handle)
			s := webm.NewSplitter(webm.Options{})
			if s.Push(r.data) == nil {
				s.Finish()
			}
			for i := range s.Report().Recordings {
				for _, room := range []int{-1, 100, 1000, 64 << 10} {
					for _, stored := range []int{0, 1} {
						ix := s.Index(i)
						ix.Stored = stored == 1
						plan, err := ix.Head(int64(room))
						got := in.call("plan", handle, head, i, stored, room)
						pieces := in.ask("takePlan", got)
						if err != nil {
							problem := in.ask("lastError", got).(object)
							if pieces != nil || problem["message"] != err.Error() {
								t.Errorf("in %d bytes it plans %v and says %v; want %v", room, pieces, problem, err)
							}
						} else {
							want, literals := planAnswer(plan)
							compare(t, pieces, want)
							if given, _ := in.answer("takeLiterals", got); !bytes.Equal(given, literals) {
								t.Errorf("in %d bytes the literals are %.100x; want %.100x", room, given, literals)
							}
						}
						in.call("close", got)
					}
				}
			}
		})
	}
}

// What a host does wrong gets a status, and harms no other stream.
func TestEveryBuildAnswersWrongCallsWithAStatus(t *testing.T) {
	const noHandle, failed = -2.0, -1.0
	empty := object{"bytes": 0.0, "recordings": array{}, "other": array{}, "dropped": array{}, "gaps": array{}, "undecodable": array{}, "unlisted": 0.0, "error": nil}
	notWebM := object{"code": "not-webm", "offset": 0.0, "path": "",
		"message": "webm: the stream is Ogg, not WebM: give MediaRecorder the mimeType video/webm or audio/webm"}

	tests := []struct {
		name  string
		calls []call
	}{
		{"a handle that was never given", []call{
			{"pushChunk", 7, "x", noHandle},
			{"takeHeader", 7, "", noHandle},
			{"takeClusters", 7, "", noHandle},
			{"takeElements", -1, "", noHandle},
			{"report", 1 << 30, "", noHandle},
			{"finish", -1 << 31, "", noHandle},
			{"lastError", 7, "", noHandle},
			{"close", 7, "", 0.0},
			{"close", -1, "", 0.0},
		}},
		{"a kind of stream that there is not", []call{
			{"open", 2, "", noHandle},
			{"open", -1, "", noHandle},
		}},
		{"a handle that was closed", []call{
			{"open", 0, "", 0.0},
			{"close", 0, "", 0.0},
			{"pushChunk", 0, "x", noHandle},
			{"takeHeader", 0, "", noHandle},
			{"takeClusters", 0, "", noHandle},
			{"report", 0, "", noHandle},
			{"finish", 0, "", noHandle},
			{"lastError", 0, "", noHandle},
			{"close", 0, "", 0.0},
		}},
		{"a handle used again after a stream that failed", []call{
			{"open", 0, "", 0.0},
			{"pushChunk", 0, "OggS, not WebM", failed},
			{"lastError", 0, "", notWebM},
			{"pushChunk", 0, "", failed},
			{"close", 0, "", 0.0},
			{"open", 0, "", 0.0},
			{"lastError", 0, "", nil},
			{"report", 0, "", empty},
			{"takeHeader", 0, "", nil},
			{"takeClusters", 0, "", array{}},
			{"close", 0, "", 0.0},
		}},
		{"two streams at once, one of them bad", []call{
			{"open", 0, "", 0.0},
			{"open", 0, "", 1.0},
			{"pushChunk", 0, "OggS, not WebM", failed},
			{"pushChunk", 1, "\x1A", 0.0},
			{"close", 0, "", 0.0},
			{"open", 1, "", 0.0},
			{"lastError", 1, "", nil},
			{"close", 1, "", 0.0},
			{"close", 0, "", 0.0},
		}},
		{"what the other kind of stream answers", []call{
			{"open", 0, "", 0.0},
			{"open", 1, "", 1.0},
			{"takeElements", 0, "", nil},
			{"takeHeader", 1, "", nil},
			{"takeClusters", 1, "", nil},
			{"report", 1, "", nil},
			{"close", 0, "", 0.0},
			{"close", 1, "", 0.0},
		}},
		{"a stream finished twice", []call{
			{"open", 0, "", 0.0},
			{"finish", 0, "", withError(empty, webm.CodeEmpty, "webm: the stream is empty")},
			{"finish", 0, "", withError(empty, webm.CodeEmpty, "webm: the stream is empty")},
			{"close", 0, "", 0.0},
		}},
	}
	var lists [][]call
	for _, test := range tests {
		lists = append(lists, test.calls)
	}
	for _, b := range builds {
		if b.calls == nil {
			continue
		}
		t.Run(b.name, func(t *testing.T) {
			t.Parallel()
			for i, results := range b.calls(t, lists) {
				t.Run(tests[i].name, func(t *testing.T) {
					for j, got := range results {
						c := tests[i].calls[j]
						for _, d := range differences("", got, c.want) {
							t.Errorf("call %d, %s(%d, %q)%s", j, c.Export, c.Argument, c.Bytes, d)
						}
					}
				})
			}
		})
	}
}

func withError(report object, code webm.Code, message string) object {
	with := object{"error": object{"code": string(code), "offset": 0.0, "path": "", "message": message}}
	for key, v := range report {
		if key != "error" {
			with[key] = v
		}
	}
	return with
}

func TestTheReactorGivesMemoryFromOneByteToOneMebibyte(t *testing.T) {
	in := newInstance(t)
	for _, n := range []int{0, -1, 1<<20 + 1, 1<<31 - 1, -1 << 31} {
		if address := in.call("reserve", n); address != 0 {
			t.Errorf("reserve(%d) gave %d; want 0", n, address)
		}
	}
	for _, n := range []int{1, 2, pieceLength, 1 << 20, 1} {
		address := in.call("reserve", n)
		if address <= 0 || uint64(address)+uint64(n) > uint64(in.module.Memory().Size()) {
			t.Errorf("reserve(%d) gave %d, in a memory of %d", n, address, in.module.Memory().Size())
		}
	}
}

func TestTheReactorRefusesMoreBytesThanItReserved(t *testing.T) {
	in := newInstance(t)
	handle := in.call("open", 0)
	in.call("reserve", 100)
	for _, n := range []int{-1, -1 << 31, 2 << 20, 1<<31 - 1} {
		if status := in.call("pushChunk", handle, n); status >= 0 {
			t.Errorf("pushChunk of %d bytes of 100 returned %d; want a negative status", n, status)
		}
	}
	r := load(t, "firefox-23-stop-immediately")
	j := job{r.path, r.chunks, r.data}
	compare(t, in.transcript(j), expectedTranscript(j))
}

func TestOneInstanceSplitsManyStreamsAtOnce(t *testing.T) {
	in := newInstance(t)
	all := recordings(t)
	handles := make([]int, len(all))
	for i := range all {
		handles[i] = in.call("open", 0)
	}
	for at := 0; ; at += 10_000 {
		more := false
		for i, r := range all {
			if at < len(r.data) {
				more = true
				in.push(handles[i], r.data[at:min(at+10_000, len(r.data))])
			}
		}
		if !more {
			break
		}
	}
	for i, r := range all {
		t.Run(r.name, func(t *testing.T) {
			in.t = t
			want := expectedTranscript(job{r.path, []int{len(r.data)}, r.data}).(object)
			report := in.ask("finish", handles[i])
			compare(t, report, want["report"])
			var wanted array
			for _, step := range want["steps"].(array) {
				wanted = append(wanted, step.(object)["clusters"].(array)...)
			}
			clusters := in.ask("takeClusters", handles[i]).(array)
			compare(t, clusters, append(array{}, wanted...))
		})
	}
}

func TestAHandleUsedAgainStartsClean(t *testing.T) {
	in := newInstance(t)
	all := recordings(t)
	for i, r := range all {
		// Left in the middle, of either kind.
		handle := in.call("open", i%2)
		in.push(handle, r.data[:len(r.data)*2/3])
		in.call("close", handle)

		next := all[(i+1)%len(all)]
		j := job{next.path, next.chunks, next.data}
		if i%3 > 0 {
			compare(t, in.transcript(j), expectedTranscript(j))
		} else {
			elements, problem := expectedElements(j.data)
			compare(t, in.elements(j), object{"elements": elements, "problem": problem})
		}
	}
}
