package dpa2

import (
	"math/rand/v2"
	"testing"

	"github.com/fedlam/fedlam/dataset"
	"github.com/fedlam/fedlam/training/weights"
)

// moleculeConfig is a small model for organic molecules.
func moleculeConfig() *Config {
	c := DefaultConfig()
	c.TypeMap = []string{"H", "C", "N", "O"}
	r, p := &c.Descriptor.Repinit, &c.Descriptor.Repformer
	r.RCut, r.RCutSmooth, r.NSel, r.Neuron, r.AxisNeuron = 5, 0.5, Sel{Count: 40}, []int{8, 16, 32}, 4
	p.RCut, p.RCutSmooth, p.NSel, p.NLayers, p.G1Dim, p.G2Dim, p.AxisNeuron = 4, 3, Sel{Count: 24}, 2, 32, 8, 4
	p.Attn1Hidden, p.Attn1NHead, p.Attn2Hidden, p.Attn2NHead, p.Attn2HasGate = 16, 2, 8, 2, true
	p.UpdateStyle, p.Residual = "res_residual", 0.01
	p.G1Attn, p.G2G1G1 = false, false
	c.Fitting.Neuron = []int{64, 64, 64}
	return c
}

// molecules returns frames of 27 atoms at the density of a molecule.
func molecules(r *rand.Rand, cfg *Config, n int) []dataset.Frame {
	frames := make([]dataset.Frame, n)
	for k := range frames {
		frames[k] = labelled(r, randomFrame(r, cfg, 27, false))
	}
	return frames
}

// BenchmarkStep measures a training step with energy and force terms: 4 frames of 27 atoms.
func BenchmarkStep(b *testing.B) {
	attention := moleculeConfig()
	official := officialInput(false, 3)
	official.TypeMap = []string{"H", "C", "N", "O"}
	plain := moleculeConfig()
	plain.Descriptor.Repformer.G2Attn = false
	for _, c := range []struct {
		name      string
		cfg       *Config
		precision Precision
		threads   int
	}{
		{"molecules-f32", attention, Float32, 2},
		{"molecules-f32-1thread", attention, Float32, 1},
		{"molecules-f64", attention, Float64, 2},
		{"molecules-no-attention-f32", plain, Float32, 2},
		{"official-small-f32", official, Float32, 2},
	} {
		b.Run(c.name, func(b *testing.B) {
			r := rand.New(rand.NewPCG(1, 1))
			m := randomModel(b, r, c.cfg)
			loss := DefaultLoss()
			step, err := NewTrainingStep(c.cfg, loss, c.precision, c.threads)
			if err != nil {
				b.Fatal(err)
			}
			batch, err := NewBatch(c.cfg, molecules(r, c.cfg, 4))
			if err != nil {
				b.Fatal(err)
			}
			grad := &weights.Set{}
			b.ReportAllocs()
			for b.Loop() {
				if _, err := step.Run(m, batch, loss.At(1e-3, 1e-3), grad); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkBatch measures the preparation of a batch: what each frame needs once, and what each batch needs.
func BenchmarkBatch(b *testing.B) {
	cfg := moleculeConfig()
	cfg.Descriptor.Repinit.UseThreeBody = true
	frames := molecules(rand.New(rand.NewPCG(1, 1)), cfg, 4)
	samples := make([]*Sample, len(frames))
	prepare := func(b *testing.B) {
		for k := range frames {
			var err error
			if samples[k], err = NewSample(cfg, &frames[k]); err != nil {
				b.Fatal(err)
			}
		}
	}
	prepare(b)
	b.Run("samples", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			prepare(b)
		}
	})
	b.Run("collate", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := Collate(cfg, samples); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("collate-reused", func(b *testing.B) {
		c := NewCollator(cfg)
		b.ReportAllocs()
		for b.Loop() {
			if _, err := c.Collate(samples); err != nil {
				b.Fatal(err)
			}
		}
	})
}
