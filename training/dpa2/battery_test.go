package dpa2

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/fedlam/fedlam/dataset"
)

// subject is one random model with the frames it is examined on.
type subject struct {
	model  *Model
	eval   *Evaluator
	frames []dataset.Frame // periodic and open
	rng    *rand.Rand
}

func (s *subject) predict(t *testing.T, frames ...dataset.Frame) []Prediction {
	t.Helper()
	p, err := s.eval.Evaluate(frames)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// TestBattery holds what must be true of any DPA-2 model against random architectures with random weights.
func TestBattery(t *testing.T) {
	r := newRandom(t)
	for k := range 4 {
		cfg := randomConfig(r)
		if k == 0 { // at least one for which smoothness holds
			cfg.Descriptor.Smooth, cfg.Descriptor.Repinit.SetDavgZero = true, true
		}
		m := randomModel(t, r, cfg)
		e, err := NewEvaluator(m, Float64, 2)
		if err != nil {
			t.Fatalf("%v\n%+v", err, cfg)
		}
		s := &subject{m, e, []dataset.Frame{randomFrame(r, cfg, 5, true), randomFrame(r, cfg, 7, false)}, r}
		for _, c := range battery {
			if !t.Run(c.name, func(t *testing.T) { c.check(s, t) }) {
				t.Logf("configuration: %+v", *cfg)
			}
		}
	}
}

var battery = []struct {
	name  string
	check func(*subject, *testing.T)
}{
	{"rotation", (*subject).rotation},
	{"translation", (*subject).translation},
	{"permutation", (*subject).permutation},
	{"singles", (*subject).singles},
	{"smoothness", (*subject).smoothness},
	{"forces", (*subject).forces},
	{"virial", (*subject).virial},
	{"supercell", (*subject).supercell},
	{"left-handed cell", (*subject).leftHanded},
	{"virtual atoms", (*subject).virtualAtoms},
	{"gradient", (*subject).gradient},
	{"threads", (*subject).threads},
	{"float32", (*subject).float32},
}

func (s *subject) rotation(t *testing.T) {
	q := randomRotation(s.rng)
	for k, p := range s.predict(t, s.frames...) {
		f := cloneFrame(s.frames[k])
		rotate(f.Positions, q)
		if f.Cell != nil {
			rotate(f.Cell[:], q)
		}
		turned := s.predict(t, f)[0]
		rotate(p.Forces, q)
		near(t, "energies", turned.AtomEnergy, p.AtomEnergy, 1e-9)
		near(t, "forces", turned.Forces, p.Forces, 1e-9)
		near(t, "virial", turned.Virial[:], rotated(p.Virial, q), 1e-9)
	}
}

func (s *subject) translation(t *testing.T) {
	for k, p := range s.predict(t, s.frames...) {
		f := cloneFrame(s.frames[k])
		for i := range f.Positions {
			f.Positions[i] += [3]float64{7.3, -11.1, 2.9}[i%3]
		}
		samePrediction(t, s.predict(t, f)[0], p)
	}
}

// permutation keeps atom 0, on whose type empty slots depend where davg is not 0.
func (s *subject) permutation(t *testing.T) {
	for k, p := range s.predict(t, s.frames...) {
		f, want := cloneFrame(s.frames[k]), Prediction{Energy: p.Energy, Virial: p.Virial}
		order := append([]int{0}, s.rng.Perm(len(f.Species)-1)...)
		for to, from := range order {
			if to > 0 {
				from++
			}
			f.Species[to] = s.frames[k].Species[from]
			copy(f.Positions[3*to:], s.frames[k].Positions[3*from:3*from+3])
			want.AtomEnergy = append(want.AtomEnergy, p.AtomEnergy[from])
			want.Forces = append(want.Forces, p.Forces[3*from:3*from+3]...)
		}
		samePrediction(t, s.predict(t, f)[0], want)
	}
}

// singles holds predictions in a batch of frames of several sizes against those one by one.
func (s *subject) singles(t *testing.T) {
	frames := append([]dataset.Frame{randomFrame(s.rng, s.model.Config, 1, false), randomFrame(s.rng, s.model.Config, 3, true)}, s.frames...)
	for k, p := range s.predict(t, frames...) {
		samePrediction(t, p, s.predict(t, frames[k])[0])
	}
}

// smoothness moves an atom through each cut-off. With means that are not 0 an empty slot differs from a neighbour at
// the cut-off, and a model that is not smooth counts neighbours: there it does not hold, in DeePMD-kit neither.
func (s *subject) smoothness(t *testing.T) {
	d := &s.model.Config.Descriptor
	if !d.Smooth || !d.Repinit.SetDavgZero {
		t.Skip("not smooth by definition")
	}
	cutoffs := []float64{d.Repinit.RCut, d.Repformer.RCut}
	if d.Repinit.UseThreeBody {
		cutoffs = append(cutoffs, d.Repinit.ThreeRCut)
	}
	at := func(x float64) dataset.Frame {
		name := s.model.Config.TypeMap[0]
		return dataset.Frame{Species: []string{name, name, name}, Positions: []float64{0, 0, 0, x, 0, 0, 0.3, 1.5, 0.2}}
	}
	for _, rc := range cutoffs {
		p := s.predict(t, at(rc-1e-5), at(rc+1e-5), at(rc-3e-5), at(rc+3e-5))
		// without a jump, the change over 2e-5 Å is a third of that over 6e-5 Å
		inner, outer := p[1].Energy-p[0].Energy, p[3].Energy-p[2].Energy
		near(t, "change of energy at the cut-off", []float64{inner}, []float64{outer / 3}, 1e-9*(1+math.Abs(p[0].Energy)))
		for k := range p[0].Forces {
			inner, outer := p[1].Forces[k]-p[0].Forces[k], p[3].Forces[k]-p[2].Forces[k]
			near(t, "change of forces at the cut-off", []float64{inner}, []float64{outer / 3}, 1e-7*(1+math.Abs(p[0].Forces[k])))
		}
	}
}

func (s *subject) forces(t *testing.T) {
	const h = 1e-5
	for k, p := range s.predict(t, s.frames...) {
		var moved []dataset.Frame
		for i := range s.frames[k].Positions {
			for _, d := range []float64{-h, h} {
				f := cloneFrame(s.frames[k])
				f.Positions[i] += d
				moved = append(moved, f)
			}
		}
		near(t, "forces", p.Forces, differences(s.predict(t, moved...), -2*h), 1e-6)
	}
}

func (s *subject) virial(t *testing.T) {
	const h = 1e-5
	for k, p := range s.predict(t, s.frames...) {
		var strained []dataset.Frame
		for c := range 9 {
			for _, d := range []float64{-h, h} {
				f := cloneFrame(s.frames[k])
				strain(f.Positions, c/3, c%3, d)
				if f.Cell != nil {
					strain(f.Cell[:], c/3, c%3, d)
				}
				strained = append(strained, f)
			}
		}
		near(t, "virial", p.Virial[:], differences(s.predict(t, strained...), -2*h), 1e-6)
	}
}

// differences returns (E_1 − E_0)/step of consecutive pairs.
func differences(p []Prediction, step float64) []float64 {
	var d []float64
	for k := 0; k < len(p); k += 2 {
		d = append(d, (p[k+1].Energy-p[k].Energy)/step)
	}
	return d
}

// strain adds d times component k to component j of each vector.
func strain(x []float64, k, j int, d float64) {
	for i := 0; i < len(x); i += 3 {
		x[i+j] += d * x[i+k]
	}
}

func (s *subject) supercell(t *testing.T) {
	f := cloneFrame(s.frames[0])
	n := len(f.Species)
	for i := range n {
		f.Species = append(f.Species, f.Species[i])
		for k := range 3 {
			f.Positions = append(f.Positions, f.Positions[3*i+k]+f.Cell[3+k])
		}
	}
	for k := range 3 {
		f.Cell[3+k] *= 2
	}
	one, two := s.predict(t, s.frames[0])[0], s.predict(t, f)[0]
	near(t, "energy of two cells", []float64{two.Energy}, []float64{2 * one.Energy}, 1e-9)
	near(t, "forces of the second cell", two.Forces[3*n:], one.Forces, 1e-9)
}

func (s *subject) leftHanded(t *testing.T) {
	f := cloneFrame(s.frames[0])
	for k := range 3 {
		f.Cell[k], f.Cell[3+k] = f.Cell[3+k], f.Cell[k]
	}
	samePrediction(t, s.predict(t, f)[0], s.predict(t, s.frames[0])[0])
}

func (s *subject) virtualAtoms(t *testing.T) {
	for k, p := range s.predict(t, s.frames...) {
		f := cloneFrame(s.frames[k])
		f.Species = append(f.Species, "")
		f.Positions = append(f.Positions, f.Positions[:3]...)
		p.AtomEnergy, p.Forces = append(p.AtomEnergy, 0), append(p.Forces, 0, 0, 0)
		samePrediction(t, s.predict(t, f)[0], p)
	}
}
