package main

// Code is copied as it is, but for functions that are cut. It is read to know which
// functions it calls, and that it does nothing that a snapshot would lose: change the
// table, or drop segments or copy from them.

// readCode refuses every instruction that is not of WebAssembly 1.0, or a sign
// extension, a saturating conversion, memory.copy or memory.fill.
func (m *module) readCode(r *reader) {
	for range r.u32() {
		body := r.bytes(uint64(r.u32()))
		m.bodies = append(m.bodies, body)
		code := &reader{"a function", body}
		skipLocals(code)
		for len(code.b) > 0 {
			readInstruction(code)
		}
	}
	r.end()
}

func skipLocals(r *reader) {
	for range r.u32() {
		r.u32()
		r.byte()
	}
}

// readInstruction reads one instruction. Its operand is the function that is called,
// or the constant; of other instructions it is not told.
func readInstruction(r *reader) (op byte, operand int64) {
	switch op = r.byte(); {
	case op <= 0x01, op == 0x05, op == opEnd, op == 0x0F, op == 0x1A, op == 0x1B, 0x45 <= op && op <= 0xC4:
		// no immediates: control, drop, select, arithmetic
	case 0x02 <= op && op <= 0x04: // block, loop, if
		r.s64()
	case op == opCall:
		operand = int64(r.u32())
	case op == 0x0C, op == 0x0D, 0x20 <= op && op <= 0x24: // br, br_if, locals and globals
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
		operand = r.s64()
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
	return op, operand
}
