package wasmtest

// The live plans of the reactor, beside those of package webm.

import (
	"fmt"
	"testing"

	"github.com/tetratelabs/wazero/api"

	"github.com/webmend/webmend/webm"
)

// live asks for the live plan of the first recording of a stream, with flags, from an
// offset on or, if that is -1, from a time in seconds.
func (in *instance) live(handle, flags int, from, seconds float64) value {
	in.t.Helper()
	results, err := in.module.ExportedFunction("plan").Call(in.t.Context(), api.EncodeI32(int32(handle)), api.EncodeI32(4), api.EncodeI32(0), api.EncodeI32(int32(flags)),
		api.EncodeF64(from), api.EncodeF64(seconds))
	if err != nil {
		in.t.Fatal(err)
	}
	plan := int(api.DecodeI32(results[0]))
	if plan < 0 {
		return float64(plan)
	}
	defer in.call("close", plan)
	return in.ask("takePlan", plan)
}

// expectedLive is what it should answer.
func expectedLive(s *webm.Splitter, from int64) value {
	plan, next := s.Live(0, from)
	answer, _ := planAnswer(plan)
	answer["next"] = float64(next)
	return answer
}

func TestTheReactorPlansWhatIsLiveAsThePackageDoes(t *testing.T) {
	eachRecording(t, func(t *testing.T, r recording) {
		in := newInstance(t)
		for flags, stored := range map[int]bool{0: false, 1: true} {
			s := webm.NewSplitter(webm.Options{})
			handle := in.call("open", 0)
			next := int64(0)
			rest := r.data
			for i := 0; len(rest) > 0; i++ {
				n := min(len(rest), len(r.data)/7+i)
				s.Push(rest[:n])
				in.push(handle, rest[:n])
				rest = rest[n:]
				ix := s.Index(0)
				if ix == nil {
					if got := in.live(handle, flags, 0, 0); got != -2.0 {
						t.Errorf("before there is a header it answers %v", got)
					}
					continue
				}
				ix.Stored = stored
				want := expectedLive(s, next)
				compare(t, in.live(handle, flags, float64(next), 0), want)
				if want := expectedLive(s, s.LiveFrom(0, 1.5e9)); fmt.Sprint(want) != fmt.Sprint(in.live(handle, flags, -1, 1.5)) {
					t.Errorf("from a time on it answers something else than %v", want)
				}
				next = int64(want.(object)["next"].(float64))
			}
			in.call("close", handle)
		}
	})
}
