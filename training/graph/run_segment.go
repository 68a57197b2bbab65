package graph

import "github.com/fedlam/fedlam/kernels"

// runSegments does a step that uses an index or pairs, for rows (Gather) or segments from to to.
func (e *Exec[F]) runSegments(s *step, v *view[F], from, to, worker int) {
	out := v.vals[s.outs[0]]
	cols := e.program.values[s.outs[0]].cols
	x, xc := e.arg(s, v, 0)
	if s.pairs >= 0 {
		e.runPairs(s, v, from, to, worker)
		return
	}
	idx := &v.index[s.index]
	switch s.op {
	case opGather:
		x = e.mapped(s.index, v)[s.args[0]]
		kernels.Gather(out[from*cols:], cols, 0, x, cols, 0, idx.to[from:to], cols)
	case opScatter:
		e.runScatter(e.program.indices[s.index].order, out, x, idx, from, to, cols)
	case opSegOuter:
		y, yc := e.arg(s, v, 1)
		kernels.SegOuter(out, x, y, idx.start, from, to, xc, yc)
	case opRowApply:
		y, yc := e.arg(s, v, 1)
		kernels.RowApply(out, x, y, idx.start, from, to, cols, yc, e.scratch[worker].buffer)
	case opRowApplyT:
		y, yc := e.arg(s, v, 1)
		kernels.RowApplyT(out, x, y, idx.start, from, to, yc, cols)
	case opSegSoftmax:
		var phantom []F
		if len(s.args) > 1 {
			phantom = v.vals[s.args[1]]
		}
		sc := e.scratch[worker]
		kernels.SegSoftmax(out, x, phantom, s.c[0], idx.start, from, to, cols, sc.sums)
	}
}

func (e *Exec[F]) runScatter(order mapOrder, out, x []F, idx *indexState, from, to, cols int) {
	switch order {
	case anyOrder:
		kernels.Scatter(out, x, idx.start, idx.rows, from, to, cols)
	case ascending:
		kernels.Scatter(out, x, idx.start, nil, from, to, cols)
	case once:
		switch {
		case idx.proven:
			kernels.SpreadAscending(out, x, idx.to, from, to, cols)
		case from == 0: // rows go anywhere: the first piece does all
			kernels.Spread(out, x, idx.to, cols)
		}
	}
}

func (e *Exec[F]) runPairs(s *step, v *view[F], from, to, worker int) {
	x, _ := e.arg(s, v, 0)
	y, yc := e.arg(s, v, 1)
	out := v.vals[s.outs[0]]
	start := v.index[e.program.centreOf[s.pairs]].start
	off, heads := v.pairOff[s.pairs], s.n[0]
	switch s.op {
	case opPairDot:
		kernels.PairDot(out, x, y, start, off, from, to, heads, yc/heads, e.scratch[worker].buffer)
	case opPairApply:
		kernels.PairApply(out, x, y, start, off, from, to, heads, yc/heads)
	case opPairApplyT:
		kernels.PairApplyT(out, x, y, start, off, from, to, heads, yc/heads)
	}
}

// mapped returns the values that map index leads into: those of the view if it stays inside a centre, or of all centres.
func (e *Exec[F]) mapped(index int, v *view[F]) [][]F {
	if e.program.internal[index] {
		return v.vals
	}
	return e.vals
}
