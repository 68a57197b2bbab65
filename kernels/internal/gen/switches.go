package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// switchTerms are the coefficients of a switch function, that of the highest power first.
var switchTerms = []string{"p5", "p4", "p3", "p2", "p1", "p0"}

// switches writes the polynomial of u = (a-begin)*inverse, which is evaluated in double precision and replaced where u is
// below 0 or, by 0, where it is above 1. begin is where u is 0, inverse 1 divided by the distance to where it is 1.
func (v target) switches() {
	e := v.elem()
	TEXT("switch"+v.name, NOSPLIT, fmt.Sprintf("func(dst, a *%s, begin, inverse, below, p0, p1, p2, p3, p4, p5 float64, n int)", e))
	Pragma("noescape")
	Doc("switch sets dst to the switch function with the given numbers, of a.")
	m := mapping{target: v, n: Load(Param("n"), GP64()).(GPVirtual), dst: Load(Param("dst"), GP64())}
	m.from = []Register{Load(Param("a"), GP64())}
	d := v
	d.double = true
	s := switchFunction{target: d, zero: v.reg(), one: d.constant(1)}
	v.zero(s.zero)
	m.loops(2, func(x [][]VecVirtual) {
		v.each(x, func(y []VecVirtual) {
			if v.double {
				s.apply(y[0])
			} else {
				v.inDoubles(y[0], s.apply)
			}
		})
	})
}

// switchFunction works on vectors of double precision.
type switchFunction struct {
	target
	zero, one VecVirtual
}

func (s switchFunction) number(name string) VecVirtual {
	r := s.reg()
	s.broadcast(paramMem(name), r)
	return r
}

// apply replaces x by its function. NaN lies neither below 0 nor above 1.
func (s switchFunction) apply(x VecVirtual) {
	u := s.reg()
	s.sub(s.number("begin"), x, u)
	s.mul(s.number("inverse"), u, u)
	s.broadcast(paramMem(switchTerms[0]), x)
	for _, p := range switchTerms[1:] {
		s.fma213(s.number(p), u, x)
	}
	const less, greater = 0x11, 0x1e // ordered, quiet
	below := s.number("below")
	if s.wide {
		k := K()
		VCMPPD(Imm(less), s.zero, u, k)
		VMOVAPD(below, k, x)
		k = K()
		VCMPPD(Imm(greater), s.one, u, k)
		VMOVAPD(s.zero, k, x)
		return
	}
	k := s.reg()
	VCMPPD(Imm(less), s.zero, u, k)
	VBLENDVPD(k, below, x, x)
	VCMPPD(Imm(greater), s.one, u, k)
	VANDNPD(x, k, x)
}

// inDoubles replaces a vector of single precision by f of its two halves.
func (v target) inDoubles(x VecVirtual, f func(x VecVirtual)) {
	low, high := v.reg(), v.reg()
	if v.wide {
		VCVTPS2PD(x.AsY(), low)
		VEXTRACTF64X4(Imm(1), x, x.AsY())
		VCVTPS2PD(x.AsY(), high)
		f(low)
		f(high)
		VCVTPD2PS(low, x.AsY())
		VCVTPD2PS(high, low.AsY())
		VINSERTF64X4(Imm(1), low.AsY(), x, x)
		return
	}
	VCVTPS2PD(x.AsX(), low)
	VEXTRACTF128(Imm(1), x, x.AsX())
	VCVTPS2PD(x.AsX(), high)
	f(low)
	f(high)
	VCVTPD2PSY(low, x.AsX())
	VCVTPD2PSY(high, low.AsX())
	VINSERTF128(Imm(1), low.AsX(), x, x)
}
