package reference

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/fedlam/fedlam/dataset"
)

// jiggled returns f with every coordinate moved by up to width Å and the cell sheared.
func jiggled(f dataset.Frame, width float64, seed uint64) dataset.Frame {
	random := rand.New(rand.NewPCG(seed, 1))
	f.Positions = append([]float64(nil), f.Positions...)
	for k := range f.Positions {
		f.Positions[k] += width * (2*random.Float64() - 1)
	}
	if f.Cell != nil {
		return strained(f, [3][3]float64{{0.01, 0.02, 0}, {0, -0.02, 0.01}, {0.015, 0, 0.01}})
	}
	return f
}

// strained returns f with positions and cell rows multiplied by 1 + e.
func strained(f dataset.Frame, e [3][3]float64) dataset.Frame {
	apply := func(in []float64) []float64 {
		out := append([]float64(nil), in...)
		for i := 0; i < len(in); i += 3 {
			for l := range 3 {
				for k := range 3 {
					out[i+l] += in[i+k] * e[k][l]
				}
			}
		}
		return out
	}
	f.Positions = apply(f.Positions)
	cell := [9]float64(apply(f.Cell[:]))
	f.Cell = &cell
	return f
}

func cases(t *testing.T) map[string]struct {
	p Potential
	f dataset.Frame
} {
	copper, err := SuttonChen("Cu", 7)
	if err != nil {
		t.Fatal(err)
	}
	open := WaterBox(3, 5)
	open.Cell = nil
	type c = struct {
		p Potential
		f dataset.Frame
	}
	return map[string]c{
		"SPC/Fw":              {SPCFw(5), jiggled(WaterBox(4, 1), 0.05, 1)},
		"SPC/Fw tiny cell":    {SPCFw(6), jiggled(WaterBox(1, 1), 0.05, 2)},
		"SPC/Fw open":         {SPCFw(6), jiggled(open, 0.05, 3)},
		"q-TIP4P/F":           {QTIP4PF(5), jiggled(WaterBox(4, 2), 0.05, 4)},
		"q-TIP4P/F tiny cell": {QTIP4PF(5.5), jiggled(WaterBox(2, 3), 0.05, 5)},
		"Stillinger-Weber":    {StillingerWeber(), jiggled(Diamond("Si", 5.431, 1), 0.2, 6)},
		"Sutton-Chen":         {copper, jiggled(FCC("Cu", 3.61, 1), 0.2, 7)},
	}
}

func energy(t *testing.T, p Potential, f dataset.Frame) float64 {
	l, err := p.Compute(&f)
	if err != nil {
		t.Fatal(err)
	}
	return l.Energy
}

func TestForcesAreDerivatives(t *testing.T) {
	const h = 1e-4
	for name, c := range cases(t) {
		l, err := c.p.Compute(&c.f)
		if err != nil {
			t.Fatal(err)
		}
		for k := range c.f.Positions {
			moved := func(by float64) float64 {
				g := c.f
				g.Positions = append([]float64(nil), c.f.Positions...)
				g.Positions[k] += by
				return energy(t, c.p, g)
			}
			want := -(8*(moved(h)-moved(-h)) - (moved(2*h) - moved(-2*h))) / (12 * h)
			if math.Abs(l.Forces[k]-want) > 1e-6*(1+math.Abs(want)) {
				t.Errorf("%s: force component %d is %.9f, central difference %.9f eV/Å", name, k, l.Forces[k], want)
			}
		}
	}
}

func TestVirialIsStrainDerivative(t *testing.T) {
	const h = 1e-5
	for name, c := range cases(t) {
		if c.f.Cell == nil {
			continue
		}
		l, err := c.p.Compute(&c.f)
		if err != nil {
			t.Fatal(err)
		}
		for k := range 3 {
			for j := range 3 {
				moved := func(by float64) float64 {
					var e [3][3]float64
					e[k][j] = by
					return energy(t, c.p, strained(c.f, e))
				}
				want := -(8*(moved(h)-moved(-h)) - (moved(2*h) - moved(-2*h))) / (12 * h)
				if math.Abs(l.Virial[3*k+j]-want) > 1e-6*(1+math.Abs(want)) {
					t.Errorf("%s: virial[%d,%d] is %.8f, central difference %.8f eV", name, k, j, l.Virial[3*k+j], want)
				}
			}
		}
	}
}

// TestKnownEnergies compares with numbers of the literature.
func TestKnownEnergies(t *testing.T) {
	t.Run("silicon", func(t *testing.T) {
		f := Diamond("Si", 5.431, 1)
		if got := energy(t, StillingerWeber(), f) / 8; math.Abs(got+4.3366) > 1e-4 {
			t.Errorf("cohesive energy %.5f eV per atom, want -4.3366", got)
		}
	})
	for _, c := range []struct {
		element     string
		a, cohesive float64 // the fit of the 1990 paper: lattice constant in Å, eV per atom
	}{{"Cu", 3.61, 3.50}, {"Ag", 4.09, 2.96}, {"Au", 4.08, 3.78}, {"Ni", 3.52, 4.44}} {
		p, err := SuttonChen(c.element, 6*c.a)
		if err != nil {
			t.Fatal(err)
		}
		at := func(a float64) float64 { return energy(t, p, FCC(c.element, a, 1)) / 4 }
		if got := at(c.a); math.Abs(got+c.cohesive) > 0.02*c.cohesive {
			t.Errorf("%s: cohesive energy %.4f eV per atom, want -%.2f within 2 %%", c.element, got, c.cohesive)
		}
		if low := at(c.a); low > at(c.a*1.01) || low > at(c.a*0.99) {
			t.Errorf("%s: no minimum of the energy at the lattice constant %.2f Å", c.element, c.a)
		}
	}
	t.Run("water monomer", func(t *testing.T) {
		for _, c := range []struct {
			p             Potential
			length, angle float64
		}{{SPCFw(6), 1.012, 113.24}, {QTIP4PF(6), 0.9419, 107.4}} {
			half := c.angle / 2 * radian
			x, y := c.length*math.Cos(half), c.length*math.Sin(half)
			f := dataset.Frame{Species: []string{"O", "H", "H"}, Positions: []float64{0, 0, 0, x, y, 0, x, -y, 0}}
			l, err := c.p.Compute(&f)
			if err != nil {
				t.Fatal(err)
			}
			if math.Abs(l.Energy) > 1e-10 {
				t.Errorf("%s: energy %g eV of a relaxed molecule, want 0", c.p.Name(), l.Energy)
			}
		}
	})
}

