package dpa2

import (
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
)

// TestCollatorReusesMemory lays out large and small batches in the same memory; nothing of one is left in the next.
func TestCollatorReusesMemory(t *testing.T) {
	cfg := moleculeConfig()
	cfg.Descriptor.Repinit.UseThreeBody = true
	cfg.Descriptor.Repinit.SetDavgZero = false
	r := rand.New(rand.NewPCG(3, 4))
	var samples []*Sample
	for _, atoms := range []int{27, 1, 12, 30, 5} {
		f := labelled(r, randomFrame(r, cfg, atoms, false))
		s, err := NewSample(cfg, &f)
		if err != nil {
			t.Fatal(err)
		}
		samples = append(samples, s)
	}
	c := NewCollator(cfg)
	for _, list := range [][]int{{0, 3}, {1}, {4, 2, 1}, {3}, {0, 1, 2, 3, 4}, {2}} {
		var chosen []*Sample
		for _, k := range list {
			chosen = append(chosen, samples[k])
		}
		want, err := Collate(cfg, chosen)
		if err != nil {
			t.Fatal(err)
		}
		got, err := c.Collate(chosen)
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(got.samples, want.samples) || !slices.Equal(got.first, want.first) || !slices.Equal(got.types, want.types) ||
			!maps.Equal(got.sizes, want.sizes) || !maps.EqualFunc(got.indices, want.indices, slices.Equal) ||
			!maps.EqualFunc(got.inputs, want.inputs, slices.Equal) || !maps.EqualFunc(got.counts, want.counts, slices.Equal) {
			t.Errorf("samples %v in used memory give another batch than in fresh memory", list)
		}
	}
	if _, err := c.Collate(nil); err == nil {
		t.Error("a batch without frames was made")
	}
}
