package webm

// Streams that are wrong: what is said of them, and what is saved.

import (
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/webmend/webmend/ebml"
)

func TestWhatIsWrongWithAStreamIsSaidExactly(t *testing.T) {
	// An EBML header and the head of a Segment take 24 bytes, with Tracks 49; the
	// cluster that is whole ends at 75, or in that which is not the first block.
	frame := simpleBlock(1, 0, 0x80, "frame") // of 11 bytes
	good := cluster(0, frame)
	after := func(more ...[]byte) []byte { return stream(tracks(vp8), good, slices.Concat(more...)) }
	header := func(more ...[]byte) []byte { return stream(more...) }
	info := func(scale uint64) []byte { return element(IDInfo, number(IDTimestampScale, scale)) }
	laced := func(flags byte, data string) []byte { return simpleBlock(1, 40, flags, data) }
	deep := element(IDVideo)
	for range 40 {
		deep = element(IDVideo, deep)
	}

	// Where the error is said: by Push, by Finish, or in the Report only, as
	// after the header a stream may end anywhere.
	const push, finish, report = "Push", "Finish", "Report"
	for _, c := range []struct {
		name     string
		opts     Options
		stream   []byte
		by       string
		code     Code
		offset   int64
		path     string
		text     string
		clusters string // that were saved
	}{
		// Other things than WebM.
		{
			name: "empty", stream: nil,
			by: finish, code: CodeEmpty, text: "webm: the stream is empty",
		},
		{
			name: "MP4", stream: []byte("\x00\x00\x00\x20ftypiso5\x00\x00\x02\x00"),
			by: push, code: CodeNotWebM,
			text: "webm: the stream is MP4, not WebM: give MediaRecorder the mimeType video/webm or audio/webm",
		},
		{
			name: "an MP4 segment", stream: []byte("\x00\x00\x00\x18stypmsdh\x00\x00\x00\x00"),
			by: push, code: CodeNotWebM,
			text: "webm: the stream is MP4, not WebM: give MediaRecorder the mimeType video/webm or audio/webm",
		},
		{
			name: "an MP4 fragment, cut short", stream: []byte("\x00\x00\x00\x64moof"),
			by: finish, code: CodeNotWebM,
			text: "webm: the stream is MP4, not WebM: give MediaRecorder the mimeType video/webm or audio/webm",
		},
		{
			name: "Ogg", stream: []byte("OggS\x00\x02\x00\x00\x00\x00\x00\x00\x00\x00"),
			by: push, code: CodeNotWebM,
			text: "webm: the stream is Ogg, not WebM: give MediaRecorder the mimeType video/webm or audio/webm",
		},
		{
			name: "WAV", stream: []byte("RIFF\x24\x00\x00\x00WAVEfmt "),
			by: push, code: CodeNotWebM, text: "webm: the stream is RIFF (WAV or AVI), not WebM",
		},
		{
			name: "a recording without its first blob", stream: slices.Concat(good, good),
			by: push, code: CodeNotWebM, text: "webm: the stream begins with 1F 43 B6 75 and not with an EBML header (1A 45 DF A3)",
		},
		{
			name: "text", stream: []byte("<!DOCTYPE html>"),
			by: push, code: CodeNotWebM,
			text: "webm: the stream begins with 3C 21 44 4F and not with an EBML header (1A 45 DF A3)",
		},
		{
			name: "less than the ID of an EBML header", stream: []byte("\x1A\x45\xDA"),
			by: finish, code: CodeNotWebM,
			text: "webm: the stream begins with 1A 45 DA and not with an EBML header (1A 45 DF A3)",
		},
		{
			name: "one byte of an EBML header, which Chromium's first blob can be", stream: []byte("\x1A"),
			by: finish, code: CodeTruncated, text: "webm: the stream ends inside the ID of its EBML header",
		},
		{
			name: "another document type", stream: element(ebml.IDEBML, number(ebml.IDEBMLVersion, 1), text(ebml.IDDocType, "foo")),
			by: finish, code: CodeNotWebM, offset: 9, path: "EBML/DocType",
			text: `webm: EBML at 0: DocType at 9 is "foo", not webm or matroska`,
		},

		// The syntax of EBML.
		{
			name: "no size after the EBML header's ID", stream: []byte(ebmlMagic + "\x00"),
			by: push, code: CodeInvalidSize,
			text: "webm: element at 0 has no valid Element Data Size",
		},
		{
			name: "an EBML header of unknown size", stream: []byte(ebmlMagic + "\xFF\x42\x82\x84webm"),
			by: push, code: CodeUnknownSize, path: "EBML",
			text: "webm: EBML at 0 has an unknown size where it must be known",
		},
		{
			name: "no ID after a block", stream: after([]byte{0, 0, 0}),
			by: push, code: CodeInvalidID, offset: 75, path: "Segment/Cluster",
			text: "webm: Cluster at 49: element at 75 has no valid Element ID", clusters: "49-75?",
		},
		{
			name: "no ID after Cues", stream: after(element(IDCues), []byte{0xFF}),
			by: push, code: CodeInvalidID, offset: 80, path: "Segment",
			text: "webm: Segment at 12: element at 80 has no valid Element ID", clusters: "49-75",
		},
		{
			name: "no size after an ID", stream: after([]byte{0xA3, 0}),
			by: push, code: CodeInvalidSize, offset: 75, path: "Segment/Cluster",
			text: "webm: Cluster at 49: element at 75 has no valid Element Data Size", clusters: "49-75?",
		},
		{
			name: "Tags of unknown size", stream: after(unknown(IDTags)),
			by: push, code: CodeUnknownSize, offset: 75, path: "Segment/Tags",
			text: "webm: Segment at 12: Tags at 75 has an unknown size where it must be known", clusters: "49-75",
		},
		{
			name: "an element of unknown size and unknown name", stream: after(unknown(0x4FFF)),
			by: push, code: CodeUnknownSize, offset: 75, path: "Segment/Cluster/0x4FFF",
			text: "webm: Cluster at 49: 0x4FFF at 75 has an unknown size where it must be known", clusters: "49-75?",
		},
		{
			name: "a Cluster of unknown size outside of any Segment", stream: slices.Concat(ebmlHeader(), element(IDSegment, tracks(vp8), good), good),
			by: push, code: CodeMisplaced, offset: 68, path: "Cluster",
			text: "webm: Cluster at 68 cannot be there", clusters: "42-68",
		},
		{
			name: "a block that overruns its Cluster of known size", stream: after(element(IDCluster, number(IDTimestamp, 40), frame, frame[:9]), make([]byte, 20)),
			by: push, code: CodeOverrun, offset: 94, path: "Segment/Cluster/SimpleBlock",
			text: "webm: Cluster at 75: SimpleBlock at 94 runs past the end of its parent", clusters: "49-75 75-94?",
		},
		{
			name: "a block that overruns its Cluster, which has no other", stream: after(element(IDCluster, number(IDTimestamp, 40), frame[:9]), make([]byte, 20)),
			by: push, code: CodeOverrun, offset: 83, path: "Segment/Cluster/SimpleBlock",
			text: "webm: Cluster at 75: SimpleBlock at 83 runs past the end of its parent", clusters: "49-75",
		},
		{
			name: "a block that overruns its BlockGroup", stream: after(group(block(1, 0, "frame")[:9]), make([]byte, 20)),
			by: push, code: CodeOverrun, offset: 77, path: "Segment/Cluster/BlockGroup/Block",
			text: "webm: BlockGroup at 75: Block at 77 runs past the end of its parent", clusters: "49-75?",
		},
		{
			name: "a Cluster that overruns its Segment of known size", stream: slices.Concat(ebmlHeader(), element(IDSegment, tracks(vp8), good, element(IDCluster, frame)[:10]), make([]byte, 20)),
			by: push, code: CodeOverrun, offset: 68, path: "Segment/Cluster",
			text: "webm: Segment at 12: Cluster at 68 runs past the end of its parent", clusters: "42-68",
		},
		{
			name: "Video in Video in Video", stream: header(tracks(element(IDTrackEntry, number(IDTrackNumber, 1), deep))),
			by: push, code: CodeTooDeep, offset: 92, path: "Segment/Tracks/TrackEntry" + strings.Repeat("/Video", 30),
			text: "webm: Video at 90: Video at 92 is nested too deep",
		},

		// The header.
		{
			name: "TimestampScale 0", stream: header(info(0), tracks(vp8), good),
			by: push, code: CodeInvalidValue, offset: 29, path: "Segment/Info/TimestampScale",
			text: "webm: Info at 24: TimestampScale at 29 is not from 1 to 1000000000000 nanoseconds",
		},
		{
			name: "a huge TimestampScale", stream: header(info(1e12+1), tracks(vp8), good),
			by: push, code: CodeInvalidValue, offset: 29, path: "Segment/Info/TimestampScale",
			text: "webm: Info at 24: TimestampScale at 29 is not from 1 to 1000000000000 nanoseconds",
		},
		{
			name: "TimestampScale 2^64-1", stream: header(info(1<<64-1), tracks(vp8), good),
			by: push, code: CodeInvalidValue, offset: 29, path: "Segment/Info/TimestampScale",
			text: "webm: Info at 24: TimestampScale at 29 is not from 1 to 1000000000000 nanoseconds",
		},
		{
			name: "a Cluster before Tracks", stream: header(element(IDInfo), good, tracks(vp8)),
			by: push, code: CodeMissing, offset: 29, path: "Segment/Cluster",
			text: "webm: Segment at 12: Cluster at 29 comes before any Tracks",
		},
		{
			name: "a second recording without Tracks", stream: append(after(), header(good)...),
			by: push, code: CodeMissing, offset: 99, path: "Segment/Cluster",
			text: "webm: Segment at 87: Cluster at 99 comes before any Tracks", clusters: "49-75",
		},
		{
			name: "a TrackEntry without TrackNumber", stream: header(tracks(vp8, element(IDTrackEntry, text(IDCodecID, "A_OPUS"))), good),
			by: push, code: CodeMissing, offset: 49, path: "Segment/Tracks/TrackEntry",
			text: "webm: Tracks at 24: TrackEntry at 49 has no TrackNumber",
		},
		{
			name: "TrackNumber 0", stream: header(tracks(track(0, Audio, "A_OPUS")), good),
			by: push, code: CodeMissing, offset: 29, path: "Segment/Tracks/TrackEntry",
			text: "webm: Tracks at 24: TrackEntry at 29 has no TrackNumber",
		},
		{
			name: "more tracks than MaxTracks", opts: Options{MaxTracks: 1}, stream: header(tracks(vp8, opus), good),
			by: push, code: CodeTooLarge, offset: 49, path: "Segment/Tracks/TrackEntry",
			text: "webm: Tracks at 24: TrackEntry at 49 is one more track than MaxTracks",
		},
		{
			name: "more tracks than MaxTracks is by default", stream: header(tracks(slices.Repeat([][]byte{vp8}, 129)...), good),
			by: push, code: CodeTooLarge, offset: 24 + 6 + 128*20, path: "Segment/Tracks/TrackEntry",
			text: "webm: Tracks at 24: TrackEntry at 2590 is one more track than MaxTracks",
		},
		{
			name: "a header larger than MaxHeaderSize", opts: Options{MaxHeaderSize: 100}, stream: header(tracks(vp8), element(IDAttachments, make([]byte, 47)), good),
			by: push, code: CodeTooLarge, offset: 49, path: "Segment/Attachments",
			text: "webm: Segment at 12: Attachments at 49 makes the header larger than MaxHeaderSize",
		},
		{
			name: "a header that grows larger than MaxHeaderSize", opts: Options{MaxHeaderSize: 100}, stream: header(tracks(vp8), slices.Concat(slices.Repeat([][]byte{element(ebml.IDVoid)}, 26)...), good),
			by: push, code: CodeTooLarge, offset: 99, path: "Segment/Void",
			text: "webm: Segment at 12: Void at 99 makes the header larger than MaxHeaderSize",
		},
		{
			name: "a header of 64 MiB", stream: header(tracks(vp8), ebml.AppendHead(nil, IDAttachments, 64<<20)),
			by: push, code: CodeTooLarge, offset: 49, path: "Segment/Attachments",
			text: "webm: Segment at 12: Attachments at 49 makes the header larger than MaxHeaderSize",
		},
		{
			name: "Segments without Tracks, and the stream ends", stream: append(header(), header(element(IDInfo))...),
			by: finish, code: CodeTruncated, offset: 53, text: "webm: the stream ends at 53, before any Tracks",
		},

		// Clusters and blocks.
		{
			name: "a Timestamp too large", stream: header(tracks(vp8), good, cluster(1<<60/1_000_000+1, frame)),
			by: push, code: CodeInvalidValue, offset: 87, path: "Segment/Cluster/Timestamp",
			text: "webm: Cluster at 75: Timestamp at 87 is more than 36 years", clusters: "49-75",
		},
		{
			name: "a Timestamp of 2^64-1", stream: header(tracks(vp8), good, cluster(1<<64-1, frame)),
			by: push, code: CodeInvalidValue, offset: 87, path: "Segment/Cluster/Timestamp",
			text: "webm: Cluster at 75: Timestamp at 87 is more than 36 years", clusters: "49-75",
		},
		{
			name: "a SimpleBlock before the Timestamp", stream: after(unknown(IDCluster, frame, number(IDTimestamp, 40))),
			by: push, code: CodeMissing, offset: 87, path: "Segment/Cluster/SimpleBlock",
			text: "webm: Cluster at 75: SimpleBlock at 87 comes before the Timestamp of its Cluster", clusters: "49-75",
		},
		{
			name: "a Block before the Timestamp", stream: after(unknown(IDCluster, group(block(1, 0, "frame")))),
			by: push, code: CodeMissing, offset: 89, path: "Segment/Cluster/BlockGroup/Block",
			text: "webm: BlockGroup at 87: Block at 89 comes before the Timestamp of its Cluster", clusters: "49-75",
		},
		{
			name: "a SimpleBlock of 0 bytes", stream: after(element(IDSimpleBlock), frame),
			by: push, code: CodeInvalidBlock, offset: 75, path: "Segment/Cluster/SimpleBlock",
			text: "webm: Cluster at 49: SimpleBlock at 75 is too short for a block", clusters: "49-75?",
		},
		{
			name: "a SimpleBlock of 1 byte", stream: after(element(IDSimpleBlock, []byte{0x81}), frame),
			by: push, code: CodeInvalidBlock, offset: 75, path: "Segment/Cluster/SimpleBlock",
			text: "webm: Cluster at 49: SimpleBlock at 75 is too short for a block", clusters: "49-75?",
		},
		{
			name: "a SimpleBlock of 2 bytes", stream: after(element(IDSimpleBlock, []byte{0x81, 0}), frame),
			by: push, code: CodeInvalidBlock, offset: 75, path: "Segment/Cluster/SimpleBlock",
			text: "webm: Cluster at 49: SimpleBlock at 75 is too short for a block", clusters: "49-75?",
		},
		{
			name: "a Block of 3 bytes", stream: after(group(element(IDBlock, []byte{0x81, 0, 0})), frame),
			by: push, code: CodeInvalidBlock, offset: 77, path: "Segment/Cluster/BlockGroup/Block",
			text: "webm: BlockGroup at 75: Block at 77 is too short for a block", clusters: "49-75?",
		},
		{
			name: "a SimpleBlock that is shorter than its track number", stream: after(element(IDSimpleBlock, []byte{0x10, 0, 1, 0, 0}), frame),
			by: push, code: CodeInvalidBlock, offset: 75, path: "Segment/Cluster/SimpleBlock",
			text: "webm: Cluster at 49: SimpleBlock at 75 is too short for a block", clusters: "49-75?",
		},
		{
			name: "a SimpleBlock without a track number", stream: after(element(IDSimpleBlock, make([]byte, 10)), frame),
			by: push, code: CodeInvalidBlock, offset: 75, path: "Segment/Cluster/SimpleBlock",
			text: "webm: Cluster at 49: SimpleBlock at 75 is too short for a block", clusters: "49-75?",
		},
		{
			name: "lacing without a number of frames", stream: after(laced(0x02, ""), frame),
			by: push, code: CodeInvalidBlock, offset: 75, path: "Segment/Cluster/SimpleBlock",
			text: "webm: Cluster at 49: SimpleBlock at 75 has lacing that does not add up", clusters: "49-75?",
		},
		{
			name: "Xiph lacing of more than there is", stream: after(laced(0x02, "\x01\x09frame"), frame),
			by: push, code: CodeInvalidBlock, offset: 75, path: "Segment/Cluster/SimpleBlock",
			text: "webm: Cluster at 49: SimpleBlock at 75 has lacing that does not add up", clusters: "49-75?",
		},
		{
			name: "fixed lacing of unequal frames, more of them than the head of a block takes", stream: after(laced(0x04, "\x01"+strings.Repeat("x", 33)), frame),
			by: push, code: CodeInvalidBlock, offset: 75, path: "Segment/Cluster/SimpleBlock",
			text: "webm: Cluster at 49: SimpleBlock at 75 has lacing that does not add up", clusters: "49-75?",
		},
		{
			name: "EBML lacing of a negative size", stream: after(group(element(IDBlock, blockData(1, 0, 0x06, "\x02\x81\x80frame"))), frame),
			by: push, code: CodeInvalidBlock, offset: 77, path: "Segment/Cluster/BlockGroup/Block",
			text: "webm: BlockGroup at 75: Block at 77 has lacing that does not add up", clusters: "49-75?",
		},
		{
			name: "a laced block of more than 1 MiB", stream: after(ebml.AppendHead(nil, IDSimpleBlock, 1<<20+1), blockData(1, 0, 0x02, "more than 13 bytes")),
			by: report, code: CodeTruncated, offset: 75, path: "Segment/Cluster/SimpleBlock",
			text: "webm: Cluster at 49: SimpleBlock at 75 is cut short by the end of the stream", clusters: "49-75?",
		},

		// Elements that claim 2^56-2 bytes, at each level, of which few come.
		{
			name: "an EBML header of 2^56-2 bytes", stream: append(huge(ebml.IDEBML), text(ebml.IDDocType, "webm")...),
			by: finish, code: CodeTruncated, path: "EBML", text: "webm: EBML at 0 is cut short by the end of the stream",
		},
		{
			name: "a DocType of 2^56-2 bytes", stream: append(huge(ebml.IDEBML), huge(ebml.IDDocType)...),
			by: push, code: CodeOverrun, offset: 12, path: "EBML/DocType", text: "webm: EBML at 0: DocType at 12 runs past the end of its parent",
		},
		{
			name: "Info of 2^56-2 bytes", stream: header(huge(IDInfo), tracks(vp8), good),
			by: push, code: CodeTooLarge, offset: 24, path: "Segment/Info", text: "webm: Segment at 12: Info at 24 makes the header larger than MaxHeaderSize",
		},
		{
			name: "a Void of 2^56-2 bytes in the header", stream: header(tracks(vp8), huge(ebml.IDVoid), good),
			by: push, code: CodeTooLarge, offset: 49, path: "Segment/Void", text: "webm: Segment at 12: Void at 49 makes the header larger than MaxHeaderSize",
		},
		{
			name: "a CodecPrivate of 2^56-2 bytes", stream: slices.Concat(ebmlHeader(), unknown(IDSegment, tracks(append(huge(IDTrackEntry), huge(IDCodecPrivate)...)))),
			by: push, code: CodeOverrun, offset: 29, path: "Segment/Tracks/TrackEntry", text: "webm: Tracks at 24: TrackEntry at 29 runs past the end of its parent",
		},
		{
			name: "Cues of 2^56-2 bytes", stream: after(huge(IDCues), make([]byte, 20)),
			by: report, code: CodeTruncated, offset: 75, path: "Segment/Cues", text: "webm: Segment at 12: Cues at 75 is cut short by the end of the stream", clusters: "49-75",
		},
		{
			name: "a Cluster of 2^56-2 bytes", stream: after(huge(IDCluster), number(IDTimestamp, 40), frame, frame[:5]),
			by: report, code: CodeTruncated, offset: 75 + 12 + 3 + 11, path: "Segment/Cluster/SimpleBlock",
			text: "webm: Cluster at 75: SimpleBlock at 101 is cut short by the end of the stream", clusters: "49-75 75-101?",
		},
		{
			name: "a Timestamp of 2^56-2 bytes", stream: after(unknown(IDCluster, huge(IDTimestamp))),
			by: push, code: CodeTooLarge, offset: 87, path: "Segment/Cluster/Timestamp",
			text: "webm: Cluster at 75: Timestamp at 87 makes the Cluster larger than MaxClusterSize", clusters: "49-75",
		},
		{
			name: "a SimpleBlock of 2^56-2 bytes", stream: after(huge(IDSimpleBlock), blockData(1, 0, 0, strings.Repeat("x", 100))),
			by: push, code: CodeTooLarge, offset: 75, path: "Segment/Cluster/SimpleBlock",
			text: "webm: Cluster at 49: SimpleBlock at 75 makes the Cluster larger than MaxClusterSize", clusters: "49-75?",
		},
		{
			name: "a laced SimpleBlock of 2^56-2 bytes", stream: after(huge(IDSimpleBlock), blockData(1, 0, 6, strings.Repeat("x", 100))),
			by: push, code: CodeTooLarge, offset: 75, path: "Segment/Cluster/SimpleBlock",
			text: "webm: Cluster at 49: SimpleBlock at 75 makes the Cluster larger than MaxClusterSize", clusters: "49-75?",
		},
		{
			name: "a laced SimpleBlock of 2 MiB", stream: after(ebml.AppendHead(nil, IDSimpleBlock, 2<<20), blockData(1, 0, 6, strings.Repeat("x", 100))),
			by: report, code: CodeTruncated, offset: 75, path: "Segment/Cluster/SimpleBlock",
			text: "webm: Cluster at 49: SimpleBlock at 75 is cut short by the end of the stream", clusters: "49-75?",
		},
		{
			name: "a BlockGroup of 2^56-2 bytes", stream: after(huge(IDBlockGroup), block(1, 0, "frame")),
			by: push, code: CodeTooLarge, offset: 75, path: "Segment/Cluster/BlockGroup",
			text: "webm: Cluster at 49: BlockGroup at 75 makes the Cluster larger than MaxClusterSize", clusters: "49-75?",
		},
		{
			name: "an element of 2^56-2 bytes that is not known", stream: after(huge(0x4FFF), make([]byte, 100)),
			by: push, code: CodeTooLarge, offset: 75, path: "Segment/Cluster/0x4FFF",
			text: "webm: Cluster at 49: 0x4FFF at 75 makes the Cluster larger than MaxClusterSize", clusters: "49-75?",
		},
		{
			name: "an element that belongs into Cues", stream: after(element(IDCuePoint)),
			by: push, code: CodeMisplaced, offset: 75, path: "Segment/Cluster/CuePoint",
			text: "webm: Cluster at 49: CuePoint at 75 cannot be there", clusters: "49-75?",
		},
		{
			name: "a Void of 2^56-2 bytes after the Segment", stream: slices.Concat(ebmlHeader(), element(IDSegment, tracks(vp8), good), huge(ebml.IDVoid)),
			by: report, code: CodeTruncated, offset: 68, path: "Void",
			text: "webm: Void at 68 is cut short by the end of the stream", clusters: "42-68",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			// One that is not strict looks on, and here in vain.
			lenient := splitAllWays(t, c.opts, c.stream)
			if d := lenient.report.Dropped; c.clusters != "" && c.name != "a second recording without Tracks" && c.name != "a Cluster of unknown size outside of any Segment" && (len(d) != 1 || d[0].Reason.Error() != c.text || ranges(lenient.clusters) != c.clusters || lenient.pushErr != nil) {
				t.Errorf("lenient: %v", lenient)
			}

			c.opts.Strict = true
			o := splitAllWays(t, c.opts, c.stream)
			var by string
			var err *Error
			switch {
			case o.pushErr != nil:
				by, err = push, o.pushErr
				if o.finishErr != err {
					t.Errorf("Push says %v and Finish %v", err, o.finishErr)
				}
			case o.finishErr != nil:
				by, err = finish, o.finishErr
			case len(o.report.Dropped) > 0:
				by, err = report, o.report.Dropped[0].Reason
			}
			if err == nil {
				t.Fatalf("no error: %v", o)
			}
			if by != c.by || err.Code != c.code || err.Offset != c.offset || err.Path != c.path || err.Error() != c.text {
				t.Errorf("by %s: %s\nwant by %s: %s", by, describe(err), c.by, describe(&Error{c.code, c.offset, c.path, c.text}))
			}
			if got := ranges(o.clusters); got != c.clusters {
				t.Errorf("clusters %s; want %s", got, c.clusters)
			}
			if n := len(o.report.Dropped); n > 1 || n == 1 && o.report.Dropped[0].Reason != err {
				t.Errorf("dropped %v", o.report.Dropped)
			}
		})
	}
}

