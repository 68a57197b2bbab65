package cuda

import "github.com/fedlam/fedlam/kernels"

// pairKernel is an operation on pairs: for any number of heads, and for four.
type pairKernel struct{ any, four family }

var (
	pairDot    = pairKernel{kernels2("pairs", "pair_dot"), kernels2("pairs", "pair_dot_four")}
	pairApply  = pairKernel{kernels2("pairs", "pair_apply"), kernels2("pairs", "pair_apply_four")}
	pairApplyT = pairKernel{kernels2("pairs", "pair_apply_t"), kernels2("pairs", "pair_apply_t_four")}
)

// The pair functions work on all ordered pairs (j, k) of the rows of a segment; pair[s] is the number of the first pair of
// segment s, and with n rows from f on, (j, k) has the number pair[s] + (j-f)*n + (k-f). Rows have heads*d columns, those of
// a head adjacent; pairs have heads columns.

// PairDot sets each pair's number of head h to the scalar product of row j of a and row k of b within that head.
func PairDot[F kernels.Float](r *Recorder, dst, a, b Slice[F], start, pair Slice[int32], first, last, heads, d int) {
	pairs(r, "PairDot", &pairDot, dst, a, b, start, pair, first, last, heads, d)
}

// PairApply sets row j of dst, within head h, to the sum over k of the pair's weight and row k of b.
func PairApply[F kernels.Float](r *Recorder, dst, weight, b Slice[F], start, pair Slice[int32], first, last, heads, d int) {
	pairs(r, "PairApply", &pairApply, dst, weight, b, start, pair, first, last, heads, d)
}

// PairApplyT sets row k of dst, within head h, to the sum over j of the pair's weight and row j of a.
func PairApplyT[F kernels.Float](r *Recorder, dst, weight, a Slice[F], start, pair Slice[int32], first, last, heads, d int) {
	pairs(r, "PairApplyT", &pairApplyT, dst, weight, a, start, pair, first, last, heads, d)
}

// Blocks of the kernels for four heads. Where segments are too few to fill a GPU, several blocks share each.
const (
	fourThreads  = 256
	fewSegments  = 512
	shareSegment = 4
)

func pairs[F kernels.Float](r *Recorder, op string, k *pairKernel, dst, a, b Slice[F], start, pair Slice[int32], first, last, heads, d int) {
	needSegments(r, op, start, first, last)
	need(r, op, "pair", pair, last)
	if heads < 0 || d < 0 {
		r.fail("%s: %d heads of %d columns", op, heads, d)
	}
	r.wide(dst.addr, a.addr, b.addr, start.addr, pair.addr)
	segments := last - first
	if heads != 4 {
		r.ints(first, heads, d)
		r.launch(of[F](k.any), segments*heads, 1, segmentThreads, 0)
		return
	}
	share := 1
	if segments < fewSegments {
		share = shareSegment
	}
	r.ints(first, d)
	r.launch(of[F](k.four), segments, share, fourThreads, 0)
}
