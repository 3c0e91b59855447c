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
}

// How much of an element is read. Of a block its head with the longest track
// number, and the first two bytes of an Opus packet; of a frame that may tell
// its codec's parameters a bit more; of a laced block all, to find its frames.
const (
	maxText       = 4096
	blockHeadLen  = ebml.MaxVINTLen + 3 + 2
	codecFrameLen = blockHeadLen + 256
	maxLacedBlock = 1 << 20
)

// cueInterval is how far apart the blocks are that a recording without video is
// entered at, in nanoseconds: the least that WebM's guidelines ask for.
const cueInterval = 500_000_000

// A Splitter takes a stream apart into headers and clusters. It keeps nothing
// of the bytes that are pushed: what it gives are ranges of the stream.
type Splitter struct {
	opts Options
	scan ebml.Scanner
	err  *Error

	begin beginning
	size  int64 // bytes pushed
	whole int64 // where the last whole element ends, up to which nothing is lost
	told  int64 // where the last range ends that headers, clusters and report have told

	headers  []Header  // complete and not yet taken
	clusters []Cluster // likewise
	report   Report
	indexes  []*Index // of report.Recordings

	// What is open. The last of report.Recordings is the one being read.
	inHeader  bool
	hasTracks bool // the header has all that a header must have
	inCluster bool
	cluster   Cluster
	entry     entry // of the cluster, for the index
	hasTime   bool  // the cluster's Timestamp has been read
	block     openBlock

	clocks    []clock       // by the order of the recording's tracks
	counts    []TrackBlocks // of the open cluster, likewise
	keyFrames []KeyFrame    // of the open cluster
	cues      []KeyFrame    // of the open cluster, where there is no video
	hasVideo  bool          // the recording has
	sawVideo  bool          // the open cluster has
	given     Cluster       // what of the open cluster has been told as fragments
	sawKey    uint8         // beginsWithKey if what has not been told begins with a key frame
	sawMore   bool          // video that has not been told
	nextCue   int64         // nanoseconds, where the next cue can be

	visit func(blockFacts) // for a Cutter, or nil
}

// openBlock is the SimpleBlock or BlockGroup under way.
type openBlock struct {
	offset    int64
	head      Block
	hasHead   bool
	track     int       // index of its track, or -1 if the header has no such track
	one       [1][]byte // where the frame of a block without lacing is kept for a moment
	media     int64     // duration by what the frames say, in nanoseconds, or 0
	duration  int64     // BlockDuration in nanoseconds, or 0
	discard   int64     // DiscardPadding in nanoseconds
	reference bool
}

// NewSplitter returns a splitter at the start of a stream.
func NewSplitter(opts Options) *Splitter {
	if opts.MaxHeaderSize == 0 {
		opts.MaxHeaderSize = 64 << 20
	}
	if opts.MaxTracks == 0 {
		opts.MaxTracks = 128
	}
	s := &Splitter{opts: opts}
	s.scan.Ends = endsUnknown
	return s
}

// Push takes the next bytes of the stream, cut anywhere, and keeps no reference
// to them. Its error is an [*Error] and final: all that was complete before can
// be taken, and what is pushed from then on counts as dropped.
func (s *Splitter) Push(chunk []byte) error {
	s.size += int64(len(chunk))
	if s.err != nil {
		return s.err
	}
	var held []byte
	held, s.err = s.begin.push(chunk)
	for _, bytes := range [...][]byte{held, chunk} {
		if s.err == nil && s.begin.known {
			s.scan.Push(bytes)
			s.run()
		}
	}
	if s.err != nil {
		s.settle()
	}
	return errorOrNil(s.err)
}

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
	c := s.clusters
	s.clusters = nil
	return c
}

// Report says what is known so far. Its slices are valid until the next Push or
// Finish.
func (s *Splitter) Report() Report {
	s.report.Bytes = s.size
	return s.report
}

