package dpa2

import (
	"fmt"
	"math"

	"github.com/fedlam/fedlam/training/graph"
)

// repformerGraph holds what all repformer layers share.
type repformerGraph struct {
	*energyGraph
	list nearEdges
	rep  *Repformer

	sw    *graph.Tensor // [E x 1] switch; nil where the model is not smooth and sums take every neighbour in full
	kappa *graph.Tensor // [E x 1] factor of the convolution
	norm  *graph.Tensor // [E x 1] factor of the symmetrisation operator, with 1/√3 of its square
	empty *graph.Tensor // [N x 1] empty slots of an atom; nil where the model is not smooth
	pairs *graph.Pairs  // of neighbours of one atom
	swsw  *graph.Tensor // [P x 1] sw_j·sw_k; nil where the model is not smooth
}

// repformers returns g1 after all layers (SPEC 3.4, 3.5).
func (g *energyGraph) repformers(g1 *graph.Tensor) *graph.Tensor {
	r := &g.cfg.Descriptor.Repformer
	f := &repformerGraph{energyGraph: g, list: g.near(nearRep), rep: r}
	env := g.environment(repformerPath, f.list.delta, f.list.typ, r.RCut, r.RCutSmooth, !r.SetDavgZero)
	g.tap("repformers.sw", env.sw)
	g.tap("repformers.env_mat_normalized", g.Concat(env.radial, env.angular))
	f.factors(env.sw)

	radial, h2 := env.radial, env.angular
	if r.DirectDist {
		radial, h2 = g.Scale(env.dist, 1/r.RCut), g.Scale(env.delta, 1/r.RCut)
	}
	g1 = g.activate(r.Activation, g1)
	g2 := g.activate(r.Activation, g.dense(g.cfg.g2Embed(), radial))
	for i := range r.NLayers {
		g1, g2, h2 = f.layer(g.cfg.layer(i), g1, g2, h2)
		for name, x := range map[string]*graph.Tensor{"g1": g1, "g2": g2, "h2": h2} {
			g.tap(fmt.Sprintf("repformer_layer_%d.%s", i, name), x)
		}
	}
	g.tap("rot_mat", g.Scale(g.SegOuter(g2, g.Mul(h2, f.norm), f.list.centre), math.Sqrt(3)))
	return g1
}

// factors prepares the weights of sums over neighbours: constant divisors and the switch in a smooth model, the
// number of neighbours in another (SPEC 3.5, trap 29).
func (f *repformerGraph) factors(sw *graph.Tensor) {
	k := float64(f.rep.NSel.Count)
	f.pairs = f.Pairs("pair", f.list.centre)
	if f.cfg.Descriptor.Smooth {
		nu := 1 / k
		if f.rep.UseSqrtNnei {
			nu = 1 / math.Sqrt(k)
		}
		f.sw, f.kappa, f.norm = sw, f.Scale(sw, 1/k), f.Scale(sw, nu/math.Sqrt(3))
		f.empty = f.Input("rep.empty", f.atom, 1)
		f.swsw = f.PairDot(sw, sw, f.pairs, 1)
		return
	}
	count := f.Input("rep.count", f.atom, 1)
	inverse := func(n *graph.Tensor) *graph.Tensor {
		return f.Gather(f.Recip(f.AddScalar(n, 1e-4)), f.list.centre)
	}
	f.kappa = inverse(count)
	f.norm = f.Scale(f.kappa, 1/math.Sqrt(3))
	if f.rep.UseSqrtNnei {
		f.norm = f.Scale(inverse(f.Sqrt(count)), 1/math.Sqrt(3))
	}
}

