// Package parallel does the iterations of a loop on several cores.
//
// For cuts 0 to n into pieces by n and grain alone, and says which goroutine does a piece, so that each can have memory of
// its own:
//
//	buffers := make([][]float64, workers)
//	parallel.For(len(rows), 64, workers, func(worker, from, to int) { ... })
//
// Which goroutine does which piece, and when, is left to chance: results must not depend on it. Loops whose pieces allocate
// nothing and are run thousands of times a second have a pool of their own in package graph.
package parallel

import (
	"sync"
	"sync/atomic"
)

// For calls f for the pieces from (included) to (excluded) of 0 to n, which have grain iterations but for the last, on at most
// so many goroutines, numbered from 0. It returns when all are done. With one worker, or one piece, it starts no goroutine
// and does the pieces in their order. A grain or a number of workers below 1 counts as 1.
func For(n, grain, workers int, f func(worker, from, to int)) {
	grain = max(grain, 1)
	pieces := (n + grain - 1) / grain
	workers = min(workers, pieces)
	if workers <= 1 {
		for p := range pieces {
			f(0, p*grain, min((p+1)*grain, n))
		}
		return
	}
	var next atomic.Int64
	var all sync.WaitGroup
	for w := range workers {
		all.Go(func() {
			for p := int(next.Add(1)) - 1; p < pieces; p = int(next.Add(1)) - 1 {
				f(w, p*grain, min((p+1)*grain, n))
			}
		})
	}
	all.Wait()
}