// Fragments is Clusters for those who cannot wait until a cluster is complete,
// which for audio alone can take 30 seconds: what there is of the open cluster is
// among them as a fragment, and what comes later of it as others. All of them
// together have every block once, if Clusters is not called as well.
func (s *Splitter) Fragments() []Cluster {
	if s.inCluster && s.err == nil {
		s.closeFragment(s.fact())
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
// Dropped. Its error is an [*Error], of a stream that is damaged or has no whole
// header; one that is only cut short after its header has none.
func (s *Splitter) Finish() (Report, error) {
	if s.err == nil {
		if s.err = s.begin.finish(); s.err == nil {
			s.scan.Finish()
			s.run()
			s.settle()
		}
	}
	s.tell(s.whole, s.whole)
	if s.size > s.told {
		s.report.Dropped = append(s.report.Dropped, Drop{Range{s.told, s.size}, s.err})
		s.told = s.size
	}
	if s.err != nil && s.err.Code == CodeTruncated && len(s.report.Recordings) > 0 {
		s.err = nil
	}
	return s.Report(), errorOrNil(s.err)
}

// run takes the scanner's tokens as far as the bytes go.
func (s *Splitter) run() {
	for s.err == nil {
		switch s.scan.Next() {
		case ebml.Start:
			s.start(s.scan.Head())
		case ebml.Value:
			s.value(s.scan.Head(), s.scan.Data())
		case ebml.End:
			s.end(s.scan.Head().ID)
		case ebml.More:
			if s.scan.Err() != nil {
				s.err = scanError(&s.scan)
			}
			return
		}
	}
}

// start decides what is wanted of an element: its children, its value, or, as
// for all that is not named here, nothing.
func (s *Splitter) start(h ebml.Head) {
	if s.inHeader && s.headerEnd(h) > s.opts.MaxHeaderSize {
		s.fail(CodeTooLarge, "makes the header larger than MaxHeaderSize")
		return
	}
	switch s.scan.Parent() {
	case 0:
		switch h.ID {
		case ebml.IDEBML:
			s.openRecording(h)
		case IDSegment:
			s.scan.Enter()
		}
	case IDSegment:
		switch h.ID {
		case IDCluster:
			s.openCluster(h)
		case IDInfo, IDTracks:
			if s.inHeader {
				s.scan.Enter()
			}
		}
	case ebml.IDEBML, IDInfo:
		s.scan.Read(maxText)
	case IDTracks:
		if h.ID == IDTrackEntry {
			s.openTrack()
		}
	case IDTrackEntry, IDVideo, IDAudio:
		switch h.ID {
		case IDVideo, IDAudio:
			s.scan.Enter()
		case IDCodecPrivate:
			s.scan.Read(int(s.opts.MaxHeaderSize))
		default:
			s.scan.Read(maxText)
		}
	case IDCluster:
		switch h.ID {
		case IDTimestamp:
			s.scan.Read(8)
		case IDPosition, IDPrevSize, ebml.IDCRC32:
			s.entry.flags |= needsVoid
		case IDSimpleBlock:
			s.block = openBlock{offset: h.Offset}
			s.scan.Read(blockHeadLen)
		case IDBlockGroup:
			s.block = openBlock{offset: h.Offset}
			s.scan.Enter()
		}
	case IDBlockGroup:
		switch h.ID {
		case IDBlock:
			s.scan.Read(blockHeadLen)
		case IDBlockDuration, IDDiscardPadding:
			s.scan.Read(8)
		case IDReferenceBlock:
			s.block.reference = true
		}
	}
}

// value takes in a value that start asked for.
func (s *Splitter) value(h ebml.Head, data []byte) {
	if s.inHeader && len(data) == 0 {
		return // it has its default value, which is set already (RFC 8794 §7)
	}
	switch parent := s.scan.Parent(); parent {
	case IDCluster, IDBlockGroup:
		switch h.ID {
		case IDTimestamp:
			s.readTimestamp(h, ebml.ParseUint(data))
		case IDSimpleBlock, IDBlock:
			s.readBlock(h, data)
		case IDBlockDuration:
			s.block.duration = ticksToTime(ebml.ParseUint(data), s.recording().Header.TimestampScale)
		case IDDiscardPadding:
			s.block.discard = max(0, min(ebml.ParseInt(data), maxTime))
		}
	case IDTrackEntry, IDVideo, IDAudio:
		tracks := s.recording().Header.Tracks
		tracks[len(tracks)-1].set(h.ID, data)
	default:
		s.readHeader(h.ID, data)
	}
}

// end closes what the element opened.
func (s *Splitter) end(id ebml.ID) {
	switch s.scan.Parent() {
	case 0:
		s.whole = s.scan.EndOffset()
	case IDSegment:
		s.whole = s.scan.EndOffset()
		switch {
		case id == IDCluster:
			s.closeCluster()
		default:
			s.keepPart()
			s.hasTracks = s.hasTracks || id == IDTracks && s.inHeader
		}
	case ebml.IDEBML, IDInfo:
		s.keepPart()
	case IDTracks:
		if id == IDTrackEntry {
			s.closeTrack()
		}
	case IDCluster:
		s.whole = s.scan.EndOffset()
		if id == IDSimpleBlock || id == IDBlockGroup {
			s.countBlock(id)
		}
	}
}

// keepPart keeps in the index where the element is that has just ended, of the
// header or after the clusters.
func (s *Splitter) keepPart() {
	h := s.scan.Head()
	ix := s.indexes[len(s.indexes)-1]
	switch h.ID {
	case ebml.IDVoid, ebml.IDCRC32, IDSeekHead, IDCues:
		return // plans make their own
	case IDInfo, IDTracks:
		if !s.inHeader {
			return // they are not read again
		}
	}
	if len(ix.parts) < maxParts || h.ID == IDTracks && !s.hasTracks {
		ix.parts = append(ix.parts, part{s.scan.Parent(), h.ID, Range{h.Offset, s.scan.EndOffset()}})
	}
}

// openRecording begins another recording at an EBML header.
func (s *Splitter) openRecording(h ebml.Head) {
	if s.inHeader {
		s.closeHeader(h.Offset)
	}
	s.report.Recordings = append(s.report.Recordings, Recording{Header: Header{
		Range:          Range{Start: h.Offset},
		Recording:      len(s.report.Recordings),
		DocType:        "matroska",
		TimestampScale: 1_000_000,
	}})
	s.indexes = append(s.indexes, &Index{})
	s.inHeader, s.hasTracks = true, false
	s.scan.Enter()
}

// headerEnd is how large the open header is at least, with the element h in it.
func (s *Splitter) headerEnd(h ebml.Head) int64 {
	end := h.End()
	if h.ID == IDSegment || h.ID == IDCluster {
		end = h.Offset
	}
	return end - s.recording().Header.Start
}

// readHeader takes in a value of the EBML header or of Info.
func (s *Splitter) readHeader(id ebml.ID, data []byte) {
	h := &s.recording().Header
	switch id {
	case ebml.IDDocType:
		h.DocType = ebml.ParseString(data)
		if h.DocType != "webm" && h.DocType != "matroska" {
			s.fail(CodeNotWebM, `is "`+h.DocType+`", not webm or matroska`)
		}
	case IDTimestampScale:
		scale := ebml.ParseUint(data)
		if scale == 0 || scale > maxTimestampScale {
			s.fail(CodeInvalidValue, "is not from 1 to 1000000000000 nanoseconds")
			return
		}
		h.TimestampScale = int64(scale)
	case IDDuration:
		h.Duration = ebml.ParseFloat(data)
	case IDMuxingApp:
		h.MuxingApp = ebml.ParseString(data)
	case IDWritingApp:
		h.WritingApp = ebml.ParseString(data)
	}
}

// openTrack begins another track of the header.
func (s *Splitter) openTrack() {
	h := &s.recording().Header
	if len(h.Tracks) == s.opts.MaxTracks {
		s.fail(CodeTooLarge, "is one more track than MaxTracks")
		return
	}
	h.Tracks = append(h.Tracks, Track{Language: "eng"})
	s.scan.Enter()
}

// closeTrack completes the last track of the header.
func (s *Splitter) closeTrack() {
	tracks := s.recording().Header.Tracks
	t := &tracks[len(tracks)-1]
	if t.Number == 0 {
		s.fail(CodeMissing, "has no TrackNumber")
		return
	}
	if t.Type == Audio {
		if t.SampleRate == 0 {
			t.SampleRate = 8000
		}
		t.Channels = max(t.Channels, 1)
	}
	t.Codec = t.headerCodec()
}

// closeHeader ends the open header at offset end. One without Tracks is of no
// use: what it has becomes other elements.
func (s *Splitter) closeHeader(end int64) {
	s.inHeader = false
	rec := s.recording()
	if !s.hasTracks {
		s.report.Recordings = s.report.Recordings[:len(s.report.Recordings)-1]
		s.indexes = s.indexes[:len(s.indexes)-1]
		return
	}
	rec.Header.End = end
	s.tell(rec.Header.Start, end)
	h := rec.Header
	h.Tracks = append([]Track(nil), h.Tracks...) // key frames refine those of the recording
	s.headers = append(s.headers, h)
	ix := s.indexes[len(s.indexes)-1]
	ix.header = rec.Header // with the tracks that are refined
	ix.clusters.scale = h.TimestampScale
	s.hasVideo, s.nextCue = false, 0
	for i := range h.Tracks {
		s.hasVideo = s.hasVideo || h.Tracks[i].Type == Video
	}
	s.clocks = make([]clock, len(h.Tracks))
	s.counts = make([]TrackBlocks, len(h.Tracks))
}

// openCluster begins a cluster, the first of which ends the header.
func (s *Splitter) openCluster(h ebml.Head) {
	if s.inHeader {
		if !s.hasTracks {
			s.fail(CodeMissing, "comes before any Tracks")
			return
		}
		s.closeHeader(h.Offset)
	}
	s.cluster = Cluster{
		Range:     Range{Start: h.Offset},
		Recording: len(s.report.Recordings) - 1,
		HeadLen:   h.Len,
		Known:     h.Size != ebml.UnknownSize,
	}
	s.inCluster, s.hasTime = true, false
	s.entry = entry{Range: Range{Start: h.Offset}, headLen: uint8(h.Len)}
	s.sawVideo, s.sawMore, s.sawKey = false, false, 0
	s.given = Cluster{}
	if !s.hasVideo {
		s.entry.flags, s.sawKey = beginsWithKey, beginsWithKey
	}
	s.keyFrames = s.keyFrames[:0]
	s.cues = s.cues[:0]
	for i, t := range s.recording().Header.Tracks {
		s.counts[i] = TrackBlocks{Number: t.Number}
	}
	s.scan.Enter()
}

// readTimestamp takes in the Timestamp of the open cluster.
func (s *Splitter) readTimestamp(h ebml.Head, ticks uint64) {
	if ticks > maxTime/uint64(s.recording().Header.TimestampScale) {
		s.fail(CodeInvalidValue, "is more than 36 years")
		return
	}
	if s.hasTime {
		s.fail(CodeInvalidValue, "is the second of its Cluster")
		return
	}
	if h.Size > 8 || h.Offset-s.entry.data() > 1<<32-1 {
		s.fail(CodeInvalidValue, "is not an integer at the beginning of its Cluster")
		return
	}
	s.cluster.Timestamp = int64(ticks)
	s.entry.timeAt, s.entry.timeLen = uint32(h.Offset-s.entry.data()), uint8(h.Len+int(h.Size))
	s.hasTime = true
}

// readBlock takes in the first bytes of a SimpleBlock or Block, and asks for
// more where they are not enough.
func (s *Splitter) readBlock(h ebml.Head, data []byte) {
	b, n, ok := parseBlockHead(data)
	if !ok {
		s.fail(CodeInvalidBlock, "is too short for a block")
		return
	}
	if !s.hasTime {
		s.fail(CodeMissing, "comes before the Timestamp of its Cluster")
		return
	}
	tracks := s.recording().Header.Tracks
	s.block.head, s.block.hasHead = b, true
	s.block.track = -1
	for i := range tracks {
		if tracks[i].Number == b.Track {
			s.block.track = i
			break
		}
	}
	if s.block.track < 0 {
		return
	}
	track := &tracks[s.block.track]

	want := int64(len(data))
	if b.Lacing != NoLacing {
		want = h.Size
		if want > maxLacedBlock {
			s.fail(CodeTooLarge, "has lacing and more than 1 MiB")
			return
		}
	} else if track.needsKeyFrame() {
		want = min(codecFrameLen, h.Size)
	}
	if int64(len(data)) < want {
		s.scan.Read(int(want))
		return
	}

	payload := h.Size - int64(n)
	s.block.one[0] = data[n:]
	frames := s.block.one[:]
	if b.Lacing != NoLacing {
		if frames, ok = splitLaces(b.Lacing, data[n:]); !ok {
			s.fail(CodeInvalidBlock, "has lacing that does not add up")
			return
		}
		payload = 0
		for _, f := range frames {
			payload += int64(len(f))
		}
	} else if track.needsKeyFrame() {
		track.Codec = track.keyFrameCodec(data[n:])
	}
	s.block.media = track.blockDuration(frames, payload)
	s.block.one[0] = nil
}

// A blockFacts is what a Cutter must know of a block.
type blockFacts struct {
	Range        // of its SimpleBlock or BlockGroup
	track    int // index of its track
	ticks    int64
	duration int64 // nanoseconds, 0 if not known
	key      bool
}

// countBlock takes in the block that has just ended.
func (s *Splitter) countBlock(id ebml.ID) {
	b := &s.block
	if !b.hasHead {
		return // a BlockGroup without a Block
	}
	s.cluster.Blocks++
	if b.track < 0 {
		return
	}
	rec := s.recording()
	track := &rec.Header.Tracks[b.track]
	ticks := s.cluster.Timestamp + int64(b.head.Timestamp)
	duration := b.duration
	if duration == 0 {
		duration = b.media
	}
	at := ticks * rec.Header.TimestampScale
	ix := s.indexes[len(s.indexes)-1]
	block := KeyFrame{track.Number, ticks, b.offset}
	if !s.clocks[b.track].seen {
		ix.first = append(ix.first, block)
	}
	duration = max(0, duration-b.discard)
	s.clocks[b.track].add(at, duration)
	s.entry.flags |= hasBlocks

	s.counts[b.track].Blocks++
	// A Block has no key flag: it is a key frame if it refers to no other
	// (RFC 9559 §10.2).
	key := b.head.Key
	if id == IDBlockGroup {
		key = !b.reference
	}
	if s.visit != nil {
		s.visit(blockFacts{Range{b.offset, s.scan.EndOffset()}, b.track, ticks, duration, key || track.onlyKeyFrames()})
	}
	if !key && id == IDSimpleBlock && track.onlyKeyFrames() {
		s.entry.flags |= needsKeys
	}
	if track.Type == Video && key && !s.sawVideo {
		s.entry.flags |= beginsWithKey
	}
	if track.Type == Video && key && !s.sawMore {
		s.sawKey = beginsWithKey
	}
	if track.Type == Video {
		s.sawVideo, s.sawMore = true, true
	}
	if key || track.onlyKeyFrames() {
		s.counts[b.track].KeyFrames++
		if track.Type == Video {
			s.keyFrames = append(s.keyFrames, block)
		} else if !s.hasVideo && at >= s.nextCue {
			s.cues = append(s.cues, block)
			s.nextCue = at + cueInterval
		}
	}
}

// closeCluster ends the open cluster where the last whole element ends.
func (s *Splitter) closeCluster() {
	s.inCluster = false
	rec := s.recording()
	ix := s.indexes[len(s.indexes)-1]
	c := s.fact()
	rec.Clusters++
	for _, clock := range s.clocks {
		if clock.seen {
			rec.Duration = max(rec.Duration, clock.end())
		}
	}
	if s.hasVideo {
		ix.add(c.form, s.keyFrames)
	} else {
		ix.add(c.form, s.cues)
	}
	ix.duration = rec.Duration
	s.tell(c.Start, c.End)
	if s.given.Blocks == 0 {
		s.clusters = append(s.clusters, c)
	} else {
		s.closeFragment(c)
	}
}

// fact is the open cluster as it is so far, up to the last whole element.
func (s *Splitter) fact() Cluster {
	c := s.cluster
	c.End = s.whole
	c.KeyFrames = append([]KeyFrame(nil), s.keyFrames...)
	c.Tracks = append([]TrackBlocks(nil), s.counts...)
	begin := c.Timestamp * s.recording().Header.TimestampScale
	for i, clock := range s.clocks {
		if s.counts[i].Blocks > 0 {
			c.Duration = max(c.Duration, clock.end()-begin)
		}
	}
	s.entry.End, s.entry.timestamp = c.End, c.Timestamp
	if s.entry.flags&hasBlocks != 0 {
		s.entry.until = begin + c.Duration
	}
	c.form = s.entry
	if edit := s.indexes[c.Recording].form(&s.entry); edit != nil {
		c.edit = *edit
	}
	return c
}

// closeFragment tells what of the open cluster has not been told as a fragment.
func (s *Splitter) closeFragment(c Cluster) {
	given := s.given
	if given.Blocks == c.Blocks {
		return
	}
	s.given = c
	c.Fragment, c.HeadLen = true, 0
	c.Start = given.End
	if given.Blocks == 0 {
		c.Start = s.entry.data() + int64(s.entry.timeAt) + int64(s.entry.timeLen)
	} else {
		c.Blocks -= given.Blocks
		c.KeyFrames = c.KeyFrames[len(given.KeyFrames):]
		c.Tracks = append([]TrackBlocks(nil), c.Tracks...)
		for i, t := range given.Tracks {
			c.Tracks[i].Blocks -= t.Blocks
			c.Tracks[i].KeyFrames -= t.KeyFrames
		}
		c.form.flags = c.form.flags&^beginsWithKey | s.sawKey
	}
	if s.hasVideo {
		s.sawKey, s.sawMore = 0, false
	}
	s.clusters = append(s.clusters, c)
}

// settle closes what is open when the stream breaks or ends, up to the last
// whole element. A cluster is worth keeping if it has a block, a header if it
// has its Tracks.
func (s *Splitter) settle() {
	if s.inCluster {
		if s.cluster.Blocks > 0 {
			s.cluster.Cut = true
			s.closeCluster()
		} else {
			s.inCluster = false
			s.whole = s.cluster.Start
		}
	}
	if s.inHeader {
		if !s.hasTracks {
			s.whole = s.recording().Header.Start
			s.err = s.headerless()
		}
		s.closeHeader(s.whole)
	}
}

// headerless is why the open header is not one.
func (s *Splitter) headerless() *Error {
	if s.err != nil {
		return s.err
	}
	return &Error{Code: CodeTruncated, Offset: s.size, text: "webm: the stream ends at " + decimal(s.size) + ", before any Tracks"}
}

// fail stops the splitter at the element that the last token speaks of.
//
//go:noinline
func (s *Splitter) fail(code Code, predicate string) {
	h, path := s.scan.Head(), s.scan.Path()
	if path[len(path)-1].Offset != h.Offset {
		path = append(path, h) // it has just ended
	}
	s.err = newError(code, h.Offset, path, predicate)
}

// tell accounts for the range from start to end as a header or cluster. What is
// whole between it and the range told before it is other elements.
func (s *Splitter) tell(start, end int64) {
	if start > s.told {
		s.report.Other = append(s.report.Other, Range{s.told, start})
	}
	s.told = max(s.told, end)
}

// recording is the one that is being read.
//
//go:noinline
func (s *Splitter) recording() *Recording {
	return &s.report.Recordings[len(s.report.Recordings)-1]
}
