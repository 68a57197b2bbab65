package secagg

import (
	"runtime"
	"sync"
	"sync/atomic"
)

// parallel calls do once for every index below n, from as many goroutines as there are processors, and returns when all
// have ended. Each goroutine brings a working memory, which is wiped at the end. Calls are independent of each
// other, so the result does not depend on the number of goroutines.
func parallel[M any](n int, do func(i int, memory *M)) {
	var next atomic.Int64
	var wait sync.WaitGroup
	for range min(n, runtime.GOMAXPROCS(0)) {
		wait.Go(func() {
			memory := new(M)
			defer func() { var zero M; *memory = zero }()
			for {
				i := int(next.Add(1)) - 1
				if i >= n {
					return
				}
				do(i, memory)
			}
		})
	}
	wait.Wait()
}

// none is the memory of those that need none.
type none struct{}

// A span is a part of a vector of masked lanes that lies in one chunk.
type span struct {
	chunk int
	from  int // first byte in the chunk
	at    int // first byte in the vector, and so in every stream
	lane  int // first lane in the vector
	size  int // bytes
}

// eachSpan calls do for all spans of the chunks from first to before last.
func eachSpan(r ring, lanes, first, last int, do func(s span, t *tally)) {
	start := first * ChunkSize
	end := min(last*ChunkSize, lanes*int(r))
	parallel((end-start+spanSize-1)/spanSize, func(i int, t *tally) {
		at := start + i*spanSize
		do(span{chunk: at / ChunkSize, from: at % ChunkSize, at: at, lane: at / int(r), size: min(spanSize, end-at)}, t)
	})
}
