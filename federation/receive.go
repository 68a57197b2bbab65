package federation

import (
	"bytes"
	"fmt"

	"github.com/fedlam/fedlam/federation/ledger"
)

// window is how many attempts ahead of the own one messages are kept.
const window = 64

// received takes an envelope from the network. Whatever is wrong with it, it is dropped.
func (m *Machine) received(raw []byte) {
	id, err := ledger.PeekSender(raw)
	if err != nil {
		return
	}
	from := m.epoch.Index(id)
	if from < 0 || from == m.self && m.r == nil {
		return
	}
	env, err := ledger.DecodeEnvelope(raw)
	if err != nil {
		m.tell(Debug, "dropped a message in the name of %s: %v", m.name(from), err)
		return
	}
	here := m.chain.Len()
	m.peers[from].finished = max(m.peers[from].finished, env.Round)
	switch {
	case env.Round < here:
		if env.Type == typeSync && from != m.self {
			m.greet(from) // it is behind and learns so from the round of the answer
		}
	case env.Round > here:
		m.fetchRounds(from)
		if env.Round == here+1 {
			m.keepEarly(from, raw)
		}
	case m.r == nil:
		m.keepEarly(from, raw)
	default:
		m.accept(&stored{env: env, raw: raw, from: from, hash: hashOf(raw)})
	}
}

func (m *Machine) keepEarly(from int, raw []byte) {
	if m.early[from] == nil {
		m.early[from] = &backlog{}
	}
	m.early[from].add(raw)
}

// replayEarly takes the messages that came before this member was ready for their round.
func (m *Machine) replayEarly() {
	early := m.early
	m.early = map[int]*backlog{}
	for from := range m.epoch.Members {
		if b := early[from]; b != nil {
			for _, raw := range b.raw {
				m.received(raw)
			}
		}
	}
}

// accept takes a verified envelope of the round under way.
func (m *Machine) accept(s *stored) {
	e := s.env
	if e.Type == typeSync {
		m.answer(s)
		return
	}
	t := &m.r.log
	var a *attempt
	if e.Attempt != roundLevel {
		// Of attempts far ahead only what says where others are is kept; the rest comes by Sync when it is needed.
		far := e.Attempt > m.r.attempt+2 && e.Type != typeJoin && e.Type != typeQuit
		if far || e.Attempt > m.r.attempt+window {
			return
		}
		a = m.track(e.Attempt)
		t = &a.transcript
	}
	if want := m.sessionID(e.Attempt); e.Session != want {
		m.tell(Warning, "%s takes part in another history of round %d than this member knows; its message is ignored", m.name(s.from), e.Round)
		return
	}
	if e.Type == typeAudit {
		m.serve(a, s)
		return
	}
	if old := t.byKey[e.Key()]; old != nil {
		m.compare(old, s)
		return
	}
	if t.bytes[s.from]+len(s.raw) > m.r.maxBytes {
		m.tell(Warning, "%s sent more than the protocol needs; the rest is ignored", m.name(s.from))
		return
	}
	m.r.came++
	s.came, s.at = m.r.came, m.now
	t.add(s)
	m.r.quietSince = m.now
	m.relay(a, s)
	if err := m.dispatch(a, s); err != nil {
		m.tell(Warning, "%s sent a message of type %s that means nothing: %v", m.name(s.from), e.Type, err)
		return
	}
	if a != nil && s.from != m.self {
		m.timeArrival(a, s)
	}
}

// compare keeps evidence when a member says two things in one place; the first one counts.
func (m *Machine) compare(old, s *stored) {
	q := ledger.Equivocation{A: old.env, B: s.env}
	if bytes.Equal(old.raw, s.raw) || q.Verify() != nil {
		return
	}
	m.accuse(q, s.from)
}

// dispatch hands a message to whoever understands it. Those that need the roster wait in the transcript until it is there.
func (m *Machine) dispatch(a *attempt, s *stored) error {
	switch s.env.Type {
	case typeForfeit, typePrepare, typeCommit, typeNext, typeOffer, typeEvidence, typeApprove:
		if a != nil {
			return fmt.Errorf("%w: it belongs to the round, not to an attempt", errBody)
		}
		return m.onRound(s)
	}
	if a == nil {
		return fmt.Errorf("%w: it belongs to an attempt", errBody)
	}
	switch s.env.Type {
	case typeJoin:
		return m.onJoin(a, s)
	case typeQuit:
		return m.onQuit(a, s)
	case typeRoster, typeSurvivors, typeFinal:
		if s.from != m.coordinator(a.number) {
			return fmt.Errorf("%w: it is another member's turn to propose", errBody)
		}
	}
	switch {
	case s.env.Type == typeRoster:
		return m.onRoster(a, s)
	case a.roster == nil:
		return nil
	}
	switch s.env.Type {
	case typeKeys, typeShares, typeConfirm, typeMasked, typeChunk, typeStateHead, typeOpenHead:
		return a.onSession(s)
	case typeHeld:
		return m.onHeld(a, s)
	case typeChunkSum, typeVouch:
		return m.onChunkSum(a, s)
	case typeFraud:
		return m.onFraud(a, s)
	case typeSurvivors:
		return m.onSurvivors(a, s)
	case typeFinal:
		return m.onFinal(a, s)
	case typeStatement:
		return m.onStatement(a, s)
	case typeUnmask:
		return m.onUnmask(a, s)
	case typeNorms:
		return m.onNorms(a, s)
	case typeOpenPair:
		return m.onOpenPair(a, s)
	}
	return fmt.Errorf("%w: unknown type", errBody)
}

// onRound takes the messages that concern the round as a whole.
func (m *Machine) onRound(s *stored) error {
	switch s.env.Type {
	case typeForfeit:
		return m.onForfeit(s)
	case typePrepare:
		return m.onPrepare(s)
	case typeCommit:
		return m.onCommit(s)
	case typeNext:
		return m.onNext(s)
	case typeOffer:
		return m.onOffer(s)
	case typeApprove:
		return m.onApprove(s)
	}
	return m.onEvidence(s)
}

// say signs a message, takes it like everybody else will, and sends it to all.
func (m *Machine) say(kind string, attempt, seq uint64, body []byte) {
	s := m.sign(kind, attempt, seq, body)
	m.accept(s)
	m.do(Broadcast{m.r.number, [][]byte{s.raw}})
}

// sign makes a message of this member.
func (m *Machine) sign(kind string, attempt, seq uint64, body []byte) *stored {
	e := &ledger.Envelope{Type: kind, Round: m.r.number, Attempt: attempt, Session: m.sessionID(attempt), Seq: seq, Body: body}
	e.SignEnvelope(m.cfg.Key)
	raw := e.Encode()
	return &stored{env: e, raw: raw, from: m.self, hash: hashOf(raw)}
}

// placeOf is where a member's message of a type and number stands in the transcript of an attempt.
func (m *Machine) placeOf(a *attempt, kind string, seq uint64, member int) ledger.Key {
	return ledger.Key{Session: m.sessionID(a.number), Type: kind, From: m.epoch.Members[member].ID, Seq: seq}
}
