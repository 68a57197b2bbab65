package manifest

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/fedlam/fedlam/federation/ledger"
	"github.com/fedlam/fedlam/node/founding"
	"github.com/fedlam/fedlam/training"
	"github.com/fedlam/fedlam/training/dpa2"
	"github.com/fedlam/fedlam/training/optim"
)

const (
	maxMembers = 64
	maxRounds  = 100_000
)

// resolve makes paths absolute.
func (m *Manifest) resolve(base string, opts Options) error {
	if opts.Shared == "" {
		opts.Shared = nearestShared(base)
	}
	for i := range m.Members {
		p := &m.Members[i]
		data, err := expand(p.Data, opts)
		if err != nil {
			return fmt.Errorf("member %q: %w", p.Name, err)
		}
		p.Data, p.Convention = under(base, data), under(base, p.Convention)
	}
	return nil
}

// nearestShared looks for a folder "shared" beside base and beside every folder above it.
func nearestShared(base string) string {
	for dir := base; dir != filepath.Dir(dir); dir = filepath.Dir(dir) {
		shared := filepath.Join(filepath.Dir(dir), "shared")
		if info, err := os.Stat(shared); err == nil && info.IsDir() {
			return shared
		}
	}
	return ""
}

func under(base, path string) string {
	if path == "" || filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(base, path)
}

// expand replaces ${NAME} by variables of the environment.
func expand(text string, opts Options) (string, error) {
	var missing []string
	out := os.Expand(text, func(name string) string {
		v := os.Getenv(name)
		if v == "" && name == "FEDLAM_SHARED" {
			v = opts.Shared
		}
		if v == "" {
			missing = append(missing, name)
		}
		return v
	})
	if len(missing) > 0 {
		return "", fmt.Errorf("data = %q: the environment does not set %s", text, strings.Join(missing, ", "))
	}
	return out, nil
}

// validate fills defaults and refuses nonsense.
func (m *Manifest) validate() error {
	if m.Timeout == 0 {
		m.Timeout = Duration(15 * time.Minute)
	}
	if m.BaselineSlots == 0 {
		m.BaselineSlots = 2
	}
	switch {
	case !plain(m.Name):
		return errors.New("name is required; letters, digits, - and _, at most 50")
	case m.Rounds < 1 || m.Rounds > maxRounds:
		return fmt.Errorf("rounds is %d; want 1 to %d", m.Rounds, maxRounds)
	case m.Timeout < 0 || m.BaselineSlots < 0 || m.Threads < 0:
		return errors.New("timeout, baseline_slots and threads must not be negative")
	case m.Expect.ForceOfLocal < 0 || m.Expect.ForceOfReference < 0:
		return errors.New("[expect] holds factors; they must not be negative")
	}
	if err := m.checkMembers(); err != nil {
		return err
	}
	if err := m.checkPlan(); err != nil {
		return err
	}
	return m.checkPerturbations()
}

// checkPlan reads the founder's part as the founder will.
func (m *Manifest) checkPlan() error {
	text, err := m.PlanText()
	if err != nil {
		return err
	}
	plan, err := founding.ParsePlan(text)
	if err != nil {
		return err
	}
	if m.model, err = training.Section(m.Model, dpa2.ParseConfig); err != nil {
		return err
	}
	for _, s := range []dpa2.Sel{m.model.Descriptor.Repinit.NSel, m.model.Descriptor.Repinit.ThreeSel, m.model.Descriptor.Repformer.NSel} {
		if s.Auto != 0 {
			return errors.New("an nsel is \"auto\"; in a federation every nsel is a number, since members do not look at each other's data")
		}
	}
	if m.loss, err = training.Section(m.Loss, dpa2.ParseLoss); err != nil {
		return err
	}
	m.steps = int(ledger.DefaultRules().Steps)
	if plan.Rules.Steps != nil {
		m.steps = int(*plan.Rules.Steps)
	}
	schedule := *m.LearningRate
	schedule.NumSteps = m.Steps()
	if _, err := optim.NewSchedule(schedule); err != nil {
		return err
	}
	return m.checkCohort()
}

