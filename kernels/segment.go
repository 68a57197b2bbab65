package kernels

import "math"

// Segments of rows are described by start: segment s is made of the rows start[s] to start[s+1], excluded. Functions
// that take segments first and last work on first <= s < last and touch only the rows of those.

// Gather sets row r of dst to row index[r] of src, both cols wide.
func Gather[F Float](dst, src []F, index []int32, cols int) {
	if cols == 1 {
		dst = dst[:len(index)]
		for r, i := range index {
			dst[r] = src[i]
		}
		return
	}
	for r, i := range index {
		copy(dst[r*cols:(r+1)*cols], src[int(i)*cols:])
	}
}

// scatterExact is the number of columns up to which Scatter sums in float64.
const scatterExact = 16

// Scatter sets row s of dst to the sum of those rows of src that list names in its segment s. With at most 16 columns,
// the sums are accumulated in float64. A nil list stands for 0, 1, 2 ...
func Scatter[F Float](dst, src []F, start, list []int32, first, last, cols int) {
	var sum [scatterExact]float64
	for s := first; s < last; s++ {
		out := dst[s*cols : (s+1)*cols]
		from, to := int(start[s]), int(start[s+1])
		if cols > scatterExact {
			clear(out)
		} else {
			clear(sum[:cols])
		}
		for e := from; e < to; e++ {
			r := e
			if list != nil {
				r = int(list[e])
			}
			row := src[r*cols : (r+1)*cols]
			if cols > scatterExact {
				Add(out, out, row)
				continue
			}
			for c, x := range row {
				sum[c] += float64(x)
			}
		}
		if cols <= scatterExact {
			Convert(out, sum[:cols])
		}
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

// SegSoftmax sets each column of dst within a segment to exp(x) divided by its sum over the segment. If phantom is not
// nil, the sum of segment s also has phantom[s] terms exp(value). scratch needs 2*cols numbers.
func SegSoftmax[F Float](dst, x, phantom []F, value float64, start []int32, first, last, cols int, scratch []float64) {
	top, sum := scratch[:cols], scratch[cols:2*cols]
	for s := first; s < last; s++ {
		from, to := int(start[s]), int(start[s+1])
		ghosts := 0.0
		if phantom != nil {
			ghosts = float64(phantom[s])
		}
		base := math.Inf(-1)
		if ghosts > 0 {
			base = value
		}
		for c := range top {
			top[c] = base
		}
		for e := from; e < to; e++ {
			for c, v := range x[e*cols : (e+1)*cols] {
				top[c] = max(top[c], float64(v))
			}
		}
		for c := range sum {
			sum[c] = 0
			if ghosts > 0 {
				sum[c] = ghosts * math.Exp(value-top[c])
			}
		}
		softmaxRows(dst[from*cols:to*cols], x[from*cols:to*cols], top, sum)
	}
}

// softmaxRows finishes one segment whose column maxima are top and whose sums so far are sum.
func softmaxRows[F Float](dst, x []F, top, sum []float64) {
	cols := len(top)
	for r := 0; r+cols <= len(x) && cols > 0; r += cols {
		for c, v := range x[r : r+cols] {
			dst[r+c] = F(float64(v) - top[c])
		}
	}
	Exp(dst[:len(x)], dst[:len(x)])
	AddRows(sum, dst[:len(x)])
	for c := range sum {
		sum[c] = 1 / sum[c]
	}
	for r := 0; r+cols <= len(x) && cols > 0; r += cols {
		row := dst[r : r+cols]
		for c := range row {
			row[c] = F(float64(row[c]) * sum[c])
		}
	}
}
