package load_test

import (
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/fedlam/fedlam/dataset"
	"github.com/fedlam/fedlam/dataset/load"
	"github.com/fedlam/fedlam/dataset/sharedtest"
)

// conventions reads the examples that describe the public data sets.
func conventions(t *testing.T) map[string]*dataset.Convention {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "testdata", "silos.json"))
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]*dataset.Convention{}
	if err := json.Unmarshal(text, &out); err != nil {
		t.Fatal(err)
	}
	out["electrolyte_xtb"].Keys = &dataset.Keys{Energy: "energy_xtb", Forces: "forces_xtb"}
	return out
}

// TestPublicSilos reads every extended XYZ file of the shared data. Counts are those of the data's README; the force
// scale tells eV/Å from the other units, the virial's relation to cell and sign is checked below.
func TestPublicSilos(t *testing.T) {
	conv := conventions(t)
	for _, tt := range []struct {
		silo, file        string
		frames            int
		smallest, largest int     // atoms per frame
		forces, virials   int     // frames with them
		rms               float64 // of force components, eV/Å
		elements          int
		periodic          bool
		audited           bool // enough similar frames to check energies against forces
	}{
		{"mol_wb97x_3bpa", "train_300K.xyz", 500, 27, 27, 500, 0, 0.948, 4, false, true},
		{"mol_wb97x_3bpa", "iso_atoms.xyz", 4, 1, 1, 0, 0, 0, 4, false, false},
		{"mol_pbed3_acac", "train_300K.xyz", 500, 15, 15, 500, 0, 1.051, 3, false, true},
		{"mol_pbed3_acac", "train_600K.xyz", 500, 15, 15, 500, 0, 1.377, 3, false, true},
		{"mol_pbed3_acac", "isolated_atoms.xyz", 3, 1, 1, 0, 0, 0, 3, false, false},
		{"mol_pbe_ethanol", "train.xyz", 1000, 9, 9, 1000, 0, 1.187, 3, false, true},
		{"mol_pbe_ethanol", "isolated_atoms.xyz", 4, 1, 1, 0, 0, 0, 4, false, false},
		{"electrolyte_dft_ecemc", "ECEMC.xyz", 203, 1, 160, 200, 200, 1.633, 3, true, false},
		{"electrolyte_xtb", "solvent_xtb_train_200.xyz", 203, 1, 0, 203, 0, 2.227, 3, false, true},
		{"electrolyte_xtb", "solvent_xtb_test.xyz", 1000, 8, 0, 1000, 0, 2.290, 3, false, true},
		{"inorganic_pbe", "mptrj-random-1k.xyz", 1000, 2, 0, 1000, 1000, 1.273, 0, true, false},
		{"inorganic_pbe", "mpf-alkali-TP.xyz", 460, 2, 14, 460, 460, 2.204, 0, true, true},
		{"inorganic_pbe", "alexandria-random-1k.xyz", 1000, 2, 80, 1000, 1000, 0.0205, 0, true, false},
	} {
		t.Run(tt.silo+" "+tt.file, func(t *testing.T) {
			frames, err := load.Open(sharedtest.Dir(t, "data", tt.silo, tt.file), conv[tt.silo])
			if err != nil {
				t.Fatal(err)
			}
			r := dataset.Audit(frames)
			if r.Frames != tt.frames || r.WithEnergy != tt.frames || r.WithForces != tt.forces || r.WithVirial != tt.virials || r.Invalid != 0 {
				t.Errorf("got %+v", r)
			}
			if math.Abs(r.RMSForce-tt.rms) > 0.01*tt.rms {
				t.Errorf("forces have an rms of %.3g eV/Å, want %.3g", r.RMSForce, tt.rms)
			}
			if r.Consistency.Good() != tt.audited || r.Err() != nil {
				t.Errorf("consistency %+v, want good: %t", r.Consistency, tt.audited)
			}
			small, large, elements := math.MaxInt, 0, map[string]bool{}
			for _, f := range frames {
				small, large = min(small, f.NumAtoms()), max(large, f.NumAtoms())
				for _, s := range f.Species {
					elements[s] = true
				}
				if (f.Cell != nil) != tt.periodic {
					t.Fatalf("%s: periodic %t", f.Name(), f.Cell != nil)
				}
			}
			if small != tt.smallest || tt.largest != 0 && large != tt.largest || tt.elements != 0 && len(elements) != tt.elements {
				t.Errorf("got %d to %d atoms of %d elements", small, large, len(elements))
			}
		})
	}
}

// TestVirialSign checks the two stress conventions among the silos against physics: at one composition and
// temperature, the denser liquid pushes outwards more.
func TestVirialSign(t *testing.T) {
	frames, err := load.Open(sharedtest.Dir(t, "data", "electrolyte_dft_ecemc", "ECEMC.xyz"), conventions(t)["electrolyte_dft_ecemc"])
	if err != nil {
		t.Fatal(err)
	}
	var volumes, traces []float64
	for _, f := range frames {
		if f.Virial != nil {
			volumes = append(volumes, dataset.Volume(f.Cell))
			traces = append(traces, f.Virial[0]+f.Virial[4]+f.Virial[8])
		}
	}
	largest, smallest := slices.Max(volumes), slices.Min(volumes)
	dense, dilute, nd, nl := 0.0, 0.0, 0.0, 0.0
	for i, v := range volumes {
		if v < (largest+smallest)/2 {
			dense, nd = dense+traces[i], nd+1
		} else {
			dilute, nl = dilute+traces[i], nl+1
		}
	}
	if nd == 0 || nl == 0 || dense/nd <= dilute/nl {
		t.Errorf("mean virial trace %.1f eV over %g dense frames, %.1f eV over %g dilute ones", dense/nd, nd, dilute/nl, nl)
	}
}

// TestWrongConventionIsRefused reads real files under conventions that do not fit them.
func TestWrongConventionIsRefused(t *testing.T) {
	ethanol := sharedtest.Dir(t, "data", "mol_pbe_ethanol", "train.xyz")
	for _, tt := range []struct {
		name, path, silo, want string
		change                 func(c *dataset.Convention)
	}{
		{"other keys", ethanol, "electrolyte_xtb", `no column "forces_xtb"`, nil},
		{"periodic", ethanol, "electrolyte_dft_ecemc", "has open boundaries but the convention says dimension_types 1 1 1", func(c *dataset.Convention) { c.Stress = nil }},
		{"no stress", ethanol, "mol_pbe_ethanol", "has no stress", func(c *dataset.Convention) {
			c.Stress = &dataset.Stress{Present: dataset.PresentAll, Quantity: dataset.Virial, Unit: dataset.StressElectronVolt}
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := conventions(t)[tt.silo]
			if tt.change != nil {
				tt.change(c)
			}
			if _, err := load.Open(tt.path, c); err == nil || !strings.Contains(err.Error(), tt.want) || !strings.Contains(err.Error(), tt.path) {
				t.Errorf("got %v, want an error with %q that names the file", err, tt.want)
			}
		})
	}
	t.Run("wrong unit passes reading and fails the audit", func(t *testing.T) {
		c := conventions(t)["mol_pbe_ethanol"]
		c.Forces.Unit, c.Forces.Quantity = dataset.HartreePerBohr, dataset.Gradient
		frames, err := load.Open(ethanol, c)
		if err != nil {
			t.Fatal(err)
		}
		r := dataset.Audit(frames)
		if err := r.Err(); err == nil || !strings.Contains(err.Error(), "the force labels are in eV/angstrom but declared in hartree/bohr; besides, forces and gradients are exchanged") {
			t.Errorf("got %v", err)
		}
	})
}
