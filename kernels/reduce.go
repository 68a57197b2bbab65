package kernels

// Sums are accumulated in float64 whatever the element type.

// Sum returns the sum of a, in ascending order.
func Sum[F Float](a []F) float64 {
	s := 0.0
	for _, x := range a {
		s += float64(x)
	}
	return s
}

// AddRows adds each of the rows of a (rows x len(sum)) to sum.
func AddRows[F Float](sum []float64, a []F) {
	cols := len(sum)
	if cols == 1 {
		sum[0] += Sum(a)
		return
	}
	for ; len(a) >= cols && cols > 0; a = a[cols:] {
		row := a[:len(sum)]
		for c := range sum {
			sum[c] += float64(row[c])
		}
	}
}

// SumEachRow sets dst[r] to the sum of row r of a (len(dst) x cols).
func SumEachRow[F Float](dst, a []F, cols int) {
	for r := range dst {
		dst[r] = F(Sum(a[r*cols : (r+1)*cols]))
	}
}

// Convert sets dst to a, rounded to the element type.
func Convert[F Float](dst []F, a []float64) {
	a = a[:len(dst)]
	for i := range dst {
		dst[i] = F(a[i])
	}
}
