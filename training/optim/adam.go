package optim

import (
	"errors"
	"fmt"
	"math"
	"slices"
)

// ErrNotFinite says that a gradient holds NaN or infinity; the parameters are then unchanged.
var ErrNotFinite = errors.New("gradient is not finite")

// A Param is one tensor to be trained. Value is changed in place; a nil Grad means: leave this tensor alone.
type Param struct {
	Name  string
	Value []float64
	Grad  []float64
}

// Config of Adam. NewAdam fills zero fields with the documented defaults.
type Config struct {
	Type        string   `toml:"type" json:"type"`                                     // "Adam" (default) or "AdamW"
	Beta1       float64  `toml:"adam_beta1" json:"adam_beta1,omitempty"`               // 0.9
	Beta2       float64  `toml:"adam_beta2" json:"adam_beta2,omitempty"`               // 0.999
	Eps         float64  `toml:"eps" json:"eps,omitempty"`                             // 1e-8
	WeightDecay *float64 `toml:"weight_decay" json:"weight_decay,omitempty"`           // Adam: 0, as L2 in the gradient; AdamW: 1e-3, decoupled
	MaxNorm     float64  `toml:"gradient_max_norm" json:"gradient_max_norm,omitempty"` // for the caller's Clip; 0 = off
}

// Moments is what Adam remembers of one tensor: running means of the gradient and its square, and the number of
// steps this tensor took.
type Moments struct {
	Step   int
	M1, M2 []float64
}

// Adam is the optimiser of Kingma and Ba (arXiv:1412.6980), or AdamW (arXiv:1711.05101) with decoupled decay.
// It is not safe for concurrent use.
type Adam struct {
	cfg   Config
	decay float64
	state map[string]*Moments
}

// NewAdam checks cfg and returns an optimiser without memory.
func NewAdam(cfg Config) (*Adam, error) {
	defaults := func(v *float64, d float64) {
		if *v == 0 {
			*v = d
		}
	}
	defaults(&cfg.Beta1, 0.9)
	defaults(&cfg.Beta2, 0.999)
	defaults(&cfg.Eps, 1e-8)
	decay := 0.0
	switch cfg.Type {
	case "", "Adam":
		cfg.Type = "Adam"
	case "AdamW":
		decay = 1e-3
	default:
		return nil, fmt.Errorf("optimizer type %q is not known; use Adam or AdamW", cfg.Type)
	}
	if cfg.WeightDecay != nil {
		decay = *cfg.WeightDecay
	}
	if cfg.Beta1 < 0 || cfg.Beta1 >= 1 || cfg.Beta2 < 0 || cfg.Beta2 >= 1 || !(cfg.Eps > 0) || !(decay >= 0) {
		return nil, fmt.Errorf("optimizer: beta1 %g and beta2 %g must be below 1, eps %g positive, weight_decay %g not negative", cfg.Beta1, cfg.Beta2, cfg.Eps, decay)
	}
	return &Adam{cfg: cfg, decay: decay, state: map[string]*Moments{}}, nil
}

// Step moves every parameter that has a gradient. When any gradient is not finite nothing at all is changed.
func (a *Adam) Step(lr float64, params []Param) error {
	for _, p := range params {
		if err := a.check(p); err != nil {
			return err
		}
	}
	for _, p := range params {
		if p.Grad != nil {
			a.update(lr, p, a.moments(p))
		}
	}
	return nil
}

func (a *Adam) check(p Param) error {
	if p.Grad == nil {
		return nil
	}
	if len(p.Grad) != len(p.Value) {
		return fmt.Errorf("parameter %q: %d gradients for %d values", p.Name, len(p.Grad), len(p.Value))
	}
	if m, ok := a.state[p.Name]; ok && len(m.M1) != len(p.Value) {
		return fmt.Errorf("parameter %q: moments for %d values, has %d", p.Name, len(m.M1), len(p.Value))
	}
	for _, g := range p.Grad {
		if math.IsNaN(g) || math.IsInf(g, 0) {
			return fmt.Errorf("parameter %q: %w; lower the learning rate or look for broken labels", p.Name, ErrNotFinite)
		}
	}
	return nil
}

func (a *Adam) moments(p Param) *Moments {
	m, ok := a.state[p.Name]
	if !ok {
		m = &Moments{M1: make([]float64, len(p.Value)), M2: make([]float64, len(p.Value))}
		a.state[p.Name] = m
	}
	return m
}

func (a *Adam) update(lr float64, p Param, m *Moments) {
	m.Step++
	b1, b2 := a.cfg.Beta1, a.cfg.Beta2
	rate := lr / (1 - math.Pow(b1, float64(m.Step)))
	root := math.Sqrt(1 - math.Pow(b2, float64(m.Step)))
	decoupled := a.cfg.Type == "AdamW"
	for i, g := range p.Grad {
		if decoupled {
			p.Value[i] *= 1 - lr*a.decay
		} else {
			g += a.decay * p.Value[i]
		}
		m.M1[i] = b1*m.M1[i] + (1-b1)*g
		m.M2[i] = b2*m.M2[i] + (1-b2)*g*g
		p.Value[i] -= rate * m.M1[i] / (math.Sqrt(m.M2[i])/root + a.cfg.Eps)
	}
}

// State returns a copy of the memory, for a checkpoint.
func (a *Adam) State() map[string]Moments {
	out := make(map[string]Moments, len(a.state))
	for name, m := range a.state {
		out[name] = Moments{m.Step, slices.Clone(m.M1), slices.Clone(m.M2)}
	}
	return out
}

// SetState replaces the memory by a copy of state, after checking it.
func (a *Adam) SetState(state map[string]Moments) error {
	fresh := make(map[string]*Moments, len(state))
	for name, m := range state {
		if m.Step < 0 || len(m.M1) != len(m.M2) {
			return fmt.Errorf("optimizer state of %q: step %d with %d and %d moments", name, m.Step, len(m.M1), len(m.M2))
		}
		fresh[name] = &Moments{m.Step, slices.Clone(m.M1), slices.Clone(m.M2)}
	}
	a.state = fresh
	return nil
}
