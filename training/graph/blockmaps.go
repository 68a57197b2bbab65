package graph

// Maps that stay inside a centre lead, within a block, to rows counted from the first of the block. Workers renumber the maps
// that a region needs when they come to a block, in memory of their own: it is small, and stays in the cache.

// growMaps makes room in v for the maps that region reg needs of a block of k.
func (e *Exec[F]) growMaps(v *view[F], reg *region, k *blocking) {
	p := e.program
	for _, m := range reg.maps {
		if !p.internal[m.index] {
			continue
		}
		st := &v.index[m.index]
		from, to := k.planned[p.mapAxes[m.index][0]], k.planned[p.mapAxes[m.index][1]]
		if m.to {
			st.to = grow(st.to, from)
		}
		if m.segments {
			st.start = grow(st.start, to+1)
		}
		if m.transposed {
			st.rows = grow(st.rows, from)
		}
	}
	for _, i := range reg.pairs {
		v.pairOff[i] = grow(v.pairOff[i], k.planned[p.root]+1)
	}
}

// lookMaps lets v show the maps of block b of k that region reg needs.
func (e *Exec[F]) lookMaps(v *view[F], reg *region, k *blocking, b int) {
	p := e.program
	for _, m := range reg.maps {
		all, st := &e.index[m.index], &v.index[m.index]
		fromAxis, toAxis := p.mapAxes[m.index][0], p.mapAxes[m.index][1]
		if fromAxis < 0 || p.aligned[fromAxis].kind == notAligned {
			continue
		}
		from, to := k.span(fromAxis, b)
		if !p.internal[m.index] {
			st.to = all.to[from:to]
			continue
		}
		first, last := k.span(toAxis, b)
		if m.to {
			st.to = renumber(st.to, all.to[from:to], int32(first))
		}
		if m.segments {
			st.start = renumber(st.start, all.start[first:last+1], int32(from))
		}
		if m.transposed {
			st.rows = renumber(st.rows, all.rows[from:to], int32(from))
		}
	}
	first, last := k.span(p.root, b)
	for _, i := range reg.pairs {
		off := e.pairOff[i][first : last+1]
		v.pairOff[i] = renumber(v.pairOff[i], off, off[0])
	}
}

// renumber fills dst, which has room, with src counted from first.
func renumber(dst, src []int32, first int32) []int32 {
	dst = dst[:len(src)]
	for i, row := range src {
		dst[i] = row - first
	}
	return dst
}
