package kerneltest

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/fedlam/fedlam/kernels"
)

var lengths = []int{0, 1, 2, 3, 7, 8, 15, 16, 17, 31, 33, 63, 64, 65, 100, 127, 257, 1000}

// unary is a function of one operand with its definition and the error allowed, in units of the last place.
type unary[F kernels.Float] struct {
	name string
	call func(dst, a []F)
	want func(x float64) float64
	ulps float64
}

func unaries[F kernels.Float](k Kernels[F]) []unary[F] {
	const s = -1.75
	own := 0.0 // error of the reference
	if epsilon[F]() < 1e-10 {
		own = 1
	}
	return []unary[F]{
		{"Neg", k.Neg, func(x float64) float64 { return -x }, 0},
		{"Square", k.Square, func(x float64) float64 { return x * x }, 0.51},
		{"Recip", k.Recip, func(x float64) float64 { return 1 / x }, 0.51},
		{"Sqrt", k.Sqrt, math.Sqrt, 0.51},
		{"Step", k.Step, func(x float64) float64 {
			if x >= 0 {
				return 1
			}
			return 0
		}, 0},
		{"Exp", k.Exp, math.Exp, 1.7 + own},
		{"Tanh", k.Tanh, math.Tanh, 1.7 + own},
		{"Sigmoid", k.Sigmoid, func(x float64) float64 { return 1 / (1 + math.Exp(-x)) }, 2.5 + own},
		{"Softplus", k.Softplus, func(x float64) float64 { return max(x, 0) + math.Log1p(math.Exp(-math.Abs(x))) }, 2.5 + own},
		{"Scale", func(dst, a []F) { k.Scale(dst, a, s) }, func(x float64) float64 { return s * x }, 0.51},
		{"AddScalar", func(dst, a []F) { k.AddScalar(dst, a, s) }, func(x float64) float64 { return x + s }, 0.51},
	}
}

func elementwise[F kernels.Float](t *testing.T, k Kernels[F]) {
	rng := rand.New(rand.NewPCG(5, 6))
	binaries := []struct {
		name string
		call func(dst, a, b []F)
		want func(x, y F) F
	}{
		{"Add", k.Add, func(x, y F) F { return x + y }},
		{"Sub", k.Sub, func(x, y F) F { return x - y }},
		{"Mul", k.Mul, func(x, y F) F { return x * y }},
	}
	for _, n := range lengths {
		a, b := random[F](rng, n), random[F](rng, n)
		for _, f := range binaries {
			dst, check := guarded[F](n)
			want := make([]F, n)
			for i := range want {
				want[i] = f.want(a[i], b[i])
			}
			f.call(dst, a, b)
			check(t)
			same(t, dst, want, "%s of %d", f.name, n)
			copy(dst, a)
			f.call(dst, dst, b)
			same(t, dst, want, "%s of %d in place of the first", f.name, n)
			copy(dst, b)
			f.call(dst, a, dst)
			same(t, dst, want, "%s of %d in place of the second", f.name, n)
		}
		for _, f := range unaries(k) {
			dst, check := guarded[F](n)
			f.call(dst, a)
			check(t)
			whole := append([]F(nil), dst...)
			copy(dst, a)
			f.call(dst, dst)
			same(t, dst, whole, "%s of %d in place", f.name, n)
			for i := range n { // the same bits wherever in the slice a number stands
				f.call(dst[:1], a[i:i+1])
				same(t, dst[:1], whole[i:i+1], "%s of number %d of %d alone", f.name, i, n)
			}
		}
	}
}

// accuracy checks the error of the functions of one operand over their whole range.
func accuracy[F kernels.Float](t *testing.T, k Kernels[F]) {
	rng := rand.New(rand.NewPCG(7, 8))
	var x []F
	for range 20000 {
		x = append(x, F(100*(2*rng.Float64()-1)), F(2*rng.Float64()-1), F(math.Exp(-30*rng.Float64())))
	}
	dst := make([]F, len(x))
	for _, f := range unaries(k) {
		f.call(dst, x)
		for i, v := range x {
			want := f.want(float64(v))
			if math.IsNaN(want) || math.IsInf(float64(F(want)), 0) {
				if g := float64(dst[i]); math.IsNaN(want) != math.IsNaN(g) {
					t.Errorf("%s(%v) = %v, want %v", f.name, v, dst[i], want)
					break
				}
				continue
			}
			// Below the smallest normal number only the absolute error counts.
			unit := max(math.Abs(want), smallest[F]()) * epsilon[F]()
			if err := math.Abs(float64(dst[i]) - want); err > f.ulps*unit {
				t.Errorf("%s(%v) = %v, want %v: off by %.2f units of the last place", f.name, v, dst[i], want, err/unit)
				break
			}
		}
	}
}

