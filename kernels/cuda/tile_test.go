package cuda_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/fedlam/fedlam/kernels"
	"github.com/fedlam/fedlam/kernels/cuda"
	"github.com/fedlam/fedlam/kernels/cuda/cudatest"
)

// TestTile compares random formulas on operands put together in all ways, and sums of their results, with the CPU.
func TestTile(t *testing.T) {
	t.Run("float32", func(t *testing.T) { tiles(t, newBridge[float32](t, cudatest.Open(t))) })
	t.Run("float64", func(t *testing.T) { tiles(t, newBridge[float64](t, cudatest.Open(t))) })
}

func tiles[F kernels.Float](t *testing.T, b *bridge[F]) {
	rng := rand.New(rand.NewPCG(1, 2))
	for _, shape := range [][2]int{
		{0, 3}, {3, 0}, {1, 1}, {1, 7}, {7, 1}, {5, 4}, {600, 1}, {2000, 3}, {33, 17}, {40, 128}, {9, 300}, {3, 1100}, {300, 33}, {258, 515},
	} {
		for _, instrs := range []int{1, 5, 12, 30, 60} {
			for _, sums := range []bool{false, true} {
				name := fmt.Sprintf("%d x %d, %d instructions, sums %v", shape[0], shape[1], instrs, sums)
				c := newTileCase[F](rng, shape[0], shape[1], instrs, sums)
				c.compare(t, b, name)
			}
		}
	}
}

// TestTileOfManyBands has so many bands of rows that it gets more than the usual number of blocks, which sum apart.
func TestTileOfManyBands(t *testing.T) {
	const rows, cols = 9000, 33
	for _, way := range []cuda.Tiles{cuda.Emit, cuda.Interpret} {
		t.Run(string(way), func(t *testing.T) {
			c := newTileCase[float64](rand.New(rand.NewPCG(1, 2)), rows, cols, 60, true)
			c.compare(t, newBridge[float64](t, openTiles(t, way)), "many bands")
			tile := cuda.Tile[float64]{Formula: c.formula, Rows: rows, Cols: cols, Stores: []cuda.Store[float64]{{Kind: cuda.SumRows}}}
			if blocks := tile.ScratchLen() / cols; blocks <= 256 {
				t.Errorf("%d blocks", blocks)
			}
		})
	}
}

// TestTileMistakes records formulas that are none.
func TestTileMistakes(t *testing.T) {
	w := newRig(t)
	x := take[float64](w.arena, t, 4)
	for _, c := range []struct {
		name    string
		formula kernels.Formula
		want    string
	}{
		{"register beyond", kernels.Formula{Registers: 2, Inputs: 1, Code: []kernels.Instr{{Dst: 2}}}, "instruction 0: operation 0 on register 2 of 2"},
		{"no operation", kernels.Formula{Registers: 2, Inputs: 1, Code: []kernels.Instr{{Op: 99, Dst: 1}}}, "operation 99"},
		{"read before set", kernels.Formula{Registers: 3, Inputs: 1, Code: []kernels.Instr{{Op: kernels.OpAdd, Dst: 1, B: 2}}}, "reads register 2, which is not set"},
		{"operand below", kernels.Formula{Registers: 2, Inputs: 1, Code: []kernels.Instr{{Op: kernels.OpAdd, Dst: 1, B: -1}}}, "reads register -1"},
		{"store of nothing", kernels.Formula{Registers: 2, Inputs: 1}, "store 0 of register 1, which is not set"},
		{"operands beyond", kernels.Formula{Registers: 0, Inputs: 1}, "1 operands in 0 registers"},
		{"registers beyond", kernels.Formula{Registers: 256, Inputs: 1}, "256 registers"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var r cuda.Recorder
			tile := cuda.Tile[float64]{
				Formula: &c.formula, Rows: 2, Cols: 2, Loads: []cuda.Load[float64]{{{Src: x}}}, Stores: []cuda.Store[float64]{{Reg: 1, Dst: x}},
			}
			tile.Run(&r)
			if err := r.Err(); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want %q", err, c.want)
			}
		})
	}
}

// operand is an operand of a formula in full, and the load that makes it.
type operand[F kernels.Float] struct {
	full []F
	load func(b *bridge[F]) cuda.Load[F]
}

