package ebml

import "math/bits"

// An ID is an Element ID of 1 to 4 octets, its marker bits kept, as the
// specifications print it: 0x1A45DFA3 (RFC 8794 §5).
type ID uint32

// The elements that every EBML document may have (RFC 8794 §11).
const (
	IDEBML               ID = 0x1A45DFA3 // the EBML Header, which begins a document
	IDEBMLVersion        ID = 0x4286
	IDEBMLReadVersion    ID = 0x42F7
	IDEBMLMaxIDLength    ID = 0x42F2
	IDEBMLMaxSizeLength  ID = 0x42F3
	IDDocType            ID = 0x4282
	IDDocTypeVersion     ID = 0x4287
	IDDocTypeReadVersion ID = 0x4285
	IDCRC32              ID = 0xBF // may be the first child of any master
	IDVoid               ID = 0xEC // may stand anywhere; its data means nothing
)

// Len is the length of the ID in octets, 1 to 4.
func (id ID) Len() int { return (bits.Len32(uint32(id)) + 7) / 8 }

// valid tells whether id has its marker where its length says, data bits that
// are not all one, and no shorter form (RFC 8794 §5). Data bits of zero, which
// the RFC forbids as well, are one octet in Matroska: ChapterDisplay is 0x80.
func (id ID) valid() bool {
	n := id.Len()
	data := uint64(id) &^ (1 << (7 * n))
	return data != allOnes(n) && (n == 1 || data >= allOnes(n-1))
}

// UnknownSize is the size of an element whose data size is not known: it ends
// where an element comes that cannot be inside it (RFC 8794 §6.2).
const UnknownSize int64 = -1

// MaxHeadLen is the most octets that the head of an element has.
const MaxHeadLen = 4 + MaxVINTLen

// A Head is what stands before an element's data.
type Head struct {
	ID     ID
	Offset int64 // of the first octet of the ID
	Size   int64 // of the data in bytes, or UnknownSize
	Len    int   // of the head itself in bytes, 2 to MaxHeadLen
}

// DataOffset is the offset of the first byte of the element's data.
func (h Head) DataOffset() int64 { return h.Offset + int64(h.Len) }

// End is the offset of the first byte after the element. It is -1 for an
// element of unknown size.
func (h Head) End() int64 {
	if h.Size == UnknownSize {
		return -1
	}
	return h.DataOffset() + h.Size
}

// ParseHead reads the head of the element at the start of b; offset is where b
// stands in the stream. A Head of Len 0 and no error means that b is too short.
// The reason is not 0 when no head can begin with these bytes.
func ParseHead(b []byte, offset int64) (Head, Reason) {
	if len(b) == 0 {
		return Head{}, 0
	}
	idLen := bits.LeadingZeros8(b[0]) + 1
	if idLen > 4 {
		return Head{}, InvalidID
	}
	if len(b) < idLen {
		return Head{}, 0
	}
	var id ID
	for _, c := range b[:idLen] {
		id = id<<8 | ID(c)
	}
	if !id.valid() {
		return Head{}, InvalidID
	}
	size, sizeLen := ParseVINT(b[idLen:])
	if sizeLen == 0 {
		return Head{}, 0
	}
	if sizeLen < 0 {
		return Head{}, InvalidSize
	}
	h := Head{ID: id, Offset: offset, Size: int64(size), Len: idLen + sizeLen}
	if size == allOnes(sizeLen) {
		h.Size = UnknownSize
	}
	return h, 0
}

// AppendID appends id in its 1 to 4 octets.
//
//go:noinline
func AppendID(dst []byte, id ID) []byte {
	for shift := 8 * (id.Len() - 1); shift >= 0; shift -= 8 {
		dst = append(dst, byte(id>>shift))
	}
	return dst
}

// AppendHead appends the head of an element with size bytes of data, the size
// in as few octets as hold it, or UnknownSize in 8 octets, as browsers write it.
//
//go:noinline
func AppendHead(dst []byte, id ID, size int64) []byte {
	if size == UnknownSize {
		return AppendHeadWidth(dst, id, size, MaxVINTLen)
	}
	return AppendHeadWidth(dst, id, size, VINTLen(uint64(size)))
}

// AppendHeadWidth is [AppendHead] with the size in exactly width octets, 1 to
// [MaxVINTLen], for heads whose size is filled in later.
//
//go:noinline
func AppendHeadWidth(dst []byte, id ID, size int64, width int) []byte {
	v := uint64(size)
	if size == UnknownSize {
		v = allOnes(width)
	}
	return AppendVINT(AppendID(dst, id), v, width)
}
