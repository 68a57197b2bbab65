package federation

import (
	"maps"
	"slices"

	"github.com/fedlam/fedlam/federation/ledger"
	"github.com/ipfs/go-cid"
)

// What a member does in the voting; the rules stand in ballot.go.

// proposer returns who offers a record in a view. In view 0 nobody does.
func (m *Machine) proposer(view uint64) int { return m.turn(view) }

// vote does what is due in the voting, and says whether it did anything.
func (m *Machine) vote() bool {
	if !m.openVoting() {
		return false
	}
	return m.followViews() || m.offer() || m.prepare() || m.commit() || m.endView()
}

// openVoting says whether this member votes yet: it has something to vote for, or more others vote than can be dishonest, or
// it has waited in vain for shares to be completed.
func (m *Machine) openVoting() bool {
	b := &m.r.ballot
	if b.open {
		return true
	}
	vain := m.inVain()
	if !vain && !m.value().Defined() && b.voters() <= m.spare() {
		return false
	}
	b.open = true
	m.enterView(b.view)
	if vain {
		b.deadline = m.now // there is nothing to wait for in this view
	}
	return true
}

// inVain says whether opened shares were not completed for so long that waiting is useless.
func (m *Machine) inVain() bool {
	r := m.r
	return !r.vain.IsZero() && !m.now.Before(r.vain.Add(m.patience())) && !m.concluding()
}

// concluding says whether a sum is open and its record under way, or being tried on the canary sets.
func (m *Machine) concluding() bool {
	for _, a := range m.r.attempts {
		if a.setup != nil {
			return true
		}
	}
	return m.judging()
}

// value returns the record that this member found, unless the canary sets speak against it, or that of the epoch that a quorum of owners
// wants next, or the void one if it knows that there cannot be another; else an undefined CID.
func (m *Machine) value() cid.Cid {
	if m.r.own.Defined() {
		return m.judgement()
	}
	if m.r.change.Defined() {
		return m.r.change
	}
	if m.r.mustVoid != "" {
		return m.r.void.cid
	}
	return cid.Undef
}

// result returns a record with all that it names, or nil when this member does not have that.
func (m *Machine) result(record cid.Cid) *result {
	if x := m.r.results[record]; x != nil {
		return x
	}
	if record.Equals(m.r.void.cid) {
		return m.r.void
	}
	return nil
}

// enterView begins a view.
func (m *Machine) enterView(view uint64) {
	b := &m.r.ballot
	b.view, b.asked, b.since, b.deadline = view, max(b.asked, view), m.now, m.now.Add(m.viewTime(view))
	if view > 0 {
		m.tell(Info, "voting on the round goes on in view %d; %s proposes", view, m.name(m.proposer(view)))
	}
}

// followViews enters the view that a quorum asked for, and asks for one that more ask for than can be dishonest.
func (m *Machine) followViews() bool {
	b := &m.r.ballot
	if view := b.reached(m.quorum); view > b.view {
		m.enterView(view)
		return true
	}
	if view := b.reached(m.spare() + 1); view > b.asked {
		m.say(typeNext, roundLevel, view, []byte{bodyVersion})
		return true
	}
	return false
}

// endView asks for the next view when time is up.
func (m *Machine) endView() bool {
	b := &m.r.ballot
	if b.asked > b.view || m.now.Before(b.deadline) {
		return false
	}
	m.tell(Info, "no certificate in view %d of the voting; asking for the next", b.view)
	m.say(typeNext, roundLevel, b.view+1, []byte{bodyVersion})
	return true
}

// offer is the proposer's task.
func (m *Machine) offer() bool {
	b := &m.r.ballot
	if b.view == 0 || m.proposer(b.view) != m.self || b.offers[b.view] != nil {
		return false
	}
	record, shown := m.value(), int64(-1)
	if best := b.newest(m.quorum); best.record.Defined() {
		record, shown = best.record, int64(best.view)
	}
	if !record.Defined() && m.judging() {
		return false
	}
	if !record.Defined() {
		record = m.r.void.cid
	}
	x := m.result(record)
	if x == nil { // whoever committed to it has it, and will offer it in turn
		record, shown = m.r.void.cid, -1
		if value := m.value(); value.Defined() {
			record = value
		}
		if x = m.result(record); x == nil {
			return false // its files are on their way from the own disk
		}
	}
	m.cast(typeOffer, encodeOffer(shown, x.record.Encode()))
	return b.offers[b.view] != nil
}

