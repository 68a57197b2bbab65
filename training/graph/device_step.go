package graph

import "github.com/fedlam/fedlam/kernels/cuda"

// slice returns where a value is.
func (e *DeviceExec[F]) slice(id int) cuda.Slice[F] {
	v := &e.program.values[id]
	return e.at[v.root].Cut(0, e.rowsOf(v)*v.cols)
}

// arg returns where argument a of a step is, and its columns.
func (e *DeviceExec[F]) arg(s *step, a int) (cuda.Slice[F], int) {
	return e.slice(s.args[a]), e.program.values[s.args[a]].cols
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

// record adds a step to the list of the device's work.
func (e *DeviceExec[F]) record(s *step) {
	out := &e.program.values[s.outs[0]]
	dst, rows, cols := e.at[s.outs[0]], e.rowsOf(out), out.cols
	switch s.op {
	case opAdd:
		e.recordTile(s)
	case opFull:
		cuda.Fill(&e.list, dst, F(s.c[0]))
	case opMatMul:
		e.recordMatMul(s, dst, rows, cols)
	case opBatchMatMul:
		x, _ := e.arg(s, 0)
		y, _ := e.arg(s, 1)
		cuda.BatchMatMul(&e.list, dst, x, y, rows, Transpose(s.n[0]) == T, Transpose(s.n[1]) == T, s.n[2], s.n[3], s.n[4])
	case opConcat, opSlice, opPlace, opPermute:
		e.recordLayout(s, dst, rows, cols)
	case opTranspose:
		x, n := e.arg(s, 0)
		cuda.Transpose(&e.list, dst, x, cols, n)
	case opPairDot, opPairApply, opPairApplyT:
		e.recordPairs(s, dst)
	default:
		e.recordSegments(s, dst, cols)
	}
}

func (e *DeviceExec[F]) recordMatMul(s *step, dst cuda.Slice[F], rows, cols int) {
	x, xc := e.arg(s, 0)
	y, _ := e.arg(s, 1)
	if s.sumsRows() {
		cuda.MatMulTN(&e.list, dst, x, y, xc, e.rowsOf(&e.program.values[s.args[0]]), cols, e.scrap)
		return
	}
	cuda.MatMul(&e.list, dst, x, y, rows, xc, cols)
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

func (e *DeviceExec[F]) recordSegments(s *step, dst cuda.Slice[F], cols int) {
	x, xc := e.arg(s, 0)
	m := &e.maps[s.index]
	segments := e.dim(e.program.indices[s.index].to)
	switch s.op {
	case opGather:
		cuda.Gather(&e.list, dst, cols, 0, x, cols, 0, m.to, cols)
	case opScatter:
		switch e.program.indices[s.index].order {
		case once:
			cuda.Spread(&e.list, dst, x, m.to, cols)
		default: // rows is empty for maps that ascend
			cuda.Scatter(&e.list, dst, x, m.start, m.rows, 0, segments, cols)
		}
	case opSegOuter:
		y, yc := e.arg(s, 1)
		cuda.SegOuter(&e.list, dst, x, y, m.start, 0, segments, xc, yc)
	case opRowApply:
		y, yc := e.arg(s, 1)
		cuda.RowApply(&e.list, dst, x, y, m.start, 0, segments, cols, yc)
	case opRowApplyT:
		y, yc := e.arg(s, 1)
		cuda.RowApplyT(&e.list, dst, x, y, m.start, 0, segments, yc, cols)
	case opSegSoftmax:
		var phantom cuda.Slice[F]
		if len(s.args) > 1 {
			phantom, _ = e.arg(s, 1)
		}
		cuda.SegSoftmax(&e.list, dst, x, phantom, s.c[0], m.start, 0, segments, cols)
	}
}

func (e *DeviceExec[F]) recordPairs(s *step, dst cuda.Slice[F]) {
	x, _ := e.arg(s, 0)
	y, yc := e.arg(s, 1)
	start, first, heads := e.maps[e.program.centreOf[s.pairs]].start, e.pairs[s.pairs], s.n[0]
	centres, d := e.extentOfPairs(s), yc/heads
	switch s.op {
	case opPairDot:
		cuda.PairDot(&e.list, dst, x, y, start, first, 0, centres, heads, d)
	case opPairApply:
		cuda.PairApply(&e.list, dst, x, y, start, first, 0, centres, heads, d)
	case opPairApplyT:
		cuda.PairApplyT(&e.list, dst, x, y, start, first, 0, centres, heads, d)
	}
}
