package training

import (
	"context"
	"errors"
	"fmt"
	"math"
	"path/filepath"
	"strings"
	"testing"

	"github.com/fedlam/fedlam/training/dpa2"
	"github.com/fedlam/fedlam/training/optim"
	"github.com/fedlam/fedlam/training/weights"
)

// TestResumeSameBits compares 20 steps with 10, a checkpoint, a new process in all but name, and 10 more.
func TestResumeSameBits(t *testing.T) {
	for _, precision := range []dpa2.Precision{dpa2.Float64, dpa2.Float32} {
		t.Run(string(precision), func(t *testing.T) {
			cfg := toyConfig(t, 20)
			cfg.Precision = precision
			whole := toyTrainer(t, cfg, toyHeads())
			wantSteps := run(t, whole, 20)

			first := toyTrainer(t, cfg, toyHeads())
			run(t, first, 10)
			dir := t.TempDir()
			path, err := first.SaveNumbered(dir, "model.ckpt", 5)
			if err != nil {
				t.Fatal(err)
			}
			second, err := New(cfg, toyHeads())
			if err != nil {
				t.Fatal(err)
			}
			if err := second.Resume(path); err != nil {
				t.Fatal(err)
			}
			row1, err1 := first.CurveRow()
			row2, err2 := second.CurveRow()
			if err := errors.Join(err1, err2); err != nil {
				t.Fatal(err)
			}
			for k := range row1.Heads {
				if a, b := fmt.Sprint(row1.Heads[k]), fmt.Sprint(row2.Heads[k]); a != b { // text, since NaN does not equal itself
					t.Errorf("curve after resuming %s, want %s", b, a)
				}
			}
			gotSteps := run(t, second, 10)
			for k, p := range gotSteps {
				if want := wantSteps[10+k]; p.Head != want.Head || p.Errors.Total != want.Errors.Total || p.LR != want.LR {
					t.Fatalf("step after resuming %+v, want %+v", p, want)
				}
			}
			if name := differ(whole.Weights(), second.Weights()); name != "" {
				t.Errorf("weights differ after resuming: %s", name)
			}
		})
	}
}

func TestThreadsDoNotMatter(t *testing.T) {
	cfg := toyConfig(t, 4)
	one := toyTrainer(t, cfg, toyHeads())
	cfg.Threads = 3
	three := toyTrainer(t, cfg, toyHeads())
	run(t, one, 4)
	run(t, three, 4)
	if name := differ(one.Weights(), three.Weights()); name != "" {
		t.Errorf("weights differ with the number of threads: %s", name)
	}
}

// TestLearns checks that all parts together reduce the error, from random weights.
func TestLearns(t *testing.T) {
	cfg := toyConfig(t, 400)
	cfg.Schedule.DecaySteps = 10
	tr := toyTrainer(t, cfg, toyHeads())
	before, err := tr.Validate(context.Background(), "aaaa")
	if err != nil {
		t.Fatal(err)
	}
	run(t, tr, 400)
	after, err := tr.Validate(context.Background(), "aaaa")
	if err != nil {
		t.Fatal(err)
	}
	if after.Frames != 4 || after.Energy.N != 4 || after.Force.N != 48 || after.Virial.N != 9 {
		t.Errorf("compared %+v, want 4 frames of 4 atoms, one with virial", after)
	}
	if !(after.Force.RMSE < before.Force.RMSE/2) {
		t.Errorf("force error went from %.3g to %.3g eV/Å, want less than half", before.Force.RMSE, after.Force.RMSE)
	}
}

func TestSetWeights(t *testing.T) {
	tr := toyTrainer(t, toyConfig(t, 5), toyHeads())
	run(t, tr, 1)
	before := tr.Weights()
	name := tr.Trainable("aaaa")[0]
	one := func(name string, shape []int, fill float64) *weights.Set {
		data := make([]float64, shape[0]*shape[1])
		for k := range data {
			data[k] = fill
		}
		s := &weights.Set{}
		s.Put(weights.Tensor{Name: name, Shape: shape, Data: data})
		return s
	}
	old, _ := before.Get(name)
	for _, c := range []struct {
		name string
		set  *weights.Set
		ok   bool
	}{
		{"one tensor", one(name, old.Shape, 0.5), true},
		{"nothing", &weights.Set{}, true},
		{"unknown name", one("descriptor/x", []int{1, 1}, 0), false},
		{"wrong shape", one(name, []int{old.Shape[1] + 1, old.Shape[0]}, 0), false},
		{"not finite", one(name, old.Shape, math.NaN()), false},
	} {
		if err := tr.SetWeights(c.set); (err == nil) != c.ok {
			t.Errorf("%s: %v, want success: %v", c.name, err, c.ok)
		}
	}
	now, _ := tr.params.Get(name)
	if now.Data[0] != 0.5 {
		t.Error("a tensor was not replaced")
	}
	if s := tr.adam.State()[name]; s.Step != 1 {
		t.Error("moments were lost when weights were set")
	}
	if err := tr.SetWeights(before); err != nil {
		t.Fatal(err)
	}
	if name := differ(before, tr.Weights()); name != "" {
		t.Errorf("weights differ after setting them back: %s", name)
	}
}

