package training

import (
	"context"
	"errors"
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/fedlam/fedlam/kernels/cuda"
	"github.com/fedlam/fedlam/kernels/cuda/cudatest"
	"github.com/fedlam/fedlam/training/dpa2"
	"github.com/fedlam/fedlam/training/optim"
	"github.com/fedlam/fedlam/training/weights"
)

// deviceConfig is toyConfig on a device.
func deviceConfig(t testing.TB, d *cuda.Device, steps int) Config {
	cfg := toyConfig(t, steps)
	cfg.Place.Device = d
	return cfg
}

// deviceTrainer is prepared, displays every fifth step, and is closed at the end of the test.
func deviceTrainer(t testing.TB, cfg Config, heads []Head) *Trainer {
	t.Helper()
	tr := toyTrainer(t, cfg, heads)
	tr.Display(everyFifth)
	t.Cleanup(func() {
		if err := tr.Close(); err != nil {
			t.Error(err)
		}
	})
	return tr
}

func everyFifth(step int) bool { return step%5 == 0 }

// apart returns the largest difference between numbers of two sets, relative to the largest number of their tensor.
func apart(t testing.TB, a, b *weights.Set) (worst float64) {
	t.Helper()
	if err := a.SameShapes(b); err != nil {
		t.Fatal(err)
	}
	for _, x := range a.Tensors() {
		y, _ := b.Get(x.Name)
		largest, off := 0.0, 0.0
		for k := range x.Data {
			largest, off = max(largest, math.Abs(y.Data[k])), max(off, math.Abs(x.Data[k]-y.Data[k]))
		}
		if off > 0 {
			worst = max(worst, off/largest)
		}
	}
	return worst
}

// momentsOf returns the moments of a trainer as a set, and the steps of its tensors.
func momentsOf(t testing.TB, tr *Trainer) (*weights.Set, map[string]int) {
	t.Helper()
	state, err := tr.moments()
	if err != nil {
		t.Fatal(err)
	}
	set, steps := &weights.Set{}, map[string]int{}
	for name, m := range state {
		steps[name] = m.Step
		set.Put(weights.Tensor{Name: name + "/m1", Shape: []int{len(m.M1)}, Data: m.M1})
		set.Put(weights.Tensor{Name: name + "/m2", Shape: []int{len(m.M2)}, Data: m.M2})
	}
	return set, steps
}

// TestDeviceTrainsLikeHost compares 20 steps of two heads on a device with the same on the processor: weights, moments, what is
// displayed, the learning curve, validation; and two runs on the device with each other.
func TestDeviceTrainsLikeHost(t *testing.T) {
	for _, kind := range []string{"Adam", "AdamW"} {
		t.Run(kind, func(t *testing.T) {
			cfg := deviceConfig(t, cudatest.Open(t), 20)
			cfg.Precision, cfg.Optimizer.Type = dpa2.Float64, kind
			first, second := deviceTrainer(t, cfg, toyHeads()), deviceTrainer(t, cfg, toyHeads())
			cfg.Place = dpa2.Place{}
			host := toyTrainer(t, cfg, toyHeads())
			host.Display(everyFifth)
			steps, wantSteps := run(t, first, 20), run(t, host, 20)
			run(t, second, 20)
			compareProgress(t, steps, wantSteps)
			if off := apart(t, first.Weights(), host.Weights()); off > 1e-9 {
				t.Errorf("weights are %.1e apart", off)
			}
			got, gotSteps := momentsOf(t, first)
			want, wantTaken := momentsOf(t, host)
			if off := apart(t, got, want); off > 1e-9 {
				t.Errorf("moments are %.1e apart", off)
			}
			if fmt.Sprint(gotSteps) != fmt.Sprint(wantTaken) {
				t.Errorf("tensors took %v steps, want %v", gotSteps, wantTaken)
			}
			compareCurve(t, first, host)
			compareValidation(t, first, host)
			again, _ := momentsOf(t, second)
			if name := differ(first.Weights(), second.Weights()) + differ(got, again); name != "" {
				t.Errorf("two runs differ in %s", name)
			}
		})
	}
}

