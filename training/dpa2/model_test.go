package dpa2

import (
	"math"
	"reflect"
	"strings"
	"testing"

	"github.com/fedlam/fedlam/dataset"
	"github.com/fedlam/fedlam/training/weights"
)

// TestFreshDistributions checks mean and spread of each kind of tensor (SPEC 2.4) on a model with many numbers.
func TestFreshDistributions(t *testing.T) {
	cfg := officialInput(true, 3)
	m, err := New(cfg, 7)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		path         string
		mean, spread float64
	}{
		{fittingPath + "/layers/1/@variables/w", 0, 1 / math.Sqrt(480)},
		{fittingPath + "/layers/1/@variables/b", 0, 1},
		{fittingPath + "/layers/1/@variables/idt", 0.1, 0.001},
		{shapePath + "/@variables/w", 0, math.Sqrt(6.0/(1208+128)) / math.Sqrt(3)},
		{repformerPath + "/repformer_layers/0/@variables/g1_residual/1", 0, 0.01},
		{repformerPath + "/repformer_layers/0/attn2_lm/@variables/w", 1, 0},
		{repformerPath + "/repformer_layers/0/attn2_lm/@variables/b", 0, 0},
		{repinitPath + "/@variables/dstd", 1, 0},
		{"@variables/out_bias", 0, 0},
	} {
		x := m.tensor(c.path)
		n := float64(len(x))
		mean := sum(x, func(v float64) float64 { return v }) / n
		spread := math.Sqrt(sum(x, func(v float64) float64 { return (v - mean) * (v - mean) }) / n)
		if math.Abs(mean-c.mean) > 5*c.spread/math.Sqrt(n) || math.Abs(spread-c.spread) > 5*c.spread/math.Sqrt(2*n) {
			t.Errorf("%s: got mean %g and spread %g, want %g and %g", c.path, mean, spread, c.mean, c.spread)
		}
	}
	largest := math.Sqrt(6.0 / (1208 + 128))
	for _, v := range m.tensor(shapePath + "/@variables/w") {
		if math.Abs(v) > largest {
			t.Fatalf("shape transform holds %g, beyond Glorot's bound %g", v, largest)
		}
	}
}

// TestFreshWeightsComeFromSeedAndName pins the stream: the genesis weights of a federation are made by everyone.
func TestFreshWeightsComeFromSeedAndName(t *testing.T) {
	cfg := officialInput(false, 2)
	a, _ := New(cfg, 1)
	b, _ := New(cfg, 1)
	if !reflect.DeepEqual(a.Params, b.Params) {
		t.Error("one seed gives two sets of weights")
	}
	c, _ := New(cfg, 2)
	if reflect.DeepEqual(a.Params, c.Params) {
		t.Error("two seeds give one set of weights")
	}
	for path, want := range map[string]float64{
		shapePath + "/@variables/w":            -0x1.e5f57145b086fp-05, // uniform
		fittingPath + "/layers/0/@variables/b": 0x1.7ce12e09297a8p-02,  // normal
	} {
		if got := a.tensor(path)[0]; got != want {
			t.Errorf("first number of %s: got %x, want %x", path, got, want)
		}
	}
	deeper, _ := New(officialInput(false, 3), 1)
	if !reflect.DeepEqual(a.tensor(shapePath+"/@variables/w"), deeper.tensor(shapePath+"/@variables/w")) {
		t.Error("one more layer changes the numbers of other tensors")
	}
}

func TestHeadsShareTheTrunk(t *testing.T) {
	cfg := officialInput(false, 2)
	one, err := NewHead(cfg, "a", 1)
	if err != nil {
		t.Fatal(err)
	}
	two, err := NewHead(cfg, "b", 1)
	if err != nil {
		t.Fatal(err)
	}
	own := 0
	for _, name := range one.Params.Names() {
		if strings.HasPrefix(name, "descriptor/") {
			x, _ := one.Params.Get(name)
			y, ok := two.Params.Get(name)
			if !ok || !reflect.DeepEqual(x, y) {
				t.Errorf("trunk tensor %q differs between heads of one seed", name)
			}
			continue
		}
		own++
		if _, ok := two.Params.Get(name); ok || !strings.HasPrefix(name, "heads/a/") {
			t.Errorf("tensor %q is not the head's own", name)
		}
	}
	if own == 0 {
		t.Error("the head has no tensor of its own")
	}
	for _, x := range two.Params.Tensors() {
		one.Params.Put(*x)
	}
	if err := (&Model{Config: cfg, Params: one.Params, Head: "b"}).Check(); err != nil {
		t.Errorf("head b in the joint set: %v", err)
	}
	if err := (&Model{Config: cfg, Params: one.Params, Head: "c"}).Check(); err == nil {
		t.Error("a head that does not exist passes Check")
	}
}

