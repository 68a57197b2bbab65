package cuda

import (
	"encoding/binary"

	"github.com/fedlam/fedlam/kernels"
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
	tileThreadsLog = 7
	tileThreads    = 1 << tileThreadsLog
	partBytes      = 48
	storeBytes     = 16
	instrBytes     = 8
	headBytes      = 40
)

// kernel returns the smallest that has room for the tile.
func (t *Tile[F]) kernel() (program, bool) {
	parts, constants := t.parts(), 0
	for i := range t.Formula.Code {
		constants += constantsOf(&t.Formula.Code[i])
	}
	for _, p := range programs {
		// Kernels read two numbers for each instruction, whether it has them or not.
		if parts <= p.parts && len(t.Stores) <= p.stores && len(t.Formula.Code) <= p.instrs && constants < p.constants {
			return p, t.numbers()*t.Formula.Registers*int(size[F]()) <= mostSharedBytes
		}
	}
	return program{}, false
}

// parts returns how many parts the interpreter has to know.
func (t *Tile[F]) parts() int {
	n := 0
	for _, l := range t.Loads {
		n += max(len(l), 1)
	}
	return n
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

// plain reports whether a part is all of a matrix of the tile's shape.
func (p *Part[F]) plain(cols int) bool {
	return p.From == 0 && p.At == 0 && p.width(cols) == cols && p.srcCols(cols) == cols && p.Repeat == Nothing && p.Index.n == 0 && p.Map.n == 0
}

// encode adds the Program of src/elementwise.cu to the arguments.
func (t *Tile[F]) encode(r *Recorder, k program) {
	begin := len(r.args)
	t.encodeHead(r)
	pad := func(end int) {
		r.args = append(r.args, make([]byte, max(0, begin+end-len(r.args)))...)
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
	for i, to := range t.destinations() {
		r.wide(to)
		r.ints(t.Stores[i].Reg, int(t.Stores[i].Kind))
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
	flat := !t.sums()
	for _, l := range t.Loads {
		flat = flat && len(l) == 1 && l[0].plain(t.Cols)
	}
	r.long(t.Rows)
	r.ints(t.Cols, t.parts(), len(t.Stores), len(t.Formula.Code), t.numbers(), flag(flat), flag(t.sums()), t.Formula.Registers)
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
