package federation

import (
	"errors"
	"slices"

	"github.com/fedlam/fedlam/federation/secagg"
)

// takePart does this member's next step in an attempt, when it is due, and says whether it did.
func (m *Machine) takePart(a *attempt) bool {
	if a == nil {
		m.track(m.r.attempt)
		return true
	}
	switch a.phase {
	case phaseWaiting:
		return m.mayJoin(a)
	case phaseJoined:
		return m.propose(a) || m.enter(a)
	case phaseKeys:
		return a.all(func(s *session) int { return len(s.keys) }) && m.each(a, phaseShares, m.dealShares)
	case phaseShares:
		return a.all(func(s *session) int { return len(s.shares) }) && m.each(a, phaseConfirmed, m.confirm)
	case phaseConfirmed:
		return a.all(func(s *session) int { return len(s.confirms) }) && m.mask(a)
	case phaseMasked:
		return m.tellHeld(a) || m.proposeSurvivors(a) || m.proposeFinal(a) || m.turnToHeads(a)
	case phaseHeads:
		return m.tellHeld(a) || m.tendHeads(a) || m.proposeFinal(a) || m.state(a)
	case phaseStated:
		return m.release(a)
	}
	return false
}

// all says whether every member of every own session has sent what count counts.
func (a *attempt) all(count func(s *session) int) bool {
	for _, s := range a.sessions {
		if s.member != nil && count(s) < len(s.members) {
			return false
		}
	}
	return true
}

func (m *Machine) mayJoin(a *attempt) bool {
	if !m.r.ready || m.r.idle || m.r.consumed || m.r.forfeited || m.now.Before(m.r.joinAt) {
		return false
	}
	if a.roster != nil && !slices.Contains(a.roster, m.self) {
		a.phase = phaseOut // too late for this attempt
		return true
	}
	m.join(a)
	return true
}

// enter makes the keys once the roster is known.
func (m *Machine) enter(a *attempt) bool {
	switch {
	case a.roster == nil:
		return false
	case !slices.Contains(a.roster, m.self):
		m.tell(Info, "attempt %d goes on without this member; looking on", a.number)
		m.lookOn(a)
		return true
	case len(a.roster) < m.cfg.Policy.MinCohort:
		m.tell(Warning, "%d members take part, and the owner's policy demands %d: nothing is sent", len(a.roster), m.cfg.Policy.MinCohort)
		m.quit(a, quitPolicy, -1)
		return true
	}
	for _, s := range a.sessions {
		if m.r.spent[s.key] {
			m.quit(a, quitSpent, -1)
			return true
		}
	}
	for _, s := range a.sessions {
		if s.self < 0 {
			continue
		}
		own := s.public
		if s.index == 0 {
			own.MinSurvivors = max(own.MinSurvivors, min(m.cfg.Policy.MinCohort, len(own.Roster)))
			if own.Cohorts = s.ownCohorts(m.cfg.Policy.MinCohort); own.Cohorts == nil && s.public.Cohorts != nil {
				m.tell(Warning, "this member's cohort has %d members, and the owner's policy demands sums over %d: nothing is sent", len(s.public.Cohorts[s.cohort(s.self)].Members), m.cfg.Policy.MinCohort)
				m.quit(a, quitPolicy, -1)
				return true
			}
		}
		member, err := secagg.NewMember(own, s.self, m.random())
		if err != nil {
			m.halt("start secure aggregation: %v", err)
			return true
		}
		s.member = member
		if s.index == 0 && m.auditsNorms() {
			member.KeepPairMasks()
		}
	}
	m.tell(Info, "attempt %d: %d members take part, coordinator %s", a.number, len(a.roster), m.name(m.coordinator(a.number)))
	return m.each(a, phaseKeys, func(s *session) (string, []byte, error) {
		keys := s.member.Keys()
		return typeKeys, keys.Encode(), nil
	})
}

// each takes one step in all own sessions and says what came of it.
func (m *Machine) each(a *attempt, next phase, step func(s *session) (string, []byte, error)) bool {
	for _, s := range a.sessions {
		if s.member == nil {
			continue
		}
		kind, body, err := step(s)
		if err != nil {
			m.abandon(a, s, err)
			return true
		}
		m.say(kind, a.number, uint64(s.index), body)
	}
	m.enterPhase(a, next, m.stepTime(a, awaited[next]))
	return true
}

