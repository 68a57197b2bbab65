package dataset

// A Convention says what the labels of a data set mean: by which method they were made, and in which units, signs and
// orders they are stored. It is the descriptor of label_convention.schema.json as a Go value; fields that only describe
// keep the schema's words as plain strings, fields that the conversion reads have types of their own.
//
// Every field has a class. Class A (identity) must be equal to share a head and makes up Key. Class B is converted by
// Canonical. Class C (the zero of energy) is restored where the offsets are given. Class D is advice for people.
//
// A Convention is a plain value: nothing in this package changes one, so one may be used from many goroutines.
type Convention struct {
	Version    int        `json:"convention_version"`
	Method     Method     `json:"method"`
	Basis      *Basis     `json:"basis,omitempty"`
	Numerics   *Numerics  `json:"numerics,omitempty"`
	State      *State     `json:"state,omitempty"`
	Energy     Energy     `json:"energy"`
	Forces     *Forces    `json:"forces,omitempty"`
	Stress     *Stress    `json:"stress,omitempty"`
	Charges    *Charges   `json:"charges,omitempty"`
	Dipole     *Dipole    `json:"dipole,omitempty"`
	Property   *Property  `json:"property,omitempty"`
	Boundary   Boundary   `json:"boundary"`
	Keys       *Keys      `json:"keys,omitempty"`
	Provenance Provenance `json:"provenance"`
}

// Method names the level of theory; class A.
type Method struct {
	Kind               string     `json:"kind"` // dft, wavefunction, semiempirical, forcefield, mlip, experiment
	Name               string     `json:"name"`
	LibXC              []string   `json:"libxc_name,omitempty"`
	JacobsLadder       string     `json:"jacobs_ladder,omitempty"`
	ExactExchange      *float64   `json:"exact_exchange_mixing_factor,omitempty"`
	VanDerWaals        string     `json:"van_der_waals_correction,omitempty"`
	HubbardU           []HubbardU `json:"hubbard_u,omitempty"`
	SpinPolarized      *bool      `json:"is_spin_polarized,omitempty"`
	RelativisticMethod string     `json:"relativity_method,omitempty"`
	Environment        string     `json:"environment,omitempty"`
}

// HubbardU is one +U term.
type HubbardU struct {
	Element  string  `json:"element"`
	Orbital  string  `json:"orbital"`
	Strength float64 `json:"u_effective_ev"` // eV
}

// Basis names the one-particle basis and the treatment of the core; class A but for the cut-off.
type Basis struct {
	Type            string           `json:"type"`
	Name            string           `json:"name,omitempty"`
	Pseudopotential *Pseudopotential `json:"pseudopotential,omitempty"`
	CutoffEnergy    *float64         `json:"cutoff_energy_ev,omitempty"` // eV, class D
}

// Pseudopotential names a family of pseudopotentials.
type Pseudopotential struct {
	Family  string `json:"family,omitempty"`
	Version string `json:"version,omitempty"`
	Core    string `json:"core,omitempty"`
}

// Numerics is advice, class D.
type Numerics struct {
	Software              string    `json:"software,omitempty"`
	SoftwareVersion       string    `json:"software_version,omitempty"`
	Smearing              *Smearing `json:"smearing,omitempty"`
	KSpacing              *float64  `json:"k_spacing_inv_angstrom,omitempty"`
	SCFTolerance          *float64  `json:"scf_tolerance_ev,omitempty"`
	ElectronicTemperature *float64  `json:"electronic_temperature_k,omitempty"`
}

// Smearing is the occupation scheme.
type Smearing struct {
	Name  string   `json:"name,omitempty"`
	Width *float64 `json:"width_ev,omitempty"`
}

// State says how charge, multiplicity and magnetic order were chosen; class A.
type State struct {
	ChargePolicy       string `json:"charge_policy,omitempty"`
	MultiplicityPolicy string `json:"multiplicity_policy,omitempty"`
	MagneticOrder      string `json:"magnetic_order,omitempty"`
}

// Energy describes the energy label.
type Energy struct {
	Quantity     string     `json:"quantity"` // class A
	Per          EnergyPer  `json:"per"`
	Unit         EnergyUnit `json:"unit"`
	StorageDType string     `json:"storage_dtype,omitempty"`
	Reference    Reference  `json:"reference"`
}

