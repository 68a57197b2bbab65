package main

import (
	"fmt"
	"math"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// elementwise writes the maps of one, two operands, or of an operand and a number.
func (v target) elementwise() {
	binary := []struct {
		name           string
		single, double func(ops ...Op)
	}{{"add", VADDPS, VADDPD}, {"sub", VSUBPS, VSUBPD}, {"mul", VMULPS, VMULPD}}
	for _, f := range binary {
		m := v.newMap(f.name, f.name+" sets dst to the result of the operation of this name on a and b.", "ab", "")
		m.loops(4, func(x [][]VecVirtual) {
			v.each(x, func(y []VecVirtual) { v.pick(f.single, f.double, y[1], y[0], y[0]) })
		})
	}
	single := func(name, doc, operands, numbers string, f func(y, s []VecVirtual)) {
		m := v.newMap(name, name+" sets dst to "+doc+".", operands, numbers)
		m.loops(4, func(x [][]VecVirtual) {
			v.each(x, func(y []VecVirtual) { f(y, m.numbers) })
		})
	}
	single("addNumber", "a + s", "a", "s", func(y, s []VecVirtual) { v.add(s[0], y[0], y[0]) })
	single("mulNumber", "a*s", "a", "s", func(y, s []VecVirtual) { v.mul(s[0], y[0], y[0]) })
	single("mulMul", "s*a*b", "ab", "s", func(y, s []VecVirtual) {
		v.mul(s[0], y[0], y[0])
		v.mul(y[1], y[0], y[0])
	})
	single("mulAdd", "a*b + c", "abc", "", func(y, _ []VecVirtual) { v.fma213(y[2], y[1], y[0]) })
	single("mulSub", "a*b - c", "abc", "", func(y, _ []VecVirtual) { v.pick(VFMSUB213PS, VFMSUB213PD, y[2], y[1], y[0]) })
	single("subMul", "c - a*b", "abc", "", func(y, _ []VecVirtual) { v.pick(VFNMADD213PS, VFNMADD213PD, y[2], y[1], y[0]) })
	single("addScaled", "a + s*b", "ab", "s", func(y, s []VecVirtual) { v.fma(s[0], y[1], y[0]) })
	single("quadratic", "s*a*a + t", "a", "st", func(y, s []VecVirtual) {
		v.mul(y[0], y[0], y[0])
		v.fma213(s[1], s[0], y[0])
	})
	m := v.newMap("square", "square sets dst to a*a.", "a", "")
	m.loops(4, func(x [][]VecVirtual) { v.each(x, func(y []VecVirtual) { v.mul(y[0], y[0], y[0]) }) })
	m = v.newMap("sqrt", "sqrt sets dst to the square root of a.", "a", "")
	m.loops(2, func(x [][]VecVirtual) { v.each(x, func(y []VecVirtual) { v.pick(VSQRTPS, VSQRTPD, y[0], y[0]) }) })
	m = v.newMap("recip", "recip sets dst to 1/a.", "a", "")
	one := v.constant(1)
	m.loops(2, func(x [][]VecVirtual) { v.each(x, func(y []VecVirtual) { v.pick(VDIVPS, VDIVPD, y[0], one, y[0]) }) })
	v.exponentials()
	v.switches()
}

// each calls f for the operands of each of several vectors.
func (v target) each(x [][]VecVirtual, f func(y []VecVirtual)) {
	for _, y := range x {
		f(y)
	}
}

// mapping is a function on slices under construction.
type mapping struct {
	target
	n       GPVirtual
	dst     Register
	from    []Register
	numbers []VecVirtual
}

// newMap begins the function name, with pointers to dst and to the operands, which have names of one letter from a on,
// with numbers of names from s on, and with the length n.
func (v target) newMap(name, doc, operands, numbers string) mapping {
	sig := "func(dst"
	for _, o := range operands {
		sig += ", " + string(o)
	}
	sig += " *" + v.elem() + ", "
	for _, s := range numbers {
		sig += string(s) + " " + v.elem() + ", "
	}
	TEXT(name+v.name, NOSPLIT, sig+"n int)")
	Pragma("noescape")
	Doc(doc)
	m := mapping{target: v, n: Load(Param("n"), GP64()).(GPVirtual), dst: Load(Param("dst"), GP64())}
	for _, o := range operands {
		m.from = append(m.from, Load(Param(string(o)), GP64()))
	}
	for _, s := range numbers {
		r := v.reg()
		v.broadcast(paramMem(string(s)), r)
		m.numbers = append(m.numbers, r)
	}
	return m
}

// loops writes the loops over several vectors at a time, over single ones, and the rest. body replaces the first operand
// of each vector by its result.
func (m mapping) loops(unroll int, body func(x [][]VecVirtual)) {
	m.loop("many", "single", unroll, body)
	m.loop("single", "rest", 1, body)
	Label("rest")
	TESTQ(m.n, m.n)
	JE(LabelRef("done"))
	tail := m.newMask(m.n)
	var y []VecVirtual
	for _, p := range m.from {
		r := m.reg()
		tail.load(Mem{Base: p}, r)
		y = append(y, r)
	}
	body([][]VecVirtual{y})
	tail.store(y[0], Mem{Base: m.dst})
	Label("done")
	VZEROUPPER()
	RET()
}

func (m mapping) loop(label, next string, unroll int, body func(x [][]VecVirtual)) {
	step := unroll * m.lanes()
	Label(label)
	CMPQ(m.n, U32(step))
	JL(LabelRef(next))
	x := make([][]VecVirtual, unroll)
	for u := range x {
		for _, p := range m.from {
			r := m.reg()
			m.load(Mem{Base: p, Disp: u * m.bytes()}, r)
			x[u] = append(x[u], r)
		}
	}
	body(x)
	for u := range x {
		m.store(x[u][0], Mem{Base: m.dst, Disp: u * m.bytes()})
	}
	for _, p := range append([]Register{m.dst}, m.from...) {
		ADDQ(U32(unroll*m.bytes()), p)
	}
	SUBQ(U32(step), m.n)
	JMP(LabelRef(label))
}

// constants holds single numbers in memory, by name.
var constants = map[string]Mem{}

// constant returns a register with the number in every lane.
func (v target) constant(x float64) VecVirtual {
	name := fmt.Sprintf("%s%016x", v.elem(), math.Float64bits(x))
	if _, ok := constants[name]; !ok {
		if v.double {
			constants[name] = ConstData(name, F64(x))
		} else {
			constants[name] = ConstData(name, F32(x))
		}
	}
	r := v.reg()
	v.broadcast(constants[name], r)
	return r
}

// paramMem returns where a parameter is.
func paramMem(name string) Mem {
	addr, err := Param(name).Resolve()
	if err != nil {
		panic(err)
	}
	return addr.Addr
}
