package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// target is an instruction set with an element type.
type target struct {
	name    string // suffix of function names
	wide    bool   // AVX-512: 32 registers of 64 bytes and masks; otherwise AVX2: 16 of 32 bytes
	double  bool   // float64
	heights []int  // rows of the tiles of products, tallest first
	half    bool   // AVX-512 on registers of 32 bytes
	andHalf bool   // products end with one of 32 bytes after those of 64
	heads   bool   // products take four adjacent numbers of a at a time, one for every column modulo 4
}

var targets = []target{
	{name: "AVX512F32", wide: true, heights: []int{12, 8, 4, 3, 2, 1}},
	{name: "AVX512F64", wide: true, double: true, heights: []int{12, 8, 4, 3, 2, 1}},
	{name: "AVX2F32", heights: []int{6, 4, 3, 2, 1}},
	{name: "AVX2F64", double: true, heights: []int{6, 4, 3, 2, 1}},
}

func (v target) elem() string {
	if v.double {
		return "float64"
	}
	return "float32"
}

func (v target) size() int {
	if v.double {
		return 8
	}
	return 4
}

// shift is the binary logarithm of size.
func (v target) shift() uint64 {
	if v.double {
		return 3
	}
	return 2
}

func (v target) bytes() int {
	if v.wide && !v.half {
		return 64
	}
	return 32
}

func (v target) lanes() int { return v.bytes() / v.size() }

func (v target) reg() VecVirtual {
	if v.wide && !v.half {
		return ZMM()
	}
	return YMM()
}

// pick calls the single- or the double-precision form of an instruction.
func (v target) pick(single, double func(ops ...Op), ops ...Op) {
	if v.double {
		double(ops...)
	} else {
		single(ops...)
	}
}

func (v target) zero(r VecVirtual) {
	if v.wide {
		VPXORD(r, r, r)
	} else {
		VXORPS(r, r, r)
	}
}

func (v target) load(m Mem, r Op)  { v.pick(VMOVUPS, VMOVUPD, m, r) }
func (v target) store(r Op, m Mem) { v.pick(VMOVUPS, VMOVUPD, r, m) }
func (v target) broadcast(m, r Op) { v.pick(VBROADCASTSS, VBROADCASTSD, m, r) }
func (v target) add(x, y, z Op)    { v.pick(VADDPS, VADDPD, x, y, z) }
func (v target) mul(x, y, z Op)    { v.pick(VMULPS, VMULPD, x, y, z) }

// fma adds x*y to z.
func (v target) fma(x, y, z Op) { v.pick(VFMADD231PS, VFMADD231PD, x, y, z) }

// mask selects the first lanes of a vector.
type mask struct {
	target
	k   Register // AVX-512: mask register
	vec VecVirtual
}

// newMask returns the mask of the first n lanes; n is a register with a number from 0 to lanes.
func (v target) newMask(n GPVirtual) mask {
	m := mask{target: v}
	if v.wide {
		bits := GP64()
		MOVQ(I32(-1), bits)
		BZHIQ(n, bits, bits)
		k := K()
		if v.double {
			KMOVB(bits.As32(), k)
		} else {
			KMOVW(bits.As32(), k)
		}
		m.k = k
		return m
	}
	// Lanes below n are all ones in the words that begin lanes-n words before the zeros of the table.
	table, at := GP64(), GP64()
	LEAQ(v.maskTable(), table)
	MOVQ(I32(int32(v.lanes())), at)
	SUBQ(n, at)
	m.vec = YMM()
	v.pick(VMOVUPS, VMOVUPD, Mem{Base: table, Index: at, Scale: uint8(v.size())}, m.vec)
	return m
}

var maskTables = map[int]Mem{}

// maskTable returns static data of lanes words of ones and lanes words of zeros.
func (v target) maskTable() Mem {
	if m, ok := maskTables[v.size()]; ok {
		return m
	}
	m := GLOBL(map[int]string{4: "mask32", 8: "mask64"}[v.size()], RODATA|NOPTR)
	for i := range 2 * v.lanes() {
		ones := uint64(0)
		if i < v.lanes() {
			ones--
		}
		if v.double {
			DATA(8*i, U64(ones))
		} else {
			DATA(4*i, U32(ones))
		}
	}
	maskTables[v.size()] = m
	return m
}

// load reads the lanes of the mask and sets the others to zero, without touching memory behind them.
func (m mask) load(src Mem, r Op) {
	switch {
	case m.wide && m.double:
		VMOVUPD_Z(src, m.k, r)
	case m.wide:
		VMOVUPS_Z(src, m.k, r)
	case m.double:
		VMASKMOVPD(src, m.vec, r)
	default:
		VMASKMOVPS(src, m.vec, r)
	}
}

// store writes the lanes of the mask only.
func (m mask) store(r Op, dst Mem) {
	switch {
	case m.wide:
		m.pick(VMOVUPS, VMOVUPD, r, m.k, dst)
	case m.double:
		VMASKMOVPD(r, m.vec, dst)
	default:
		VMASKMOVPS(r, m.vec, dst)
	}
}

// storeFirst stores the first n lanes of a vector of AVX2, n below the number of lanes, and destroys it. Masked stores take
// tens of operations on some processors without AVX-512. Its labels begin with label.
func (v target) storeFirst(n GPVirtual, r VecVirtual, dst Mem, label string) {
	at, x := GP64(), r.AsX()
	LEAQ(dst, at)
	for width := v.lanes() / 2; width > 0; width /= 2 {
		next := fmt.Sprintf("%sBelow%d", label, width)
		TESTQ(U32(width), n)
		JE(LabelRef(next))
		m := Mem{Base: at}
		switch bytes := width * v.size(); bytes {
		case 16:
			v.store(x, m)
			VEXTRACTF128(Imm(1), r.AsY(), x)
			ADDQ(Imm(16), at)
		case 8:
			VMOVLPS(x, m)
			VMOVHLPS(x, x, x)
			ADDQ(Imm(8), at)
		case 4:
			VMOVSS(x, m)
		}
		Label(next)
	}
}
