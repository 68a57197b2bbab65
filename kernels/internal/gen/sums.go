package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// sums writes a function that adds up rows in float64, in their order, half a vector of columns (of float32) at a time.
func (v target) sums(name string, listed, accumulate bool) {
	e := v.elem()
	sig := "func(dst *" + e + ", src *" + e
	doc := name + " sets dst to the sum of rows of src"
	if accumulate {
		sig = "func(dst *float64, src *" + e
		doc = name + " adds rows of src to dst"
	}
	if listed {
		sig += ", list *int32"
		doc += " that list names"
	}
	TEXT(name+v.name, NOSPLIT, sig+", rows, cols int)")
	Pragma("noescape")
	Doc(doc + ", in float64.")
	cols := Load(Param("cols"), GP64()).(GPVirtual)
	dst, src := Load(Param("dst"), GP64()), Load(Param("src"), GP64())
	stride := GP64()
	MOVQ(cols, stride)
	SHLQ(Imm(v.shift()), stride)

	d := v // the accumulators are of float64
	d.double = true
	width := d.lanes()
	sum, x := d.reg(), d.reg()
	left, from, at := GP64(), GP64(), GP64()
	var list Register

	block := func(label string, load func(m Mem), begin, end func()) {
		begin()
		MOVQ(src, from)
		Load(Param("rows"), left)
		if listed {
			list = Load(Param("list"), GP64())
		}
		TESTQ(left, left)
		JE(LabelRef(label + "End"))
		Label(label + "Row")
		m := Mem{Base: from}
		if listed {
			MOVLQSX(Mem{Base: list}, at)
			IMULQ(stride, at)
			m = Mem{Base: src, Index: at, Scale: 1}
			ADDQ(Imm(4), list)
		}
		load(m)
		VADDPD(x, sum, sum)
		if !listed {
			ADDQ(stride, from)
		}
		DECQ(left)
		JNE(LabelRef(label + "Row"))
		Label(label + "End")
		end()
	}
	outSize := v.size()
	if accumulate {
		outSize = 8
	}
	half := halfTarget{v}
	Label("many")
	CMPQ(cols, Imm(uint64(width)))
	JL(LabelRef("few"))
	block("many",
		func(m Mem) {
			if v.double {
				VMOVUPD(m, x)
			} else {
				VCVTPS2PD(m, x)
			}
		},
		func() {
			if accumulate {
				VMOVUPD(Mem{Base: dst}, sum)
			} else {
				d.zero(sum)
			}
		},
		func() {
			if accumulate || v.double {
				VMOVUPD(sum, Mem{Base: dst})
			} else {
				h := half.reg()
				v.narrowTo(sum, h)
				half.store(h, Mem{Base: dst})
			}
		})
	ADDQ(Imm(uint64(width*outSize)), dst)
	ADDQ(Imm(uint64(width*v.size())), src)
	SUBQ(Imm(uint64(width)), cols)
	JMP(LabelRef("many"))

	Label("few")
	TESTQ(cols, cols)
	JE(LabelRef("done"))
	tail := half.newMask(cols)
	tailD := tail
	if !v.double {
		tailD = d.newMask(cols)
	}
	h := half.reg()
	block("few",
		func(m Mem) {
			tail.load(m, h)
			if v.double {
				VMOVAPD(h, x)
			} else {
				VCVTPS2PD(h, x)
			}
		},
		func() {
			if accumulate {
				tailD.load(Mem{Base: dst}, sum)
			} else {
				d.zero(sum)
			}
		},
		func() {
			if accumulate || v.double {
				tailD.store(sum, Mem{Base: dst})
			} else {
				v.narrowTo(sum, h)
				tail.store(h, Mem{Base: dst})
			}
		})
	Label("done")
	VZEROUPPER()
	RET()
}

