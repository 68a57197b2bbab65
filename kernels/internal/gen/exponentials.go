package main

import (
	"fmt"
	"math"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// The exponentials are for float32. With x = n log 2 + r, n integer and |r| <= log(2)/2, exp(x) is 2^n exp(r), and
// exp(r) - 1 = r + r^2 q(r) with the Taylor polynomial q of degree 5, whose remainder is below 2e-8 of the result.
//
// Operands of minima and maxima are in the order that lets NaN through.

// lanes16 holds numbers repeated in 16 lanes, to be memory operands of either vector width.
var lanes16 = map[uint32]Mem{}

// number returns memory that holds x in every lane.
func number(x float64) Mem { return bits(math.Float32bits(float32(x))) }

func bits(b uint32) Mem {
	m, ok := lanes16[b]
	if !ok {
		m = GLOBL(fmt.Sprintf("lanes%08x", b), RODATA|NOPTR)
		for i := range 16 {
			DATA(4*i, U32(b))
		}
		lanes16[b] = m
	}
	return m
}

const (
	signBit  = 0x80000000
	ln2High  = 0.693359375 // exact with few bits, so that n*ln2High is exact
	ln2Low   = math.Ln2 - ln2High
	exponent = 23 // bits of the fraction
)

func (v target) exponentials() {
	m := v.newMap("exp", "exp sets dst to e to the power a, with a relative error below 2e-7.", "a")
	m.loops(2, func(x [][]VecVirtual) {
		v.each(x, func(y []VecVirtual) { v.exp(y[0]) })
	})
	m = v.newMap("sigmoid", "sigmoid sets dst to 1/(1+exp(-a)), with a relative error below 3e-7.", "a")
	m.loops(2, func(x [][]VecVirtual) {
		v.each(x, func(y []VecVirtual) { v.sigmoid(y[0]) })
	})
	m = v.newMap("tanh", "tanh sets dst to the hyperbolic tangent of a, with a relative error below 2e-7.", "a")
	m.loops(2, func(x [][]VecVirtual) {
		v.each(x, func(y []VecVirtual) { v.tanh(y[0]) })
	})
}

// reduce replaces x by r and returns n and exp(r)-1.
func (v target) reduce(x VecVirtual) (n, p VecVirtual) {
	n, p = v.reg(), v.reg()
	VMULPS(number(math.Log2E), x, n)
	if v.wide {
		VRNDSCALEPS(U8(8), n, n)
	} else {
		VROUNDPS(U8(8), n, n)
	}
	VFNMADD231PS(number(ln2High), n, x)
	VFNMADD231PS(number(ln2Low), n, x)
	VMOVUPS(number(1.0/5040), p)
	for _, c := range []float64{1.0 / 720, 1.0 / 120, 1.0 / 24, 1.0 / 6, 1.0 / 2} {
		VFMADD213PS(number(c), x, p)
	}
	r2 := v.reg()
	VMULPS(x, x, r2)
	VFMADD213PS(x, r2, p)
	return n, p
}

// power replaces n, integers from -126 to 127, by 2^n.
func (v target) power(n VecVirtual) {
	VCVTPS2DQ(n, n)
	VPADDD(bits(127), n, n)
	VPSLLD(Imm(exponent), n, n)
}

// exp replaces x by its exponential.
func (v target) exp(x VecVirtual) {
	y := v.reg()
	VMOVUPS(number(89), y)
	VMINPS(x, y, x)
	VMOVUPS(number(-104), y)
	VMAXPS(x, y, x)
	n, p := v.reduce(x)
	VADDPS(number(1), p, p)
	if v.wide {
		VSCALEFPS(n, p, x)
		return
	}
	// 2^n may be no normal number, so it is applied in two halves.
	half := v.reg()
	VMULPS(number(0.5), n, half)
	VROUNDPS(U8(8), half, half)
	VSUBPS(half, n, n)
	v.power(n)
	v.power(half)
	VMULPS(n, p, p)
	VMULPS(half, p, x)
}

// sigmoid replaces x by 1/(1+e) or, where x is negative, e/(1+e), with e = exp(-|x|).
func (v target) sigmoid(x VecVirtual) {
	e, top, one := v.reg(), v.reg(), v.reg()
	v.or(bits(signBit), x, e)
	v.exp(e)
	VMOVUPS(number(1), one)
	if v.wide {
		k := K()
		VPMOVD2M(x, k)
		VBLENDMPS(e, one, k, top)
	} else {
		VBLENDVPS(x, e, one, top)
	}
	VADDPS(one, e, e)
	VDIVPS(e, top, x)
}

// tanh replaces x by m/(m+2), where m = exp(2|x|)-1, with the sign of x.
func (v target) tanh(x VecVirtual) {
	sign, y := v.reg(), v.reg()
	v.and(bits(signBit), x, sign)
	v.xor(sign, x, x)
	VMOVUPS(number(10), y) // beyond, the result is 1
	VMINPS(x, y, x)
	VADDPS(x, x, x)
	n, m := v.reduce(x)
	v.power(n)
	VSUBPS(number(1), n, y)
	VFMADD213PS(y, n, m) // 2^n p + (2^n - 1)
	VADDPS(number(2), m, y)
	VDIVPS(y, m, x)
	v.or(sign, x, x)
}

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
