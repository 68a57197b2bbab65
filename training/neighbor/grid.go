package neighbor

import (
	"fmt"
	"math"
)

// A grid sorts atoms into boxes of fractional coordinates. Neighbouring boxes within reach hold every atom
// within the cut-off; in a periodic cell the box index runs on past the border and its quotient is the shift.
type grid struct {
	frame    lattice
	periodic bool
	boxes    [3]int
	reach    [3]int     // boxes to look at on either side
	wrapped  []float64  // [N x 3] positions moved into the cell, Å
	turns    [][3]int32 // [N] cells that the move went: position = wrapped + turns * cell
	home     [][3]int32 // [N] box of an atom; -1 for virtual atoms
	start    []int32    // first entry of a box in atoms
	atoms    []int32    // atoms by box, ascending inside each
	sites    []float64  // [N x 3] wrapped positions in the order of atoms, Å
}

// newGrid bins the atoms named in present. An open configuration gets its bounding box as cell.
func newGrid(positions []float64, cell *[9]float64, present []int32, cutoff float64) (*grid, error) {
	n := len(positions) / 3
	g := &grid{periodic: cell != nil, wrapped: make([]float64, 3*n), turns: make([][3]int32, n), home: make([][3]int32, n)}
	origin := [3]float64{}
	if cell == nil {
		box, corner := boundingBox(positions, present, cutoff)
		cell, origin = &box, corner
	}
	frame, err := newLattice(cell)
	if err != nil {
		return nil, err
	}
	g.frame = frame
	if err := g.divide(cutoff, len(present)); err != nil {
		return nil, err
	}
	for i := range g.home {
		g.home[i][0] = -1
	}
	for _, i := range present {
		if err := g.place(int(i), positions, origin); err != nil {
			return nil, err
		}
	}
	g.sortIntoBoxes(present)
	return g, nil
}

// divide chooses the number of boxes: as wide as the cut-off, but not many more of them than atoms.
func (g *grid) divide(cutoff float64, atoms int) error {
	var want [3]float64
	for d, face := range g.frame.faces {
		want[d] = math.Max(1, math.Floor(face/(cutoff*(1+1e-9))))
	}
	if total, most := want[0]*want[1]*want[2], float64(4*atoms+64); total > most {
		shrink := math.Cbrt(most / total)
		for d := range want {
			want[d] = math.Max(1, math.Min(math.Floor(want[d]*shrink), most))
		}
		for want[0]*want[1]*want[2] > 2*most { // an axis that could not shrink below one leaves its share to the others
			d := 0
			for k := range want {
				if want[k] > want[d] {
					d = k
				}
			}
			want[d] = math.Max(1, math.Floor(want[d]/2))
		}
	}
	images := 1.0
	for d, face := range g.frame.faces {
		reach := math.Ceil(cutoff*want[d]/face + 1e-9)
		images *= 2*reach + 1
		if images > 1e7 {
			return fmt.Errorf("%w: %.3g Å between two of its faces is far below the cut-off of %g Å; check the unit of the cell vectors", ErrCell, face, cutoff)
		}
		g.boxes[d], g.reach[d] = int(want[d]), int(reach)
	}
	return nil
}

// place moves atom i into the cell and notes its box.
func (g *grid) place(i int, positions []float64, origin [3]float64) error {
	r := [3]float64{positions[3*i] - origin[0], positions[3*i+1] - origin[1], positions[3*i+2] - origin[2]}
	s := g.frame.fractional(r)
	var turn [3]float64
	for d := range s {
		if g.periodic {
			turn[d] = math.Floor(s[d])
		}
		if !(math.Abs(turn[d]) < 1<<29) {
			return fmt.Errorf("%w: atom %d lies more than 2^29 cells away from the origin", ErrInput, i)
		}
		g.turns[i][d] = int32(turn[d])
		box := math.Floor((s[d] - turn[d]) * float64(g.boxes[d]))
		g.home[i][d] = int32(math.Max(0, math.Min(box, float64(g.boxes[d]-1))))
	}
	back := g.frame.cartesian(turn)
	for d := range r {
		g.wrapped[3*i+d] = r[d] - back[d]
	}
	return nil
}

// sortIntoBoxes is a counting sort, so that atoms stay in ascending order inside a box.
func (g *grid) sortIntoBoxes(present []int32) {
	g.start = make([]int32, g.boxes[0]*g.boxes[1]*g.boxes[2]+1)
	for _, i := range present {
		g.start[g.boxOf(i)+1]++
	}
	for b := range len(g.start) - 1 {
		g.start[b+1] += g.start[b]
	}
	next := append([]int32(nil), g.start...)
	g.atoms = make([]int32, len(present))
	for _, i := range present {
		b := g.boxOf(i)
		g.atoms[next[b]] = i
		next[b]++
	}
	g.sites = make([]float64, 0, 3*len(present))
	for _, i := range g.atoms {
		g.sites = append(g.sites, g.wrapped[3*i:3*i+3]...)
	}
}

func (g *grid) boxOf(i int32) int {
	h := g.home[i]
	return (int(h[0])*g.boxes[1]+int(h[1]))*g.boxes[2] + int(h[2])
}

// wrap splits a running box index along axis d into the box and the cell it lies in.
// ok is false outside an open configuration.
func (g *grid) wrap(d, running int) (box, shift int, ok bool) {
	n := g.boxes[d]
	if running >= 0 && running < n {
		return running, 0, true
	}
	if !g.periodic {
		return 0, 0, false
	}
	shift = running / n
	if running%n < 0 {
		shift--
	}
	return running - shift*n, shift, true
}

// around calls visit for the stretches of g.atoms that may hold neighbours of atom i, in boxes that lie side by side: entries
// from (included) to (excluded), all moved by the same shift.
func (g *grid) around(i int, visit func(from, to int32, shift [3]int32) error) error {
	h := g.home[i]
	if h[0] < 0 {
		return nil
	}
	for a := int(h[0]) - g.reach[0]; a <= int(h[0])+g.reach[0]; a++ {
		ba, sa, ok := g.wrap(0, a)
		if !ok {
			continue
		}
		for b := int(h[1]) - g.reach[1]; b <= int(h[1])+g.reach[1]; b++ {
			bb, sb, ok := g.wrap(1, b)
			if !ok {
				continue
			}
			row := (ba*g.boxes[1] + bb) * g.boxes[2]
			for c, last := int(h[2])-g.reach[2], int(h[2])+g.reach[2]; c <= last; {
				bc, sc, ok := g.wrap(2, c)
				if !ok {
					c++
					continue
				}
				n := min(g.boxes[2]-bc, last-c+1) // boxes up to the border of the cell
				if err := visit(g.start[row+bc], g.start[row+bc+n], [3]int32{int32(sa), int32(sb), int32(sc)}); err != nil {
					return err
				}
				c += n
			}
		}
	}
	return nil
}
