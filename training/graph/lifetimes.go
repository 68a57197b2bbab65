package graph

import "slices"

// align notes which axes and maps are aligned with the centres.
func (c *compiler) align() {
	b := c.blocker
	c.aligned = make([]rowAlignment, len(c.axes)+len(c.pairs))
	c.internal = make([]bool, len(c.indices))
	for i, x := range c.indices {
		c.internal[i] = b.internal[x]
		if b.internal[x] && x.pairs == nil {
			at, _ := slices.BinarySearch(c.axes, x.from.Axis)
			c.aligned[at] = rowAlignment{byIndex, i}
			c.segmented[i] = true
		}
	}
	for i, p := range c.pairs {
		if b.aligned[p.name] {
			c.aligned[len(c.axes)+i] = rowAlignment{byPairs, i}
		}
	}
	c.root = none
	if at, ok := slices.BinarySearch(c.axes, b.root); ok {
		c.root = at
		c.aligned[at] = rowAlignment{isRoot, 0}
	}
	for _, x := range c.indices {
		c.mapAxes = append(c.mapAxes, [2]int{c.extent(x.from).axis, c.extent(x.to).axis})
	}
}

// lifetimes notes for each value the steps between which it must keep its memory, and which memory can be passed on.
func (c *compiler) lifetimes(o Options) {
	slices.SortFunc(c.leaves, func(x, y leaf) int {
		if x.name < y.name {
			return -1
		}
		return 1
	})
	for i, s := range c.steps {
		for _, out := range s.outs {
			c.values[out].first = i
		}
		for _, a := range s.args {
			c.values[c.values[a].root].last = i
		}
	}
	for _, id := range c.outputs {
		c.values[c.values[id].root].last = len(c.steps)
	}
	c.findRegions()
	c.findLocals()
	if o.Frozen {
		c.freeze()
	}
	for i := range c.steps {
		s := &c.steps[i]
		if s.tile != nil {
			s.reuse = c.reusable(i, s)
		}
	}
}

// freeze marks the steps that parameters and constants alone lead to.
func (c *compiler) freeze() {
	for i := range c.steps {
		s := &c.steps[i]
		s.frozen = s.region == none
		for _, a := range s.args {
			where := c.values[c.values[a].root].where
			s.frozen = s.frozen && (where == inParam || where == inConst || where == inFrozen)
		}
		for _, out := range s.outs {
			s.frozen = s.frozen && c.values[out].rows.axis < 0
		}
		if s.frozen {
			for _, out := range s.outs {
				c.values[out].where = inFrozen
			}
		}
	}
}

// findRegions collects the steps and values of each region.
func (c *compiler) findRegions() {
	for i, s := range c.steps {
		if s.region == none {
			continue
		}
		if s.region == len(c.regions) {
			c.regions = append(c.regions, region{first: i})
		}
		r := &c.regions[s.region]
		r.last = i
		c.noteMaps(r, &s)
		for _, id := range slices.Concat(s.args, s.outs) {
			for _, id := range []int{c.values[id].root, id} {
				if !slices.Contains(r.values, id) {
					r.values = append(r.values, id)
				}
			}
		}
	}
}

// noteMaps notes which maps a step of region r uses.
func (c *compiler) noteMaps(r *region, s *step) {
	note := func(m regionMap) {
		at := slices.IndexFunc(r.maps, func(old regionMap) bool { return old.index == m.index })
		if at < 0 {
			r.maps = append(r.maps, m)
			return
		}
		old := &r.maps[at]
		old.to, old.segments, old.transposed = old.to || m.to, old.segments || m.segments, old.transposed || m.transposed
	}
	if s.tile != nil {
		for _, l := range s.tile.loads {
			for _, p := range l.parts {
				if p.index >= 0 {
					note(regionMap{index: p.index, to: true})
				}
			}
		}
	}
	if s.index >= 0 {
		note(regionMap{
			index: s.index, to: s.op == opGather, segments: s.op != opGather,
			transposed: s.op == opScatter && c.indices[s.index].order == anyOrder,
		})
	}
	if s.pairs >= 0 {
		note(regionMap{index: c.centreOf[s.pairs], segments: true})
		if !slices.Contains(r.pairs, s.pairs) {
			r.pairs = append(r.pairs, s.pairs)
		}
	}
}

// findLocals marks the values that only steps of one region know. What a region sums over all rows is known outside.
func (c *compiler) findLocals() {
	for i, s := range c.steps {
		for _, out := range s.outs {
			v := &c.values[out]
			inside := s.region != none && v.last > i && v.last <= c.regions[s.region].last
			if inside && c.alignedRows(v.rows) {
				v.local = s.region
			}
		}
	}
}

// alignedRows reports whether a number of rows follows from centres.
func (p *Program) alignedRows(x extent) bool {
	return x.axis >= 0 && p.aligned[x.axis].kind != notAligned
}
