package graph

// adjoints returns, for each argument of t, its contribution from the adjoint g of t; nil where it is zero or not
// needed.
func (b *Builder) adjoints(t, g *Tensor, needed func(arg int) bool) []*Tensor {
	out := make([]*Tensor, len(t.args))
	for i := range t.args {
		if needed(i) {
			out[i] = b.adjoint(t, g, i)
		}
	}
	return out
}

// adjoint returns the contribution of the adjoint g of t to the adjoint of argument i of t; nil is zero.
func (b *Builder) adjoint(t, g *Tensor, i int) *Tensor {
	switch {
	case len(t.args) == 2 && t.op.elementwise():
		return b.binaryAdjoint(t, g, i)
	case t.op.elementwise():
		return b.unaryAdjoint(t, g)
	case t.op >= opGather:
		return b.segmentAdjoint(t, g, i)
	}
	x := t.args[i]
	switch t.op {
	case opSumRows:
		return b.BroadcastRows(g, x.rows)
	case opSumCols:
		return b.BroadcastCols(g, x.cols)
	case opBroadcastRows:
		return b.SumRows(g)
	case opBroadcastCols:
		return b.SumCols(g)
	case opMatMul:
		return b.matMulAdjoint(t, g, i)
	case opBatchMatMul:
		return b.batchMatMulAdjoint(t, g, i)
	case opReshape:
		return b.Reshape(g, x.rows, x.cols)
	case opConcat:
		at := 0
		for _, before := range t.args[:i] {
			at += before.cols
		}
		return b.Slice(g, at, at+x.cols)
	case opSlice:
		return b.Place(g, t.n[0], x.cols)
	case opPlace:
		return b.Slice(g, t.n[0], t.n[0]+x.cols)
	case opPermute:
		inverse := make([]int, len(t.perm))
		for c, p := range t.perm {
			inverse[p] = c
		}
		return b.Permute(g, inverse)
	}
	panic("graph: no derivative for " + t.op.String())
}

func (b *Builder) binaryAdjoint(t, g *Tensor, i int) *Tensor {
	x := t.args[i]
	switch t.op {
	case opMul:
		g = b.Mul(g, t.args[1-i])
	case opSub:
		if i == 1 {
			return b.Neg(b.sumTo(g, x))
		}
	}
	return b.sumTo(g, x)
}

func (b *Builder) unaryAdjoint(t, g *Tensor) *Tensor {
	x := t.args[0]
	switch t.op {
	case opNeg:
		return b.Neg(g)
	case opScale:
		return b.Scale(g, t.c[0])
	case opAddScalar:
		return g
	case opTanh: // 1 - tanh^2
		return b.Mul(g, b.AddScalar(b.Neg(b.Square(t)), 1))
	case opExp:
		return b.Mul(g, t)
	case opSqrt: // 1/(2 sqrt)
		return b.Mul(g, b.Scale(b.Recip(t), 0.5))
	case opRecip: // -1/x^2
		return b.Mul(g, b.Neg(b.Square(t)))
	case opSigmoid: // s - s^2
		return b.Mul(g, b.Sub(t, b.Square(t)))
	case opSoftplus:
		return b.Mul(g, b.Sigmoid(x))
	case opSquare:
		return b.Mul(g, b.Scale(x, 2))
	case opSwitch:
		if t.n[0] < 5 {
			return b.Mul(g, b.Switch(x, t.c[0], t.c[1], t.n[0]+1))
		}
	}
	return nil // Step, and the fifth derivative of Switch
}

func (b *Builder) matMulAdjoint(t, g *Tensor, i int) *Tensor {
	x, y := t.args[0], t.args[1]
	switch transA, transB := Transpose(t.n[0]), Transpose(t.n[1]); {
	case transA == T && i == 0: // C = A'B: dA = B G'
		return b.MatMul(y, g, N, T)
	case transA == T:
		return b.MatMul(x, g, N, N)
	case transB == T && i == 0: // C = AB': dA = G B, dB = G'A
		return b.MatMul(g, y, N, N)
	case transB == T:
		return b.MatMul(g, x, T, N)
	case i == 0: // C = AB: dA = G B', dB = A'G
		return b.MatMul(g, y, N, T)
	}
	return b.MatMul(x, g, T, N)
}

func (b *Builder) batchMatMulAdjoint(t, g *Tensor, i int) *Tensor {
	x, y := t.args[0], t.args[1]
	m, k, n := t.n[2], t.n[3], t.n[4]
	transA, transB := Transpose(t.n[0]), Transpose(t.n[1])
	if i == 0 {
		if transA == N { // dA = G op(B)'
			return b.BatchMatMul(g, y, m, n, k, N, 1-transB)
		}
		return b.BatchMatMul(y, g, k, n, m, transB, T) // dA = op(B) G'
	}
	if transB == N { // dB = op(A)' G
		return b.BatchMatMul(x, g, k, m, n, 1-transA, N)
	}
	return b.BatchMatMul(g, x, n, m, k, T, transA) // dB = G' op(A)
}

func (b *Builder) segmentAdjoint(t, g *Tensor, i int) *Tensor {
	x := t.args[0]
	var y *Tensor
	if len(t.args) > 1 {
		y = t.args[1]
	}
	switch t.op {
	case opGather:
		return b.Scatter(g, t.index)
	case opScatter:
		return b.Gather(g, t.index)
	case opSegOuter:
		if i == 0 {
			return b.RowApply(g, y, t.index)
		}
		return b.RowApplyT(g, x, t.index)
	case opRowApply:
		if i == 0 {
			return b.SegOuter(g, y, t.index)
		}
		return b.RowApplyT(x, g, t.index)
	case opRowApplyT:
		if i == 0 {
			return b.SegOuter(y, g, t.index)
		}
		return b.RowApply(x, g, t.index)
	case opPairDot:
		if i == 0 {
			return b.PairApply(g, y, t.pairs, t.n[0])
		}
		return b.PairApplyT(g, x, t.pairs, t.n[0])
	case opPairApply:
		if i == 0 {
			return b.PairDot(g, y, t.pairs, t.n[0])
		}
		return b.PairApplyT(x, g, t.pairs, t.n[0])
	case opPairApplyT:
		if i == 0 {
			return b.PairDot(y, g, t.pairs, t.n[0])
		}
		return b.PairApply(x, g, t.pairs, t.n[0])
	case opSegSoftmax:
		if i == 1 {
			return nil
		}
		inner := b.Scatter(b.Mul(t, g), t.index) // y*(g - sum of y*g over the segment)
		return b.Mul(t, b.Sub(g, b.Gather(inner, t.index)))
	}
	panic("graph: no derivative for " + t.op.String())
}