// sumEach writes the function that adds up the numbers of each row in float64.
func (v target) sumEach() {
	TEXT("sumEach"+v.name, NOSPLIT, "func(dst, src *"+v.elem()+", rows, cols int)")
	Pragma("noescape")
	Doc("sumEach sets each number of dst to the sum of a row of src, in float64.")
	rows := Load(Param("rows"), GP64())
	cols := Load(Param("cols"), GP64()).(GPVirtual)
	dst, src := Load(Param("dst"), GP64()), Load(Param("src"), GP64())
	d := v
	d.double = true
	half := halfTarget{v}
	full, rest := GP64(), GP64() // vectors, and numbers after them
	MOVQ(cols, full)
	SHRQ(Imm(uint64(d.laneShift())), full)
	MOVQ(full, rest)
	SHLQ(Imm(uint64(d.laneShift())), rest)
	SUBQ(rest, cols)
	MOVQ(cols, rest)
	tail := half.newMask(rest)
	sum, x, left := d.reg(), d.reg(), GP64()
	h := half.reg()
	TESTQ(rows, rows)
	JE(LabelRef("done"))
	Label("row")
	tail.load(Mem{Base: src}, h)
	if v.double {
		VMOVAPD(h, sum)
	} else {
		VCVTPS2PD(h, sum)
	}
	LEAQ(Mem{Base: src, Index: rest, Scale: uint8(v.size())}, src)
	MOVQ(full, left)
	TESTQ(left, left)
	JE(LabelRef("add"))
	Label("vector")
	if v.double {
		VADDPD(Mem{Base: src}, sum, sum)
	} else {
		VCVTPS2PD(Mem{Base: src}, x)
		VADDPD(x, sum, sum)
	}
	ADDQ(Imm(uint64(d.lanes()*v.size())), src)
	DECQ(left)
	JNE(LabelRef("vector"))
	Label("add")
	total := v.addLanes(sum)
	if v.double {
		VMOVSD(total, Mem{Base: dst})
	} else {
		VCVTSD2SS(total, total, total)
		VMOVSS(total, Mem{Base: dst})
	}
	ADDQ(Imm(uint64(v.size())), dst)
	DECQ(rows)
	JNE(LabelRef("row"))
	Label("done")
	VZEROUPPER()
	RET()
}

// addLanes returns the sum of the numbers of a vector of float64, in the lowest lane.
func (v target) addLanes(sum VecVirtual) VecVirtual {
	low, high := YMM(), YMM()
	if v.wide {
		VEXTRACTF64X4(Imm(1), sum, high)
		VADDPD(sum.AsY(), high, low)
	} else {
		low = sum
	}
	upper := XMM()
	VEXTRACTF128(Imm(1), low, upper)
	VADDPD(low.AsX(), upper, upper)
	swapped := XMM()
	VPERMILPD(Imm(1), upper, swapped)
	VADDSD(swapped, upper, upper)
	return upper
}

// halfTarget works on half vectors of float32, or on whole ones of float64.
type halfTarget struct{ target }

func (h halfTarget) reg() VecVirtual {
	switch {
	case h.double:
		return h.target.reg()
	case h.wide:
		return YMM()
	}
	return XMM()
}

// narrowTo rounds a vector of float64 to float32.
func (v target) narrowTo(x, y VecVirtual) {
	if v.wide {
		VCVTPD2PS(x, y)
	} else {
		VCVTPD2PSY(x, y)
	}
}

// newMask returns the mask of the first n lanes of a half vector.
func (h halfTarget) newMask(n GPVirtual) mask {
	if h.double || h.wide {
		return h.target.newMask(n) // a mask register serves any width
	}
	m := mask{target: h.target}
	table, at := GP64(), GP64()
	LEAQ(h.maskTable(), table)
	MOVQ(I32(int32(h.lanes())), at) // the last of the ones come first
	SUBQ(n, at)
	m.vec = XMM()
	VMOVUPS(Mem{Base: table, Index: at, Scale: 4}, m.vec)
	return m
}
