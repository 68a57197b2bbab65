package graph

import "github.com/fedlam/fedlam/kernels"

// Costs are counted in simple operations on one number; a piece of work should have about this many, so that handing
// it to another core is worth while.
const pieceCost = 1 << 15

// matMulSpeed is how many multiplications of a matrix product count as one simple operation.
const matMulSpeed = 4

// scatterSteps is how many simple operations adding up a number from a listed row costs.
const scatterSteps = 4

// transposeSteps is how many simple operations moving a number to another row costs.
const transposeSteps = 8

// minSumRows is the least number of rows that one partial sum of a product over rows covers.
const minSumRows = 256

// maxAcross is the number of rows up to which a product that sums over them is cut by rows of its result instead.
const maxAcross = 4 * minSumRows

// cut decides, from sizes alone, into which pieces step i is cut.
func (e *Exec[F]) cut(i int) work {
	s := &e.program.steps[i]
	out := &e.program.values[s.outs[0]]
	rows, cols := e.rowsOf(out), out.cols
	least := 1
	cost := rows * cols // of all rows
	switch s.op {
	case opTranspose:
		cost *= transposeSteps
	case opAdd:
		rows, least = e.extent(s.tile.rows), tileRows(s.tile.cols)
		cost = rows * s.tile.cols * s.tile.weight
	case opMatMul:
		x := &e.program.values[s.args[0]]
		if s.sumsRows() && e.rowsOf(x) <= maxAcross {
			w := cutRows(x.cols, e.rowsOf(x)*x.cols*cols/matMulSpeed, 48)
			w.across = true
			return w
		}
		if s.sumsRows() {
			cost, rows, least = e.rowsOf(x)*x.cols*cols/matMulSpeed, e.rowsOf(x), minSumRows
		} else {
			cost, least = cost*x.cols/matMulSpeed, 48
		}
	case opBatchMatMul:
		cost *= 1 + s.n[3]/2
	case opSegOuter, opRowApply, opRowApplyT, opScatter, opSegSoftmax:
		if s.op == opScatter && e.program.indices[s.index].order == once {
			return e.cutSpread(s)
		}
		rows, cost = e.cutSegments(s, cost)
	case opPairDot, opPairApply, opPairApplyT:
		rows = e.extentOfPairs(s)
		b := &e.program.values[s.args[1]]
		cost = e.sizes[len(e.program.axes)+s.pairs] * b.cols
	}
	return cutRows(rows, cost, least)
}

// cutSegments returns the number of segments and the cost of a step that works segment by segment.
func (e *Exec[F]) cutSegments(s *step, cost int) (segments, total int) {
	x := &e.program.values[s.args[len(s.args)-1]]
	y := &e.program.values[s.args[0]]
	segments = e.dim(e.program.indices[s.index].to)
	switch s.op {
	case opSegOuter:
		return segments, e.rowsOf(x) * x.cols * y.cols / matMulSpeed
	case opRowApply, opRowApplyT:
		return segments, e.rowsOf(x) * y.cols / matMulSpeed
	case opSegSoftmax:
		return segments, 20 * cost
	}
	return segments, scatterSteps * e.rowsOf(y) * y.cols
}

// cutSpread cuts a scatter whose rows lead to different ones, by the rows that are scattered.
func (e *Exec[F]) cutSpread(s *step) work {
	x := &e.program.values[s.args[0]]
	rows := e.rowsOf(x)
	if rows == 0 {
		return work{pieces: 1} // the result is still to be set to 0
	}
	return cutRows(rows, scatterSteps*rows*x.cols, 1)
}

func (e *Exec[F]) extentOfPairs(s *step) int {
	return e.dim(e.program.pairs[s.pairs].centre.to)
}

// cutRows cuts rows that cost so much together into pieces of a multiple of least rows.
func cutRows(rows, cost, least int) work {
	if rows == 0 {
		return work{}
	}
	pieces := min(max(1, cost/pieceCost), maxPieces)
	grain := (rows + pieces - 1) / pieces
	grain = max((grain+least-1)/least*least, least)
	return work{rows: rows, grain: grain, pieces: (rows + grain - 1) / grain}
}

// chunk does one piece of step i, all centres in view.
func (e *Exec[F]) chunk(i, piece, worker int) {
	s := &e.program.steps[i]
	w := &e.work[i]
	from, to := w.bounds(piece)
	if w.across {
		e.runAcross(s, from, to)
		return
	}
	var sums []float64
	if s.tile != nil {
		n := s.tile.sums
		sums = e.partial8[piece*n : (piece+1)*n]
		clear(sums)
	}
	sum := e.vals[s.outs[0]]
	if s.sumsRows() && w.pieces > 1 {
		n := len(sum)
		sum = e.partial[piece*n : (piece+1)*n]
	}
	e.do(s, &e.view, from, to, sum, false, sums, worker)
}

// sumsRows reports whether a step is a product that sums over rows.
func (s *step) sumsRows() bool { return s.op == opMatMul && Transpose(s.n[0]) == T }

// do computes rows from to to of what v shows of a step. Products that sum over rows go to sum, or are added to it; sums
// of tiles are added to sums.
func (e *Exec[F]) do(s *step, v *view[F], from, to int, sum []F, add bool, sums []float64, worker int) {
	out := v.vals[s.outs[0]]
	cols := e.program.values[s.outs[0]].cols
	switch s.op {
	case opAdd:
		e.runTiles(s, v, from, to, sums, worker)
	case opFull:
		kernels.Fill(out[from*cols:to*cols], F(s.c[0]))
	case opMatMul:
		e.runMatMul(s, v, from, to, sum, add)
	case opBatchMatMul:
		e.runBatchMatMul(s, v, from, to, worker)
	case opConcat, opSlice, opPlace, opPermute:
		e.runLayout(s, v, from, to)
	case opTranspose:
		x, n := e.arg(s, v, 0)
		kernels.TransposeRows(out, x, cols, n, from, to)
	default:
		e.runSegments(s, v, from, to, worker)
	}
}

// arg returns the numbers and the columns of argument a of a step.
func (e *Exec[F]) arg(s *step, v *view[F], a int) ([]F, int) {
	return v.vals[s.args[a]], e.program.values[s.args[a]].cols
}

// finish combines what the pieces of step i have computed.
func (e *Exec[F]) finish(i int) {
	s := &e.program.steps[i]
	pieces := e.work[i].pieces
	if s.sumsRows() && (pieces == 1 || e.work[i].across) {
		return // it went where it belongs
	}
	e.combine(s, pieces, e.partial, e.partial8)
}

// combine adds up, in their order, what pieces have summed over rows.
func (e *Exec[F]) combine(s *step, pieces int, partial []F, partial8 []float64) {
	switch {
	case s.tile != nil && s.tile.sums > 0:
		n := s.tile.sums
		sums := partial8[:n]
		if pieces == 0 {
			clear(sums)
		}
		for p := 1; p < pieces; p++ {
			kernels.Add(sums, sums, partial8[p*n:(p+1)*n])
		}
		for o, st := range s.tile.stores {
			if st.kind == storeSumRows {
				kernels.Convert(e.vals[s.outs[o]], sums[st.sum:])
			}
		}
	case s.sumsRows():
		out := e.vals[s.outs[0]]
		n := len(out)
		clear(out)
		for p := range pieces {
			kernels.Add(out, out, partial[p*n:(p+1)*n])
		}
	}
}
