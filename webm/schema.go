package webm

import "github.com/webmend/webmend/ebml"

// The Matroska elements that a WebM file is built of, named as in RFC 9559 §5;
// those of EBML itself are in package ebml. They are a selection: [Lookup]
// knows every element.
const (
	IDSegment ebml.ID = 0x18538067

	IDSeekHead     ebml.ID = 0x114D9B74
	IDSeek         ebml.ID = 0x4DBB
	IDSeekID       ebml.ID = 0x53AB
	IDSeekPosition ebml.ID = 0x53AC

	IDInfo           ebml.ID = 0x1549A966
	IDTimestampScale ebml.ID = 0x2AD7B1
	IDDuration       ebml.ID = 0x4489
	IDMuxingApp      ebml.ID = 0x4D80
	IDWritingApp     ebml.ID = 0x5741
	IDDateUTC        ebml.ID = 0x4461
	IDTitle          ebml.ID = 0x7BA9

	IDCluster         ebml.ID = 0x1F43B675
	IDTimestamp       ebml.ID = 0xE7
	IDPosition        ebml.ID = 0xA7
	IDPrevSize        ebml.ID = 0xAB
	IDSimpleBlock     ebml.ID = 0xA3
	IDBlockGroup      ebml.ID = 0xA0
	IDBlock           ebml.ID = 0xA1
	IDBlockDuration   ebml.ID = 0x9B
	IDReferenceBlock  ebml.ID = 0xFB
	IDDiscardPadding  ebml.ID = 0x75A2
	IDSilentTracks    ebml.ID = 0x5854
	IDEncryptedBlock  ebml.ID = 0xAF
	IDBlockAdditions  ebml.ID = 0x75A1
	IDBlockMore       ebml.ID = 0xA6
	IDBlockAddID      ebml.ID = 0xEE
	IDBlockAdditional ebml.ID = 0xA5

	IDTracks             ebml.ID = 0x1654AE6B
	IDTrackEntry         ebml.ID = 0xAE
	IDTrackNumber        ebml.ID = 0xD7
	IDTrackUID           ebml.ID = 0x73C5
	IDTrackType          ebml.ID = 0x83
	IDCodecID            ebml.ID = 0x86
	IDCodecPrivate       ebml.ID = 0x63A2
	IDCodecDelay         ebml.ID = 0x56AA
	IDSeekPreRoll        ebml.ID = 0x56BB
	IDDefaultDuration    ebml.ID = 0x23E383
	IDName               ebml.ID = 0x536E
	IDLanguage           ebml.ID = 0x22B59C
	IDMaxBlockAdditionID ebml.ID = 0x55EE

	IDVideo         ebml.ID = 0xE0
	IDPixelWidth    ebml.ID = 0xB0
	IDPixelHeight   ebml.ID = 0xBA
	IDDisplayWidth  ebml.ID = 0x54B0
	IDDisplayHeight ebml.ID = 0x54BA
	IDAlphaMode     ebml.ID = 0x53C0

	IDAudio                   ebml.ID = 0xE1
	IDSamplingFrequency       ebml.ID = 0xB5
	IDOutputSamplingFrequency ebml.ID = 0x78B5
	IDChannels                ebml.ID = 0x9F
	IDBitDepth                ebml.ID = 0x6264

	IDCues                ebml.ID = 0x1C53BB6B
	IDCuePoint            ebml.ID = 0xBB
	IDCueTime             ebml.ID = 0xB3
	IDCueTrackPositions   ebml.ID = 0xB7
	IDCueTrack            ebml.ID = 0xF7
	IDCueClusterPosition  ebml.ID = 0xF1
	IDCueRelativePosition ebml.ID = 0xF0

	IDTags        ebml.ID = 0x1254C367
	IDChapters    ebml.ID = 0x1043A770
	IDAttachments ebml.ID = 0x1941A469
)

// A Type says how the data of an element is to be read (RFC 8794 §7). It is 0
// for no element.
type Type uint8

const (
	Master Type = iota + 1 // more elements (§7.7)
	Uint                   // an unsigned integer (§7.2)
	Int                    // a signed integer (§7.1)
	Float                  // a floating-point number (§7.3)
	String                 // printable ASCII (§7.4)
	UTF8                   // Unicode text (§7.5)
	Date                   // nanoseconds since the start of 2001 UTC (§7.6)
	Binary                 // bytes that EBML gives no meaning (§7.8)
)

