package cuda_test

import (
	"testing"

	"github.com/fedlam/fedlam/kernels"
	"github.com/fedlam/fedlam/kernels/cuda"
	"github.com/fedlam/fedlam/kernels/cuda/cudatest"
)

// BenchmarkTiles measures both ways to do tiles. Predicted for an H200, in float32, of 4.8 TB/s; the ways are emit and interpret:
//
//	task                    GB/s            why
//	formula of 1            4000 and 3500   memory; 32 instructions of the processor for 4 numbers, against 20 for each
//	formula of 20           3500 and 1800   memory; some 85 instructions a number, a tanh with its division included, against 230
//	gathered                3000 and 1500   memory; no division, and rows are looked up once for four numbers
//	sums                    2500 and 1200   two barriers for each sum of 512 numbers, which 8 blocks of a multiprocessor do by turns
//	small formula of 20     4 and 6 µs      the start of a kernel, and one wait for memory; the interpreter decodes besides
//
// In float64, where a number is twice as many bytes and takes twice the time, the ratios should be the same.
func BenchmarkTiles(b *testing.B) {
	for _, way := range []cuda.Tiles{cuda.Emit, cuda.Interpret} {
		b.Run(string(way), func(b *testing.B) {
			benchmarkOn(b, gpuTiles(b, way), tileTasks[float32](), tileTasks[float64]())
		})
	}
}

func tileTasks[F kernels.Float]() []task {
	const n, cols = 1 << 24, 128
	var list []task
	add := func(name string, numbers int, streams float64, tile func(b *testing.B, m memory, n int) *cuda.Tile[F]) {
		list = append(list, task{
			name: name + "/" + typeName[F](), unit: "GB/s", amount: int(streams * float64(bytesOf[F](numbers))),
			record: func(b *testing.B, m memory, r *cuda.Recorder) {
				t := tile(b, m, numbers)
				t.Scratch = take[float64](m.arena, b, t.ScratchLen())
				t.Run(r)
			},
		})
	}
	long := func(b *testing.B, m memory, n int) *cuda.Tile[F] {
		return longFormula(floats[F](b, m, n), floats[F](b, m, n), floats[F](b, m, n), floats[F](b, m, n))
	}
	short := func(b *testing.B, m memory, n int) *cuda.Tile[F] {
		return shortFormula(floats[F](b, m, n), cuda.Load[F]{{Src: floats[F](b, m, n)}}, cuda.Load[F]{{Src: floats[F](b, m, n)}})
	}
	add("formula of 1", n, 3, short)
	add("formula of 20", n, 4, long)
	add("small formula of 20", 20<<10, 4, long)
	add("gathered", n, 2, func(b *testing.B, m memory, n int) *cuda.Tile[F] {
		const half = cols / 2
		rows := n / cols
		centres := floats[F](b, m, rows/64*half)
		index := take[int32](m.arena, b, rows)
		own := make([]int32, rows)
		for r := range own {
			own[r] = int32(r * 7919 % (rows / 64))
		}
		cuda.Upload(m.setup, index, own)
		part := cuda.Part[F]{Src: centres, SrcCols: half, Width: half, Index: index}
		other := part
		other.Src, other.Index, other.At = floats[F](b, m, rows*half), cuda.Slice[int32]{}, half
		return shortFormula(floats[F](b, m, n), cuda.Load[F]{part, other}, cuda.Load[F]{{Src: floats[F](b, m, rows), SrcCols: 1, Repeat: cuda.Column}})
	})
	add("sums", n, 2, func(b *testing.B, m memory, n int) *cuda.Tile[F] {
		t := short(b, m, n)
		t.Stores = []cuda.Store[F]{
			{Kind: cuda.SumRows, Reg: 2, Dst: floats[F](b, m, cols)}, {Kind: cuda.SumCols, Reg: 2, Dst: floats[F](b, m, n/cols)},
		}
		return t
	})
	return list
}

// shortFormula is a product of two operands of 128 columns.
func shortFormula[F kernels.Float](dst cuda.Slice[F], x, y cuda.Load[F]) *cuda.Tile[F] {
	return &cuda.Tile[F]{
		Formula: &kernels.Formula{Registers: 3, Inputs: 2, Stored: []int{2}, Code: []kernels.Instr{{Op: kernels.OpMul, Dst: 2, A: 0, B: 1}}},
		Rows:    dst.Len() >> 7, Cols: 1 << 7, Loads: []cuda.Load[F]{x, y}, Stores: []cuda.Store[F]{{Reg: 2, Dst: dst}},
	}
}

// longFormula is 20 instructions on three operands.
func longFormula[F kernels.Float](dst, x, y, z cuda.Slice[F]) *cuda.Tile[F] {
	f := &kernels.Formula{Registers: 8, Inputs: 3, Stored: []int{7}}
	for i := range 20 {
		in := kernels.Instr{Op: kernels.OpMulAdd, Dst: 3 + i%4, A: i % 3, B: 3 + (i+3)%4, C: (i + 1) % 3}
		switch i {
		case 0, 1, 2, 3:
			in = kernels.Instr{Op: kernels.OpAdd, Dst: 3 + i, A: 0, B: 1 + i%2}
		case 10:
			in.Op = kernels.OpTanh
		case 19:
			in.Dst = 7
		}
		f.Code = append(f.Code, in)
	}
	return &cuda.Tile[F]{
		Formula: f, Rows: dst.Len() >> 7, Cols: 1 << 7,
		Loads: []cuda.Load[F]{{{Src: x}}, {{Src: y}}, {{Src: z}}}, Stores: []cuda.Store[F]{{Reg: 7, Dst: dst}},
	}
}

// BenchmarkTileCode measures what a tile costs the host, on any machine: to write its code, which is done once, and to record it, which
// is done each time. That a driver takes some 5 to 10 ms to compile such code comes on top of the first.
func BenchmarkTileCode(b *testing.B) {
	arena, err := cudatest.Open(b).NewArena(1 << 16)
	if err != nil {
		b.Fatal(err)
	}
	x := take[float32](arena, b, 1<<10)
	tile := longFormula(x, x, x, x)
	b.Run("write", func(b *testing.B) {
		for b.Loop() {
			var r cuda.Recorder
			tile.Run(&r)
		}
	})
	b.Run("record", func(b *testing.B) {
		var r cuda.Recorder
		for b.Loop() {
			tile.Run(&r)
			r.Reset()
		}
	})
}
