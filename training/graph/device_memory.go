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
	*a, err = e.device.NewArena(bytes + bytes/4)
	return err
}

// layOut plans the memory of values for the sizes of the batch.
func (e *DeviceExec[F]) layOut() error {
	p := e.program
	e.plan.reset(len(p.values))
	scrap, scrap8 := 0, 0
	for i := range p.steps {
		s := &p.steps[i]
		e.reserve(s)
		n, n8 := e.scratchOf(s)
		scrap, scrap8 = max(scrap, n), max(scrap8, n8)
		e.release(s, i)
	}
	bytes := cuda.Room[F](e.plan.end) + cuda.Room[F](scrap) + cuda.Room[float64](scrap8)
	if err := e.makeRoom(&e.values, bytes); err != nil {
		return err
	}
	all, err := cuda.Take[F](e.values, e.plan.end)
	if err != nil {
		return err
	}
	for i := range p.values {
		if v := &p.values[i]; v.where == inArena {
			e.at[i] = all.Cut(e.plan.at[i], e.plan.at[i]+e.rowsOf(v)*v.cols)
		}
	}
	if e.scrap, err = cuda.Take[F](e.values, scrap); err != nil {
		return err
	}
	e.scrap8, err = cuda.Take[float64](e.values, scrap8)
	return err
}

// reserve takes memory for what a step computes.
func (e *DeviceExec[F]) reserve(s *step) {
	p := e.program
	for o, out := range s.outs {
		v := &p.values[out]
		if v.where != inArena {
			continue
		}
		passed := false
		for _, r := range s.reuse {
			if r.out == o {
				e.plan.pass(p.values[s.args[r.arg]].root, out)
				passed = true
			}
		}
		if !passed {
			e.plan.take(out, e.rowsOf(v)*v.cols)
		}
	}
}

// release returns the memory of what nothing reads after step i.
func (e *DeviceExec[F]) release(s *step, i int) {
	p := e.program
	for _, a := range s.args {
		root := p.values[a].root
		if v := &p.values[root]; v.where == inArena && v.last == i {
			e.plan.give(root)
		}
	}
	for _, out := range s.outs {
		if v := &p.values[out]; v.where == inArena && v.last < i {
			e.plan.give(out)
		}
	}
}
