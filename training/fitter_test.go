package training

import (
	"testing"

	"github.com/fedlam/fedlam/kernels/cuda/cudatest"
	"github.com/fedlam/fedlam/training/dpa2"
)

// TestDeviceFillsMemory checks batches of "auto:memory": frames of all sizes until half of the memory or 4096 atoms are reached,
// the same each time; and that batches take what was foreseen.
func TestDeviceFillsMemory(t *testing.T) {
	d := cudatest.Open(t)
	heads := toyHeads()
	heads[0].BatchSize = fillMemory
	cfg := deviceConfig(t, d, 5)
	tr, again := deviceTrainer(t, cfg, heads), deviceTrainer(t, cfg, heads)
	if n := len(tr.sampler.heads[0].systems); n != 1 {
		t.Fatalf("%d systems, want one of all frames", n)
	}
	system := tr.sampler.heads[0].systems[0]
	if most := again.sampler.heads[0].systems[0].most; most != system.most {
		t.Errorf("%d atoms, and %d another time", system.most, most)
	}
	if batch := system.take(); len(batch) != len(heads[0].Train) { // these are few
		t.Errorf("a batch of %d frames of %d", len(batch), len(heads[0].Train))
	}
	fit := &fitter{cfg: &tr.cfg}
	largest := &heads[0].Train[len(heads[0].Train)-1]
	taken, err := fit.memory(largest, 40, tr.heads[0].model)
	if err != nil {
		t.Fatal(err)
	}
	each, half := float64(taken)/float64(40*largest.NumAtoms()), float64(d.Info().Memory)/2
	if foreseen := each * float64(system.most); foreseen > 1.05*half || system.most < mostFilledAtoms && foreseen < 0.9*half {
		t.Errorf("%d atoms, which take %.0f bytes each, of %.0f", system.most, each, half)
	}
	if err := fit.close(); err != nil {
		t.Error(err)
	}
	run(t, again, 5)
	cfg.Place = dpa2.Place{}
	if s := toyTrainer(t, cfg, heads).sampler.heads[0].systems; len(s) != 2 || s[0].perBatch != 8 {
		t.Errorf("on the processor %d systems with %d frames in a batch, want 2 with the 8 of \"auto\"", len(s), s[0].perBatch)
	}
}
