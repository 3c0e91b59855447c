// Chunks of one stream that come with numbers, put in their order: late, twice or never.

package webm

import (
	"cmp"
	"slices"
)

// The Codes of [Chunks.Push], besides CodeInvalidValue.
const (
	CodeWaiting Code = "waiting" // the chunk is early, and no more may wait
	CodeLate    Code = "late"    // the chunk came after it was given up
)

// ChunkOptions say where a stream of numbered chunks begins, and how much of it may wait.
// The zero value has the defaults.
type ChunkOptions struct {
	First  int64 // the number of the first chunk that is expected; 0 unless a stream is resumed
	Offset int64 // where in the stream that begins, in bytes

	// MaxWaiting is the most chunks that may wait for one before them. 0 is 100: ten
	// seconds of a recorder that delivers one every 100 ms.
	MaxWaiting int

	// MaxWaitingBytes is the most bytes that these may have in all. 0 is 32 MiB.
	MaxWaitingBytes int64
}

// A Chunk is a chunk whose turn has come.
type Chunk struct {
	Number int64
	Offset int64  // where it begins in the stream: how many bytes the chunks before it have
	Data   []byte // not to be kept
	Lost   bool   // the chunks right before it are missing: say [Splitter.Lost] before pushing it
}

// MissingChunks are consecutive chunks that have not come.
type MissingChunks struct {
	First, Last int64 // their numbers
	Offset      int64 // where the chunk after them begins in the stream, of which they are no part
}

// Chunks puts the numbered chunks of one stream in order, as a server does that receives each
// by a request of its own: out of order, some twice, some never. Early chunks wait, as copies;
// duplicates are ignored. A Chunks is for one goroutine at a time.
type Chunks struct {
	take   func(Chunk) error
	opts   ChunkOptions
	next   int64   // the number of the chunk whose turn it is
	offset int64   // where that begins
	lost   bool    // those right before it were given up
	early  []Chunk // by number, from next on
	size   int64   // bytes of these
	gone   []MissingChunks
}

// NewChunks returns a Chunks that gives each chunk to take when its turn has come: once, in
// the order of the stream. Most servers write it to what they keep of the stream, and push it
// to a [Splitter]:
//
//	chunks := webm.NewChunks(webm.ChunkOptions{}, func(c webm.Chunk) error {
//		if _, err := file.WriteAt(c.Data, c.Offset); err != nil {
//			return err
//		}
//		if c.Lost {
//			splitter.Lost()
//		}
//		return splitter.Push(c.Data)
//	})
//
// A chunk for which take returns an error has not been taken. It is given to take again by a
// later call: if it was waiting, by the next one, else once it is pushed again.
func NewChunks(opts ChunkOptions, take func(Chunk) error) *Chunks {
	if opts.MaxWaiting == 0 {
		opts.MaxWaiting = 100
	}
	if opts.MaxWaitingBytes == 0 {
		opts.MaxWaitingBytes = 32 << 20
	}
	return &Chunks{take: take, opts: opts, next: opts.First, offset: opts.Offset}
}

// maxChunk is the highest number a chunk can have: the largest integer of JavaScript.
const maxChunk = 1<<53 - 1

// Push takes the chunk of a number, and keeps no reference to data. It gives take the chunk,
// and those that waited for it, or has it wait.
//
// The error is that of take, or an [*Error]. With CodeWaiting the sender must send the chunk
// again, best once those that are [Chunks.Missing] have come: they are still taken. With
// CodeLate its place in the stream is gone, see [Chunks.Skip]. CodeInvalidValue is for a
// number that is negative, or 2⁵³ or more.
func (c *Chunks) Push(number int64, data []byte) error {
	i, waits := slices.BinarySearchFunc(c.early, number, func(e Chunk, number int64) int { return cmp.Compare(e.Number, number) })
	switch {
	case number < 0 || number > maxChunk:
		return c.refuse(CodeInvalidValue, number, "cannot be: numbers are from 0 to "+decimal(maxChunk))
	case c.isGone(number):
		return c.refuse(CodeLate, number, "came after it was given up")
	case number < c.next || waits:
	case number == c.next:
		if err := c.deliver(number, data); err != nil {
			return err
		}
	case len(c.early) >= c.opts.MaxWaiting || c.size+int64(len(data)) > c.opts.MaxWaitingBytes:
		return c.refuse(CodeWaiting, number, "was not taken, as "+decimal(int64(len(c.early)))+" chunks wait for chunk "+decimal(c.next))
	default:
		c.early = slices.Insert(c.early, i, Chunk{Number: number, Data: slices.Clone(data)})
		c.size += int64(len(data))
	}
	return c.ready()
}

func (c *Chunks) refuse(code Code, number int64, why string) error {
	return &Error{Code: code, Offset: c.offset, text: "webm: chunk " + decimal(number) + " " + why}
}

// isGone tells whether a chunk was given up.
func (c *Chunks) isGone(number int64) bool {
	i, _ := slices.BinarySearchFunc(c.gone, number, func(m MissingChunks, number int64) int { return cmp.Compare(m.Last, number) })
	return i < len(c.gone) && c.gone[i].First <= number
}

// deliver gives take the chunk whose turn it is.
func (c *Chunks) deliver(number int64, data []byte) error {
	if err := c.take(Chunk{number, c.offset, data, c.lost}); err != nil {
		return err
	}
	c.next, c.lost = number+1, false
	c.offset += int64(len(data))
	return nil
}

// ready gives take those that wait and whose turn has come.
func (c *Chunks) ready() error {
	taken := 0
	var err error
	for _, e := range c.early {
		if e.Number != c.next {
			break
		}
		if err = c.deliver(e.Number, e.Data); err != nil {
			break
		}
		c.size -= int64(len(e.Data))
		taken++
	}
	c.early = slices.Delete(c.early, 0, taken)
	return err
}

// Next is the number of the chunk whose turn it is: take has been given all before it that
// are not missing.
func (c *Chunks) Next() int64 { return c.next }

// Missing are the chunks that have not come though others after them have, in their order:
// those that were given up, and those that are waited for. The slice is the caller's.
func (c *Chunks) Missing() []MissingChunks {
	missing := slices.Clone(c.gone)
	next, offset := c.next, c.offset
	for _, e := range c.early {
		if e.Number > next {
			missing = append(missing, MissingChunks{next, e.Number - 1, offset})
		}
		next = e.Number + 1
		offset += int64(len(e.Data))
	}
	return missing
}

// Skip gives up the chunks for which others wait, up to the first of these, and gives take
// that and those that follow it. It does nothing if none waits. The error is that of take.
//
// A live relay does so when it cannot wait any longer. From then on a chunk that was given up
// is refused.
func (c *Chunks) Skip() error {
	if len(c.early) > 0 && c.early[0].Number > c.next {
		c.gone = append(c.gone, MissingChunks{c.next, c.early[0].Number - 1, c.offset})
		c.next, c.lost = c.early[0].Number, true
	}
	return c.ready()
}

// Finish gives up all chunks that are missing, and gives take all that wait: the stream is
// over. Missing then says what has never come, but for what would have come after the last
// chunk, which only the sender knows. The error is that of take.
func (c *Chunks) Finish() error {
	for len(c.early) > 0 {
		if err := c.Skip(); err != nil {
			return err
		}
	}
	return nil
}
