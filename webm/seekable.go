package webm

// Seekable plans one file of the recording that players can seek in: known
// sizes, SeekHead, the true Duration, and Cues before the first cluster. The
// media stays as it is, byte for byte, but that audio blocks get the key flag that
// Firefox leaves out and Chromium cannot seek without.
//
// Elements that stood after the clusters, such as Tags, come before them, unless
// the index is Stored and they are not in the store.
//
// The error is an [*Error]: CodeNoClusters, or CodeNoKeyFrame when there is nothing
// but video that cannot be decoded.
func (ix *Index) Seekable() (*Plan, error) {
	ix = ix.now()
	if ix.clusters.len() == 0 {
		return nil, planError(CodeNoClusters, "the recording has no cluster yet")
	}
	b := builder{index: ix}
	b.clusters(ix, 0, 0, nil)
	return b.finish(ix.length())
}

// Head plans the beginning of a file in exactly room bytes, to be followed by the
// clusters of the recording in their final form, as [Index.Form] gives them, back to back:
// EBML header, Segment of known size, SeekHead, Info with the true Duration, Tracks, Cues, and a
// Void for the rest of the room. So a file becomes seekable that was written, or sent in
// parts, while it was recorded: from the offset room on it only grows, and its first room
// bytes are filled in once the recording is over.
//
// Cues are thinned out evenly to fit, but for the first of each track: each takes some 20
// bytes, so that 64 KiB hold 3,000. Nothing is left out or put in order of what follows,
// whatever the index says, as that may have been written before it was known to be
// [Undecodable]. Elements that stood after the clusters are not in the file.
//
// The error is an [*Error]: CodeNoClusters, or CodeTooLarge when the room is too small for
// what must come before the clusters. Whether it is can be known as soon as there is one.
func (ix *Index) Head(room int64) (*Plan, error) {
	if ix.clusters.len() == 0 {
		return nil, planError(CodeNoClusters, "the recording has no cluster yet")
	}
	b := builder{index: ix, whole: true}
	b.clusters(ix, 0, 0, nil)
	plan, err := b.head(ix.duration, max(room, 1))
	if err == nil {
		plan.End = ix.duration
	}
	return plan, err
}

// clusters adds all clusters of a source, with their cues, shift ticks later. A
// nil edit leaves them in their final form as they are.
func (b *builder) clusters(ix *Index, source int, shift int64, edit *Edit) {
	if b.cues == nil {
		b.cues = make([]cue, 0, ix.keyFrames.len()+len(ix.first))
	}
	for i := range ix.clusters.len() {
		e := ix.clusters.at(i)
		at := b.body.Size
		moved := int64(0) // how much further on blocks are in the data of the cluster
		if edit == nil {
			b.cluster(ix, i)
		} else {
			moved = b.retimed(ix, i, source, e.timestamp+shift, ix.form(&e).and(edit))
		}
		if b.body.Size > at {
			b.cueCluster(ix, &e, at, moved, shift, edit)
		}
	}
}

// cueCluster adds the cues of a cluster that begins at at in the body: its key frames and,
// where there is video, the first block of each track of audio. Its blocks are moved bytes
// further on in its data, and shift ticks later.
func (b *builder) cueCluster(ix *Index, e *entry, at, moved, shift int64, edit *Edit) {
	out := b.leftOut(ix, e)
	add := func(k KeyFrame) {
		if !isOut(out, k.Offset) {
			b.cues = append(b.cues, cue{k.Timestamp + shift, edit.track(k.Track), at, k.Offset - e.data() + moved - leftOutBefore(out, k.Offset)})
		}
	}
	for i := range ix.first {
		if k := ix.first[i]; e.Start <= k.Offset && k.Offset < e.End && ix.isAudioOfVideo(k.Track) {
			add(k)
		}
	}
	for i := ix.keyFrames.from(e.Start); i < ix.keyFrames.len() && ix.keyFrames.at(i).Offset < e.End; i++ {
		add(ix.keyFrames.at(i))
	}
}

// isAudioOfVideo tells whether a track is the audio of a recording with video:
// it is cued once, at its start, so that there is a cue for time 0.
func (ix *Index) isAudioOfVideo(number uint64) bool {
	return ix.isOf(number, Audio) && hasVideo(ix.header.Tracks)
}

// isOf tells whether the track with that number is of a type.
//
//go:noinline
func (ix *Index) isOf(number uint64, typ TrackType) bool {
	i := trackNumbered(ix.header.Tracks, number)
	return i >= 0 && ix.header.Tracks[i].Type == typ
}

// InitializationSegment plans what a player must have before any cluster of the
// recording: the header with a Segment of unknown size and without SeekHead, Cues,
// Void or a Duration that is not true. MSE takes it as an initialization segment.
//
//go:noinline
func (ix *Index) InitializationSegment() *Plan {
	plan := &Plan{}
	plan.initialization(ix)
	return plan
}

