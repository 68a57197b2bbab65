package graph

import (
	"math"
	"slices"
)

// What a region computes and a later one reads must be kept for all centres. Much of it follows at little cost from other
// things that are kept anyway: a gathered row, a factor 1 - y*y, a product of few terms. recomputer lets later regions
// compute such things again.
type recomputer struct {
	*blocker
	inline map[*Tensor]bool
	region map[*Tensor]int     // that computes the tensor
	origin map[*Tensor]*Tensor // of copies
	kept   map[*Tensor]bool    // for later regions
	costs  map[*Tensor]float64
	limit  float64 // Options.Recompute
	deep   bool    // Options.Deep

	// The region under way.
	sorted []*unit
	copies map[*Tensor]*Tensor
}

// What is worth to be done again for a number that is not kept instead: an operation of a few steps, like a product of up to
// 4 terms, or several that together take no more than Options.Recompute, from what is kept on.
const fewSteps = 8

// recompute returns the units with copies in regions that compute things again.
func recompute(sorted []*unit, outputs []*Tensor, inline map[*Tensor]bool, b *blocker, o Options) []*unit {
	r := &recomputer{blocker: b, inline: inline, limit: float64(o.Recompute), deep: o.Deep, region: map[*Tensor]int{}, origin: map[*Tensor]*Tensor{},
		kept: map[*Tensor]bool{}, costs: map[*Tensor]float64{}}
	for _, u := range sorted {
		for _, t := range u.members {
			r.region[t] = u.region
		}
	}
	for _, t := range outputs {
		r.kept[t] = true
	}
	r.decide(sorted)
	for i, u := range sorted {
		if i == 0 || u.region != sorted[i-1].region {
			r.copies = map[*Tensor]*Tensor{}
		}
		if u.region == none {
			r.sorted = append(r.sorted, u)
			continue
		}
		members := u.members
		u.probe, u.members = members[0], nil
		own := map[*Tensor]*Tensor{}
		for _, t := range members {
			r.replaceArgs(t, t.args, u, own)
			u.members = append(u.members, t)
		}
		r.sorted = append(r.sorted, u)
	}
	r.sorted = dropUnread(r.sorted, outputs, inline)
	relink(r.sorted, inline, b)
	r.markAgain()
	return r.sorted
}

// markAgain marks the units whose results an earlier unit has computed before.
func (r *recomputer) markAgain() {
	seen := map[*Tensor]bool{}
	for _, u := range r.sorted {
		u.again = true
		for _, t := range u.members {
			u.again = u.again && seen[r.first(t)]
		}
		for _, t := range u.members {
			seen[r.first(t)] = true
		}
	}
}

// decide finds out what is kept and what is computed again.
func (r *recomputer) decide(sorted []*unit) {
	readers := map[*Tensor]map[int]bool{} // later regions
	for _, u := range sorted {
		r.eachAccess(u, r.inline, func(a *Tensor, aligned bool) {
			at, ok := r.region[a]
			if !ok || at == none || at == u.region {
				return
			}
			if readers[a] == nil {
				readers[a] = map[int]bool{}
			}
			readers[a][u.region] = true
			if u.region == none || !aligned {
				r.kept[a] = true
			}
		})
	}
	for _, u := range sorted {
		for _, t := range u.members {
			if n := len(readers[t]); n > 0 && !r.kept[t] && !r.cheap(t, n) && !r.keepSources(t, n) {
				r.kept[t] = true
			}
		}
	}
	for _, u := range sorted {
		for _, t := range u.members {
			if readers[t] == nil || r.kept[t] {
				continue
			}
			sources, cols := r.sources(t)
			if cols > t.cols {
				r.kept[t] = true
				continue
			}
			for x := range sources {
				r.kept[x] = true
			}
		}
	}
}

// keepSources keeps, instead of t, what t is computed from, if that is worth it, and reports whether it did.
func (r *recomputer) keepSources(t *Tensor, times int) bool {
	if !r.deep || !r.within(t.rows) {
		return false
	}
	sources, cols := r.sources(t)
	if 2*cols > t.cols {
		return false
	}
	for x := range sources {
		r.kept[x] = true
	}
	if r.cheap(t, times) {
		return true
	}
	for x := range sources {
		delete(r.kept, x)
	}
	return false
}

// sources returns what must be kept, and is not yet, so that t can be computed again, and how many columns that has.
func (r *recomputer) sources(t *Tensor) (list map[*Tensor]bool, cols int) {
	list = map[*Tensor]bool{}
	r.frontier(t, list)
	for x := range list {
		cols += x.cols
	}
	return list, cols
}

// repeats reports whether a region that does not compute a, but needs it, computes it again.
func (r *recomputer) repeats(a *Tensor) bool {
	at, computed := r.region[a]
	return computed && at != none && !r.kept[a] && r.within(a.rows)
}

// cheap reports whether t may be computed again, so many times.
func (r *recomputer) cheap(t *Tensor, times int) bool {
	if !r.within(t.rows) {
		return false
	}
	cols := float64(t.cols)
	if c := r.ownCost(t); c <= cols || !t.op.elementwise() && c <= fewSteps*cols {
		return true
	}
	clear(r.costs) // what is kept has changed since they were found
	return r.cost(t)*float64(times) <= r.limit*cols
}

