package cuda

import "github.com/fedlam/fedlam/kernels"

var (
	colSumsKernel    = kernels2("reduce", "col_sums")
	addPartialKernel = kernels2("reduce", "add_partial")
	rowSumsKernel    = kernels2("reduce", "row_sums")
)

const (
	reduceThreads = 256
	leastBandRows = 16  // of each thread's share, so that few sums are left
	mostBands     = 256 // blocks that sum rows side by side
)

// bands returns how many blocks sum up rows. Sizes alone decide, as the order of sums follows.
func bands(rows, cols int) int {
	lanes := reduceThreads / min(max(cols, 1), reduceThreads)
	return min(max((rows+lanes*leastBandRows-1)/(lanes*leastBandRows), 1), mostBands)
}

// AddRowsScratch returns how many numbers of scratch AddRows needs for rows of cols numbers.
func AddRowsScratch(rows, cols int) int { return bands(rows, cols) * cols }

// SumScratch returns how many numbers of scratch Sum needs.
func SumScratch(n int) int { return bands(n, 1) }

// Sum sets sum to the sum of a. scratch needs SumScratch numbers.
func Sum[F kernels.Float](r *Recorder, sum Slice[float64], a Slice[F], scratch Slice[float64]) {
	need(r, "Sum", "sum", sum, 1)
	if r.err == nil {
		addRows(r, "Sum", sum.Cut(0, 1), a, scratch, false)
	}
}

// AddRows adds each of the rows of a (rows x len(sum)) to sum. scratch needs AddRowsScratch numbers.
func AddRows[F kernels.Float](r *Recorder, sum Slice[float64], a Slice[F], scratch Slice[float64]) {
	if sum.n > 0 {
		addRows(r, "AddRows", sum, a, scratch, true)
	}
}

func addRows[F kernels.Float](r *Recorder, op string, sum Slice[float64], a Slice[F], scratch Slice[float64], add bool) {
	cols := sum.n
	rows := a.n / cols
	count := bands(rows, cols)
	need(r, op, "scratch", scratch, count*cols)
	r.wide(scratch.addr, a.addr)
	r.long(rows)
	r.ints(cols)
	r.launch(of[F](colSumsKernel), count, (cols+reduceThreads-1)/reduceThreads, reduceThreads, 0)
	addPartial(r, addPartialKernel.f64, sum.addr, scratch.addr, count, cols, add)
}

// addPartial adds up what blocks have summed: dst gets cols numbers of the kernel's element type.
func addPartial(r *Recorder, k kernel, dst, partial uint64, blocks, cols int, add bool) {
	const across = 32
	r.wide(dst, partial)
	r.ints(blocks, cols, flag(add))
	r.launch(k, (cols+across-1)/across, 1, reduceThreads, 0)
}

// SumEachRow sets dst[r] to the sum of row r of a (len(dst) x cols).
func SumEachRow[F kernels.Float](r *Recorder, dst, a Slice[F], cols int) {
	need(r, "SumEachRow", "a", a, dst.n*cols)
	lanes := 1 // threads that share a row: neighbours read neighbours if rows are long
	switch {
	case cols >= 64:
		lanes = 32
	case cols >= 16:
		lanes = 8
	}
	r.wide(dst.addr, a.addr)
	r.long(dst.n)
	r.ints(cols, lanes)
	high := reduceThreads / lanes
	r.launch(of[F](rowSumsKernel), (dst.n+high-1)/high, 1, reduceThreads, 0)
}
