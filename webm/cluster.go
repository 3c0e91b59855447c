package webm

// How a parser reads a cluster and its blocks.

import "github.com/webmend/webmend/ebml"

// flacHeadLen is as much of a frame of FLAC as tells its length (RFC 9639 §9.1).
const flacHeadLen = 16

// An openCluster is the cluster under way.
type openCluster struct {
	Range            // up to its last whole element once it is complete
	headLen   int    // bytes of its ID and size
	known     bool   // its size is known, and true
	hasTime   bool   // its Timestamp has been read
	timestamp int64  // ticks
	timeAt    uint32 // where its Timestamp element is, from its data
	timeLen   uint8  // the length of that
	flags     uint8  // needsVoid or 0, as an entry has it
	doubtful  *Error // what is wrong with its last element, if no block has come since
	unheard   bool   // and it is one that the specification does not have
	strange   *Error // of its first element that the specification does not have
}

// data is the offset of its data.
func (c *openCluster) data() int64 { return c.Start + int64(c.headLen) }

// startCluster begins a cluster, the first of which ends the header.
func (p *parser) startCluster(h ebml.Head) event {
	if o := p.begun; o != nil {
		if !o.hasTracks && o.later[laterTracks] > h.Offset {
			return tracksLater
		}
		if !o.hasTracks {
			o.early = h.Offset
			return p.fail(CodeMissing, "comes before any Tracks")
		}
		p.closeHeader(h.Offset)
		p.again = true
		return headerDone
	}
	if h.Offset >= p.bound {
		p.bound = 0
	}
	p.inCluster = true
	p.cluster = openCluster{Range: Range{Start: h.Offset}, headLen: h.Len, known: h.Size != ebml.UnknownSize}
	p.scan.Enter()
	return clusterBegun
}

// clusterLimit is where the open cluster must end at the latest.
func (p *parser) clusterLimit() int64 {
	if p.bound > 0 {
		return p.bound
	}
	return p.cluster.Start + p.limits.MaxClusterSize
}

// startInCluster begins a child of the cluster.
func (p *parser) startInCluster(h ebml.Head) event {
	switch h.ID {
	case IDTimestamp:
		p.scan.Read(8)
	case IDPosition, IDPrevSize, ebml.IDCRC32:
		p.cluster.flags |= needsVoid
		if h.Size > 8 {
			return p.fail(CodeInvalidValue, "is longer than it can be")
		}
	case ebml.IDVoid, IDSilentTracks, IDEncryptedBlock:
	default:
		if _, _, known := Lookup(h.ID); !known && p.cluster.strange == nil && p.tolerant {
			p.cluster.strange = newError(CodeMisplaced, h.Offset, p.scan.Path(), "is nothing that the specification has")
		}
		p.misread(h, maxUnknown)
		p.tolerate(h)
	case IDSimpleBlock:
		p.block = openBlock{Range: Range{Start: h.Offset}}
		p.scan.Read(blockHeadLen)
	case IDBlockGroup:
		p.block = openBlock{Range: Range{Start: h.Offset}}
		p.scan.Enter()
	}
	return none
}

// tolerate lets elements that cannot be in a Cluster pass, should they be small and a whole
// block come next: then only they were broken. Otherwise it is damage after all, and what
// it took in is read again. Of a Segment's elements, which have IDs of 4 octets, none is.
func (p *parser) tolerate(h ebml.Head) {
	_, _, known := Lookup(h.ID)
	part := known && h.ID.Len() == 4
	if p.err == nil || part || !p.tolerant || h.Size < 0 || h.End()-p.committed > maxTolerated {
		return
	}
	if p.cluster.doubtful == nil {
		p.cluster.doubtful, p.cluster.unheard = p.err, true
	}
	p.cluster.unheard = p.cluster.unheard && !known
	p.err = nil
}

// readTimestamp takes in the Timestamp of the open cluster.
func (p *parser) readTimestamp(h ebml.Head, ticks uint64) {
	c := &p.cluster
	switch {
	case ticks > maxTime/uint64(p.header.TimestampScale):
		p.fail(CodeInvalidValue, "is more than 36 years")
	case c.hasTime:
		p.fail(CodeInvalidValue, "is the second of its Cluster")
	case h.Size > 8 || h.Offset-c.data() > 1<<32-1:
		p.fail(CodeInvalidValue, "is not an integer at the beginning of its Cluster")
	default:
		c.timestamp, c.hasTime = int64(ticks), true
		c.timeAt, c.timeLen = uint32(h.Offset-c.data()), uint8(h.Len+int(h.Size))
	}
}

// endInCluster closes a child of the cluster.
func (p *parser) endInCluster(id ebml.ID) event {
	if id == IDSimpleBlock || id == IDBlockGroup {
		return p.endBlock(id == IDBlockGroup)
	}
	if p.cluster.doubtful == nil {
		p.committed = p.scan.EndOffset()
	}
	if id == IDTimestamp {
		return timestampDone
	}
	return none
}

// closeCluster ends the cluster, all of whose elements are whole.
func (p *parser) closeCluster() event {
	if p.cluster.doubtful != nil {
		p.err = p.cluster.doubtful
		return none
	}
	p.inCluster = false
	p.committed = p.scan.EndOffset()
	p.cluster.End = p.committed
	if h := p.scan.Head(); h.End() != p.committed {
		p.cluster.known = false
	}
	return clusterDone
}

