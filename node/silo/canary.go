package silo

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"

	"github.com/fedlam/fedlam/dataset"
	"github.com/fedlam/fedlam/federation"
	"github.com/fedlam/fedlam/training"
	"github.com/fedlam/fedlam/training/dpa2"
	"github.com/fedlam/fedlam/training/weights"
)

// canaryAtoms is how many atoms are evaluated between two looks at the context.
const canaryAtoms = 512

// Judge implements federation.Trainer. Every canary set has a model of its own, made of the given weights alone: what this member has trained
// does not matter, nor whether it has data of the head. A model whose predictions are not finite has an error of NaN.
func (s *Silo) Judge(ctx context.Context, w *weights.Set) (map[string]federation.CanaryError, error) {
	out := map[string]federation.CanaryError{}
	for _, key := range slices.Sorted(maps.Keys(s.cfg.Canaries)) {
		m, err := s.tryCanary(ctx, w, key)
		switch {
		case errors.Is(err, dpa2.ErrOverflow):
			out[key] = federation.CanaryError{Energy: math.NaN(), Force: math.NaN()}
		case err != nil:
			return nil, fmt.Errorf("canary set of head %s: %w", key, err)
		case m.Energy.N == 0 || m.Force.N == 0:
			return nil, fmt.Errorf("canary set of head %s: %d energies and %d force components have labels, want some of both", key, m.Energy.N, m.Force.N)
		default:
			out[key] = federation.CanaryError{Energy: m.Energy.RMSE, Force: m.Force.RMSE}
		}
	}
	return out, nil
}

// tryCanary evaluates one set.
func (s *Silo) tryCanary(ctx context.Context, w *weights.Set, key string) (training.Metrics, error) {
	model := &dpa2.Model{Config: s.cfg.Recipe.Model, Params: w, Head: key}
	precision := s.cfg.Precision
	if precision == "" {
		precision = s.cfg.Recipe.Model.Precision()
	}
	place := s.cfg.Place
	if place.Threads == 0 {
		place.Threads = s.cfg.Threads
	}
	evaluator, err := dpa2.NewEvaluatorAt(model, precision, place)
	if err != nil {
		return training.Metrics{}, err
	}
	m, err := s.compareCanary(ctx, evaluator, key)
	return m, errors.Join(err, evaluator.Close())
}

// compareCanary evaluates a set with an evaluator.
func (s *Silo) compareCanary(ctx context.Context, evaluator *dpa2.Evaluator, key string) (training.Metrics, error) {
	var c training.Comparison
	for rest := s.cfg.Canaries[key]; len(rest) > 0; {
		if err := ctx.Err(); err != nil {
			return training.Metrics{}, err
		}
		n := some(rest)
		predictions, err := evaluator.Evaluate(rest[:n])
		if err != nil {
			return training.Metrics{}, err
		}
		for k := range predictions {
			c.Add(&rest[k], &predictions[k])
		}
		rest = rest[n:]
	}
	return c.Metrics(), nil
}

// some says how many of the first frames are evaluated together, at least one.
func some(frames []dataset.Frame) int {
	atoms := frames[0].NumAtoms()
	for n := 1; n < len(frames); n++ {
		if atoms += frames[n].NumAtoms(); atoms > canaryAtoms {
			return n
		}
	}
	return len(frames)
}
