package webm

// How a Splitter reads a cluster and its blocks.

import "github.com/webmend/webmend/ebml"

// cueInterval is how far apart the blocks are that a recording without video is
// entered at, in nanoseconds: the least that WebM's guidelines ask for.
const cueInterval = 500_000_000

// flacHeadLen is as much of a frame of FLAC as tells its length (RFC 9639 §9.1).
const flacHeadLen = 16

// openCluster is the cluster under way.
type openCluster struct {
	Cluster
	entry     entry         // for the index
	previous  int64         // where the cluster before it begins
	hasTime   bool          // its Timestamp has been read
	counts    []TrackBlocks // by the order of the recording's tracks
	keyFrames []KeyFrame    // of video
	cues      []KeyFrame    // of audio, where there is no video
	first     []KeyFrame    // the first blocks of tracks
	gaps      []Gap
	left      []frame // that plans leave out, and key frames after them

	doubtful *Error // what is wrong with the last element, if no block has come since
	unheard  bool   // and it is one that the specification does not have
	strange  *Error // of its first element that the specification does not have
	sawVideo bool   // it has a block of video

	// What of it has been told as fragments, and of the rest whether it has a
	// block of video and begins with a key frame.
	given        Cluster
	givenKeys    int
	restSawVideo bool
	restBegins   uint8 // beginsWithKey, or 0
}

// openBlock is the SimpleBlock or BlockGroup under way.
type openBlock struct {
	offset    int64
	head      blockHead
	hasHead   bool
	track     int   // index of its track, or -1 if the header has no such track
	ticks     int64 // its timestamp, from the beginning of the recording
	at        int64 // the same, in nanoseconds
	media     int64 // duration by what the frames say, in nanoseconds, or 0
	duration  int64 // BlockDuration in nanoseconds, or 0
	discard   int64 // DiscardPadding in nanoseconds
	frames    int64 // how many it holds
	reference bool
	repeated  bool // the stream has had it already
}

// openCluster begins a cluster, the first of which ends the header.
func (s *Splitter) openCluster(h ebml.Head) {
	if s.inHeader {
		if !s.hasTracks && s.later[laterTracks] > h.Offset {
			s.findTracks(h)
			return
		}
		if !s.hasTracks {
			s.early = h.Offset
			s.fail(CodeMissing, "comes before any Tracks")
			return
		}
		s.closeHeader(h.Offset)
	}
	at := Range{Start: h.Offset}
	s.inCluster = true
	var given Cluster
	var givenKeys int
	if s.opts.Rewinds {
		given, givenKeys = s.before.take(s, h.Offset)
		s.repeats.begin(h.Offset)
	}
	s.time.beginCluster()
	previous := s.open.Cluster.Start
	if previous == h.Offset { // it is read again
		previous = s.open.previous
	}
	s.open = openCluster{
		Cluster:   Cluster{Range: at, Recording: len(s.report.Recordings) - 1, HeadLen: h.Len, Known: h.Size != ebml.UnknownSize},
		entry:     entry{Range: at, headLen: uint8(h.Len)},
		previous:  previous,
		counts:    s.open.counts[:0], // whose memory serves for every cluster
		keyFrames: s.open.keyFrames[:0],
		cues:      s.open.cues[:0],
		first:     s.open.first[:0],
		gaps:      s.open.gaps[:0],
		left:      s.open.left[:0],
		given:     given,
		givenKeys: givenKeys,
	}
	if !s.time.hasVideo {
		s.open.entry.flags, s.open.restBegins = beginsWithKey, beginsWithKey
	}
	for _, t := range s.recording().Header.Tracks {
		s.open.counts = append(s.open.counts, TrackBlocks{Number: t.Number})
	}
	s.scan.Enter()
}

// readTimestamp takes in the Timestamp of the open cluster.
func (s *Splitter) readTimestamp(h ebml.Head, ticks uint64) {
	if ticks > maxTime/uint64(s.recording().Header.TimestampScale) {
		s.fail(CodeInvalidValue, "is more than 36 years")
		return
	}
	if s.open.hasTime {
		s.fail(CodeInvalidValue, "is the second of its Cluster")
		return
	}
	if h.Size > 8 || h.Offset-s.open.entry.data() > 1<<32-1 {
		s.fail(CodeInvalidValue, "is not an integer at the beginning of its Cluster")
		return
	}
	s.open.Cluster.Timestamp = int64(ticks)
	s.open.entry.timeAt, s.open.entry.timeLen = uint32(h.Offset-s.open.entry.data()), uint8(h.Len+int(h.Size))
	s.open.hasTime = true
}

