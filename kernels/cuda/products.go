package cuda

import "github.com/fedlam/fedlam/kernels"

// tile is the size of the piece of a product that a block computes, as in src/products.cu.
type tile struct{ rows, cols, threads int }

// dense is a kernel for products with its tile, by element type.
type dense struct {
	family
	f32, f64 tile
}

var (
	matmulLarge    = dense{kernels2("products", "matmul_large"), tile{128, 64, 128}, tile{64, 64, 128}}
	matmulSquare   = dense{kernels2("products", "matmul_square"), tile{64, 64, 128}, tile{64, 64, 128}}
	matmulNarrow   = dense{kernels2("products", "matmul_narrow"), tile{64, 32, 128}, tile{64, 32, 128}}
	matmulColumn   = dense{kernels2("products", "matmul_column"), tile{128, 8, 128}, tile{128, 8, 128}}
	matmulNTSquare = dense{kernels2("products", "matmul_nt_square"), tile{64, 64, 128}, tile{64, 64, 128}}
	matmulNTColumn = dense{kernels2("products", "matmul_nt_column"), tile{128, 8, 128}, tile{128, 8, 128}}
	matmulTT       = dense{kernels2("products", "matmul_tt"), tile{64, 32, 128}, tile{64, 32, 128}}
	matmulTNSquare = dense{kernels2("products", "matmul_tn_square"), tile{64, 64, 128}, tile{64, 64, 128}}
	matmulTNNarrow = dense{kernels2("products", "matmul_tn_narrow"), tile{64, 32, 128}, tile{64, 32, 128}}

	addPiecesKernel   = kernels2("products", "add_pieces")
	batchMatMulKernel = kernels2("products", "batch_matmul")
)

func tileOf[F kernels.Float](d *dense) tile {
	if size[F]() == 4 {
		return d.f32
	}
	return d.f64
}

// blocks returns how many tiles cover so many rows and columns.
func (t tile) blocks(m, n int) (x, y int) {
	return (m + t.rows - 1) / t.rows, (n + t.cols - 1) / t.cols
}

// manyBlocks keep all multiprocessors of the largest GPUs busy, a few blocks on each; with fewer, smaller tiles are faster.
const manyBlocks = 1024

// MatMul sets c (m x n) to the product of a (m x k) and b (k x n).
func MatMul[F kernels.Float](r *Recorder, c, a, b Slice[F], m, k, n int) {
	d := &matmulSquare
	switch {
	case n <= 8:
		d = &matmulColumn
	case n <= 32:
		d = &matmulNarrow
	default:
		if x, y := tileOf[F](&matmulLarge).blocks(m, n); x*y >= manyBlocks {
			d = &matmulLarge
		}
	}
	matmul(r, "MatMul", d, c, a, b, m, k, n)
}

// MatMulNT sets c (m x n) to the product of a (m x k) and the transpose of b (n x k).
func MatMulNT[F kernels.Float](r *Recorder, c, a, b Slice[F], m, k, n int) {
	d := &matmulNTSquare
	if n <= 8 {
		d = &matmulNTColumn
	}
	matmul(r, "MatMulNT", d, c, a, b, m, k, n)
}

// MatMulTT sets c (m x n) to the product of the transposes of a (k x m) and b (n x k).
func MatMulTT[F kernels.Float](r *Recorder, c, a, b Slice[F], m, k, n int) {
	matmul(r, "MatMulTT", &matmulTT, c, a, b, m, k, n)
}

func needProduct[F kernels.Float](r *Recorder, op string, c, a, b Slice[F], m, k, n int) {
	need(r, op, "c", c, m*n)
	need(r, op, "a", a, m*k)
	need(r, op, "b", b, k*n)
}

func matmul[F kernels.Float](r *Recorder, op string, d *dense, c, a, b Slice[F], m, k, n int) {
	needProduct(r, op, c, a, b, m, k, n)
	r.wide(c.addr, a.addr, b.addr)
	r.ints(m, k, n)
	t := tileOf[F](d)
	x, y := t.blocks(m, n)
	r.launch(of[F](d.family), x, y, t.threads, 0)
}

// Long sums are cut into pieces of at least leastPiece terms, which blocks add up side by side; all pieces together have at
// most mostPieceCols columns.
const (
	leastPiece    = 256
	mostPieceCols = 1 << 15
	pieceStep     = 16 // pieces are multiples of it, as blocks read so many rows at once
)

