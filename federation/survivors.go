package federation

import (
	"fmt"
	"slices"

	"github.com/fedlam/fedlam/federation/ledger"
	"github.com/fedlam/fedlam/federation/secagg"
)

// proposeFinal is the coordinator's last task: when the heads are open, or will not be in time, it says whose inputs are
// summed in the trunk and which heads belong to the round. From then on no coordinator is needed.
func (m *Machine) proposeFinal(a *attempt) bool {
	if m.coordinator(a.number) != m.self || a.final != nil || len(a.sessions) > 1 && a.survivors == nil {
		return false
	}
	usable, late := a.inTime()
	waiting := false
	var heads []int
	for _, s := range a.sessions[1:] {
		switch x, _ := m.open(s); {
		case x != nil:
			heads = append(heads, s.head)
		case !a.hopeless(s):
			waiting = true
		}
	}
	if (waiting || len(a.sessions) == 1 && late) && m.now.Before(a.collect) {
		return false
	}
	members := m.withoutConflicts(a, usable)
	if len(a.sessions) == 1 && len(members) < len(usable) && m.now.Before(a.collect) {
		return false
	}
	p := &proposal{a.sessions[0].summed(members), heads}
	if err := m.finalFault(a, p); err != nil {
		m.tell(Info, "attempt %d cannot go on: %v", a.number, err)
		m.quit(a, quitStalled, -1)
		return true
	}
	m.say(typeFinal, a.number, 0, p.encode())
	return true
}

// listFault says why members cannot be those of a sum over the trunk.
func (m *Machine) listFault(a *attempt, members []int) error {
	for _, i := range members {
		if !slices.Contains(a.roster, i) {
			return fmt.Errorf("%w: member %d is not in the roster", errBody, i)
		}
	}
	if trunk := a.sessions[0]; len(trunk.summed(members)) < trunk.need() {
		return fmt.Errorf("too few masked inputs: %d of %d members, want %d", len(trunk.summed(members)), len(a.roster), trunk.need())
	}
	return nil
}

// finalFault says why nobody should agree to a final.
func (m *Machine) finalFault(a *attempt, p *proposal) error {
	for _, h := range p.heads {
		if a.headSession(h) == nil {
			return fmt.Errorf("%w: head %d is not summed in this attempt", errBody, h)
		}
	}
	if m.r.base.Kind == ledger.Setup && len(p.heads) < len(m.epoch.Shared()) {
		return fmt.Errorf("the setup round needs all %d heads, and %d are open", len(m.epoch.Shared()), len(p.heads))
	}
	if err := m.listFault(a, p.members); err != nil {
		return err
	}
	if thick := a.sessions[0].summed(p.members); len(thick) < len(p.members) {
		return fmt.Errorf("%w: members of cohorts of which too few are left are in the sum", errBody)
	}
	return nil
}

// headSession returns the session of a shared head, by its number, or nil.
func (a *attempt) headSession(head int) *session {
	for _, s := range a.sessions[1:] {
		if s.head == head {
			return s
		}
	}
	return nil
}

func (m *Machine) onSurvivors(a *attempt, s *stored) error {
	list, err := decodeIndices(s.env.Body, len(m.epoch.Members))
	if err == nil {
		err = m.listFault(a, list)
	}
	if err == nil {
		a.survivors = list
		for _, x := range a.sessions[1:] {
			m.sendToNew(a, x, list)
		}
	}
	return err
}

func (m *Machine) onFinal(a *attempt, s *stored) error {
	p, err := decodeProposal(s.env.Body, len(m.epoch.Members), len(m.epoch.Shared()))
	if err == nil {
		err = m.finalFault(a, p)
	}
	if err == nil {
		a.final = p
		m.sendToNew(a, a.sessions[0], p.members)
	}
	return err
}

// state agrees to the final, once the inputs and the heads it names are here. The statement is durable before it is said.
func (m *Machine) state(a *attempt) bool {
	p := a.final
	if p == nil {
		return false
	}
	if !slices.Contains(p.members, m.self) {
		m.tell(Info, "attempt %d is summed without this member; looking on", a.number)
		m.lookOn(a)
		return true
	}
	if !a.sessions[0].ready(p.members) || !m.allOpen(a, p.heads) {
		return false
	}
	trunk := a.sessions[0]
	list, roots := trunk.inputs(p.members)
	statement, err := trunk.member.Survive(list, roots)
	if err != nil {
		m.abandon(a, trunk, err)
		return true
	}
	body := encodeStatement(p.encode(), statement.Encode())
	digest := hashOf(body)
	m.promise(Entry{hexKey(statePrefix, trunk.public.ID), digest[:]})
	m.say(typeStatement, a.number, 0, body)
	m.tell(Debug, "agreed to a sum over %d members", len(p.members))
	m.enterPhase(a, phaseStated, m.pace.deadline(typeStatement, m.patience(), a.number))
	return true
}

