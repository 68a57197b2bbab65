package federation

import (
	"slices"
	"time"
)

// A pace learns how long the members take for each step and sets deadlines from that: the median of past arrivals plus pacePatience
// times their median absolute deviation, scaled to the standard deviation of a normal distribution. The time that the rules allow is
// the most, and what counts until enough is known.
type pace struct {
	seen map[string][]time.Duration // newest arrivals of each kind of message, since the step began
}

const (
	paceWindow   = 64 // arrivals that count
	paceEnough   = 12 // arrivals before the rules' time is undercut
	pacePatience = 8
	madToSigma   = 1.4826
	paceFloor    = 2 * time.Second // no deadline is shorter, nor than pacePart of the rules' time if that is less
	pacePart     = 8
)

func newPace() *pace { return &pace{seen: map[string][]time.Duration{}} }

// note takes the arrival of a message that a member waits for.
func (p *pace) note(kind string, after time.Duration) {
	list := append(p.seen[kind], max(after, 0))
	p.seen[kind] = list[max(0, len(list)-paceWindow):]
}

// deadline returns how long to wait for a kind of message, when the rules allow that long at most. Every attempt or view
// that failed doubles it.
func (p *pace) deadline(kind string, most time.Duration, failed uint64) time.Duration {
	list := slices.Sorted(slices.Values(p.seen[kind]))
	if len(list) < paceEnough {
		return most
	}
	median := list[len(list)/2]
	for k := range list {
		list[k] = (list[k] - median).Abs()
	}
	slices.Sort(list)
	deviation := time.Duration(madToSigma * float64(list[len(list)/2]))
	wait := max(median+pacePatience*deviation, shortest(most))
	return min(most, wait<<min(failed, 10))
}

// median returns how long half of the past arrivals of a kind of message took at most, 0 while too little is known.
func (p *pace) median(kind string) time.Duration {
	list := slices.Sorted(slices.Values(p.seen[kind]))
	if len(list) < paceEnough {
		return 0
	}
	return list[len(list)/2]
}

// shortest is the shortest deadline where the rules allow that long.
func shortest(most time.Duration) time.Duration { return min(paceFloor, most/pacePart) }

// viewTime is how long a view of the voting may take. It doubles with every view, beyond what the rules allow for one step:
// in the end it is long enough for whatever network there is.
func (m *Machine) viewTime(view uint64) time.Duration {
	return m.pace.deadline(typeCommit, m.rules.StepTimeout, 0) << min(view, 16)
}

// stepTime is how long this member waits for the others in a step of an attempt. Rosters and survivors come too
// rarely to learn from: the time for keys stands for them.
func (m *Machine) stepTime(a *attempt, kind string) time.Duration {
	most := m.rules.StepTimeout
	if kind == typeMasked {
		most = m.rules.MaskTimeout
	}
	return m.pace.deadline(kind, most, a.number)
}

// awaited is the kind of message that a member waits for in each phase.
var awaited = map[phase]string{
	phaseKeys: typeKeys, phaseShares: typeShares, phaseConfirmed: typeConfirm, phaseMasked: typeMasked,
	phaseHeads: typeOpenHead, phaseStated: typeStatement, phaseReleased: typeUnmask,
}

// arrived notes how long a member had to wait for a message. Also what comes after the attempt was left counts: deadlines that were
// too short grow.
func (m *Machine) arrived(a *attempt, kind string) {
	if since, ok := a.since[kind]; ok && (kind != typeJoin || a.number == 0) {
		m.pace.note(kind, m.now.Sub(since))
	}
}

// timeArrival notes a message of another member, masked inputs when they are complete.
func (m *Machine) timeArrival(a *attempt, s *stored) {
	switch kind := s.env.Type; kind {
	case typeChunk:
		if a.delivered(s.from) {
			m.arrived(a, typeMasked)
		}
	case typeMasked:
	default:
		m.arrived(a, kind)
	}
}

// enterPhase begins to wait for the messages of a phase.
func (m *Machine) enterPhase(a *attempt, next phase, patience time.Duration) {
	a.phase, a.deadline = next, m.now.Add(patience)
	if kind := awaited[next]; kind != "" {
		a.since[kind] = m.now
	}
}
