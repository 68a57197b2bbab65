package kernels

import (
	"fmt"
	"slices"
)

// A Formula is elementwise arithmetic in several steps: instructions on registers, each of which stands for as many numbers
// as Eval is told. It says nothing of the element type.
//
// Registers from 0 to Inputs-1 hold operands, which come from memory and which no instruction changes. Others are set by
// instructions before they are read; those in Stored are results, which go to memory. A result may have the memory of an
// operand if no instruction reads the operand after the last one that sets the result.
type Formula struct {
	Registers int
	Inputs    int
	Stored    []int
	Code      []Instr
}

// Instr sets register Dst to the result of an operation on registers A, B and C, as many as it has operands, and numbers
// S and T.
type Instr struct {
	Op           Op
	Dst, A, B, C int
	S, T         float64
	N            int
}

// Op is an operation of an Instr: the function of the same name, on numbers S and T where that takes some.
type Op uint8

// The operations.
const (
	OpCopy Op = iota
	OpAdd
	OpSub
	OpMul
	OpNeg
	OpScale
	OpAddScalar
	OpTanh
	OpExp
	OpSqrt
	OpRecip
	OpSigmoid
	OpSoftplus
	OpSquare
	OpSwitch // of order N, from S to T
	OpStep
	OpMulMul
	OpAddScaled
	OpMulAdd
	OpMulSub
	OpSubMul
	OpQuadratic
	numOps
)

// operands is the number of registers that operations read.
var operands = [numOps]int{
	1, 2, 2, 2, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 2, 2, 3, 3, 3, 1,
}

// reads returns the registers that an instruction reads.
func (in *Instr) reads() []int { return []int{in.A, in.B, in.C}[:operands[in.Op]] }

// check panics if the formula is none: it is written by a program, so this is a mistake there.
func (f *Formula) check() {
	set := make([]bool, f.Registers)
	for r := range f.Inputs {
		set[r] = true
	}
	for i := range f.Code {
		in := &f.Code[i]
		if in.Op >= numOps || in.Dst < f.Inputs || in.Dst >= f.Registers {
			panic(fmt.Sprintf("kernels: Formula: instruction %d: operation %d to register %d", i, in.Op, in.Dst))
		}
		for _, r := range in.reads() {
			if r < 0 || r >= f.Registers || !set[r] {
				panic(fmt.Sprintf("kernels: Formula: instruction %d reads register %d, which is not set", i, r))
			}
		}
		set[in.Dst] = true
	}
	for _, r := range f.Stored {
		if r < f.Inputs || r >= f.Registers || !set[r] {
			panic(fmt.Sprintf("kernels: Formula: result %d is not set", r))
		}
	}
}

// facts is what must be known of each instruction to keep registers in those of the processor.
type facts struct {
	last      [][3]bool // by operand: nothing reads the register afterwards before it is set again
	readLater []bool    // the result is read
	stored    []int     // by register: the instruction whose result goes to memory, -1 for none
	reads     []int     // by register: how many operands it is
}

func (f *Formula) facts() facts {
	x := facts{
		last: make([][3]bool, len(f.Code)), readLater: make([]bool, len(f.Code)),
		stored: make([]int, f.Registers), reads: make([]int, f.Registers),
	}
	for r := range x.stored {
		x.stored[r] = -1
	}
	read := make([]bool, f.Registers)
	for i := len(f.Code) - 1; i >= 0; i-- {
		in := &f.Code[i]
		x.readLater[i], read[in.Dst] = read[in.Dst], false
		for k, r := range in.reads() {
			x.last[i][k] = !read[r]
			x.reads[r]++
		}
		for _, r := range in.reads() {
			read[r] = true
		}
		if x.stored[in.Dst] < 0 && slices.Contains(f.Stored, in.Dst) {
			x.stored[in.Dst] = i
		}
	}
	return x
}

// inMemory returns the registers that are operands or results.
func (f *Formula) inMemory() []int {
	list := slices.Clone(f.Stored)
	for r := range f.Inputs {
		list = append(list, r)
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// A Fused is a Formula made ready for an element type on this processor. It serves any number of goroutines at once.
type Fused[F Float] struct {
	formula  *Formula
	inMemory []bool // by register: Eval wants memory for it
	code     *code  // nil: instruction by instruction
}

// Fuse makes formulas ready. Where the processor and the operating system allow, it writes machine code for each, in which
// registers are those of the processor; elsewhere, and for formulas with operations or a number of registers that the code
// cannot have, Eval calls one function for each instruction. Both ways give the same bits.
func Fuse[F Float](formulas []*Formula) []*Fused[F] {
	list := make([]*Fused[F], len(formulas))
	for i, f := range formulas {
		f.check()
		list[i] = &Fused[F]{formula: f, inMemory: make([]bool, f.Registers)}
	}
	compile(list)
	for _, f := range list {
		for r := range f.inMemory {
			f.inMemory[r] = f.code == nil
		}
		for _, r := range f.formula.inMemory() {
			f.inMemory[r] = true
		}
	}
	return list
}

// Compiled reports whether Eval is machine code of its own.
func (f *Fused[F]) Compiled() bool { return f.code != nil }

// InMemory reports whether Eval wants memory for register r.
func (f *Fused[F]) InMemory(r int) bool { return f.inMemory[r] }

// Eval computes n numbers of every result. memory holds n numbers or more for each register for which InMemory says so. The
// memory of different registers may not overlap, but see Formula.
func (f *Fused[F]) Eval(memory [][]F, n int) {
	if n == 0 {
		return
	}
	if f.code != nil {
		runCode(f, memory, n)
		return
	}
	for i := range f.formula.Code {
		interpret(&f.formula.Code[i], memory, n)
	}
}
