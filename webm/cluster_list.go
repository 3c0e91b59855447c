package webm

// A clusterList is the entries of an index. A recording of an hour can have 60,000
// clusters, and a module's memory never shrinks, so they are kept as what each
// differs in from the one before, some 9 bytes of the 56.
type clusterList struct {
	scale  int64 // TimestampScale, which most durations are a multiple of; 1 if 0
	pages  []clusterPage
	open   []entry   // the last ones, which are no page yet
	before liveStart // what the live form has before them
	cached int       // which page is in cache, plus 1
	cache  []entry
}

// pageLen is how many entries a page of a list has.
const pageLen = 64

// A clusterPage is pageLen entries: the first, and the differences of the others.
type clusterPage struct {
	first  entry
	rest   []byte
	before liveStart // what the live form has before them
}

//go:noinline
func (l *clusterList) len() int { return len(l.pages)*pageLen + len(l.open) }

// copied is the list as it is now, which can grow by itself.
//
//go:noinline
func (l *clusterList) copied() clusterList {
	c := clusterList{scale: l.scale, pages: l.pages[:len(l.pages):len(l.pages)], before: l.before}
	c.open = append([]entry(nil), l.open...)
	return c
}

// add appends an entry.
func (l *clusterList) add(e entry) {
	if len(l.open) == pageLen {
		rest := l.encode(nil)
		l.pages = append(l.pages, clusterPage{l.open[0], append([]byte(nil), rest...), l.before})
		for i := range l.open {
			l.before = l.before.next((len(l.pages)-1)*pageLen+i, &l.open[i])
		}
		l.open = l.open[:0]
	}
	l.open = append(l.open, e)
}

// at is entry i, a copy. It is quick for entries that are near to each other.
//
//go:noinline
func (l *clusterList) at(i int) entry {
	page := i / pageLen
	if page == len(l.pages) {
		return l.open[i%pageLen]
	}
	if i%pageLen == 0 {
		return l.pages[page].first
	}
	if l.cached != page+1 {
		l.cached = page + 1
		l.decode(&l.pages[page])
	}
	return l.cache[i%pageLen]
}

// What the first byte of an encoded entry says below its flags, which take the
// rest of it.
const (
	sameShape  = 1 << iota // its head and Timestamp are where those of the entry before it are
	contiguous             // it begins where that ends
	flagsShift = iota
)

// encode appends the differences between the open entries.
func (l *clusterList) encode(b []byte) []byte {
	scale := max(l.scale, 1)
	for i := 1; i < len(l.open); i++ {
		e, last := &l.open[i], &l.open[i-1]
		same := e.headLen == last.headLen && e.timeLen == last.timeLen && e.timeAt == last.timeAt
		control := e.flags << flagsShift
		if same {
			control |= sameShape
		}
		if e.Start == last.End {
			control |= contiguous
		}
		b = append(b, control)
		if !same {
			b = appendVarint(append(b, e.headLen, e.timeLen), int64(e.timeAt))
		}
		if e.Start != last.End {
			b = appendVarint(b, e.Start-last.End)
		}
		b = appendVarint(b, e.End-e.Start)
		b = appendVarint(b, e.timestamp-last.timestamp)
		// In ticks where it is some of them, in nanoseconds and odd where not.
		if duration := e.until - e.timestamp*scale; duration%scale == 0 {
			b = appendVarint(b, duration/scale<<1)
		} else {
			b = appendVarint(b, duration<<1|1)
		}
	}
	return b
}

// decode puts a page into the cache.
func (l *clusterList) decode(p *clusterPage) {
	scale := max(l.scale, 1)
	l.cache = append(l.cache[:0], p.first)
	b := p.rest
	for len(b) > 0 {
		last := &l.cache[len(l.cache)-1]
		e := entry{Range: Range{Start: last.End}, form: last.formEnd(), headLen: last.headLen, timeLen: last.timeLen, timeAt: last.timeAt}
		control := b[0]
		b = b[1:]
		e.flags = control >> flagsShift
		if control&sameShape == 0 {
			e.headLen, e.timeLen = b[0], b[1]
			b = b[2:]
			e.timeAt = uint32(takeVarint(&b))
		}
		if control&contiguous == 0 {
			e.Start += takeVarint(&b)
		}
		e.End = e.Start + takeVarint(&b)
		e.timestamp = last.timestamp + takeVarint(&b)
		duration := takeVarint(&b)
		if duration&1 == 0 {
			duration = duration >> 1 * scale
		} else {
			duration >>= 1
		}
		e.until = e.timestamp*scale + duration
		l.cache = append(l.cache, e)
	}
}

// appendVarint appends v, which is small as a rule, in few bytes: seven bits each,
// the least first, its sign in the least of all.
//
//go:noinline
func appendVarint(b []byte, v int64) []byte {
	u := uint64(v)<<1 ^ uint64(v>>63)
	for ; u >= 0x80; u >>= 7 {
		b = append(b, byte(u)|0x80)
	}
	return append(b, byte(u))
}

// takeVarint takes off b what appendVarint wrote.
//
//go:noinline
func takeVarint(b *[]byte) int64 {
	var u uint64
	for i, c := range *b {
		u |= uint64(c&0x7F) << (7 * i)
		if c < 0x80 {
			*b = (*b)[i+1:]
			break
		}
	}
	return int64(u>>1) ^ -int64(u&1)
}
