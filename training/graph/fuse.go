package graph

import (
	"container/heap"
	"fmt"
	"slices"
)

// maxFused is the largest number of operations in one fused step.
const maxFused = 48

// unit is what becomes one step: a single tensor, or elementwise operations of one shape that are computed tile by tile
// in one pass over memory.
type unit struct {
	members []*Tensor // ascending id
	fused   bool
	waits   int     // units not yet scheduled that this one needs
	feeds   []*unit // units that need this one
}

func fusable(t *Tensor) bool {
	return t.op.elementwise() || t.op == opBroadcastRows || t.op == opBroadcastCols
}

// class is what the members of a fused unit have in common. Any path between two tensors that leaves the class by one
// of its edges raises the stage, so units of the same class never wait for each other in a circle.
type class struct {
	rows  Dim
	cols  int
	stage int
}

// fuse groups the tensors, which come arguments first, into units.
func fuse(list []*Tensor) []*unit {
	stage := map[*Tensor]int{}
	groups := map[class][]*Tensor{}
	var order []class
	var units []*unit
	for _, t := range list {
		at := 0
		for _, a := range t.args {
			next := stage[a] + 1
			if fusable(t) && fusable(a) && a.rows == t.rows && a.cols == t.cols {
				next = stage[a]
			}
			at = max(at, next)
		}
		stage[t] = at
		if !fusable(t) {
			units = append(units, &unit{members: []*Tensor{t}})
			continue
		}
		c := class{t.rows, t.cols, at}
		if groups[c] == nil {
			order = append(order, c)
		}
		groups[c] = append(groups[c], t)
	}
	for _, c := range order {
		for _, members := range connected(groups[c]) {
			for part := range slices.Chunk(members, maxFused) {
				units = append(units, &unit{members: part, fused: true})
			}
		}
	}
	return units
}

// connected splits the tensors of one class into sets that share operands or depend on each other.
func connected(list []*Tensor) [][]*Tensor {
	parent := map[*Tensor]*Tensor{}
	var find func(t *Tensor) *Tensor
	find = func(t *Tensor) *Tensor {
		if parent[t] == nil || parent[t] == t {
			return t
		}
		parent[t] = find(parent[t])
		return parent[t]
	}
	for _, t := range list {
		for _, a := range t.args {
			if a.rows == t.rows && a.cols == t.cols {
				parent[find(a)] = find(t)
			}
		}
	}
	var sets [][]*Tensor
	number := map[*Tensor]int{}
	for _, t := range list {
		root := find(t)
		at, ok := number[root]
		if !ok {
			at = len(sets)
			number[root] = at
			sets = append(sets, nil)
		}
		sets[at] = append(sets[at], t)
	}
	return sets
}

// schedule returns the units in an order in which each comes after those it needs; among those that are ready, the
// one that was written first.
func schedule(units []*unit) []*unit {
	of := map[*Tensor]*unit{}
	for _, u := range units {
		for _, t := range u.members {
			of[t] = u
		}
	}
	for _, u := range units {
		needs := map[*unit]bool{u: true}
		for _, t := range u.members {
			for _, a := range t.args {
				if from := of[a]; !needs[from] {
					needs[from] = true
					from.feeds = append(from.feeds, u)
					u.waits++
				}
			}
		}
	}
	var ready unitHeap
	for _, u := range units {
		if u.waits == 0 {
			heap.Push(&ready, u)
		}
	}
	var sorted []*unit
	for len(ready) > 0 {
		u := heap.Pop(&ready).(*unit)
		sorted = append(sorted, u)
		for _, f := range u.feeds {
			if f.waits--; f.waits == 0 {
				heap.Push(&ready, f)
			}
		}
	}
	if len(sorted) != len(units) {
		panic(fmt.Sprintf("graph: %d of %d units wait for each other", len(units)-len(sorted), len(units)))
	}
	return sorted
}

// unitHeap orders units by their last member.
type unitHeap []*unit

func (h unitHeap) Len() int           { return len(h) }
func (h unitHeap) Less(i, j int) bool { return h[i].last() < h[j].last() }
func (h unitHeap) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }
func (h *unitHeap) Push(x any)        { *h = append(*h, x.(*unit)) }
func (h *unitHeap) Pop() any {
	old := *h
	u := old[len(old)-1]
	*h = old[:len(old)-1]
	return u
}

func (u *unit) last() int { return u.members[len(u.members)-1].id }