// An openBlock is the SimpleBlock or BlockGroup under way.
type openBlock struct {
	Range  // of its element
	head   blockHead
	isHead bool      // head has been read
	key    bool      // it can be decoded on its own
	flag   bool      // the stream says so
	simple bool      // it is a SimpleBlock
	track  int       // index of its track, or -1 if the header has no such track
	kind   TrackType // of its track
	ticks  int64     // its timestamp, from the beginning of the recording
	at     int64     // the same, in nanoseconds
	media  int64     // duration by what the frames say, in nanoseconds, or 0
	frames int64     // how many it holds
	sum    uint32    // of its size, its time and its first bytes, see repeats
	codec  string    // what its frame tells of its track's Codec, or ""

	// Of a BlockGroup:
	duration  int64 // BlockDuration in nanoseconds, or 0
	discard   int64 // DiscardPadding in nanoseconds
	reference bool  // it has a ReferenceBlock

	// strays are elements before it that cannot be there. Only they were broken.
	strays Range
}

// readBlock takes in the first bytes of a SimpleBlock or Block with size bytes of data,
// and asks for more where they are not enough.
func (p *parser) readBlock(size int64, data []byte) {
	head, n, ok := parseBlockHead(data)
	if !ok {
		p.fail(CodeInvalidBlock, "is too short for a block")
		return
	}
	if !p.cluster.hasTime {
		p.fail(CodeMissing, "comes before the Timestamp of its Cluster")
		return
	}
	b := &p.block
	b.head, b.isHead = head, true
	b.ticks = p.cluster.timestamp + int64(head.timestamp)
	b.at = b.ticks * p.header.TimestampScale
	b.track = trackNumbered(p.header.Tracks, head.track)
	if b.track < 0 {
		return
	}
	if p.tolerant { // who can read again compares them
		b.sum = sumOf(data[:min(len(data), blockHeadLen)], size, p.cluster.timestamp)
	}
	track := &p.header.Tracks[b.track]
	b.kind = track.Type
	if head.lacing() != NoLacing {
		p.readLaces(size, data, n, track)
		return
	}
	want := int64(blockHeadLen)
	if track.needsKeyFrame() {
		want = codecFrameLen
	} else if track.Codec == "flac" {
		want += flacHeadLen
	}
	if want = min(want, size); int64(len(data)) < want {
		p.scan.Read(int(want))
		return
	}
	if track.needsKeyFrame() {
		b.codec = track.keyFrameCodec(data[n:])
	}
	b.frames, b.media = 1, track.frameDuration(data[n:], size-int64(n))
}

// readLaces takes in a block that holds several frames after its first n bytes, once
// all of it is there.
func (p *parser) readLaces(size int64, data []byte, n int, track *Track) {
	if want := min(size, maxLacedBlock); int64(len(data)) < want {
		p.scan.Read(int(want))
		return
	}
	b := &p.block
	if size > maxLacedBlock { // what it holds is not looked at, but how many
		b.frames, b.media = int64(data[n])+1, 0
		return
	}
	frames, ok := splitLaces(b.head.lacing(), data[n:])
	if !ok {
		p.fail(CodeInvalidBlock, "has lacing that does not add up")
		return
	}
	b.frames, b.media = int64(len(frames)), 0
	for _, f := range frames {
		b.media = min(b.media+track.frameDuration(f, int64(len(f))), maxTime)
	}
}

// endBlock completes a SimpleBlock or BlockGroup.
func (p *parser) endBlock(group bool) event {
	b, c := &p.block, &p.cluster
	b.End = p.scan.EndOffset()
	if c.doubtful != nil {
		if !b.isHead || b.track < 0 {
			p.err = c.doubtful
			return none
		}
		if !c.unheard { // what the specification does not have may be of a later version, and stays
			// Nor can what comes before the Timestamp go, as clusters have that at their beginning.
			b.strays = Range{max(p.committed, c.data()+int64(c.timeAt)+int64(c.timeLen)), b.Start}
		}
		c.doubtful = nil
	}
	if b.isHead && b.track < 0 && p.proof {
		return p.fail(CodeInvalidBlock, "is of no track")
	}
	p.committed = b.End
	if !b.isHead {
		return none // a BlockGroup without a Block
	}
	// A Block has no key flag: it is a key frame if it refers to no other
	// (RFC 9559 §10.2).
	b.simple = !group
	b.flag = b.head.flags&flagKey != 0
	if group {
		b.flag = !b.reference
	}
	b.key = b.flag || b.kind.onlyKeyFrames()
	return blockDone
}

// length is how long the block lasts in nanoseconds, or unknownDuration, and then what is not
// heard of its frames. What a BlockDuration says is heard, and of what a packet says less.
func (b *openBlock) length() (duration, padding int64) {
	switch {
	case b.duration > 0:
		return b.duration, 0
	case b.media > 0:
		return max(0, b.media-b.discard), 0
	}
	return unknownDuration, b.discard
}

// uncommit takes the block back, as it is to be read again.
func (p *parser) uncommit() { p.committed = p.block.Start }
