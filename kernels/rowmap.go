package kernels

import "slices"

// A RowMap says from which column of a row of one matrix each column of the same row of another is taken. It is made
// once and serves any number of goroutines.
type RowMap struct {
	from    []int
	srcCols int
	f32     lanePlan
	f64     lanePlan
}

// lanePlan is a RowMap by vectors: rows repeat after group rows, which fill phases vectors of the result. The numbers of
// each vector come from two vectors in a row, beginning at an offset within the group.
type lanePlan struct {
	group, phases int
	offsets       []int64 // by phase, in elements
	index32       []int32 // by phase and lane: where in the two vectors
	index64       []int64
	reach         int // elements that a group reads, from its beginning
}

// NewRowMap returns the map by which column c of the result is column from[c] of rows srcCols wide.
func NewRowMap(from []int, srcCols int) *RowMap {
	for _, f := range from {
		if f < 0 || f >= srcCols {
			panic("kernels: NewRowMap: column out of range")
		}
	}
	m := &RowMap{from: append([]int(nil), from...), srcCols: srcCols}
	m.f32, m.f64 = m.plan(16), m.plan(8)
	for _, i := range m.f64.index32 {
		m.f64.index64 = append(m.f64.index64, int64(i))
	}
	return m
}

// Columns returns the map: what NewRowMap was given.
func (m *RowMap) Columns() (from []int, srcCols int) { return slices.Clone(m.from), m.srcCols }

// plan returns the plan for vectors of so many lanes; without phases if two vectors do not hold what one takes.
func (m *RowMap) plan(lanes int) lanePlan {
	cols := len(m.from)
	if cols == 0 {
		return lanePlan{}
	}
	p := lanePlan{group: lanes / gcd(lanes, cols)}
	phases := p.group * cols / lanes
	for i := range phases {
		first, last := -1, 0
		places := make([]int, lanes)
		for l := range lanes {
			at := i*lanes + l
			places[l] = at/cols*m.srcCols + m.from[at%cols]
			if first < 0 || places[l] < first {
				first = places[l]
			}
			last = max(last, places[l])
		}
		if last-first >= 2*lanes {
			return lanePlan{}
		}
		p.offsets = append(p.offsets, int64(first))
		for _, x := range places {
			p.index32 = append(p.index32, int32(x-first))
		}
		p.reach = max(p.reach, first+2*lanes)
	}
	p.phases = phases
	return p
}

func gcd(a, b int) int {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}

// MapRows sets the first rows rows of dst to those of src in the order of columns that m says.
func MapRows[F Float](m *RowMap, dst, src []F, rows int) {
	cols := len(m.from)
	if rows == 0 || cols == 0 {
		return
	}
	_, _ = dst[rows*cols-1], src[rows*m.srcCols-1]
	done := mapVectors(m, dst, src, rows)
	for r := done; r < rows; r++ {
		d, s := dst[r*cols:(r+1)*cols], src[r*m.srcCols:(r+1)*m.srcCols]
		for c, f := range m.from {
			d[c] = s[f]
		}
	}
}

// mapVectors does as many rows as whole vectors can without reading beyond src, and returns their number.
func mapVectors[F Float](m *RowMap, dst, src []F, rows int) int {
	f := backendOf[F]().mapRows
	p := &m.f32
	if !isFloat32[F]() {
		p = &m.f64
	}
	if f == nil || p.phases == 0 || len(src) < p.reach {
		return 0
	}
	step := p.group * m.srcCols
	groups := rows / p.group
	if step > 0 {
		groups = min(groups, (len(src)-p.reach)/step+1)
	}
	if groups > 0 {
		f(&dst[0], &src[0], p, groups, step)
	}
	return groups * p.group
}
