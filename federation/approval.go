package federation

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/fedlam/fedlam/federation/ledger"
	"github.com/ipfs/go-cid"
)

// People decide who the members are. An owner consents to the document of a next epoch, and the member says so at the start of every round
// until the epoch ends. When a quorum of members say so for one document, and the epoch has lasted long enough, the outcome of the round is
// the record that ends it, which is voted for like any other: whoever holds the approvals has reason to, whether its own owner
// consented or not. Approvals are of one round, so that a consent that was replaced by another one does not count later.

// proposedEpoch is a document that owners consent to.
type proposedEpoch struct {
	epoch    *ledger.Epoch
	document []byte
	by       map[int]*stored
}

// An approval is: version, document of the epoch. Its sequence number is made from the document.
func encodeApproval(document []byte) []byte { return append([]byte{bodyVersion}, document...) }

// readEpoch reads the document of an epoch that may follow.
func (m *Machine) readEpoch(document []byte) (*ledger.Epoch, error) {
	if len(document) >= ledger.MaxBody {
		return nil, fmt.Errorf("%w: epoch of %d bytes", errBody, len(document))
	}
	next, err := ledger.DecodeEpoch(document)
	if err == nil {
		err = m.chain.CheckEpoch(next)
	}
	return next, err
}

// approve takes the owner's consent.
func (m *Machine) approve(e Approve) {
	next, err := m.readEpoch(e.Epoch)
	if err == nil && m.self < 0 {
		err = fmt.Errorf("this node is not a member: %s", m.outside())
	}
	if err != nil {
		m.tell(Warning, "the epoch cannot be approved: %v", err)
		return
	}
	m.approved = slices.Clone(e.Epoch)
	m.do(Persist{Set: []Entry{{[]byte(ApprovedKey), m.approved}}})
	m.tell(Info, "the owner approves of epoch %d, %s; it begins when %d of %d members do, after round %d at the earliest",
		next.K, next.CID(), m.quorum, len(m.epoch.Members), m.chain.RipeAt())
	m.sayApproval()
}

// sayApproval tells the others what the owner consents to. One that cannot follow any more is forgotten.
func (m *Machine) sayApproval() {
	if m.approved == nil || m.r == nil || m.halted {
		return
	}
	if _, err := m.readEpoch(m.approved); err != nil {
		m.approved = nil
		m.do(Persist{Delete: [][]byte{[]byte(ApprovedKey)}})
		return
	}
	m.say(typeApprove, roundLevel, seqOf(m.approved), encodeApproval(m.approved))
}

// onApprove files an approval.
func (m *Machine) onApprove(s *stored) error {
	if len(s.env.Body) < 2 || s.env.Body[0] != bodyVersion {
		return fmt.Errorf("%w: approval of %d bytes", errBody, len(s.env.Body))
	}
	document := s.env.Body[1:]
	c := ledger.CIDOf(document)
	p := m.r.proposals[c]
	if p == nil {
		next, err := m.readEpoch(document)
		if err == nil && s.env.Seq != seqOf(document) {
			err = fmt.Errorf("%w: approval under the number of another document", errBody)
		}
		if err != nil {
			return err
		}
		p = &proposedEpoch{next, document, map[int]*stored{}}
		m.r.proposals[c] = p
	}
	p.by[s.from] = s
	if len(p.by) == m.quorum {
		m.ratify(c, p)
	}
	return nil
}

// ratify notes that a quorum consents to an epoch: its record may be voted for once the epoch in force is old enough, and who joins with it may
// follow from now on.
func (m *Machine) ratify(c cid.Cid, p *proposedEpoch) {
	if m.chain.Ripe() {
		record := m.chain.NextEpoch(c)
		m.r.results[record.CID()] = &result{record: record, cid: record.CID(), weights: m.r.weights, state: m.r.state.set, epoch: p.document}
	}
	if m.awaited != nil && m.awaited.CID().Equals(c) {
		return
	}
	m.awaited = p.epoch
	m.tell(Info, "%d of %d members approve of epoch %d, %s: it begins after round %d at the earliest", len(p.by), len(m.epoch.Members), p.epoch.K, c, m.chain.RipeAt())
	m.tellMembers()
}

// turnToChange makes the end of the epoch this member's outcome of the round, when a quorum of owners want that and it is not bound by
// opened shares or a vote. It leaves the attempts at a sum.
func (m *Machine) turnToChange() bool {
	r := m.r
	if r.change.Defined() || r.own.Defined() || r.consumed {
		return false
	}
	record := m.wantedChange()
	if lock := r.ballot.lock.record; !record.Defined() || lock.Defined() && !lock.Equals(record) {
		return false
	}
	r.change, r.idle = record, true
	m.tell(Info, "the epoch is to end with this round: voting for that")
	if a := r.current(); a != nil {
		a.erase()
		if a.phase != phaseWaiting && a.phase != phaseOut && a.quits[m.self] == 0 {
			m.say(typeQuit, a.number, quitEpoch, encodeQuit(-1))
		}
		a.phase, a.deadline = phaseOut, time.Time{}
	}
	return true
}

// wantedChange returns the record of the epoch that a quorum wants, undefined when there is none. Of two, every member takes the
// same if it knows both.
func (m *Machine) wantedChange() (best cid.Cid) {
	for c, x := range m.r.results {
		if x.epoch != nil && (!best.Defined() || c.KeyString() < best.KeyString()) {
			best = c
		}
	}
	return best
}

// keepApprovals makes durable why this member votes for the end of the epoch: whoever is left after all were switched off can show it.
func (m *Machine) keepApprovals(x *result) {
	p := m.r.proposals[x.record.Next]
	m.note(Entry{[]byte(approvalsPrefix + x.record.Next.String()), encodeEnvelopes(nil, prove(p.by)...)})
}

// A Proposal is a next epoch that owners consent to.
type Proposal struct {
	Document []byte
	By       []string // names of the members whose owners do
	Own      bool     // this one's among them
}

// openProposals lists what this member has heard of in this round, and what its own owner consents to.
func (m *Machine) openProposals() (out []Proposal) {
	if m.r == nil {
		if m.approved != nil && m.self >= 0 {
			out = append(out, Proposal{m.approved, []string{m.epoch.Members[m.self].Name}, true})
		}
		return out
	}
	for _, c := range slices.SortedFunc(maps.Keys(m.r.proposals), func(a, b cid.Cid) int { return slices.Compare(a.Bytes(), b.Bytes()) }) {
		p := m.r.proposals[c]
		o := Proposal{Document: p.document, Own: p.by[m.self] != nil}
		for _, i := range slices.Sorted(maps.Keys(p.by)) {
			o.By = append(o.By, m.epoch.Members[i].Name)
		}
		out = append(out, o)
	}
	return out
}
