package kernels

// The plain products work on tiles of 2 rows and 4 columns of c, whose eight sums stay in registers. Every element is
// one sum over k in ascending order, whatever tile it falls into.

func plainNN[F Float](c, a, b []F, m, k, n int) {
	i := 0
	for ; i+2 <= m; i += 2 {
		a0, a1 := a[i*k:(i+1)*k], a[(i+1)*k:(i+2)*k]
		c0, c1 := c[i*n:(i+1)*n], c[(i+1)*n:(i+2)*n]
		j := 0
		for ; j+4 <= n; j += 4 {
			tileNN(c0[j:j+4], c1[j:j+4], a0, a1, b[j:], n)
		}
		for ; j < n; j++ {
			c0[j], c1[j] = dotStrided(a0, b[j:], n), dotStrided(a1, b[j:], n)
		}
	}
	if i < m {
		for j := range n {
			c[i*n+j] = dotStrided(a[i*k:(i+1)*k], b[j:], n)
		}
	}
}

func tileNN[F Float](c0, c1, a0, a1, b []F, n int) {
	var s00, s01, s02, s03, s10, s11, s12, s13 F
	a1 = a1[:len(a0)]
	for p, x := range a0 {
		y := a1[p]
		q := b[p*n : p*n+4 : p*n+4]
		s00 += x * q[0]
		s01 += x * q[1]
		s02 += x * q[2]
		s03 += x * q[3]
		s10 += y * q[0]
		s11 += y * q[1]
		s12 += y * q[2]
		s13 += y * q[3]
	}
	c0[0], c0[1], c0[2], c0[3] = s00, s01, s02, s03
	c1[0], c1[1], c1[2], c1[3] = s10, s11, s12, s13
}

func dotStrided[F Float](a, b []F, stride int) F {
	var s F
	for p, x := range a {
		s += x * b[p*stride]
	}
	return s
}

func plainNT[F Float](c, a, b []F, m, k, n int) {
	i := 0
	for ; i+2 <= m; i += 2 {
		a0, a1 := a[i*k:(i+1)*k], a[(i+1)*k:(i+2)*k]
		c0, c1 := c[i*n:(i+1)*n], c[(i+1)*n:(i+2)*n]
		j := 0
		for ; j+4 <= n; j += 4 {
			tileNT(c0[j:j+4], c1[j:j+4], a0, a1, b[j*k:(j+1)*k], b[(j+1)*k:(j+2)*k], b[(j+2)*k:(j+3)*k], b[(j+3)*k:(j+4)*k])
		}
		for ; j < n; j++ {
			row := b[j*k : (j+1)*k]
			c0[j], c1[j] = dot(a0, row), dot(a1, row)
		}
	}
	if i < m {
		for j := range n {
			c[i*n+j] = dot(a[i*k:(i+1)*k], b[j*k:(j+1)*k])
		}
	}
}

func tileNT[F Float](c0, c1, a0, a1, b0, b1, b2, b3 []F) {
	var s00, s01, s02, s03, s10, s11, s12, s13 F
	k := len(a0)
	a1, b0, b1, b2, b3 = a1[:k], b0[:k], b1[:k], b2[:k], b3[:k]
	for p, x := range a0 {
		y := a1[p]
		q0, q1, q2, q3 := b0[p], b1[p], b2[p], b3[p]
		s00 += x * q0
		s01 += x * q1
		s02 += x * q2
		s03 += x * q3
		s10 += y * q0
		s11 += y * q1
		s12 += y * q2
		s13 += y * q3
	}
	c0[0], c0[1], c0[2], c0[3] = s00, s01, s02, s03
	c1[0], c1[1], c1[2], c1[3] = s10, s11, s12, s13
}

func dot[F Float](a, b []F) F {
	var s F
	b = b[:len(a)]
	for p, x := range a {
		s += x * b[p]
	}
	return s
}

func plainTN[F Float](c, a, b []F, m, k, n int) {
	i := 0
	for ; i+2 <= m; i += 2 {
		c0, c1 := c[i*n:(i+1)*n], c[(i+1)*n:(i+2)*n]
		j := 0
		for ; j+4 <= n; j += 4 {
			tileTN(c0[j:j+4], c1[j:j+4], a[i:], b[j:], m, k, n)
		}
		for ; j < n; j++ {
			c0[j], c1[j] = dotTN(a[i:], b[j:], m, k, n), dotTN(a[i+1:], b[j:], m, k, n)
		}
	}
	if i < m {
		for j := range n {
			c[i*n+j] = dotTN(a[i:], b[j:], m, k, n)
		}
	}
}

func tileTN[F Float](c0, c1, a, b []F, m, k, n int) {
	var s00, s01, s02, s03, s10, s11, s12, s13 F
	for p := range k {
		x, y := a[p*m], a[p*m+1]
		q := b[p*n : p*n+4 : p*n+4]
		s00 += x * q[0]
		s01 += x * q[1]
		s02 += x * q[2]
		s03 += x * q[3]
		s10 += y * q[0]
		s11 += y * q[1]
		s12 += y * q[2]
		s13 += y * q[3]
	}
	c0[0], c0[1], c0[2], c0[3] = s00, s01, s02, s03
	c1[0], c1[1], c1[2], c1[3] = s10, s11, s12, s13
}

func dotTN[F Float](a, b []F, m, k, n int) F {
	var s F
	for p := range k {
		s += a[p*m] * b[p*n]
	}
	return s
}
