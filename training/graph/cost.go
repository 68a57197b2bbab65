package graph

import "github.com/fedlam/fedlam/kernels"

// Floating-point operations (FLOP) are counted as the mathematics asks for them, whatever the kernels do: an addition, a
// multiplication, a division, a square root and a comparison are one each, a product of m x k by k x n takes 2mkn. Functions
// without an exact count take the numbers below by convention.
const (
	transcendentalFLOP = 20 // Exp, Tanh, Sigmoid, Softplus: about what range reduction and polynomial take in float32
	switchFLOP         = 12 // u, and a polynomial of degree 5 in it
)

// flopOf returns the FLOP of an elementwise operation on one element.
func flopOf(o op) int64 {
	switch o {
	case opExp, opTanh, opSigmoid, opSoftplus:
		return transcendentalFLOP
	case opSwitch:
		return switchFLOP
	case opMulMul, opAddScaled, opMulAdd, opMulSub, opSubMul:
		return 2
	case opQuadratic:
		return 3
	case opBroadcastRows, opBroadcastCols: // copies
		return 0
	}
	return 1
}

// product reports whether an operation is a matrix product or a contraction, sums of products over an inner index.
func (o op) product() bool {
	switch o {
	case opMatMul, opBatchMatMul, opSegOuter, opRowApply, opRowApplyT, opPairDot, opPairApply, opPairApplyT:
		return true
	}
	return false
}

// FLOP returns the floating-point operations of a run with the sizes of the last one; 0 before the first. Steps that compute
// something a second time, to save memory, do not count, nor those that are frozen.
func (e *Exec[F]) FLOP() int64 { return e.sumFLOP(func(op) bool { return true }) }

// ProductFLOP returns the part of FLOP that matrix products and contractions have: MatMul, BatchMatMul, SegOuter,
// RowApply, RowApplyT, PairDot, PairApply and PairApplyT.
func (e *Exec[F]) ProductFLOP() int64 { return e.sumFLOP(op.product) }

func (e *Exec[F]) sumFLOP(counts func(op) bool) int64 {
	if !e.hasPlan {
		return 0
	}
	total := int64(0)
	for i := range e.program.steps {
		if s := &e.program.steps[i]; counts(s.op) && !s.again && !s.frozen {
			total += e.stepFLOP(s)
		}
	}
	return total
}

// ArenaBytes returns the memory for intermediate values and partial sums of a run with the sizes of the last one, that of
// all workers included; 0 before the first. Inputs and parameters come on top.
func (e *Exec[F]) ArenaBytes() int64 {
	numbers := len(e.arena) + len(e.partial)
	for _, sc := range e.scratch {
		numbers += len(sc.local) + len(sc.buffer)
	}
	return int64(numbers)*sizeOf[F]() + 8*int64(len(e.partial8))
}

// stepFLOP returns the floating-point operations of a step.
func (e *Exec[F]) stepFLOP(s *step) int64 {
	switch {
	case s.tile != nil:
		return e.tileFLOP(s.tile)
	case s.op.product():
		return e.productFLOP(s)
	case s.op == opScatter && e.program.indices[s.index].order != once:
		return e.elements(s.args[0])
	case s.op == opSegSoftmax: // largest, difference, exponential, sum, quotient
		return e.elements(s.args[0]) * (4 + transcendentalFLOP)
	}
	return 0
}

func (e *Exec[F]) tileFLOP(p *tileProgram) int64 {
	return p.flop * int64(e.extent(p.rows)) * int64(p.cols)
}

func (e *Exec[F]) productFLOP(s *step) int64 {
	outCols := int64(e.program.values[s.outs[0]].cols)
	second := int64(e.program.values[s.args[1]].cols)
	switch s.op {
	case opMatMul:
		return 2 * e.elements(s.args[0]) * outCols
	case opBatchMatMul:
		return 2 * e.elements(s.outs[0]) * int64(s.n[3])
	case opSegOuter:
		return 2 * e.elements(s.args[0]) * second
	case opRowApply, opRowApplyT:
		return 2 * e.elements(s.args[1]) * outCols
	}
	return 2 * int64(e.sizes[len(e.program.axes)+s.pairs]) * second // PairDot, PairApply, PairApplyT
}

// stepBytes returns the bytes of the operands that a step reads and of the results that it writes. An operand that is
// read several times counts once; index maps count with 4 bytes for each entry used.
func (e *Exec[F]) stepBytes(s *step) int64 {
	numbers, entries := int64(0), int64(0)
	for _, out := range s.outs {
		numbers += e.elements(out)
	}
	switch {
	case s.tile != nil:
		n, k := e.tileReads(s.tile)
		numbers, entries = numbers+n, entries+k
	case s.op == opGather || s.op == opSlice:
		numbers *= 2
	default:
		for _, a := range s.args {
			numbers += e.elements(a)
		}
	}
	return numbers*sizeOf[F]() + 4*(entries+e.indexEntries(s))
}

// tileReads returns the numbers that the loads of a tile read, and the entries of index maps.
func (e *Exec[F]) tileReads(p *tileProgram) (numbers, entries int64) {
	rows := int64(e.extent(p.rows))
	for _, l := range p.loads {
		switch l.mode {
		case loadScalar:
			numbers++
			continue
		case loadRow:
			numbers += int64(p.cols)
			continue
		}
		for _, pt := range l.parts {
			cols := int64(pt.cols)
			if l.mode == loadCol {
				cols = 1
			}
			numbers += rows * cols
			if pt.index >= 0 {
				entries += rows
			}
		}
	}
	return numbers, entries
}

// indexEntries returns the entries of index maps, segment starts and pair starts that a step not made of tiles reads.
func (e *Exec[F]) indexEntries(s *step) int64 {
	switch {
	case s.pairs >= 0:
		return 2 * int64(e.extentOfPairs(s)+1)
	case s.index < 0:
		return 0
	case s.op == opGather:
		return int64(len(e.index[s.index].to))
	case s.op == opScatter && e.program.indices[s.index].order == once:
		return int64(len(e.index[s.index].to))
	case s.op == opScatter && e.program.indices[s.index].order == anyOrder:
		return int64(len(e.index[s.index].rows) + len(e.index[s.index].start))
	}
	return int64(len(e.index[s.index].start))
}

// elements returns how many numbers a value has.
func (e *Exec[F]) elements(id int) int64 {
	v := &e.program.values[id]
	return int64(e.rowsOf(v)) * int64(v.cols)
}

// sizeOf returns the bytes of a number. Only float32 loses 1e-10 beside 1; a type switch would miss named types.
func sizeOf[F kernels.Float]() int64 {
	one, little := F(1), F(1e-10)
	if one+little == one {
		return 4
	}
	return 8
}
