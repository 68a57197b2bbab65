package silo_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/fedlam/fedlam/dataset"
	"github.com/fedlam/fedlam/dataset/extxyz"
	"github.com/fedlam/fedlam/dataset/reference"
	"github.com/fedlam/fedlam/kernels/cuda/cudatest"
	"github.com/fedlam/fedlam/node/silo"
	"github.com/fedlam/fedlam/training"
	"github.com/fedlam/fedlam/training/dpa2"
	"github.com/fedlam/fedlam/training/optim"
	"github.com/fedlam/fedlam/training/weights"
	"github.com/google/go-cmp/cmp"
)

const model = `{"type_map":["O","H"],"descriptor":{"type":"dpa2",
"repinit":{"rcut":3.0,"rcut_smth":0.5,"nsel":12,"neuron":[3,6],"axis_neuron":2,"tebd_dim":3},
"repformer":{"rcut":2.5,"rcut_smth":2.0,"nsel":6,"nlayers":1,"g1_dim":6,"g2_dim":4,"axis_neuron":2,
"attn1_hidden":4,"attn1_nhead":2,"attn2_hidden":4,"attn2_nhead":2,"update_style":"res_residual"}},
"fitting_net":{"neuron":[6]}}`

func recipe(t *testing.T) silo.Recipe {
	t.Helper()
	cfg, err := dpa2.ParseConfig([]byte(model))
	if err != nil {
		t.Fatal(err)
	}
	return silo.Recipe{Model: cfg, Loss: dpa2.DefaultLoss(), Steps: 100, Schedule: optim.Schedule{StartLR: 1e-3, StopLR: 1e-5}}
}

// water makes frames and stores them under a variation of the potential's convention.
func water(t *testing.T, p reference.Potential, name string, seed uint64, vary func(*dataset.Convention), spoil func([]dataset.Frame) []dataset.Frame) silo.Set {
	t.Helper()
	frames, err := reference.Sample(p, reference.WaterBox(4, seed), reference.Langevin{Count: 20, Every: 5, Warmup: 50, Seed: seed})
	if err != nil {
		t.Fatal(err)
	}
	if spoil != nil {
		frames = spoil(frames)
	}
	c := reference.Convention(p)
	if vary != nil {
		vary(c)
	}
	dir := t.TempDir()
	set := silo.Set{Path: filepath.Join(dir, name+".xyz"), Convention: filepath.Join(dir, name+".json")}
	text, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(os.WriteFile(set.Convention, text, 0o600), extxyz.WriteFile(set.Path, c, frames)); err != nil {
		t.Fatal(err)
	}
	return set
}

func hartree(c *dataset.Convention) { c.Energy.Unit = dataset.Hartree }

func TestOneHeadPerConvention(t *testing.T) {
	spc, tip := reference.SPCFw(3), reference.QTIP4PF(3)
	s, err := silo.Open(t.Context(), silo.Config{Recipe: recipe(t), ValidationFraction: 0.3, Sets: []silo.Set{
		water(t, spc, "a", 1, nil, nil), water(t, spc, "b", 2, hartree, nil), water(t, tip, "c", 3, nil, nil)}})
	if err != nil {
		t.Fatal(err)
	}
	heads := s.Heads()
	if len(heads) != 2 {
		t.Fatalf("%d heads, want 2", len(heads))
	}
	total := 0
	for _, h := range heads {
		total += h.Training + h.Validation
		if h.Training == 0 || h.Validation == 0 || !cmp.Equal(h.Elements, []bool{true, true}) {
			t.Errorf("head %s: %+v", h.Key, h)
		}
	}
	if total != 60 {
		t.Errorf("%d frames in all heads, want 60", total)
	}
}

func TestTrainFromCertifiedWeights(t *testing.T) { trainFromCertified(t, dpa2.Place{Threads: 1}) }

