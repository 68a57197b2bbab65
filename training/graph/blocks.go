package graph

// Many steps work on rows that belong to one centre: its edges, the pairs of its edges. Such steps need nothing of other
// centres, so a run of them can be done for a few centres at a time, while what they hand on to each other stays in the
// cache. A region is such a run of steps. It ends where a step needs rows of other centres, as a gather by neighbour does,
// or a sum over all rows.
//
// The centres are the rows of one axis, the root: the one that most sorted maps lead to. Axes whose rows come sorted by
// centre are aligned with it.

// blocker knows which axes are aligned.
type blocker struct {
	root     string
	aligned  map[string]bool
	internal map[*Index]bool // maps that never leave the rows of a centre
}

// newBlocker finds the root among the maps that the tensors of list use.
func newBlocker(list []*Tensor) *blocker {
	b := &blocker{aligned: map[string]bool{}, internal: map[*Index]bool{}}
	var sorted []*Index
	seen := map[*Index]bool{}
	note := func(x *Index) {
		plain := x.sorted() && x.pairs == nil && x.to.Mul == 1 && x.from.Mul == 1 && x.to.Axis != "" && x.from.Axis != ""
		if !seen[x] && plain {
			sorted = append(sorted, x)
		}
		seen[x] = true
	}
	for _, t := range list {
		if t.index != nil {
			note(t.index)
			if t.index.pairs != nil {
				note(t.index.pairs.centre)
			}
		}
		if t.pairs != nil {
			note(t.pairs.centre)
		}
	}
	count := map[string]int{}
	for _, x := range sorted {
		count[x.to.Axis]++
		if n := count[x.to.Axis]; n > count[b.root] || b.root == "" {
			b.root = x.to.Axis
		}
	}
	for _, x := range sorted {
		if x.to.Axis == b.root && x.from.Axis != b.root && !b.aligned[x.from.Axis] {
			b.aligned[x.from.Axis] = true
			b.internal[x] = true
		}
	}
	for _, t := range list {
		if t.pairs != nil {
			b.addPairs(t.pairs)
		}
		if t.index != nil && t.index.pairs != nil {
			b.addPairs(t.index.pairs)
		}
	}
	return b
}

func (b *blocker) addPairs(p *Pairs) {
	if b.internal[p.centre] {
		b.aligned[p.name] = true
		b.internal[p.left], b.internal[p.right] = true, true
	}
}

// within reports whether d counts rows of centres, but not the centres themselves.
func (b *blocker) within(d Dim) bool { return b.aligned[d.Axis] }

// local reports whether a unit can be computed for some centres at a time.
func (b *blocker) local(u *unit) bool {
	t := u.members[0]
	if u.fused {
		return b.within(tileShape(t).rows)
	}
	switch t.op {
	case opInput, opParam, opConst, opTranspose:
		return false
	case opMatMul:
		return b.within(t.args[0].rows)
	case opScatter, opSegOuter, opRowApply, opRowApplyT, opSegSoftmax:
		return b.internal[t.index]
	case opPairDot, opPairApply, opPairApplyT:
		return b.internal[t.pairs.centre]
	}
	return b.within(t.rows)
}

// eachAccess calls f for the tensors that a unit reads, and reports whether it reads of each only the rows of the centres
// it works on.
func (b *blocker) eachAccess(u *unit, inline map[*Tensor]bool, f func(a *Tensor, aligned bool)) {
	own := func(a *Tensor) bool { return b.within(a.rows) || a.rows.Axis == b.root && b.root != "" }
	for _, t := range u.members {
		for _, a := range t.args {
			switch {
			case inline[a] && a.op == opGather:
				f(a.args[0], own(a.args[0]) && b.internal[a.index])
			case inline[a]:
				for _, from := range a.args {
					f(from, own(from))
				}
			case t.op == opGather:
				f(a, own(a) && b.internal[t.index])
			default:
				f(a, own(a))
			}
		}
	}
}
