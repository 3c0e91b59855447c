package webm

// How the elements of a stream are read: tokens of the scanner in, events out.

import "github.com/webmend/webmend/ebml"

// How much of an element is read. Of a block its head with the longest track
// number, and the first two bytes of an Opus packet; of a frame that may tell
// its codec's parameters a bit more; of a laced block all, to find its frames.
const (
	maxText       = 4096
	blockHeadLen  = ebml.MaxVINTLen + 3 + 2
	codecFrameLen = blockHeadLen + 256
	maxLacedBlock = 1 << 20

	// Of an element that the specification does not have. In a Cluster one of a later
	// version of Matroska would be small, and misread bytes are large as a rule.
	maxUnknown     = 1 << 10
	maxUnknownPart = 1 << 20 // beside Clusters

	// maxTolerated is how many bytes are let pass that are elements which cannot be there.
	maxTolerated = 64 << 10
)

// A policy is what a parser lets pass.
type policy struct {
	// limits have MaxHeaderSize, MaxTracks and MaxClusterSize.
	limits Options

	// proof lets nothing pass that could be chance: what is read is to be proven.
	proof bool

	// tolerant lets small elements in a Cluster pass that cannot be there, if a whole
	// block follows.
	tolerant bool

	// bound is where another Cluster is known to begin, which the open one must not run
	// over, or 0.
	bound int64
}

// An event is what a parser has come to.
type event uint8

const (
	none          event = iota
	more                // all that was pushed has been read
	damage              // err says what is wrong, and nothing more is read
	badDocType          // the Segment follows an EBML header whose DocType is damaged
	headerDone          // header and its parts are complete
	tracksLater         // a Cluster comes before the Tracks, and the SeekHead says that they follow
	partDone            // part, an element of the Segment beside Clusters, is complete
	clusterBegun        // cluster is open
	timestampDone       // its Timestamp is known
	blockDone           // block is complete
	clusterDone         // cluster is
	rootDone            // an element at the root is
)

// A parser reads the elements of a stream. It knows what is open, and nothing of what
// came before.
type parser struct {
	policy
	scan      ebml.Scanner
	err       *Error
	committed int64 // where the last whole element ends, up to which nothing is lost
	again     bool  // the scanner's token is to be taken once more, after an event before it

	header    *Header     // of the last recording that has a whole one, or nil
	parts     []part      // of that header
	allTracks int         // of that recording and those before it
	begun     *openHeader // the one under way, or nil
	segment   ebml.Head   // of the open Segment
	part      part
	inCluster bool
	cluster   openCluster
	block     openBlock
}

// begin begins in the middle of a recording, inside its Segment.
//
//go:noinline
func (p *parser) begin(policy policy, header *Header, offset int64) {
	p.policy, p.header, p.committed = policy, header, offset
	p.goTo(offset)
}

// goTo reads on at an offset of a Segment whose end is not known, with nothing open.
//
//go:noinline
func (p *parser) goTo(offset int64) {
	p.goToIn(ebml.Head{ID: IDSegment, Size: ebml.UnknownSize}, offset)
}

// goToIn reads on at an offset of a Segment.
//
//go:noinline
func (p *parser) goToIn(segment ebml.Head, offset int64) {
	p.err, p.again, p.inCluster = nil, false, false
	p.scan.Ends = endsUnknown
	p.scan.Reset(offset, segment)
}

// push takes the next bytes of the stream, to be read by next.
func (p *parser) push(chunk []byte) { p.scan.Push(chunk) }

// next reads on up to the next event.
func (p *parser) next() event {
	for p.err == nil {
		if p.again {
			p.again = false
			if e := p.start(p.scan.Head()); e != none {
				return e
			}
			continue
		}
		// Most of a stream is SimpleBlocks, one after the other.
		isBlock := p.scan.Parent() == IDCluster && p.scan.ReadNext(IDSimpleBlock, blockHeadLen, p.clusterLimit())
		if isBlock {
			h := p.scan.Head()
			p.block = openBlock{Range: Range{Start: h.Offset}}
			if p.readBlock(h.Size, p.scan.Data()); p.err != nil {
				break
			}
		}
		e := none
		switch p.scan.Next() {
		case ebml.Start:
			e = p.start(p.scan.Head())
		case ebml.Value:
			e = p.value(p.scan.Head(), p.scan.Data())
		case ebml.End:
			if isBlock {
				e = p.endBlock(false)
			} else {
				e = p.end(p.scan.Head().ID)
			}
		case ebml.More:
			if p.scan.Err() == nil {
				return more
			}
			p.err = scanError(&p.scan)
		}
		if e != none {
			return e
		}
	}
	return damage
}

