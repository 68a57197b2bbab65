package cuda

import "github.com/fedlam/fedlam/kernels"

// The functions of src/maths.h in PTX, with the same bits. There are no branches: both sides are computed, as the threads of a
// warp would mostly do anyway.

// series are the constants of maths.h for one element type.
type series struct {
	inverse, high, low float64 // 1/log 2, and log 2 in two parts
	bottom, top        float64 // beyond these, exp is 0 or infinite
	exp                []float64
	tanhNum, tanhDen   []float64 // the highest power first; a leading 1 stands for q itself
	log                int       // the highest odd divisor
}

// seriesOf holds them by class.
var seriesOf = map[class]series{
	regSingle: {
		inverse: 1.44269504, high: 0.693145752, low: 1.42860677e-6, bottom: -104, top: 89,
		exp:     []float64{5040, 720, 120, 24, 6},
		tanhNum: []float64{21, 1260, 10395}, tanhDen: []float64{1, 210, 4725, 10395}, log: 15,
	},
	regDouble: {
		inverse: 1.4426950408889634, high: 0.693147180369123816490, low: 1.90821492927058770002e-10, bottom: -746, top: 710,
		exp:     []float64{6227020800, 479001600, 39916800, 3628800, 362880, 40320, 5040, 720, 120, 24, 6},
		tanhNum: []float64{36, 6930, 270270, 2027025}, tanhDen: []float64{1, 630, 51975, 945945, 2027025}, log: 33,
	},
}

// over is 1/d, divided in the element type.
func (n arithmetic) over(d float64) string {
	if n.class == regSingle {
		return n.num(float64(1 / float32(d)))
	}
	return n.num(1 / d)
}

// exp is exp_of.
func (n arithmetic) exp(x string) string {
	c := seriesOf[n.class]
	y := n.choose(n.is("gt", x, n.num(c.top)), n.num(c.top), x)
	y = n.choose(n.is("lt", x, n.num(c.bottom)), n.num(c.bottom), y)
	whole := n.op(n.class, "cvt.rni."+n.typ+"."+n.typ, n.mul(y, n.num(c.inverse)))
	minus := n.neg(whole)
	r := n.muladd(minus, n.num(c.high), y)
	r = n.muladd(minus, n.num(c.low), r)
	p := n.set(n.over(c.exp[0]))
	for _, d := range c.exp[1:] {
		p = n.muladd(p, r, n.over(d))
	}
	p = n.muladd(p, r, n.num(0.5))
	p = n.add(n.muladd(n.mul(p, r), r, r), n.num(1))
	power := n.op(regWord, "cvt.rzi.s32."+n.typ, whole)
	half := n.op(regWord, "shr.s32", n.op(regWord, "add.s32", power, n.op(regWord, "shr.u32", power, "31")), "1")
	p = n.mul(n.mul(p, n.power2(half)), n.power2(n.op(regWord, "sub.s32", power, half)))
	return n.choose(n.is("nan", x, x), x, p)
}

// power2 is power2 of a whole number.
func (n arithmetic) power2(x string) string {
	if n.class == regSingle {
		return n.op(regSingle, "mov.b32", n.op(regWord, "shl.b32", n.op(regWord, "add.s32", x, "127"), "23"))
	}
	wide := n.op(regLong, "cvt.s64.s32", n.op(regWord, "add.s32", x, "1023"))
	return n.op(regDouble, "mov.b64", n.op(regLong, "shl.b64", wide, "52"))
}

// polynomial is one in q with constant coefficients, the highest power first.
func (n arithmetic) polynomial(q string, c []float64) string {
	p := n.num(c[0])
	for i, k := range c[1:] {
		switch {
		case i == 0 && c[0] == 1:
			p = n.add(q, n.num(k))
		case i == 0:
			p = n.muladd(q, p, n.num(k))
		default:
			p = n.muladd(p, q, n.num(k))
		}
	}
	return p
}

