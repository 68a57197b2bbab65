package graph

// Almost every map of a batch is good. So maps are first proven good in pieces, on all cores, by loops without branches that
// only say yes or no; a map of which that fails is looked at row by row, for the message or for an order that needs memory.

// checkRows is how many rows of a map are proven at a time.
const checkRows = 1 << 14

// mapCheck is a piece of a map: rows from (included) to (excluded).
type mapCheck struct {
	index, from, to int
	good            bool // for a map by which no two rows lead to the same one: the values ascend
}

// proveMaps proves the maps of the batch that are ready to be bound.
func (e *Exec[F]) proveMaps() {
	e.checks = e.checks[:0]
	for _, i := range e.ready {
		st := &e.index[i]
		st.proven = true
		if e.program.indices[i].pairs != nil {
			continue
		}
		for from := 0; from < len(st.to); from += checkRows {
			e.checks = append(e.checks, mapCheck{index: i, from: from, to: min(from+checkRows, len(st.to))})
		}
	}
	if len(e.checks) > 0 {
		e.pool.run(job{kind: checkJob}, len(e.checks))
	}
	for _, c := range e.checks {
		if !c.good {
			e.index[c.index].proven = false
		}
	}
}

// prove does one piece.
func (e *Exec[F]) prove(c *mapCheck) {
	x := e.program.indices[c.index]
	list, to := e.index[c.index].to, e.dim(x.to)
	switch x.order {
	case anyOrder:
		c.good = within(list[c.from:c.to], to)
	case ascending:
		c.good = climbs(list[max(c.from-1, 0):c.to], to, 0)
	case once:
		c.good = climbs(list[max(c.from-1, 0):c.to], to, 1)
	}
}

// within reports whether all values are from 0 to n-1.
func within(list []int32, n int) bool {
	var a, b, c, d uint32 // negative numbers are large
	for ; len(list) >= 4; list = list[4:] {
		a, b = max(a, uint32(list[0])), max(b, uint32(list[1]))
		c, d = max(c, uint32(list[2])), max(d, uint32(list[3]))
	}
	for _, v := range list {
		a = max(a, uint32(v))
	}
	return uint64(max(a, b, c, d)) < uint64(n)
}

// climbs reports whether each of the values, at least one, is at least step more than the one before, and all are from 0 to
// n-1.
func climbs(list []int32, n int, step int64) bool {
	if list[0] < 0 || int(list[len(list)-1]) >= n {
		return false
	}
	short, before := int64(0), int64(list[0]) // short: negative if a difference is too small
	list = list[1:]
	for ; len(list) >= 4; list = list[4:] {
		a, b, c, d := int64(list[0]), int64(list[1]), int64(list[2]), int64(list[3])
		short |= (a - before - step) | (b - a - step) | (c - b - step) | (d - c - step)
		before = d
	}
	for _, v := range list {
		short |= int64(v) - before - step
		before = int64(v)
	}
	return short >= 0
}
