package kernels

// MatMul sets c (m x n) to the product of a (m x k) and b (k x n).
func MatMul[F Float](c, a, b []F, m, k, n int) {
	if k == 0 || m == 0 || n == 0 {
		clear(c[:m*n])
		return
	}
	if be := backendOf[F](); be.wide != nil {
		strided(be, c, n, a, k, 1, b, n, m, k, n, 0)
		return
	}
	plainNN(c, a, b, m, k, n)
}

// MatMulNT sets c (m x n) to the product of a (m x k) and the transpose of b (n x k). scratch needs n*k numbers. Where many
// products have the same b, it pays to transpose it once and to use MatMul.
func MatMulNT[F Float](c, a, b []F, m, k, n int, scratch []F) {
	if k == 0 || m == 0 || n == 0 {
		clear(c[:m*n])
		return
	}
	if be := backendOf[F](); be.wide != nil {
		if n <= maxDots && k >= minTerms {
			dotProducts(be, c, a, b, m, k, n)
			return
		}
		Transpose(scratch, b, n, k)
		strided(be, c, n, a, k, 1, scratch, n, m, k, n, 0)
		return
	}
	plainNT(c, a, b, m, k, n)
}

// MatMulTN sets c (m x n) to the product of the transpose of a (k x m) and b (k x n).
func MatMulTN[F Float](c, a, b []F, m, k, n int) {
	if k == 0 || m == 0 || n == 0 {
		clear(c[:m*n])
		return
	}
	if be := backendOf[F](); be.wide != nil {
		addTN(be, c, a, m, b, m, k, n, 0)
		return
	}
	plainTN(c, a, b, m, k, n)
}

// MatMulTT sets c (m x n) to the product of the transposes of a (k x m) and b (n x k).
func MatMulTT[F Float](c, a, b []F, m, k, n int) {
	for i := range m {
		for j := range n {
			var s F
			for p := range k {
				s += a[p*m+i] * b[j*k+p]
			}
			c[i*n+j] = s
		}
	}
}

// MatMulTNRows sets the rows first to last, excluded, of what MatMulTN sets.
func MatMulTNRows[F Float](c, a, b []F, m, k, n, first, last int) {
	if first >= last {
		return
	}
	if k == 0 || n == 0 {
		clear(c[first*n : last*n])
		return
	}
	if be := backendOf[F](); be.wide != nil {
		addTN(be, c[first*n:], a[first:], m, b, last-first, k, n, 0)
		return
	}
	for i := first; i < last; i++ {
		out := c[i*n : (i+1)*n]
		clear(out)
		for p := range k {
			v := a[p*m+i]
			for j, w := range b[p*n : (p+1)*n] {
				out[j] += v * w
			}
		}
	}
}

// AddMatMulTN adds to c (m x n) the product of the transpose of a (k x m) and b (k x n).
func AddMatMulTN[F Float](c, a, b []F, m, k, n int) {
	if k == 0 || m == 0 || n == 0 {
		return
	}
	if be := backendOf[F](); be.wide != nil {
		addTN(be, c, a, m, b, m, k, n, 1)
		return
	}
	for p := range k {
		x, y := a[p*m:(p+1)*m], b[p*n:(p+1)*n]
		for i, v := range x {
			out := c[i*n : (i+1)*n]
			for j, w := range y {
				out[j] += v * w
			}
		}
	}
}
