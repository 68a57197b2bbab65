package main

import "fmt"

// tileHeights are the rows of tiles, tallest first. Two vectors of eight rows are 16 sums, enough for four pipelines
// of multiply-adds that take four cycles each; with a row and the factors they fit the 32 registers.
var tileHeights = []int{8, 4, 3, 2, 1}

// products writes the tiles of matrix products: every height, one or two vectors wide.
func (v target) products(f *file) {
	for _, height := range tileHeights {
		for _, vectors := range []int{1, 2} {
			v.tile(f, height, vectors)
		}
	}
}

// tile is a function that computes tiles; its registers hold the parameters, strides in bytes.
type tile struct {
	*function
	height, vectors     int
	rs, cs, ldb, c, ldc general
	a, add, count       general
	step                general // from a tile to the next in a
	b, k                general // of the term that is added
	scratch             general
	rows                []general // of a
	sums                [][]vector
	row, factors        []vector
	last                int    // elements of the last vector of a row
	variant             string // prefix of labels
}

// tile writes a function that sets count tiles of c, one below the other, each of height rows and n columns, to the sum
// over k of a column of a times a row of b, or adds that sum. Element (i, p) of a is at a[i*rs+p*cs]. All but the last
// vector of a row are full: n is above (vectors-1)*lanes and at most vectors*lanes. NEON has no masks, so there is a
// variant of the loop for each number of elements in the last vector.
//
// Every element is one chain of fused multiply-adds in ascending order of k, so that it has the same bits in all tiles.
func (v target) tile(f *file, height, vectors int) {
	doc := fmt.Sprintf("tile%dx%d computes tiles of %d rows and up to %d columns of a product.", height, vectors, height, vectors*v.lanes())
	e := "*" + v.elem()
	fn := v.begin(f, doc, param{"k", "int"}, param{"a", e}, param{"rs", "int"}, param{"cs", "int"}, param{"b", e},
		param{"ldb", "int"}, param{"c", e}, param{"ldc", "int"}, param{"n", "int"}, param{"add", "int"}, param{"count", "int"})
	t := &tile{function: fn, height: height, vectors: vectors}
	t.a, t.rs, t.cs, t.ldb = fn.param("a"), fn.stride("rs"), fn.stride("cs"), fn.stride("ldb")
	t.c, t.ldc, t.add, t.count = fn.param("c"), fn.stride("ldc"), fn.param("add"), fn.param("count")
	t.step, t.b, t.k, t.scratch = fn.general(), fn.general(), fn.general(), fn.general()
	for range height {
		t.rows = append(t.rows, fn.general())
	}
	fn.op("MOVD $%d, %s", height, t.step)
	fn.op("MUL %s, %s, %s", t.rs, t.step, t.step)
	t.registers()

	n := t.scratch
	fn.reload("n", n)
	for last := 1; last < v.lanes(); last++ {
		fn.op("CMP $%d, %s", (vectors-1)*v.lanes()+last, n)
		fn.op("BEQ last%d", last)
	}
	for last := v.lanes(); last > 0; last-- {
		t.last, t.variant = last, fmt.Sprintf("last%d", last)
		t.body()
	}
}

func (t *tile) registers() {
	for range t.height {
		var row []vector
		for range t.vectors {
			row = append(row, t.vector())
		}
		t.sums = append(t.sums, row)
	}
	for range t.vectors {
		t.row = append(t.row, t.vector())
	}
	for range t.height {
		t.factors = append(t.factors, t.vector())
	}
}

// body writes the loop over tiles whose last vector has t.last elements.
func (t *tile) body() {
	t.label(t.variant)
	from := t.a
	for i, r := range t.rows {
		if i == 0 {
			t.op("MOVD %s, %s", from, r)
		} else {
			t.op("ADD %s, %s, %s", t.rs, from, r)
		}
		from = r
	}
	t.reload("b", t.b)
	t.reload("k", t.k)
	for _, row := range t.sums {
		for _, r := range row {
			t.zero(r)
		}
	}
	t.op("CBZ %s, %sSums", t.k, t.variant)
	t.terms()
	t.label(t.variant + "Sums")
	t.op("CBZ %s, %sWrite", t.add, t.variant)
	t.op("MOVD %s, %s", t.c, t.b)
	for _, row := range t.sums {
		for j, r := range row {
			t.load(t.b, j*vectorBytes, t.width(j), t.row[j], t.scratch)
			t.function.add(t.row[j], r, r)
		}
		t.op("ADD %s, %s", t.ldc, t.b)
	}
	t.label(t.variant + "Write")
	for _, row := range t.sums {
		for j, r := range row {
			t.store(r, t.c, j*vectorBytes, t.width(j), t.scratch)
		}
		t.op("ADD %s, %s", t.ldc, t.c)
	}
	t.op("ADD %s, %s", t.step, t.a)
	t.op("SUBS $1, %s, %s", t.count, t.count)
	t.op("BNE %s", t.variant)
	t.op("RET")
}

// terms writes the loop over k.
func (t *tile) terms() {
	t.label(t.variant + "Term")
	for j, r := range t.row {
		t.load(t.b, j*vectorBytes, t.width(j), r, t.scratch)
	}
	for i, sums := range t.sums {
		x := t.factors[i]
		t.op("VLD1R.P (%s)(%s), [%s.%s]", t.rows[i], t.cs, x, t.lanesName())
		for j, r := range sums {
			t.fma(x, t.row[j], r)
		}
	}
	t.op("ADD %s, %s", t.ldb, t.b)
	t.op("SUBS $1, %s, %s", t.k, t.k)
	t.op("BNE %sTerm", t.variant)
}

// width is the number of elements of vector j of a row.
func (t *tile) width(j int) int {
	if j == t.vectors-1 {
		return t.last
	}
	return t.lanes()
}
