package graph

import "github.com/fedlam/fedlam/kernels"

// tileElements is how many numbers a register of a tileProgram holds, unless a single row has more.
const tileElements = 1024

// tileRows returns the number of rows of a tile.
func tileRows(cols int) int { return max(1, tileElements/max(cols, 1)) }

// runTiles runs a tileProgram on rows from to to.
func (e *Exec[F]) runTiles(s *step, from, to, worker int) {
	p := s.tile
	cols := e.program.values[s.outs[0]].cols
	if cols == 0 {
		return
	}
	high := tileRows(cols)
	sc := e.scratch[worker]
	e.prepareTile(s, sc, min(high, to-from), cols)
	for r := from; r < to; r += high {
		n := min(high, to-r)
		for a := range p.loads {
			switch x, _ := e.arg(s, a); p.loads[a].mode {
			case loadWhole:
				sc.regs[a] = x[r*cols : (r+n)*cols]
			case loadCol:
				kernels.RepeatCol(sc.regs[a], x[r:], 1, 0, n, cols)
			}
		}
		for o, out := range s.outs {
			sc.regs[len(p.loads)+o] = e.vals[out][r*cols : (r+n)*cols]
		}
		for i := range p.code {
			runInstr(&p.code[i], sc.regs, n*cols)
		}
	}
}

// prepareTile gives memory to the registers that are not memory of values, and fills in what all tiles share.
func (e *Exec[F]) prepareTile(s *step, sc *scratch[F], rows, cols int) {
	p := s.tile
	size := rows * cols
	free := sc.buffer
	next := func() []F {
		r := free[:size:size]
		free = free[size:]
		return r
	}
	for a := range p.loads {
		x, _ := e.arg(s, a)
		switch p.loads[a].mode {
		case loadRow:
			sc.regs[a] = next()
			kernels.RepeatRow(sc.regs[a], x)
		case loadScalar:
			sc.regs[a] = next()
			kernels.Fill(sc.regs[a], x[0])
		case loadCol:
			sc.regs[a] = next()
		}
	}
	for t := len(p.loads) + p.stores; t < p.registers(); t++ {
		sc.regs[t] = next()
	}
}

// runInstr does one instruction on n numbers.
func runInstr[F kernels.Float](in *instr, regs [][]F, n int) {
	dst, a := regs[in.dst][:n], regs[in.a]
	switch in.op {
	case opAdd:
		kernels.Add(dst, a, regs[in.b])
	case opSub:
		kernels.Sub(dst, a, regs[in.b])
	case opMul:
		kernels.Mul(dst, a, regs[in.b])
	case opNeg:
		kernels.Neg(dst, a)
	case opScale:
		kernels.Scale(dst, a, F(in.c[0]))
	case opAddScalar:
		kernels.AddScalar(dst, a, F(in.c[0]))
	case opTanh:
		kernels.Tanh(dst, a)
	case opExp:
		kernels.Exp(dst, a)
	case opSqrt:
		kernels.Sqrt(dst, a)
	case opRecip:
		kernels.Recip(dst, a)
	case opSigmoid:
		kernels.Sigmoid(dst, a)
	case opSoftplus:
		kernels.Softplus(dst, a)
	case opSquare:
		kernels.Square(dst, a)
	case opSwitch:
		kernels.Switch(dst, a, in.c[0], in.c[1], in.n)
	case opStep:
		kernels.Step(dst, a)
	case opBroadcastRows:
		copy(dst, a[:n])
	}
}
