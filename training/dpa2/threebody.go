package dpa2

import (
	"math"

	"github.com/fedlam/fedlam/training/graph"
)

// threeBody returns Σ_jk θ_jk G_jk / K² over ordered pairs of neighbours (SPEC 3.2). Empty slots have θ = 0. Pairs that
// differ by their order alone are computed once; see triples.
func (g *energyGraph) threeBody() *graph.Tensor {
	r := &g.cfg.Descriptor.Repinit
	list := g.near(nearThree)
	env := g.environment(threePath, list.delta, list.typ, r.ThreeRCut, r.ThreeRCutSmoth, false)
	g.tap("repinit_three_body.sw", env.sw)
	g.tap("repinit_three_body.angular", env.angular)

	triple := graph.Axis(axisTriple)
	ordered := g.Pairs("ordered", list.centre)
	number := g.UniqueIndex("triple.pair", triple, ordered.Dim())
	dot := func(x *graph.Tensor) *graph.Tensor { return g.Gather(g.PairDot(x, x, ordered, 1), number) }
	theta := dot(env.angular)
	weighted := g.Mul(theta, g.Input("triple.weight", triple, 1))
	var sum *graph.Tensor
	if net := g.cfg.threeNet(); r.strip() {
		sum = g.stripSum(weighted, g.net(net, theta), dot(env.sw), g.threeTable(), g.groups(axisTriple, g.pairKind))
	} else {
		embedding := g.kindNet(net, theta, g.pairEmbedding(), g.Index("triple.kind", triple, g.pairKind))
		sum = g.SegOuter(weighted, embedding, g.SortedIndex("triple.centre", triple, g.atom))
	}
	return g.Scale(sum, 1/math.Pow(float64(r.ThreeSel.Count), 2))
}

// threeTable returns G_t of the three-body block for each pair of types, the mean over their order.
func (g *energyGraph) threeTable() *graph.Tensor {
	table := g.net(g.cfg.threeStripNet(), g.pairEmbedding())
	mirrored := g.Gather(table, g.Index("pairkind.mirror", g.pairKind, g.pairKind))
	return g.Scale(g.Add(table, mirrored), 0.5)
}

// pairEmbedding returns concat(z_j, z_k) for each pair of types of neighbours.
func (g *energyGraph) pairEmbedding() *graph.Tensor {
	return g.kindEmbedding(g.Index("pairkind.left", g.pairKind, g.types), g.Index("pairkind.right", g.pairKind, g.types))
}
