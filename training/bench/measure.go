package bench

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"time"

	"github.com/fedlam/fedlam/kernels/cuda"
	"github.com/fedlam/fedlam/training/dpa2"
)

// Options say how to measure.
type Options struct {
	Precision dpa2.Precision // default float32
	Threads   int            // default, and 0: one for each processor that Go may use
	Device    *cuda.Device   // measure there; nil for the processor
	Runs      int            // timed runs; default 10
	Profile   bool           // measure each node too, in as many runs again
}

// DefaultRuns is how many runs are timed if nothing else is asked for.
const DefaultRuns = 10

// warmUp is how many runs go before those that are timed: the first lays out memory, the second touches it again.
const warmUp = 2

// validate fills in defaults and refuses nonsense.
func (o *Options) validate() error {
	if o.Precision == "" {
		o.Precision = dpa2.Float32
	}
	if o.Threads == 0 {
		o.Threads = runtime.GOMAXPROCS(0)
	}
	if o.Runs == 0 {
		o.Runs = DefaultRuns
	}
	switch {
	case o.Precision != dpa2.Float32 && o.Precision != dpa2.Float64:
		return fmt.Errorf("precision is %q; want %q or %q", o.Precision, dpa2.Float32, dpa2.Float64)
	case o.Threads < 0:
		return fmt.Errorf("threads is %d; give a number of at least 1, or 0 for all cores", o.Threads)
	case o.Runs < 0:
		return fmt.Errorf("runs is %d; give a number of at least 1", o.Runs)
	}
	return nil
}

// Times are the statistics of a number of runs.
type Times struct {
	Runs   int     `json:"runs"`
	Median float64 `json:"median_s"`
	Min    float64 `json:"min_s"`
	Max    float64 `json:"max_s"`
}

// statistics returns the statistics of durations in seconds, at least one. The median of an even number is the mean of the
// two in the middle.
func statistics(seconds []float64) Times {
	s := slices.Sorted(slices.Values(seconds))
	n := len(s)
	return Times{Runs: n, Median: (s[(n-1)/2] + s[n/2]) / 2, Min: s[0], Max: s[n-1]}
}

// Allocations are what the runs took from the heap, per run.
type Allocations struct {
	Count float64 `json:"count"`
	Bytes float64 `json:"bytes"`
}

// measure warms up, times runs of f, and counts its allocations.
func measure(ctx context.Context, runs int, f func() error) (Times, Allocations, error) {
	seconds := make([]float64, 0, runs)
	for range warmUp {
		if err := once(ctx, f); err != nil {
			return Times{}, Allocations{}, err
		}
	}
	runtime.GC()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for range runs {
		start := time.Now()
		if err := once(ctx, f); err != nil {
			return Times{}, Allocations{}, err
		}
		seconds = append(seconds, time.Since(start).Seconds())
	}
	runtime.ReadMemStats(&after)
	n := float64(runs)
	return statistics(seconds), Allocations{
		Count: float64(after.Mallocs-before.Mallocs) / n,
		Bytes: float64(after.TotalAlloc-before.TotalAlloc) / n,
	}, nil
}

func once(ctx context.Context, f func() error) error {
	if ctx.Err() != nil {
		return fmt.Errorf("interrupted; nothing was measured")
	}
	return f()
}
