package cuda

import "github.com/fedlam/fedlam/kernels"

var (
	copyColsKernel  = kernels2("layout", "copy_cols")
	spreadKernel    = kernels2("layout", "spread")
	fillColsKernel  = kernels2("layout", "fill_cols")
	mapColsKernel   = kernels2("layout", "map_cols")
	transposeKernel = kernels2("layout", "transpose")
)

// needCols makes the list invalid unless columns at to at+n of rows rows, cols wide, are in s.
func needCols[T Number](r *Recorder, op, name string, s Slice[T], cols, at, rows, n int) {
	if at < 0 || n < 0 || rows < 0 || at+n > cols {
		r.fail("%s: %d rows of columns %d to %d of %s, which has %d", op, rows, at, at+n, name, cols)
		return
	}
	if rows > 0 && n > 0 {
		need(r, op, name, s, (rows-1)*cols+at+n)
	}
}

// CopyCols copies, for each of rows rows, n columns of src (srcCols wide) from column srcAt to dst (dstCols wide) at column
// dstAt.
func CopyCols[F kernels.Float](r *Recorder, dst Slice[F], dstCols, dstAt int, src Slice[F], srcCols, srcAt, rows, n int) {
	needCols(r, "CopyCols", "src", src, srcCols, srcAt, rows, n)
	copyCols(r, "CopyCols", dst, dstCols, dstAt, src, srcCols, srcAt, Slice[int32]{}, rows, n)
}

// Gather copies n columns, from srcAt on, of those rows of src (srcCols wide) that index names, to the rows of dst (dstCols
// wide), from column dstAt on. The caller answers for the entries of index.
func Gather[F kernels.Float](r *Recorder, dst Slice[F], dstCols, dstAt int, src Slice[F], srcCols, srcAt int, index Slice[int32], n int) {
	if index.n == 0 {
		return
	}
	copyCols(r, "Gather", dst, dstCols, dstAt, src, srcCols, srcAt, index, index.n, n)
}

func copyCols[F kernels.Float](r *Recorder, op string, dst Slice[F], dstCols, dstAt int, src Slice[F], srcCols, srcAt int,
	index Slice[int32], rows, n int) {
	needCols(r, op, "dst", dst, dstCols, dstAt, rows, n)
	r.wide(dst.addr)
	r.long(dstCols, dstAt)
	r.wide(src.addr)
	r.long(srcCols, srcAt)
	r.wide(index.addr)
	r.long(rows)
	r.ints(n)
	r.launchFlat(of[F](copyColsKernel), rows*n)
}

// Fill sets all of dst to v.
func Fill[F kernels.Float](r *Recorder, dst Slice[F], v F) {
	fillCols(r, "Fill", dst, dst.n, 0, 1, dst.n, v)
}

// ClearCols sets n columns of dst (dstCols wide) from column at to 0, in rows rows.
func ClearCols[F kernels.Float](r *Recorder, dst Slice[F], dstCols, at, rows, n int) {
	fillCols(r, "ClearCols", dst, dstCols, at, rows, n, 0)
}

func fillCols[F kernels.Float](r *Recorder, op string, dst Slice[F], dstCols, at, rows, n int, v F) {
	needCols(r, op, "dst", dst, dstCols, at, rows, n)
	r.wide(dst.addr)
	r.long(dstCols, at, rows, n)
	float(r, v)
	r.launchFlat(of[F](fillColsKernel), rows*n)
}

// RepeatRow sets each of the rows of dst to src.
func RepeatRow[F kernels.Float](r *Recorder, dst, src Slice[F]) {
	if src.n == 0 {
		return
	}
	if dst.n%src.n != 0 {
		r.fail("RepeatRow: dst has %d numbers, no multiple of %d", dst.n, src.n)
	}
	mapCols(r, "RepeatRow", dst, src, Slice[int32]{}, 0, 1, 0, dst.n/src.n, src.n)
}

// RepeatCol sets each of cols numbers of every row of dst to the number in column at of that row of src (srcCols wide).
func RepeatCol[F kernels.Float](r *Recorder, dst, src Slice[F], srcCols, at, rows, cols int) {
	needCols(r, "RepeatCol", "src", src, srcCols, at, rows, 1)
	mapCols(r, "RepeatCol", dst, src, Slice[int32]{}, srcCols, 0, at, rows, cols)
}

// MapRows sets column c of each of the first rows rows of dst to column from[c] of that row of src (srcCols wide): what a
// kernels.RowMap says. The caller answers for the entries of from.
func MapRows[F kernels.Float](r *Recorder, from Slice[int32], dst, src Slice[F], srcCols, rows int) {
	need(r, "MapRows", "src", src, rows*srcCols)
	mapCols(r, "MapRows", dst, src, from, srcCols, 0, 0, rows, from.n)
}

func mapCols[F kernels.Float](r *Recorder, op string, dst, src Slice[F], from Slice[int32], rowStep, colStep, at, rows, cols int) {
	need(r, op, "dst", dst, rows*cols)
	r.wide(dst.addr, src.addr, from.addr)
	r.long(rowStep, colStep, at, rows)
	r.ints(cols)
	r.launchFlat(of[F](mapColsKernel), rows*cols)
}

// Spread copies the rows of src, cols wide, to those rows of dst that index names, none twice, and sets all others to 0. The
// caller answers for the entries of index.
func Spread[F kernels.Float](r *Recorder, dst, src Slice[F], index Slice[int32], cols int) {
	need(r, "Spread", "src", src, index.n*cols)
	Zero(r, dst)
	r.wide(dst.addr, src.addr, index.addr)
	r.long(index.n)
	r.ints(cols)
	r.launchFlat(of[F](spreadKernel), index.n*cols)
}

// Transpose sets dst (cols x rows) to the transpose of src (rows x cols).
func Transpose[F kernels.Float](r *Recorder, dst, src Slice[F], rows, cols int) {
	TransposeRows(r, dst, src, rows, cols, 0, cols)
}

// TransposeRows does the same for rows from to to of dst only.
func TransposeRows[F kernels.Float](r *Recorder, dst, src Slice[F], rows, cols, from, to int) {
	const side = 32
	need(r, "TransposeRows", "dst", dst, rows*cols)
	need(r, "TransposeRows", "src", src, rows*cols)
	if from < 0 || from > to || to > cols {
		r.fail("TransposeRows: rows %d to %d of %d", from, to, cols)
	}
	// The second dimension of a grid is short.
	const most = mostBlocksY * side
	if rows > most {
		r.fail("TransposeRows: %d rows, more than %d; use smaller batches", rows, most)
	}
	r.wide(dst.addr, src.addr)
	r.ints(rows, cols, from, to)
	r.launch(of[F](transposeKernel), (to-from+side-1)/side, (rows+side-1)/side, 8*side, 0)
}
