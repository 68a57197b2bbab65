package kernels_test

import (
	"fmt"
	"testing"

	"github.com/fedlam/fedlam/kernels"
)

// formulas are what layers of a network with residuals take, forwards and backwards, on 16,000 numbers (in the caches) and
// on four million.
func formulas[F kernels.Float]() []task {
	layer := &kernels.Formula{Registers: 6, Inputs: 3, Stored: []int{4, 5}, Code: []kernels.Instr{
		{Op: kernels.OpAdd, Dst: 3, A: 0, B: 1},
		{Op: kernels.OpTanh, Dst: 4, A: 3},
		{Op: kernels.OpAdd, Dst: 5, A: 4, B: 2},
	}}
	adjoint := &kernels.Formula{Registers: 7, Inputs: 4, Stored: []int{6}, Code: []kernels.Instr{
		{Op: kernels.OpMulAdd, Dst: 4, A: 0, B: 1, C: 2},
		{Op: kernels.OpQuadratic, Dst: 5, A: 3, S: -1, T: 1},
		{Op: kernels.OpMul, Dst: 6, A: 4, B: 5},
	}}
	var list []task
	for _, n := range []int{1 << 14, 1 << 22} {
		for name, f := range map[string]*kernels.Formula{"layer": layer, "adjoint": adjoint} {
			bytes := sizeOf[F](n * (f.Inputs + len(f.Stored)))
			list = append(list, memoryTask("Fuse", fmt.Sprintf("%s of %d", name, n), bytes, func() func() {
				return evaluation[F](f, n)
			}))
		}
	}
	return list
}

// evaluation returns a call that evaluates f on n numbers.
func evaluation[F kernels.Float](f *kernels.Formula, n int) func() {
	fused := kernels.Fuse[F]([]*kernels.Formula{f})[0]
	memory := make([][]F, f.Registers)
	for r := range memory {
		if fused.InMemory(r) {
			memory[r] = filled[F](n)
		}
	}
	return func() { fused.Eval(memory, n) }
}

func BenchmarkFormulas(b *testing.B) { benchmark(b, formulas[float32](), formulas[float64]()) }
