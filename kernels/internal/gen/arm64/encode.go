package main

import "fmt"

// vector is one of the registers V0 to V31, of 16 bytes.
type vector int

func (r vector) String() string { return fmt.Sprintf("V%d", int(r)) }

// instruction is one that Go's assembler does not know: its opcode with all registers 0, and its text in the syntax of Arm
// with a verb for each register, the destination first.
type instruction struct {
	opcode uint32
	text   string
}

// forms holds the single-precision form of an instruction and the double-precision one.
type forms [2]instruction

// Opcodes are those of the Arm Architecture Reference Manual, "A64 Advanced SIMD and floating-point instructions".
var (
	fadd   = binary("fadd", 0x4e20d400)
	fsub   = binary("fsub", 0x4ea0d400)
	fmul   = binary("fmul", 0x6e20dc00)
	fdiv   = binary("fdiv", 0x6e20fc00)
	fmax   = binary("fmax", 0x4e20f400)
	fmin   = binary("fmin", 0x4ea0f400)
	faddp  = binary("faddp", 0x6e20d400)
	fneg   = unary("fneg", 0x6ea0f800, "")
	fsqrt  = unary("fsqrt", 0x6ea1f800, "")
	frintn = unary("frintn", 0x4e218800, "")
	fcvtns = unary("fcvtns", 0x4e21a800, "")
	cmlt   = unary("cmlt", 0x4ea0a800, ", #0")

	// Between two float64 and the low (or, with a 2, high) half of four float32.
	fcvtl  = instruction{0x0e617800, "fcvtl v%d.2d, v%d.2s"}
	fcvtl2 = instruction{0x4e617800, "fcvtl2 v%d.2d, v%d.4s"}
	fcvtn  = instruction{0x0e616800, "fcvtn v%d.2s, v%d.2d"}
	fcvtn2 = instruction{0x4e616800, "fcvtn2 v%d.4s, v%d.2d"}
)

// doubleBit tells the forms apart.
const doubleBit = 1 << 22

func binary(name string, opcode uint32) forms {
	return forms{
		{opcode, name + " v%d.4s, v%d.4s, v%d.4s"},
		{opcode | doubleBit, name + " v%d.2d, v%d.2d, v%d.2d"},
	}
}

func unary(name string, opcode uint32, suffix string) forms {
	return forms{
		{opcode, name + " v%d.4s, v%d.4s" + suffix},
		{opcode | doubleBit, name + " v%d.2d, v%d.2d" + suffix},
	}
}

// encode returns the instruction's word and its text.
func (x instruction) encode(registers ...vector) (word uint32, text string) {
	word = x.opcode
	var numbers []any
	for i, r := range registers {
		word |= uint32(r) << [3]int{0, 5, 16}[i]
		numbers = append(numbers, int(r))
	}
	return word, fmt.Sprintf(x.text, numbers...)
}
