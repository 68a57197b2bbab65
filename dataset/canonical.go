package dataset

import (
	"errors"
	"fmt"
)

// Canonical converts a stored frame to canonical units: every class B field of the convention is applied, and the zero
// of energy is restored as Zero says. A nil convention means that r is in canonical units already, its stress a virial,
// and every label is optional.
//
// The frame is valid by Frame.Validate. Errors wrap ErrBadFrame and name frame and field, never a value.
// Slices are new unless the convention leaves their numbers as they are.
func (c *Convention) Canonical(r Raw) (Frame, error) {
	f := Frame{Species: r.Species, FParam: r.FParam, AParam: r.AParam, Source: r.Source, Index: r.Index}
	var err error
	if f.Positions, f.Cell, err = c.geometry(&r); err != nil {
		return Frame{}, err
	}
	if f.Energy, err = c.energy(&r); err != nil {
		return Frame{}, err
	}
	if f.Forces, err = c.forces(&r); err != nil {
		return Frame{}, err
	}
	if f.Virial, err = c.virial(&r, f.Cell); err != nil {
		return Frame{}, err
	}
	if err := f.Validate(); err != nil {
		return Frame{}, err
	}
	return f, nil
}

// WithoutLabels returns a convention under which Canonical reads geometry as under c, and needs no label.
func (c *Convention) WithoutLabels() *Convention {
	if c == nil {
		return nil
	}
	return &Convention{Version: c.Version, Boundary: c.Boundary, Keys: c.Keys, Forces: &Forces{Present: PresentNone}}
}

func (c *Convention) geometry(r *Raw) ([]float64, *[9]float64, error) {
	unit, columns := 1.0, false
	if c != nil {
		unit, columns = c.Boundary.LengthUnit.angstroms(), c.Boundary.LatticeVectors == LatticeColumns
	}
	keep, err := c.keepsCell(r)
	if err != nil {
		return nil, nil, err
	}
	positions := scaled(r.Positions, unit)
	if !keep {
		return positions, nil, nil
	}
	if r.Cell == nil {
		return nil, nil, r.bad("is periodic but has no cell; for open boundaries say so in the file (pbc, nopbc) and in the convention (dimension_types 0 0 0)")
	}
	cell := *r.Cell
	if columns {
		cell = transpose(cell)
	}
	for k := range cell {
		cell[k] *= unit
	}
	return positions, &cell, nil
}

// keepsCell decides whether the frame is periodic. File and convention must not contradict each other. Two exceptions:
// isolated atoms come open or in a box whatever the rest of the set is, and a convention that speaks of a vacuum box
// knows that its files call the box periodic.
func (c *Convention) keepsCell(r *Raw) (bool, error) {
	if c == nil {
		return r.Periodic == Periodic || r.Periodic == Unstated && r.Cell != nil, nil
	}
	switch c.Boundary.DimensionTypes {
	case [3]int{1, 1, 1}:
		if r.Periodic == Open && len(r.Species) > 1 {
			return false, r.bad("has open boundaries but the convention says dimension_types 1 1 1; correct the convention or split the file")
		}
		return r.Periodic != Open && (r.Cell != nil || len(r.Species) > 1), nil
	case [3]int{0, 0, 0}:
		if r.Periodic == Periodic && len(r.Species) > 1 && c.Boundary.NonperiodicAs != VacuumBox {
			return false, r.bad("is periodic but the convention says dimension_types 0 0 0; correct the convention (nonperiodic_as vacuum_box if the cell means nothing) or split the file")
		}
		return false, nil
	}
	return false, r.bad("the convention says periodic along some directions only (dimension_types %v); only fully periodic and fully open frames can be read", c.Boundary.DimensionTypes)
}

func (c *Convention) energy(r *Raw) (*float64, error) {
	if c == nil {
		return r.Energy, nil
	}
	if r.Energy == nil && c.Energy.Quantity == "" {
		return nil, nil // see WithoutLabels
	}
	if r.Energy == nil {
		return nil, r.bad(`has no energy label; if the file has one under another name, say it in "keys.energy" of the convention`)
	}
	count, err := c.energyCount(r.Species, r.FormulaUnits)
	if err != nil {
		return nil, r.bad("%v", err)
	}
	offset, err := c.offset(r.Species)
	if err != nil {
		return nil, r.bad("%v", err)
	}
	e := *r.Energy*c.Energy.Unit.electronVolts()*count + offset
	return &e, nil
}