// doubling is a Reducer that multiplies gradients by two and counts.
type doubling struct{ calls, missing int }

func (d *doubling) Reduce(_ context.Context, params []optim.Param) error {
	d.calls++
	for _, p := range params {
		if p.Grad == nil {
			d.missing++
		}
		for k := range p.Grad {
			p.Grad[k] *= 2
		}
	}
	return nil
}

func TestReducerSeesGradients(t *testing.T) {
	cfg := toyConfig(t, 5)
	plain := toyTrainer(t, cfg, toyHeads())
	d := &doubling{}
	cfg.Reducer = d
	doubled := toyTrainer(t, cfg, toyHeads())
	a, b := run(t, plain, 1), run(t, doubled, 1)
	if math.Abs(b[0].Norm-2*a[0].Norm) > 1e-9*a[0].Norm {
		t.Errorf("norm %g after doubling, %g without", b[0].Norm, a[0].Norm)
	}
	if d.calls != 1 || d.missing == 0 {
		t.Errorf("%d calls with %d parameters without gradient; want one call that also names the resting head", d.calls, d.missing)
	}
}

func TestRunStopsBetweenSteps(t *testing.T) {
	tr := toyTrainer(t, toyConfig(t, 10), toyHeads())
	ctx, cancel := context.WithCancel(context.Background())
	err := tr.Run(ctx, 10, func(p Progress) {
		if p.Step == 3 {
			cancel()
		}
	})
	if !errors.Is(err, context.Canceled) || tr.Step() != 3 {
		t.Errorf("stopped after %d steps with %v, want 3 and context.Canceled", tr.Step(), err)
	}
	if err := tr.Save(filepath.Join(t.TempDir(), "ckpt")); err != nil {
		t.Error(err)
	}
}

func TestNewRefuses(t *testing.T) {
	for _, c := range []struct {
		name, want string
		spoil      func(*Config, *[]Head)
	}{
		{"no heads", "no head", func(_ *Config, h *[]Head) { *h = nil }},
		{"no model", "model configuration", func(c *Config, _ *[]Head) { c.Model = nil }},
		{"equal keys", "two heads", func(_ *Config, h *[]Head) { (*h)[1].Key = "aaaa" }},
		{"a key missing", "needs a key", func(_ *Config, h *[]Head) { (*h)[1].Key = "" }},
		{"a slash in a key", "slash", func(_ *Config, h *[]Head) { (*h)[1].Key = "a/b" }},
		{"no steps", "numb_steps", func(c *Config, _ *[]Head) { c.Steps = 0 }},
		{"no frames", "no training frames", func(_ *Config, h *[]Head) { (*h)[1].Train = nil }},
		{"unknown optimizer", "Adam or AdamW", func(c *Config, _ *[]Head) { c.Optimizer.Type = "SGD" }},
		{"bad batch size", "batch_size", func(_ *Config, h *[]Head) { (*h)[0].BatchSize = "many" }},
	} {
		t.Run(c.name, func(t *testing.T) {
			cfg, heads := toyConfig(t, 5), toyHeads()
			c.spoil(&cfg, &heads)
			if _, err := New(cfg, heads); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want one that says %q", err, c.want)
			}
		})
	}
}

func TestUnknownElementIsNamed(t *testing.T) {
	heads := toyHeads()
	heads[0].Train[2].Species[1] = "Xe"
	tr, err := New(toyConfig(t, 5), heads)
	if err != nil {
		t.Fatal(err)
	}
	err = tr.Prepare()
	var unknown *dpa2.UnknownElementError
	if !errors.As(err, &unknown) || unknown.Element != "Xe" || !strings.Contains(err.Error(), "frame 2") {
		t.Errorf("got %v, want an error that names Xe and frame 2", err)
	}
}
