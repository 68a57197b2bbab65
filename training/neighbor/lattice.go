package neighbor

import (
	"fmt"
	"math"
)

// A lattice is a cell with its inverse. Vectors are rows: r = s * cell.
type lattice struct {
	cell    [9]float64
	inverse [9]float64
	faces   [3]float64 // distances between opposite faces, Å
}

// newLattice refuses cells without volume. The sign of the determinant is of no importance: a left-handed cell
// has the same images as its right-handed twin.
func newLattice(cell *[9]float64) (lattice, error) {
	l := lattice{cell: *cell}
	for k, v := range cell {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return l, fmt.Errorf("%w: entry %d is NaN or infinite", ErrCell, k)
		}
	}
	a, b, c := [3]float64(cell[0:3]), [3]float64(cell[3:6]), [3]float64(cell[6:9])
	bc, ca, ab := cross(b, c), cross(c, a), cross(a, b)
	det := a[0]*bc[0] + a[1]*bc[1] + a[2]*bc[2]
	size := norm(a) * norm(b) * norm(c)
	if !(math.Abs(det) > 1e-9*size) || math.IsInf(size, 0) {
		return l, fmt.Errorf("%w: its vectors span no volume (determinant %.3g); leave the cell out for open boundaries", ErrCell, det)
	}
	for d, normal := range [3][3]float64{bc, ca, ab} {
		for k := range 3 {
			l.inverse[3*k+d] = normal[k] / det
		}
		l.faces[d] = math.Abs(det) / norm(normal)
	}
	return l, nil
}

func (l *lattice) fractional(r [3]float64) [3]float64 { return rowTimes(r, &l.inverse) }
func (l *lattice) cartesian(s [3]float64) [3]float64  { return rowTimes(s, &l.cell) }

func rowTimes(v [3]float64, m *[9]float64) (out [3]float64) {
	for k := range out {
		out[k] = v[0]*m[k] + v[1]*m[3+k] + v[2]*m[6+k]
	}
	return out
}

func cross(a, b [3]float64) [3]float64 {
	return [3]float64{a[1]*b[2] - a[2]*b[1], a[2]*b[0] - a[0]*b[2], a[0]*b[1] - a[1]*b[0]}
}

func norm(v [3]float64) float64 { return math.Sqrt(v[0]*v[0] + v[1]*v[1] + v[2]*v[2]) }

// boundingBox returns an upright box that holds the atoms named in present, at least one cut-off wide.
func boundingBox(positions []float64, present []int32, cutoff float64) (cell [9]float64, corner [3]float64) {
	for d := range 3 {
		low, high := math.Inf(1), math.Inf(-1)
		for _, i := range present {
			low, high = math.Min(low, positions[3*int(i)+d]), math.Max(high, positions[3*int(i)+d])
		}
		if low > high { // no atoms at all
			low, high = 0, 0
		}
		corner[d] = low
		cell[4*d] = math.Max(high-low, cutoff)
	}
	return cell, corner
}
