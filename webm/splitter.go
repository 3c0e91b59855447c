package webm

import "iter"

// The way of the bytes: what is pushed goes through the phases.

// Options are the limits of a Splitter. The zero value has the defaults.
type Options struct {
	// MaxHeaderSize is the most bytes a header may have. 0 is 64 MiB, room for
	// the attachments of a film. A splitter remembers no more of a header than
	// its CodecPrivate and a few short strings a track.
	MaxHeaderSize int64

	// MaxTracks is the most tracks a recording may have. 0 is 128.
	MaxTracks int

	// MaxClusterSize is the most bytes a Cluster may have. 0 is 256 MiB: as the
	// timestamps of blocks go, a recorder's last 32 seconds, and those of 65 Mbit/s
	// have that. What would make it larger counts as damage, as an element whose
	// size is broken does.
	MaxClusterSize int64

	// Strict makes damage final. Otherwise a splitter goes on at the next cluster,
	// or the next recording, and says in the Report what it left out.
	Strict bool

	// Rewinds says that the caller asks Rewind after each Push, Lost and Finish, and can
	// push bytes again. A damaged size can swallow the clusters after it, and only
	// comparing bytes shows that they were pushed twice: both are found only so. See
	// [Splitter.Needed], too.
	Rewinds bool

	// Seeks says, beside Rewinds, that the caller can push any byte of the stream at any
	// time, as those of a file: Rewind then goes forward, too, where the SeekHead says that
	// Tracks come after the Clusters.
	Seeks bool
}

// A Splitter takes a stream apart into headers and clusters. It keeps nothing
// of the bytes that are pushed: what it gives are ranges of the stream. One goroutine at a
// time may use it, and its indexes. The zero value is of no use: see [NewSplitter].
type Splitter struct {
	opts     Options
	size     int64 // bytes pushed
	pushed   int64 // up to where bytes have been pushed
	seam     int64 // where the last chunk begins
	finished bool

	begin    beginning
	parse    parser
	time     timeline // of the recording
	repeats  repeats
	ledger   ledger
	delivery delivery
	recovery
}

// NewSplitter returns a splitter at the start of a stream.
//
//go:noinline
func NewSplitter(opts Options) *Splitter {
	if opts.MaxHeaderSize == 0 {
		opts.MaxHeaderSize = 64 << 20
	}
	if opts.MaxTracks == 0 {
		opts.MaxTracks = 128
	}
	if opts.MaxClusterSize == 0 {
		opts.MaxClusterSize = 256 << 20
	}
	s := &Splitter{opts: opts}
	s.parse.policy = policy{limits: opts, tolerant: opts.Rewinds}
	s.parse.scan.Ends = endsUnknown
	s.ledger.parse, s.ledger.time = &s.parse, &s.time
	return s
}

// Push takes the next bytes of the stream, cut anywhere, and keeps no reference
// to them. Its error is an [*Error] and final: the stream is not WebM, its first
// header is damaged or missing, or Options are Strict or reached. All that was
// complete before can be taken, and what is pushed from then on counts as dropped.
// Other damage is no error: it is in Dropped once it is over, or at the end. What is complete
// waits until it is taken, or for good: see [Splitter.Waiting].
func (s *Splitter) Push(chunk []byte) error {
	if s.size >= s.pushed { // and is not read again
		s.seam = s.size
	}
	return s.Continue(chunk)
}

// Continue is Push for more bytes of the chunk that was pushed last, where chunks are read
// in pieces: see [Gap.Boundary].
func (s *Splitter) Continue(chunk []byte) error {
	s.decline()
	in := input{now: chunk, offset: s.size}
	s.size += int64(len(chunk))
	s.pushed = max(s.pushed, s.size)
	s.run(&in)
	return errorOrNil(s.err)
}

// run takes bytes through the phases.
func (s *Splitter) run(in *input) {
	for {
		switch s.phase {
		case scanning:
			switch e := s.parse.next(); e {
			case blockDone:
				if !s.opts.Rewinds || !s.asks() {
					s.takeBlock()
				}
			case more:
				if in.isEmpty() {
					return
				}
				chunk, _ := in.take()
				s.parse.push(chunk)
			case damage:
				s.damaged(in)
			default:
				s.goOn(e)
			}
			continue
		case waiting, over:
			return
		}
		if in.isEmpty() {
			return
		}
		chunk, offset := in.take()
		switch s.phase {
		case recognising:
			s.recognise(in, chunk)
		case searching:
			s.searchOn(chunk, offset)
		case comparing:
			s.compareOn(chunk)
		}
	}
}

