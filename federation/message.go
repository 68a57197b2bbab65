package federation

import (
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/fedlam/fedlam/federation/ledger"
	"github.com/ipfs/go-cid"
)

// Types of envelopes. Sequence numbers tell messages of one type and sender apart.
const (
	typeJoin      = "join"      // my local work is done
	typeRoster    = "roster"    // coordinator: these members take part
	typeKeys      = "keys"      // seq: session; body of secagg
	typeShares    = "shares"    // likewise
	typeConfirm   = "confirm"   // likewise
	typeMasked    = "masked"    // likewise
	typeChunk     = "chunk"     // seq: session<<32 | chunk
	typeSurvivors = "survivors" // coordinator: these masked inputs are summed
	typeStatement = "statement" // I agree with the list, one secagg statement per session of mine
	typeUnmask    = "unmask"    // the shares I open, one secagg body per session of mine
	typeQuit      = "quit"      // seq: reason; I have left the attempt
	typeForfeit   = "forfeit"   // round level: I have opened no share in this round and never will
	typeSign      = "sign"      // round level: my signature under a record
	typeSync      = "sync"      // round level: what I have; please send what I lack
)

// roundLevel stands in for the number of the attempt in messages that concern the whole round.
const roundLevel = ledger.MaxAttempts

const bodyVersion = 1

var errBody = errors.New("malformed body")

// Every body begins with version 1 (1 byte). Integers are big-endian. Lists of members are strictly ascending.

// rosterBody is: version, then one 16-bit index per member.
func encodeIndices(members []int) []byte {
	b := []byte{bodyVersion}
	for _, i := range members {
		b = binary.BigEndian.AppendUint16(b, uint16(i))
	}
	return b
}

// decodeIndices reads a strictly ascending list of at most n members.
func decodeIndices(b []byte, n int) ([]int, error) {
	if len(b) < 1 || b[0] != bodyVersion || len(b)%2 != 1 || len(b)/2 > n {
		return nil, fmt.Errorf("%w: list of members of %d bytes", errBody, len(b))
	}
	out := make([]int, len(b)/2)
	for k := range out {
		out[k] = int(binary.BigEndian.Uint16(b[1+2*k:]))
		if out[k] >= n || k > 0 && out[k-1] >= out[k] {
			return nil, fmt.Errorf("%w: member %d in a list of an epoch of %d", errBody, out[k], n)
		}
	}
	return out, nil
}

// A proposal says whose masked inputs are summed, and in which sessions: an attempt's trunk is session 0, heads follow in
// the order of their keys. It is encoded as: version, number of members (2), members, then sessions, 2 bytes each.
type proposal struct {
	members  []int
	sessions []int
}

func (p *proposal) encode() []byte {
	b := binary.BigEndian.AppendUint16([]byte{bodyVersion}, uint16(len(p.members)))
	b = append(b, encodeIndices(p.members)[1:]...)
	return append(b, encodeIndices(p.sessions)[1:]...)
}

func decodeProposal(b []byte, members, sessions int) (*proposal, error) {
	if len(b) < 3 || b[0] != bodyVersion {
		return nil, fmt.Errorf("%w: survivors of %d bytes", errBody, len(b))
	}
	n := int(binary.BigEndian.Uint16(b[1:]))
	if n > members || len(b) < 3+2*n {
		return nil, fmt.Errorf("%w: survivors: list of %d", errBody, n)
	}
	var p proposal
	var err error
	if p.members, err = decodeIndices(append([]byte{bodyVersion}, b[3:3+2*n]...), members); err != nil {
		return nil, err
	}
	p.sessions, err = decodeIndices(append([]byte{bodyVersion}, b[3+2*n:]...), sessions)
	return &p, err
}

// A bundle holds one secagg body per session: version, then for each: session (2), length (4), body. Sessions ascend.
type bundle map[int][]byte

func (u bundle) encode(to []byte) []byte {
	for _, k := range slices.Sorted(maps.Keys(u)) {
		to = binary.BigEndian.AppendUint16(to, uint16(k))
		to = binary.BigEndian.AppendUint32(to, uint32(len(u[k])))
		to = append(to, u[k]...)
	}
	return to
}

func decodeBundle(b []byte, sessions int) (bundle, error) {
	out := bundle{}
	for last := -1; len(b) > 0; {
		if len(b) < 6 {
			return nil, fmt.Errorf("%w: truncated bundle", errBody)
		}
		k, n := int(binary.BigEndian.Uint16(b)), uint64(binary.BigEndian.Uint32(b[2:]))
		if k <= last || k >= sessions || uint64(len(b)-6) < n {
			return nil, fmt.Errorf("%w: bundle with session %d after %d", errBody, k, last)
		}
		out[k], last = b[6:6+n], k
		b = b[6+n:]
	}
	return out, nil
}

