package main

import "fmt"

// rowMoves writes the functions that move rows.
func (v target) rowMoves(f *file) {
	e := "*" + v.elem()
	rows := []param{{"rows", "int"}, {"cols", "int"}}
	ends := []param{{"dst", e}, {"dstStride", "int"}, {"src", e}, {"srcStride", "int"}}
	v.move(f, "copyRows copies the first cols numbers of rows that lie srcStride apart to rows dstStride apart.", copyEach, append(ends[:4:4], rows...))
	v.move(f, "gatherRows copies the first cols numbers of the rows of src that index names.", gatherEach,
		append(append(ends[:4:4], param{"index", "*int32"}), rows...))
	v.move(f, "repeatCol sets cols numbers of each row of dst to the first number of a row of src.", repeatEach, append(ends[:4:4], rows...))
}

type moveKind int

const (
	copyEach moveKind = iota
	gatherEach
	repeatEach
)

// move writes a loop over rows with, inside, one over two vectors, and then the remaining columns by powers of 2.
func (v target) move(f *file, doc string, kind moveKind, params []param) {
	fn := v.begin(f, doc, params...)
	rows, cols, dst, src := fn.param("rows"), fn.param("cols"), fn.param("dst"), fn.param("src")
	dstStride, srcStride := fn.stride("dstStride"), fn.stride("srcStride")
	from, to, left := fn.general(), fn.general(), fn.general()
	x, y := fn.vector(), fn.vector()
	var index general
	if kind == gatherEach {
		index = fn.param("index")
	}
	fn.op("CBZ %s, done", rows)
	fn.label("row")
	if kind == gatherEach {
		fn.rowAt(src, srcStride, index, from)
	} else {
		fn.op("MOVD %s, %s", src, from)
		fn.op("ADD %s, %s", srcStride, src)
	}
	if kind == repeatEach {
		fn.op("VLD1R (%s), [%s.%s]", from, x, v.lanesName())
		fn.copy(x, y)
	}
	fn.op("MOVD %s, %s", dst, to)
	fn.op("ADD %s, %s", dstStride, dst)
	fn.op("MOVD %s, %s", cols, left)
	fn.label("pair")
	fn.op("SUBS $%d, %s, %s", 2*v.lanes(), left, left)
	fn.op("BLT rest")
	if kind != repeatEach {
		fn.op("VLD1.P %d(%s), [%s.B16, %s.B16]", 2*vectorBytes, from, x, y)
	}
	fn.op("VST1.P [%s.B16, %s.B16], %d(%s)", x, y, 2*vectorBytes, to)
	fn.op("B pair")
	fn.label("rest") // left is negative; its lowest bits are those of the number of columns
	for count := v.lanes(); count > 0; count /= 2 {
		fn.piece(left, count, kind, from, to, x)
	}
	fn.op("SUBS $1, %s, %s", rows, rows)
	fn.op("BNE row")
	fn.label("done")
	fn.op("RET")
}

// piece moves count elements if count, a power of 2, is in the binary notation of left.
func (fn *function) piece(left general, count int, kind moveKind, from, to general, x vector) {
	bit := 0
	for 1<<bit < count {
		bit++
	}
	skip := fmt.Sprintf("below%d", count)
	fn.op("TBZ $%d, %s, %s", bit, left, skip)
	if kind != repeatEach {
		fn.load(from, 0, count, x, "")
		fn.op("ADD $%d, %s", count*fn.size(), from)
	}
	fn.store(x, to, 0, count, "")
	fn.op("ADD $%d, %s", count*fn.size(), to)
	fn.label(skip)
}

// rowAt sets from to the address of the row that the next number of a list names, and goes to the number after it.
func (fn *function) rowAt(base, stride, list, from general) {
	fn.op("MOVW.P 4(%s), %s", list, from) // with its sign
	fn.op("MUL %s, %s, %s", stride, from, from)
	fn.op("ADD %s, %s", base, from)
}
