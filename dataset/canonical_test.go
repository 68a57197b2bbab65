package dataset_test

import (
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/fedlam/fedlam/dataset"
	"pgregory.net/rapid"
)

func ptr(v float64) *float64 { return &v }

// convention returns a plain convention for periodic frames with every label.
func convention() *dataset.Convention {
	return &dataset.Convention{
		Version: 1,
		Method:  dataset.Method{Kind: "forcefield", Name: "test"},
		Energy: dataset.Energy{Quantity: "potential_energy", Per: dataset.PerConfiguration, Unit: dataset.ElectronVolt,
			Reference: dataset.Reference{Kind: dataset.Absolute}},
		Forces:     &dataset.Forces{Present: dataset.PresentAll},
		Stress:     &dataset.Stress{Present: dataset.PresentAll, Quantity: dataset.Virial, Unit: dataset.StressElectronVolt},
		Boundary:   dataset.Boundary{DimensionTypes: [3]int{1, 1, 1}},
		Provenance: dataset.Provenance{License: "CC0-1.0"},
	}
}

// raw returns two water molecules in a cell of 8 Å^3 with round labels.
func raw() dataset.Raw {
	return dataset.Raw{
		Species: []string{"O", "H", "H", "O", "H", "H"}, Positions: make([]float64, 18),
		Cell: &[9]float64{2, 0, 0, 1, 2, 0, 0, 0, 2}, Periodic: dataset.Periodic,
		Energy: ptr(-3), Forces: []float64{17: 2}, Stress: []float64{1, 2, 3, 4, 5, 6, 7, 8, 9}, Source: "a.xyz", Index: 4,
	}
}

