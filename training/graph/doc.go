// Package graph builds, differentiates and runs numeric programs whose sizes are known only at run time.
//
// A Builder makes expressions (Tensor) by methods such as MatMul or Tanh. An expression is a matrix with a fixed number
// of columns; its rows are a multiple of a named axis, such as "atom" or "edge", whose size each batch brings along. Ragged
// neighbourhoods are axes too: an Index maps edges to atoms, Pairs are the pairs of edges that share a centre.
//
// Grad differentiates by emitting expressions of the same operations, so that a gradient can be differentiated again.
//
//	b := graph.New()
//	x := b.Input("x", graph.Axis("atom"), 3)
//	w := b.Param("w", 3, 1)
//	energy := b.SumAll(b.Tanh(b.MatMul(x, w, graph.N, graph.N)))
//	force := b.Neg(b.Grad(energy, x)[0])
//	dw := b.Grad(b.SumAll(b.Square(force)), w)[0]
package graph
