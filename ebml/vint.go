package ebml

import "math/bits"

// MaxVINTLen is the largest length of a VINT in octets that this package, like
// Matroska, allows (the default EBMLMaxSizeLength, RFC 8794 §11.2.5).
const MaxVINTLen = 8

// ParseVINT reads the VINT at the start of b and returns the integer in its
// data bits and its length in octets, 1 to [MaxVINTLen] (RFC 8794 §4). The
// length is 0 when b is too short to hold it all, and -1 when its first octet
// is 0, the mark of a longer VINT than is allowed.
func ParseVINT(b []byte) (v uint64, n int) {
	if len(b) == 0 {
		return 0, 0
	}
	n = bits.LeadingZeros8(b[0]) + 1
	if n > MaxVINTLen {
		return 0, -1
	}
	if n > len(b) {
		return 0, 0
	}
	v = uint64(b[0]) &^ (0x80 >> (n - 1))
	for _, c := range b[1:n] {
		v = v<<8 | uint64(c)
	}
	return v, n
}

// allOnes is the value of a VINT of n octets whose data bits are all one: the
// reserved value, which as a size means unknown and as an ID is invalid.
func allOnes(n int) uint64 { return 1<<(7*n) - 1 }

// VINTLen is the length in octets, 1 to 8, of the shortest VINT that holds v.
// v must be less than 1<<56-1.
func VINTLen(v uint64) int {
	n := 1
	for n < MaxVINTLen && v >= allOnes(n) {
		n++
	}
	return n
}

// AppendVINT appends v as a VINT of n octets, 1 to [MaxVINTLen]. Data bits of v
// that do not fit are lost; [VINTLen] tells how many octets it needs.
//
//go:noinline
func AppendVINT(dst []byte, v uint64, n int) []byte {
	v = v&allOnes(n) | 1<<(7*n)
	for shift := 8 * (n - 1); shift >= 0; shift -= 8 {
		dst = append(dst, byte(v>>shift))
	}
	return dst
}
