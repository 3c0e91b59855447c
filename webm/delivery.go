package webm

// What is complete waits here until it is taken.

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
	begun uint8   // beginsWithKey if the first block since then is a key frame, or 0
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

// A queue holds clusters in few bytes each, as a stream can have very many in one push: what
// each differs in from the one before.
type queue struct {
	pages [][]byte
	read  int    // how many bytes of the first have been taken
	n     int    // how many wait
	in    queued // the last one that was added
	out   queued // the last one that was taken
}

// queuePage is how many bytes a page has before another begins.
const queuePage = 4 << 10

// maxListed is the most KeyFrames of a Cluster.
const maxListed = 4096

// queued is what the next cluster is told from.
type queued struct {
	end, timestamp int64
	recording      int
	headLen        uint8
	timeLen        uint8
	timeAt         uint32
}

// What the first byte of a queued cluster says.
const (
	queuedKnown = 1 << iota
	queuedCut
	queuedFragment
	queuedSame // recording, and where its head and Timestamp are
)

// add appends a cluster, with those of the key frames that come after an offset.
func (q *queue) add(c *Cluster, keys *keyFrameList, from int64) {
	n := len(q.pages)
	switch {
	case n == 0: // as a rule few wait
		q.pages = append(q.pages, make([]byte, 0, 128))
		n++
	case len(q.pages[n-1]) > queuePage:
		q.pages = append(q.pages, make([]byte, 0, queuePage+128))
		n++
	}
	b := q.pages[n-1]
	next := queued{c.End, c.Timestamp, c.Recording, c.form.headLen, c.form.timeLen, c.form.timeAt}
	last := q.in
	q.in = next
	same := next
	same.end, same.timestamp = last.end, last.timestamp
	control := byte(0)
	for i, is := range [...]bool{c.Known, c.Cut, c.Fragment, same == last} {
		if is {
			control |= 1 << i
		}
	}
	b = append(b, control, c.form.flags)
	if same != last {
		b = appendVarint(append(b, c.form.headLen, c.form.timeLen), int64(c.form.timeAt))
		b = appendVarint(b, int64(c.Recording))
	}
	for _, v := range [...]int64{c.Start - last.end, c.End - c.Start, c.Start - c.form.Start, c.Timestamp - last.timestamp, c.Duration, int64(c.Blocks)} {
		b = appendVarint(b, v)
	}
	b = appendVarint(b, int64(len(c.Tracks)))
	for _, t := range c.Tracks {
		b = appendVarint(b, int64(t.Number))
		b = appendVarint(b, int64(t.Blocks))
		b = appendVarint(b, int64(t.KeyFrames))
	}
	b = appendKeys(b, c, keys, from)
	q.pages[n-1] = b
	q.n++
}

// appendKeys appends the key frames of a cluster that come after an offset.
func appendKeys(b []byte, c *Cluster, keys *keyFrameList, from int64) []byte {
	if keys == nil {
		return append(b, 0)
	}
	first := keys.from(from)
	n := min(keys.len()-first, maxListed)
	b = appendVarint(b, int64(n))
	last := KeyFrame{Timestamp: c.Timestamp, Offset: c.Start}
	for i := first; i < first+n; i++ {
		k := keys.at(i)
		b = appendKeyFrame(b, &k, &last)
		last = k
	}
	return b
}

// take takes the first cluster that waits. There must be one.
func (q *queue) take(indexes []*Index) Cluster {
	b := q.pages[0][q.read:]
	control := b[0]
	c := Cluster{
		Known:    control&queuedKnown != 0,
		Cut:      control&queuedCut != 0,
		Fragment: control&queuedFragment != 0,
	}
	c.form.flags = b[1]
	b = b[2:]
	o := &q.out
	if control&queuedSame == 0 {
		o.headLen, o.timeLen = b[0], b[1]
		b = b[2:]
		o.timeAt = uint32(takeVarint(&b))
		o.recording = int(takeVarint(&b))
	}
	c.Start = o.end + takeVarint(&b)
	c.End = c.Start + takeVarint(&b)
	c.form.Range = Range{c.Start - takeVarint(&b), c.End}
	o.timestamp += takeVarint(&b)
	o.end = c.End
	c.Recording, c.Timestamp = o.recording, o.timestamp
	c.Duration, c.Blocks = takeVarint(&b), int(takeVarint(&b))
	ix := indexes[c.Recording]
	c.Time = c.Timestamp * ix.header.TimestampScale
	c.form.headLen, c.form.timeLen, c.form.timeAt, c.form.timestamp = o.headLen, o.timeLen, o.timeAt, o.timestamp
	if c.form.flags&hasBlocks != 0 {
		c.form.until = c.Time + c.Duration
	}
	if !c.Fragment {
		c.HeadLen = int(o.headLen)
	}
	c.Tracks = make([]TrackBlocks, takeVarint(&b))
	for i := range c.Tracks {
		c.Tracks[i] = TrackBlocks{uint64(takeVarint(&b)), int(takeVarint(&b)), int(takeVarint(&b))}
	}
	if n := takeVarint(&b); n > 0 {
		c.KeyFrames = make([]KeyFrame, n)
	}
	last := KeyFrame{Timestamp: c.Timestamp, Offset: c.Start}
	for i := range c.KeyFrames {
		b = parseKeyFrame(b, &last)
		last.Time = last.Timestamp * ix.header.TimestampScale
		c.KeyFrames[i] = last
	}
	if edit := ix.form(&c.form); edit != nil {
		c.edit = *edit
	}
	q.read = len(q.pages[0]) - len(b)
	if q.n--; q.n == 0 {
		q.pages, q.read = append(q.pages[:0], q.pages[len(q.pages)-1][:0]), 0
	} else if len(b) == 0 {
		q.pages, q.read = q.pages[1:], 0
	}
	return c
}