func (m *Machine) allOpen(a *attempt, heads []int) bool {
	return !slices.ContainsFunc(heads, func(h int) bool {
		x, _ := m.open(a.headSession(h))
		return x == nil
	})
}

// lookOn ends this member's own part in an attempt that others may complete.
func (m *Machine) lookOn(a *attempt) {
	a.erase()
	m.enterPhase(a, phaseOut, m.patience())
}

// onStatement files a statement about the trunk under the final that it agrees with.
func (m *Machine) onStatement(a *attempt, s *stored) error {
	text, body, err := decodeStatement(s.env.Body)
	if err != nil {
		return err
	}
	p, err := decodeProposal(text, len(m.epoch.Members), len(m.epoch.Shared()))
	if err != nil {
		return err
	}
	if err := m.finalFault(a, p); err != nil {
		return err
	}
	v, err := secagg.DecodeSurvivors(body)
	from := slices.Index(a.roster, s.from)
	if err != nil || from < 0 || v.From != from || v.Session != a.sessions[0].public.ID {
		return fmt.Errorf("%w: statement of another session or sender: %w", errBody, err)
	}
	if listed := a.sessions[0].survivors(map[int]secagg.Survivors{from: v}); !slices.Equal(listed, p.members) || !slices.Contains(listed, s.from) {
		return fmt.Errorf("%w: the statement and the final it agrees with name different members", errBody)
	}
	a.statements[s.from] = &statement{string(text), p, v}
	m.noteReleased(a)
	return nil
}

// agreement returns the final that a quorum agrees with, or nil, and files the equal statements in the trunk's session.
func (m *Machine) agreement(a *attempt) *proposal {
	votes := map[string]int{}
	for _, st := range a.statements {
		if votes[st.text]++; votes[st.text] < m.quorum {
			continue
		}
		a.sessions[0].statements = map[int]secagg.Survivors{}
		for i, other := range a.statements {
			if other.text == st.text {
				a.sessions[0].statements[slices.Index(a.roster, i)] = other.said
			}
		}
		if a.sessions[0].agreed() != nil {
			return st.final
		}
	}
	return nil
}

// release opens the own shares of the trunk. From here on the round is consumed: this member takes part in no other
// attempt at it.
func (m *Machine) release(a *attempt) bool {
	trunk := a.sessions[0]
	if m.r.forfeited || m.agreement(a) == nil {
		return false
	}
	agreed := trunk.agreed()
	if !trunk.coveredBy(agreed) {
		m.waitForOwners(a)
		return false
	}
	unmask, err := trunk.member.Unmask(agreed)
	if err != nil {
		m.abandon(a, trunk, err)
		return true
	}
	if m.auditsNorms() {
		in := trunk.places(trunk.survivors(agreed))
		trunk.pairs, trunk.seeds = trunk.member.PairMasks(in), trunk.member.PairSeeds(in)
	}
	a.erase()
	m.enterPhase(a, phaseReleased, m.patience())
	m.r.consumed = true
	m.waitInVain()
	m.keepAgreement(a)
	m.sayPromised(a.number, typeUnmask, 0, unmask.Encode(), []byte(releaseKey))
	return true
}

// keepAgreement makes durable why this member opens its shares: the roster and the statements of a quorum. Should everybody lose
// everything else, others must believe that the round is consumed.
func (m *Machine) keepAgreement(a *attempt) {
	var proof [][]byte
	for _, s := range a.order {
		if s.env.Type == typeRoster && s.from == m.coordinator(a.number) || s.env.Type == typeStatement {
			proof = append(proof, s.raw)
		}
	}
	m.note(Entry{[]byte(agreementKey), encodeEnvelopes(nil, proof...)})
}

// sayPromised is say for messages that a restarted member repeats byte for byte: opened shares and votes.
func (m *Machine) sayPromised(attempt uint64, kind string, seq uint64, body, key []byte) {
	e := &ledger.Envelope{Type: kind, Round: m.r.number, Attempt: attempt, Session: m.sessionID(attempt), Seq: seq, Body: body}
	e.SignEnvelope(m.cfg.Key)
	raw := e.Encode()
	m.promise(Entry{key, raw})
	m.accept(&stored{env: e, raw: raw, from: m.self, hash: hashOf(raw)})
	m.do(Broadcast{m.r.number, [][]byte{raw}})
}
