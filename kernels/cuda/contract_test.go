package cuda_test

import (
	"testing"

	"github.com/fedlam/fedlam/kernels"
	"github.com/fedlam/fedlam/kernels/cuda"
	"github.com/fedlam/fedlam/kernels/cuda/cudatest"
	"github.com/fedlam/fedlam/kernels/kerneltest"
)

// TestContract runs the contract of package kernels on the fake device.
func TestContract(t *testing.T) {
	t.Run("float32", func(t *testing.T) { kerneltest.Run(t, contract(newBridge[float32](t, cudatest.Open(t)))) })
	t.Run("float64", func(t *testing.T) { kerneltest.Run(t, contract(newBridge[float64](t, cudatest.Open(t)))) })
}

// TestContractOnGPU runs it on a real one.
func TestContractOnGPU(t *testing.T) {
	d := cudatest.OpenGPU(t)
	t.Run("float32", func(t *testing.T) { kerneltest.Run(t, contract(newBridge[float32](t, d))) })
	t.Run("float64", func(t *testing.T) { kerneltest.Run(t, contract(newBridge[float64](t, d))) })
	t.Run("tiles", func(t *testing.T) { tiles(t, newBridge[float32](t, d)) })
}

// contract makes the operations of package cuda look like those of package kernels.
func contract[F kernels.Float](b *bridge[F]) kerneltest.Kernels[F] {
	k := kerneltest.Kernels[F]{}
	contractProducts(b, &k)
	contractElementwise(b, &k)
	contractRows(b, &k)
	contractSegments(b, &k)
	return k
}

func contractProducts[F kernels.Float](b *bridge[F], k *kerneltest.Kernels[F]) {
	product := func(f func(r *cuda.Recorder, c, x, y cuda.Slice[F], m, k, n int)) func(c, x, y []F, m, k, n int) {
		return func(c, x, y []F, m, k, n int) {
			f(&b.rec, b.out(c[:m*n]), b.in(x[:m*k]), b.in(y[:k*n]), m, k, n)
			b.run()
		}
	}
	k.MatMul, k.MatMulTT = product(cuda.MatMul[F]), product(cuda.MatMulTT[F])
	nt := product(cuda.MatMulNT[F])
	k.MatMulNT = func(c, x, y []F, m, k, n int, _ []F) { nt(c, x, y, m, k, n) }
	k.MatMulTN = product(func(r *cuda.Recorder, c, x, y cuda.Slice[F], m, k, n int) {
		cuda.MatMulTN(r, c, x, y, m, k, n, b.scratch(cuda.MatMulTNScratch(m, k, n)))
	})
	k.AddMatMulTN = product(func(r *cuda.Recorder, c, x, y cuda.Slice[F], m, k, n int) {
		cuda.AddMatMulTN(r, c, x, y, m, k, n, b.scratch(cuda.MatMulTNScratch(m, k, n)))
	})
	k.MatMulTNRows = func(c, x, y []F, m, k, n, first, last int) {
		cuda.MatMulTNRows(&b.rec, b.out(c), b.in(x), b.in(y), m, k, n, first, last, b.scratch(cuda.MatMulTNScratch(m, k, n)))
		b.run()
	}
}

