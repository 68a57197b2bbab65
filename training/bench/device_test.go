package bench

import (
	"context"
	"strings"
	"testing"

	"github.com/fedlam/fedlam/kernels/cuda"
	"github.com/fedlam/fedlam/kernels/cuda/cudatest"
	"github.com/fedlam/fedlam/training/dpa2"
)

// TestReportOfRefusal measures on a fake whose driver refuses code for formulas: the report says so.
func TestReportOfRefusal(t *testing.T) {
	subject, system := tiny(t)
	d, err := cuda.Open(cuda.Config{Library: cudatest.Library(t), Ordinal: 2, Tiles: cuda.Emit})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	r, err := Eval(context.Background(), subject, system, Options{Precision: dpa2.Float32, Device: d, Runs: 1})
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	if err := r.Print(&b); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"interpret: tiles are interpreted, which is slower: ", "this driver refuses all code"} {
		if !strings.Contains(r.Tiles, want) || !strings.Contains(b.String(), want) {
			t.Errorf("formulas: %q; want %q, also in\n%s", r.Tiles, want, b.String())
		}
	}
}

// TestReportsOfDevice measures a step and a prediction on the fake, whose speed means nothing.
func TestReportsOfDevice(t *testing.T) {
	subject, system := tiny(t)
	d := cudatest.Open(t)
	for _, c := range []struct {
		what    string
		measure func(context.Context, *Subject, *System, Options) (*Report, error)
		o       Options
	}{
		{"step", Step, Options{Precision: dpa2.Float32, Device: d, Runs: 2, Profile: true}},
		{"eval", Eval, Options{Precision: dpa2.Float64, Device: d, Runs: 2}},
	} {
		t.Run(c.what, func(t *testing.T) {
			r, err := c.measure(context.Background(), subject, system, c.o)
			if err != nil {
				t.Fatal(err)
			}
			if r.Device != d.Info().String() || r.DeviceTimes == nil || r.DeviceTimes.Runs != 2 || r.DeviceTimes.Min <= 0 || r.DeviceTimes.Max > r.Times.Max {
				t.Errorf("device %q, its times %+v, all times %+v", r.Device, r.DeviceTimes, r.Times)
			}
			if r.Peak.GFLOPS <= 0 || r.Peak.GBPS <= 0 || r.FLOP <= r.ProductFLOP || r.Memory.Arena <= 0 {
				t.Errorf("peak %+v, %d FLOP of which products %d, arena %d", r.Peak, r.FLOP, r.ProductFLOP, r.Memory.Arena)
			}
			if r.Tiles != string(cuda.Emit) && r.Tiles != string(cuda.Interpret) {
				t.Errorf("formulas: %q", r.Tiles)
			}
			near(t, "fraction of peak", r.Fraction, float64(r.ProductFLOP)/r.Times.Median/1e9/r.Peak.GFLOPS)
			if (len(r.Nodes) > 0) != c.o.Profile {
				t.Errorf("%d nodes", len(r.Nodes))
			}
			var b strings.Builder
			if err := r.Print(&b); err != nil || !strings.Contains(b.String(), "time on the GPU") || !strings.Contains(b.String(), r.Device) {
				t.Errorf("%v\n%s", err, b.String())
			}
		})
	}
}
