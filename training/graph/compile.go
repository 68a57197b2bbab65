package graph

import (
	"fmt"
	"maps"
	"slices"

	"github.com/fedlam/fedlam/kernels"
)

// Compile returns the program that computes outputs, by name. Expressions that no output depends on are left out,
// with the inputs, indices and axes that only they use.
func (b *Builder) Compile(outputs map[string]*Tensor) (*Program, error) {
	return b.CompileWith(outputs, Options{})
}

// CompileWith is Compile with options.
func (b *Builder) CompileWith(outputs map[string]*Tensor, o Options) (*Program, error) {
	if err := o.validate(); err != nil {
		return nil, fmt.Errorf("compile graph: %w", err)
	}
	if len(outputs) == 0 {
		return nil, fmt.Errorf("compile graph: no outputs")
	}
	names := slices.Sorted(maps.Keys(outputs))
	list := make([]*Tensor, len(names))
	for i, name := range names {
		list[i] = outputs[name]
		if list[i] == nil || list[i].owner != b {
			return nil, fmt.Errorf("compile graph: output %q is not a tensor of this Builder", name)
		}
	}
	second, list := simplify(b, list)
	c := &compiler{Program: &Program{outputs: map[string]int{}}, list: live(second, list), valueOf: map[*Tensor]int{}}
	if err := c.axesAndIndices(b); err != nil {
		return nil, fmt.Errorf("compile graph: %w", err)
	}
	units, inline := fuse(c.list, list)
	c.inline, c.blocker = inline, newBlocker(c.list)
	c.align()
	for _, u := range recompute(schedule(units, inline, c.blocker, o.Whole), list, inline, c.blocker, o) {
		c.lower(u, list)
	}
	for i, name := range names {
		c.outputs[name] = c.value(list[i])
	}
	c.lifetimes(o)
	return c.Program, nil
}

// compiler fills in a Program.
type compiler struct {
	*Program
	list    []*Tensor // live, arguments first
	valueOf map[*Tensor]int
	inline  map[*Tensor]bool // moves that are done by the steps that read them
	blocker *blocker
}

// axesAndIndices collects what the live tensors refer to.
func (c *compiler) axesAndIndices(source *Builder) error {
	axes, indices, pairs := map[string]bool{}, map[*Index]bool{}, map[*Pairs]bool{}
	var needPairs func(p *Pairs)
	dim := func(d Dim) {
		axes[d.Axis] = d.Axis != ""
		if p, ok := source.pairs[d.Axis]; ok {
			needPairs(p)
		}
	}
	needIndex := func(x *Index) {
		indices[x] = true
		dim(x.from)
		dim(x.to)
		if x.pairs != nil {
			needPairs(x.pairs)
		}
	}
	needPairs = func(p *Pairs) {
		if !pairs[p] {
			pairs[p] = true
			needIndex(p.centre)
		}
	}
	for _, t := range c.list {
		dim(t.rows)
		if t.index != nil {
			needIndex(t.index)
		}
		if t.pairs != nil {
			needPairs(t.pairs)
		}
	}
	byID := func(x, y *Index) int { return x.id - y.id }
	c.indices = slices.SortedFunc(maps.Keys(indices), byID)
	c.pairs = slices.SortedFunc(maps.Keys(pairs), func(x, y *Pairs) int { return x.id - y.id })
	for _, p := range c.pairs {
		axes[p.name] = false
	}
	for _, name := range slices.Sorted(maps.Keys(axes)) {
		if axes[name] {
			c.axes = append(c.axes, name)
		}
	}
	c.segmented, c.transpose = make([]bool, len(c.indices)), make([]bool, len(c.indices))
	c.pairHeads = make([][2]int, len(c.pairs))
	for _, p := range c.pairs {
		centre := slices.Index(c.indices, p.centre)
		c.centreOf = append(c.centreOf, centre)
		c.segmented[centre] = true
		if p.centre.from.Axis == p.name || p.centre.to.Axis == p.name {
			return fmt.Errorf("the axis of pairs %q is also the axis of their centres", p.name)
		}
	}
	return nil
}

func (c *compiler) extent(d Dim) extent {
	if d.Axis == "" {
		return extent{-1, d.Mul}
	}
	for i, p := range c.pairs {
		if p.name == d.Axis {
			return extent{len(c.axes) + i, d.Mul}
		}
	}
	at, _ := slices.BinarySearch(c.axes, d.Axis)
	return extent{at, d.Mul}
}

// value returns the number of the value of t, making it if need be.
func (c *compiler) value(t *Tensor) int {
	if id, ok := c.valueOf[t]; ok {
		return id
	}
	v := value{rows: c.extent(t.rows), cols: t.cols, root: len(c.values), first: -1, last: -1, local: none}
	switch t.op {
	case opInput, opParam:
		v.where, v.name = inBatch, t.name
		if t.op == opParam {
			v.where = inParam
		}
	case opConst:
		v.where, v.data = inConst, t.data
	case opReshape:
		v.root = c.values[c.value(t.args[0])].root
		v.where = inView
	}
	id := len(c.values) // after any value that a view needed
	if v.where != inView {
		v.root = id
	}
	if v.where == inBatch || v.where == inParam {
		c.leaves = append(c.leaves, leaf{t.name, id, v.where == inBatch})
	}
	c.values = append(c.values, v)
	c.valueOf[t] = id
	return id
}

// lower appends the step of one unit. Leaves and views need none.
func (c *compiler) lower(u *unit, outputs []*Tensor) {
	t := u.members[0]
	if u.fused {
		c.lowerFused(u, outputs)
		return
	}
	switch t.op {
	case opInput, opParam, opConst, opReshape:
		c.value(t)
		return
	}
	s := step{op: t.op, c: t.c, n: t.n, index: -1, pairs: -1, region: u.region, again: u.again, over: c.extent(cutBy(t)), label: t.String()}
	for _, a := range t.args {
		s.args = append(s.args, c.value(a))
	}
	s.outs = []int{c.value(t)}
	if t.index != nil {
		s.index = slices.Index(c.indices, t.index)
		switch {
		case t.op == opScatter && t.index.order == anyOrder:
			c.transpose[s.index] = true
		case t.op == opScatter && t.index.order == once:
		case t.op != opGather:
			c.segmented[s.index] = true
		}
	}
	if t.op == opPermute {
		s.rowMap = kernels.NewRowMap(t.perm, len(t.perm))
	}
	if t.pairs != nil {
		s.pairs = slices.Index(c.pairs, t.pairs)
		if t.op == opPairDot {
			most := &c.pairHeads[s.pairs]
			most[0], most[1] = max(most[0], t.n[0]), max(most[1], t.args[0].cols/t.n[0])
		}
	}
	c.steps = append(c.steps, s)
}

// cutBy returns the rows that the work of a step is cut by.
func cutBy(t *Tensor) Dim {
	switch t.op {
	case opMatMul:
		return t.args[0].rows
	case opScatter, opSegOuter, opRowApply, opRowApplyT, opSegSoftmax:
		return t.index.to
	case opPairDot, opPairApply, opPairApplyT:
		return t.pairs.centre.to
	}
	return t.rows
}
