// Package neighbor finds, for every atom of a configuration, all atoms within a cut-off, periodic images included.
//
// Build returns a List of directed edges grouped by centre. Within a centre the edges ascend by distance, so
// that a shorter cut-off or a smaller neighbour limit is always a prefix. An atom's own images are neighbours
// like any other; the same partner appears once for each of its images in range. The search bins atoms by
// fractional coordinate, so that its cost grows with the number of atoms and not with its square, and cells
// of any shape, handedness and size (also much smaller than the cut-off) need no special treatment.
//
//	list, err := neighbor.Build(positions, &cell, nil, 6.0, 120)
//	for e := list.Start[i]; e < list.Start[i+1]; e++ {
//		j, d := list.Neighbor[e], list.Delta[3*e:3*e+3] // from atom i to an image of atom j, Å
//	}
//
// The result depends on nothing but the arguments: the same bits on every machine, in every run, and for any number of cores,
// among which the atoms are divided.
// The package does not update lists incrementally and holds no skin: a list is built from scratch for each use.
package neighbor

import (
	"errors"
	"fmt"
	"math"
	"runtime"
)

// Errors wrapped by Build. All mean that the configuration itself is unusable.
var (
	ErrCell    = errors.New("bad cell")
	ErrOverlap = errors.New("atoms on top of each other")
	ErrDense   = errors.New("too many neighbours")
	ErrInput   = errors.New("bad input")
)

const (
	minDistance = 1e-6    // Å; closer atoms are taken for duplicates
	maxPerAtom  = 1 << 16 // neighbours of one atom before the density is taken for a mistake of units
)

// A List holds the edges of one configuration of N atoms, E edges in all. Edges of centre i are Start[i] to
// Start[i+1]; within a centre they ascend by distance, ties by neighbour index, then by shift.
type List struct {
	Start    []int32    // [N+1]
	Neighbor []int32    // [E] index of the neighbour, 0 to N-1
	Shift    [][3]int32 // [E] cells between the neighbour as given and the image meant
	Delta    []float64  // [E x 3] position of the image minus position of the centre, Å
	Dist     []float64  // [E] length of Delta, Å
	Dropped  int        // edges within the cut-off that maxNeighbors left out, over all atoms
	MaxFound int        // largest number of neighbours of an atom before maxNeighbors
}

// Build lists all pairs of atoms no farther apart than cutoff (Å, the bound itself included). Positions are
// [N x 3] in Å and need not lie in the cell; cell holds the cell vectors as rows, nil means open boundaries.
// Atoms for which virtual answers true are nobody's neighbours and have none; their positions are not read.
// With maxNeighbors > 0 each atom keeps its nearest maxNeighbors; 0 keeps all.
//
// The errors wrap ErrInput (lengths, NaN, cut-off), ErrCell (no volume), ErrOverlap (two atoms nearer than
// 1e-6 Å) or ErrDense (an atom with more than 65536 neighbours). All cores take part, see BuildOn.
func Build(positions []float64, cell *[9]float64, virtual func(i int) bool, cutoff float64, maxNeighbors int) (*List, error) {
	return BuildOn(runtime.GOMAXPROCS(0), positions, cell, virtual, cutoff, maxNeighbors)
}

// BuildOn is Build on at most so many cores. The list does not depend on them.
func BuildOn(workers int, positions []float64, cell *[9]float64, virtual func(i int) bool, cutoff float64, maxNeighbors int) (*List, error) {
	switch {
	case len(positions)%3 != 0:
		return nil, fmt.Errorf("neighbour list: %w: %d coordinates, want three for each atom", ErrInput, len(positions))
	case len(positions)/3 > math.MaxInt32/2:
		return nil, fmt.Errorf("neighbour list: %w: %d atoms are more than the index type holds", ErrInput, len(positions)/3)
	case !(cutoff > 0) || math.IsInf(cutoff, 0):
		return nil, fmt.Errorf("neighbour list: %w: cut-off %v Å, want a positive number", ErrInput, cutoff)
	case maxNeighbors < 0:
		return nil, fmt.Errorf("neighbour list: %w: limit of %d neighbours, want 0 (none) or more", ErrInput, maxNeighbors)
	}
	n := len(positions) / 3
	present := make([]int32, 0, n)
	for i := range n {
		if virtual != nil && virtual(i) {
			continue
		}
		for k, x := range positions[3*i : 3*i+3] {
			if math.IsNaN(x) || math.IsInf(x, 0) {
				return nil, fmt.Errorf("neighbour list: %w: coordinate %c of atom %d is NaN or infinite", ErrInput, "xyz"[k], i)
			}
		}
		present = append(present, int32(i))
	}
	g, err := newGrid(positions, cell, present, cutoff)
	if err != nil {
		return nil, fmt.Errorf("neighbour list: %w", err)
	}
	list, err := fill(g, n, cutoff, maxNeighbors, workers)
	if err != nil {
		return nil, fmt.Errorf("neighbour list: %w", err)
	}
	return list, nil
}
