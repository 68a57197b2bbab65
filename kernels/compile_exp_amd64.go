package kernels

import (
	"math"

	"github.com/fedlam/fedlam/kernels/internal/x86"
)

// The exponential function and its kin, as in the generated functions: with x = n log 2 + r, n integer and |r| <= log(2)/2,
// exp(x) is 2^n exp(r), and exp(r) - 1 = r + r^2 q(r) with a Taylor polynomial q.

// expNumbers is what differs between the element types.
type expNumbers struct {
	ln2High, ln2Low float64 // log 2, the first part with so few bits that multiples are exact
	terms           int     // highest power of r
	bias            int     // of exponents
	fraction        int     // bits
	least, most     float64 // beyond, exp is 0 or infinite
	saturate        float64 // above, tanh is 1
}

func (t *translator) expNumbers() expNumbers {
	if t.Double {
		return expNumbers{0x1.62e42feep-1, math.Ln2 - 0x1.62e42feep-1, 13, 1023, 52, -746, 710, 20}
	}
	return expNumbers{0x1.63p-1, math.Ln2 - 0x1.63p-1, 7, 127, 23, -104, 89, 10}
}

// reduce replaces x by r and returns n and exp(r)-1.
func (t *translator) reduce(x x86.Vec) (n, p x86.Vec) {
	d := t.expNumbers()
	n = t.alloc()
	t.Mul(n, x, t.number(math.Log2E))
	t.Round(n, x86.Reg(n))
	t.SubProduct(x, n, t.number(d.ln2High))
	t.SubProduct(x, n, t.number(d.ln2Low))
	return n, t.series(x)
}

// series returns exp(x)-1 for a small x: pairs of terms, and powers of the square, so that few wait for each other.
func (t *translator) series(x x86.Vec) (p x86.Vec) {
	square, pair := t.alloc(), t.alloc()
	t.Mul(square, x, x86.Reg(x))
	p = t.alloc()
	factorial := 1.0
	for i := 2; i <= t.expNumbers().terms; i++ {
		factorial *= float64(i)
	}
	q := p
	for i := t.expNumbers().terms; i > 2; i -= 2 {
		t.set(q, 1/factorial)
		factorial /= float64(i)
		t.MulAddFrom(q, x, t.number(1/factorial))
		factorial /= float64(i - 1)
		if q != p {
			t.MulAddFrom(p, square, x86.Reg(q))
		}
		q = pair
	}
	t.MulAddFrom(p, square, x86.Reg(x))
	t.release(square)
	t.release(pair)
	return p
}

// power replaces n, integers that are exponents of normal numbers, by 2^n.
func (t *translator) power(n x86.Vec) {
	d := t.expNumbers()
	if t.Double { // the sum has n + bias in its lowest bits, the others are shifted out
		t.Add(n, n, t.number(0x1.8p52+float64(d.bias)))
	} else {
		t.Integers(n, x86.Reg(n))
		t.AddIntegers(n, n, t.bits(uint64(d.bias)))
	}
	t.ShiftLeft(n, n, d.fraction)
}

// exp replaces x by its exponential. Operands of minima and maxima are in the order that lets NaN through.
func (t *translator) exp(x x86.Vec) {
	d := t.expNumbers()
	t.clamp(x, d.least, d.most)
	n, p := t.reduce(x)
	t.Add(p, p, t.number(1))
	if t.Wide {
		t.Scale(x, p, x86.Reg(n))
	} else { // 2^n may be no normal number, so it is applied in two halves
		y := t.alloc()
		t.Mul(y, n, t.number(0.5))
		t.Round(y, x86.Reg(y))
		t.Sub(n, n, x86.Reg(y))
		t.power(n)
		t.power(y)
		t.Mul(p, p, x86.Reg(n))
		t.Mul(x, p, x86.Reg(y))
		t.release(y)
	}
	t.release(n)
	t.release(p)
}

// sigmoid replaces x by 1/(1+e) or, where x is negative, e/(1+e), with e = exp(-|x|).
func (t *translator) sigmoid(x x86.Vec) {
	e, top := t.alloc(), t.alloc()
	t.Or(e, x, t.signBit())
	t.exp(e)
	one := t.constant(1)
	t.SelectNegative(top, x, e, one)
	t.Add(e, e, x86.Reg(one))
	t.Div(x, top, x86.Reg(e))
	t.release(e)
	t.release(top)
	t.giveBack(one)
}

// clamp moves x into the interval from least to most; NaN stays what it is.
func (t *translator) clamp(x x86.Vec, least, most float64) {
	y := t.constant(most)
	t.Min(x, y, x86.Reg(x))
	t.giveBack(y)
	y = t.constant(least)
	t.Max(x, y, x86.Reg(x))
	t.giveBack(y)
}

// tanh replaces x by m/(m+2), where m = exp(2x)-1. In single precision log 2 needs no second part.
func (t *translator) tanh(x x86.Vec) {
	saturate := t.expNumbers().saturate
	t.clamp(x, -saturate, saturate)
	t.Add(x, x, x86.Reg(x))
	var n, m x86.Vec
	if t.Double {
		n, m = t.reduce(x)
	} else {
		n = t.alloc()
		t.Mul(n, x, t.number(math.Log2E))
		t.Round(n, x86.Reg(n))
		t.SubProduct(x, n, t.number(math.Ln2))
		m = t.series(x)
	}
	one := t.constant(1)
	if t.Wide {
		t.Scale(n, one, x86.Reg(n))
	} else {
		t.power(n)
	}
	y := t.alloc()
	t.Sub(y, n, x86.Reg(one))
	t.giveBack(one)
	t.MulAddFrom(m, n, x86.Reg(y)) // 2^n p + (2^n - 1)
	t.Add(y, m, t.number(2))
	t.Div(x, m, x86.Reg(y))
	t.release(y)
	t.release(n)
	t.release(m)
}

func (t *translator) signBit() x86.Operand { return t.bits(1 << (8*t.Size() - 1)) }