// Reference is the zero of energy; class C, see Convention.Zero.
type Reference struct {
	Kind                 ReferenceKind      `json:"kind"`
	Energies             map[string]float64 `json:"reference_energy_ev,omitempty"` // eV per atom of each element
	IsolatedAtomState    string             `json:"isolated_atom_state,omitempty"`
	EmpiricalCorrections string             `json:"empirical_corrections,omitempty"`
}

// Forces describes the force label. An absent section means: read where present, in eV/Å.
type Forces struct {
	Present           Presence      `json:"present,omitempty"`
	Quantity          ForceQuantity `json:"quantity,omitempty"`
	Unit              ForceUnit     `json:"unit,omitempty"`
	DerivativeOf      string        `json:"derivative_of,omitempty"` // class A
	NetForceRemoved   *bool         `json:"net_force_removed,omitempty"`
	ConstraintsZeroed *bool         `json:"constraints_zeroed,omitempty"`
}

// Stress describes the stress or virial label. An absent section means: not read, since signs and orders differ
// too much between programs to be guessed.
type Stress struct {
	Present          Presence       `json:"present,omitempty"`
	Quantity         StressQuantity `json:"quantity,omitempty"`
	Sign             StressSign     `json:"sign,omitempty"`
	Unit             StressUnit     `json:"unit,omitempty"`
	Order            StressOrder    `json:"order,omitempty"`
	VolumeNormalized *bool          `json:"volume_normalized,omitempty"`
	IncludesKinetic  *bool          `json:"includes_kinetic,omitempty"` // class A
}

// Charges describes atomic charges, which this version does not read.
type Charges struct {
	Scheme string `json:"scheme,omitempty"`
	Unit   string `json:"unit,omitempty"`
}

// Dipole describes dipoles, which this version does not read.
type Dipole struct {
	Unit   string `json:"unit,omitempty"`
	Origin string `json:"origin,omitempty"`
}

// Property describes a further property, which this version does not read.
type Property struct {
	Name      string `json:"name,omitempty"`
	Unit      string `json:"unit,omitempty"`
	Intensive *bool  `json:"intensive,omitempty"`
	Transform string `json:"transform,omitempty"`
}

// Boundary describes cells and lengths.
type Boundary struct {
	DimensionTypes [3]int        `json:"dimension_types"` // 1 periodic, 0 open
	NonperiodicAs  NonperiodicAs `json:"nonperiodic_as,omitempty"`
	LatticeVectors LatticeLayout `json:"lattice_vectors,omitempty"`
	LengthUnit     LengthUnit    `json:"length_unit,omitempty"`
}

// Provenance is where the data come from. The license is an SPDX identifier.
type Provenance struct {
	License     string   `json:"license"`
	DOI         string   `json:"doi,omitempty"`
	Links       []string `json:"links,omitempty"`
	Authors     []string `json:"authors,omitempty"`
	Description string   `json:"description,omitempty"`
}

// Keys are the names under which a file with named fields (extxyz) holds the labels; class B. An empty name means
// the one that ASE writes: energy, forces, virial, stress. Stress labels are taken from Virial when the convention's
// stress quantity is a virial, else from Stress.
type Keys struct {
	Energy       string `json:"energy,omitempty"`
	Forces       string `json:"forces,omitempty"`
	Virial       string `json:"virial,omitempty"`
	Stress       string `json:"stress,omitempty"`
	FParam       string `json:"fparam,omitempty"`
	AParam       string `json:"aparam,omitempty"`
	FormulaUnits string `json:"formula_units,omitempty"` // number of formula units, for energies stored per unit
}

// FileKeys returns the keys with every empty name replaced by its default. A nil convention has the defaults.
func (c *Convention) FileKeys() Keys {
	var k Keys
	if c != nil && c.Keys != nil {
		k = *c.Keys
	}
	for _, name := range []struct {
		field    *string
		fallback string
	}{{&k.Energy, "energy"}, {&k.Forces, "forces"}, {&k.Virial, "virial"}, {&k.Stress, "stress"},
		{&k.FParam, "fparam"}, {&k.AParam, "aparam"}, {&k.FormulaUnits, "formula_units"}} {
		if *name.field == "" {
			*name.field = name.fallback
		}
	}
	return k
}
