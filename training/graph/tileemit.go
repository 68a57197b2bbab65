package graph

import (
	"strings"

	"github.com/fedlam/fedlam/kernels"
)

// instructions are the operations of tiles, as the kernels name them. A column or a row repeated is there when it is
// loaded, so that only a copy remains.
var instructions = map[op]kernels.Op{
	opAdd: kernels.OpAdd, opSub: kernels.OpSub, opMul: kernels.OpMul, opNeg: kernels.OpNeg, opScale: kernels.OpScale,
	opAddScalar: kernels.OpAddScalar, opTanh: kernels.OpTanh, opExp: kernels.OpExp, opSqrt: kernels.OpSqrt,
	opRecip: kernels.OpRecip, opSigmoid: kernels.OpSigmoid, opSoftplus: kernels.OpSoftplus, opSquare: kernels.OpSquare,
	opSwitch: kernels.OpSwitch, opStep: kernels.OpStep, opBroadcastRows: kernels.OpCopy, opBroadcastCols: kernels.OpCopy,
	opMulMul: kernels.OpMulMul, opAddScaled: kernels.OpAddScaled, opMulAdd: kernels.OpMulAdd, opMulSub: kernels.OpMulSub,
	opSubMul: kernels.OpSubMul, opQuadratic: kernels.OpQuadratic,
}

// emit writes the instructions, reusing temporaries after their last reader.
func (f *tileBuilder) emit(members []*Tensor) {
	plan := combine(members, func(t *Tensor) bool {
		_, stored := f.reg[t]
		return stored || !f.inside[t]
	})
	readers := map[*Tensor]int{}
	for _, t := range members {
		if !mapped(t) {
			readers[t.args[0]] = len(members) + 1 // sums are taken after the last instruction
		} else if in, ok := plan.of(t); ok {
			for _, a := range in.args {
				readers[a]++
			}
		}
	}
	for _, t := range members {
		f.weight += weightOf(t.op)
		if !mapped(t) {
			f.addSum(t)
			continue
		}
		c, ok := plan.of(t)
		if !ok {
			continue
		}
		in := kernels.Instr{Op: instructions[c.op], A: -1, B: -1, C: -1, S: c.c[0], T: c.c[1], N: c.n}
		f.flop += flopOf(c.op)
		for i, r := range []*int{&in.A, &in.B, &in.C} {
			if i < len(c.args) {
				*r = f.operand(c.args[i])
			}
		}
		for _, a := range c.args {
			if readers[a]--; readers[a] == 0 && f.inside[a] && f.reg[a] >= len(f.loads)+f.whole {
				f.free = append(f.free, f.reg[a])
			}
		}
		in.Dst = f.target(t)
		f.code = append(f.code, in)
	}
}

func (f *tileBuilder) operand(a *Tensor) int {
	if f.inside[a] {
		return f.reg[a]
	}
	return f.load(a)
}

// addSum appends the output of a sum.
func (f *tileBuilder) addSum(t *Tensor) {
	s := store{kind: storeSumCols, reg: f.operand(t.args[0])}
	if t.op == opSumRows {
		s.kind, s.sum = storeSumRows, f.sums
		f.sums += t.cols
	}
	f.flop++
	f.stores = append(f.stores, s)
	f.step.outs = append(f.step.outs, f.value(t))
}

// target returns the register of the result of t.
func (f *tileBuilder) target(t *Tensor) int {
	if r, ok := f.reg[t]; ok {
		return r
	}
	r := len(f.loads) + f.whole + f.temps
	if n := len(f.free); n > 0 {
		r = f.free[n-1]
		f.free = f.free[:n-1]
	} else {
		f.temps++
	}
	f.reg[t] = r
	return r
}

// weightOf estimates the cost of an operation on one element, in additions.
func weightOf(o op) int {
	switch o {
	case opTanh, opExp, opSigmoid, opSoftplus, opSwitch:
		return 8
	case opSqrt, opRecip:
		return 3
	}
	return 1
}

func label(u *unit) string {
	var names []string
	for _, t := range u.members {
		names = append(names, t.op.String())
	}
	s := tileShape(u.members[0])
	return strings.Join(names, "+") + " " + (&Tensor{rows: s.rows, cols: s.cols}).shape()
}
