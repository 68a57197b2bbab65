package dpa2

import (
	"fmt"
	"slices"

	"github.com/fedlam/fedlam/training/graph"
	"github.com/fedlam/fedlam/training/weights"
)

// A TrainingStep computes a loss and its gradient by every trained tensor. One step serves all heads of one
// architecture: give Run the model of the head. It keeps its memory between runs and is for one goroutine.
type TrainingStep struct {
	cfg         *Config
	loss        LossConfig
	run         runner
	trainable   []string // paths in the DeePMD tree, without head
	extra       map[string][]float64
	derivatives bool // the program computes forces and virials
	out         struct{ loss, energy, force, virial []float64 }
}

// NewTrainingStep compiles the step in a precision, for the given number of threads (0 = all cores). The gradient's
// bits do not depend on threads.
func NewTrainingStep(cfg *Config, loss LossConfig, precision Precision, threads int) (*TrainingStep, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	if err := cfg.resolved(); err != nil {
		return nil, err
	}
	if err := loss.Validate(); err != nil {
		return nil, fmt.Errorf("loss: %w", err)
	}
	s := &TrainingStep{cfg: cfg, loss: loss, extra: map[string][]float64{}}
	g := buildEnergy(cfg)
	var f forces
	outputs := map[string]*graph.Tensor{"energy": g.frameEnergies}
	if loss.hasForce() || loss.hasVirial() {
		s.derivatives = true
		f = g.buildForces()
		outputs["force"], outputs["virial"] = f.force, f.virial
	}
	total := g.buildLoss(&loss, f)
	outputs["loss"] = total
	var params []*graph.Tensor
	for _, p := range cfg.params() {
		if x := g.used[p.path]; x != nil && p.trainable {
			s.trainable = append(s.trainable, p.path)
			params = append(params, x)
		}
	}
	for k, grad := range g.Grad(total, params...) {
		outputs["gradient."+s.trainable[k]] = grad
	}
	p, err := g.Compile(outputs)
	if err != nil {
		return nil, fmt.Errorf("compile training step: %w", err)
	}
	s.run, err = newRunner(cfg, p, g.used, precision, threads)
	return s, err
}

// Trainable returns the names, under the given head, of the tensors that Run gives a gradient for.
func (s *TrainingStep) Trainable(head string) []string {
	names := make([]string, len(s.trainable))
	for k, path := range s.trainable {
		names[k] = HeadPath(head, path)
	}
	return names
}

// Run computes the loss of a batch with the current weights of m, and replaces the gradients in grad (tensor by
// tensor, under the names and shapes of m.Params). Forces and virials are among the errors only if one of them is part
// of the loss. m must be of the step's configuration, but for names of heads and buffers.
func (s *TrainingStep) Run(m *Model, b *Batch, p Prefactors, grad *weights.Set) (Metrics, error) {
	if err := s.run.load(m); err != nil {
		return Metrics{}, fmt.Errorf("training step: %w", err)
	}
	l := s.loss.labels(b, b.references(m))
	for name, v := range map[string][]float64{
		"label.energy": l.energy, "label.force": l.force, "label.virial": l.virial,
		"weight.energy": l.energyWeight, "weight.force": l.forceWeight, "weight.virial": l.virialWeight,
		"scale.energy": l.energyScale, "scale.force": l.forceScale, "scale.virial": l.virialScale,
		"prefactor.energy": {p.Energy}, "prefactor.force": {p.Force}, "prefactor.virial": {p.Virial},
	} {
		s.extra[name] = v
	}
	if err := s.run.run(b, s.extra); err != nil {
		return Metrics{}, fmt.Errorf("training step on %d frames: %w", b.NumFrames(), err)
	}
	for _, path := range s.trainable {
		like, _ := m.Params.Get(HeadPath(m.Head, path))
		t, ok := grad.Get(like.Name)
		if !ok || len(t.Data) != len(like.Data) {
			grad.Put(weights.Tensor{Name: like.Name, Shape: slices.Clone(like.Shape), Data: make([]float64, len(like.Data))})
			t, _ = grad.Get(like.Name)
		}
		s.run.output("gradient."+path, t.Data)
	}
	return s.metrics(b, l), nil
}

// metrics reads the predictions of the last run.
func (s *TrainingStep) metrics(b *Batch, l *labels) Metrics {
	s.out.loss = s.run.output("loss", s.out.loss)
	s.out.energy = s.run.output("energy", s.out.energy)
	if s.derivatives {
		s.out.force = s.run.output("force", s.out.force)
		s.out.virial = s.run.output("virial", s.out.virial)
	}
	m := Metrics{Loss: s.out.loss[0]}
	m.compare(b, l, s.out.energy, s.out.force, s.out.virial)
	return m
}
