package training

import (
	"context"
	"testing"

	"github.com/fedlam/fedlam/kernels/cuda"
	"github.com/fedlam/fedlam/kernels/cuda/cudatest"
	"github.com/fedlam/fedlam/training/dpa2"
)

// TestTwoDevicesTrainLikeHost compares steps of two heads, whose batches two devices share, with the same on the processor; and two runs with each
// other.
func TestTwoDevicesTrainLikeHost(t *testing.T) {
	const steps = 8
	second, err := cuda.Open(cuda.Config{Library: cudatest.Library(t), Ordinal: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := second.Close(); err != nil {
			t.Error(err)
		}
	}()
	first := cudatest.Open(t)
	run := func(devices ...*cuda.Device) *Trainer {
		cfg := toyConfig(t, steps)
		cfg.Precision = dpa2.Float64
		if len(devices) > 0 {
			cfg.Place.Device, cfg.Place.More = devices[0], devices[1:]
		}
		tr := toyTrainer(t, cfg, toyHeads())
		if err := tr.Run(context.Background(), steps, nil); err != nil {
			t.Fatal(err)
		}
		if err := tr.Close(); err != nil {
			t.Error(err)
		}
		return tr
	}
	host, both, again := run(), run(first, second), run(first, second)
	if off := apart(t, both.Weights(), host.Weights()); off > 1e-9 {
		t.Errorf("weights are %.1e apart from those of the processor", off)
	}
	if off := apart(t, both.Weights(), again.Weights()); off != 0 {
		t.Errorf("weights of a second run are %.1e apart", off)
	}
}
