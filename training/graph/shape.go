package graph

import "slices"

// SumRows returns the sum over all rows, 1 x cols. Sums of no rows are 0.
func (b *Builder) SumRows(x *Tensor) *Tensor {
	return b.add(Tensor{op: opSumRows, args: []*Tensor{x}, rows: Fixed(1), cols: x.cols})
}

// SumCols returns the sum of each row, rows x 1.
func (b *Builder) SumCols(x *Tensor) *Tensor {
	return b.add(Tensor{op: opSumCols, args: []*Tensor{x}, rows: x.rows, cols: 1})
}

// SumAll returns the sum of all numbers, 1 x 1.
func (b *Builder) SumAll(x *Tensor) *Tensor {
	if x.cols != 1 {
		x = b.SumCols(x)
	}
	return b.SumRows(x)
}

// BroadcastRows repeats the single row of x.
func (b *Builder) BroadcastRows(x *Tensor, rows Dim) *Tensor {
	want(x.rows == Fixed(1), opBroadcastRows, "%s has more than one row", x.shape())
	if rows == x.rows {
		return x
	}
	return b.add(Tensor{op: opBroadcastRows, args: []*Tensor{x}, rows: rows, cols: x.cols})
}

// BroadcastCols repeats the single column of x.
func (b *Builder) BroadcastCols(x *Tensor, cols int) *Tensor {
	want(x.cols == 1 && cols >= 0, opBroadcastCols, "%s to %d columns; it must have one", x.shape(), cols)
	if cols == 1 {
		return x
	}
	return b.add(Tensor{op: opBroadcastCols, args: []*Tensor{x}, rows: x.rows, cols: cols})
}

// Reshape reads the same numbers in the same order as rows x cols, for instance (N, 4*g) as (4N, g). It costs nothing.
func (b *Builder) Reshape(x *Tensor, rows Dim, cols int) *Tensor {
	same := rows.Mul*cols == x.rows.Mul*x.cols && (rows.Axis == x.rows.Axis || rows.Mul*cols == 0)
	want(same && cols >= 0, opReshape, "%s to %v x %d: the numbers of elements differ", x.shape(), rows, cols)
	if x.op == opReshape {
		x = x.args[0]
	}
	if rows == x.rows && cols == x.cols {
		return x
	}
	return b.add(Tensor{op: opReshape, args: []*Tensor{x}, rows: rows, cols: cols})
}

// Concat puts tensors of equal rows side by side.
func (b *Builder) Concat(xs ...*Tensor) *Tensor {
	want(len(xs) > 0, opConcat, "of nothing")
	if len(xs) == 1 {
		return xs[0]
	}
	cols := 0
	for _, x := range xs {
		want(x.rows == xs[0].rows, opConcat, "%s beside %s: rows differ", xs[0].shape(), x.shape())
		cols += x.cols
	}
	return b.add(Tensor{op: opConcat, args: slices.Clone(xs), rows: xs[0].rows, cols: cols})
}

// Slice returns the columns from (included) to (excluded).
func (b *Builder) Slice(x *Tensor, from, to int) *Tensor {
	want(0 <= from && from <= to && to <= x.cols, opSlice, "columns %d to %d of %s", from, to, x.shape())
	if from == 0 && to == x.cols {
		return x
	}
	return b.add(Tensor{op: opSlice, args: []*Tensor{x}, rows: x.rows, cols: to - from, n: [5]int{from}})
}

// Place returns cols columns, of which those from at on are x and the others 0. It is the adjoint of Slice.
func (b *Builder) Place(x *Tensor, at, cols int) *Tensor {
	want(0 <= at && at+x.cols <= cols, opPlace, "%s at column %d of %d", x.shape(), at, cols)
	if at == 0 && cols == x.cols {
		return x
	}
	return b.add(Tensor{op: opPlace, args: []*Tensor{x}, rows: x.rows, cols: cols, n: [5]int{at}})
}

// Permute returns the columns in another order: column c of the result is column perm[c] of x. Each column of x must
// be named once.
func (b *Builder) Permute(x *Tensor, perm []int) *Tensor {
	seen := make([]bool, x.cols)
	want(len(perm) == x.cols, opPermute, "%d columns named for %s", len(perm), x.shape())
	identity := true
	for c, p := range perm {
		want(0 <= p && p < x.cols && !seen[p], opPermute, "column %d is out of range or named twice for %s", p, x.shape())
		seen[p] = true
		identity = identity && p == c
	}
	if identity {
		return x
	}
	return b.add(Tensor{op: opPermute, args: []*Tensor{x}, rows: x.rows, cols: x.cols, perm: slices.Clone(perm)})
}
