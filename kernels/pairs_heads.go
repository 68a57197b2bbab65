package kernels

// headTiles compute products for four heads at once. The four numbers of an element of a, one for each head, lie side by
// side; so do four columns of b and of c, and column j of c takes number j%4 of each element of a.
type headTiles[F Float] struct {
	arrange func(dst *F, rowStep, colStep int, src *F, rows, d int) // dst[r*rowStep+c*colStep+h] = src[(r*4+h)*d+c]
	heights []int                                                   // rows of the tiles, tallest first, ending with 1
	narrow  []tile[F]                                               // by height, tiles of one vector
	wide    []tile[F]                                               // by height, tiles of two vectors
}

// pairDotFour is PairDot for one segment of n rows of four heads, d a multiple of 4. The operands are brought into an
// order in which the results of the heads of a pair come out side by side, in full vectors.
func pairDotFour[F Float](be *backend[F], out, a, b []F, n, d int, scratch []F, next ahead[F]) {
	const heads = 4
	t, lanes := be.fourHeads, be.lanes
	w, cols := heads*d, heads*n
	left, right := scratch[:n*w], scratch[n*w:][:n*w]
	_, _, _ = a[n*w-1], b[n*w-1], out[n*cols-1]
	t.arrange(&left[0], w, heads, &a[0], n, d)
	t.arrange(&right[0], heads, cols, &b[0], n, d)
	columns := (cols-1)/(2*lanes) + 1
	block := aheadRows * 16 / lanes // narrower tiles take less time
	steps := columns * ((n-1)/block + 1)
	for i := 0; i < n; i += block {
		rows := min(block, n-i)
		for j := range columns {
			at := 2 * lanes * j
			tiles, width := t.wide, min(2*lanes, cols-at)
			if width <= lanes {
				tiles = t.narrow
			}
			next.bring(i/block*columns+j, steps)
			stack(tiles, t.heights, out[i*cols+at:], cols, left[i*w:], w, heads, &right[at], cols, rows, d, width, 0)
		}
	}
}
