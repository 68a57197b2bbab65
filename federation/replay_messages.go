package federation

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"

	"github.com/fedlam/fedlam/federation/ledger"
)

// protocolOrder is the order in which messages of an attempt, and after it those of the round, build on each other. They are looked at
// in this order, however the network mixed them up.
var protocolOrder = []string{typeJoin, typeRoster, typeKeys, typeShares, typeConfirm, typeMasked, typeChunk, typeHeld, typeSurvivors, typeStateHead,
	typeOpenHead, typeFinal, typeStatement, typeUnmask, typeNorms, typeOpenPair, typeChunkSum, typeVouch, typeFraud, typeQuit, typeForfeit, typeEvidence, typeApprove, typeOffer, typePrepare, typeCommit, typeNext}

// envelopes checks every signature and that nobody said two things in one place.
func (r *replay) envelopes() bool {
	var signed, history, once findings
	places := map[ledger.Key]*stored{}
	for k, raw := range r.cfg.Envelopes {
		signed.bytes += int64(len(raw))
		s, err := r.open(raw)
		if err != nil {
			signed.isWrong("message %d, %s: %v", k+1, r.claims(raw), err)
			continue
		}
		signed.count++
		what := fmt.Sprintf("message %d, %s of %s", k+1, s.env.Type, r.m.name(s.from))
		if err := r.belongs(s.env); err != nil {
			history.isWrong("%s: %v", what, err)
			history.members = append(history.members, r.m.name(s.from))
			continue
		}
		old := places[s.env.Key()]
		if old == nil {
			places[s.env.Key()] = s
			r.list = append(r.list, s)
			continue
		}
		once.members = append(once.members, r.m.name(s.from))
		if bytes.Equal(old.raw, raw) {
			once.isWrong("%s is there twice", what)
			continue
		}
		once.isWrong("%s is there with two contents", what)
		if (ledger.Equivocation{A: old.env, B: s.env}).Verify() == nil {
			r.report.blame(r.m.name(s.from), fmt.Sprintf("it signed two different messages for one place (%s, sequence number %d)", s.env.Type, s.env.Seq))
		}
	}
	r.report.Messages, r.report.Bytes = len(r.cfg.Envelopes), signed.bytes
	signed.isRight("%d messages, %d bytes, each signed by a member of the epoch", signed.count, signed.bytes)
	history.isRight("all belong to this round, and start from the record before it")
	once.isRight("nobody said two things in one place")
	r.report.add(signed.check("signatures"))
	r.report.add(history.check("one history"))
	r.report.add(once.check("one message for each place"))
	return true
}

// open verifies one envelope.
func (r *replay) open(raw []byte) (*stored, error) {
	env, err := ledger.DecodeEnvelope(raw)
	if err != nil {
		return nil, err
	}
	from := r.m.epoch.Index(env.From)
	if from < 0 {
		return nil, fmt.Errorf("signed by %s, who is no member", env.From)
	}
	return &stored{env: env, raw: raw, from: from, hash: hashOf(raw)}, nil
}

// claims says what a message that does not hold claims to be.
func (r *replay) claims(raw []byte) string {
	kind := kindOf(raw)
	if !slices.Contains(protocolOrder, kind) {
		kind = "a message of no known type"
	}
	if id, err := ledger.PeekSender(raw); err == nil {
		if i := r.m.epoch.Index(id); i >= 0 {
			return fmt.Sprintf("%s in the name of %s", kind, r.m.name(i))
		}
	}
	return kind
}

// belongs says why a message is none of this round.
func (r *replay) belongs(e *ledger.Envelope) error {
	switch {
	case e.Round != r.m.r.number:
		return fmt.Errorf("it is of round %d", e.Round)
	case e.Attempt > roundLevel:
		return fmt.Errorf("attempt %d cannot exist", e.Attempt)
	case e.Session != r.m.sessionID(e.Attempt):
		return fmt.Errorf("it starts from other records or weights")
	case !slices.Contains(protocolOrder, e.Type):
		return fmt.Errorf("messages of this type are no part of a transcript")
	}
	return nil
}

// interpret gives every message to the spectator, in the order of the protocol.
func (r *replay) interpret() bool {
	var f findings
	sorted := slices.Clone(r.list)
	slices.SortStableFunc(sorted, func(a, b *stored) int {
		return cmp.Or(cmp.Compare(a.env.Attempt, b.env.Attempt),
			cmp.Compare(slices.Index(protocolOrder, a.env.Type), slices.Index(protocolOrder, b.env.Type)))
	})
	for _, s := range sorted {
		if err := r.take(s); err != nil {
			f.isWrong("%s of %s, %s: %v", s.env.Type, r.m.name(s.from), attemptName(s.env.Attempt), err)
			f.members = append(f.members, r.m.name(s.from))
			continue
		}
		f.count++
	}
	f.isRight("%d messages are well-formed and of members whose turn it was", f.count)
	r.report.add(f.check("meaning of the messages"))
	return true
}

func (r *replay) take(s *stored) error {
	m := r.m
	t := &m.r.log
	var a *attempt
	if s.env.Attempt != roundLevel {
		a = m.track(s.env.Attempt)
		t = &a.transcript
	}
	t.add(s)
	if s.env.Type != typeEvidence {
		return m.dispatch(a, s)
	}
	if a != nil {
		return fmt.Errorf("%w: it belongs to the round, not to an attempt", errBody)
	}
	q, who, err := m.decodeEvidence(s.env.Body)
	if err == nil {
		r.report.blame(m.name(who), fmt.Sprintf("%s found two different messages that it signed for one place (%s)", m.name(s.from), q.A.Type))
	}
	return err
}

func attemptName(number uint64) string {
	if number == roundLevel {
		return "of the round"
	}
	return fmt.Sprintf("attempt %d", number)
}
