package graph

import (
	"slices"

	"github.com/fedlam/fedlam/kernels/cuda"
)

// A replay is the work of all steps, captured, for runs that are alike: of the same sizes, pairs included, in the same memory.
// All that is launched follows from these.
type replay struct {
	graph *cuda.Graph
	alike int // runs in a row, the last one included, that the work would have been the same for

	recorded, replayed int // runs, for tests
}

// forget frees the graph.
func (r *replay) forget() error {
	if r.graph == nil {
		return nil
	}
	g := r.graph
	r.graph = nil
	return g.Free()
}

// startSteps starts all steps. The second of runs that are alike captures them; from then on the driver starts them as a whole.
func (e *DeviceExec[F]) startSteps() error {
	a := &e.again
	more := e.program.hasFrozen() && !e.frozen // this run does steps that the next one will not
	if more || e.profile != nil {              // times of steps are not taken of a graph
		a.alike = 0
	}
	a.alike++
	err := e.startAs(a)
	if more || err != nil || e.profile != nil {
		a.alike = 0
	}
	e.frozen = err == nil
	return err
}

func (e *DeviceExec[F]) startAs(a *replay) error {
	if a.alike == 1 {
		if err := a.forget(); err != nil {
			return err
		}
	}
	if a.graph == nil {
		e.recordSteps()
		a.recorded++
		if a.alike == 1 {
			return e.stream.Run(&e.list)
		}
		if err := e.stream.Sync(); err != nil {
			return err
		}
		g, err := e.stream.Capture(&e.list)
		if err != nil {
			return err
		}
		a.graph = g
	}
	a.replayed++
	return e.stream.Replay(a.graph)
}

// recordSteps lists the work of all steps.
func (e *DeviceExec[F]) recordSteps() {
	e.list.Reset()
	for i := 0; i < len(e.program.steps); i++ {
		e.mark(i)
		switch s := &e.program.steps[i]; {
		case s.region != none:
			e.recordRegion(s.region)
			for last := e.program.regions[s.region].last; i < last; i++ {
				e.mark(i + 1) // the first step of a region stands for all in a profile
			}
		case !s.frozen || !e.frozen:
			e.record(s)
		}
	}
	e.mark(len(e.program.steps))
}

// hasFrozen reports whether there are steps that follow from parameters alone and are done once.
func (p *Program) hasFrozen() bool {
	return slices.ContainsFunc(p.steps, func(s step) bool { return s.frozen })
}
