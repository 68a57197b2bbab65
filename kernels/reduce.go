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
	if cols == 0 || len(a) < cols {
		return
	}
	if f := backendOf[F]().addRows; f != nil {
		f(&sum[0], &a[0], len(a)/cols, cols)
		return
	}
	for ; len(a) >= cols; a = a[cols:] {
		row := a[:len(sum)]
		for c := range sum {
			sum[c] += float64(row[c])
		}
	}
}

// leastSumEach is the number of columns from which on a row is summed by vectors.
const leastSumEach = 8

// SumEachRow sets dst[r] to the sum of row r of a (len(dst) x cols). Four rows go side by side, as a single sum would
// wait for each addition.
func SumEachRow[F Float](dst, a []F, cols int) {
	if f := backendOf[F]().sumEach; f != nil && cols >= leastSumEach && len(dst) > 0 {
		_ = a[len(dst)*cols-1]
		f(&dst[0], &a[0], len(dst), cols)
		return
	}
	if cols == 2 {
		sumPairs(dst, a[:2*len(dst)])
		return
	}
	r := 0
	for ; r+4 <= len(dst); r += 4 {
		a0, a1, a2, a3 := a[r*cols:][:cols], a[(r+1)*cols:][:cols], a[(r+2)*cols:][:cols], a[(r+3)*cols:][:cols]
		var s0, s1, s2, s3 float64
		for c, x := range a0 {
			s0 += float64(x)
			s1 += float64(a1[c])
			s2 += float64(a2[c])
			s3 += float64(a3[c])
		}
		dst[r], dst[r+1], dst[r+2], dst[r+3] = F(s0), F(s1), F(s2), F(s3)
	}
	for ; r < len(dst); r++ {
		dst[r] = F(Sum(a[r*cols : (r+1)*cols]))
	}
}

// sumPairs does rows of two numbers.
func sumPairs[F Float](dst, a []F) {
	for ; len(dst) >= 4 && len(a) >= 8; dst, a = dst[4:], a[8:] {
		dst[0], dst[1] = F(float64(a[0])+float64(a[1])), F(float64(a[2])+float64(a[3]))
		dst[2], dst[3] = F(float64(a[4])+float64(a[5])), F(float64(a[6])+float64(a[7]))
	}
	for r := range dst {
		dst[r] = F(float64(a[2*r]) + float64(a[2*r+1]))
	}
}

// Convert sets dst to a, rounded to the element type.
func Convert[F Float](dst []F, a []float64) {
	a = a[:len(dst)]
	for i := range dst {
		dst[i] = F(a[i])
	}
}
