// Package kerneltest is the contract of package kernels as tests: whatever computes the same operations, plain Go,
// assembly or another device, must pass them.
//
// Each operation is compared, over random shapes from 0 and 1 to odd tails and several tiles, with its definition
// evaluated in float64. Besides:
//
//   - equal calls give equal bits;
//   - the rows of a product do not depend on which other rows are computed in the same call, so that a caller may split
//     them anywhere that does not split a sum;
//   - nothing outside the result is written, and operands are not changed, also right beside it in memory;
//   - NaN and Inf are numbers like others: they come out where IEEE 754 has them come out, a product by zero included,
//     and nowhere else. A softmax with a NaN in a segment's column is NaN in all of that column of the segment.
package kerneltest

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/fedlam/fedlam/kernels"
)

// Kernels holds one implementation of each operation, with the meaning that package kernels documents.
type Kernels[F kernels.Float] struct {
	MatMul, MatMulTN, MatMulTT func(c, a, b []F, m, k, n int)
	AddMatMulTN                func(c, a, b []F, m, k, n int)
	MatMulTNRows               func(c, a, b []F, m, k, n, first, last int)
	MatMulNT                   func(c, a, b []F, m, k, n int, scratch []F)

	Add, Sub, Mul                  func(dst, a, b []F)
	Neg, Square, Recip, Sqrt, Step func(dst, a []F)
	Exp, Tanh, Sigmoid, Softplus   func(dst, a []F)
	MulMul, AddScaled              func(dst, a, b []F, s F)
	MulAdd, MulSub, SubMul         func(dst, a, b, c []F)
	Quadratic                      func(dst, a []F, s, t F)
	Scale, AddScalar               func(dst, a []F, s F)
	Switch                         func(dst, r []F, rs, rc float64, order int)
	Sum                            func(a []F) float64
	AddRows                        func(sum []float64, a []F)
	SumEachRow                     func(dst, a []F, cols int)
	RepeatCol                      func(dst, src []F, srcCols, at, rows, cols int)
	CopyCols                       func(dst []F, dstCols, dstAt int, src []F, srcCols, srcAt, rows, n int)
	RepeatRow                      func(dst, src []F)
	Gather                         func(dst []F, dstCols, dstAt int, src []F, srcCols, srcAt int, index []int32, n int)
	Scatter                        func(dst, src []F, start, list []int32, first, last, cols int)
	Spread                         func(dst, src []F, index []int32, cols int)
	SpreadAscending                func(dst, src []F, index []int32, first, last, cols int)
	SegOuter, RowApplyT            func(dst, a, b []F, start []int32, first, last, p, q int)
	RowApply                       func(dst, a, b []F, start []int32, first, last, p, q int, scratch []F)
	MapRows                        func(m *kernels.RowMap, dst, src []F, rows int)
	Transpose                      func(dst, src []F, rows, cols int)
	TransposeRows                  func(dst, src []F, rows, cols, from, to int)
	PairApply, PairApplyT          func(dst, a, b []F, start, pair []int32, first, last, heads, d int)
	PairDot                        func(dst, a, b []F, start, pair []int32, first, last, heads, d int, scratch []F)
	SegSoftmax                     func(dst, x, phantom []F, value float64, start []int32, first, last, cols int, scratch []float64)
}

