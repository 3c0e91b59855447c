package webm

// Where a stream may go on after damage: the next place that really is a Cluster, or the
// EBML header of another recording, and not merely the four bytes of one's ID. The test of
// a candidate is to read it: a cluster must have its Timestamp and then a whole block, of
// a track that there is.

import "github.com/webmend/webmend/ebml"

const (
	// maxCandidates bounds how many are read at once, so that the work for a byte is
	// bounded too. IDs by chance are one in four billion bytes.
	maxCandidates = 8

	// maxJunk is how far into a stream its header is looked for, if there is nothing
	// in it that shows that it is WebM: longer than a chunk.
	maxJunk = 16 << 20

	// minCluster is how many bytes a cluster has at least that is worth looking for.
	minCluster = 16
)

// A candidate is where a stream may go on, read until it is proven.
type candidate struct {
	parser
	at       int64   // where it begins
	kind     ebml.ID // a Cluster, an EBML header or Tracks
	headless bool    // it is a cluster of a recording whose header is not there
	proof    event   // what has proven it, or none
}

// run reads on as far as the bytes go, or the proof needs.
func (c *candidate) run() {
	for c.proof == none {
		e := c.next()
		if e == more || e == damage {
			return
		}
		if c.isProof(e) {
			c.proof = e
		}
	}
}

// isProof tells whether a candidate that comes to an event is one.
func (c *candidate) isProof(e event) bool {
	switch e {
	case blockDone, clusterDone:
		return true
	case timestampDone:
		return c.headless
	case partDone:
		return c.kind == IDTracks && c.begun.hasTracks && len(c.begun.Tracks) > 0
	case rootDone:
		return c.kind == ebml.IDEBML // whose DocType was right
	}
	return false
}

// A search is under way from damage to where the stream goes on.
type search struct {
	reason *Error
	from   int64        // where the search begins
	until  int64        // where the damage showed, if the search begins before it
	middle bool         // it is the middle of a recording, whose header may yet come
	hidden bool         // nothing is damaged unless a cluster begins before until
	tail   []byte       // the last bytes, fewer than an ID has
	tried  []*candidate // in the order of the stream
}

// push takes the bytes at offset, and returns the candidate that is proven first, with
// what is open where the search began. That has taken of the bytes what it needed for its proof.
func (l *search) push(open *parser, chunk []byte, offset int64) *candidate {
	for _, c := range l.tried {
		c.push(chunk)
		c.run()
	}
	// Candidates that begin in the tail, or in these bytes: each is tried when peekLen
	// bytes of it are there.
	first := l.first()
	tail := len(l.tail)
	l.tail = append(l.tail, chunk[:min(len(chunk), peekLen-1)]...)
	for i := -tail; i+peekLen <= len(chunk); i++ {
		var bytes []byte
		if i < 0 {
			bytes = l.tail[tail+i:]
		} else {
			bytes = chunk[i:]
		}
		if l.hidden && offset+int64(i) >= l.until {
			break
		}
		if c := bytes[0]; c != clusterMagic[0] && c != ebmlMagic[0] && c != tracksMagic[0] {
			continue
		}
		if first != nil && offset+int64(i) >= first.scan.EndOffset() {
			break // what comes later is proven later
		}
		if l.try(open, bytes, offset+int64(i), chunk, offset) {
			first = l.first()
		}
	}
	if len(chunk) >= peekLen-1 {
		l.tail = append(l.tail[:0], chunk[len(chunk)-peekLen+1:]...)
	} else if n := len(l.tail); n >= peekLen {
		l.tail = append(l.tail[:0], l.tail[n-peekLen+1:]...)
	}
	l.forget(offset + int64(len(chunk)))
	return first
}

// first is the candidate that is proven first, or nil. A Cluster without a header before it
// proves that the middle of a recording is searched, whose header may yet come.
func (l *search) first() (first *candidate) {
	for _, c := range l.tried {
		if c.proof != none && (first == nil || c.scan.EndOffset() < first.scan.EndOffset()) {
			first = c
		}
	}
	if first != nil && first.headless {
		l.foundMiddle(first.at)
		return nil
	}
	return first
}

