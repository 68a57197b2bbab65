// Package graph builds, differentiates, compiles and runs numeric programs whose sizes are known only at run time.
//
// # Expressions
//
// A Builder makes expressions. Each Tensor is a matrix: its number of columns is fixed when it is made, its rows are a
// Dim, a multiple of the size of a named axis such as "atom" or "edge", which every batch brings along. There are no other
// shapes; a batch of small matrices is a tensor with one matrix in each row.
//
// Ragged structure is made of maps between rows. An Index maps edges to atoms, or atoms to frames; if it is sorted, the
// rows that map to one row are contiguous and make up its segment. Pairs are all pairs of rows of the same segment: pairs of
// neighbours of an atom. Operations on segments (SegOuter, RowApply, SegSoftmax, PairDot ...) never see padding.
//
// # Derivatives
//
// Grad differentiates in reverse, by emitting expressions. The set of operations is closed: the derivative of each is made
// of others of the set. So a gradient is an expression like any other and can be differentiated again, and one rule for
// each operation, held against central differences, serves energies, forces, and the training of forces.
//
//	b := graph.New()
//	x := b.Input("x", graph.Axis("atom"), 3)
//	w := b.Param("w", 3, 1)
//	energy := b.SumAll(b.Tanh(b.MatMul(x, w, graph.N, graph.N)))
//	force := b.Neg(b.Grad(energy, x)[0])
//	loss := b.SumAll(b.Square(force))
//	program, err := b.Compile(map[string]*graph.Tensor{"loss": loss, "dw": b.Grad(loss, w)[0]})
//
// # Programs
//
// Compile copies what the outputs need through a set of algebraic rules (equal expressions become one, zeros and ones
// disappear, factors are transposed once), and cuts it into steps in a fixed order. Elementwise operations of one shape
// become one step, which goes through memory once, a tile of some rows at a time: gathers, slices and concatenations
// that feed it happen while a tile is loaded, sums over rows or columns before it is left, and cheap operands are
// computed again rather than stored.
//
// Steps that need only rows of the centres they work on, such as the edges of some atoms, form regions: a region is done for
// a block of centres at a time, and what its steps hand on to each other stays in the cache. What a later region needs is
// kept for all centres, or computed again where that is cheap; CompileWith says how cheap it must be, and so trades time for
// memory.
//
// # Runs
//
// An Exec runs a program on batches, in float32 or float64.
//
//	exec := graph.NewExec[float32](program, 2)
//	copy(exec.Param("w"), weights)
//	err := exec.Run(&graph.Batch[float32]{
//		Sizes:  map[string]int{"atom": 2},
//		Inputs: map[string][]float32{"x": {0, 0, 1, 0, 1, 0}},
//	})
//	dw := exec.Output("dw") // valid until the next Run
//
// Limit has a run fail, rather than take memory that is not there; Watch follows a run that takes long.
//
// All memory is one arena, in which values share space when their lifetimes allow; it is laid out anew when sizes change,
// which takes a few microseconds per hundred steps. A run allocates nothing once it has seen sizes as large.
//
// Each step or region is cut into pieces by the batch alone, sums over pieces are combined in their order, and sums over
// rows are accumulated in float64. So results have the same bits for any number of threads and on every run. Another
// instruction set, see package kernels, rounds differently.
//
// Whatever a batch gets wrong, a missing input, a wrong length, an index that points outside, is an error of Run; only
// wrong use of a Builder panics. Values are not looked at: NaN and Inf in inputs come out as arithmetic has them, except
// that a product by a zero known to Compile is zero.
//
// Not here: shapes of more than two dimensions, control flow, other devices.
package graph
