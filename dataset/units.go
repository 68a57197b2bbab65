package dataset

// Conversion factors to canonical units. Exact by the 2019 definition of the SI: e = 1.602176634e-19 C,
// N_A = 6.02214076e23 /mol; one thermochemical calorie is 4.184 J. Measured: Hartree energy and Bohr radius from
// CODATA 2022 (https://physics.nist.gov/cuu/Constants, E. Tiesinga, P. Mohr, D. Newell, B. Taylor).
const (
	HartreeInElectronVolt  = 27.211386245981                                    // E_h in eV
	BohrInAngstrom         = 0.529177210544                                     // a_0 in Å
	elementaryCharge       = 1.602176634e-19                                    // C
	avogadro               = 6.02214076e23                                      // 1/mol
	kilocalorieInJoule     = 4184.0                                             // J
	GigapascalInCanonical  = 1e-21 / (elementaryCharge)                         // GPa in eV/Å^3: 1e9 Pa · 1e-30 m^3 / e
	KilocalorieInCanonical = kilocalorieInJoule / (avogadro * elementaryCharge) // kcal/mol in eV
)

// electronVolts returns the unit in eV; 0 for an unknown word.
func (u EnergyUnit) electronVolts() float64 {
	switch u {
	case "", ElectronVolt:
		return 1
	case Hartree:
		return HartreeInElectronVolt
	case KilocaloriePerMol:
		return KilocalorieInCanonical
	case KilojoulePerMol:
		return 1000 / (avogadro * elementaryCharge)
	case Rydberg:
		return HartreeInElectronVolt / 2
	case MilliElectronVolt:
		return 1e-3
	}
	return 0
}

// canonical returns the unit in eV/Å; 0 for an unknown word.
func (u ForceUnit) canonical() float64 {
	switch u {
	case "", ElectronVoltPerAngstrom:
		return 1
	case HartreePerBohr:
		return HartreeInElectronVolt / BohrInAngstrom
	case HartreePerAngstrom:
		return HartreeInElectronVolt
	case KilocaloriePerMolPerAngstrom:
		return KilocalorieInCanonical
	case RydbergPerBohr:
		return HartreeInElectronVolt / 2 / BohrInAngstrom
	}
	return 0
}

// isEnergy tells a virial, not divided by the volume, from a pressure.
func (u StressUnit) isEnergy() bool { return u == StressElectronVolt || u == StressHartree }

// canonical returns the unit in eV or eV/Å^3; 0 for an unknown word.
func (u StressUnit) canonical() float64 {
	switch u {
	case StressElectronVoltPerCubicAngstrom, StressElectronVolt:
		return 1
	case StressGigapascal:
		return GigapascalInCanonical
	case StressKilobar:
		return GigapascalInCanonical / 10
	case StressHartree:
		return HartreeInElectronVolt
	case StressHartreePerCubicBohr:
		return HartreeInElectronVolt / (BohrInAngstrom * BohrInAngstrom * BohrInAngstrom)
	}
	return 0
}

// angstroms returns the unit in Å; 0 for an unknown word.
func (u LengthUnit) angstroms() float64 {
	switch u {
	case "", Angstrom:
		return 1
	case Bohr:
		return BohrInAngstrom
	}
	return 0
}
