package dpa2

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/fedlam/fedlam/training/weights"
)

// maxVersion is the newest "@version" of each class of the DeePMD tree that is understood here.
var maxVersion = map[string]int64{
	"Model": 2, "Descriptor": 3, "Layer": 2, "EmbeddingNetwork": 2, "FittingNetwork": 1, "NetworkCollection": 1,
	"TypeEmbedNet": 2, "RepformerLayer": 2, "Atten2Map": 1, "Atten2MultiHeadApply": 1, "Atten2EquiVarApply": 1,
	"LocalAtten": 1, "LayerNorm": 1, "Identity": 1, "Fitting": 4,
}

// FromTree makes a model of a DeePMD-neutral tree: the root of a .yaml or .dp file, with key "model". Keys that old
// files lack take the meaning they had then, not the defaults of inputs: use_sqrt_nnei, g1_out_conv and g1_out_mlp
// are false, use_tebd_bias is true. Anything that would change the numbers and is not understood is refused.
func FromTree(root *weights.Tree) (*Model, error) {
	model := root.Get("model")
	if model == nil {
		return nil, fmt.Errorf("read DeePMD model: the file has no key \"model\"; is it a backend-neutral .yaml or .dp model?")
	}
	if err := checkVersions(model, "model"); err != nil {
		return nil, fmt.Errorf("read DeePMD model: %w", err)
	}
	cfg, err := configFromTree(root, model)
	if err != nil {
		return nil, fmt.Errorf("read DeePMD model: %w", err)
	}
	m := &Model{Config: cfg, Params: &weights.Set{}}
	if err := m.readParams(model); err != nil {
		return nil, fmt.Errorf("read DeePMD model: %w", err)
	}
	m.noteMeans()
	return m, m.Check()
}

func checkVersions(t *weights.Tree, path string) error {
	class, version := t.Get("@class"), t.Get("@version")
	if class != nil && version != nil {
		limit, known := maxVersion[class.Text]
		switch {
		case !known:
			return fmt.Errorf("%s is of class %q, which is not part of a DPA-2 energy model", path, class.Text)
		case class.Text == "Descriptor" && version.Int == 4:
			return fmt.Errorf("%s is a compressed model; give the model it was compressed from", path)
		case version.Int > limit:
			return fmt.Errorf("%s: version %d of class %q is newer than the %d understood here", path, version.Int, class.Text, limit)
		}
	}
	for _, f := range t.Fields {
		if err := checkVersions(f.Value, path+"/"+f.Key); err != nil {
			return err
		}
	}
	for k, item := range t.Items {
		if err := checkVersions(item, fmt.Sprintf("%s/%d", path, k)); err != nil {
			return err
		}
	}
	return nil
}

// configFromTree collects the constructor arguments of the tree into the form of an input and reads that.
func configFromTree(root, model *weights.Tree) (*Config, error) {
	desc, fit := model.Get("descriptor"), model.Get("fitting")
	if err := want(desc, "type", "dpa2"); err != nil {
		return nil, fmt.Errorf("descriptor: %w", err)
	}
	if err := want(fit, "type", "ener"); err != nil {
		return nil, fmt.Errorf("fitting: %w", err)
	}
	if mixed := fit.Get("mixed_types"); mixed != nil && !mixed.Bool {
		return nil, fmt.Errorf("fitting: one net per type (mixed_types false) is not part of DPA-2")
	}
	section := pick(model, "type_map", "pair_exclude_types", "atom_exclude_types", "preset_out_bias", "rcond")
	d := pick(desc, "type", "concat_output_tebd", "precision", "smooth", "exclude_types", "env_protection", "trainable",
		"add_tebd_to_repinit_out", "use_econf_tebd", "use_tebd_bias")
	setMissing(d, "use_tebd_bias", true)
	repinit, _ := plain(desc.Get("repinit_args")).(map[string]any)
	repformer, _ := plain(desc.Get("repformer_args")).(map[string]any)
	if repinit == nil || repformer == nil {
		return nil, fmt.Errorf("descriptor: repinit_args or repformer_args are missing")
	}
	for _, key := range []string{"use_sqrt_nnei", "g1_out_conv", "g1_out_mlp"} {
		setMissing(repformer, key, false)
	}
	d["repinit"], d["repformer"], section["descriptor"] = repinit, repformer, d
	section["fitting_net"] = pick(fit, "type", "neuron", "activation_function", "resnet_dt", "precision", "numb_fparam", "numb_aparam",
		"default_fparam", "dim_case_embd", "use_aparam_as_mask", "atom_ener", "exclude_types", "trainable", "rcond")
	for _, key := range []string{"data_stat_nbatch", "data_stat_protect", "data_bias_nsample", "srtab_add_bias"} {
		if v := root.Get("model_def_script").Get(key); v != nil {
			section[key] = plain(v)
		}
	}
	data, err := json.Marshal(section)
	if err != nil {
		return nil, err
	}
	return ParseConfig(data)
}

