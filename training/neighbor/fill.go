package neighbor

import (
	"fmt"
	"math"
	"sync"

	"github.com/fedlam/fedlam/training/parallel"
)

// atomsPerPiece is how many atoms a core takes at a time: a tenth of a millisecond of work.
const atomsPerPiece = 32

// fill searches twice: first it counts the neighbours of each atom, then all know where their edges belong, and the list
// has exactly the memory it needs.
func fill(g *grid, n int, cutoff float64, maxNeighbors, workers int) (*List, error) {
	searches := make([]search, max(workers, 1))
	for w := range searches {
		searches[w] = search{grid: g, cutoff: cutoff}
	}
	list := &List{Start: make([]int32, n+1)}
	counts := list.Start[1:]
	if err := count(searches, counts); err != nil {
		return nil, err
	}
	if err := list.allocate(counts, maxNeighbors); err != nil {
		return nil, err
	}
	parallel.For(n, atomsPerPiece, workers, func(worker, from, to int) {
		s := &searches[worker]
		for i := from; i < to; i++ {
			_ = s.find(i) // has succeeded before
			s.sort(i)
			s.put(i, list)
		}
	})
	return list, nil
}

// count writes the number of neighbours of each atom. Of all errors it returns the one of the first atom.
func count(searches []search, counts []int32) error {
	var mu sync.Mutex
	var first error
	at := len(counts)
	parallel.For(len(counts), atomsPerPiece, len(searches), func(worker, from, to int) {
		mu.Lock()
		needless := from > at
		mu.Unlock()
		if needless {
			return
		}
		s := &searches[worker]
		for i := from; i < to; i++ {
			if err := s.find(i); err != nil {
				mu.Lock()
				if i < at {
					at, first = i, err
				}
				mu.Unlock()
				return
			}
			counts[i] = int32(len(s.found))
		}
	})
	return first
}

// allocate makes the counts, of which the limit takes its part, the starts of the atoms after, and room for all edges.
func (l *List) allocate(counts []int32, maxNeighbors int) error {
	total := 0
	for i, n := range counts {
		keep := int(n)
		l.MaxFound = max(l.MaxFound, keep)
		if maxNeighbors > 0 {
			keep = min(keep, maxNeighbors)
		}
		l.Dropped += int(n) - keep
		total += keep
		if total > math.MaxInt32 {
			return fmt.Errorf("%w: more edges than the index type holds", ErrDense)
		}
		counts[i] = int32(total)
	}
	l.Neighbor, l.Shift = make([]int32, total), make([][3]int32, total)
	l.Delta, l.Dist = make([]float64, 3*total), make([]float64, total)
	return nil
}
