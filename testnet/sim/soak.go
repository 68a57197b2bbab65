package sim

import (
	"runtime"
	"sync"
	"sync/atomic"
)

// Soak plays count scenarios, on as many processors as there are, and hands every outcome to done, one at a time and in any order. It
// ends early when done returns false.
func Soak(count int, scenario func(k int) *Scenario, done func(k int, o *Outcome, err error) bool) {
	var (
		next atomic.Int64
		stop atomic.Bool
		mu   sync.Mutex
		wait sync.WaitGroup
	)
	for range min(count, runtime.GOMAXPROCS(0)) {
		wait.Go(func() {
			for !stop.Load() {
				k := int(next.Add(1)) - 1
				if k >= count {
					return
				}
				o, err := Run(scenario(k))
				mu.Lock()
				if !stop.Load() && !done(k, o, err) {
					stop.Store(true)
				}
				mu.Unlock()
			}
		})
	}
	wait.Wait()
}
