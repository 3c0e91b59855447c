// Package webm takes WebM and Matroska streams (RFC 9559) apart as they come,
// cut anywhere, without keeping their bytes.
//
// A recording, as MediaRecorder makes one, is a header and clusters. The header
// is everything up to the first Cluster: what a decoder must know first. Each
// cluster is a second or so of media, playable after the header when it begins
// with a key frame. [Splitter] finds where they are:
//
//	s := webm.NewSplitter(webm.Options{})
//	for chunk := range chunks {
//		if err := s.Push(chunk); err != nil { … }
//		if h, ok := s.TakeHeader(); ok { … }
//		for c := range s.TakeClusters() { … }
//	}
//	report, err := s.Finish()
//
// What comes out are byte ranges and facts; the caller has the bytes. The same
// stream gives the same answer however it is cut into chunks.
//
// A whole block of a known track is in every output, at its place in the order of the
// stream, with its bytes and its time, unless it is proven that it cannot be: bytes before
// it are lost ([Drop]), which makes video undecodable up to the next key frame, or it is
// byte for byte a run that was pushed before ([Recording].Repeated). Gaps in a clock, blocks
// that look alike and timestamps that go back are facts for the [Report], and cost nothing.
//
// Damage costs only the element that it hits: a splitter goes on at the next place that
// really is a cluster. [Scan] splits a file that is complete, and can read parts of it again:
// so it finds the clusters that a damaged size has swallowed, and what was pushed twice.
// [Splitter.Lost] says that bytes are missing, as after a header that was stored. [Chunks] puts
// chunks in order that come with numbers, and says which are missing.
//
// From an [Index], which the splitter makes as it goes, come plans: seekable files,
// clips, joins, segments for streaming, and with [Index.Head] what makes a file seekable
// that was written, or uploaded in parts, as it came. A [Plan] is pieces, bytes of its own
// and ranges of the stream; only [Plan.CopyTo] and [Plan.ReaderAt] touch media.
//
// [Walker] lists every element instead.
//
// Offsets and sizes are bytes, offsets from the start of the stream. Ticks are
// units of a recording's TimestampScale, usually milliseconds. Durations are
// nanoseconds in an int64, as in time.Duration, which this package does not
// import for the sake of the module's size.
package webm
