package cuda

import (
	"encoding/binary"
	"fmt"

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

// program is the size of a Program in src/elementwise.cu.
type program struct {
	family
	parts, stores, instrs, constants int
}

var programs = []program{
	{kernels2("elementwise", "formula_small"), 6, 4, 12, 16},
	{kernels2("elementwise", "formula_large"), 40, 16, 64, 96},
}

// Sizes in src/elementwise.cu.
const (
	tileThreads = 128
	partBytes   = 48
	storeBytes  = 16
	instrBytes  = 8
	headBytes   = 40
)

// Registers are in shared memory. With less than handyBytes several blocks fit a multiprocessor; the rest, up to what a block can have
// besides fixed sums, is for formulas with many registers.
const (
	handyBytes      = 16 << 10
	mostSharedBytes = 46 << 10
)

// mostTileBlocks is the most blocks of a tile with sums, each of which has sums of its own.
const mostTileBlocks = 256

// numbers returns how many numbers of each register a block holds; 0 if registers are too many.
func (t *Tile[F]) numbers() int {
	each := t.Formula.Registers * int(size[F]())
	for _, n := range []int{4 * tileThreads, 2 * tileThreads} {
		if n*each <= handyBytes {
			return n
		}
	}
	if tileThreads*each <= mostSharedBytes {
		return tileThreads
	}
	return 0
}

// sums reports whether something is summed.
func (t *Tile[F]) sums() bool {
	for i := range t.Stores {
		if t.Stores[i].Kind != Whole {
			return true
		}
	}
	return false
}

// blocks returns the size of the grid. For tiles with sums it follows from sizes alone, as it decides the order of the sums.
func (t *Tile[F]) blocks() int {
	n := t.numbers()
	if n == 0 || t.Rows <= 0 || t.Cols <= 0 {
		return 0
	}
	if !t.sums() {
		return min((t.Rows*t.Cols+n-1)/n, flatBlocks)
	}
	high := n / min(t.Cols, n)
	return min((t.Rows+high-1)/high, mostTileBlocks)
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

// Run records the tile. It is an error of r if the formula has more operations, operands or registers than a kernel takes.
func (t *Tile[F]) Run(r *Recorder) {
	if err := t.check(); err != nil {
		r.fail("tile: %w", err)
		return
	}
	if t.Rows == 0 || t.Cols == 0 {
		t.zeroSums(r)
		return
	}
	k, ok := t.kernel()
	if !ok {
		r.fail("tile: a formula of %d instructions, %d operands, %d stores and %d registers; split it",
			len(t.Formula.Code), len(t.Loads), len(t.Stores), t.Formula.Registers)
		return
	}
	need(r, "tile", "scratch", t.Scratch, t.ScratchLen())
	t.encode(r, k)
	r.launch(of[F](k.family), t.blocks(), 1, tileThreads, t.numbers()*t.Formula.Registers*int(size[F]()))
	at := 0
	for i := range t.Stores {
		if t.Stores[i].Kind == SumRows {
			addPartial(r, of[F](addPartialKernel), t.Stores[i].Dst.addr, t.Scratch.addr+uint64(8*at), t.blocks(), t.Cols, t.Stores[i].Add)
			at += t.blocks() * t.Cols
		}
	}
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

// kernel returns the smallest that has room for the tile.
func (t *Tile[F]) kernel() (program, bool) {
	parts := 0
	for _, l := range t.Loads {
		parts += max(len(l), 1)
	}
	constants := 0
	for i := range t.Formula.Code {
		constants += constantsOf(&t.Formula.Code[i])
	}
	for _, p := range programs {
		// Kernels read two numbers for each instruction, whether it has them or not.
		if parts <= p.parts && len(t.Stores) <= p.stores && len(t.Formula.Code) <= p.instrs && constants < p.constants {
			return p, t.numbers() > 0
		}
	}
	return program{}, false
}

// constantsOf returns how many numbers an instruction has in the program.
func constantsOf(in *kernels.Instr) int {
	switch in.Op {
	case kernels.OpScale, kernels.OpAddScalar, kernels.OpMulMul, kernels.OpAddScaled:
		return 1
	case kernels.OpQuadratic:
		return 2
	case kernels.OpSwitch:
		return 9
	}
	return 0
}

func (t *Tile[F]) check() error {
	f := t.Formula
	if f.Registers > 255 || len(t.Loads) != f.Inputs || t.Rows < 0 || t.Cols < 0 || t.Cols > 1<<30 {
		return fmt.Errorf("%d x %d numbers, %d registers, %d operands for a formula of %d", t.Rows, t.Cols, f.Registers, len(t.Loads), f.Inputs)
	}
	for i := range f.Code {
		in := &f.Code[i]
		for _, reg := range []int{in.Dst, in.A, in.B, in.C} { // those of operands that it does not have may be anything below
			if reg >= f.Registers || in.Dst < 0 || in.A < 0 || in.Op > kernels.OpQuadratic {
				return fmt.Errorf("instruction %d: operation %d on register %d of %d", i, in.Op, reg, f.Registers)
			}
		}
	}
	for i, l := range t.Loads {
		for p := range l {
			if err := l[p].check(t.Rows, t.Cols); err != nil {
				return fmt.Errorf("operand %d, part %d: %w", i, p, err)
			}
		}
	}
	want := map[StoreKind]int{Whole: t.Rows * t.Cols, SumCols: t.Rows, SumRows: t.Cols}
	for i := range t.Stores {
		s := &t.Stores[i]
		if n := want[s.Kind]; s.Dst.n < n || s.Reg < 0 || s.Reg >= f.Registers {
			return fmt.Errorf("store %d of register %d: %d numbers, needs %d", i, s.Reg, s.Dst.n, n)
		}
	}
	return nil
}

// width returns the columns of the tile that a part covers.
func (p *Part[F]) width(cols int) int {
	if p.Width == 0 {
		return cols - p.At
	}
	return p.Width
}

func (p *Part[F]) srcCols(cols int) int {
	if p.SrcCols == 0 {
		return cols
	}
	return p.SrcCols
}

// check makes sure that what follows from sizes alone is inside; entries of Index and Map are the caller's.
func (p *Part[F]) check(rows, cols int) error {
	if rows == 0 || cols == 0 {
		return nil
	}
	width, across := p.width(cols), p.srcCols(cols)
	if p.At < 0 || width < 0 || p.At+width > cols || p.From < 0 {
		return fmt.Errorf("columns %d to %d of %d", p.At, p.At+width, cols)
	}
	if p.Index.n != 0 && p.Index.n < rows || p.Map.n != 0 && p.Map.n < cols {
		return fmt.Errorf("an index of %d rows, a map of %d columns for %d x %d numbers", p.Index.n, p.Map.n, rows, cols)
	}
	last := p.From + width - 1 // column
	if p.Repeat == Column || p.Repeat == Scalar || p.Map.n != 0 {
		last = p.From
	}
	lastRow := rows - 1
	if p.Repeat == Row || p.Repeat == Scalar || p.Index.n != 0 {
		lastRow = 0
	}
	if need := lastRow*across + last + 1; p.Src.n < need && width > 0 {
		return fmt.Errorf("%d numbers, needs %d", p.Src.n, need)
	}
	if p.Repeat != Row && p.Repeat != Scalar && last >= across {
		return fmt.Errorf("column %d of %d", last, across)
	}
	return nil
}

// plain reports whether a part is all of a matrix of the tile's shape.
func (p *Part[F]) plain(cols int) bool {
	return p.From == 0 && p.At == 0 && p.width(cols) == cols && p.srcCols(cols) == cols && p.Repeat == Nothing && p.Index.n == 0 && p.Map.n == 0
}

// encode adds the Program of src/elementwise.cu to the arguments.
func (t *Tile[F]) encode(r *Recorder, k program) {
	begin := len(r.args)
	t.encodeHead(r)
	pad := func(end int) {
		for len(r.args) < begin+end {
			r.args = append(r.args, 0)
		}
	}
	for reg, l := range t.Loads {
		if len(l) == 0 { // nothing but zeros
			l = Load[F]{{SrcCols: 1, At: t.Cols}}
		}
		covered := 0
		for i := range l {
			covered += l[i].width(t.Cols)
		}
		for i := range l {
			l[i].encode(r, reg, t.Cols, i == 0 && covered < t.Cols)
		}
	}
	end := headBytes + partBytes*k.parts
	pad(end)
	scratch := t.Scratch.addr
	for i := range t.Stores {
		s := &t.Stores[i]
		to := s.Dst.addr
		if s.Kind == SumRows {
			to = scratch
			scratch += uint64(8 * t.blocks() * t.Cols)
		}
		r.wide(to)
		r.ints(s.Reg, int(s.Kind))
	}
	end += storeBytes * k.stores
	pad(end)
	var constants []float64
	for i := range t.Formula.Code {
		constants = encodeInstr(r, &t.Formula.Code[i], constants)
	}
	end += instrBytes * k.instrs
	pad(end)
	for _, c := range constants {
		double(r, c)
	}
	pad(end + 8*k.constants)
}

func (t *Tile[F]) encodeHead(r *Recorder) {
	flat, parts := !t.sums(), 0
	for _, l := range t.Loads {
		parts += max(len(l), 1)
		flat = flat && len(l) == 1 && l[0].plain(t.Cols)
	}
	r.long(t.Rows)
	r.ints(t.Cols, parts, len(t.Stores), len(t.Formula.Code), t.numbers(), flag(flat), flag(t.sums()), t.Formula.Registers)
}

// Modes of columns in src/elementwise.cu.
const (
	shifted = iota
	fixed
	listed
)

func (p *Part[F]) encode(r *Recorder, reg, cols int, zero bool) {
	stride, mode, from := p.srcCols(cols), shifted, p.From-p.At
	switch {
	case p.Map.n != 0:
		mode, from = listed, 0
	case p.Repeat == Column || p.Repeat == Scalar:
		mode, from = fixed, p.From
	}
	if p.Repeat == Row || p.Repeat == Scalar {
		stride = 0
	}
	r.wide(p.Src.addr, p.Index.addr, p.Map.addr)
	r.long(stride)
	r.ints(from, p.At, p.width(cols))
	r.args = append(r.args, byte(reg), byte(mode), byte(flag(zero)), 0)
}

// encodeInstr adds an instruction, and its numbers to constants.
func encodeInstr(r *Recorder, in *kernels.Instr, constants []float64) []float64 {
	at := len(constants)
	switch constantsOf(in) {
	case 0:
		at = 0
	case 1:
		constants = append(constants, in.S)
	case 2:
		constants = append(constants, in.S, in.T)
	default:
		inv, below, p := kernels.SwitchPolynomial(in.S, in.T, in.N)
		constants = append(append(constants, in.S, inv, below), p[:]...)
	}
	r.args = append(r.args, byte(in.Op), byte(in.Dst), byte(in.A), byte(max(in.B, 0)), byte(max(in.C, 0)), byte(in.N))
	r.args = binary.LittleEndian.AppendUint16(r.args, uint16(at))
	return constants
}
