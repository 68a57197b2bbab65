package kernels

// strided computes c = a*b, or c += a*b if add is not 0, by tiles: c is m x n with rows ldc apart, element (i, p) of a is
// a[i*rs+p*cs], b is k x n with rows ldb apart. None of m, k and n is 0.
//
// Rows go outside as long as what they use of a and all of b fit the second-level cache; blocks of rows keep a large b
// from being read anew for each tile.
func strided[F Float](be *backend[F], c []F, ldc int, a []F, rs, cs int, b []F, ldb, m, k, n, add int) {
	const blockRows = 96
	_ = c[(m-1)*ldc+n-1]
	_ = a[(m-1)*rs+(k-1)*cs]
	_ = b[(k-1)*ldb+n-1]
	for i0 := 0; i0 < m; i0 += blockRows {
		rows := min(blockRows, m-i0)
		for j := 0; j < n; {
			cols, tiles, heights := n-j, be.narrow, be.heights
			switch {
			case be.odd != nil && cols > 3*be.lanes && cols <= 3*be.lanes+be.lanes/2:
				tiles, heights = be.odd, oddHeights
			case cols > be.lanes:
				cols, tiles = min(cols, 2*be.lanes), be.wide
			case cols <= be.lanes/2 && be.half != nil:
				tiles = be.half
			}
			stack(tiles, heights, c[i0*ldc+j:], ldc, a[i0*rs:], rs, cs, &b[j], ldb, rows, k, cols, add)
			j += cols
		}
	}
}

// oddHeights are the rows of odd tiles.
var oddHeights = []int{6, 3, 2, 1}

// stack computes rows rows of c, at least 1 and of the width of a tile, by tiles of the given heights one below the other.
func stack[F Float](tiles []tile[F], heights []int, c []F, ldc int, a []F, rs, cs int, b *F, ldb, rows, k, cols, add int) {
	i := 0
	for h := 0; i < rows; h++ {
		if count := (rows - i) / heights[h]; count > 0 {
			tiles[h](k, &a[i*rs], rs, cs, b, ldb, &c[i*ldc], ldc, cols, add, count)
			i += count * heights[h]
		}
	}
}

// sumBlock is how many terms of a sum over rows are added before the result goes through memory.
const sumBlock = 256

// addTN is strided for a transposed a (k x m, rows lda apart) and long sums: it goes through a and b block by block.
func addTN[F Float](be *backend[F], c, a []F, lda int, b []F, m, k, n, add int) {
	for p := 0; p < k; p += sumBlock {
		strided(be, c, n, a[p*lda:], 1, lda, b[p*n:], n, m, min(sumBlock, k-p), n, add)
		add = 1
	}
}

// Scalar products are faster than transposing and tiles for few columns, unless they have few terms: then most of their time
// goes into adding up vectors.
const (
	maxDots  = 16 // columns
	minTerms = 13
)

// dotProducts computes c = a*b', a m x k, b n x k, as scalar products.
func dotProducts[F Float](be *backend[F], c, a, b []F, m, k, n int) {
	const width = 4
	_, _, _ = c[m*n-1], a[m*k-1], b[n*k-1]
	for j := 0; j < n; j += width {
		be.dots(k, &a[0], k, &b[j*k], k, &c[j], n, m, min(width, n-j))
	}
}
