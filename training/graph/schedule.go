package graph

import (
	"container/heap"
	"fmt"
)

// none is the region of what belongs to no region.
const none = -1

// scheduler brings units into an order in which each comes after those it needs, regions and other units in turns.
// Among those that are ready, the one that was written first comes first.
type scheduler struct {
	*blocker
	whole  bool // there are no regions
	phase  int  // even: units of no region; odd: one region
	ready  [2]unitHeap
	later  []*unit
	sorted []*unit
}

// schedule orders the units and numbers their regions.
func schedule(units []*unit, inline map[*Tensor]bool, b *blocker, whole bool) []*unit {
	s := &scheduler{blocker: b, whole: whole}
	s.link(units, inline)
	for _, u := range units {
		u.region = none
		if u.waits == 0 {
			s.push(u)
		}
	}
	for len(s.ready[0])+len(s.ready[1])+len(s.later) > 0 {
		s.runPhase()
	}
	if len(s.sorted) != len(units) {
		panic(fmt.Sprintf("graph: %d of %d units wait for each other", len(units)-len(s.sorted), len(units)))
	}
	numberRegions(s.sorted)
	return s.sorted
}

// link finds who feeds whom.
func (s *scheduler) link(units []*unit, inline map[*Tensor]bool) {
	of := map[*Tensor]*unit{}
	for _, u := range units {
		u.local = !s.whole && s.local(u)
		for _, t := range u.members {
			of[t] = u
		}
	}
	for _, u := range units {
		edges := map[*unit]int{} // position in from.feeds
		s.eachAccess(u, inline, func(a *Tensor, aligned bool) {
			from := of[a]
			if from == u {
				return
			}
			at, ok := edges[from]
			if !ok {
				at = len(from.feeds)
				edges[from] = at
				from.feeds = append(from.feeds, feed{to: u})
				u.waits++
			}
			leaf := from.members[0].op <= opConst && !from.fused
			if together := from.local && u.local && aligned; !together && !leaf && (from.local || u.local) {
				from.feeds[at].barrier = true
			}
		})
	}
}

func (s *scheduler) push(u *unit) {
	switch {
	case u.notBefore > s.phase:
		s.later = append(s.later, u)
	case u.local:
		heap.Push(&s.ready[1], u)
	default:
		heap.Push(&s.ready[0], u)
	}
}

// runPhase takes all units of one kind that can be taken.
func (s *scheduler) runPhase() {
	queue := &s.ready[s.phase%2]
	for len(*queue) > 0 {
		u := heap.Pop(queue).(*unit)
		if u.local {
			u.region = s.phase
		}
		s.sorted = append(s.sorted, u)
		for _, f := range u.feeds {
			if f.barrier {
				f.to.notBefore = s.phase + 1
			}
			if f.to.waits--; f.to.waits == 0 {
				s.push(f.to)
			}
		}
	}
	s.phase++
	waiting := s.later
	s.later = nil
	for _, u := range waiting {
		s.push(u)
	}
}

// numberRegions numbers regions from 0; a region of a single step is none.
func numberRegions(sorted []*unit) {
	steps := map[int]int{}
	for _, u := range sorted {
		if u.region != none && (u.fused || u.members[0].op != opReshape) {
			steps[u.region]++
		}
	}
	number := map[int]int{}
	for _, u := range sorted {
		if u.region == none {
			continue
		}
		if steps[u.region] < 2 {
			u.region = none
			continue
		}
		if _, ok := number[u.region]; !ok {
			number[u.region] = len(number)
		}
		u.region = number[u.region]
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
