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
	phaseHeads                  // opens its heads; waits for the final
	phaseStated                 // agreed to the final; waits for a quorum of equal statements
	phaseReleased               // opened shares; waits for a quorum of others
	phaseOut                    // not in the roster or the sum, or has quit: looks on
)

// An attempt is one try at the sums of a round, under one coordinator.
type attempt struct {
	number uint64
	transcript
	joins    map[int][]int  // spent heads
	quits    map[int]uint64 // reasons
	quorumAt time.Time      // when a quorum had joined

	roster     []int // nil until the coordinator has said
	sessions   []*session
	survivors  []int              // of the heads, as the coordinator said
	final      *proposal          // likewise
	statements map[int]*statement // about the trunk

	phase    phase
	deadline time.Time            // after that the attempt has stalled; zero for no limit
	tellAt   time.Time            // not before that does this member say that it holds less than all
	owners   time.Time            // since when only owners of chunks are missing in the agreement
	collect  time.Time            // until then the coordinator waits for what may still come
	since    map[string]time.Time // when this member began to wait for a kind of message

	norms   *normAudit     // of the trunk; nil before it is open
	reports map[int][]byte // for it

	summed   bool                        // the outcome was computed, or is being computed
	useless  bool                        // the sum is of no use: the reason why the round must be void
	audits   []audited                   // chunks that this member adds up itself before it votes; nil before they are drawn
	stale    int                         // answers of the Trainer that are due for sums that were wrong
	setup    *ledger.Round               // waits for the Trainer to apply the totals
	residual map[string]*secagg.Residual // of the own quantisation, by group
}

// statement is what a member says about a final.
type statement struct {
	text  string // the final, encoded
	final *proposal
	said  secagg.Survivors
}

// track returns an attempt, and begins to look at it.
func (m *Machine) track(number uint64) *attempt {
	a := m.r.attempts[number]
	if a == nil {
		a = &attempt{number: number, transcript: newTranscript(), joins: map[int][]int{}, quits: map[int]uint64{},
			statements: map[int]*statement{}, since: map[string]time.Time{}, reports: map[int][]byte{}, residual: map[string]*secagg.Residual{}}
		a.since[typeJoin] = m.r.begun // counts in the first attempt
		m.r.attempts[number] = a
	}
	return a
}

func (m *Machine) onJoin(a *attempt, s *stored) error {
	spent, err := decodeIndices(s.env.Body, len(m.epoch.Shared()))
	if err != nil {
		return err
	}
	a.joins[s.from] = spent
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
	r.attempt, r.joinAt = number, m.now.Add(m.backoff(number))
	for _, k := range r.tracked() { // keep what could still lead to a sum
		if a := r.attempts[k]; k < number && !a.telling() {
			delete(r.attempts, k)
		}
	}
	m.track(number)
}

// backoff is how long a member waits before it joins an attempt, so that attempts that fail at once do not follow each other
// at the speed of the network.
func (m *Machine) backoff(number uint64) time.Duration {
	const free = 3
	if number < free {
		return 0
	}
	return min(m.rules.JoinGrace, m.rules.StepTimeout/8<<min(number-free, 10))
}

// telling says whether members have agreed to open something in the attempt.
func (a *attempt) telling() bool {
	return len(a.statements) > 0 || slices.ContainsFunc(a.sessions, func(s *session) bool { return len(s.statements) > 0 })
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

// forget wipes what outlives the secrets for the audit of norms too.
func (a *attempt) forget() {
	a.erase()
	for _, s := range a.sessions {
		s.wipePairs()
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
	case s.env.Seq == quitStalled && accused >= 0:
		if m.r.missed[accused] == nil {
			m.r.missed[accused] = map[int]bool{}
		}
		m.r.missed[accused][s.from] = true
		m.tell(Info, "%s left attempt %d: it missed the messages of %s", m.name(s.from), a.number, m.name(accused))
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
	m.enterPhase(a, phaseJoined, 0)
	a.deadline = time.Time{}
	m.say(typeJoin, a.number, 0, encodeIndices(m.spentHeads()))
	m.tell(Info, "ready; %d of %d members are", len(a.joins), len(m.epoch.Members))
}
