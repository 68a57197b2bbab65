package dpa2

import (
	"math"
	"slices"
)

// padded is one atom's view in the repformers: features of all K slots.
type padded struct {
	list   []slot
	mask   vec // 1 for a real neighbour
	sw     vec
	g2, h2 []vec
}

// repformers returns g1 after all layers.
func (o *oracle) repformers(g1 []vec) []vec {
	p := &o.cfg.Descriptor.Repformer
	views := make([]*padded, len(g1))
	for i := range g1 {
		views[i] = o.view(i)
		g1[i] = o.act(p.Activation, g1[i])
	}
	for n := range p.NLayers {
		l := o.cfg.layer(n)
		next := make([]vec, len(g1))
		g2, h2 := make([][]vec, len(g1)), make([][]vec, len(g1))
		for i, v := range views {
			neighbours := make([]vec, len(v.list)) // g1_j
			for j, s := range v.list {
				neighbours[j] = g1[s.j]
			}
			next[i] = o.updateG1(l, v, g1[i], neighbours)
			g2[i], h2[i] = o.updatePairs(l, v, g1[i], neighbours)
		}
		for i, v := range views {
			g1[i], v.g2, v.h2 = next[i], g2[i], h2[i]
		}
	}
	return g1
}

// view returns the slots of atom i; excluded ones are empty here.
func (o *oracle) view(i int) *padded {
	p := &o.cfg.Descriptor.Repformer
	v := &padded{list: o.block(i, p.RCut, p.NSel.Count)}
	for k := range v.list {
		if v.list[k].zero {
			v.list[k] = slot{}
		}
		v.mask = append(v.mask, one(v.list[k].used))
	}
	var r [][4]float64
	r, v.sw = o.environment(i, repformerPath, v.list, p.RCut, p.RCutSmooth)
	for k, s := range v.list {
		radial, h := r[k][0], vec{r[k][1], r[k][2], r[k][3]}
		if p.DirectDist {
			radial, h = s.r/p.RCut, vec{s.delta[0] / p.RCut, s.delta[1] / p.RCut, s.delta[2] / p.RCut}
		}
		v.g2 = append(v.g2, o.act(p.Activation, o.layer(o.cfg.g2Embed(), vec{radial})))
		v.h2 = append(v.h2, h)
	}
	return v
}

// weight is m, times sw where the model is smooth.
func (o *oracle) weight(v *padded, j int) float64 {
	if o.cfg.Descriptor.Smooth {
		return v.mask[j] * v.sw[j]
	}
	return v.mask[j]
}

func (o *oracle) neighbourCount(v *padded) float64 {
	n := 0.0
	for _, m := range v.mask {
		n += m
	}
	return n
}

// sym is the symmetrisation operator of slot features x.
func (o *oracle) sym(v *padded, x []vec) vec {
	p := &o.cfg.Descriptor.Repformer
	nu := 1 / float64(len(v.list))
	switch smooth := o.cfg.Descriptor.Smooth; {
	case smooth && p.UseSqrtNnei:
		nu = 1 / math.Sqrt(float64(len(v.list)))
	case !smooth && p.UseSqrtNnei:
		nu = 1 / (1e-4 + math.Sqrt(o.neighbourCount(v)))
	case !smooth:
		nu = 1 / (1e-4 + o.neighbourCount(v))
	}
	var h [3]vec
	for c := range h {
		h[c] = make(vec, len(x[0]))
		for j := range x {
			add(h[c], x[j], nu*v.h2[j][c]*o.weight(v, j))
		}
	}
	var out vec
	for a := range p.AxisNeuron {
		for k := range x[0] {
			out = append(out, (h[0][a]*h[0][k]+h[1][a]*h[1][k]+h[2][a]*h[2][k])/3)
		}
	}
	return out
}

