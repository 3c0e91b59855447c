package webm

// A rangeList is ranges of the stream in order, none of which overlap. There can be one for each
// ten bytes of a stream, so they are kept as what each differs in from the one before, some 3
// bytes of the 16.
type rangeList struct {
	pages  [][]byte // of pageLen ranges each
	open   []Range  // those after the pages, pageLen at most
	cached int      // which page is in cache, plus 1
	cache  []Range
}

//go:noinline
func (l *rangeList) len() int { return len(l.pages)*pageLen + len(l.open) }

// copied is the list as it is now, which can grow by itself.
func (l *rangeList) copied() rangeList {
	return rangeList{pages: l.pages[:len(l.pages):len(l.pages)], open: append([]Range(nil), l.open...)}
}

// at is range i. It is quick for those that are near to each other.
//
//go:noinline
func (l *rangeList) at(i int) Range {
	page := i / pageLen
	if page == len(l.pages) {
		return l.open[i%pageLen]
	}
	if l.cached != page+1 {
		l.cached, l.cache = page+1, parseRanges(l.cache[:0], l.pages[page])
	}
	return l.cache[i%pageLen]
}

// add adds a range, as a rule after those that there are. It becomes one with the last if it
// begins where that ends. Of what is there already nothing is added again.
//
//go:noinline
func (l *rangeList) add(r Range) {
	i := l.from(r.Start)
	if i > 0 {
		r.Start = max(r.Start, min(l.at(i-1).End, r.End))
	}
	if i < l.len() {
		later := l.slice(i, l.len())
		l.cut(i)
		for _, next := range later {
			l.append(Range{r.Start, min(r.End, next.Start)})
			l.append(next)
			r.Start = max(r.Start, min(next.End, r.End))
		}
	}
	l.append(r)
}

// append adds what comes after all that there is.
func (l *rangeList) append(r Range) {
	n := len(l.open)
	switch {
	case r.Start >= r.End:
	case n > 0 && l.open[n-1].End == r.Start:
		l.open[n-1].End = r.End
	default:
		l.push(r)
	}
}

// push appends a range.
func (l *rangeList) push(r Range) {
	if len(l.open) == pageLen {
		page, end := make([]byte, 0, 4*pageLen), int64(0)
		for _, r := range l.open {
			page = appendVarint(appendVarint(page, r.Start-end), r.End-r.Start)
			end = r.End
		}
		l.pages = append(l.pages, append([]byte(nil), page...))
		l.open = l.open[:0]
	}
	l.open = append(l.open, r)
}

// parseRanges appends the ranges of a page.
func parseRanges(ranges []Range, page []byte) []Range {
	for end := int64(0); len(page) > 0; {
		start := end + takeVarint(&page)
		end = start + takeVarint(&page)
		ranges = append(ranges, Range{start, end})
	}
	return ranges
}

// from is the first range that begins at or after an offset.
//
//go:noinline
func (l *rangeList) from(offset int64) int {
	low, high := 0, len(l.pages)
	for low < high { // the first page that begins there or later
		middle := (low + high) / 2
		if page := l.pages[middle]; takeVarint(&page) < offset {
			low = middle + 1
		} else {
			high = middle
		}
	}
	first, end := max(0, low-1)*pageLen, l.len()
	if low < len(l.pages) {
		end = low * pageLen
	}
	for first < end {
		middle := (first + end) / 2
		if l.at(middle).Start < offset {
			first = middle + 1
		} else {
			end = middle
		}
	}
	return first
}

// slice is the ranges from i up to n, of its own.
func (l *rangeList) slice(i, n int) (ranges []Range) {
	for ; i < n; i++ {
		ranges = append(ranges, l.at(i))
	}
	return ranges
}

// cut forgets the ranges from i on.
func (l *rangeList) cut(i int) {
	page := min(i/pageLen, len(l.pages))
	open := l.slice(page*pageLen, i)
	l.pages, l.open, l.cached = l.pages[:page:page], open, 0
}
