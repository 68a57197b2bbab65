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
	cfg                   *Config
	loss                  LossConfig
	run                   runner
	trainable             []string // paths in the DeePMD tree, without head
	outputs               []string // names of their gradients among the program's outputs
	labels                *labels
	extra                 map[string][]float64 // inputs besides those of a batch
	derivatives           bool                 // the program computes forces and virials
	perType               []float64            // reference energies, eV
	reference             []float64            // of each frame, eV
	names, referenceNames pathNames            // of trainable, and of referencePaths
	out                   struct{ loss, energy, force, virial []float64 }
}

// NewTrainingStep compiles the step in a precision, for the given number of threads (0 = all cores). The gradient's
// bits do not depend on threads.
func NewTrainingStep(cfg *Config, loss LossConfig, precision Precision, threads int) (*TrainingStep, error) {
	return NewTrainingStepAt(cfg, loss, precision, Place{Threads: threads})
}

// Close frees the memory of a GPU; the step cannot be used any more. On a processor there is nothing to free.
func (s *TrainingStep) Close() error { return s.run.Close() }

// NewTrainingStepAt is NewTrainingStep for a place. The gradient of a GPU differs from that of a processor in rounding.
func NewTrainingStepAt(cfg *Config, loss LossConfig, precision Precision, at Place) (*TrainingStep, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	if err := cfg.resolved(); err != nil {
		return nil, err
	}
	if err := loss.Validate(); err != nil {
		return nil, fmt.Errorf("loss: %w", err)
	}
	s := &TrainingStep{cfg: cfg, loss: loss, labels: &labels{}, extra: map[string][]float64{}}
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
		s.outputs = append(s.outputs, "gradient."+s.trainable[k])
		outputs[s.outputs[k]] = grad
	}
	p, err := g.CompileWith(outputs, graph.Options{Whole: at.Device != nil})
	if err != nil {
		return nil, fmt.Errorf("compile training step: %w", err)
	}
	s.run, err = newRunner(cfg, p, g.used, precision, at)
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
	s.fillInputs(m, b, p)
	if err := s.run.run(b, s.extra); err != nil {
		return Metrics{}, fmt.Errorf("training step on %d frames: %w", b.NumFrames(), err)
	}
	for k, name := range s.names.of(m.Head, s.trainable) {
		like, _ := m.Params.Get(name)
		s.run.output(s.outputs[k], dataLike(grad, like))
	}
	return s.metrics(b), nil
}

// dataLike returns the numbers of set's tensor with the name of like. If there is none of that length, set gets one of zeros.
func dataLike(set *weights.Set, like *weights.Tensor) []float64 {
	t, ok := set.Get(like.Name)
	if !ok || len(t.Data) != len(like.Data) {
		set.Put(weights.Tensor{Name: like.Name, Shape: slices.Clone(like.Shape), Data: make([]float64, len(like.Data))})
		t, _ = set.Get(like.Name)
	}
	return t.Data
}

// fillInputs sets what the loss needs besides the batch: labels, weights and prefactors.
func (s *TrainingStep) fillInputs(m *Model, b *Batch, p Prefactors) {
	l, in := s.labels, s.extra
	s.perType = m.references(s.perType[:0], &s.referenceNames)
	s.reference = b.references(s.reference[:0], s.perType)
	s.loss.fillLabels(l, b, s.reference)
	in["label.energy"], in["label.force"], in["label.virial"] = l.energy, l.force, l.virial
	in["weight.energy"], in["weight.force"], in["weight.virial"] = l.energyWeight, l.forceWeight, l.virialWeight
	in["scale.energy"], in["scale.force"], in["scale.virial"] = l.energyScale, l.forceScale, l.virialScale
	in["prefactor.energy"] = append(in["prefactor.energy"][:0], p.Energy)
	in["prefactor.force"] = append(in["prefactor.force"][:0], p.Force)
	in["prefactor.virial"] = append(in["prefactor.virial"][:0], p.Virial)
}

// metrics reads the predictions of the last run.
func (s *TrainingStep) metrics(b *Batch) Metrics {
	s.out.loss = s.run.output("loss", s.out.loss)
	s.out.energy = s.run.output("energy", s.out.energy)
	if s.derivatives {
		s.out.force = s.run.output("force", s.out.force)
		s.out.virial = s.run.output("virial", s.out.virial)
	}
	return s.compare(b)
}

// compare compares the predictions read with the labels.
func (s *TrainingStep) compare(b *Batch) Metrics {
	m := Metrics{Loss: s.out.loss[0]}
	m.compare(b, s.labels, s.out.energy, s.out.force, s.out.virial)
	return m
}
