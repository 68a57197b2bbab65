package manifest

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/fedlam/fedlam/training/optim"
)

const (
	maxMembers = 64
	maxRounds  = 100_000
)

// resolve makes paths absolute.
func (m *Manifest) resolve(base string, opts Options) error {
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
	case m.LearningRate == nil:
		return errors.New("section [learning_rate] is required, with start_lr and stop_lr")
	case m.Expect.ForceOfLocal < 0 || m.Expect.ForceOfReference < 0:
		return errors.New("[expect] holds factors; they must not be negative")
	}
	if err := m.Federation.validate(len(m.Members)); err != nil {
		return err
	}
	if _, err := m.ModelConfig(); err != nil {
		return err
	}
	if _, err := m.LossConfig(); err != nil {
		return err
	}
	schedule := *m.LearningRate
	schedule.NumSteps = m.Steps()
	if _, err := optim.NewSchedule(schedule); err != nil {
		return err
	}
	if err := m.checkMembers(); err != nil {
		return err
	}
	return m.checkPerturbations()
}

// Steps returns the local steps of one member over all rounds.
func (m *Manifest) Steps() int { return m.Rounds * m.Federation.LocalSteps }

func (f *Federation) validate(members int) error {
	if f.LocalSteps == 0 {
		f.LocalSteps = 100
	}
	if f.Outer == "" {
		f.Outer = "nesterov"
	}
	switch {
	case f.LocalSteps < 0 || f.LocalSteps > 1_000_000:
		return fmt.Errorf("federation.local_steps is %d; want a positive number", f.LocalSteps)
	case f.Outer != "nesterov" && f.Outer != "fedavg":
		return fmt.Errorf("federation.outer is %q; choose nesterov or fedavg", f.Outer)
	case f.OuterRate < 0 || f.OuterMomentum < 0 || f.OuterMomentum >= 1:
		return errors.New("federation.outer_rate must be positive and outer_momentum below 1")
	case f.MinCohort < 2 || f.MinCohort > members:
		return fmt.Errorf("federation.min_cohort is %d; with %d members say 2 to %d: a sum of fewer than 5 lets members that collude learn much about the others", f.MinCohort, members, members)
	case f.MinContributors < 2:
		return fmt.Errorf("federation.min_contributors is %d; say at least 2: the sum of one member's values would be those values", f.MinContributors)
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
		for _, other := range m.Perturbations[:i] {
			if other.Member == p.Member && other.Action == Kill {
				return fmt.Errorf("perturbation %d: %q is killed by an earlier one for good", i+1, p.Member)
			}
			if other.Member == p.Member && other.Round >= p.Round {
				return fmt.Errorf("perturbation %d: those of %q must come in the order of their rounds, at most one a round", i+1, p.Member)
			}
		}
	}
	return nil
}

func (m *Manifest) checkPerturbation(p Perturbation) error {
	switch {
	case !slices.ContainsFunc(m.Members, func(x Member) bool { return x.Name == p.Member }):
		return fmt.Errorf("no member is called %q", p.Member)
	case !slices.Contains(Steps(), p.Step):
		return fmt.Errorf("step is %q; choose one of %s", p.Step, strings.Join(Steps(), ", "))
	case p.Round < 1 || p.Round > m.Rounds:
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
