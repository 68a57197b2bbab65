package federation

import (
	"slices"

	"github.com/fedlam/fedlam/federation/ledger"
	"github.com/fedlam/fedlam/federation/secagg"
	"github.com/fedlam/fedlam/training/weights"
)

// What the machine does so that local training goes on across rounds (rule fragments). The numbers of a fragment wait several rounds for
// their turn, so nothing that belongs to one may be lost in the rounds of others.

// layOut lays out certified weights by the rules.
func (m *Machine) layOut(w *weights.Set, counts []uint64) (*Layout, error) {
	l, err := NewLayout(w, m.epoch.Shared(), counts, m.leastHolders())
	if err != nil {
		return nil, err
	}
	return l.Divide(m.rules.Fragments)
}

// leastHolders is how many members must have an element for its row to be summed. Who has it is secret, and a coordinator may leave out as many members
// as a sum can do without: the minimum must remain if all of those have it.
func (m *Machine) leastHolders() int {
	n := len(m.epoch.Members)
	smallest := max(m.quorum, m.rules.MinCohort)
	if size := m.cohortOf(n, m.rules.MinCohort); size > 0 {
		smallest = leastOf(size, m.rules.MinCohort)
	}
	return m.rules.MinGroup + n - smallest
}

// trainAhead keeps the trainer busy while the update that it has handed over is summed.
func (m *Machine) trainAhead() {
	last := m.cfg.Policy.Rounds > 0 && m.chain.Len()+1 >= m.cfg.Policy.Rounds
	if m.rules.Streams() && m.r.base.Kind == ledger.Train && !last {
		m.do(TrainAhead{int(m.rules.Steps)})
	}
}

// summed says whether this member's numbers are in the certified sum of a group.
func (m *Machine) summed(record *ledger.Round, group string) bool {
	return slices.ContainsFunc(record.Groups, func(g ledger.Group) bool {
		return g.Name == group && slices.Contains(g.Survivors, uint64(m.self))
	})
}

// noteTaken remembers for the next Install in which stretches the certified sums contain the own update.
func (m *Machine) noteTaken(last *ledger.Round) {
	if !m.rules.Streams() || last.Kind != ledger.Train {
		return
	}
	for _, group := range m.groupNames() {
		if m.summed(last, group) {
			m.taken = append(m.taken, m.r.layout.Slices(group)...)
		}
	}
}

// carryResiduals moves error feedback on to the next round: what the certified sum contains was rounded, and the rest is
// carried; what it does not contain is carried as before. That of other fragments waits for their turn, also through rounds that this member
// missed.
func (m *Machine) carryResiduals(last *ledger.Round) {
	at := secagg.Version{Round: last.R, Chain: digestOf(last.Prev)}
	if m.r == nil && !m.rules.Streams() {
		return // a round was missed, and what was left over is too old
	}
	if m.r != nil && m.r.layout != nil {
		for _, group := range m.groupNames() {
			if !m.summed(last, group) {
				continue
			}
			key := m.r.layout.feedback(group)
			delete(m.residuals, key)
			if a := m.r.attempts[last.Attempt]; a != nil && a.residual[group] != nil {
				m.residuals[key] = a.residual[group]
			}
		}
	}
	for key, kept := range m.residuals {
		if kept.Version != at {
			delete(m.residuals, key)
			continue
		}
		kept.Advance(digestOf(m.chain.LastCID()))
	}
}
