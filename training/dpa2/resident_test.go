package dpa2

import (
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/fedlam/fedlam/dataset"
	"github.com/fedlam/fedlam/kernels/cuda/cudatest"
	"github.com/fedlam/fedlam/training/optim"
	"github.com/fedlam/fedlam/training/weights"
)

// newTestResident is a training of the golden model on the fake device, with the batches of its first steps.
func newTestResident(t *testing.T, precision Precision) (*Resident, *Model, []*Batch) {
	t.Helper()
	m := readModel(t, goldenFile(t, "t1.model_initial", "t1_train_adam/model_initial.json"))
	r, err := NewResident([]*Model{m}, DefaultLoss(), precision, Place{Device: cudatest.Open(t)}, optim.Config{MaxNorm: 2})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	})
	var batches []*Batch
	for n := 1; n <= 4; n++ {
		frames := []dataset.Frame{moved(labelledWater(), 0.05*float64(n))}
		b, err := NewBatch(m.Config, frames)
		if err != nil {
			t.Fatal(err)
		}
		batches = append(batches, b)
	}
	return r, m, batches
}

// moved moves the atoms of a frame a little.
func moved(f dataset.Frame, by float64) dataset.Frame {
	for i := range f.Positions {
		f.Positions[i] += by * math.Sin(float64(3*i))
	}
	return f
}

// TestResidentSteps compares steps with a TrainingStep and optim on the processor.
func TestResidentSteps(t *testing.T) {
	r, m, batches := newTestResident(t, Float64)
	host := &Model{Config: m.Config, Params: m.Params.Clone()}
	step, err := NewTrainingStep(m.Config, DefaultLoss(), Float64, 1)
	if err != nil {
		t.Fatal(err)
	}
	adam, err := optim.NewAdam(optim.Config{})
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Upload(); err != nil {
		t.Fatal(err)
	}
	grad, p := &weights.Set{}, Prefactors{Energy: 1, Force: 10}
	for n, b := range batches {
		if err := r.Step(n+1, 0, b, p, 1e-3); err != nil {
			t.Fatal(err)
		}
		want, err := step.Run(host, b, p, grad)
		if err != nil {
			t.Fatal(err)
		}
		var params []optim.Param
		for _, name := range step.Trainable("") {
			value, _ := host.Params.Get(name)
			g, _ := grad.Get(name)
			params = append(params, optim.Param{Name: name, Value: value.Data, Grad: g.Data})
		}
		norm, err := optim.Clip(params, 2)
		if err != nil {
			t.Fatal(err)
		}
		if err := adam.Step(1e-3, params); err != nil {
			t.Fatal(err)
		}
		if n%2 == 0 {
			continue // nobody looks
		}
		got, ok, err := r.Metrics(0)
		if err != nil || !ok {
			t.Fatal(ok, err)
		}
		close(t, "loss, energy, force, norm", []float64{got.Loss, got.Energy.RMS(), got.Force.RMS(), r.Norm()},
			[]float64{want.Loss, want.Energy.RMS(), want.Force.RMS(), norm}, 1e-9)
	}
	if got, err := r.Evaluate(0, batches[0], p); err != nil || r.Done() != len(batches) {
		t.Errorf("%v, %d steps", err, r.Done())
	} else if want, err := step.Run(host, batches[0], p, grad); err != nil {
		t.Error(err)
	} else {
		close(t, "loss", []float64{got.Loss}, []float64{want.Loss}, 1e-9)
	}
	if err := r.Download(); err != nil {
		t.Fatal(err)
	}
	for _, name := range r.Trainable("") {
		got, _ := m.Params.Get(name)
		want, _ := host.Params.Get(name)
		close(t, name, got.Data, want.Data, 1e-9)
	}
}

// TestResidentFails takes a step with weights that are infinite, and after other weights came one that is possible.
func TestResidentFails(t *testing.T) {
	r, m, batches := newTestResident(t, Float32)
	good := m.Params.Clone()
	name := r.Trainable("")[0]
	bad, _ := m.Params.Get(name)
	bad.Data[0] = math.Inf(1)
	if err := r.Upload(); err != nil {
		t.Fatal(err)
	}
	for n := 1; n <= 2; n++ {
		if err := r.Step(n, 0, batches[n], Prefactors{Energy: 1}, 1e-3); err != nil {
			t.Fatal(err)
		}
	}
	var failed *StepError
	if err := r.Step(3, 0, batches[3], Prefactors{Energy: 1}, 1e-3); !errors.As(err, &failed) || failed.Step != 1 || !failed.Loss {
		t.Fatalf("got %v, want that step 1 failed", err)
	}
	if _, ok, err := r.Metrics(0); ok || err != nil || r.Kept(0) {
		t.Errorf("a step that was not possible has errors: %v", err)
	}
	if state, err := r.State(); err != nil || len(state) != 0 {
		t.Errorf("moments of %d tensors, %v; want none", len(state), err)
	}
	was, _ := good.Get(name)
	bad.Data[0] = was.Data[0]
	if err := r.Upload(); err != nil {
		t.Fatal(err)
	}
	if err := r.Step(1, 0, batches[1], Prefactors{Energy: 1}, 1e-3); err != nil {
		t.Fatal(err)
	}
	if err := r.Settle(); err != nil || r.Done() != 1 {
		t.Errorf("%d steps, %v", r.Done(), err)
	}
}

func TestStepError(t *testing.T) {
	for _, c := range []struct {
		err  *StepError
		want string
		grad bool
	}{
		{&StepError{Step: 3, Head: "a", Loss: true}, `the loss of head "a" is not finite; lower start_lr`, false},
		{&StepError{Step: 3, Head: "a"}, "gradient is not finite; lower the learning rate", true},
	} {
		if !strings.HasPrefix(c.err.Error(), c.want) || errors.Is(c.err, optim.ErrNotFinite) != c.grad {
			t.Errorf("%q, want %q", c.err, c.want)
		}
	}
	if _, err := NewResident(nil, DefaultLoss(), Float32, Place{}, optim.Config{}); err == nil {
		t.Error("a training without a device was accepted")
	}
}
