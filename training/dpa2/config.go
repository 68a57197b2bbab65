package dpa2

import (
	"encoding/json"
	"fmt"
)

// Config is the architecture of a model: the "model" section of a DeePMD-kit input, with the same keys and defaults
// (DeePMD-kit 3.1.3). Make one with ParseConfig, with DefaultConfig and assignments, or with FromTree; a zero
// Config lacks the defaults and is refused. Lengths are in Å.
type Config struct {
	Type       string         `json:"type"`        // "standard"
	TypeMap    []string       `json:"type_map"`    // names of the T types; a type is its index in this list
	Descriptor Descriptor     `json:"descriptor"`  // the trunk
	Fitting    Fitting        `json:"fitting_net"` // the head
	PairSkip   [][2]int       `json:"pair_exclude_types,omitempty"`
	AtomSkip   []int          `json:"atom_exclude_types,omitempty"`
	Preset     map[string]any `json:"preset_out_bias,omitempty"` // used by the statistics, not by the model
	RCond      *float64       `json:"rcond,omitempty"`           // cut-off of the least squares of the energy bias

	StatBatches int     `json:"data_stat_nbatch"`   // batches per system that statistics look at; default 10
	StatProtect float64 `json:"data_stat_protect"`  // smallest standard deviation; default 0.01
	BiasSamples int     `json:"data_bias_nsample"`  // frames per system for a change of bias; default 10
	SRTabBias   bool    `json:"srtab_add_bias"`     // of DeePMD's tabulated pair potentials; carried along
	Resuming    bool    `json:"resuming,omitempty"` // written by DeePMD into its checkpoints; carried along
}

// Descriptor is the section "descriptor" of type "dpa2".
type Descriptor struct {
	Type            string    `json:"type"`
	Repinit         Repinit   `json:"repinit"`
	Repformer       Repformer `json:"repformer"`
	ConcatTebd      bool      `json:"concat_output_tebd"`      // append the type embedding to the output; default true
	Precision       string    `json:"precision"`               // "default" (float64), "float64" or "float32"
	Smooth          bool      `json:"smooth"`                  // default true
	ExcludeTypes    [][2]int  `json:"exclude_types,omitempty"` // type pairs that do not see each other
	EnvProtection   float64   `json:"env_protection"`          // added to distances before division, Å
	Trainable       bool      `json:"trainable"`               // default true
	AddTebd         bool      `json:"add_tebd_to_repinit_out"`
	UseEConfTebd    bool      `json:"use_econf_tebd"` // not implemented; refused
	UseTebdBias     bool      `json:"use_tebd_bias"`
	Seed            any       `json:"seed,omitempty"` // carried along; seeds of this program are given to New
	AddTebdOldAlias *bool     `json:"repformer_add_type_ebd_to_seq,omitempty"`
}

// Repinit is the section "descriptor.repinit".
type Repinit struct {
	RCut           float64 `json:"rcut"`
	RCutSmooth     float64 `json:"rcut_smth"`
	NSel           Sel     `json:"nsel"`
	Neuron         []int   `json:"neuron"`
	AxisNeuron     int     `json:"axis_neuron"`
	TebdDim        int     `json:"tebd_dim"`
	TebdInputMode  string  `json:"tebd_input_mode"` // "concat" or "strip"
	SetDavgZero    bool    `json:"set_davg_zero"`
	Activation     string  `json:"activation_function"`
	ResnetDt       bool    `json:"resnet_dt"`
	TypeOneSide    bool    `json:"type_one_side"`
	UseThreeBody   bool    `json:"use_three_body"`
	ThreeNeuron    []int   `json:"three_body_neuron"`
	ThreeSel       Sel     `json:"three_body_sel"`
	ThreeRCut      float64 `json:"three_body_rcut"`
	ThreeRCutSmoth float64 `json:"three_body_rcut_smth"`
}

// Repformer is the section "descriptor.repformer".
type Repformer struct {
	RCut         float64  `json:"rcut"`
	RCutSmooth   float64  `json:"rcut_smth"`
	NSel         Sel      `json:"nsel"`
	NLayers      int      `json:"nlayers"`
	G1Dim        int      `json:"g1_dim"`
	G2Dim        int      `json:"g2_dim"`
	AxisNeuron   int      `json:"axis_neuron"`
	DirectDist   bool     `json:"direct_dist"`
	G1Conv       bool     `json:"update_g1_has_conv"`
	G1DRRD       bool     `json:"update_g1_has_drrd"`
	G1GRRG       bool     `json:"update_g1_has_grrg"`
	G1Attn       bool     `json:"update_g1_has_attn"`
	G2G1G1       bool     `json:"update_g2_has_g1g1"`
	G2Attn       bool     `json:"update_g2_has_attn"`
	UpdateH2     bool     `json:"update_h2"`
	Attn1Hidden  int      `json:"attn1_hidden"`
	Attn1NHead   int      `json:"attn1_nhead"`
	Attn2Hidden  int      `json:"attn2_hidden"`
	Attn2NHead   int      `json:"attn2_nhead"`
	Attn2HasGate bool     `json:"attn2_has_gate"`
	Activation   string   `json:"activation_function"`
	UpdateStyle  string   `json:"update_style"` // "res_avg", "res_incr" or "res_residual"
	Residual     float64  `json:"update_residual"`
	ResidualInit string   `json:"update_residual_init"` // "norm" or "const"
	SetDavgZero  bool     `json:"set_davg_zero"`
	TrainableLN  bool     `json:"trainable_ln"`
	LNEps        *float64 `json:"ln_eps"` // nil means 1e-5
	UseSqrtNnei  bool     `json:"use_sqrt_nnei"`
	G1OutConv    bool     `json:"g1_out_conv"`
	G1OutMLP     bool     `json:"g1_out_mlp"`
}