func (o *oracle) updateG1(l *repLayer, v *padded, g1 vec, neighbours []vec) vec {
	p := l.rep
	kappa := 1 / float64(len(v.list))
	if !o.cfg.Descriptor.Smooth {
		kappa = 1 / (1e-4 + o.neighbourCount(v))
	}
	terms, x := []vec{g1}, vec(nil)
	if p.G1OutMLP {
		terms = append(terms, o.act(p.Activation, o.layer(l.named("g1_self_mlp"), g1)))
	} else {
		x = append(x, g1...)
	}
	if p.G1Conv {
		width := p.G2Dim
		if p.G1OutConv {
			width = p.G1Dim
		}
		conv := make(vec, width)
		for j := range neighbours {
			a, b := v.g2[j], neighbours[j]
			if p.G1OutConv {
				a = o.layer(l.named("proj_g1g2"), a)
			} else {
				b = o.layer(l.named("proj_g1g2"), b)
			}
			add(conv, times(a, b), kappa*o.weight(v, j))
		}
		if p.G1OutConv {
			terms = append(terms, conv)
		} else {
			x = append(x, conv...)
		}
	}
	if p.G1GRRG {
		x = append(x, o.sym(v, v.g2)...)
	}
	if p.G1DRRD {
		x = append(x, o.sym(v, neighbours)...)
	}
	terms = append(terms, o.act(p.Activation, o.layer(l.named("linear1"), x)))
	if p.G1Attn {
		terms = append(terms, o.localAttention(l, v, g1, neighbours))
	}
	return o.combine(l, "g1", terms)
}

// localAttention computes queries, keys and values one by one.
func (o *oracle) localAttention(l *repLayer, v *padded, g1 vec, neighbours []vec) vec {
	hidden, heads, width := l.rep.Attn1Hidden, l.rep.Attn1NHead, l.rep.G1Dim
	q, kv := o.layer(l.named("loc_attn/mapq"), g1), make([]vec, len(neighbours))
	for j := range kv {
		kv[j] = o.layer(l.named("loc_attn/mapkv"), neighbours[j])
	}
	var out vec
	for h := range heads {
		e := make(vec, len(kv))
		for j := range kv {
			for d := range hidden {
				e[j] += q[d*heads+h] * kv[j][d*heads+h] / math.Sqrt(float64(hidden))
			}
			if o.cfg.Descriptor.Smooth {
				e[j] = (e[j]+20)*v.sw[j] - 20
			}
		}
		a, sum := o.softmax(v, e), make(vec, width)
		for j := range kv {
			for e := range width {
				sum[e] += a[j] * o.weight(v, j) * kv[j][(hidden+e)*heads+h]
			}
		}
		out = append(out, sum...)
	}
	return o.layer(l.named("loc_attn/head_map"), out)
}

// softmax takes all slots where the model is smooth, else only the real ones.
func (o *oracle) softmax(v *padded, e vec) vec {
	a, total := make(vec, len(e)), 0.0
	for k := range e {
		if o.cfg.Descriptor.Smooth || v.mask[k] == 1 {
			a[k] = math.Exp(e[k])
			total += a[k]
		}
	}
	for k := range a {
		if total > 0 {
			a[k] /= total
		}
	}
	return a
}

func (o *oracle) combine(l *repLayer, name string, terms []vec) vec {
	y, n := slices.Clone(terms[0]), float64(len(terms))
	for k, u := range terms[1:] {
		switch l.rep.UpdateStyle {
		case "res_avg":
			add(y, u, 1)
		case "res_incr":
			add(y, u, 1/math.Sqrt(n-1))
		case "res_residual":
			r := o.m.tensor(l.residual(name, k))
			for c := range u {
				y[c] += r[c%len(r)] * u[c]
			}
		}
	}
	if l.rep.UpdateStyle == "res_avg" {
		for c := range y {
			y[c] /= math.Sqrt(n)
		}
	}
	return y
}

// named returns the linear map of a layer.
func (l *repLayer) named(name string) linear {
	list := l.linears()
	return list[slices.IndexFunc(list, func(m linear) bool { return m.path == l.path+"/"+name })]
}

func times(a, b vec) vec {
	y := make(vec, len(a))
	for k := range y {
		y[k] = a[k] * b[k]
	}
	return y
}
