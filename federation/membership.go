package federation

import (
	"fmt"
	"slices"
)

// A machine may belong to a node that is not in the epoch: one that is about to join, or one that has left, was expelled or goes on
// under other keys. It has no round, says nothing and only follows what the others certify.

// enterEpoch takes over the members and rules in force. What is known of a member goes with its key.
func (m *Machine) enterEpoch() {
	before, peers, early := m.epoch, m.peers, m.early
	m.epoch = m.chain.Epoch
	m.rules, m.quorum, m.self = &m.epoch.Rules, m.epoch.Quorum(), m.epoch.Index(m.id)
	m.outer = NewOuter(m.rules)
	m.canaries.heads = watchedHeads(m.epoch)
	m.peers, m.early = make([]peer, len(m.epoch.Members)), map[int]*backlog{}
	for i, member := range m.epoch.Members {
		if before == nil {
			continue
		}
		if was := before.Index(member.ID); was >= 0 {
			m.peers[i] = peers[was]
			if early[was] != nil {
				m.early[i] = early[was]
			}
		}
	}
}

// endEpoch goes on with the members of the next epoch, and tells the owner.
func (m *Machine) endEpoch() {
	before, was := m.epoch, m.self
	m.enterEpoch()
	m.approved, m.awaited, m.lookTurn = nil, nil, 0
	for _, text := range m.epoch.Differences(before) {
		m.tell(Info, "epoch %d: %s", m.epoch.K, text)
	}
	switch {
	case m.self >= 0 && was < 0:
		m.introduce()
	case m.self < 0 && was >= 0:
		m.tell(Warning, "%s", m.outside())
	}
	m.tellMembers()
}

// tellMembers tells the driver whom to talk to.
func (m *Machine) tellMembers() {
	a := Members{Epoch: m.epoch}
	if m.awaited != nil {
		for _, member := range m.awaited.Members {
			if i := m.epoch.Index(member.ID); i < 0 || m.epoch.Members[i].Peer != member.Peer {
				a.Joining = append(a.Joining, member)
			}
		}
	}
	m.do(a)
}

// outside says why this node takes no part.
func (m *Machine) outside() string {
	for _, e := range slices.Backward(m.chain.Epochs()) {
		for _, r := range e.Rotated {
			if r.Old == m.id {
				return fmt.Sprintf("since epoch %d this member goes on under another key: run the node that has it; this one only looks on", e.K)
			}
		}
		if e.Index(m.id) >= 0 {
			return fmt.Sprintf("not a member since epoch %d: looking on, and answering who asks for finished rounds", e.K+1)
		}
	}
	return "not a member yet: following the others until the epoch with this node is certified"
}

// checkStranger refuses a node that no epoch has ever listed.
func (m *Machine) checkStranger() error {
	for _, e := range m.chain.Epochs() {
		if e.Index(m.id) >= 0 {
			return nil
		}
	}
	switch j := m.cfg.Joining; {
	case j == nil:
		return fmt.Errorf("federation: member %s is not in the genesis %s: ask who started the federation, or have a member propose an epoch with this node in it", m.id, m.genesis)
	case !j.Genesis.Equals(m.genesis) || j.Index(m.id) < 0:
		return fmt.Errorf("federation: the epoch %s does not make %s a member of %s: ask for the document with this node's card in it", j.CID(), m.id, m.genesis)
	}
	return nil
}

// lookOut asks one member after the other for finished rounds, which nobody sends to a node that is no member.
func (m *Machine) lookOut() {
	if m.halted || m.self >= 0 || m.now.Before(m.nextFetch) {
		return
	}
	list := m.epoch.Members
	if j := m.cfg.Joining; j != nil && j.K > m.epoch.K {
		list = j.Members
	}
	m.lookTurn = (m.lookTurn + 1) % len(list)
	if id := list[m.lookTurn].ID; id != m.id {
		m.askRounds(id)
	}
}

// tooFew says whether the epoch has fewer members than the owner demands of a sum; then this member only looks on and signs.
func (m *Machine) tooFew() bool {
	if len(m.epoch.Members) >= m.cfg.Policy.MinCohort {
		return false
	}
	m.r.idle = true
	m.tell(Warning, "the epoch has %d members, and the owner's policy demands %d: this member adds nothing", len(m.epoch.Members), m.cfg.Policy.MinCohort)
	return true
}

// fitResiduals drops error feedback of sums that have other numbers since members left.
func (m *Machine) fitResiduals(l *Layout) {
	for name, kept := range m.residuals {
		if len(kept.Values) != l.feedbackLen(name) {
			delete(m.residuals, name)
		}
	}
}
