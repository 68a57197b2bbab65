package dpa2

import (
	"fmt"

	"github.com/fedlam/fedlam/dataset"
)

// A Batch is a number of frames, of any sizes, laid end to end for one run of a program. It holds no weights: the
// same batch serves any model of the configuration, any head and both precisions. It is read-only after Collate.
type Batch struct {
	samples []*Sample
	first   []int // [F+1] number of the first atom of each frame

	sizes   map[string]int
	indices map[string][]int32
	inputs  map[string][]float64
	types   []int32 // [N], -1 = virtual
}

// NewBatch prepares and lays out frames. A frame that cannot be evaluated gives a *FrameError that names it.
func NewBatch(cfg *Config, frames []dataset.Frame) (*Batch, error) {
	samples := make([]*Sample, len(frames))
	for i := range frames {
		s, err := newSample(cfg, &frames[i])
		if err != nil {
			return nil, &FrameError{Position: i, Frame: frames[i].Name(), Err: err}
		}
		samples[i] = s
	}
	return Collate(cfg, samples)
}

// Collate lays prepared samples end to end. All must come from NewSample with this configuration.
func Collate(cfg *Config, samples []*Sample) (*Batch, error) {
	if len(samples) == 0 {
		return nil, fmt.Errorf("a batch needs at least one frame")
	}
	b := &Batch{
		samples: samples, first: make([]int, 1, len(samples)+1),
		sizes: map[string]int{}, indices: map[string][]int32{}, inputs: map[string][]float64{},
	}
	for _, name := range indexNames {
		b.indices[name] = []int32{}
	}
	for _, name := range []string{"delta", "fparam", "aparam", "empty", "mask", "rep.empty", "rep.count"} {
		b.inputs[name] = []float64{}
	}
	l := &layout{Batch: b, cfg: cfg, kinds: newKinds(cfg.NumTypes()), pairKinds: newKinds(cfg.NumTypes())}
	for f, s := range samples {
		l.atoms(f, s)
		l.edges(s)
		for block := range s.near {
			l.nearEdges(block, s)
		}
		b.first = append(b.first, len(b.types))
	}
	l.finish()
	return b, nil
}

// NumFrames returns F.
func (b *Batch) NumFrames() int { return len(b.samples) }

// NumAtoms returns N of all frames together, virtual atoms included.
func (b *Batch) NumAtoms() int { return len(b.types) }

// NumEdges returns the number of neighbours of all atoms together.
func (b *Batch) NumEdges() int { return b.sizes[axisEdge] }

// Dropped returns how many neighbours within the cut-off nsel cut off, in all frames together.
func (b *Batch) Dropped() int {
	total := 0
	for _, s := range b.samples {
		total += s.dropped
	}
	return total
}

// Names of the axes of a program.
const (
	axisFrame    = "frame"
	axisAtom     = "atom"
	axisEdge     = "edge"
	axisKind     = "kind" // distinct pairs (type of centre, type of neighbour) of repinit edges
	axisPairKind = "pairkind"
)

// blockNames are the axis names of the inner blocks; index and input names derive from them.
var blockNames = [2]string{nearThree: "three", nearRep: "rep"}

// indexNames are all maps a program may ask for. They are there even if a batch has no edges.
var indexNames = []string{
	"atom.frame", "atom.type", "empty.kind", "edge.centre", "edge.neighbour", "edge.frame", "edge.kind", "edge.type",
	"three.edge", "three.centre", "three.neighbour", "three.type", "rep.edge", "rep.centre", "rep.neighbour", "rep.type",
	"triple.centre", "triple.kind", "kind.centre", "kind.neighbour", "pairkind.left", "pairkind.right",
}

// layout is a batch under construction.
type layout struct {
	*Batch
	cfg              *Config
	kinds, pairKinds *kinds
}

func (l *layout) index(name string, v int32) { l.indices[name] = append(l.indices[name], v) }

func (l *layout) input(name string, v ...float64) { l.inputs[name] = append(l.inputs[name], v...) }

// lookup is the type used in tables: virtual atoms count as type 0 there, and are masked at the end.
func lookup(t int32) int32 { return max(t, 0) }

