package dataset

import "fmt"

// Raw is a frame as a file holds it: in the units, signs and orders of a convention. Readers fill one and give it to
// Convention.Canonical; nothing but a reader or a writer should hold one.
type Raw struct {
	Species   []string
	Positions []float64   // [N x 3], in the convention's length unit
	Cell      *[9]float64 // in the convention's length unit and layout; nil = none stored
	Periodic  Periodicity
	Energy    *float64
	Forces    []float64 // [N x 3]
	Stress    []float64 // 9 numbers, or 6 in the convention's order
	FParam    []float64
	AParam    []float64

	FormulaUnits int // number of formula units, for energies stored per unit; 0 = unknown
	Source       string
	Index        int
}

// Periodicity is what a file says about boundaries.
type Periodicity int

const (
	Unstated Periodicity = iota // by the convention; without one, periodic if there is a cell
	Periodic
	Open
)

func (r *Raw) bad(format string, args ...any) error {
	f := Frame{Source: r.Source, Index: r.Index}
	return f.bad(format, args...)
}

// realAtoms counts the atoms that are not virtual.
func realAtoms(species []string) int {
	n := 0
	for _, s := range species {
		if s != "" {
			n++
		}
	}
	return n
}

// A Zero says where the zero of canonical energies lies.
type Zero int

const (
	ZeroAbsolute Zero = iota // as the method gives them
	ZeroRestored             // per-element offsets were subtracted in the file, and Canonical adds them back
	ZeroRelative             // an unknown amount is missing: energies are kept as stored, and the bias of a head absorbs what is linear in composition
)

// Zero tells what Canonical does about the reference of energies (class C). Offsets per element that a convention gives
// for isolated atoms, elemental phases or a least-squares fit are added back; what was subtracted as one number per
// minimum, fragment or by an unknown rule stays subtracted, which a caller should report.
func (c *Convention) Zero() Zero {
	if c == nil {
		return ZeroAbsolute
	}
	ref := &c.Energy.Reference
	switch ref.Kind {
	case "", Absolute:
		return ZeroAbsolute
	case IsolatedAtomsSubtracted, ElementalPhasesSubtracted, LeastSquaresSubtracted:
		if len(ref.Energies) > 0 {
			return ZeroRestored
		}
	}
	return ZeroRelative
}

func (z Zero) String() string {
	switch z {
	case ZeroAbsolute:
		return "absolute"
	case ZeroRestored:
		return "offsets per element restored"
	}
	return "relative to an unknown zero"
}

// offset returns what was subtracted from the energy of a frame with these atoms, eV.
func (c *Convention) offset(species []string) (float64, error) {
	if c.Zero() != ZeroRestored {
		return 0, nil
	}
	total := 0.0
	for _, s := range species {
		if s == "" {
			continue
		}
		e, ok := c.Energy.Reference.Energies[s]
		if !ok {
			return 0, fmt.Errorf(`no reference energy for %q; add it to "energy.reference.reference_energy_ev" of the convention`, s)
		}
		total += e
	}
	return total, nil
}
