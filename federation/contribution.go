package federation

import (
	"fmt"
	"io"
	"math"
	"slices"

	"github.com/fedlam/fedlam/federation/ledger"
	"github.com/fedlam/fedlam/federation/secagg"
)

// values are what this member adds to a sum.
func (m *Machine) values(a *attempt, s *session) ([]uint32, error) {
	if m.r.layout == nil {
		return m.setupLanes(s.name, s.key, &m.r.sums)
	}
	q, err := m.r.state.coder(m.r.layout, s.name, m.rules, len(m.epoch.Members), s.peers(), s.public.ID)
	if err != nil {
		return nil, err
	}
	vector, err := m.r.layout.vector(s.name, m.r.update.Tensors, m.r.weights)
	if err != nil {
		return nil, err
	}
	before := m.residuals[m.r.layout.feedback(s.name)]
	if before != nil && before.Version != m.version() {
		before = nil // this member has missed a round
	}
	out, err := q.quantize(vector, m.weight(s.name), m.version(), before, m.random())
	a.residual[s.name] = out.residual
	if len(out.clipped) > 0 {
		m.tell(Info, "the update of %d parts of %s was longer than the federation allows and is shortened to that (%s)", len(out.clipped), s.name, out.clipped[0])
	}
	return out.lanes, err
}

// setupLanes are a member's statistics as exact lanes: for the trunk also one number per element, 1 if it has it.
func (m *Machine) setupLanes(name, key string, sums *SetupSums) ([]uint32, error) {
	values := sums.Heads[key]
	if name == ledger.TrunkGroup {
		values = slices.Clone(sums.Trunk)
		for _, has := range sums.Elements {
			one := 0.0
			if has {
				one = 1
			}
			values = append(values, one)
		}
	}
	wide, err := secagg.NewWide(len(m.epoch.Members))
	if err != nil {
		return nil, err
	}
	return wide.Encode(values)
}

func (m *Machine) weight(group string) float64 {
	if w, ok := m.r.update.Weight[group]; ok {
		return w
	}
	return 1
}

// random draws 32 secret bytes.
func (m *Machine) random() (out [32]byte) {
	if _, err := io.ReadFull(m.cfg.Random, out[:]); err != nil {
		m.halt("the source of randomness failed: %v", err) // nothing said after this leaves the machine
	}
	return out
}

// checkSums refuses sums that cannot be added up.
func (m *Machine) checkSums(s *SetupSums) error {
	switch {
	case len(s.Trunk) != m.cfg.SetupTrunk:
		return fmt.Errorf("%d statistics, want %d", len(s.Trunk), m.cfg.SetupTrunk)
	case len(s.Elements) != len(m.cfg.Genesis.Elements):
		return fmt.Errorf("%d elements, want %d", len(s.Elements), len(m.cfg.Genesis.Elements))
	}
	if _, err := m.setupLanes(ledger.TrunkGroup, "", s); err != nil {
		return err
	}
	for _, key := range m.ownHeads() {
		if len(s.Heads[key]) != m.cfg.SetupHead {
			return fmt.Errorf("normal equations of head %q have %d numbers, want %d", key, len(s.Heads[key]), m.cfg.SetupHead)
		}
		if _, err := m.setupLanes(ledger.HeadGroup(key), key, s); err != nil {
			return err
		}
	}
	return nil
}

// checkUpdate refuses an update that cannot be quantised.
func (m *Machine) checkUpdate(u *Update) error {
	for name, numbers := range u.Tensors {
		for k, v := range numbers {
			if f := float64(v); math.IsNaN(f) || math.IsInf(f, 0) {
				return fmt.Errorf("number %d of tensor %q is NaN or infinite: the local training diverged; lower its learning rate", k, name)
			}
		}
	}
	for group, w := range u.Weight {
		if !(w >= 0 && w <= 1) {
			return fmt.Errorf("the weight in %s is outside of [0,1]", group)
		}
	}
	for _, name := range m.groupNames() {
		if _, err := m.r.layout.vector(name, u.Tensors, m.r.weights); err != nil {
			return err
		}
	}
	return nil
}

// ownHeads lists the shared heads that this member uses.
func (m *Machine) ownHeads() (keys []string) {
	for _, key := range m.epoch.Shared() {
		if slices.Contains(m.epoch.HeadMembers(key), m.self) {
			keys = append(keys, key)
		}
	}
	return keys
}
