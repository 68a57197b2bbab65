package graph

import "github.com/fedlam/fedlam/kernels/cuda"

// arg returns the rows of argument a of a step that are under way, and its columns.
func (e *DeviceExec[F]) arg(s *step, a int) (cuda.Slice[F], int) {
	return e.rows(s.args[a]), e.program.values[s.args[a]].cols
}

// scratchOf returns how many numbers of scratch a step needs.
func (e *DeviceExec[F]) scratchOf(s *step) (n, n8 int) {
	switch {
	case s.tile != nil:
		t := e.tile(s)
		return 0, t.ScratchLen()
	case s.sumsRows():
		x := &e.program.values[s.args[0]]
		return cuda.MatMulTNScratch(x.cols, e.rowsOf(x), e.program.values[s.outs[0]].cols), 0
	}
	return 0, 0
}

// record adds a step to the list of the device's work, for the rows that are under way.
func (e *DeviceExec[F]) record(s *step) {
	out := &e.program.values[s.outs[0]]
	from, to := e.span(out.rows)
	rows, cols := to-from, out.cols
	switch s.op {
	case opAdd:
		e.recordTile(s)
	case opFull:
		cuda.Fill(&e.list, e.rows(s.outs[0]), F(s.c[0]))
	case opMatMul:
		e.recordMatMul(s, cols)
	case opBatchMatMul:
		x, _ := e.arg(s, 0)
		y, _ := e.arg(s, 1)
		cuda.BatchMatMul(&e.list, e.rows(s.outs[0]), x, y, rows, Transpose(s.n[0]) == T, Transpose(s.n[1]) == T, s.n[2], s.n[3], s.n[4])
	case opConcat, opSlice, opPlace, opPermute:
		e.recordLayout(s, e.rows(s.outs[0]), rows, cols)
	case opTranspose:
		x, n := e.arg(s, 0)
		cuda.Transpose(&e.list, e.rows(s.outs[0]), x, cols, n)
	case opPairDot, opPairApply, opPairApplyT:
		e.recordPairs(s)
	case opGather:
		x, index := e.slice(s.args[0]), e.maps[s.index].to.Cut(from, to)
		cuda.Gather(&e.list, e.rows(s.outs[0]), cols, 0, x, cols, 0, index, cols)
	default:
		e.recordSegments(s, cols)
	}
}

// recordMatMul records a product. One that sums over rows adds up the blocks in their order.
func (e *DeviceExec[F]) recordMatMul(s *step, cols int) {
	x, xc := e.arg(s, 0)
	y, _ := e.arg(s, 1)
	from, to := e.span(e.program.values[s.args[0]].rows)
	switch dst := e.slice(s.outs[0]); {
	case !s.sumsRows():
		cuda.MatMul(&e.list, e.rows(s.outs[0]), x, y, to-from, xc, cols)
	case e.block.begins():
		cuda.MatMulTN(&e.list, dst, x, y, xc, to-from, cols, e.scrap)
	default:
		cuda.AddMatMulTN(&e.list, dst, x, y, xc, to-from, cols, e.scrap)
	}
}

func (e *DeviceExec[F]) recordLayout(s *step, dst cuda.Slice[F], rows, cols int) {
	x, xc := e.arg(s, 0)
	switch s.op {
	case opConcat:
		at := 0
		for a := range s.args {
			x, xc := e.arg(s, a)
			cuda.CopyCols(&e.list, dst, cols, at, x, xc, 0, rows, xc)
			at += xc
		}
	case opSlice:
		cuda.CopyCols(&e.list, dst, cols, 0, x, xc, s.n[0], rows, cols)
	case opPlace:
		at := s.n[0]
		cuda.ClearCols(&e.list, dst, cols, 0, rows, at)
		cuda.CopyCols(&e.list, dst, cols, at, x, xc, 0, rows, xc)
		cuda.ClearCols(&e.list, dst, cols, at+xc, rows, cols-at-xc)
	case opPermute:
		cuda.MapRows(&e.list, e.perms[s.rowMap], dst, x, xc, rows)
	}
}

// recordSegments records what works on the segments of a map. Kernels count segments and rows from the first of the batch.
func (e *DeviceExec[F]) recordSegments(s *step, cols int) {
	p, m := e.program, &e.maps[s.index]
	first, last := e.span(extent{p.mapAxes[s.index][1], p.indices[s.index].to.Mul})
	dst, x, xc := e.slice(s.outs[0]), e.slice(s.args[0]), p.values[s.args[0]].cols
	var y cuda.Slice[F]
	yc := 0
	if len(s.args) > 1 {
		y, yc = e.slice(s.args[1]), p.values[s.args[1]].cols
	}
	switch s.op {
	case opScatter:
		if p.indices[s.index].order == once {
			cuda.Spread(&e.list, dst, x, m.to, cols)
			return
		}
		cuda.Scatter(&e.list, dst, x, m.start, m.rows, first, last, cols) // rows is empty for maps that ascend
	case opSegOuter:
		cuda.SegOuter(&e.list, dst, x, y, m.start, first, last, xc, yc)
	case opRowApply:
		cuda.RowApply(&e.list, dst, x, y, m.start, first, last, cols, yc)
	case opRowApplyT:
		cuda.RowApplyT(&e.list, dst, x, y, m.start, first, last, yc, cols)
	case opSegSoftmax:
		cuda.SegSoftmax(&e.list, dst, x, y, s.c[0], m.start, first, last, cols) // y is what is not there
	}
}

func (e *DeviceExec[F]) recordPairs(s *step) {
	p := e.program
	dst, x, y, yc := e.slice(s.outs[0]), e.slice(s.args[0]), e.slice(s.args[1]), p.values[s.args[1]].cols
	centre := p.centreOf[s.pairs]
	first, last := e.span(extent{p.mapAxes[centre][1], p.indices[centre].to.Mul})
	start, pair, heads := e.maps[centre].start, e.pairs[s.pairs], s.n[0]
	switch d := yc / heads; s.op {
	case opPairDot:
		cuda.PairDot(&e.list, dst, x, y, start, pair, first, last, heads, d)
	case opPairApply:
		cuda.PairApply(&e.list, dst, x, y, start, pair, first, last, heads, d)
	case opPairApplyT:
		cuda.PairApplyT(&e.list, dst, x, y, start, pair, first, last, heads, d)
	}
}
