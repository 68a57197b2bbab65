package training

import (
	"compress/gzip"
	"context"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"github.com/fedlam/fedlam/dataset"
	"github.com/fedlam/fedlam/training/dpa2"
	"github.com/fedlam/fedlam/training/optim"
	"github.com/fedlam/fedlam/training/weights"
)

// goldenTree reads a model that DeePMD-kit wrote.
func goldenTree(t testing.TB, name string) *dpa2.Model {
	t.Helper()
	f, err := os.Open(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	tree, err := weights.ReadYAML(z)
	if err != nil {
		t.Fatal(err)
	}
	m, err := dpa2.FromTree(tree)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// tinyModel is a model of every kind of block whose steps take milliseconds.
func tinyModel(t testing.TB) *dpa2.Config {
	t.Helper()
	cfg, err := dpa2.ParseConfig([]byte(`{"type_map": ["O", "H"],
		"descriptor": {"type": "dpa2",
			"repinit": {"rcut": 4.0, "rcut_smth": 0.5, "nsel": 16, "neuron": [3, 6], "axis_neuron": 2, "tebd_dim": 3,
				"use_three_body": true, "three_body_neuron": [2, 4], "three_body_sel": 8, "three_body_rcut": 3.0, "three_body_rcut_smth": 2.0},
			"repformer": {"rcut": 3.0, "rcut_smth": 2.0, "nsel": 8, "nlayers": 2, "g1_dim": 6, "g2_dim": 4, "axis_neuron": 2,
				"attn1_hidden": 4, "attn1_nhead": 2, "attn2_hidden": 4, "attn2_nhead": 2, "update_style": "res_residual"}},
		"fitting_net": {"neuron": [8, 8]}}`))
	if err != nil {
		t.Fatal(err)
	}
	return cfg
}

// toyFrames makes labelled frames of molecules-sized clusters: energy and forces of springs between all atoms, so that
// there is something to be learned. Every fourth frame is periodic and has a virial.
func toyFrames(seed uint64, count, atoms int, offset float64) []dataset.Frame {
	rng := rand.New(rand.NewPCG(seed, 7))
	frames := make([]dataset.Frame, count)
	for i := range frames {
		f := dataset.Frame{Source: "toy", Index: i, Positions: make([]float64, 3*atoms), Forces: make([]float64, 3*atoms)}
		for a := range atoms {
			f.Species = append(f.Species, []string{"O", "H"}[a%2])
			for k := range 3 {
				f.Positions[3*a+k] = 1.1*float64(a>>k&1) + 0.2*rng.NormFloat64()
			}
		}
		energy := offset * float64(atoms)
		for a := range atoms {
			for b := range a {
				energy += spring(&f, a, b)
			}
		}
		f.Energy = &energy
		if i%4 == 0 {
			f.Cell = &[9]float64{9, 0, 0, 0, 9, 0, 0, 0, 9}
			f.Virial = &[9]float64{rng.Float64(), 0, 0, 0, rng.Float64(), 0, 0, 0, 1}
		}
		frames[i] = f
	}
	return frames
}

// spring adds the forces of one pair and returns its energy.
func spring(f *dataset.Frame, a, b int) float64 {
	var d [3]float64
	r := 0.0
	for k := range d {
		d[k] = f.Positions[3*a+k] - f.Positions[3*b+k]
		r = math.Hypot(r, d[k])
	}
	for k := range d {
		pull := (r - 1) * d[k] / r
		f.Forces[3*a+k] -= pull
		f.Forces[3*b+k] += pull
	}
	return (r - 1) * (r - 1) / 2
}

// toyConfig trains the tiny model for the given number of steps.
func toyConfig(t testing.TB, steps int) Config {
	return Config{
		Model: tinyModel(t), Steps: steps, Seed: 11, Threads: 1,
		Loss:      dpa2.LossConfig{Type: "ener", StartPrefE: 0.02, LimitPrefE: 1, StartPrefF: 100, LimitPrefF: 1, StartPrefV: 0.02, LimitPrefV: 1, HuberDelta: 0.01},
		Schedule:  optim.Schedule{StartLR: 1e-2, StopLR: 1e-4, DecaySteps: 2},
		Optimizer: optim.Config{MaxNorm: 5},
	}
}

// toyHeads are two conventions; frames of the second have another zero of energy and other sizes.
func toyHeads() []Head {
	return []Head{
		{Key: "aaaa", Name: "first", Train: append(toyFrames(1, 9, 4, -3), toyFrames(2, 5, 6, -3)...), Validation: toyFrames(3, 4, 4, -3), BatchSize: "2", Probability: 2},
		{Key: "bbbb", Name: "second", Train: toyFrames(4, 7, 5, 10), Validation: toyFrames(5, 3, 5, 10), BatchSize: "auto:8", Probability: 1},
	}
}

// toyTrainer is prepared and ready to run.
func toyTrainer(t testing.TB, cfg Config, heads []Head) *Trainer {
	t.Helper()
	tr, err := New(cfg, heads)
	if err != nil {
		t.Fatal(err)
	}
	if err := tr.Prepare(); err != nil {
		t.Fatal(err)
	}
	return tr
}

func run(t *testing.T, tr *Trainer, steps int) (out []Progress) {
	t.Helper()
	if err := tr.Run(context.Background(), steps, func(p Progress) { out = append(out, p) }); err != nil {
		t.Fatal(err)
	}
	return out
}

// differ names the first tensor whose bits are not equal, "" if there is none.
func differ(a, b *weights.Set) string {
	if err := a.SameShapes(b); err != nil {
		return err.Error()
	}
	for _, x := range a.Tensors() {
		y, _ := b.Get(x.Name)
		for k := range x.Data {
			if math.Float64bits(x.Data[k]) != math.Float64bits(y.Data[k]) {
				return x.Name
			}
		}
	}
	return ""
}
