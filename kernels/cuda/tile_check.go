package cuda

import (
	"fmt"

	"github.com/fedlam/fedlam/kernels"
)

// check makes sure that operands, registers and stores are what their sizes say.
func (t *Tile[F]) check() error {
	f := t.Formula
	if f.Registers > 255 || len(t.Loads) != f.Inputs || t.Rows < 0 || t.Cols < 0 || t.Cols > 1<<30 {
		return fmt.Errorf("%d x %d numbers, %d registers, %d operands for a formula of %d", t.Rows, t.Cols, f.Registers, len(t.Loads), f.Inputs)
	}
	if f.Inputs < 0 || f.Inputs > f.Registers {
		return fmt.Errorf("%d operands in %d registers", f.Inputs, f.Registers)
	}
	var set [256]bool // registers
	for r := range f.Inputs {
		set[r] = true
	}
	for i := range f.Code {
		if err := checkInstr(&f.Code[i], f.Registers, &set); err != nil {
			return fmt.Errorf("instruction %d: %w", i, err)
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
		if !set[s.Reg] {
			return fmt.Errorf("store %d of register %d, which is not set", i, s.Reg)
		}
	}
	return nil
}

// checkInstr makes sure that an instruction reads registers that are set, and marks the one that it sets.
func checkInstr(in *kernels.Instr, registers int, set *[256]bool) error {
	for _, reg := range []int{in.Dst, in.A, in.B, in.C} { // those of operands that it does not have may be anything below
		if reg >= registers || in.Dst < 0 || in.A < 0 || in.Op > kernels.OpQuadratic {
			return fmt.Errorf("operation %d on register %d of %d", in.Op, reg, registers)
		}
	}
	for _, reg := range reads(in) {
		if reg < 0 || !set[reg] {
			return fmt.Errorf("operation %d reads register %d, which is not set", in.Op, reg)
		}
	}
	set[in.Dst] = true
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