// want refuses a map whose key has another value.
func want(t *weights.Tree, key, value string) error {
	if got := t.Get(key); got == nil || got.Text != value {
		return fmt.Errorf("%s is not %q", key, value)
	}
	return nil
}

// pick copies the keys that are there and not null.
func pick(t *weights.Tree, keys ...string) map[string]any {
	m := map[string]any{}
	for _, key := range keys {
		if v := t.Get(key); v != nil && v.Kind != weights.Null {
			m[key] = plain(v)
		}
	}
	return m
}

func setMissing(m map[string]any, key string, value any) {
	if _, ok := m[key]; !ok {
		m[key] = value
	}
}

// plain turns a tree into what encoding/json writes.
func plain(t *weights.Tree) any {
	if t == nil {
		return nil
	}
	switch t.Kind {
	case weights.Bool:
		return t.Bool
	case weights.Int:
		return t.Int
	case weights.Float:
		return t.Float
	case weights.String:
		return t.Text
	case weights.ArrayKind:
		return t.Array.Data
	case weights.List:
		list := make([]any, len(t.Items))
		for k, item := range t.Items {
			list[k] = plain(item)
		}
		return list
	case weights.Map:
		m := make(map[string]any, len(t.Fields))
		for _, f := range t.Fields {
			m[f.Key] = plain(f.Value)
		}
		return m
	}
	return nil
}

// readParams takes the tensors of the configuration out of the tree, and refuses arrays that are left over.
func (m *Model) readParams(model *weights.Tree) error {
	all, err := model.Weights()
	if err != nil {
		return err
	}
	for _, p := range m.Config.params() {
		t, ok := all.Get(p.path)
		switch {
		case ok && product(t.Shape) == product(p.shape) && slices.Equal(squeeze(t.Shape), squeeze(p.shape)):
			m.Params.Put(weights.Tensor{Name: p.path, Shape: p.shape, Data: t.Data})
		case ok:
			return fmt.Errorf("tensor %q has shape %v; the configuration in the file asks for %v", p.path, t.Shape, p.shape)
		case isBuffer(p.path) && !strings.HasSuffix(p.path, "/davg") && !strings.HasSuffix(p.path, "/dstd"):
			m.Params.Put(weights.Tensor{Name: p.path, Shape: p.shape, Data: p.fresh(0, p.path)})
		default:
			return fmt.Errorf("tensor %q is missing", p.path)
		}
	}
	for _, name := range all.Names() {
		if _, known := m.Params.Get(name); !known && strings.Contains(name, "@variables/") {
			return fmt.Errorf("tensor %q does not belong to the architecture that the file describes", name)
		}
	}
	return nil
}

// squeeze drops sizes of 1, which old files write differently.
func squeeze(shape []int) []int {
	return slices.DeleteFunc(slices.Clone(shape), func(d int) bool { return d == 1 })
}

// noteMeans switches set_davg_zero off where the file holds means all the same: the key only says how statistics
// are made, but the program of a model without means leaves them out.
func (m *Model) noteMeans() {
	d := &m.Config.Descriptor
	for path, zero := range map[string]*bool{repinitPath: &d.Repinit.SetDavgZero, repformerPath: &d.Repformer.SetDavgZero} {
		for _, v := range m.tensor(path + "/@variables/davg") {
			if v != 0 {
				*zero = false
			}
		}
	}
}
