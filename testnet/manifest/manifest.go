package manifest

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/BurntSushi/toml"

	"github.com/fedlam/fedlam/training/dpa2"
	"github.com/fedlam/fedlam/training/optim"
)

// ErrManifest is wrapped by every error about the contents of a manifest.
var ErrManifest = errors.New("bad manifest")

// Manifest describes a federation; the package comment shows one.
type Manifest struct {
	Name          string          `toml:"name"`
	Rounds        int             `toml:"rounds"`
	Seed          uint64          `toml:"seed"`
	Timeout       Duration        `toml:"timeout"`
	BaselineSlots int             `toml:"baseline_slots"`
	Threads       int             `toml:"threads"`
	Federation    Federation      `toml:"federation"`
	Model         map[string]any  `toml:"model"`
	Loss          map[string]any  `toml:"loss"`
	LearningRate  *optim.Schedule `toml:"learning_rate"`
	Optimizer     optim.Config    `toml:"optimizer"`
	Training      Training        `toml:"training"`
	Expect        Expect          `toml:"expect"`
	Members       []Member        `toml:"member"`
	Perturbations []Perturbation  `toml:"perturbation"`
}

// Federation are the rules of the genesis.
type Federation struct {
	LocalSteps      int     `toml:"local_steps"`
	MinCohort       int     `toml:"min_cohort"`
	MinContributors int     `toml:"min_contributors"`
	Outer           string  `toml:"outer"`
	OuterRate       float64 `toml:"outer_rate"`
	OuterMomentum   float64 `toml:"outer_momentum"`
}

// Training are choices about the local steps.
type Training struct {
	BatchSize string  `toml:"batch_size"`
	MaxNorm   float64 `toml:"gradient_max_norm"`
	Precision string  `toml:"precision"`
}

// Expect is what a run is held to.
type Expect struct {
	ForceOfReference float64 `toml:"force_of_reference"`
	ForceOfLocal     float64 `toml:"force_of_local"`
}

// Member is one institution.
type Member struct {
	Name               string  `toml:"name"`
	Data               string  `toml:"data"`
	Convention         string  `toml:"convention"`
	ValidationFraction float64 `toml:"validation_fraction"`
}

// Perturbation is a fault to inject into one member.
type Perturbation struct {
	Member       string   `toml:"member"`
	Action       Action   `toml:"action"`
	Step         string   `toml:"step"`
	Round        int      `toml:"round"`
	RestartAfter Duration `toml:"restart_after"`
}

// Action is what happens to a member.
type Action string

const (
	Kill    Action = "kill"    // SIGKILL, and it stays away
	Pause   Action = "pause"   // it stands still for a while and goes on
	Restart Action = "restart" // SIGKILL, and a new process after a while
)

// Steps of a round at which a perturbation can happen, in their order.
func Steps() []string {
	return []string{"keys", "shares", "confirm", "mask", "survivors", "unmask", "sign"}
}

// Duration is a time span such as "90s" or "15m".
type Duration time.Duration

// UnmarshalText reads Go's notation.
func (d *Duration) UnmarshalText(text []byte) error {
	v, err := time.ParseDuration(string(text))
	*d = Duration(v)
	return err
}

// MarshalText is the inverse of UnmarshalText.
func (d Duration) MarshalText() ([]byte, error) { return []byte(time.Duration(d).String()), nil }

// Options for what a manifest does not say.
type Options struct {
	// Shared stands for ${FEDLAM_SHARED} when the environment does not set it.
	Shared string
}

// Read reads and completes a manifest. Paths in the result are absolute.
func Read(path string, opts Options) (*Manifest, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read manifest: %w", err)
	}
	base, err := filepath.Abs(filepath.Dir(path))
	if err != nil {
		return nil, fmt.Errorf("read manifest: %w", err)
	}
	m, err := Parse(text, base, opts)
	if err != nil {
		return nil, fmt.Errorf("%w %q: %w", ErrManifest, path, err)
	}
	return m, nil
}

// Parse is Read for a text whose relative paths start at base.
func Parse(text []byte, base string, opts Options) (*Manifest, error) {
	m := &Manifest{}
	meta, err := toml.Decode(string(text), m)
	if err != nil {
		return nil, err
	}
	for _, key := range meta.Undecoded() {
		if key[0] != "model" && key[0] != "loss" { // package dpa2 knows their keys
			return nil, fmt.Errorf("key %q means nothing; correct its spelling or remove it", key.String())
		}
	}
	if err := m.resolve(base, opts); err != nil {
		return nil, err
	}
	return m, m.validate()
}

// ModelConfig returns the checked architecture.
func (m *Manifest) ModelConfig() (*dpa2.Config, error) {
	return section(m.Model, dpa2.ParseConfig)
}

// LossConfig returns the checked loss.
func (m *Manifest) LossConfig() (dpa2.LossConfig, error) {
	return section(m.Loss, dpa2.ParseLoss)
}

// section gives a table to a reader of JSON. A missing table is an empty one.
func section[T any](table map[string]any, parse func([]byte) (T, error)) (out T, err error) {
	if table == nil {
		table = map[string]any{}
	}
	text, err := json.Marshal(table)
	if err != nil {
		return out, err
	}
	return parse(text)
}
