package webm

import (
	"iter"

	"github.com/webmend/webmend/ebml"
)

// An Index knows where the parts of a recording are: of its header, its
// clusters, its key frames. Plans are made from it alone, but for what a cut
// inside a cluster needs. It has some 10 bytes a cluster and none of the media.
//
// An index grows with the splitter that it is from; a plan is of what it knew, with all
// whole blocks of the open cluster. One goroutine at a time may use an index and the splitter
// it is from, while several may use a plan. The zero value is of a recording without clusters.
type Index struct {
	// Stored says that plans are to be carried out on a store that holds the
	// header as recorded and then each complete cluster in its final form, as
	// [Cluster.Form] tells it, back to back, and nothing else. The open cluster is in
	// source 1, the stream as recorded, which otherwise is the only source.
	Stored bool

	// KeepUndecodable says that plans are to have the frames of video, too, that a loss
	// has made undecodable: see [Undecodable].
	KeepUndecodable bool

	header    Header
	parts     []part // of the header, and whole elements after the clusters
	clusters  clusterList
	keyFrames keyFrameList // of video; of audio alone a block every half second
	first     []KeyFrame   // the first block of each track that has one
	duration  int64        // nanoseconds, the end of the last frame

	left      rangeList // what plans leave out of clusters
	decodable int64     // nanoseconds, the end of the last frame that can be decoded

	forms  [(needsKeys | needsVoid) + 1]*Edit // what form has returned, by these flags
	ledger *ledger                            // which may have a cluster of it open
	open   bool                               // of now: the last cluster is the open one
}

// now is the index with what there is of the open cluster, for a plan.
func (ix *Index) now() *Index {
	l := ix.ledger
	if l == nil || !l.isOpen || l.open.blocks == 0 || l.index != ix {
		return ix
	}
	with := *ix
	with.open = true
	with.clusters = ix.clusters.copied()
	with.keyFrames, with.left = ix.keyFrames.copied(), ix.left.copied()
	with.addFirst(l.open.first)
	with.duration = l.time.duration(ix.duration)
	with.decodable = l.time.decodable(ix.decodable)
	c := l.soFar()
	with.add(c.form)
	return &with
}

// addFirst keeps which blocks are the first of their tracks.
//
//go:noinline
func (ix *Index) addFirst(blocks []KeyFrame) {
next:
	for _, k := range blocks {
		for i := range ix.first {
			if ix.first[i].Track == k.Track {
				continue next
			}
		}
		ix.first = append(ix.first[:len(ix.first):len(ix.first)], k)
	}
}

// A part is an element of the EBML header, the Segment or Info.
type part struct {
	parent, id ebml.ID
	Range
}

// maxParts bounds what an index keeps of a header. Past that, Void and the like
// have filled it and no recorder is at work.
const maxParts = 1000

// An entry is what the index keeps of a cluster.
type entry struct {
	Range
	timestamp int64 // ticks
	until     int64 // nanoseconds, where its last frame ends, or 0 if it has none
	form      int64 // where its final form is in a store
	headLen   uint8
	flags     uint8
	timeLen   uint8  // of the Timestamp element, head and all
	timeAt    uint32 // where that is, from the cluster's data
}

// What an entry's flags say.
const (
	needsKeys     = 1 << iota // audio blocks lack the key flag
	needsVoid                 // Position, PrevSize or CRC-32 will not be true any more
	beginsWithKey             // the first block of video is a key frame, or there is no video at all
	hasBlocks                 // of tracks that the header has
	isLong                    // a block is maxLate ticks or more after its Timestamp
)

func (e *entry) data() int64 { return e.Start + int64(e.headLen) }
func (e *entry) size() int64 { return e.End - e.data() }

// head is the head of the cluster in its final form: its size known, and in as
// many octets as it was recorded with, if they can hold it.
func (e *entry) head() []byte { return clusterHead(e.size(), int(e.headLen)-4) }

// formHeadLen is the length of head.
func (e *entry) formHeadLen() int64 {
	return int64(IDCluster.Len() + sizeWidth(e.size(), int(e.headLen)-4))
}

// formEnd is where the final form ends in a store.
func (e *entry) formEnd() int64 { return e.form + e.formHeadLen() + e.size() }

