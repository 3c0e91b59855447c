package main

// Reading and writing WebAssembly's numbers and names, which are all that its
// binary format is made of (WebAssembly Core Specification §5.2).

// A reader reads from the front of b, and refuses what is cut short.
type reader struct {
	what string // what is read, for refusals
	b    []byte
}

func (r *reader) bytes(n uint64) []byte {
	if n > uint64(len(r.b)) {
		refuse("%s is cut short: %d bytes are left of %d", r.what, len(r.b), n)
	}
	b := r.b[:n]
	r.b = r.b[n:]
	return b
}

func (r *reader) byte() byte { return r.bytes(1)[0] }

// u32 reads an unsigned LEB128 number of at most 32 bits.
func (r *reader) u32() uint32 {
	var v uint64
	for shift := 0; shift < 35; shift += 7 {
		c := r.byte()
		v |= uint64(c&0x7F) << shift
		if c < 0x80 {
			if v > 1<<32-1 {
				break
			}
			return uint32(v)
		}
	}
	refuse("%s has a number of more than 32 bits", r.what)
	return 0
}

// s64 reads a signed LEB128 number of at most 64 bits.
func (r *reader) s64() int64 {
	var v int64
	for shift := 0; shift < 70; shift += 7 {
		c := r.byte()
		v |= int64(c&0x7F) << shift
		if c < 0x80 {
			if shift < 63 {
				v = v << (57 - shift) >> (57 - shift) // the sign is bit 6 of the last byte
			}
			return v
		}
	}
	refuse("%s has a number of more than 64 bits", r.what)
	return 0
}

func (r *reader) name() string { return string(r.bytes(uint64(r.u32()))) }

// end refuses what is left over.
func (r *reader) end() {
	if len(r.b) > 0 {
		refuse("%s has %d bytes too many", r.what, len(r.b))
	}
}

func appendU32(b []byte, v uint32) []byte {
	for v >= 0x80 {
		b = append(b, byte(v)|0x80)
		v >>= 7
	}
	return append(b, byte(v))
}

func appendS64(b []byte, v int64) []byte {
	for v < -0x40 || v >= 0x40 {
		b = append(b, byte(v)|0x80)
		v >>= 7
	}
	return append(b, byte(v)&0x7F)
}

func appendName(b []byte, name string) []byte {
	return append(appendU32(b, uint32(len(name))), name...)
}
