package federation

import (
	"fmt"

	"github.com/fedlam/fedlam/federation/ledger"
)

// accuse keeps the proof that a member said two things in one place, tells everybody, and has nothing to do with that member any
// more when it is this one's turn to name a roster.
func (m *Machine) accuse(q ledger.Equivocation, member int) {
	key := fmt.Appendf(nil, "%sevidence/%x/%s/%d/%s", LogPrefix, q.A.Session[:8], q.A.Type, q.A.Seq, q.A.From)
	proof := encodeEnvelopes([]byte{bodyVersion}, q.A.Encode(), q.B.Encode())
	if member == m.self {
		m.do(Persist{Set: []Entry{{key, proof}}})
		m.halt("another process signs with this member's key, and said something else in the same place: a copy of this node runs " +
			"somewhere, or an old backup was started. Stop it; members who saw both will not work with this key any more")
		return
	}
	if m.r.accused[member] {
		return
	}
	m.r.accused[member] = true
	m.do(Persist{Set: []Entry{{key, proof}}})
	m.tell(Alarm, "%s said two different things in one place (%s); the proof is kept in the log under %q", m.name(member), q.A.Type, key)
	m.shun(member, fmt.Sprintf("%s said two different things in one place", m.name(member)))
	if len(proof) <= ledger.MaxBody {
		m.say(typeEvidence, roundLevel, seqOf(proof), proof)
	}
}

// onEvidence takes the proof that another member found.
func (m *Machine) onEvidence(s *stored) error {
	q, member, err := m.decodeEvidence(s.env.Body)
	if err == nil {
		m.accuse(q, member)
	}
	return err
}

// decodeEvidence reads and checks a proof, and says whom it is against.
func (m *Machine) decodeEvidence(body []byte) (q ledger.Equivocation, member int, err error) {
	if len(body) < 1 || body[0] != bodyVersion {
		return q, -1, fmt.Errorf("%w: evidence of %d bytes", errBody, len(body))
	}
	list, err := decodeEnvelopes(body[1:], 2)
	if err != nil {
		return q, -1, err
	}
	if len(list) != 2 {
		return q, -1, fmt.Errorf("%w: evidence of %d envelopes", errBody, len(list))
	}
	if q.A, err = ledger.DecodeEnvelope(list[0]); err != nil {
		return q, -1, err
	}
	if q.B, err = ledger.DecodeEnvelope(list[1]); err != nil {
		return q, -1, err
	}
	member = m.epoch.Index(q.A.From)
	if err := q.Verify(); err != nil || member < 0 {
		return q, -1, fmt.Errorf("%w: evidence against nobody: %w", errBody, err)
	}
	return q, member, nil
}
