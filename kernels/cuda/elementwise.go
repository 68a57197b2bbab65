package cuda

import "github.com/fedlam/fedlam/kernels"

// The elementwise functions set dst[i] for every i of dst from the elements i of their operands, which must be at least as
// long. dst may be the same slice as an operand, but may not overlap it otherwise. Several steps in a row are much faster as
// one Tile.

// one records a formula of a single instruction.
func one[F kernels.Float](r *Recorder, op kernels.Op, s, t float64, order int, dst Slice[F], operands ...Slice[F]) {
	n := len(operands)
	in := kernels.Instr{Op: op, Dst: n, S: s, T: t, N: order}
	if n > 1 {
		in.B = 1
	}
	if n > 2 {
		in.C = 2
	}
	tile := Tile[F]{
		Formula: &kernels.Formula{Registers: n + 1, Inputs: n, Stored: []int{n}, Code: []kernels.Instr{in}},
		Rows:    1, Cols: dst.n,
		Stores: []Store[F]{{Reg: n, Dst: dst}},
	}
	// Rows of a fixed length, as columns are counted in 32 bits.
	const row = 1 << 20
	if dst.n > row && dst.n%row == 0 {
		tile.Rows, tile.Cols = dst.n/row, row
	}
	for _, x := range operands {
		tile.Loads = append(tile.Loads, Load[F]{{Src: x}})
	}
	tile.Run(r)
}

// Add sets dst to a + b.
func Add[F kernels.Float](r *Recorder, dst, a, b Slice[F]) { one(r, kernels.OpAdd, 0, 0, 0, dst, a, b) }

// Sub sets dst to a - b.
func Sub[F kernels.Float](r *Recorder, dst, a, b Slice[F]) { one(r, kernels.OpSub, 0, 0, 0, dst, a, b) }

// Mul sets dst to a * b.
func Mul[F kernels.Float](r *Recorder, dst, a, b Slice[F]) { one(r, kernels.OpMul, 0, 0, 0, dst, a, b) }

// Neg sets dst to -a.
func Neg[F kernels.Float](r *Recorder, dst, a Slice[F]) { one(r, kernels.OpNeg, 0, 0, 0, dst, a) }

// Scale sets dst to s * a.
func Scale[F kernels.Float](r *Recorder, dst, a Slice[F], s F) {
	one(r, kernels.OpScale, float64(s), 0, 0, dst, a)
}

// AddScalar sets dst to a + s.
func AddScalar[F kernels.Float](r *Recorder, dst, a Slice[F], s F) {
	one(r, kernels.OpAddScalar, float64(s), 0, 0, dst, a)
}

// Square sets dst to a * a.
func Square[F kernels.Float](r *Recorder, dst, a Slice[F]) { one(r, kernels.OpSquare, 0, 0, 0, dst, a) }

// Recip sets dst to 1 / a.
func Recip[F kernels.Float](r *Recorder, dst, a Slice[F]) { one(r, kernels.OpRecip, 0, 0, 0, dst, a) }

// Sqrt sets dst to the square root of a.
func Sqrt[F kernels.Float](r *Recorder, dst, a Slice[F]) { one(r, kernels.OpSqrt, 0, 0, 0, dst, a) }

// Step sets dst to 1 where a >= 0 and to 0 elsewhere, also for NaN.
func Step[F kernels.Float](r *Recorder, dst, a Slice[F]) { one(r, kernels.OpStep, 0, 0, 0, dst, a) }

// Exp sets dst to e to the power a.
func Exp[F kernels.Float](r *Recorder, dst, a Slice[F]) { one(r, kernels.OpExp, 0, 0, 0, dst, a) }

// Tanh sets dst to the hyperbolic tangent of a.
func Tanh[F kernels.Float](r *Recorder, dst, a Slice[F]) { one(r, kernels.OpTanh, 0, 0, 0, dst, a) }

// Sigmoid sets dst to 1 / (1 + exp(-a)).
func Sigmoid[F kernels.Float](r *Recorder, dst, a Slice[F]) {
	one(r, kernels.OpSigmoid, 0, 0, 0, dst, a)
}

// Softplus sets dst to log(1 + exp(a)).
func Softplus[F kernels.Float](r *Recorder, dst, a Slice[F]) {
	one(r, kernels.OpSoftplus, 0, 0, 0, dst, a)
}

// Switch sets dst to the order-th derivative of the switch function, see kernels.Switch.
func Switch[F kernels.Float](r *Recorder, dst, a Slice[F], rs, rc float64, order int) {
	one(r, kernels.OpSwitch, rs, rc, order, dst, a)
}

// MulMul sets dst to s*a*b.
func MulMul[F kernels.Float](r *Recorder, dst, a, b Slice[F], s F) {
	one(r, kernels.OpMulMul, float64(s), 0, 0, dst, a, b)
}

// AddScaled sets dst to a + s*b.
func AddScaled[F kernels.Float](r *Recorder, dst, a, b Slice[F], s F) {
	one(r, kernels.OpAddScaled, float64(s), 0, 0, dst, a, b)
}

// MulAdd sets dst to a*b + c.
func MulAdd[F kernels.Float](r *Recorder, dst, a, b, c Slice[F]) {
	one(r, kernels.OpMulAdd, 0, 0, 0, dst, a, b, c)
}

// MulSub sets dst to a*b - c.
func MulSub[F kernels.Float](r *Recorder, dst, a, b, c Slice[F]) {
	one(r, kernels.OpMulSub, 0, 0, 0, dst, a, b, c)
}

// SubMul sets dst to c - a*b.
func SubMul[F kernels.Float](r *Recorder, dst, a, b, c Slice[F]) {
	one(r, kernels.OpSubMul, 0, 0, 0, dst, a, b, c)
}

// Quadratic sets dst to s*a*a + t.
func Quadratic[F kernels.Float](r *Recorder, dst, a Slice[F], s, t F) {
	one(r, kernels.OpQuadratic, float64(s), float64(t), 0, dst, a)
}
