package graph

import (
	"container/heap"
	"fmt"
)

// schedule returns the units in an order in which each comes after those it needs; among those that are ready, the
// one that was written first.
func schedule(units []*unit, inline map[*Tensor]bool) []*unit {
	of := map[*Tensor]*unit{}
	for _, u := range units {
		for _, t := range u.members {
			of[t] = u
		}
	}
	for _, u := range units {
		needs := map[*unit]bool{u: true}
		u.eachOperand(inline, func(a *Tensor) {
			if from := of[a]; !needs[from] {
				needs[from] = true
				from.feeds = append(from.feeds, u)
				u.waits++
			}
		})
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

// eachOperand calls f for the tensors that the unit reads, those of its own members included; inlined moves stand for
// what they move.
func (u *unit) eachOperand(inline map[*Tensor]bool, f func(a *Tensor)) {
	for _, t := range u.members {
		for _, a := range t.args {
			if !inline[a] {
				f(a)
				continue
			}
			for _, from := range a.args {
				f(from)
			}
		}
	}
}

// unitHeap orders units by their place in the list of tensors.
type unitHeap []*unit

func (h unitHeap) Len() int           { return len(h) }
func (h unitHeap) Less(i, j int) bool { return h[i].key < h[j].key }
func (h unitHeap) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }
func (h *unitHeap) Push(x any)        { *h = append(*h, x.(*unit)) }
func (h *unitHeap) Pop() any {
	old := *h
	u := old[len(old)-1]
	*h = old[:len(old)-1]
	return u
}
