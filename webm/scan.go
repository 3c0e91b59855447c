package webm

// How a recording is split that is all there, and can be read anywhere.

import "io"

// minWindow is how much is read first after a rewind.
const minWindow = 1 << 10

// Scan splits an existing recording: the first size bytes of src. Where damage calls for it,
// Scan reads a part again. It calls visit, if that is not nil, with each complete cluster and
// the header of its recording, and then forgets the cluster: memory is that of the indexes,
// whatever the size. The header is visit's only until it returns.
//
// Scan returns the error of [Splitter.Finish], and stops reading early where that is certain:
// the report still accounts for all size bytes. It also stops where visit returns an error,
// which it returns as it is, with the report so far. If src cannot be read, Scan finishes with
// the bytes before that and returns src's error, or [io.ErrUnexpectedEOF] if src is shorter
// than size. The splitter is never nil, so that plans can be made of whatever was read.
func Scan(src io.ReaderAt, size int64, opts Options, visit func(*Header, Cluster) error) (*Splitter, Report, error) {
	opts.Rewinds, opts.Seeks = true, true
	s := NewSplitter(opts)
	tell := func() error {
		for c := range s.TakeClusters() {
			if visit == nil {
				continue
			}
			if err := visit(&s.ledger.report.Recordings[c.Recording].Header, c); err != nil {
				return err
			}
		}
		return nil
	}
	window := make([]byte, 64<<10)
	want := len(window) // which is small after a rewind, as the next one may be near
	var unreadable error
	for at := int64(0); ; {
		for at < size {
			n, err := src.ReadAt(window[:min(int64(want), size-at)], at)
			if n == 0 {
				unreadable, size = readError(err), at
				break
			}
			if s.Continue(window[:n]) != nil { // Finish returns it, too
				s.size, s.pushed = size, size
				break
			}
			if err := tell(); err != nil {
				return s, s.Report(), err
			}
			at += int64(n)
			want = min(2*want, len(window))
			if back, ok := s.Rewind(); ok {
				at, want = back, minWindow
			}
		}
		report, err := s.Finish()
		if err := tell(); err != nil {
			return s, report, err
		}
		back, ok := s.Rewind()
		switch {
		case ok:
			at, want = back, minWindow
		case unreadable != nil:
			return s, report, unreadable
		default:
			return s, report, err
		}
	}
}
