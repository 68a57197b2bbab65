package graph

import "github.com/fedlam/fedlam/kernels/cuda"

// A program with regions (Options.Whole not set) has values that nothing outside of a region reads. A DeviceExec does a region for a
// block of centres at a time, and keeps such values for one block: as many centres as fit the memory of the device, and all of them if
// they do. Maps are not renumbered for blocks: a value of a block is addressed as if the rows before it were there too.

// deviceBlock is the block of a region that is being recorded.
type deviceBlock struct {
	region int
	k      *blocking
	number int
}

// begins says whether sums over all rows begin with this block; steps outside of regions are blocks of their own.
func (b *deviceBlock) begins() bool { return b == nil || b.number == 0 }

// span returns the rows of x that are under way, of those of the whole batch.
func (e *DeviceExec[F]) span(x extent) (from, to int) {
	if e.block == nil || !e.program.alignedRows(x) {
		return 0, e.extent(x)
	}
	from, to = e.block.k.span(x.axis, e.block.number)
	return x.mul * from, x.mul * to
}

// slice returns where a value is, row 0 first. Of a value that is kept for one block only the rows of that are memory.
func (e *DeviceExec[F]) slice(id int) cuda.Slice[F] {
	v := &e.program.values[id]
	if e.block != nil && e.program.values[v.root].local == e.block.region {
		from, to := e.span(v.rows)
		at := e.localAt[v.root]
		return e.local.Cut(at, at+(to-from)*v.cols).Ahead(from * v.cols)
	}
	return e.at[v.root].Cut(0, e.rowsOf(v)*v.cols)
}

// rows returns those rows of a value that are under way.
func (e *DeviceExec[F]) rows(id int) cuda.Slice[F] {
	v := &e.program.values[id]
	from, to := e.span(v.rows)
	return e.slice(id).Cut(from*v.cols, to*v.cols)
}

// recordRegion records all steps of a region, block by block.
func (e *DeviceExec[F]) recordRegion(r int) {
	reg := &e.program.regions[r]
	for b := range e.blocks.blocks {
		e.block = &deviceBlock{r, &e.blocks, b}
		for i := reg.first; i <= reg.last; i++ {
			e.record(&e.program.steps[i])
		}
	}
	e.block = nil
}

// leastCentres is the least number of centres in a block: fewer do not keep a GPU busy.
const leastCentres = 256

// cutForMemory cuts the centres into as few blocks as the memory of the device allows, of which fixed bytes are taken by what
// is kept for all centres. It returns how many numbers a block's own values need.
func (e *DeviceExec[F]) cutForMemory(fixed int) (local int, err error) {
	available, _, err := e.device.FreeMemory()
	if err != nil {
		return 0, err
	}
	if e.values != nil {
		available += e.values.Bytes() // which is given back first where the new does not fit
	}
	centres := max(e.sizes[e.program.root], 1)
	if e.centres > 0 {
		centres = e.centres
	}
	for ; ; centres = (centres + 1) / 2 {
		e.cutBlocks(&e.blocks, centres)
		for axis, n := range e.blocks.most {
			e.blocks.planned[axis] = n
			if e.blocks.blocks > 1 {
				e.blocks.planned[axis] += n / 8 // other batches have their rows elsewhere
			}
		}
		local = e.layOutLocals()
		need := fixed + cuda.Room[F](local)
		if need <= available || centres <= leastCentres {
			return local, e.checkDevice(need, available)
		}
	}
}

// cutAgain cuts a batch of the same sizes, whose rows may belong to other centres, and reports whether its blocks fit the memory.
func (e *DeviceExec[F]) cutAgain() bool {
	if len(e.program.regions) == 0 || e.blocks.blocks <= 1 {
		return true
	}
	e.again.alike = 0 // what is launched follows from the blocks
	e.cutBlocks(&e.blocks, e.blocks.centres)
	for axis, n := range e.blocks.most {
		if n > e.blocks.planned[axis] {
			return false
		}
	}
	return true
}

// checkDevice fails if a batch needs more memory than the device has.
func (e *DeviceExec[F]) checkDevice(need, available int) error {
	if need <= available {
		return nil
	}
	return &MemoryError{Need: int64(need), Available: int64(available)}
}

// layOutLocals plans the values of regions for the largest block, and returns how many numbers they need.
func (e *DeviceExec[F]) layOutLocals() (most int) {
	p := e.program
	e.localAt = grow(e.localAt, len(p.values))
	for r := range p.regions {
		n := e.planLocals(r, func(v *value) int { return e.blocks.planned[v.rows.axis] * v.rows.mul * v.cols })
		for _, id := range p.regions[r].values {
			if p.values[id].local == r {
				e.localAt[id] = e.plan.at[id]
			}
		}
		most = max(most, n)
	}
	return most
}