// checkCohort wants small numbers to be said, not to be a default.
func (m *Manifest) checkCohort() error {
	cohort, group := m.Rules.MinCohort, m.Rules.MinGroup
	switch {
	case cohort == nil || *cohort < 2 || *cohort > len(m.Members):
		return fmt.Errorf("rules.min_cohort must be given, from 2 to the number of members (%d): a sum of fewer than 5 lets members that collude learn much about the others", len(m.Members))
	case group == nil || *group < 2:
		return errors.New("rules.min_group must be given, at least 2: the sum of one member's values would be those values")
	}
	return nil
}

func (m *Manifest) checkMembers() error {
	if len(m.Members) < 3 || len(m.Members) > maxMembers {
		return fmt.Errorf("there are %d members; want 3 to %d [[member]] sections", len(m.Members), maxMembers)
	}
	seen := map[string]bool{}
	for _, p := range m.Members {
		switch {
		case !plain(p.Name):
			return fmt.Errorf("member %q: its name must have 1 to 50 letters, digits, - and _", p.Name)
		case seen[p.Name]:
			return fmt.Errorf("two members are called %q", p.Name)
		case p.Data == "" || p.Convention == "":
			return fmt.Errorf("member %q needs data and convention", p.Name)
		case !(p.ValidationFraction > 0 && p.ValidationFraction <= 0.5):
			return fmt.Errorf("member %q: validation_fraction is %g; want more than 0 and at most 0.5", p.Name, p.ValidationFraction)
		}
		seen[p.Name] = true
	}
	return nil
}

func (m *Manifest) checkPerturbations() error {
	for i, p := range m.Perturbations {
		if err := m.checkPerturbation(p); err != nil {
			return fmt.Errorf("perturbation %d: %w", i+1, err)
		}
		if err := m.checkOrder(m.Perturbations[:i], p); err != nil {
			return fmt.Errorf("perturbation %d: %w", i+1, err)
		}
	}
	return nil
}

// checkOrder compares a perturbation with the earlier ones of its member.
func (m *Manifest) checkOrder(earlier []Perturbation, p Perturbation) error {
	paused := false // since the process began
	for _, other := range earlier {
		if other.Member != p.Member {
			continue
		}
		switch {
		case other.Action == Kill:
			return fmt.Errorf("%q is killed by an earlier one for good", p.Member)
		case other.Round >= p.Round:
			return fmt.Errorf("those of %q must come in the order of their rounds, at most one a round", p.Member)
		}
		paused = other.Action == Pause
	}
	if paused && p.Action == Pause {
		return fmt.Errorf("%q stands still twice; one process does so once at most, restart it in between", p.Member)
	}
	return nil
}

func (m *Manifest) checkPerturbation(p Perturbation) error {
	switch {
	case !slices.ContainsFunc(m.Members, func(x Member) bool { return x.Name == p.Member }):
		return fmt.Errorf("no member is called %q", p.Member)
	case !slices.Contains(ProtocolSteps(), p.Step):
		return fmt.Errorf("step is %q; choose one of %s", p.Step, strings.Join(ProtocolSteps(), ", "))
	case p.Round < 1 || uint64(p.Round) > m.Rounds:
		return fmt.Errorf("round is %d; want 1 to %d", p.Round, m.Rounds)
	}
	switch p.Action {
	case Kill:
		if p.RestartAfter != 0 {
			return errors.New("a member that is killed does not come back; for that, action = \"restart\"")
		}
	case Pause, Restart:
		if p.RestartAfter <= 0 {
			return fmt.Errorf("action %s needs restart_after, such as \"3s\"", p.Action)
		}
	default:
		return fmt.Errorf("action is %q; choose kill, pause or restart", p.Action)
	}
	return nil
}

// plain tells whether a name can be that of a file.
func plain(name string) bool {
	return name != "" && len(name) <= 50 && strings.Trim(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_") == ""
}
