package kernels

import (
	"os"
	"runtime"
	"unsafe"
)

// The environment variable FEDLAM_COMPILE=off keeps machine code from being written: formulas are evaluated instruction by
// instruction, on the same instruction set.
var compiling = os.Getenv("FEDLAM_COMPILE") != "off"

// Compiles reports whether formulas become machine code on this machine.
func Compiles() bool {
	negate := &Formula{Registers: 2, Inputs: 1, Stored: []int{1}, Code: []Instr{{Op: OpNeg, Dst: 1}}}
	return Fuse[float32]([]*Formula{negate})[0].Compiled()
}

// code is the machine code of a formula: a function that takes the address of arguments in register DI.
type code struct {
	text     *text
	entry    uintptr
	lanes    int
	pointers []int // the registers of the formula that are in memory, in the order of arguments.pointer
}

// maxPointers is the most registers in memory that a formula may have, to be compiled.
const maxPointers = 48

// arguments is what compiled code reads, by the offsets below.
type arguments struct {
	whole   uintptr        // bytes of all whole vectors
	rest    uintptr        // a bit for each number after them
	mask    unsafe.Pointer // a vector of words, with the sign bit set for each number after them
	pointer [maxPointers]unsafe.Pointer
}

const (
	offWhole   = int(unsafe.Offsetof(arguments{}.whole))
	offRest    = int(unsafe.Offsetof(arguments{}.rest))
	offMask    = int(unsafe.Offsetof(arguments{}.mask))
	offPointer = int(unsafe.Offsetof(arguments{}.pointer))
)

// signs are words whose vectors, from place 8-n on, have n words with a sign; likewise in float64, from place 4-n on.
var (
	signs32 = [16]int32{-1, -1, -1, -1, -1, -1, -1, -1}
	signs64 = [8]int64{-1, -1, -1, -1}
)

// runCode evaluates a compiled formula. Slices are checked here, as the code does not.
func runCode[F Float](f *Fused[F], memory [][]F, n int) {
	c := f.code
	var args arguments
	rest := n % c.lanes
	args.whole = uintptr(n-rest) * unsafe.Sizeof(F(0))
	args.rest = 1<<rest - 1
	if isFloat32[F]() {
		args.mask = unsafe.Pointer(&signs32[max(0, 8-rest)])
	} else {
		args.mask = unsafe.Pointer(&signs64[max(0, 4-rest)])
	}
	for i, r := range c.pointers {
		args.pointer[i] = unsafe.Pointer(&memory[r][:n][0])
	}
	callCode(c.entry, &args)
	runtime.KeepAlive(c)
}

// text is executable memory. It is given back to the operating system after its last use.
type text struct{ bytes []byte }
