package manifest

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/BurntSushi/toml"

	"github.com/fedlam/fedlam/node/founding"
	"github.com/fedlam/fedlam/training/dpa2"
)

// ErrManifest is wrapped by every error about the contents of a manifest.
var ErrManifest = errors.New("bad manifest")

// Manifest describes a federation; the package comment shows one.
type Manifest struct {
	founding.Plan
	Timeout       Duration       `toml:"timeout"`
	BaselineSlots int            `toml:"baseline_slots"`
	Threads       int            `toml:"threads"`
	RecordInputs  bool           `toml:"record_inputs"`
	Expect        Expect         `toml:"expect"`
	Members       []Member       `toml:"member"`
	Perturbations []Perturbation `toml:"perturbation"`

	plan  map[string]any // the founder's part as it was written
	model *dpa2.Config
	loss  dpa2.LossConfig
	steps int
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

// ProtocolSteps are the steps of a round at which a perturbation can happen, in their order.
func ProtocolSteps() []string {
	return []string{"keys", "shares", "confirm", "mask", "survivors", "unmask", "prepare", "sign"}
}

// Duration is a time span such as "90s" or "15m".
type Duration time.Duration

// UnmarshalText reads Go's notation.
func (d *Duration) UnmarshalText(text []byte) error {
	v, err := time.ParseDuration(string(text))
	*d = Duration(v)
	return err
}

// Options for what a manifest does not say.
type Options struct {
	// Shared stands for ${FEDLAM_SHARED} when the environment does not set it. Default: the nearest folder "shared"
	// beside the manifest's folder or one of those above it.
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
	if _, err := toml.Decode(string(text), &m.plan); err != nil {
		return nil, err
	}
	for _, key := range []string{"timeout", "baseline_slots", "threads", "record_inputs", "expect", "member", "perturbation"} {
		delete(m.plan, key)
	}
	if err := m.resolve(base, opts); err != nil {
		return nil, err
	}
	return m, m.validate()
}

// PlanText returns the founder's plan as TOML.
func (m *Manifest) PlanText() ([]byte, error) {
	var b bytes.Buffer
	e := toml.NewEncoder(&b)
	e.Indent = ""
	if err := e.Encode(m.plan); err != nil {
		return nil, fmt.Errorf("write the founder's plan: %w", err)
	}
	return b.Bytes(), nil
}

// ModelConfig returns the checked architecture.
func (m *Manifest) ModelConfig() *dpa2.Config { return m.model }

// LossConfig returns the checked loss.
func (m *Manifest) LossConfig() dpa2.LossConfig { return m.loss }

// Steps returns the local steps of one member over all rounds.
func (m *Manifest) Steps() int { return int(m.Rounds) * m.steps }

// StepsPerRound returns the local steps of one member in a round.
func (m *Manifest) StepsPerRound() int { return m.steps }
