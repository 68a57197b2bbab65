package dpa2

import (
	"bytes"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/fedlam/fedlam/dataset/sharedtest"
	"github.com/fedlam/fedlam/training/weights"
)

func readTree(t testing.TB, data []byte) *weights.Tree {
	t.Helper()
	tree, err := weights.ReadYAML(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	return tree
}

// TestTreeRoundTrip writes each golden model and reads it back: same configuration, same numbers. The keys written
// are those DeePMD-kit wrote, but for what lower class versions lack.
func TestTreeRoundTrip(t *testing.T) {
	newer := map[string]bool{"trainable": true, "use_exp_switch": true, "dim_case_embd": true, "default_fparam": true, "case_embd": true}
	for _, c := range goldenCases {
		t.Run(c.name, func(t *testing.T) {
			original := readTree(t, goldenFile(t, c.name+".model", filepath.Join(c.folder, "model.json")))
			m, err := FromTree(original)
			if err != nil {
				t.Fatal(err)
			}
			tree, err := m.ToTree("3.1.3", "fedlam")
			if err != nil {
				t.Fatal(err)
			}
			var file bytes.Buffer
			if err := weights.WriteYAML(&file, tree); err != nil {
				t.Fatal(err)
			}
			again := readModel(t, file.Bytes())
			if !reflect.DeepEqual(again.Config, m.Config) {
				t.Errorf("configuration: got %+v, want %+v", again.Config, m.Config)
			}
			if !reflect.DeepEqual(again.Params, m.Params) {
				t.Error("parameters differ after writing and reading")
			}
			sameKeys(t, "model", tree.Get("model"), original.Get("model"), newer)
		})
	}
}

// sameKeys compares keys and the kinds of leaves.
func sameKeys(t *testing.T, path string, got, want *weights.Tree, optional map[string]bool) {
	t.Helper()
	for _, f := range want.Fields {
		switch inner := got.Get(f.Key); {
		case inner == nil && !optional[f.Key]:
			t.Errorf("%s: key %q is missing", path, f.Key)
		case inner != nil:
			sameKeys(t, path+"/"+f.Key, inner, f.Value, optional)
		}
	}
	for _, f := range got.Fields {
		if want.Get(f.Key) == nil {
			t.Errorf("%s: key %q is not in DeePMD-kit's file", path, f.Key)
		}
	}
	if len(got.Items) != len(want.Items) && len(want.Items) > 0 {
		t.Errorf("%s: %d items, want %d", path, len(got.Items), len(want.Items))
		return
	}
	for k := range want.Items {
		sameKeys(t, path, got.Items[k], want.Items[k], optional)
	}
	if want.Kind == weights.String && path[strings.LastIndexByte(path, '/')+1:] != "precision" && got.Text != want.Text {
		t.Errorf("%s: got %q, want %q", path, got.Text, want.Text)
	}
	if want.Kind == weights.Bool && got.Bool != want.Bool {
		t.Errorf("%s: got %v, want %v", path, got.Bool, want.Bool)
	}
}

func TestTreeWritesLowVersions(t *testing.T) {
	for name, want := range map[string]int64{"s1": 2, "s6": 3} {
		m := readModel(t, goldenFile(t, name+".model", ""))
		tree, err := m.ToTree("3.1.3", "fedlam")
		if err != nil {
			t.Fatal(err)
		}
		if got := tree.Path("model/fitting/@version").Int; got != want {
			t.Errorf("%s: fitting has version %d, want %d", name, got, want)
		}
		if got := tree.Path("model/" + shapePath + "/@version").Int; got != 1 {
			t.Errorf("%s: layers have version %d, want 1", name, got)
		}
	}
}

func TestTreeOfOldFilesTakesOldMeanings(t *testing.T) {
	tree := readTree(t, goldenFile(t, "s1.model", ""))
	desc := tree.Path("model/descriptor")
	desc.Set("@version", weights.NewInt(2))
	args := desc.Get("repformer_args")
	for _, key := range []string{"use_sqrt_nnei", "g1_out_conv", "g1_out_mlp"} {
		dropKey(args, key)
	}
	dropKey(desc, "use_tebd_bias")
	cfg, err := configFromTree(tree, tree.Get("model"))
	if err != nil {
		t.Fatal(err)
	}
	if r := cfg.Descriptor.Repformer; r.UseSqrtNnei || r.G1OutConv || r.G1OutMLP || !cfg.Descriptor.UseTebdBias {
		t.Errorf("got use_sqrt_nnei %v, g1_out_conv %v, g1_out_mlp %v, use_tebd_bias %v; want false, false, false, true",
			r.UseSqrtNnei, r.G1OutConv, r.G1OutMLP, cfg.Descriptor.UseTebdBias)
	}
}

func dropKey(t *weights.Tree, key string) {
	for k, f := range t.Fields {
		if f.Key == key {
			t.Fields = append(t.Fields[:k:k], t.Fields[k+1:]...)
			return
		}
	}
}

func TestTreeErrors(t *testing.T) {
	for _, c := range []struct {
		name, want string
		damage     func(model *weights.Tree)
	}{
		{"no descriptor", "type is not", func(m *weights.Tree) { dropKey(m, "descriptor") }},
		{"compressed", "compressed", func(m *weights.Tree) { m.Get("descriptor").Set("@version", weights.NewInt(4)) }},
		{"newer layer", "newer", func(m *weights.Tree) { m.Path(shapePath).Set("@version", weights.NewInt(3)) }},
		{"unknown argument", "unknown key", func(m *weights.Tree) { m.Path("descriptor/repformer_args").Set("new_branch", weights.NewBool(true)) }},
		{"missing tensor", "is missing", func(m *weights.Tree) { dropKey(m.Get("descriptor"), shapeKey) }},
		{"wrong shape", "has shape", func(m *weights.Tree) { m.Path("descriptor/repinit_args").Set("axis_neuron", weights.NewInt(3)) }},
		{"left-over tensor", "does not belong", func(m *weights.Tree) {
			m.Path(shapePath+"/@variables").Set("b", weights.NewArray([]int{1}, []float64{0}))
		}},
		{"statistics that differ between slots", "slots", func(m *weights.Tree) {
			m.Path("descriptor/repinit_variable/@variables/dstd").Array.Data[4] *= 2
		}},
	} {
		tree := readTree(t, goldenFile(t, "s1.model", ""))
		c.damage(tree.Get("model"))
		if _, err := FromTree(tree); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got error %v, want one with %q", c.name, err, c.want)
		}
	}
	if _, err := FromTree(weights.NewMap()); err == nil {
		t.Error("an empty tree is read without error")
	}
}

