package graph

// Gather returns, for each row of idx.From, the row of x that it maps to.
func (b *Builder) Gather(x *Tensor, idx *Index) *Tensor {
	b.checkIndex(opGather, idx)
	want(x.rows == idx.to, opGather, "%s by %v: rows must be those mapped to", x.shape(), idx)
	return b.add(Tensor{op: opGather, args: []*Tensor{x}, rows: idx.from, cols: x.cols, index: idx})
}

// Scatter returns, for each row of idx.To, the sum of the rows of x that map to it, in their order. It is the adjoint
// of Gather.
func (b *Builder) Scatter(x *Tensor, idx *Index) *Tensor {
	b.checkIndex(opScatter, idx)
	want(x.rows == idx.from, opScatter, "%s by %v: rows must be those mapped", x.shape(), idx)
	return b.add(Tensor{op: opScatter, args: []*Tensor{x}, rows: idx.to, cols: x.cols, index: idx})
}

// SegOuter sums outer products over segments: out[i][c*q+n] = sum over the rows j of segment i of x[j,c]*y[j,n], with
// q the number of columns of y. idx must be sorted.
func (b *Builder) SegOuter(x, y *Tensor, idx *Index) *Tensor {
	b.checkSorted(opSegOuter, idx)
	want(x.rows == idx.from && y.rows == idx.from, opSegOuter, "%s and %s by %v", x.shape(), y.shape(), idx)
	return b.add(Tensor{op: opSegOuter, args: []*Tensor{x, y}, rows: idx.to, cols: x.cols * y.cols, index: idx})
}

// RowApply multiplies each row by the matrix of its segment: out[j,c] = sum over n of g[i(j)][c*q+n]*y[j,n], with q
// the number of columns of y. idx must be sorted.
func (b *Builder) RowApply(g, y *Tensor, idx *Index) *Tensor {
	p := b.checkApply(opRowApply, g, y, idx)
	return b.add(Tensor{op: opRowApply, args: []*Tensor{g, y}, rows: idx.from, cols: p, index: idx})
}

// RowApplyT is RowApply with the matrices transposed: out[j,n] = sum over c of g[i(j)][c*q+n]*x[j,c], with as many c
// as x has columns.
func (b *Builder) RowApplyT(g, x *Tensor, idx *Index) *Tensor {
	q := b.checkApply(opRowApplyT, g, x, idx)
	return b.add(Tensor{op: opRowApplyT, args: []*Tensor{g, x}, rows: idx.from, cols: q, index: idx})
}

// checkApply returns the size of the other side of the matrices in g.
func (b *Builder) checkApply(o op, g, x *Tensor, idx *Index) int {
	b.checkSorted(o, idx)
	ok := g.rows == idx.to && x.rows == idx.from && x.cols > 0 && g.cols%x.cols == 0
	want(ok, o, "%s to %s by %v", g.shape(), x.shape(), idx)
	return g.cols / x.cols
}

// PairDot returns the scalar product of the rows of each pair, one for each head: with x and y of heads*d columns,
// the d numbers of a head adjacent, out[(j,k),h] = sum over e of x[j,h*d+e]*y[k,h*d+e].
func (b *Builder) PairDot(x, y *Tensor, pairs *Pairs, heads int) *Tensor {
	b.checkPairs(opPairDot, pairs, heads)
	rows := pairs.centre.from
	want(x.rows == rows && y.rows == rows && x.cols == y.cols && x.cols%heads == 0, opPairDot,
		"%s and %s, %d heads, pairs of %v", x.shape(), y.shape(), heads, rows)
	return b.add(Tensor{op: opPairDot, args: []*Tensor{x, y}, rows: pairs.Dim(), cols: heads, pairs: pairs, n: [5]int{heads}})
}

// PairApply sums rows with the weights of their pairs: out[j,h,e] = sum over k of w[(j,k),h]*y[k,h,e].
func (b *Builder) PairApply(w, y *Tensor, pairs *Pairs, heads int) *Tensor {
	return b.pairApply(opPairApply, w, y, pairs, heads)
}

// PairApplyT is PairApply with the weights transposed: out[k,h,e] = sum over j of w[(j,k),h]*x[j,h,e].
func (b *Builder) PairApplyT(w, x *Tensor, pairs *Pairs, heads int) *Tensor {
	return b.pairApply(opPairApplyT, w, x, pairs, heads)
}

func (b *Builder) pairApply(o op, w, x *Tensor, pairs *Pairs, heads int) *Tensor {
	b.checkPairs(o, pairs, heads)
	ok := w.rows == pairs.Dim() && w.cols == heads && x.rows == pairs.centre.from && x.cols%heads == 0
	want(ok, o, "weights %s of %s, %d heads, pairs of %v", w.shape(), x.shape(), heads, pairs.centre.from)
	return b.add(Tensor{op: o, args: []*Tensor{w, x}, rows: x.rows, cols: x.cols, pairs: pairs, n: [5]int{heads}})
}

// SegSoftmax returns exp(x) divided by its sum over the rows of the segment, for each column. If phantom (one count
// for each segment, not differentiated) is given, the sum also has that many terms exp(value). idx must be sorted.
func (b *Builder) SegSoftmax(x *Tensor, idx *Index, phantom *Tensor, value float64) *Tensor {
	b.checkSorted(opSegSoftmax, idx)
	want(x.rows == idx.from, opSegSoftmax, "%s by %v", x.shape(), idx)
	args := []*Tensor{x}
	if phantom != nil {
		want(phantom.rows == idx.to && phantom.cols == 1, opSegSoftmax, "phantom counts %s for %v", phantom.shape(), idx)
		args = append(args, phantom)
	} else {
		value = 0
	}
	return b.add(Tensor{op: opSegSoftmax, args: args, rows: x.rows, cols: x.cols, index: idx, c: [2]float64{value}})
}

func (b *Builder) checkIndex(o op, idx *Index) {
	want(idx != nil && (idx.owner == b || idx.owner == b.source), o, "needs an index of the same Builder, got %v", idx)
}

func (b *Builder) checkSorted(o op, idx *Index) {
	b.checkIndex(o, idx)
	want(idx.sorted(), o, "needs a sorted index, got %v", idx)
}

func (b *Builder) checkPairs(o op, p *Pairs, heads int) {
	want(p != nil && (p.owner == b || p.owner == b.source) && heads > 0, o, "needs pairs of the same Builder and at least one head")
}
