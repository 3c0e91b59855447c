package slow

// How much of a stream is read again.

import (
	"bytes"
	"testing"

	"github.com/webmend/webmend/webm"
	"github.com/webmend/webmend/webm/internal/webmtest"
)

// mostRead is how often a byte of a stream may be read, in the mean: once as it comes, four
// times again where there is damage, and as much for what is read and not needed.
const mostRead = 16

func TestAScanReadsNoMoreThanAFewTimesTheStreamWhateverIsInIt(t *testing.T) {
	for _, shape := range webmtest.Shapes {
		t.Run(shape.Name, func(t *testing.T) {
			t.Parallel()
			stream := shape.Bytes(1 << 20)
			src := &counted{Reader: bytes.NewReader(stream)}
			webm.Scan(src, int64(len(stream)), webm.Options{}, nil)
			if most := mostRead * int64(len(stream)); src.read > most {
				t.Errorf("%d bytes are read of %d", src.read, len(stream))
			}
		})
	}
}

// A counted is a source that counts what is read of it.
type counted struct {
	*bytes.Reader
	read int64
}

func (c *counted) ReadAt(p []byte, at int64) (int, error) {
	n, err := c.Reader.ReadAt(p, at)
	c.read += int64(n)
	return n, err
}
