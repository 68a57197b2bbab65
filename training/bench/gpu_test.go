package bench

import (
	"context"
	"strings"
	"testing"

	"github.com/fedlam/fedlam/kernels/cuda/cudatest"
)

// TestGPU fills the table on the fake, with a system that takes little time, and one that does not exist. Its speed means nothing.
func TestGPU(t *testing.T) {
	t.Setenv("FEDLAM_CUDA_TILES", "")
	o := Options{Device: cudatest.Open(t), Runs: 1, Threads: 2}
	tasks := []GPUTask{{true, "small", "water24", GPUMicros, 1e9}, {false, "small", "water25", GPUMillis, 1}}
	r, err := GPU(context.Background(), o, tasks, func(string) {})
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Checks) != 3 || len(r.Lines) != 2 {
		t.Fatalf("%d checks, %d lines", len(r.Checks), len(r.Lines))
	}
	for _, c := range r.Checks {
		if !c.OK {
			t.Errorf("%+v", c)
		}
	}
	if l := r.Lines[0]; !l.OK || l.Value <= 0 || l.DeviceSeconds > l.Seconds || l.Error != "" {
		t.Errorf("prediction: %+v", l)
	}
	if l := r.Lines[1]; l.OK || !strings.Contains(l.Error, "water192") {
		t.Errorf("a system that does not exist: %+v", l)
	}
	var b strings.Builder
	if err := r.Print(&b); err != nil {
		t.Error(err)
	}
	for _, want := range []string{"| eval | small | water24 |", "; formulas: emit; "} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("the table lacks %q:\n%s", want, b.String())
		}
	}
	o.Device = nil
	if _, err := GPU(context.Background(), o, tasks, func(string) {}); err == nil {
		t.Error("a table of no GPU")
	}
}

// TestGPULine holds values against their bars: some are to be small, some large.
func TestGPULine(t *testing.T) {
	r := &Report{Times: Times{Median: 0.005}, DeviceTimes: &Times{Median: 0.004}, MicrosAtom: 20, Fraction: 0.125, Memory: Memory{ArenaPerAtom: 7}}
	for _, c := range []struct {
		unit       string
		bar, value float64
		ok         bool
	}{{GPUMillis, 6, 5, true}, {GPUMillis, 4, 5, false}, {GPUMicros, 25, 20, true}, {GPUMicros, 19, 20, false}, {GPUPercent, 12, 12.5, true}, {GPUPercent, 13, 12.5, false}} {
		l := GPULine{Unit: c.unit, Bar: c.bar}
		l.take(r)
		if l.Value != c.value || l.OK != c.ok || l.DeviceSeconds != 0.004 || l.ArenaPerAtom != 7 {
			t.Errorf("%+v: got %+v", c, l)
		}
	}
}