func (l *layout) atoms(f int, s *Sample) {
	l.types = append(l.types, s.types...)
	l.input("fparam", s.fparam...)
	l.input("aparam", s.aparam...)
	l.input("empty", s.empty...)
	dead := map[int32]bool{-1: true}
	for _, list := range [][]int{l.cfg.AtomSkip, l.cfg.Fitting.ExcludeTypes} {
		for _, t := range list {
			dead[int32(t)] = true
		}
	}
	for _, t := range s.types {
		l.index("atom.frame", int32(f))
		l.index("atom.type", lookup(t))
		if !l.cfg.Descriptor.Repinit.SetDavgZero {
			l.index("empty.kind", l.kinds.number(lookup(t), lookup(s.types[0])))
		}
		if dead[t] {
			l.input("mask", 0)
		} else {
			l.input("mask", 1)
		}
	}
}

func (l *layout) edges(s *Sample) {
	base := int32(l.first[len(l.first)-1])
	f := int32(len(l.first) - 1)
	for i, t := range s.types {
		for e := s.start[i]; e < s.start[i+1]; e++ {
			j := s.neighbor[e]
			l.index("edge.centre", base+int32(i))
			l.index("edge.neighbour", base+j)
			l.index("edge.frame", f)
			l.index("edge.type", lookup(t))
			l.index("edge.kind", l.kinds.number(lookup(t), lookup(s.types[j])))
		}
	}
	l.input("delta", s.delta...)
}

func (l *layout) nearEdges(block int, s *Sample) {
	name, near := blockNames[block], &s.near[block]
	base := int32(l.first[len(l.first)-1])
	baseEdge := int32(len(l.indices["edge.centre"]) - len(s.neighbor))
	nsel := l.cfg.Descriptor.Repformer.NSel.Count
	for i := range s.types {
		list := near.edge[near.start[i]:near.start[i+1]]
		for _, e := range list {
			l.index(name+".edge", baseEdge+e)
			l.index(name+".centre", base+int32(i))
			l.index(name+".neighbour", base+s.neighbor[e])
			l.index(name+".type", lookup(s.types[i]))
		}
		if block == nearRep {
			l.input("rep.empty", float64(nsel-len(list)))
			l.input("rep.count", float64(len(list)))
		} else if l.cfg.Descriptor.Repinit.UseThreeBody {
			l.pairs(base+int32(i), s, list)
		}
	}
}

// pairs adds what the three-body block knows of the ordered neighbour pairs of one centre, in the order of graph.Pairs.
func (l *layout) pairs(centre int32, s *Sample, list []int32) {
	for _, j := range list {
		for _, k := range list {
			l.index("triple.centre", centre)
			l.index("triple.kind", l.pairKinds.number(lookup(s.types[s.neighbor[j]]), lookup(s.types[s.neighbor[k]])))
		}
	}
}

func (l *layout) finish() {
	l.sizes[axisFrame], l.sizes[axisAtom] = len(l.samples), len(l.types)
	l.sizes[axisEdge] = len(l.indices["edge.centre"])
	for _, name := range blockNames {
		l.sizes[name] = len(l.indices[name+".edge"])
	}
	l.sizes[axisKind], l.indices["kind.centre"], l.indices["kind.neighbour"] = len(l.kinds.left), l.kinds.left, l.kinds.right
	l.sizes[axisPairKind], l.indices["pairkind.left"], l.indices["pairkind.right"] = len(l.pairKinds.left), l.pairKinds.left, l.pairKinds.right
}

// kinds numbers the pairs of types that occur.
type kinds struct {
	ntypes      int
	table       []int32 // number + 1, 0 = not met yet
	left, right []int32
}

func newKinds(ntypes int) *kinds { return &kinds{ntypes: ntypes, table: make([]int32, ntypes*ntypes)} }

func (k *kinds) number(left, right int32) int32 {
	slot := &k.table[int(left)*k.ntypes+int(right)]
	if *slot == 0 {
		k.left, k.right = append(k.left, left), append(k.right, right)
		*slot = int32(len(k.left))
	}
	return *slot - 1
}
