package federation

import (
	"fmt"
	"slices"

	"github.com/fedlam/fedlam/federation/ledger"
	"github.com/fedlam/fedlam/federation/secagg"
)

// proposeSurvivors is the coordinator's second and last task: when every masked input is here, or time is up, it says whose
// are summed, and which heads still have enough of them. From then on no coordinator is needed.
func (m *Machine) proposeSurvivors(a *attempt) bool {
	if m.coordinator(m.r.number, a.number) != m.self || a.survivors != nil {
		return false
	}
	var p proposal
	late := false
	for _, i := range a.roster {
		switch {
		case a.quits[i] != 0:
		case a.delivered(i):
			p.members = append(p.members, i)
		default:
			late = true
		}
	}
	if late && m.now.Before(a.deadline.Add(-m.rules.StepTimeout)) {
		return false
	}
	p.sessions = m.summable(a, p.members)
	if err := m.proposalFault(a, &p); err != nil {
		m.tell(Info, "attempt %d cannot go on: %v", a.number, err)
		m.quit(a, quitStalled, -1)
		return true
	}
	m.say(typeSurvivors, a.number, 0, p.encode())
	return true
}

// delivered says whether the masked inputs of a member are here, in all its sessions.
func (a *attempt) delivered(member int) bool {
	for _, s := range a.sessions {
		if slices.Contains(s.members, member) && !s.complete(member) {
			return false
		}
	}
	return true
}

// summable lists the sessions that have enough of the members.
func (m *Machine) summable(a *attempt, members []int) (out []int) {
	for _, s := range a.sessions {
		if len(s.among(members)) >= max(s.public.Threshold, s.public.MinSurvivors) {
			out = append(out, s.index)
		}
	}
	return out
}

// proposalFault says why nobody should agree to a proposal.
func (m *Machine) proposalFault(a *attempt, p *proposal) error {
	for _, i := range p.members {
		if !slices.Contains(a.roster, i) {
			return fmt.Errorf("%w: survivor %d is not in the roster", errBody, i)
		}
	}
	possible := m.summable(a, p.members)
	switch {
	case len(p.sessions) == 0 || p.sessions[0] != 0:
		return fmt.Errorf("too few masked inputs: %d of %d members", len(p.members), len(a.roster))
	case !slices.Equal(p.sessions, possible):
		return fmt.Errorf("%w: sums %v are proposed where %v have enough members", errBody, p.sessions, possible)
	case m.r.base.Kind == ledger.Setup && len(possible) < len(a.sessions):
		return fmt.Errorf("too few masked inputs: the setup round needs all %d sums", len(a.sessions))
	}
	return nil
}

func (m *Machine) onSurvivors(a *attempt, s *stored) error {
	if s.from != m.coordinator(m.r.number, a.number) {
		return fmt.Errorf("%w: survivors from somebody whose turn it is not", errBody)
	}
	p, err := decodeProposal(s.env.Body, len(m.epoch.Members), len(a.sessions))
	if err != nil {
		return err
	}
	if err := m.proposalFault(a, p); err != nil {
		return err
	}
	a.survivors = p
	return nil
}

// state agrees to the proposal, once all inputs it names are here: the statement is durable before it is said.
func (m *Machine) state(a *attempt) bool {
	p := a.survivors
	if p == nil {
		return false
	}
	if !slices.Contains(p.members, m.self) {
		m.tell(Info, "attempt %d is summed without this member; looking on", a.number)
		a.erase()
		a.phase, a.deadline = phaseOut, m.now.Add(m.patience())
		return true
	}
	for _, i := range p.members {
		if !a.delivered(i) {
			return false
		}
	}
	said := bundle{}
	for _, index := range p.sessions {
		s := a.sessions[index]
		if s.member == nil {
			continue
		}
		var list []int
		roots := map[int][32]byte{}
		for _, i := range s.among(p.members) {
			k := slices.Index(s.members, i)
			list = append(list, k)
			roots[k] = s.masked[k].Header.Root()
		}
		statement, err := s.member.Survive(list, roots)
		if err != nil {
			m.abandon(a, s, err)
			return true
		}
		said[index] = statement.Encode()
	}
	body := encodeStatement(p.encode(), said)
	digest := hashOf(body)
	m.promise(Entry{hexKey(statePrefix, m.sessionID(a.number)), digest[:]})
	m.say(typeStatement, a.number, 0, body)
	m.tell(Debug, "agreed to a sum over %d members", len(p.members))
	a.phase, a.deadline = phaseStated, m.now.Add(m.patience())
	return true
}

