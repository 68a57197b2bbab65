package graph

import "math"

// oracle evaluates expressions one number at a time, straight from the definitions, without compiling anything.
type oracle struct {
	*ragged
	known map[*Tensor][]float64
}

func newOracle(s *ragged) *oracle { return &oracle{s, map[*Tensor][]float64{}} }

// eval returns the numbers of t.
func (o *oracle) eval(t *Tensor) []float64 {
	if v, ok := o.known[t]; ok {
		return v
	}
	args := make([][]float64, len(t.args))
	for i, a := range t.args {
		args[i] = o.eval(a)
	}
	v := make([]float64, o.size(t.rows)*t.cols)
	o.fill(t, v, args)
	o.known[t] = v
	return v
}

// mapOf returns an index map.
func (o *oracle) mapOf(x *Index) []int {
	var out []int
	if x.pairs == nil {
		for _, v := range o.batch.Indices[x.name] {
			out = append(out, int(v))
		}
		return out
	}
	for _, p := range o.eachPair() {
		if x == o.pairs.left {
			out = append(out, p[0])
		} else {
			out = append(out, p[1])
		}
	}
	return out
}

func (o *oracle) eachPair() (list [][2]int) {
	centre := o.batch.Indices["centre"]
	for j := range centre {
		for k := range centre {
			if centre[j] == centre[k] {
				list = append(list, [2]int{j, k})
			}
		}
	}
	return list
}

// at returns the number of an elementwise operand that meets (r, c) of the result.
func at(x []float64, a *Tensor, r, c int) float64 {
	if a.rows == Fixed(1) {
		r = 0
	}
	if a.cols == 1 {
		c = 0
	}
	return x[r*a.cols+c]
}

func (o *oracle) fill(t *Tensor, v []float64, args [][]float64) {
	var x, y []float64
	var xc, yc int
	if len(args) > 0 {
		x, xc = args[0], t.args[0].cols
	}
	if len(args) > 1 {
		y, yc = args[1], t.args[1].cols
	}
	rows := o.size(t.rows)
	each := func(f func(r, c int) float64) {
		for r := range rows {
			for c := range t.cols {
				v[r*t.cols+c] = f(r, c)
			}
		}
	}
	switch t.op {
	case opInput:
		copy(v, o.batch.Inputs[t.name])
	case opConst:
		copy(v, t.data)
	case opFull:
		each(func(r, c int) float64 { return t.c[0] })
	case opAdd:
		each(func(r, c int) float64 { return at(x, t.args[0], r, c) + at(y, t.args[1], r, c) })
	case opSub:
		each(func(r, c int) float64 { return at(x, t.args[0], r, c) - at(y, t.args[1], r, c) })
	case opMul:
		each(func(r, c int) float64 { return at(x, t.args[0], r, c) * at(y, t.args[1], r, c) })
	case opBroadcastRows, opBroadcastCols:
		each(func(r, c int) float64 { return at(x, t.args[0], r, c) })
	case opReshape:
		copy(v, x)
	case opSlice:
		each(func(r, c int) float64 { return x[r*xc+c+t.n[0]] })
	case opPermute:
		each(func(r, c int) float64 { return x[r*xc+t.perm[c]] })
	case opPlace:
		each(func(r, c int) float64 {
			if c < t.n[0] || c >= t.n[0]+xc {
				return 0
			}
			return x[r*xc+c-t.n[0]]
		})
	case opConcat:
		each(func(r, c int) float64 {
			i := 0
			for c >= t.args[i].cols {
				c -= t.args[i].cols
				i++
			}
			return args[i][r*t.args[i].cols+c]
		})
	case opSumRows:
		for i := range x {
			v[i%xc] += x[i]
		}
	case opSumCols:
		for i := range x {
			v[i/xc] += x[i]
		}
	case opMatMul:
		inner := xc
		if Transpose(t.n[0]) == T {
			inner = o.size(t.args[0].rows)
		}
		each(func(r, c int) float64 { return product(x, y, xc, yc, r, c, inner, t.n[0], t.n[1]) })
	case opBatchMatMul:
		m, k, n := t.n[2], t.n[3], t.n[4]
		ac, bc := k, n
		if Transpose(t.n[0]) == T {
			ac = m
		}
		if Transpose(t.n[1]) == T {
			bc = k
		}
		each(func(r, c int) float64 { return product(x[r*xc:], y[r*yc:], ac, bc, c/n, c%n, k, t.n[0], t.n[1]) })
	default:
		if t.op.elementwise() {
			each(func(r, c int) float64 { return unaryValue(t, x[r*xc+c]) })
			return
		}
		o.fillSegments(t, v, args)
	}
}

