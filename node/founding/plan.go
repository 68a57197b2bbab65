package founding

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/BurntSushi/toml"
	"github.com/fedlam/fedlam/federation/ledger"
	"github.com/fedlam/fedlam/training"
	"github.com/fedlam/fedlam/training/dpa2"
	"github.com/fedlam/fedlam/training/optim"
)

// ErrPlan is wrapped by every error about the contents of a plan.
var ErrPlan = errors.New("bad plan")

// Plan is what the founder decides; the package comment shows one.
type Plan struct {
	Name         string          `toml:"name"`
	Seed         uint64          `toml:"seed"`
	Rounds       uint64          `toml:"rounds"` // default 100
	Rules        Rules           `toml:"rules"`
	Model        map[string]any  `toml:"model"`
	Loss         map[string]any  `toml:"loss"`
	LearningRate *optim.Schedule `toml:"learning_rate"`
	Optimizer    optim.Config    `toml:"optimizer"`
	Training     Training        `toml:"training"`
	Heads        []PlanHead      `toml:"head"`

	dir string // that paths are relative to
}

// PlanHead says what the founder adds to a head that members' cards name.
type PlanHead struct {
	Convention string `toml:"convention"` // file; its key is that of the head
	Canary     string `toml:"canary"`     // labelled frames under that convention, as for load.Open
}

// Training are choices about the local steps.
type Training struct {
	BatchSize string  `toml:"batch_size"`
	MaxNorm   float64 `toml:"gradient_max_norm"`
	Precision string  `toml:"precision"`
}

// Rules are those of ledger.Rules, where they are explained; what is absent has the default of ledger.DefaultRules.
type Rules struct {
	MinCohort   *int      `toml:"min_cohort"`
	MinGroup    *int      `toml:"min_group"`
	Steps       *uint64   `toml:"steps"`
	Outer       *string   `toml:"outer"`
	Rate        *float64  `toml:"rate"`
	Momentum    *float64  `toml:"momentum"`
	Owners      *int      `toml:"owners"`
	LaneBits    *int      `toml:"lane_bits"`
	AuditRows   *int      `toml:"audit_rows"`
	Cohorts     *int      `toml:"cohorts"`
	Robust      *string   `toml:"robust"`
	Fragments   *int      `toml:"fragments"`
	ValueBits   *int      `toml:"value_bits"`
	WeightBits  *int      `toml:"weight_bits"`
	FirstScale  *float64  `toml:"first_scale"`
	JoinGrace   *Duration `toml:"join_grace"`
	StepTimeout *Duration `toml:"step_timeout"`
	MaskTimeout *Duration `toml:"mask_timeout"`
	Forfeit     *Duration `toml:"forfeit"`
}

// Duration is a time span such as "90s" or "15m".
type Duration time.Duration

// UnmarshalText reads Go's notation.
func (d *Duration) UnmarshalText(text []byte) error {
	v, err := time.ParseDuration(string(text))
	*d = Duration(v)
	return err
}

// ReadPlan reads the plan at path.
func ReadPlan(path string) (*Plan, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read plan: %w", err)
	}
	p, err := ParsePlan(text)
	if err != nil {
		return nil, fmt.Errorf("%w %q: %w", ErrPlan, path, err)
	}
	p.dir = filepath.Dir(path)
	return p, nil
}

// ParsePlan reads a plan. A key it does not know is an error.
func ParsePlan(text []byte) (*Plan, error) {
	p := &Plan{}
	meta, err := toml.Decode(string(text), p)
	if err != nil {
		return nil, err
	}
	for _, key := range meta.Undecoded() {
		if key[0] != "model" && key[0] != "loss" { // package dpa2 knows their keys
			return nil, fmt.Errorf("key %q means nothing; correct its spelling or remove it", key.String())
		}
	}
	if p.Name == "" || p.Model == nil || p.LearningRate == nil {
		return nil, errors.New("name, [model] and [learning_rate] are required")
	}
	for k, h := range p.Heads {
		if h.Convention == "" || h.Canary == "" {
			return nil, fmt.Errorf("[[head]] section %d needs both convention and canary", k+1)
		}
	}
	if p.Rounds == 0 {
		p.Rounds = 100
	}
	if p.Rounds > 1e6 {
		return nil, fmt.Errorf("rounds is %d, at most 1000000", p.Rounds)
	}
	return p, nil
}

// rules lays what the plan says over the defaults.
func (p *Plan) rules() (ledger.Rules, error) {
	r := ledger.DefaultRules()
	put(&r.MinCohort, p.Rules.MinCohort)
	put(&r.MinGroup, p.Rules.MinGroup)
	put(&r.Steps, p.Rules.Steps)
	put(&r.Outer, p.Rules.Outer)
	put(&r.Rate, p.Rules.Rate)
	put(&r.Momentum, p.Rules.Momentum)
	put(&r.Owners, p.Rules.Owners)
	put(&r.LaneBits, p.Rules.LaneBits)
	put(&r.AuditRows, p.Rules.AuditRows)
	put(&r.Cohorts, p.Rules.Cohorts)
	put(&r.Robust, p.Rules.Robust)
	put(&r.Fragments, p.Rules.Fragments)
	put(&r.ValueBits, p.Rules.ValueBits)
	put(&r.WeightBits, p.Rules.WeightBits)
	put(&r.FirstScale, p.Rules.FirstScale)
	put(&r.JoinGrace, (*time.Duration)(p.Rules.JoinGrace))
	put(&r.StepTimeout, (*time.Duration)(p.Rules.StepTimeout))
	put(&r.MaskTimeout, (*time.Duration)(p.Rules.MaskTimeout))
	put(&r.Forfeit, (*time.Duration)(p.Rules.Forfeit))
	return r, r.Validate()
}

func put[T any](into *T, given *T) {
	if given != nil {
		*into = *given
	}
}

// model returns the checked architecture. Every number must be fixed: members cannot look at each other's data to
// resolve an "auto".
func (p *Plan) model() (*dpa2.Config, error) {
	cfg, err := training.Section(p.Model, dpa2.ParseConfig)
	if err != nil {
		return nil, err
	}
	if _, err := dpa2.NewHead(cfg, "", p.Seed); err != nil {
		return nil, fmt.Errorf("%w; in a federation every nsel is a number", err)
	}
	return cfg, nil
}