// Standalone plans a file of clusters from up to to, which plays on its own:
// an initialization segment and the clusters with known sizes. Times stay, or with
// fromZero begin at 0. keyFrame tells whether it begins with a key frame: if not,
// the picture comes with the next one. It panics if there are no such clusters, or
// none from from up to to.
func (ix *Index) Standalone(from, to int, fromZero bool) (plan *Plan, keyFrame bool) {
	if from >= to {
		panic("webm: a standalone segment without clusters")
	}
	first := ix.clusters.at(from)
	b := builder{index: ix}
	for i := from; i < to; i++ {
		if fromZero {
			e := ix.clusters.at(i)
			_, _, edit := ix.source(i, &e)
			b.retimed(ix, i, 0, max(0, e.timestamp-first.timestamp), edit)
		} else {
			b.cluster(ix, i)
		}
	}
	plan = ix.InitializationSegment()
	plan.append(&b.body)
	plan.Start = first.timestamp * ix.header.TimestampScale
	plan.End = plan.Start // of clusters without blocks
	for i := from; i < to; i++ {
		plan.End = max(plan.End, ix.clusters.at(i).until)
	}
	return plan, first.flags&beginsWithKey != 0
}

// Join plans one seekable file of recordings, one after the other: the timestamps
// of each begin where the longest track of the one before ends. The sources of the
// plan are theirs, in order. The tracks, and what else the header says, are those
// of the first; the numbers of the others' tracks are changed to match.
//
// The error is an [*Error]: CodeNoClusters, CodeNoKeyFrame when there is nothing but
// video that cannot be decoded, or CodeIncompatible with the tracks that do not
// match in type, codec, CodecPrivate or channels. The picture's size may
// change, as it is in the key frames too. No index may be Stored.
func Join(recordings ...*Index) (*Plan, error) {
	if len(recordings) == 0 {
		return nil, planError(CodeNoClusters, "there is nothing to join")
	}
	b := builder{index: recordings[0]}
	scale := b.index.header.TimestampScale
	var duration int64
	for i, ix := range recordings {
		ix = ix.now()
		if ix.clusters.len() == 0 {
			return nil, planError(CodeNoClusters, "recording "+decimal(int64(i)+1)+" has no cluster")
		}
		edit, err := b.index.matching(ix, i)
		if err != nil {
			return nil, err
		}
		if i == 0 {
			edit = nil // it stays as it is
		}
		// Rounded up, so that nothing overlaps.
		shift := (duration + scale - 1) / scale
		b.clusters(ix, i, shift, edit)
		duration = shift*scale + ix.length()
	}
	return b.finish(duration)
}

// matching is the edit that makes the tracks of another recording, number i of a
// join, those of this one.
func (ix *Index) matching(other *Index, i int) (*Edit, error) {
	which := "recording " + decimal(int64(i)+1)
	if other.Stored || ix.Stored {
		return nil, planError(CodeIncompatible, which+" is indexed as it is stored, which cannot be joined")
	}
	if other.header.TimestampScale != ix.header.TimestampScale {
		return nil, planError(CodeIncompatible, which+" has another TimestampScale than the first")
	}
	if len(other.header.Tracks) != len(ix.header.Tracks) {
		return nil, planError(CodeIncompatible, which+" has "+decimal(int64(len(other.header.Tracks)))+
			" tracks, the first has "+decimal(int64(len(ix.header.Tracks))))
	}
	edit := &Edit{}
	taken := make([]bool, len(ix.header.Tracks))
	for j := range other.header.Tracks {
		t := &other.header.Tracks[j]
		why := ""
		match := -1
		for k := range ix.header.Tracks {
			if u := &ix.header.Tracks[k]; !taken[k] && u.Type == t.Type {
				if why = t.unlike(u); why == "" {
					match = k
					break
				}
			}
		}
		if match < 0 {
			if why == "" {
				why = "which the first does not have"
			}
			return nil, planError(CodeIncompatible, "track "+decimal(int64(t.Number))+" of "+which+" is "+
				t.Type.String()+" ("+t.CodecID+"), "+why)
		}
		taken[match] = true
		if number := ix.header.Tracks[match].Number; number != t.Number {
			edit.Tracks = append(edit.Tracks, [2]uint64{t.Number, number})
			if max(number, t.Number) > 126 {
				return nil, planError(CodeIncompatible, which+" has another number for a track, and one too large to be changed")
			}
		}
	}
	return edit, nil
}

// unlike says why frames of one track cannot be decoded as another's, or nothing.
func (t *Track) unlike(u *Track) string {
	switch {
	case t.CodecID != u.CodecID:
		return "the first has " + u.CodecID
	case t.Channels != u.Channels:
		return "with " + decimal(int64(t.Channels)) + " channels, the first has " + decimal(int64(u.Channels))
	case t.SampleRate != u.SampleRate:
		return "with another sample rate than in the first"
	case string(t.CodecPrivate) != string(u.CodecPrivate):
		return "with another CodecPrivate than in the first"
	}
	return ""
}

// and is both edits, of which either may be nil. It is not inlined, to keep the module
// small.
//
//go:noinline
func (e *Edit) and(other *Edit) *Edit {
	switch {
	case e == nil:
		return other
	case other == nil:
		return e
	}
	return &Edit{
		Keys:   append(e.Keys, other.Keys...),
		Void:   e.Void || other.Void,
		Tracks: append(e.Tracks, other.Tracks...),
		Shift:  e.Shift + other.Shift,
	}
}

// track is what the edit makes of a track's number.
func (e *Edit) track(number uint64) uint64 {
	if e != nil {
		for _, t := range e.Tracks {
			if t[0] == number {
				return t[1]
			}
		}
	}
	return number
}
