package graph

import (
	"slices"

	"github.com/fedlam/fedlam/kernels"
)

// tileBuilder makes the step of one fused unit.
type tileBuilder struct {
	*compiler
	tileProgram
	step   step
	shape  shape2
	inside map[*Tensor]bool
	reg    map[*Tensor]int
	loadOf map[loadKey]int
	free   []int // temporaries whose value nothing reads any more
}

type loadKey struct {
	t    *Tensor
	mode loadMode
}

// lowerFused appends the step of a fused unit.
func (c *compiler) lowerFused(u *unit, outputs []*Tensor) {
	f := &tileBuilder{compiler: c, inside: map[*Tensor]bool{}, reg: map[*Tensor]int{}, loadOf: map[loadKey]int{}}
	for _, t := range u.members {
		f.inside[t] = true
	}
	f.shape = tileShape(u.members[0])
	f.rows, f.cols = f.extent(f.shape.rows), f.shape.cols
	f.step = step{op: opAdd, index: -1, pairs: -1, region: u.region, again: u.again, over: f.rows, tile: &f.tileProgram}
	for _, t := range u.members { // loads first, so that registers can be numbered
		for _, a := range t.args {
			if !f.inside[a] {
				f.load(a)
			}
		}
	}
	f.addStores(u, outputs)
	f.emit(u.members)
	f.number = len(f.formulas)
	f.formulas = append(f.formulas, f.complete())
	f.step.label = label(u)
	c.steps = append(c.steps, f.step)
}

// addStores numbers the outputs: members that other units or the caller read. Those of the shape of the tile come first.
func (f *tileBuilder) addStores(u *unit, outputs []*Tensor) {
	read := map[*Tensor]bool{}
	for _, t := range outputs {
		read[t] = true
	}
	for _, next := range u.feeds {
		f.blocker.eachAccess(next.to, f.inline, func(a *Tensor, _ bool) { read[a] = true })
	}
	for _, t := range u.members {
		if mapped(t) && read[t] {
			f.reg[t] = len(f.loads) + f.whole
			f.whole++
			f.stores = append(f.stores, store{storeWhole, f.reg[t], 0})
			f.step.outs = append(f.step.outs, f.value(t))
		}
	}
}

// load returns the register of an operand that comes from memory.
func (f *tileBuilder) load(a *Tensor) int {
	l := load{mode: loadWhole}
	switch oneRow, oneCol := a.rows != f.shape.rows, a.cols != f.shape.cols; {
	case oneRow && oneCol:
		l.mode = loadScalar
	case oneRow:
		l.mode = loadRow
	case oneCol:
		l.mode = loadCol
	}
	key := loadKey{a, l.mode}
	if r, ok := f.loadOf[key]; ok {
		return r
	}
	f.loadOf[key] = len(f.loads)
	if f.inline[a] {
		l.parts = f.parts(a)
	} else {
		l.parts = []part{{f.arg(a), -1, 0, 0, a.cols}}
		l.direct = l.mode == loadWhole
		if l.direct {
			f.weight += 2
		}
	}
	covered := 0
	for _, p := range l.parts {
		covered += p.cols
	}
	l.gaps = l.mode == loadWhole && covered < f.cols
	if !l.direct {
		f.weight++
		l.rowMap = f.rowMap(&l)
	}
	f.loads = append(f.loads, l)
	return len(f.loads) - 1
}

// maxMapped is the number of columns up to which a RowMap is faster than copying row by row.
const maxMapped = 15

// rowMap returns the map that does a load of few columns from one argument, rows as they are; nil if it is not so.
func (f *tileBuilder) rowMap(l *load) *kernels.RowMap {
	if f.cols > maxMapped || l.mode == loadRow || l.mode == loadScalar {
		return nil
	}
	from := make([]int, f.cols)
	covered := 0
	for _, p := range l.parts {
		if p.index >= 0 || p.arg != l.parts[0].arg {
			return nil
		}
		if l.mode == loadCol {
			p.cols = f.cols
		}
		for c := range p.cols {
			from[p.at+c] = p.from
			if l.mode == loadWhole {
				from[p.at+c] += c
			}
		}
		covered += p.cols
	}
	if covered != f.cols {
		return nil
	}
	return kernels.NewRowMap(from, f.values[f.step.args[l.parts[0].arg]].cols)
}

// parts says where a move takes its columns from.
func (f *tileBuilder) parts(a *Tensor) []part {
	switch a.op {
	case opGather:
		return []part{{f.arg(a.args[0]), slices.Index(f.indices, a.index), 0, 0, a.cols}}
	case opSlice:
		return []part{{f.arg(a.args[0]), -1, a.n[0], 0, a.cols}}
	case opPlace:
		return []part{{f.arg(a.args[0]), -1, 0, a.n[0], a.args[0].cols}}
	}
	var parts []part
	at := 0
	for _, x := range a.args {
		parts = append(parts, part{f.arg(x), -1, 0, at, x.cols})
		at += x.cols
	}
	return parts
}

// arg returns the position of a tensor among the arguments of the step.
func (f *tileBuilder) arg(t *Tensor) int {
	v := f.value(t)
	at := slices.Index(f.step.args, v)
	if at < 0 {
		at = len(f.step.args)
		f.step.args = append(f.step.args, v)
	}
	return at
}
