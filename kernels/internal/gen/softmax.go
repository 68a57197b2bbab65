package main

import (
	"math"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// softmax writes a function for one segment of n (at least 1) numbers in cols columns, a divisor of lanes. So lane l holds
// numbers of column l%cols throughout, and a column's lanes come together by exchanges over distances of cols and more.
func (v target) softmax() {
	e := v.elem()
	TEXT("softmax"+v.name, NOSPLIT, "func(dst, x *"+e+", n, cols int, value, count "+e+")")
	Pragma("noescape")
	Doc("softmax sets each column of dst to exp(x) divided by its sum, which has count more terms exp(value). If count is",
		"0, value must be -Inf.")
	dst, x := Load(Param("dst"), GP64()), Load(Param("x"), GP64())
	cols := Load(Param("cols"), GP64())
	size, at := GP64(), GP64() // bytes of the vectors but the last, which has 1 to all lanes
	Load(Param("n"), size)
	rest := GP64()
	MOVQ(size, rest)
	DECQ(size)
	ANDQ(I32(int32(-v.lanes())), size)
	SUBQ(size, rest)
	tail := v.newMask(rest)
	SHLQ(Imm(v.shift()), size)

	top, value, last := v.reg(), v.reg(), v.reg()
	v.broadcast(paramMem("value"), value)
	v.moveTo(value, top)
	v.everyVector("top", size, at, func() { v.max(Mem{Base: x, Index: at, Scale: 1}, top, top) })
	v.loadOr(tail, math.Inf(-1), Mem{Base: x, Index: size, Scale: 1}, last)
	v.max(last, top, top)
	v.acrossLanes("top", cols, v.max, top)

	sums := v.newSums()
	y := v.reg()
	v.everyVector("sum", size, at, func() {
		v.load(Mem{Base: x, Index: at, Scale: 1}, y)
		v.sub(top, y, y)
		v.exp(y)
		v.store(y, Mem{Base: dst, Index: at, Scale: 1})
		v.addWide(y, sums)
	})
	v.sub(top, last, last)
	v.exp(last)
	v.addWide(last, sums)
	v.sumColumns(cols, sums)
	v.compareZero("count")
	JE(LabelRef("divide"))
	v.sub(top, value, value)
	v.exp(value)
	v.broadcast(paramMem("count"), y)
	v.mul(y, value, value)
	v.addWide(value, sums)

	Label("divide")
	factor := v.inverse(sums)
	v.everyVector("scale", size, at, func() {
		v.mul(Mem{Base: dst, Index: at, Scale: 1}, factor, y)
		v.store(y, Mem{Base: dst, Index: at, Scale: 1})
	})
	v.mul(factor, last, last)
	tail.store(last, Mem{Base: dst, Index: size, Scale: 1})
	VZEROUPPER()
	RET()
}

// everyVector repeats body with at the offsets of vectors below size.
func (v target) everyVector(label string, size, at Register, body func()) {
	XORQ(at, at)
	JMP(LabelRef(label + "Test"))
	Label(label + "Next")
	body()
	ADDQ(Imm(uint64(v.bytes())), at)
	Label(label + "Test")
	CMPQ(at, size)
	JL(LabelRef(label + "Next"))
}

// loadOr loads the lanes of the mask and sets the others to number.
func (v target) loadOr(m mask, number float64, src Mem, r VecVirtual) {
	v.load(v.number(number), r)
	if v.wide {
		v.pick(VMOVUPS, VMOVUPD, src, m.k, r)
		return
	}
	x := v.reg()
	m.load(src, x)
	if v.double {
		VBLENDVPD(m.vec, x, r, r)
	} else {
		VBLENDVPS(m.vec, x, r, r)
	}
}

// acrossLanes combines the lanes of each of x that are a multiple of cols apart; all get the result.
func (v target) acrossLanes(label string, cols Op, combine func(x, y, z Op), x ...VecVirtual) {
	y := v.reg()
	for d := v.lanes() / 2; d > 0; d /= 2 {
		CMPQ(cols, Imm(uint64(d)))
		JG(LabelRef(label + "Lanes"))
		for _, r := range x {
			v.exchange(d*v.size(), r, y)
			combine(r, y, r)
		}
	}
	Label(label + "Lanes")
}

// exchange sets y to x with the halves of every 2*distance bytes exchanged.
func (v target) exchange(distance int, x, y Op) {
	switch {
	case distance == 32:
		VSHUFF64X2(Imm(0x4e), x, x, y)
	case distance == 16 && v.wide:
		VSHUFF64X2(Imm(0xb1), x, x, y)
	case distance == 16:
		VPERM2F128(Imm(1), x, x, y)
	case distance == 8:
		VPERMILPD(Imm(0x55), x, y)
	case distance == 4:
		VPERMILPS(Imm(0xb1), x, y)
	}
}

// newSums returns accumulators of float64 for every lane, all 0.
func (v target) newSums() []VecVirtual {
	sums := []VecVirtual{v.reg()}
	if !v.double {
		sums = append(sums, v.reg())
	}
	for _, s := range sums {
		v.zero(s)
	}
	return sums
}

// addWide adds x to the accumulators.
func (v target) addWide(x VecVirtual, sums []VecVirtual) {
	if v.double {
		VADDPD(x, sums[0], sums[0])
		return
	}
	y, z := v.reg(), v.reg()
	if v.wide {
		h := YMM()
		VEXTRACTF64X4(Imm(1), x, h)
		VCVTPS2PD(x.AsY(), y)
		VCVTPS2PD(h, z)
	} else {
		h := XMM()
		VEXTRACTF128(Imm(1), x, h)
		VCVTPS2PD(x.AsX(), y)
		VCVTPS2PD(h, z)
	}
	VADDPD(y, sums[0], sums[0])
	VADDPD(z, sums[1], sums[1])
}

// sumColumns adds up the accumulators of each column.
func (v target) sumColumns(cols Register, sums []VecVirtual) {
	d := v
	d.double = true
	if !v.double {
		CMPQ(cols, Imm(uint64(d.lanes())))
		JG(LabelRef("sumLanes"))
		VADDPD(sums[1], sums[0], sums[0])
		d.moveTo(sums[0], sums[1])
	}
	d.acrossLanes("sum", cols, d.add, sums...)
}

// inverse returns 1/sums for every lane.
func (v target) inverse(sums []VecVirtual) VecVirtual {
	d := v
	d.double = true
	one := d.constant(1)
	for _, s := range sums {
		VDIVPD(s, one, s)
	}
	if v.double {
		return sums[0]
	}
	f, low, high := v.reg(), halfTarget{v}.reg(), halfTarget{v}.reg()
	v.narrowTo(sums[0], low)
	v.narrowTo(sums[1], high)
	if v.wide {
		VINSERTF64X4(Imm(1), high, low.AsZ(), f)
	} else {
		VINSERTF128(Imm(1), high, low.AsY(), f)
	}
	return f
}

// moveTo copies a register.
func (v target) moveTo(x, y Op) { v.pick(VMOVAPS, VMOVAPD, x, y) }

// compareZero sets the zero flag if the bits of a parameter are those of 0.
func (v target) compareZero(param string) {
	if v.double {
		CMPQ(paramMem(param), Imm(0))
	} else {
		CMPL(paramMem(param), Imm(0))
	}
}
