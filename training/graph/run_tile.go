package graph

import "github.com/fedlam/fedlam/kernels"

// tileElements is how many numbers a register of a tileProgram holds, unless a single row has more.
const tileElements = 1024

// tileRows returns the number of rows of a tile.
func tileRows(cols int) int { return max(1, tileElements/max(cols, 1)) }

// bufferBytes is the memory that registers of compiled formulas may have together, as far as they need some: the size of a
// first-level cache.
const bufferBytes = 32 << 10

// tileHeight returns how many of so many rows are done at a time. Where all registers are those of the processor, there is
// no reason to stop.
func (e *Exec[F]) tileHeight(p *tileProgram, rows int) int {
	buffers := e.buffers[p.number]
	if buffers == 0 {
		return rows
	}
	high := tileRows(p.cols)
	if e.fused[p.number].Compiled() {
		high = max(high, bufferBytes/int(sizeOf[F]())/buffers/max(p.cols, 1))
	}
	return min(rows, high)
}

// fuse makes the formulas ready and counts the registers of each that are not memory of values.
func (e *Exec[F]) fuse() {
	e.fused = kernels.Fuse[F](e.program.formulas)
	e.buffers = make([]int, len(e.fused))
	for i := range e.program.steps {
		p := e.program.steps[i].tile
		if p == nil {
			continue
		}
		for r := range p.registers() {
			isLoad := r < len(p.loads)
			if isLoad && !p.loads[r].direct || r >= len(p.loads)+p.whole && e.fused[p.number].InMemory(r) {
				e.buffers[p.number]++
			}
		}
	}
}

// runTiles runs a tileProgram on rows from to to; sums over rows are added to sums.
func (e *Exec[F]) runTiles(s *step, v *view[F], from, to int, sums []float64, worker int) {
	p := s.tile
	if p.cols == 0 { // sums of nothing
		for o, st := range p.stores {
			if st.kind == storeSumCols {
				clear(v.vals[s.outs[o]][from:to])
			}
		}
		return
	}
	fused := e.fused[p.number]
	high := e.tileHeight(p, to-from)
	sc := e.scratch[worker]
	e.prepareTile(s, v, sc, high)
	for r := from; r < to; r += high {
		n := min(high, to-r)
		for l := range p.loads {
			e.fillLoad(s, v, sc, l, r, n)
		}
		for o := range p.whole {
			sc.regs[len(p.loads)+o] = v.vals[s.outs[o]][r*p.cols : (r+n)*p.cols]
		}
		fused.Eval(sc.regs, n*p.cols)
		for o := p.whole; o < len(p.stores); o++ {
			st := &p.stores[o]
			x := sc.regs[st.reg][:n*p.cols]
			if st.kind == storeSumCols {
				kernels.SumEachRow(v.vals[s.outs[o]][r:r+n], x, p.cols)
			} else {
				kernels.AddRows(sums[st.sum:][:p.cols], x)
			}
		}
	}
}

// prepareTile gives memory to the registers that are not memory of values, and fills in what all tiles share.
func (e *Exec[F]) prepareTile(s *step, v *view[F], sc *scratch[F], rows int) {
	p := s.tile
	size := rows * p.cols
	at := 0
	next := func() []F {
		at += size
		return sc.buffer[at-size : at : at]
	}
	for l := range p.loads {
		ld := &p.loads[l]
		if ld.direct {
			continue
		}
		sc.regs[l] = next()
		x := v.vals[s.args[ld.parts[0].arg]]
		switch {
		case ld.mode == loadRow:
			kernels.RepeatRow(sc.regs[l], x)
		case ld.mode == loadScalar:
			kernels.Fill(sc.regs[l], x[0])
		case ld.gaps:
			clear(sc.regs[l])
		}
	}
	for t := len(p.loads) + p.whole; t < p.registers(); t++ {
		if e.fused[p.number].InMemory(t) {
			sc.regs[t] = next()
		}
	}
}

// fillLoad brings n rows from row r on into the register of load l.
func (e *Exec[F]) fillLoad(s *step, v *view[F], sc *scratch[F], l, r, n int) {
	p := s.tile
	ld := &p.loads[l]
	if ld.mode == loadRow || ld.mode == loadScalar {
		return
	}
	if ld.direct {
		x := v.vals[s.args[ld.parts[0].arg]]
		sc.regs[l] = x[r*p.cols : (r+n)*p.cols]
		return
	}
	if ld.rowMap != nil {
		x, xc := e.arg(s, v, ld.parts[0].arg)
		kernels.MapRows(ld.rowMap, sc.regs[l], x[r*xc:], n)
		return
	}
	for i := range ld.parts {
		pt := &ld.parts[i]
		x, xc := e.arg(s, v, pt.arg)
		if pt.index >= 0 {
			x = e.mapped(pt.index, v)[s.args[pt.arg]]
		}
		switch {
		case ld.mode == loadCol && pt.index >= 0:
			kernels.Gather(sc.narrow, 1, 0, x, xc, pt.from, v.index[pt.index].to[r:r+n], 1)
			kernels.RepeatCol(sc.regs[l], sc.narrow, 1, 0, n, p.cols)
		case ld.mode == loadCol:
			kernels.RepeatCol(sc.regs[l], x[r*xc:], xc, pt.from, n, p.cols)
		case pt.index >= 0:
			kernels.Gather(sc.regs[l], p.cols, pt.at, x, xc, pt.from, v.index[pt.index].to[r:r+n], pt.cols)
		default:
			kernels.CopyCols(sc.regs[l], p.cols, pt.at, x[r*xc:], xc, pt.from, n, pt.cols)
		}
	}
}
