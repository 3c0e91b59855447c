package webm

import (
	"bytes"
	"errors"
	"fmt"
	"testing"
)

func TestAnErrorIsItsCode(t *testing.T) {
	good := cluster(0, simpleBlock(1, 0, 0x80, "frame"))
	whole := stream(tracks(vp8), good)
	scanned := func(stream []byte) (*Splitter, Report, error) {
		return Scan(bytes.NewReader(stream), int64(len(stream)), Options{}, nil)
	}
	s, _, _ := scanned(whole)
	_, report, _ := scanned(whole[:len(whole)-1])
	_, _, empty := scanned(nil)
	_, late := s.Index(0).Clip(1<<40, 1<<41)
	_, none := Join()
	for _, c := range []struct {
		name string
		err  error
		code Code
	}{
		{"Scan", empty, CodeEmpty},
		{"Push", NewSplitter(Options{}).Push([]byte("OggS and so on")), CodeNotWebM},
		{"a Drop", report.Dropped[0].Reason, CodeTruncated},
		{"Clip", late, CodeInvalidRange},
		{"Join", none, CodeNoClusters},
	} {
		t.Run(c.name, func(t *testing.T) {
			err := fmt.Errorf("wrapped: %w", c.err)
			if !errors.Is(err, c.code) || errors.Is(err, CodeLost) {
				t.Errorf("%v is %s: %v; and %s: %v", err, c.code, errors.Is(err, c.code), CodeLost, errors.Is(err, CodeLost))
			}
			var code Code
			if !errors.As(err, &code) || code != c.code {
				t.Errorf("as a Code it is %q; want %q", code, c.code)
			}
		})
	}
}
