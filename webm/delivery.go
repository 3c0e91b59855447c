package webm

// What is complete waits here until it is taken, and what there is of the open cluster beside it
// as fragments.

// A delivery is the headers and clusters that wait, and what of the open cluster has been
// given as fragments.
type delivery struct {
	headers  []Header
	clusters queue
	given    given
}

// given is what fragments have told of the open cluster.
type given struct {
	start int64   // where the cluster begins
	state Cluster // as it was then, but for its key frames
	video bool    // a block of video has come since
	begun uint8   // beginsWithKey if the first block of video since then is a key frame, or there is no video; else 0
}

// addHeader takes in a header that is complete. Key frames refine the tracks of the
// recording, and not its own.
func (d *delivery) addHeader(h Header) {
	h.Tracks = append([]Track(nil), h.Tracks...)
	d.headers = append(d.headers, h)
}

// header takes the first header, if there is one.
func (d *delivery) header() (h Header, ok bool) {
	if len(d.headers) == 0 {
		return Header{}, false
	}
	h, d.headers = d.headers[0], d.headers[1:]
	return h, true
}

// begin says that a cluster begins. If it is read again, what was given of it stays given.
func (d *delivery) begin(start int64, hasVideo bool) {
	if d.given.start != start || d.given.state.Blocks == 0 {
		d.given = given{start: start}
	}
	d.given.rest(hasVideo)
}

// rest says that nothing has come of what is yet to be given.
func (g *given) rest(hasVideo bool) {
	g.video, g.begun = false, 0
	if !hasVideo {
		g.begun = beginsWithKey
	}
}

// see takes in that a block of video begins at an offset.
func (g *given) see(offset int64, key bool) {
	if g.video || offset < g.state.End {
		return
	}
	if g.video = true; key {
		g.begun = beginsWithKey
	}
}

// add takes in a cluster that is complete, or what of it is not given yet.
func (d *delivery) add(c Cluster, keys *keyFrameList, hasVideo bool) {
	if d.given.start == c.Start && d.given.state.Blocks > 0 {
		d.addFragment(c, keys, hasVideo)
		return
	}
	d.clusters.add(&c, keys, c.Start)
}

// addFragment takes in what there is of the open cluster and is not given yet: the
// difference to what there was then.
func (d *delivery) addFragment(c Cluster, keys *keyFrameList, hasVideo bool) {
	g := &d.given
	last := g.state
	if c.Blocks <= last.Blocks || c.End <= last.End { // it may be read again
		return
	}
	g.state = c
	from := c.Start
	c.Fragment, c.HeadLen = true, 0
	if last.Blocks == 0 {
		c.Start = c.form.data() + int64(c.form.timeAt) + int64(c.form.timeLen)
	} else {
		c.Start, from = last.End, last.End
		c.Blocks -= last.Blocks
		c.Tracks = difference(c.Tracks, last.Tracks)
		c.form.flags = c.form.flags&^beginsWithKey | g.begun
	}
	g.rest(hasVideo)
	d.clusters.add(&c, keys, from)
}

// difference is what one count has more than another that came before it.
func difference(counts, before []TrackBlocks) []TrackBlocks {
	rest := make([]TrackBlocks, 0, len(counts))
	for _, t := range counts {
		for _, b := range before {
			if b.Number == t.Number {
				t.Blocks -= b.Blocks
				t.KeyFrames -= b.KeyFrames
			}
		}
		if t.Blocks > 0 {
			rest = append(rest, t)
		}
	}
	return rest
}

// A queue holds clusters as numbers of few bytes each, as a stream can have very many in one
// push. What is near the one before is told as the difference to that.
type queue struct {
	pages   [][]byte
	read    int // how many bytes of the first have been taken
	n       int // how many clusters wait
	in, out queued
	numbers []int64 // of the cluster that is being added
}

// A queued is what a cluster is told from: the one before it.
type queued struct {
	end, timestamp int64
	shape          int64 // the lengths of its head and Timestamp, where that is, and its recording
}

const (
	// queuePage is how many bytes a page has before another begins.
	queuePage = 4 << 10

	// maxListed is the most KeyFrames of a Cluster.
	maxListed = 4096
)

// What the first number of a cluster says below the flags of its entry.
const (
	queuedKnown = 1 << iota
	queuedCut
	queuedFragment
	queuedNext  // its shape is that of the cluster before it, where that ends
	queuedEmpty // it has no blocks
	queuedFlags = iota
)

// add appends a cluster, with those of the key frames that come from an offset on.
func (q *queue) add(c *Cluster, keys *keyFrameList, from int64) {
	e := &c.form
	control := int64(e.flags) << queuedFlags
	if c.Known {
		control |= queuedKnown
	}
	if c.Cut {
		control |= queuedCut
	}
	if c.Fragment {
		control |= queuedFragment
	}
	last := q.in
	q.in = queued{c.End, c.Timestamp, int64(e.headLen) | int64(e.timeLen)<<4 | int64(c.Recording)<<9 | int64(e.timeAt)<<20}
	n := append(q.numbers[:0], 0, c.End-c.Start, c.Start-e.Start, c.Timestamp-last.timestamp)
	if q.in.shape == last.shape && c.Start == last.end {
		control |= queuedNext
	} else {
		n = append(n, q.in.shape-last.shape, c.Start-last.end)
	}
	if c.Blocks == 0 && c.Duration == 0 {
		control |= queuedEmpty
	} else {
		n = appendBlocks(n, c, keys, from)
	}
	n[0] = control
	q.numbers = n
	q.write()
}