// foundMiddle takes in that there is a Cluster before any header.
func (l *search) foundMiddle(at int64) {
	l.middle, l.tried = true, nil // the others begin in what it holds
	if l.reason.Code == CodeNotWebM || l.reason.Code == CodeLost {
		l.reason = &Error{Code: CodeMissing, Offset: at, Path: "Cluster",
			text: "webm: Cluster at " + decimal(at) + " has no header before it: the beginning of the recording is missing. Attach to the recorder before it starts, or push its stored header first, and " + everyBlob}
	}
}

// forget drops the candidates that had failed before the stream came to an offset.
//
//go:noinline
func (l *search) forget(offset int64) {
	tried := l.tried[:0]
	for _, c := range l.tried {
		if c.err == nil || c.scan.Pos() > offset {
			tried = append(tried, c)
		}
	}
	l.tried = tried
}

// try begins to read a candidate at offset at, if these bytes of it look like one.
func (l *search) try(open *parser, bytes []byte, at int64, chunk []byte, offset int64) bool {
	kind := looksLike(bytes)
	if kind == 0 {
		return false
	}
	if l.forget(at + peekLen); len(l.tried) >= maxCandidates {
		return false
	}
	c := l.candidate(open, kind, at)
	if c == nil {
		return false
	}
	if at < offset { // it begins in the tail
		c.push(bytes[:offset-at])
		c.run()
		at = offset
	}
	c.push(chunk[at-offset:])
	c.run()
	l.tried = append(l.tried, c)
	return true
}

// candidate is one of that kind at an offset, or nil if the stream cannot go on with it.
func (l *search) candidate(open *parser, kind ebml.ID, at int64) *candidate {
	known := open.known()
	if known == nil && (l.middle && kind == IDCluster || !l.middle && at-l.from >= maxJunk) {
		return nil
	}
	c := &candidate{at: at, kind: kind}
	c.begin(policy{limits: open.limits, proof: true}, known, at)
	c.allTracks = open.allTracks
	if open.begun != nil {
		c.allTracks = open.begun.allTracks
	}
	switch {
	case kind == ebml.IDEBML:
		c.scan.Reset(at)
	case kind == IDTracks:
		if open.begun == nil || open.begun.hasTracks {
			return nil
		}
		c.begun = &openHeader{Header: open.begun.Header, allTracks: c.allTracks}
		c.begun.Tracks = nil
	case known == nil:
		c.header, c.headless = &Header{TimestampScale: 1_000_000}, true
	}
	return c
}

// peekLen is how many bytes of a candidate are looked at before it is tried: its ID,
// the longest size, and the first byte of a child.
const peekLen = 4 + ebml.MaxVINTLen + 1

// looksLike is the ID that peekLen bytes begin with if a stream can go on with it and
// what follows looks like a size and a first child, or 0.
func looksLike(bytes []byte) ebml.ID {
	_, n := ebml.ParseVINT(bytes[4:])
	if n <= 0 {
		return 0
	}
	child := ebml.ID(bytes[4+n])
	switch {
	case hasPrefix(bytes, clusterMagic) && (child == IDTimestamp || child == ebml.IDVoid || child == ebml.IDCRC32):
		return IDCluster
	case hasPrefix(bytes, tracksMagic) && (child == IDTrackEntry || child == ebml.IDVoid || child == ebml.IDCRC32):
		return IDTracks
	case hasPrefix(bytes, ebmlMagic):
		return ebml.IDEBML
	}
	return 0
}

// needed is the offset of the first byte that a candidate may have, of a stream of
// that size.
//
//go:noinline
func (l *search) needed(size int64) int64 {
	at := size - int64(len(l.tail))
	for _, c := range l.tried {
		at = min(at, c.at)
	}
	return at
}

// isHopeless tells whether there is too much junk before a first header.
func (l *search) isHopeless(open *parser, end int64) bool {
	return open.known() == nil && !l.middle && len(l.tried) == 0 && end-peekLen >= l.from+maxJunk
}
