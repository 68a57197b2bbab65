package graph

import "slices"

// layOut plans the arena for the sizes of the batch, and cuts all steps into pieces.
func (e *Exec[F]) layOut() error {
	prog := e.program
	e.plan.reset(len(prog.values))
	for i := 0; i < len(prog.steps); i++ {
		last := i
		if r := prog.steps[i].region; r != none {
			last = prog.regions[r].last
		}
		for k := i; k <= last; k++ {
			e.reserve(&prog.steps[k], none, func(v *value) int { return e.rowsOf(v) * v.cols })
			e.work[k] = e.cut(k)
		}
		for k := i; k <= last; k++ {
			e.release(&prog.steps[k], none, i, last)
		}
		i = last
	}
	if err := e.checkMemory(e.plan.end); err != nil {
		return err
	}
	e.arena = growLarge(e.arena, e.plan.end)
	for i := range prog.values {
		v := &prog.values[i]
		if v.where == inArena && v.local == none {
			n := e.rowsOf(v) * v.cols
			e.vals[i] = e.arena[e.plan.at[i]:][:n:n]
		}
	}
	e.layOutRegions()
	e.growScratch()
	return nil
}

// reserve takes memory for what a step computes and only the given region knows.
func (e *Exec[F]) reserve(s *step, region int, size func(v *value) int) {
	prog := e.program
	for _, r := range s.reuse {
		if prog.values[s.outs[r.out]].local == region {
			e.plan.pass(prog.values[s.args[r.arg]].root, s.outs[r.out])
		}
	}
	for o, out := range s.outs {
		v := &prog.values[out]
		if v.where == inArena && v.local == region && !slices.ContainsFunc(s.reuse, func(r reuse) bool { return r.out == o }) {
			e.plan.take(out, size(v))
		}
	}
}

// release returns the memory of what a step reads or computes, if nothing after the steps first to last reads it.
func (e *Exec[F]) release(s *step, region, first, last int) {
	for _, a := range s.args {
		root := e.program.values[a].root
		if v := &e.program.values[root]; v.where == inArena && v.local == region && first <= v.last && v.last <= last {
			e.plan.give(root)
		}
	}
	for _, out := range s.outs {
		v := &e.program.values[out]
		if v.where == inArena && v.local == region && v.last < first { // read by nothing; kept only by a joint step
			e.plan.give(out)
		}
	}
}
