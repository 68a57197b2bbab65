package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// dotCols is how many columns of a product dots computes.
const dotCols = 4

// dots writes a function that sets n (1 to 4) columns of c to the scalar products of m rows of a and n rows of b, all k
// (at least 1) numbers long. Two rows go side by side; each product is summed lane by lane, then over the lanes.
func (v target) dots() {
	e := v.elem()
	TEXT("dots"+v.name, NOSPLIT, "func(k int, a *"+e+", lda int, b *"+e+", ldb int, c *"+e+", ldc, m, n int)")
	Pragma("noescape")
	Doc("dots computes up to 4 columns of the product of a and the transpose of b.")
	n := Load(Param("n"), GP64()).(GPVirtual)
	var out mask
	if v.wide {
		out = v.newMask(n)
	}
	full := Load(Param("k"), GP64()).(GPVirtual)
	rest := GP64()
	MOVQ(full, rest)
	DECQ(full)
	SHRQ(Imm(uint64(v.laneShift())), full)
	SHLQ(Imm(uint64(v.laneShift())), full)
	SUBQ(full, rest)
	tail := v.newMask(rest)
	SHLQ(Imm(v.shift()), full) // bytes before the last vector

	// Rows of b that do not exist are the last one again.
	b := [dotCols]GPVirtual{Load(Param("b"), GP64()).(GPVirtual)}
	ldb := v.stride("ldb")
	for j := 1; j < dotCols; j++ {
		b[j] = GP64()
		LEAQ(Mem{Base: b[j-1], Index: ldb, Scale: 1}, b[j])
		CMPQ(n, Imm(uint64(j+1)))
		CMOVQLT(b[j-1], b[j])
	}
	a0, a1 := Load(Param("a"), GP64()).(GPVirtual), GP64()
	c := Load(Param("c"), GP64()).(GPVirtual)
	lda, ldc := v.stride("lda"), v.stride("ldc")
	m, at := Load(Param("m"), GP64()), GP64()

	pass := func(label string, rows []GPVirtual) {
		sums := make([][dotCols]VecVirtual, len(rows))
		for i := range sums {
			for j := range dotCols {
				sums[i][j] = v.reg()
				v.zero(sums[i][j])
			}
		}
		x, y := make([]VecVirtual, len(rows)), v.reg()
		for i := range x {
			x[i] = v.reg()
		}
		step := func(load func(m Mem, r Op)) {
			for i, row := range rows {
				load(Mem{Base: row, Index: at, Scale: 1}, x[i])
			}
			for j := range b {
				load(Mem{Base: b[j], Index: at, Scale: 1}, y)
				for i := range rows {
					v.fma(x[i], y, sums[i][j])
				}
			}
		}
		XORQ(at, at)
		Label(label + "Vector")
		CMPQ(at, full)
		JGE(LabelRef(label + "Last"))
		step(v.load)
		ADDQ(Imm(uint64(v.bytes())), at)
		JMP(LabelRef(label + "Vector"))
		Label(label + "Last")
		step(tail.load)
		for i := range rows {
			v.sumDots(sums[i])
			r := sums[i][0]
			if v.wide {
				out.store(r, Mem{Base: c})
			} else {
				v.storeDots(n, r, Mem{Base: c}, fmt.Sprintf("%sRow%d", label, i))
			}
			ADDQ(ldc, c)
		}
	}
	Label("pair")
	CMPQ(m, Imm(2))
	JL(LabelRef("single"))
	LEAQ(Mem{Base: a0, Index: lda, Scale: 1}, a1)
	pass("pair", []GPVirtual{a0, a1})
	LEAQ(Mem{Base: a0, Index: lda, Scale: 2}, a0)
	SUBQ(Imm(2), m)
	JMP(LabelRef("pair"))
	Label("single")
	TESTQ(m, m)
	JE(LabelRef("done"))
	pass("single", []GPVirtual{a0})
	Label("done")
	VZEROUPPER()
	RET()
}

// storeDots stores the first n of four numbers.
func (v target) storeDots(n GPVirtual, r VecVirtual, dst Mem, label string) {
	if v.lanes() == dotCols {
		CMPQ(n, Imm(dotCols))
		JNE(LabelRef(label + "Part"))
		v.store(r, dst)
		JMP(LabelRef(label + "Stored"))
		Label(label + "Part")
	}
	v.storeFirst(n, r, dst, label)
	if v.lanes() == dotCols {
		Label(label + "Stored")
	}
}

// sumDots puts the sums over the lanes of four vectors into the first lanes of the first.
func (v target) sumDots(s [dotCols]VecVirtual) {
	var x [dotCols]VecVirtual
	for j, r := range s {
		y := r.AsY()
		if v.wide {
			h := YMM()
			VEXTRACTF64X4(Imm(1), r, h)
			v.add(h, y, y)
		}
		h := XMM()
		VEXTRACTF128(Imm(1), y, h)
		x[j] = r.AsX().(VecVirtual)
		v.add(h, x[j], x[j])
	}
	if v.double {
		VHADDPD(x[1], x[0], x[0])
		VHADDPD(x[3], x[2], x[2])
		y := s[0].AsY()
		VINSERTF128(Imm(1), x[2], y, y)
		return
	}
	VHADDPS(x[1], x[0], x[0])
	VHADDPS(x[3], x[2], x[2])
	VHADDPS(x[2], x[0], x[0])
}
