package silo_test

import (
	"context"
	"errors"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/fedlam/fedlam/dataset"
	"github.com/fedlam/fedlam/dataset/reference"
	"github.com/fedlam/fedlam/federation"
	"github.com/fedlam/fedlam/node/silo"
	"github.com/fedlam/fedlam/training/dpa2"
	"github.com/fedlam/fedlam/training/weights"
	"github.com/google/go-cmp/cmp"
)

// canary makes public frames of water.
func canary(t *testing.T, p reference.Potential, count int) []dataset.Frame {
	t.Helper()
	frames, err := reference.Sample(p, reference.WaterBox(4, 9), reference.Langevin{Count: count, Every: 5, Warmup: 50, Seed: 9})
	if err != nil {
		t.Fatal(err)
	}
	return frames
}

// watching opens a member with data of one head, whose federation watches that head and another one that it has no data of.
func watching(t *testing.T) (s *silo.Silo, own, other string) {
	t.Helper()
	spc, tip := reference.SPCFw(3), reference.QTIP4PF(3)
	key := func(p reference.Potential) string {
		k, err := reference.Convention(p).Key()
		if err != nil {
			t.Fatal(err)
		}
		return string(k)
	}
	own, other = key(spc), key(tip)
	s = open(t, silo.Config{Recipe: recipe(t), Threads: 1, Sets: []silo.Set{water(t, spc, "a", 1, nil, nil)},
		Canaries: map[string][]dataset.Frame{own: canary(t, spc, 50), other: canary(t, tip, 3)}})
	return s, own, other
}

// TestJudge compares with errors computed frame by frame, for a head with and one without own data, and looks that training is not disturbed.
func TestJudge(t *testing.T) {
	s, own, other := watching(t)
	w := certified(t, own, other)
	if err := errors.Join(s.Install(t.Context(), w), s.Steps(t.Context(), 2, nil)); err != nil {
		t.Fatal(err)
	}
	before := s.Weights()
	got, err := s.Judge(t.Context(), w)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]federation.CanaryError{own: errorsOf(t, w, own, canary(t, reference.SPCFw(3), 50)), other: errorsOf(t, w, other, canary(t, reference.QTIP4PF(3), 3))}
	for key := range want {
		if g, x := got[key], want[key]; math.Abs(g.Energy-x.Energy) > 1e-12*x.Energy || math.Abs(g.Force-x.Force) > 1e-12*x.Force || !(x.Force > 0 && x.Energy > 0) {
			t.Errorf("head %s: %+v, want %+v", key, g, x)
		}
	}
	if len(got) != 2 {
		t.Errorf("errors %v, want those of two heads", got)
	}
	again, err := s.Judge(t.Context(), w)
	if err != nil || !cmp.Equal(again, got) {
		t.Errorf("the second time %v, %v; the first %v", again, err, got)
	}
	for _, x := range before.Tensors() {
		if now, _ := s.Weights().Get(x.Name); !slices.Equal(now.Data, x.Data) {
			t.Errorf("judging changed %s", x.Name)
		}
	}
	if s.Step() != 2 {
		t.Errorf("judging counted as training: step %d", s.Step())
	}
}

// errorsOf evaluates one frame after the other.
func errorsOf(t *testing.T, w *weights.Set, key string, frames []dataset.Frame) federation.CanaryError {
	t.Helper()
	e, err := dpa2.NewEvaluator(&dpa2.Model{Config: recipe(t).Model, Params: w, Head: key}, dpa2.Float64, 1)
	if err != nil {
		t.Fatal(err)
	}
	energy, force, n := 0.0, 0.0, 0.0
	for i := range frames {
		p, err := e.Evaluate(frames[i : i+1])
		if err != nil {
			t.Fatal(err)
		}
		d := (p[0].Energy - *frames[i].Energy) / float64(frames[i].NumAtoms())
		energy += d * d
		for k, f := range frames[i].Forces {
			force += (p[0].Forces[k] - f) * (p[0].Forces[k] - f)
			n++
		}
	}
	return federation.CanaryError{Energy: math.Sqrt(energy / float64(len(frames))), Force: math.Sqrt(force / n)}
}

// TestJudgeBrokenModel has predictions overflow: that is a bad model and no failure to evaluate it.
func TestJudgeBrokenModel(t *testing.T) {
	s, own, other := watching(t)
	w := certified(t, own, other)
	for _, x := range w.Tensors() {
		if strings.HasPrefix(x.Name, "heads/"+other) {
			for k := range x.Data {
				x.Data[k] = math.MaxFloat64
			}
		}
	}
	got, err := s.Judge(t.Context(), w)
	if err != nil || !math.IsNaN(got[other].Energy) || !math.IsNaN(got[other].Force) || math.IsNaN(got[own].Force) {
		t.Errorf("errors %v, %v; want NaN for the broken head only", got, err)
	}
}

func TestJudgeRefuses(t *testing.T) {
	s, own, other := watching(t)
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	unlabelled := open(t, silo.Config{Recipe: recipe(t), Threads: 1, Sets: []silo.Set{water(t, reference.SPCFw(3), "a", 1, nil, nil)},
		Canaries: map[string][]dataset.Frame{own: {{Species: []string{"O"}, Positions: []float64{0, 0, 0}}}}})
	for _, tt := range []struct {
		name string
		ctx  context.Context
		s    *silo.Silo
		w    *weights.Set
		want string
	}{
		{"a head is missing", t.Context(), s, certified(t, own), other},
		{"cut off", ended, s, certified(t, own, other), "canceled"},
		{"no labels", t.Context(), unlabelled, certified(t, own, other), "have labels"},
	} {
		if got, err := tt.s.Judge(tt.ctx, tt.w); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, %v; want an error with %q", tt.name, got, err, tt.want)
		}
	}
}
