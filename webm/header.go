package webm

// How a Splitter reads a header: the EBML header, Info and Tracks.

import "github.com/webmend/webmend/ebml"

// minDocType is the size of the shortest DocType element, "webm"; the EBML header
// of a recorder has it.
const minDocType = 7

// maxRecordings bounds what is kept of a stream that begins again and again.
const maxRecordings = 1000

// openRecording begins another recording at an EBML header.
func (s *Splitter) openRecording(h ebml.Head) {
	if s.inHeader {
		s.closeHeader(h.Offset)
	}
	s.settleGaps()
	if len(s.report.Recordings) >= maxRecordings {
		s.fail(CodeTooLarge, "begins one recording more than 1000")
		return
	}
	s.report.Recordings = append(s.report.Recordings, Recording{Header: Header{
		Range:          Range{Start: max(0, h.Offset)}, // see readShort
		Recording:      len(s.report.Recordings),
		DocType:        "matroska",
		TimestampScale: 1_000_000,
	}})
	if s.trial && h.Size < minDocType {
		s.fail(CodeMissing, "has no DocType, where damage may end")
		return
	}
	s.indexes = append(s.indexes, &Index{splitter: s})
	s.inHeader, s.hasTracks, s.docType = true, false, nil
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
			if s.docType, h.DocType = s.err, ""; !s.trial {
				s.err = nil // it is damaged, should a Segment follow
			}
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

// What Splitter.later has the places of.
const (
	laterInfo = iota
	laterTracks
)

// readSeekHead takes in where a SeekHead says that Info and Tracks are (RFC 9559 §5.1.1).
// What of it makes no sense says nothing.
func (s *Splitter) readSeekHead(data []byte) {
	scan := ebml.Scanner{}
	scan.Push(data)
	id, wanted := ebml.ID(0), [...]ebml.ID{laterInfo: IDInfo, laterTracks: IDTracks}
	for kind := scan.Next(); kind != ebml.More; kind = scan.Next() {
		switch h := scan.Head(); {
		case kind == ebml.Start && h.ID == IDSeek:
			scan.Enter()
		case kind == ebml.Start && h.Size <= 8:
			scan.Read(8)
		case kind == ebml.Value && h.ID == IDSeekID:
			id = ebml.ID(ebml.ParseUint(scan.Data()))
		case kind == ebml.Value && h.ID == IDSeekPosition:
			at := s.segment.DataOffset() + int64(min(ebml.ParseUint(scan.Data()), 1<<60))
			for i := range wanted {
				if id == wanted[i] && at > s.scan.Head().Offset {
					s.later[i] = at
				}
			}
		}
	}
}

// findTracks goes on with the Tracks that come after the Clusters, of which h is the first,
// if the caller has those.
func (s *Splitter) findTracks(h ebml.Head) {
	if !s.opts.Seeks || !s.opts.Rewinds || s.trial || s.detour > 0 {
		s.fail(CodeTracksLater, "comes before its Tracks, which are at "+decimal(s.later[laterTracks])+": that needs the whole file")
		return
	}
	s.detour = h.Offset
	s.takeDetour()
}

// findNoTracks goes back to the Clusters, as there are no Tracks where the SeekHead says.
func (s *Splitter) findNoTracks() {
	s.err, s.later = nil, [2]int64{}
	s.takeDetour()
}

// takeDetour goes to the next element after the Clusters that the header lacks, and then
// back to them.
func (s *Splitter) takeDetour() {
	switch {
	case !s.hasInfo && s.later[laterInfo] > s.detour:
		s.back, s.later[laterInfo] = s.later[laterInfo], 0
	case !s.hasTracks && s.later[laterTracks] > s.detour:
		s.back, s.later[laterTracks] = s.later[laterTracks], 0
	default:
		s.back, s.detour, s.later = s.detour, 0, [2]int64{}
	}
	s.scan.Reset(s.back, s.segment)
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

// repairDocType says that the header's DocType is damaged, as a Segment follows it.
func (s *Splitter) repairDocType() {
	s.docType.Code = CodeInvalidValue
	s.tell(s.recording().Header.Start, s.recording().Header.Start)
	s.drop(s.docType, s.told, 0)
	s.docType = nil
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
	if rec.Header.DocType == "" {
		rec.Header.DocType = docTypeFor("webm", rec.Header.Tracks)
	}
	s.tell(rec.Header.Start, end)
	h := rec.Header
	h.Tracks = append([]Track(nil), h.Tracks...) // key frames refine those of the recording
	s.headers = append(s.headers, h)
	ix := s.indexes[len(s.indexes)-1]
	ix.header = rec.Header // with the tracks that are refined
	ix.clusters.scale = h.TimestampScale
	s.time = newTimeline(h.Tracks)
	s.entries = make([]int, len(h.Tracks))
	s.repeats.reset()
}

// keepPart keeps in the index where the element is that has just ended, of the
// header or after the clusters.
func (s *Splitter) keepPart() {
	h := s.scan.Head()
	ix := s.indexes[len(s.indexes)-1]
	switch h.ID {
	case ebml.IDVoid, ebml.IDCRC32, IDSeekHead, IDCues:
		return // plans make their own
	case ebml.IDEBML, IDSegment:
		return // in a Segment of unknown size, as plans make them, it would end that
	case IDInfo, IDTracks:
		if !s.inHeader {
			return // they are not read again
		}
	}
	if len(ix.parts) < maxParts || h.ID == IDTracks && !s.hasTracks {
		ix.parts = append(ix.parts, part{s.scan.Parent(), h.ID, Range{h.Offset, s.scan.EndOffset()}})
	}
}
