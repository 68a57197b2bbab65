package graph

// The elementwise operations of two operands take operands of equal shape; besides, one that has a single row
// (Fixed(1)) counts as repeated over the rows of the other, and one that has a single column as repeated over its
// columns.

// Add returns a + b.
func (b *Builder) Add(x, y *Tensor) *Tensor { return b.binary(opAdd, x, y) }

// Sub returns x - y.
func (b *Builder) Sub(x, y *Tensor) *Tensor { return b.binary(opSub, x, y) }

// Mul returns the product of corresponding numbers.
func (b *Builder) Mul(x, y *Tensor) *Tensor { return b.binary(opMul, x, y) }

func (b *Builder) binary(o op, x, y *Tensor) *Tensor {
	rows, cols := x.rows, x.cols
	if rows == Fixed(1) {
		rows = y.rows
	}
	if cols == 1 {
		cols = y.cols
	}
	fits := func(t *Tensor) bool {
		return (t.rows == rows || t.rows == Fixed(1)) && (t.cols == cols || t.cols == 1)
	}
	want(fits(x) && fits(y), o, "%s and %s: shapes must be equal, or have one row or one column", x.shape(), y.shape())
	if o != opSub && x.id > y.id { // one form of commutative operations
		x, y = y, x
	}
	return b.add(Tensor{op: o, args: []*Tensor{x, y}, rows: rows, cols: cols})
}

func (b *Builder) unary(o op, x *Tensor, c0, c1 float64, n int) *Tensor {
	return b.add(Tensor{op: o, args: []*Tensor{x}, rows: x.rows, cols: x.cols, c: [2]float64{c0, c1}, n: [5]int{n}})
}

// Neg returns -x.
func (b *Builder) Neg(x *Tensor) *Tensor { return b.unary(opNeg, x, 0, 0, 0) }

// Scale returns c*x.
func (b *Builder) Scale(x *Tensor, c float64) *Tensor { return b.unary(opScale, x, c, 0, 0) }

// AddScalar returns x + c.
func (b *Builder) AddScalar(x *Tensor, c float64) *Tensor { return b.unary(opAddScalar, x, c, 0, 0) }

// Tanh returns the hyperbolic tangent.
func (b *Builder) Tanh(x *Tensor) *Tensor { return b.unary(opTanh, x, 0, 0, 0) }

// Exp returns e to the power x.
func (b *Builder) Exp(x *Tensor) *Tensor { return b.unary(opExp, x, 0, 0, 0) }

// Sqrt returns the square root; its derivative at 0 is +Inf.
func (b *Builder) Sqrt(x *Tensor) *Tensor { return b.unary(opSqrt, x, 0, 0, 0) }

// Recip returns 1/x.
func (b *Builder) Recip(x *Tensor) *Tensor { return b.unary(opRecip, x, 0, 0, 0) }

// Sigmoid returns 1/(1+exp(-x)).
func (b *Builder) Sigmoid(x *Tensor) *Tensor { return b.unary(opSigmoid, x, 0, 0, 0) }

// Softplus returns log(1+exp(x)).
func (b *Builder) Softplus(x *Tensor) *Tensor { return b.unary(opSoftplus, x, 0, 0, 0) }

// Step returns 1 where x >= 0, and 0 elsewhere, also for NaN. Its derivative counts as 0 everywhere.
func (b *Builder) Step(x *Tensor) *Tensor { return b.unary(opStep, x, 0, 0, 0) }

// Square returns x*x.
func (b *Builder) Square(x *Tensor) *Tensor { return b.unary(opSquare, x, 0, 0, 0) }

// Switch returns the order-th derivative, by r, of the switch function of DPA-2: with u = (r-rs)/(rc-rs),
// w(r) = 1 + u^3(-6u^2 + 15u - 10) for 0 <= u <= 1, 1 below and 0 above. The third derivative jumps at both ends;
// there the value of the polynomial is taken.
func (b *Builder) Switch(r *Tensor, rs, rc float64, order int) *Tensor {
	want(rs < rc, opSwitch, "begin %g must lie below end %g", rs, rc)
	want(order >= 0, opSwitch, "order %d of derivative", order)
	if order > 5 {
		return b.Full(r.rows, r.cols, 0)
	}
	return b.unary(opSwitch, r, rs, rc, order)
}
