package dpa2

import (
	"github.com/fedlam/fedlam/training/graph"
)

// In strip mode G = G_s + sw G_s ⊙ G_t (SPEC 2.3; sw is 1 where the model is not smooth), and G_t is the same for all
// rows of a group: the neighbours of one atom that are of one type, or the triples of one atom of one pair of types. So
// G_t multiplies sums over groups, not every row.

// groupMaps are the maps of the groups of rows.
type groupMaps struct {
	of   *graph.Index // row -> group
	atom *graph.Index // group -> atom
	kind *graph.Index // group -> kind
}

// groups returns the maps for the rows of an axis.
func (g *energyGraph) groups(axis string, kinds graph.Dim) groupMaps {
	group := graph.Axis(groupAxis(axis))
	return groupMaps{
		of:   g.SortedIndex(axis+".group", graph.Axis(axis), group),
		atom: g.SortedIndex(groupAxis(axis)+".atom", group, g.atom),
		kind: g.Index(groupAxis(axis)+".kind", group, kinds),
	}
}

// stripSum returns Σ_j x_j ⊗ G_j for each atom, given G_s and sw of the rows and G_t of the kinds.
func (g *energyGraph) stripSum(x, gs, sw, table *graph.Tensor, m groupMaps) *graph.Tensor {
	gt := g.Gather(table, m.kind)
	repeat := make([]*graph.Tensor, x.Cols()) // for each column of x
	for c := range repeat {
		repeat[c] = gt
	}
	gt = g.Concat(repeat...)
	var sums *graph.Tensor
	if g.cfg.Descriptor.Smooth {
		both := g.SegOuter(g.Concat(x, g.Mul(x, sw)), gs, m.of)
		sums = g.Add(g.Slice(both, 0, gt.Cols()), g.Mul(g.Slice(both, gt.Cols(), 2*gt.Cols()), gt))
	} else {
		sums = g.Mul(g.SegOuter(x, gs, m.of), g.AddScalar(gt, 1))
	}
	return g.Scatter(sums, m.atom)
}
