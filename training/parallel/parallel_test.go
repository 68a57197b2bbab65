package parallel_test

import (
	"testing"

	"github.com/fedlam/fedlam/training/parallel"
)

// TestFor requires that every iteration is done exactly once, by a worker whose number is in range.
func TestFor(t *testing.T) {
	for _, c := range []struct{ n, grain, workers, pieces int }{
		{0, 4, 3, 0}, {-1, 4, 3, 0}, {1, 4, 3, 1}, {4, 4, 3, 1}, {5, 4, 3, 2}, {1000, 7, 4, 143}, {10, 1, 1, 10}, {3, 0, 0, 3}, {6, 2, 100, 3},
	} {
		done, calls := make([]int, max(c.n, 0)), make([]int, max(c.workers, 1))
		parallel.For(c.n, c.grain, c.workers, func(worker, from, to int) {
			calls[worker]++ // out of range: panics
			if to-from > max(c.grain, 1) {
				t.Errorf("%+v: a piece from %d to %d", c, from, to)
			}
			for i := from; i < to; i++ {
				done[i]++
			}
		})
		total := 0
		for _, n := range calls {
			total += n
		}
		if total != c.pieces {
			t.Errorf("%+v: got %d pieces", c, total)
		}
		for i, n := range done {
			if n != 1 {
				t.Errorf("%+v: iteration %d was done %d times", c, i, n)
			}
		}
	}
}
