package webm

import (
	"math/bits"

	"github.com/webmend/webmend/ebml"
)

// A builder makes the plan of a file: clusters are added in order, and the head
// that must come before them, with where each of them is, is made at the end.
type builder struct {
	index *Index // whose header the file has
	whole bool   // nothing is left out or put in order
	body  Plan   // the clusters
	cues  []cue
}

// A cue is where a player can begin (RFC 9559 §5.1.5).
type cue struct {
	time     int64 // ticks of the file
	track    uint64
	cluster  int64 // where its cluster begins in the body
	relative int64 // where its block begins in the cluster's data
}

// leftOut are the ranges of the stream that the file has not of a cluster.
func (b *builder) leftOut(ix *Index, e *entry) []Range {
	if b.whole {
		return nil
	}
	return ix.leftOut(e)
}

// cluster adds cluster i of an index as it is, in its final form.
func (b *builder) cluster(ix *Index, i int) {
	e := ix.clusters.at(i)
	out := b.leftOut(ix, &e)
	source, begin, edit := ix.source(i, &e)
	if ix.Stored && source == 0 && len(out) == 0 {
		b.body.add(Piece{Range: Range{e.form, e.formEnd()}})
		return
	}
	size := e.size() - leftOutBefore(out, e.End)
	if len(out) > 0 && size <= int64(e.timeLen) {
		return // nothing but its Timestamp is left
	}
	b.body.write(clusterHead(size, int(e.headLen)-4))
	b.body.data(begin, &e, source, 0, e.size(), out, edit)
}

// data adds the part from from up to to of a cluster's data, which begins at begin in
// its source, without what is left out.
func (p *Plan) data(begin int64, e *entry, source int, from, to int64, out []Range, edit *Edit) {
	for _, r := range out {
		if start := r.Start - e.data(); start >= from && start < to {
			p.add(Piece{Source: source, Range: Range{begin + from, begin + start}, Edit: edit})
			from = r.End - e.data()
		}
	}
	p.add(Piece{Source: source, Range: Range{begin + from, begin + to}, Edit: edit})
}

// retimed adds cluster i of a source with another Timestamp, in ticks, and edit
// made in its blocks. It returns how much further on they are in its data.
func (b *builder) retimed(ix *Index, i, source int, timestamp int64, edit *Edit) int64 {
	e := ix.clusters.at(i)
	out := ix.leftOut(&e)
	size := e.size() - int64(e.timeLen) - leftOutBefore(out, e.End)
	if len(out) > 0 && size <= 0 {
		return 0 // nothing but its Timestamp is left
	}
	head, moved := e.retime(size, timestamp)
	b.body.write(head)
	own, begin, _ := ix.source(i, &e)
	source += own
	time := int64(e.timeAt)
	b.body.data(begin, &e, source, 0, time, out, edit)
	b.body.data(begin, &e, source, time+int64(e.timeLen), e.size(), out, edit)
	return moved
}

// retime makes the head of the cluster and a Timestamp, to be followed by size
// bytes, and tells how much longer that Timestamp is than the recorded one.
func (e *entry) retime(size, timestamp int64) (head []byte, longer int64) {
	time := ebml.AppendUint(nil, IDTimestamp, uint64(timestamp))
	head = clusterHead(int64(len(time))+size, int(e.headLen)-4)
	return append(head, time...), int64(len(time)) - int64(e.timeLen)
}

// finish puts the head before the clusters. duration is in nanoseconds.
func (b *builder) finish(duration int64) (*Plan, error) {
	if b.body.Size == 0 {
		return nil, planError(CodeNoKeyFrame, "what there is to play is video without a key frame to begin with")
	}
	plan, _ := b.head(duration, 0)
	plan.append(&b.body)
	plan.End = duration
	return plan, nil
}

// head makes what comes before the clusters: in room bytes, with fewer cues and a Void
// as need be, or if that is 0 in as many as it takes. duration is in nanoseconds.
func (b *builder) head(duration, room int64) (*Plan, error) {
	ix := b.index
	b.cues = sorted(b.cues)
	plan := &Plan{}
	plan.ebmlHeader(ix)

	// What follows the SeekHead is the same whatever the positions are: they have
	// as many octets as the largest could need.
	info := infoPlan(ix, duration)
	seeks := []seek{{IDInfo, 0}}
	for _, p := range ix.parts {
		if p.parent == IDSegment && p.id != IDInfo && !((ix.Stored || room > 0) && p.Start >= ix.header.End && p.id != IDTracks) {
			seeks = append(seeks, seek{p.id, info.Size})
			info.add(Piece{Range: ix.place(p.Range)})
		}
	}
	if len(b.cues) > 0 {
		seeks = append(seeks, seek{IDCues, info.Size})
	}
	begin := int64(len(seekHead(seeks, 0)))
	limit := begin + info.Size + b.body.Size + int64(len(b.cues)+1)*maxCueLen + room
	width := 1
	for limit>>(8*width) != 0 {
		width++
	}
	void := int64(0)
	if room > 0 {
		left := room - plan.Size - segmentHeadLen - begin - info.Size
		// Which does not depend on what there is yet of the recording.
		if need := int64(len(ix.header.Tracks)+1) * maxCueLen; left < need {
			return nil, planError(CodeTooLarge, "what comes before the clusters takes "+decimal(room-left+need)+" bytes, and there is room for "+decimal(room))
		}
		b.cues = thinned(b.cues, left-minVoidLen, width)
		void = left - cuesLen(b.cues, width)
	}
	clusters := begin + info.Size + cuesLen(b.cues, width) + void

	plan.write(ebml.AppendHeadWidth(nil, IDSegment, clusters+b.body.Size, ebml.MaxVINTLen))
	plan.write(seekHead(seeks, begin))
	plan.append(info)
	plan.write(cuesElement(b.cues, width, clusters))
	if void > 0 {
		plan.write(voidElement(void))
	}
	return plan, nil
}