// product returns element (i, j) of a matrix product.
func product(x, y []float64, xc, yc, i, j, inner, transA, transB int) float64 {
	s := 0.0
	for p := range inner {
		a, b := i*xc+p, p*yc+j
		if Transpose(transA) == T {
			a = p*xc + i
		}
		if Transpose(transB) == T {
			b = j*yc + p
		}
		s += x[a] * y[b]
	}
	return s
}

func unaryValue(t *Tensor, x float64) float64 {
	switch t.op {
	case opNeg:
		return -x
	case opScale:
		return t.c[0] * x
	case opAddScalar:
		return t.c[0] + x
	case opTanh:
		return math.Tanh(x)
	case opExp:
		return math.Exp(x)
	case opSqrt:
		return math.Sqrt(x)
	case opRecip:
		return 1 / x
	case opSigmoid:
		return 1 / (1 + math.Exp(-x))
	case opSoftplus:
		return math.Log(1 + math.Exp(x))
	case opSquare:
		return x * x
	case opStep:
		return max(0, math.Copysign(1, x))
	case opSwitch:
		return switchValue((x-t.c[0])/(t.c[1]-t.c[0]), t.c[1]-t.c[0], t.n[0])
	}
	panic("oracle: no " + t.op.String())
}

func switchValue(u, width float64, order int) float64 {
	if u < 0 || u > 1 {
		if u < 0 && order == 0 {
			return 1
		}
		return 0
	}
	polynomials := []float64{
		1 + u*u*u*(-6*u*u+15*u-10), -30 * u * u * (u - 1) * (u - 1), -120*u*u*u + 180*u*u - 60*u, -360*u*u + 360*u - 60,
		360 - 720*u, -720,
	}
	return polynomials[order] / math.Pow(width, float64(order))
}

func (o *oracle) fillSegments(t *Tensor, v []float64, args [][]float64) {
	var idx []int
	if t.index != nil {
		idx = o.mapOf(t.index)
	}
	x, xc := args[0], t.args[0].cols
	var y []float64
	var yc int
	if len(args) > 1 {
		y, yc = args[1], t.args[1].cols
	}
	cols := t.cols
	switch t.op {
	case opGather:
		for r, i := range idx {
			copy(v[r*cols:(r+1)*cols], x[i*cols:])
		}
	case opScatter:
		for r, i := range idx {
			for c := range cols {
				v[i*cols+c] += x[r*cols+c]
			}
		}
	case opSegOuter:
		for r, i := range idx {
			for c := range cols {
				v[i*cols+c] += x[r*xc+c/yc] * y[r*yc+c%yc]
			}
		}
	case opRowApply, opRowApplyT:
		for r, i := range idx {
			for c := range cols {
				for n := range yc {
					g := c*yc + n
					if t.op == opRowApplyT {
						g = n*cols + c
					}
					v[r*cols+c] += x[i*xc+g] * y[r*yc+n]
				}
			}
		}
	case opSegSoftmax:
		for r, i := range idx {
			for c := range cols {
				sum := 0.0
				if y != nil {
					sum = y[i] * math.Exp(t.c[0])
				}
				for q, other := range idx {
					if other == i {
						sum += math.Exp(x[q*cols+c])
					}
				}
				v[r*cols+c] = math.Exp(x[r*cols+c]) / sum
			}
		}
	default:
		o.fillPairs(t, v, x, y)
	}
}

func (o *oracle) fillPairs(t *Tensor, v, x, y []float64) {
	heads := t.n[0]
	w := t.args[1].cols
	d := w / heads
	for p, jk := range o.eachPair() {
		j, k := jk[0], jk[1]
		for c := range w {
			h := c / d
			switch t.op {
			case opPairDot:
				v[p*heads+h] += x[j*w+c] * y[k*w+c]
			case opPairApply:
				v[j*w+c] += x[p*heads+h] * y[k*w+c]
			case opPairApplyT:
				v[k*w+c] += x[p*heads+h] * y[j*w+c]
			}
		}
	}
}
