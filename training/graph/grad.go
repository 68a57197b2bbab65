package graph

import "fmt"

// Grad returns the derivatives of the sum of all numbers of y by each of wrt, in the shapes of wrt. They are made of
// the same operations as everything else, so Grad may be applied to what depends on them: forces are the gradient of
// an energy, and the gradient of a loss on forces is a second call. A tensor on which y does not depend gets zeros.
//
// A tensor of wrt may be any expression, not only an input or a parameter. Phantom counts of SegSoftmax count as
// constant.
func (b *Builder) Grad(y *Tensor, wrt ...*Tensor) []*Tensor {
	for _, t := range append([]*Tensor{y}, wrt...) {
		if t.owner != b {
			panic(fmt.Sprintf("graph: Grad: %v belongs to another Builder", t))
		}
	}
	needed := b.dependents(wrt, y.id)
	parts := make([][]*Tensor, y.id+1) // contributions to the adjoint of each tensor
	total := make([]*Tensor, y.id+1)
	if needed[y.id] {
		parts[y.id] = []*Tensor{b.Full(y.rows, y.cols, 1)}
	}
	for id := y.id; id >= 0; id-- {
		if len(parts[id]) == 0 {
			continue
		}
		t := b.nodes[id]
		total[id] = b.accumulate(t, parts[id])
		for i, part := range b.adjoints(t, total[id], func(i int) bool { return needed[t.args[i].id] }) {
			if part != nil {
				a := t.args[i].id
				parts[a] = append(parts[a], part)
			}
		}
	}
	grads := make([]*Tensor, len(wrt))
	for i, t := range wrt {
		if t.id <= y.id && total[t.id] != nil {
			grads[i] = total[t.id]
		} else {
			grads[i] = b.Full(t.rows, t.cols, 0)
		}
	}
	return grads
}

// dependents marks the tensors, up to id last, that depend on one of wrt.
func (b *Builder) dependents(wrt []*Tensor, last int) []bool {
	marks := make([]bool, max(last+1, 0))
	for _, t := range wrt {
		if t.id <= last {
			marks[t.id] = true
		}
	}
	for id := range marks {
		for _, a := range b.nodes[id].args {
			marks[id] = marks[id] || marks[a.id]
		}
	}
	return marks
}

// accumulate sums the contributions to the adjoint of t. Contributions to separate columns are put side by side.
func (b *Builder) accumulate(t *Tensor, parts []*Tensor) *Tensor {
	parts = b.joinPlaces(t, parts)
	sum := parts[0]
	for _, p := range parts[1:] {
		sum = b.Add(sum, p)
	}
	return sum
}

// joinPlaces replaces those Place nodes among parts that do not overlap by one Concat.
func (b *Builder) joinPlaces(t *Tensor, parts []*Tensor) []*Tensor {
	owner := make([]*Tensor, t.cols) // which Place fills the column
	var rest []*Tensor
	joined := 0
	for _, p := range parts {
		if p.op != opPlace || p.args[0].cols == 0 || overlaps(owner, p) {
			rest = append(rest, p)
			continue
		}
		for c := range p.args[0].cols {
			owner[p.n[0]+c] = p
		}
		joined++
	}
	if joined < 2 {
		return parts
	}
	var row []*Tensor
	for c := 0; c < t.cols; {
		if p := owner[c]; p != nil {
			row = append(row, p.args[0])
			c += p.args[0].cols
			continue
		}
		from := c
		for c < t.cols && owner[c] == nil {
			c++
		}
		row = append(row, b.Full(t.rows, c-from, 0))
	}
	return append([]*Tensor{b.Concat(row...)}, rest...)
}

func overlaps(owner []*Tensor, place *Tensor) bool {
	for c := range place.args[0].cols {
		if owner[place.n[0]+c] != nil {
			return true
		}
	}
	return false
}

// sumTo sums g, which has the shape of an elementwise result, over what was repeated of the operand.
func (b *Builder) sumTo(g *Tensor, operand *Tensor) *Tensor {
	if g.cols != operand.cols {
		g = b.SumCols(g)
	}
	if g.rows != operand.rows {
		g = b.SumRows(g)
	}
	return g
}