func contractElementwise[F kernels.Float](b *bridge[F], k *kerneltest.Kernels[F]) {
	// An operand that is the result's memory has to be so on the device, too.
	at := func(dst, x []F, to cuda.Slice[F]) cuda.Slice[F] {
		if len(dst) > 0 && &dst[0] == &x[0] {
			return to
		}
		return b.in(x[:len(dst)])
	}
	unary := func(f func(r *cuda.Recorder, dst, a cuda.Slice[F])) func(dst, a []F) {
		return func(dst, x []F) {
			to := b.out(dst)
			f(&b.rec, to, at(dst, x, to))
			b.run()
		}
	}
	binary := func(f func(r *cuda.Recorder, dst, a, b cuda.Slice[F])) func(dst, a, b []F) {
		return func(dst, x, y []F) {
			to := b.out(dst)
			f(&b.rec, to, at(dst, x, to), at(dst, y, to))
			b.run()
		}
	}
	ternary := func(f func(r *cuda.Recorder, dst, a, b, c cuda.Slice[F])) func(dst, a, b, c []F) {
		return func(dst, x, y, z []F) {
			to := b.out(dst)
			f(&b.rec, to, at(dst, x, to), at(dst, y, to), at(dst, z, to))
			b.run()
		}
	}
	k.Add, k.Sub, k.Mul = binary(cuda.Add[F]), binary(cuda.Sub[F]), binary(cuda.Mul[F])
	k.Neg, k.Square, k.Recip = unary(cuda.Neg[F]), unary(cuda.Square[F]), unary(cuda.Recip[F])
	k.Sqrt, k.Step, k.Exp = unary(cuda.Sqrt[F]), unary(cuda.Step[F]), unary(cuda.Exp[F])
	k.Tanh, k.Sigmoid, k.Softplus = unary(cuda.Tanh[F]), unary(cuda.Sigmoid[F]), unary(cuda.Softplus[F])
	k.MulAdd, k.MulSub, k.SubMul = ternary(cuda.MulAdd[F]), ternary(cuda.MulSub[F]), ternary(cuda.SubMul[F])
	k.MulMul = func(dst, x, y []F, s F) {
		binary(func(r *cuda.Recorder, dst, a, b cuda.Slice[F]) { cuda.MulMul(r, dst, a, b, s) })(dst, x, y)
	}
	k.AddScaled = func(dst, x, y []F, s F) {
		binary(func(r *cuda.Recorder, dst, a, b cuda.Slice[F]) { cuda.AddScaled(r, dst, a, b, s) })(dst, x, y)
	}
	k.Quadratic = func(dst, x []F, s, t F) {
		unary(func(r *cuda.Recorder, dst, a cuda.Slice[F]) { cuda.Quadratic(r, dst, a, s, t) })(dst, x)
	}
	k.Scale = func(dst, x []F, s F) {
		unary(func(r *cuda.Recorder, dst, a cuda.Slice[F]) { cuda.Scale(r, dst, a, s) })(dst, x)
	}
	k.AddScalar = func(dst, x []F, s F) {
		unary(func(r *cuda.Recorder, dst, a cuda.Slice[F]) { cuda.AddScalar(r, dst, a, s) })(dst, x)
	}
	k.Switch = func(dst, x []F, rs, rc float64, order int) {
		unary(func(r *cuda.Recorder, dst, a cuda.Slice[F]) { cuda.Switch(r, dst, a, rs, rc, order) })(dst, x)
	}
}

func contractRows[F kernels.Float](b *bridge[F], k *kerneltest.Kernels[F]) {
	k.Sum = func(a []F) float64 {
		sum := make([]float64, 1)
		cuda.Sum(&b.rec, b.outSum(sum), b.in(a), b.doubles(cuda.SumScratch(len(a))))
		b.run()
		return sum[0]
	}
	k.AddRows = func(sum []float64, a []F) {
		cuda.AddRows(&b.rec, b.outSum(sum), b.in(a), b.doubles(cuda.AddRowsScratch(len(a)/len(sum), len(sum))))
		b.run()
	}
	k.SumEachRow = func(dst, a []F, cols int) {
		cuda.SumEachRow(&b.rec, b.out(dst), b.in(a), cols)
		b.run()
	}
	k.RepeatCol = func(dst, src []F, srcCols, at, rows, cols int) {
		cuda.RepeatCol(&b.rec, b.out(dst), b.in(src), srcCols, at, rows, cols)
		b.run()
	}
	k.CopyCols = func(dst []F, dstCols, dstAt int, src []F, srcCols, srcAt, rows, n int) {
		cuda.CopyCols(&b.rec, b.out(dst), dstCols, dstAt, b.in(src), srcCols, srcAt, rows, n)
		b.run()
	}
	k.RepeatRow = func(dst, src []F) {
		if len(src) > 0 && len(dst)%len(src) != 0 { // rows that are cut off do not exist on the device
			kernels.RepeatRow(dst, src)
			return
		}
		cuda.RepeatRow(&b.rec, b.out(dst), b.in(src))
		b.run()
	}
	k.Gather = func(dst []F, dstCols, dstAt int, src []F, srcCols, srcAt int, index []int32, n int) {
		cuda.Gather(&b.rec, b.out(dst), dstCols, dstAt, b.in(src), srcCols, srcAt, b.list(index), n)
		b.run()
	}
	k.Spread = func(dst, src []F, index []int32, cols int) {
		cuda.Spread(&b.rec, b.out(dst), b.in(src), b.list(index), cols)
		b.run()
	}
	k.SpreadAscending = func(dst, src []F, index []int32, first, last, cols int) {
		from, to := 0, len(dst) // all rows of a piece are done at once
		if first > 0 {
			from = int(index[first]) * cols
		}
		if last < len(index) {
			to = int(index[last]) * cols
		}
		some := make([]int32, last-first)
		for i, v := range index[first:last] {
			some[i] = v - int32(from/cols)
		}
		cuda.Spread(&b.rec, b.out(dst[from:to]), b.in(src[first*cols:last*cols]), b.list(some), cols)
		b.run()
	}
	k.MapRows = func(m *kernels.RowMap, dst, src []F, rows int) {
		columns, srcCols := m.Columns()
		from := make([]int32, len(columns))
		for i, c := range columns {
			from[i] = int32(c)
		}
		cuda.MapRows(&b.rec, b.list(from), b.out(dst), b.in(src), srcCols, rows)
		b.run()
	}
	k.Transpose = func(dst, src []F, rows, cols int) {
		cuda.Transpose(&b.rec, b.out(dst), b.in(src), rows, cols)
		b.run()
	}
	k.TransposeRows = func(dst, src []F, rows, cols, from, to int) {
		cuda.TransposeRows(&b.rec, b.out(dst), b.in(src), rows, cols, from, to)
		b.run()
	}
}