// Fitting is the section "fitting_net" of type "ener".
type Fitting struct {
	Type          string     `json:"type"`
	Neuron        []int      `json:"neuron"`
	Activation    string     `json:"activation_function"`
	ResnetDt      bool       `json:"resnet_dt"`
	Precision     string     `json:"precision"`
	NumbFParam    int        `json:"numb_fparam"`
	NumbAParam    int        `json:"numb_aparam"`
	DefaultFParam []float64  `json:"default_fparam,omitempty"` // used for frames without fparam
	DimCaseEmbd   int        `json:"dim_case_embd,omitempty"`
	AParamAsMask  bool       `json:"use_aparam_as_mask"`
	AtomEner      []*float64 `json:"atom_ener,omitempty"`     // energy of each type in vacuum, eV; null = unknown
	ExcludeTypes  []int      `json:"exclude_types,omitempty"` // types whose network energy is 0
	Trainable     Trainable  `json:"trainable"`
	RCond         *float64   `json:"rcond"`
	Seed          any        `json:"seed,omitempty"`
}

// DefaultConfig returns a Config with every default filled in. The caller still has to set TypeMap, and RCut,
// RCutSmooth and NSel of repinit and repformer.
func DefaultConfig() *Config {
	return &Config{
		Type: "standard",
		Descriptor: Descriptor{
			Type: "dpa2", ConcatTebd: true, Precision: "default", Smooth: true, Trainable: true,
			Repinit: Repinit{
				Neuron: []int{25, 50, 100}, AxisNeuron: 16, TebdDim: 8, TebdInputMode: "concat", SetDavgZero: true,
				Activation: "tanh", ThreeNeuron: []int{2, 4, 8}, ThreeSel: Sel{Count: 40}, ThreeRCut: 4, ThreeRCutSmoth: 0.5,
			},
			Repformer: Repformer{
				NLayers: 3, G1Dim: 128, G2Dim: 16, AxisNeuron: 4, G1Conv: true, G1DRRD: true, G1GRRG: true, G1Attn: true,
				G2G1G1: true, G2Attn: true, Attn1Hidden: 64, Attn1NHead: 4, Attn2Hidden: 16, Attn2NHead: 4,
				Activation: "tanh", UpdateStyle: "res_avg", Residual: 0.001, ResidualInit: "norm", SetDavgZero: true,
				TrainableLN: true, UseSqrtNnei: true, G1OutConv: true, G1OutMLP: true,
			},
		},
		Fitting: Fitting{
			Type: "ener", Neuron: []int{120, 120, 120}, Activation: "tanh", ResnetDt: true, Precision: "default",
			Trainable: Trainable{All: true},
		},
		StatBatches: 10, StatProtect: 0.01, BiasSamples: 10, SRTabBias: true,
	}
}

// ParseConfig reads the "model" section of a DeePMD input (JSON), fills in defaults and validates. A key that DeePMD
// does not have is refused, with the nearest one that exists; keys that begin with "_" are comments.
func ParseConfig(data []byte) (*Config, error) {
	c := DefaultConfig()
	if err := c.UnmarshalJSON(data); err != nil {
		return nil, err
	}
	return c, c.Validate()
}

// UnmarshalJSON reads like ParseConfig but does not validate. Keys that are absent take their defaults.
func (c *Config) UnmarshalJSON(data []byte) error {
	clean, err := checkKeys(data)
	if err != nil {
		return fmt.Errorf("model configuration: %w", err)
	}
	*c = *DefaultConfig()
	type plain Config // without this method
	if err := json.Unmarshal(clean, (*plain)(c)); err != nil {
		return fmt.Errorf("model configuration: %w", err)
	}
	if old := c.Descriptor.AddTebdOldAlias; old != nil {
		c.Descriptor.AddTebd, c.Descriptor.AddTebdOldAlias = *old, nil
	}
	return nil
}

// NumTypes returns T, the number of types.
func (c *Config) NumTypes() int { return len(c.TypeMap) }

// lnEps returns the ε of the layer norms.
func (r *Repformer) lnEps() float64 {
	if r.LNEps == nil {
		return 1e-5
	}
	return *r.LNEps
}
