package graph

import "fmt"

// A MemoryError is returned by Run where the intermediate values of a batch need more memory than there is.
type MemoryError struct {
	Need, Available int64 // bytes
}

func (e *MemoryError) Error() string {
	return fmt.Sprintf("intermediate values need %.3g GB of memory, of which %.3g GB are available; use a smaller batch", float64(e.Need)/1e9, float64(e.Available)/1e9)
}

// Limit has each Run that needs more memory than the ones before ask how many bytes are available, and fail with a *MemoryError
// before it takes what is not there. nil, as at first, asks nobody.
func (e *Exec[F]) Limit(available func() int64) { e.available = available }

// checkMemory fails if the arena must become longer than the memory available. What it has now is not counted: it may be in
// use until the new one is there.
func (e *Exec[F]) checkMemory(elements int) error {
	if e.available == nil || elements <= cap(e.arena) {
		return nil
	}
	if need, have := int64(elements)*sizeOf[F](), e.available(); need > have {
		return &MemoryError{Need: need, Available: have}
	}
	return nil
}

// Watch has each Run call watch between its steps, from its own goroutine, with the part of the work that is done, from 0 to 1,
// in terms of floating-point operations. nil, as at first, is not called.
func (e *Exec[F]) Watch(watch func(done float64)) { e.watch = watch }

// progress tells who watches that the steps first to last are done, and returns the sum of their operations and those before.
func (e *Exec[F]) progress(before, total int64, first, last int) int64 {
	for i := first; i <= last; i++ {
		before += e.stepFLOP(&e.program.steps[i])
	}
	e.watch(float64(before) / float64(max(total, 1)))
	return before
}

// totalFLOP returns the floating-point operations of all steps, those that compute something again included.
func (e *Exec[F]) totalFLOP() (total int64) {
	for i := range e.program.steps {
		total += e.stepFLOP(&e.program.steps[i])
	}
	return total
}
