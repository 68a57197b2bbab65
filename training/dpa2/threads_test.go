package dpa2

import (
	"runtime"
	"testing"
)

// TestThreads requires that 0 threads mean all cores: it once meant a single one.
func TestThreads(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(3))
	m, err := New(moleculeConfig(), 1)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ threads, want int }{{0, 3}, {1, 1}, {2, 2}} {
		for _, precision := range []Precision{Float32, Float64} {
			e, err := NewEvaluator(m, precision, c.threads)
			if err != nil {
				t.Fatal(err)
			}
			if got := e.Meter().(interface{ Threads() int }).Threads(); got != c.want {
				t.Errorf("%s evaluator for %d threads: got %d workers, want %d", precision, c.threads, got, c.want)
			}
		}
	}
	s, err := NewTrainingStep(m.Config, DefaultLoss(), Float32, 0)
	if err != nil {
		t.Fatal(err)
	}
	if got := s.Meter().(interface{ Threads() int }).Threads(); got != 3 {
		t.Errorf("training step for 0 threads: got %d workers, want 3", got)
	}
}