// start decides what is wanted of an element: its children, its value, or, as
// for all that is not named here, nothing.
func (p *parser) start(h ebml.Head) event {
	if p.begun != nil && p.begun.isTooLarge(h, p.limits.MaxHeaderSize) {
		return p.fail(CodeTooLarge, "makes the header larger than MaxHeaderSize")
	}
	if p.inCluster && max(h.End(), h.DataOffset()) > p.clusterLimit() {
		if p.bound > 0 {
			return p.fail(CodeOverrun, "runs over the Cluster at "+decimal(p.bound))
		}
		return p.fail(CodeTooLarge, "makes the Cluster larger than MaxClusterSize")
	}
	switch p.scan.Parent() {
	case 0:
		return p.startRoot(h)
	case IDSegment:
		return p.startPart(h)
	case ebml.IDEBML, IDInfo:
		p.scan.Read(maxText)
	case IDTracks:
		if h.ID == IDTrackEntry {
			return p.startTrack()
		}
	case IDTrackEntry, IDVideo, IDAudio:
		switch h.ID {
		case IDVideo, IDAudio:
			p.scan.Enter()
		case IDCodecPrivate:
			p.scan.Read(int(min(p.limits.MaxHeaderSize, 1<<31-1))) // an int can have 32 bits
		default:
			p.scan.Read(maxText)
		}
	case IDCluster:
		return p.startInCluster(h)
	case IDBlockGroup:
		switch h.ID {
		case IDBlock:
			p.scan.Read(blockHeadLen)
		case IDBlockDuration, IDDiscardPadding:
			p.scan.Read(8)
		case IDReferenceBlock:
			p.block.reference = true
		}
	}
	return none
}

// startRoot begins an element at the root.
func (p *parser) startRoot(h ebml.Head) event {
	if p.begun != nil && p.begun.docType != nil && h.ID != IDSegment && h.ID != ebml.IDVoid {
		p.err = p.begun.docType
		return none
	}
	switch h.ID {
	case ebml.IDEBML:
		return p.startHeader(h)
	case IDSegment:
		p.segment = h
		p.scan.Enter()
		if p.begun != nil {
			return p.begun.openSegment()
		}
	case ebml.IDVoid:
	default:
		return p.misread(h, maxUnknownPart)
	}
	return none
}

// startPart begins an element of the Segment.
func (p *parser) startPart(h ebml.Head) event {
	switch h.ID {
	case IDCluster:
		return p.startCluster(h)
	case IDInfo, IDTracks:
		if p.begun != nil {
			p.scan.Enter()
		}
	case IDSeekHead:
		if p.begun != nil && h.Size >= 0 {
			p.scan.Read(maxText)
		}
	case IDCues, IDChapters, IDTags, IDAttachments, ebml.IDVoid, ebml.IDCRC32:
	default:
		return p.misread(h, maxUnknownPart)
	}
	return none
}

// value takes in a value that start asked for.
func (p *parser) value(h ebml.Head, data []byte) event {
	if p.begun != nil && len(data) == 0 {
		return none // it has its default value, which is set already (RFC 8794 §7)
	}
	switch p.scan.Parent() {
	case IDCluster, IDBlockGroup:
		switch h.ID {
		case IDTimestamp:
			p.readTimestamp(h, ebml.ParseUint(data))
		case IDSimpleBlock, IDBlock:
			p.readBlock(h.Size, data)
		case IDBlockDuration:
			p.block.duration = ticksToTime(ebml.ParseUint(data), p.header.TimestampScale)
		case IDDiscardPadding:
			p.block.discard = max(0, min(ebml.ParseInt(data), maxTime))
		}
	case IDTrackEntry, IDVideo, IDAudio:
		tracks := p.begun.Tracks
		tracks[len(tracks)-1].set(h.ID, data)
	case IDSegment:
		p.begun.readSeekHead(p.segment, h, data)
	default:
		p.readHeader(h.ID, data)
	}
	return none
}

// end closes what the element opened.
func (p *parser) end(id ebml.ID) event {
	switch p.scan.Parent() {
	case 0:
		if !p.isAway() {
			p.committed = p.scan.EndOffset()
			if id == IDSegment {
				p.segment = ebml.Head{}
			}
		}
		return rootDone
	case IDSegment:
		if id == IDCluster {
			return p.closeCluster()
		}
		if !p.isAway() {
			p.committed = p.scan.EndOffset()
		}
		p.endPart(id)
		if o := p.begun; o != nil {
			o.hasTracks = o.hasTracks || id == IDTracks
			o.hasInfo = o.hasInfo || id == IDInfo
		}
		return partDone
	case ebml.IDEBML, IDInfo:
		p.endPart(id)
	case IDTracks:
		if id == IDTrackEntry {
			p.closeTrack()
		}
	case IDCluster:
		return p.endInCluster(id)
	}
	return none
}

// finish says that the stream ends.
func (p *parser) finish() { p.scan.Finish() }
