package webm

// A Range is the bytes of the stream from Start up to End.
type Range struct {
	Start, End int64
}

// A Header is what a recording begins with: the EBML header, the head of the
// Segment, and all that stands before the first Cluster. If the first byte of the stream is
// lost, which Chromium's first blob can be, Range begins with 45 DF A3, and a 1A goes before it.
type Header struct {
	Range
	Recording      int     // 0 for the first recording in the stream, 1 for the next
	DocType        string  // "webm" or "matroska"
	TimestampScale int64   // nanoseconds a tick
	Duration       float64 // in ticks, as the header claims; browsers write 0 or 1, or nothing, which is 0 too
	MuxingApp      string
	WritingApp     string
	Tracks         []Track // in the order of the header
}

// MimeType is the media type with codecs: `video/webm; codecs="vp8,opus"`.
func (h *Header) MimeType() string { return mimeType(h.DocType, h.Tracks) }

// A Cluster is some consecutive blocks of a recording (RFC 9559 §5.1.3).
type Cluster struct {
	Range
	Recording int   // index of the recording it belongs to
	HeadLen   int   // bytes of its ID and size, which its data follows
	Known     bool  // its size is known, not to be found by reading on
	Cut       bool  // its end is missing: the stream ended or broke inside it, and End is the end of its last whole element
	Fragment  bool  // of a cluster: Range is consecutive blocks of it, without its head and Timestamp
	Timestamp int64 // its Timestamp element, in ticks
	Time      int64 // the same in nanoseconds

	// Duration is the nanoseconds from Timestamp to the end of its last frame.
	// A frame lasts as long as its BlockDuration, the track's DefaultDuration,
	// its Opus packet or the size of its PCM says, or else as long as the frame
	// before it did.
	Duration int64

	Blocks    int           // SimpleBlocks and BlockGroups
	KeyFrames []KeyFrame    // of video tracks: the first 4,096
	Tracks    []TrackBlocks // of the tracks that have blocks in it, in the order of the header

	form entry
	edit *Edit // that brings it into its final form, or nil
}

// Form is the cluster, or the fragment, as a cluster of its own in its final
// form, of known size: head, and then the range data of the stream with edit made
// in it, which is nil if there is nothing to be edited.
func (c *Cluster) Form() (head []byte, data Range, edit *Edit) {
	if c.Fragment {
		return c.FormAt(c.Timestamp)
	}
	return c.form.head(), Range{c.form.data(), c.End}, c.edit
}

// FormAt is Form with another Timestamp, in ticks, at the end of head.
func (c *Cluster) FormAt(timestamp int64) (head []byte, data Range, edit *Edit) {
	data = Range{c.form.data() + int64(c.form.timeAt) + int64(c.form.timeLen), c.End}
	if c.Fragment {
		data = c.Range
	}
	head, _ = c.form.retime(data.End-data.Start, timestamp)
	return head, data, c.edit
}

// BeginsWithKeyFrame tells whether the first block of video is a key frame, so
// that a player can begin with the cluster; where there is no video it always can.
func (c *Cluster) BeginsWithKeyFrame() bool { return c.form.flags&beginsWithKey != 0 }

// Entries is how many blocks of the cluster a player can begin at: the key
// frames of video or, where no track is video, every block of audio.
func (c *Cluster) Entries(tracks []Track) int {
	n, video := 0, hasVideo(tracks)
	for _, t := range c.Tracks {
		if i := trackNumbered(tracks, t.Number); i >= 0 && (!video || tracks[i].Type == Video) {
			n += t.KeyFrames
		}
	}
	return n
}

// TrackBlocks counts the blocks of one track in a cluster.
type TrackBlocks struct {
	Number    uint64 // of the track
	Blocks    int
	KeyFrames int // for audio all of Blocks, whatever their flags say
}

// A KeyFrame is where video can be decoded from.
type KeyFrame struct {
	Track     uint64 // the track's number
	Timestamp int64  // in ticks, from the beginning of the recording
	Time      int64  // the same in nanoseconds
	Offset    int64  // of its SimpleBlock or BlockGroup
}

