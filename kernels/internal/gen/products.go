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
		if v.wide { // few columns: two operations on half vectors take the time of one on whole ones
			v.halved().tile(height, 1)
		}
	}
	if v.wide { // numbers of columns that would fill four vectors badly
		v.andHalf = true
		for _, height := range []int{6, 3, 2, 1} {
			v.tile(height, 4)
		}
	}
}

// halved returns the same instruction set on registers of half the size.
func (v target) halved() target {
	v.half = true
	return v
}

// tile writes a function that sets count tiles of c, one below the other, each of height rows and n columns, to the sum
// over k of a column of a times a row of b, or adds that sum. Element (i, p) of a is at a[i*rs+p*cs]. All but the last
// vector of a row are full: n is above (vectors-1)*lanes and at most vectors*lanes.
//
// With andHalf, the last vector is half of one.
//
// With heads, element (i, p) of a is four numbers, of which column j takes number j%4.
//
// Every element is one chain of fused multiply-adds in ascending order of k, so that it has the same bits in all tiles.
func (v target) tile(height, vectors int) {
	name := fmt.Sprintf("tile%dx%d%s", height, vectors, v.name)
	if v.half {
		name = fmt.Sprintf("tile%dxhalf%s", height, v.name)
	}
	if v.heads {
		name = fmt.Sprintf("heads%dx%d%s", height, vectors, v.name)
	}
	most, ending := vectors*v.lanes(), v // ending: the last vector
	if v.andHalf {
		name = fmt.Sprintf("tile%dx%dhalf%s", height, vectors-1, v.name)
		ending = v.halved()
		most -= ending.lanes()
	}
	e := v.elem()
	TEXT(name, NOSPLIT, fmt.Sprintf("func(k int, a *%s, rs, cs int, b *%s, ldb int, c *%s, ldc, n, add, count int)", e, e, e))
	Pragma("noescape")
	Doc(fmt.Sprintf("%s computes tiles of %d rows and up to %d columns of a product.", name, height, most))

	n := Load(Param("n"), GP64()).(GPVirtual)
	if vectors > 1 {
		SUBQ(Imm(uint64((vectors-1)*v.lanes())), n)
	}
	tail := ending.newMask(n)
	if v.wide {
		n = nil
	}
	ldb, cs, rs := v.stride("ldb"), v.stride("cs"), v.stride("rs")
	c, ldc := Load(Param("c"), GP64()).(GPVirtual), v.stride("ldc")
	a := rowSet{rs1: rs}
	if height > 3 {
		a.rs3 = GP64()
		LEAQ(Mem{Base: rs, Index: rs, Scale: 2}, a.rs3)
	}

	Label("tile")
	a.begin(height)
	k, b := Load(Param("k"), GP64()), Load(Param("b"), GP64())
	sums := make([][]VecVirtual, height)
	for i := range sums {
		sums[i] = v.vectors(vectors, ending)
		for _, r := range sums[i] {
			v.zero(r)
		}
	}
	row := v.vectors(vectors, ending)
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
		if v.heads {
			v.broadcastHeads(a.at(i), x)
		} else {
			v.broadcast(a.at(i), x)
		}
		for j, y := range row {
			if y.Size() < x.Size() {
				x = x.AsY().(VecVirtual)
			}
			v.fma(x, y, sums[i][j])
		}
	}
	ADDQ(ldb, b)
	for _, base := range a.bases {
		ADDQ(cs, base)
	}
	DECQ(k)
	JNE(LabelRef("next"))

	Label("sums")
	CMPQ(paramMem("add"), Imm(0))
	JE(LabelRef("write"))
	at := GP64()
	MOVQ(c, at)
	v.eachVector(sums, at, ldc, func(m Mem, r VecVirtual, last bool) {
		x := row[0]
		if last {
			x = row[vectors-1]
			tail.load(m, x)
		} else {
			v.load(m, x)
		}
		v.add(x, r, r)
	})
	Label("write")
	if v.wide {
		v.eachVector(sums, c, ldc, func(m Mem, r VecVirtual, last bool) {
			if last {
				tail.store(r, m)
			} else {
				v.store(r, m)
			}
		})
	} else {
		v.writeWithoutMask(sums, c, ldc, n)
	}
	step := GP64()
	IMUL3Q(Imm(uint64(height)), rs, step)
	ADDQ(step, paramMem("a"))
	DECQ(paramMem("count"))
	JNE(LabelRef("tile"))
	VZEROUPPER()
	RET()
}

// vectors returns n registers, the last that of ending.
func (v target) vectors(n int, ending target) []VecVirtual {
	list := make([]VecVirtual, n)
	for j := range n - 1 {
		list[j] = v.reg()
	}
	list[n-1] = ending.reg()
	return list
}

// writeWithoutMask stores tiles of AVX2, most of which are full.
func (v target) writeWithoutMask(sums [][]VecVirtual, c, ldc, n GPVirtual) {
	CMPQ(n, Imm(uint64(v.lanes())))
	JNE(LabelRef("partial"))
	v.eachVector(sums, c, ldc, func(m Mem, r VecVirtual, _ bool) { v.store(r, m) })
	JMP(LabelRef("written"))
	Label("partial")
	row := 0
	v.eachVector(sums, c, ldc, func(m Mem, r VecVirtual, last bool) {
		if !last {
			v.store(r, m)
			return
		}
		v.storeFirst(n, r, m, fmt.Sprintf("row%d", row))
		row++
	})
	Label("written")
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

// begin loads the bases.
func (a *rowSet) begin(height int) {
	a.bases = []GPVirtual{Load(Param("a"), GP64()).(GPVirtual)}
	for i := 4; i < height; i += 4 {
		next := GP64()
		LEAQ(Mem{Base: a.bases[len(a.bases)-1], Index: a.rs1, Scale: 4}, next)
		a.bases = append(a.bases, next)
	}
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

// eachVector calls f for the memory of every vector of the tile at c, and leaves c behind the tile.
func (v target) eachVector(sums [][]VecVirtual, c, ldc GPVirtual, f func(m Mem, r VecVirtual, last bool)) {
	for _, row := range sums {
		for j, r := range row {
			f(Mem{Base: c, Disp: j * v.bytes()}, r, j == len(row)-1)
		}
		ADDQ(ldc, c)
	}
}
