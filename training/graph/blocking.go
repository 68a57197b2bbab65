package graph

// A blocking cuts the centres into blocks of equal numbers, and knows what rows of each aligned axis belong to each
// block. Its maps and segments count from the first row of their block.
type blocking struct {
	centres int // of a block; the last may have fewer
	blocks  int
	first   [][]int32 // by axis: first row of each block, and the number of rows; nil for axes that are not aligned
	most    []int     // by axis: the most rows of a block
	planned []int     // by axis: rows that there is room for
	index   []indexState
	pairOff [][]int32
}

// span returns the rows of an axis that belong to block b.
func (k *blocking) span(axis, b int) (from, to int) {
	return int(k.first[axis][b]), int(k.first[axis][b+1])
}

// rows returns how many of the rows x belong to block b.
func (k *blocking) rows(x extent, b int) int {
	from, to := k.span(x.axis, b)
	return x.mul * (to - from)
}

// cutBlocks makes the blocking of the batch under way into blocks of so many centres.
func (e *Exec[F]) cutBlocks(k *blocking, centres int) {
	p := e.program
	total := e.sizes[p.root]
	k.centres, k.blocks = centres, (total+centres-1)/centres
	if k.first == nil {
		k.first, k.most, k.planned = make([][]int32, len(e.sizes)), make([]int, len(e.sizes)), make([]int, len(e.sizes))
		k.index, k.pairOff = make([]indexState, len(p.indices)), make([][]int32, len(p.pairs))
	}
	for axis, a := range p.aligned {
		if a.kind == notAligned {
			continue
		}
		k.first[axis] = grow(k.first[axis], k.blocks+1)
		k.most[axis] = 0
		for b := range k.blocks + 1 {
			row := int32(min(b*centres, total))
			switch a.kind {
			case byIndex:
				row = e.index[a.by].start[row]
			case byPairs:
				row = e.pairOff[a.by][row]
			}
			k.first[axis][b] = row
			if b > 0 {
				k.most[axis] = max(k.most[axis], int(row-k.first[axis][b-1]))
			}
		}
	}
	for i := range p.indices {
		if p.internal[i] {
			e.rebaseIndex(k, i)
		}
	}
	for i := range p.pairs {
		if p.aligned[len(p.axes)+i].kind == byPairs {
			k.pairOff[i] = k.rebaseSegments(k.pairOff[i], e.pairOff[i], p.root)
		}
	}
}

// rebaseIndex lets a map and its segments count from the first row of each block.
func (e *Exec[F]) rebaseIndex(k *blocking, i int) {
	st, own := &e.index[i], &k.index[i]
	fromAxis, toAxis := e.program.mapAxes[i][0], e.program.mapAxes[i][1]
	own.to = k.rebase(own.to, st.to, fromAxis, toAxis)
	if len(st.start) > 0 {
		own.start = k.rebaseSegments(own.start, st.start, toAxis)
	}
	if e.program.transpose[i] {
		own.rows = k.rebase(own.rows, st.rows, fromAxis, fromAxis)
	}
}

// rebase subtracts from each number, which belongs to a row of one axis, the first row of its block on another.
func (k *blocking) rebase(dst, src []int32, axis, base int) []int32 {
	dst = grow(dst, len(src))
	for b := range k.blocks {
		from, to := k.span(axis, b)
		first := k.first[base][b]
		for r := from; r < to; r++ {
			dst[r] = src[r] - first
		}
	}
	return dst
}

// rebaseSegments does the same for the starts of segments; each block has its own end, so those of block b begin at b
// plus its first segment.
func (k *blocking) rebaseSegments(dst, src []int32, axis int) []int32 {
	dst = grow(dst, len(src)+k.blocks)
	for b := range k.blocks {
		from, to := k.span(axis, b)
		for s := from; s <= to; s++ {
			dst[s+b] = src[s] - src[from]
		}
	}
	return dst
}

// segments returns the starts of block b among rebased ones.
func (k *blocking) segments(starts []int32, axis, b int) []int32 {
	if len(starts) == 0 {
		return nil
	}
	from, to := k.span(axis, b)
	return starts[from+b : to+b+1]
}
