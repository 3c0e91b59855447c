package main

// Code is copied as it is. It is read to know that it does nothing that a snapshot
// would lose: change the table, or drop segments or copy from them.

// readCode refuses every instruction that is not of WebAssembly 1.0, or a sign
// extension, a saturating conversion, memory.copy or memory.fill.
func readCode(r *reader) {
	for range r.u32() {
		body := &reader{"a function", r.bytes(uint64(r.u32()))}
		for range body.u32() { // locals
			body.u32()
			body.byte()
		}
		for len(body.b) > 0 {
			readInstruction(body)
		}
	}
	r.end()
}

func readInstruction(r *reader) {
	switch op := r.byte(); {
	case op <= 0x01, op == 0x05, op == opEnd, op == 0x0F, op == 0x1A, op == 0x1B, 0x45 <= op && op <= 0xC4:
		// no immediates: control, drop, select, arithmetic
	case 0x02 <= op && op <= 0x04: // block, loop, if
		r.s64()
	case op == 0x0C, op == 0x0D, op == 0x10, 0x20 <= op && op <= 0x24: // br, br_if, call, locals and globals
		r.u32()
	case op == 0x0E: // br_table
		for range r.u32() {
			r.u32()
		}
		r.u32()
	case op == 0x11, 0x28 <= op && op <= 0x3E: // call_indirect, loads and stores
		r.u32()
		r.u32()
	case op == 0x3F, op == 0x40: // memory.size, memory.grow
		r.byte()
	case op == opI32, op == opI64:
		r.s64()
	case op == 0x43: // f32.const
		r.bytes(4)
	case op == 0x44: // f64.const
		r.bytes(8)
	case op == 0xFC:
		switch op := r.u32(); {
		case op <= 7: // saturating conversions
		case op == 10: // memory.copy
			r.bytes(2)
		case op == 11: // memory.fill
			r.byte()
		default:
			refuse("code has the instruction 0xfc %d, which may change the table or drop a segment", op)
		}
	default:
		refuse("code has the instruction %#x, which is not known", op)
	}
}
