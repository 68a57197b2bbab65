package demo

import (
	"github.com/fedlam/fedlam/dataset"
	"github.com/fedlam/fedlam/dataset/reference"
)

// A site is one institution of the demo.
type site struct {
	name        string
	potential   reference.Potential
	temperature float64 // K
	seed        uint64
	convention  func(c *dataset.Convention)
}

const (
	molecules = 8
	cutoff    = 4.0 // of the reference potentials, Å; what the model sees too
	every     = 100 // steps of half a femtosecond between frames, which makes them unlike enough to be worth their while
)

func sites() []site {
	return []site{
		{"north", reference.SPCFw(cutoff), 300, 11, func(c *dataset.Convention) {
			c.Energy.Unit = dataset.Hartree
			c.Forces.Quantity, c.Forces.Unit = dataset.Gradient, dataset.HartreePerBohr
			c.Boundary.LengthUnit = dataset.Bohr
			c.Keys = &dataset.Keys{Energy: "energy_hartree", Forces: "gradient"}
		}},
		{"south", reference.SPCFw(cutoff), 340, 12, func(c *dataset.Convention) {
			c.Energy.Unit, c.Energy.Per = dataset.KilocaloriePerMol, dataset.PerAtom
			c.Forces.Unit = dataset.KilocaloriePerMolPerAngstrom
		}},
		{"west", reference.QTIP4PF(cutoff), 320, 13, func(*dataset.Convention) {}},
	}
}

// describe returns the convention of labels of a potential; what is convertible is the owner's choice.
func (s site) describe() *dataset.Convention {
	c := &dataset.Convention{
		Version: 1,
		Method:  dataset.Method{Kind: "forcefield", Name: s.potential.Name()},
		Energy: dataset.Energy{Quantity: "potential_energy", Per: dataset.PerConfiguration, Unit: dataset.ElectronVolt,
			Reference: dataset.Reference{Kind: dataset.Absolute}},
		Forces: &dataset.Forces{Present: dataset.PresentAll, Quantity: dataset.Force, Unit: dataset.ElectronVoltPerAngstrom},
		Boundary: dataset.Boundary{DimensionTypes: [3]int{1, 1, 1}, LatticeVectors: dataset.LatticeRows,
			LengthUnit: dataset.Angstrom},
		Provenance: dataset.Provenance{License: "MIT", Description: "made by the demo of fedlam with package dataset/reference"},
	}
	s.convention(c)
	return c
}

func (s site) sample(frames int) ([]dataset.Frame, error) {
	return reference.Sample(s.potential, reference.WaterBox(molecules, s.seed),
		reference.Langevin{Temperature: s.temperature, Count: frames, Every: every, Seed: s.seed})
}
