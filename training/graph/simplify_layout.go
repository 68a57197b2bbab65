package graph

// contraction builds a product or an operation on segments; all are linear in the operands that matter here.
func (s *simplifier) contraction(t *Tensor, args []*Tensor) *Tensor {
	linear := args
	if t.op == opSegSoftmax {
		linear = nil
	}
	for _, a := range linear {
		if isFull(a, 0) {
			return s.Full(t.rows, t.cols, 0)
		}
	}
	if v, ok := full(args[0]); ok && t.op == opGather {
		return s.Full(t.rows, t.cols, v)
	}
	if t.op == opMatMul && Transpose(t.n[1]) == T { // the factor serves all rows, and often several products
		return s.MatMul(args[0], s.transposed(args[1]), N, N)
	}
	// The index of the image is that of the source, so a copy with other arguments is right.
	return s.same(t, args...)
}

// transposed returns the transpose of a matrix of Fixed rows.
func (s *simplifier) transposed(x *Tensor) *Tensor {
	switch {
	case x.rows.Mul == 1 || x.cols == 1:
		return s.Reshape(x, Fixed(x.cols), x.rows.Mul)
	case x.op == opTranspose:
		return x.args[0]
	}
	return s.add(Tensor{op: opTranspose, args: []*Tensor{x}, rows: Fixed(x.cols), cols: x.rows.Mul})
}

// layout builds sums, broadcasts and moves of columns.
func (s *simplifier) layout(t *Tensor, args []*Tensor) *Tensor {
	x := args[0]
	v, isConst := full(x)
	switch t.op {
	case opSumRows:
		switch {
		case isConst && (v == 0 || x.rows.Axis == ""):
			return s.Full(t.rows, t.cols, v*float64(x.rows.Mul))
		case x.rows == Fixed(1):
			return x
		}
	case opSumCols:
		switch {
		case isConst:
			return s.Full(t.rows, 1, v*float64(x.cols))
		case x.cols == 1:
			return x
		case x.op == opBroadcastCols:
			return s.scale(x.args[0], float64(x.cols))
		}
	case opBroadcastRows, opBroadcastCols:
		return s.expand(x, t.rows, t.cols)
	case opReshape:
		if isConst {
			return s.Full(t.rows, t.cols, v)
		}
		return s.Reshape(x, t.rows, t.cols)
	case opConcat:
		return s.concat(t, args)
	case opSlice:
		return s.slice(x, t.n[0], t.n[0]+t.cols)
	case opPlace:
		if isConst && v == 0 {
			return s.Full(t.rows, t.cols, 0)
		}
		return s.Place(x, t.n[0], t.cols)
	case opPermute:
		return s.permute(x, t.perm)
	}
	return s.same(t, args...)
}

func (s *simplifier) concat(t *Tensor, args []*Tensor) *Tensor {
	var parts []*Tensor
	for _, a := range args {
		switch {
		case a.cols == 0:
		case a.op == opConcat:
			parts = append(parts, a.args...)
		case len(parts) > 0 && a.op == opFull && isFull(parts[len(parts)-1], a.c[0]):
			last := parts[len(parts)-1]
			parts[len(parts)-1] = s.Full(last.rows, last.cols+a.cols, a.c[0])
		default:
			parts = append(parts, a)
		}
	}
	if len(parts) == 0 {
		return s.Full(t.rows, 0, 0)
	}
	return s.Concat(parts...)
}

func (s *simplifier) slice(x *Tensor, from, to int) *Tensor {
	switch x.op {
	case opFull:
		return s.Full(x.rows, to-from, x.c[0])
	case opSlice:
		return s.slice(x.args[0], x.n[0]+from, x.n[0]+to)
	case opConcat: // if one part holds all of it
		at := 0
		for _, part := range x.args {
			if at <= from && to <= at+part.cols {
				return s.slice(part, from-at, to-at)
			}
			at += part.cols
		}
	case opPlace:
		at, end := x.n[0], x.n[0]+x.args[0].cols
		switch {
		case at <= from && to <= end:
			return s.slice(x.args[0], from-at, to-at)
		case to <= at || end <= from:
			return s.Full(x.rows, to-from, 0)
		}
	}
	return s.Slice(x, from, to)
}

func (s *simplifier) permute(x *Tensor, perm []int) *Tensor {
	switch x.op {
	case opFull:
		return x
	case opPermute:
		both := make([]int, len(perm))
		for c, p := range perm {
			both[c] = x.perm[p]
		}
		return s.permute(x.args[0], both)
	}
	return s.Permute(x, perm)
}
