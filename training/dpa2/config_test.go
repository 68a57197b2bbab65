package dpa2

import (
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"
)

// officialInput is the "model" section of DeePMD-kit's small or medium example, written out from SPEC 3.7.
func officialInput(g2Attention bool, layers int) *Config {
	c := DefaultConfig()
	c.TypeMap = []string{"O", "H"}
	r := &c.Descriptor.Repinit
	r.RCut, r.RCutSmooth, r.NSel, r.AxisNeuron, r.UseThreeBody = 6, 0.5, Sel{Count: 120}, 12, true
	r.ThreeSel, r.ThreeRCut, r.ThreeRCutSmoth = Sel{Count: 48}, 4, 3.5
	p := &c.Descriptor.Repformer
	p.RCut, p.RCutSmooth, p.NSel, p.NLayers, p.G1Dim, p.G2Dim = 4, 3.5, Sel{Count: 48}, layers, 128, 32
	p.G1Attn, p.G2G1G1, p.G2Attn, p.Attn1Hidden, p.Attn2Hidden, p.Attn2HasGate = false, false, g2Attention, 128, 32, true
	p.UpdateStyle, p.Residual = "res_residual", 0.01
	c.Fitting.Neuron = []int{240, 240, 240}
	return c
}

func TestNumParametersOfOfficialInputs(t *testing.T) {
	strip := officialInput(false, 3)
	strip.Descriptor.Repinit.TebdInputMode = "strip"
	for _, c := range []struct {
		name string
		cfg  *Config
		want int
	}{
		{"small", officialInput(false, 3), 622219},
		{"medium", officialInput(true, 6), 1017163},
		{"large", officialInput(true, 12), 1741003},
		{"compressible", strip, 628698},
	} {
		if err := c.cfg.Validate(); err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
		if got := c.cfg.NumParameters(); got != c.want {
			t.Errorf("%s: got %d parameters, want %d", c.name, got, c.want)
		}
	}
}

const minimal = `{"type_map": ["O", "H"], "_comment": "read by nobody",
	"descriptor": {"type": "dpa2", "repinit": {"rcut": 6.0, "rcut_smth": 0.5, "nsel": 120},
	               "repformer": {"rcut": 4.0, "rcut_smth": 3.5, "nsel": 40}},
	"fitting_net": {"neuron": [10, 10]}}`

func TestParseConfigFillsDefaults(t *testing.T) {
	got, err := ParseConfig([]byte(minimal))
	if err != nil {
		t.Fatal(err)
	}
	want := DefaultConfig()
	want.TypeMap = []string{"O", "H"}
	r, p := &want.Descriptor.Repinit, &want.Descriptor.Repformer
	r.RCut, r.RCutSmooth, r.NSel = 6, 0.5, Sel{Count: 120}
	p.RCut, p.RCutSmooth, p.NSel = 4, 3.5, Sel{Count: 40}
	want.Fitting.Neuron = []int{10, 10}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

func TestConfigSurvivesJSON(t *testing.T) {
	want := officialInput(true, 6)
	want.PairSkip, want.AtomSkip = [][2]int{{0, 1}}, []int{1}
	want.Fitting.Trainable = Trainable{Layers: []bool{true, false, true, true}}
	want.Descriptor.Repinit.NSel = Sel{Auto: 1.5}
	data, err := json.Marshal(want)
	if err != nil {
		t.Fatal(err)
	}
	got, err := ParseConfig(data)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

func TestConfigErrorsSayWhatToDo(t *testing.T) {
	for _, c := range []struct{ name, old, new, want string }{
		{"misspelled key", `"neuron": [10, 10]`, `"neurons": [10]`, `unknown key "fitting_net.neurons"; did you mean "fitting_net.neuron"?`},
		{"misspelled nested key", `"nsel": 40`, `"nse": 40`, `did you mean "descriptor.repformer.nsel"?`},
		{"no cut-off", `"rcut": 6.0, `, ``, "it is required"},
		{"cut-offs in the wrong order", `"rcut": 4.0`, `"rcut": 7.0`, "must be smaller than repinit.rcut 6"},
		{"nsel too small", `"nsel": 120`, `"nsel": 30`, "must be smaller than repinit.nsel 30"},
		{"other descriptor", `"dpa2"`, `"dpa3"`, `only "dpa2" is implemented`},
		{"activation", `"neuron": [10, 10]`, `"activation_function": "swish"`, `activation "swish" is unknown; want`},
		{"automatic sel", `"nsel": 40`, `"nsel": "automatic"`, `want a whole number, "auto"`},
		{"twice the same type", `"O", "H"`, `"O", "O"`, "occurs twice"},
	} {
		_, err := ParseConfig([]byte(strings.Replace(minimal, c.old, c.new, 1)))
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got error %v, want one with %q", c.name, err, c.want)
		}
	}
}

func TestAutomaticSel(t *testing.T) {
	cfg, err := ParseConfig([]byte(strings.Replace(minimal, "40", `"auto:1.1"`, 1)))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := New(cfg, 1); !errors.Is(err, ErrConfig) {
		t.Errorf("a model with automatic nsel: got %v, want ErrConfig", err)
	}
	sel := &cfg.Descriptor.Repformer.NSel
	for _, c := range []struct{ found, want int }{{36, 40}, {40, 44}, {0, 4}} {
		*sel = Sel{Auto: 1.1}
		if sel.Resolve(c.found); sel.Count != c.want {
			t.Errorf("%d neighbours: got nsel %d, want %d", c.found, sel.Count, c.want)
		}
	}
}

func FuzzParseConfig(f *testing.F) {
	f.Add([]byte(minimal))
	f.Add([]byte(`{"type_map": null, "descriptor": {"repinit": {"nsel": "auto:1e400", "neuron": [-1]}}}`))
	f.Add([]byte(`{"descriptor": [], "fitting_net": {"trainable": {}}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		if cfg, err := ParseConfig(data); err == nil {
			cfg.NumParameters()
		}
	})
}