func (a *attempt) onStatement(s *stored, members int) error {
	text, p, bodies, err := decodeStatement(s.env.Body, members, len(a.sessions))
	if err != nil {
		return err
	}
	if !slices.Contains(a.roster, s.from) {
		return fmt.Errorf("%w: the sender is not in the roster", errBody)
	}
	a.statements[s.from] = &statement{text, p, bodies}
	return nil
}

// agreement is what a quorum of statements says: the proposal, and for each of its sessions the statements that agree.
type agreement struct {
	*proposal
	statements map[int]map[int]secagg.Survivors // by session, by place in it
}

// agreed returns the agreement of an attempt, or nil. There are never two: each has a quorum of all members behind it.
func (m *Machine) agreed(a *attempt) *agreement {
	votes := map[string]int{}
	for _, st := range a.statements {
		if votes[st.proposal]++; votes[st.proposal] >= m.quorum {
			if m.proposalFault(a, st.parsed) != nil {
				return nil
			}
			return a.collect(st)
		}
	}
	return nil
}

// collect gathers the equal statements of every session, nil when one has too few.
func (a *attempt) collect(of *statement) *agreement {
	g := &agreement{of.parsed, map[int]map[int]secagg.Survivors{}}
	for _, index := range of.parsed.sessions {
		s := a.sessions[index]
		equal := map[[32]byte]map[int]secagg.Survivors{}
		for _, i := range s.among(of.parsed.members) {
			st := a.statements[i]
			if st == nil || st.proposal != of.proposal {
				continue
			}
			v, err := secagg.DecodeSurvivors(st.bodies[index])
			k := slices.Index(s.members, i)
			if err != nil || v.Session != s.public.ID || v.From != k {
				continue
			}
			d := v.Digest()
			if equal[d] == nil {
				equal[d] = map[int]secagg.Survivors{}
			}
			equal[d][k] = v
			if len(equal[d]) >= s.public.Threshold {
				g.statements[index] = equal[d]
			}
		}
		if g.statements[index] == nil {
			return nil
		}
	}
	return g
}

// release opens the own shares in all sessions at once, when every one of them has its agreement. From here on the round is
// consumed: this member takes part in no other attempt at it.
func (m *Machine) release(a *attempt) bool {
	g := m.agreed(a)
	if g == nil || m.r.forfeited {
		return false
	}
	opened := bundle{}
	for _, index := range g.sessions {
		s := a.sessions[index]
		if s.member == nil {
			continue
		}
		unmask, err := s.member.Unmask(g.statements[index])
		if err != nil {
			m.abandon(a, s, err)
			return true
		}
		opened[index] = unmask.Encode()
	}
	a.erase()
	a.phase, a.deadline = phaseReleased, m.now.Add(m.patience())
	m.r.consumed = true
	m.sayReleased(a, encodeUnmask(opened))
	return true
}

// sayReleased is say for the one message that a restarted member has to repeat byte for byte.
func (m *Machine) sayReleased(a *attempt, body []byte) {
	e := &ledger.Envelope{Type: typeUnmask, Round: m.r.number, Attempt: a.number, Session: m.sessionID(a.number), Body: body}
	e.SignEnvelope(m.cfg.Key)
	raw := e.Encode()
	m.promise(Entry{[]byte(releaseKey), raw})
	m.accept(&stored{env: e, raw: raw, from: m.self, hash: hashOf(raw)})
	m.do(Broadcast{m.r.number, [][]byte{raw}})
}
