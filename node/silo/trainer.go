package silo

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/fedlam/fedlam/federation"
	"github.com/fedlam/fedlam/training"
	"github.com/fedlam/fedlam/training/weights"
)

// Lengths returns how many numbers the trunk and each head have in SetupSums. They follow from the model.
func (s *Silo) Lengths() (trunk, head int) { return Applier{s.cfg.Recipe.Model}.Lengths() }

// Collect implements federation.Trainer.
func (s *Silo) Collect(ctx context.Context) (federation.SetupSums, error) {
	stats, err := s.trainer.EnvStats()
	if err != nil {
		return federation.SetupSums{}, fmt.Errorf("sum the statistics: %w", err)
	}
	sums := federation.SetupSums{Trunk: stats.Sums, Elements: make([]bool, s.cfg.Recipe.Model.NumTypes()), Heads: map[string][]float64{}}
	for _, h := range s.heads {
		if err := ctx.Err(); err != nil {
			return federation.SetupSums{}, err
		}
		q, err := s.trainer.NormalEquations(h.Key)
		if err != nil {
			return federation.SetupSums{}, fmt.Errorf("sum the normal equations of head %s: %w", h.Key, err)
		}
		sums.Heads[h.Key] = q.Pack()
		for k, occurs := range h.Elements {
			sums.Elements[k] = sums.Elements[k] || occurs
		}
	}
	return sums, nil
}

// Apply implements federation.Trainer.
func (s *Silo) Apply(ctx context.Context, w *weights.Set, totals federation.SetupTotals) (*weights.Set, error) {
	return Applier{s.cfg.Recipe.Model}.Apply(ctx, w, totals)
}

// Install implements federation.Trainer. When it is first called the heads that are not shared get their references.
func (s *Silo) Install(_ context.Context, w *weights.Set) error {
	mine := &weights.Set{}
	for _, t := range w.Tensors() {
		if s.has[t.Name] {
			mine.Put(s.keepRows(*t))
		}
	}
	if mine.Len() == 0 {
		return errors.New("install weights: none of the tensors belongs to this member's model")
	}
	if err := s.trainer.SetWeights(mine); err != nil {
		return err
	}
	return s.prepareLocalHeads(mine)
}

// CloseRows says which elements of the model too few members have for their rows to be summed: Install keeps the own rows
// of those once something was trained here.
func (s *Silo) CloseRows(closed []bool) { s.closed = closed }

// elementRows is the tensor with one row per element of the type map.
const elementRows = "descriptor/type_embedding/embedding/layers/0/@variables/w"

// keepRows returns a certified tensor with the own rows of closed elements put in.
func (s *Silo) keepRows(t weights.Tensor) weights.Tensor {
	if t.Name != elementRows || s.Step() == 0 || !slices.Contains(s.closed, true) {
		return t
	}
	own, ok := s.trainer.Weights().Get(elementRows)
	if !ok || len(own.Data) != len(t.Data) || len(s.closed)*t.Shape[1] != len(t.Data) {
		return t
	}
	t.Data = slices.Clone(t.Data)
	for e, closed := range s.closed {
		if row := t.Shape[1]; closed {
			copy(t.Data[e*row:(e+1)*row], own.Data[e*row:(e+1)*row])
		}
	}
	return t
}

// prepareLocalHeads gives energy references to the heads that certified does not hold, as long as nothing was trained.
func (s *Silo) prepareLocalHeads(certified *weights.Set) error {
	if s.Step() > 0 {
		return nil
	}
	for _, h := range s.heads {
		if _, shared := certified.Get(biasName(h.Key)); shared {
			continue
		}
		ref, err := s.trainer.Reference(h.Key)
		if err != nil {
			return fmt.Errorf("head %s, which stays local: %w", h.Key, err)
		}
		if err := s.trainer.SetReference(h.Key, ref.PerType); err != nil {
			return err
		}
	}
	return nil
}

// Train implements federation.Trainer: local steps from w. The update is w minus the result, for every tensor that moved.
func (s *Silo) Train(ctx context.Context, w *weights.Set, steps int) (federation.Update, error) {
	if err := s.Install(ctx, w); err != nil {
		return federation.Update{}, err
	}
	if err := s.Steps(ctx, steps, s.progress(steps)); err != nil {
		return federation.Update{}, err
	}
	return federation.Update{Tensors: difference(w, s.trainer.Weights(), s.Trainable())}, nil
}

// progress tells every few seconds how far local training is.
func (s *Silo) progress(steps int) func(training.Progress) {
	first := s.Step()
	s.told = time.Now()
	var waited time.Duration
	return func(p training.Progress) {
		waited += p.Waited
		if !p.Displayed {
			return
		}
		s.told = time.Now()
		s.cfg.Log.Info("training locally", "step", p.Step-first, "of", steps, "head", p.Head, "force_error", fmt.Sprintf("%.3g eV/Å", p.Errors.Force),
			"waited_for_data", waited.Round(time.Millisecond))
	}
}

const tellEvery = 5 * time.Second

// difference returns before minus after for the tensors of names that are in before.
func difference(before, after *weights.Set, names []string) map[string][]float32 {
	out := map[string][]float32{}
	for _, name := range names {
		b, ok := before.Get(name)
		a, trained := after.Get(name)
		if !ok || !trained || slices.Equal(a.Data, b.Data) {
			continue
		}
		d := make([]float32, len(b.Data))
		for i := range d {
			d[i] = float32(b.Data[i] - a.Data[i])
		}
		out[name] = d
	}
	return out
}

var _ federation.Streamer = (*Silo)(nil)
