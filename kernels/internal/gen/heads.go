package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// fourHeads writes what scalar products of pairs take where each row has four heads: numbers of the four heads come to lie
// side by side in the operands, so that they do in the products.
func (v target) fourHeads() {
	v.arrange()
	v.heads = true
	heights := []int{12, 4, 2, 1}
	if !v.wide {
		heights = []int{6, 2, 1}
	}
	for _, height := range heights {
		v.tile(height, 1)
		v.tile(height, 2)
	}
}

// broadcastHeads repeats four numbers over the vector.
func (v target) broadcastHeads(m, r Op) {
	switch {
	case v.wide && v.double:
		VBROADCASTF64X4(m, r)
	case v.wide:
		VBROADCASTF32X4(m, r)
	case v.double:
		VMOVUPD(m, r)
	default:
		VBROADCASTF128(m, r)
	}
}

// arrange writes a function that moves rows of four heads by squares of 4 x 4 numbers, which it transposes.
func (v target) arrange() {
	e := v.elem()
	TEXT("arrange"+v.name, NOSPLIT, "func(dst *"+e+", rowStep, colStep int, src *"+e+", rows, d int)")
	Pragma("noescape")
	Doc("arrange sets dst[r*rowStep+c*colStep+h] to src[(r*4+h)*d+c], h below 4; d is a multiple of 4 and, as rows, not 0.")
	dst, src := Load(Param("dst"), GP64()), Load(Param("src"), GP64())
	rowStep, colStep := v.stride("rowStep"), v.stride("colStep")
	d, rows := v.stride("d"), Load(Param("rows"), GP64())
	d3, colStep3 := GP64(), GP64()
	LEAQ(Mem{Base: d, Index: d, Scale: 2}, d3)
	LEAQ(Mem{Base: colStep, Index: colStep, Scale: 2}, colStep3)
	at, left := GP64(), GP64()
	Label("row")
	MOVQ(dst, at)
	MOVQ(d, left)
	Label("square")
	x := v.transposed([4]Mem{{Base: src}, {Base: src, Index: d, Scale: 1}, {Base: src, Index: d, Scale: 2}, {Base: src, Index: d3, Scale: 1}})
	v.move4(x[0], Mem{Base: at})
	v.move4(x[1], Mem{Base: at, Index: colStep, Scale: 1})
	v.move4(x[2], Mem{Base: at, Index: colStep, Scale: 2})
	v.move4(x[3], Mem{Base: at, Index: colStep3, Scale: 1})
	LEAQ(Mem{Base: at, Index: colStep, Scale: 4}, at)
	ADDQ(Imm(uint64(4*v.size())), src)
	SUBQ(Imm(uint64(4*v.size())), left)
	JNE(LabelRef("square"))
	ADDQ(d3, src)
	ADDQ(rowStep, dst)
	DECQ(rows)
	JNE(LabelRef("row"))
	VZEROUPPER()
	RET()
}

// transposed loads four rows of four numbers and returns the columns.
func (v target) transposed(rows [4]Mem) (x [4]VecVirtual) {
	var y [4]VecVirtual
	for i, m := range rows {
		x[i], y[i] = v.reg4(), v.reg4()
		v.move4(m, x[i])
	}
	for i := 0; i < 4; i += 2 {
		v.pick(VUNPCKLPS, VUNPCKLPD, x[i+1], x[i], y[i])
		v.pick(VUNPCKHPS, VUNPCKHPD, x[i+1], x[i], y[i+1])
	}
	if v.double {
		VPERM2F128(Imm(0x20), y[2], y[0], x[0])
		VPERM2F128(Imm(0x20), y[3], y[1], x[1])
		VPERM2F128(Imm(0x31), y[2], y[0], x[2])
		VPERM2F128(Imm(0x31), y[3], y[1], x[3])
		return x
	}
	VUNPCKLPD(y[2], y[0], x[0])
	VUNPCKHPD(y[2], y[0], x[1])
	VUNPCKLPD(y[3], y[1], x[2])
	VUNPCKHPD(y[3], y[1], x[3])
	return x
}

// reg4 is a register of four numbers, move4 moves one from or to memory.
func (v target) reg4() VecVirtual {
	if v.double {
		return YMM()
	}
	return XMM()
}

func (v target) move4(from, to Op) { v.pick(VMOVUPS, VMOVUPD, from, to) }

// prefetch writes a function that asks for memory before it is needed.
func (v target) prefetch() {
	TEXT("prefetch"+v.name, NOSPLIT, "func(p *"+v.elem()+", n int)")
	Pragma("noescape")
	Doc("prefetch brings n numbers, at least 1, into the second-level cache.")
	p, end := Load(Param("p"), GP64()), Load(Param("n"), GP64()).(GPVirtual)
	LEAQ(Mem{Base: p, Index: end, Scale: uint8(v.size())}, end)
	Label("line")
	PREFETCHT1(Mem{Base: p})
	ADDQ(Imm(64), p)
	CMPQ(p, end)
	JL(LabelRef("line"))
	RET()
}
