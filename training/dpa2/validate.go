package dpa2

import (
	"errors"
	"fmt"
	"math"
	"strings"
)

// ErrConfig is wrapped by every error of Config.Validate.
var ErrConfig = errors.New("model configuration")

// maxWidth bounds every width and count of a configuration, so that hostile files cannot ask for absurd memory.
const maxWidth = 1 << 14

// Validate refuses what the model cannot be or what this program does not implement. All problems are reported.
func (c *Config) Validate() error {
	v := &checker{}
	v.check(c.Type == "standard", "type is %q; only \"standard\" exists here", c.Type)
	v.check(len(c.TypeMap) > 0 && len(c.TypeMap) <= 1024, "type_map has %d names; want 1 to 1024", len(c.TypeMap))
	seen := map[string]bool{}
	for _, name := range c.TypeMap {
		v.check(name != "" && !seen[name], "type_map: name %q is empty or occurs twice", name)
		seen[name] = true
	}
	c.validateDescriptor(v)
	c.validateRepformer(v)
	c.validateFitting(v)
	c.validateOrder(v)
	v.pairs("pair_exclude_types", c.PairSkip, len(c.TypeMap))
	v.types("atom_exclude_types", c.AtomSkip, len(c.TypeMap))
	v.types("fitting_net.exclude_types", c.Fitting.ExcludeTypes, len(c.TypeMap))
	v.pairs("descriptor.exclude_types", c.Descriptor.ExcludeTypes, len(c.TypeMap))
	return v.err()
}

func (c *Config) validateDescriptor(v *checker) {
	d, r := &c.Descriptor, &c.Descriptor.Repinit
	v.check(d.Type == "dpa2", "descriptor.type is %q; only \"dpa2\" is implemented", d.Type)
	v.precision("descriptor.precision", d.Precision)
	v.check(!d.UseEConfTebd, "descriptor.use_econf_tebd is not implemented; set it to false")
	v.check(finite(d.EnvProtection) && d.EnvProtection >= 0, "descriptor.env_protection must not be negative")
	v.check(r.TebdInputMode == "concat" || r.TebdInputMode == "strip", "descriptor.repinit.tebd_input_mode is %q; want \"concat\" or \"strip\"", r.TebdInputMode)
	v.width("descriptor.repinit.tebd_dim", r.TebdDim)
	v.widths("descriptor.repinit.neuron", r.Neuron)
	if n := len(r.Neuron); n > 0 {
		v.check(r.AxisNeuron >= 1 && r.AxisNeuron <= r.Neuron[n-1], "descriptor.repinit.axis_neuron is %d; want 1 to %d, the last of neuron", r.AxisNeuron, r.Neuron[n-1])
	}
	v.activation("descriptor.repinit.activation_function", r.Activation)
	v.cutoff("descriptor.repinit", r.RCut, r.RCutSmooth, r.NSel)
	if !r.UseThreeBody {
		return
	}
	v.widths("descriptor.repinit.three_body_neuron", r.ThreeNeuron)
	v.cutoff("descriptor.repinit.three_body", r.ThreeRCut, r.ThreeRCutSmoth, r.ThreeSel)
	v.check(r.ThreeRCut <= r.RCut, "descriptor.repinit.three_body_rcut %g must not exceed rcut %g", r.ThreeRCut, r.RCut)
	v.check(r.ThreeSel.Auto != 0 || r.NSel.Auto != 0 || r.ThreeSel.Count <= r.NSel.Count, "descriptor.repinit.three_body_sel %d must not exceed nsel %d", r.ThreeSel.Count, r.NSel.Count)
}

func (c *Config) validateRepformer(v *checker) {
	const p = "descriptor.repformer."
	r := &c.Descriptor.Repformer
	v.cutoff("descriptor.repformer", r.RCut, r.RCutSmooth, r.NSel)
	in := &c.Descriptor.Repinit
	v.check(r.RCut < in.RCut, p+"rcut %g must be smaller than repinit.rcut %g", r.RCut, in.RCut)
	v.check(r.NSel.Auto != 0 || in.NSel.Auto != 0 || r.NSel.Count < in.NSel.Count, p+"nsel %d must be smaller than repinit.nsel %d", r.NSel.Count, in.NSel.Count)
	v.check(r.NLayers >= 1 && r.NLayers <= 256, p+"nlayers is %d; want 1 to 256", r.NLayers)
	v.width(p+"g1_dim", r.G1Dim)
	v.width(p+"g2_dim", r.G2Dim)
	v.check(r.AxisNeuron >= 1, p+"axis_neuron must be at least 1")
	v.check(!r.G1GRRG || r.AxisNeuron <= r.G2Dim, p+"axis_neuron %d must not exceed g2_dim %d", r.AxisNeuron, r.G2Dim)
	v.check(!r.G1DRRD || r.AxisNeuron <= r.G1Dim, p+"axis_neuron %d must not exceed g1_dim %d", r.AxisNeuron, r.G1Dim)
	for name, n := range map[string]int{"attn1_hidden": r.Attn1Hidden, "attn1_nhead": r.Attn1NHead, "attn2_hidden": r.Attn2Hidden, "attn2_nhead": r.Attn2NHead} {
		v.width(p+name, n)
	}
	v.activation(p+"activation_function", r.Activation)
	v.check(r.UpdateStyle == "res_avg" || r.UpdateStyle == "res_incr" || r.UpdateStyle == "res_residual", p+"update_style is %q; want \"res_avg\", \"res_incr\" or \"res_residual\"", r.UpdateStyle)
	v.check(r.ResidualInit == "norm" || r.ResidualInit == "const", p+"update_residual_init is %q; want \"norm\" or \"const\"", r.ResidualInit)
	v.check(finite(r.Residual), p+"update_residual is not a number")
	v.check(r.lnEps() > 0 && finite(r.lnEps()), p+"ln_eps must be positive")
	v.check(!r.G1OutMLP || r.linear1Width() > 0, p+"linear1 has no input: switch on one of update_g1_has_grrg, update_g1_has_drrd or update_g1_has_conv without g1_out_conv")
}

