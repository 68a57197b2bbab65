package kernels

// Segments of rows are described by start: segment s is made of the rows start[s] to start[s+1], excluded. Functions
// that take segments first and last work on first <= s < last and touch only the rows of those.

// Gather copies n columns, from srcAt on, of those rows of src (srcCols wide) that index names, to the rows of dst
// (dstCols wide), from column dstAt on.
func Gather[F Float](dst []F, dstCols, dstAt int, src []F, srcCols, srcAt int, index []int32, n int) {
	if len(index) == 0 || n == 0 {
		return
	}
	dst = dst[dstAt:]
	_ = dst[(len(index)-1)*dstCols+n-1]
	if f := backendOf[F]().gatherRows; f != nil {
		f(&dst[0], dstCols, &src[srcAt], srcCols, &index[0], len(index), n)
		return
	}
	for r, i := range index {
		copy(dst[r*dstCols:][:n], src[int(i)*srcCols+srcAt:])
	}
}

// Scatter sets row s of dst to the sum of those rows of src that list names in its segment s, accumulated in float64. A
// nil list stands for 0, 1, 2 ...
func Scatter[F Float](dst, src []F, start, list []int32, first, last, cols int) {
	if cols == 1 && list != nil {
		scatterColumn(dst, src, start, list, first, last)
		return
	}
	be := backendOf[F]()
	for s := first; s < last && cols > 0; s++ {
		out := dst[s*cols : (s+1)*cols]
		from, to := int(start[s]), int(start[s+1])
		switch {
		case from == to:
			clear(out)
		case from+1 == to && list == nil:
			copy(out, src[from*cols:])
		case from+1 == to:
			copy(out, src[int(list[from])*cols:])
		case be.sumRun == nil:
			plainScatter(out, src, list, from, to)
		case list == nil:
			be.sumRun(&out[0], &src[from*cols], to-from, cols)
		default:
			be.sumList(&out[0], &src[0], &list[from], to-from, cols)
		}
	}
}

// scatterColumn does single numbers.
func scatterColumn[F Float](dst, src []F, start, list []int32, first, last int) {
	for s := first; s < last; s++ {
		sum := 0.0
		for _, r := range list[start[s]:start[s+1]] {
			sum += float64(src[r])
		}
		dst[s] = F(sum)
	}
}

// SpreadAscending does what Spread does for an index whose values ascend, from its entry first to last, excluded: it touches
// the rows of dst from the one that entry first leads to, or the very first, to the one before that of entry last, or the end.
func SpreadAscending[F Float](dst, src []F, index []int32, first, last, cols int) {
	from, to := 0, len(dst)
	if first > 0 {
		from = int(index[first]) * cols
	}
	if last < len(index) {
		to = int(index[last]) * cols
	}
	clear(dst[from:to])
	spreadRows(dst, src[first*cols:], index[first:last], cols)
}

// Spread copies the rows of src to those rows of dst that index names, none twice, and sets all others to 0.
func Spread[F Float](dst, src []F, index []int32, cols int) {
	clear(dst)
	spreadRows(dst, src, index, cols)
}

func spreadRows[F Float](dst, src []F, index []int32, cols int) {
	if cols == 1 {
		for r, i := range index {
			dst[i] = src[r]
		}
		return
	}
	for r, i := range index {
		copy(dst[int(i)*cols:][:cols], src[r*cols:])
	}
}

// plainScatter does one segment, a few columns at a time.
func plainScatter[F Float](out, src []F, list []int32, from, to int) {
	var sum [16]float64
	cols := len(out)
	for at := 0; at < cols; at += len(sum) {
		part := sum[:min(len(sum), cols-at)]
		clear(part)
		for e := from; e < to; e++ {
			r := e
			if list != nil {
				r = int(list[e])
			}
			for c, x := range src[r*cols+at:][:len(part)] {
				part[c] += float64(x)
			}
		}
		Convert(out[at:at+len(part)], part)
	}
}

// SegOuter sets the p x q matrix of each segment to the sum over its rows of the outer product of a (p wide) and b
// (q wide).
func SegOuter[F Float](dst, a, b []F, start []int32, first, last, p, q int) {
	for s := first; s < last; s++ {
		from, to := int(start[s]), int(start[s+1])
		MatMulTN(dst[s*p*q:(s+1)*p*q], a[from*p:to*p], b[from*q:to*q], p, to-from, q)
	}
}

// RowApply sets each row of dst (p wide) to the p x q matrix g of its segment times the row of b (q wide). scratch needs
// p*q numbers.
func RowApply[F Float](dst, g, b []F, start []int32, first, last, p, q int, scratch []F) {
	for s := first; s < last; s++ {
		from, to := int(start[s]), int(start[s+1])
		MatMulNT(dst[from*p:to*p], b[from*q:to*q], g[s*p*q:(s+1)*p*q], to-from, q, p, scratch)
	}
}

// RowApplyT sets each row of dst (q wide) to the transposed p x q matrix g of its segment times the row of a (p wide).
func RowApplyT[F Float](dst, g, a []F, start []int32, first, last, p, q int) {
	for s := first; s < last; s++ {
		from, to := int(start[s]), int(start[s+1])
		MatMul(dst[from*q:to*q], a[from*p:to*p], g[s*p*q:(s+1)*p*q], to-from, p, q)
	}
}
