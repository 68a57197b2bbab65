package federation

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"

	"github.com/fedlam/fedlam/federation/ledger"
	"github.com/ipfs/go-cid"
)

// What the machine persists besides RecordKey and CertificateKey. A "promise" is written once and never changed; it
// is deleted when its round is certified, because then nothing of the round is accepted or sent any more.
//
//	fed/attempt              state: round 8, attempt 8: the newest attempt this member said anything in
//	fed/round/mask/<sid>     promise: roster hash and root of the masked input, before its first byte leaves
//	fed/round/state/<sid>    promise: digest of the statement made in a session
//	fed/round/head/<key>     promise: the envelope with the shares of a head opened in this round
//	fed/round/release        promise: the envelope with the shares of the trunk opened in this round
//	fed/round/agreement      state: the roster and the statements that made this member open the trunk
//	fed/round/forfeit        promise: no share of the trunk was or will be opened in this round
//	fed/round/vote/<type>/<view>   promise: the envelope with the vote of a view
//	fed/round/lock           state: the newest lock that this member committed to, with the prepares that make it
//	fed/round/candidate/<cid>      state: a record that this member voted for; its files are in the block store
//	fed/round/approvals/<cid>      state: the approvals that made this member vote for an epoch record
//	fed/approved             state: the document of the next epoch that the owner consents to
//	fed/round/canary/<cid>         state: errors of a record's weights on the canary sets
//	fed/canary               state: errors of the newest certified rounds on the canary sets
//	fed/cheat/<member>       state: what it was proven to have done; it is in no roster that this member proposes
//	fed/evidence/...         state: two envelopes that prove that a member said two things
const (
	attemptKey  = LogPrefix + "attempt"
	roundPrefix = LogPrefix + "round/"
	maskPrefix  = roundPrefix + "mask/"
	statePrefix = roundPrefix + "state/"
	headPrefix  = roundPrefix + "head/"
	releaseKey  = roundPrefix + "release"
	forfeitKey  = roundPrefix + "forfeit"

	agreementKey = roundPrefix + "agreement"
	votePrefix   = roundPrefix + "vote/"
	lockKey      = roundPrefix + "lock"
	shunPrefix   = LogPrefix + "cheat/"

	canaryKey    = LogPrefix + "canary"
	canaryPrefix = roundPrefix + "canary/"

	candidatePrefix = roundPrefix + "candidate/"
	approvalsPrefix = roundPrefix + "approvals/"
)

// ApprovedKey is the log key of the document of the next epoch that the owner consents to: it is there once the consent is durable.
const ApprovedKey = LogPrefix + "approved"

// restored is what the log says about the round that was under way.
type restored struct {
	attempt  uint64            // the first attempt that may be joined
	joined   bool              // something was said in attempt-1
	release  []byte            // envelope
	heads    map[string][]byte // envelopes, by key
	forfeit  bool
	why      []byte   // envelopes that made this member open the trunk
	votes    [][]byte // envelopes
	lock     []byte
	records  [][]byte // of candidates
	consents [][]byte // approvals, each the envelopes for one document
	promises [][]byte // keys
	canaries map[cid.Cid]map[string]CanaryError
}

// restore reads the log. Entries that contradict each other are an error: the log is not this member's, or damaged.
func (m *Machine) restore(log []Entry) error {
	byKey := make(map[string][]byte, len(log))
	for _, e := range log {
		byKey[string(e.Key)] = e.Value
	}
	for {
		k := m.chain.Len()
		record, ok := byKey[string(RecordKey(k))]
		if !ok {
			break
		}
		_, cert, err := m.chain.Append(ledger.Finished{Record: record, Certificate: byKey[string(CertificateKey(k))], Epoch: byKey[string(EpochKey(k))]})
		if err != nil {
			return fmt.Errorf("federation: restore round %d from the log: %w: restore the log from a backup, or start this member's folder anew", k, err)
		}
		m.records, m.cert = append(m.records, cert.Record), cert.CID()
	}
	m.enterEpoch()
	for key, value := range byKey {
		if err := m.restoreRound(key, value); err != nil {
			return fmt.Errorf("federation: restore %q from the log: %w: restore the log from a backup", key, err)
		}
	}
	slices.SortFunc(m.was.promises, slices.Compare)
	slices.SortFunc(m.was.votes, slices.Compare)
	slices.SortFunc(m.was.records, slices.Compare)
	return nil
}

// restoreRound reads an entry of the round under way.
func (m *Machine) restoreRound(key string, value []byte) error {
	if strings.HasPrefix(key, roundPrefix) {
		m.was.promises = append(m.was.promises, []byte(key))
	}
	if record, ok := strings.CutPrefix(key, canaryPrefix); ok || key == canaryKey {
		return m.restoreCanaries(key, value, record)
	}
	if id, ok := strings.CutPrefix(key, shunPrefix); ok {
		if err := m.restoreCheat(id); err != nil {
			return err
		}
	}
	if head, ok := strings.CutPrefix(key, headPrefix); ok {
		if m.was.heads == nil {
			m.was.heads = map[string][]byte{}
		}
		m.was.heads[head] = value
	}
	switch key {
	case attemptKey:
		if len(value) != 16 {
			return fmt.Errorf("%d bytes where 16 are due", len(value))
		}
		if binary.BigEndian.Uint64(value) == m.chain.Len() {
			m.was.attempt, m.was.joined = binary.BigEndian.Uint64(value[8:])+1, true
		}
	case releaseKey:
		m.was.release = value
	case forfeitKey:
		m.was.forfeit = true
	case agreementKey:
		m.was.why = value
	case lockKey:
		m.was.lock = value
	case ApprovedKey:
		m.approved = value
	}
	switch {
	case strings.HasPrefix(key, votePrefix):
		m.was.votes = append(m.was.votes, value)
	case strings.HasPrefix(key, candidatePrefix):
		m.was.records = append(m.was.records, value)
	case strings.HasPrefix(key, approvalsPrefix):
		m.was.consents = append(m.was.consents, value)
	}
	return nil
}

// restoreCheat reads who was proven to cheat.
func (m *Machine) restoreCheat(text string) error {
	var id MemberID
	b, err := hex.DecodeString(text)
	if err != nil || len(b) != len(id) {
		return fmt.Errorf("%q names no member", text)
	}
	copy(id[:], b)
	m.cheats[id] = true
	return nil
}

// promise writes something down that this member must never contradict, before it acts on it.
func (m *Machine) promise(entries ...Entry) {
	for _, e := range entries {
		m.r.promises = append(m.r.promises, e.Key)
	}
	m.do(Persist{Once: entries})
}

// note makes a state of the round under way durable.
func (m *Machine) note(e Entry) {
	m.r.promises = append(m.r.promises, e.Key)
	m.do(Persist{Set: []Entry{e}})
}

func hexKey(prefix string, id [32]byte) []byte { return []byte(prefix + hex.EncodeToString(id[:])) }
