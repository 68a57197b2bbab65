package graph

import "math"

// two builds Add, Sub or Mul.
func (s *simplifier) two(o op, x, y *Tensor) *Tensor {
	shape := s.binary(o, x, y) // only to find the shape; unused unless no rule applies
	rows, cols := shape.rows, shape.cols
	a, aFull := full(x)
	c, cFull := full(y)
	switch {
	case aFull && cFull:
		return s.Full(rows, cols, map[op]float64{opAdd: a + c, opSub: a - c, opMul: a * c}[o])
	case o == opMul && (isFull(x, 0) || isFull(y, 0)):
		return s.Full(rows, cols, 0)
	case o == opMul && aFull:
		return s.scale(s.expand(y, rows, cols), a)
	case o == opMul && cFull:
		return s.scale(s.expand(x, rows, cols), c)
	case o == opAdd && aFull:
		return s.shift(s.expand(y, rows, cols), a)
	case o == opAdd && cFull:
		return s.shift(s.expand(x, rows, cols), c)
	case o == opSub && cFull:
		return s.shift(s.expand(x, rows, cols), -c)
	case o == opSub && aFull:
		return s.shift(s.scale(s.expand(y, rows, cols), -1), a)
	case o == opMul && x == y:
		return s.Square(x)
	case o == opAdd && x == y:
		return s.scale(x, 2)
	case o == opSub && x == y:
		return s.Full(rows, cols, 0)
	}
	return s.withoutRepeats(o, x, y, rows, cols)
}

// withoutRepeats drops an explicit Broadcast of one operand where the other one has the full shape by itself.
func (s *simplifier) withoutRepeats(o op, x, y *Tensor, rows Dim, cols int) *Tensor {
	u, v := unrepeated(x), unrepeated(y)
	whole := func(t *Tensor) bool { return t.rows == rows && t.cols == cols }
	switch {
	case fitsTogether(u, v, rows, cols):
		x, y = u, v
	case whole(x):
		y = v
	case whole(y):
		x = u
	}
	if o == opAdd { // a + (-b) and (-a) + b
		if m, ok := negated(y); ok && whole(m) {
			return s.binary(opSub, x, m)
		}
		if m, ok := negated(x); ok && whole(m) {
			return s.binary(opSub, y, m)
		}
	}
	if o == opSub {
		if m, ok := negated(y); ok && whole(m) {
			return s.binary(opAdd, x, m)
		}
	}
	return s.binary(o, x, y)
}

// fitsTogether reports whether the elementwise result of x and y is still rows x cols.
func fitsTogether(x, y *Tensor, rows Dim, cols int) bool {
	return (x.rows == rows || y.rows == rows) && (x.cols == cols || y.cols == cols)
}

// unrepeated returns what a Broadcast repeats.
func unrepeated(t *Tensor) *Tensor {
	for t.op == opBroadcastRows || t.op == opBroadcastCols {
		t = t.args[0]
	}
	return t
}

func negated(t *Tensor) (*Tensor, bool) {
	if t.op == opScale && t.c[0] == -1 {
		return t.args[0], true
	}
	return nil, false
}

// one builds an elementwise operation of one operand.
func (s *simplifier) one(t *Tensor, x *Tensor) *Tensor {
	if v, ok := full(x); ok {
		if w, ok := foldUnary(t, v); ok {
			return s.Full(x.rows, x.cols, w)
		}
	}
	switch t.op {
	case opNeg:
		return s.scale(x, -1)
	case opScale:
		return s.scale(x, t.c[0])
	case opAddScalar:
		return s.shift(x, t.c[0])
	case opSquare:
		if m, ok := negated(x); ok {
			x = m
		}
	}
	if inner := unrepeated(x); inner != x { // repeat the result rather than the operand
		return s.expand(s.one(t, inner), x.rows, x.cols)
	}
	return s.same(t, x)
}

func (s *simplifier) scale(x *Tensor, c float64) *Tensor {
	switch {
	case c == 1:
		return x
	case c == 0:
		return s.Full(x.rows, x.cols, 0)
	case x.op == opFull:
		return s.Full(x.rows, x.cols, c*x.c[0])
	case x.op == opScale:
		return s.scale(x.args[0], c*x.c[0])
	}
	if inner := unrepeated(x); inner != x {
		return s.expand(s.scale(inner, c), x.rows, x.cols)
	}
	return s.Scale(x, c)
}

func (s *simplifier) shift(x *Tensor, c float64) *Tensor {
	switch {
	case c == 0:
		return x
	case x.op == opFull:
		return s.Full(x.rows, x.cols, c+x.c[0])
	case x.op == opAddScalar:
		return s.shift(x.args[0], c+x.c[0])
	}
	if inner := unrepeated(x); inner != x {
		return s.expand(s.shift(inner, c), x.rows, x.cols)
	}
	return s.AddScalar(x, c)
}

// foldUnary evaluates an elementwise operation of a known number.
func foldUnary(t *Tensor, v float64) (float64, bool) {
	switch t.op {
	case opNeg:
		return -v, true
	case opScale:
		return t.c[0] * v, true
	case opAddScalar:
		return t.c[0] + v, true
	case opSquare:
		return v * v, true
	case opExp:
		return math.Exp(v), true
	case opTanh:
		return math.Tanh(v), true
	case opSqrt:
		return math.Sqrt(v), true
	case opRecip:
		return 1 / v, true
	}
	return 0, false
}
