package neighbor

import (
	"fmt"
	"math"
	"slices"
)

// A search finds the neighbours of one atom after the other, in the same memory. It is for one goroutine.
type search struct {
	grid    *grid
	cutoff  float64
	found   []candidate // see find
	order   []candidate // the same by distance, see sort
	shifted []shifted   // those that found refers to
	close   []int32
	start   []int32 // of shells
}

// candidate is one image within the cut-off of the centre at hand.
type candidate struct {
	dist    float64
	site    int32 // position in grid.atoms
	shifted int32 // position in search.shifted
}

// shifted are boxes that lie in another cell, or in the same with a shift of zeros.
type shifted struct {
	shift [3]int32   // cells
	move  [3]float64 // Å
}

// find collects all images within the cut-off of atom i.
func (s *search) find(i int) error {
	s.found, s.shifted = s.found[:0], s.shifted[:0]
	centre := [3]float64(s.grid.wrapped[3*i : 3*i+3])
	return s.grid.around(i, func(from, to int32, shift [3]int32) error {
		moved := shifted{shift, s.grid.frame.cartesian([3]float64{float64(shift[0]), float64(shift[1]), float64(shift[2])})}
		s.scan(from, to, &centre, &moved.move)
		if len(s.close) == 0 {
			return nil
		}
		s.shifted = append(s.shifted, moved)
		for _, site := range s.close {
			if s.grid.atoms[site] == int32(i) && shift == [3]int32{} {
				continue
			}
			if err := s.add(i, site, &centre); err != nil {
				return err
			}
		}
		return nil
	})
}

// scan lists in s.close the sites that lie within the cut-off or no more than a rounding error beyond. Few do, and which is
// hard to guess, so that there is no branch.
func (s *search) scan(from, to int32, centre, move *[3]float64) {
	bound := s.cutoff * s.cutoff * (1 + 1e-12)
	sites := s.grid.sites[3*from : 3*to]
	s.close = slices.Grow(s.close[:0], int(to-from))[:to-from]
	list := s.close
	x, y, z, mx, my, mz := centre[0], centre[1], centre[2], move[0], move[1], move[2]
	n := 0
	for k := range list {
		site := sites[3*k : 3*k+3 : 3*k+3]
		dx, dy, dz := site[0]-x+mx, site[1]-y+my, site[2]-z+mz // as in difference, which the compiler keeps in memory
		list[n] = from + int32(k)
		more := n + 1
		if dx*dx+dy*dy+dz*dz <= bound {
			n = more
		}
	}
	s.close = list[:n]
}

// difference is the vector from the centre to the image of a site. The difference of the wrapped positions is taken first: an
// edge and its reverse are then exact negatives of each other.
func difference(site [3]float64, centre, move *[3]float64) (d [3]float64) {
	return [3]float64{site[0] - centre[0] + move[0], site[1] - centre[1] + move[1], site[2] - centre[2] + move[2]}
}

// add takes in the image of a site in the boxes that were shifted last, unless it lies just beyond the cut-off of atom i.
func (s *search) add(i int, site int32, centre *[3]float64) error {
	at := len(s.shifted) - 1
	d := difference([3]float64(s.grid.sites[3*site:]), centre, &s.shifted[at].move)
	r := math.Sqrt(d[0]*d[0] + d[1]*d[1] + d[2]*d[2])
	switch {
	case r > s.cutoff:
		return nil
	case r < minDistance:
		return fmt.Errorf("%w: atoms %d and %d (an image of it in cell %v) are nearer than %g Å; remove the duplicate",
			ErrOverlap, i, s.grid.atoms[site], s.shifted[at].shift, minDistance)
	case len(s.found) == maxPerAtom:
		return fmt.Errorf("%w: atom %d has more than %d within %g Å; check the unit of positions and cell", ErrDense, i, maxPerAtom, s.cutoff)
	}
	s.found = append(s.found, candidate{r, site, int32(at)})
	return nil
}

// put writes the nearest neighbours of atom i, which find and sort have put in order, to their place in the list.
func (s *search) put(i int, l *List) {
	centre := [3]float64(s.grid.wrapped[3*i : 3*i+3])
	first := int(l.Start[i])
	for k, c := range s.order[:int(l.Start[i+1])-first] {
		e := first + k
		l.Neighbor[e], l.Dist[e] = s.grid.atoms[c.site], c.dist
		l.Shift[e] = s.cells(i, c)
		d := difference([3]float64(s.grid.sites[3*c.site:]), &centre, &s.shifted[c.shifted].move)
		delta := l.Delta[3*e : 3*e+3]
		delta[0], delta[1], delta[2] = d[0], d[1], d[2] // copy is a call
	}
}

// cells returns the shift of the image c of a neighbour of atom i, both as given.
func (s *search) cells(i int, c candidate) [3]int32 {
	shift, own, other := s.shifted[c.shifted].shift, &s.grid.turns[i], &s.grid.turns[s.grid.atoms[c.site]]
	for d := range shift {
		shift[d] += own[d] - other[d]
	}
	return shift
}