const (
	segmentHeadLen = 4 + ebml.MaxVINTLen // of a Segment whose size is written last
	minVoidLen     = 2
)

// voidElement makes a Void (RFC 8794 §11.3.2) of n bytes, head and all.
func voidElement(n int64) []byte {
	width := 1
	if n-minVoidLen > 126 {
		width = ebml.MaxVINTLen
	}
	void := make([]byte, 0, n)
	void = ebml.AppendHeadWidth(void, ebml.IDVoid, n-1-int64(width), width)
	return void[:n]
}

// thinned are as many cues as there is room for: the first of each track, and of the
// others some that are evenly spread.
func thinned(cues []cue, room int64, width int) []cue {
	if cuesLen(cues, width) <= room {
		return cues
	}
	var first, others []cue
next:
	for _, c := range cues {
		for _, f := range first {
			if f.track == c.track {
				others = append(others, c)
				continue next
			}
		}
		first = append(first, c)
	}
	for n := len(others); ; {
		kept := append([]cue(nil), first...)
		for i := range n {
			kept = append(kept, others[int64(i)*int64(len(others))/int64(n)]) // which an int of 32 bits could not hold
		}
		have := cuesLen(kept, width)
		if have <= room || n == 0 {
			return sorted(kept)
		}
		n = min(n-1, int(int64(n)*room/have))
	}
}

// sorted are cues by time, of which they are nearly in the order: it merges only
// where they are not.
func sorted(cues []cue) []cue {
	inOrder := true
	for i := 1; i < len(cues); i++ {
		inOrder = inOrder && cues[i-1].time <= cues[i].time
	}
	if inOrder {
		return cues
	}
	a, b := sorted(cues[:len(cues)/2]), sorted(cues[len(cues)/2:])
	merged := make([]cue, 0, len(cues))
	for len(a) > 0 && len(b) > 0 {
		if a[0].time <= b[0].time {
			merged, a = append(merged, a[0]), a[1:]
		} else {
			merged, b = append(merged, b[0]), b[1:]
		}
	}
	return append(append(merged, a...), b...)
}

// initialization adds what a player must have before any cluster: a Segment of
// unknown size, with neither SeekHead nor Cues nor Duration.
func (p *Plan) initialization(ix *Index) {
	p.ebmlHeader(ix)
	p.write(ebml.AppendHead(nil, IDSegment, ebml.UnknownSize))
	p.append(infoPlan(ix, 0))
	for _, part := range ix.parts {
		if part.parent == IDSegment && part.id != IDInfo && (part.Start < ix.header.End || part.id == IDTracks) {
			p.add(Piece{Range: ix.place(part.Range)})
		}
	}
}

//go:noinline
func (p *Plan) append(q *Plan) {
	for c := q.pieces.cursor(); c.next(); {
		p.add(c.Piece)
	}
}

// place is where a range of the header is in the source of plans.
//
//go:noinline
func (ix *Index) place(r Range) Range {
	if ix.Stored {
		r.Start -= ix.header.Start
		r.End -= ix.header.Start
	}
	return r
}

