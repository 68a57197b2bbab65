package silo

import "math"

// minimumNorm solves a x = b for a symmetric positive semidefinite a [n x n], row-major, in the sense of least squares, and
// among several solutions returns the shortest: elements that no combination of formulas tells apart share their sum.
//
// It is written out instead of taken from a library because every member must get the same bits: libraries choose
// instructions by processor, and a Go compiler may fuse a product with a sum unless the product is converted.
func minimumNorm(a, b []float64) []float64 {
	n := len(b)
	values, vectors := eigen(a, n)
	largest := 0.0
	for _, v := range values {
		largest = math.Max(largest, v)
	}
	x := make([]float64, n)
	for k, v := range values {
		// Squaring the problem has doubled the digits that rounding takes: below this an eigenvalue is noise.
		if v <= 1e-12*largest || v == 0 {
			continue
		}
		dot := 0.0
		for i := range n {
			dot += float64(vectors[i*n+k] * b[i])
		}
		dot /= v
		for i := range n {
			x[i] += float64(dot * vectors[i*n+k])
		}
	}
	return x
}

// eigen decomposes a symmetric matrix by Jacobi's method with cyclic sweeps (Golub and Van Loan, Matrix Computations,
// section 8.5): values[k] belongs to column k of vectors.
func eigen(a []float64, n int) (values, vectors []float64) {
	m := append([]float64(nil), a...)
	v := make([]float64, n*n)
	for i := range n {
		v[i*n+i] = 1
	}
	for range 60 { // converges quadratically; a handful of sweeps are enough
		rotated := false
		for p := range n {
			for q := p + 1; q < n; q++ {
				rotated = rotate(m, v, n, p, q) || rotated
			}
		}
		if !rotated {
			break
		}
	}
	values = make([]float64, n)
	for i := range n {
		values[i] = m[i*n+i]
	}
	return values, v
}

// rotate makes m[p,q] zero and reports whether it was not negligible already.
func rotate(m, v []float64, n, p, q int) bool {
	off := m[p*n+q]
	scale := math.Sqrt(math.Abs(m[p*n+p])) * math.Sqrt(math.Abs(m[q*n+q]))
	if math.Abs(off) <= 1e-17*scale || off == 0 {
		return false
	}
	theta := (m[q*n+q] - m[p*n+p]) / (2 * off)
	t := 1 / (math.Abs(theta) + math.Sqrt(float64(theta*theta)+1))
	if theta < 0 {
		t = -t
	}
	c := 1 / math.Sqrt(float64(t*t)+1)
	s := t * c
	for k := range n { // columns p and q
		x, y := m[k*n+p], m[k*n+q]
		m[k*n+p] = float64(c*x) - float64(s*y)
		m[k*n+q] = float64(s*x) + float64(c*y)
	}
	for k := range n { // rows p and q
		x, y := m[p*n+k], m[q*n+k]
		m[p*n+k] = float64(c*x) - float64(s*y)
		m[q*n+k] = float64(s*x) + float64(c*y)
	}
	m[p*n+q], m[q*n+p] = 0, 0
	for k := range n {
		x, y := v[k*n+p], v[k*n+q]
		v[k*n+p] = float64(c*x) - float64(s*y)
		v[k*n+q] = float64(s*x) + float64(c*y)
	}
	return true
}