// smallest returns the smallest normal number.
func smallest[F kernels.Float]() float64 {
	if epsilon[F]() > 1e-10 {
		return 0x1p-126
	}
	return 0x1p-1022
}

// specialValues checks the functions of one operand at the ends of the number line.
func specialValues[F kernels.Float](t *testing.T, k Kernels[F]) {
	inf, nan := math.Inf(1), math.NaN()
	cases := map[string][][2]float64{ // argument, result
		"Neg":       {{nan, nan}, {inf, -inf}, {0, math.Copysign(0, -1)}},
		"Square":    {{nan, nan}, {-inf, inf}},
		"Recip":     {{nan, nan}, {inf, 0}, {0, inf}, {math.Copysign(0, -1), -inf}},
		"Sqrt":      {{nan, nan}, {inf, inf}, {-1, nan}, {0, 0}},
		"Step":      {{nan, 0}, {inf, 1}, {-inf, 0}, {0, 1}, {math.Copysign(0, -1), 1}},
		"Exp":       {{nan, nan}, {inf, inf}, {-inf, 0}, {0, 1}, {1000, inf}, {-1000, 0}},
		"Tanh":      {{nan, nan}, {inf, 1}, {-inf, -1}, {0, 0}, {50, 1}, {-50, -1}},
		"Sigmoid":   {{nan, nan}, {inf, 1}, {-inf, 0}, {0, 0.5}},
		"Softplus":  {{nan, nan}, {inf, inf}, {-inf, 0}, {0, float64(F(math.Ln2))}},
		"Scale":     {{nan, nan}, {inf, -inf}},
		"AddScalar": {{nan, nan}, {inf, inf}, {-inf, -inf}},
	}
	for _, f := range unaries(k) {
		for _, c := range cases[f.name] {
			for _, n := range []int{1, 16, 35} {
				x, dst := make([]F, n), make([]F, n)
				at := n / 2
				x[at] = F(c[0])
				f.call(dst, x)
				got := float64(dst[at])
				if got != c[1] && !(math.IsNaN(got) && math.IsNaN(c[1])) {
					t.Errorf("%s(%v) among %d = %v, want %v", f.name, c[0], n, got, c[1])
				}
			}
		}
	}
}

func switches[F kernels.Float](t *testing.T, k Kernels[F]) {
	const rs, rc = 0.5, 4.0
	derivative := []func(u float64) float64{
		func(u float64) float64 { return 1 + u*u*u*(-6*u*u+15*u-10) },
		func(u float64) float64 { return -30 * u * u * (u - 1) * (u - 1) },
		func(u float64) float64 { return -60 * u * (2*u*u - 3*u + 1) },
		func(u float64) float64 { return -60 * (6*u*u - 6*u + 1) },
		func(u float64) float64 { return 360 - 720*u },
		func(u float64) float64 { return -720 },
	}
	r := []F{0, 0.25, 0.5, 0.75, 1, 2, 2.25, 3, 3.5, 4, 4.25, 100, F(math.Inf(1)), F(math.Inf(-1)), F(math.NaN())}
	for order, w := range derivative {
		dst, check := guarded[F](len(r))
		k.Switch(dst, r, rs, rc, order)
		check(t)
		want := make([]float64, len(r))
		for i, x := range r {
			switch u := (float64(x) - rs) / (rc - rs); {
			case u < 0 && order == 0:
				want[i] = 1
			case u < 0 || u > 1:
			default:
				want[i] = w(u) / math.Pow(rc-rs, float64(order))
			}
		}
		want[len(r)-1] = math.NaN()
		near(t, dst, want, nil, 20*epsilon[F](), "order %d", order)
	}
}
