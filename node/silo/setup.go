package silo

import (
	"fmt"
	"maps"
	"slices"

	"github.com/fedlam/fedlam/training"
	"github.com/fedlam/fedlam/training/dpa2"
	"github.com/fedlam/fedlam/training/weights"
)

// applySetup returns a copy of w with the statistics in the trunk and an energy reference in every head that was summed. It
// is what members sign, so every product is rounded by itself and the order of operations is fixed.
func applySetup(model *dpa2.Config, w *weights.Set, stats *training.EnvStats, heads map[string][]float64) (*weights.Set, error) {
	out := w.Clone()
	if err := training.ApplyEnvStats(model, out, stats); err != nil {
		return nil, err
	}
	for _, key := range slices.Sorted(maps.Keys(heads)) {
		sums, err := training.UnpackNormalEquations(model.NumTypes(), heads[key])
		if err != nil {
			return nil, fmt.Errorf("energy reference of head %s: %w", key, err)
		}
		bias, ok := out.Get(biasName(key))
		if !ok || len(bias.Data) != model.NumTypes() {
			return nil, fmt.Errorf("energy reference of head %s: the weights have no such head", key)
		}
		if sums.N > 0 {
			copy(bias.Data, minimumNorm(sums.ATA, sums.ATB))
		}
	}
	return out, nil
}

func biasName(key string) string { return dpa2.HeadPath(key, "@variables/out_bias") }
