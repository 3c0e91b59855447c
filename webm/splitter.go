package webm

import "github.com/webmend/webmend/ebml"

// Options are the limits of a Splitter. The zero value has the defaults.
type Options struct {
	// MaxHeaderSize is the most bytes a header may have. 0 is 64 MiB, room for
	// the attachments of a film. A splitter remembers no more of a header than
	// its CodecPrivate and a few short strings a track.
	MaxHeaderSize int64

	// MaxTracks is the most tracks a recording may have, as each cluster counts
	// the blocks of each. 0 is 128.
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
// of the bytes that are pushed: what it gives are ranges of the stream.
type Splitter struct {
	opts Options
	scan ebml.Scanner
	err  *Error

	begin    beginning
	finished bool
	size     int64 // bytes pushed
	whole    int64 // where the last whole element ends, up to which nothing is lost
	told     int64 // where the last range ends that headers, clusters and report have told

	headers  []Header  // complete and not yet taken
	clusters []Cluster // likewise
	report   Report
	indexes  []*Index // of report.Recordings

	// What is open. The last of report.Recordings is the one being read.
	inHeader  bool
	hasTracks bool      // the header has all that a header must have
	segment   ebml.Head // of the open Segment
	later     [2]int64  // where the SeekHead says that Info and Tracks are, or 0
	hasInfo   bool
	docType   *Error // of a header whose DocType is neither webm nor matroska, until a Segment follows
	detour    int64  // where the first Cluster begins, while what comes after it is read, or 0
	early     int64  // where it begins, if it comes before any Tracks
	inCluster bool
	open      openCluster
	block     openBlock

	time    timeline // of the recording
	entries []int    // by the order of its tracks: which of the report's Undecodable goes on, plus 1
	repeats repeats
	seam    int64 // where the last chunk begins

	lost    *search // after damage, until the stream goes on somewhere
	back    int64   // where Rewind goes back to, or -1
	rewound int64   // bytes that it has gone back over
	pushed  int64   // up to where bytes have been pushed
	before  before  // what there was when the open cluster began
	bound   int64   // where another cluster begins, which the one being read again ran over, or 0

	// Of a candidate for where it goes on.
	trial    bool
	tried    int64 // where it begins
	proven   bool  // that it is one
	ended    bool  // and it is a cluster whose end has been read
	headless bool  // it is a cluster of a recording whose header is not there
	inTracks bool  // it is the Tracks of a header that is damaged

	visit func(blockFacts) // for a Cutter, or nil
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
	s := &Splitter{opts: opts, back: -1}
	s.scan.Ends = endsUnknown
	return s
}

// Push takes the next bytes of the stream, cut anywhere, and keeps no reference
// to them. Its error is an [*Error] and final: the stream is not WebM, its first
// header is damaged or missing, or Options are Strict or reached. All that was
// complete before can be taken, and what is pushed from then on counts as dropped.
// Other damage is no error: it is in Dropped once it is over, or at the end.
func (s *Splitter) Push(chunk []byte) error {
	if s.size >= s.pushed { // and is not read again
		s.seam = s.size
	}
	return s.Continue(chunk)
}

// Continue is Push for more bytes of the chunk that was pushed last, where chunks are read
// in pieces: see [Gap.Boundary].
func (s *Splitter) Continue(chunk []byte) error {
	s.stay()
	offset := s.size
	s.size += int64(len(chunk))
	if len(chunk) > 0 {
		s.pushed = max(s.pushed, s.size)
	}
	if s.err != nil {
		return s.err
	}
	if s.lost == nil {
		held, err := s.begin.push(chunk)
		switch {
		case err == nil && !s.begin.known:
			return nil
		case err != nil && (s.opts.Strict || !s.begin.junk):
			s.err = err
			return s.err
		case err != nil:
			s.lose(err)
		case s.begin.short:
			s.begin.short = false
			s.readShort()
		}
		s.feed(held, 0)
	}
	s.feed(chunk, offset)
	return errorOrNil(s.err)
}

// feed scans or searches bytes at offset.
func (s *Splitter) feed(bytes []byte, offset int64) {
	if s.repeats.compare != nil {
		if s.repeats.compare.push(bytes) {
			s.conclude()
		}
		return
	}
	if s.lost != nil {
		s.search(bytes, offset)
		bytes = nil
	}
	s.read(bytes)
}

// Lost says that bytes of the stream are missing here: what is pushed next does not
// follow what was pushed before. What is open ends with its last whole element, and
// the stream goes on at the next Cluster or EBML header. In the report it is a Drop
// of CodeLost, which is empty if nothing else is dropped.
//
// So a recording of which there is a part can be read, after a header that was kept
// elsewhere: push that, and then Lost. Offsets then count from that header on.
func (s *Splitter) Lost() error {
	s.stay()
	if s.err != nil {
		return s.err
	}
	if s.repeats.compare != nil {
		s.conclude()
		return nil // once it is said again
	}
	if s.lost != nil && !s.goOnWithLast() {
		s.settle()
		s.lost.trials, s.lost.tail, s.lost.until = nil, nil, 0
	}
	if s.lost == nil {
		reason := newError(CodeLost, s.size, s.scan.Path(), "")
		reason.text = "webm: bytes are missing at " + decimal(s.size)
		if s.opts.Strict {
			s.err = reason
			s.settle()
		} else {
			s.lose(reason)
		}
	}
	return errorOrNil(s.err)
}

// read scans bytes, or what is left of those before if they are nil, and goes on
// after damage in them.
func (s *Splitter) read(bytes []byte) {
	if s.err != nil || s.lost != nil || s.back >= 0 {
		return
	}
	if bytes != nil {
		s.scan.Push(bytes)
	}
	for s.run(); s.err != nil && s.goAround(); s.run() {
	}
}

// readShort reads the first byte of the stream, which is lost: everything else is there.
func (s *Splitter) readShort() {
	s.scan.Reset(-1)
	s.read([]byte(ebmlMagic[:1]))
	s.drop(&Error{Code: CodeLost, text: "webm: the first byte of the EBML header (1A) is missing: " + everyBlob}, 0, 0)
}

// everyBlob is what to do so that no beginning is lost.
const everyBlob = "push every blob, even one of a single byte"

// Header returns the next header that is complete and has not been returned,
// and whether there is one.
func (s *Splitter) Header() (Header, bool) {
	if len(s.headers) == 0 {
		return Header{}, false
	}
	h := s.headers[0]
	s.headers = s.headers[1:]
	return h, true
}

// Clusters returns the clusters that are complete and have not been returned, of
// all recordings, in the order of the stream. The slice is the caller's.
func (s *Splitter) Clusters() []Cluster {
	if len(s.clusters) == 0 {
		return nil
	}
	c := append([]Cluster(nil), s.clusters...)
	clear(s.clusters)
	s.clusters = s.clusters[:0]
	return c
}

// Report says what is known so far. Its slices are valid until the next Push or
// Finish.
func (s *Splitter) Report() Report {
	s.report.Bytes = s.pushed
	return s.report
}

// Fragments is Clusters for those who cannot wait until a cluster is complete,
// which for audio alone can take 30 seconds: what there is of the open cluster is
// among them as a fragment, and what comes later of it as others. All of them
// together have every block once, if Clusters is not called as well.
func (s *Splitter) Fragments() []Cluster {
	if s.inCluster && s.err == nil && s.lost == nil {
		s.closeFragment(s.soFar())
	}
	return s.Clusters()
}

// Index is the index of a recording, 0 for the first in the stream, which grows
// as the recording does. It is nil before the recording's header is complete.
func (s *Splitter) Index(recording int) *Index {
	if recording < 0 || recording >= len(s.indexes) {
		return nil
	}
	return s.indexes[recording]
}

// Finish ends the stream. It closes the last cluster, and the last header if no
// cluster follows it; what the end cuts short is left out of them and is in
// Dropped. Its error is an [*Error], of a stream that has no whole header or is
// damaged for good; one that is only cut short after its header has none.
func (s *Splitter) Finish() (Report, error) {
	s.stay()
	if s.finished {
		return s.Report(), errorOrNil(s.err)
	}
	if s.repeats.compare != nil {
		s.conclude()
		return s.Report(), nil
	}
	if s.err == nil {
		s.err = s.begin.finish()
	}
	reason := s.err
	if s.err == nil {
		if s.lost != nil && s.lost.hidden {
			s.findNone()
			return s.Report(), nil
		}
		if s.lost != nil {
			s.goOnWithLast()
		}
		if s.lost == nil {
			if reason = s.finishScan(); s.back >= 0 {
				return s.Report(), nil
			}
		} else {
			reason, s.lost.trials = s.lost.reason, nil
			s.settle()
		}
		if s.err == nil && len(s.report.Recordings) == 0 {
			s.err = reason
		}
	}
	s.finished = true
	s.settleGaps()
	s.tell(s.whole, s.whole)
	reason = s.cutShort(reason)
	if s.size > s.told || reason != nil && (reason.Code == CodeTruncated || s.lost != nil && reason.Code == CodeLost) {
		s.drop(reason, s.size, -1)
		s.told = s.size
	}
	if s.err != nil && s.err.Code == CodeTruncated && len(s.report.Recordings) > 0 {
		s.err = nil
	}
	return s.Report(), errorOrNil(s.err)
}

// finishScan reads what the end of the stream completes, and says why the rest is
// not whole.
func (s *Splitter) finishScan() *Error {
	if s.detour > 0 {
		s.findNoTracks()
		return nil
	}
	s.scan.Finish()
	s.run()
	if s.docType != nil {
		s.err = s.docType
	}
	reason := s.err
	if s.back >= 0 {
		return nil
	}
	if reason != nil && s.inCluster && s.open.doubtful != nil {
		reason = s.open.doubtful
	}
	if reason != nil && !s.opts.Strict {
		s.err = nil
		if s.suspend(reason, s.whole, s.size) {
			return nil
		}
	}
	if s.inHeader && !s.hasTracks && reason == nil {
		reason = &Error{Code: CodeTruncated, Offset: s.size, text: "webm: the stream ends at " + decimal(s.size) + ", before any Tracks"}
	}
	s.settle()
	return reason
}

// cutShort adds to a reason how much of a Segment of known size is missing at the end. Where
// bytes were dropped before, nobody knows.
func (s *Splitter) cutShort(reason *Error) *Error {
	missing := s.segment.End() - s.size
	if s.segment.Size < 0 || missing <= 0 || len(s.report.Dropped) > 0 || s.err != nil && s.err.Code != CodeTruncated {
		return reason
	}
	if reason == nil {
		reason = newError(CodeTruncated, s.segment.Offset, []ebml.Head{s.segment}, "is cut short by the end of the stream")
	}
	with := *reason
	with.text += ": " + decimal(missing) + " bytes are missing at the end of the Segment"
	return &with
}

// settleGaps reports the holes that nothing makes good any more.
//
//go:noinline
func (s *Splitter) settleGaps() {
	gaps := s.time.settleGaps()
	for i := range gaps {
		gaps[i].Recording = len(s.report.Recordings) - 1
	}
	s.report.addGaps(gaps)
}

// settle closes what is open when the stream breaks or ends, up to the last
// whole element. A cluster is worth keeping if it has a block, a header if it
// has its Tracks.
func (s *Splitter) settle() {
	s.repeats.reset()
	if s.inCluster {
		if s.open.Cluster.Blocks > 0 {
			s.open.Cluster.Cut = true
			s.closeCluster()
		} else {
			s.inCluster = false
			s.whole = s.open.Cluster.Start
		}
	}
	if s.inHeader {
		if !s.hasTracks {
			s.whole = s.recording().Header.Start
		}
		s.closeHeader(s.whole)
	}
}

// tell accounts for the range from start to end as a header or cluster. What is
// whole between it and the range told before it is other elements.
//
//go:noinline
func (s *Splitter) tell(start, end int64) {
	if start > s.told {
		s.report.Other = append(s.report.Other, Range{s.told, start})
	}
	s.told = max(s.told, end)
}

// drop reports what lies between what has been told and end.
//
//go:noinline
func (s *Splitter) drop(reason *Error, end, after int64) {
	before := int64(0)
	if len(s.report.Recordings) > 0 {
		before = s.recording().Duration
	}
	s.report.Dropped = append(s.report.Dropped, Drop{Range{s.told, end}, reason, before, after})
}

// recording is the one that is being read.
func (s *Splitter) recording() *Recording {
	return &s.report.Recordings[len(s.report.Recordings)-1]
}
