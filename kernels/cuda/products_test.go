package cuda_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/fedlam/fedlam/kernels"
	"github.com/fedlam/fedlam/kernels/cuda"
	"github.com/fedlam/fedlam/kernels/cuda/cudatest"
)

// TestLongSums takes products whose sums are cut into pieces, and rows of them.
func TestLongSums(t *testing.T) {
	t.Run("float32", func(t *testing.T) { longSums(t, newBridge[float32](t, cudatest.Open(t)), 1e-5) })
	t.Run("float64", func(t *testing.T) { longSums(t, newBridge[float64](t, cudatest.Open(t)), 1e-13) })
}

func longSums[F kernels.Float](t *testing.T, b *bridge[F], tolerance float64) {
	rng := rand.New(rand.NewPCG(3, 4))
	k := contract(b)
	for _, s := range [][3]int{{5, 2000, 7}, {70, 1111, 33}, {3, 5000, 65}, {2, 300, 300}} {
		m, kk, n := s[0], s[1], s[2]
		x, y := numbers[F](rng, m*kk), numbers[F](rng, kk*n)
		got, rows, want := make([]F, m*n), make([]F, m*n), make([]float64, m*n)
		for p := range kk {
			for i := range m {
				for j := range n {
					want[i*n+j] += float64(x[p*m+i]) * float64(y[p*n+j])
				}
			}
		}
		k.MatMulTN(got, x, y, m, kk, n)
		for i, w := range want {
			if math.Abs(float64(got[i])-w) > tolerance*float64(kk) {
				t.Fatalf("%v: number %d: got %v, want %v", s, i, got[i], w)
			}
		}
		k.MatMulTNRows(rows, x, y, m, kk, n, 0, m/2)
		k.MatMulTNRows(rows, x, y, m, kk, n, m/2, m)
		if !slices.Equal(rows, got) {
			t.Errorf("%v: rows computed apart have other bits", s)
		}
	}
}

func TestPieces(t *testing.T) {
	for _, c := range []struct{ k, n, count, piece int }{
		{0, 5, 1, 16}, {1, 5, 1, 16}, {256, 5, 1, 256}, {257, 5, 2, 144}, {50000, 128, 196, 256}, {50000, 512, 64, 784}, {50000, 1 << 20, 1, 50000},
	} {
		count, piece := cuda.Pieces(c.k, c.n)
		if count != c.count || piece != c.piece {
			t.Errorf("%d rows, %d columns: %d pieces of %d, want %d of %d", c.k, c.n, count, piece, c.count, c.piece)
		}
		if count*piece < c.k || (count-1)*piece >= max(c.k, 1) {
			t.Errorf("%d pieces of %d do not cover %d rows once", count, piece, c.k)
		}
	}
}

func TestBatchMatMul(t *testing.T) {
	t.Run("float32", func(t *testing.T) { batches(t, newBridge[float32](t, cudatest.Open(t)), 1e-5) })
	t.Run("float64", func(t *testing.T) { batches(t, newBridge[float64](t, cudatest.Open(t)), 1e-13) })
}

func batches[F kernels.Float](t *testing.T, b *bridge[F], tolerance float64) {
	rng := rand.New(rand.NewPCG(5, 6))
	for _, s := range [][4]int{{0, 2, 2, 2}, {1, 1, 1, 1}, {7, 4, 3, 5}, {3, 0, 2, 2}, {3, 2, 0, 2}, {20, 16, 4, 16}, {2, 40, 33, 35}} {
		for _, trans := range [][2]bool{{false, false}, {false, true}, {true, false}, {true, true}} {
			batch, m, k, n := s[0], s[1], s[2], s[3]
			x, y, got := numbers[F](rng, batch*m*k), numbers[F](rng, batch*k*n), make([]F, batch*m*n)
			cuda.BatchMatMul(&b.rec, b.out(got), b.in(x), b.in(y), batch, trans[0], trans[1], m, k, n)
			b.run()
			for at := range got {
				r, i, j := at/(m*n), at%(m*n)/n, at%n
				want := 0.0
				for p := range k {
					xi, yi := i*k+p, p*n+j
					if trans[0] {
						xi = p*m + i
					}
					if trans[1] {
						yi = j*k + p
					}
					want += float64(x[r*m*k+xi]) * float64(y[r*k*n+yi])
				}
				if math.Abs(float64(got[at])-want) > tolerance*float64(k+1) {
					t.Fatalf("%v transposed %v: number %d: got %v, want %v", s, trans, at, got[at], want)
				}
			}
		}
	}
}

// TestTF32 allows what rounding the factors to 10 bits takes away, and checks that small integers are exact.
func TestTF32(t *testing.T) {
	b := newBridge[float32](t, cudatest.Open(t))
	rng := rand.New(rand.NewPCG(7, 8))
	for _, s := range [][3]int{{0, 3, 2}, {1, 1, 1}, {3, 0, 2}, {17, 9, 33}, {70, 40, 20}, {65, 130, 66}, {1, 200, 64}, {5, 1500, 40}} {
		m, k, n := s[0], s[1], s[2]
		for _, exact := range []bool{false, true} {
			x, y := numbers[float32](rng, m*k), numbers[float32](rng, k*n)
			tolerance := 0x1p-9
			if exact {
				tolerance = 0
				for _, v := range [][]float32{x, y} {
					for i := range v {
						v[i] = float32(rng.IntN(15) - 7)
					}
				}
			}
			nn, tn := make([]float32, m*n), make([]float32, m*n)
			xt := make([]float32, m*k)
			kernels.Transpose(xt, x, m, k)
			cuda.MatMulTF32(&b.rec, b.out(nn), b.in(x), b.in(y), m, k, n)
			cuda.MatMulTNTF32(&b.rec, b.out(tn), b.in(xt), b.in(y), m, k, n, b.scratch(cuda.MatMulTNScratch(m, k, n)))
			b.run()
			for at := range nn {
				want, size := 0.0, 0.0
				for p := range k {
					term := float64(x[at/n*k+p]) * float64(y[p*n+at%n])
					want += term
					size += math.Abs(term)
				}
				for name, got := range map[string]float32{"MatMulTF32": nn[at], "MatMulTNTF32": tn[at]} {
					if math.Abs(float64(got)-want) > tolerance*size {
						t.Fatalf("%s %v: number %d: got %v, want %v", name, s, at, got, want)
					}
				}
			}
		}
	}
}
