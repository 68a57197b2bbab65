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

// spoiled has a label of one frame of the first head that is not a number.
func spoiled() []Head {
	heads := toyHeads()
	heads[0].Train[3].Forces[5] = math.NaN()
	return heads
}

// TestDeviceNotFinite meets a label that is not a number: the error is that of the processor, and weights, moments, step counts
// and the place in the data are those of the step before.
func TestDeviceNotFinite(t *testing.T) {
	d := cudatest.Open(t)
	onHost := toyConfig(t, 40)
	onHost.Precision = dpa2.Float64
	host := toyTrainer(t, onHost, spoiled())
	want := host.Run(context.Background(), 40, nil)
	if want == nil || host.Step() < 2 {
		t.Fatalf("after step %d on the processor: %v; want an error after some steps", host.Step(), want)
	}
	place, err := host.sampler.state()
	if err != nil {
		t.Fatal(err)
	}
	_, wantTaken := momentsOf(t, host)
	for name, look := range map[string]func(tr *Trainer) error{
		"nobody looks":     func(*Trainer) error { return nil },
		"weights in steps": func(tr *Trainer) error { tr.Weights(); return nil },
		"saved in steps":   func(tr *Trainer) error { return tr.Save(filepath.Join(t.TempDir(), "ckpt")) },
		"curve in steps":   func(tr *Trainer) error { _, err := tr.CurveRow(); return err },
	} {
		cfg := onHost
		cfg.Place.Device = d
		tr := deviceTrainer(t, cfg, spoiled())
		tr.Display(func(int) bool { return false })
		told := 0
		err := tr.Run(context.Background(), 40, func(p Progress) {
			told = p.Step
			if err := look(tr); err != nil && !errors.As(err, new(*dpa2.StepError)) {
				t.Errorf("%s: %v", name, err)
			}
		})
		if err == nil || err.Error() != want.Error() {
			t.Errorf("%s: got %v, want %v", name, err, want)
		}
		if tr.Step() != host.Step() || told > host.Step()+2 {
			t.Errorf("%s: at step %d after %d were told, want %d and two more at most", name, tr.Step(), told, host.Step())
		}
		if off := apart(t, tr.Weights(), host.Weights()); off > 1e-9 {
			t.Errorf("%s: weights are %.1e apart", name, off)
		}
		if _, taken := momentsOf(t, tr); fmt.Sprint(taken) != fmt.Sprint(wantTaken) {
			t.Errorf("%s: tensors took %v steps, want %v", name, taken, wantTaken)
		}
		if got, err := tr.sampler.state(); err != nil || fmt.Sprint(got) != fmt.Sprint(place) {
			t.Errorf("%s: place in the data %v, %v, want %v", name, got, err, place)
		}
		if err := tr.Run(context.Background(), 1, nil); err == nil || tr.Step() != host.Step() {
			t.Errorf("%s: the same step was possible later: %v", name, err)
		}
	}
}

// TestDeviceStopsBetweenSteps cancels a training: what was started is done, and can be saved and gone on with.
func TestDeviceStopsBetweenSteps(t *testing.T) {
	cfg := deviceConfig(t, cudatest.Open(t), 10)
	whole, tr := deviceTrainer(t, cfg, toyHeads()), deviceTrainer(t, cfg, toyHeads())
	run(t, whole, 10)
	ctx, cancel := context.WithCancel(context.Background())
	err := tr.Run(ctx, 10, func(p Progress) {
		if p.Step == 3 {
			cancel()
		}
	})
	if !errors.Is(err, context.Canceled) || tr.Step() != 3 {
		t.Errorf("stopped after %d steps with %v, want 3 and context.Canceled", tr.Step(), err)
	}
	run(t, tr, 7)
	if name := differ(whole.Weights(), tr.Weights()); name != "" {
		t.Errorf("weights differ in %s", name)
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

// TestDeviceFillsMemory checks batches of "auto:memory": frames of all sizes until half of the memory or 4096 atoms are reached,
// the same each time; and that batches take what was foreseen.
func TestDeviceFillsMemory(t *testing.T) {
	d := cudatest.Open(t)
	heads := toyHeads()
	heads[0].BatchSize = fillMemory
	cfg := deviceConfig(t, d, 5)
	tr, again := deviceTrainer(t, cfg, heads), deviceTrainer(t, cfg, heads)
	if n := len(tr.sampler.heads[0].systems); n != 1 {
		t.Fatalf("%d systems, want one of all frames", n)
	}
	system := tr.sampler.heads[0].systems[0]
	if most := again.sampler.heads[0].systems[0].most; most != system.most {
		t.Errorf("%d atoms, and %d another time", system.most, most)
	}
	if batch := system.take(); len(batch) != len(heads[0].Train) { // these are few
		t.Errorf("a batch of %d frames of %d", len(batch), len(heads[0].Train))
	}
	fit := &fitter{cfg: &tr.cfg}
	largest := &heads[0].Train[len(heads[0].Train)-1]
	taken, err := fit.memory(largest, 40, tr.heads[0].model)
	if err != nil {
		t.Fatal(err)
	}
	each, half := float64(taken)/float64(40*largest.NumAtoms()), float64(d.Info().Memory)/2
	if foreseen := each * float64(system.most); foreseen > 1.05*half || system.most < mostFilledAtoms && foreseen < 0.9*half {
		t.Errorf("%d atoms, which take %.0f bytes each, of %.0f", system.most, each, half)
	}
	if err := fit.close(); err != nil {
		t.Error(err)
	}
	run(t, again, 5)
	cfg.Place = dpa2.Place{}
	if s := toyTrainer(t, cfg, heads).sampler.heads[0].systems; len(s) != 2 || s[0].perBatch != 8 {
		t.Errorf("on the processor %d systems with %d frames in a batch, want 2 with the 8 of \"auto\"", len(s), s[0].perBatch)
	}
}

// TestDeviceBreaks loses the device in the middle of a training, which goes back to when its weights were last looked at.
func TestDeviceBreaks(t *testing.T) {
	d, err := cuda.Open(cuda.Config{Library: cudatest.Library(t)})
	if err != nil {
		t.Fatal(err)
	}
	tr := toyTrainer(t, deviceConfig(t, d, 20), toyHeads())
	tr.Display(func(int) bool { return false })
	var seen *weights.Set
	err = tr.Run(context.Background(), 20, func(p Progress) {
		switch p.Step {
		case 4:
			seen = tr.Weights()
		case 9:
			if err := d.Close(); err != nil {
				t.Error(err)
			}
		}
	})
	if !errors.Is(err, cuda.ErrClosed) || tr.Step() != 4 {
		t.Errorf("at step %d with %v, want 4 and that the device is closed", tr.Step(), err)
	}
	if name := differ(tr.Weights(), seen); name != "" {
		t.Errorf("%s is not as it was when weights were looked at", name)
	}
	place, err1 := tr.sampler.state()
	cfg := toyConfig(t, 20)
	other := toyTrainer(t, cfg, toyHeads())
	run(t, other, 4)
	want, err2 := other.sampler.state()
	if err := errors.Join(err1, err2); err != nil || fmt.Sprint(place) != fmt.Sprint(want) {
		t.Errorf("place in the data %v, want %v (%v)", place, want, err)
	}
}
