package kernels

import "github.com/fedlam/fedlam/kernels/internal/x86"

// The instructions are those of the functions of the same names, in an order that rounds alike, so that compiled code gives
// the same bits.

// compilable reports whether all operations have code.
func (f *Formula) compilable() bool {
	for i := range f.Code {
		switch f.Code[i].Op {
		case OpSoftplus, OpSwitch, OpStep:
			return false
		}
	}
	return true
}

// instruction writes instruction i.
func (t *translator) instruction(i int) {
	in := &t.formula.Code[i]
	switch in.Op {
	case OpAdd:
		t.binary(i, true, t.Add)
	case OpSub:
		t.binary(i, false, t.Sub)
	case OpMul:
		t.binary(i, true, t.Mul)
	case OpNeg:
		t.withNumber(i, t.Xor, t.signBit())
	case OpScale:
		t.withNumber(i, t.Mul, t.number(in.S))
	case OpAddScalar:
		t.withNumber(i, t.Add, t.number(in.S))
	case OpMulAdd:
		t.multiplyAdd(i, t.MulAddFrom, t.AddProduct)
	case OpMulSub:
		t.multiplyAdd(i, t.MulSubFrom, t.SubProductFrom)
	case OpSubMul:
		t.multiplyAdd(i, t.SubMulFrom, t.SubProduct)
	case OpAddScaled:
		t.addScaled(i)
	default:
		t.inFreshRegister(i)
	}
}

type threeOperands func(d, x x86.Vec, y x86.Operand)

// binary writes an operation of two registers.
func (t *translator) binary(i int, commutes bool, op threeOperands) {
	in := &t.formula.Code[i]
	a, b := in.A, in.B
	if commutes && t.inMemoryOnly(a) && !t.inMemoryOnly(b) {
		a, b = b, a
	}
	x := t.reg(a)
	y := t.rm(b)
	t.drop(i)
	d := t.alloc()
	op(d, x, y)
	t.result(i, d)
}

// withNumber writes an operation of a register and a constant.
func (t *translator) withNumber(i int, op threeOperands, y x86.Operand) {
	x := t.reg(t.formula.Code[i].A)
	t.drop(i)
	d := t.alloc()
	op(d, x, y)
	t.result(i, d)
}

// multiplyAdd writes a fused product and sum of three registers. The processor puts the result in place of an operand: of a
// factor, with the operation byFactor, or of the summand, with bySummand. It should be one that nothing reads afterwards.
func (t *translator) multiplyAdd(i int, byFactor, bySummand threeOperands) {
	in := &t.formula.Code[i]
	a, b, c := in.A, in.B, in.C
	aEnds, bEnds, cEnds := t.last[i][0], t.last[i][1], t.last[i][2]
	inVec := func(r int) bool { return t.vec[r] >= 0 }
	if bEnds && !(aEnds && inVec(a)) && (inVec(b) || !aEnds) {
		a, b, aEnds = b, a, bEnds
	}
	if cEnds && c != a && c != b && !(aEnds && inVec(a)) {
		t.reg(c)
		x := t.reg(b)
		y := t.rm(a)
		d := t.own(c)
		t.drop(i)
		bySummand(d, x, y)
		t.result(i, d)
		return
	}
	t.reg(a)
	d := x86.Vec(0)
	if !aEnds {
		d = t.alloc()
		t.Move(d, x86.Reg(t.reg(a)))
	}
	x := t.reg(b)
	y := t.rm(c)
	if aEnds {
		d = t.own(a)
	}
	t.drop(i)
	byFactor(d, x, y)
	t.result(i, d)
}

// addScaled writes a + s*b.
func (t *translator) addScaled(i int) {
	in := &t.formula.Code[i]
	x, y := t.reg(in.A), t.reg(in.B)
	s := t.number(in.S)
	switch {
	case in.A == in.B || !t.last[i][0] && !t.last[i][1]:
		d := t.alloc()
		t.Move(d, x86.Reg(x))
		t.AddProduct(d, y, s)
		t.drop(i)
		t.result(i, d)
	case t.last[i][0]:
		d := t.own(in.A)
		t.drop(i)
		t.AddProduct(d, y, s)
		t.result(i, d)
	default:
		d := t.own(in.B)
		t.drop(i)
		t.ScaleAdd(d, x, s)
		t.result(i, d)
	}
}

// inFreshRegister writes an operation that takes several instructions, or whose result is in a register of its own.
func (t *translator) inFreshRegister(i int) {
	in := &t.formula.Code[i]
	d := t.alloc()
	switch in.Op {
	case OpCopy:
		t.Move(d, t.rm(in.A))
	case OpSqrt:
		t.Sqrt(d, t.rm(in.A))
	case OpRecip:
		one := t.constant(1)
		t.Div(d, one, t.rm(in.A))
		t.giveBack(one)
	case OpSquare:
		x := t.reg(in.A)
		t.Mul(d, x, x86.Reg(x))
	case OpMulMul:
		t.Mul(d, t.reg(in.A), t.number(in.S))
		t.Mul(d, d, t.rm(in.B))
	case OpQuadratic:
		x, s := t.reg(in.A), t.constant(in.S)
		t.Mul(d, x, x86.Reg(x))
		t.MulAddFrom(d, s, t.number(in.T))
		t.giveBack(s)
	case OpExp:
		t.Move(d, t.rm(in.A))
		t.exp(d)
	case OpTanh:
		t.Move(d, t.rm(in.A))
		t.tanh(d)
	case OpSigmoid:
		t.Move(d, t.rm(in.A))
		t.sigmoid(d)
	}
	t.drop(i)
	t.result(i, d)
}