// TestSmoothAtCutoff moves a pair of atoms through the cut-off of another pair.
func TestSmoothAtCutoff(t *testing.T) {
	copper, err := SuttonChen("Cu", 6)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		p       Potential
		species string
		cutoff  float64
	}{{copper, "Cu", 6}, {StillingerWeber(), "Si", swCut * swSigma}} {
		labels := func(r float64) Labels {
			f := dataset.Frame{Species: []string{c.species, c.species, c.species, c.species}, Positions: []float64{0, 0, 0, 0, 2.5, 0, r, 0, 0, r, 0, 2.5}}
			l, err := c.p.Compute(&f)
			if err != nil {
				t.Fatal(err)
			}
			return l
		}
		in, out := labels(c.cutoff-1e-4), labels(c.cutoff+1e-4)
		if de, df := in.Energy-out.Energy, in.Forces[0]-out.Forces[0]; math.Abs(de) > 1e-8 || math.Abs(df) > 1e-6 {
			t.Errorf("%s: energy jumps by %g eV and force by %g eV/Å at the cut-off", c.p.Name(), de, df)
		}
		if in.Energy == 0 {
			t.Errorf("%s: no energy at all; the test is blind", c.p.Name())
		}
	}
}

func TestSupercellIsCopies(t *testing.T) {
	p := StillingerWeber()
	one, eight := energy(t, p, Diamond("Si", 5.3, 1)), energy(t, p, Diamond("Si", 5.3, 2))
	if math.Abs(eight-8*one) > 1e-9 {
		t.Errorf("eight cells have %.9f eV, want eight times %.9f", eight, one)
	}
}

func TestSampleTemperature(t *testing.T) {
	frames, err := Sample(StillingerWeber(), Diamond("Si", 5.431, 1), Langevin{Temperature: 600, TimeStep: 1, Warmup: 500, Every: 10, Count: 200, Seed: 3})
	if err != nil {
		t.Fatal(err)
	}
	var potential float64
	for _, f := range frames {
		potential += *f.Energy / float64(len(frames))
	}
	// A harmonic crystal of N atoms holds 3/2 N kT above its minimum; anharmonicity changes this little at 600 K.
	got := (potential + 8*4.3366) / (1.5 * 8 * boltzmann * 600)
	if got < 0.8 || got > 1.25 {
		t.Errorf("mean potential energy is %.2f of the harmonic value, want about 1", got)
	}
}

func TestSampleIsReproducible(t *testing.T) {
	run := func(seed uint64) []dataset.Frame {
		frames, err := Sample(SPCFw(5), WaterBox(2, 1), Langevin{Warmup: 20, Every: 5, Count: 3, Seed: seed})
		if err != nil {
			t.Fatal(err)
		}
		return frames
	}
	a, b, c := run(1), run(1), run(2)
	if *a[2].Energy != *b[2].Energy || a[2].Positions[4] != b[2].Positions[4] {
		t.Error("equal seeds gave different frames")
	}
	if *a[2].Energy == *c[2].Energy {
		t.Error("different seeds gave equal frames")
	}
	for _, f := range a {
		if err := f.Validate(); err != nil {
			t.Error(err)
		}
	}
}

func TestErrors(t *testing.T) {
	water, silicon := WaterBox(1, 1), Diamond("Si", 5.4, 1)
	for _, c := range []struct {
		name, want string
		p          Potential
		f          dataset.Frame
	}{
		{"silicon as water", "whole water molecules", SPCFw(6), silicon},
		{"water in wrong order", "order O, H, H", SPCFw(6), dataset.Frame{Species: []string{"H", "O", "H"}, Positions: make([]float64, 9)}},
		{"water as silicon", "knows only Si", StillingerWeber(), water},
		{"flat cell", "no volume", SPCFw(6), dataset.Frame{Species: water.Species, Positions: water.Positions, Cell: &[9]float64{1, 0, 0, 1}}},
	} {
		if _, err := c.p.Compute(&c.f); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want one with %q", c.name, err, c.want)
		}
	}
	if _, err := SuttonChen("Xx", 10); err == nil {
		t.Error("unknown metal accepted")
	}
	if _, err := Sample(SPCFw(6), WaterBox(4, 1), Langevin{TimeStep: 50, Count: 20}); err == nil || !strings.Contains(err.Error(), "blew up") {
		t.Errorf("time step of 50 fs: error %v, want one that says it blew up", err)
	}
}

func BenchmarkWater8(b *testing.B) {
	f, p := WaterBox(8, 1), SPCFw(6)
	for b.Loop() {
		if _, err := p.Compute(&f); err != nil {
			b.Fatal(err)
		}
	}
}
