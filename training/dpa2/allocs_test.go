package dpa2

import (
	"math/rand/v2"
	"testing"

	"github.com/fedlam/fedlam/training/weights"
)

// TestStepAllocatesNothing requires that a training step, once warm, takes no memory from the heap.
func TestStepAllocatesNothing(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 5))
	cfg := moleculeConfig()
	m, err := NewHead(cfg, "water", 1)
	if err != nil {
		t.Fatal(err)
	}
	batch, err := NewBatch(cfg, molecules(r, cfg, 2))
	if err != nil {
		t.Fatal(err)
	}
	for _, threads := range []int{1, 2} {
		loss, grad := DefaultLoss(), &weights.Set{}
		step, err := NewTrainingStep(cfg, loss, Float32, threads)
		if err != nil {
			t.Fatal(err)
		}
		run := func() {
			if _, err := step.Run(m, batch, loss.At(1e-3, 1e-3), grad); err != nil {
				t.Fatal(err)
			}
		}
		run()
		if n := testing.AllocsPerRun(20, run); n != 0 {
			t.Errorf("%d threads: got %g allocations per step, want none", threads, n)
		}
	}
}
