package x86

import "encoding/binary"

// Target is the form of vector instructions.
type Target struct {
	Wide   bool // AVX-512; otherwise AVX2
	Double bool // numbers are float64; otherwise float32
}

// Registers returns the number of vector registers.
func (t Target) Registers() int {
	if t.Wide {
		return 32
	}
	return 16
}

// Bytes returns the size of a vector register.
func (t Target) Bytes() int {
	if t.Wide {
		return 64
	}
	return 32
}

// Size returns the bytes of a number.
func (t Target) Size() int {
	if t.Double {
		return 8
	}
	return 4
}

// Lanes returns the numbers of a vector.
func (t Target) Lanes() int { return t.Bytes() / t.Size() }

// Vec is a vector register.
type Vec uint8

// GP is a general-purpose register.
type GP uint8

// The general-purpose registers by their numbers in the encoding.
const (
	AX GP = iota
	CX
	DX
	BX
	SP
	BP
	SI
	DI
	R8
	R9
	R10
	R11
	R12
	R13
	R14
	R15
)

// Operand is the last operand of an instruction: a register, the memory at the sum of two registers, or a constant.
type Operand struct {
	kind        operandKind
	vec         Vec
	base, index GP
	word        uint64
}

type operandKind uint8

const (
	isVec operandKind = iota
	isMemory
	isWord
)

// Reg returns the operand v.
func Reg(v Vec) Operand { return Operand{kind: isVec, vec: v} }

// At returns the memory at base + index. The index must not be SP.
func At(base, index GP) Operand { return Operand{kind: isMemory, base: base, index: index} }

// Word returns the constant with the bits w in every lane.
func Word(w uint64) Operand { return Operand{kind: isWord, word: w} }

// Vec returns the register, if the operand is one.
func (o Operand) Vec() (v Vec, ok bool) { return o.vec, o.kind == isVec }

// An Assembler appends instructions to a piece of code, of which Finish makes the end.
type Assembler struct {
	Target
	code  []byte
	words []uint64 // constants, in order of their first use
	fixes []fix
}

// fix is a displacement of 4 bytes at a place in the code, relative to its end, to the memory of a constant.
type fix struct{ at, end, word int }

// New returns an empty Assembler.
func New(t Target) *Assembler { return &Assembler{Target: t} }

// Finish puts the constants behind the code and returns all.
func (a *Assembler) Finish() []byte {
	size := a.Size() // of a constant: one lane where an instruction can repeat it, a vector elsewhere
	if !a.Wide {
		size = a.Bytes()
	}
	for len(a.code)%size != 0 {
		a.code = append(a.code, 0)
	}
	begin := len(a.code)
	for _, w := range a.words {
		for n := 0; n < size; n += a.Size() {
			if a.Double {
				a.code = binary.LittleEndian.AppendUint64(a.code, w)
			} else {
				a.code = binary.LittleEndian.AppendUint32(a.code, uint32(w))
			}
		}
	}
	for _, f := range a.fixes {
		binary.LittleEndian.PutUint32(a.code[f.at:], uint32(begin+f.word*size-f.end))
	}
	return a.code
}

// Len returns the bytes written so far.
func (a *Assembler) Len() int { return len(a.code) }

// place returns the number of a constant.
func (a *Assembler) place(w uint64) int {
	for i, have := range a.words {
		if have == w {
			return i
		}
	}
	a.words = append(a.words, w)
	return len(a.words) - 1
}
