package kernels

import "math"

// The elementwise functions set dst[i] for every i of dst from the elements i of their operands, which must be at
// least as long. dst may be the same slice as an operand, but may not overlap it otherwise.

// Add sets dst to a + b.
func Add[F Float](dst, a, b []F) {
	a, b = a[:len(dst)], b[:len(dst)]
	if f := backendOf[F]().add; f != nil && len(dst) > 0 {
		f(&dst[0], &a[0], &b[0], len(dst))
		return
	}
	for i := range dst {
		dst[i] = a[i] + b[i]
	}
}

// Sub sets dst to a - b.
func Sub[F Float](dst, a, b []F) {
	a, b = a[:len(dst)], b[:len(dst)]
	if f := backendOf[F]().sub; f != nil && len(dst) > 0 {
		f(&dst[0], &a[0], &b[0], len(dst))
		return
	}
	for i := range dst {
		dst[i] = a[i] - b[i]
	}
}

// Mul sets dst to a * b.
func Mul[F Float](dst, a, b []F) {
	a, b = a[:len(dst)], b[:len(dst)]
	if f := backendOf[F]().mul; f != nil && len(dst) > 0 {
		f(&dst[0], &a[0], &b[0], len(dst))
		return
	}
	for i := range dst {
		dst[i] = a[i] * b[i]
	}
}

// Neg sets dst to -a.
func Neg[F Float](dst, a []F) {
	a = a[:len(dst)]
	for i := range dst {
		dst[i] = -a[i]
	}
}

// Scale sets dst to s * a.
func Scale[F Float](dst, a []F, s F) {
	a = a[:len(dst)]
	if f := backendOf[F]().scale; f != nil && len(dst) > 0 {
		f(&dst[0], &a[0], s, len(dst))
		return
	}
	for i := range dst {
		dst[i] = s * a[i]
	}
}

// AddScalar sets dst to a + s.
func AddScalar[F Float](dst, a []F, s F) {
	a = a[:len(dst)]
	if f := backendOf[F]().shift; f != nil && len(dst) > 0 {
		f(&dst[0], &a[0], s, len(dst))
		return
	}
	for i := range dst {
		dst[i] = a[i] + s
	}
}

// Square sets dst to a * a.
func Square[F Float](dst, a []F) {
	a = a[:len(dst)]
	if f := backendOf[F]().square; f != nil && len(dst) > 0 {
		f(&dst[0], &a[0], len(dst))
		return
	}
	for i := range dst {
		dst[i] = a[i] * a[i]
	}
}

// Recip sets dst to 1 / a.
func Recip[F Float](dst, a []F) {
	a = a[:len(dst)]
	if f := backendOf[F]().recip; f != nil && len(dst) > 0 {
		f(&dst[0], &a[0], len(dst))
		return
	}
	for i := range dst {
		dst[i] = 1 / a[i]
	}
}

// Sqrt sets dst to the square root of a.
func Sqrt[F Float](dst, a []F) {
	a = a[:len(dst)]
	if f := backendOf[F]().sqrt; f != nil && len(dst) > 0 {
		f(&dst[0], &a[0], len(dst))
		return
	}
	for i := range dst {
		dst[i] = F(math.Sqrt(float64(a[i])))
	}
}

// Step sets dst to 1 where a >= 0 and to 0 elsewhere, also for NaN.
func Step[F Float](dst, a []F) {
	a = a[:len(dst)]
	for i, x := range a {
		if x >= 0 {
			dst[i] = 1
		} else {
			dst[i] = 0
		}
	}
}

// Fill sets all of dst to v.
func Fill[F Float](dst []F, v F) {
	for i := range dst {
		dst[i] = v
	}
}

// Switch sets dst to the order-th derivative by r of the switch function 1 + u^3(-6u^2 + 15u - 10), where
// u = (r-rs)/(rc-rs) is between 0 and 1; beyond, the function is 1 below and 0 above, and its derivatives are 0.
func Switch[F Float](dst, r []F, rs, rc float64, order int) {
	r = r[:len(dst)]
	inv, below, p := SwitchPolynomial(rs, rc, order)
	if f := backendOf[F]().switches; f != nil && len(dst) > 0 {
		f(&dst[0], &r[0], rs, inv, below, p[0], p[1], p[2], p[3], p[4], p[5], len(dst))
		return
	}
	for i, x := range r {
		u := (float64(x) - rs) * inv
		switch {
		case u < 0:
			dst[i] = F(below)
		case u > 1:
			dst[i] = 0
		default: // NaN too
			v := p[5]
			for k := 4; k >= 0; k-- {
				v = v*u + p[k]
			}
			dst[i] = F(v)
		}
	}
}

// SwitchPolynomial returns what Switch computes with: u is (r-rs)*inv; for u < 0 the result is below, for u > 1 it is 0, and
// else the polynomial in u with coefficients p, lowest power first.
func SwitchPolynomial(rs, rc float64, order int) (inv, below float64, p [6]float64) {
	inv = 1 / (rc - rs)
	p = [6]float64{1, 0, 0, -10, 15, -6}
	for range order {
		for i := range 5 {
			p[i] = p[i+1] * float64(i+1) * inv
		}
		p[5] = 0
	}
	if order == 0 {
		below = 1
	}
	return inv, below, p
}
