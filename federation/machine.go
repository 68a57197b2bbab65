package federation

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"fmt"
	"slices"
	"time"

	"github.com/fedlam/fedlam/federation/ledger"
	"github.com/fedlam/fedlam/federation/secagg"
	"github.com/ipfs/go-cid"
)

// A Machine is one member's part in the federation. It is not safe for concurrent use.
type Machine struct {
	cfg     Config
	rules   *ledger.Rules
	epoch   *ledger.Epoch
	outer   OuterOptimizer
	genesis cid.Cid
	id      MemberID
	self    int // own index; -1 while this node is not in the epoch
	quorum  int

	now    time.Time     // of the newest Tick
	beat   time.Duration // between that and the one before
	out    []Action      // of the Step under way
	halted bool

	chain   *ledger.Chain
	records []cid.Cid // of all certified rounds
	cert    cid.Cid   // certificate of the newest
	files   *loading  // what the next round needs and is not here yet; nil when all is here
	r       *round    // the round under way; nil while files are missing
	was     restored  // what the log says about the round under way

	approved []byte        // document of the next epoch that the owner consents to
	awaited  *ledger.Epoch // the next epoch, once a quorum consents to it
	lookTurn int           // whom this node has asked last for rounds that it knows to be finished

	peers     []peer
	helper    int              // whom this member asked last when a step took long
	early     map[int]*backlog // envelopes of the next round, by signer
	nextFetch time.Time        // not before that are finished rounds asked for again
	pace      *pace
	residuals map[string]*secagg.Residual
	canaries  canaries
	cheats    map[MemberID]bool   // proven to cheat, in whatever epoch
	barred    map[MemberID]uint64 // round in which a member is left out

	taken []Slice // for the next Install
}

// peer is what the machine knows of another member.
type peer struct {
	finished   uint64              // certified rounds it is known to have
	nextAnswer time.Time           // not before that is its Sync answered again
	detours    map[MemberID]detour // of messages that do not reach it, by their signer
}

// New makes a machine, or restores one from its log. Call Step with a Tick next.
func New(cfg Config) (*Machine, error) {
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	m := newMachine(cfg)
	copy(m.id[:], cfg.Key.Public().(ed25519.PublicKey))
	if err := m.restore(cfg.Log); err != nil {
		return nil, err
	}
	return m, m.checkPlace()
}

// checkPlace refuses a node that is no member, was none and is not about to become one, and sums that are too small.
func (m *Machine) checkPlace() error {
	if m.self < 0 {
		return m.checkStranger()
	}
	if n, least := len(m.epoch.Members), max(m.cfg.Policy.MinCohort, m.rules.MinCohort); n < least {
		return fmt.Errorf("federation: %d members, and sums over fewer than %d are refused: let more institutions join, "+
			"or set min_cohort to %d in the genesis rules and in the policy of every member, knowing that fewer members hide each other less", n, least, n)
	}
	if size := m.cohortOf(len(m.epoch.Members), m.rules.MinCohort); size > 0 && size < m.cfg.Policy.MinCohort {
		return fmt.Errorf("federation: the rules divide the members into cohorts of %d that are summed apart, and sums over fewer than %d are refused: "+
			"set min_cohort in the own policy to %d, knowing that fewer members hide each other less, or ask for fewer cohorts", size, m.cfg.Policy.MinCohort, size)
	}
	return nil
}

// newMachine is a machine at the genesis that is nobody's yet.
func newMachine(cfg Config) *Machine {
	chain := ledger.NewChain(cfg.Genesis)
	return &Machine{cfg: cfg, genesis: chain.Epoch.Genesis, chain: chain, pace: newPace(), residuals: map[string]*secagg.Residual{},
		cheats: map[MemberID]bool{}, barred: map[MemberID]uint64{}}
}

// Step takes one event and returns what to do about it, in order. Before the first Tick nothing happens.
func (m *Machine) Step(e Event) []Action {
	if m.halted {
		return nil
	}
	m.out = nil
	if t, ok := e.(Tick); ok {
		first := m.now.IsZero()
		if t.Now.After(m.now) {
			m.beat = t.Now.Sub(m.now)
			m.now = t.Now
		}
		if first {
			m.begin()
		}
		m.lookOut()
	} else if !m.now.IsZero() {
		m.handle(e)
	}
	for !m.halted && m.r != nil && m.advance() {
		continue
	}
	out := m.out
	m.out = nil
	return out
}

