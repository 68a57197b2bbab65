package dpa2

import (
	"github.com/fedlam/fedlam/training/graph"
)

// environment is the geometry of one block on its edges (SPEC 1.6).
type environment struct {
	delta, dist *graph.Tensor // Å
	sw          *graph.Tensor // [E x 1]
	radial      *graph.Tensor // [E x 1] component 0 of R
	angular     *graph.Tensor // [E x 3] components 1 to 3 of R
}

// environment builds R for edges whose types of centres are given by typ. With means the radial part is shifted.
func (g *energyGraph) environment(block string, delta *graph.Tensor, typ *graph.Index, rcut, smooth float64, means bool) environment {
	e := environment{delta: delta, dist: g.Sqrt(g.SumCols(g.Square(delta)))}
	e.sw = g.Switch(e.dist, smooth, rcut, 0)
	inverse := g.Recip(e.dist)
	if p := g.cfg.Descriptor.EnvProtection; p != 0 {
		inverse = g.Recip(g.AddScalar(e.dist, p))
	}
	scale := g.Gather(g.Recip(g.Slice(g.param(block+"/@variables/dstd", g.types.Mul, 4), 0, 2)), typ)
	e.radial = g.Mul(e.sw, inverse)
	e.angular = g.Mul(delta, g.Mul(g.Mul(e.radial, inverse), g.Slice(scale, 1, 2)))
	if means {
		e.radial = g.Sub(e.radial, g.Gather(g.Slice(g.param(block+"/@variables/davg", g.types.Mul, 4), 0, 1), typ))
	}
	e.radial = g.Mul(e.radial, g.Slice(scale, 0, 1))
	return e
}

// repinit returns the output of repinit and, beside it, of its three-body part (SPEC 3.1, 3.2).
func (g *energyGraph) repinit() *graph.Tensor {
	r := &g.cfg.Descriptor.Repinit
	typ := g.Index("edge.type", g.edge, g.types)
	env := g.environment(repinitPath, g.delta, typ, r.RCut, r.RCutSmooth, !r.SetDavgZero)
	g.tap("repinit.sw", env.sw)
	matrix := g.Concat(env.radial, env.angular)
	g.tap("repinit.env_mat_normalized", matrix)

	moments := g.moments(matrix, env)
	if !r.SetDavgZero {
		moments = g.Add(moments, g.emptySlots())
	}
	moments = g.Scale(moments, 1/float64(r.NSel.Count))
	out := g.momentProduct(moments, last(r.Neuron), r.AxisNeuron)
	g.tap("repinit.out", out)
	if !r.UseThreeBody {
		return out
	}
	three := g.threeBody()
	g.tap("repinit_three_body.out", three)
	return g.Concat(out, three)
}

// moments returns Σ_j R_ij ⊗ G_ij, [N x 4·width].
func (g *energyGraph) moments(matrix *graph.Tensor, env environment) *graph.Tensor {
	net := g.cfg.repinitNet()
	if g.cfg.Descriptor.Repinit.strip() {
		return g.stripSum(matrix, g.net(net, env.radial), env.sw, g.repinitTable(), g.groups(axisEdge, g.kind))
	}
	kind := g.Index("edge.kind", g.edge, g.kind)
	return g.SegOuter(matrix, g.kindNet(net, env.radial, g.repinitKinds(), kind), g.centre)
}

// repinitKinds returns the type embeddings that enter G_ij, for each kind.
func (g *energyGraph) repinitKinds() *graph.Tensor {
	left, right := g.Index("kind.neighbour", g.kind, g.types), g.Index("kind.centre", g.kind, g.types)
	if g.cfg.Descriptor.Repinit.TypeOneSide {
		right = nil
	}
	return g.kindEmbedding(left, right)
}

// repinitTable returns G_t of repinit for each kind.
func (g *energyGraph) repinitTable() *graph.Tensor {
	return g.net(g.cfg.repinitStripNet(), g.repinitKinds())
}

// emptySlots returns what empty slots add to the moments where davg is not 0: there R = (−davg/dstd, 0, 0, 0), and
// the neighbour's type is that of the frame's first atom (SPEC trap 2).
func (g *energyGraph) emptySlots() *graph.Tensor {
	width := last(g.cfg.Descriptor.Repinit.Neuron)
	mean := g.Slice(g.param(repinitPath+"/@variables/davg", g.types.Mul, 4), 0, 1)
	scale := g.Recip(g.Slice(g.param(repinitPath+"/@variables/dstd", g.types.Mul, 4), 0, 1))
	s := g.Gather(g.Neg(g.Mul(mean, scale)), g.atomType)
	kind, net := g.Index("empty.kind", g.atom, g.kind), g.cfg.repinitNet()
	var embedding *graph.Tensor
	switch {
	case !g.cfg.Descriptor.Repinit.strip():
		embedding = g.kindNet(net, s, g.repinitKinds(), kind)
	case g.cfg.Descriptor.Smooth: // their switch is 0
		embedding = g.net(net, s)
	default:
		embedding = g.Mul(g.net(net, s), g.AddScalar(g.Gather(g.repinitTable(), kind), 1))
	}
	return g.Place(g.Mul(embedding, g.Mul(s, g.Input("empty", g.atom, 1))), 0, 4*width)
}

// momentProduct returns Σ_c A[c,g]·A[c,a] for a < axis, index g·axis+a, of moments [N x 4·width].
func (g *energyGraph) momentProduct(moments *graph.Tensor, width, axis int) *graph.Tensor {
	return g.BatchMatMul(moments, g.leading(moments, 4, width, axis), width, 4, axis, graph.T, graph.N)
}

// leading keeps the first n of the columns of each k x width matrix.
func (g *energyGraph) leading(x *graph.Tensor, k, width, n int) *graph.Tensor {
	rows := x.Rows()
	return g.Reshape(g.Slice(g.Reshape(x, rows.Times(k), width), 0, n), rows, k*n)
}

// nearEdges are the edges of an inner block.
type nearEdges struct {
	delta             *graph.Tensor
	centre, neighbour *graph.Index // edge of the block -> atom
	typ               *graph.Index // edge of the block -> type of the centre
	dim               graph.Dim
}

func (g *energyGraph) near(block int) nearEdges {
	name := g.cfg.nearAxis(block)
	dim := graph.Axis(name)
	return nearEdges{
		dim:       dim,
		delta:     g.Gather(g.delta, g.UniqueIndex(name+".edge", dim, g.edge)),
		centre:    g.SortedIndex(name+".centre", dim, g.atom),
		neighbour: g.Index(name+".neighbour", dim, g.atom),
		typ:       g.Index(name+".type", dim, g.types),
	}
}

// nearAxis names the axis of an inner block. The blocks share one where they see the same neighbours.
func (c *Config) nearAxis(block int) string {
	in, out := &c.Descriptor.Repinit, &c.Descriptor.Repformer
	if block == nearThree && in.ThreeRCut == out.RCut && in.ThreeSel.Count == out.NSel.Count {
		block = nearRep
	}
	return blockNames[block]
}