// appendBlocks appends what the blocks of a cluster come to.
func appendBlocks(n []int64, c *Cluster, keys *keyFrameList, from int64) []int64 {
	n = append(n, c.Duration, int64(c.Blocks), int64(len(c.Tracks)))
	for i := range c.Tracks {
		t := &c.Tracks[i]
		n = append(n, int64(t.Number), int64(t.Blocks), int64(t.KeyFrames))
	}
	first, end := 0, 0
	if keys != nil {
		first = keys.from(from)
		end = min(keys.len(), first+maxListed)
	}
	n = append(n, int64(end-first))
	for at := (KeyFrame{Timestamp: c.Timestamp, Offset: c.Start}); first < end; first++ {
		k := keys.at(first)
		n = append(n, int64(k.Track), k.Timestamp-at.Timestamp, k.Offset-at.Offset)
		at = k
	}
	return n
}

// write appends the numbers to the last page, as appendVarint does.
func (q *queue) write() {
	room := 128 // as a rule few wait
	if len(q.pages) > 0 {
		room = queuePage + 128
	}
	if last := len(q.pages) - 1; last < 0 || len(q.pages[last]) > queuePage {
		q.pages = append(q.pages, make([]byte, 0, room))
	}
	page := &q.pages[len(q.pages)-1]
	b := *page
	for _, v := range q.numbers {
		u := uint64(v)<<1 ^ uint64(v>>63)
		for ; u >= 0x80; u >>= 7 {
			b = append(b, byte(u)|0x80)
		}
		b = append(b, byte(u))
	}
	*page = b
	q.n++
}

// take takes the first cluster that waits. There must be one.
func (q *queue) take(indexes []*Index) (c Cluster) {
	e, o := &c.form, &q.out
	var v [4]int64
	q.fill(v[:])
	control, length, data, later := v[0], v[1], v[2], v[3]
	c.Known, c.Cut, c.Fragment = control&queuedKnown != 0, control&queuedCut != 0, control&queuedFragment != 0
	e.flags = uint8(control >> queuedFlags)
	c.Start = o.end
	if control&queuedNext == 0 {
		q.fill(v[:2])
		o.shape += v[0]
		c.Start += v[1]
	}
	e.headLen, e.timeLen, c.Recording, e.timeAt = uint8(o.shape&15), uint8(o.shape>>4&31), int(o.shape>>9&2047), uint32(o.shape>>20)
	c.End = c.Start + length
	c.Timestamp = o.timestamp + later
	e.Range, e.timestamp = Range{c.Start - data, c.End}, c.Timestamp
	o.end, o.timestamp = c.End, c.Timestamp
	ix := indexes[c.Recording]
	c.Time = c.Timestamp * ix.header.TimestampScale
	if !c.Fragment {
		c.HeadLen = int(e.headLen)
	}
	if control&queuedEmpty == 0 {
		q.takeBlocks(&c, ix.header.TimestampScale)
	}
	if e.flags&hasBlocks != 0 {
		e.until = c.Time + c.Duration
	}
	c.edit = ix.form(e)
	q.drop()
	return c
}

// takeBlocks takes what appendBlocks appended.
func (q *queue) takeBlocks(c *Cluster, scale int64) {
	var v [3]int64
	q.fill(v[:])
	c.Duration, c.Blocks, c.Tracks = v[0], int(v[1]), make([]TrackBlocks, v[2])
	for i := range c.Tracks {
		q.fill(v[:])
		c.Tracks[i] = TrackBlocks{uint64(v[0]), int(v[1]), int(v[2])}
	}
	q.fill(v[:1])
	at := KeyFrame{Timestamp: c.Timestamp, Offset: c.Start}
	for n := v[0]; n > 0; n-- {
		q.fill(v[:])
		at = KeyFrame{Track: uint64(v[0]), Timestamp: at.Timestamp + v[1], Offset: at.Offset + v[2]}
		at.Time = at.Timestamp * scale
		c.KeyFrames = append(c.KeyFrames, at)
	}
}

// fill takes the next numbers, as many as there is room for.
func (q *queue) fill(numbers []int64) {
	b, at := q.pages[0], q.read
	for i := range numbers {
		var u uint64
		for shift := 0; ; shift += 7 {
			c := b[at]
			at++
			u |= uint64(c&0x7F) << shift
			if c < 0x80 {
				break
			}
		}
		numbers[i] = int64(u>>1) ^ -int64(u&1)
	}
	q.read = at
}

// drop drops what has been taken, but for memory for the next cluster.
func (q *queue) drop() {
	q.n--
	switch last := q.pages[len(q.pages)-1]; {
	case q.n == 0:
		q.pages, q.read = append(q.pages[:0], last[:0]), 0
	case q.read == len(q.pages[0]):
		q.pages[0] = nil // which the rest of the slice would keep
		q.pages, q.read = q.pages[1:], 0
	}
}
