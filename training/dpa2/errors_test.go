package dpa2

import (
	"errors"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/fedlam/fedlam/dataset"
	"github.com/fedlam/fedlam/training/neighbor"
)

// TestEvaluatorNamesTheBadFrame feeds one bad frame among good ones. The error names it and the cause, and holds no
// coordinate.
func TestEvaluatorNamesTheBadFrame(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	cfg := officialInput(false, 1)
	cfg.Descriptor.Repinit.Neuron, cfg.Fitting.Neuron = []int{4}, []int{4}
	cfg.Descriptor.Repinit.AxisNeuron, cfg.Descriptor.Repformer.G1Dim = 2, 8
	m := randomModel(t, r, cfg)
	e, err := NewEvaluator(m, Float64, 1)
	if err != nil {
		t.Fatal(err)
	}
	good := dataset.Frame{Species: []string{"O", "H"}, Positions: []float64{0, 0, 0, 0.987654, 0, 0}}
	for _, c := range []struct {
		name  string
		frame dataset.Frame
		cause error
		want  string
	}{
		{"element", dataset.Frame{Species: []string{"O", "Xe"}, Positions: good.Positions}, nil, `"Xe"; its type_map is [O H]`},
		{"NaN", dataset.Frame{Species: good.Species, Positions: []float64{0, 0, 0, math.NaN(), 0, 0}}, dataset.ErrBadFrame, "NaN"},
		{"overlap", dataset.Frame{Species: good.Species, Positions: []float64{0.987654, 0, 0, 0.987654, 0, 0}}, neighbor.ErrOverlap, ""},
		{"lengths", dataset.Frame{Species: good.Species, Positions: []float64{0, 0, 0}}, dataset.ErrBadFrame, "coordinates"},
		{"flat cell", dataset.Frame{Species: good.Species, Positions: good.Positions, Cell: &[9]float64{1, 0, 0, 1, 0, 0, 0, 0, 1}}, dataset.ErrBadFrame, "volume"},
		{"parameters", dataset.Frame{Species: good.Species, Positions: good.Positions, FParam: []float64{1}}, nil, "the model wants 0"},
	} {
		frame := c.frame
		frame.Source, frame.Index = "trial.xyz", 7
		_, err := e.Evaluate([]dataset.Frame{good, frame, good})
		var fe *FrameError
		switch {
		case !errors.As(err, &fe) || !errors.Is(err, ErrFrame):
			t.Errorf("%s: got %v, want a FrameError", c.name, err)
		case fe.Position != 1 || !strings.Contains(err.Error(), `frame 7 of "trial.xyz"`):
			t.Errorf("%s: %q does not name the frame", c.name, err)
		case c.cause != nil && !errors.Is(err, c.cause) || !strings.Contains(err.Error(), c.want):
			t.Errorf("%s: got %q, want cause %v and text %q", c.name, err, c.cause, c.want)
		case strings.Contains(err.Error(), "0.98"):
			t.Errorf("%s: %q holds a coordinate", c.name, err)
		}
		switch err := CheckFrame(cfg, &frame); {
		case (err == nil) != (c.name == "overlap"):
			t.Errorf("%s: CheckFrame says %v", c.name, err)
		case err != nil && (!errors.As(err, &fe) || fe.Position != -1 || strings.Contains(err.Error(), "(number")):
			t.Errorf("%s: CheckFrame says %v, want a FrameError without position", c.name, err)
		}
	}
	var unknown *UnknownElementError
	_, err = NewSample(cfg, &dataset.Frame{Species: []string{"Xe"}, Positions: []float64{0, 0, 0}})
	if !errors.As(err, &unknown) || unknown.Element != "Xe" {
		t.Errorf("got %v, want an UnknownElementError for Xe", err)
	}
	if p, err := e.Evaluate(nil); err != nil || len(p) != 0 {
		t.Errorf("no frames: got %v, %v", p, err)
	}
}

// TestEvaluateKeepsOrder evaluates more atoms than fit one run.
func TestEvaluateKeepsOrder(t *testing.T) {
	r := newRandom(t)
	cfg := randomConfig(r)
	m := randomModel(t, r, cfg)
	e, err := NewEvaluator(m, Float64, 1)
	if err != nil {
		t.Fatal(err)
	}
	base := []dataset.Frame{randomFrame(r, cfg, 6, false), randomFrame(r, cfg, 9, false)}
	want, err := e.Evaluate(base)
	if err != nil {
		t.Fatal(err)
	}
	var frames []dataset.Frame
	for k := range 2 * batchAtoms / 9 {
		frames = append(frames, base[k%2])
	}
	got, err := e.Evaluate(frames)
	if err != nil {
		t.Fatal(err)
	}
	for k := range got {
		near(t, "energy", []float64{got[k].Energy}, []float64{want[k%2].Energy}, 1e-10)
	}
}

// TestLoadSeesNewWeights changes the last bias, which shifts each atom's energy by as much.
func TestLoadSeesNewWeights(t *testing.T) {
	r := newRandom(t)
	cfg := randomConfig(r)
	cfg.Fitting.AtomEner = nil
	m := randomModel(t, r, cfg)
	e, err := NewEvaluator(m, Float64, 1)
	if err != nil {
		t.Fatal(err)
	}
	frames := []dataset.Frame{randomFrame(r, cfg, 4, false)}
	before, err := e.Evaluate(frames)
	if err != nil {
		t.Fatal(err)
	}
	m.tensor(cfg.fittingNet()[len(cfg.Fitting.Neuron)].path + "/@variables/b")[0] += 0.5
	for _, want := range []float64{before[0].Energy, before[0].Energy + 4*0.5} {
		got, err := e.Evaluate(frames)
		if err != nil {
			t.Fatal(err)
		}
		near(t, "energy", []float64{got[0].Energy}, []float64{want}, 1e-12)
		e.Load()
	}
}
