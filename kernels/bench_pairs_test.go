package kernels_test

import "github.com/fedlam/fedlam/kernels"

// pairLayer is the attention of a layer over 192 atoms of water: about 26 neighbours each, 4 heads of 32 columns.
type pairLayer struct {
	start, pair []int32 // by atom: its first neighbour, its first pair
	left        []int32 // by neighbour: its first pair
	rows, pairs int
	most        int
}

const pairHeads, pairColumns = 4, 32

func newPairLayer() pairLayer {
	p := pairLayer{start: []int32{0}, pair: []int32{0}, left: []int32{0}}
	for atom := range 192 {
		n := 22 + atom*7%10
		for range n {
			p.left = append(p.left, p.left[p.rows]+int32(n))
			p.rows++
		}
		p.pairs += n * n
		p.most = max(p.most, n)
		p.start, p.pair = append(p.start, int32(p.rows)), append(p.pair, int32(p.pairs))
	}
	return p
}

// attention holds the operands and results of one layer.
type attention[F kernels.Float] struct{ x, y, rows, weight, dots []F }

func newAttention[F kernels.Float](p pairLayer) attention[F] {
	n := p.rows * pairHeads * pairColumns
	m := p.pairs * pairHeads
	return attention[F]{filled[F](n), filled[F](n), filled[F](n), filled[F](m), filled[F](m)}
}

// pairs takes one layer again and again, whose memory stays in the caches, or many in turn.
func pairs[F kernels.Float]() []task {
	const heads, d = pairHeads, pairColumns
	p := newPairLayer()
	scratch := make([]F, kernels.PairDotScratch(p.most, heads, d))
	phantom, sums := make([]F, p.rows), make([]float64, p.rows*heads)
	kernels.Fill(phantom, 14)
	atoms, flop := len(p.start)-1, 2*p.pairs*heads*d
	var list []task
	for _, s := range []struct {
		name   string
		layers int
	}{{"cached", 1}, {"streamed", 8}} {
		in := func(call func(t attention[F])) func() func() {
			return func() func() {
				at, memory := 0, make([]attention[F], s.layers)
				for k := range memory {
					memory[k] = newAttention[F](p)
				}
				return func() {
					call(memory[at%s.layers])
					at++
				}
			}
		}
		list = append(list,
			productTask[F]("PairDot", s.name, flop, in(func(t attention[F]) {
				kernels.PairDot(t.dots, t.x, t.y, p.start, p.pair, 0, atoms, heads, d, scratch)
			})),
			productTask[F]("PairApply", s.name, flop, in(func(t attention[F]) {
				kernels.PairApply(t.rows, t.weight, t.x, p.start, p.pair, 0, atoms, heads, d)
			})),
			productTask[F]("PairApplyT", s.name, flop, in(func(t attention[F]) {
				kernels.PairApplyT(t.rows, t.weight, t.x, p.start, p.pair, 0, atoms, heads, d)
			})),
			memoryTask("SegSoftmax", s.name, 2*sizeOf[F](p.pairs*heads), in(func(t attention[F]) {
				kernels.SegSoftmax(t.dots, t.weight, phantom, -20, p.left, 0, p.rows, heads, sums)
			})))
	}
	return list
}
