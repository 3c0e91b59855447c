package webm

import "io"

// Scan splits a recording that is there already: the first size bytes of src. It
// reads again what is to be read again, and knows no more of the media than a
// splitter does. Each cluster is given to visit, which can be nil, once it is complete,
// and then forgotten, so that memory is that of the indexes, whatever the size. The
// error is one of reading, or what Finish says.
func Scan(src io.ReaderAt, size int64, opts Options, visit func(Cluster)) (*Splitter, Report, error) {
	opts.Rewinds, opts.Seeks = true, true
	s := NewSplitter(opts)
	window := make([]byte, 64<<10)
	tell := func() {
		for _, c := range s.Clusters() {
			if visit != nil {
				visit(c)
			}
		}
	}
	for at := int64(0); ; {
		for at < size {
			n, err := src.ReadAt(window[:min(int64(len(window)), size-at)], at)
			if n == 0 {
				if err == nil || err == io.EOF {
					err = io.ErrUnexpectedEOF
				}
				return nil, s.Report(), err
			}
			s.Continue(window[:n]) // Finish has its error, too
			tell()
			at += int64(n)
			if back, ok := s.Rewind(); ok {
				at = back
			}
		}
		report, err := s.Finish()
		tell()
		back, ok := s.Rewind()
		if !ok {
			return s, report, err
		}
		at = back
	}
}
