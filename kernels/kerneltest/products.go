package kerneltest

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/fedlam/fedlam/kernels"
)

// product is one of the four ways to transpose factors.
type product[F kernels.Float] struct {
	name           string
	call           func(c, a, b []F, m, k, n int)
	transA, transB bool
}

func productsOf[F kernels.Float](t *testing.T, k Kernels[F]) []product[F] {
	return []product[F]{
		{"NN", k.MatMul, false, false},
		{"NT", func(c, a, b []F, m, kk, n int) {
			scratch, check := guarded[F](n * kk)
			k.MatMulNT(c, a, b, m, kk, n, scratch)
			check(t)
		}, false, true},
		{"TN", k.MatMulTN, true, false},
		{"TN by rows", func(c, a, b []F, m, kk, n int) {
			for first := 0; first < m; first += 7 {
				k.MatMulTNRows(c, a, b, m, kk, n, first, min(first+7, m))
			}
		}, true, false},
		{"TN added", func(c, a, b []F, m, kk, n int) {
			clear(c[:m*n])
			half := kk / 2
			k.AddMatMulTN(c, a, b, m, half, n)
			k.AddMatMulTN(c, a[half*m:], b[half*n:], m, kk-half, n)
		}, true, false},
		{"TT", k.MatMulTT, true, true},
	}
}

// want returns the product and, for each element, the sum of the absolute terms.
func (p product[F]) want(a, b []F, m, k, n int) (c, size []float64) {
	c, size = make([]float64, m*n), make([]float64, m*n)
	for i := range m {
		for j := range n {
			for q := range k {
				x, y := i*k+q, q*n+j
				if p.transA {
					x = q*m + i
				}
				if p.transB {
					y = j*k + q
				}
				term := float64(a[x]) * float64(b[y])
				c[i*n+j] += term
				size[i*n+j] += math.Abs(term)
			}
		}
	}
	return c, size
}

var productShapes = [][3]int{ // m, k, n
	{0, 3, 4}, {3, 0, 4}, {3, 4, 0}, {1, 1, 1}, {1, 5, 1}, {2, 1, 2}, {3, 3, 3}, {4, 4, 100}, {100, 4, 12}, {7, 13, 5},
	{8, 16, 32}, {9, 17, 33}, {15, 2, 31}, {16, 64, 16}, {17, 8, 48}, {13, 25, 50}, {50, 17, 25}, {33, 128, 65}, {65, 9, 128},
	{120, 32, 32}, {31, 240, 241}, {1, 300, 240}, {240, 300, 1}, {5, 1, 7}, {64, 70, 1},
	{26, 1, 4}, {26, 4, 2}, {27, 8, 4}, {29, 8, 8}, {14, 16, 3}, {14, 16, 5}, {14, 17, 4}, {25, 12, 16}, {25, 16, 17}, {61, 2, 1},
	{12, 3, 49}, {11, 9, 56}, {17, 5, 57}, {100, 20, 114}, {23, 7, 25}, {9, 300, 28}, {10, 6, 60},
}

func products[F kernels.Float](t *testing.T, k Kernels[F]) {
	rng := rand.New(rand.NewPCG(1, 2))
	shapes := productShapes
	for range 40 {
		shapes = append(shapes, [3]int{rng.IntN(40), rng.IntN(40), rng.IntN(70)})
	}
	for _, p := range productsOf(t, k) {
		for _, s := range shapes {
			m, kk, n := s[0], s[1], s[2]
			a, b := random[F](rng, m*kk), random[F](rng, kk*n)
			a0, b0 := append([]F(nil), a...), append([]F(nil), b...)
			c, check := guarded[F](m * n)
			p.call(c, a, b, m, kk, n)
			check(t)
			want, size := p.want(a, b, m, kk, n)
			near(t, c, want, size, 2*epsilon[F]()*math.Sqrt(float64(kk)+4), "%s %v", p.name, s)
			same(t, a, a0, "%s %v: left factor", p.name, s)
			same(t, b, b0, "%s %v: right factor", p.name, s)
			again := make([]F, m*n)
			p.call(again, a, b, m, kk, n)
			same(t, again, c, "%s %v: second call", p.name, s)
			if !p.transA && m > 1 {
				cut := 1 + rng.IntN(m-1)
				p.call(again[:cut*n], a[:cut*kk], b, cut, kk, n)
				p.call(again[cut*n:], a[cut*kk:], b, m-cut, kk, n)
				same(t, again, c, "%s %v: rows cut at %d", p.name, s, cut)
			}
		}
	}
}

// specialProducts checks that NaN and Inf reach all elements they belong to, through zeros too, and no others.
func specialProducts[F kernels.Float](t *testing.T, k Kernels[F]) {
	rng := rand.New(rand.NewPCG(3, 4))
	for _, p := range productsOf(t, k) {
		for _, bad := range []float64{math.NaN(), math.Inf(1), math.Inf(-1)} {
			for _, s := range [][3]int{{1, 1, 1}, {5, 7, 9}, {17, 20, 35}, {33, 3, 17}} {
				m, kk, n := s[0], s[1], s[2]
				a, b := random[F](rng, m*kk), random[F](rng, kk*n)
				for i := range b {
					if i%3 == 0 {
						b[i] = 0
					}
				}
				a[rng.IntN(len(a))] = F(bad)
				b[rng.IntN(len(b))] = F(bad)
				c, check := guarded[F](m * n)
				p.call(c, a, b, m, kk, n)
				check(t)
				want, size := p.want(a, b, m, kk, n)
				near(t, c, want, size, 1e-4, "%s %v with %v", p.name, s, bad)
			}
		}
	}
}
