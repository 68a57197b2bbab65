package main

import "fmt"

// target is NEON with an element type.
type target struct {
	suffix string // of function names
	double bool   // float64
}

var targets = []target{{suffix: "NEONF32"}, {suffix: "NEONF64", double: true}}

// vectorBytes is the size of a vector.
const vectorBytes = 16

func (v target) elem() string {
	if v.double {
		return "float64"
	}
	return "float32"
}

func (v target) size() int {
	if v.double {
		return 8
	}
	return 4
}

// shift is the binary logarithm of size.
func (v target) shift() int {
	if v.double {
		return 3
	}
	return 2
}

func (v target) lanes() int { return vectorBytes / v.size() }

// lane is Go's name of the element type in an indexed register, lanesName that of a whole register.
func (v target) lane() string {
	if v.double {
		return "D"
	}
	return "S"
}

func (v target) lanesName() string { return fmt.Sprintf("%s%d", v.lane(), v.lanes()) }

// scalarMove is the instruction that moves one element.
func (v target) scalarMove() string { return "FMOV" + v.lane() }

// pick returns the form of the element type.
func (v target) pick(x forms) instruction {
	if v.double {
		return x[1]
	}
	return x[0]
}

// The operations below have the destination last, as Go has it.

func (fn *function) add(x, y, z vector) { fn.word(fn.pick(fadd), z, x, y) }
func (fn *function) sub(x, y, z vector) { fn.word(fn.pick(fsub), z, x, y) } // x - y
func (fn *function) mul(x, y, z vector) { fn.word(fn.pick(fmul), z, x, y) }
func (fn *function) div(x, y, z vector) { fn.word(fn.pick(fdiv), z, x, y) } // x / y
func (fn *function) max(x, y, z vector) { fn.word(fn.pick(fmax), z, x, y) }
func (fn *function) min(x, y, z vector) { fn.word(fn.pick(fmin), z, x, y) }

// fma adds x*y to z, fnma subtracts it.
func (fn *function) fma(x, y, z vector)  { fn.three("VFMLA", x, y, z) }
func (fn *function) fnma(x, y, z vector) { fn.three("VFMLS", x, y, z) }

func (fn *function) three(name string, x, y, z vector) {
	l := fn.lanesName()
	fn.op("%s %s.%s, %s.%s, %s.%s", name, x, l, y, l, z, l)
}

// bitwise does an operation that knows no element type.
func (fn *function) bitwise(name string, x, y, z vector) {
	fn.op("%s %s.B16, %s.B16, %s.B16", name, x, y, z)
}

func (fn *function) zero(r vector)    { fn.bitwise("VEOR", r, r, r) }
func (fn *function) copy(x, y vector) { fn.op("VMOV %s.B16, %s.B16", x, y) }

// load reads count elements, at most a vector, from offset bytes behind base, and sets the other lanes to zero. Three
// elements need a register for the address of the third.
func (fn *function) load(base general, offset, count int, r vector, address general) {
	fn.op("%s %d(%s), F%d", fn.wholeMove(count), offset, base, int(r))
	if fn.split(count) {
		fn.op("ADD $%d, %s, %s", offset+8, base, address)
		fn.op("VLD1 (%s), %s.S[2]", address, r)
	}
}

// store writes count elements; see load.
func (fn *function) store(r vector, base general, offset, count int, address general) {
	fn.op("%s F%d, %d(%s)", fn.wholeMove(count), int(r), offset, base)
	if fn.split(count) {
		fn.op("ADD $%d, %s, %s", offset+8, base, address)
		fn.op("VST1 %s.S[2], (%s)", r, address)
	}
}

// split tells whether count elements are no power of 2, so that one of them moves on its own.
func (fn *function) split(count int) bool { return count == 3 }

// wholeMove returns the instruction that moves count elements, or two of three.
func (fn *function) wholeMove(count int) string {
	switch count * fn.size() {
	case 4:
		return "FMOVS"
	case 8, 12:
		return "FMOVD"
	}
	return "FMOVQ"
}
