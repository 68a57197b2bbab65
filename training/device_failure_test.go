package training

import (
	"context"
	"errors"
	"fmt"
	"math"
	"path/filepath"
	"testing"

	"github.com/fedlam/fedlam/kernels/cuda"
	"github.com/fedlam/fedlam/kernels/cuda/cudatest"
	"github.com/fedlam/fedlam/training/dpa2"
	"github.com/fedlam/fedlam/training/weights"
)

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