// recognise takes the first bytes of the stream, until they tell whether it is EBML.
func (s *Splitter) recognise(in *input, chunk []byte) {
	held, err := s.begin.push(chunk)
	switch {
	case err == nil && !s.begin.known:
		return
	case err != nil && (s.opts.Strict || !s.begin.junk):
		s.end(err)
		return
	case err != nil:
		s.lose(err)
	default:
		s.phase = scanning
	}
	offset := in.offset - int64(len(chunk)+len(held))
	if s.begin.short {
		s.readShort()
	}
	in.putBack(offset, held, chunk)
}

// readShort reads the first byte of the stream, which is lost: everything else is there.
func (s *Splitter) readShort() {
	s.ledger.drop(&Error{Code: CodeLost, text: "webm: the first byte of the EBML header (1A) is missing: " + everyBlob}, 0, 0, true)
	s.parse.scan.Reset(-1)
	s.parse.push([]byte(ebmlMagic[:1]))
	s.parse.next()
}

// everyBlob is what to do so that no beginning is lost.
const everyBlob = "push every blob, even one of a single byte"

// Lost says that bytes of the stream are missing here: what is pushed next does not
// follow what was pushed before. What is open ends with its last whole element, and
// the stream goes on at the next Cluster or EBML header. In the report it is a Drop
// of CodeLost, which is empty if nothing else is dropped.
//
// So a recording of which there is a part can be read, after a header that was kept
// elsewhere: push that, and then Lost. Offsets then count from that header on.
func (s *Splitter) Lost() error {
	s.decline()
	switch s.phase {
	case over:
	case comparing:
		s.conclude() // and it is said again
	case searching:
		s.settle()
		s.search.tried, s.search.tail, s.search.until = nil, nil, 0
	default:
		reason := newError(CodeLost, s.size, s.parse.scan.Path(), "")
		reason.text = "webm: bytes are missing at " + decimal(s.size)
		if s.opts.Strict {
			s.settle()
			s.end(reason)
		} else {
			s.lose(reason)
		}
	}
	return errorOrNil(s.err)
}

// TakeHeader returns the next header that is complete and has not been taken, and whether
// there is one.
func (s *Splitter) TakeHeader() (Header, bool) { return s.delivery.header() }

// TakeClusters returns the clusters that are complete and have not been taken, of all
// recordings, in the order of the stream. Each is taken when the loop comes to it: those after
// a break wait. It goes on with what is pushed meanwhile. A cluster is the caller's.
func (s *Splitter) TakeClusters() iter.Seq[Cluster] {
	return func(yield func(Cluster) bool) {
		for s.delivery.clusters.n > 0 {
			if !yield(s.delivery.clusters.take(s.ledger.indexes)) {
				return
			}
		}
	}
}

// TakeFragments is TakeClusters for those who cannot wait until a cluster is complete,
// which for audio alone can take 30 seconds: what there is of the open cluster is
// among them as a fragment, and what comes later of it as others. All of them
// together have every block once, if TakeClusters is not called as well.
func (s *Splitter) TakeFragments() iter.Seq[Cluster] {
	if s.ledger.isOpen && s.search == nil {
		s.delivery.addFragment(s.ledger.soFar(), s.ledger.videoKeys(), s.time.hasVideo)
	}
	return s.TakeClusters()
}

// Waiting is how many headers and clusters can be taken. What waits has some ten bytes a
// cluster, and a few for each track and key frame in it: it need not be taken.
func (s *Splitter) Waiting() (headers, clusters int) {
	return len(s.delivery.headers), s.delivery.clusters.n
}

// Report says what is known so far. Its slices are valid until the next Push or
// Finish.
func (s *Splitter) Report() Report {
	s.ledger.report.Bytes = s.pushed
	return s.ledger.report
}

// Index is the index of a recording, 0 for the first in the stream, which grows
// as the recording does. It is nil before the recording's header is complete.
func (s *Splitter) Index(recording int) *Index {
	if recording < 0 || recording >= len(s.ledger.indexes) {
		return nil
	}
	return s.ledger.indexes[recording]
}

// Rewind is asked after each Push, Lost and Finish, if Options say Rewinds. If it is
// ok, the stream must be pushed from offset on again, and Lost and Finish said again
// once it comes to where they were. The offset is not before what Needed was before that
// call, nor after what was pushed, unless Options say Seeks. In all no more is read again
// than four times the stream. What a push has beyond that is pushed for nothing: if pieces
// are small after a rewind, and grow, that is little.
func (s *Splitter) Rewind() (offset int64, ok bool) {
	if s.phase != waiting {
		return 0, false
	}
	s.phase, s.size = s.then, s.back
	return s.back, true
}

// Needed is the offset from which on bytes of the stream can still be wanted: by the
// ranges of clusters and fragments that are told later, or by Rewind. With
// Options.Rewinds that is up to 4 MiB before the open cluster, to find out what was
// pushed twice.
func (s *Splitter) Needed() int64 {
	at := s.openStart()
	if s.phase != over && len(s.repeats.starts) > 0 {
		at = min(at, s.repeats.starts[0])
	}
	return at
}