// Host returns the functions of package kernels.
func Host[F kernels.Float]() Kernels[F] {
	return Kernels[F]{
		MatMul: kernels.MatMul[F], MatMulNT: kernels.MatMulNT[F], MatMulTN: kernels.MatMulTN[F], MatMulTT: kernels.MatMulTT[F],
		AddMatMulTN: kernels.AddMatMulTN[F], MatMulTNRows: kernels.MatMulTNRows[F],
		Add: kernels.Add[F], Sub: kernels.Sub[F], Mul: kernels.Mul[F],
		Neg: kernels.Neg[F], Square: kernels.Square[F], Recip: kernels.Recip[F], Sqrt: kernels.Sqrt[F], Step: kernels.Step[F],
		Exp: kernels.Exp[F], Tanh: kernels.Tanh[F], Sigmoid: kernels.Sigmoid[F], Softplus: kernels.Softplus[F],
		MulMul: kernels.MulMul[F], AddScaled: kernels.AddScaled[F], Quadratic: kernels.Quadratic[F],
		MulAdd: kernels.MulAdd[F], MulSub: kernels.MulSub[F], SubMul: kernels.SubMul[F],
		Scale: kernels.Scale[F], AddScalar: kernels.AddScalar[F], Switch: kernels.Switch[F],
		Sum: kernels.Sum[F], AddRows: kernels.AddRows[F], SumEachRow: kernels.SumEachRow[F],
		Transpose: kernels.Transpose[F], TransposeRows: kernels.TransposeRows[F], MapRows: kernels.MapRows[F], CopyCols: kernels.CopyCols[F], RepeatCol: kernels.RepeatCol[F], RepeatRow: kernels.RepeatRow[F],
		Gather: kernels.Gather[F], Scatter: kernels.Scatter[F], Spread: kernels.Spread[F],
		SpreadAscending: kernels.SpreadAscending[F],
		SegOuter:        kernels.SegOuter[F], RowApply: kernels.RowApply[F], RowApplyT: kernels.RowApplyT[F],
		PairDot: kernels.PairDot[F], PairApply: kernels.PairApply[F], PairApplyT: kernels.PairApplyT[F],
		SegSoftmax: kernels.SegSoftmax[F],
	}
}

// Run runs the whole contract.
func Run[F kernels.Float](t *testing.T, k Kernels[F]) {
	t.Run("products", func(t *testing.T) { products(t, k) })
	t.Run("products of special values", func(t *testing.T) { specialProducts(t, k) })
	t.Run("elementwise", func(t *testing.T) { elementwise(t, k) })
	t.Run("combined", func(t *testing.T) { combined(t, k) })
	t.Run("special values", func(t *testing.T) { specialValues(t, k) })
	t.Run("accuracy", func(t *testing.T) { accuracy(t, k) })
	t.Run("switch", func(t *testing.T) { switches(t, k) })
	t.Run("reductions", func(t *testing.T) { reductions(t, k) })
	t.Run("layout", func(t *testing.T) { layouts(t, k) })
	t.Run("segments", func(t *testing.T) { segments(t, k) })
	t.Run("softmax", func(t *testing.T) { softmax(t, k) })
	t.Run("pairs", func(t *testing.T) { pairs(t, k) })
}

// epsilon returns the distance from 1 to the next number.
func epsilon[F kernels.Float]() float64 {
	e := F(1)
	for 1+e/2 > 1 {
		e /= 2
	}
	return float64(e)
}

// guard surrounds results; nothing may write it.
const (
	guard      = 77.25
	guardWidth = 40
)

// guarded returns a slice of n numbers with guards around it, and a check of the guards.
func guarded[F kernels.Float](n int) (inner []F, check func(t *testing.T)) {
	all := make([]F, n+2*guardWidth)
	kernels.Fill(all, guard)
	return all[guardWidth : guardWidth+n : guardWidth+n], func(t *testing.T) {
		t.Helper()
		for i, v := range all {
			if (i < guardWidth || i >= guardWidth+n) && v != guard {
				t.Errorf("number %d of %d was written", i-guardWidth, n)
				return
			}
		}
	}
}

func random[F kernels.Float](rng *rand.Rand, n int) []F {
	x := make([]F, n)
	for i := range x {
		x[i] = F(2*rng.Float64() - 1)
	}
	return x
}

// near requires got to agree with want within tol times the scale of each number.
func near[F kernels.Float](t *testing.T, got []F, want, scale []float64, tol float64, format string, args ...any) {
	t.Helper()
	for i, w := range want {
		g := float64(got[i])
		if math.IsNaN(w) && math.IsNaN(g) || g == w {
			continue
		}
		s := 1.0
		if scale != nil {
			s = scale[i]
		}
		if !(math.Abs(g-w) <= tol*s) {
			t.Errorf("%s: number %d: got %.9g, want %.9g within %.2g", fmt.Sprintf(format, args...), i, g, w, tol*s)
			return
		}
	}
}

// same requires the same bits, NaN included.
func same[F kernels.Float](t *testing.T, got, want []F, format string, args ...any) {
	t.Helper()
	for i, w := range want {
		if math.Float64bits(float64(got[i])) != math.Float64bits(float64(w)) {
			t.Errorf("%s: number %d: got %v, want the same bits as %v", fmt.Sprintf(format, args...), i, got[i], w)
			return
		}
	}
}