// A Recording is what is known of one recording in the stream.
type Recording struct {
	Header      Header // with what key frames have told of its tracks' Codec
	NumClusters int    // how many are complete
	Repeated    int    // blocks that are byte for byte a run that came before, as of a chunk that was pushed twice; plans leave them out
	Duration    int64  // nanoseconds from timestamp 0 to the end of the last frame
}

// A Drop is bytes that belong to no whole element, and why. It is empty where
// nothing else tells of bytes that are missing by [Splitter.Lost].
type Drop struct {
	Range
	Reason *Error
	Before int64 // nanoseconds, where the last frame before it ends
	After  int64 // nanoseconds, the Timestamp of the Cluster after it; -1 if another recording or the end of the stream follows
}

// A Gap is time that has no sound, though no byte is missing. A recorder that stood still, a
// muted or suspended source and a chunk that was lost between two blocks look the same, so
// that nothing is left out for it. Only audio tells: its packets follow each other with a
// few milliseconds of jitter, even where a recorder was paused, while a picture that does
// not change need have no frames. It is longer than three packets and a tenth of a second,
// and the packets after it do not make it good: where they come closer together than they
// last and catch up, they were late.
type Gap struct {
	Recording  int      // index of the recording
	Tracks     []uint64 // the numbers of the tracks that have nothing in it, of which one is audio
	Start, End int64    // nanoseconds: where a packet ends, and the next begins
	Offset     int64    // of the block after it

	// Boundary tells whether a chunk begins in it, by [Splitter.Push]: else no chunk can be
	// missing there. Of a gap before the first sound of a Cluster that is also so if one
	// begins in the Cluster before, whose last blocks can be those of a Cluster whose head is
	// missing. It is the one thing in a report that depends on how the stream is cut.
	Boundary bool
}

// A Report accounts for every byte of the stream: the headers of its recordings,
// their clusters, Other and Dropped are all of it, without gap or overlap.
type Report struct {
	Bytes      int64 // pushed so far
	Recordings []Recording
	Other      []Range // whole elements that are none of these: Cues, Tags or Void between and after clusters
	Dropped    []Drop
	Gaps       []Gap // where there is no sound though no byte is missing, the first 1,000 of them

	Undecodable []Undecodable // what plans leave out, by the order of its first frames

	// Unlisted is how many entries these lists do not have, as they are full: Other has the
	// first 10,000, Gaps and Undecodable have the first 1,000.
	Unlisted int
}

// Undecodable is frames that are there and cannot be decoded, or not at the right time.
// Plans leave them out, unless their Index says KeepUndecodable.
type Undecodable struct {
	// Reason is CodeNoKeyFrame of video between lost bytes and the next key frame of its
	// track, CodeInvalidBlock of blocks of a track that the header does not have, and
	// CodeMisplaced of an element in a cluster that cannot be there, and has no frames.
	Reason     Code
	Recording  int    // index of the recording
	Track      uint64 // its number, or that of the first of them, or 0 if there are none
	Frames     int    // blocks, of one frame as a rule
	Start, End int64  // nanoseconds, of the first of them, and of the key frame or the end of the last
	Offset     int64  // of the first one's SimpleBlock or BlockGroup
}

// maxTime bounds nanoseconds, to 36 years, so that a few of them can be added.
const maxTime = 1 << 60

// maxTimestampScale, 1000 seconds a tick, bounds what the timestamp of a block
// within its cluster can come to.
const maxTimestampScale = 1e12

// clampTime keeps an unsigned number of nanoseconds that the stream claims within
// maxTime.
func clampTime(ns uint64) int64 { return int64(min(ns, maxTime)) }

// ticksToTime is ticks in nanoseconds, within maxTime.
func ticksToTime(ticks uint64, scale int64) int64 {
	if ticks > maxTime/uint64(scale) {
		return maxTime
	}
	return int64(ticks) * scale
}
