package dpa2

import (
	"errors"
	"reflect"
	"testing"

	"github.com/fedlam/fedlam/dataset"
)

// TestLargeProgram lets one evaluator use both of its programs in turn: they predict the same, before and after a change of
// weights, and the one for many atoms needs less memory.
func TestLargeProgram(t *testing.T) {
	r := newRandom(t)
	cfg := officialInput(true, 2)
	m := randomModel(t, r, cfg)
	e, err := NewEvaluator(m, Float64, 2)
	if err != nil {
		t.Fatal(err)
	}
	e.largeAtoms = 20
	small := []dataset.Frame{randomFrame(r, cfg, 5, true)}
	big := []dataset.Frame{small[0], randomFrame(r, cfg, 24, true)}
	last := m.tensor(cfg.fittingNet()[len(cfg.Fitting.Neuron)].path + "/@variables/b")
	for _, shift := range []float64{0, 0.5} {
		last[0] += shift
		e.Load()
		want, err := e.Evaluate(small)
		if err != nil {
			t.Fatal(err)
		}
		quick := e.run
		got, err := e.Evaluate(big)
		if err != nil {
			t.Fatal(err)
		}
		if e.run == quick {
			t.Fatal("both batches went through one program")
		}
		near(t, "energy", []float64{got[0].Energy}, []float64{want[0].Energy}, 1e-10)
		near(t, "forces", got[0].Forces, want[0].Forces, 1e-10)
	}
	sameAlone(t, m, e, big)
	large := e.Meter().ArenaBytes()
	e.largeAtoms = 1000
	if _, err := e.Evaluate(big); err != nil {
		t.Fatal(err)
	}
	if quick := e.Meter().ArenaBytes(); !(large < quick*3/4) {
		t.Errorf("the program for many atoms takes %d bytes, the quick one %d", large, quick)
	}
}

// sameAlone requires the predictions of one thread, bit by bit, by the program for many atoms.
func sameAlone(t *testing.T, m *Model, e *Evaluator, frames []dataset.Frame) {
	t.Helper()
	alone, err := NewEvaluator(m, Float64, 1)
	if err != nil {
		t.Fatal(err)
	}
	alone.largeAtoms = e.largeAtoms
	want, err := alone.Evaluate(frames)
	if err != nil {
		t.Fatal(err)
	}
	got, err := e.Evaluate(frames)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got, want) {
		t.Error("two threads predict other bits than one")
	}
}

// TestEvaluatorLimit requires an error with numbers where memory does not suffice, and predictions as before where it does.
func TestEvaluatorLimit(t *testing.T) {
	r := newRandom(t)
	cfg := moleculeConfig()
	e, err := NewEvaluator(randomModel(t, r, cfg), Float64, 1)
	if err != nil {
		t.Fatal(err)
	}
	free := int64(1000)
	e.Limit(func() int64 { return free })
	parts := 0
	e.Watch(func(float64) { parts++ })
	frames := []dataset.Frame{randomFrame(r, cfg, 9, false)}
	var short *MemoryError
	if _, err := e.Evaluate(frames); !errors.As(err, &short) || short.Atoms != 9 || short.Available != free || short.Need <= free {
		t.Fatalf("got %v, want an error about memory", err)
	}
	if parts != 0 {
		t.Error("a prediction without memory was begun")
	}
	free = short.Need
	if _, err := e.Evaluate(frames); err != nil {
		t.Fatal(err)
	}
	if parts == 0 {
		t.Error("nobody was told of progress")
	}
}
