package graph

// combined is one instruction: an operation, its operands and its numbers.
type combined struct {
	op   op
	args []*Tensor
	c    [2]float64
	n    int
}

// combiner finds members of a fused unit that can be computed together with their only reader, in one instruction.
type combiner struct {
	uses   map[*Tensor]int // readers among the members
	keep   func(t *Tensor) bool
	with   map[*Tensor]combined // what computes a member, if not the operation itself
	inside map[*Tensor]bool     // members that are computed by their reader
}

// combine returns the instructions of members, nothing for those that their reader computes. keep reports whether a
// tensor must have a register of its own.
func combine(members []*Tensor, keep func(t *Tensor) bool) *combiner {
	c := &combiner{uses: map[*Tensor]int{}, keep: keep, with: map[*Tensor]combined{}, inside: map[*Tensor]bool{}}
	for _, t := range members {
		for _, a := range t.args {
			c.uses[a]++
		}
	}
	for _, t := range members {
		if !mapped(t) {
			continue
		}
		if in, gone := c.match(t); gone != nil {
			c.with[t] = in
			c.inside[gone] = true
		}
	}
	return c
}

// plain reports whether t, an operation o, may disappear into its reader.
func (c *combiner) plain(t *Tensor, o op) bool {
	_, taken := c.with[t]
	return t.op == o && c.uses[t] == 1 && !c.keep(t) && !taken
}

// match returns the instruction that computes t together with its operand gone; gone is nil if there is none.
func (c *combiner) match(t *Tensor) (in combined, gone *Tensor) {
	switch t.op {
	case opAdd:
		return c.matchAdd(t)
	case opSub:
		return c.matchSub(t)
	case opMul:
		for i, x := range t.args {
			if c.plain(x, opScale) {
				return combined{op: opMulMul, args: []*Tensor{x.args[0], t.args[1-i]}, c: x.c}, x
			}
		}
	case opScale:
		x := t.args[0]
		if c.plain(x, opMul) {
			return combined{op: opMulMul, args: x.args, c: t.c}, x
		}
		if c.plain(x, opSquare) {
			return combined{op: opMulMul, args: []*Tensor{x.args[0], x.args[0]}, c: t.c}, x
		}
	case opAddScalar:
		return c.matchAddScalar(t)
	}
	return combined{}, nil
}

func (c *combiner) matchAdd(t *Tensor) (combined, *Tensor) {
	for i, x := range t.args {
		if c.plain(x, opMul) {
			return combined{op: opMulAdd, args: []*Tensor{x.args[0], x.args[1], t.args[1-i]}}, x
		}
	}
	for i, x := range t.args {
		if c.plain(x, opScale) {
			return combined{op: opAddScaled, args: []*Tensor{t.args[1-i], x.args[0]}, c: x.c}, x
		}
	}
	return combined{}, nil
}

func (c *combiner) matchSub(t *Tensor) (combined, *Tensor) {
	x, y := t.args[0], t.args[1]
	switch {
	case c.plain(x, opMul):
		return combined{op: opMulSub, args: []*Tensor{x.args[0], x.args[1], y}}, x
	case c.plain(y, opMul):
		return combined{op: opSubMul, args: []*Tensor{y.args[0], y.args[1], x}}, y
	case c.plain(y, opScale):
		return combined{op: opAddScaled, args: []*Tensor{x, y.args[0]}, c: [2]float64{-y.c[0]}}, y
	}
	return combined{}, nil
}

// matchAddScalar finds t + s*x*x.
func (c *combiner) matchAddScalar(t *Tensor) (combined, *Tensor) {
	x := t.args[0]
	if c.plain(x, opSquare) {
		return combined{op: opQuadratic, args: x.args, c: [2]float64{1, t.c[0]}}, x
	}
	scaled, ok := c.with[x]
	if ok && x.op == opScale && c.uses[x] == 1 && !c.keep(x) && scaled.args[0] == scaled.args[1] {
		return combined{op: opQuadratic, args: scaled.args[:1], c: [2]float64{x.c[0], t.c[0]}}, x
	}
	return combined{}, nil
}

// of returns the instruction that computes t; ok is false if a reader of t does it.
func (c *combiner) of(t *Tensor) (in combined, ok bool) {
	if c.inside[t] {
		return combined{}, false
	}
	if in, ok := c.with[t]; ok {
		return in, true
	}
	return combined{t.op, t.args, t.c, t.n[0]}, true
}
