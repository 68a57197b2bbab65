package kernels_test

import (
	"fmt"

	"github.com/fedlam/fedlam/kernels"
)

// products are those of layers: rows, inputs, outputs. The long side of a transposed left factor is summed over.
func products[F kernels.Float]() []task {
	var list []task
	for _, s := range [][3]int{
		{1024, 1024, 1024}, {3000, 128, 128}, {3000, 32, 128}, {400, 25, 50}, {400, 50, 100}, {400, 100, 50}, {3000, 8, 8},
		{9000, 4, 2}, {9000, 8, 4}, {3000, 1, 32}, {120, 32, 32}, {30, 4, 32},
	} {
		for _, f := range []struct {
			kernel string
			call   func(c, a, b, scratch []F, m, k, n int)
		}{
			{"MatMul", func(c, a, b, _ []F, m, k, n int) { kernels.MatMul(c, a, b, m, k, n) }},
			{"MatMulNT", func(c, a, b, scratch []F, m, k, n int) { kernels.MatMulNT(c, a, b, m, k, n, scratch) }},
			{"MatMulTN", func(c, a, b, _ []F, m, k, n int) { kernels.MatMulTN(c, a, b, k, m, n) }},
			{"AddMatMulTN", func(c, a, b, _ []F, m, k, n int) { kernels.AddMatMulTN(c, a, b, k, m, n) }},
			{"MatMulTNRows", func(c, a, b, _ []F, m, k, n int) { kernels.MatMulTNRows(c, a, b, k, m, n, 0, k) }},
		} {
			list = append(list, layerTask(f.kernel, s, f.call))
		}
	}
	return append(list, layerTask("MatMulTT", [3]int{120, 32, 32}, func(c, a, b, _ []F, m, k, n int) { kernels.MatMulTT(c, a, b, m, k, n) }))
}

func layerTask[F kernels.Float](kernel string, s [3]int, call func(c, a, b, scratch []F, m, k, n int)) task {
	m, k, n := s[0], s[1], s[2]
	return productTask[F](kernel, fmt.Sprintf("%dx%dx%d", m, k, n), 2*m*k*n, func() func() {
		most := max(m*k, k*n, m*n)
		a, b, c, scratch := filled[F](most), filled[F](most), make([]F, most), make([]F, k*n)
		return func() { call(c, a, b, scratch, m, k, n) }
	})
}

// segments are products of the descriptor, embeddings by vectors, of as many atoms with 90 neighbours as stay in the caches.
func segments[F kernels.Float]() []task {
	const atoms, each, p, q = 8, 90, 4, 100
	start := evenSegments(atoms, each)
	size, flop := fmt.Sprintf("%dx%dx%dx%d", atoms, each, p, q), 2*atoms*each*p*q
	operands := func(call func(narrow, wide, matrices, scratch []F)) func() func() {
		return func() func() {
			narrow, wide, matrices, scratch := filled[F](atoms*each*p), filled[F](atoms*each*q), filled[F](atoms*p*q), make([]F, p*q)
			return func() { call(narrow, wide, matrices, scratch) }
		}
	}
	return []task{
		productTask[F]("SegOuter", size, flop, operands(func(narrow, wide, matrices, _ []F) {
			kernels.SegOuter(matrices, narrow, wide, start, 0, atoms, p, q)
		})),
		productTask[F]("RowApply", size, flop, operands(func(narrow, wide, matrices, scratch []F) {
			kernels.RowApply(narrow, matrices, wide, start, 0, atoms, p, q, scratch)
		})),
		productTask[F]("RowApplyT", size, flop, operands(func(narrow, wide, matrices, _ []F) {
			kernels.RowApplyT(wide, matrices, narrow, start, 0, atoms, p, q)
		})),
	}
}

// evenSegments returns where segments of each rows begin.
func evenSegments(count, each int) []int32 {
	start := make([]int32, count+1)
	for s := range start {
		start[s] = int32(s * each)
	}
	return start
}
