package kernels_test

import (
	"testing"

	"github.com/fedlam/fedlam/kernels"
)

// pairBench is the attention of a layer over 192 atoms of water: about 26 neighbours each, 4 heads of 32 columns.
type pairBench[F kernels.Float] struct {
	start, pair []int32 // by atom: its first neighbour, its first pair
	left        []int32 // by neighbour: its first pair
	rows, pairs int
	most        int
}

const pairHeads, pairColumns = 4, 32

func newPairBench[F kernels.Float]() pairBench[F] {
	p := pairBench[F]{start: []int32{0}, pair: []int32{0}, left: []int32{0}}
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

func BenchmarkPairs(b *testing.B) {
	b.Run("float32", benchmarkPairs[float32])
	b.Run("float64", benchmarkPairs[float64])
}

func benchmarkPairs[F kernels.Float](b *testing.B) {
	p := newPairBench[F]()
	const heads, d = pairHeads, pairColumns
	x, y, rows := random[F](p.rows*heads*d), random[F](p.rows*heads*d), make([]F, p.rows*heads*d)
	weight, dots := random[F](p.pairs*heads), make([]F, p.pairs*heads)
	scratch := make([]F, kernels.PairDotScratch(p.most, heads, d))
	atoms := len(p.start) - 1
	for _, f := range []struct {
		name string
		call func()
	}{
		{"PairDot", func() { kernels.PairDot(dots, x, y, p.start, p.pair, 0, atoms, heads, d, scratch) }},
		{"PairApply", func() { kernels.PairApply(rows, weight, x, p.start, p.pair, 0, atoms, heads, d) }},
		{"PairApplyT", func() { kernels.PairApplyT(rows, weight, x, p.start, p.pair, 0, atoms, heads, d) }},
	} {
		b.Run(f.name, func(b *testing.B) {
			for b.Loop() {
				f.call()
			}
			b.ReportMetric(2*float64(p.pairs*heads*d)*float64(b.N)/b.Elapsed().Seconds()/1e9, "GFLOP/s")
		})
	}
}

func BenchmarkSegSoftmax(b *testing.B) {
	b.Run("float32", benchmarkSegSoftmax[float32])
	b.Run("float64", benchmarkSegSoftmax[float64])
}

func benchmarkSegSoftmax[F kernels.Float](b *testing.B) {
	p := newPairBench[F]()
	x, dst := random[F](p.pairs*pairHeads), make([]F, p.pairs*pairHeads)
	phantom, scratch := make([]F, p.rows), make([]float64, p.rows*pairHeads)
	kernels.Fill(phantom, 14)
	for b.Loop() {
		kernels.SegSoftmax(dst, x, phantom, -20, p.left, 0, p.rows, pairHeads, scratch)
	}
	b.ReportMetric(float64(len(x))*float64(b.N)/b.Elapsed().Seconds()/1e9, "Gelem/s")
}