// String gives the name that EBML schemas have for the type: "uinteger".
func (t Type) String() string {
	switch t {
	case Master:
		return "master"
	case Uint:
		return "uinteger"
	case Int:
		return "integer"
	case Float:
		return "float"
	case String:
		return "string"
	case UTF8:
		return "utf-8"
	case Date:
		return "date"
	case Binary:
		return "binary"
	}
	return "unknown"
}

// schema is every element of EBML (RFC 8794 §11) and Matroska (RFC 9559 §5),
// including those that RFC 9559 Appendix A keeps only because old files have
// them, and those of the draft of version 5: Emphasis, EditionDisplay,
// EditionString, EditionLanguageIETF and ChapterSkipType. It is sorted by ID
// for Lookup, and a literal of constants so that it costs nothing at start.
var schema = [...]struct {
	id   ebml.ID
	typ  Type
	name string
}{
	{0x80, Master, "ChapterDisplay"},
	{0x83, Uint, "TrackType"},
	{0x85, UTF8, "ChapString"},
	{0x86, String, "CodecID"},
	{0x88, Uint, "FlagDefault"},
	{0x89, Uint, "ChapterTrackUID"},
	{0x8E, Master, "Slices"},
	{0x8F, Master, "ChapterTrack"},
	{0x91, Uint, "ChapterTimeStart"},
	{0x92, Uint, "ChapterTimeEnd"},
	{0x96, Uint, "CueRefTime"},
	{0x97, Uint, "CueRefCluster"},
	{0x98, Uint, "ChapterFlagHidden"},
	{0x9A, Uint, "FlagInterlaced"},
	{0x9B, Uint, "BlockDuration"},
	{0x9C, Uint, "FlagLacing"},
	{0x9D, Uint, "FieldOrder"},
	{0x9F, Uint, "Channels"},
	{0xA0, Master, "BlockGroup"},
	{0xA1, Binary, "Block"},
	{0xA2, Binary, "BlockVirtual"},
	{0xA3, Binary, "SimpleBlock"},
	{0xA4, Binary, "CodecState"},
	{0xA5, Binary, "BlockAdditional"},
	{0xA6, Master, "BlockMore"},
	{0xA7, Uint, "Position"},
	{0xAA, Uint, "CodecDecodeAll"},
	{0xAB, Uint, "PrevSize"},
	{0xAE, Master, "TrackEntry"},
	{0xAF, Binary, "EncryptedBlock"},
	{0xB0, Uint, "PixelWidth"},
	{0xB2, Uint, "CueDuration"},
	{0xB3, Uint, "CueTime"},
	{0xB5, Float, "SamplingFrequency"},
	{0xB6, Master, "ChapterAtom"},
	{0xB7, Master, "CueTrackPositions"},
	{0xB9, Uint, "FlagEnabled"},
	{0xBA, Uint, "PixelHeight"},
	{0xBB, Master, "CuePoint"},
	{0xBF, Binary, "CRC-32"},
	{0xC0, Uint, "TrickTrackUID"},
	{0xC1, Binary, "TrickTrackSegmentUID"},
	{0xC4, Binary, "TrickMasterTrackSegmentUID"},
	{0xC6, Uint, "TrickTrackFlag"},
	{0xC7, Uint, "TrickMasterTrackUID"},
	{0xC8, Master, "ReferenceFrame"},
	{0xC9, Uint, "ReferenceOffset"},
	{0xCA, Uint, "ReferenceTimestamp"},
	{0xCB, Uint, "BlockAdditionID"},
	{0xCC, Uint, "LaceNumber"},
	{0xCD, Uint, "FrameNumber"},
	{0xCE, Uint, "Delay"},
	{0xCF, Uint, "SliceDuration"},
	{0xD7, Uint, "TrackNumber"},
	{0xDB, Master, "CueReference"},
	{0xE0, Master, "Video"},
	{0xE1, Master, "Audio"},
	{0xE2, Master, "TrackOperation"},
	{0xE3, Master, "TrackCombinePlanes"},
	{0xE4, Master, "TrackPlane"},
	{0xE5, Uint, "TrackPlaneUID"},
	{0xE6, Uint, "TrackPlaneType"},
	{0xE7, Uint, "Timestamp"},
	{0xE8, Master, "TimeSlice"},
	{0xE9, Master, "TrackJoinBlocks"},
	{0xEA, Uint, "CueCodecState"},
	{0xEB, Uint, "CueRefCodecState"},
	{0xEC, Binary, "Void"},
	{0xED, Uint, "TrackJoinUID"},
	{0xEE, Uint, "BlockAddID"},
	{0xF0, Uint, "CueRelativePosition"},
	{0xF1, Uint, "CueClusterPosition"},
	{0xF7, Uint, "CueTrack"},
	{0xFA, Uint, "ReferencePriority"},
	{0xFB, Int, "ReferenceBlock"},
	{0xFD, Int, "ReferenceVirtual"},
	{0x41A4, String, "BlockAddIDName"},
	{0x41E4, Master, "BlockAdditionMapping"},
	{0x41E7, Uint, "BlockAddIDType"},
	{0x41ED, Binary, "BlockAddIDExtraData"},
	{0x41F0, Uint, "BlockAddIDValue"},
	{0x4254, Uint, "ContentCompAlgo"},
	{0x4255, Binary, "ContentCompSettings"},
	{0x4281, Master, "DocTypeExtension"},
	{0x4282, String, "DocType"},
	{0x4283, String, "DocTypeExtensionName"},
	{0x4284, Uint, "DocTypeExtensionVersion"},
	{0x4285, Uint, "DocTypeReadVersion"},
	{0x4286, Uint, "EBMLVersion"},
	{0x4287, Uint, "DocTypeVersion"},
	{0x42F2, Uint, "EBMLMaxIDLength"},
	{0x42F3, Uint, "EBMLMaxSizeLength"},
	{0x42F7, Uint, "EBMLReadVersion"},
	{0x437C, String, "ChapLanguage"},
	{0x437D, String, "ChapLanguageBCP47"},
	{0x437E, String, "ChapCountry"},
	{0x4444, Binary, "SegmentFamily"},
	{0x4461, Date, "DateUTC"},
	{0x447A, String, "TagLanguage"},
	{0x447B, String, "TagLanguageBCP47"},
	{0x4484, Uint, "TagDefault"},
	{0x4485, Binary, "TagBinary"},
	{0x4487, UTF8, "TagString"},
	{0x4489, Float, "Duration"},
	{0x44B4, Uint, "TagDefaultBogus"},
	{0x450D, Binary, "ChapProcessPrivate"},
	{0x4520, Master, "EditionDisplay"},
	{0x4521, UTF8, "EditionString"},
	{0x4588, Uint, "ChapterSkipType"},
	{0x4598, Uint, "ChapterFlagEnabled"},
	{0x45A3, UTF8, "TagName"},
	{0x45B9, Master, "EditionEntry"},
	{0x45BC, Uint, "EditionUID"},
	{0x45BD, Uint, "EditionFlagHidden"},
	{0x45DB, Uint, "EditionFlagDefault"},
	{0x45DD, Uint, "EditionFlagOrdered"},
	{0x45E4, String, "EditionLanguageIETF"},
	{0x465C, Binary, "FileData"},
	{0x4660, String, "FileMediaType"},
	{0x4661, Uint, "FileUsedStartTime"},
	{0x4662, Uint, "FileUsedEndTime"},
	{0x466E, UTF8, "FileName"},
	{0x4675, Binary, "FileReferral"},
	{0x467E, UTF8, "FileDescription"},
	{0x46AE, Uint, "FileUID"},
	{0x47E1, Uint, "ContentEncAlgo"},
	{0x47E2, Binary, "ContentEncKeyID"},
	{0x47E3, Binary, "ContentSignature"},
	{0x47E4, Binary, "ContentSigKeyID"},
	{0x47E5, Uint, "ContentSigAlgo"},
	{0x47E6, Uint, "ContentSigHashAlgo"},
	{0x47E7, Master, "ContentEncAESSettings"},
	{0x47E8, Uint, "AESSettingsCipherMode"},
	{0x4D80, UTF8, "MuxingApp"},
	{0x4DBB, Master, "Seek"},
	{0x5031, Uint, "ContentEncodingOrder"},
	{0x5032, Uint, "ContentEncodingScope"},
	{0x5033, Uint, "ContentEncodingType"},
	{0x5034, Master, "ContentCompression"},
	{0x5035, Master, "ContentEncryption"},
	{0x52F1, Uint, "Emphasis"},
	{0x535F, Uint, "CueRefNumber"},
	{0x536E, UTF8, "Name"},
	{0x5378, Uint, "CueBlockNumber"},
	{0x537F, Int, "TrackOffset"},
	{0x53AB, Binary, "SeekID"},
	{0x53AC, Uint, "SeekPosition"},
	{0x53B8, Uint, "StereoMode"},
	{0x53B9, Uint, "OldStereoMode"},
	{0x53C0, Uint, "AlphaMode"},
	{0x54AA, Uint, "PixelCropBottom"},
	{0x54B0, Uint, "DisplayWidth"},
	{0x54B2, Uint, "DisplayUnit"},
	{0x54B3, Uint, "AspectRatioType"},
	{0x54BA, Uint, "DisplayHeight"},
	{0x54BB, Uint, "PixelCropTop"},
	{0x54CC, Uint, "PixelCropLeft"},
	{0x54DD, Uint, "PixelCropRight"},
	{0x55AA, Uint, "FlagForced"},
	{0x55AB, Uint, "FlagHearingImpaired"},
	{0x55AC, Uint, "FlagVisualImpaired"},
	{0x55AD, Uint, "FlagTextDescriptions"},
	{0x55AE, Uint, "FlagOriginal"},
	{0x55AF, Uint, "FlagCommentary"},
	{0x55B0, Master, "Colour"},
	{0x55B1, Uint, "MatrixCoefficients"},
	{0x55B2, Uint, "BitsPerChannel"},
	{0x55B3, Uint, "ChromaSubsamplingHorz"},
	{0x55B4, Uint, "ChromaSubsamplingVert"},
	{0x55B5, Uint, "CbSubsamplingHorz"},
	{0x55B6, Uint, "CbSubsamplingVert"},
	{0x55B7, Uint, "ChromaSitingHorz"},
	{0x55B8, Uint, "ChromaSitingVert"},
	{0x55B9, Uint, "Range"},
	{0x55BA, Uint, "TransferCharacteristics"},
	{0x55BB, Uint, "Primaries"},
	{0x55BC, Uint, "MaxCLL"},
	{0x55BD, Uint, "MaxFALL"},
	{0x55D0, Master, "MasteringMetadata"},
	{0x55D1, Float, "PrimaryRChromaticityX"},
	{0x55D2, Float, "PrimaryRChromaticityY"},
	{0x55D3, Float, "PrimaryGChromaticityX"},
	{0x55D4, Float, "PrimaryGChromaticityY"},
	{0x55D5, Float, "PrimaryBChromaticityX"},
	{0x55D6, Float, "PrimaryBChromaticityY"},
	{0x55D7, Float, "WhitePointChromaticityX"},
	{0x55D8, Float, "WhitePointChromaticityY"},
	{0x55D9, Float, "LuminanceMax"},
	{0x55DA, Float, "LuminanceMin"},
	{0x55EE, Uint, "MaxBlockAdditionID"},
	{0x5654, UTF8, "ChapterStringUID"},
	{0x56AA, Uint, "CodecDelay"},
	{0x56BB, Uint, "SeekPreRoll"},
	{0x5741, UTF8, "WritingApp"},
	{0x5854, Master, "SilentTracks"},
	{0x58D7, Uint, "SilentTrackNumber"},
	{0x61A7, Master, "AttachedFile"},
	{0x6240, Master, "ContentEncoding"},
	{0x6264, Uint, "BitDepth"},
	{0x63A2, Binary, "CodecPrivate"},
	{0x63C0, Master, "Targets"},
	{0x63C3, Uint, "ChapterPhysicalEquiv"},
	{0x63C4, Uint, "TagChapterUID"},
	{0x63C5, Uint, "TagTrackUID"},
	{0x63C6, Uint, "TagAttachmentUID"},
	{0x63C9, Uint, "TagEditionUID"},
	{0x63CA, String, "TargetType"},
	{0x6624, Master, "TrackTranslate"},
	{0x66A5, Binary, "TrackTranslateTrackID"},
	{0x66BF, Uint, "TrackTranslateCodec"},
	{0x66FC, Uint, "TrackTranslateEditionUID"},
	{0x67C8, Master, "SimpleTag"},
	{0x68CA, Uint, "TargetTypeValue"},
	{0x6911, Master, "ChapProcessCommand"},
	{0x6922, Uint, "ChapProcessTime"},
	{0x6924, Master, "ChapterTranslate"},
	{0x6933, Binary, "ChapProcessData"},
	{0x6944, Master, "ChapProcess"},
	{0x6955, Uint, "ChapProcessCodecID"},
	{0x69A5, Binary, "ChapterTranslateID"},
	{0x69BF, Uint, "ChapterTranslateCodec"},
	{0x69FC, Uint, "ChapterTranslateEditionUID"},
	{0x6D80, Master, "ContentEncodings"},
	{0x6DE7, Uint, "MinCache"},
	{0x6DF8, Uint, "MaxCache"},
	{0x6E67, Binary, "ChapterSegmentUUID"},
	{0x6EBC, Uint, "ChapterSegmentEditionUID"},
	{0x6FAB, Uint, "TrackOverlay"},
	{0x7373, Master, "Tag"},
	{0x7384, UTF8, "SegmentFilename"},
	{0x73A4, Binary, "SegmentUUID"},
	{0x73C4, Uint, "ChapterUID"},
	{0x73C5, Uint, "TrackUID"},
	{0x7446, Uint, "AttachmentLink"},
	{0x75A1, Master, "BlockAdditions"},
	{0x75A2, Int, "DiscardPadding"},
	{0x7670, Master, "Projection"},
	{0x7671, Uint, "ProjectionType"},
	{0x7672, Binary, "ProjectionPrivate"},
	{0x7673, Float, "ProjectionPoseYaw"},
	{0x7674, Float, "ProjectionPosePitch"},
	{0x7675, Float, "ProjectionPoseRoll"},
	{0x78B5, Float, "OutputSamplingFrequency"},
	{0x7BA9, UTF8, "Title"},
	{0x7D7B, Binary, "ChannelPositions"},
	{0x22B59C, String, "Language"},
	{0x22B59D, String, "LanguageBCP47"},
	{0x23314F, Float, "TrackTimestampScale"},
	{0x234E7A, Uint, "DefaultDecodedFieldDuration"},
	{0x2383E3, Float, "FrameRate"},
	{0x23E383, Uint, "DefaultDuration"},
	{0x258688, UTF8, "CodecName"},
	{0x26B240, String, "CodecDownloadURL"},
	{0x2AD7B1, Uint, "TimestampScale"},
	{0x2EB524, Binary, "UncompressedFourCC"},
	{0x2FB523, Float, "GammaValue"},
	{0x3A9697, UTF8, "CodecSettings"},
	{0x3B4040, String, "CodecInfoURL"},
	{0x3C83AB, UTF8, "PrevFilename"},
	{0x3CB923, Binary, "PrevUUID"},
	{0x3E83BB, UTF8, "NextFilename"},
	{0x3EB923, Binary, "NextUUID"},
	{0x1043A770, Master, "Chapters"},
	{0x114D9B74, Master, "SeekHead"},
	{0x1254C367, Master, "Tags"},
	{0x1549A966, Master, "Info"},
	{0x1654AE6B, Master, "Tracks"},
	{0x18538067, Master, "Segment"},
	{0x1941A469, Master, "Attachments"},
	{0x1A45DFA3, Master, "EBML"},
	{0x1C53BB6B, Master, "Cues"},
	{0x1F43B675, Master, "Cluster"},
}

