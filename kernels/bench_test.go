package kernels_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/fedlam/fedlam/kernels"
)

func random[F kernels.Float](n int) []F {
	rng := rand.New(rand.NewPCG(1, 1))
	x := make([]F, n)
	for i := range x {
		x[i] = F(rng.Float64() - 0.5)
	}
	return x
}

func BenchmarkMatMul(b *testing.B) {
	b.Run("float32", benchmarkMatMul[float32])
	b.Run("float64", benchmarkMatMul[float64])
}

func benchmarkMatMul[F kernels.Float](b *testing.B) {
	products := []struct {
		name string
		call func(c, a, b []F, m, k, n int)
	}{{"NN", kernels.MatMul[F]}, {"NT", matMulNT[F]}, {"TN", kernels.MatMulTN[F]}}
	for _, s := range [][3]int{{1024, 1024, 1024}, {3000, 128, 128}, {3000, 32, 128}, {400, 25, 50}, {400, 50, 100}, {400, 100, 50}, {3000, 8, 8}, {3000, 1, 32}, {120, 32, 32}, {30, 4, 32}} {
		for _, p := range products {
			m, k, n := s[0], s[1], s[2]
			if p.name == "TN" {
				m, k = k, m // the long side is summed over
			}
			b.Run(fmt.Sprintf("%s_%dx%dx%d", p.name, m, k, n), func(b *testing.B) {
				x, y, c := random[F](m*k), random[F](k*n), make([]F, m*n)
				for b.Loop() {
					p.call(c, x, y, m, k, n)
				}
				b.ReportMetric(2*float64(m*k*n)*float64(b.N)/b.Elapsed().Seconds()/1e9, "GFLOP/s")
			})
		}
	}
}

func BenchmarkElementwise(b *testing.B) {
	b.Run("float32", benchmarkElementwise[float32])
	b.Run("float64", benchmarkElementwise[float64])
}

func benchmarkElementwise[F kernels.Float](b *testing.B) {
	const n = 1024
	dst, x, y := make([]F, n), random[F](n), random[F](n)
	for _, f := range []struct {
		name string
		call func()
	}{
		{"Add", func() { kernels.Add(dst, x, y) }},
		{"Mul", func() { kernels.Mul(dst, x, y) }},
		{"Scale", func() { kernels.Scale(dst, x, 3) }},
		{"Square", func() { kernels.Square(dst, x) }},
		{"Recip", func() { kernels.Recip(dst, x) }},
		{"Exp", func() { kernels.Exp(dst, x) }},
		{"Tanh", func() { kernels.Tanh(dst, x) }},
		{"Sigmoid", func() { kernels.Sigmoid(dst, x) }},
		{"Switch", func() { kernels.Switch(dst, x, -1, 1, 1) }},
		{"Sum", func() { kernels.Sum(x) }},
		{"RepeatCol8", func() { kernels.RepeatCol(dst, x, 1, 0, n/8, 8) }},
	} {
		b.Run(f.name, func(b *testing.B) {
			for b.Loop() {
				f.call()
			}
			b.ReportMetric(n*float64(b.N)/b.Elapsed().Seconds()/1e9, "Gelem/s")
		})
	}
}

func matMulNT[F kernels.Float](c, a, b []F, m, k, n int) {
	kernels.MatMulNT(c, a, b, m, k, n, make([]F, n*k))
}