func TestALimitCanBeReachedAndNotPassed(t *testing.T) {
	frame := simpleBlock(1, 0, 0x80, "frame")
	for _, c := range []struct {
		name   string
		opts   Options
		stream []byte
	}{
		{"MaxHeaderSize", Options{MaxHeaderSize: 100}, stream(tracks(vp8), element(IDAttachments, make([]byte, 46)), cluster(0, frame))},
		{"MaxTracks", Options{MaxTracks: 2}, stream(tracks(vp8, opus), cluster(0, frame))},
		{"the largest TimestampScale", Options{}, stream(element(IDInfo, number(IDTimestampScale, 1e12)), tracks(vp8), cluster(0, frame))},
		{"the largest Timestamp", Options{}, stream(tracks(vp8), cluster(1<<60/1_000_000, frame))},
		{
			"the largest laced block", Options{},
			stream(tracks(vp8), cluster(0, element(IDSimpleBlock, blockData(1, 0, 0x02, "\x01\x05"+strings.Repeat("x", 1<<20-4-2))))),
		},
		{"MaxHeaderSize by a Segment, which is not all part of it", Options{MaxHeaderSize: 100}, slices.Concat(ebmlHeader(), huge(IDSegment), tracks(vp8), element(IDCluster, number(IDTimestamp, 0), frame))},
		{"MaxHeaderSize by a Cluster, which is no part of it", Options{MaxHeaderSize: 100}, stream(tracks(vp8), huge(IDCluster), number(IDTimestamp, 0), frame)},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := split(c.opts, c.stream)
			o.check(t, c.stream)
			if o.finishErr != nil || len(o.clusters) != 1 || o.clusters[0].Blocks != 1 {
				t.Errorf("got %v", o)
			}
		})
	}
}