// validateOrder refuses what DeePMD refuses: of two blocks, the one that looks further must not see fewer neighbours.
func (c *Config) validateOrder(v *checker) {
	in, out := &c.Descriptor.Repinit, &c.Descriptor.Repformer
	if !in.UseThreeBody || in.ThreeSel.Auto != 0 || out.NSel.Auto != 0 {
		return
	}
	far, near := in.ThreeSel.Count, out.NSel.Count
	if out.RCut > in.ThreeRCut {
		far, near = near, far
	}
	v.check(out.RCut == in.ThreeRCut || far >= near, "the three-body block and repformer: the one with the larger rcut must not have the smaller nsel")
}

func (c *Config) validateFitting(v *checker) {
	f := &c.Fitting
	v.check(f.Type == "ener", "fitting_net.type is %q; only \"ener\" is implemented", f.Type)
	v.precision("fitting_net.precision", f.Precision)
	v.widths("fitting_net.neuron", f.Neuron)
	v.activation("fitting_net.activation_function", f.Activation)
	for name, n := range map[string]int{"numb_fparam": f.NumbFParam, "numb_aparam": f.NumbAParam, "dim_case_embd": f.DimCaseEmbd} {
		v.check(n >= 0 && n <= maxWidth, "fitting_net.%s is %d; want 0 to %d", name, n, maxWidth)
	}
	v.check(f.DefaultFParam == nil || len(f.DefaultFParam) == f.NumbFParam, "fitting_net.default_fparam has %d numbers; numb_fparam is %d", len(f.DefaultFParam), f.NumbFParam)
	v.check(!f.AParamAsMask, "fitting_net.use_aparam_as_mask is not implemented; set it to false")
	v.check(len(f.AtomEner) == 0 || len(f.AtomEner) == len(c.TypeMap), "fitting_net.atom_ener has %d entries for %d types", len(f.AtomEner), len(c.TypeMap))
	v.check(f.Trainable.Layers == nil || len(f.Trainable.Layers) == len(f.Neuron)+1, "fitting_net.trainable has %d entries; want %d, one per layer and one for the output", len(f.Trainable.Layers), len(f.Neuron)+1)
}

// resolved refuses a configuration in which a nsel is still "auto".
func (c *Config) resolved() error {
	r := &c.Descriptor.Repinit
	if r.NSel.Auto != 0 || c.Descriptor.Repformer.NSel.Auto != 0 || r.UseThreeBody && r.ThreeSel.Auto != 0 {
		return fmt.Errorf("%w: nsel is \"auto\"; count neighbours and call Sel.Resolve before building the model", ErrConfig)
	}
	return nil
}

// checker collects problems.
type checker struct{ problems []string }

func (v *checker) check(ok bool, format string, args ...any) {
	if !ok {
		v.problems = append(v.problems, fmt.Sprintf(format, args...))
	}
}

func (v *checker) err() error {
	if len(v.problems) == 0 {
		return nil
	}
	return fmt.Errorf("%w: %s", ErrConfig, strings.Join(v.problems, "; "))
}

func (v *checker) width(name string, n int) {
	v.check(n >= 1 && n <= maxWidth, "%s is %d; want 1 to %d", name, n, maxWidth)
}

func (v *checker) widths(name string, list []int) {
	v.check(len(list) > 0 && len(list) <= 64, "%s has %d layers; want 1 to 64", name, len(list))
	for _, n := range list {
		v.width(name, n)
	}
}

func (v *checker) precision(name, p string) {
	switch strings.ToLower(p) {
	case "default", "float64", "float32":
	default:
		v.check(false, "%s is %q; want \"default\", \"float64\" or \"float32\"", name, p)
	}
}

func (v *checker) activation(name, a string) {
	_, err := parseActivation(a)
	v.check(err == nil, "%s: %v", name, err)
}

func (v *checker) cutoff(name string, rcut, smooth float64, sel Sel) {
	v.check(finite(rcut) && rcut > 0, "%s: rcut is %g Å; it is required and must be positive", name, rcut)
	v.check(finite(smooth) && smooth >= 0 && smooth < rcut, "%s: rcut_smth is %g Å; want at least 0 and below rcut %g", name, smooth, rcut)
	v.check(sel.Auto != 0 || sel.Count >= 1 && sel.Count <= maxWidth, "%s: nsel is %d; it is required, 1 to %d", name, sel.Count, maxWidth)
}

func (v *checker) pairs(name string, list [][2]int, ntypes int) {
	for _, p := range list {
		v.check(p[0] >= 0 && p[1] >= 0 && p[0] < ntypes && p[1] < ntypes, "%s: pair %v names a type outside 0 to %d", name, p, ntypes-1)
	}
}

func (v *checker) types(name string, list []int, ntypes int) {
	for _, t := range list {
		v.check(t >= 0 && t < ntypes, "%s: type %d is outside 0 to %d", name, t, ntypes-1)
	}
}

func finite(x float64) bool { return !math.IsNaN(x) && !math.IsInf(x, 0) }
