package reference

import "github.com/fedlam/fedlam/dataset"

// Constants from CODATA 2022, as far as the potentials need them. e^2/(4 pi eps0) is one hartree times one bohr.
const (
	kcalPerMol = dataset.KilocalorieInCanonical                         // eV
	coulomb    = dataset.HartreeInElectronVolt * dataset.BohrInAngstrom // e^2/(4 pi eps0), eV Å
	boltzmann  = 8.617333262e-5                                         // eV/K
	amu        = 103.642696672                                          // eV fs^2/Å^2
	radian     = 3.14159265358979323846 / 180
)

// masses in atomic mass units (IUPAC 2021, conventional values).
var masses = map[string]float64{
	"H": 1.008, "O": 15.999, "Si": 28.085, "Al": 26.982, "Ni": 58.693, "Cu": 63.546, "Pd": 106.42, "Ag": 107.868,
	"Pt": 195.084, "Au": 196.967, "Pb": 207.2,
}
