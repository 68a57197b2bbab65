package dpa2

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/fedlam/fedlam/training/weights"
)

// ToTree writes the model as a DeePMD-neutral tree with one head, in the lowest class versions that express it, so
// that DeePMD-kit 3.0.0 and later read it. version is the DeePMD version to claim, for example "3.1.3"; producer is
// what the key "backend" shall say. Two widths that DeePMD-kit 3.1.3 cannot load are refused.
func (m *Model) ToTree(version, producer string) (*weights.Tree, error) {
	if err := m.Check(); err != nil {
		return nil, err
	}
	c := m.Config
	if r := &c.Descriptor.Repinit; r.UseThreeBody && last(r.Neuron)*r.AxisNeuron == c.Descriptor.Repformer.G1Dim {
		return nil, fmt.Errorf("write DeePMD model: with three-body terms DeePMD-kit cannot load a model whose neuron[-1] x axis_neuron equals g1_dim (%d)", c.Descriptor.Repformer.G1Dim)
	}
	script, err := jsonTree(c)
	if err != nil {
		return nil, fmt.Errorf("write DeePMD model: %w", err)
	}
	w := &treeWriter{m: m, used: map[string]bool{}}
	root := dict(
		"software", text("deepmd-kit"), "version", text(version), "backend", text(producer),
		"model", w.model(), "model_def_script", script, "@variables", dict(),
	)
	for _, p := range c.params() {
		if !w.used[p.path] {
			return nil, fmt.Errorf("write DeePMD model: tensor %q has no place in the tree", p.path)
		}
	}
	return root, nil
}

// treeWriter builds nodes and notes which tensors it has placed.
type treeWriter struct {
	m    *Model
	used map[string]bool
}

func (w *treeWriter) model() *weights.Tree {
	c := w.m.Config
	return class("Model", 2, dict(
		"type", text("standard"), "type_map", texts(c.TypeMap),
		"atom_exclude_types", ints(c.AtomSkip), "pair_exclude_types", pairs(c.PairSkip),
		"rcond", optional(c.RCond), "preset_out_bias", asTree(c.Preset),
		"@variables", w.variables("", "out_bias", "out_std"),
		"descriptor", w.descriptor(), "fitting", w.fitting(),
	))
}

func (w *treeWriter) descriptor() *weights.Tree {
	c, d := w.m.Config, &w.m.Config.Descriptor
	t := class("Descriptor", 3, dict(
		"type", text("dpa2"), "ntypes", weights.NewInt(c.NumTypes()), "type_map", texts(c.TypeMap),
		"repinit_args", asTree(d.Repinit), "repformer_args", asTree(d.Repformer),
		"concat_output_tebd", flag(d.ConcatTebd), "precision", text(d.Precision), "smooth", flag(d.Smooth),
		"exclude_types", pairs(d.ExcludeTypes), "env_protection", weights.NewFloat(d.EnvProtection), "trainable", flag(d.Trainable),
		"add_tebd_to_repinit_out", flag(d.AddTebd), "use_econf_tebd", flag(false), "use_tebd_bias", flag(d.UseTebdBias),
		"type_embedding", w.typeEmbedding(),
	))
	if c.shapeIsIdentity() {
		t.Set(shapeKey, class("Identity", 1, dict()))
	} else {
		t.Set(shapeKey, w.layer(c.shapeLayer()))
	}
	if d.AddTebd {
		t.Set("tebd_transform", w.layer(c.tebdTransform()))
	}
	t.Set("repinit_variable", w.embeddingBlock(repinitPath, c.repinitNet(), c.repinitStripNet(), d.Repinit.RCut, d.Repinit.RCutSmooth))
	t.Set("repformers_variable", w.repformers())
	if d.Repinit.UseThreeBody {
		t.Set("repinit_three_body_variable", w.embeddingBlock(threePath, c.threeNet(), c.threeStripNet(), d.Repinit.ThreeRCut, d.Repinit.ThreeRCutSmoth))
	}
	return t
}

func (w *treeWriter) typeEmbedding() *weights.Tree {
	c, l := w.m.Config, w.m.Config.tebdLayer()
	net := class("EmbeddingNetwork", 2, dict(
		"in_dim", weights.NewInt(l.in), "neuron", ints([]int{l.out}), "activation_function", text("Linear"), "resnet_dt", flag(false),
		"bias", flag(l.bias), "precision", text(w.precision()), "layers", weights.NewList(w.layer(l)),
	))
	return class("TypeEmbedNet", 2, dict(
		"ntypes", weights.NewInt(l.in), "neuron", ints([]int{l.out}), "resnet_dt", flag(false), "precision", text(c.Descriptor.Precision),
		"activation_function", text("Linear"), "trainable", flag(true), "padding", flag(true), "use_econf_tebd", flag(false),
		"use_tebd_bias", flag(l.bias), "type_map", texts(c.TypeMap), "embedding", net,
	))
}

// embeddingBlock writes repinit or the three-body block.
func (w *treeWriter) embeddingBlock(path string, net, strip []linear, rcut, smooth float64) *weights.Tree {
	t := dict("embeddings", w.collection("embedding_network", w.embeddingNetwork(net)))
	if strip != nil {
		t.Set("embeddings_strip", w.collection("embedding_network", w.embeddingNetwork(strip)))
	}
	t.Set("env_mat", w.envMat(rcut, smooth))
	t.Set("@variables", w.variables(path+"/", "davg", "dstd"))
	return t
}

