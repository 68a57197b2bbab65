package federation

import (
	"iter"
	"time"

	"github.com/fedlam/fedlam/federation/ledger"
)

// syncEvery is how long nothing may arrive before this member asks another for what it lacks.
func (m *Machine) syncEvery() time.Duration { return max(m.rules.StepTimeout/8, time.Millisecond) }

// ask makes a Sync: hashes of all that this member has of the round under way.
func (m *Machine) ask() []byte {
	r := m.r
	var list []have
	for _, s := range r.log.order {
		list = append(list, s.hash)
	}
	for _, k := range r.tracked() {
		for _, s := range r.attempts[k].order {
			list = append(list, s.hash)
		}
	}
	r.syncSeq++
	e := &ledger.Envelope{Type: typeSync, Round: r.number, Attempt: roundLevel, Session: m.sessionID(roundLevel), Seq: r.syncSeq, Body: encodeSync(list)}
	e.SignEnvelope(m.cfg.Key)
	return e.Encode()
}

// syncAll asks everybody, after a start.
func (m *Machine) syncAll() { m.do(Broadcast{m.r.number, [][]byte{m.ask()}}) }

// syncNext asks one member after another while nothing arrives.
func (m *Machine) syncNext() {
	r := m.r
	r.nextSync = m.now.Add(m.syncEvery())
	if !m.quiet() || len(r.attempts) == 0 {
		return
	}
	r.syncTurn = (r.syncTurn + 1) % len(m.epoch.Members)
	if r.syncTurn == m.self {
		r.syncTurn = (r.syncTurn + 1) % len(m.epoch.Members)
	}
	m.greet(r.syncTurn)
}

// quiet says whether nothing new has arrived for a while. As long as something does, asking would bring it twice.
func (m *Machine) quiet() bool { return !m.now.Before(m.r.quietSince.Add(m.syncEvery())) }

// greet asks one member. To one that is behind it says where this member stands.
func (m *Machine) greet(member int) {
	if m.r != nil && member != m.self {
		m.do(Send{m.epoch.Members[member].ID, m.r.number, [][]byte{m.ask()}})
	}
}

// stored yields the messages of the round with their attempts, and last those that concern the whole round, with nil.
func (r *round) stored() iter.Seq2[*stored, *attempt] {
	return func(yield func(*stored, *attempt) bool) {
		for _, k := range r.tracked() {
			a := r.attempts[k]
			for _, s := range a.order {
				if !yield(s, a) {
					return
				}
			}
		}
		for _, s := range r.log.order {
			if !yield(s, nil) {
				return
			}
		}
	}
}

// answer sends what another member lacks, its own messages included: it may have lost them.
func (m *Machine) answer(s *stored) {
	p := &m.peers[s.from]
	if s.from == m.self || m.now.Before(p.nextAnswer) {
		return
	}
	has, err := decodeSync(s.env.Body)
	if err != nil {
		m.tell(Warning, "%s sent a sync that means nothing: %v", m.name(s.from), err)
		return
	}
	p.nextAnswer = m.now.Add(m.syncEvery() / 2)
	m.noteLacks(s.from, has)
	var out [][]byte
	for e, a := range m.r.stored() {
		if !has[e.hash] && (a == nil || m.mayHold(a, e, s.from)) {
			out = append(out, e.raw)
		}
	}
	if len(out) > 0 {
		m.do(Send{s.env.From, m.r.number, out})
	}
}

// reached meets a member that can be talked to now.
func (m *Machine) reached(e Reached) {
	i := m.epoch.Index(e.Member)
	if i < 0 || i == m.self {
		return
	}
	m.peers[i].finished = max(m.peers[i].finished, e.Finished)
	if e.Finished > m.chain.Len() {
		m.fetchRounds(i)
	}
	if e.Finished > 0 && e.Finished <= m.chain.Len() && e.Record.Defined() && !e.Record.Equals(m.records[e.Finished-1]) {
		m.do(FetchRounds{e.Member, e.Finished - 1}) // another history: see it, and halt if it is certified
	}
	if m.r != nil && m.quiet() {
		m.greet(i)
	}
}
