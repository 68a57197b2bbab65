package federation

import (
	"slices"
)

// Heads are opened before the trunk, and the coordinator's final says which of them are open: a head with few members, of
// which one goes away at the wrong moment, keeps its weights, and holds nobody up.

// proposeSurvivors is the coordinator's second task: when every masked input is here, or time is up, it says whose are
// summed in the heads.
func (m *Machine) proposeSurvivors(a *attempt) bool {
	if m.coordinator(a.number) != m.self || a.survivors != nil || len(a.sessions) == 1 {
		return false
	}
	usable, late := a.inTime()
	if late && m.now.Before(a.collect) {
		return false
	}
	members := m.withoutConflicts(a, usable)
	if len(members) < len(usable) && m.now.Before(a.collect) {
		return false
	}
	if err := m.listFault(a, members); err != nil {
		m.tell(Info, "attempt %d cannot go on: %v", a.number, err)
		m.quit(a, quitStalled, -1)
		return true
	}
	m.say(typeSurvivors, a.number, 0, encodeIndices(members))
	a.collect = m.now.Add(m.stepTime(a, typeOpenHead)) // for the heads to open
	return true
}

// inTime returns the members whose masked inputs can be summed, and whether others may still send theirs.
func (a *attempt) inTime() (members []int, late bool) {
	for _, i := range a.roster {
		switch {
		case a.quits[i] != 0:
		case a.usable(i):
			members = append(members, i)
		default:
			late = true
		}
	}
	return members, late
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

// tendHeads states and opens the own heads, and says whether it did anything.
func (m *Machine) tendHeads(a *attempt) bool {
	if a.survivors == nil || !slices.Contains(a.survivors, m.self) {
		return false
	}
	for _, s := range a.sessions[1:] {
		list := s.summed(a.survivors)
		if s.member == nil || !slices.Contains(list, m.self) || len(list) < s.need() || !s.ready(list) {
			continue
		}
		if !s.stated {
			return m.stateHead(a, s)
		}
		if !s.released && s.coveredBy(s.agreed()) {
			return m.openHead(a, s)
		}
	}
	return false
}

// stateHead agrees to the members that are summed in a head.
func (m *Machine) stateHead(a *attempt, s *session) bool {
	list, roots := s.inputs(a.survivors)
	statement, err := s.member.Survive(list, roots)
	if err != nil {
		m.abandon(a, s, err)
		return true
	}
	s.stated = true
	body := statement.Encode()
	digest := hashOf(body)
	m.promise(Entry{hexKey(statePrefix, s.public.ID), digest[:]})
	m.say(typeStateHead, a.number, uint64(s.index), body)
	return true
}

// openHead opens the own shares of a head. The head is spent: this member never opens it in another attempt at the round.
func (m *Machine) openHead(a *attempt, s *session) bool {
	unmask, err := s.member.Unmask(s.agreed())
	if err != nil {
		m.abandon(a, s, err)
		return true
	}
	s.released = true
	m.r.spent[s.key] = true
	m.sayPromised(a.number, typeOpenHead, uint64(s.index), unmask.Encode(), []byte(headPrefix+s.key))
	return true
}

// inputs are the places and the masked roots of members in a session.
func (s *session) inputs(members []int) (list []int, roots map[int][32]byte) {
	roots = map[int][32]byte{}
	for _, i := range s.summed(members) {
		k := slices.Index(s.members, i)
		list = append(list, k)
		roots[k] = s.masked[k].Header.Root()
	}
	return list, roots
}

// need is how many members a session goes on with.
func (s *session) need() int { return max(s.public.Threshold, s.public.MinSurvivors) }

// hopeless says whether a head can no longer be opened because members went away before they had done their part.
func (a *attempt) hopeless(s *session) bool {
	if s.cheat != nil || len(s.summed(a.survivors)) < s.need() {
		return true
	}
	left := 0
	for _, i := range s.summed(a.survivors) {
		if _, opened := s.unmasks[slices.Index(s.members, i)]; opened || a.quits[i] == 0 {
			left++
		}
	}
	return left < s.public.Threshold
}
