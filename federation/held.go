package federation

import (
	"fmt"
	"slices"
	"time"
)

// holding is what an owner said it holds.
type holding struct {
	count uint64
	of    []bool // by member of the epoch
}

// tellHeld says whose chunks this member holds, of all that it should: when that is everybody's, or when time runs out, and again
// when it is more.
func (m *Machine) tellHeld(a *attempt) bool {
	for _, s := range a.sessions {
		if s.owned == nil || s.member == nil || !s.owned.duty[s.self] {
			continue
		}
		list, all := []int{}, true
		for k, i := range s.members {
			switch {
			case k == s.self:
			case s.masked[k] != nil && s.holds(k):
				list = append(list, i)
			case a.quits[i] == 0:
				all = false
			}
		}
		if s.owned.told != nil && slices.Equal(list, s.owned.told) || !all && m.now.Before(a.tellAt) {
			continue
		}
		s.owned.told = list
		s.owned.count++
		a.tellAt = m.now.Add(m.stepTime(a, typeMasked) / heldPart)
		m.say(typeHeld, a.number, uint64(s.index)<<32|s.owned.count, encodeIndices(list))
		return true
	}
	return false
}

// heldPart is how many times a member says what it holds in the time that masked inputs may take, at most.
const heldPart = 4

// tellFrom is when a member first says what it holds if something is missing.
func (m *Machine) tellFrom(a *attempt, wait time.Duration) {
	if m.rules.Owners > 0 {
		a.tellAt = m.now.Add(wait / 2)
	}
}

// onHeld files what an owner holds.
func (m *Machine) onHeld(a *attempt, e *stored) error {
	index, count := e.env.Seq>>32, uint64(uint32(e.env.Seq))
	if index >= uint64(len(a.sessions)) || a.sessions[index].owned == nil {
		return fmt.Errorf("%w: chunks held in session %d of %d", errBody, index, len(a.sessions))
	}
	s := a.sessions[index]
	place := slices.Index(s.members, e.from)
	list, err := decodeIndices(e.env.Body, len(m.epoch.Members))
	if err != nil || place < 0 {
		return fmt.Errorf("%w: chunks held of %s by a stranger to it: %w", errBody, s.name, err)
	}
	if was, ok := s.owned.held[place]; !ok || count > was.count {
		h := holding{count, make([]bool, len(m.epoch.Members))}
		for _, i := range list {
			h.of[i] = true
		}
		s.owned.held[place] = h
	}
	return nil
}

// usable says whether the masked input of a member can be part of a sum, as far as the coordinator knows.
func (a *attempt) usable(member int) bool {
	if a.sessions[0].owned == nil {
		return a.delivered(member)
	}
	return a.announced(member) && !a.silent(member)
}

// announced says whether the headers of a member are here, in all its sessions.
func (a *attempt) announced(member int) bool {
	return !slices.ContainsFunc(a.sessions, func(s *session) bool {
		k := slices.Index(s.members, member)
		return k >= 0 && s.masked[k] == nil
	})
}

// silent says whether an owner has not said what it holds.
func (a *attempt) silent(member int) bool {
	return slices.ContainsFunc(a.sessions, func(s *session) bool {
		k := slices.Index(s.members, member)
		if k < 0 || !s.owned.duty[k] {
			return false
		}
		_, said := s.owned.held[k]
		return !said
	})
}

// withoutConflicts leaves out members until every owner that is left holds all it should of everybody who is left. Who is in
// conflict with most goes first: an owner that claims to miss much, or a sender that sent little. Between one of each nobody
// can tell who is wrong; the order of the round decides, which is another one in the next.
func (m *Machine) withoutConflicts(a *attempt, members []int) []int {
	if m.rules.Owners == 0 {
		return members
	}
	members = slices.Clone(members)
	for {
		conflicts := a.conflicts(members)
		worst := -1
		for _, i := range m.r.order {
			if len(conflicts[i]) > 0 && (worst < 0 || len(conflicts[i]) > len(conflicts[worst])) {
				worst = i
			}
		}
		if worst < 0 {
			return members
		}
		members = slices.DeleteFunc(members, func(i int) bool { return i == worst })
	}
}

// conflicts lists, for each member, the others of which it misses a chunk or who miss one of it.
func (a *attempt) conflicts(members []int) map[int]map[int]bool {
	out := map[int]map[int]bool{}
	note := func(i, j int) {
		if out[i] == nil {
			out[i] = map[int]bool{}
		}
		out[i][j] = true
	}
	for _, s := range a.sessions {
		places := s.places(members)
		for c := range s.owned.order {
			for _, from := range places {
				for _, owner := range s.owned.recipients(c, from) {
					i, j := s.members[owner], s.members[from]
					if h, said := s.owned.held[owner]; said && slices.Contains(places, owner) && !h.of[j] {
						note(i, j)
						note(j, i)
					}
				}
			}
		}
	}
	return out
}

// listOf returns whose inputs are summed in a session, or nil before that is known.
func (a *attempt) listOf(s *session) []int {
	if s.index > 0 {
		return a.survivors
	}
	if a.final != nil {
		return a.final.members
	}
	return nil
}
