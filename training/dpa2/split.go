package dpa2

import (
	"errors"
	"fmt"
	"sync"

	"github.com/fedlam/fedlam/training/weights"
)

// A SplitStep is a TrainingStep on several GPUs of one machine: each does some frames of a batch, and gradients are added up on the host in the order of
// the GPUs. The loss is the mean over the whole batch, so results differ from those of one GPU in rounding alone. What a batch does with too few frames
// for all GPUs is done by some of them.
type SplitStep struct {
	parts []*splitPart
}

// splitPart is the share of one GPU.
type splitPart struct {
	step     *TrainingStep
	collator *Collator
	gradient *weights.Set
	metrics  Metrics
	err      error
}

// NewSplitStep compiles the step on the device of the place and on all further ones.
func NewSplitStep(cfg *Config, loss LossConfig, precision Precision, at Place) (*SplitStep, error) {
	if at.Device == nil || len(at.More) == 0 {
		return nil, errors.New("a batch is split between two GPUs or more")
	}
	s := &SplitStep{}
	for k := range len(at.More) + 1 {
		own := Place{Threads: at.Threads, Device: at.Device}
		if k > 0 {
			own.Device = at.More[k-1]
		}
		step, err := NewTrainingStepAt(cfg, loss, precision, own)
		if err != nil {
			return nil, errors.Join(fmt.Errorf("GPU %d of %d: %w", k, len(at.More)+1, err), s.Close())
		}
		s.parts = append(s.parts, &splitPart{step: step, collator: NewCollator(cfg), gradient: &weights.Set{}})
	}
	return s, nil
}

// Close frees the memory of all GPUs.
func (s *SplitStep) Close() error {
	var failed []error
	for _, p := range s.parts {
		failed = append(failed, p.step.Close())
	}
	return errors.Join(failed...)
}

// Trainable is TrainingStep.Trainable.
func (s *SplitStep) Trainable(head string) []string { return s.parts[0].step.Trainable(head) }

// Run is TrainingStep.Run.
func (s *SplitStep) Run(m *Model, b *Batch, p Prefactors, grad *weights.Set) (Metrics, error) {
	shares := shareOut(b.samples, len(s.parts))
	whole := b.labelled()
	var wait sync.WaitGroup
	for k, samples := range shares {
		part := s.parts[k]
		wait.Go(func() { part.run(m, samples, &whole, p) })
	}
	wait.Wait()
	for _, part := range s.parts[:len(shares)] {
		if part.err != nil {
			return Metrics{}, part.err
		}
	}
	return s.add(len(shares), grad), nil
}

func (p *splitPart) run(m *Model, samples []*Sample, whole *[3]float64, prefactors Prefactors) {
	var b *Batch
	if b, p.err = p.collator.Collate(samples); p.err != nil {
		return
	}
	b.part = whole
	p.metrics, p.err = p.step.Run(m, b, prefactors, p.gradient)
}

// add adds up losses, errors and gradients of the first so many parts.
func (s *SplitStep) add(parts int, grad *weights.Set) (m Metrics) {
	loss := 0.0
	for k, p := range s.parts[:parts] {
		loss += p.metrics.Loss
		m.Merge(p.metrics)
		for _, from := range p.gradient.Tensors() {
			to := dataLike(grad, from)
			if k == 0 {
				copy(to, from.Data)
				continue
			}
			for i, v := range from.Data {
				to[i] += v
			}
		}
	}
	m.Loss = loss
	return m
}

// shareOut divides frames, in their order, into as many shares as there are GPUs or frames, with about as many neighbours each.
func shareOut(samples []*Sample, gpus int) (shares [][]*Sample) {
	total := 0
	for _, s := range samples {
		total += s.work()
	}
	done := 0
	for k := gpus; k > 0 && len(samples) > 0; k-- {
		n, mine := 0, 0
		for n < len(samples) && (n == 0 || k == 1 || len(samples)-n >= k && mine+samples[n].work()/2 < (total-done)/k) {
			mine += samples[n].work()
			n++
		}
		shares, samples, done = append(shares, samples[:n]), samples[n:], done+mine
	}
	return shares
}

// work estimates what a frame costs: its neighbours, and its atoms where they have none.
func (s *Sample) work() int { return len(s.delta)/3 + s.NumAtoms() }