type tileCase[F kernels.Float] struct {
	rows, cols int
	formula    *kernels.Formula
	operands   []operand[F]
	sums       bool
}

func newTileCase[F kernels.Float](rng *rand.Rand, rows, cols, instrs int, sums bool) tileCase[F] {
	c := tileCase[F]{rows: rows, cols: cols, sums: sums}
	inputs := 1 + rng.IntN(4)
	for range inputs {
		c.operands = append(c.operands, newOperand[F](rng, rows, cols))
	}
	f := &kernels.Formula{Registers: inputs + instrs, Inputs: inputs}
	ops := []kernels.Op{
		kernels.OpCopy, kernels.OpAdd, kernels.OpSub, kernels.OpMul, kernels.OpNeg, kernels.OpScale, kernels.OpAddScalar,
		kernels.OpTanh, kernels.OpSigmoid, kernels.OpSquare, kernels.OpSwitch, kernels.OpStep, kernels.OpMulMul,
		kernels.OpAddScaled, kernels.OpMulAdd, kernels.OpMulSub, kernels.OpSubMul, kernels.OpQuadratic,
	}
	for i := range instrs {
		r := func() int { return rng.IntN(inputs + i) }
		in := kernels.Instr{Op: ops[rng.IntN(len(ops))], Dst: inputs + i, A: r(), B: r(), C: r(), S: 0.5 + rng.Float64()/4, T: 1.5}
		if i%3 == 2 { // keep numbers from growing
			in.Op = kernels.OpTanh
		}
		f.Code = append(f.Code, in)
	}
	f.Stored = []int{inputs + instrs - 1}
	if instrs > 1 {
		f.Stored = append(f.Stored, inputs+rng.IntN(instrs-1))
	}
	c.formula = f
	return c
}

func numbers[F kernels.Float](rng *rand.Rand, n int) []F {
	x := make([]F, n)
	for i := range x {
		x[i] = F(2*rng.Float64() - 1)
	}
	return x
}

// newOperand makes one of a random kind.
func newOperand[F kernels.Float](rng *rand.Rand, rows, cols int) operand[F] {
	src, at := numbers[F](rng, (rows+1)*(cols+4)), rng.IntN(4)
	index, columns := make([]int32, rows), make([]int32, cols)
	for i := range index {
		index[i] = int32(rng.IntN(rows + 1))
	}
	for i := range columns {
		columns[i] = int32(rng.IntN(cols + 4))
	}
	wide := cols + 4
	one := func(p cuda.Part[F], indexed, mapped bool) func(b *bridge[F]) cuda.Load[F] {
		return func(b *bridge[F]) cuda.Load[F] {
			p := p
			p.Src = b.in(src)
			if indexed {
				p.Index = b.list(index)
			}
			if mapped {
				p.Map = b.list(columns)
			}
			return cuda.Load[F]{p}
		}
	}
	full := func(f func(r, c int) F) []F {
		x := make([]F, rows*cols)
		for i := range x {
			x[i] = f(i/cols, i%cols)
		}
		return x
	}
	switch rng.IntN(7) {
	case 0:
		return operand[F]{full(func(r, c int) F { return src[r*cols+c] }), one(cuda.Part[F]{}, false, false)}
	case 1:
		return operand[F]{full(func(r, c int) F { return src[int(index[r])*wide+at+c] }),
			one(cuda.Part[F]{SrcCols: wide, From: at}, true, false)}
	case 2:
		return operand[F]{full(func(_, c int) F { return src[at+c] }), one(cuda.Part[F]{Repeat: cuda.Row, From: at}, false, false)}
	case 3:
		return operand[F]{full(func(r, _ int) F { return src[int(index[r])*wide+at] }),
			one(cuda.Part[F]{Repeat: cuda.Column, SrcCols: wide, From: at}, true, false)}
	case 4:
		return operand[F]{full(func(_, _ int) F { return src[0] }), one(cuda.Part[F]{Repeat: cuda.Scalar}, false, false)}
	case 5:
		return operand[F]{full(func(r, c int) F { return src[r*wide+int(columns[c])] }),
			one(cuda.Part[F]{SrcCols: wide}, false, true)}
	}
	// Two parts, with gaps around them.
	left, right := cols/4, cols/2
	return operand[F]{full(func(r, c int) F {
		switch {
		case c >= left && c < right:
			return src[r*wide+at+c-left]
		case c >= right && c < cols-1:
			return src[int(index[r])*wide+c-right]
		}
		return 0
	}), func(b *bridge[F]) cuda.Load[F] {
		x := b.in(src)
		var l cuda.Load[F]
		if right > left {
			l = append(l, cuda.Part[F]{Src: x, SrcCols: wide, From: at, At: left, Width: right - left})
		}
		if cols-1 > right {
			l = append(l, cuda.Part[F]{Src: x, SrcCols: wide, At: right, Width: cols - 1 - right, Index: b.list(index)})
		}
		return l
	}}
}