// FuzzFromTree replaces one node of the smallest model file there is, by something of any kind.
func FuzzFromTree(f *testing.F) {
	cfg := DefaultConfig()
	cfg.TypeMap = []string{"H"}
	d := &cfg.Descriptor
	d.Repinit.RCut, d.Repinit.NSel, d.Repinit.Neuron, d.Repinit.AxisNeuron, d.Repinit.TebdDim = 3, Sel{Count: 2}, []int{1}, 1, 1
	d.Repformer.RCut, d.Repformer.NSel, d.Repformer.NLayers, d.Repformer.G1Dim, d.Repformer.G2Dim, d.Repformer.AxisNeuron = 2, Sel{Count: 1}, 1, 2, 1, 1
	d.Repformer.Attn1Hidden, d.Repformer.Attn1NHead = 1, 1
	cfg.Fitting.Neuron = []int{1}
	m, err := New(cfg, 1)
	if err != nil {
		f.Fatal(err)
	}
	for k, value := range []string{"null", "-1", "{}", "[[]]", "1e300", "[-3]", "dpa2", "false"} {
		f.Add(k*7, value)
	}
	f.Fuzz(func(t *testing.T, at int, value string) {
		tree, err := m.ToTree("3.1.3", "fedlam")
		if err != nil {
			t.Fatal(err)
		}
		node, err := weights.ReadYAML(strings.NewReader(value))
		if err != nil {
			return
		}
		var nodes []*weights.Tree
		collect(tree, &nodes)
		*nodes[int(uint(at)%uint(len(nodes)))] = *node
		read, err := FromTree(tree)
		if err != nil {
			return
		}
		if _, err := NewEvaluator(read, Float64, 1); err != nil {
			t.Errorf("a model that was read cannot be compiled: %v", err)
		}
	})
}

func collect(t *weights.Tree, nodes *[]*weights.Tree) {
	*nodes = append(*nodes, t)
	for _, f := range t.Fields {
		collect(f.Value, nodes)
	}
	for _, item := range t.Items {
		collect(item, nodes)
	}
}

// TestReadsUpstreamYAML reads the test model that DeePMD-kit carries, written in the form of 3.0: it is u1.
func TestReadsUpstreamYAML(t *testing.T) {
	path := sharedtest.Dir(t, "fixtures", "deepmd", "v3.1.3", "source", "tests", "infer", "deeppot_dpa.yaml")
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	got := readModel(t, data)
	want := readModel(t, goldenFile(t, "u1.model", "u1_deeppot_dpa_yaml/model.json"))
	if !reflect.DeepEqual(got.Params, want.Params) {
		t.Error("parameters differ from those of the reference case")
	}
	got.Config.Descriptor.Repformer.LNEps, got.Config.Fitting.AtomEner = want.Config.Descriptor.Repformer.LNEps, want.Config.Fitting.AtomEner
	if !reflect.DeepEqual(got.Config.Descriptor, want.Config.Descriptor) || !reflect.DeepEqual(got.Config.Fitting, want.Config.Fitting) {
		t.Errorf("configuration: got %+v, want %+v", got.Config, want.Config)
	}
}
