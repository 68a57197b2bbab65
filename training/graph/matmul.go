package graph

// Transpose says whether a factor of a matrix product is transposed.
type Transpose int

// The factor as it is, or transposed.
const (
	N Transpose = iota
	T
)

// MatMul returns the matrix product a*b with either factor transposed, not both. A product over the rows of a
// (transA = T) sums over rows whose number may be known only at run time; the columns of the result never may.
func (b *Builder) MatMul(x, y *Tensor, transA, transB Transpose) *Tensor {
	check := func(ok bool) {
		want(ok, opMatMul, "%s (%v) times %s (%v): inner sizes must agree and columns of the result be fixed",
			x.shape(), transA, y.shape(), transB)
	}
	t := Tensor{op: opMatMul, args: []*Tensor{x, y}, n: [5]int{int(transA), int(transB)}}
	switch {
	case transA == N && transB == N:
		check(y.rows == Fixed(x.cols))
		t.rows, t.cols = x.rows, y.cols
	case transA == N && transB == T:
		check(y.cols == x.cols && y.rows.Axis == "")
		t.rows, t.cols = x.rows, y.rows.Mul
	case transA == T && transB == N:
		check(x.rows == y.rows)
		t.rows, t.cols = Fixed(x.cols), y.cols
	default:
		misuse(opMatMul, "both factors transposed; swap them and transpose neither")
	}
	return b.add(t)
}

// BatchMatMul multiplies one small matrix by another in every row: a row of x is an m x k matrix (k x m if transA is
// T), a row of y is k x n (n x k if transB is T), a row of the result is m x n.
func (b *Builder) BatchMatMul(x, y *Tensor, m, k, n int, transA, transB Transpose) *Tensor {
	want(m >= 0 && k >= 0 && n >= 0 && x.rows == y.rows && x.cols == m*k && y.cols == k*n, opBatchMatMul,
		"%s times %s as %d x %d times %d x %d", x.shape(), y.shape(), m, k, k, n)
	return b.add(Tensor{op: opBatchMatMul, args: []*Tensor{x, y}, rows: x.rows, cols: m * n,
		n: [5]int{int(transA), int(transB), m, k, n}})
}

// String returns "N" or "T".
func (t Transpose) String() string {
	if t == N {
		return "N"
	}
	return "T"
}
