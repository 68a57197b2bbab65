package federation

import (
	"crypto/sha256"
	"encoding/binary"
	"time"

	"github.com/fedlam/fedlam/federation/ledger"
)

// A transcript holds the envelopes of an attempt, or those that concern a whole round: one per place.
type transcript struct {
	byKey map[ledger.Key]*stored
	order []*stored
	bytes map[int]int // by signer
}

// stored is a verified envelope.
type stored struct {
	env  *ledger.Envelope
	raw  []byte
	from int
	hash have
	came uint64    // counts the messages of the round in order of arrival
	at   time.Time // of arrival
}

func newTranscript() transcript {
	return transcript{byKey: map[ledger.Key]*stored{}, bytes: map[int]int{}}
}

func hashOf(raw []byte) have {
	h := sha256.Sum256(raw)
	return have(h[:haveSize])
}

// seqOf makes a sequence number from the contents of a message that has no other.
func seqOf(contents []byte) uint64 {
	h := hashOf(contents)
	return binary.BigEndian.Uint64(h[:])
}

func (t *transcript) add(s *stored) {
	t.byKey[s.env.Key()] = s
	t.order = append(t.order, s)
	t.bytes[s.from] += len(s.raw)
}

// backlog keeps envelopes of the next round until this member is there.
type backlog struct {
	raw   [][]byte
	bytes int
}

// maxBacklog bounds a backlog in bytes. What does not fit is asked for later.
const maxBacklog = 64 << 20

func (b *backlog) add(raw []byte) {
	if b.bytes+len(raw) <= maxBacklog {
		b.raw = append(b.raw, raw)
		b.bytes += len(raw)
	}
}
