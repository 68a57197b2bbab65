package dpa2

import (
	"errors"
	"fmt"

	"github.com/fedlam/fedlam/training/graph"
)

// An Evaluator compiles its model in two ways. The quick program is as fast as can be; it keeps for all atoms, at once,
// what takes long to compute. From largeAtoms on that is too much memory, and the large program computes
// more of it again, a few atoms at a time: less than half of the memory for a twelfth (small) to a fifth (medium) more time. On a GPU
// the large program serves what does not fit its memory otherwise, in as few blocks of atoms as do.
const (
	largeAtoms     = 2048
	quickRecompute = 20 // graph.Options.Recompute
	largeRecompute = 200
)

// variant is one of the programs of an Evaluator.
type variant struct {
	run   runner // nil until it is needed
	stale bool   // weights have changed since they were copied
}

// prepare chooses the program for a number of atoms, as e.run, and gives it the weights.
func (e *Evaluator) prepare(atoms int) error {
	v, o := &e.quick, graph.Options{Recompute: quickRecompute, Frozen: true, Whole: e.onDevice}
	if atoms >= e.largeAtoms {
		v, o = &e.large, graph.Options{Recompute: largeRecompute, Deep: true, Frozen: true}
	}
	if v.run == nil {
		run, err := e.compile(o)
		if err != nil {
			return fmt.Errorf("compile model: %w", err)
		}
		v.run, v.stale = run, true
	}
	e.run = v.run
	e.run.Limit(e.available)
	e.run.Watch(e.watch)
	if v.stale {
		if err := v.run.load(e.model); err != nil {
			return err
		}
		v.stale = false
	}
	return nil
}

// tooLarge says whether a batch does not fit the memory of a GPU that has not been cut into blocks of atoms; from so many atoms on that is
// done from now on. The quick program gives its memory back.
func (e *Evaluator) tooLarge(err error, atoms int) bool {
	short := (*graph.MemoryError)(nil)
	if !e.onDevice || !errors.As(err, &short) || e.run != e.quick.run {
		return false
	}
	e.largeAtoms = atoms
	_ = e.quick.run.Close() // what is wrong with the device shows in the next run
	e.quick.run = nil
	return true
}
