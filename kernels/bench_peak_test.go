package kernels_test

import (
	"sync"
	"time"

	"github.com/fedlam/fedlam/kernels"
)

var peak32, peak64 = sync.OnceValue(measureProducts[float32]), sync.OnceValue(measureProducts[float64])

// productPeak returns the best rate of products in the caches with the kernels in use, 1e9 FLOP/s.
func productPeak[F kernels.Float]() float64 {
	if sizeOf[F](1) == 4 {
		return peak32()
	}
	return peak64()
}

func measureProducts[F kernels.Float]() float64 {
	best := 0.0
	for _, n := range []int{96, 128, 192} {
		x, y, c := filled[F](n*n), filled[F](n*n), make([]F, n*n)
		seconds := fastest(func() { kernels.MatMul(c, x, y, n, n, n) })
		best = max(best, 2*float64(n*n*n)/seconds/1e9)
	}
	return best
}

var bandwidths = map[int]float64{}

// bandwidth returns the best rate, 1e9 bytes/s read and written, at which a copy or a sum of two vectors goes through that
// many bytes again and again: from the caches if they fit there, else from memory.
func bandwidth(bytes int) float64 {
	if known, ok := bandwidths[bytes]; ok {
		return known
	}
	n := max(bytes/4, 6)
	all := filled[float32](n)
	seconds := fastest(func() { copy(all[:n/2], all[n/2:]) })
	third := n / 3
	seconds = min(seconds, fastest(func() { kernels.Add(all[:third], all[third:2*third], all[2*third:]) }))
	bandwidths[bytes] = 4 * float64(n) / seconds / 1e9
	return bandwidths[bytes]
}

// fastest returns the least time of a call, in seconds. Bursts are short, so that one falls where nothing disturbs.
func fastest(call func()) float64 {
	const burst, bursts = time.Millisecond / 2, 12
	measure := func(times int) time.Duration {
		start := time.Now()
		for range times {
			call()
		}
		return time.Since(start)
	}
	measure(1)
	times := max(1, int(burst/max(measure(1), 1)))
	best := measure(times)
	for range bursts {
		best = min(best, measure(times))
	}
	return best.Seconds() / float64(times)
}
