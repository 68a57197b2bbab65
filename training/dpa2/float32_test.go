package dpa2

import (
	"math"
	"testing"

	"github.com/fedlam/fedlam/dataset"
)

// TestFloat32Forces evaluates the same weights in both precisions. The strip model comes nearest to the limit, with 5e-6. It
// is its three-body part; rounding the weights to float32 also moves its forces eight times as much as those of the small
// model.
func TestFloat32Forces(t *testing.T) {
	const tol = 1e-5
	for _, c := range goldenCases {
		t.Run(c.name, func(t *testing.T) {
			m, g := readGolden(t, c.name, c.folder)
			compareForces(t, m, g.frames(m.Config.TypeMap), tol)
		})
	}
	if testing.Short() {
		return
	}
	frames := []dataset.Frame{waterFrame(t)}
	strip, attention := officialInput(false, 3), officialInput(true, 3)
	strip.Descriptor.Repinit.TebdInputMode = "strip"
	attention.Descriptor.Repformer.G1Attn, attention.Descriptor.Repformer.G2G1G1 = true, true
	for _, c := range []struct {
		name string
		cfg  *Config
	}{
		{"small", officialInput(false, 3)},
		{"medium", officialInput(true, 6)},
		{"large", officialInput(true, 12)},
		{"strip", strip},
		{"attention of g1 and g2", attention},
	} {
		t.Run(c.name, func(t *testing.T) { compareForces(t, hashFilled(t, c.cfg), frames, tol) })
	}
}

// compareForces evaluates a model in both precisions. Over all frames together, the largest difference of a force component
// must stay below tol of the largest component in float64, and so must the root mean square of the differences relative to
// that of the components.
func compareForces(t *testing.T, m *Model, frames []dataset.Frame, tol float64) {
	t.Helper()
	compareForcesAt(t, Place{Threads: 2}, m, frames, tol)
}

// compareForcesAt compares float32 at a place with float64 on the processor.
func compareForcesAt(t *testing.T, at Place, m *Model, frames []dataset.Frame, tol float64) {
	t.Helper()
	got, want := forcesIn(t, at, Float32, m, frames), forcesIn(t, Place{Threads: 2}, Float64, m, frames)
	var largest, worst, squares, errors float64
	for k, f := range want {
		d := got[k] - f
		largest, worst = math.Max(largest, math.Abs(f)), math.Max(worst, math.Abs(d))
		squares, errors = squares+f*f, errors+d*d
	}
	byLargest, byRMS := worst/largest, math.Sqrt(errors/squares)
	t.Logf("largest difference %.1e of the largest force component %.3g eV/Å; root mean square %.1e", byLargest, largest, byRMS)
	if !(byLargest < tol && byRMS < tol) { // NaN too
		t.Errorf("float32 and float64 differ by %.1e of the largest force component and %.1e in the root mean square, want less than %g", byLargest, byRMS, tol)
	}
}

// forcesIn returns the forces of all frames, eV/Å.
func forcesIn(t *testing.T, at Place, precision Precision, m *Model, frames []dataset.Frame) []float64 {
	t.Helper()
	e, err := NewEvaluatorAt(m, precision, at)
	if err != nil {
		t.Fatal(err)
	}
	predictions, err := e.Evaluate(frames)
	if err != nil {
		t.Fatal(err)
	}
	var forces []float64
	for _, p := range predictions {
		forces = append(forces, p.Forces...)
	}
	return forces
}
