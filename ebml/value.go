package ebml

import "math"

// ParseUint reads the data of an Unsigned Integer Element, 0 to 8 octets, most
// significant first; no octets are 0 (RFC 8794 §7.2). Of more than 8 octets,
// which no valid element has, the last 8 count.
func ParseUint(data []byte) uint64 {
	var v uint64
	for _, c := range data {
		v = v<<8 | uint64(c)
	}
	return v
}

// ParseInt reads the data of a Signed Integer Element, two's complement in 0 to
// 8 octets (RFC 8794 §7.1).
func ParseInt(data []byte) int64 {
	n := len(data)
	if n == 0 || n > 8 {
		return int64(ParseUint(data))
	}
	shift := 64 - 8*n
	return int64(ParseUint(data)<<shift) >> shift
}

// ParseFloat reads the data of a Float Element: an IEEE 754 number of 4 or 8
// octets; no octets are 0 (RFC 8794 §7.3). Any other length is NaN.
func ParseFloat(data []byte) float64 {
	switch len(data) {
	case 0:
		return 0
	case 4:
		return float64(math.Float32frombits(uint32(ParseUint(data))))
	case 8:
		return math.Float64frombits(ParseUint(data))
	}
	return math.NaN()
}

// ParseString reads the data of a String or UTF-8 Element, which ends at its
// first NUL octet or its end (RFC 8794 §7.4, §7.5). The string is a copy.
func ParseString(data []byte) string {
	for i, c := range data {
		if c == 0 {
			return string(data[:i])
		}
	}
	return string(data)
}

// AppendUint appends an Unsigned Integer Element in as few octets as hold v,
// at least one.
//
//go:noinline
func AppendUint(dst []byte, id ID, v uint64) []byte {
	n := 1
	for n < 8 && v>>(8*n) != 0 {
		n++
	}
	dst = AppendHead(dst, id, int64(n))
	for shift := 8 * (n - 1); shift >= 0; shift -= 8 {
		dst = append(dst, byte(v>>shift))
	}
	return dst
}

// AppendFloat appends a Float Element of 8 octets.
//
//go:noinline
func AppendFloat(dst []byte, id ID, v float64) []byte {
	dst = AppendHead(dst, id, 8)
	b := math.Float64bits(v)
	for shift := 56; shift >= 0; shift -= 8 {
		dst = append(dst, byte(b>>shift))
	}
	return dst
}

// AppendString appends a String or UTF-8 Element.
//
//go:noinline
func AppendString(dst []byte, id ID, s string) []byte {
	return append(AppendHead(dst, id, int64(len(s))), s...)
}

// AppendBinary appends an element with the given data: a Binary Element, or a
// Master Element whose children are already written.
//
//go:noinline
func AppendBinary(dst []byte, id ID, data []byte) []byte {
	return append(AppendHead(dst, id, int64(len(data))), data...)
}
