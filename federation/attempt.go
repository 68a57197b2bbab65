package federation

import (
	"encoding/binary"
	"fmt"
	"slices"
	"time"

	"github.com/fedlam/fedlam/federation/ledger"
	"github.com/fedlam/fedlam/federation/secagg"
)

// phase is how far this member has come in an attempt.
type phase int

const (
	phaseWaiting   phase = iota // local work under way, or not allowed to join
	phaseJoined                 // said so; waits for the roster
	phaseKeys                   // sent keys; waits for those of everybody in the roster
	phaseShares                 // dealt shares; likewise
	phaseConfirmed              // confirmed; likewise
	phaseMasked                 // sent its masked input; waits for the survivors to be proposed
	phaseStated                 // agreed to the survivors; waits for a quorum of equal statements
	phaseReleased               // opened shares; waits for a quorum of others
	phaseOut                    // not in the roster or the sum, or has quit: looks on
)

// An attempt is one try at the sums of a round, under one coordinator.
type attempt struct {
	number uint64
	transcript
	joins    map[int]bool
	quits    map[int]uint64 // reasons
	quorumAt time.Time      // when a quorum had joined

	roster     []int // nil until the coordinator has said
	sessions   []*session
	survivors  *proposal // as the coordinator said
	statements map[int]*statement
	opened     map[int]bool // members whose unmask bodies arrived

	phase    phase
	deadline time.Time // after that the attempt has stalled; zero for no limit

	tried    int    // unmask bodies at the last try to sum
	summed   bool   // a result was computed, or is being computed
	impasse  string // why there is none, for ever
	setup    *pendingSetup
	residual map[string]*secagg.Residual // of the own quantisation, by group
}

// statement is what a member says about the survivors.
type statement struct {
	proposal string // encoded
	parsed   *proposal
	bodies   bundle
}

// track returns an attempt, and begins to look at it.
func (m *Machine) track(number uint64) *attempt {
	a := m.r.attempts[number]
	if a == nil {
		a = &attempt{number: number, transcript: newTranscript(), joins: map[int]bool{}, quits: map[int]uint64{},
			statements: map[int]*statement{}, opened: map[int]bool{}, residual: map[string]*secagg.Residual{}}
		m.r.attempts[number] = a
	}
	return a
}

func (m *Machine) onJoin(a *attempt, s *stored) error {
	if err := emptyBody(s.env.Body); err != nil {
		return err
	}
	a.joins[s.from] = true
	m.follow()
	return nil
}

// follow goes on to a later attempt when so many others have that the own one cannot be completed without them.
func (m *Machine) follow() {
	r := m.r
	if r.consumed || r.forfeited || !r.released.IsZero() {
		return
	}
	for k := r.attempt + window; k > r.attempt; k-- {
		ahead := map[int]bool{}
		for number, a := range r.attempts {
			if number >= k {
				for i := range a.joins {
					ahead[i] = true
				}
			}
		}
		if len(ahead) > m.spare() {
			m.moveTo(k)
			return
		}
	}
}

// moveTo leaves the own attempt for a later one.
func (m *Machine) moveTo(number uint64) {
	r := m.r
	if a := r.current(); a != nil {
		a.erase()
		if a.phase != phaseWaiting && a.phase != phaseOut && a.quits[m.self] == 0 {
			m.say(typeQuit, a.number, quitStalled, encodeQuit(-1))
		}
		a.phase = phaseOut
	}
	r.attempt = number
	for _, k := range r.tracked() { // keep what could still lead to a sum
		if a := r.attempts[k]; k < number && len(a.opened) == 0 && len(a.statements) == 0 {
			delete(r.attempts, k)
		}
	}
	m.track(number)
}

// erase wipes the secrets of an attempt.
func (a *attempt) erase() {
	for _, s := range a.sessions {
		if s.member != nil {
			s.member.Erase()
			s.member = nil
		}
	}
}

func (m *Machine) onQuit(a *attempt, s *stored) error {
	accused, err := decodeQuit(s.env.Body, len(m.epoch.Members))
	switch {
	case err != nil:
		return err
	case s.env.Seq == 0 || s.env.Seq >= lastReason:
		return fmt.Errorf("%w: quit for reason %d", errBody, s.env.Seq)
	case s.env.Seq == quitComplaint && accused >= 0:
		m.r.complains[[2]int{s.from, accused}] = true
		m.tell(Warning, "%s says that the messages of %s are wrong", m.name(s.from), m.name(accused))
	case s.from != m.self:
		m.tell(Info, "%s left attempt %d: %s", m.name(s.from), a.number, quitText[s.env.Seq])
	}
	a.quits[s.from] = s.env.Seq
	return nil
}

// join says that this member is ready for the own attempt.
func (m *Machine) join(a *attempt) {
	value := binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64(nil, m.r.number), a.number)
	m.do(Persist{Set: []Entry{{[]byte(attemptKey), value}}})
	a.phase = phaseJoined
	m.say(typeJoin, a.number, 0, []byte{bodyVersion})
	m.tell(Info, "ready; %d of %d members are", len(a.joins), len(m.epoch.Members))
}

// propose is the coordinator's first task: when everybody is ready, or a quorum is and the grace is over, it names the roster.
func (m *Machine) propose(a *attempt) bool {
	if m.coordinator(m.r.number, a.number) != m.self || a.phase != phaseJoined || a.roster != nil {
		return false
	}
	all := a.present()
	if len(all) < len(m.epoch.Members) && (a.quorumAt.IsZero() || m.now.Before(a.quorumAt.Add(m.rules.JoinGrace))) {
		return false
	}
	for _, list := range [][]int{m.withoutQuarrel(all, a.number), all} {
		if m.rosterFault(list) == nil {
			m.say(typeRoster, a.number, 0, encodeIndices(list))
			return true
		}
	}
	return false
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

// withoutQuarrel leaves out one side of every complaint, by turns: a complaint does not say which side is wrong.
func (m *Machine) withoutQuarrel(list []int, attempt uint64) []int {
	return slices.DeleteFunc(slices.Clone(list), func(i int) bool {
		for pair := range m.r.complains {
			if pair[attempt%2] == i {
				return true
			}
		}
		return false
	})
}

// rosterFault says why a list of members cannot be a roster.
func (m *Machine) rosterFault(list []int) error {
	if least := max(m.quorum, m.rules.MinCohort); len(list) < least {
		return fmt.Errorf("%w: roster of %d members, want at least %d", errBody, len(list), least)
	}
	if m.r.base.Kind != ledger.Setup {
		return nil
	}
	for _, key := range m.epoch.Shared() {
		if m.headMembers(key, list) == nil {
			return fmt.Errorf("%w: the setup round needs enough members of head %q", errBody, key)
		}
	}
	return nil
}

func (m *Machine) onRoster(a *attempt, s *stored) error {
	if s.from != m.coordinator(m.r.number, a.number) {
		return fmt.Errorf("%w: a roster from somebody whose turn it is not", errBody)
	}
	list, err := decodeIndices(s.env.Body, len(m.epoch.Members))
	if err != nil {
		return err
	}
	if err := m.rosterFault(list); err != nil {
		return err
	}
	if err := m.openSessions(a, list); err != nil {
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
