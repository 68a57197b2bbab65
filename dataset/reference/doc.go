// Package reference makes labelled frames from nothing: physical potentials from the literature whose energies, forces
// and virials are exact to rounding, and a Langevin sampler. Demonstrations and tests use them where real data would
// carry a license or an unknown error.
//
// Potentials:
//
//   - SPCFw: flexible water, Wu, Tepper and Voth, J. Chem. Phys. 124, 024503 (2006)
//   - QTIP4PF: flexible four-site water, Habershon, Markland and Manolopoulos, J. Chem. Phys. 131, 024501 (2009)
//   - StillingerWeber: silicon, Stillinger and Weber, Phys. Rev. B 31, 5262 (1985)
//   - SuttonChen: fcc metals, Sutton and Chen, Philos. Mag. Lett. 61, 139 (1990)
//
// The water models were parametrised with Ewald sums. Here charges interact by the damped shifted-force expression of
// Fennell and Gezelter, J. Chem. Phys. 124, 234104 (2006), and Lennard-Jones is shifted to zero force at the same
// cut-off: the potentials are smooth, strictly local, and therefore a fair target for a model with a cut-off. They are
// not a substitute for the published models in a study of water.
//
// Every energy is a function of vectors between atoms, and every term is entered through accumulator.pull, so forces and
// virial cannot disagree with each other; the tests compare both with central differences of the energy.
//
//	box := reference.WaterBox(8, 1)
//	frames, err := reference.Sample(reference.SPCFw(6), box, reference.Langevin{Temperature: 300, Count: 10})
package reference

import "github.com/fedlam/fedlam/dataset"

// A Potential labels frames. Implementations hold no state: one value may be used from several goroutines.
type Potential interface {
	// Name says which potential this is, for conventions and messages.
	Name() string
	// Compute returns energy (eV), forces (eV/Å, [N x 3]) and virial (eV, W = -dE/dstrain, 3x3) of f's geometry.
	// Existing labels of f are ignored. It fails for species the potential does not describe.
	Compute(f *dataset.Frame) (Labels, error)
}

// Labels of one frame: energy in eV, forces [N x 3] in eV/Å, virial 3x3 in eV.
type Labels struct {
	Energy float64
	Forces []float64
	Virial [9]float64
}

// Label returns f with the labels that p gives it.
func Label(p Potential, f dataset.Frame) (dataset.Frame, error) {
	l, err := p.Compute(&f)
	if err != nil {
		return dataset.Frame{}, err
	}
	f.Energy, f.Forces, f.Virial = &l.Energy, l.Forces, nil
	if f.Cell != nil {
		f.Virial = &l.Virial
	}
	return f, nil
}
