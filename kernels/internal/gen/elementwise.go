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
		m := v.newMap(f.name, f.name+" sets dst to the result of the operation of this name on a and b.", "a", "b")
		m.loops(4, func(x [][]VecVirtual) {
			v.each(x, func(y []VecVirtual) { v.pick(f.single, f.double, y[1], y[0], y[0]) })
		})
	}
	for _, f := range binary {
		if f.name == "sub" {
			continue
		}
		m := v.newMap(f.name+"Number", f.name+"Number sets dst to the result of the operation on a and s.", "a")
		s := v.reg()
		v.broadcast(paramMem("s"), s)
		m.loops(4, func(x [][]VecVirtual) { v.each(x, func(y []VecVirtual) { v.pick(f.single, f.double, s, y[0], y[0]) }) })
	}
	m := v.newMap("square", "square sets dst to a*a.", "a")
	m.loops(4, func(x [][]VecVirtual) { v.each(x, func(y []VecVirtual) { v.mul(y[0], y[0], y[0]) }) })
	m = v.newMap("sqrt", "sqrt sets dst to the square root of a.", "a")
	m.loops(2, func(x [][]VecVirtual) { v.each(x, func(y []VecVirtual) { v.pick(VSQRTPS, VSQRTPD, y[0], y[0]) }) })
	m = v.newMap("recip", "recip sets dst to 1/a.", "a")
	one := v.constant(1)
	m.loops(2, func(x [][]VecVirtual) { v.each(x, func(y []VecVirtual) { v.pick(VDIVPS, VDIVPD, y[0], one, y[0]) }) })
	v.exponentials()
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
	n    GPVirtual
	dst  Register
	from []Register
}

// newMap begins the function name, which has pointers to dst and to the operands, and the length n. Functions whose
// name ends in Number also have a number s.
func (v target) newMap(name, doc string, operands ...string) mapping {
	sig := "func(dst"
	for _, o := range operands {
		sig += ", " + o
	}
	sig += " *" + v.elem() + ", "
	if len(name) > 6 && name[len(name)-6:] == "Number" {
		sig += "s " + v.elem() + ", "
	}
	TEXT(name+v.name, NOSPLIT, sig+"n int)")
	Pragma("noescape")
	Doc(doc)
	m := mapping{target: v, n: Load(Param("n"), GP64()).(GPVirtual), dst: Load(Param("dst"), GP64())}
	for _, o := range operands {
		m.from = append(m.from, Load(Param(o), GP64()))
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
