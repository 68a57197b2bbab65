package silo

import (
	"context"

	"github.com/fedlam/fedlam/federation"
	"github.com/fedlam/fedlam/training"
	"github.com/fedlam/fedlam/training/dpa2"
	"github.com/fedlam/fedlam/training/weights"
)

// An Applier does what the setup round does with its totals. That needs the model and no data, so that anybody can do it again.
type Applier struct{ Model *dpa2.Config }

var _ federation.Applier = Applier{}

// Lengths implements federation.Applier.
func (a Applier) Lengths() (trunk, head int) {
	return len(training.ModelStats(a.Model).Sums), len(training.NewNormalEquations(a.Model.NumTypes()).Pack())
}

// Apply implements federation.Applier.
func (a Applier) Apply(_ context.Context, w *weights.Set, totals federation.SetupTotals) (*weights.Set, error) {
	stats := training.ModelStats(a.Model)
	if err := stats.Merge(totals.Trunk); err != nil {
		return nil, err
	}
	return applySetup(a.Model, w, stats, totals.Heads)
}
