package dpa2

import (
	"github.com/fedlam/fedlam/training/graph"
)

// energyGraph builds the expression of the energy, block by block. Symbols follow SPEC: R environment matrix, s its
// radial part, G embedding, A moments, D descriptor, Z type embedding, g1 atom, g2 and h2 pair features, sw switch.
type energyGraph struct {
	*graph.Builder
	cfg  *Config
	used map[string]*graph.Tensor // stored tensors that occur, by path
	taps map[string]*graph.Tensor // intermediates by name, for tests; see tap

	frame, atom, edge, kind, pairKind, types graph.Dim

	delta                     *graph.Tensor // [E x 3] r_image − r_i, Å; the only place where geometry enters
	centre, neighbour         *graph.Index  // edge -> atom
	atomFrame, atomType       *graph.Index
	z                         *graph.Tensor // [T x d_t] type embedding
	atomEnergy, frameEnergies *graph.Tensor // network energies without references, [N x 1] and [F x 1]
}

// buildEnergy builds everything up to the energies of atoms and frames.
func buildEnergy(cfg *Config) *energyGraph {
	g := &energyGraph{
		Builder: graph.New(), cfg: cfg, used: map[string]*graph.Tensor{}, taps: map[string]*graph.Tensor{},
		frame: graph.Axis(axisFrame), atom: graph.Axis(axisAtom), edge: graph.Axis(axisEdge),
		kind: graph.Axis(axisKind), pairKind: graph.Axis(axisPairKind), types: graph.Fixed(cfg.NumTypes()),
	}
	g.delta = g.Input("delta", g.edge, 3)
	g.centre = g.SortedIndex("edge.centre", g.edge, g.atom)
	g.neighbour = g.Index("edge.neighbour", g.edge, g.atom)
	g.atomFrame = g.SortedIndex("atom.frame", g.atom, g.frame)
	g.atomType = g.Index("atom.type", g.atom, g.types)
	g.z = g.typeEmbedding()
	g.tap("type_embedding", g.z)

	g1 := g.shapeTransform(g.repinit())
	g.tap("g1_before_repformer", g1)
	g1 = g.repformers(g1)
	d := g1
	if cfg.Descriptor.ConcatTebd {
		d = g.Concat(g1, g.Gather(g.z, g.atomType))
	}
	g.tap("descriptor", d)
	g.atomEnergy = g.fitting(d)
	g.tap("fitting_output_before_out_bias", g.atomEnergy)
	g.frameEnergies = g.Scatter(g.atomEnergy, g.atomFrame)
	return g
}

// tap names an intermediate for tests.
func (g *energyGraph) tap(name string, x *graph.Tensor) { g.taps[name] = x }

// typeEmbedding returns Z. The skip of its linear layer adds unit vectors where widths allow (SPEC 2.2).
func (g *energyGraph) typeEmbedding() *graph.Tensor {
	l := g.cfg.tebdLayer()
	return g.finish(l, g.weight(l), func() *graph.Tensor {
		eye := make([]float64, l.in*l.in)
		for t := range l.in {
			eye[t*l.in+t] = 1
		}
		return g.Const(l.in, l.in, eye)
	})
}

// kindEmbedding returns concat(z_left, z_right) for each kind; left or right may be nil.
func (g *energyGraph) kindEmbedding(left, right *graph.Index) *graph.Tensor {
	if right == nil {
		return g.Gather(g.z, left)
	}
	return g.Concat(g.Gather(g.z, left), g.Gather(g.z, right))
}

// shapeTransform maps the output of repinit to g1 (SPEC 3.3).
func (g *energyGraph) shapeTransform(x *graph.Tensor) *graph.Tensor {
	if !g.cfg.shapeIsIdentity() {
		x = g.dense(g.cfg.shapeLayer(), x)
	}
	if g.cfg.Descriptor.AddTebd {
		x = g.Add(x, g.Gather(g.dense(g.cfg.tebdTransform(), g.z), g.atomType))
	}
	return x
}

// fitting returns the network energy of each atom, 0 where the mask is 0 (SPEC 4.1).
func (g *energyGraph) fitting(d *graph.Tensor) *graph.Tensor {
	f := &g.cfg.Fitting
	rows, inputs := graph.Fixed(1), []*graph.Tensor(nil)
	add := func(name string, x *graph.Tensor, n int) {
		x = g.Sub(x, g.param("fitting/@variables/"+name+"_avg", 1, n))
		inputs = append(inputs, g.Mul(x, g.param("fitting/@variables/"+name+"_inv_std", 1, n)))
		rows = g.atom
	}
	if n := f.NumbFParam; n > 0 {
		add("fparam", g.Gather(g.Input("fparam", g.frame, n), g.atomFrame), n)
	}
	if n := f.NumbAParam; n > 0 {
		add("aparam", g.Input("aparam", g.atom, n), n)
	}
	if n := f.DimCaseEmbd; n > 0 {
		inputs = append(inputs, nil) // repeated over as many rows as asked for
	}
	input := func(d *graph.Tensor) *graph.Tensor {
		list := append([]*graph.Tensor{d}, inputs...)
		if n := f.DimCaseEmbd; n > 0 {
			list[len(list)-1] = g.BroadcastRows(g.param("fitting/@variables/case_embd", 1, n), d.Rows())
		}
		return g.Concat(list...)
	}
	energy := g.net(g.cfg.fittingNet(), input(d))
	if f.subtractsVacuum() {
		energy = g.Sub(energy, g.net(g.cfg.fittingNet(), input(g.Full(rows, d.Cols(), 0))))
	}
	return g.Mul(energy, g.Input("mask", g.atom, 1))
}

// subtractsVacuum says whether the net's energy of an atom without surroundings is subtracted: some type has a
// vacuum energy of its own.
func (f *Fitting) subtractsVacuum() bool {
	for _, e := range f.AtomEner {
		if e != nil {
			return true
		}
	}
	return false
}
