package bench

import (
	"sync"
	"time"

	"github.com/fedlam/fedlam/kernels"
	"github.com/fedlam/fedlam/training/dpa2"
)

// A Peak is the best that this process reached on this machine, with all threads together.
type Peak struct {
	GFLOPS float64 `json:"gflops"` // of a matrix product in the caches, 1e9 FLOP/s
	GBPS   float64 `json:"gb_s"`   // of a sum of two vectors far larger than the caches, 1e9 bytes/s read and written
}

// peakShapes are square enough to be bound by arithmetic and small enough for second-level caches. The best counts.
var peakShapes = []shape{{128, 128, 128}, {192, 256, 128}, {256, 256, 256}}

const (
	burst  = 2 * time.Millisecond // that a rate is measured over: short, so that one falls where nothing disturbs
	bursts = 25                   // of each shape
)

// measurePeak returns the best rate of matrix products.
func measurePeak(p dpa2.Precision, threads int) float64 {
	best := 0.0
	for _, s := range peakShapes {
		var seconds float64
		if p == dpa2.Float64 {
			seconds = product[float64](opNN, s, threads, bursts, burst).Min
		} else {
			seconds = product[float32](opNN, s, threads, bursts, burst).Min
		}
		best = max(best, s.gflops(threads, seconds))
	}
	return best
}

// bandwidthBytes is the size of each of the three vectors of the bandwidth, all threads together.
const bandwidthBytes = 64 << 20

// measureBandwidth returns the best rate of reading two vectors and writing their sum, 1e9 bytes/s.
func measureBandwidth(threads int) float64 {
	n := bandwidthBytes / 4 / threads
	vectors := make([][3][]float32, threads)
	for t := range vectors {
		for k := range vectors[t] {
			vectors[t][k] = make([]float32, n)
			kernels.Fill(vectors[t][k], float32(k)) // touches the pages
		}
	}
	best := 0.0
	for range bursts {
		d := together(threads, func(t int) {
			v := &vectors[t]
			kernels.Add(v[2], v[0], v[1])
		})
		best = max(best, 3*4*float64(n*threads)/d.Seconds()/1e9)
	}
	return best
}

// together runs f for each thread at once and returns the time until all are done.
func together(threads int, f func(thread int)) time.Duration {
	start := time.Now()
	var group sync.WaitGroup
	for t := 1; t < threads; t++ {
		group.Go(func() { f(t) })
	}
	f(0)
	group.Wait()
	return time.Since(start)
}
