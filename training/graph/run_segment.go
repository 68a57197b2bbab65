package graph

import "github.com/fedlam/fedlam/kernels"

// runSegments does a step that uses an index or pairs, for rows (Gather) or segments from to to.
func (e *Exec[F]) runSegments(s *step, from, to, worker int) {
	out := e.vals[s.outs[0]]
	cols := e.program.values[s.outs[0]].cols
	x, xc := e.arg(s, 0)
	if s.pairs >= 0 {
		e.runPairs(s, from, to, worker)
		return
	}
	idx := &e.index[s.index]
	switch s.op {
	case opGather:
		kernels.Gather(out[from*cols:], cols, 0, x, cols, 0, idx.to[from:to], cols)
	case opScatter:
		list := idx.rows
		if e.program.indices[s.index].sorted {
			list = nil
		}
		kernels.Scatter(out, x, idx.start, list, from, to, cols)
	case opSegOuter:
		y, yc := e.arg(s, 1)
		kernels.SegOuter(out, x, y, idx.start, from, to, xc, yc)
	case opRowApply:
		y, yc := e.arg(s, 1)
		kernels.RowApply(out, x, y, idx.start, from, to, cols, yc, e.scratch[worker].buffer)
	case opRowApplyT:
		y, yc := e.arg(s, 1)
		kernels.RowApplyT(out, x, y, idx.start, from, to, yc, cols)
	case opSegSoftmax:
		var phantom []F
		if len(s.args) > 1 {
			phantom = e.vals[s.args[1]]
		}
		sc := e.scratch[worker]
		kernels.SegSoftmax(out, x, phantom, s.c[0], idx.start, from, to, cols, sc.sums)
	}
}

func (e *Exec[F]) runPairs(s *step, from, to, worker int) {
	x, _ := e.arg(s, 0)
	y, yc := e.arg(s, 1)
	out := e.vals[s.outs[0]]
	start := e.index[e.indexOf(e.program.pairs[s.pairs].centre)].start
	off, heads := e.pairOff[s.pairs], s.n[0]
	switch s.op {
	case opPairDot:
		kernels.PairDot(out, x, y, start, off, from, to, heads, yc/heads, e.scratch[worker].buffer)
	case opPairApply:
		kernels.PairApply(out, x, y, start, off, from, to, heads, yc/heads)
	case opPairApplyT:
		kernels.PairApplyT(out, x, y, start, off, from, to, heads, yc/heads)
	}
}
