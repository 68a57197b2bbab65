package graph

import (
	"github.com/fedlam/fedlam/kernels"
	"github.com/fedlam/fedlam/kernels/cuda"
)

// placeFixed takes memory for what does not depend on batches: parameters, constants, values that follow from them, and maps of
// columns; and brings there what is known.
func (e *DeviceExec[F]) placeFixed() (err error) {
	p := e.program
	bytes := 0
	for i := range p.values {
		switch v := &p.values[i]; v.where {
		case inParam, inConst, inFrozen:
			bytes += cuda.Room[F](v.rows.mul * v.cols)
		}
	}
	maps := p.rowMaps()
	for _, m := range maps {
		from, _ := m.Columns()
		bytes += cuda.Room[int32](len(from))
	}
	if e.fixed, err = e.device.NewArena(bytes); err != nil {
		return err
	}
	for i := range p.values {
		v := &p.values[i]
		if v.where != inParam && v.where != inConst && v.where != inFrozen {
			continue
		}
		if e.at[i], err = cuda.Take[F](e.fixed, v.rows.mul*v.cols); err != nil {
			return err
		}
		if v.where == inConst {
			cuda.Upload(&e.list, e.at[i], e.vals[i])
		}
	}
	for _, m := range maps {
		from, _ := m.Columns()
		columns := make([]int32, len(from))
		for c, x := range from {
			columns[c] = int32(x)
		}
		if e.perms[m], err = cuda.Take[int32](e.fixed, len(columns)); err != nil {
			return err
		}
		cuda.Upload(&e.list, e.perms[m], columns)
	}
	if err := e.stream.Run(&e.list); err != nil {
		return err
	}
	return e.stream.Sync()
}

// rowMaps lists the maps of columns of all steps.
func (p *Program) rowMaps() (list []*kernels.RowMap) {
	for i := range p.steps {
		s := &p.steps[i]
		if s.rowMap != nil {
			list = append(list, s.rowMap)
		}
		if s.tile == nil {
			continue
		}
		for l := range s.tile.loads {
			if m := s.tile.loads[l].rowMap; m != nil {
				list = append(list, m)
			}
		}
	}
	return list
}

// upload brings parameters to the device, if they have changed here, and waits for it: they may change again.
func (e *DeviceExec[F]) upload() error {
	if e.loaded {
		return nil
	}
	e.list.Reset()
	for i := range e.program.values {
		if e.program.values[i].where == inParam {
			cuda.Upload(&e.list, e.at[i], e.vals[i])
		}
	}
	if err := e.stream.Run(&e.list); err != nil {
		return err
	}
	e.loaded = true
	return e.stream.Sync()
}

// eachMap visits what steps need of the maps between rows.
func (e *DeviceExec[F]) eachMap(visit func(to *cuda.Slice[int32], data []int32)) {
	p := e.program
	for i := range p.indices {
		m, st := &e.maps[i], &e.index[i]
		visit(&m.to, st.to)
		if p.segmented[i] || p.transpose[i] {
			visit(&m.start, st.start)
		}
		if p.transpose[i] {
			visit(&m.rows, st.rows)
		}
	}
	for i := range p.pairs {
		visit(&e.pairs[i], e.pairOff[i])
	}
}

// makeRoom empties an arena and makes it so large at least. It waits for work that may still use what it frees. What was
// recorded for other memory cannot be started again.
func (e *DeviceExec[F]) makeRoom(a **cuda.Arena, bytes int) (err error) {
	if *a != nil && (*a).Bytes() >= bytes {
		(*a).Reset(0)
		return nil
	}
	e.again.alike = 0
	if *a != nil {
		if err := e.stream.Sync(); err != nil {
			return err
		}
		if err := (*a).Free(); err != nil {
			return err
		}
	}
	*a = nil
	free, _, err := e.device.FreeMemory()
	if err == nil {
		err = e.checkDevice(bytes, free)
	}
	if err != nil {
		return err
	}
	more := bytes / 4 // so that slightly larger batches need no new memory
	if bytes+more > free {
		more = 0
	}
	*a, err = e.device.NewArena(bytes + more)
	return err
}

// layOut plans the memory of values for the sizes of the batch.
func (e *DeviceExec[F]) layOut() (err error) {
	p := e.program
	scrap, scrap8 := 0, 0
	for i := range p.steps {
		n, n8 := e.scratchOf(&p.steps[i])
		scrap, scrap8 = max(scrap, n), max(scrap8, n8)
	}
	bytes, local := e.planValues(scrap, scrap8), 0
	if len(p.regions) > 0 {
		if local, err = e.cutForMemory(bytes); err != nil {
			return err
		}
		bytes = e.planValues(scrap, scrap8) // again: the values of a block were planned in its place
	}
	if err := e.makeRoom(&e.values, bytes+cuda.Room[F](local)); err != nil {
		return err
	}
	all, err := cuda.Take[F](e.values, e.plan.end)
	if err != nil {
		return err
	}
	for i := range p.values {
		if v := &p.values[i]; v.where == inArena && v.local == none {
			e.at[i] = all.Cut(e.plan.at[i], e.plan.at[i]+e.rowsOf(v)*v.cols)
		}
	}
	if e.local, err = cuda.Take[F](e.values, local); err != nil {
		return err
	}
	if e.scrap, err = cuda.Take[F](e.values, scrap); err != nil {
		return err
	}
	e.scrap8, err = cuda.Take[float64](e.values, scrap8)
	return err
}

// planValues plans what is kept for all centres, and returns the bytes that it needs, with scratch. Values of all steps of a region live at
// once, as its blocks go through all of them.
func (e *DeviceExec[F]) planValues(scrap, scrap8 int) (bytes int) {
	p := e.program
	e.plan.reset(len(p.values))
	for i := 0; i < len(p.steps); i++ {
		last := i
		if r := p.steps[i].region; r != none {
			last = p.regions[r].last
		}
		for k := i; k <= last; k++ {
			e.reserve(&p.steps[k], none, func(v *value) int { return e.rowsOf(v) * v.cols })
		}
		for k := i; k <= last; k++ {
			e.release(&p.steps[k], none, i, last)
		}
		i = last
	}
	return cuda.Room[F](e.plan.end) + cuda.Room[F](scrap) + cuda.Room[float64](scrap8)
}