func (w *treeWriter) envMat(rcut, smooth float64) *weights.Tree {
	return dict("rcut", weights.NewFloat(rcut), "rcut_smth", weights.NewFloat(smooth),
		"protection", weights.NewFloat(w.m.Config.Descriptor.EnvProtection))
}

func (w *treeWriter) collection(kind string, net *weights.Tree) *weights.Tree {
	return class("NetworkCollection", 1, dict("ndim", weights.NewInt(0), "ntypes", weights.NewInt(w.m.Config.NumTypes()),
		"network_type", text(kind), "networks", weights.NewList(net)))
}

func (w *treeWriter) embeddingNetwork(net []linear) *weights.Tree {
	return class("EmbeddingNetwork", 2, dict(
		"in_dim", weights.NewInt(net[0].in), "neuron", outs(net), "activation_function", text(net[0].act), "resnet_dt", flag(net[0].step),
		"bias", flag(true), "precision", text(w.precision()), "layers", w.layers(net),
	))
}

func (w *treeWriter) fitting() *weights.Tree {
	c, f := w.m.Config, &w.m.Config.Fitting
	net := c.fittingNet()
	hidden := net[:len(net)-1]
	nets := w.collection("fitting_network", class("FittingNetwork", 1, dict(
		"in_dim", weights.NewInt(net[0].in), "out_dim", weights.NewInt(1), "neuron", outs(hidden), "activation_function", text(f.Activation),
		"resnet_dt", flag(f.ResnetDt), "precision", text(f.Precision), "bias_out", flag(true), "layers", w.layers(net))))
	trained := make([]*weights.Tree, len(net))
	for i := range net {
		trained[i] = flag(f.Trainable.Layer(i))
	}
	version, vars := 2, []string{"bias_atom_e"}
	t := dict(
		"type", text("ener"), "var_name", text("energy"), "ntypes", weights.NewInt(c.NumTypes()), "dim_descrpt", weights.NewInt(c.descriptorWidth()),
		"neuron", ints(f.Neuron), "resnet_dt", flag(f.ResnetDt), "numb_fparam", weights.NewInt(f.NumbFParam), "numb_aparam", weights.NewInt(f.NumbAParam),
		"activation_function", text(f.Activation), "precision", text(f.Precision), "mixed_types", flag(true), "nets", nets,
		"rcond", optional(f.RCond), "exclude_types", ints(f.ExcludeTypes), "type_map", texts(c.TypeMap), "tot_ener_zero", flag(false),
		"trainable", weights.NewList(trained...), "layer_name", weights.NewNull(), "use_aparam_as_mask", flag(false), "spin", weights.NewNull(),
		"dim_out", weights.NewInt(1), "atom_ener", asTree(f.AtomEner),
	)
	if f.DimCaseEmbd > 0 || f.DefaultFParam != nil {
		version, vars = 3, append(vars, "case_embd")
		t.Set("dim_case_embd", weights.NewInt(f.DimCaseEmbd))
	}
	if f.DefaultFParam != nil {
		version = 4
		t.Set("default_fparam", asTree(f.DefaultFParam))
	}
	t.Set("@variables", w.variables("fitting/", append(vars, "fparam_avg", "fparam_inv_std", "aparam_avg", "aparam_inv_std")...))
	return class("Fitting", version, t)
}

func (w *treeWriter) layers(net []linear) *weights.Tree {
	list := weights.NewList()
	for _, l := range net {
		list.Items = append(list.Items, w.layer(l))
	}
	return list
}

func (w *treeWriter) layer(l linear) *weights.Tree {
	act := l.act
	switch {
	case act == "" || act == "linear" && !l.resnet:
		act = "none"
	case act == "linear":
		act = "Linear" // the type embedding
	}
	return class("Layer", 1, dict(
		"bias", flag(l.bias), "use_timestep", flag(l.hasStep()), "activation_function", text(act), "resnet", flag(l.resnet),
		"precision", text(w.precisionOf(l.path)), "@variables", w.variables(l.path+"/", "w", "b", "idt"),
	))
}

// variables writes the tensors of the given names; one that the model lacks is null.
func (w *treeWriter) variables(path string, names ...string) *weights.Tree {
	t := dict()
	for _, name := range names {
		full := path + "@variables/" + name
		tensor, ok := w.m.Params.Get(HeadPath(w.m.Head, full))
		if !ok {
			t.Set(name, weights.NewNull())
			continue
		}
		w.used[full] = true
		t.Set(name, weights.NewArray(tensor.Shape, tensor.Data))
	}
	return t
}

func (w *treeWriter) precision() string { return string(w.m.Config.Precision()) }

func (w *treeWriter) precisionOf(path string) string {
	if strings.HasPrefix(path, "fitting/") && strings.EqualFold(w.m.Config.Fitting.Precision, "float32") {
		return "float32"
	}
	if strings.HasPrefix(path, "fitting/") {
		return "float64"
	}
	return w.precision()
}

func jsonTree(v any) (*weights.Tree, error) {
	data, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	return weights.ReadYAML(bytes.NewReader(data))
}