// host evaluates the formula on the CPU.
func (c *tileCase[F]) host() [][]F {
	memory := make([][]F, c.formula.Registers)
	for r := range memory {
		if r < len(c.operands) {
			memory[r] = c.operands[r].full
		} else {
			memory[r] = make([]F, c.rows*c.cols)
		}
	}
	kernels.Fuse[F]([]*kernels.Formula{c.formula})[0].Eval(memory, c.rows*c.cols)
	var results [][]F
	for _, s := range c.formula.Stored {
		results = append(results, memory[s])
	}
	return results
}

func (c *tileCase[F]) compare(t *testing.T, b *bridge[F], name string) {
	t.Helper()
	want := c.host()
	tile := cuda.Tile[F]{Formula: c.formula, Rows: c.rows, Cols: c.cols}
	for _, o := range c.operands {
		tile.Loads = append(tile.Loads, o.load(b))
	}
	var got, wants [][]F
	store := func(kind cuda.StoreKind, reg int, want []F) {
		x := make([]F, len(want))
		got, wants = append(got, x), append(wants, want)
		tile.Stores = append(tile.Stores, cuda.Store[F]{Kind: kind, Reg: reg, Dst: b.out(x)})
	}
	for s, reg := range c.formula.Stored {
		store(cuda.Whole, reg, want[s])
		if c.sums {
			byRow, byCol := make([]F, c.rows), make([]F, c.cols)
			if c.cols > 0 {
				kernels.SumEachRow(byRow, want[s], c.cols)
			}
			sums := make([]float64, c.cols)
			kernels.AddRows(sums, want[s])
			kernels.Convert(byCol, sums)
			store(cuda.SumCols, reg, byRow)
			store(cuda.SumRows, reg, byCol)
		}
	}
	tile.Scratch = b.doubles(tile.ScratchLen())
	tile.Run(&b.rec)
	b.run()
	for s := range wants {
		for i, w := range wants[s] {
			if d := math.Abs(float64(got[s][i] - w)); !(d <= 1e-5*math.Max(30, math.Abs(float64(w)))) {
				t.Fatalf("%s: store %d, number %d: got %v, want %v", name, s, i, got[s][i], w)
			}
		}
	}
}

// TestTileTooLarge has more instructions than the interpreter takes.
func TestTileTooLarge(t *testing.T) {
	f := &kernels.Formula{Registers: 70, Inputs: 1, Stored: []int{69}}
	for i := 1; i < 70; i++ {
		f.Code = append(f.Code, kernels.Instr{Op: kernels.OpNeg, Dst: i, A: i - 1})
	}
	for _, c := range []struct {
		way  cuda.Tiles
		want string
	}{{cuda.Emit, ""}, {cuda.Interpret, "a formula of 69 instructions"}} {
		t.Run(string(c.way), func(t *testing.T) {
			b := newBridge[float64](t, openTiles(t, c.way))
			x := []float64{1, 2, 3, 4}
			tile := cuda.Tile[float64]{
				Formula: f, Rows: 2, Cols: 2, Loads: []cuda.Load[float64]{{{Src: b.in(x)}}}, Stores: []cuda.Store[float64]{{Reg: 69, Dst: b.out(x)}},
			}
			tile.Run(&b.rec)
			if c.want == "" {
				b.run()
				if want := []float64{-1, -2, -3, -4}; !slices.Equal(x, want) {
					t.Errorf("got %v, want %v", x, want)
				}
			} else if err := b.stream.Run(&b.rec); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want one of %s", err, c.want)
			}
		})
	}
}