// cost returns how many operations a row of t takes, from what is kept on.
func (r *recomputer) cost(t *Tensor) float64 {
	if c, ok := r.costs[t]; ok {
		return c
	}
	c := r.ownCost(t)
	for _, a := range t.args {
		if r.inline[a] || r.repeats(a) {
			c += r.cost(a)
		}
	}
	r.costs[t] = c
	return c
}

// ownCost returns how many operations a row of t takes, given its operands.
func (r *recomputer) ownCost(t *Tensor) float64 {
	cols := float64(t.cols)
	switch t.op {
	case opMatMul:
		return 2 * float64(t.args[0].cols) * cols
	case opRowApply, opRowApplyT:
		return 2 * float64(t.args[1].cols) * cols
	case opBroadcastCols, opBroadcastRows, opGather, opSlice, opConcat, opPlace, opReshape:
		return cols
	}
	if t.op.elementwise() {
		return float64(weightOf(t.op)) * cols
	}
	switch {
	case r.deep && t.op == opPairDot:
		return 2 * float64(t.args[1].cols)
	case r.deep && t.op == opSegSoftmax:
		return (4 + transcendentalFLOP) * cols
	}
	return math.Inf(1)
}

// frontier collects the tensors of sources.
func (r *recomputer) frontier(t *Tensor, more map[*Tensor]bool) {
	for _, a := range t.args {
		switch {
		case r.inline[a]:
			r.frontier(a, more)
		case !r.repeats(a):
		case r.cheap(a, 1):
			r.frontier(a, more)
		default:
			more[a] = true
		}
	}
}

// replaceArgs lets t, a member of u, read copies of what its region computes again. own holds copies that are members
// of u.
func (r *recomputer) replaceArgs(t *Tensor, args []*Tensor, u *unit, own map[*Tensor]*Tensor) {
	list := make([]*Tensor, len(args))
	for i, a := range args {
		list[i] = r.copyOf(r.first(a), u, own)
	}
	t.args = list
}

// first returns the tensor that a is a copy of.
func (r *recomputer) first(a *Tensor) *Tensor {
	if o, ok := r.origin[a]; ok {
		return o
	}
	return a
}

// copyOf returns what u reads in place of a.
func (r *recomputer) copyOf(a *Tensor, u *unit, own map[*Tensor]*Tensor) *Tensor {
	switch {
	case own[a] != nil:
		return own[a]
	case r.copies[a] != nil:
		return r.copies[a]
	case r.inline[a]:
		c := r.copyTensor(a)
		r.inline[c] = true
		r.replaceArgs(c, a.args, u, own)
		own[a] = c
		return c
	case r.region[a] == u.region || !r.repeats(a):
		return a
	}
	c := r.copyTensor(a)
	if u.fused && mapped(a) && tileShape(a) == u.tileShape() {
		r.replaceArgs(c, a.args, u, own)
		u.members = append(u.members, c)
		own[a] = c
		return c
	}
	w := &unit{fused: inTiles(a), region: u.region, local: true}
	w.probe = c
	r.replaceArgs(c, a.args, w, map[*Tensor]*Tensor{})
	w.members = append(w.members, c)
	r.sorted = append(r.sorted, w)
	r.copies[a] = c
	return c
}

func (r *recomputer) copyTensor(a *Tensor) *Tensor {
	c := *a
	r.origin[&c] = a
	return &c
}

// dropUnread takes out what nobody reads.
func dropUnread(sorted []*unit, outputs []*Tensor, inline map[*Tensor]bool) []*unit {
	read := map[*Tensor]bool{}
	for _, t := range outputs {
		read[t] = true
	}
	var mark func(t *Tensor)
	mark = func(t *Tensor) {
		read[t] = true
		if inline[t] {
			for _, a := range t.args {
				mark(a)
			}
		}
	}
	for i := len(sorted) - 1; i >= 0; i-- {
		u := sorted[i]
		for k := len(u.members) - 1; k >= 0; k-- {
			t := u.members[k]
			if !read[t] {
				u.members = slices.Delete(u.members, k, k+1)
				continue
			}
			for _, a := range t.args {
				mark(a)
			}
		}
	}
	return slices.DeleteFunc(sorted, func(u *unit) bool { return len(u.members) == 0 })
}

// relink finds anew who feeds whom.
func relink(sorted []*unit, inline map[*Tensor]bool, b *blocker) {
	of := map[*Tensor]*unit{}
	for _, u := range sorted {
		u.feeds = nil
		for _, t := range u.members {
			of[t] = u
		}
	}
	for _, u := range sorted {
		b.eachAccess(u, inline, func(a *Tensor, _ bool) {
			if from := of[a]; from != u && (len(from.feeds) == 0 || from.feeds[len(from.feeds)-1].to != u) {
				from.feeds = append(from.feeds, feed{to: u})
			}
		})
	}
}