// Hand-made expectations, independent of the factors in the package. Constants: CODATA 2022.
func TestCanonicalConverts(t *testing.T) {
	const hartree, bohr = 27.211386245981, 0.529177210544
	energy := func(want float64) func(t *testing.T, f dataset.Frame) {
		return func(t *testing.T, f dataset.Frame) { near(t, "energy", *f.Energy, want) }
	}
	force := func(want float64) func(t *testing.T, f dataset.Frame) {
		return func(t *testing.T, f dataset.Frame) { near(t, "force", f.Forces[17], want) }
	}
	virial := func(want ...float64) func(t *testing.T, f dataset.Frame) {
		return func(t *testing.T, f dataset.Frame) {
			for k := range want {
				near(t, "virial", f.Virial[k], want[k])
			}
		}
	}
	for _, tt := range []struct {
		name   string
		change func(c *dataset.Convention, r *dataset.Raw)
		check  func(t *testing.T, f dataset.Frame)
	}{
		{"plain", func(c *dataset.Convention, r *dataset.Raw) {}, energy(-3)},
		{"hartree", func(c *dataset.Convention, r *dataset.Raw) { c.Energy.Unit = dataset.Hartree }, energy(-3 * hartree)},
		{"rydberg", func(c *dataset.Convention, r *dataset.Raw) { c.Energy.Unit = dataset.Rydberg }, energy(-1.5 * hartree)},
		{"kcal/mol", func(c *dataset.Convention, r *dataset.Raw) { c.Energy.Unit = dataset.KilocaloriePerMol }, energy(-3 * 0.0433641042418009)},
		{"kJ/mol", func(c *dataset.Convention, r *dataset.Raw) { c.Energy.Unit = dataset.KilojoulePerMol }, energy(-3 * 0.0103642696562622)},
		{"meV", func(c *dataset.Convention, r *dataset.Raw) { c.Energy.Unit = dataset.MilliElectronVolt }, energy(-0.003)},
		{"per atom", func(c *dataset.Convention, r *dataset.Raw) { c.Energy.Per = dataset.PerAtom }, energy(-18)},
		{"per atom, padded", func(c *dataset.Convention, r *dataset.Raw) { c.Energy.Per = dataset.PerAtom; r.Species[5] = "" }, energy(-15)},
		{"per formula unit", func(c *dataset.Convention, r *dataset.Raw) {
			c.Energy.Per, r.FormulaUnits = dataset.PerFormulaUnit, 2
		}, energy(-6)},
		{"isolated atoms", func(c *dataset.Convention, r *dataset.Raw) {
			c.Energy.Reference = dataset.Reference{Kind: dataset.IsolatedAtomsSubtracted, Energies: map[string]float64{"O": -400, "H": -13}}
		}, energy(-855)},
		{"isolated atoms not given", func(c *dataset.Convention, r *dataset.Raw) {
			c.Energy.Reference.Kind = dataset.IsolatedAtomsSubtracted
		}, energy(-3)},
		{"absolute with E0s", func(c *dataset.Convention, r *dataset.Raw) {
			c.Energy.Reference.Energies = map[string]float64{"O": -400, "H": -13}
		}, energy(-3)},
		{"gradient", func(c *dataset.Convention, r *dataset.Raw) { c.Forces.Quantity = dataset.Gradient }, force(-2)},
		{"hartree/bohr", func(c *dataset.Convention, r *dataset.Raw) { c.Forces.Unit = dataset.HartreePerBohr }, force(2 * hartree / bohr)},
		{"s66x8", func(c *dataset.Convention, r *dataset.Raw) {
			c.Forces.Quantity, c.Forces.Unit = dataset.Gradient, dataset.HartreePerAngstrom
		}, force(-2 * hartree)},
		{"kcal/mol/angstrom", func(c *dataset.Convention, r *dataset.Raw) { c.Forces.Unit = dataset.KilocaloriePerMolPerAngstrom }, force(2 * 0.0433641042418009)},
		{"rydberg/bohr", func(c *dataset.Convention, r *dataset.Raw) { c.Forces.Unit = dataset.RydbergPerBohr }, force(hartree / bohr)},
		{"bohr", func(c *dataset.Convention, r *dataset.Raw) { c.Boundary.LengthUnit = dataset.Bohr; r.Positions[4] = 3 }, func(t *testing.T, f dataset.Frame) {
			near(t, "position", f.Positions[4], 3*bohr)
			near(t, "cell", f.Cell[3], bohr)
		}},
		{"columns", func(c *dataset.Convention, r *dataset.Raw) { c.Boundary.LatticeVectors = dataset.LatticeColumns }, func(t *testing.T, f dataset.Frame) {
			near(t, "cell xy", f.Cell[1], 1)
			near(t, "cell yx", f.Cell[3], 0)
		}},
		{"virial", func(c *dataset.Convention, r *dataset.Raw) {}, virial(1, 2, 3, 4, 5, 6, 7, 8, 9)},
		{"virial hartree", func(c *dataset.Convention, r *dataset.Raw) { c.Stress.Unit = dataset.StressHartree }, virial(hartree)},
		{"tensile virial", func(c *dataset.Convention, r *dataset.Raw) { c.Stress.Sign = dataset.TensilePositive }, virial(-1)},
		{"ASE stress", func(c *dataset.Convention, r *dataset.Raw) {
			c.Stress.Quantity, c.Stress.Unit = dataset.CauchyStress, dataset.StressElectronVoltPerCubicAngstrom
		}, virial(-8, -16)},
		{"ASE voigt", func(c *dataset.Convention, r *dataset.Raw) {
			c.Stress.Quantity, c.Stress.Unit, c.Stress.Order = dataset.CauchyStress, dataset.StressElectronVoltPerCubicAngstrom, dataset.Voigt
			r.Stress = r.Stress[:6]
		}, virial(-8, -48, -40, -48, -16, -32, -40, -32, -24)},
		{"VASP", func(c *dataset.Convention, r *dataset.Raw) {
			c.Stress.Quantity, c.Stress.Unit, c.Stress.Order = dataset.PressureTensor, dataset.StressKilobar, dataset.VaspVoigt
			r.Stress = []float64{1602.176634, 0, 0, 2 * 1602.176634, 0, 0}
		}, virial(8, 16, 0, 16)},
		{"GPa", func(c *dataset.Convention, r *dataset.Raw) {
			c.Stress.Quantity, c.Stress.Unit = dataset.CauchyStress, dataset.StressGigapascal
			r.Stress[0] = -160.2176634
		}, virial(8)},
		{"hartree/bohr^3", func(c *dataset.Convention, r *dataset.Raw) {
			c.Stress.Quantity, c.Stress.Unit = dataset.PressureTensor, dataset.StressHartreePerCubicBohr
		}, virial(8 * hartree / (bohr * bohr * bohr))},
		{"forces not wanted", func(c *dataset.Convention, r *dataset.Raw) { c.Forces.Present = dataset.PresentNone }, func(t *testing.T, f dataset.Frame) {
			if f.Forces != nil {
				t.Error("forces were read")
			}
		}},
		{"vacuum box", func(c *dataset.Convention, r *dataset.Raw) {
			c.Boundary, r.Periodic = dataset.Boundary{NonperiodicAs: dataset.VacuumBox}, dataset.Periodic
		}, func(t *testing.T, f dataset.Frame) {
			if f.Cell != nil {
				t.Error("the vacuum box became a cell")
			}
		}},
		{"isolated atom", func(c *dataset.Convention, r *dataset.Raw) {
			*r = dataset.Raw{Species: []string{"H"}, Positions: make([]float64, 3), Energy: ptr(-13), Periodic: dataset.Open}
		}, func(t *testing.T, f dataset.Frame) {
			if f.Cell != nil || f.Forces != nil || f.Virial != nil {
				t.Error("an isolated atom got labels or a cell that its file lacks")
			}
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c, r := convention(), raw()
			tt.change(c, &r)
			if err := c.Validate(); err != nil {
				t.Fatal(err)
			}
			f, err := c.Canonical(r)
			if err != nil {
				t.Fatal(err)
			}
			tt.check(t, f)
		})
	}
}

