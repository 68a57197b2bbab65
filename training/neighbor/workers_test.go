package neighbor_test

import (
	"errors"
	"math"
	"reflect"
	"testing"

	"github.com/fedlam/fedlam/training/neighbor"
)

// cubic returns n³ atoms at unit distances: shells of equal distance, whose order only numbers decide.
func cubic(n int) ([]float64, [9]float64) {
	var pos []float64
	for i := range n * n * n {
		pos = append(pos, float64(i%n), float64(i/n%n), float64(i/n/n))
	}
	side := float64(n)
	return pos, [9]float64{side, 0, 0, 0, side, 0, 0, 0, side}
}

// TestWorkers requires the list of one worker of any number, and that it is the brute-force list.
func TestWorkers(t *testing.T) {
	random, randomCell := gas(500, 17)
	lattice, latticeCell := cubic(7)
	for _, c := range []struct {
		name  string
		pos   []float64
		cell  *[9]float64
		limit int
	}{
		{"random", random, &randomCell, 0},
		{"random, open", random, nil, 0},
		{"random, the nearest 20", random, &randomCell, 20},
		{"lattice", lattice, &latticeCell, 0},
		{"lattice, the nearest 20", lattice, &latticeCell, 20},
	} {
		t.Run(c.name, func(t *testing.T) {
			virtual := func(i int) bool { return i%11 == 5 }
			const cutoff = 3.01
			one, err := neighbor.BuildOn(1, c.pos, c.cell, virtual, cutoff, c.limit)
			if err != nil {
				t.Fatal(err)
			}
			for workers := 2; workers <= 4; workers++ {
				list, err := neighbor.BuildOn(workers, c.pos, c.cell, virtual, cutoff, c.limit)
				if err != nil {
					t.Fatal(err)
				}
				if !reflect.DeepEqual(list, one) {
					t.Errorf("%d workers give another list than one", workers)
				}
			}
			want := bruteForce(c.pos, c.cell, virtual, cutoff, 1)
			if len(one.Neighbor)+one.Dropped != len(want) {
				t.Errorf("got %d edges and %d dropped, want %d together", len(one.Neighbor), one.Dropped, len(want))
			}
			for i := range len(c.pos) / 3 {
				for e := one.Start[i]; e < one.Start[i+1]; e++ {
					s := one.Shift[e]
					r, ok := want[edge{i, int(one.Neighbor[e]), [3]int{int(s[0]), int(s[1]), int(s[2])}}]
					if !ok || math.Abs(r-one.Dist[e]) > 1e-9 {
						t.Fatalf("atom %d has neighbour %d with shift %v at %g Å; want %g Å (found: %t)", i, one.Neighbor[e], s, one.Dist[e], r, ok)
					}
					if e > one.Start[i] && !ascends(one, e-1, e) {
						t.Fatalf("edges %d and %d of atom %d are in the wrong order", e-1, e, i)
					}
				}
			}
		})
	}
}

// ascends reports whether edge a belongs before edge b.
func ascends(l *neighbor.List, a, b int32) bool {
	if l.Dist[a] != l.Dist[b] {
		return l.Dist[a] < l.Dist[b]
	}
	if l.Neighbor[a] != l.Neighbor[b] {
		return l.Neighbor[a] < l.Neighbor[b]
	}
	for d := range 3 {
		if x, y := l.Shift[a][d], l.Shift[b][d]; x != y {
			return x < y
		}
	}
	return false
}

// TestWorkersFailAlike requires that all numbers of workers complain of the first atom.
func TestWorkersFailAlike(t *testing.T) {
	pos, cell := gas(2000, 30)
	for _, i := range []int{700, 1500, 1900} {
		copy(pos[3*i:3*i+3], pos[3*i-3:3*i])
	}
	_, want := neighbor.BuildOn(1, pos, &cell, nil, 3, 0)
	if !errors.Is(want, neighbor.ErrOverlap) {
		t.Fatalf("got %v, want an overlap", want)
	}
	for workers := 2; workers <= 4; workers++ {
		if _, err := neighbor.BuildOn(workers, pos, &cell, nil, 3, 0); err == nil || err.Error() != want.Error() {
			t.Errorf("%d workers: got %v, want %v", workers, err, want)
		}
	}
}
