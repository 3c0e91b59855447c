package webm

// How a parser reads a header: the EBML header, Info and Tracks.

import "github.com/webmend/webmend/ebml"

// minDocType is the size of the shortest DocType element, "webm"; the EBML header
// of a recorder has it.
const minDocType = 7

const (
	// maxRecordings bounds what is kept of a stream that begins again and again.
	maxRecordings = 1000

	// maxAllTracks bounds how many tracks all of them have.
	maxAllTracks = 4096
)

// An openHeader is the header under way.
type openHeader struct {
	Header
	parts     []part
	allTracks int // of this recording and those before it
	hasTracks bool
	hasInfo   bool
	docType   *Error   // what is wrong with its DocType, until a Segment follows
	repaired  *Error   // what was
	later     [2]int64 // where the SeekHead says that Info and Tracks are, or 0
	early     int64    // where the first Cluster begins, if that comes before any Tracks
	detour    int64    // where it begins, while what comes after it is read, or 0
}

// isAway tells whether the parser reads what comes after the Clusters, to go back.
func (p *parser) isAway() bool { return p.begun != nil && p.begun.detour > 0 }

// known is the header that what comes next can belong to, or nil.
//
//go:noinline
func (p *parser) known() *Header {
	if p.begun != nil && p.begun.hasTracks {
		return &p.begun.Header
	}
	return p.header
}

// startHeader begins another recording at an EBML header.
func (p *parser) startHeader(h ebml.Head) event {
	if p.begun != nil && p.closeHeader(h.Offset) {
		p.again = true
		return headerDone
	}
	recording := 0
	if p.header != nil {
		recording = p.header.Recording + 1
	}
	if recording >= maxRecordings {
		return p.fail(CodeTooLarge, "begins one recording more than "+decimal(maxRecordings))
	}
	if p.proof && h.Size < minDocType {
		return p.fail(CodeMissing, "has no DocType, where damage may end")
	}
	p.begun = &openHeader{Header: Header{
		Range:          Range{Start: max(0, h.Offset)}, // see Splitter.readShort
		Recording:      recording,
		DocType:        "matroska",
		TimestampScale: 1_000_000,
	}, allTracks: p.allTracks}
	p.scan.Enter()
	return none
}

// isTooLarge tells whether the element h makes the header larger than a limit.
func (o *openHeader) isTooLarge(h ebml.Head, limit int64) bool {
	if o.detour > 0 {
		return h.Size > limit
	}
	end := h.End()
	if h.ID == IDSegment || h.ID == IDCluster {
		end = h.Offset
	}
	return end-o.Start > limit
}

// openSegment begins the Segment of the header. What was wrong with the DocType is damage
// that is over.
func (o *openHeader) openSegment() event {
	o.later, o.hasInfo, o.early = [2]int64{}, false, 0
	if o.docType == nil {
		return none
	}
	o.docType.Code = CodeInvalidValue
	o.repaired, o.docType = o.docType, nil
	return badDocType
}

// readHeader takes in a value of the EBML header or of Info.
func (p *parser) readHeader(id ebml.ID, data []byte) {
	h := p.begun
	switch id {
	case ebml.IDDocType:
		h.DocType = ebml.ParseString(data)
		if h.DocType != "webm" && h.DocType != "matroska" {
			p.fail(CodeNotWebM, `is "`+h.DocType+`", not webm or matroska`)
			if h.docType, h.DocType = p.err, ""; !p.proof {
				p.err = nil // it is damaged, should a Segment follow
			}
		}
	case IDTimestampScale:
		scale := ebml.ParseUint(data)
		if scale == 0 || scale > maxTimestampScale {
			p.fail(CodeInvalidValue, "is not from 1 to 1000000000000 nanoseconds")
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

// What openHeader.later has the places of.
const (
	laterInfo = iota
	laterTracks
)

// readSeekHead takes in where a SeekHead, whose head is h, says that Info and Tracks are
// (RFC 9559 §5.1.1). What of it makes no sense says nothing.
func (o *openHeader) readSeekHead(segment, h ebml.Head, data []byte) {
	scan := ebml.Scanner{}
	scan.Push(data)
	id, wanted := ebml.ID(0), [...]ebml.ID{laterInfo: IDInfo, laterTracks: IDTracks}
	for kind := scan.Next(); kind != ebml.More; kind = scan.Next() {
		switch child := scan.Head(); {
		case kind == ebml.Start && child.ID == IDSeek:
			scan.Enter()
		case kind == ebml.Start && child.Size <= 8:
			scan.Read(8)
		case kind == ebml.Value && child.ID == IDSeekID:
			id = ebml.ID(ebml.ParseUint(scan.Data()))
		case kind == ebml.Value && child.ID == IDSeekPosition:
			at := segment.DataOffset() + int64(min(ebml.ParseUint(scan.Data()), 1<<60))
			for i := range wanted {
				if id == wanted[i] && at > h.Offset {
					o.later[i] = at
				}
			}
		}
	}
}

// nextLater is where the next element is that the header lacks and that comes after the
// Clusters, or where those begin if there is none.
func (o *openHeader) nextLater() (offset int64) {
	missing := [...]bool{laterInfo: !o.hasInfo, laterTracks: !o.hasTracks}
	for i, at := range o.later {
		if o.later[i] = 0; missing[i] && at > o.detour {
			return at
		}
	}
	offset, o.detour = o.detour, 0
	return offset
}

// startTrack begins another track of the header.
func (p *parser) startTrack() event {
	h := p.begun
	if len(h.Tracks) == p.limits.MaxTracks {
		return p.fail(CodeTooLarge, "is one more track than MaxTracks")
	}
	if h.allTracks++; h.allTracks > maxAllTracks {
		return p.fail(CodeTooLarge, "is one more track than "+decimal(maxAllTracks)+" in all recordings")
	}
	h.Tracks = append(h.Tracks, Track{Language: "eng"})
	p.scan.Enter()
	return none
}

// closeTrack completes the last track of the header.
func (p *parser) closeTrack() {
	tracks := p.begun.Tracks
	t := &tracks[len(tracks)-1]
	if t.Number == 0 {
		p.fail(CodeMissing, "has no TrackNumber")
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

// closeHeader ends the open header at an offset, and tells whether it is complete: one
// without Tracks is of no use.
func (p *parser) closeHeader(end int64) bool {
	h := p.begun
	p.begun = nil
	if !h.hasTracks {
		return false
	}
	h.End = end
	if h.DocType == "" {
		h.DocType = docTypeFor("webm", h.Tracks)
	}
	p.header, p.parts, p.allTracks = &h.Header, h.parts, h.allTracks
	return true
}

// endPart takes in the element that has just ended, of the header or after the clusters.
func (p *parser) endPart(id ebml.ID) {
	h := p.scan.Head()
	p.part = part{p.scan.Parent(), h.ID, Range{h.Offset, p.scan.EndOffset()}}
	if o := p.begun; o != nil {
		if len(o.parts) < maxParts || id == IDTracks && !o.hasTracks {
			o.parts = p.part.appendTo(o.parts, true)
		}
	}
}

// appendTo appends the part to those of a header, or to those after the clusters, if
// plans want it.
//
//go:noinline
func (p part) appendTo(parts []part, header bool) []part {
	switch p.id {
	case ebml.IDVoid, ebml.IDCRC32, IDSeekHead, IDCues:
		return parts // plans make their own
	case ebml.IDEBML, IDSegment:
		return parts // in a Segment of unknown size, as plans make them, it would end that
	case IDInfo, IDTracks:
		if !header {
			return parts // they are not read again
		}
	}
	return append(parts, p)
}
