package dpa2

import (
	"math"
	"testing"

	"github.com/fedlam/fedlam/dataset"
)

func (s *subject) threads(t *testing.T) {
	e, err := NewEvaluator(s.model, Float64, 1)
	if err != nil {
		t.Fatal(err)
	}
	p, err := e.Evaluate(s.frames)
	if err != nil {
		t.Fatal(err)
	}
	for k, q := range s.predict(t, s.frames...) {
		near(t, "forces with one thread and with two", p[k].Forces, q.Forces, 0)
	}
}

// float32 is held to less than TestFloat32Forces: of 1,500 random models ten differed by more than 1e-5 of the largest force
// component and none by more than 2.3e-5. In half of the ten, rounding the positions to float32 alone moves forces by
// 5e-6 or more.
func (s *subject) float32(t *testing.T) {
	e, err := NewEvaluator(s.model, Float32, 2)
	if err != nil {
		t.Fatal(err)
	}
	p, err := e.Evaluate(s.frames)
	if err != nil {
		t.Fatal(err)
	}
	for k, q := range s.predict(t, s.frames...) {
		near(t, "energies in float32", p[k].AtomEnergy, q.AtomEnergy, 1e-4)
	}
	compareForces(t, s.model, s.frames, 1e-4)
}

// gradient holds some derivatives of the loss by parameters against central differences.
func (s *subject) gradient(t *testing.T) {
	loss := DefaultLoss()
	loss.StartPrefF, loss.StartPrefV, loss.LimitPrefV = 1, 1, 1
	loss.UseHuber, loss.HuberDelta = flip(s.rng), 0.1
	step, err := NewTrainingStep(s.model.Config, loss, Float64, 2)
	if err != nil {
		t.Fatal(err)
	}
	frames := []dataset.Frame{labelled(s.rng, s.frames[0]), labelled(s.rng, s.frames[1])}
	frames[1].Virial = nil
	b, err := NewBatch(s.model.Config, frames)
	if err != nil {
		t.Fatal(err)
	}
	at := func(grad *gradients) float64 {
		m, err := step.Run(s.model, b, Prefactors{1, 1, 1}, grad)
		if err != nil {
			t.Fatal(err)
		}
		return m.Loss
	}
	grad := &gradients{}
	at(grad)
	names := step.Trainable("")
	for range 12 {
		x, _ := s.model.Params.Get(names[s.rng.IntN(len(names))])
		g, _ := grad.Get(x.Name)
		k := s.rng.IntN(len(x.Data))
		old, scratch := x.Data[k], &gradients{}
		const h = 1e-5
		x.Data[k] = old + h
		up := at(scratch)
		x.Data[k] = old - h
		down := at(scratch)
		x.Data[k] = old
		if want := (up - down) / (2 * h); !(math.Abs(g.Data[k]-want) <= 1e-6*(1+math.Abs(up)+math.Abs(want))) {
			t.Errorf("%s[%d]: got %.10g, want %.10g by differences", x.Name, k, g.Data[k], want)
		}
	}
}
