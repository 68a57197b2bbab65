package cuda_test

import (
	"testing"

	"github.com/fedlam/fedlam/kernels"
	"github.com/fedlam/fedlam/kernels/cuda"
	"github.com/fedlam/fedlam/kernels/cuda/cudatest"
)

// TestEmittedShapes says which tiles share a kernel: those that differ in sizes, addresses and constants only.
func TestEmittedShapes(t *testing.T) {
	b := newBridge[float32](t, cudatest.Open(t))
	x, list := b.in(make([]float32, 5000)), b.list(make([]int32, 100))
	type tile = cuda.Tile[float32]
	first := func(t *tile) *cuda.Part[float32] { return &t.Loads[0][0] }
	base := func() *tile {
		return &tile{
			Formula: &kernels.Formula{
				Registers: 3, Inputs: 2, Stored: []int{2}, Code: []kernels.Instr{{Op: kernels.OpAddScaled, Dst: 2, A: 0, B: 1, S: 2}},
			},
			Rows: 8, Cols: 16, Stores: []cuda.Store[float32]{{Reg: 2, Dst: x}},
			Loads: []cuda.Load[float32]{{{Src: x, SrcCols: 32, Index: list}}, {{Src: x, At: 4, Width: 8, SrcCols: 8}}},
		}
	}
	for _, c := range []struct {
		name   string
		change func(t *tile)
		same   bool
	}{
		{"nothing", func(*tile) {}, true},
		{"rows", func(t *tile) { t.Rows = 9 }, true},
		{"columns", func(t *tile) { t.Cols = 20 }, true},
		{"constant", func(t *tile) { t.Formula.Code[0].S = 3 }, true},
		{"source", func(t *tile) { first(t).Src = x.From(4) }, true},
		{"columns of a source", func(t *tile) { first(t).SrcCols = 40 }, true},
		{"first column of a source", func(t *tile) { first(t).From = 8 }, true},
		{"place of a part", func(t *tile) { t.Loads[1][0].At = 8 }, true},
		{"odd columns", func(t *tile) { t.Cols = 15 }, false},
		{"odd source", func(t *tile) { first(t).Src = x.From(1) }, false},
		{"odd columns of a source", func(t *tile) { first(t).SrcCols = 33 }, false},
		{"odd place of a part", func(t *tile) { t.Loads[1][0].At = 3 }, false},
		{"odd target", func(t *tile) { t.Stores[0].Dst = x.From(1) }, false},
		{"no index", func(t *tile) { first(t).Index = cuda.Slice[int32]{} }, false},
		{"map", func(t *tile) { first(t).Map = list }, false},
		{"row", func(t *tile) { first(t).Repeat = cuda.Row }, false},
		{"column", func(t *tile) { first(t).Repeat = cuda.Column }, false},
		{"operation", func(t *tile) { t.Formula.Code[0].Op = kernels.OpMulMul }, false},
		{"operand", func(t *tile) { t.Formula.Code[0].A = 1 }, false},
		{"register of a store", func(t *tile) { t.Stores[0].Reg = 1 }, false},
		{"kind of a store", func(t *tile) { t.Stores[0].Kind = cuda.SumCols }, false},
	} {
		var r cuda.Recorder
		base().Run(&r)
		changed := base()
		c.change(changed)
		changed.Run(&r)
		texts := cuda.Emitted(&r)
		if err := r.Err(); err != nil || len(texts) != 2 {
			t.Fatalf("%s: %d launches, error %v", c.name, len(texts), err)
		}
		if same := texts[0] == texts[1]; same != c.same {
			t.Errorf("%s: same kernel %v, want %v", c.name, same, c.same)
		}
	}
}

// TestReciprocal divides by multiplication, at both ends and beside multiples of the divisor.
func TestReciprocal(t *testing.T) {
	const most = 1<<31 - 1
	for _, d := range []int{1, 2, 3, 5, 7, 32, 33, 127, 128, 129, 1000, 65535, 1<<20 - 1, 1<<29 + 1, 1<<30 - 1, 1 << 30} {
		magic, shift := cuda.Reciprocal(d)
		for _, x := range []int{0, 1, d - 1, d, d + 1, 1000*d - 1, 1000 * d, most/d*d - 1, most / d * d, most - 1, most} {
			if x > most {
				continue
			}
			if got := int(uint64(x) * uint64(magic) >> shift); got != x/d {
				t.Errorf("%d / %d = %d, want %d", x, d, got, x/d)
			}
		}
	}
}
