package graph

import "github.com/fedlam/fedlam/kernels"

// Costs are counted in simple operations on one number; a piece of work should have about this many, so that handing
// it to another core is worth while.
const pieceCost = 1 << 16

// matMulSpeed is how many multiplications of a matrix product count as one simple operation.
const matMulSpeed = 4

// minSumRows is the least number of rows that one partial sum of a product over rows covers.
const minSumRows = 256

// cut decides, from sizes alone, into which pieces step i is cut.
func (e *Exec[F]) cut(i int) work {
	s := &e.program.steps[i]
	out := &e.program.values[s.outs[0]]
	rows, cols := e.rowsOf(out), out.cols
	least := 1
	cost := rows * cols // of all rows
	switch s.op {
	case opTranspose:
		least = rows
	case opAdd:
		rows, least = e.extent(s.tile.rows), tileRows(s.tile.cols)
		cost = rows * s.tile.cols * s.tile.weight
	case opMatMul:
		x := &e.program.values[s.args[0]]
		if Transpose(s.n[0]) == T {
			cost, rows, least = e.rowsOf(x)*x.cols*cols/matMulSpeed, e.rowsOf(x), minSumRows
		} else {
			cost, least = cost*x.cols/matMulSpeed, 48
		}
	case opBatchMatMul:
		cost *= 1 + s.n[3]/2
	case opSegOuter, opRowApply, opRowApplyT, opScatter, opSegSoftmax:
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
	segments, _ = e.dim(e.program.indices[s.index].to)
	switch s.op {
	case opSegOuter:
		return segments, e.rowsOf(x) * x.cols * y.cols / matMulSpeed
	case opRowApply, opRowApplyT:
		return segments, e.rowsOf(x) * y.cols / matMulSpeed
	case opSegSoftmax:
		return segments, 20 * cost
	}
	return segments, e.rowsOf(y) * y.cols
}

func (e *Exec[F]) extentOfPairs(s *step) int {
	centres, _ := e.dim(e.program.pairs[s.pairs].centre.to)
	return centres
}

// cutRows cuts rows that cost so much together into pieces of a multiple of least rows.
func cutRows(rows, cost, least int) work {
	if rows == 0 {
		return work{}
	}
	pieces := min(max(1, cost/pieceCost), maxPieces)
	grain := (rows + pieces - 1) / pieces
	grain = max((grain+least-1)/least*least, least)
	return work{rows, grain, (rows + grain - 1) / grain}
}

// chunk does one piece of step i.
func (e *Exec[F]) chunk(i, piece, worker int) {
	s := &e.program.steps[i]
	w := &e.work[i]
	from, to := w.bounds(piece)
	out := e.vals[s.outs[0]]
	cols := e.program.values[s.outs[0]].cols
	switch s.op {
	case opAdd:
		e.runTiles(s, piece, from, to, worker)
	case opFull:
		kernels.Fill(out[from*cols:to*cols], F(s.c[0]))
	case opMatMul:
		e.runMatMul(s, w, piece, from, to)
	case opBatchMatMul:
		e.runBatchMatMul(s, from, to, worker)
	case opConcat, opSlice, opPlace, opPermute:
		e.runLayout(s, from, to)
	case opTranspose:
		x, n := e.arg(s, 0)
		kernels.Transpose(out, x, cols, n)
	default:
		e.runSegments(s, from, to, worker)
	}
}

// arg returns the numbers and the columns of argument a of a step.
func (e *Exec[F]) arg(s *step, a int) ([]F, int) {
	return e.vals[s.args[a]], e.program.values[s.args[a]].cols
}

// finish combines what the pieces of step i have computed.
func (e *Exec[F]) finish(i int) {
	s := &e.program.steps[i]
	w := &e.work[i]
	out := e.vals[s.outs[0]]
	switch {
	case s.tile != nil && s.tile.sums > 0:
		n := s.tile.sums
		sums := e.partial8[:n]
		if w.pieces == 0 {
			clear(sums)
		}
		for p := 1; p < w.pieces; p++ {
			kernels.Add(sums, sums, e.partial8[p*n:(p+1)*n])
		}
		for o, st := range s.tile.stores {
			if st.kind == storeSumRows {
				kernels.Convert(e.vals[s.outs[o]], sums[st.sum:])
			}
		}
	case s.op == opMatMul && Transpose(s.n[0]) == T:
		n := len(out)
		switch w.pieces {
		case 0:
			clear(out)
		case 1:
		default:
			kernels.Add(out, e.partial[:n], e.partial[n:2*n])
			for p := 2; p < w.pieces; p++ {
				kernels.Add(out, out, e.partial[p*n:(p+1)*n])
			}
		}
	}
}

// growScratch makes room for the sums over pieces of all steps and for what every worker needs, so that no step has to.
func (e *Exec[F]) growScratch() {
	var partial, partial8, regs, buffer, narrow, sums int
	for i := range e.program.steps {
		s := &e.program.steps[i]
		cols := e.program.values[s.outs[0]].cols
		n := len(e.vals[s.outs[0]]) * e.work[i].pieces
		switch {
		case s.op == opMatMul && Transpose(s.n[0]) == T:
			partial = max(partial, n)
		case s.op == opBatchMatMul:
			buffer = max(buffer, s.n[3]*s.n[4])
		case s.op == opRowApply:
			buffer = max(buffer, e.program.values[s.args[0]].cols)
		case s.op == opSegSoftmax:
			sums = max(sums, e.work[i].grain*cols)
		case s.tile != nil:
			high := min(tileRows(s.tile.cols), e.work[i].rows)
			regs = max(regs, s.tile.registers())
			buffer = max(buffer, s.tile.buffers()*high*s.tile.cols)
			narrow = max(narrow, high)
			partial8 = max(partial8, s.tile.sums*max(e.work[i].pieces, 1))
		}
	}
	e.partial, e.partial8 = grow(e.partial, partial), grow(e.partial8, partial8)
	for _, sc := range e.scratch {
		sc.regs, sc.buffer, sc.sums = grow(sc.regs, regs), grow(sc.buffer, buffer), grow(sc.sums, sums)
		sc.narrow = grow(sc.narrow, narrow)
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
