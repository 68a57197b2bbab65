package dpa2

import "math"

// updatePairs returns the new g2 and h2.
func (o *oracle) updatePairs(l *repLayer, v *padded, g1 vec, neighbours []vec) (g2, h2 []vec) {
	if !l.updateG2 {
		return v.g2, v.h2
	}
	p := l.rep
	var maps [][]vec // [head][j][k]
	if l.g2Attn || l.hasH2 {
		for h := range p.Attn2NHead {
			maps = append(maps, o.attentionMap(l, v, h))
		}
	}
	for j := range v.list {
		terms := []vec{v.g2[j], o.act(p.Activation, o.layer(l.named("linear2"), v.g2[j]))}
		if l.g2G1G1 {
			x := times(g1, neighbours[j])
			for k := range x {
				x[k] *= o.weight(v, j)
			}
			terms = append(terms, o.layer(l.named("proj_g1g1g2"), x))
		}
		if l.g2Attn {
			terms = append(terms, o.layerNorm(l, o.multiHead(l, v, maps, j)))
		}
		g2 = append(g2, o.combine(l, "g2", terms))
		turned := vec{0, 0, 0}
		for h := range maps {
			for k := range v.list {
				if l.hasH2 {
					add(turned, v.h2[k], maps[h][j][k]*o.m.tensor(l.path + "/attn2_ev_apply/head_map/@variables/w")[h])
				}
			}
		}
		if l.hasH2 {
			h2 = append(h2, o.combine(l, "h2", []vec{v.h2[j], turned}))
		} else {
			h2 = append(h2, v.h2[j])
		}
	}
	return g2, h2
}

// attentionMap returns a of one head, [K x K].
func (o *oracle) attentionMap(l *repLayer, v *padded, h int) []vec {
	hidden, heads := l.rep.Attn2Hidden, l.rep.Attn2NHead
	var qk []vec
	for j := range v.list {
		qk = append(qk, o.layer(l.named("attn2g_map/mapqk"), v.g2[j]))
	}
	var a []vec
	for j := range v.list {
		e, hh := make(vec, len(v.list)), make(vec, len(v.list))
		for k := range v.list {
			hh[k] = v.h2[j][0]*v.h2[k][0] + v.h2[j][1]*v.h2[k][1] + v.h2[j][2]*v.h2[k][2]
			for d := range hidden {
				e[k] += qk[j][d*2*heads+h] * qk[k][d*2*heads+heads+h] / math.Sqrt(float64(hidden))
			}
			if l.rep.Attn2HasGate {
				e[k] *= hh[k]
			}
			if o.cfg.Descriptor.Smooth {
				e[k] = (e[k]+20)*v.sw[j]*v.sw[k] - 20
			}
		}
		row := o.softmax(v, e)
		for k := range row {
			row[k] *= o.weight(v, j) * o.weight(v, k) * hh[k] / math.Sqrt(3)
		}
		a = append(a, row)
	}
	return a
}

func (o *oracle) multiHead(l *repLayer, v *padded, maps [][]vec, j int) vec {
	heads, width := l.rep.Attn2NHead, l.rep.G2Dim
	flat := make(vec, width*heads)
	for k := range v.list {
		value := o.layer(l.named("attn2_mh_apply/mapv"), v.g2[k])
		for h := range heads {
			for e := range width {
				flat[e*heads+h] += maps[h][j][k] * value[e*heads+h]
			}
		}
	}
	return o.layer(l.named("attn2_mh_apply/head_map"), flat)
}

func (o *oracle) layerNorm(l *repLayer, x vec) vec {
	w, b := o.m.tensor(l.path+"/attn2_lm/@variables/w"), o.m.tensor(l.path+"/attn2_lm/@variables/b")
	n, mean, variance := float64(len(x)), 0.0, 0.0
	for _, v := range x {
		mean += v / n
	}
	for _, v := range x {
		variance += (v - mean) * (v - mean) / n
	}
	y := make(vec, len(x))
	for k, v := range x {
		y[k] = (v-mean)/math.Sqrt(variance+l.rep.lnEps())*w[k] + b[k]
	}
	return y
}
