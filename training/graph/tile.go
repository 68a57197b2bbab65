package graph

import (
	"slices"

	"github.com/fedlam/fedlam/kernels"
)

// A tileProgram computes operations of one shape for a few rows at a time, so that what lies between loads and stores
// stays in the first-level cache. Its registers are slices of one tile: first the loads, then the stores of the shape
// of the tile (which are the output memory itself), then temporaries.
type tileProgram struct {
	rows   extent
	cols   int
	loads  []load
	stores []store // in the order of the step's outputs
	whole  int     // stores of the shape of the tile; they come first
	temps  int
	code   []kernels.Instr
	sums   int   // numbers that all sums over rows have together
	weight int   // cost of an element, in additions
	flop   int64 // floating-point operations of an element

	formula *kernels.Formula // the instructions, once they are complete
	number  int              // position in Program.formulas
}

// loadMode says how an operand covers the tile.
type loadMode uint8

const (
	loadWhole  loadMode = iota // same shape
	loadRow                    // one row, repeated
	loadCol                    // one column, repeated
	loadScalar                 // one number
)

// load is an operand of the tile. It is put together from parts; a single part that covers everything is read where it
// is.
type load struct {
	mode   loadMode
	parts  []part
	direct bool
	gaps   bool            // columns of no part, which are 0
	rowMap *kernels.RowMap // does the only part, or all parts, if not nil
}

// part is a number of columns of an argument: those from column from on become the columns from at on.
type part struct {
	arg            int // position in step.args
	index          int // position in Program.indices of the map of rows; -1 for none
	from, at, cols int
}

// store says how an output follows from a register.
type store struct {
	kind storeKind
	reg  int
	sum  int // storeSumRows: first number among the sums
}

type storeKind uint8

const (
	storeWhole   storeKind = iota // is the register
	storeSumCols                  // the sum of each row
	storeSumRows                  // the sum over rows
)

// registers returns the number of registers.
func (p *tileProgram) registers() int { return len(p.loads) + p.whole + p.temps }

// complete makes the formula of the instructions.
func (p *tileProgram) complete() *kernels.Formula {
	f := &kernels.Formula{Registers: p.registers(), Inputs: len(p.loads), Code: p.code}
	for _, s := range p.stores {
		if s.reg >= f.Inputs && !slices.Contains(f.Stored, s.reg) {
			f.Stored = append(f.Stored, s.reg)
		}
	}
	p.formula = f
	return f
}

// readsEnd returns the number of instructions after which register r is not read any more.
func (p *tileProgram) readsEnd(r int) int {
	for _, s := range p.stores {
		if s.reg == r && s.kind != storeWhole {
			return len(p.code)
		}
	}
	for i := len(p.code) - 1; i >= 0; i-- {
		if in := &p.code[i]; in.A == r || in.B == r || in.C == r {
			return i
		}
	}
	return 0
}

// written returns the number of the instruction that writes register r.
func (p *tileProgram) written(r int) int {
	for i, in := range p.code {
		if in.Dst == r {
			return i
		}
	}
	return len(p.code)
}

// reusable finds the arguments whose memory outputs may take over: read for the last time by this step, by one load that
// reads them where they are, and not after the output is written.
func (c *compiler) reusable(at int, s *step) []reuse {
	reads := map[int]int{} // by root value
	for _, l := range s.tile.loads {
		for _, p := range l.parts {
			reads[c.values[s.args[p.arg]].root]++
		}
	}
	var pass []reuse
	for o := range s.tile.whole {
		for r, l := range s.tile.loads {
			root := c.values[s.args[l.parts[0].arg]].root
			v := &c.values[root]
			together := v.local == s.region && c.values[s.outs[o]].local == s.region
			if l.direct && v.where == inArena && v.last == at && reads[root] == 1 && together &&
				s.tile.readsEnd(r) <= s.tile.written(len(s.tile.loads)+o) {
				reads[root] = 0 // taken
				pass = append(pass, reuse{o, l.parts[0].arg})
				break
			}
		}
	}
	return pass
}
