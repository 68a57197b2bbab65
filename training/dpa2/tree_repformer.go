package dpa2

import (
	"github.com/fedlam/fedlam/training/weights"
)

func (w *treeWriter) repformers() *weights.Tree {
	c, r := w.m.Config, &w.m.Config.Descriptor.Repformer
	layers := weights.NewList()
	for i := range r.NLayers {
		layers.Items = append(layers.Items, w.repformerLayer(c.layer(i)))
	}
	return dict(
		"g2_embd", w.layer(c.g2Embed()), "repformer_layers", layers, "env_mat", w.envMat(r.RCut, r.RCutSmooth),
		"@variables", w.variables(repformerPath+"/", "davg", "dstd"),
	)
}

// repformerLayer writes one layer with the flags as they are effective in it, and only the maps it has.
func (w *treeWriter) repformerLayer(l *repLayer) *weights.Tree {
	c, r := w.m.Config, l.rep
	t := class("RepformerLayer", 2, dict(
		"rcut", weights.NewFloat(r.RCut), "rcut_smth", weights.NewFloat(r.RCutSmooth), "sel", ints([]int{r.NSel.Count}),
		"ntypes", weights.NewInt(c.NumTypes()), "g1_dim", weights.NewInt(r.G1Dim), "g2_dim", weights.NewInt(r.G2Dim),
		"axis_neuron", weights.NewInt(r.AxisNeuron), "update_chnnl_2", flag(l.updateG2),
		"update_g1_has_conv", flag(r.G1Conv), "update_g1_has_drrd", flag(r.G1DRRD), "update_g1_has_grrg", flag(r.G1GRRG),
		"update_g1_has_attn", flag(r.G1Attn), "update_g2_has_g1g1", flag(l.g2G1G1), "update_g2_has_attn", flag(l.g2Attn), "update_h2", flag(l.hasH2),
		"attn1_hidden", weights.NewInt(r.Attn1Hidden), "attn1_nhead", weights.NewInt(r.Attn1NHead),
		"attn2_hidden", weights.NewInt(r.Attn2Hidden), "attn2_nhead", weights.NewInt(r.Attn2NHead), "attn2_has_gate", flag(r.Attn2HasGate),
		"activation_function", text(r.Activation), "update_style", text(r.UpdateStyle), "smooth", flag(c.Descriptor.Smooth),
		"precision", text(c.Descriptor.Precision), "trainable_ln", flag(r.TrainableLN), "use_sqrt_nnei", flag(r.UseSqrtNnei),
		"g1_out_conv", flag(r.G1OutConv), "g1_out_mlp", flag(r.G1OutMLP), "ln_eps", weights.NewFloat(r.lnEps()),
	))
	maps := map[string]*weights.Tree{}
	for _, m := range l.linears() {
		maps[m.path[len(l.path)+1:]] = w.layer(m)
	}
	for _, name := range []string{"linear1", "linear2", "proj_g1g2", "proj_g1g1g2", "g1_self_mlp"} {
		if m := maps[name]; m != nil {
			t.Set(name, m)
		}
	}
	w.attention(t, l, maps)
	if r.UpdateStyle == "res_residual" {
		t.Set("@variables", dict("g1_residual", w.residuals(l, "g1", l.g1Terms()-1), "g2_residual", w.residuals(l, "g2", l.g2Terms()-1),
			"h2_residual", w.residuals(l, "h2", l.h2Terms()-1)))
	}
	return t
}

// attention adds the attention parts of a layer to t.
func (w *treeWriter) attention(t *weights.Tree, l *repLayer, maps map[string]*weights.Tree) {
	c, r := w.m.Config, l.rep
	shape := func(in, hidden, heads int) *weights.Tree {
		t := dict("input_dim", weights.NewInt(in), "head_num", weights.NewInt(heads), "precision", text(c.Descriptor.Precision))
		if hidden > 0 {
			t.Set("hidden_dim", weights.NewInt(hidden))
			t.Set("smooth", flag(c.Descriptor.Smooth))
			t.Set("attnw_shift", weights.NewFloat(attentionShift))
		}
		return t
	}
	if l.g2Attn || l.hasH2 {
		node := class("Atten2Map", 1, shape(r.G2Dim, r.Attn2Hidden, r.Attn2NHead))
		node.Set("has_gate", flag(r.Attn2HasGate))
		node.Set("mapqk", maps["attn2g_map/mapqk"])
		t.Set("attn2g_map", node)
	}
	if l.g2Attn {
		node := class("Atten2MultiHeadApply", 1, shape(r.G2Dim, 0, r.Attn2NHead))
		node.Set("mapv", maps["attn2_mh_apply/mapv"])
		node.Set("head_map", maps["attn2_mh_apply/head_map"])
		t.Set("attn2_mh_apply", node)
		t.Set("attn2_lm", class("LayerNorm", 1, dict("eps", weights.NewFloat(r.lnEps()), "trainable", flag(r.TrainableLN),
			"precision", text(w.precision()), "@variables", w.variables(l.path+"/attn2_lm/", "w", "b"))))
	}
	if l.hasH2 {
		node := class("Atten2EquiVarApply", 1, shape(r.G2Dim, 0, r.Attn2NHead))
		node.Set("head_map", maps["attn2_ev_apply/head_map"])
		t.Set("attn2_ev_apply", node)
	}
	if r.G1Attn {
		node := class("LocalAtten", 1, shape(r.G1Dim, r.Attn1Hidden, r.Attn1NHead))
		for _, name := range []string{"mapq", "mapkv", "head_map"} {
			node.Set(name, maps["loc_attn/"+name])
		}
		t.Set("loc_attn", node)
	}
}

func (w *treeWriter) residuals(l *repLayer, name string, n int) *weights.Tree {
	list := weights.NewList()
	for k := range n {
		path := l.residual(name, k)
		tensor, _ := w.m.Params.Get(HeadPath(w.m.Head, path))
		w.used[path] = true
		list.Items = append(list.Items, weights.NewArray(tensor.Shape, tensor.Data))
	}
	return list
}