// compareProgress compares steps: all but errors, and these where they are displayed.
func compareProgress(t *testing.T, got, want []Progress) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%d steps, want %d", len(got), len(want))
	}
	for k, w := range want {
		g := got[k]
		if g.Step != w.Step || g.Head != w.Head || g.LR != w.LR || g.Dropped != w.Dropped || g.Displayed != (w.Step%5 == 0) {
			t.Errorf("step %+v, want %+v", g, w)
		}
		if !g.Displayed {
			if !math.IsNaN(g.Errors.Total) || !math.IsNaN(g.Norm) {
				t.Errorf("step %d is not displayed and has %+v", g.Step, g)
			}
			continue
		}
		if !(math.Abs(g.Norm-w.Norm) <= 1e-9*w.Norm) {
			t.Errorf("step %d: norm %v, want %v", g.Step, g.Norm, w.Norm)
		}
		nearErrors(t, fmt.Sprint("step ", g.Step), g.Errors, w.Errors)
	}
}

func nearErrors(t *testing.T, what string, got, want Errors) {
	t.Helper()
	for k, pair := range [][2]float64{{got.Total, want.Total}, {got.Energy, want.Energy}, {got.Force, want.Force}, {got.Virial, want.Virial}} {
		if math.IsNaN(pair[0]) != math.IsNaN(pair[1]) || math.Abs(pair[0]-pair[1]) > 1e-9*pair[1] {
			t.Errorf("%s: error %d is %v, want %v", what, k, pair[0], pair[1])
		}
	}
}

func compareCurve(t *testing.T, a, b *Trainer) {
	t.Helper()
	got, err1 := a.CurveRow()
	want, err2 := b.CurveRow()
	if err := errors.Join(err1, err2); err != nil {
		t.Fatal(err)
	}
	for k, w := range want.Heads {
		nearErrors(t, fmt.Sprint("training error of head ", k), got.Heads[k].Training, w.Training)
		nearErrors(t, fmt.Sprint("validation error of head ", k), got.Heads[k].Validation, w.Validation)
	}
}

func compareValidation(t *testing.T, a, b *Trainer) {
	t.Helper()
	got, err1 := a.Validate(context.Background(), "bbbb")
	want, err2 := b.Validate(context.Background(), "bbbb")
	if err := errors.Join(err1, err2); err != nil {
		t.Fatal(err)
	}
	if got.Force.N != want.Force.N || math.Abs(got.Force.RMSE-want.Force.RMSE) > 1e-9*want.Force.RMSE {
		t.Errorf("validation %+v, want %+v", got, want)
	}
}

// TestDeviceResumesSameBits interrupts a training on a device that also saves, validates and looks at weights while it runs, and
// compares with one that does none of that.
func TestDeviceResumesSameBits(t *testing.T) {
	for _, precision := range []dpa2.Precision{dpa2.Float64, dpa2.Float32} {
		t.Run(string(precision), func(t *testing.T) {
			cfg := deviceConfig(t, cudatest.Open(t), 14)
			cfg.Precision = precision
			whole := deviceTrainer(t, cfg, toyHeads())
			run(t, whole, 14)

			first := deviceTrainer(t, cfg, toyHeads())
			path := filepath.Join(t.TempDir(), "ckpt")
			err := first.Run(context.Background(), 9, func(p Progress) {
				switch p.Step {
				case 2:
					if _, err := first.Validate(context.Background(), "aaaa"); err != nil {
						t.Error(err)
					}
				case 4:
					if _, err := first.CurveRow(); err != nil {
						t.Error(err)
					}
				case 6:
					if err := first.SetWeights(first.Weights()); err != nil {
						t.Error(err)
					}
				case 7:
					if err := first.Save(path); err != nil {
						t.Error(err)
					}
				}
			})
			if err != nil {
				t.Fatal(err)
			}
			second, err := New(cfg, toyHeads())
			if err != nil {
				t.Fatal(err)
			}
			defer second.Close()
			if err := second.Resume(path); err != nil {
				t.Fatal(err)
			}
			run(t, second, 7)
			run(t, first, 5)
			want, _ := momentsOf(t, whole)
			for what, tr := range map[string]*Trainer{"interrupted": second, "disturbed": first} {
				got, _ := momentsOf(t, tr)
				if name := differ(whole.Weights(), tr.Weights()) + differ(want, got); name != "" || tr.Step() != 14 {
					t.Errorf("%s training after step %d differs in %s", what, tr.Step(), name)
				}
			}
		})
	}
}

