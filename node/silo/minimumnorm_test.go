package silo

import (
	"math"
	"math/rand/v2"
	"testing"
)

func TestMinimumNorm(t *testing.T) {
	for _, c := range []struct {
		name string
		a, b []float64
		want []float64
	}{
		{"one element", []float64{4}, []float64{8}, []float64{2}},
		{"diagonal", []float64{2, 0, 0, 5}, []float64{2, 10}, []float64{1, 2}},
		{"water only: the sum is shared in proportion", []float64{1, 2, 2, 4}, []float64{10, 20}, []float64{2, 4}},
		{"an element that never occurs", []float64{3, 0, 0, 0}, []float64{6, 0}, []float64{2, 0}},
		{"nothing", []float64{0, 0, 0, 0}, []float64{0, 0}, []float64{0, 0}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := minimumNorm(c.a, c.b)
			for i := range got {
				if math.Abs(got[i]-c.want[i]) > 1e-12 {
					t.Errorf("x = %v, want %v", got, c.want)
				}
			}
		})
	}
}

func TestMinimumNormSolvesNormalEquations(t *testing.T) {
	seed := rand.Uint64()
	t.Log("seed", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	for range 50 {
		n, frames := 1+r.IntN(12), 40
		truth := make([]float64, n)
		for i := range truth {
			truth[i] = -1000 * r.Float64()
		}
		a, b := make([]float64, n*n), make([]float64, n)
		for range frames {
			counts, energy := make([]float64, n), 0.0
			for i := range counts {
				counts[i] = float64(r.IntN(20))
				energy += counts[i] * truth[i]
			}
			for i := range n {
				b[i] += counts[i] * energy
				for j := range n {
					a[i*n+j] += counts[i] * counts[j]
				}
			}
		}
		x := minimumNorm(a, b)
		for i := range x {
			if math.Abs(x[i]-truth[i]) > 1e-6 {
				t.Fatalf("n = %d: x[%d] = %g, want %g", n, i, x[i], truth[i])
			}
		}
	}
}
