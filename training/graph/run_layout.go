package graph

import "github.com/fedlam/fedlam/kernels"

// runLayout does a step that only moves columns, for rows from to to.
func (e *Exec[F]) runLayout(s *step, v *view[F], from, to int) {
	cols := e.program.values[s.outs[0]].cols
	out := v.vals[s.outs[0]][from*cols : to*cols]
	x, xc := e.arg(s, v, 0)
	rows := to - from
	switch s.op {
	case opConcat:
		at := 0
		for a := range s.args {
			x, xc := e.arg(s, v, a)
			kernels.CopyCols(out, cols, at, x[from*xc:to*xc], xc, 0, rows, xc)
			at += xc
		}
	case opSlice:
		kernels.CopyCols(out, cols, 0, x[from*xc:to*xc], xc, s.n[0], rows, cols)
	case opPlace:
		at := s.n[0]
		kernels.ClearCols(out, cols, 0, rows, at)
		kernels.CopyCols(out, cols, at, x[from*xc:to*xc], xc, 0, rows, xc)
		kernels.ClearCols(out, cols, at+xc, rows, cols-at-xc)
	case opPermute:
		kernels.MapRows(s.rowMap, out, x[from*xc:], rows)
	}
}
