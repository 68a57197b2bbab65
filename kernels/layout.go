package kernels

// CopyCols copies, for each of rows rows, n columns of src (srcCols wide) from column srcAt to dst (dstCols wide) at
// column dstAt.
func CopyCols[F Float](dst []F, dstCols, dstAt int, src []F, srcCols, srcAt, rows, n int) {
	if n == 0 || rows == 0 {
		return
	}
	dst, src = dst[dstAt:], src[srcAt:]
	_, _ = dst[(rows-1)*dstCols+n-1], src[(rows-1)*srcCols+n-1]
	if f := backendOf[F]().copyRows; f != nil {
		f(&dst[0], dstCols, &src[0], srcCols, rows, n)
		return
	}
	if n == 1 {
		for r := range rows {
			dst[r*dstCols] = src[r*srcCols]
		}
		return
	}
	for r := range rows {
		copy(dst[r*dstCols:][:n], src[r*srcCols:])
	}
}

// ClearCols sets n columns of dst (dstCols wide) from column at to 0.
func ClearCols[F Float](dst []F, dstCols, at, rows, n int) {
	for r := range rows {
		clear(dst[r*dstCols+at:][:n])
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

// RepeatCol sets each of cols numbers of every row of dst to the number in column at of that row of src (srcCols wide).
func RepeatCol[F Float](dst, src []F, srcCols, at, rows, cols int) {
	if rows == 0 || cols == 0 {
		return
	}
	src = src[at:]
	_, _ = dst[rows*cols-1], src[(rows-1)*srcCols]
	if f := backendOf[F]().repeatCol; f != nil {
		f(&dst[0], cols, &src[0], srcCols, rows, cols)
		return
	}
	for r := range rows {
		Fill(dst[r*cols:(r+1)*cols], src[r*srcCols])
	}
}

// Transpose sets dst (cols x rows) to the transpose of src (rows x cols).
func Transpose[F Float](dst, src []F, rows, cols int) {
	TransposeRows(dst[:rows*cols], src, rows, cols, 0, cols)
}

// TransposeRows does the same for rows from to to of dst only.
func TransposeRows[F Float](dst, src []F, rows, cols, from, to int) {
	r := 0
	for ; r+4 <= rows; r += 4 {
		s := src[r*cols : (r+4)*cols]
		s0, s1, s2, s3 := s[from:to], s[cols+from:][:to-from], s[2*cols+from:][:to-from], s[3*cols+from:][:to-from]
		for c := range s0 {
			d := dst[(from+c)*rows+r:][:4]
			d[0], d[1], d[2], d[3] = s0[c], s1[c], s2[c], s3[c]
		}
	}
	for ; r < rows; r++ {
		for c, x := range src[r*cols:][:cols][from:to] {
			dst[(from+c)*rows+r] = x
		}
	}
}
