package federation

import (
	"fmt"
	"slices"
	"time"

	"github.com/fedlam/fedlam/federation/ledger"
)

// propose is the coordinator's first task: when everybody is ready, or a quorum is and the grace is over, it names the roster.
func (m *Machine) propose(a *attempt) bool {
	if m.coordinator(a.number) != m.self || a.phase != phaseJoined || a.roster != nil {
		return false
	}
	all := a.present()
	if len(all) < len(m.epoch.Members) && (a.quorumAt.IsZero() || m.now.Before(m.graceEnd(a))) {
		return false
	}
	for _, list := range [][]int{m.withoutQuarrel(all, a.number), all} {
		p := &proposal{list, m.possibleHeads(a, list)}
		if m.rosterFault(p) == nil {
			m.say(typeRoster, a.number, 0, p.encode())
			return true
		}
	}
	return false
}

// graceEnd is until when members that are not ready yet are waited for: as long as they usually take, and at most the grace of the
// rules after a quorum is ready.
func (m *Machine) graceEnd(a *attempt) time.Time {
	if a.number > 0 { // who takes part in the round is ready since the first attempt
		return a.quorumAt.Add(min(m.rules.JoinGrace, m.stepTime(a, typeKeys)))
	}
	since := a.since[typeJoin]
	end := since.Add(m.pace.deadline(typeJoin, a.quorumAt.Add(m.rules.JoinGrace).Sub(since), 0))
	if least := a.quorumAt.Add(shortest(m.rules.StepTimeout)); end.Before(least) {
		return least
	}
	return end
}

// possibleHeads lists the shared heads that enough of the members use and none of them has opened in this round.
func (m *Machine) possibleHeads(a *attempt, members []int) (out []int) {
	for h, key := range m.epoch.Shared() {
		spent := func(i int) bool { return slices.Contains(a.joins[i], h) }
		if list := m.headMembers(key, members); list != nil && !slices.ContainsFunc(members, spent) {
			out = append(out, h)
		}
	}
	return out
}

// spentHeads lists the shared heads whose shares this member has opened in this round.
func (m *Machine) spentHeads() (out []int) {
	for h, key := range m.epoch.Shared() {
		if m.r.spent[key] {
			out = append(out, h)
		}
	}
	return out
}

// present returns who has joined and not quit.
func (a *attempt) present() (out []int) {
	for i := range a.joins {
		if a.quits[i] == 0 {
			out = append(out, i)
		}
	}
	slices.Sort(out)
	return out
}

// withoutQuarrel leaves out who was proven to cheat, who saw other messages than the rest or held attempts up, whose messages are wrong
// as more say than can be dishonest, and one side of every other complaint, by turns: it does not say which side is wrong.
func (m *Machine) withoutQuarrel(list []int, attempt uint64) []int {
	return slices.DeleteFunc(slices.Clone(list), func(i int) bool {
		if m.shuns(i) || m.r.odd[i] || m.holdsUp(i) || m.blamed(i) || m.barred[m.epoch.Members[i].ID] == m.r.number && m.r.number > 0 {
			return true
		}
		for pair := range m.r.complains {
			if pair[attempt%2] == i && !m.blamed(pair[0]) && !m.blamed(pair[1]) {
				return true
			}
		}
		return false
	})
}

// blamed says whether more members than can be dishonest complained of a member in this round. What it says of others counts for nothing:
// who deals wrongly towards all could complain of all, and nobody would be left.
func (m *Machine) blamed(i int) bool {
	by := 0
	for pair := range m.r.complains {
		if pair[1] == i {
			by++
		}
	}
	return by > m.spare()
}

// rosterFault says why a proposal cannot be a roster.
func (m *Machine) rosterFault(p *proposal) error {
	shared := m.epoch.Shared()
	if least := max(m.quorum, m.rules.MinCohort); len(p.members) < least {
		return fmt.Errorf("%w: roster of %d members, want at least %d", errBody, len(p.members), least)
	}
	if m.r.base.Kind == ledger.Setup && len(p.heads) < len(shared) {
		return fmt.Errorf("%w: the setup round needs all %d shared heads", errBody, len(shared))
	}
	for _, h := range p.heads {
		if m.headMembers(shared[h], p.members) == nil {
			return fmt.Errorf("%w: too few members in the roster use head %q", errBody, shared[h])
		}
	}
	return nil
}

// onRoster begins the sums of an attempt.
func (m *Machine) onRoster(a *attempt, s *stored) error {
	p, err := decodeProposal(s.env.Body, len(m.epoch.Members), len(m.epoch.Shared()))
	if err == nil {
		err = m.rosterFault(p)
	}
	if err == nil {
		err = m.openSessions(a, p)
	}
	if err != nil {
		return err
	}
	for _, waiting := range slices.Clone(a.order) {
		if needsRoster(waiting.env.Type) {
			if err := m.dispatch(a, waiting); err != nil {
				m.tell(Warning, "%s sent a message of type %s that means nothing: %v", m.name(waiting.from), waiting.env.Type, err)
			}
		}
	}
	return nil
}

func needsRoster(kind string) bool {
	return kind != typeJoin && kind != typeQuit && kind != typeRoster
}
