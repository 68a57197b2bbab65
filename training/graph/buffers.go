package graph

import "github.com/fedlam/fedlam/kernels"

// bufferSizes is how much memory steps need besides values.
type bufferSizes struct{ partial, partial8, regs, buffer, narrow, sums, local int }

// addBuffers makes the sizes large enough for a step that works on so many rows at once.
func (e *Exec[F]) addBuffers(n *bufferSizes, s *step, rows int) {
	p := e.program
	switch {
	case s.op == opBatchMatMul:
		n.buffer = max(n.buffer, s.n[3]*s.n[4])
	case s.op == opRowApply:
		n.buffer = max(n.buffer, p.values[s.args[0]].cols)
	case s.op == opSegSoftmax:
		n.sums = max(n.sums, rows*p.values[s.outs[0]].cols)
	case s.tile != nil:
		high := e.tileHeight(s.tile, rows)
		n.regs = max(n.regs, s.tile.registers())
		n.buffer = max(n.buffer, e.buffers[s.tile.number]*high*s.tile.cols)
		if e.buffers[s.tile.number] > 0 {
			n.narrow = max(n.narrow, high)
		}
	}
}

// growScratch makes room for the sums over pieces of all steps and for what every worker needs, so that no step has to.
func (e *Exec[F]) growScratch() {
	var n bufferSizes
	for i := range e.program.steps {
		s, w := &e.program.steps[i], &e.work[i]
		if s.region != none {
			continue
		}
		rows := w.rows
		if s.op == opSegSoftmax {
			rows = w.grain
		}
		e.addBuffers(&n, s, rows)
		switch {
		case s.sumsRows() && !w.across:
			n.partial = max(n.partial, len(e.vals[s.outs[0]])*w.pieces)
		case s.tile != nil:
			n.partial8 = max(n.partial8, s.tile.sums*max(w.pieces, 1))
		}
	}
	e.growRegions(&n)
	e.partial, e.partial8 = growLarge(e.partial, n.partial), grow(e.partial8, n.partial8)
	for _, sc := range e.scratch {
		sc.regs, sc.buffer, sc.sums = grow(sc.regs, n.regs), grow(sc.buffer, n.buffer), grow(sc.sums, n.sums)
		sc.narrow, sc.local = grow(sc.narrow, n.narrow), growLarge(sc.local, n.local)
	}
}

// growPairs makes room for the pairs of the longest segment, which may differ between batches of the same sizes.
func (e *Exec[F]) growPairs() {
	for i, most := range e.program.pairHeads {
		need := kernels.PairDotScratch(e.pairMost[i], most[0], most[1])
		for _, sc := range e.scratch {
			if len(sc.buffer) < need {
				sc.buffer = grow(sc.buffer, need)
			}
		}
	}
}

// growLarge is grow for memory of a size worth asking for large pages.
func growLarge[F kernels.Float](s []F, n int) []F {
	if cap(s) >= n {
		return s[:n]
	}
	return kernels.Alloc[F](n + n/4)[:n]
}
