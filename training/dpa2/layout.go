package dpa2

import "slices"

// Names of the axes of a program.
const (
	axisFrame    = "frame"
	axisAtom     = "atom"
	axisEdge     = "edge"
	axisKind     = "kind" // distinct pairs (type of centre, type of neighbour) of repinit edges
	axisPairKind = "pairkind"
	axisTriple   = "triple" // pairs of neighbours in the three-body block
)

// blockNames are the axis names of the inner blocks; names of their maps and inputs derive from them.
var blockNames = [2]string{nearThree: "three", nearRep: "rep"}

// layout is a batch under construction: samples are appended one after the other.
type layout struct {
	cfg     *Config
	samples []*Sample
	first   []int // first atom of each frame so far
	dead    []bool

	types                                            []int32
	atomFrame, atomType, emptyKind                   []int32
	mask, empty, fparam, aparam                      []float64
	centre, neighbour, edgeFrame, edgeKind, edgeType []int32
	groups                                           groups // of edges
	rep, three                                       blockLayout
	repEmpty, repCount                               []float64
	triples                                          triples
	kinds, pairKinds                                 *kinds
}

// blockLayout is the part of an inner block.
type blockLayout struct{ edge, centre, neighbour, typ []int32 }

func newLayout(cfg *Config) *layout {
	l := &layout{cfg: cfg, kinds: newKinds(cfg.NumTypes()), pairKinds: newKinds(cfg.NumTypes()), dead: make([]bool, cfg.NumTypes())}
	l.triples.strip = cfg.Descriptor.Repinit.strip()
	for _, list := range [][]int{cfg.AtomSkip, cfg.Fitting.ExcludeTypes} {
		for _, t := range list {
			l.dead[t] = true
		}
	}
	return l
}

// clear begins a batch: what there was goes, its memory stays and becomes as large as these samples need.
func (l *layout) clear(samples []*Sample) {
	l.samples, l.first = samples, append(l.first[:0], 0)
	l.kinds.clear()
	l.pairKinds.clear()
	atoms, edges, triples, near := 0, 0, 0, [2]int{}
	for _, s := range samples {
		atoms += len(s.types)
		edges += len(s.neighbor)
		for b := range near {
			near[b] += len(s.near[b].edge)
		}
		if l.cfg.Descriptor.Repinit.UseThreeBody {
			triples += s.numTriples(l.triples.strip)
		}
	}
	room(atoms, &l.types, &l.atomFrame, &l.atomType, &l.emptyKind)
	room(atoms, &l.mask, &l.empty, &l.fparam, &l.aparam, &l.repEmpty, &l.repCount)
	room(edges, &l.centre, &l.neighbour, &l.edgeFrame, &l.edgeKind, &l.edgeType)
	if l.cfg.Descriptor.Repinit.strip() {
		room(edges, &l.groups.of)
	}
	l.groups.clear()
	for b, block := range [2]*blockLayout{nearThree: &l.three, nearRep: &l.rep} {
		room(near[b], &block.edge, &block.centre, &block.neighbour, &block.typ)
	}
	l.triples.clear(triples)
}

// room empties lists and makes room for n entries in each. Fresh memory of make is not written to, as that of slices.Grow is.
func room[T any](n int, lists ...*[]T) {
	for _, v := range lists {
		if have := cap(*v); have < n {
			*v = make([]T, 0, max(n, have+have/4))
		}
		*v = (*v)[:0]
	}
}

// lookup is the type used in tables: virtual atoms count as type 0 there, and are masked at the end.
func lookup(t int32) int32 { return max(t, 0) }

func (l *layout) addAtoms(f int, s *Sample) {
	l.types = append(l.types, s.types...)
	l.fparam = append(l.fparam, s.fparam...)
	l.aparam = append(l.aparam, s.aparam...)
	l.empty = append(l.empty, s.empty...)
	for _, t := range s.types {
		l.atomFrame = append(l.atomFrame, int32(f))
		l.atomType = append(l.atomType, lookup(t))
		if !l.cfg.Descriptor.Repinit.SetDavgZero {
			l.emptyKind = append(l.emptyKind, l.kinds.number(lookup(t), lookup(s.types[0])))
		}
		l.mask = append(l.mask, one(t >= 0 && !l.dead[t]))
	}
}