func TestAMaxHeaderSizeMayNotFitInAnInt(t *testing.T) { // of 32 bits
	o := split(Options{MaxHeaderSize: 1 << 32}, stream(tracks(track(1, Audio, "A_OPUS", element(IDCodecPrivate, []byte("OpusHead")))), cluster(0, simpleBlock(1, 0, 0x80, "frame"))))
	if len(o.headers) != 1 || string(o.headers[0].Tracks[0].CodecPrivate) != "OpusHead" {
		t.Errorf("got %v", o)
	}
}

func TestAClaimOfSizeTakesNoMemory(t *testing.T) {
	frame := simpleBlock(1, 0, 0x80, "frame")
	after := func(more ...[]byte) []byte {
		return stream(tracks(vp8), cluster(0, frame), slices.Concat(more...))
	}
	entry := func(more ...[]byte) []byte { // a TrackEntry with room for what a header may have
		data := slices.Concat(append([][]byte{number(IDTrackNumber, 1)}, more...)...)
		b := append(ebmlHeader(), ebml.AppendHead(nil, IDSegment, ebml.UnknownSize)...)
		b = ebml.AppendHead(b, IDTracks, 63<<20)
		return append(ebml.AppendHead(b, IDTrackEntry, 62<<20), data...)
	}
	for _, c := range []struct {
		name   string
		stream []byte
	}{
		{"of an EBML header", append(huge(ebml.IDEBML), huge(ebml.IDVoid)...)},
		{"of a DocType", append(ebml.AppendHead(nil, ebml.IDEBML, 63<<20), ebml.AppendHead(nil, ebml.IDDocType, 62<<20)...)},
		{"of a CodecPrivate", entry(ebml.AppendHead(nil, IDCodecPrivate, 61<<20))},
		{"of a Name", entry(ebml.AppendHead(nil, IDName, 61<<20))},
		{"of a Segment", slices.Concat(ebmlHeader(), huge(IDSegment), tracks(vp8), huge(IDCluster))},
		{"of Cues", after(huge(IDCues))},
		{"of a Cluster", after(huge(IDCluster), number(IDTimestamp, 0), huge(IDSimpleBlock))},
		{"of a Timestamp", after(unknown(IDCluster, huge(IDTimestamp)))},
		{"of a SimpleBlock", after(huge(IDSimpleBlock), blockData(1, 0, 0, ""))},
		{"of a laced SimpleBlock", after(ebml.AppendHead(nil, IDSimpleBlock, 1<<20), blockData(1, 0, 6, ""))},
		{"of a Block", after(huge(IDBlockGroup), ebml.AppendHead(nil, IDBlock, 1<<56-100), blockData(1, 0, 0, ""))},
		{"of a BlockDuration", after(huge(IDBlockGroup), ebml.AppendHead(nil, IDBlockDuration, 1<<56-100))},
		{"of an element that is not known", after(huge(0x4FFF))},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := NewSplitter(Options{})
			var before, after runtime.MemStats
			chunk := make([]byte, 1000)
			runtime.ReadMemStats(&before)
			s.Push(c.stream)
			for range 30 {
				s.Push(chunk)
			}
			s.Finish()
			runtime.ReadMemStats(&after)
			// What is read of these elements is at most all that came, which is
			// kept in a slice that doubles.
			if n := after.TotalAlloc - before.TotalAlloc; n > 256<<10 {
				t.Errorf("allocated %d bytes", n)
			}
		})
	}
}
