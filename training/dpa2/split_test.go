package dpa2

import (
	"fmt"
	"math"
	"testing"

	"github.com/fedlam/fedlam/dataset"
	"github.com/fedlam/fedlam/kernels/cuda"
	"github.com/fedlam/fedlam/kernels/cuda/cudatest"
	"github.com/fedlam/fedlam/training/weights"
)

// twoDevices opens both devices of the fake.
func twoDevices(t *testing.T) Place {
	t.Helper()
	at := Place{Threads: 1, Device: cudatest.Open(t)}
	second, err := cuda.Open(cuda.Config{Library: cudatest.Library(t), Ordinal: 1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := second.Close(); err != nil {
			t.Error(err)
		}
	})
	at.More = []*cuda.Device{second}
	return at
}

// TestSplitStep compares two GPUs with the processor, on batches of frames of different sizes of which some lack labels, and on one of a single
// frame; twice for the same bits.
func TestSplitStep(t *testing.T) {
	m, err := New(moleculeConfig(), 1)
	if err != nil {
		t.Fatal(err)
	}
	loss, p := DefaultLoss(), Prefactors{Energy: 1, Force: 100, Virial: 0.5}
	loss.StartPrefV, loss.LimitPrefV = 1, 1
	split, err := NewSplitStep(m.Config, loss, Float64, twoDevices(t))
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := split.Close(); err != nil {
			t.Error(err)
		}
	}()
	for _, frames := range [][]dataset.Frame{splitFrames(5), splitFrames(1), splitFrames(2)} {
		t.Run(fmt.Sprintf("%d frames", len(frames)), func(t *testing.T) {
			host, want := runStepAt(t, Place{Threads: 2}, Float64, m, loss, p, frames)
			b, err := NewBatch(m.Config, frames)
			if err != nil {
				t.Fatal(err)
			}
			var sets [2]weights.Set
			var metrics [2]Metrics
			for k := range sets {
				if metrics[k], err = split.Run(m, b, p, &sets[k]); err != nil {
					t.Fatal(err)
				}
			}
			got := metrics[0]
			if metrics[1] != got || got.Frames != host.Frames || got.Energy.N != host.Energy.N || got.Force.N != host.Force.N || got.Virial.N != host.Virial.N {
				t.Errorf("errors %+v and %+v, want %+v", got, metrics[1], host)
			}
			if math.Abs(got.Loss-host.Loss) > 1e-10*host.Loss || math.Abs(got.Force.Squares-host.Force.Squares) > 1e-10*host.Force.Squares {
				t.Errorf("errors %+v, want %+v", got, host)
			}
			sameGradients(t, &sets[0], &sets[1])
			nearGradients(t, &sets[0], want, 1e-10)
		})
	}
	if _, err := NewSplitStep(m.Config, loss, Float64, Place{}); err == nil {
		t.Error("a batch was split without GPUs")
	}
}

// splitFrames are frames of two to three molecules; the second has no forces, the third no energy.
func splitFrames(n int) []dataset.Frame {
	frames := make([]dataset.Frame, n)
	for k := range frames {
		f := &frames[k]
		*f = labelledWater()
		atoms := 6 + 3*(k%2)
		f.Species, f.Positions, f.Forces = f.Species[:atoms], f.Positions[:3*atoms], f.Forces[:3*atoms]
		switch k {
		case 1:
			f.Forces = nil
		case 2:
			f.Energy = nil
		}
	}
	return frames
}

// TestShareOut looks at who gets which frames.
func TestShareOut(t *testing.T) {
	for _, c := range []struct {
		work []int
		gpus int
		want string
	}{
		{[]int{5}, 2, "[1]"}, {[]int{5, 5}, 2, "[1 1]"}, {[]int{1, 1, 1, 1}, 2, "[2 2]"}, {[]int{9, 1, 1, 1}, 2, "[1 3]"},
		{[]int{1, 1, 1, 9}, 2, "[3 1]"}, {[]int{1, 1, 1, 1, 1}, 3, "[1 2 2]"}, {[]int{9, 1}, 3, "[1 1]"},
	} {
		var samples []*Sample
		for _, w := range c.work {
			samples = append(samples, &Sample{delta: make([]float64, 3*w)})
		}
		var got []int
		for _, share := range shareOut(samples, c.gpus) {
			got = append(got, len(share))
		}
		if fmt.Sprint(got) != c.want {
			t.Errorf("%v on %d GPUs: %v, want %s", c.work, c.gpus, got, c.want)
		}
	}
}