// readBlock takes in the first bytes of a SimpleBlock or Block with size bytes of data,
// and asks for more where they are not enough.
func (s *Splitter) readBlock(size int64, data []byte) {
	b, n, ok := parseBlockHead(data)
	if !ok {
		s.fail(CodeInvalidBlock, "is too short for a block")
		return
	}
	if !s.open.hasTime {
		s.fail(CodeMissing, "comes before the Timestamp of its Cluster")
		return
	}
	header := &s.recording().Header
	s.block.head, s.block.hasHead = b, true
	s.block.ticks = s.open.Cluster.Timestamp + int64(b.timestamp)
	s.block.at = s.block.ticks * header.TimestampScale
	s.block.track = trackNumbered(header.Tracks, b.track)
	if s.block.track < 0 {
		return
	}
	track := &header.Tracks[s.block.track]
	if s.visit == nil && !s.trial && s.lookForRepeat(data, size) {
		return
	}
	if b.lacing() != NoLacing {
		s.readLaces(size, data, n, track)
		return
	}
	want := int64(blockHeadLen)
	if track.needsKeyFrame() {
		want = codecFrameLen
	} else if track.Codec == "flac" {
		want += flacHeadLen
	}
	if want = min(want, size); int64(len(data)) < want {
		s.scan.Read(int(want))
		return
	}
	if track.needsKeyFrame() {
		track.Codec = track.keyFrameCodec(data[n:])
	}
	s.block.frames, s.block.media = 1, track.frameDuration(data[n:], size-int64(n))
}

// lookForRepeat takes in the first bytes of the block under way, and tells whether something
// has to be found out first: whether it was pushed before, or is one of another cluster.
func (s *Splitter) lookForRepeat(data []byte, size int64) (asks bool) {
	r := &s.repeats
	if s.block.repeated = r.isRepeated(s.block.offset); s.block.repeated || !s.opts.Rewinds {
		return false
	}
	sum := sumOf(data[:min(len(data), blockHeadLen)], size, s.open.Cluster.Timestamp)
	if c := &s.time.clocks[s.block.track]; c.seen && s.block.at < c.latest.at && (s.mayRepeat(sum) || s.mayHide()) {
		return true
	}
	if r.n == 0 || r.numbered(r.n-1).offset < s.block.offset { // and not for the second time
		r.remember(sum, s.block.offset)
	}
	return false
}

// readLaces takes in a block that holds several frames after its first n bytes, once
// all of it is there.
func (s *Splitter) readLaces(size int64, data []byte, n int, track *Track) {
	if want := min(size, maxLacedBlock); int64(len(data)) < want {
		s.scan.Read(int(want))
		return
	}
	if size > maxLacedBlock { // what it holds is not looked at, but how many
		s.block.frames, s.block.media = int64(data[n])+1, 0
		return
	}
	frames, ok := splitLaces(s.block.head.lacing(), data[n:])
	if !ok {
		s.fail(CodeInvalidBlock, "has lacing that does not add up")
		return
	}
	s.block.frames, s.block.media = int64(len(frames)), 0
	for _, f := range frames {
		s.block.media = min(s.block.media+track.frameDuration(f, int64(len(f))), maxTime)
	}
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
	if b.head.timestamp >= maxLate {
		s.open.entry.flags |= isLong
	}
	if b.track < 0 && s.trial {
		s.fail(CodeInvalidBlock, "is of no track")
		return
	}
	s.open.Cluster.Blocks++
	if b.track < 0 {
		s.setAside(frame{reason: CodeInvalidBlock, stranger: b.head.track})
		return
	}
	track := &s.recording().Header.Tracks[b.track]
	counts := &s.open.counts[b.track]
	counts.Blocks++
	// A Block has no key flag: it is a key frame if it refers to no other
	// (RFC 9559 §10.2).
	flagged := b.head.flags&flagKey != 0
	if id == IDBlockGroup {
		flagged = !b.reference
	}
	if track.Type == Video {
		s.noteBeginning(flagged)
	}
	if b.repeated {
		s.setAside(frame{track: b.track, reason: repeated})
		return
	}
	c := &s.time.clocks[b.track]
	if !c.seen {
		s.open.first = append(s.open.first, KeyFrame{track.Number, b.ticks, b.offset})
	}
	// What a BlockDuration says is heard, and of what a packet says less.
	duration, padding := b.duration, int64(0)
	if duration == 0 && b.media > 0 {
		duration = max(0, b.media-b.discard)
	} else if duration == 0 {
		duration, padding = unknownDuration, b.discard
	}
	if track.Type == Audio {
		from := c.end
		if !c.inOne.seen {
			from = min(from, s.open.previous)
		}
		s.noteGaps(s.time.sound(b.track, b.at, duration, b.offset, s.seam >= from))
	}
	c.add(lasting{b.at, duration, b.frames, padding})
	if b.at == c.latest.at {
		c.end = s.scan.EndOffset()
	}
	s.open.entry.flags |= hasBlocks

	key := flagged || track.onlyKeyFrames()
	if !flagged && key && id == IDSimpleBlock {
		s.open.entry.flags |= needsKeys
	}
	if s.visit != nil {
		s.visit(blockFacts{Range{b.offset, s.scan.EndOffset()}, b.track, b.ticks, max(0, duration), key})
	}
	if track.Type == Video {
		s.see(frame{Range: Range{b.offset, s.scan.EndOffset()}, track: b.track, at: b.at, end: c.endOfLast(), key: key})
	}
	if key {
		counts.KeyFrames++
		if track.Type == Video {
			s.open.keyFrames = append(s.open.keyFrames, KeyFrame{track.Number, b.ticks, b.offset})
		} else if s.time.cue(b.at) {
			s.open.cues = append(s.open.cues, KeyFrame{track.Number, b.ticks, b.offset})
		}
	}
}

