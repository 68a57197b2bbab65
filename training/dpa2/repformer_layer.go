package dpa2

import "fmt"

// repLayer describes one repformer layer: which branches run in it and what they are called. In the last layer
// everything that only feeds g2 and h2 is switched off (SPEC 3.5).
type repLayer struct {
	path                            string
	rep                             *Repformer
	updateG2, g2G1G1, g2Attn, hasH2 bool
}

func (c *Config) layer(i int) *repLayer {
	r := &c.Descriptor.Repformer
	on := i < r.NLayers-1
	return &repLayer{
		path: fmt.Sprintf("%s/repformer_layers/%d", repformerPath, i), rep: r,
		updateG2: on, g2G1G1: on && r.G2G1G1, g2Attn: on && r.G2Attn, hasH2: on && r.UpdateH2,
	}
}

// linears lists the layer's linear maps in the order of DeePMD's tree.
func (l *repLayer) linears() []linear {
	r := l.rep
	var list []linear
	add := func(when bool, name string, in, out int, bias bool) {
		if when {
			list = append(list, linear{path: l.path + "/" + name, in: in, out: out, bias: bias, act: "linear"})
		}
	}
	convIn, convOut := r.G1Dim, r.G2Dim
	if r.G1OutConv {
		convIn, convOut = r.G2Dim, r.G1Dim
	}
	add(true, "linear1", r.linear1Width(), r.G1Dim, true)
	add(l.updateG2, "linear2", r.G2Dim, r.G2Dim, true)
	add(r.G1Conv, "proj_g1g2", convIn, convOut, false)
	add(l.g2G1G1, "proj_g1g1g2", r.G1Dim, r.G2Dim, false)
	add(l.g2Attn || l.hasH2, "attn2g_map/mapqk", r.G2Dim, 2*r.Attn2Hidden*r.Attn2NHead, false)
	add(l.g2Attn, "attn2_mh_apply/mapv", r.G2Dim, r.G2Dim*r.Attn2NHead, false)
	add(l.g2Attn, "attn2_mh_apply/head_map", r.G2Dim*r.Attn2NHead, r.G2Dim, true)
	add(l.hasH2, "attn2_ev_apply/head_map", r.Attn2NHead, 1, false)
	add(r.G1Attn, "loc_attn/mapq", r.G1Dim, r.Attn1Hidden*r.Attn1NHead, false)
	add(r.G1Attn, "loc_attn/mapkv", r.G1Dim, (r.Attn1Hidden+r.G1Dim)*r.Attn1NHead, false)
	add(r.G1Attn, "loc_attn/head_map", r.G1Dim*r.Attn1NHead, r.G1Dim, true)
	add(r.G1OutMLP, "g1_self_mlp", r.G1Dim, r.G1Dim, true)
	return list
}

// linear1Width is the length of the concatenation X of SPEC 3.5.
func (r *Repformer) linear1Width() int {
	width := 0
	if !r.G1OutMLP {
		width += r.G1Dim
	}
	if r.G1Conv && !r.G1OutConv {
		width += r.G2Dim
	}
	if r.G1GRRG {
		width += r.G2Dim * r.AxisNeuron
	}
	if r.G1DRRD {
		width += r.G1Dim * r.AxisNeuron
	}
	return width
}

// residual returns the path of residual vector k of "g1", "g2" or "h2".
func (l *repLayer) residual(name string, k int) string {
	return fmt.Sprintf("%s/@variables/%s_residual/%d", l.path, name, k)
}

// g1Terms, g2Terms and h2Terms are the lengths of the update lists U1, U2 and UH, the old value included.
func (l *repLayer) g1Terms() int {
	return 2 + count(l.rep.G1OutMLP, l.rep.G1Conv && l.rep.G1OutConv, l.rep.G1Attn)
}

func (l *repLayer) g2Terms() int {
	if !l.updateG2 {
		return 1
	}
	return 2 + count(l.g2G1G1, l.g2Attn)
}

func (l *repLayer) h2Terms() int { return 1 + count(l.hasH2) }

func count(flags ...bool) int {
	n := 0
	for _, f := range flags {
		if f {
			n++
		}
	}
	return n
}
