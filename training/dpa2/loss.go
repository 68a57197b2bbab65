package dpa2

import (
	"encoding/json"
	"fmt"
	"math"
	"reflect"
	"slices"

	"github.com/fedlam/fedlam/training/graph"
)

// LossConfig is a "loss" section of a DeePMD input of type "ener" (SPEC 6.1). A term takes part only if both its
// prefactors are not 0. Make one with ParseLoss or DefaultLoss.
//
// For a batch of B frames of N atoms the loss is
//
//	p_e/N · mean (E−Ê)² + p_f · mean (F−F̂)² + p_v/N · mean (W−Ŵ)²
//
// N counting virtual atoms, as in DeePMD-kit 3.1.3. With frames of different sizes each mean is the mean over frames
// of the mean in a frame. Frames without a label do not count in its mean.
type LossConfig struct {
	Type         string   `json:"type"`
	StartPrefE   float64  `json:"start_pref_e"`
	LimitPrefE   float64  `json:"limit_pref_e"`
	StartPrefF   float64  `json:"start_pref_f"`
	LimitPrefF   float64  `json:"limit_pref_f"`
	StartPrefV   float64  `json:"start_pref_v"`
	LimitPrefV   float64  `json:"limit_pref_v"`
	StartPrefAE  float64  `json:"start_pref_ae"`
	LimitPrefAE  float64  `json:"limit_pref_ae"`
	StartPrefPF  float64  `json:"start_pref_pf"`
	LimitPrefPF  float64  `json:"limit_pref_pf"`
	StartPrefGF  float64  `json:"start_pref_gf"`
	LimitPrefGF  float64  `json:"limit_pref_gf"`
	NumbGenForce int      `json:"numb_generalized_coord,omitempty"`
	AtomEnerCoef bool     `json:"enable_atom_ener_coeff"`
	RelativeF    *float64 `json:"relative_f"`  // eV/Å; nil means absolute errors
	UseHuber     bool     `json:"use_huber"`   // a parabola that becomes a line at HuberDelta
	HuberDelta   float64  `json:"huber_delta"` // default 0.01
	UseL1        bool     `json:"use_l1_all"`  // absolute values of energies and forces, summed over frames
}

// DefaultLoss returns DeePMD's defaults: energy 0.02 -> 1, force 1000 -> 1, nothing else.
func DefaultLoss() LossConfig {
	return LossConfig{Type: "ener", StartPrefE: 0.02, LimitPrefE: 1, StartPrefF: 1000, LimitPrefF: 1, HuberDelta: 0.01}
}

// ParseLoss reads a "loss" section (JSON) and validates it.
func ParseLoss(data []byte) (LossConfig, error) {
	c := DefaultLoss()
	var tree map[string]any
	err := json.Unmarshal(data, &tree)
	if err == nil {
		err = checkSection("", tree, reflect.TypeFor[LossConfig]())
	}
	if err == nil {
		clean, _ := json.Marshal(tree) // a tree just read
		err = json.Unmarshal(clean, &c)
	}
	if err != nil {
		return c, fmt.Errorf("loss section: %w", err)
	}
	return c, c.Validate()
}

// Validate refuses what is not implemented and what makes no sense.
func (c *LossConfig) Validate() error {
	v := &checker{}
	v.check(c.Type == "ener", "type is %q; only \"ener\" is implemented", c.Type)
	for name, p := range map[string]float64{
		"start_pref_e": c.StartPrefE, "limit_pref_e": c.LimitPrefE, "start_pref_f": c.StartPrefF, "limit_pref_f": c.LimitPrefF,
		"start_pref_v": c.StartPrefV, "limit_pref_v": c.LimitPrefV,
	} {
		v.check(finite(p) && p >= 0, "%s is %g; it must not be negative", name, p)
	}
	for name, p := range map[string]float64{"ae": c.StartPrefAE * c.LimitPrefAE, "pf": c.StartPrefPF * c.LimitPrefPF, "gf": c.StartPrefGF * c.LimitPrefGF} {
		v.check(p == 0, "start_pref_%s: frames have no such label; set it to 0", name)
	}
	v.check(!c.AtomEnerCoef, "enable_atom_ener_coeff is not implemented; set it to false")
	v.check(!c.UseHuber || finite(c.HuberDelta) && c.HuberDelta > 0, "huber_delta is %g; it must be positive", c.HuberDelta)
	v.check(!c.UseHuber || !c.UseL1, "use_huber and use_l1_all exclude each other")
	v.check(c.RelativeF == nil || finite(*c.RelativeF) && *c.RelativeF > 0, "relative_f must be positive")
	v.check(c.hasEnergy() || c.hasForce() || c.hasVirial(), "every term is switched off; a term needs start_pref and limit_pref other than 0")
	return v.err()
}

func (c *LossConfig) hasEnergy() bool { return c.StartPrefE != 0 && c.LimitPrefE != 0 }
func (c *LossConfig) hasForce() bool  { return c.StartPrefF != 0 && c.LimitPrefF != 0 }
func (c *LossConfig) hasVirial() bool { return c.StartPrefV != 0 && c.LimitPrefV != 0 }

// Prefactors weigh the terms of the loss in one step.
type Prefactors struct{ Energy, Force, Virial float64 }

// At returns the prefactors at learning rate lr: p = limit + (start − limit)·lr/startLR.
func (c *LossConfig) At(lr, startLR float64) Prefactors {
	p := func(start, limit float64) float64 {
		if start == 0 || limit == 0 {
			return 0
		}
		return limit + (start-limit)*lr/startLR
	}
	return Prefactors{p(c.StartPrefE, c.LimitPrefE), p(c.StartPrefF, c.LimitPrefF), p(c.StartPrefV, c.LimitPrefV)}
}

