package kerneltest

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/fedlam/fedlam/kernels"
)

// combined checks the functions that stand for several operations, also in place of each operand.
func combined[F kernels.Float](t *testing.T, k Kernels[F]) {
	const s, u = 1.75, -0.625
	rng := rand.New(rand.NewPCG(19, 20))
	for _, f := range []struct {
		name string
		call func(dst, a, b, c []F)
		want func(a, b, c float64) float64
	}{
		{"MulMul", func(dst, a, b, _ []F) { k.MulMul(dst, a, b, s) }, func(a, b, _ float64) float64 { return s * a * b }},
		{"AddScaled", func(dst, a, b, _ []F) { k.AddScaled(dst, a, b, s) }, func(a, b, _ float64) float64 { return a + s*b }},
		{"MulAdd", k.MulAdd, func(a, b, c float64) float64 { return a*b + c }},
		{"MulSub", k.MulSub, func(a, b, c float64) float64 { return a*b - c }},
		{"SubMul", k.SubMul, func(a, b, c float64) float64 { return c - a*b }},
		{"Quadratic", func(dst, a, _, _ []F) { k.Quadratic(dst, a, s, u) }, func(a, _, _ float64) float64 { return s*a*a + u }},
	} {
		for _, n := range lengths {
			x := [3][]F{random[F](rng, n), random[F](rng, n), random[F](rng, n)}
			if n > 2 {
				x[0][n/2] = F(math.NaN())
				x[0][n-1] = F(math.Inf(1))
			}
			want := make([]float64, n)
			for i := range want {
				want[i] = f.want(float64(x[0][i]), float64(x[1][i]), float64(x[2][i]))
			}
			dst, check := guarded[F](n)
			f.call(dst, x[0], x[1], x[2])
			check(t)
			near(t, dst, want, nil, 3*epsilon[F](), "%s of %d", f.name, n)
			for i := range x {
				place := x
				place[i] = append([]F(nil), x[i]...)
				f.call(place[i], place[0], place[1], place[2])
				same(t, place[i], dst, "%s of %d in place of operand %d", f.name, n, i)
			}
		}
	}
}