// pieces returns how a sum of k terms is cut for results of n columns. Rows do not matter, so that the rows of a result have
// the same bits however many there are.
func pieces(k, n int) (count, piece int) {
	count = min((k+leastPiece-1)/leastPiece, max(1, mostPieceCols/max(n, 1)))
	count = max(count, 1)
	piece = ((k+count-1)/count + pieceStep - 1) / pieceStep * pieceStep
	piece = max(piece, pieceStep)
	return max(1, (k+piece-1)/piece), piece
}

// MatMulTNScratch returns how many numbers of scratch the products need that sum over k rows, for m x n results.
func MatMulTNScratch(m, k, n int) int {
	count, _ := pieces(k, n)
	return count * m * n
}

// MatMulTN sets c (m x n) to the product of the transpose of a (k x m) and b (k x n). scratch needs MatMulTNScratch numbers.
func MatMulTN[F kernels.Float](r *Recorder, c, a, b Slice[F], m, k, n int, scratch Slice[F]) {
	needProduct(r, "MatMulTN", c, a, b, m, k, n)
	matmulTN(r, c, a, b, m, m, k, n, scratch, false)
}

// AddMatMulTN adds to c what MatMulTN sets it to.
func AddMatMulTN[F kernels.Float](r *Recorder, c, a, b Slice[F], m, k, n int, scratch Slice[F]) {
	needProduct(r, "AddMatMulTN", c, a, b, m, k, n)
	matmulTN(r, c, a, b, m, m, k, n, scratch, true)
}

// MatMulTNRows sets the rows first to last, excluded, of what MatMulTN sets. scratch needs MatMulTNScratch numbers.
func MatMulTNRows[F kernels.Float](r *Recorder, c, a, b Slice[F], m, k, n, first, last int, scratch Slice[F]) {
	needProduct(r, "MatMulTNRows", c, a, b, m, k, n)
	if first < 0 || last > m {
		r.fail("MatMulTNRows: rows %d to %d of %d", first, last, m)
	}
	if first >= last || r.err != nil {
		return
	}
	if k > 0 {
		a = a.From(first)
	}
	matmulTN(r, c.Cut(first*n, last*n), a, b, last-first, m, k, n, scratch, false)
}

// matmulTN does m rows of c, for as many columns of a, whose rows are lda apart.
func matmulTN[F kernels.Float](r *Recorder, c, a, b Slice[F], m, lda, k, n int, scratch Slice[F], add bool) {
	d := &matmulTNSquare
	if n <= 32 {
		d = &matmulTNNarrow
	}
	splitProduct(r, d, c, a, b, m, lda, k, n, scratch, add)
}

// splitProduct does the same by a given kernel.
func splitProduct[F kernels.Float](r *Recorder, d *dense, c, a, b Slice[F], m, lda, k, n int, scratch Slice[F], add bool) {
	t := tileOf[F](d)
	count, piece := pieces(k, n)
	direct := count == 1 && !add
	to := c
	if !direct {
		need(r, "MatMulTN", "scratch", scratch, count*m*n)
		to = scratch
	}
	x, y := t.blocks(m, n)
	r.wide(to.addr, a.addr, b.addr)
	r.ints(m, lda, k, n, piece)
	r.launch(of[F](d.family), count, x*y, t.threads, 0)
	if direct {
		return
	}
	r.wide(c.addr, scratch.addr)
	r.ints(count)
	r.long(m * n)
	r.ints(flag(add))
	r.launchFlat(of[F](addPiecesKernel), m*n)
}

func flag(b bool) int {
	if b {
		return 1
	}
	return 0
}

// BatchMatMul sets each of batch rows of c to the product of the matrices in that row of a and b: c has m x n matrices, a m
// x k or, if transposed, k x m, b k x n or n x k.
func BatchMatMul[F kernels.Float](r *Recorder, c, a, b Slice[F], batch int, transA, transB bool, m, k, n int) {
	need(r, "BatchMatMul", "c", c, batch*m*n)
	need(r, "BatchMatMul", "a", a, batch*m*k)
	need(r, "BatchMatMul", "b", b, batch*k*n)
	r.wide(c.addr, a.addr, b.addr)
	r.long(batch)
	r.ints(flag(transA), flag(transB), m, k, n)
	r.launchFlat(of[F](batchMatMulKernel), batch*m*n)
}
