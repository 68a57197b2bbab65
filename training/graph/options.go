package graph

import "fmt"

// defaultRecompute is where a training step of the official small model takes a third of the memory in the same time.
const defaultRecompute = 120

// Options choose between programs that compute the same.
type Options struct {
	// Recompute is how many operations a number may take, at most, for later regions to compute it again rather than to
	// read it from memory that holds the numbers of all centres. More save memory and cost time. 0 means 120.
	Recompute int
	// Deep computes scores and softmax of pairs again too, and keeps what values are computed from in place of the values
	// where that is less than half as much. It halves what attention keeps, and costs more time than it is worth otherwise.
	Deep bool
	// Frozen computes what follows from parameters alone once and keeps it, as for predictions: parameters stay as they are
	// from one run to the next, but for those before which Exec.Thaw is called.
	Frozen bool
	// Whole does every step for all rows at once, as a DeviceExec does: nothing is computed again to save memory.
	Whole bool
}

// validate fills in defaults and refuses nonsense.
func (o *Options) validate() error {
	if o.Recompute == 0 {
		o.Recompute = defaultRecompute
	}
	if o.Recompute < 0 {
		return fmt.Errorf("recompute is %d; give a number of operations of at least 1, or 0 for %d", o.Recompute, defaultRecompute)
	}
	return nil
}
