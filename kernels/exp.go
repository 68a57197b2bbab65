package kernels

import (
	"math"
	"unsafe"
)

// In float64 the functions of this file are those of package math; in float32 they are polynomials evaluated in
// float64 and rounded once, with a relative error below 1e-7 wherever the result is a normal number. The conversions
// around products keep compilers from contracting them with a following sum, so that the same bits come out of every
// processor.

// Exp sets dst to e to the power a.
func Exp[F Float](dst, a []F) {
	a = a[:len(dst)]
	if f := backendOf[F]().exp; f != nil && len(dst) > 0 {
		f(&dst[0], &a[0], len(dst))
		return
	}
	if isFloat32[F]() {
		for i, x := range a {
			dst[i] = F(exp32(float64(x)))
		}
		return
	}
	for i, x := range a {
		dst[i] = F(math.Exp(float64(x)))
	}
}

// Tanh sets dst to the hyperbolic tangent of a.
func Tanh[F Float](dst, a []F) {
	a = a[:len(dst)]
	if f := backendOf[F]().tanh; f != nil && len(dst) > 0 {
		f(&dst[0], &a[0], len(dst))
		return
	}
	if isFloat32[F]() {
		for i, x := range a {
			dst[i] = F(tanh32(float64(x)))
		}
		return
	}
	for i, x := range a {
		dst[i] = F(math.Tanh(float64(x)))
	}
}

// Sigmoid sets dst to 1 / (1 + exp(-a)).
func Sigmoid[F Float](dst, a []F) {
	a = a[:len(dst)]
	if f := backendOf[F]().sigmoid; f != nil && len(dst) > 0 {
		f(&dst[0], &a[0], len(dst))
		return
	}
	if isFloat32[F]() {
		for i, x := range a {
			dst[i] = F(1 / (1 + exp32(-float64(x))))
		}
		return
	}
	for i, x := range a {
		dst[i] = F(1 / (1 + math.Exp(-float64(x))))
	}
}

// Softplus sets dst to log(1 + exp(a)).
func Softplus[F Float](dst, a []F) {
	a = a[:len(dst)]
	for i, v := range a {
		x := float64(v)
		dst[i] = F(max(x, 0) + math.Log1p(math.Exp(-math.Abs(x))))
	}
}

func isFloat32[F Float]() bool {
	var zero F
	return unsafe.Sizeof(zero) == 4
}

// exp32 returns e to the power x with a relative error below 1e-8, which float32 rounding hides. With
// x = (n + f) log 2, |f| <= 1/2, it is 2^n times the Taylor series of exp(f log 2).
func exp32(x float64) float64 {
	const limit = 200 // beyond, float32 has only 0 and Inf
	switch {
	case x > limit:
		return math.Inf(1)
	case x < -limit:
		return 0
	case math.IsNaN(x):
		return x
	}
	y := x * math.Log2E
	n := roundEven(y)
	f := (y - n) * math.Ln2
	p := float64(f*(1.0/5040)) + 1.0/720
	p = float64(f*p) + 1.0/120
	p = float64(f*p) + 1.0/24
	p = float64(f*p) + 1.0/6
	p = float64(f*p) + 1.0/2
	p = float64(f*p) + 1
	p = float64(f*p) + 1
	return p * math.Float64frombits(uint64(1023+int64(n))<<52)
}

// roundEven rounds a number of moderate size to the nearest integer: adding 1.5*2^52 leaves no room for a fraction.
func roundEven(y float64) float64 {
	const big = 3 << 51
	return (y + big) - big
}

// tanh32 returns the hyperbolic tangent with a relative error below 1e-8. Near 0, where (e-1)/(e+1) would cancel, it is
// the continued fraction of Lambert, cut after six terms.
func tanh32(x float64) float64 {
	if x > -0.6 && x < 0.6 {
		q := x * x
		num := 10395 + float64(q*(1260+float64(q*21)))
		den := 10395 + float64(q*(4725+float64(q*(210+q))))
		return x * num / den
	}
	e := exp32(-2 * math.Abs(x))
	return math.Copysign((1-e)/(1+e), x)
}
