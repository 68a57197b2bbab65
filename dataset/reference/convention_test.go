package reference

import (
	"math"
	"path/filepath"
	"testing"

	"github.com/fedlam/fedlam/dataset"
	"github.com/fedlam/fedlam/dataset/extxyz"
	"github.com/google/go-cmp/cmp"
)

func TestConventionsTellPotentialsApart(t *testing.T) {
	copper, err := SuttonChen("Cu", 7)
	if err != nil {
		t.Fatal(err)
	}
	seen := map[dataset.Key]string{}
	for _, p := range []Potential{SPCFw(6), SPCFw(5), QTIP4PF(6), StillingerWeber(), copper} {
		c := Convention(p)
		if err := c.Validate(); err != nil {
			t.Errorf("%s: %v", p.Name(), err)
		}
		key, err := c.Key()
		if err != nil {
			t.Fatal(err)
		}
		if other, taken := seen[key]; taken {
			t.Errorf("%s has the key of %s", p.Name(), other)
		}
		seen[key] = p.Name()
	}
}

// TestTwoMembersOneHead stores samples of one potential as two institutions would, in different units, signs and
// orders, and finds the same frames and the same key again.
func TestTwoMembersOneHead(t *testing.T) {
	frames, err := Sample(SPCFw(5), WaterBox(2, 1), Langevin{Warmup: 50, Every: 5, Count: 3})
	if err != nil {
		t.Fatal(err)
	}
	plain, foreign := Convention(SPCFw(5)), Convention(SPCFw(5))
	foreign.Energy.Unit, foreign.Energy.Per = dataset.KilocaloriePerMol, dataset.PerAtom
	foreign.Forces.Quantity, foreign.Forces.Unit = dataset.Gradient, dataset.HartreePerBohr
	foreign.Stress = &dataset.Stress{Present: dataset.PresentAll, Quantity: dataset.PressureTensor, Unit: dataset.StressKilobar, Order: dataset.VaspVoigt}
	foreign.Boundary.LengthUnit, foreign.Boundary.LatticeVectors = dataset.Bohr, dataset.LatticeColumns
	foreign.Keys = &dataset.Keys{Energy: "e_atom", Forces: "dEdR", Stress: "p"}
	a, errA := plain.Key()
	b, errB := foreign.Key()
	if a != b || errA != nil || errB != nil {
		t.Errorf("keys %s and %s, want one; %v, %v", a, b, errA, errB)
	}
	path := filepath.Join(t.TempDir(), "foreign.xyz")
	if err := extxyz.WriteFile(path, foreign, frames); err != nil {
		t.Fatal(err)
	}
	got, err := extxyz.ReadFile(path, foreign)
	if err != nil {
		t.Fatal(err)
	}
	close := cmp.Comparer(func(x, y float64) bool { return math.Abs(x-y) <= 1e-12*(1+math.Abs(x)) })
	for i := range frames {
		want := frames[i]
		want.Source = path
		if diff := cmp.Diff(want, got[i], close); diff != "" {
			t.Errorf("frame %d came back changed (-want +got):\n%s", i, diff)
		}
	}
}

// TestWaterSmoothAtCutoff carries a molecule away through the cut-offs of all its sites.
func TestWaterSmoothAtCutoff(t *testing.T) {
	dimer := func(distance float64) dataset.Frame {
		f := WaterBox(1, 3)
		f.Cell = nil
		for i := range 3 {
			f.Species = append(f.Species, f.Species[i])
			f.Positions = append(f.Positions, f.Positions[3*i]+distance, f.Positions[3*i+1], f.Positions[3*i+2])
		}
		return f
	}
	for _, p := range []Potential{SPCFw(5), QTIP4PF(5)} {
		// Over a step of h the force may change by h times a curvature of a few eV/Å^2. Without the shift it would jump
		// by some 0.02 eV/Å where a pair of charges comes within the cut-off.
		const h = 5e-4
		previous, largest := math.NaN(), 0.0
		for x := 4.0; x < 7; x += h {
			f := dimer(x)
			l, err := p.Compute(&f)
			if err != nil {
				t.Fatal(err)
			}
			pull := l.Forces[9] + l.Forces[12] + l.Forces[15]
			if x > 4 {
				largest = max(largest, math.Abs(pull-previous))
			}
			previous = pull
		}
		if largest == 0 || largest > 5*h {
			t.Errorf("%s: the force between two molecules jumps by %g eV/Å", p.Name(), largest)
		}
	}
}
