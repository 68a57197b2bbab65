package graph

import (
	"errors"
	"fmt"
	"math"
)

// indexState is an index map during a run, with what is derived from it. Slices grow and are kept.
type indexState struct {
	to    []int32 // the map
	start []int32 // segments (sorted maps), or starts within rows (others)
	rows  []int32 // rows that map to each row in turn, if the map is not sorted
	own   []int32 // memory of to, for maps derived from pairs
	seen  []uint64

	bound  bool
	proven bool // good; if no two rows lead to the same one, the values ascend
}

// bindIndices binds all index maps and pairs, those first that others are derived from; maps that do not depend on each
// other, side by side.
func (e *Exec[F]) bindIndices(b *Batch[F]) error {
	p := e.program
	for i := range p.pairs {
		e.sizes[len(p.axes)+i] = -1 // not yet bound
	}
	for i := range e.index {
		e.index[i].bound = false
	}
	for done := 0; done < len(p.indices); done += len(e.ready) {
		e.ready = e.ready[:0]
		for i, x := range p.indices {
			if !e.index[i].bound && e.dim(x.from) >= 0 && e.dim(x.to) >= 0 {
				if err := e.locate(i, b); err != nil {
					return err
				}
				e.ready = append(e.ready, i)
			}
		}
		if len(e.ready) == 0 {
			return errors.New("index maps depend on each other in a circle")
		}
		e.proveMaps()
		e.bound = grow(e.bound, len(e.ready))
		e.pool.run(job{kind: indexJob}, len(e.ready))
		for k, i := range e.ready {
			if e.bound[k] != nil {
				return e.bound[k]
			}
			e.index[i].bound = true
		}
		if err := e.bindAllPairs(); err != nil {
			return err
		}
	}
	return nil
}

// bindAllPairs finds the sizes of the pairs whose centres are bound.
func (e *Exec[F]) bindAllPairs() error {
	p := e.program
	for i := range p.pairs {
		if e.sizes[len(p.axes)+i] < 0 && e.index[e.indexOf(p.pairs[i].centre)].bound {
			if err := e.bindPairs(i); err != nil {
				return err
			}
		}
	}
	return nil
}

// locate finds map i in the batch, unless it is derived.
func (e *Exec[F]) locate(i int, b *Batch[F]) error {
	x := e.program.indices[i]
	if x.pairs != nil {
		return nil
	}
	data, ok := b.Indices[x.name]
	if !ok {
		return fmt.Errorf("the batch gives no index %q", x.name)
	}
	if from := e.dim(x.from); len(data) != from {
		return fmt.Errorf("index %q has %d values, want %d (%v)", x.name, len(data), from, x.from)
	}
	e.index[i].to = data
	return nil
}

// bindIndex checks map i of the batch, or derives it, and finds its segments.
func (e *Exec[F]) bindIndex(i int) error {
	x, st := e.program.indices[i], &e.index[i]
	from, to := e.dim(x.from), e.dim(x.to)
	if x.pairs != nil {
		e.derivePairs(st, x)
	} else if !st.proven {
		if err := checkIndex(st, to, x.order); err != nil {
			return fmt.Errorf("index %q: %w", x.name, err)
		}
	}
	if e.program.segmented[i] || e.program.transpose[i] {
		if to >= maxElements {
			return fmt.Errorf("index %q: %d rows to map to are too many", x.name, to)
		}
		st.start = grow(st.start, to+1)
		if x.sorted() {
			segments(st.start, st.to)
		} else {
			starts(st.start, st.to)
		}
	}
	if e.program.transpose[i] {
		st.rows = transpose(grow(st.rows, from), st.start, st.to)
	}
	return nil
}