// noteGaps keeps gaps for the report, until their cluster is complete.
func (s *Splitter) noteGaps(gaps []Gap) {
	for i := range gaps {
		if gaps[i].Recording = len(s.report.Recordings) - 1; len(s.open.gaps) < maxGaps {
			s.open.gaps = append(s.open.gaps, gaps[i])
		}
	}
}

// setAside keeps that plans leave out the block that has just ended.
func (s *Splitter) setAside(f frame) {
	f.Range, f.at, f.end = Range{s.block.offset, s.scan.EndOffset()}, s.block.at, s.block.at
	s.open.left = append(s.open.left, f)
}

// noteBeginning takes in whether a block of video is a key frame, for what begins
// with it.
func (s *Splitter) noteBeginning(key bool) {
	if key && !s.open.sawVideo {
		s.open.entry.flags |= beginsWithKey
	}
	if key && !s.open.restSawVideo {
		s.open.restBegins = beginsWithKey
	}
	s.open.sawVideo, s.open.restSawVideo = true, true
}

// closeCluster ends the open cluster where the last whole element ends.
func (s *Splitter) closeCluster() {
	s.inCluster = false
	rec := s.recording()
	ix := s.indexes[len(s.indexes)-1]
	c := s.soFar()
	rec.Clusters++
	s.commit(ix)
	rec.Duration = s.time.duration(rec.Duration)
	ix.decodable = s.time.decodable(ix.decodable)
	if s.time.hasVideo {
		ix.add(c.form, s.open.keyFrames)
	} else {
		ix.add(c.form, s.open.cues)
	}
	ix.duration = rec.Duration
	s.tell(c.Start, c.End)
	if s.open.given.Blocks == 0 {
		s.clusters = append(s.clusters, c)
	} else {
		s.closeFragment(c)
	}
}

// soFar is the open cluster as it is so far, up to the last whole element.
func (s *Splitter) soFar() Cluster {
	c := s.open.Cluster
	c.End = s.whole
	c.KeyFrames = append([]KeyFrame(nil), s.open.keyFrames[s.open.givenKeys:]...)
	c.Tracks = append([]TrackBlocks(nil), s.open.counts...)
	begin := c.Timestamp * s.recording().Header.TimestampScale
	c.Duration = s.time.endOfCluster(begin) - begin
	s.open.entry.End, s.open.entry.timestamp = c.End, c.Timestamp
	if s.open.entry.flags&hasBlocks != 0 {
		s.open.entry.until = begin + c.Duration
	}
	c.form = s.open.entry
	if edit := s.indexes[c.Recording].form(&s.open.entry); edit != nil {
		c.edit = *edit
	}
	return c
}

// closeFragment tells what of the open cluster has not been told as a fragment.
func (s *Splitter) closeFragment(c Cluster) {
	given := s.open.given
	if given.Blocks == c.Blocks {
		return
	}
	s.open.given = c
	s.open.given.KeyFrames = nil
	s.open.givenKeys = len(s.open.keyFrames)
	c.Fragment, c.HeadLen = true, 0
	c.Start = given.End
	if given.Blocks == 0 {
		c.Start = s.open.entry.data() + int64(s.open.entry.timeAt) + int64(s.open.entry.timeLen)
	} else {
		c.Blocks -= given.Blocks
		c.Tracks = append([]TrackBlocks(nil), c.Tracks...)
		for i, t := range given.Tracks {
			c.Tracks[i].Blocks -= t.Blocks
			c.Tracks[i].KeyFrames -= t.KeyFrames
		}
		c.form.flags = c.form.flags&^beginsWithKey | s.open.restBegins
	}
	if s.time.hasVideo {
		s.open.restBegins, s.open.restSawVideo = 0, false
	}
	s.clusters = append(s.clusters, c)
}
