package kerneltest

import (
	"math/rand/v2"
	"testing"

	"github.com/fedlam/fedlam/kernels"
)

// columns are numbers of columns around the widths of vectors.
var columns = []int{1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 32, 33, 64, 100}

func layouts[F kernels.Float](t *testing.T, k Kernels[F]) {
	rng := rand.New(rand.NewPCG(17, 18))
	for _, rows := range []int{0, 1, 2, 7, 40} {
		for _, cols := range columns {
			src := random[F](rng, rows*cols)
			moves(t, k, rng, src, rows, cols)
			dst, check := guarded[F](rows * cols)
			k.Transpose(dst, src, rows, cols)
			check(t)
			for i := range dst {
				from := i%rows*cols + i/rows
				same(t, dst[i:i+1], src[from:from+1], "Transpose %d x %d", rows, cols)
			}
			parts, check := guarded[F](rows * cols)
			cut := rng.IntN(cols + 1)
			k.TransposeRows(parts, src, rows, cols, cut, cols)
			k.TransposeRows(parts, src, rows, cols, 0, cut)
			check(t)
			same(t, parts, dst, "TransposeRows %d x %d, cut at %d", rows, cols, cut)
			mapped(t, k, rng, src, rows, cols)
			at := rng.IntN(cols)
			wide := rng.IntN(40)
			dst, check = guarded[F](rows * wide)
			k.RepeatCol(dst, src, cols, at, rows, wide)
			check(t)
			for i := range dst {
				same(t, dst[i:i+1], src[i/wide*cols+at:][:1], "RepeatCol %d of %d x %d, %d times", at, rows, cols, wide)
			}
			if rows > 0 {
				k.RepeatRow(dst, src[:min(cols, wide)])
				check(t)
				for i := 0; i < len(dst) && cols >= wide; i++ {
					same(t, dst[i:i+1], src[i%wide:][:1], "RepeatRow of %d", wide)
				}
			}
		}
	}
}

// moves checks the copies of columns, with and without a list of rows, into the middle of wider rows.
func moves[F kernels.Float](t *testing.T, k Kernels[F], rng *rand.Rand, src []F, rows, cols int) {
	n := 1 + rng.IntN(cols)
	srcAt, dstAt := rng.IntN(cols-n+1), rng.IntN(20)
	dstCols := dstAt + n + rng.IntN(20)
	list := make([]int32, 0, 50)
	for range cap(list) * min(rows, 1) {
		list = append(list, int32(rng.IntN(rows)))
	}
	want := func(count int, row func(r int) int) []F {
		w := make([]F, count*dstCols)
		kernels.Fill(w, guard)
		for r := range count {
			copy(w[r*dstCols+dstAt:][:n], src[row(r)*cols+srcAt:])
		}
		return w
	}
	dst, check := guarded[F](rows * dstCols)
	k.CopyCols(dst, dstCols, dstAt, src, cols, srcAt, rows, n)
	check(t)
	same(t, dst, want(rows, func(r int) int { return r }), "CopyCols %d of %d to %d of %d", srcAt, cols, dstAt, dstCols)
	dst, check = guarded[F](len(list) * dstCols)
	k.Gather(dst, dstCols, dstAt, src, cols, srcAt, list, n)
	check(t)
	same(t, dst, want(len(list), func(r int) int { return int(list[r]) }), "Gather %d of %d to %d of %d", srcAt, cols, dstAt, dstCols)
}

// mapped checks random choices of columns, repetitions and single columns among them.
func mapped[F kernels.Float](t *testing.T, k Kernels[F], rng *rand.Rand, src []F, rows, cols int) {
	for _, wide := range columns {
		from := make([]int, wide)
		for c := range from {
			from[c] = rng.IntN(cols)
		}
		dst, check := guarded[F](rows * wide)
		k.MapRows(kernels.NewRowMap(from, cols), dst, src, rows)
		check(t)
		want := make([]F, len(dst))
		for i := range want {
			want[i] = src[i/wide*cols+from[i%wide]]
		}
		same(t, dst, want, "MapRows %d x %d to %d columns", rows, cols, wide)
	}
}
