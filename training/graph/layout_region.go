package graph

import "math/bits"

// Blocks are made as large as their local values fit localElements numbers, which stay in the second-level cache, but not
// so large that threads run out of blocks.
const (
	localElements = 1 << 17
	leastBlocks   = 8
	maxLevel      = 10
)

// chooseBlocks decides how many centres the blocks of each region have, from sizes alone.
func (e *Exec[F]) chooseBlocks() {
	prog := e.program
	if e.regions == nil {
		e.regions, e.blockings = make([]regionPlan, len(prog.regions)), make([]blocking, maxLevel+1)
		for r, reg := range prog.regions {
			e.regions[r].sumAt = make([]int, reg.last-reg.first+1)
		}
	}
	if len(prog.regions) == 0 {
		return
	}
	total := e.sizes[prog.root]
	most := max(0, bits.Len(uint(total/leastBlocks))-1)
	for r := range prog.regions {
		perCentre := e.planLocals(r, func(v *value) int {
			return (e.rowsOf(v)*v.cols*16 + total - 1) / max(total, 1)
		}) / 16
		level := max(0, bits.Len(uint(localElements/max(perCentre, 1)))-1)
		e.regions[r].level = min(level, most, maxLevel)
	}
}

// block cuts the batch under way into blocks, and reports whether they fit the plan.
func (e *Exec[F]) block() (fits bool) {
	fits = true
	var done [maxLevel + 1]bool
	for r := range e.regions {
		level := e.regions[r].level
		if done[level] {
			continue
		}
		done[level] = true
		k := &e.blockings[level]
		e.cutBlocks(k, 1<<level)
		for axis, n := range k.most {
			if n > k.planned[axis] {
				fits = false
				k.planned[axis] = n + n/8
			}
		}
	}
	return fits
}

// planLocals gives memory to the local values of region r and returns how many numbers they need.
func (e *Exec[F]) planLocals(r int, size func(v *value) int) int {
	reg := &e.program.regions[r]
	e.plan.reset(len(e.program.values))
	for i := reg.first; i <= reg.last; i++ {
		s := &e.program.steps[i]
		e.reserve(s, r, size)
		e.release(s, r, i, i)
	}
	return e.plan.end
}

// layOutRegions plans what regions need besides the arena, which must be laid out already.
func (e *Exec[F]) layOutRegions() {
	prog := e.program
	e.localAt = grow(e.localAt, len(prog.values))
	for r := range prog.regions {
		plan := &e.regions[r]
		k := &e.blockings[plan.level]
		plan.localElems = e.planLocals(r, func(v *value) int { return k.planned[v.rows.axis] * v.rows.mul * v.cols })
		for _, id := range prog.regions[r].values {
			if prog.values[id].local == r {
				e.localAt[id] = e.plan.at[id]
			}
		}
		plan.grain = 1
		if prog.sums(&prog.regions[r]) {
			plan.grain = max(1, (k.blocks+maxRegionPieces-1)/maxRegionPieces)
		}
		plan.pieces = (k.blocks + plan.grain - 1) / plan.grain
	}
}

// growRegions makes room for sums and local values, and tells regions where their sums go.
func (e *Exec[F]) growRegions(buffers *bufferSizes) {
	prog := e.program
	for r := range prog.regions {
		plan := &e.regions[r]
		k := &e.blockings[plan.level]
		partial, partial8 := 0, 0
		for i := prog.regions[r].first; i <= prog.regions[r].last; i++ {
			s := &prog.steps[i]
			at := &plan.sumAt[i-prog.regions[r].first]
			switch {
			case s.sumsRows():
				*at = partial
				partial += len(e.vals[s.outs[0]]) * plan.pieces
			case s.tile != nil:
				*at = partial8
				partial8 += s.tile.sums * max(plan.pieces, 1)
			}
			e.addBuffers(buffers, s, k.planned[s.over.axis]*s.over.mul)
		}
		buffers.partial, buffers.partial8 = max(buffers.partial, partial), max(buffers.partial8, partial8)
		buffers.local = max(buffers.local, plan.localElems)
		for _, sc := range e.scratch {
			e.growMaps(&sc.block, &prog.regions[r], k)
		}
	}
}
