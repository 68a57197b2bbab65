package federation

import (
	"fmt"
	"strings"

	"github.com/fedlam/fedlam/federation/ledger"
	"github.com/ipfs/go-cid"
)

// TwoMemberNotice is what the owner is told about a head that only two members train together.
const TwoMemberNotice = "only two members share this head. Each can subtract its own update from the published sum and so learns the other's update of " +
	"this head in full, every round, and from it possibly something about the other's data. Anybody else sees the sum only. " +
	"A third member with the same convention would end this"

// introduce tells the owner at the start what others can learn, and what stays here.
func (m *Machine) introduce() {
	m.tell(Info, "federation %s, %d members, %d of them decide; %d rounds certified so far", m.cfg.Genesis.Name, len(m.epoch.Members), m.quorum, m.chain.Len())
	if n := len(m.epoch.Members); n < 5 {
		m.tell(Warning, "only %d members: all others together can learn this member's update by subtracting theirs from the sum. Five or more are advised", n)
	}
	if m.self < 0 {
		m.tell(Info, "%s", m.outside())
		return
	}
	if size := m.cohortOf(len(m.epoch.Members), m.rules.MinCohort); size > 0 {
		m.tell(Info, "updates are summed in random cohorts of %d members and more, of whose means the federation takes the %s; the sum of every cohort is public", size, m.rules.Robust)
	}
	shared := map[string]bool{}
	for _, key := range m.epoch.Shared() {
		shared[key] = true
	}
	for _, key := range m.epoch.Members[m.self].Heads {
		members := m.epoch.HeadMembers(key)
		switch {
		case !shared[key]:
			m.tell(Info, "head %s has %d of the %d members that the rules demand: it stays with this member and is never sent", key, len(members), m.rules.MinGroup)
		case len(members) == 2:
			m.tell(Warning, "head %s: %s", key, TwoMemberNotice)
		}
	}
}

// certified describes a finished round.
func certified(r *ledger.Round, cert *ledger.Certificate, e *ledger.Epoch) string {
	signed := fmt.Sprintf("certified by %d of %d members", len(cert.Signatures), len(e.Members))
	switch r.Kind {
	case ledger.Void:
		return "void, " + signed + "; weights are as before"
	case ledger.Change:
		return fmt.Sprintf("epoch %d ends, %s; epoch %s begins, and weights are as before", e.K, signed, r.Next)
	}
	var sums []string
	for _, g := range r.Groups {
		sums = append(sums, fmt.Sprintf("%s over %d", g.Name, len(g.Survivors)))
	}
	return fmt.Sprintf("%s round %s; summed %s; weights %s", r.Kind, signed, strings.Join(sums, ", "), r.WeightsOut)
}

// Status is a snapshot for people and for greetings.
type Status struct {
	Finished    uint64  // certified rounds; the newest has the number Finished-1
	Record      cid.Cid // of the newest certified round; undefined while there is none
	Certificate cid.Cid
	Weights     cid.Cid // newest certified; those of the genesis while there is none
	Attempt     uint64
	Activity    string // what the member is doing, in a few words
	Member      bool   // whether this node is in the epoch
	Epoch       *ledger.Epoch
	RipeAt      uint64 // the first round that may end the epoch
	Proposals   []Proposal
	Done        bool // Policy.Rounds are certified
	// Behind are the members not known to have finished as many rounds as this one. A driver that ends when Done
	// waits until it is empty, or for a while, so that they can.
	Behind []MemberID
}

// Closed says which elements too few members have for their rows to be summed, by index: every member keeps its own. Nil before the setup round
// is certified.
func (m *Machine) Closed() []bool {
	counts := m.chain.Elements()
	if counts == nil {
		return nil
	}
	out := make([]bool, len(counts))
	for e, n := range counts {
		out[e] = n < uint64(m.leastHolders())
	}
	return out
}

// Epoch returns the epoch of the round under way.
func (m *Machine) Epoch() *ledger.Epoch { return m.epoch }

// Status tells where the member stands.
func (m *Machine) Status() Status {
	s := Status{Finished: m.chain.Len(), Record: m.chain.LastCID(), Certificate: m.cert, Weights: m.chain.Weights(), Done: m.finishedAll(),
		Member: m.self >= 0, Epoch: m.epoch, RipeAt: m.chain.RipeAt(), Proposals: m.openProposals()}
	for i, p := range m.peers {
		if i != m.self && p.finished < s.Finished {
			s.Behind = append(s.Behind, m.epoch.Members[i].ID)
		}
	}
	s.Activity = m.activity()
	if m.r != nil {
		s.Attempt = m.r.attempt
	}
	return s
}

func (m *Machine) activity() string {
	switch {
	case m.halted:
		return "halted"
	case m.now.IsZero():
		return "starting"
	case m.self < 0:
		return m.outside()
	case m.r == nil:
		return "fetching certified weights"
	case m.finishedAll():
		return "all rounds done; answering others"
	case m.r.ballot.open:
		return "voting on the record"
	case m.r.forfeited:
		return "gave the round up; waiting for the others"
	}
	a := m.r.current()
	if a == nil || a.phase == phaseWaiting && !m.r.ready {
		if m.r.idle {
			return "looking on"
		}
		return phaseText[phaseWaiting]
	}
	return phaseText[a.phase]
}