func near(t *testing.T, what string, got, want float64) {
	t.Helper()
	if math.Abs(got-want) > 1e-11*math.Max(1, math.Abs(want)) {
		t.Errorf("%s: got %.15g, want %.15g", what, got, want)
	}
}

func TestCanonicalRefuses(t *testing.T) {
	for _, tt := range []struct {
		name, want string
		change     func(c *dataset.Convention, r *dataset.Raw)
	}{
		{"no energy", "has no energy label", func(c *dataset.Convention, r *dataset.Raw) { r.Energy = nil }},
		{"no forces", `"forces.present" all`, func(c *dataset.Convention, r *dataset.Raw) { r.Forces = nil }},
		{"no stress", `"stress.present" all`, func(c *dataset.Convention, r *dataset.Raw) { r.Stress = nil }},
		{"formula units", "number of units is not known", func(c *dataset.Convention, r *dataset.Raw) { c.Energy.Per = dataset.PerFormulaUnit }},
		{"reference of one element", `no reference energy for "O"`, func(c *dataset.Convention, r *dataset.Raw) {
			c.Energy.Reference = dataset.Reference{Kind: dataset.IsolatedAtomsSubtracted, Energies: map[string]float64{"H": -13}}
		}},
		{"open frame", "dimension_types 1 1 1", func(c *dataset.Convention, r *dataset.Raw) { r.Periodic = dataset.Open }},
		{"periodic frame", "dimension_types 0 0 0", func(c *dataset.Convention, r *dataset.Raw) { c.Boundary.DimensionTypes = [3]int{} }},
		{"slab", "some directions only", func(c *dataset.Convention, r *dataset.Raw) { c.Boundary.DimensionTypes = [3]int{1, 1, 0} }},
		{"no cell", "periodic but has no cell", func(c *dataset.Convention, r *dataset.Raw) { r.Cell = nil }},
		{"flat cell", "no volume", func(c *dataset.Convention, r *dataset.Raw) { r.Cell[8] = 0 }},
		{"six numbers", "does not fit", func(c *dataset.Convention, r *dataset.Raw) { r.Stress = r.Stress[:6] }},
		{"stress of open frame", "no volume to turn it into a virial", func(c *dataset.Convention, r *dataset.Raw) {
			c.Boundary.DimensionTypes, r.Periodic, c.Stress.Unit = [3]int{}, dataset.Open, dataset.StressKilobar
		}},
		{"NaN", "energy is NaN or infinite", func(c *dataset.Convention, r *dataset.Raw) { *r.Energy = math.NaN() }},
		{"NaN force", "forces: entry 3 is NaN or infinite", func(c *dataset.Convention, r *dataset.Raw) { r.Forces[3] = math.NaN() }},
		{"overflow", "positions: entry 0 is NaN or infinite", func(c *dataset.Convention, r *dataset.Raw) { r.Positions[0] = math.Inf(1) }},
		{"lengths", "17 force components for 6 atoms", func(c *dataset.Convention, r *dataset.Raw) { r.Forces = r.Forces[:17] }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c, r := convention(), raw()
			tt.change(c, &r)
			_, err := c.Canonical(r)
			if !errors.Is(err, dataset.ErrBadFrame) || !strings.Contains(err.Error(), tt.want) || !strings.Contains(err.Error(), `frame 4 of "a.xyz"`) {
				t.Errorf("got %v, want ErrBadFrame with %q, naming the frame", err, tt.want)
			}
		})
	}
}

