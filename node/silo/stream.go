package silo

import (
	"context"
	"errors"
	"fmt"

	"github.com/fedlam/fedlam/federation"
	"github.com/fedlam/fedlam/training"
	"github.com/fedlam/fedlam/training/weights"
)

// stream is the place in a training that goes on across rounds.
type stream struct {
	lead federation.Lead
	done int // steps since the last Continue
}

// Continue implements federation.Streamer.
func (s *Silo) Continue(ctx context.Context, w *weights.Set, steps int) (federation.Update, error) {
	if s.stream.lead.Certified() == nil { // training failed since the last Merge
		if err := s.Merge(ctx, w, nil); err != nil {
			return federation.Update{}, err
		}
	}
	if err := s.Ahead(ctx, steps); err != nil {
		return federation.Update{}, err
	}
	local := s.Weights()
	s.stream.lead.HandOver(local)
	s.stream.done = 0
	return federation.Update{Tensors: difference(w, local, s.Trainable())}, nil
}

// Ahead implements federation.Streamer. When training fails, local progress is given up: the next Merge brings all certified weights.
func (s *Silo) Ahead(ctx context.Context, steps int) error {
	left := steps - s.stream.done
	if left <= 0 {
		return nil
	}
	tell := s.progress(left)
	err := s.Steps(ctx, left, func(p training.Progress) {
		s.stream.done++
		tell(p)
	})
	if err == nil {
		if err = s.Weights().Finite(); err != nil {
			err = fmt.Errorf("the local training diverged: lower its learning rate: %w", err)
		}
	}
	if err != nil && ctx.Err() == nil {
		s.stream = stream{}
	}
	return err
}

// Merge implements federation.Streamer.
func (s *Silo) Merge(ctx context.Context, w *weights.Set, taken []federation.Slice) error {
	return s.Install(ctx, s.stream.lead.Merge(s.Weights(), w, taken))
}

// asCertified does something with the certified weights of trunk and shared heads in place of those that training has reached.
func (s *Silo) asCertified(ctx context.Context, do func() error) error {
	w := s.stream.lead.Certified()
	if w == nil {
		return do()
	}
	local := s.Weights()
	if err := s.Install(ctx, w); err != nil {
		return err
	}
	return errors.Join(do(), s.trainer.SetWeights(local))
}
