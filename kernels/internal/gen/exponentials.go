package main

import (
	"fmt"
	"math"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// With x = n log 2 + r, n integer and |r| <= log(2)/2, exp(x) is 2^n exp(r), and exp(r) - 1 = r + r^2 q(r) with a Taylor
// polynomial q, whose remainder is far below half a unit of the last place.
//
// Operands of minima and maxima are in the order that lets NaN through.

// repeated holds numbers repeated over 64 bytes, to be memory operands of either vector width.
var repeated = map[string]Mem{}

// number returns memory that holds x in every lane.
func (v target) number(x float64) Mem {
	if v.double {
		return v.word(math.Float64bits(x))
	}
	return v.word(uint64(math.Float32bits(float32(x))))
}

// word returns memory that holds the bits w in every lane.
func (v target) word(w uint64) Mem {
	name := fmt.Sprintf("lanes%0*x", 2*v.size(), w)
	m, ok := repeated[name]
	if !ok {
		m = GLOBL(name, RODATA|NOPTR)
		for at := 0; at < 64; at += v.size() {
			if v.double {
				DATA(at, U64(w))
			} else {
				DATA(at, U32(uint32(w)))
			}
		}
		repeated[name] = m
	}
	return m
}

// expData is what differs between the element types.
type expData struct {
	ln2High  float64 // log 2 with few bits, so that n*ln2High is exact
	ln2Low   float64 // the rest of log 2
	terms    int     // highest power of r in the series of exp(r)
	bias     int     // of the exponent
	fraction int     // bits
	least    float64 // below, exp is 0
	most     float64 // above, exp is infinite
	saturate float64 // above, tanh is 1
}

func (v target) expData() expData {
	if v.double {
		return expData{0x1.62e42feep-1, math.Ln2 - 0x1.62e42feep-1, 13, 1023, 52, -746, 710, 20}
	}
	return expData{0x1.63p-1, math.Ln2 - 0x1.63p-1, 7, 127, 23, -104, 89, 10}
}

func (v target) signBit() Mem { return v.word(1 << (8*v.size() - 1)) }

func (v target) exponentials() {
	m := v.newMap("exp", "exp sets dst to e to the power a.", "a", "")
	m.loops(2, func(x [][]VecVirtual) {
		v.each(x, func(y []VecVirtual) { v.exp(y[0]) })
	})
	m = v.newMap("sigmoid", "sigmoid sets dst to 1/(1+exp(-a)).", "a", "")
	m.loops(2, func(x [][]VecVirtual) {
		v.each(x, func(y []VecVirtual) { v.sigmoid(y[0]) })
	})
	m = v.newMap("tanh", "tanh sets dst to the hyperbolic tangent of a.", "a", "")
	m.loops(2, func(x [][]VecVirtual) {
		v.each(x, func(y []VecVirtual) { v.tanh(y[0]) })
	})
}

func (v target) round(x, y Op) {
	switch {
	case v.wide:
		v.pick(VRNDSCALEPS, VRNDSCALEPD, U8(8), x, y)
	case v.double:
		VROUNDPD(U8(8), x, y)
	default:
		VROUNDPS(U8(8), x, y)
	}
}

// fnma subtracts x*y from z; fma213 replaces z by y*z + x.
func (v target) fnma(x, y, z Op)   { v.pick(VFNMADD231PS, VFNMADD231PD, x, y, z) }
func (v target) fma213(x, y, z Op) { v.pick(VFMADD213PS, VFMADD213PD, x, y, z) }
func (v target) sub(x, y, z Op)    { v.pick(VSUBPS, VSUBPD, x, y, z) }
func (v target) div(x, y, z Op)    { v.pick(VDIVPS, VDIVPD, x, y, z) }
func (v target) min(x, y, z Op)    { v.pick(VMINPS, VMINPD, x, y, z) }
func (v target) max(x, y, z Op)    { v.pick(VMAXPS, VMAXPD, x, y, z) }

// reduce replaces x by r and returns n and exp(r)-1.
func (v target) reduce(x VecVirtual) (n, p VecVirtual) {
	d := v.expData()
	n = v.reg()
	v.mul(v.number(math.Log2E), x, n)
	v.round(n, n)
	v.fnma(v.number(d.ln2High), n, x)
	v.fnma(v.number(d.ln2Low), n, x)
	return n, v.series(x)
}

// series returns exp(x)-1 for a small x: pairs of terms, and powers of the square, so that few wait for each other.
func (v target) series(x VecVirtual) (p VecVirtual) {
	square := v.reg()
	v.mul(x, x, square)
	factorial := 1.0
	for i := 2; i <= v.expData().terms; i++ {
		factorial *= float64(i)
	}
	for i := v.expData().terms; i > 2; i -= 2 {
		q := v.reg()
		v.load(v.number(1/factorial), q)
		factorial /= float64(i)
		v.fma213(v.number(1/factorial), x, q)
		factorial /= float64(i - 1)
		if p == nil {
			p = q
		} else {
			v.fma213(q, square, p)
		}
	}
	v.fma213(x, square, p)
	return p
}

// power replaces n, integers that are exponents of normal numbers, by 2^n.
func (v target) power(n VecVirtual) {
	d := v.expData()
	if v.double {
		// The sum has n + bias in its lowest bits, the others are shifted out.
		VADDPD(v.number(0x1.8p52+float64(d.bias)), n, n)
		VPSLLQ(Imm(uint64(d.fraction)), n, n)
		return
	}
	VCVTPS2DQ(n, n)
	VPADDD(v.word(uint64(d.bias)), n, n)
	VPSLLD(Imm(uint64(d.fraction)), n, n)
}

// exp replaces x by its exponential.
func (v target) exp(x VecVirtual) {
	d := v.expData()
	y := v.reg()
	v.load(v.number(d.most), y)
	v.min(x, y, x)
	v.load(v.number(d.least), y)
	v.max(x, y, x)
	n, p := v.reduce(x)
	v.add(v.number(1), p, p)
	if v.wide {
		v.pick(VSCALEFPS, VSCALEFPD, n, p, x)
		return
	}
	// 2^n may be no normal number, so it is applied in two halves.
	half := v.reg()
	v.mul(v.number(0.5), n, half)
	v.round(half, half)
	v.sub(half, n, n)
	v.power(n)
	v.power(half)
	v.mul(n, p, p)
	v.mul(half, p, x)
}

// sigmoid replaces x by 1/(1+e) or, where x is negative, e/(1+e), with e = exp(-|x|).
func (v target) sigmoid(x VecVirtual) {
	e, top, one := v.reg(), v.reg(), v.reg()
	v.or(v.signBit(), x, e)
	v.exp(e)
	v.load(v.number(1), one)
	switch {
	case v.wide && v.double:
		k := K()
		VPMOVQ2M(x, k)
		VBLENDMPD(e, one, k, top)
	case v.wide:
		k := K()
		VPMOVD2M(x, k)
		VBLENDMPS(e, one, k, top)
	case v.double:
		VBLENDVPD(x, e, one, top)
	default:
		VBLENDVPS(x, e, one, top)
	}
	v.add(one, e, e)
	v.div(e, top, x)
}

// tanh replaces x by m/(m+2), where m = exp(2x)-1. In single precision log 2 needs no second part: what it would add to
// 2x matters only where tanh hardly changes.
func (v target) tanh(x VecVirtual) {
	y, n := v.reg(), v.reg()
	v.load(v.number(v.expData().saturate), y)
	v.min(x, y, x)
	v.load(v.number(-v.expData().saturate), y)
	v.max(x, y, x)
	v.add(x, x, x)
	var m VecVirtual
	if v.double {
		n, m = v.reduce(x)
	} else {
		v.mul(v.number(math.Log2E), x, n)
		v.round(n, n)
		v.fnma(v.number(math.Ln2), n, x)
		m = v.series(x)
	}
	v.load(v.number(1), y)
	if v.wide {
		v.pick(VSCALEFPS, VSCALEFPD, n, y, n)
	} else {
		v.power(n)
	}
	v.sub(y, n, y)
	v.fma213(y, n, m) // 2^n p + (2^n - 1)
	v.add(v.number(2), m, y)
	v.div(y, m, x)
}

// The bitwise operations on 32-bit words serve either element type.

func (v target) and(a, b, c Op) {
	if v.wide {
		VPANDD(a, b, c)
	} else {
		VPAND(a, b, c)
	}
}

func (v target) or(a, b, c Op) {
	if v.wide {
		VPORD(a, b, c)
	} else {
		VPOR(a, b, c)
	}
}

func (v target) xor(a, b, c Op) {
	if v.wide {
		VPXORD(a, b, c)
	} else {
		VPXOR(a, b, c)
	}
}