// pick draws one word of a list.
func pick[T any](t *rapid.T, name string, words ...T) T {
	return rapid.SampledFrom(words).Draw(t, name)
}

// drawConvention draws every class B and C field at random.
func drawConvention(t *rapid.T) *dataset.Convention {
	c := convention()
	c.Energy.Unit = pick(t, "energy unit", dataset.ElectronVolt, dataset.Hartree, dataset.KilocaloriePerMol, dataset.KilojoulePerMol, dataset.Rydberg, dataset.MilliElectronVolt)
	c.Energy.Per = pick(t, "per", dataset.PerConfiguration, dataset.PerAtom, dataset.PerFormulaUnit)
	c.Energy.Reference.Kind = pick(t, "reference", dataset.Absolute, dataset.IsolatedAtomsSubtracted, dataset.ReferenceUnknown)
	c.Energy.Reference.Energies = map[string]float64{"O": -2041.98, "H": -13.59, "Cu": -3.5}
	c.Forces.Quantity = pick(t, "force quantity", dataset.Force, dataset.Gradient)
	c.Forces.Unit = pick(t, "force unit", "", dataset.ElectronVoltPerAngstrom, dataset.HartreePerBohr, dataset.HartreePerAngstrom, dataset.KilocaloriePerMolPerAngstrom, dataset.RydbergPerBohr)
	c.Stress.Quantity = pick(t, "stress quantity", dataset.CauchyStress, dataset.Virial, dataset.PressureTensor)
	c.Stress.Sign = pick(t, "stress sign", "", dataset.TensilePositive, dataset.CompressivePositive)
	c.Stress.Order = pick(t, "stress order", "", dataset.Full3x3, dataset.Voigt, dataset.VaspVoigt)
	c.Stress.Unit = pick(t, "stress unit", dataset.StressElectronVolt, dataset.StressHartree, dataset.StressElectronVoltPerCubicAngstrom,
		dataset.StressGigapascal, dataset.StressKilobar, dataset.StressHartreePerCubicBohr)
	c.Boundary.LatticeVectors = pick(t, "lattice", "", dataset.LatticeRows, dataset.LatticeColumns)
	c.Boundary.LengthUnit = pick(t, "length", "", dataset.Angstrom, dataset.Bohr)
	c.Boundary.NonperiodicAs = pick(t, "open as", "", dataset.NoCell, dataset.VacuumBox)
	return c
}

