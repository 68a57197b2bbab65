package neighbor

import (
	"cmp"
	"slices"
)

// sort puts the neighbours found of atom i in order. They are spread evenly through space, so that as many shells of equal
// volume hold about one each; only what shares a shell is compared.
func (s *search) sort(i int) {
	n := len(s.found)
	s.start = slices.Grow(s.start[:0], n+1)[:n+1]
	clear(s.start)
	for _, c := range s.found {
		s.start[s.shell(c.dist)+1]++
	}
	for k := range n {
		s.start[k+1] += s.start[k]
	}
	s.order = slices.Grow(s.order[:0], n)[:n]
	for _, c := range s.found {
		k := s.shell(c.dist)
		s.order[s.start[k]] = c
		s.start[k]++ // becomes the end of shell k
	}
	from := int32(0)
	for _, to := range s.start[:n] {
		if to-from > 1 {
			s.sortShell(i, s.order[from:to])
		}
		from = to
	}
}

// shell returns a number from 0 to the number found less one, which does not fall with distance.
func (s *search) shell(dist float64) int {
	q := dist / s.cutoff
	return min(int(q*q*q*float64(len(s.found))), len(s.found)-1)
}

// sortShell sorts some neighbours of atom i.
func (s *search) sortShell(i int, list []candidate) {
	if len(list) > 12 {
		slices.SortFunc(list, func(a, b candidate) int { return s.compare(i, a, b) })
		return
	}
	for k := 1; k < len(list); k++ {
		c := list[k]
		at := k
		for ; at > 0 && (c.dist < list[at-1].dist || c.dist == list[at-1].dist && s.compare(i, c, list[at-1]) < 0); at-- {
			list[at] = list[at-1]
		}
		list[at] = c
	}
}

// compare orders by distance, then by neighbour, then by shift.
func (s *search) compare(i int, a, b candidate) int {
	if c := cmp.Compare(a.dist, b.dist); c != 0 {
		return c
	}
	if c := cmp.Compare(s.grid.atoms[a.site], s.grid.atoms[b.site]); c != 0 {
		return c
	}
	x, y := s.cells(i, a), s.cells(i, b)
	return slices.Compare(x[:], y[:])
}