// prepare casts the first vote of the view.
func (m *Machine) prepare() bool {
	b := &m.r.ballot
	if b.prepared[b.view].Defined() {
		return false
	}
	o := b.offers[b.view]
	if b.view == 0 {
		o = &offer{cid: m.value(), shown: -1}
	}
	if o == nil || !o.cid.Defined() || !b.allows(o, m.quorum) || !m.reasonFor(o) {
		return false
	}
	x := m.result(o.cid)
	if x == nil {
		return false // voted for in an earlier life; its files are on their way from the own disk
	}
	m.forgoIfVoid(o.cid)
	m.keepFiles(x)
	m.cast(typePrepare, encodePrepare(o.cid))
	m.tell(Debug, "prepared record %s in view %d", o.cid, b.view)
	return true
}

// reasonFor says whether this member may prepare what is offered, locks apart.
func (m *Machine) reasonFor(o *offer) bool {
	void := o.cid.Equals(m.r.void.cid)
	if value := m.value(); value.Defined() && value.Equals(o.cid) {
		return true
	}
	if o.record != nil && o.record.Kind == ledger.Change {
		return m.result(o.cid) != nil // with the consent of a quorum of owners, and only then
	}
	shown := o.shown >= 0 && len(m.r.ballot.prepares[place{uint64(o.shown), o.cid}]) >= m.quorum
	if void && shown {
		return true
	}
	if !void && (shown || m.r.ballot.vouchers(o.cid) > m.spare() && !m.objects(o.cid)) {
		if m.result(o.cid) == nil {
			m.want(o.record)
			return false
		}
		return true
	}
	return void && !m.value().Defined() && !m.concluding()
}

// commit casts the second vote of the view: the record is locked, and what it names is durable first.
func (m *Machine) commit() bool {
	b := &m.r.ballot
	if b.committed[b.view].Defined() {
		return false
	}
	for p, by := range b.prepares {
		if p.view != b.view || len(by) < m.quorum {
			continue
		}
		x := m.result(p.record)
		if x == nil {
			return false
		}
		m.forgoIfVoid(p.record)
		m.keepFiles(x)
		m.keepLock(p)
		s := ledger.Sign(m.cfg.Key, m.self, p.view, p.record)
		m.cast(typeCommit, encodeCommit(s, p.record))
		m.tell(Debug, "committed to record %s in view %d", p.record, p.view)
		return true
	}
	return false
}

// keepFiles makes durable what a vote is for, once: the record and the files that it names.
func (m *Machine) keepFiles(x *result) {
	if len(x.files) == 0 && x.epoch == nil || x.kept {
		return
	}
	x.kept = true
	if x.epoch != nil {
		m.keepApprovals(x)
		return
	}
	m.do(Store{m.r.number, x.files})
	m.note(Entry{[]byte(candidatePrefix + x.cid.String()), x.record.Encode()})
}

// keepLock makes durable the prepares that show a lock to others.
func (m *Machine) keepLock(p place) {
	m.r.ballot.lock = p
	m.note(Entry{[]byte(lockKey), encodeLock(p, m.r.ballot.prepares[p])})
}

// cast says a vote or an offer in the own view, after it is durable.
func (m *Machine) cast(kind string, body []byte) {
	view := m.r.ballot.view
	m.sayPromised(roundLevel, kind, view, body, voteKey(kind, view))
}

// forgoIfVoid promises never to open shares of the trunk, before a vote for the void record.
func (m *Machine) forgoIfVoid(record cid.Cid) {
	if record.Equals(m.r.void.cid) && !m.r.consumed && !m.r.forfeited {
		m.forgo()
	}
}

// prove lists the envelopes of votes, by member.
func prove(by map[int]*stored) (out [][]byte) {
	for _, i := range slices.Sorted(maps.Keys(by)) {
		out = append(out, by[i].raw)
	}
	return out
}
