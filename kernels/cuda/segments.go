package cuda

import "github.com/fedlam/fedlam/kernels"

// Segments of rows are described by start: segment s is made of the rows start[s] to start[s+1], excluded. Functions that
// take segments first and last work on first <= s < last and touch only the rows of those. The caller answers for what start,
// list and pair hold: it is on the device, and nobody looks.

const segmentThreads = 64

var (
	segOuterSquare   = kernels2("segments", "seg_outer_square")
	segOuterFlat     = kernels2("segments", "seg_outer_flat")
	rowApplySquare   = kernels2("segments", "row_apply_square")
	rowApplyThin     = kernels2("segments", "row_apply_thin")
	rowApplyTSquare  = kernels2("segments", "row_apply_t_square")
	rowApplyTWide    = kernels2("segments", "row_apply_t_wide")
	scatterKernel    = kernels2("segments", "scatter")
	scatterLong      = kernels2("segments", "scatter_long")
	segSoftmaxKernel = kernels2("softmax", "seg_softmax")
)

// needSegments makes the list invalid unless there are segments first to last.
func needSegments(r *Recorder, op string, start Slice[int32], first, last int) {
	if first < 0 || last < first {
		r.fail("%s: segments %d to %d", op, first, last)
		return
	}
	need(r, op, "start", start, last+1)
}

// SegOuter sets the p x q matrix of each segment to the sum over its rows of the outer product of a (p wide) and b (q wide).
func SegOuter[F kernels.Float](r *Recorder, dst, a, b Slice[F], start Slice[int32], first, last, p, q int) {
	need(r, "SegOuter", "dst", dst, last*p*q)
	k := segOuterSquare
	if p <= 8 {
		k = segOuterFlat
	}
	segments(r, "SegOuter", of[F](k), dst, a, b, start, first, last, p, q)
}

// RowApply sets each row of dst (p wide) to the p x q matrix g of its segment times the row of b (q wide).
func RowApply[F kernels.Float](r *Recorder, dst, g, b Slice[F], start Slice[int32], first, last, p, q int) {
	need(r, "RowApply", "g", g, last*p*q)
	k := rowApplySquare
	if p <= 8 {
		k = rowApplyThin
	}
	segments(r, "RowApply", of[F](k), dst, g, b, start, first, last, p, q)
}

// RowApplyT sets each row of dst (q wide) to the transposed p x q matrix g of its segment times the row of a (p wide).
func RowApplyT[F kernels.Float](r *Recorder, dst, g, a Slice[F], start Slice[int32], first, last, p, q int) {
	need(r, "RowApplyT", "g", g, last*p*q)
	k := rowApplyTSquare
	if q > 32 {
		k = rowApplyTWide
	}
	segments(r, "RowApplyT", of[F](k), dst, g, a, start, first, last, p, q)
}

func segments[F kernels.Float](r *Recorder, op string, k kernel, dst, a, b Slice[F], start Slice[int32], first, last, p, q int) {
	needSegments(r, op, start, first, last)
	r.wide(dst.addr, a.addr, b.addr, start.addr)
	r.ints(first, p, q)
	r.launch(k, last-first, 1, segmentThreads, 0)
}

// fewSums is up to how many numbers a scatter's result has few enough that threads share each.
const fewSums = 4096

// Scatter sets row s of dst to the sum of those rows of src that list names in its segment s, accumulated in float64. An empty
// list stands for 0, 1, 2 ...
func Scatter[F kernels.Float](r *Recorder, dst, src Slice[F], start, list Slice[int32], first, last, cols int) {
	const threads, across = 256, 32
	needSegments(r, "Scatter", start, first, last)
	need(r, "Scatter", "dst", dst, last*cols)
	r.wide(dst.addr, src.addr, start.addr, list.addr)
	if n := (last - first) * cols; n > fewSums {
		r.long(first, last)
		r.ints(cols)
		r.launchFlat(of[F](scatterKernel), n)
		return
	}
	r.ints(first, cols)
	r.launch(of[F](scatterLong), last-first, (cols+across-1)/across, threads, 0)
}

// SegSoftmax sets each column of dst within a segment to exp(x) divided by its sum over the segment. If phantom is not
// empty, the sum of segment s also has phantom[s] terms exp(value).
func SegSoftmax[F kernels.Float](r *Recorder, dst, x, phantom Slice[F], value float64, start Slice[int32], first, last, cols int) {
	const threads, together = 128, 4
	needSegments(r, "SegSoftmax", start, first, last)
	if phantom.n > 0 {
		need(r, "SegSoftmax", "phantom", phantom, last)
	}
	r.wide(dst.addr, x.addr, phantom.addr)
	double(r, value)
	r.wide(start.addr)
	r.long(first, last)
	r.ints(cols)
	r.launch(of[F](segSoftmaxKernel), (last-first+together-1)/together, 1, threads, 0)
}
