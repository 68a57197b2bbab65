package graph

import "github.com/fedlam/fedlam/kernels"

// runMatMul does a product whose right factor is not transposed; Compile leaves no others. A sum over rows goes to sum, or
// is added to it.
func (e *Exec[F]) runMatMul(s *step, v *view[F], from, to int, sum []F, add bool) {
	x, xc := e.arg(s, v, 0)
	y, yc := e.arg(s, v, 1)
	n := e.program.values[s.outs[0]].cols
	switch {
	case Transpose(s.n[0]) != T:
		kernels.MatMul(v.vals[s.outs[0]][from*n:to*n], x[from*xc:to*xc], y, to-from, xc, n)
	case add:
		kernels.AddMatMulTN(sum, x[from*xc:to*xc], y[from*yc:to*yc], xc, to-from, n)
	default:
		kernels.MatMulTN(sum, x[from*xc:to*xc], y[from*yc:to*yc], xc, to-from, n)
	}
}

// runAcross does the rows from to to of the result of a product that sums over rows.
func (e *Exec[F]) runAcross(s *step, from, to int) {
	x, m := e.arg(s, &e.view, 0)
	y, n := e.arg(s, &e.view, 1)
	kernels.MatMulTNRows(e.vals[s.outs[0]], x, y, m, e.rowsOf(&e.program.values[s.args[0]]), n, from, to)
}

func (e *Exec[F]) runBatchMatMul(s *step, v *view[F], from, to, worker int) {
	x, xc := e.arg(s, v, 0)
	y, yc := e.arg(s, v, 1)
	out := v.vals[s.outs[0]]
	transA, transB, m, k, n := Transpose(s.n[0]), Transpose(s.n[1]), s.n[2], s.n[3], s.n[4]
	for r := from; r < to; r++ {
		c, a, b := out[r*m*n:(r+1)*m*n], x[r*xc:(r+1)*xc], y[r*yc:(r+1)*yc]
		switch {
		case transA == N && transB == N:
			kernels.MatMul(c, a, b, m, k, n)
		case transA == N:
			kernels.MatMulNT(c, a, b, m, k, n, e.scratch[worker].buffer)
		case transB == N:
			kernels.MatMulTN(c, a, b, m, k, n)
		default:
			kernels.MatMulTT(c, a, b, m, k, n)
		}
	}
}
