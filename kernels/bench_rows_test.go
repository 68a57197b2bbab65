package kernels_test

import (
	"fmt"

	"github.com/fedlam/fedlam/kernels"
)

// rowTasks move and sum rows: 3,000 edges of 32 numbers, those of 100 atoms with 30 neighbours.
func rowTasks[F kernels.Float]() []task {
	const atoms, each, cols, wide = 100, 30, 32, 48
	const rows = atoms * each
	size := fmt.Sprintf("%dx%d", rows, cols)
	matrix, index := sizeOf[F](rows*cols), 4*rows
	start := evenSegments(atoms, each)
	neighbors, every := make([]int32, rows), make([]int32, rows) // far apart, as those of an atom are, and in turn
	columns := make([]int, cols)
	for r := range neighbors {
		neighbors[r], every[r] = int32(r*37%rows), int32(r)
	}
	for c := range columns {
		columns[c] = c / 2
	}
	return []task{
		memoryTask("CopyCols", size, 2*matrix, rowMove(rows*wide, rows*cols, func(dst, src []F) { kernels.CopyCols(dst, wide, 8, src, cols, 0, rows, cols) })),
		memoryTask("ClearCols", size, matrix, rowMove(rows*wide, 0, func(dst, _ []F) { kernels.ClearCols(dst, wide, 8, rows, cols) })),
		memoryTask("RepeatRow", size, matrix+sizeOf[F](cols), rowMove(rows*cols, cols, func(dst, src []F) { kernels.RepeatRow(dst, src) })),
		memoryTask("RepeatCol", size, matrix+sizeOf[F](rows), rowMove(rows*cols, rows, func(dst, src []F) { kernels.RepeatCol(dst, src, 1, 0, rows, cols) })),
		memoryTask("Transpose", size, 2*matrix, rowMove(rows*cols, rows*cols, func(dst, src []F) { kernels.Transpose(dst, src, rows, cols) })),
		memoryTask("TransposeRows", size, matrix, rowMove(rows*cols, rows*cols, func(dst, src []F) { kernels.TransposeRows(dst, src, rows, cols, cols/4, 3*cols/4) })),
		memoryTask("MapRows", size, matrix+matrix/2, func() func() {
			m, dst, src := kernels.NewRowMap(columns, cols/2), filled[F](rows*cols), filled[F](rows*cols/2)
			return func() { kernels.MapRows(m, dst, src, rows) }
		}),
		memoryTask("SumEachRow", size, matrix+sizeOf[F](rows), rowMove(rows, rows*cols, func(dst, src []F) { kernels.SumEachRow(dst, src, cols) })),
		memoryTask("AddRows", size, matrix+2*8*cols, func() func() {
			sum, src := make([]float64, cols), filled[F](rows*cols)
			return func() { kernels.AddRows(sum, src) }
		}),
		memoryTask("Gather", size, 2*matrix+index, rowMove(rows*cols, rows*cols, func(dst, src []F) { kernels.Gather(dst, cols, 0, src, cols, 0, neighbors, cols) })),
		memoryTask("Scatter", size, matrix+index+sizeOf[F](atoms*cols), rowMove(atoms*cols, rows*cols, func(dst, src []F) {
			kernels.Scatter(dst, src, start, neighbors, 0, atoms, cols)
		})),
		memoryTask("Spread", size, 2*matrix+index, rowMove(rows*cols, rows*cols, func(dst, src []F) { kernels.Spread(dst, src, neighbors, cols) })),
		memoryTask("SpreadAscending", size, 2*matrix+index, rowMove(rows*cols, rows*cols, func(dst, src []F) { kernels.SpreadAscending(dst, src, every, 0, rows, cols) })),
		memoryTask("Scatter", size+"-adjacent", matrix+sizeOf[F](atoms*cols), rowMove(atoms*cols, rows*cols, func(dst, src []F) {
			kernels.Scatter(dst, src, start, nil, 0, atoms, cols)
		})),
	}
}

// rowMove prepares a call with one result and one operand of the given lengths.
func rowMove[F kernels.Float](to, from int, call func(dst, src []F)) func() func() {
	return func() func() {
		dst, src := filled[F](to), filled[F](from)
		return func() { call(dst, src) }
	}
}
