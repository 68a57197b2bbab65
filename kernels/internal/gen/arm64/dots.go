package main

import "fmt"

// dotCols is how many columns of a product dots computes.
const dotCols = 4

// dots writes a function that sets n (1 to 4) columns of c to the scalar products of m rows of a and n rows of b, all k
// numbers long. Two rows go side by side; each product is summed lane by lane, the numbers behind the last whole vector
// in the first lane, then over the lanes.
func (v target) dots(f *file) {
	e := "*" + v.elem()
	fn := v.begin(f, "dots computes up to 4 columns of the product of a and the transpose of b.", param{"k", "int"},
		param{"a", e}, param{"lda", "int"}, param{"b", e}, param{"ldb", "int"}, param{"c", e}, param{"ldc", "int"},
		param{"m", "int"}, param{"n", "int"})
	d := &dots{function: fn, k: fn.param("k"), a: fn.param("a"), lda: fn.stride("lda"), c: fn.param("c"), ldc: fn.stride("ldc"),
		m: fn.param("m"), n: fn.param("n"), left: fn.general(), address: fn.general()}
	for range 2 {
		d.rows = append(d.rows, fn.general())
	}
	ldb := fn.stride("ldb")
	// Rows of b that do not exist are the last one again.
	for j := range dotCols {
		if j == 0 {
			d.b[j] = fn.param("b")
		} else {
			d.b[j] = fn.general()
			fn.op("ADD %s, %s, %s", ldb, d.b[j-1], d.b[j])
			fn.op("CMP $%d, %s", j+1, d.n)
			fn.op("CSEL LT, %s, %s, %s", d.b[j-1], d.b[j], d.b[j])
		}
		d.at[j] = fn.general()
	}
	fn.label("pair")
	fn.op("CMP $2, %s", d.m)
	fn.op("BLT single")
	d.pass("pair", 2)
	fn.op("B pair")
	fn.label("single")
	fn.op("CBZ %s, done", d.m)
	d.pass("single", 1)
	fn.label("done")
	fn.op("RET")
}

// dots is a function that computes scalar products; its registers hold the parameters, strides in bytes.
type dots struct {
	*function
	k, a, lda, c, ldc, m, n general
	b                       [dotCols]general
	left, address           general
	rows                    []general
	at                      [dotCols]general // where the rows of b are read
}

// pass writes the products of the next rows of a, and goes behind them.
func (d *dots) pass(label string, rows int) {
	defer d.free(d.vectors)
	for i, r := range d.rows[:rows] {
		if i == 0 {
			d.op("MOVD %s, %s", d.a, r)
		} else {
			d.op("ADD %s, %s, %s", d.lda, d.rows[i-1], r)
		}
	}
	d.op("ADD %s, %s, %s", d.lda, d.rows[rows-1], d.a)
	for j, r := range d.b {
		d.op("MOVD %s, %s", r, d.at[j])
	}
	sums := make([][dotCols]vector, rows)
	for i := range sums {
		for j := range dotCols {
			sums[i][j] = d.vector()
			d.zero(sums[i][j])
		}
	}
	d.op("MOVD %s, %s", d.k, d.left)
	d.terms(label+"Vector", label+"Rest", d.lanes(), sums)
	d.terms(label+"Rest", label+"Sums", 1, sums)
	d.label(label + "Sums")
	for i := range sums {
		d.sumLanes(sums[i])
		d.storeDots(fmt.Sprintf("%sRow%d", label, i), sums[i])
		d.op("ADD %s, %s", d.ldc, d.c)
	}
	d.op("SUB $%d, %s", rows, d.m)
}

// terms writes the loop over count elements of the rows at a time.
func (d *dots) terms(label, next string, count int, sums [][dotCols]vector) {
	defer d.free(d.vectors)
	d.label(label)
	d.op("CMP $%d, %s", count, d.left)
	d.op("BLT %s", next)
	var x []vector
	for i := range sums {
		x = append(x, d.vector())
		d.load(d.rows[i], 0, count, x[i], d.address)
		d.op("ADD $%d, %s", count*d.size(), d.rows[i])
	}
	for j, r := range d.at {
		y := d.vector()
		d.load(r, 0, count, y, d.address)
		d.op("ADD $%d, %s", count*d.size(), r)
		for i := range sums {
			d.fma(x[i], y, sums[i][j])
		}
	}
	d.op("SUB $%d, %s", count, d.left)
	d.op("B %s", label)
}

// sumLanes puts the sums over the lanes of four vectors side by side: in the first vector, or, of float64, in it and the
// third.
func (d *dots) sumLanes(s [dotCols]vector) {
	d.word(d.pick(faddp), s[0], s[0], s[1])
	d.word(d.pick(faddp), s[2], s[2], s[3])
	if !d.double {
		d.word(d.pick(faddp), s[0], s[0], s[2])
	}
}

// storeDots stores the first n of four results.
func (d *dots) storeDots(label string, s [dotCols]vector) {
	for count := 1; count < dotCols; count++ {
		d.op("CMP $%d, %s", count, d.n)
		d.op("BEQ %s%d", label, count)
	}
	for count := dotCols; count > 0; count-- {
		if count < dotCols {
			d.label(fmt.Sprintf("%s%d", label, count))
		}
		if d.double {
			d.store(s[0], d.c, 0, min(count, 2), d.address)
			if count > 2 {
				d.store(s[2], d.c, vectorBytes, count-2, d.address)
			}
		} else {
			d.store(s[0], d.c, 0, count, d.address)
		}
		if count > 1 {
			d.op("B %sDone", label)
		}
	}
	d.label(label + "Done")
}
