package dataset

// The words of the schema that the conversion reads; class B and C. An empty word stands for the first of its list
// unless its comment says otherwise.

// EnergyPer says what an energy label counts.
type EnergyPer string

const (
	PerConfiguration EnergyPer = "configuration"
	PerAtom          EnergyPer = "atom"
	PerFormulaUnit   EnergyPer = "formula_unit" // Raw.FormulaUnits must be known
)

// EnergyUnit is the unit of energy labels.
type EnergyUnit string

const (
	ElectronVolt      EnergyUnit = "eV"
	Hartree           EnergyUnit = "hartree"
	KilocaloriePerMol EnergyUnit = "kcal/mol"
	KilojoulePerMol   EnergyUnit = "kJ/mol"
	Rydberg           EnergyUnit = "rydberg"
	MilliElectronVolt EnergyUnit = "meV"
)

// Presence says whether frames carry a label. Empty means PresentSome for forces and PresentNone for stress.
type Presence string

const (
	PresentAll  Presence = "all" // a frame without the label is refused, single atoms excepted
	PresentSome Presence = "some"
	PresentNone Presence = "none" // the label is not read even where a file has one
)

// ForceQuantity is the sign of force labels.
type ForceQuantity string

const (
	Force    ForceQuantity = "force"
	Gradient ForceQuantity = "gradient" // minus the force
)

// ForceUnit is the unit of force labels, independent of the unit of positions.
type ForceUnit string

const (
	ElectronVoltPerAngstrom      ForceUnit = "eV/angstrom"
	HartreePerBohr               ForceUnit = "hartree/bohr"
	HartreePerAngstrom           ForceUnit = "hartree/angstrom"
	KilocaloriePerMolPerAngstrom ForceUnit = "kcal/mol/angstrom"
	RydbergPerBohr               ForceUnit = "rydberg/bohr"
)

// StressQuantity is what a stress label is called. It must be stated; it decides the sign where none is given.
type StressQuantity string

const (
	CauchyStress   StressQuantity = "cauchy_stress"   // tensile positive unless Sign says otherwise
	Virial         StressQuantity = "virial"          // compressive positive unless Sign says otherwise
	PressureTensor StressQuantity = "pressure_tensor" // compressive positive unless Sign says otherwise
)

// StressSign says what a positive diagonal means. Empty means that of the quantity.
type StressSign string

const (
	TensilePositive     StressSign = "tensile_positive"     // a stretched body has positive entries: +dE/d(strain)
	CompressivePositive StressSign = "compressive_positive" // a compressed body has positive entries: -dE/d(strain)
)

// StressUnit is the unit of stress labels. It must be stated. Units of energy mean a virial that is not divided by
// the volume.
type StressUnit string

const (
	StressElectronVoltPerCubicAngstrom StressUnit = "eV/angstrom^3"
	StressGigapascal                   StressUnit = "GPa"
	StressKilobar                      StressUnit = "kbar"
	StressElectronVolt                 StressUnit = "eV"
	StressHartree                      StressUnit = "hartree"
	StressHartreePerCubicBohr          StressUnit = "hartree/bohr^3"
)

// StressOrder is the order of the stored numbers.
type StressOrder string

const (
	Full3x3   StressOrder = "full_3x3"
	Voigt     StressOrder = "voigt_xx_yy_zz_yz_xz_xy"
	VaspVoigt StressOrder = "vasp_xx_yy_zz_xy_yz_zx"
)

// ReferenceKind says what was subtracted from the energies.
type ReferenceKind string

const (
	Absolute                       ReferenceKind = "absolute"
	IsolatedAtomsSubtracted        ReferenceKind = "isolated_atoms_subtracted"
	ElementalPhasesSubtracted      ReferenceKind = "elemental_phases_subtracted"
	LeastSquaresSubtracted         ReferenceKind = "least_squares_subtracted"
	MinimumConfigurationSubtracted ReferenceKind = "minimum_configuration_subtracted"
	FragmentsSubtracted            ReferenceKind = "fragments_subtracted"
	ReferenceUnknown               ReferenceKind = "unknown"
)

// NonperiodicAs says how files of this convention store open boundaries.
type NonperiodicAs string

const (
	NoCell    NonperiodicAs = "no_cell"
	VacuumBox NonperiodicAs = "vacuum_box" // a box that means nothing, dropped even where a file calls it periodic
)

// LatticeLayout says whether the stored 3x3 cell has the cell vectors as rows or as columns.
type LatticeLayout string

const (
	LatticeRows    LatticeLayout = "rows"
	LatticeColumns LatticeLayout = "columns"
)

// LengthUnit is the unit of positions and cells.
type LengthUnit string

const (
	Angstrom LengthUnit = "angstrom"
	Bohr     LengthUnit = "bohr"
)
