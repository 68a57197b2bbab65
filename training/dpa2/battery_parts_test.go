package dpa2

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/fedlam/fedlam/dataset"
	"github.com/fedlam/fedlam/training/weights"
)

type gradients = weights.Set

// near compares arrays; the tolerance is relative to 1 or the largest number wanted, whichever is larger.
func near(t *testing.T, name string, got, want []float64, tol float64) {
	t.Helper()
	if len(got) != len(want) {
		t.Errorf("%s: got %d numbers, want %d", name, len(got), len(want))
		return
	}
	scale := 1.0
	for _, v := range want {
		scale = math.Max(scale, math.Abs(v))
	}
	for k := range want {
		if !(math.Abs(got[k]-want[k]) <= tol*scale) {
			t.Errorf("%s: entry %d: got %.12g, want %.12g, largest %.3g", name, k, got[k], want[k], scale)
			return
		}
	}
}

func samePrediction(t *testing.T, got, want Prediction) {
	t.Helper()
	near(t, "energy", []float64{got.Energy}, []float64{want.Energy}, 1e-9)
	near(t, "atom energies", got.AtomEnergy, want.AtomEnergy, 1e-9)
	near(t, "forces", got.Forces, want.Forces, 1e-9)
	near(t, "virial", got.Virial[:], want.Virial[:], 1e-9)
}

// randomRotation returns an orthogonal matrix, rows first; it may reflect.
func randomRotation(r *rand.Rand) [9]float64 {
	var q [9]float64
	for i := range 3 {
		row := q[3*i : 3*i+3]
		for k := range row {
			row[k] = r.NormFloat64()
		}
		for j := range i {
			other := q[3*j : 3*j+3]
			d := row[0]*other[0] + row[1]*other[1] + row[2]*other[2]
			for k := range row {
				row[k] -= d * other[k]
			}
		}
		n := math.Hypot(math.Hypot(row[0], row[1]), row[2])
		for k := range row {
			row[k] /= n
		}
	}
	return q
}

// rotate replaces each row vector v by v·q.
func rotate(x []float64, q [9]float64) {
	for i := 0; i < len(x); i += 3 {
		v := [3]float64(x[i : i+3])
		for k := range 3 {
			x[i+k] = v[0]*q[k] + v[1]*q[3+k] + v[2]*q[6+k]
		}
	}
}

// rotated returns qᵀ·w·q.
func rotated(w, q [9]float64) []float64 {
	out := make([]float64, 9)
	for i := range 3 {
		for j := range 3 {
			for a := range 3 {
				for b := range 3 {
					out[3*i+j] += q[3*a+i] * w[3*a+b] * q[3*b+j]
				}
			}
		}
	}
	return out
}

// labelled gives a frame random labels.
func labelled(r *rand.Rand, f dataset.Frame) dataset.Frame {
	energy := r.NormFloat64()
	f.Energy, f.Virial = &energy, &[9]float64{}
	for k := range f.Virial {
		f.Virial[k] = r.NormFloat64()
	}
	f.Forces = make([]float64, len(f.Positions))
	for k := range f.Forces {
		f.Forces[k] = r.NormFloat64()
	}
	return f
}
