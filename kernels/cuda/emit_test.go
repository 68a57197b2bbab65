package cuda_test

import (
	"errors"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/fedlam/fedlam/kernels"
	"github.com/fedlam/fedlam/kernels/cuda"
	"github.com/fedlam/fedlam/kernels/cuda/cudatest"
)

// openTiles opens the fake device with one way to do tiles.
func openTiles(t testing.TB, way cuda.Tiles) *cuda.Device {
	t.Helper()
	d, err := cuda.Open(cuda.Config{Library: cudatest.Library(t), Tiles: way})
	if err != nil {
		t.Fatal(err)
	}
	closeTiles(t, d, way)
	return d
}

// closeTiles closes a device at the end of a test, which fails if tiles are done another way by then.
func closeTiles(t testing.TB, d *cuda.Device, way cuda.Tiles) {
	t.Cleanup(func() {
		if now, err := d.Tiles(); now != way && err == nil {
			t.Errorf("tiles are done by %q, want %q", now, way)
		} else if err != nil {
			t.Error(err)
		}
		if err := d.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
}

// gpuTiles opens the first real GPU with one way to do tiles, or skips the test.
func gpuTiles(t testing.TB, way cuda.Tiles) *cuda.Device {
	t.Helper()
	d, err := cuda.Open(cuda.Config{Tiles: way})
	if errors.Is(err, cuda.ErrNoDriver) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	closeTiles(t, d, way)
	return d
}

// TestEmittedBits compares emitted code with the interpreter on random tiles, whose operands hold numbers that are none, too.
func TestEmittedBits(t *testing.T) {
	emit, interpret := openTiles(t, cuda.Emit), openTiles(t, cuda.Interpret)
	t.Run("float32", func(t *testing.T) { sameBits(t, newBridge[float32](t, emit), newBridge[float32](t, interpret)) })
	t.Run("float64", func(t *testing.T) { sameBits(t, newBridge[float64](t, emit), newBridge[float64](t, interpret)) })
}

// TestEmittedBitsOnGPU does the same on a real one.
func TestEmittedBitsOnGPU(t *testing.T) {
	emit, interpret := gpuTiles(t, cuda.Emit), gpuTiles(t, cuda.Interpret)
	t.Run("float32", func(t *testing.T) { sameBits(t, newBridge[float32](t, emit), newBridge[float32](t, interpret)) })
	t.Run("float64", func(t *testing.T) { sameBits(t, newBridge[float64](t, emit), newBridge[float64](t, interpret)) })
}

func sameBits[F kernels.Float](t *testing.T, emit, interpret *bridge[F]) {
	rng := rand.New(rand.NewPCG(3, 4))
	for _, shape := range [][2]int{
		{1, 1}, {1, 7}, {7, 1}, {5, 4}, {600, 1}, {300, 3}, {33, 17}, {40, 128}, {9, 300}, {3, 1100}, {300, 33}, {1, 4096}, {129, 260},
	} {
		for _, instrs := range []int{0, 1, 2, 3, 5, 9, 20, 60} {
			for range 4 {
				c := randomTile[F](rng, shape[0], shape[1], instrs)
				for range 2 {
					got, want := c.run(emit), c.run(interpret)
					for s := range want {
						if i := firstDifference(got[s], want[s]); i >= 0 {
							t.Fatalf("%d x %d, %d instructions, loads %+v, stores %+v: store %d, number %d: got %v, want %v",
								shape[0], shape[1], instrs, c.loads, c.stores, s, i, got[s][i], want[s][i])
						}
					}
					c.shift()
				}
			}
		}
	}
}

// shift moves all operands by one number, so that those that were aligned are not.
func (c *wildTile[F]) shift() {
	for _, l := range c.loads {
		for i := range l {
			l[i].off++
		}
	}
}

// wildTile is a tile on any kinds of operands.
type wildTile[F kernels.Float] struct {
	rows, cols int
	formula    *kernels.Formula
	lists      [3][]int32 // two of rows, one of columns
	src        []F
	loads      [][]wildPart
	stores     []cuda.Store[F]
}

// wildPart is a part whose source begins at number off of wildTile.src; index and mapped choose lists.
type wildPart struct {
	off, srcCols, from, at, width int
	repeat                        cuda.Repeat
	index                         int // 0 or 1; -1 for none
	mapped                        bool
}

func randomTile[F kernels.Float](rng *rand.Rand, rows, cols, instrs int) *wildTile[F] {
	c := &wildTile[F]{rows: rows, cols: cols, src: wildNumbers[F](rng, (rows+1)*(cols+8)+17)}
	for k, n := range []int{rows, rows, cols} {
		most := rows
		if k == 2 {
			most = cols + 8
		}
		for range n {
			c.lists[k] = append(c.lists[k], int32(rng.IntN(most)))
		}
	}
	inputs := 1 + rng.IntN(4)
	c.formula = &kernels.Formula{Registers: inputs + instrs, Inputs: inputs}
	for i := range instrs {
		r := func() int { return rng.IntN(inputs + i) }
		c.formula.Code = append(c.formula.Code, kernels.Instr{
			Op: kernels.Op(rng.IntN(int(kernels.OpQuadratic) + 1)), Dst: inputs + i, A: r(), B: r(), C: r(),
			S: rng.Float64() - 0.25, T: 1 + rng.Float64(), N: rng.IntN(4),
		})
	}
	limitSwitches(c.formula)
	plain := rng.IntN(3) == 0
	for range inputs {
		var l []wildPart
		for from := 0; len(l) < 3 && from < cols && rng.IntN(4) > 0; {
			l = append(l, c.part(rng, from))
			from = l[len(l)-1].at + l[len(l)-1].width
		}
		if plain {
			l = []wildPart{{off: rng.IntN(2) * rng.IntN(4), index: -1}}
		}
		c.loads = append(c.loads, l)
	}
	sums := rng.IntN(2) == 0
	for range 1 + rng.IntN(4) {
		kind := cuda.Whole
		if sums {
			kind = cuda.StoreKind(rng.IntN(3))
		}
		c.stores = append(c.stores, cuda.Store[F]{Kind: kind, Reg: rng.IntN(inputs + instrs)})
	}
	return c
}

// limitSwitches leaves a formula as many switch functions as the interpreter has room for.
func limitSwitches(f *kernels.Formula) {
	left := 5
	for i := range f.Code {
		if f.Code[i].Op == kernels.OpSwitch {
			if left--; left < 0 {
				f.Code[i].Op = kernels.OpTanh
			}
		}
	}
}

// part is one of any kind, at column first or after it, often one that can be loaded four numbers at once.
func (c *wildTile[F]) part(rng *rand.Rand, first int) wildPart {
	grain := 1 + 3*rng.IntN(2)
	some := func(below int) int { return rng.IntN(below/grain+1) * grain }
	p := wildPart{off: some(8), at: first + some((c.cols-1-first)/2), index: rng.IntN(3) - 1, repeat: cuda.Repeat(rng.IntN(4))}
	p.width = max(1, some(c.cols-p.at))
	p.srcCols = c.cols + some(4) + 4
	p.from = some(4)
	if first == 0 && rng.IntN(3) == 0 {
		p.at, p.width = 0, c.cols
	}
	if first == 0 && rng.IntN(4) == 0 {
		p.width += p.at
		p.srcCols, p.mapped, p.from, p.at, p.repeat = c.cols+8, true, 0, 0, cuda.Repeat(rng.IntN(2))
	}
	return p
}

// wildNumbers are mostly ordinary.
func wildNumbers[F kernels.Float](rng *rand.Rand, n int) []F {
	x := numbers[F](rng, n)
	special := []float64{math.NaN(), math.Inf(1), math.Inf(-1), 0, math.Copysign(0, -1), 1e-40, -1e-310, 88.7, -103.9, 709.9, -745.2, 1e30, 0.6}
	for i := range x {
		switch rng.IntN(10) {
		case 0:
			x[i] = F(special[rng.IntN(len(special))])
		case 1:
			x[i] *= 20
		}
	}
	return x
}

// run does the tile and returns its results.
func (c *wildTile[F]) run(b *bridge[F]) [][]F {
	b.t.Helper()
	t := cuda.Tile[F]{Formula: c.formula, Rows: c.rows, Cols: c.cols}
	src := b.in(c.src)
	var lists [3]cuda.Slice[int32]
	for i, l := range c.lists {
		lists[i] = b.list(l)
	}
	for _, l := range c.loads {
		var load cuda.Load[F]
		for _, p := range l {
			part := cuda.Part[F]{Src: src.From(p.off), SrcCols: p.srcCols, From: p.from, At: p.at, Width: p.width, Repeat: p.repeat}
			if p.index >= 0 {
				part.Index = lists[p.index]
			}
			if p.mapped {
				part.Map = lists[2]
			}
			load = append(load, part)
		}
		t.Loads = append(t.Loads, load)
	}
	var results [][]F
	for _, s := range c.stores {
		x := make([]F, map[cuda.StoreKind]int{cuda.Whole: c.rows * c.cols, cuda.SumCols: c.rows, cuda.SumRows: c.cols}[s.Kind])
		s.Dst = b.out(x)
		results, t.Stores = append(results, x), append(t.Stores, s)
	}
	t.Scratch = b.doubles(t.ScratchLen())
	t.Run(&b.rec)
	b.run()
	return results
}

// firstDifference returns the first number that differs in its bits, -1 if none does. All NaN are the same: which of two operands
// that are NaN a sum takes its bits from differs between processors.
func firstDifference[F kernels.Float](x, y []F) int {
	for i := range x {
		a, b := float64(x[i]), float64(y[i])
		if math.Float64bits(a) != math.Float64bits(b) && !(math.IsNaN(a) && math.IsNaN(b)) {
			return i
		}
	}
	return -1
}