// TestDeviceHostCheckpoints goes on with a checkpoint of the other place.
func TestDeviceHostCheckpoints(t *testing.T) {
	cfg := deviceConfig(t, cudatest.Open(t), 12)
	cfg.Precision = dpa2.Float64
	onHost := cfg
	onHost.Place = dpa2.Place{}
	whole := toyTrainer(t, onHost, toyHeads())
	run(t, whole, 12)
	for name, pair := range map[string][2]Config{"host to device": {onHost, cfg}, "device to host": {cfg, onHost}} {
		first := deviceTrainer(t, pair[0], toyHeads())
		run(t, first, 6)
		path := filepath.Join(t.TempDir(), "ckpt")
		if err := first.Save(path); err != nil {
			t.Fatal(err)
		}
		second := deviceTrainer(t, pair[1], toyHeads())
		if err := second.Resume(path); err != nil {
			t.Fatal(err)
		}
		run(t, second, 6)
		if off := apart(t, second.Weights(), whole.Weights()); off > 1e-9 {
			t.Errorf("%s: weights are %.1e apart", name, off)
		}
	}
}

// TestDeviceSetWeights replaces some tensors between steps, as a federation does.
func TestDeviceSetWeights(t *testing.T) {
	cfg := deviceConfig(t, cudatest.Open(t), 12)
	cfg.Precision = dpa2.Float64
	device := deviceTrainer(t, cfg, toyHeads())
	cfg.Place = dpa2.Place{}
	host := toyTrainer(t, cfg, toyHeads())
	for _, tr := range []*Trainer{device, host} {
		run(t, tr, 4)
		some := &weights.Set{}
		for k, tensor := range tr.Weights().Tensors() {
			if k%3 == 0 && !strings.HasSuffix(tensor.Name, "dstd") && !strings.HasSuffix(tensor.Name, "davg") {
				for i := range tensor.Data {
					tensor.Data[i] = 0.3 * math.Sin(float64(i+k))
				}
				some.Put(*tensor)
			}
		}
		if err := tr.SetWeights(some); err != nil {
			t.Fatal(err)
		}
		for _, x := range some.Tensors() {
			if got, _ := tr.Weights().Get(x.Name); !slices.Equal(got.Data, x.Data) {
				t.Fatalf("%s was not set", x.Name)
			}
		}
		run(t, tr, 3)
	}
	if off := apart(t, device.Weights(), host.Weights()); off > 1e-9 {
		t.Errorf("weights are %.1e apart", off)
	}
}

// TestDeviceReducer has gradients come to the host when somebody wants to see them.
func TestDeviceReducer(t *testing.T) {
	cfg := deviceConfig(t, cudatest.Open(t), 6)
	cfg.Precision, cfg.Reducer = dpa2.Float64, &doubling{}
	device := deviceTrainer(t, cfg, toyHeads())
	cfg.Place, cfg.Reducer = dpa2.Place{}, &doubling{}
	host := toyTrainer(t, cfg, toyHeads())
	run(t, device, 6)
	run(t, host, 6)
	if off := apart(t, device.Weights(), host.Weights()); off > 1e-9 {
		t.Errorf("weights are %.1e apart", off)
	}
	if r := device.cfg.Reducer.(*doubling); r.calls != 6 {
		t.Errorf("the reducer was called %d times, want 6", r.calls)
	}
}

// TestDeviceLearns checks that float32 on a device reduces the error, from random weights.
func TestDeviceLearns(t *testing.T) {
	cfg := deviceConfig(t, cudatest.Open(t), 120)
	cfg.Precision, cfg.Schedule.DecaySteps = dpa2.Float32, 10
	cfg.Optimizer = optim.Config{MaxNorm: 5}
	tr := deviceTrainer(t, cfg, toyHeads())
	before, err := tr.Validate(context.Background(), "aaaa")
	if err != nil {
		t.Fatal(err)
	}
	run(t, tr, 120)
	after, err := tr.Validate(context.Background(), "aaaa")
	if err != nil {
		t.Fatal(err)
	}
	if !(after.Force.RMSE < 0.7*before.Force.RMSE) {
		t.Errorf("force error went from %.3g to %.3g eV/Å, want less than 0.7 of it", before.Force.RMSE, after.Force.RMSE)
	}
}
