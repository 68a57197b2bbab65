package graph

import "slices"

// planner places values in one arena. It walks through the schedule, keeping a list of the free blocks; a value takes
// the tightest block that fits and returns it after its last reader.
type planner struct {
	free []block // ascending, no two adjacent
	at   []int   // by root value: offset in the arena
	size []int   // by root value: elements, rounded up
	end  int     // elements of the arena
}

type block struct{ at, size int }

// alignment of values, in elements.
const alignment = 16

func (p *planner) reset(values int) {
	p.free = p.free[:0]
	p.at, p.size = grow(p.at, values), grow(p.size, values)
	clear(p.at)
	clear(p.size)
	p.end = 0
}

// take reserves n elements for value id.
func (p *planner) take(id, n int) {
	n = (n + alignment - 1) / alignment * alignment
	p.size[id] = n
	if n == 0 {
		return
	}
	best := -1
	for i, b := range p.free {
		if b.size >= n && (best < 0 || b.size < p.free[best].size) {
			best = i
		}
	}
	if best < 0 {
		p.at[id] = p.extend(n)
		return
	}
	b := &p.free[best]
	p.at[id] = b.at
	b.at += n
	b.size -= n
	if b.size == 0 {
		p.free = slices.Delete(p.free, best, best+1)
	}
}

// extend makes the arena longer, beginning with its last block if that is free.
func (p *planner) extend(n int) int {
	at := p.end
	if last := len(p.free) - 1; last >= 0 && p.free[last].at+p.free[last].size == p.end {
		at = p.free[last].at
		p.free = p.free[:last]
	}
	p.end = at + n
	return at
}

// give returns the memory of value id.
func (p *planner) give(id int) {
	b := block{p.at[id], p.size[id]}
	p.size[id] = 0
	if b.size == 0 {
		return
	}
	i, _ := slices.BinarySearchFunc(p.free, b, func(x, y block) int { return x.at - y.at })
	if i < len(p.free) && b.at+b.size == p.free[i].at {
		p.free[i].at = b.at
		p.free[i].size += b.size
	} else {
		p.free = slices.Insert(p.free, i, b)
	}
	if i > 0 && p.free[i-1].at+p.free[i-1].size == p.free[i].at {
		p.free[i-1].size += p.free[i].size
		p.free = slices.Delete(p.free, i, i+1)
	}
}

// pass hands the memory of value from over to value to.
func (p *planner) pass(from, to int) {
	p.at[to], p.size[to] = p.at[from], p.size[from]
	p.size[from] = 0
}
