package graph

import (
	"sync/atomic"
	"testing"
)

// TestPool runs many jobs of all sizes and counts that every piece was done exactly once before run returned.
func TestPool(t *testing.T) {
	for _, threads := range []int{1, 2, 4} {
		var done [64]atomic.Int32
		var current atomic.Int64
		p := newPool(threads, func(j job, piece, worker int) {
			if int64(j.item) != current.Load() || worker < 0 || worker >= threads {
				t.Errorf("piece %d of job %d on worker %d, during job %d", piece, j.item, worker, current.Load())
			}
			done[piece].Add(1)
		})
		for round := range 20 {
			p.start()
			for item := range 200 {
				current.Store(int64(item))
				pieces := 1 + (item*7+round)%len(done)
				p.run(job{item: item}, pieces)
				for i := range done {
					want := int32(0)
					if i < pieces {
						want = 1
					}
					if got := done[i].Swap(0); got != want {
						t.Fatalf("%d threads, job %d of %d pieces: piece %d done %d times", threads, item, pieces, i, got)
					}
				}
			}
			p.stop()
		}
	}
}
