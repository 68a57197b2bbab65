package training

import (
	"math"
	"math/rand/v2"
	"testing"

	"gonum.org/v1/gonum/mat"
)

// TestEnergyFitIsLeastSquares compares the fit that folds its rows with one decomposition of them all: the same bits as
// long as nothing is folded, nearly the same numbers and the same rank after that.
func TestEnergyFitIsLeastSquares(t *testing.T) {
	for _, c := range []struct {
		name          string
		frames, types int
		water         bool // O and H occur in one proportion only, so that the rank is lower
		tolerance     float64
	}{
		{"few frames", foldRows, 5, false, 0},
		{"folded once", foldRows + 6, 5, false, 1e-9},
		{"folded often", 20 * foldRows, 5, false, 1e-9},
		{"few, rank deficient", 100, 5, true, 0},
		{"folded, rank deficient", 9 * foldRows, 5, true, 1e-9},
		{"one type", 3 * foldRows, 1, false, 1e-9},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := rand.New(rand.NewPCG(5, uint64(c.frames)))
			fit := newEnergyFit(c.types, nil)
			a, b := mat.NewDense(c.frames, c.types, nil), mat.NewVecDense(c.frames, nil)
			counts, widest := make([]float64, c.types), 0
			for f := range c.frames {
				energy := 1e-3 * r.NormFloat64()
				for k := range counts {
					counts[k] = float64(1 + r.IntN(40))
					if c.water && k > 0 {
						counts[k] = 2 * counts[0]
					}
					energy -= counts[k] * 100 * float64(1+k*k)
				}
				fit.add(counts, energy)
				widest = max(widest, len(fit.rows))
				a.SetRow(f, counts)
				b.SetVec(f, energy)
			}
			want, rank, err := minimumNorm(a, b, eps*float64(c.frames))
			if err != nil {
				t.Fatal(err)
			}
			got, err := fit.solve()
			if err != nil {
				t.Fatal(err)
			}
			if got.Rank != rank || got.Present != c.types {
				t.Errorf("rank %d of %d types, want %d of %d", got.Rank, got.Present, rank, c.types)
			}
			for k := range want {
				if math.Abs(got.PerType[k]-want[k]) > c.tolerance*math.Abs(want[k]) {
					t.Errorf("type %d: %.17g eV, want %.17g", k, got.PerType[k], want[k])
				}
			}
			if most := (foldRows + c.types + 1) * (c.types + 1); widest >= most {
				t.Errorf("%d numbers were kept, want less than %d", widest, most)
			}
		})
	}
}