// ebmlHeader adds an EBML header that says what the file needs: DocType webm if
// it was recorded as that and WebM allows its codecs, a version that has the
// elements that plans write. Unknown children stay. MimeType says the same.
func (p *Plan) ebmlHeader(ix *Index) {
	docType := docTypeFor(ix.header.DocType, ix.header.Tracks)
	p.MimeType = mimeType(docType, ix.header.Tracks)
	var b []byte
	b = ebml.AppendUint(b, ebml.IDEBMLVersion, 1)
	b = ebml.AppendUint(b, ebml.IDEBMLReadVersion, 1)
	b = ebml.AppendUint(b, ebml.IDEBMLMaxIDLength, 4)
	b = ebml.AppendUint(b, ebml.IDEBMLMaxSizeLength, ebml.MaxVINTLen)
	b = ebml.AppendString(b, ebml.IDDocType, docType)
	b = ebml.AppendUint(b, ebml.IDDocTypeVersion, 4)     // CueRelativePosition
	b = ebml.AppendUint(b, ebml.IDDocTypeReadVersion, 2) // SimpleBlock
	var unknown Plan
	for _, part := range ix.parts {
		switch part.id {
		case ebml.IDEBMLVersion, ebml.IDEBMLReadVersion, ebml.IDEBMLMaxIDLength, ebml.IDEBMLMaxSizeLength,
			ebml.IDDocType, ebml.IDDocTypeVersion, ebml.IDDocTypeReadVersion:
		default:
			if part.parent == ebml.IDEBML {
				unknown.add(Piece{Range: ix.place(part.Range)})
			}
		}
	}
	p.write(ebml.AppendHead(nil, ebml.IDEBML, int64(len(b))+unknown.Size))
	p.write(b)
	p.append(&unknown)
}

// infoPlan is the Info of a recording with another Duration, in nanoseconds, or
// none if that is 0.
func infoPlan(ix *Index, duration int64) *Plan {
	var children Plan
	missing := []ebml.ID{IDMuxingApp, IDWritingApp} // which a valid Info has
	for _, part := range ix.parts {
		if part.parent == IDInfo && part.id != IDDuration {
			children.add(Piece{Range: ix.place(part.Range)})
			for i, id := range missing {
				if id == part.id {
					missing = append(missing[:i], missing[i+1:]...)
					break
				}
			}
		}
	}
	for _, id := range missing {
		children.write(ebml.AppendString(nil, id, "webmend"))
	}
	if duration > 0 {
		children.write(ebml.AppendFloat(nil, IDDuration, float64(duration)/float64(ix.header.TimestampScale)))
	}
	info := &Plan{}
	info.write(ebml.AppendHead(nil, IDInfo, children.Size))
	info.append(&children)
	return info
}

// A seek is an entry of a SeekHead: where an element is, from what follows the
// SeekHead.
type seek struct {
	id ebml.ID
	at int64
}

// seekHead makes a SeekHead that ends at offset of the Segment's data (RFC 9559
// §5.1.1). Its size does not depend on that.
func seekHead(seeks []seek, offset int64) []byte {
	var entries []byte
	for _, s := range seeks {
		seek := ebml.AppendBinary(nil, IDSeekID, ebml.AppendID(nil, s.id))
		seek = appendWideUint(seek, IDSeekPosition, s.at+offset, 8)
		entries = ebml.AppendBinary(entries, IDSeek, seek)
	}
	return ebml.AppendBinary(nil, IDSeekHead, entries)
}

// maxCueLen is more than a CuePoint ever has.
const maxCueLen = 64

// cuesElement makes the Cues, their cluster positions in width octets, of a body
// that begins at offset of the Segment's data.
func cuesElement(cues []cue, width int, offset int64) []byte {
	if len(cues) == 0 {
		return nil
	}
	element := ebml.AppendHead(make([]byte, 0, cuesLen(cues, width)), IDCues, cuePointsLen(cues, width))
	var positions, point []byte
	for _, c := range cues {
		positions = ebml.AppendUint(positions[:0], IDCueTrack, c.track)
		positions = appendWideUint(positions, IDCueClusterPosition, offset+c.cluster, width)
		positions = ebml.AppendUint(positions, IDCueRelativePosition, uint64(c.relative))
		point = ebml.AppendUint(point[:0], IDCueTime, uint64(max(0, c.time)))
		point = ebml.AppendBinary(point, IDCueTrackPositions, positions)
		element = ebml.AppendBinary(element, IDCuePoint, point)
	}
	return element
}

// cuesLen is how many bytes cuesElement makes.
//
//go:noinline
func cuesLen(cues []cue, width int) int64 {
	if len(cues) == 0 {
		return 0
	}
	n := cuePointsLen(cues, width)
	return int64(IDCues.Len()+ebml.VINTLen(uint64(n))) + n
}

// cuePointsLen is how many of these are those of the CuePoints. Each has six elements, with
// an ID and a size of one octet.
func cuePointsLen(cues []cue, width int) int64 {
	n := (6*2 + width) * len(cues)
	for i := range cues {
		c := &cues[i]
		n += uintLen(uint64(max(0, c.time))) + uintLen(c.track) + uintLen(uint64(c.relative))
	}
	return int64(n)
}

// uintLen is in how many octets ebml.AppendUint writes v.
func uintLen(v uint64) int { return (bits.Len64(v|1) + 7) / 8 }

// appendWideUint is ebml.AppendUint with exactly width octets.
//
//go:noinline
func appendWideUint(dst []byte, id ebml.ID, v int64, width int) []byte {
	dst = ebml.AppendHead(dst, id, int64(width))
	for shift := 8 * (width - 1); shift >= 0; shift -= 8 {
		dst = append(dst, byte(v>>shift))
	}
	return dst
}
