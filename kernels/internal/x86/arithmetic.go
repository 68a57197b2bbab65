package x86

// op returns an opcode of single and double precision: 0F, with prefix 66 in double precision.
func (a *Assembler) op(code byte) opcode { return opcode{bit(a.Double), 1, code, a.Double} }

// op38 returns an opcode of table 0F38, with prefix 66.
func (a *Assembler) op38(code byte) opcode { return opcode{1, 2, code, a.Double} }

// bits returns an opcode on bits or on integers of 4 bytes; VEX forms do not look at w.
func (a *Assembler) bits(code byte) opcode { return opcode{1, 1, code, a.Wide && a.Double} }

// Move sets d to x. A constant must not be moved; see Broadcast.
func (a *Assembler) Move(d Vec, x Operand) { a.vector(a.op(0x10), d, 0, x, extra{}) }

// Store sets the memory at base + index to x.
func (a *Assembler) Store(base, index GP, x Vec) {
	a.vector(a.op(0x11), x, 0, At(base, index), extra{})
}

// Broadcast sets every lane of d to a number with the bits w.
func (a *Assembler) Broadcast(d Vec, w uint64) {
	code := byte(0x18)
	if a.Double {
		code = 0x19
	}
	o := a.op38(code)
	o.w = a.Wide && a.Double // the VEX form has no w
	a.vector(o, d, 0, Word(w), extra{noRepeat: true})
}

// LoadMasked sets d to the lanes of the memory at base + index that a mask selects, and the others to 0. The mask is mask
// register 1, or, in AVX2, the signs of the lanes of vector register m.
func (a *Assembler) LoadMasked(d Vec, base, index GP, m Vec) {
	if a.Wide {
		a.vector(a.op(0x10), d, 0, At(base, index), extra{mask: 1, zero: true})
		return
	}
	a.vector(opcode{1, 2, 0x2c + bit(a.Double), false}, d, m, At(base, index), extra{})
}

// StoreMasked stores the lanes of x that the mask selects; see LoadMasked.
func (a *Assembler) StoreMasked(base, index GP, x, m Vec) {
	if a.Wide {
		a.vector(a.op(0x11), x, 0, At(base, index), extra{mask: 1})
		return
	}
	a.vector(opcode{1, 2, 0x2e + bit(a.Double), false}, x, m, At(base, index), extra{})
}

// Add sets d to x + y.
func (a *Assembler) Add(d, x Vec, y Operand) { a.vector(a.op(0x58), d, x, y, extra{}) }

// Mul sets d to x * y.
func (a *Assembler) Mul(d, x Vec, y Operand) { a.vector(a.op(0x59), d, x, y, extra{}) }

// Sub sets d to x - y.
func (a *Assembler) Sub(d, x Vec, y Operand) { a.vector(a.op(0x5c), d, x, y, extra{}) }

// Min sets d to the lesser of x and y, to y if one of them is NaN.
func (a *Assembler) Min(d, x Vec, y Operand) { a.vector(a.op(0x5d), d, x, y, extra{}) }

// Div sets d to x / y.
func (a *Assembler) Div(d, x Vec, y Operand) { a.vector(a.op(0x5e), d, x, y, extra{}) }

// Max sets d to the greater of x and y, to y if one of them is NaN.
func (a *Assembler) Max(d, x Vec, y Operand) { a.vector(a.op(0x5f), d, x, y, extra{}) }

// Sqrt sets d to the square root of x.
func (a *Assembler) Sqrt(d Vec, x Operand) { a.vector(a.op(0x51), d, 0, x, extra{}) }

// MulAddFrom sets d to x*d + y (the manual's order 213).
func (a *Assembler) MulAddFrom(d, x Vec, y Operand) { a.vector(a.op38(0xa8), d, x, y, extra{}) }

// MulSubFrom sets d to x*d - y.
func (a *Assembler) MulSubFrom(d, x Vec, y Operand) { a.vector(a.op38(0xaa), d, x, y, extra{}) }

// SubMulFrom sets d to y - x*d.
func (a *Assembler) SubMulFrom(d, x Vec, y Operand) { a.vector(a.op38(0xac), d, x, y, extra{}) }

// ScaleAdd sets d to d*y + x (order 132).
func (a *Assembler) ScaleAdd(d, x Vec, y Operand) { a.vector(a.op38(0x98), d, x, y, extra{}) }

// AddProduct adds x*y to d (order 231).
func (a *Assembler) AddProduct(d, x Vec, y Operand) { a.vector(a.op38(0xb8), d, x, y, extra{}) }

// SubProductFrom sets d to x*y - d.
func (a *Assembler) SubProductFrom(d, x Vec, y Operand) { a.vector(a.op38(0xba), d, x, y, extra{}) }

// SubProduct subtracts x*y from d.
func (a *Assembler) SubProduct(d, x Vec, y Operand) { a.vector(a.op38(0xbc), d, x, y, extra{}) }

// And sets d to the bits in both x and y.
func (a *Assembler) And(d, x Vec, y Operand) { a.vector(a.bits(0xdb), d, x, y, extra{}) }

// Or sets d to the bits in x or y.
func (a *Assembler) Or(d, x Vec, y Operand) { a.vector(a.bits(0xeb), d, x, y, extra{}) }

// Xor sets d to the bits in one of x and y.
func (a *Assembler) Xor(d, x Vec, y Operand) { a.vector(a.bits(0xef), d, x, y, extra{}) }

// Round sets d to the integers nearest to x, even ones from the middle.
func (a *Assembler) Round(d Vec, x Operand) {
	a.vector(opcode{1, 3, 0x08 + bit(a.Double), a.Wide && a.Double}, d, 0, x, extra{imm: 8, hasImm: true})
}

// Scale sets d to x times 2 to the power y, rounded down. AVX-512 only.
func (a *Assembler) Scale(d, x Vec, y Operand) { a.vector(a.op38(0x2c), d, x, y, extra{}) }

// Integers sets d to the numbers x as integers of 4 bytes. Single precision only.
func (a *Assembler) Integers(d Vec, x Operand) { a.vector(opcode{1, 1, 0x5b, false}, d, 0, x, extra{}) }

// AddIntegers adds integers of 4 bytes. Single precision only.
func (a *Assembler) AddIntegers(d, x Vec, y Operand) {
	a.vector(opcode{1, 1, 0xfe, false}, d, x, y, extra{})
}

// ShiftLeft shifts each lane by n bits.
func (a *Assembler) ShiftLeft(d, x Vec, n int) {
	const digit = 6 // stands in place of a register
	a.vector(opcode{1, 1, 0x72 + bit(a.Double), a.Wide && a.Double}, digit, d, Reg(x), extra{imm: byte(n), hasImm: true})
}

// SelectNegative sets the lanes of d to those of y where x is negative (its sign bit is set), to those of z elsewhere. In
// AVX-512 it changes mask register 2.
func (a *Assembler) SelectNegative(d, x, y, z Vec) {
	if a.Wide {
		a.vector(opcode{2, 2, 0x39, a.Double}, 2, 0, Reg(x), extra{})
		a.vector(opcode{1, 2, 0x65, a.Double}, d, z, Reg(y), extra{mask: 2})
		return
	}
	a.vector(opcode{1, 3, 0x4a + bit(a.Double), false}, d, z, Reg(y), extra{imm: byte(x) << 4, hasImm: true})
}