func (m *Machine) dealShares(s *session) (string, []byte, error) {
	shares, err := s.member.Shares(s.keys)
	return typeShares, shares.Encode(), err
}

func (m *Machine) confirm(s *session) (string, []byte, error) {
	confirm, err := s.member.Confirm(s.shares)
	return typeConfirm, confirm.Encode(), err
}

// mask sends the masked inputs of all own sessions, after their roots are durable.
func (m *Machine) mask(a *attempt) bool {
	if m.splitView(a) {
		m.tell(Warning, "attempt %d ends here: not all members have seen the same messages", a.number)
		m.quit(a, quitStalled, -1)
		return true
	}
	inputs := map[int]secagg.Masked{}
	var written []Entry
	bytes := 0
	for _, s := range a.sessions {
		if s.member == nil {
			continue
		}
		values, err := m.values(a, s)
		if err == nil && m.cfg.Witness != nil {
			m.cfg.Witness(Contribution{m.r.number, a.number, s.name, s.cohort(s.self), s.public.ID, m.laneBits(), values})
		}
		if err == nil {
			inputs[s.index], err = s.member.Mask(values, s.confirms)
		}
		clear(values)
		if err != nil {
			m.abandon(a, s, err)
			return true
		}
		header := inputs[s.index].Header
		roster, root := secagg.RosterHash(s.public.Roster), header.Root()
		written = append(written, Entry{hexKey(maskPrefix, s.public.ID), append(roster[:], root[:]...)})
		bytes += m.laneBits() / 8 * s.public.Lanes
	}
	m.promise(written...)
	for _, s := range a.sessions {
		if input, ok := inputs[s.index]; ok {
			m.sendInput(a, s, input)
		}
	}
	copies := len(a.roster) - 1
	if m.rules.Owners > 0 {
		copies = min(copies, m.rules.Owners)
	}
	m.tell(Info, "sent the masked update of %.1f MiB, to %d members each part", float64(bytes)/(1<<20), copies)
	wait := m.stepTime(a, typeMasked)
	m.enterPhase(a, phaseMasked, 2*wait+m.stepTime(a, typeKeys)) // the coordinator waits once
	a.collect = m.now.Add(wait)
	m.tellFrom(a, wait)
	return true
}

// splitView says whether members confirmed different messages in a session, and remembers who differs from most: the next
// attempts are made without it.
func (m *Machine) splitView(a *attempt) (split bool) {
	for _, s := range a.sessions {
		votes := map[[32]byte]int{}
		for _, c := range s.confirms {
			votes[c.View]++
		}
		split = split || len(votes) > 1
		for k, c := range s.confirms {
			if 2*votes[c.View] < len(s.confirms) {
				m.r.odd[s.members[k]] = true
			}
		}
	}
	return split
}

// turnToHeads goes on once the coordinator has said whose inputs are summed.
func (m *Machine) turnToHeads(a *attempt) bool {
	if a.survivors == nil && a.final == nil {
		return false
	}
	wait := m.stepTime(a, typeOpenHead)
	m.enterPhase(a, phaseHeads, 2*wait+m.stepTime(a, typeFinal))
	a.collect, a.since[typeFinal] = m.now.Add(wait), m.now
	return true
}

// abandon leaves an attempt in which a step failed, naming who is accused if somebody is.
func (m *Machine) abandon(a *attempt, s *session, err error) {
	var complaint *secagg.Complaint
	if errors.As(err, &complaint) {
		m.quit(a, quitComplaint, s.members[complaint.Accused])
		return
	}
	m.tell(Warning, "attempt %d ends here: %v", a.number, err)
	m.quit(a, quitStalled, -1)
}

// quit leaves an attempt for the next.
func (m *Machine) quit(a *attempt, reason uint64, accused int) {
	m.say(typeQuit, a.number, reason, encodeQuit(accused))
	m.moveTo(a.number + 1)
}