func (m *Machine) handle(e Event) {
	switch e := e.(type) {
	case Received:
		m.received(e.Envelope)
	case Reached:
		m.reached(e)
	case Rounds:
		m.takeRounds(e)
	case Fetched:
		m.fetched(e)
	case SetupSummed:
		m.setupSummed(e)
	case SetupApplied:
		m.setupApplied(e)
	case Trained:
		m.trained(e)
	case Judged:
		m.judged(e)
	case Failed:
		m.failed(e)
	case Approve:
		m.approve(e)
	}
}

// begin says what the owner should know, and fetches what the first round needs.
func (m *Machine) begin() {
	m.introduce()
	m.tellMembers()
	m.load(nil)
}

// advance does one thing that has become possible, and says whether it did.
func (m *Machine) advance() bool {
	if m.certify() {
		return true
	}
	for _, k := range m.r.tracked() {
		if a := m.r.attempts[k]; m.tendChunks(a) || m.conclude(a) {
			return true
		}
	}
	a := m.r.current()
	return m.turnToChange() || m.tryAgain() || m.decideVoid() || m.stopJudging() || m.vote() || m.takePart(a) || m.leaveDead(a) || m.keepTime(a)
}

// do appends an action. Broadcasts that follow each other become one. Nothing follows a Halt.
func (m *Machine) do(a Action) {
	if m.halted {
		return
	}
	if b, ok := a.(Broadcast); ok && len(m.out) > 0 {
		if last, ok := m.out[len(m.out)-1].(Broadcast); ok && last.Round == b.Round {
			last.Envelopes = append(last.Envelopes, b.Envelopes...)
			m.out[len(m.out)-1] = last
			return
		}
	}
	m.out = append(m.out, a)
}

func (m *Machine) halt(format string, args ...any) {
	m.do(Halt{fmt.Sprintf(format, args...)})
	m.halted = true
}

// tell is a Progress in the round under way.
func (m *Machine) tell(level Level, format string, args ...any) {
	m.do(Progress{Level: level, Round: m.chain.Len(), Text: fmt.Sprintf(format, args...)})
}

// name is how members are called in front of the owner.
func (m *Machine) name(member int) string {
	if member == m.self {
		return "this member"
	}
	return m.epoch.Members[member].Name
}

// coordinator returns whose turn it is to lead an attempt.
func (m *Machine) coordinator(attempt uint64) int { return m.turn(attempt) }

// turn counts through the members in the order of the round.
func (m *Machine) turn(k uint64) int { return m.r.order[k%uint64(len(m.r.order))] }

// drawOrder permutes the members by the hash of the newest certified record and each member's key, so that nobody chooses whose turn it
// is. The certificate would not do: those of one record may differ in who signed.
func (m *Machine) drawOrder() []int {
	return hashOrder(len(m.epoch.Members), func(i int) []byte {
		b := append([]byte("fedlam/v1/order"), 0)
		b = append(append(b, m.r.base.Prev.Bytes()...), m.epoch.Members[i].ID[:]...)
		return append(b, m.genesis.Bytes()...)
	})
}

// hashOrder sorts the numbers below n by SHA-256 of a text for each.
func hashOrder(n int, text func(i int) []byte) []int {
	order, keys := make([]int, n), make([][32]byte, n)
	for i := range order {
		order[i], keys[i] = i, sha256.Sum256(text(i))
	}
	slices.SortFunc(order, func(i, j int) int { return bytes.Compare(keys[i][:], keys[j][:]) })
	return order
}

// spare is how many members can be missing: with more than that, no quorum is left.
func (m *Machine) spare() int { return len(m.epoch.Members) - m.quorum }

// finishedAll says whether the owner's number of rounds is reached.
func (m *Machine) finishedAll() bool {
	return m.cfg.Policy.Rounds > 0 && m.chain.Len() >= m.cfg.Policy.Rounds
}
