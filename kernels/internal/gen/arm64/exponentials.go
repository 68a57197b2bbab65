package main

import "math"

// With x = n log 2 + r, n integer and |r| <= log(2)/2, exp(x) is 2^n exp(r), and exp(r) - 1 = r + r^2 q(r) with a Taylor
// polynomial q, whose remainder is far below half a unit of the last place. Minima and maxima let NaN through.

var exponentialMaps = []mapSpec{
	{doc: "exp sets dst to e to the power a.", operands: "a", many: 2, constants: true, body: func(m *mapping, y []vector) vector {
		m.exp(y[0])
		return y[0]
	}},
	{doc: "sigmoid sets dst to 1/(1+exp(-a)).", operands: "a", many: 2, constants: true, body: (*mapping).sigmoid},
	{doc: "tanh sets dst to the hyperbolic tangent of a.", operands: "a", many: 2, constants: true, body: (*mapping).tanh},
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

func (v target) signBit() uint64 { return 1 << (8*v.size() - 1) }

func (m *mapping) round(x vector) { m.word(m.pick(frintn), x, x) }

// reduce replaces x by r and returns n and exp(r)-1.
func (m *mapping) reduce(x vector) (n, p vector) {
	d := m.expData()
	n, p = m.vector(), m.vector()
	next := m.vector()
	m.constant(math.Log2E, n)
	m.mul(n, x, n)
	m.round(n)
	m.constant(d.ln2High, p)
	m.fnma(p, n, x)
	m.constant(d.ln2Low, p)
	m.fnma(p, n, x)
	factorial := 1.0
	for i := 2; i <= d.terms; i++ {
		factorial *= float64(i)
	}
	m.constant(1/factorial, p)
	for i := d.terms; i > 2; i-- {
		factorial /= float64(i)
		m.constant(1/factorial, next)
		m.fma(p, x, next)
		p, next = next, p
	}
	m.mul(x, x, next)
	m.fma(next, p, x)
	m.copy(x, p)
	return n, p
}

// power replaces n, integers that are exponents of normal numbers, by 2^n.
func (m *mapping) power(n vector) {
	d := m.expData()
	bias := m.vector()
	m.word(m.pick(fcvtns), n, n)
	m.constantBits(uint64(d.bias), bias)
	m.three("VADD", bias, n, n)
	m.op("VSHL $%d, %s.%s, %s.%s", d.fraction, n, m.lanesName(), n, m.lanesName())
}

// exp replaces x by its exponential. 2^n may be no normal number, so it is applied in two halves.
func (m *mapping) exp(x vector) {
	d := m.expData()
	y := m.vector()
	m.constant(d.most, y)
	m.min(x, y, x)
	m.constant(d.least, y)
	m.max(x, y, x)
	n, p := m.reduce(x)
	m.constant(1, y)
	m.add(y, p, p)
	half := m.vector()
	m.constant(0.5, half)
	m.mul(n, half, half)
	m.round(half)
	m.sub(n, half, n)
	m.power(n)
	m.power(half)
	m.mul(n, p, p)
	m.mul(half, p, x)
}

// sigmoid returns 1/(1+e) or, where the operand is negative, e/(1+e), with e = exp(-|operand|).
func (m *mapping) sigmoid(y []vector) vector {
	e, one := m.vector(), m.vector()
	m.constantBits(m.signBit(), e)
	m.bitwise("VORR", y[0], e, e)
	m.exp(e)
	m.constant(1, one)
	top := y[0]
	m.word(m.pick(cmlt), top, top)
	m.bitwise("VBSL", one, e, top) // e where the comparison holds
	m.add(one, e, e)
	m.div(top, e, top)
	return top
}

// tanh returns m/(m+2), where m = exp(2|x|)-1, with the sign of the operand x.
func (m *mapping) tanh(y []vector) vector {
	x, sign, c := y[0], m.vector(), m.vector()
	m.constantBits(m.signBit(), sign)
	m.bitwise("VAND", x, sign, sign)
	m.bitwise("VEOR", x, sign, x)
	m.constant(m.expData().saturate, c)
	m.min(x, c, x)
	m.add(x, x, x)
	n, p := m.reduce(x)
	m.power(n)
	m.constant(1, c)
	m.sub(n, c, c)
	m.fma(n, p, c) // 2^n p + (2^n - 1)
	m.constant(2, p)
	m.add(c, p, p)
	m.div(c, p, c)
	m.bitwise("VORR", c, sign, c)
	return c
}
