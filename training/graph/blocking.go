package graph

// A blocking cuts the centres into blocks of equal numbers, and knows what rows of each aligned axis belong to each
// block.
type blocking struct {
	centres int // of a block; the last may have fewer
	blocks  int
	first   [][]int32 // by axis: first row of each block, and the number of rows; nil for axes that are not aligned
	most    []int     // by axis: the most rows of a block
	planned []int     // by axis: rows that there is room for
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
}