// checkIndex looks for values that are out of range or against the order.
func checkIndex(st *indexState, to int, order mapOrder) error {
	if order == once {
		st.seen = grow(st.seen, (to+63)/64)
		clear(st.seen)
	}
	previous := int32(0)
	for r, v := range st.to {
		if uint(v) >= uint(to) { // negative numbers are large
			return fmt.Errorf("row %d maps to %d, want 0 to %d", r, v, to-1)
		}
		switch order {
		case ascending:
			if v < previous {
				return fmt.Errorf("row %d maps to %d after %d; the values must not decrease", r, v, previous)
			}
			previous = v
		case once:
			word, bit := &st.seen[uint(v)/64], uint64(1)<<(uint(v)%64)
			if *word&bit != 0 {
				return fmt.Errorf("row %d maps to %d, as one before does; no value may come twice", r, v)
			}
			*word |= bit
		}
	}
	return nil
}

// segments finds the first row that leads to each row or beyond, of a map whose values never decrease.
func segments(start, to []int32) {
	const stride = 16 // of rows that are looked at in long segments
	s := 0
	for r := 0; r < len(to); r++ {
		v := to[r]
		for ; s <= int(v); s++ {
			start[s] = int32(r)
		}
		for r+stride < len(to) && to[r+stride] == v {
			r += stride
		}
	}
	for ; s < len(start); s++ {
		start[s] = int32(len(to))
	}
}

// starts counts how many rows map to each row and makes running sums of it: start[s] rows map to rows below s.
func starts(start, to []int32) {
	clear(start)
	for _, v := range to {
		start[v+1]++
	}
	for s := 1; s < len(start); s++ {
		start[s] += start[s-1]
	}
}

// transpose lists the rows that map to row 0, then those that map to row 1, ... each in ascending order.
func transpose(rows, start, to []int32) []int32 {
	for r, v := range to { // start[v] moves up to start[v+1]
		rows[start[v]] = int32(r)
		start[v]++
	}
	copy(start[1:], start[:len(start)-1])
	start[0] = 0
	return rows
}

// bindPairs finds the first pair of each centre, and so the number of pairs.
func (e *Exec[F]) bindPairs(i int) error {
	p := e.program
	centre := e.indexOf(p.pairs[i].centre)
	start := e.index[centre].start
	off := grow(e.pairOff[i], len(start))
	total, most := 0, 0
	for s := range len(start) - 1 {
		off[s] = int32(total)
		n := int(start[s+1] - start[s])
		total += n * n
		most = max(most, n)
		if total > maxElements {
			return fmt.Errorf("pairs %q: more than %d; use a smaller batch", p.pairs[i].name, maxElements)
		}
	}
	off[len(off)-1] = int32(total)
	e.pairOff[i], e.pairMost[i] = off, most
	e.sizes[len(p.axes)+i] = total
	return nil
}

// derivePairs fills in the left or right map of pairs.
func (e *Exec[F]) derivePairs(st *indexState, x *Index) {
	p := x.pairs
	i := e.pairsOf(p)
	off := e.pairOff[i]
	start := e.index[e.indexOf(p.centre)].start
	st.own = grow(st.own, int(off[len(off)-1]))
	st.to = st.own
	at := 0
	for s := range len(start) - 1 {
		for j := start[s]; j < start[s+1]; j++ {
			for k := start[s]; k < start[s+1]; k++ {
				if x == p.left {
					st.own[at] = j
				} else {
					st.own[at] = k
				}
				at++
			}
		}
	}
}

func (e *Exec[F]) indexOf(x *Index) int {
	for i, y := range e.program.indices {
		if x == y {
			return i
		}
	}
	return -1
}

func (e *Exec[F]) pairsOf(x *Pairs) int {
	for i, y := range e.program.pairs {
		if x == y {
			return i
		}
	}
	return -1
}

// grow returns s with length n, in new memory only if it must; the contents are undefined.
func grow[E any](s []E, n int) []E {
	if cap(s) >= n {
		return s[:n]
	}
	return make([]E, n, min(n+n/4, math.MaxInt))
}
