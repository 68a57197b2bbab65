package federation

import (
	"crypto/sha256"
	"encoding/binary"
	"maps"
	"math"
	"slices"
	"time"

	"github.com/fedlam/fedlam/federation/ledger"
	"github.com/fedlam/fedlam/federation/secagg"
	"github.com/fedlam/fedlam/training/weights"
	"github.com/ipfs/go-cid"
)

// A round is everything about the round under way.
type round struct {
	number  uint64
	base    *ledger.Round // what its record has in common whatever the outcome
	weights *weights.Set  // certified, to start from
	state   outerState
	layout  *Layout // nil in a setup round

	ready  bool // the local work is done
	idle   bool // it could not be done, or is not wanted: the member only looks on and signs
	sums   SetupSums
	update Update

	again    time.Time // when work that failed is tried again; zero for never
	attempt  uint64    // the own one
	joinAt   time.Time // not before that is it joined
	attempts map[uint64]*attempt
	log      transcript // messages that concern the whole round
	came     uint64     // messages so far
	maxBytes int        // of one signer in one attempt

	consumed  bool                 // this member has opened shares of the trunk, in its attempt
	forfeited bool                 // this member will never open shares of the trunk in this round
	spent     map[string]bool      // heads whose shares this member has opened, by key
	complains map[[2]int]bool      // complainer and accused
	odd       map[int]bool         // members that confirmed other messages than most
	missed    map[int]map[int]bool // members whose messages were missing when an attempt stalled, and who says so
	accused   map[int]bool         // members that said two things in one place
	begun     time.Time
	forfeits  map[int]bool
	released  time.Time // when another member's shares of the trunk were first seen open
	mustVoid  string    // why the round cannot have a sum, when that follows from public messages

	order      []int // of coordinators and proposers
	ballot     ballot
	proposals  map[cid.Cid]*proposedEpoch // by document
	change     cid.Cid                    // the record of the epoch that this member votes for; undefined while it does not
	own        cid.Cid                    // the record that this member computed; undefined before
	void       *result                    // what comes of the round if nothing else does
	vain       time.Time                  // since when this member is bound to the round by opened shares, or by having forfeited
	results    map[cid.Cid]*result
	candidates map[cid.Cid]*candidate
	verdicts   map[cid.Cid]*verdict // of the canary sets, by record

	promises   [][]byte
	quietSince time.Time // last time that anything new arrived
	nextSync   time.Time
	syncTurn   int
	syncSeq    uint64
	askedFor   time.Time // begin of the step for which this member asks early
	askedOnce  bool      // and has
	nextAsk    time.Time
}

// startRound begins the round after the newest certified one.
func (m *Machine) startRound(w *weights.Set, state outerState) {
	if !m.enterRound(w, state) {
		return
	}
	m.resume()
	m.sayApproval()
	if !m.r.idle && !m.tooFew() {
		m.startWork()
	}
	m.replayEarly()
	if m.r != nil {
		m.syncAll()
	}
}

// enterRound makes the round after the newest certified one that under way, and says whether that went well.
func (m *Machine) enterRound(w *weights.Set, state outerState) bool {
	r := &round{
		number: m.chain.Len(), base: m.chain.Next(), weights: w, state: state, attempts: map[uint64]*attempt{}, log: newTranscript(),
		complains: map[[2]int]bool{}, odd: map[int]bool{}, missed: map[int]map[int]bool{}, accused: map[int]bool{}, begun: m.now, spent: map[string]bool{}, forfeits: map[int]bool{}, ballot: newBallot(), results: map[cid.Cid]*result{}, candidates: map[cid.Cid]*candidate{}, verdicts: map[cid.Cid]*verdict{},
		proposals:  map[cid.Cid]*proposedEpoch{},
		quietSince: m.now, nextSync: m.now.Add(m.syncEvery()),
	}
	if elements := m.chain.Elements(); elements != nil {
		all, err := m.layOut(w, elements)
		if err != nil {
			m.halt("%v", err)
			return false
		}
		m.fitResiduals(all)
		r.layout = all.Turn(m.chain.Trained())
	}
	m.r = r
	void := m.chain.NextVoid()
	r.void = &result{record: void, cid: void.CID(), weights: w, state: state.set}
	r.order = m.drawOrder()
	r.maxBytes = m.expectedBytes()
	return true
}

// resume puts the promises of an earlier run of the process back in force.
func (m *Machine) resume() {
	r, was := m.r, m.was
	m.was = restored{}
	r.promises, r.attempt = was.promises, was.attempt
	if m.finishedAll() {
		r.idle = true
	}
	for _, envelopes := range was.consents {
		if !m.takeAll(envelopes) {
			return
		}
	}
	for _, key := range slices.Sorted(maps.Keys(was.heads)) {
		r.spent[key] = true
		m.repeat(was.heads[key])
	}
	m.resumeCanaries(was)
	m.resumeVoting(was)
	if was.release != nil {
		r.consumed, r.idle = true, true
		m.waitInVain()
		if !m.takeAll(was.why) {
			return
		}
		if env := m.repeat(was.release); env != nil {
			r.attempt = env.Attempt
		}
		m.tell(Info, "restarted after shares were opened in attempt %d: collecting what the others have", r.attempt)
		return
	}
	if was.joined {
		m.say(typeQuit, was.attempt-1, quitRestarted, encodeQuit(-1))
		m.tell(Info, "restarted in attempt %d: its secrets are gone, going on with the next", was.attempt-1)
	}
	if was.forfeit {
		r.forfeited, r.idle = true, true
		m.waitInVain()
		m.say(typeForfeit, roundLevel, 0, []byte{bodyVersion})
	}
}

