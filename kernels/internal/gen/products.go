package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// products writes the tiles of matrix products: every height, one or two vectors wide.
func (v target) products() {
	for _, height := range v.heights {
		for _, vectors := range []int{1, 2} {
			v.tile(height, vectors)
		}
	}
}

// tile writes a function that sets a tile of c, height rows and n columns, to the sum over k of a column of a times a
// row of b, or adds that sum. Element (i, p) of a is at a[i*rs+p*cs]. All but the last vector of a row are full: n is
// above (vectors-1)*lanes and at most vectors*lanes.
//
// Every element is one chain of fused multiply-adds in ascending order of k, so that it has the same bits in all tiles.
func (v target) tile(height, vectors int) {
	name := fmt.Sprintf("tile%dx%d%s", height, vectors, v.name)
	e := v.elem()
	TEXT(name, NOSPLIT, fmt.Sprintf("func(k int, a *%s, rs, cs int, b *%s, ldb int, c *%s, ldc, n, add int)", e, e, e))
	Pragma("noescape")
	Doc(fmt.Sprintf("%s computes %d rows and up to %d columns of a product.", name, height, vectors*v.lanes()))

	n := Load(Param("n"), GP64()).(GPVirtual)
	if vectors > 1 {
		SUBQ(Imm(uint64((vectors-1)*v.lanes())), n)
	}
	tail := v.newMask(n)
	k := Load(Param("k"), GP64())
	b := Load(Param("b"), GP64())
	ldb := v.stride("ldb")
	cs := v.stride("cs")
	a := v.rows(height)

	sums := make([][]VecVirtual, height)
	for i := range sums {
		for range vectors {
			r := v.reg()
			v.zero(r)
			sums[i] = append(sums[i], r)
		}
	}
	row := make([]VecVirtual, vectors)
	for j := range row {
		row[j] = v.reg()
	}
	factors := []VecVirtual{v.reg()}
	if v.wide {
		factors = append(factors, v.reg())
	}

	TESTQ(k, k)
	JE(LabelRef("sums"))
	Label("next")
	for j := range row {
		m := Mem{Base: b, Disp: j * v.bytes()}
		if j == vectors-1 {
			tail.load(m, row[j])
		} else {
			v.load(m, row[j])
		}
	}
	for i := range sums {
		x := factors[i%len(factors)]
		v.broadcast(a.at(i), x)
		for j := range row {
			v.fma(x, row[j], sums[i][j])
		}
	}
	ADDQ(ldb, b)
	for _, base := range a.bases {
		ADDQ(cs, base)
	}
	DECQ(k)
	JNE(LabelRef("next"))

	Label("sums")
	add := Load(Param("add"), GP64())
	TESTQ(add, add)
	JE(LabelRef("write"))
	v.eachVector(sums, func(m Mem, r VecVirtual, last bool) {
		if last {
			tail.load(m, row[0])
		} else {
			v.load(m, row[0])
		}
		v.add(row[0], r, r)
	})
	Label("write")
	if !v.wide { // masked stores of AVX2 are slow; most tiles are full
		CMPQ(n, Imm(uint64(v.lanes())))
		JNE(LabelRef("partial"))
		v.eachVector(sums, func(m Mem, r VecVirtual, _ bool) { v.store(r, m) })
		VZEROUPPER()
		RET()
		Label("partial")
	}
	v.eachVector(sums, func(m Mem, r VecVirtual, last bool) {
		if last {
			tail.store(r, m)
		} else {
			v.store(r, m)
		}
	})
	VZEROUPPER()
	RET()
}

// stride loads a distance in elements and makes it one in bytes.
func (v target) stride(param string) GPVirtual {
	r := Load(Param(param), GP64()).(GPVirtual)
	SHLQ(Imm(v.shift()), r)
	return r
}

// rowSet addresses rows at equal distances with one base register for every four.
type rowSet struct {
	bases    []GPVirtual
	rs1, rs3 GPVirtual
}

func (v target) rows(height int) rowSet {
	a := rowSet{bases: []GPVirtual{Load(Param("a"), GP64()).(GPVirtual)}}
	if height == 1 {
		return a
	}
	a.rs1 = v.stride("rs")
	if height > 3 {
		a.rs3 = GP64()
		LEAQ(Mem{Base: a.rs1, Index: a.rs1, Scale: 2}, a.rs3)
	}
	for i := 4; i < height; i += 4 {
		next := GP64()
		LEAQ(Mem{Base: a.bases[len(a.bases)-1], Index: a.rs1, Scale: 4}, next)
		a.bases = append(a.bases, next)
	}
	return a
}

func (a rowSet) at(i int) Mem {
	m := Mem{Base: a.bases[i/4]}
	switch i % 4 {
	case 1:
		m.Index, m.Scale = a.rs1, 1
	case 2:
		m.Index, m.Scale = a.rs1, 2
	case 3:
		m.Index, m.Scale = a.rs3, 1
	}
	return m
}

// eachVector calls f for the memory of every vector of the tile of c.
func (v target) eachVector(sums [][]VecVirtual, f func(m Mem, r VecVirtual, last bool)) {
	c := Load(Param("c"), GP64())
	ldc := v.stride("ldc")
	for i, row := range sums {
		for j, r := range row {
			f(Mem{Base: c, Disp: j * v.bytes()}, r, j == len(row)-1)
		}
		if i+1 < len(sums) {
			ADDQ(ldc, c)
		}
	}
}
