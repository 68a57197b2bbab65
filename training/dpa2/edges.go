package dpa2

import (
	"runtime"

	"github.com/fedlam/fedlam/training/neighbor"
	"github.com/fedlam/fedlam/training/parallel"
)

// atomsPerPiece is how many atoms of a frame a core takes at a time when it prepares them.
const atomsPerPiece = 64

// edgeFilter says which neighbours become edges, and of which blocks.
type edgeFilter struct {
	list        *neighbor.List
	types       []int32
	ntypes      int
	model, desc []bool // pairs excluded from the model and from the descriptor, see pairTable
	near        [2]nearLimit
}

// nearLimit bounds the list of an inner block.
type nearLimit struct {
	rcut float64 // Å
	nsel int
}

// fillEdges keeps the edges whose types see each other, those of an atom sorted by the type of the neighbour. A pair that the
// model excludes leaves an empty slot; one that the descriptor excludes leaves a slot of zeros in repinit and an empty slot in
// repformers (SPEC 1.4). All cores take part: they count first, so that each atom's edges have a place.
func (s *Sample) fillEdges(cfg *Config, list *neighbor.List) {
	d := &cfg.Descriptor
	f := &edgeFilter{
		list: list, types: s.types, ntypes: cfg.NumTypes(),
		model: pairTable(cfg.PairSkip, cfg.NumTypes()), desc: pairTable(d.ExcludeTypes, cfg.NumTypes()),
		near: [2]nearLimit{{d.Repinit.ThreeRCut, d.Repinit.ThreeSel.Count}, {d.Repformer.RCut, d.Repformer.NSel.Count}},
	}
	n, workers := len(s.types), runtime.GOMAXPROCS(0)
	s.empty, s.start = make([]float64, n), make([]int32, n+1)
	for b := range s.near {
		s.near[b].start = make([]int32, n+1)
	}
	parallel.For(n, atomsPerPiece, workers, func(_, from, to int) {
		for i := from; i < to; i++ {
			s.countEdges(f, i, d.Repinit.NSel.Count)
		}
	})
	for _, start := range [][]int32{s.start, s.near[0].start, s.near[1].start} {
		for i := range n {
			start[i+1] += start[i]
		}
	}
	s.neighbor, s.delta = make([]int32, s.start[n]), make([]float64, 3*s.start[n])
	for b := range s.near {
		s.near[b].edge = make([]int32, s.near[b].start[n])
	}
	orders := make([]byType, workers)
	parallel.For(n, atomsPerPiece, workers, func(worker, from, to int) {
		for i := from; i < to; i++ {
			s.putEdges(f, i, orders[worker].sort(f, i))
		}
	})
}

// excluded reports whether the types of an edge of atom i do not see each other, and whether that leaves an empty slot.
func (f *edgeFilter) excluded(i int, e int32) (excluded, empty bool) {
	pair := int(f.types[i])*f.ntypes + int(f.types[f.list.Neighbor[e]])
	return f.model[pair] || f.desc[pair], f.model[pair]
}

// in reports whether edge e of atom i is one of inner block b.
func (f *edgeFilter) in(b, i int, e int32) bool {
	return int(e-f.list.Start[i]) < f.near[b].nsel && f.list.Dist[e] <= f.near[b].rcut
}

// countEdges notes how many edges of each kind atom i has, in start[i+1], and its empty slots.
func (s *Sample) countEdges(f *edgeFilter, i, nsel int) {
	for e := f.list.Start[i]; e < f.list.Start[i+1]; e++ {
		excluded, empty := f.excluded(i, e)
		if !empty {
			nsel--
		}
		if excluded {
			continue
		}
		s.start[i+1]++
		for b := range s.near {
			if f.in(b, i, e) {
				s.near[b].start[i+1]++
			}
		}
	}
	s.empty[i] = float64(nsel)
}

// putEdges writes the edges of atom i, which come in the given order.
func (s *Sample) putEdges(f *edgeFilter, i int, order []int32) {
	at := s.start[i]
	near := [2]int32{s.near[0].start[i], s.near[1].start[i]}
	for _, e := range order {
		if excluded, _ := f.excluded(i, e); excluded {
			continue
		}
		for b := range s.near {
			if f.in(b, i, e) {
				s.near[b].edge[near[b]] = at
				near[b]++
			}
		}
		s.neighbor[at] = f.list.Neighbor[e]
		copy(s.delta[3*at:3*at+3], f.list.Delta[3*e:3*e+3])
		at++
	}
}

// byType sorts the neighbours of one atom after the other, in the same memory.
type byType struct{ order, start []int32 }

// sort lists the entries of the list of atom i, those of one type side by side, and of one type as they come.
func (o *byType) sort(f *edgeFilter, i int) []int32 {
	from, to := f.list.Start[i], f.list.Start[i+1]
	o.start = append(o.start[:0], make([]int32, f.ntypes+1)...)
	for _, j := range f.list.Neighbor[from:to] {
		o.start[f.types[j]+1]++
	}
	for t := range f.ntypes {
		o.start[t+1] += o.start[t]
	}
	o.order = append(o.order[:0], make([]int32, to-from)...)
	for e := from; e < to; e++ {
		at := &o.start[f.types[f.list.Neighbor[e]]]
		o.order[*at] = e
		*at++
	}
	return o.order
}