// base returns the number of the first atom of the frame under way.
func (l *layout) base() int32 { return int32(l.first[len(l.first)-1]) }

func (l *layout) addEdges(f int, s *Sample) {
	base := l.base()
	for i, t := range s.types {
		for _, j := range s.neighbor[s.start[i]:s.start[i+1]] {
			l.centre = append(l.centre, base+int32(i))
			l.neighbour = append(l.neighbour, base+j)
			l.edgeFrame = append(l.edgeFrame, int32(f))
			l.edgeType = append(l.edgeType, lookup(t))
			kind := l.kinds.number(lookup(t), lookup(s.types[j]))
			l.edgeKind = append(l.edgeKind, kind)
			if l.cfg.Descriptor.Repinit.strip() {
				l.groups.add(base+int32(i), kind, 1)
			}
		}
	}
}

func (l *layout) addNear(block *blockLayout, near *nearList, s *Sample) {
	base, baseEdge := l.base(), int32(len(l.centre)-len(s.neighbor))
	for i, t := range s.types {
		list := near.edge[near.start[i]:near.start[i+1]]
		for _, e := range list {
			block.edge = append(block.edge, baseEdge+e)
			block.centre = append(block.centre, base+int32(i))
			block.neighbour = append(block.neighbour, base+s.neighbor[e])
			block.typ = append(block.typ, lookup(t))
		}
		if block == &l.rep {
			n := float64(len(list))
			l.repEmpty = append(l.repEmpty, float64(l.cfg.Descriptor.Repformer.NSel.Count)-n)
			l.repCount = append(l.repCount, n)
		}
	}
}

// addTriples adds the pairs of neighbours of each atom in the three-body block.
func (l *layout) addTriples(s *Sample) {
	near, base := &s.near[nearThree], l.base()
	var types []int32
	for i := range s.types {
		types = types[:0]
		for _, e := range near.edge[near.start[i]:near.start[i+1]] {
			types = append(types, lookup(s.types[s.neighbor[e]]))
		}
		l.triples.add(base+int32(i), types, l.pairKinds)
	}
}

// batch names what has been laid out.
func (l *layout) batch() *Batch {
	mirror := l.pairKinds.mirrors() // first: it may meet new kinds
	b := &Batch{
		samples: slices.Clone(l.samples), first: l.first, types: l.types,
		sizes: map[string]int{
			axisFrame: len(l.samples), axisAtom: len(l.types), axisEdge: len(l.centre),
			axisKind: len(l.kinds.left), axisPairKind: len(l.pairKinds.left), axisTriple: len(l.triples.pair),
			blockNames[nearRep]: len(l.rep.edge), blockNames[nearThree]: len(l.three.edge),
		},
		indices: map[string][]int32{
			"atom.frame": l.atomFrame, "atom.type": l.atomType, "empty.kind": l.emptyKind,
			"edge.centre": l.centre, "edge.neighbour": l.neighbour, "edge.frame": l.edgeFrame, "edge.kind": l.edgeKind, "edge.type": l.edgeType,
			"triple.pair": l.triples.pair, "triple.centre": l.triples.centre, "triple.kind": l.triples.kind,
			"pairkind.mirror": mirror,
			"kind.centre":     l.kinds.left, "kind.neighbour": l.kinds.right, "pairkind.left": l.pairKinds.left, "pairkind.right": l.pairKinds.right,
		},
		inputs: map[string][]float64{
			"mask": l.mask, "empty": l.empty, "fparam": l.fparam, "aparam": l.aparam,
			"rep.empty": l.repEmpty, "rep.count": l.repCount,
		},
		counts: map[string][]uint8{"triple.weight": l.triples.weight},
	}
	for axis, g := range map[string]*groups{axisEdge: &l.groups, axisTriple: &l.triples.groups} {
		name := groupAxis(axis)
		b.sizes[name] = len(g.atom)
		b.indices[axis+".group"], b.indices[name+".atom"], b.indices[name+".kind"] = g.of, g.atom, g.kind
	}
	for name, block := range map[string]*blockLayout{blockNames[nearRep]: &l.rep, blockNames[nearThree]: &l.three} {
		b.indices[name+".edge"], b.indices[name+".centre"] = block.edge, block.centre
		b.indices[name+".neighbour"], b.indices[name+".type"] = block.neighbour, block.typ
	}
	return b
}