// energyCount returns by what a stored energy must be multiplied to count the configuration.
func (c *Convention) energyCount(species []string, formulaUnits int) (float64, error) {
	switch c.Energy.Per {
	case PerAtom:
		if n := realAtoms(species); n > 0 {
			return float64(n), nil
		}
		return 0, errors.New("its energy is per atom and it has virtual atoms only")
	case PerFormulaUnit:
		if formulaUnits <= 0 {
			return 0, fmt.Errorf("its energy is per formula unit and the number of units is not known; give it per frame under the key %q", c.FileKeys().FormulaUnits)
		}
		return float64(formulaUnits), nil
	}
	return 1, nil
}

func (s *Forces) presence() Presence {
	if s == nil || s.Present == "" {
		return PresentSome
	}
	return s.Present
}

func (s *Stress) presence() Presence {
	if s == nil || s.Present == "" {
		return PresentNone
	}
	return s.Present
}

func (c *Convention) forces(r *Raw) ([]float64, error) {
	if c == nil {
		return r.Forces, nil
	}
	present := c.Forces.presence()
	if present == PresentNone || r.Forces == nil && present == PresentSome {
		return nil, nil
	}
	if r.Forces == nil {
		if len(r.Species) == 1 {
			return nil, nil
		}
		return nil, r.bad(`has no forces but the convention says "forces.present" all; name the right field in "keys.forces" or say some`)
	}
	return scaled(r.Forces, c.Forces.factor()), nil
}

// factor converts stored force labels to forces in eV/Å.
func (s *Forces) factor() float64 {
	if s == nil {
		return 1
	}
	if s.Quantity == Gradient {
		return -s.Unit.canonical()
	}
	return s.Unit.canonical()
}

func (c *Convention) virial(r *Raw, cell *[9]float64) (*[9]float64, error) {
	if c == nil {
		return fullVirial(r, Full3x3, 1)
	}
	present := c.Stress.presence()
	switch {
	case present == PresentNone || r.Stress == nil && present == PresentSome:
		return nil, nil
	case r.Stress == nil && len(r.Species) == 1:
		return nil, nil
	case r.Stress == nil:
		return nil, r.bad(`has no stress but the convention says "stress.present" all; name the right field in "keys" or say some`)
	case cell == nil && len(r.Species) == 1:
		return nil, nil
	case cell == nil && !c.Stress.Unit.isEnergy():
		return nil, r.bad("has a stress but open boundaries, so that there is no volume to turn it into a virial")
	}
	return fullVirial(r, c.Stress.Order, c.Stress.factor(cell))
}

// factor converts stored stress labels to a virial in eV.
func (s *Stress) factor(cell *[9]float64) float64 {
	factor := s.Unit.canonical()
	if !s.Unit.isEnergy() {
		factor *= Volume(cell)
	}
	sign := s.Sign
	if sign == "" && s.Quantity == CauchyStress {
		sign = TensilePositive
	}
	if sign == TensilePositive {
		return -factor
	}
	return factor
}

// Places in a row-major 3x3 matrix of the six stored numbers.
var (
	voigtPlaces     = [6]int{0, 4, 8, 5, 2, 1} // xx yy zz yz xz xy
	vaspVoigtPlaces = [6]int{0, 4, 8, 1, 5, 2} // xx yy zz xy yz zx
)

func fullVirial(r *Raw, order StressOrder, factor float64) (*[9]float64, error) {
	if r.Stress == nil {
		return nil, nil
	}
	var w [9]float64
	places := voigtPlaces
	switch {
	case len(r.Stress) == 9 && (order == Full3x3 || order == ""):
		for k, v := range r.Stress {
			w[k] = factor * v
		}
		return &w, nil
	case len(r.Stress) == 6 && order == Voigt:
	case len(r.Stress) == 6 && order == VaspVoigt:
		places = vaspVoigtPlaces
	default:
		return nil, r.bad(`has %d stress numbers, which does not fit "stress.order" %s of the convention`, len(r.Stress), order)
	}
	for k, place := range places {
		row, col := place/3, place%3
		w[3*row+col] = factor * r.Stress[k]
		w[3*col+row] = w[3*row+col]
	}
	return &w, nil
}

func transpose(m [9]float64) [9]float64 {
	return [9]float64{m[0], m[3], m[6], m[1], m[4], m[7], m[2], m[5], m[8]}
}

func scaled(v []float64, by float64) []float64 {
	if by == 1 || v == nil {
		return v
	}
	out := make([]float64, len(v))
	for i := range v {
		out[i] = v[i]*by + 0 // no negative zeros
	}
	return out
}
