package training

import (
	"math"
	"testing"

	"github.com/fedlam/fedlam/training/neighbor"
)

// TestSpread checks floors and defaults of the normalisation.
func TestSpread(t *testing.T) {
	s := NewEnvStats([]EnvBlock{{RCut: 6, RCutSmooth: 0.5, NSel: 10}}, 2)
	if got, want := s.Spread(0, 1), (Spread{0, 0.1, 0.1}); got != want {
		t.Errorf("no data: %+v, want %+v", got, want)
	}
	copy(s.Sums, []float64{100, 50, 25, 300, 0, 3})
	if got, want := s.Spread(0, 0), (Spread{0.5, 0.01, 0.1}); got != want {
		t.Errorf("constant radial part: %+v, want %+v", got, want)
	}
	if err := s.Merge(make([]float64, 3)); err == nil {
		t.Error("sums of another model were merged")
	}
}

// TestEnvStatsByHand has two atoms 2 Å apart along x, one of which is excluded from the other's view.
func TestEnvStatsByHand(t *testing.T) {
	list, err := neighbor.Build([]float64{0, 0, 0, 2, 0, 0}, nil, nil, 6, 0)
	if err != nil {
		t.Fatal(err)
	}
	s := NewEnvStats([]EnvBlock{{RCut: 6, RCutSmooth: 3, NSel: 4}}, 2)
	skip := func(centre, _ int32) bool { return centre == 1 }
	if err := s.Add(list, []int32{0, 1}, skip); err != nil {
		t.Fatal(err)
	}
	want := []float64{4, 0.5, 0.25, 12, 0.5, 0.25, 3, 0, 0, 9, 0, 0}
	for k, w := range want {
		if math.Abs(s.Sums[k]-w) > 1e-15 {
			t.Errorf("sum %d is %g, want %g", k, s.Sums[k], w)
		}
	}
	if err := s.Add(list, []int32{0}, nil); err == nil {
		t.Error("a list of other atoms was accepted")
	}
}