// A statement is: version, length of the proposal (4), proposal, bundle.
func encodeStatement(p []byte, u bundle) []byte {
	b := binary.BigEndian.AppendUint32([]byte{bodyVersion}, uint32(len(p)))
	return u.encode(append(b, p...))
}

func decodeStatement(b []byte, members, sessions int) (string, *proposal, bundle, error) {
	if len(b) < 5 || b[0] != bodyVersion {
		return "", nil, nil, fmt.Errorf("%w: statement of %d bytes", errBody, len(b))
	}
	n := uint64(binary.BigEndian.Uint32(b[1:]))
	if uint64(len(b)-5) < n {
		return "", nil, nil, fmt.Errorf("%w: truncated statement", errBody)
	}
	p, err := decodeProposal(b[5:5+n], members, sessions)
	if err != nil {
		return "", nil, nil, err
	}
	u, err := decodeBundle(b[5+n:], sessions)
	return string(b[5 : 5+n]), p, u, err
}

func encodeUnmask(u bundle) []byte { return u.encode([]byte{bodyVersion}) }

func decodeUnmask(b []byte, sessions int) (bundle, error) {
	if len(b) < 1 || b[0] != bodyVersion {
		return nil, fmt.Errorf("%w: unmask of %d bytes", errBody, len(b))
	}
	return decodeBundle(b[1:], sessions)
}

// Reasons of a quit, its sequence number.
const (
	quitRestarted uint64 = iota + 1 // the process started again; its secrets are gone
	quitStalled                     // the attempt did not go on in time, or cannot
	quitComplaint                   // the body names whose messages were wrong
	quitPolicy                      // the owner's policy demands a larger cohort
	lastReason
)

var quitText = [lastReason]string{
	quitRestarted: "it was restarted", quitStalled: "the attempt does not go on",
	quitComplaint: "another member's messages are wrong", quitPolicy: "its owner demands a larger cohort",
}

// A quit is: version, accused member plus one (2; 0 for nobody).
func encodeQuit(accused int) []byte {
	return binary.BigEndian.AppendUint16([]byte{bodyVersion}, uint16(accused+1))
}

func decodeQuit(b []byte, n int) (accused int, err error) {
	if len(b) != 3 || b[0] != bodyVersion {
		return -1, fmt.Errorf("%w: quit of %d bytes", errBody, len(b))
	}
	if accused = int(binary.BigEndian.Uint16(b[1:])) - 1; accused >= n {
		return -1, fmt.Errorf("%w: quit that accuses member %d", errBody, accused)
	}
	return accused, nil
}

// A sign is: version, signature 64, binary CID of the record.
func encodeSign(s ledger.Signature, record cid.Cid) []byte {
	return append(append([]byte{bodyVersion}, s.Signature[:]...), record.Bytes()...)
}

func decodeSign(b []byte, member int) (ledger.Signature, cid.Cid, error) {
	s := ledger.Signature{Member: uint64(member)}
	if len(b) < 65 || len(b) > 200 || b[0] != bodyVersion {
		return s, cid.Undef, fmt.Errorf("%w: sign of %d bytes", errBody, len(b))
	}
	copy(s.Signature[:], b[1:65])
	c, err := cid.Cast(b[65:])
	if err != nil {
		return s, cid.Undef, fmt.Errorf("%w: sign: %w", errBody, err)
	}
	return s, c, nil
}

// A sync is: version, then 8 bytes of the hash of each envelope that the sender has.
const (
	haveSize = 8
	maxHave  = (ledger.MaxBody - 1) / haveSize
)

type have [haveSize]byte

func encodeSync(of []have) []byte {
	b := []byte{bodyVersion}
	for _, h := range of[:min(len(of), maxHave)] {
		b = append(b, h[:]...)
	}
	return b
}

func decodeSync(b []byte) (map[have]bool, error) {
	if len(b) < 1 || b[0] != bodyVersion || (len(b)-1)%haveSize != 0 {
		return nil, fmt.Errorf("%w: sync of %d bytes", errBody, len(b))
	}
	out := make(map[have]bool, len(b)/haveSize)
	for at := 1; at < len(b); at += haveSize {
		out[have(b[at:])] = true
	}
	return out, nil
}

// emptyBody is the body of messages that say everything by being there: join, forfeit.
func emptyBody(b []byte) error {
	if len(b) != 1 || b[0] != bodyVersion {
		return fmt.Errorf("%w: %d bytes where one is due", errBody, len(b))
	}
	return nil
}