func contractSegments[F kernels.Float](b *bridge[F], k *kerneltest.Kernels[F]) {
	type segments = func(r *cuda.Recorder, dst, x, y cuda.Slice[F], start cuda.Slice[int32], first, last, p, q int)
	segment := func(f segments) func(dst, x, y []F, start []int32, first, last, p, q int) {
		return func(dst, x, y []F, start []int32, first, last, p, q int) {
			f(&b.rec, b.out(dst), b.in(x), b.in(y), b.list(start), first, last, p, q)
			b.run()
		}
	}
	k.SegOuter, k.RowApplyT = segment(cuda.SegOuter[F]), segment(cuda.RowApplyT[F])
	rowApply := segment(cuda.RowApply[F])
	k.RowApply = func(dst, x, y []F, start []int32, first, last, p, q int, _ []F) {
		rowApply(dst, x, y, start, first, last, p, q)
	}
	k.Scatter = func(dst, src []F, start, list []int32, first, last, cols int) {
		var entries cuda.Slice[int32]
		if list != nil {
			entries = b.list(list)
		}
		cuda.Scatter(&b.rec, b.out(dst), b.in(src), b.list(start), entries, first, last, cols)
		b.run()
	}
	k.SegSoftmax = func(dst, x, phantom []F, value float64, start []int32, first, last, cols int, _ []float64) {
		to := b.out(dst)
		from := to
		if len(dst) == 0 || &dst[0] != &x[0] {
			from = b.in(x)
		}
		var ghosts cuda.Slice[F]
		if phantom != nil {
			ghosts = b.in(phantom)
		}
		cuda.SegSoftmax(&b.rec, to, from, ghosts, value, b.list(start), first, last, cols)
		b.run()
	}
	type pairs = func(r *cuda.Recorder, dst, x, y cuda.Slice[F], start, pair cuda.Slice[int32], first, last, heads, d int)
	pair := func(f pairs) func(dst, x, y []F, start, pair []int32, first, last, heads, d int) {
		return func(dst, x, y []F, start, pair []int32, first, last, heads, d int) {
			f(&b.rec, b.out(dst), b.in(x), b.in(y), b.list(start), b.list(pair), first, last, heads, d)
			b.run()
		}
	}
	k.PairApply, k.PairApplyT = pair(cuda.PairApply[F]), pair(cuda.PairApplyT[F])
	dot := pair(cuda.PairDot[F])
	k.PairDot = func(dst, x, y []F, start, pair []int32, first, last, heads, d int, _ []F) {
		dot(dst, x, y, start, pair, first, last, heads, d)
	}
}