//go:noinline
func clusterHead(size int64, width int) []byte {
	head := make([]byte, 0, ebml.MaxHeadLen+3) // with room for a small Timestamp
	return ebml.AppendHeadWidth(head, IDCluster, size, sizeWidth(size, width))
}

// sizeWidth is the width that a size has if it can, or else 8.
func sizeWidth(size int64, width int) int {
	if width < ebml.VINTLen(uint64(size)) {
		return ebml.MaxVINTLen
	}
	return width
}

// add takes in the cluster that has just been completed.
func (ix *Index) add(e entry) {
	e.form = ix.header.End - ix.header.Start
	if n := ix.clusters.len(); n > 0 {
		last := ix.clusters.at(n - 1)
		e.form = last.formEnd()
	}
	ix.clusters.add(e)
}

// NumClusters is how many clusters the index has: those of the recording that are complete.
func (ix *Index) NumClusters() int { return ix.clusters.len() }

// An IndexedCluster is what an Index knows of a cluster.
type IndexedCluster struct {
	Range                    // of the stream, as recorded
	Time               int64 // nanoseconds, its Timestamp
	Duration           int64 // nanoseconds from Time to the end of its last frame, or 0 without one
	BeginsWithKeyFrame bool  // a player can begin with it: see [Cluster.BeginsWithKeyFrame]
}

// Clusters returns an iterator over the clusters of the index, in the order of the stream.
func (ix *Index) Clusters() iter.Seq[IndexedCluster] {
	return func(yield func(IndexedCluster) bool) {
		for i := 0; i < ix.clusters.len(); i++ {
			e := ix.clusters.at(i)
			begin := e.timestamp * ix.header.TimestampScale
			if !yield(IndexedCluster{e.Range, begin, max(0, e.until-begin), e.flags&beginsWithKey != 0}) {
				return
			}
		}
	}
}

// KeyFrames returns an iterator over the places in complete clusters where a player can begin,
// in the order of the stream: the key frames of video or, without any video, a block of audio
// every half second. It has none that plans leave out.
func (ix *Index) KeyFrames() iter.Seq[KeyFrame] {
	return func(yield func(KeyFrame) bool) {
		end := int64(0)
		if n := ix.clusters.len(); n > 0 {
			last := ix.clusters.at(n - 1)
			end = last.End
		}
		for i := 0; i < ix.keyFrames.len(); i++ {
			k := ix.keyFrames.at(i)
			if k.Offset >= end || !ix.isLeftOut(k.Offset) && !yield(k) {
				return
			}
		}
	}
}

// Duration is the nanoseconds from timestamp 0 to the end of the last frame.
func (ix *Index) Duration() int64 { return ix.duration }

// Form is the final form of cluster i of the index, as [Cluster.Form] gives it.
func (ix *Index) Form(i int) (head []byte, data Range, edit *Edit) {
	e := ix.clusters.at(i)
	return e.head(), Range{e.data(), e.End}, ix.form(&e)
}

// Edit is the edit of Form for any cluster of the recording.
func (ix *Index) Edit() *Edit { return ix.form(&entry{flags: needsKeys | needsVoid}) }

// source is where the data of cluster i begins in the sources of plans, and what brings
// it into its final form there.
//
//go:noinline
func (ix *Index) source(i int, e *entry) (source int, begin int64, edit *Edit) {
	switch {
	case !ix.Stored:
		return 0, e.data(), ix.form(e)
	case ix.open && i == ix.clusters.len()-1:
		return 1, e.data(), ix.form(e)
	}
	return 0, e.form + e.formHeadLen(), nil
}

// form is what brings a cluster as recorded into its final form, or nil.
//
//go:noinline
func (ix *Index) form(e *entry) *Edit {
	needs := e.flags & (needsKeys | needsVoid)
	if needs == 0 {
		return nil
	}
	if ix.forms[needs] != nil {
		return ix.forms[needs]
	}
	edit := &Edit{Void: e.flags&needsVoid != 0}
	if e.flags&needsKeys != 0 {
		for i := range ix.header.Tracks {
			if t := &ix.header.Tracks[i]; t.Type.onlyKeyFrames() {
				edit.Keys = append(edit.Keys, t.Number)
			}
		}
	}
	ix.forms[needs] = edit
	return edit
}
