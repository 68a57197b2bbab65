package federation

import (
	"slices"
	"time"
)

// Members that cannot reach each other hear of each other by way of a third one, their helper.
//
//	ask      who still waits halfway between the time that a step usually takes and its deadline asks a member that has done its part
//	         in the step, and then others, at growing distances; a step that takes no longer than usual costs nothing
//	relay    who is asked by a member that has all of its own messages and lacks older ones of a third member passes that one's
//	         messages on as they come, for relayRounds rounds: steps then take two hops in place of one, and nobody needs to ask
//
// An ask is a Sync, and what is passed on was sent to all, or to this member too (mayHold). A member that claims to lack what it has gets
// each message of others once more from every member that it told so; asks are answered no more often than before (answer).

// relayRounds is how long messages are passed on after the last ask that showed that they get lost. Where the line works again, they
// arrive twice for that long.
const relayRounds = 8

// relayAge is how long a message must have been here before another member is believed to wait for it in vain: it may be on its way.
func (m *Machine) relayAge() time.Duration {
	return m.pace.median(typeKeys) + shortest(m.rules.StepTimeout)/4 + m.beat
}

// A waiting is a step that is not over.
type waiting struct {
	kind  string        // of the messages that all have to say in it
	since time.Time     // when this member began to wait
	early time.Duration // after that it asks
}

// awaits returns what this member waits for in the round, if it is waiting for others.
func (m *Machine) awaits(a *attempt) (w waiting, ok bool) {
	switch b := &m.r.ballot; {
	case b.open:
		return waiting{typeCommit, b.since, m.halfway(typeCommit, m.viewTime(b.view))}, true
	case a.phase == phaseJoined && a.roster == nil && !a.quorumAt.IsZero():
		return waiting{typeJoin, a.quorumAt, max(m.graceEnd(a).Sub(a.quorumAt)/2, m.halfway(typeKeys, m.stepTime(a, typeKeys)))}, true
	case awaited[a.phase] != "":
		kind := awaited[a.phase]
		return waiting{kind, a.since[kind], m.halfway(kind, m.stepTime(a, kind))}, true
	}
	return waiting{}, false
}

// halfway is when a step has taken longer than it usually does and some time is left until its deadline.
func (m *Machine) halfway(kind string, deadline time.Duration) time.Duration {
	return (m.pace.median(kind) + deadline) / 2
}

// askEarly asks around when a step takes longer than usual.
func (m *Machine) askEarly(a *attempt) {
	r := m.r
	w, ok := m.awaits(a)
	if !ok {
		return
	}
	if !r.askedFor.Equal(w.since) {
		r.askedFor, r.askedOnce, r.nextAsk = w.since, false, w.since.Add(w.early)
	}
	if m.now.Before(r.nextAsk) {
		return
	}
	if helper := m.pickHelper(a, w.kind, r.askedOnce); helper >= 0 {
		m.greet(helper)
	}
	r.askedOnce = true
	r.nextAsk = m.now.Add(m.now.Sub(w.since) / 2)
}

// pickHelper returns whom to ask: the last one if it can be, unless another one is wanted because that was in vain. Members that have
// not done their part in the step are what is waited for; so is the coordinator where its word is due.
func (m *Machine) pickHelper(a *attempt, kind string, another bool) int {
	leads := -1
	if a.phase == phaseJoined || a.phase == phaseMasked || a.phase == phaseHeads {
		leads = m.coordinator(a.number)
	}
	said := append(a.senders(kind), m.r.log.senders(kind)...)
	n, first := len(m.epoch.Members), m.helper
	if another {
		first++
	}
	for _, every := range []bool{false, true} {
		for k := range n {
			i := (first + k) % n
			if i != m.self && (every || i != leads && slices.Contains(said, i)) {
				m.helper = i
				return i
			}
		}
	}
	return -1
}

// A detour is what a member knows of messages of one member that do not reach another.
type detour struct {
	lacking int    // messages that were seen to be lacking
	until   uint64 // the last round in which messages are passed on; for as long again one more that is lacking makes it go on
}

// relaySigns is how many messages must be lacking: a single one may have been lost by chance.
const relaySigns = 2

// noteLacks looks into what another member says it has, and remembers whose messages do not reach it.
func (m *Machine) noteLacks(asker int, has map[have]bool) {
	lacks := map[int]int{}
	for s, a := range m.r.stored() {
		if !has[s.hash] && !m.now.Before(s.at.Add(m.relayAge())) && (a == nil || m.mayHold(a, s, asker)) {
			lacks[s.from]++
		}
	}
	if lacks[m.self] > 0 {
		return // it lacks more than what a third member's line should have carried
	}
	p := &m.peers[asker]
	if p.detours == nil {
		p.detours = map[MemberID]detour{}
	}
	for i, n := range lacks {
		id := m.epoch.Members[i].ID
		p.detours[id] = detour{p.detours[id].lacking + n, m.r.number + relayRounds}
	}
}

// relay passes a new message on to those whom its sender does not reach.
func (m *Machine) relay(a *attempt, s *stored) {
	for i := range m.peers {
		d, ok := m.peers[i].detours[s.env.From]
		switch {
		case !ok || i == s.from:
		case m.r.number > d.until+relayRounds:
			delete(m.peers[i].detours, s.env.From)
		case m.r.number <= d.until && d.lacking >= relaySigns && (a == nil || m.mayHold(a, s, i)):
			m.do(Send{m.epoch.Members[i].ID, m.r.number, [][]byte{s.raw}})
		}
	}
}
