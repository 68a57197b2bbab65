package graph

import (
	"slices"
	"strings"
)

// A tileProgram computes elementwise operations of one shape for a few rows at a time, so that what lies between loads
// and stores stays in the first-level cache. Its registers are slices of one tile: first the loads, then the stores
// (which are the output memory itself), then temporaries.
type tileProgram struct {
	loads  []load
	stores int
	temps  int
	code   []instr
	weight int // cost of an element, in additions
}

// loadMode says how an operand covers the tile.
type loadMode uint8

const (
	loadWhole  loadMode = iota // same shape
	loadRow                    // one row, repeated
	loadCol                    // one column, repeated
	loadScalar                 // one number
)

type load struct{ mode loadMode }

// instr computes register dst from a and, for two operands, b.
type instr struct {
	op        op // opBroadcastRows stands for a copy
	dst, a, b int
	c         [2]float64
	n         int
}

// registers returns the number of registers.
func (p *tileProgram) registers() int { return len(p.loads) + p.stores + p.temps }

// buffers returns the number of registers that are not memory of values.
func (p *tileProgram) buffers() int {
	n := p.temps
	for _, l := range p.loads {
		if l.mode != loadWhole {
			n++
		}
	}
	return n
}

// readsEnd returns the number of instructions after which load a is not read any more.
func (p *tileProgram) readsEnd(a int) int {
	for i := len(p.code) - 1; i >= 0; i-- {
		if p.code[i].a == a || p.code[i].b == a {
			return i
		}
	}
	return 0
}

// written returns the number of the instruction that writes store o.
func (p *tileProgram) written(o int) int {
	for i, in := range p.code {
		if in.dst == len(p.loads)+o {
			return i
		}
	}
	return len(p.code)
}

// lowerFused appends the step of a fused unit.
func (c *compiler) lowerFused(u *unit, outputs []*Tensor) {
	f := &tileBuilder{compiler: c, inside: map[*Tensor]bool{}, reg: map[*Tensor]int{}, loadOf: map[loadKey]int{}}
	for _, t := range u.members {
		f.inside[t] = true
	}
	f.rows, f.cols = u.members[0].rows, u.members[0].cols
	stored := f.stored(u, outputs)
	f.step = step{op: opAdd, index: -1, pairs: -1, tile: &f.tileProgram}
	for _, t := range u.members { // loads first, so that registers can be numbered
		for _, a := range t.args {
			if !f.inside[a] {
				f.load(a)
			}
		}
	}
	f.stores = len(stored)
	for i, t := range stored {
		f.reg[t] = len(f.loads) + i
		f.step.outs = append(f.step.outs, c.value(t))
	}
	f.emit(u.members)
	f.step.label = f.label(u)
	c.steps = append(c.steps, f.step)
}

// tileBuilder makes the tileProgram of one unit.
type tileBuilder struct {
	*compiler
	tileProgram
	step   step
	rows   Dim
	cols   int
	inside map[*Tensor]bool
	reg    map[*Tensor]int
	loadOf map[loadKey]int
	free   []int // temporaries whose value nothing reads any more
}

type loadKey struct {
	value int
	mode  loadMode
}

// stored returns the members that other units or the caller read.
func (f *tileBuilder) stored(u *unit, outputs []*Tensor) []*Tensor {
	read := map[*Tensor]bool{}
	for _, t := range outputs {
		read[t] = true
	}
	for _, next := range u.feeds {
		for _, t := range next.members {
			for _, a := range t.args {
				read[a] = true
			}
		}
	}
	var list []*Tensor
	for _, t := range u.members {
		if read[t] {
			list = append(list, t)
		}
	}
	return list
}

// load returns the register of an operand that comes from memory.
func (f *tileBuilder) load(a *Tensor) int {
	mode := loadWhole
	switch oneRow, oneCol := a.rows != f.rows, a.cols != f.cols; {
	case oneRow && oneCol:
		mode = loadScalar
	case oneRow:
		mode = loadRow
	case oneCol:
		mode = loadCol
	}
	key := loadKey{f.value(a), mode}
	if r, ok := f.loadOf[key]; ok {
		return r
	}
	f.loadOf[key] = len(f.loads)
	f.loads = append(f.loads, load{mode})
	f.step.args = append(f.step.args, key.value)
	return len(f.loads) - 1
}

// emit writes the instructions, reusing temporaries after their last reader.
func (f *tileBuilder) emit(members []*Tensor) {
	readers := map[*Tensor]int{}
	for _, t := range members {
		for _, a := range t.args {
			readers[a]++
		}
	}
	for _, t := range members {
		in := instr{op: t.op, b: -1, c: t.c, n: t.n[0]}
		args := make([]int, len(t.args))
		for i, a := range t.args {
			if f.inside[a] {
				args[i] = f.reg[a]
			} else {
				args[i] = f.load(a)
			}
		}
		in.a = args[0]
		if len(args) > 1 {
			in.b = args[1]
		}
		for _, a := range t.args {
			if readers[a]--; readers[a] == 0 && f.inside[a] && f.reg[a] >= len(f.loads)+f.stores {
				f.free = append(f.free, f.reg[a])
			}
		}
		in.dst = f.target(t)
		if t.op == opBroadcastCols {
			in.op = opBroadcastRows
		}
		f.code = append(f.code, in)
		f.weight += weightOf(t.op)
	}
}

// target returns the register of the result of t.
func (f *tileBuilder) target(t *Tensor) int {
	if r, ok := f.reg[t]; ok {
		return r
	}
	r := len(f.loads) + f.stores + f.temps
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
		return 12
	case opSqrt, opRecip:
		return 4
	}
	return 1
}

func (f *tileBuilder) label(u *unit) string {
	var names []string
	for _, t := range u.members {
		names = append(names, t.op.String())
	}
	last := u.members[len(u.members)-1]
	return strings.Join(slices.Clip(names), "+") + " " + last.shape()
}
