package webm

// A keyFrameList is the key frames of an index, in the order of the stream. Of a stream of
// tiny ones there can be one for each six bytes, so they are kept as what each differs in from
// the one before, some 5 bytes of the 32.
type keyFrameList struct {
	scale  int64 // TimestampScale
	n      int
	pages  [][]byte   // of pageLen key frames each
	open   []KeyFrame // those after the pages
	cached int        // which page is in cache, plus 1
	cache  []KeyFrame // pageLen
	near   int        // what from found last
}

func (l *keyFrameList) len() int { return l.n }

// copied is the list as it is now, which can grow by itself.
func (l *keyFrameList) copied() keyFrameList {
	return keyFrameList{scale: l.scale, n: l.n, pages: append([][]byte(nil), l.pages...), open: append([]KeyFrame(nil), l.open...)}
}

// add appends a key frame.
func (l *keyFrameList) add(k KeyFrame) {
	i := l.n % pageLen
	if i == 0 && l.n > len(l.pages)*pageLen {
		page, last := make([]byte, 0, 6*pageLen), KeyFrame{}
		for j := range l.open {
			page = appendKeyFrame(page, &l.open[j], &last)
			last = l.open[j]
		}
		l.pages = append(l.pages, append([]byte(nil), page...))
	}
	l.open = append(l.open[:i], k)
	l.n++
}

// at is key frame i. It is quick for those that are near to each other, or the first of a
// page.
//
//go:noinline
func (l *keyFrameList) at(i int) (k KeyFrame) {
	page := i / pageLen
	switch {
	case page == len(l.pages):
		k = l.open[i%pageLen]
	case i%pageLen == 0:
		parseKeyFrame(l.pages[page], &k)
	default:
		if l.cached != page+1 {
			l.decode(page)
		}
		k = l.cache[i%pageLen]
	}
	k.Time = k.Timestamp * l.scale
	return k
}

// decode puts a page into the cache.
func (l *keyFrameList) decode(page int) {
	l.cached = page + 1
	if l.cache == nil {
		l.cache = make([]KeyFrame, pageLen)
	}
	parsePage(l.pages[page], l.cache)
}

// from is the first key frame at or after an offset. It is quick where offsets are asked for
// in their order.
func (l *keyFrameList) from(offset int64) int {
	low, high := 0, l.n
	if l.near < high && l.at(l.near).Offset < offset {
		low = l.near + 1
		if low < high && l.at(low).Offset >= offset {
			high = low
		}
	}
	for low < high {
		middle := (low + high) / 2
		if first := middle - middle%pageLen; first > low {
			middle = first
		}
		if l.at(middle).Offset < offset {
			low = middle + 1
		} else {
			high = middle
		}
	}
	l.near = low
	return low
}

// cutFrom removes the key frames at an offset or after.
func (l *keyFrameList) cutFrom(offset int64) {
	l.n = l.from(offset)
	if page := l.n / pageLen; page < len(l.pages) {
		l.open = append(l.open[:0], make([]KeyFrame, pageLen)...)
		parsePage(l.pages[page], l.open)
		l.pages, l.cached = l.pages[:page], 0
	}
}

// parsePage reads the key frames of a page.
//
//go:noinline
func parsePage(page []byte, list []KeyFrame) {
	k := KeyFrame{}
	for i := range list {
		page = parseKeyFrame(page, &k)
		list[i] = k
	}
}

// appendKeyFrame appends what a key frame differs in from the one before it: twice the
// difference in time, plus 1 if the track is another, which then follows, and the difference
// in offset.
//
//go:noinline
func appendKeyFrame(b []byte, k, last *KeyFrame) []byte {
	time := (k.Timestamp - last.Timestamp) << 1
	if k.Track != last.Track {
		b = appendVarint(b, time|1)
		time = int64(k.Track)
	}
	return appendVarint(appendVarint(b, time), k.Offset-last.Offset)
}

// parseKeyFrame makes of a key frame the one after it, by what appendKeyFrame wrote, and
// returns the rest.
//
//go:noinline
func parseKeyFrame(b []byte, k *KeyFrame) []byte {
	time := takeVarint(&b)
	k.Timestamp += time >> 1
	if time&1 != 0 {
		k.Track = uint64(takeVarint(&b))
	}
	k.Offset += takeVarint(&b)
	return b
}
