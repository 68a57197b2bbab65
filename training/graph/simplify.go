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
