package webm

// What has been pushed and no phase has taken.

// An input is bytes of the stream that no phase has taken: those at offset, and others
// after them.
type input struct {
	now    []byte
	then   [][]byte
	offset int64
}

func (in *input) isEmpty() bool { return len(in.now) == 0 && len(in.then) == 0 }

// take takes the first of them, which can be none.
//
//go:noinline
func (in *input) take() (chunk []byte, offset int64) {
	chunk, offset = in.now, in.offset
	in.offset += int64(len(chunk))
	if in.now = nil; len(in.then) > 0 {
		in.now, in.then = in.then[0], in.then[1:]
	}
	return chunk, offset
}

// putBack puts bytes from an offset on before them.
//
//go:noinline
func (in *input) putBack(offset int64, held, rest []byte) {
	in.then = append([][]byte{rest, in.now}, in.then...)
	in.now, in.offset = held, offset
}
