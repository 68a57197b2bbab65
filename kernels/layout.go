package kernels

// CopyCols copies, for each of rows rows, n columns of src (srcCols wide) from column srcAt to dst (dstCols wide) at
// column dstAt.
func CopyCols[F Float](dst []F, dstCols, dstAt int, src []F, srcCols, srcAt, rows, n int) {
	if n == 0 {
		return
	}
	if n == 1 {
		for r := range rows {
			dst[r*dstCols+dstAt] = src[r*srcCols+srcAt]
		}
		return
	}
	for r := range rows {
		copy(dst[r*dstCols+dstAt:][:n], src[r*srcCols+srcAt:][:n])
	}
}

// ClearCols sets n columns of dst (dstCols wide) from column at to 0.
func ClearCols[F Float](dst []F, dstCols, at, rows, n int) {
	for r := range rows {
		clear(dst[r*dstCols+at:][:n])
	}
}

// Permute sets column c of dst to column perm[c] of src; both have len(perm) columns.
func Permute[F Float](dst, src []F, perm []int, rows int) {
	cols := len(perm)
	for r := range rows {
		d, s := dst[r*cols:(r+1)*cols], src[r*cols:(r+1)*cols]
		for c, p := range perm {
			d[c] = s[p]
		}
	}
}

// RepeatRow sets each of the rows of dst to src.
func RepeatRow[F Float](dst, src []F) {
	if len(src) == 0 {
		return
	}
	if len(src) == 1 {
		Fill(dst, src[0])
		return
	}
	n := copy(dst, src)
	for n < len(dst) {
		n += copy(dst[n:], dst[:n])
	}
}

// RepeatCol sets each number of row r of dst (len(src) x cols) to src[r].
func RepeatCol[F Float](dst, src []F, cols int) {
	for r, v := range src {
		row := dst[r*cols : (r+1)*cols]
		for i := range row {
			row[i] = v
		}
	}
}
