package cuda

import (
	"fmt"
	"iter"

	"github.com/fedlam/fedlam/kernels"
)

// A Tile is elementwise arithmetic on rows x cols numbers: a formula, what its operands are made of, and where its results
// go. It is what a fused step of a graph does.
type Tile[F kernels.Float] struct {
	Formula    *kernels.Formula
	Rows, Cols int
	Loads      []Load[F]  // by operand of the formula
	Stores     []Store[F] // of any of its registers
	Scratch    Slice[float64]
}

// A Load is an operand: parts side by side, and 0 in columns that belong to none.
type Load[F kernels.Float] []Part[F]

// A Part is Width columns of an operand, from column At on (all columns, if Width is 0).
type Part[F kernels.Float] struct {
	Src     Slice[F]
	SrcCols int // columns of Src; 0 for as many as the tile has
	From    int // column of Src that column At is taken from
	At      int
	Width   int
	Repeat  Repeat
	Index   Slice[int32] // if not empty, rows of Src that the tile's rows are taken from
	Map     Slice[int32] // if not empty, columns of Src by column of the tile; From and At are 0
}

// Repeat says how a part covers its rows and columns.
type Repeat uint8

// What is repeated.
const (
	Nothing Repeat = iota
	Row            // one row
	Column         // column From of each row
	Scalar         // one number
)

// A Store takes a register to memory.
type Store[F kernels.Float] struct {
	Kind StoreKind
	Reg  int
	Dst  Slice[F]
	Add  bool // SumRows only: to what is there
}

// StoreKind says what of a register is stored.
type StoreKind uint8

// What is stored.
const (
	Whole   StoreKind = iota // rows x cols numbers
	SumCols                  // the sum of each row
	SumRows                  // the sum of each column; needs scratch
)

// Registers are in shared memory. With less than handyBytes several blocks fit a multiprocessor; the rest, up to what a
// block can have besides fixed sums, is for formulas with many registers.
const (
	handyBytes      = 16 << 10
	mostSharedBytes = 46 << 10
)

// Blocks of a tile with sums over rows, each of which has sums of its own that are added up later: as many as a GPU needs to have
// something to do, and more for tiles so large that adding up does not count.
const (
	usualTileBlocks = 256
	mostTileBlocks  = 2048
	manyBands       = 32 // of a block
)

// numbers returns how many numbers of each register a block holds.
func (t *Tile[F]) numbers() int {
	each := t.Formula.Registers * int(size[F]())
	for _, n := range []int{4 * tileThreads, 2 * tileThreads} {
		if n*each <= handyBytes {
			return n
		}
	}
	for _, n := range []int{tileThreads, tileThreads / 2, tileThreads / 4} { // of few, some threads have none
		if n*each <= mostSharedBytes {
			return n
		}
	}
	return tileThreads / 4
}

// sums reports whether something is summed.
func (t *Tile[F]) sums() bool { return t.has(SumCols) || t.has(SumRows) }

// has reports whether something is stored in a way.
func (t *Tile[F]) has(kind StoreKind) bool {
	for i := range t.Stores {
		if t.Stores[i].Kind == kind {
			return true
		}
	}
	return false
}

// blocks returns the size of the grid. For tiles with sums over rows it follows from sizes alone, as it decides the order of the sums.
func (t *Tile[F]) blocks() int {
	n := t.numbers()
	if t.Rows <= 0 || t.Cols <= 0 {
		return 0
	}
	if !t.sums() {
		return min((t.Rows*t.Cols+n-1)/n, flatBlocks)
	}
	high := n / min(t.Cols, n)
	bands := (t.Rows + high - 1) / high
	if t.has(SumRows) {
		return min(bands, max(usualTileBlocks, min(bands/manyBands, mostTileBlocks)))
	}
	return min(bands, flatBlocks)
}

// destinations yields the number of each store and the address that it writes to: sums of rows begin in the scratch, one after another.
func (t *Tile[F]) destinations() iter.Seq2[int, uint64] {
	return func(yield func(int, uint64) bool) {
		scratch := t.Scratch.addr
		for i := range t.Stores {
			to := t.Stores[i].Dst.addr
			if t.Stores[i].Kind == SumRows {
				to = scratch
				scratch += uint64(8 * t.blocks() * t.Cols)
			}
			if !yield(i, to) {
				return
			}
		}
	}
}

// ScratchLen returns how many numbers of Scratch the tile needs.
func (t *Tile[F]) ScratchLen() int {
	n := 0
	for i := range t.Stores {
		if t.Stores[i].Kind == SumRows {
			n += t.blocks() * t.Cols
		}
	}
	return n
}

// Run records the tile: for code of its own, and for the interpreter, which does what a device has no code for. The interpreter has
// limits of instructions, operands and registers; a tile beyond them is an error of a stream whose device interprets.
func (t *Tile[F]) Run(r *Recorder) {
	if err := t.check(); err != nil {
		r.fail("tile: %w", err)
		return
	}
	if t.Rows == 0 || t.Cols == 0 {
		t.zeroSums(r)
		return
	}
	need(r, "tile", "scratch", t.Scratch, t.ScratchLen())
	if r.err != nil {
		return
	}
	emitted := t.emitted(r)
	t.interpreted(r, emitted)
	at := 0
	for i := range t.Stores {
		if t.Stores[i].Kind == SumRows {
			addPartial(r, of[F](addPartialKernel), t.Stores[i].Dst.addr, t.Scratch.addr+uint64(8*at), t.blocks(), t.Cols, t.Stores[i].Add)
			at += t.blocks() * t.Cols
		}
	}
}

// interpreted records the launch of the interpreter, with that of the tile's own code, if there is one, as the better way.
func (t *Tile[F]) interpreted(r *Recorder, emitted int) {
	k, ok := t.kernel()
	if ok {
		t.encode(r, k)
		r.launch(of[F](k.family), t.blocks(), 1, tileThreads, t.numbers()*t.Formula.Registers*int(size[F]()))
		if r.err == nil {
			r.ops[len(r.ops)-1].emitted = emitted
		}
		return
	}
	limits := fmt.Errorf("cuda: tile: a formula of %d instructions, %d operands of %d parts, %d stores and %d registers; split it",
		len(t.Formula.Code), len(t.Loads), t.parts(), len(t.Stores), t.Formula.Registers)
	if emitted == 0 {
		r.fail("%w", limits)
		return
	}
	r.ops = append(r.ops, operation{kind: opLaunch, emitted: emitted, limits: limits})
}

// zeroSums stores sums of nothing.
func (t *Tile[F]) zeroSums(r *Recorder) {
	for i := range t.Stores {
		s := &t.Stores[i]
		switch s.Kind {
		case SumCols:
			Zero(r, s.Dst.Cut(0, t.Rows))
		case SumRows:
			if !s.Add {
				Zero(r, s.Dst.Cut(0, t.Cols))
			}
		}
	}
}
