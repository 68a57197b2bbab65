package federation

import (
	"github.com/fedlam/fedlam/federation/ledger"
	"slices"
	"time"
)

func (m *Machine) onForfeit(s *stored) error {
	if err := emptyBody(s.env.Body); err != nil {
		return err
	}
	if !m.r.forfeits[s.from] && s.from != m.self {
		m.tell(Info, "%s gives the round up", m.name(s.from))
	}
	m.r.forfeits[s.from] = true
	return nil
}

// decideVoid does what is due about a round that was opened by some and cannot be completed, and says whether it did.
//
// A member that sees another's shares of the trunk open, has not opened its own and finds the sum not completed in time
// forfeits: it promises durably never to open any in this round. When so many have forfeited that no sum can ever be opened,
// all have reason to vote for the void record at once. When too few are left for that, the void record is voted for in a later view.
func (m *Machine) decideVoid() bool {
	r := m.r
	if r.own.Defined() || r.change.Defined() {
		return false
	}
	if r.mustVoid == "" && m.voidable() {
		m.giveUp("shares were opened that can no longer be completed")
		return true
	}
	if r.mustVoid != "" || !m.mustForfeit() {
		return false
	}
	m.tell(Info, "others opened shares that this member cannot complete: giving the round up")
	m.forgo()
	return true
}

// forgo promises never to open shares of the trunk in this round.
func (m *Machine) forgo() {
	r := m.r
	r.forfeited = true
	m.promise(Entry{[]byte(forfeitKey), []byte{1}})
	if a := r.current(); a != nil {
		a.erase()
		a.phase, a.deadline = phaseOut, time.Time{}
	}
	m.waitInVain()
	m.say(typeForfeit, roundLevel, 0, []byte{bodyVersion})
}

// waitInVain notes when opened shares, or the promise to open none, first bound this member to this round.
func (m *Machine) waitInVain() {
	if m.r.vain.IsZero() {
		m.r.vain = m.now
	}
}

// mustForfeit says whether waiting has become useless for this member.
func (m *Machine) mustForfeit() bool {
	r := m.r
	if r.consumed || r.forfeited {
		return false
	}
	if m.spoiled() {
		return true
	}
	if r.released.IsZero() {
		return false
	}
	for _, a := range r.attempts {
		if a.summed {
			return false // a result is there; signatures are all that is missing
		}
		if len(a.sessions) > 0 && len(a.sessions[0].unmasks) > 0 && a.quits[m.self] == quitRestarted {
			return true // this member's secrets in that attempt are gone
		}
	}
	return !m.now.Before(r.released.Add(m.rules.Forfeit))
}

// spoiled says whether a setup round cannot succeed any more because heads were opened in an attempt that failed: it needs
// all heads, and none is opened twice.
func (m *Machine) spoiled() bool {
	if m.r.base.Kind != ledger.Setup {
		return false
	}
	if a := m.r.current(); a != nil {
		for _, heads := range a.joins {
			if len(heads) > 0 {
				return true
			}
		}
	}
	return false
}

// voidable says whether so many members have forfeited that the trunk can never be opened in this round.
func (m *Machine) voidable() bool { return len(m.r.forfeits) > m.spare() }

// leaveDead goes on to the next attempt when the own one cannot be completed because members left it. Not once shares were seen
// open: then it is completed, or the round given up.
func (m *Machine) leaveDead(a *attempt) bool {
	r := m.r
	if a == nil || r.consumed || r.forfeited || !r.released.IsZero() || r.ballot.open || !m.dead(a) {
		return false
	}
	m.moveTo(a.number + 1)
	return true
}

func (m *Machine) dead(a *attempt) bool {
	coordinator := m.coordinator(a.number)
	switch {
	case a.roster == nil:
		return a.quits[coordinator] != 0
	case a.phase == phaseKeys || a.phase == phaseShares || a.phase == phaseConfirmed:
		return slices.ContainsFunc(a.roster, func(i int) bool { return a.quits[i] != 0 })
	case a.final == nil:
		return a.quits[coordinator] != 0 || len(a.remaining(a.roster)) < m.quorum
	}
	return len(a.remaining(a.final.members)) < m.quorum || a.uncoverable()
}

// remaining leaves out who has quit without having agreed to the final.
func (a *attempt) remaining(list []int) []int {
	return slices.DeleteFunc(slices.Clone(list), func(i int) bool { return a.quits[i] != 0 && a.statements[i] == nil })
}

// keepTime notices that an attempt takes too long, and asks others for what may have been lost.
func (m *Machine) keepTime(a *attempt) bool {
	if a == nil {
		return false
	}
	if a.roster == nil && len(a.present()) >= m.quorum {
		if a.quorumAt.IsZero() {
			a.quorumAt = m.now
		}
		if a.phase == phaseJoined {
			a.deadline = m.graceEnd(a)
			if _, leads := a.joins[m.coordinator(a.number)]; leads {
				a.deadline = a.deadline.Add(m.stepTime(a, typeKeys))
			}
		}
	}
	if m.expire(a) {
		return true
	}
	m.askEarly(a)
	if !m.now.Before(m.r.nextSync) {
		m.syncNext()
	}
	return false
}

// expire leaves an attempt that has stalled.
func (m *Machine) expire(a *attempt) bool {
	r := m.r
	if a.deadline.IsZero() || m.now.Before(a.deadline) || r.consumed || r.forfeited || !r.released.IsZero() || r.ballot.open {
		return false
	}
	m.tell(Warning, "attempt %d does not go on (%s); trying again with %s as coordinator", a.number, phaseText[a.phase],
		m.name(m.coordinator(a.number+1)))
	if a.phase == phaseOut || a.phase == phaseWaiting {
		m.moveTo(a.number + 1)
		return true
	}
	m.quit(a, quitStalled, a.missing(m.self))
	return true
}

// missing returns a member of the roster from whom this one still waits for what all have to say, or -1.
func (a *attempt) missing(self int) int {
	for _, s := range a.sessions {
		for k, i := range s.members {
			var said bool
			switch a.phase {
			case phaseKeys:
				_, said = s.keys[k]
			case phaseShares:
				_, said = s.shares[k]
			case phaseConfirmed:
				_, said = s.confirms[k]
			default:
				return -1
			}
			if !said && i != self && s.self >= 0 {
				return i
			}
		}
	}
	return -1
}

// holdsUp says whether a member's messages were missed in this round, by this member or by more than can be dishonest: attempts are made
// without it.
func (m *Machine) holdsUp(i int) bool {
	by := m.r.missed[i]
	return by[m.self] || len(by) > m.spare()
}

// patience is how long the last steps may take, in which waiting is cheaper than trying again.
func (m *Machine) patience() time.Duration { return m.rules.MaskTimeout + 2*m.rules.StepTimeout }

var phaseText = [...]string{
	phaseWaiting: "local work under way", phaseJoined: "waiting for the coordinator", phaseKeys: "waiting for keys",
	phaseShares: "waiting for key shares", phaseConfirmed: "waiting for key confirmations", phaseMasked: "waiting for masked updates",
	phaseHeads: "opening the heads", phaseStated: "waiting for agreement on who is in the sum", phaseReleased: "waiting for opened shares", phaseOut: "looking on",
}