// TestHeadGetsGradientsUnderItsNames trains a head of a joint set: the numbers are those of the single model.
func TestHeadGetsGradientsUnderItsNames(t *testing.T) {
	r := newRandom(t)
	cfg := randomConfig(r)
	single := randomModel(t, r, cfg)
	joint := &Model{Config: cfg, Params: &weights.Set{}, Head: "water-1"}
	for _, x := range single.Params.Tensors() {
		c := x.Clone()
		c.Name = HeadPath("water-1", x.Name)
		joint.Params.Put(c)
	}
	frames := []dataset.Frame{labelled(r, randomFrame(r, cfg, 4, true))}
	a, ga := runStep(t, single, DefaultLoss(), Prefactors{1, 1, 0}, frames)
	b, gb := runStep(t, joint, DefaultLoss(), Prefactors{1, 1, 0}, frames)
	if a != b {
		t.Errorf("metrics: got %+v, want %+v", b, a)
	}
	for _, x := range ga.Tensors() {
		y, ok := gb.Get(HeadPath("water-1", x.Name))
		if !ok || !reflect.DeepEqual(x.Data, y.Data) {
			t.Errorf("gradient of %q is missing or differs", x.Name)
		}
	}
	if len(gb.Names()) != len(ga.Names()) {
		t.Errorf("got %d gradients, want %d", len(gb.Names()), len(ga.Names()))
	}
}

func TestDroppedNeighboursAreCounted(t *testing.T) {
	r := newRandom(t)
	cfg := randomConfig(r)
	frame := randomFrame(r, cfg, 6, true)
	s, err := NewSample(cfg, &frame)
	if err != nil {
		t.Fatal(err)
	}
	if s.Dropped() != 0 {
		t.Errorf("room for all: %d neighbours dropped", s.Dropped())
	}
	all := len(s.neighbor)
	cfg.Descriptor.ExcludeTypes = nil
	cfg.Descriptor.Repinit.NSel.Count, cfg.Descriptor.Repformer.NSel.Count, cfg.Descriptor.Repinit.ThreeSel.Count = 5, 4, 4
	b, err := NewBatch(cfg, []dataset.Frame{frame})
	if err != nil {
		t.Fatal(err)
	}
	if b.NumEdges() != 5*6 || b.Dropped() < all-5*6 {
		t.Errorf("got %d edges and %d dropped; want 30, and at least %d", b.NumEdges(), b.Dropped(), all-30)
	}
}

// TestLossOfMixedSizesIsMeanOfSingles: each frame counts the same whatever its size, and one without a label is no
// part of the mean.
func TestLossOfMixedSizesIsMeanOfSingles(t *testing.T) {
	r := newRandom(t)
	cfg := randomConfig(r)
	m := randomModel(t, r, cfg)
	loss := DefaultLoss()
	loss.StartPrefV, loss.LimitPrefV = 1, 1
	p := Prefactors{1, 10, 2}
	small, large := labelled(r, randomFrame(r, cfg, 3, true)), labelled(r, randomFrame(r, cfg, 6, false))
	blind := randomFrame(r, cfg, 5, false)
	a, _ := runStep(t, m, loss, p, []dataset.Frame{small})
	b, _ := runStep(t, m, loss, p, []dataset.Frame{large})
	both, _ := runStep(t, m, loss, p, []dataset.Frame{small, blind, large})
	near(t, "loss", []float64{both.Loss}, []float64{(a.Loss + b.Loss) / 2}, 1e-10)
	a.Merge(b)
	near(t, "errors", []float64{both.Energy.RMS(), both.Force.RMS(), both.Virial.RMS()}, []float64{a.Energy.RMS(), a.Force.RMS(), a.Virial.RMS()}, 1e-10)
	if both.Energy.N != 2 || both.Force.N != 27 || both.Virial.N != 18 || both.Frames != 3 {
		t.Errorf("entries: got %d, %d, %d of %d frames; want 2, 27, 18 of 3", both.Energy.N, both.Force.N, both.Virial.N, both.Frames)
	}
}

// TestFloat32Gradient holds the gradient in float32 against that in float64, for a model of useful size.
func TestFloat32Gradient(t *testing.T) {
	r := newRandom(t)
	cfg := moleculeConfig()
	m := randomModel(t, r, cfg)
	b, err := NewBatch(cfg, molecules(r, cfg, 2))
	if err != nil {
		t.Fatal(err)
	}
	grads := map[Precision]*weights.Set{Float64: {}, Float32: {}}
	for precision, grad := range grads {
		step, err := NewTrainingStep(cfg, DefaultLoss(), precision, 0)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := step.Run(m, b, Prefactors{0.02, 1000, 0}, grad); err != nil {
			t.Fatal(err)
		}
		allocs := testing.AllocsPerRun(3, func() {
			if _, err := step.Run(m, b, Prefactors{0.02, 1000, 0}, grad); err != nil {
				t.Fatal(err)
			}
		})
		if allocs > 20 {
			t.Errorf("%s: a step allocates %v times", precision, allocs)
		}
	}
	var difference, norm float64
	for _, x := range grads[Float64].Tensors() {
		y, _ := grads[Float32].Get(x.Name)
		for k, v := range x.Data {
			difference += (v - y.Data[k]) * (v - y.Data[k])
			norm += v * v
		}
	}
	if got := math.Sqrt(difference / norm); !(got < 1e-4) {
		t.Errorf("the gradients differ by %.2g of their length", got)
	} else {
		t.Logf("the gradients differ by %.2g of their length", got)
	}
}
