package x86

import "encoding/binary"

// opcode is an instruction without its operands.
type opcode struct {
	prefix byte // pp: 0 none, 1 66, 2 F3, 3 F2
	table  byte // mm: 1 0F, 2 0F38, 3 0F3A
	code   byte
	w      bool
}

// extra is what some instructions have besides their operands.
type extra struct {
	mask     byte // mask register, 0 for none
	zero     bool // lanes that the mask leaves out become 0; otherwise they stay
	imm      byte
	hasImm   bool
	noRepeat bool // a constant is a whole vector already, or a single number that the instruction repeats by itself
}

// vector writes an instruction with reg, second (0 where there is none) and rm as operands.
func (a *Assembler) vector(o opcode, reg, second Vec, rm Operand, x extra) {
	var rmX, rmB byte // bits 4 or index bit 3, and bit 3, of the last operand
	switch rm.kind {
	case isVec:
		rmX, rmB = byte(rm.vec)>>4&1, byte(rm.vec)>>3&1
	case isMemory:
		rmX, rmB = byte(rm.index)>>3&1, byte(rm.base)>>3&1
	}
	if a.Wide {
		a.evex(o, byte(reg), byte(second), rmX, rmB, rm.kind == isWord && !x.noRepeat, x)
	} else {
		a.vex(o, byte(reg), byte(second), rmX, rmB)
	}
	a.code = append(a.code, o.code)
	a.modRM(byte(reg)&7, rm, x)
}

func bit(b bool) byte {
	if b {
		return 1
	}
	return 0
}

// evex writes the prefix of AVX-512 instructions. Bits of register numbers are inverted.
func (a *Assembler) evex(o opcode, reg, second, rmX, rmB byte, repeat bool, x extra) {
	const length = 2 // 64 bytes
	a.code = append(a.code, 0x62,
		(^reg>>3&1)<<7|(rmX^1)<<6|(rmB^1)<<5|(^reg>>4&1)<<4|o.table,
		bit(o.w)<<7|(^second&15)<<3|1<<2|o.prefix,
		bit(x.zero)<<7|length<<5|bit(repeat)<<4|(^second>>4&1)<<3|x.mask)
}

// vex writes the prefix of AVX2 instructions, always in its long form.
func (a *Assembler) vex(o opcode, reg, second, rmX, rmB byte) {
	const length = 1 // 32 bytes
	a.code = append(a.code, 0xc4,
		(^reg>>3&1)<<7|(rmX^1)<<6|(rmB^1)<<5|o.table,
		bit(o.w)<<7|(^second&15)<<3|length<<2|o.prefix)
}

// modRM writes the last operand, and the number that follows it.
func (a *Assembler) modRM(reg byte, rm Operand, x extra) {
	switch rm.kind {
	case isVec:
		a.code = append(a.code, 3<<6|reg<<3|byte(rm.vec)&7)
	case isMemory:
		a.memory(reg, rm.base, rm.index)
	case isWord:
		a.code = append(a.code, reg<<3|5)
		end := len(a.code) + 4
		if x.hasImm {
			end++
		}
		a.fixes = append(a.fixes, fix{len(a.code), end, a.place(rm.word)})
		a.code = append(a.code, 0, 0, 0, 0)
	}
	if x.hasImm {
		a.code = append(a.code, x.imm)
	}
}

// memory writes the operand base + index.
func (a *Assembler) memory(reg byte, base, index GP) {
	scaled := byte(index)&7<<3 | byte(base)&7
	if base&7 == BP { // without a displacement, this would mean no base
		a.code = append(a.code, 1<<6|reg<<3|4, scaled, 0)
		return
	}
	a.code = append(a.code, reg<<3|4, scaled)
}

// general writes an instruction on 64-bit registers whose last operand is the memory at base + disp.
func (a *Assembler) general(code byte, reg, base GP, disp int) {
	a.code = append(a.code, 0x48|byte(reg)>>3<<2|byte(base)>>3, code, 2<<6|byte(reg)&7<<3|byte(base)&7)
	if base&7 == SP {
		a.code = append(a.code, 0x24)
	}
	a.code = binary.LittleEndian.AppendUint32(a.code, uint32(disp))
}
