package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
)

// mapRows writes a function that fills groups of vectors, each from two adjacent vectors of src.
func (v target) mapRows() {
	if !v.wide {
		return // AVX2 cannot choose among two vectors at once
	}
	word := "int32"
	if v.double {
		word = "int64"
	}
	e := v.elem()
	TEXT("mapRows"+v.name, NOSPLIT, "func(dst, src *"+e+", index *"+word+", offsets *int64, phases, groups, step int)")
	Pragma("noescape")
	Doc("mapRows sets vector p of each group to numbers that index names of the two vectors at offset p of the group of src.")
	dst, src := Load(Param("dst"), GP64()), Load(Param("src"), GP64())
	phases, groups := Load(Param("phases"), GP64()), Load(Param("groups"), GP64())
	step := v.stride("step")
	index, offsets, left, at := GP64(), GP64(), GP64(), GP64()
	Label("group")
	Load(Param("index"), index)
	Load(Param("offsets"), offsets)
	MOVQ(phases, left)
	Label("phase")
	MOVQ(Mem{Base: offsets}, at)
	lo, hi, which := v.reg(), v.reg(), v.reg()
	v.load(Mem{Base: src, Index: at, Scale: uint8(v.size())}, lo)
	v.load(Mem{Base: src, Index: at, Scale: uint8(v.size()), Disp: v.bytes()}, hi)
	v.load(Mem{Base: index}, which)
	v.pick(VPERMI2PS, VPERMI2PD, hi, lo, which)
	v.store(which, Mem{Base: dst})
	ADDQ(Imm(8), offsets)
	ADDQ(Imm(uint64(v.bytes())), index)
	ADDQ(Imm(uint64(v.bytes())), dst)
	DECQ(left)
	JNE(LabelRef("phase"))
	ADDQ(step, src)
	DECQ(groups)
	JNE(LabelRef("group"))
	VZEROUPPER()
	RET()
}