// Lookup finds the name and the type that the specifications give the element
// id. ok is false for an ID that they do not have.
//
//go:noinline
func Lookup(id ebml.ID) (name string, typ Type, ok bool) {
	low, high := 0, len(schema)
	for low < high {
		mid := (low + high) / 2
		if schema[mid].id < id {
			low = mid + 1
		} else {
			high = mid
		}
	}
	if low == len(schema) || schema[low].id != id {
		return "", 0, false
	}
	return schema[low].name, schema[low].typ, true
}

// endsUnknown is the rule for [ebml.Scanner.Ends]. An element of unknown size
// ends where a parent or a sibling of it comes, a Root Element or the header of
// another document (RFC 8794 §6.2), and only two may have one: Segment
// (RFC 9559 §5.1) and Cluster (§5.1.3).
//
// Void and CRC-32 may stand inside any master, and an ID that is not in the
// schema may be a child from a later version of it, so neither tells that
// anything has ended.
func endsUnknown(open, id ebml.ID) bool {
	switch id {
	case ebml.IDEBML, IDSegment: // another document, or a Segment linked to this one
		return open == IDSegment || open == IDCluster
	case IDSeekHead, IDInfo, IDTracks, IDCluster, IDCues, IDChapters, IDTags, IDAttachments:
		return open == IDCluster
	}
	return false
}
