package graph

import "math"

// A simplifier copies the live part of a graph into a second Builder and applies algebraic rules on the way: equal
// expressions become one, constants are folded, sums with and products by zeros disappear. A product by a zero that is
// known when the graph is built counts as zero even if the other factor is not finite at run time.
type simplifier struct {
	*Builder
	image []*Tensor // by id in the source
}

// simplify returns the images of the outputs.
func simplify(src *Builder, outputs []*Tensor) (*Builder, []*Tensor) {
	s := &simplifier{Builder: New(), image: make([]*Tensor, len(src.nodes))}
	s.source = src
	for _, t := range live(src, outputs) {
		args := make([]*Tensor, len(t.args))
		for i, a := range t.args {
			args[i] = s.image[a.id]
		}
		s.image[t.id] = s.rebuild(t, args)
	}
	images := make([]*Tensor, len(outputs))
	for i, t := range outputs {
		images[i] = s.image[t.id]
	}
	return s.Builder, images
}

// live returns the tensors that outputs depend on, arguments first.
func live(b *Builder, outputs []*Tensor) []*Tensor {
	marks := make([]bool, len(b.nodes))
	for _, t := range outputs {
		marks[t.id] = true
	}
	var list []*Tensor
	for id := len(b.nodes) - 1; id >= 0; id-- {
		if !marks[id] {
			continue
		}
		for _, a := range b.nodes[id].args {
			marks[a.id] = true
		}
	}
	for id, t := range b.nodes {
		if marks[id] {
			list = append(list, t)
		}
	}
	return list
}

// rebuild returns an expression equal to t with args in place of its arguments.
func (s *simplifier) rebuild(t *Tensor, args []*Tensor) *Tensor {
	switch {
	case t.op == opInput || t.op == opParam:
		return s.leaf(t.op, t.name, t.rows, t.cols)
	case t.op == opConst:
		return s.constant(t)
	case t.op == opFull:
		return s.Full(t.rows, t.cols, t.c[0])
	case len(args) == 2 && t.op.elementwise():
		return s.two(t.op, args[0], args[1])
	case t.op.elementwise():
		return s.one(t, args[0])
	case t.op == opMatMul || t.op == opBatchMatMul || t.op >= opGather:
		return s.contraction(t, args)
	}
	return s.layout(t, args)
}

// same returns t with other arguments, unsimplified.
func (s *simplifier) same(t *Tensor, args ...*Tensor) *Tensor {
	c := *t
	c.args = args
	return s.add(c)
}

func (s *simplifier) constant(t *Tensor) *Tensor {
	if len(t.data) > 0 {
		for _, v := range t.data {
			if math.Float64bits(v) != math.Float64bits(t.data[0]) {
				return s.add(*t)
			}
		}
		return s.Full(t.rows, t.cols, t.data[0])
	}
	return s.Full(t.rows, t.cols, 0)
}

// full returns the value of a tensor of equal numbers.
func full(t *Tensor) (float64, bool) { return t.c[0], t.op == opFull }

func isFull(t *Tensor, v float64) bool { return t.op == opFull && t.c[0] == v }

// expand repeats x to a shape.
func (s *simplifier) expand(x *Tensor, rows Dim, cols int) *Tensor {
	if v, ok := full(x); ok {
		return s.Full(rows, cols, v)
	}
	if x.cols != cols {
		x = s.BroadcastCols(x, cols)
	}
	if x.rows != rows {
		x = s.BroadcastRows(x, rows)
	}
	return x
}

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