// buildLoss returns the loss (1 x 1) of the network's predictions. The batch brings along, for each term, labels,
// weights that hold all divisors, and the prefactor.
func (g *energyGraph) buildLoss(c *LossConfig, f forces) *graph.Tensor {
	var total *graph.Tensor
	term := func(name string, on bool, predicted *graph.Tensor, shape func(*graph.Tensor) *graph.Tensor) {
		if !on {
			return
		}
		err := g.Sub(predicted, g.Input("label."+name, predicted.Rows(), predicted.Cols()))
		if c.UseHuber {
			err = g.Mul(err, g.Input("scale."+name, predicted.Rows(), 1))
		}
		weighted := g.Mul(shape(err), g.Input("weight."+name, predicted.Rows(), 1))
		t := g.Mul(g.SumAll(weighted), g.Input("prefactor."+name, graph.Fixed(1), 1))
		if total == nil {
			total = t
		} else {
			total = g.Add(total, t)
		}
	}
	shape := g.Square
	switch {
	case c.UseHuber:
		shape = func(x *graph.Tensor) *graph.Tensor { return g.huber(x, c.HuberDelta) }
	case c.UseL1:
		shape = g.abs
	}
	virialShape := shape
	if c.UseL1 {
		virialShape = g.Square
	}
	term("energy", c.hasEnergy(), g.frameEnergies, shape)
	term("force", c.hasForce(), f.force, shape)
	term("virial", c.hasVirial(), f.virial, virialShape)
	return total
}

// abs returns |x|.
func (g *energyGraph) abs(x *graph.Tensor) *graph.Tensor {
	return g.Mul(x, g.AddScalar(g.Scale(g.Step(x), 2), -1))
}

// huber returns x²/2 where |x| ≤ δ, and δ(|x| − δ/2) elsewhere, as c(x − c/2) with c = x clipped to ±δ.
func (g *energyGraph) huber(x *graph.Tensor, delta float64) *graph.Tensor {
	above, below := g.Step(g.AddScalar(x, -delta)), g.Step(g.AddScalar(g.Neg(x), -delta))
	inside := g.AddScalar(g.Neg(g.Add(above, below)), 1)
	clipped := g.Add(g.Mul(x, inside), g.Scale(g.Sub(above, below), delta))
	return g.Mul(clipped, g.Sub(x, g.Scale(clipped, 0.5)))
}

// labels are what a batch brings along for one loss, in float64; references are subtracted already.
type labels struct {
	energy, force, virial                   []float64
	energyWeight, forceWeight, virialWeight []float64 // [F], [N], [F]
	energyScale, forceScale, virialScale    []float64 // only with Huber's loss
}

// clear makes room for a batch and sets everything to 0.
func (l *labels) clear(frames, atoms int) {
	for _, v := range []struct {
		data *[]float64
		n    int
	}{
		{&l.energy, frames}, {&l.force, 3 * atoms}, {&l.virial, 9 * frames},
		{&l.energyWeight, frames}, {&l.forceWeight, atoms}, {&l.virialWeight, frames},
		{&l.energyScale, frames}, {&l.forceScale, atoms}, {&l.virialScale, frames},
	} {
		*v.data = slices.Grow((*v.data)[:0], v.n)[:v.n]
		clear(*v.data)
	}
}

// fillLabels lays out the labels of a batch with all divisors of SPEC 6.1. reference is the sum of reference energies
// of each frame, eV.
func (c *LossConfig) fillLabels(l *labels, b *Batch, reference []float64) {
	l.clear(b.NumFrames(), b.NumAtoms())
	have := b.labelled()
	for f, s := range b.samples {
		n, first := float64(s.NumAtoms()), b.first[f]
		l.energyScale[f], l.virialScale[f] = 1/n, 1/n
		if s.energy != nil {
			l.energy[f] = *s.energy - reference[f]
			l.energyWeight[f] = c.divided(have[0], n, 1)
		}
		if s.virial != nil {
			copy(l.virial[9*f:], s.virial[:])
			l.virialWeight[f] = c.divided(have[2], n, 9)
			if c.UseL1 {
				l.virialWeight[f] = 1 / (have[2] * n * 9)
			}
		}
		for i := first; i < b.first[f+1]; i++ {
			l.forceScale[i] = 1
			if s.forces == nil {
				continue
			}
			label := s.forces[3*(i-first) : 3*(i-first)+3]
			copy(l.force[3*i:], label)
			c.forceWeight(l, i, label, have[1], n)
		}
	}
}

// divided returns the weight of one entry of an energy (entries = 1) or virial (9) term.
func (c *LossConfig) divided(frames, n, entries float64) float64 {
	switch {
	case c.UseL1:
		return 1
	case c.UseHuber: // the error itself is divided by n
		return 1 / (frames * entries)
	}
	return 1 / (frames * n * entries)
}

// forceWeight sets weight and scale of one atom.
func (c *LossConfig) forceWeight(l *labels, i int, label []float64, frames, n float64) {
	relative := 1.0
	if c.RelativeF != nil {
		relative = 1 / (math.Hypot(math.Hypot(label[0], label[1]), label[2]) + *c.RelativeF)
	}
	switch {
	case c.UseL1:
		l.forceWeight[i] = relative / n
	case c.UseHuber:
		l.forceWeight[i], l.forceScale[i] = 1/(3*n*frames), relative
	default:
		l.forceWeight[i] = relative * relative / (3 * n * frames)
	}
}

func one(v bool) float64 {
	if v {
		return 1
	}
	return 0
}
