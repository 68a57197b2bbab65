package kernels_test

import (
	"fmt"
	"testing"

	"github.com/fedlam/fedlam/kernels"
)

// pairBench is the attention of a layer over 192 atoms of water: about 26 neighbours each, 4 heads of 32 columns.
type pairBench struct {
	start, pair []int32 // by atom: its first neighbour, its first pair
	left        []int32 // by neighbour: its first pair
	rows, pairs int
	most        int
}

const pairHeads, pairColumns = 4, 32

func newPairBench() pairBench {
	p := pairBench{start: []int32{0}, pair: []int32{0}, left: []int32{0}}
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

func newAttention[F kernels.Float](p pairBench) attention[F] {
	n := p.rows * pairHeads * pairColumns
	m := p.pairs * pairHeads
	return attention[F]{random[F](n), random[F](n), random[F](n), random[F](m), random[F](m)}
}

// BenchmarkAttention takes one layer again and again, whose memory stays in the caches, or many in turn.
func BenchmarkAttention(b *testing.B) {
	b.Run("float32", benchmarkAttention[float32])
	b.Run("float64", benchmarkAttention[float64])
}

func benchmarkAttention[F kernels.Float](b *testing.B) {
	p := newPairBench()
	var layers []attention[F]
	for range 8 {
		layers = append(layers, newAttention[F](p))
	}
	const heads, d = pairHeads, pairColumns
	scratch := make([]F, kernels.PairDotScratch(p.most, heads, d))
	phantom, sums := make([]F, p.rows), make([]float64, p.rows*heads)
	kernels.Fill(phantom, 14)
	atoms := len(p.start) - 1
	work := 2e-9 * float64(p.pairs*heads*d)
	for _, f := range []struct {
		name string
		call func(t attention[F])
		work float64
		unit string
	}{
		{"PairDot", func(t attention[F]) { kernels.PairDot(t.dots, t.x, t.y, p.start, p.pair, 0, atoms, heads, d, scratch) }, work, "GFLOP/s"},
		{"PairApply", func(t attention[F]) { kernels.PairApply(t.rows, t.weight, t.x, p.start, p.pair, 0, atoms, heads, d) }, work, "GFLOP/s"},
		{"PairApplyT", func(t attention[F]) { kernels.PairApplyT(t.rows, t.weight, t.x, p.start, p.pair, 0, atoms, heads, d) }, work, "GFLOP/s"},
		{"SegSoftmax", func(t attention[F]) {
			kernels.SegSoftmax(t.dots, t.weight, phantom, -20, p.left, 0, p.rows, heads, sums)
		}, 1e-9 * float64(p.pairs*heads), "Gelem/s"},
	} {
		for _, n := range []int{1, len(layers)} {
			b.Run(fmt.Sprintf("%s_%dlayers", f.name, n), func(b *testing.B) {
				for i := 0; b.Loop(); i++ {
					f.call(layers[i%n])
				}
				b.ReportMetric(f.work*float64(b.N)/b.Elapsed().Seconds(), f.unit)
			})
		}
	}
}
