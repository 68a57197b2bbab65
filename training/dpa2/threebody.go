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
	dot := func(x *graph.Tensor) *graph.Tensor {
		return g.Gather(g.PairDot(x, x, ordered, 1), g.SortedIndex("triple.pair", triple, ordered.Dim()))
	}
	theta := dot(env.angular)
	kind := g.Index("triple.kind", triple, g.pairKind)
	var embedding *graph.Tensor
	if pair := g.pairEmbedding(); r.strip() {
		table := g.net(g.cfg.threeStripNet(), pair)
		mirrored := g.Gather(table, g.Index("pairkind.mirror", g.pairKind, g.pairKind))
		embedding = g.strip(g.net(g.cfg.threeNet(), theta), g.Scale(g.Add(table, mirrored), 0.5), kind, dot(env.sw))
	} else {
		embedding = g.kindNet(g.cfg.threeNet(), theta, pair, kind)
	}
	weighted := g.Mul(theta, g.Input("triple.weight", triple, 1))
	sum := g.SegOuter(weighted, embedding, g.SortedIndex("triple.centre", triple, g.atom))
	return g.Scale(sum, 1/math.Pow(float64(r.ThreeSel.Count), 2))
}

// pairEmbedding returns concat(z_j, z_k) for each pair of types of neighbours.
func (g *energyGraph) pairEmbedding() *graph.Tensor {
	return g.kindEmbedding(g.Index("pairkind.left", g.pairKind, g.types), g.Index("pairkind.right", g.pairKind, g.types))
}