// repeat says again, byte for byte, what was promised in an earlier run.
func (m *Machine) repeat(raw []byte) *ledger.Envelope {
	env, err := ledger.DecodeEnvelope(raw)
	if err != nil || env.Session != m.sessionID(env.Attempt) {
		m.halt("the log holds opened shares of another history than its certified rounds: restore both from one backup")
		return nil
	}
	m.r.attempt = max(m.r.attempt, env.Attempt)
	m.accept(&stored{env: env, raw: raw, from: m.self, hash: hashOf(raw)})
	m.do(Broadcast{m.r.number, [][]byte{raw}})
	return env
}

// startWork asks for what this member contributes.
func (m *Machine) startWork() {
	if m.r.base.Kind == ledger.Setup {
		m.tell(Info, "collecting statistics and energy references of the own data")
		m.do(CollectSetup{m.r.number})
		return
	}
	m.tell(Info, "training %d steps from certified weights", m.rules.Steps)
	m.do(Train{m.r.number, m.r.weights, int(m.rules.Steps)})
}

func (m *Machine) setupSummed(e SetupSummed) {
	if m.r == nil || e.Round != m.r.number || m.r.base.Kind != ledger.Setup || m.r.ready || m.r.idle {
		return
	}
	m.r.sums = e.Sums
	m.finishWork(m.checkSums(&e.Sums))
}

func (m *Machine) trained(e Trained) {
	if m.r == nil || e.Round != m.r.number || m.r.base.Kind != ledger.Train || m.r.ready || m.r.idle {
		return
	}
	m.r.update = e.Update
	m.finishWork(m.checkUpdate(&e.Update))
}

// tryAgain repeats local work that failed, when the round still lasts: it may have been for lack of memory or disk.
func (m *Machine) tryAgain() bool {
	r := m.r
	if r.again.IsZero() || m.now.Before(r.again) || r.consumed || r.forfeited || r.ballot.open {
		return false
	}
	r.idle, r.again = false, time.Time{}
	m.startWork()
	return true
}

// finishWork makes the member ready, or a spectator when its work cannot be used.
func (m *Machine) finishWork(err error) {
	if err != nil {
		m.failed(Failed{m.r.number, err.Error()})
		return
	}
	m.r.ready = true
	m.trainAhead()
}

func (m *Machine) failed(e Failed) {
	if m.r == nil || e.Round != m.r.number {
		return
	}
	for _, a := range m.r.attempts {
		if a.stale > 0 {
			a.stale--
			return
		}
		if a.setup != nil {
			m.tell(Alarm, "the trainer cannot apply the statistics, so that this member does not sign the round: %s; restart the node to try again", e.Reason)
			return
		}
	}
	if m.r.ready || m.r.idle {
		return
	}
	m.r.idle, m.r.again = true, m.now.Add(m.patience())
	m.tell(Warning, "the local work failed; while it does this member adds nothing to round %d: %s; it tries again in %v if the round is not over then",
		e.Round, e.Reason, m.patience())
}

// tracked returns the attempts that are looked at, ascending.
func (r *round) tracked() []uint64 { return slices.Sorted(maps.Keys(r.attempts)) }

// current returns the own attempt.
func (r *round) current() *attempt { return r.attempts[r.attempt] }

// sessionID binds an attempt, or the round as a whole, to everything it starts from. Envelopes carry it.
func (m *Machine) sessionID(attempt uint64) [32]byte {
	b := append([]byte("fedlam/v1/attempt"), 0)
	b = binary.BigEndian.AppendUint64(b, m.r.number)
	b = binary.BigEndian.AppendUint64(b, attempt)
	for _, c := range []cid.Cid{m.genesis, m.r.base.Prev, m.r.base.WeightsIn, m.r.base.Config} {
		b = binary.BigEndian.AppendUint16(b, uint16(c.ByteLen()))
		b = append(b, c.Bytes()...)
	}
	return sha256.Sum256(b)
}

// version places an update in the chain of rounds.
func (m *Machine) version() secagg.Version {
	return secagg.Version{Round: m.r.number, Chain: sha256.Sum256(m.r.base.Prev.Bytes())}
}

// expectedBytes bounds what one member has to say in one attempt.
func (m *Machine) expectedBytes() int {
	lanes := 0
	for _, name := range m.groupNames() {
		lanes += m.lanes(name)
	}
	n := len(m.epoch.Members)
	perSession := secagg.KeysSize + 3000*n + 4096
	bytes := 4*lanes + lanes/10 + len(m.groupNames())*perSession + 1<<20
	if m.rules.Owners > 0 { // sums of all chunks, and a proof against everybody who may be dishonest
		bytes += 4*lanes + lanes/10 + (m.spare()+1)*2*secagg.MaxChunkSumSize
	}
	return min(bytes, math.MaxInt32)
}

// groupNames lists trunk and shared heads.
func (m *Machine) groupNames() []string {
	names := []string{ledger.TrunkGroup}
	for _, key := range m.epoch.Shared() {
		names = append(names, ledger.HeadGroup(key))
	}
	return names
}

// laneBits is the ring of this round's sums; statistics need the wide one.
func (m *Machine) laneBits() int {
	if m.r.layout == nil {
		return secagg.DefaultBits
	}
	return m.rules.LaneBits
}

// lanes is the length of a group's vector in this round.
func (m *Machine) lanes(group string) int {
	switch {
	case m.r.layout != nil:
		return m.r.layout.Len(group) + extraLanes(m.rules)
	case group == ledger.TrunkGroup:
		return secagg.WideLanes * (m.cfg.SetupTrunk + len(m.cfg.Genesis.Elements))
	}
	return secagg.WideLanes * m.cfg.SetupHead
}