// layer applies one repformer layer. All branches read the old values.
func (f *repformerGraph) layer(l *repLayer, g1, g2, h2 *graph.Tensor) (newG1, newG2, newH2 *graph.Tensor) {
	maps := map[string]linear{}
	for _, m := range l.linears() {
		maps[m.path[len(l.path)+1:]] = m
	}
	neighbours := f.Gather(g1, f.list.neighbour) // g1_j
	newG1 = f.combine(l, "g1", f.g1Terms(maps, g1, g2, h2, neighbours))
	if !l.updateG2 {
		return newG1, g2, h2
	}
	terms := []*graph.Tensor{g2, f.activate(f.rep.Activation, f.dense(maps["linear2"], g2))}
	if l.g2G1G1 {
		product := f.switched(f.Mul(f.Gather(g1, f.list.centre), neighbours))
		terms = append(terms, f.dense(maps["proj_g1g1g2"], product))
	}
	newH2 = h2
	if l.g2Attn || l.hasH2 {
		attn := f.attentionMap(maps["attn2g_map/mapqk"], g2, h2)
		if l.g2Attn {
			terms = append(terms, f.layerNorm(l.path+"/attn2_lm", f.multiHeadApply(maps, attn, g2)))
		}
		if l.hasH2 {
			moved := f.PairApply(f.dense(maps["attn2_ev_apply/head_map"], attn), h2, f.pairs, 1)
			newH2 = f.combine(l, "h2", []*graph.Tensor{h2, moved})
		}
	}
	return newG1, f.combine(l, "g2", terms), newH2
}

// switched multiplies by sw where the model is smooth.
func (f *repformerGraph) switched(x *graph.Tensor) *graph.Tensor {
	if f.sw == nil {
		return x
	}
	return f.Mul(x, f.sw)
}

// g1Terms returns the list U1.
func (f *repformerGraph) g1Terms(maps map[string]linear, g1, g2, h2, neighbours *graph.Tensor) []*graph.Tensor {
	r := f.rep
	terms, inputs := []*graph.Tensor{g1}, []*graph.Tensor(nil)
	if r.G1OutMLP {
		terms = append(terms, f.activate(r.Activation, f.dense(maps["g1_self_mlp"], g1)))
	} else {
		inputs = append(inputs, g1)
	}
	if r.G1Conv && r.G1OutConv {
		filter := f.dense(maps["proj_g1g2"], f.Mul(g2, f.kappa))
		terms = append(terms, f.Scatter(f.Mul(filter, neighbours), f.list.centre))
	} else if r.G1Conv {
		projected := f.Gather(f.dense(maps["proj_g1g2"], g1), f.list.neighbour)
		inputs = append(inputs, f.Scatter(f.Mul(f.Mul(g2, f.kappa), projected), f.list.centre))
	}
	vectors := f.Mul(h2, f.norm)
	if r.G1GRRG {
		inputs = append(inputs, f.symmetrise(vectors, g2))
	}
	if r.G1DRRD {
		inputs = append(inputs, f.symmetrise(vectors, neighbours))
	}
	terms = append(terms, f.activate(r.Activation, f.dense(maps["linear1"], f.Concat(inputs...))))
	if r.G1Attn {
		terms = append(terms, f.localAttention(maps, g1, neighbours))
	}
	return terms
}

// symmetrise returns sym(x): H = Σ_j h_j ⊗ x_j, then Σ_c H[c,a]·H[c,k]/3 at a·n + k, a < axis_neuron. The factor is in
// vectors already.
func (f *repformerGraph) symmetrise(vectors, x *graph.Tensor) *graph.Tensor {
	n, axis := x.Cols(), f.rep.AxisNeuron
	h := f.SegOuter(vectors, x, f.list.centre)
	return f.BatchMatMul(f.leading(h, 3, n, axis), h, axis, 3, n, graph.T, graph.N)
}

// combine forms the new value of an update list by update_style.
func (f *repformerGraph) combine(l *repLayer, name string, terms []*graph.Tensor) *graph.Tensor {
	switch n := len(terms); {
	case n == 1:
		return terms[0]
	case f.rep.UpdateStyle == "res_avg":
		return f.Scale(f.sum(terms), 1/math.Sqrt(float64(n)))
	case f.rep.UpdateStyle == "res_incr":
		return f.Add(terms[0], f.Scale(f.sum(terms[1:]), 1/math.Sqrt(float64(n-1))))
	}
	width := terms[0].Cols()
	if name == "h2" {
		width = 1
	}
	sum := terms[0]
	for k, u := range terms[1:] {
		sum = f.Add(sum, f.Mul(u, f.param(l.residual(name, k), 1, width)))
	}
	return sum
}

func (f *repformerGraph) sum(terms []*graph.Tensor) *graph.Tensor {
	total := terms[0]
	for _, u := range terms[1:] {
		total = f.Add(total, u)
	}
	return total
}