// tanh is tanh_of. Both of its sides divide last, so the division is shared.
func (n arithmetic) tanh(x string) string {
	c := seriesOf[n.class]
	a, q := n.magnitude(x), n.mul(x, x)
	large := n.is("ge", a, n.num(0.6))
	num := n.choose(large, n.num(2), n.polynomial(q, c.tanhNum))
	den := n.choose(large, n.add(n.exp(n.mul(n.num(2), a)), n.num(1)), n.polynomial(q, c.tanhDen))
	ratio := n.div(num, den)
	t := n.sub(n.num(1), ratio)
	t = n.choose(n.is("lt", x, n.num(0)), n.neg(t), t)
	return n.choose(large, t, n.mul(x, ratio))
}

// sigmoid is sigmoid_of.
func (n arithmetic) sigmoid(x string) string {
	e := n.exp(n.neg(n.magnitude(x)))
	return n.div(n.choose(n.is("lt", x, n.num(0)), e, n.num(1)), n.add(n.num(1), e))
}

// softplus is softplus_of.
func (n arithmetic) softplus(x string) string {
	e := n.exp(n.neg(n.magnitude(x)))
	s := n.div(e, n.add(n.num(2), e))
	q := n.mul(s, s)
	last := seriesOf[n.class].log
	p := n.set(n.over(float64(last)))
	for d := last - 2; d >= 3; d -= 2 {
		p = n.muladd(p, q, n.over(float64(d)))
	}
	rest := n.mul(n.num(2), n.muladd(n.mul(p, q), s, s))
	return n.choose(n.is("gt", x, n.num(0)), n.add(x, rest), rest)
}

// switched is switch_of, which is computed in double for both types; p are its nine numbers.
func (n arithmetic) switched(x string, p []string) string {
	d := arithmeticOf(n.assembler, 8)
	if n.class == regSingle {
		x = n.op(regDouble, "cvt.f64.f32", x)
	}
	u := d.mul(d.sub(x, p[0]), p[1])
	v := p[8]
	for i := 7; i >= 3; i-- {
		v = d.add(d.mul(v, u), p[i])
	}
	v = d.choose(d.is("gt", u, d.num(1)), d.num(0), v)
	v = d.choose(d.is("lt", u, d.num(0)), p[2], v)
	if n.class == regSingle {
		v = n.op(regSingle, "cvt.rn.f32.f64", v)
	}
	return v
}

// step returns the result of an instruction: what step of src/elementwise.cu has. k are the instruction's numbers.
func (n arithmetic) step(op kernels.Op, a, b, c string, k []string) string {
	switch op {
	case kernels.OpAdd:
		return n.add(a, b)
	case kernels.OpSub:
		return n.sub(a, b)
	case kernels.OpMul:
		return n.mul(a, b)
	case kernels.OpNeg:
		return n.neg(a)
	case kernels.OpScale:
		return n.mul(k[0], a)
	case kernels.OpAddScalar:
		return n.add(a, k[0])
	case kernels.OpTanh:
		return n.tanh(a)
	case kernels.OpExp:
		return n.exp(a)
	case kernels.OpSqrt:
		return n.root(a)
	case kernels.OpRecip:
		return n.recip(a)
	case kernels.OpSigmoid:
		return n.sigmoid(a)
	case kernels.OpSoftplus:
		return n.softplus(a)
	case kernels.OpSquare:
		return n.mul(a, a)
	case kernels.OpSwitch:
		return n.switched(a, k)
	case kernels.OpStep:
		return n.choose(n.is("ge", a, n.num(0)), n.num(1), n.num(0))
	case kernels.OpMulMul:
		return n.mul(n.mul(k[0], a), b)
	case kernels.OpAddScaled:
		return n.muladd(k[0], b, a)
	case kernels.OpMulAdd:
		return n.muladd(a, b, c)
	case kernels.OpMulSub:
		return n.muladd(a, b, n.neg(c))
	case kernels.OpSubMul:
		return n.muladd(n.neg(a), b, c)
	case kernels.OpQuadratic:
		return n.muladd(n.mul(k[0], a), a, k[1])
	default: // OpCopy
		return a
	}
}
