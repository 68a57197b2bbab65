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

// cutBlocks makes the blocking of the batch under way into blocks of so many centres, but for what rebaseBlock does.
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
		if own := &k.index[i]; p.internal[i] {
			st := &e.index[i]
			own.to = grow(own.to, len(st.to))
			if len(st.start) > 0 {
				own.start = grow(own.start, len(st.start)+k.blocks)
			}
			if p.transpose[i] {
				own.rows = grow(own.rows, len(st.rows))
			}
		}
	}
	for i := range p.pairs {
		if e.alignedPairs(i) {
			k.pairOff[i] = grow(k.pairOff[i], len(e.pairOff[i])+k.blocks)
		}
	}
}

func (e *Exec[F]) alignedPairs(i int) bool {
	return e.program.aligned[len(e.program.axes)+i].kind == byPairs
}

// rebaseBlock lets the maps and segments of block b count from its first rows.
func (e *Exec[F]) rebaseBlock(k *blocking, b int) {
	p := e.program
	for i := range p.indices {
		if !p.internal[i] {
			continue
		}
		st, own := &e.index[i], &k.index[i]
		from, to := p.mapAxes[i][0], p.mapAxes[i][1]
		k.rebase(own.to, st.to, b, from, to)
		if len(st.start) > 0 {
			k.rebaseSegments(own.start, st.start, b, to)
		}
		if p.transpose[i] {
			k.rebase(own.rows, st.rows, b, from, from)
		}
	}
	for i := range p.pairs {
		if e.alignedPairs(i) {
			k.rebaseSegments(k.pairOff[i], e.pairOff[i], b, p.root)
		}
	}
}

// rebase subtracts from each number of block b, which belongs to a row of one axis, the first row of the block on another.
func (k *blocking) rebase(dst, src []int32, b, axis, base int) {
	from, to := k.span(axis, b)
	first := k.first[base][b]
	dst, src = dst[from:to], src[from:to]
	for r, x := range src {
		dst[r] = x - first
	}
}

// rebaseSegments does the same for the starts of segments; each block has its own end, so those of block b begin at b
// plus its first segment.
func (k *blocking) rebaseSegments(dst, src []int32, b, axis int) {
	from, to := k.span(axis, b)
	for s := from; s <= to; s++ {
		dst[s+b] = src[s] - src[from]
	}
}

// segments returns the starts of block b among rebased ones.
func (k *blocking) segments(starts []int32, axis, b int) []int32 {
	if len(starts) == 0 {
		return nil
	}
	from, to := k.span(axis, b)
	return starts[from+b : to+b+1]
}