// drawFrame draws a fully labelled frame; open frames have no virial, since most stress units need a volume.
func drawFrame(t *rapid.T, open bool) dataset.Frame {
	n := rapid.IntRange(1, 6).Draw(t, "atoms")
	number := rapid.Float64Range(-1e3, 1e3)
	f := dataset.Frame{Energy: ptr(number.Draw(t, "energy"))}
	for range n {
		f.Species = append(f.Species, pick(t, "species", "O", "H", "Cu"))
	}
	f.Positions = rapid.SliceOfN(number, 3*n, 3*n).Draw(t, "positions")
	f.Forces = rapid.SliceOfN(number, 3*n, 3*n).Draw(t, "forces")
	if !open {
		w := rapid.SliceOfN(number, 6, 6).Draw(t, "virial")
		f.Virial = &[9]float64{w[0], w[1], w[2], w[1], w[3], w[4], w[2], w[4], w[5]}
		a := rapid.SliceOfN(rapid.Float64Range(1, 10), 6, 6).Draw(t, "cell")
		f.Cell = &[9]float64{a[0], 0, 0, a[1], a[2], 0, a[3], a[4], a[5]}
	}
	return f
}

// TestWithoutLabels reads the geometry of frames that have no label, or a wrong one, under a convention that asks for all.
func TestWithoutLabels(t *testing.T) {
	full := convention()
	full.Boundary.LengthUnit, full.Energy.Per = dataset.Bohr, dataset.PerFormulaUnit
	bare := raw()
	bare.Energy, bare.Forces, bare.Stress = nil, nil, nil
	if _, err := full.Canonical(bare); err == nil {
		t.Fatal("a frame without labels was taken under a convention that asks for them")
	}
	f, err := full.WithoutLabels().Canonical(bare)
	if err != nil {
		t.Fatal(err)
	}
	if want := 2 * dataset.BohrInAngstrom; f.Cell[0] != want || f.Energy != nil {
		t.Errorf("got a cell of %g Å, want %g; energy %v, want none", f.Cell[0], want, f.Energy)
	}
	labelled := raw()
	labelled.Stress = labelled.Stress[:5]
	if f, err := full.WithoutLabels().Canonical(labelled); err != nil || f.Forces != nil || f.Virial != nil {
		t.Errorf("labels that are not to be read: got forces %v, virial %v, %v", f.Forces != nil, f.Virial != nil, err)
	}
	if (*dataset.Convention)(nil).WithoutLabels() != nil {
		t.Error("canonical units are not nil any more")
	}
}

func TestCanonicalInvertsRelabel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c, open := drawConvention(t), rapid.Bool().Draw(t, "open")
		if open {
			c.Boundary.DimensionTypes, c.Stress = [3]int{}, nil
		}
		want := drawFrame(t, open)
		stored, err := c.Relabel(want)
		if err != nil {
			t.Fatal(err)
		}
		got, err := c.Canonical(stored)
		if err != nil {
			t.Fatal(err)
		}
		// Subtracting and adding offsets of 2e3 eV per atom rounds at the size of the offset, not of the energy.
		same(t, "energy", []float64{*got.Energy}, []float64{*want.Energy}, 1e-12*float64(1+2000*len(want.Species)))
		same(t, "positions", got.Positions, want.Positions, 1e-12)
		same(t, "forces", got.Forces, want.Forces, 1e-12)
		if open {
			if got.Cell != nil || got.Virial != nil {
				t.Fatal("an open frame came back with a cell or a virial")
			}
			return
		}
		same(t, "cell", got.Cell[:], want.Cell[:], 1e-12)
		same(t, "virial", got.Virial[:], want.Virial[:], 1e-12)
	})
}

func same(t *rapid.T, what string, got, want []float64, tolerance float64) {
	if len(got) != len(want) {
		t.Fatalf("%s: %d numbers, want %d", what, len(got), len(want))
	}
	for k := range got {
		if math.Abs(got[k]-want[k]) > tolerance*math.Max(1, math.Abs(want[k])) {
			t.Fatalf("%s[%d]: got %.17g, want %.17g", what, k, got[k], want[k])
		}
	}
}