// TestTrainOnDevice does the same on a GPU, and compares an update with that of the processor.
func TestTrainOnDevice(t *testing.T) {
	place := dpa2.Place{Threads: 1, Device: cudatest.Open(t)}
	trainFromCertified(t, place)
	set := water(t, reference.SPCFw(3), "a", 1, nil, nil)
	after := map[bool]*weights.Set{}
	for _, gpu := range []bool{false, true} {
		cfg := silo.Config{Recipe: recipe(t), Seed: 1, Precision: dpa2.Float64, Threads: 1, Sets: []silo.Set{set}}
		if gpu {
			cfg.Place = place
		}
		s := open(t, cfg)
		if err := s.Steps(t.Context(), 5, nil); err != nil {
			t.Fatal(err)
		}
		after[gpu] = s.Weights()
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
	for _, want := range after[false].Tensors() {
		got, _ := after[true].Get(want.Name)
		for k := range want.Data {
			if math.Abs(got.Data[k]-want.Data[k]) > 1e-9*max(1, math.Abs(want.Data[k])) {
				t.Fatalf("%s[%d] is %v, want %v", want.Name, k, got.Data[k], want.Data[k])
			}
		}
	}
}

func trainFromCertified(t *testing.T, place dpa2.Place) {
	cfg := silo.Config{Recipe: recipe(t), ValidationFraction: 0.3, Seed: 1, Place: place,
		Sets: []silo.Set{water(t, reference.SPCFw(3), "a", 1, nil, nil)}}
	a, b := open(t, cfg), open(t, cfg)
	certified := a.Weights()
	for range 2 {
		if err := a.Steps(t.Context(), 3, nil); err != nil {
			t.Fatal(err)
		}
	}
	folder := filepath.Join(t.TempDir(), "state")
	if err := b.Install(t.Context(), certified); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(b.Steps(t.Context(), 3, nil), b.Save(folder)); err != nil {
		t.Fatal(err)
	}
	c := open(t, cfg)
	if err := errors.Join(c.Resume(folder), c.Steps(t.Context(), 3, nil)); err != nil {
		t.Fatal(err)
	}
	if c.Step() != 6 || a.Step() != 6 {
		t.Errorf("%d and %d steps, want 6", c.Step(), a.Step())
	}
	moved := 0
	for _, name := range a.Trainable() {
		was, _ := certified.Get(name)
		x, _ := a.Weights().Get(name)
		y, _ := c.Weights().Get(name)
		if !cmp.Equal(x.Data, y.Data) {
			t.Errorf("%s differs after an interruption", name)
		}
		if !cmp.Equal(x.Data, was.Data) {
			moved++
		}
	}
	if moved == 0 {
		t.Error("training moved nothing")
	}
	results, err := c.Validate(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for key, h := range results.Heads {
		if rmse := h.Validation.Force.RMSE; h.Validation.Frames == 0 || !(rmse > 0) || math.IsInf(rmse, 0) {
			t.Errorf("head %s: %+v", key, h)
		}
	}
	text, err := results.Text()
	if err != nil || !bytes.Contains(text, []byte(`"fedlam_results": 1`)) {
		t.Errorf("results are %s, %v", text, err)
	}
}

func open(t *testing.T, cfg silo.Config) *silo.Silo {
	t.Helper()
	s, err := silo.Open(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestInterruptedTraining(t *testing.T) {
	s := open(t, silo.Config{Recipe: recipe(t), Sets: []silo.Set{water(t, reference.SPCFw(3), "a", 1, nil, nil)}})
	ctx, cancel := context.WithCancel(t.Context())
	err := s.Steps(ctx, 10, func(p training.Progress) {
		if p.Step == 2 {
			cancel()
		}
	})
	if !errors.Is(err, context.Canceled) || s.Step() != 2 {
		t.Errorf("stopped after %d steps with %v", s.Step(), err)
	}
}

func TestBadData(t *testing.T) {
	spc := reference.SPCFw(3)
	good := water(t, spc, "good", 1, nil, nil)
	wrongUnit := func(f []dataset.Frame) []dataset.Frame {
		for i := range f {
			*f[i].Energy /= dataset.HartreeInElectronVolt // the file says eV
		}
		return f
	}
	for _, c := range []struct {
		name string
		set  silo.Set
		edit func(path string) error
		want string
	}{
		{"wrong unit", water(t, spc, "unit", 1, nil, wrongUnit), nil, "contradict"},
		{"unknown element", water(t, spc, "element", 1, nil, nil), replace("O ", "N "), `"N"`},
		{"NaN", water(t, spc, "nan", 1, nil, nil), replace("energy=", "energy=nan nothing="), "energy"},
		{"truncated", water(t, spc, "short", 1, nil, nil), func(p string) error { return os.Truncate(p, 1500) }, "short.xyz"},
		{"no such file", silo.Set{Path: "nowhere.xyz", Convention: good.Convention}, nil, "nowhere.xyz"},
		{"no convention", silo.Set{Path: good.Path, Convention: "nowhere.json"}, nil, "nowhere.json"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.edit != nil {
				if err := c.edit(c.set.Path); err != nil {
					t.Fatal(err)
				}
			}
			_, err := silo.Open(t.Context(), silo.Config{Recipe: recipe(t), Sets: []silo.Set{good, c.set}})
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want it to say %q", err, c.want)
			}
		})
	}
	if _, err := silo.Open(t.Context(), silo.Config{Recipe: recipe(t)}); !errors.Is(err, silo.ErrNoData) {
		t.Errorf("no sets: %v, want ErrNoData", err)
	}
}

func replace(old, new string) func(string) error {
	return func(path string) error {
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		return os.WriteFile(path, []byte(strings.ReplaceAll(string(text), old, new)), 0o600)
	}
}

func TestLogHoldsNoNumbersOfTheData(t *testing.T) {
	var log bytes.Buffer
	copies := func(f []dataset.Frame) []dataset.Frame { return append(f, f[0]) }
	set := water(t, reference.SPCFw(3), "a", 1, nil, copies)
	s, err := silo.Open(t.Context(), silo.Config{Recipe: recipe(t), Sets: []silo.Set{set}, Log: slog.New(slog.NewTextHandler(&log, nil))})
	if err != nil {
		t.Fatal(err)
	}
	if s.Heads()[0].Training != 20 {
		t.Errorf("%d frames, want 20 without the copy", s.Heads()[0].Training)
	}
	if !strings.Contains(log.String(), "copies") {
		t.Errorf("no warning about copies in %q", log.String())
	}
	text, err := os.ReadFile(set.Path)
	if err != nil {
		t.Fatal(err)
	}
	for word := range strings.FieldsFuncSeq(string(text), func(r rune) bool { return strings.ContainsRune(" =\"\n", r) }) {
		if len(word) > 8 && strings.Contains(word, ".") && strings.Contains(log.String(), word) {
			t.Errorf("the log holds %s of the data", word)
		}
	}
}
