package dpa2

import (
	"github.com/fedlam/fedlam/training/graph"
)

// param returns a stored tensor as a matrix; vectors are rows.
func (g *energyGraph) param(path string, rows, cols int) *graph.Tensor {
	g.used[path] = g.Param(path, rows, cols)
	return g.used[path]
}

func (g *energyGraph) weight(l linear) *graph.Tensor {
	return g.param(l.path+"/@variables/w", l.in, l.out)
}

// rows returns rows from (included) to (excluded) of a matrix of fixed size.
func (g *energyGraph) rows(w *graph.Tensor, from, to int) *graph.Tensor {
	cols := w.Cols()
	flat := g.Reshape(w, graph.Fixed(1), w.Rows().Mul*cols)
	return g.Reshape(g.Slice(flat, from*cols, to*cols), graph.Fixed(to-from), cols)
}

// permuteRows returns a matrix of fixed size whose row r is row perm[r] of w.
func (g *energyGraph) permuteRows(w *graph.Tensor, perm []int) *graph.Tensor {
	cols := w.Cols()
	all := make([]int, 0, len(perm)*cols)
	for _, r := range perm {
		for c := range cols {
			all = append(all, r*cols+c)
		}
	}
	flat := g.Reshape(w, graph.Fixed(1), len(all))
	return g.Reshape(g.Permute(flat, all), graph.Fixed(len(perm)), cols)
}

// dense applies a layer to x.
func (g *energyGraph) dense(l linear, x *graph.Tensor) *graph.Tensor {
	return g.finish(l, g.MatMul(x, g.weight(l), graph.N, graph.N), func() *graph.Tensor { return x })
}

// net applies the layers in turn.
func (g *energyGraph) net(layers []linear, x *graph.Tensor) *graph.Tensor {
	for _, l := range layers {
		x = g.dense(l, x)
	}
	return x
}

// finish turns product = xW into the output of the layer. input gives x, should a skip need it.
func (g *energyGraph) finish(l linear, product *graph.Tensor, input func() *graph.Tensor) *graph.Tensor {
	y := product
	if l.bias {
		y = g.Add(y, g.param(l.path+"/@variables/b", 1, l.out))
	}
	y = g.activate(l.act, y)
	if l.hasStep() {
		y = g.Mul(y, g.param(l.path+"/@variables/idt", 1, l.out))
	}
	if !l.hasSkip() {
		return y
	}
	x := input()
	if l.out == 2*l.in {
		x = g.Concat(x, x)
	}
	return g.Add(y, x)
}

// activate applies an activation that Validate has accepted.
func (g *energyGraph) activate(name string, x *graph.Tensor) *graph.Tensor {
	act, err := parseActivation(name)
	if err != nil {
		panic(err) // Config.Validate comes first
	}
	return act(g.Builder, x)
}

// kindNet applies an embedding net to concat(s, z_a, z_b) without building that: the type parts of the first product
// are computed once for each kind (pair of types) and looked up. kindInput is concat(z_a, z_b) on the kinds, nil for
// a net that sees s alone.
func (g *energyGraph) kindNet(layers []linear, s, kindInput *graph.Tensor, kind *graph.Index) *graph.Tensor {
	first := layers[0]
	w := g.weight(first)
	if kindInput == nil {
		return g.net(layers, s)
	}
	product := g.Mul(s, g.rows(w, 0, 1))
	table := g.MatMul(kindInput, g.rows(w, 1, first.in), graph.N, graph.N)
	if first.bias { // added on the table, which has fewer rows
		table = g.Add(table, g.param(first.path+"/@variables/b", 1, first.out))
		first.bias = false
	}
	y := g.finish(first, g.Add(product, g.Gather(table, kind)), func() *graph.Tensor {
		return g.Concat(s, g.Gather(kindInput, kind))
	})
	return g.net(layers[1:], y)
}
