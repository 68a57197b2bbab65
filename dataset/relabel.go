package dataset

import (
	"fmt"
	"math"
)

// Relabel is the inverse of Canonical: it returns f as a file of this convention would hold it. Labels that f lacks or
// that the convention says are not present are left out. Energies per formula unit count the units of the reduced
// formula (H4O2 has two), which FormulaUnits states. A nil convention returns f unchanged.
func (c *Convention) Relabel(f Frame) (Raw, error) {
	if err := f.Validate(); err != nil {
		return Raw{}, err
	}
	r := Raw{Species: f.Species, Positions: f.Positions, Cell: f.Cell, Periodic: Open, Energy: f.Energy, Forces: f.Forces,
		FParam: f.FParam, AParam: f.AParam, Source: f.Source, Index: f.Index}
	if f.Cell != nil {
		r.Periodic = Periodic
	}
	if f.Virial != nil {
		w := *f.Virial
		r.Stress = w[:]
	}
	if c == nil {
		return r, nil
	}
	c.storeGeometry(&r)
	if err := c.storeEnergy(&r); err != nil {
		return Raw{}, err
	}
	c.storeForces(&r)
	if err := c.storeStress(&r, f.Cell); err != nil {
		return Raw{}, err
	}
	return r, nil
}

func (c *Convention) storeGeometry(r *Raw) {
	unit := 1 / c.Boundary.LengthUnit.angstroms()
	if r.Cell == nil && c.Boundary.NonperiodicAs == VacuumBox {
		box := vacuumBox(r.Positions)
		r.Cell = &box
	}
	r.Positions = scaled(r.Positions, unit)
	if r.Cell == nil {
		return
	}
	cell := *r.Cell
	if c.Boundary.LatticeVectors == LatticeColumns {
		cell = transpose(cell)
	}
	for k := range cell {
		cell[k] *= unit
	}
	r.Cell = &cell
}

// vacuumBox returns a cube that leaves 10 Å on each side of the atoms.
func vacuumBox(positions []float64) [9]float64 {
	side := 0.0
	for axis := range 3 {
		low, high := math.Inf(1), math.Inf(-1)
		for i := axis; i < len(positions); i += 3 {
			low, high = min(low, positions[i]), max(high, positions[i])
		}
		side = max(side, high-low+20)
	}
	return [9]float64{0: side, 4: side, 8: side}
}

func (c *Convention) storeEnergy(r *Raw) error {
	if r.Energy == nil {
		return nil
	}
	if c.Energy.Per == PerFormulaUnit {
		r.FormulaUnits = formulaUnits(r.Species)
	}
	count, err := c.energyCount(r.Species, r.FormulaUnits)
	if err != nil {
		return r.bad("%v", err)
	}
	offset, err := c.offset(r.Species)
	if err != nil {
		return r.bad("%v", err)
	}
	e := (*r.Energy - offset) / (c.Energy.Unit.electronVolts() * count)
	r.Energy = &e
	return nil
}

// formulaUnits is the greatest common divisor of the element counts.
func formulaUnits(species []string) int {
	counts := map[string]int{}
	for _, s := range species {
		if s != "" {
			counts[s]++
		}
	}
	units := 0
	for _, n := range counts {
		for n != 0 {
			units, n = n, units%n
		}
	}
	return units
}

func (c *Convention) storeForces(r *Raw) {
	if c.Forces.presence() == PresentNone {
		r.Forces = nil
		return
	}
	r.Forces = scaled(r.Forces, 1/c.Forces.factor())
}

func (c *Convention) storeStress(r *Raw, cell *[9]float64) error {
	if c.Stress.presence() == PresentNone || r.Stress == nil {
		r.Stress = nil
		return nil
	}
	if cell == nil && !c.Stress.Unit.isEnergy() {
		return r.bad("has a virial but open boundaries, so that no stress per volume can be stored")
	}
	full := r.Stress
	if c.Stress.Order == Voigt || c.Stress.Order == VaspVoigt {
		places := voigtPlaces
		if c.Stress.Order == VaspVoigt {
			places = vaspVoigtPlaces
		}
		if err := symmetric(full); err != nil {
			return r.bad("%v", err)
		}
		full = make([]float64, 6)
		for k, place := range places {
			row, col := place/3, place%3
			full[k] = (r.Stress[3*row+col] + r.Stress[3*col+row]) / 2
		}
	}
	r.Stress = scaled(full, 1/c.Stress.factor(cell))
	return nil
}

// symmetric refuses a virial of which six numbers would lose a part.
func symmetric(w []float64) error {
	size := 0.0
	for _, v := range w {
		size = max(size, math.Abs(v))
	}
	for _, pair := range [][2]int{{1, 3}, {2, 6}, {5, 7}} {
		if math.Abs(w[pair[0]]-w[pair[1]]) > 1e-6*(1+size) {
			return fmt.Errorf("its virial is not symmetric, so that six numbers cannot hold it; use the order %s", Full3x3)
		}
	}
	return nil
}
