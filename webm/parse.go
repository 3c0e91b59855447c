package webm

// How a Splitter reads the elements of a stream, one token of the scanner after the other.

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

	// maxDoubt is how many bytes are let pass that are elements which cannot be there.
	maxDoubt = 64 << 10
)

// run takes the scanner's tokens as far as the bytes go.
func (s *Splitter) run() {
	for s.err == nil && !s.proven && s.back < 0 {
		// Most of a stream is SimpleBlocks, one after the other.
		if s.scan.Parent() == IDCluster && s.scan.ReadNext(IDSimpleBlock, blockHeadLen, s.clusterEnd()) {
			h := s.scan.Head()
			s.block = openBlock{offset: h.Offset}
			if s.readBlock(h.Size, s.scan.Data()); s.err != nil || s.back >= 0 {
				return
			}
		}
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
	if s.inHeader && (s.detour == 0 && s.headerEnd(h) > s.opts.MaxHeaderSize || s.detour > 0 && h.Size > s.opts.MaxHeaderSize) {
		s.fail(CodeTooLarge, "makes the header larger than MaxHeaderSize")
		return
	}
	if s.inCluster && max(h.End(), h.DataOffset()) > s.clusterEnd() {
		if s.bound > 0 {
			s.fail(CodeOverrun, "runs over the Cluster at "+decimal(s.bound))
		} else {
			s.fail(CodeTooLarge, "makes the Cluster larger than MaxClusterSize")
		}
		return
	}
	switch s.scan.Parent() {
	case 0:
		if s.docType != nil && h.ID != IDSegment && h.ID != ebml.IDVoid {
			s.err = s.docType
			return
		}
		switch h.ID {
		case ebml.IDEBML:
			s.openRecording(h)
		case IDSegment:
			if s.docType != nil {
				s.repairDocType()
			}
			s.segment, s.later, s.hasInfo, s.early = h, [2]int64{}, false, 0
			s.scan.Enter()
		case ebml.IDVoid:
		default:
			s.misread(h, maxUnknownPart)
		}
	case IDSegment:
		switch h.ID {
		case IDCluster:
			s.openCluster(h)
		case IDInfo, IDTracks:
			if s.inHeader {
				s.scan.Enter()
			}
		case IDSeekHead:
			if s.inHeader && h.Size >= 0 {
				s.scan.Read(maxText)
			}
		case IDCues, IDChapters, IDTags, IDAttachments, ebml.IDVoid, ebml.IDCRC32:
		default:
			s.misread(h, maxUnknownPart)
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
			s.scan.Read(int(min(s.opts.MaxHeaderSize, 1<<31-1))) // an int can have 32 bits
		default:
			s.scan.Read(maxText)
		}
	case IDCluster:
		switch h.ID {
		case IDTimestamp:
			s.scan.Read(8)
		case IDPosition, IDPrevSize, ebml.IDCRC32:
			s.open.entry.flags |= needsVoid
			if h.Size > 8 {
				s.fail(CodeInvalidValue, "is longer than it can be")
			}
		case ebml.IDVoid, IDSilentTracks, IDEncryptedBlock:
		default:
			if _, _, known := Lookup(h.ID); !known && s.open.strange == nil && s.opts.Rewinds {
				s.open.strange = newError(CodeMisplaced, h.Offset, s.scan.Path(), "is nothing that the specification has")
			}
			s.misread(h, maxUnknown)
			s.doubt(h)
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

// clusterEnd is where the open cluster must end at the latest.
func (s *Splitter) clusterEnd() int64 {
	if s.bound > 0 {
		return s.bound
	}
	return s.open.Cluster.Start + s.opts.MaxClusterSize
}

// misread stops at an element that the specification has in another place, or does
// not have and that is larger than limit: so misread bytes look.
func (s *Splitter) misread(h ebml.Head, limit int64) {
	if _, _, known := Lookup(h.ID); known || h.Size > limit {
		s.fail(CodeMisplaced, "cannot be there")
	}
}

// doubt lets elements that cannot be in a Cluster pass, should they be small and a whole
// block come next: then only they were broken. Otherwise it is damage after all, and what
// it took in is read again. Of a Segment's elements, which have IDs of 4 octets, none is.
func (s *Splitter) doubt(h ebml.Head) {
	_, _, known := Lookup(h.ID)
	part := known && h.ID.Len() == 4
	if s.err == nil || part || s.trial || !s.opts.Rewinds || h.Size < 0 || h.End()-s.whole > maxDoubt {
		return
	}
	if s.open.doubtful == nil {
		s.open.doubtful, s.open.unheard = s.err, true
	}
	s.open.unheard = s.open.unheard && !known
	s.err = nil
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
			s.readBlock(h.Size, data)
		case IDBlockDuration:
			s.block.duration = ticksToTime(ebml.ParseUint(data), s.recording().Header.TimestampScale)
		case IDDiscardPadding:
			s.block.discard = max(0, min(ebml.ParseInt(data), maxTime))
		}
	case IDTrackEntry, IDVideo, IDAudio:
		tracks := s.recording().Header.Tracks
		tracks[len(tracks)-1].set(h.ID, data)
	case IDSegment:
		s.readSeekHead(data)
	default:
		s.readHeader(h.ID, data)
	}
}

// end closes what the element opened.
func (s *Splitter) end(id ebml.ID) {
	switch s.scan.Parent() {
	case 0:
		if s.detour > 0 {
			s.findNoTracks()
			return
		}
		s.whole = s.scan.EndOffset()
		if id == IDSegment {
			s.segment = ebml.Head{}
		}
		if s.trial {
			s.proven = true // an EBML header, whose DocType was right
		}
	case IDSegment:
		if id == IDCluster && s.open.doubtful != nil {
			s.err = s.open.doubtful
			return
		}
		if s.detour > 0 {
			s.keepPart()
			s.hasTracks = s.hasTracks || id == IDTracks
			s.hasInfo = s.hasInfo || id == IDInfo
			s.takeDetour()
			return
		}
		s.whole = s.scan.EndOffset()
		switch {
		case id == IDCluster && s.trial:
			s.proven, s.ended = true, true
		case id == IDCluster:
			if h := s.scan.Head(); h.End() != s.whole {
				s.open.Known = false
			}
			s.closeCluster()
		default:
			s.keepPart()
			s.hasTracks = s.hasTracks || id == IDTracks && s.inHeader
			s.hasInfo = s.hasInfo || id == IDInfo
			s.proven = s.inTracks && s.hasTracks && len(s.recording().Header.Tracks) > 0
		}
	case ebml.IDEBML, IDInfo:
		s.keepPart()
	case IDTracks:
		if id == IDTrackEntry {
			s.closeTrack()
		}
	case IDCluster:
		if id == IDSimpleBlock || id == IDBlockGroup {
			s.countBlock(id)
			if s.open.doubtful != nil {
				s.dispel()
			}
		}
		if s.err == nil && s.open.doubtful == nil {
			s.whole = s.scan.EndOffset()
		}
		s.proven = s.err == nil && (s.trial && s.open.Blocks > 0 || s.headless && s.open.hasTime)
	}
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
