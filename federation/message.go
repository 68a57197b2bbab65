package federation

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/fedlam/fedlam/federation/ledger"
)

// Types of envelopes. Sequence numbers tell messages of one type and sender apart.
const (
	typeJoin      = "join"          // my local work is done; with the heads whose shares I have opened in this round
	typeRoster    = "roster"        // coordinator: these members take part, in these sums
	typeKeys      = "keys"          // seq: session; body of secagg
	typeShares    = "shares"        // likewise
	typeConfirm   = "confirm"       // likewise
	typeMasked    = "masked"        // likewise
	typeChunk     = "chunk"         // seq: session<<32 | chunk
	typeHeld      = "held"          // seq: session<<32 | how often it was said: I hold the chunks of these members
	typeChunkSum  = "chunk-sum"     // seq: session<<32 | chunk; body of secagg
	typeVouch     = "chunk-vouch"   // likewise; I have added it up too, and this is its hash
	typeFraud     = "fraud"         // seq: of the proof: an envelope with a wrong sum of a chunk
	typeAudit     = "audit-request" // seq: of the body; please send a chunk of these members; kept by nobody
	typeSurvivors = "survivors"     // coordinator: the masked inputs of these members are summed, for the heads
	typeStateHead = "state-head"    // seq: session; body of secagg: I agree with the list
	typeOpenHead  = "open-head"     // seq: session; body of secagg: my shares
	typeFinal     = "final"         // coordinator: members summed for the trunk, and the heads that are open
	typeStatement = "statement"     // I agree with final; with the secagg statement of the trunk
	typeUnmask    = "unmask"        // body of secagg: my shares of the trunk
	typeNorms     = "norms"         // sketches of my pair masks in the trunk; body of package sketch
	typeOpenPair  = "open-pair"     // seq: the upper end of a pair that quarrels about a sketch; seed of its mask
	typeQuit      = "quit"          // seq: reason; I have left the attempt
	typeForfeit   = "forfeit"       // round level: I have opened no share in this round and never will
	typePrepare   = "prepare"       // round level, seq: view; first vote
	typeCommit    = "commit"        // round level, seq: view; second vote, the signature under a record
	typeNext      = "next"          // round level, seq: view that I want to go on to
	typeOffer     = "offer"         // round level, seq: view; its proposer: the record to be voted for
	typeEvidence  = "evidence"      // round level: two envelopes that prove that a member said two things
	typeApprove   = "approve"       // round level, seq: of the document; my owner consents to this next epoch
	typeSync      = "sync"          // round level: what I have; please send what I lack
)

// roundLevel stands in for the number of the attempt in messages that concern the whole round.
const roundLevel = ledger.MaxAttempts

const bodyVersion = 1

var errBody = errors.New("malformed body")

// Every body begins with version 1 (1 byte). Integers are big-endian. Lists of members are strictly ascending.

// encodeIndices writes a list: version, then 16 bits each.
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

// A proposal is what a coordinator says. A roster and a final list members and heads; survivors list members only. Heads
// are counted in the order of Epoch.Shared. It is encoded as: version, number of members (2), members, heads, 2 bytes each.
type proposal struct {
	members []int
	heads   []int
}

func (p *proposal) encode() []byte {
	b := binary.BigEndian.AppendUint16([]byte{bodyVersion}, uint16(len(p.members)))
	b = append(b, encodeIndices(p.members)[1:]...)
	return append(b, encodeIndices(p.heads)[1:]...)
}

func decodeProposal(b []byte, members, heads int) (*proposal, error) {
	if len(b) < 3 || b[0] != bodyVersion {
		return nil, fmt.Errorf("%w: proposal of %d bytes", errBody, len(b))
	}
	n := int(binary.BigEndian.Uint16(b[1:]))
	if n > members || len(b) < 3+2*n {
		return nil, fmt.Errorf("%w: proposal of %d members", errBody, n)
	}
	var p proposal
	var err error
	if p.members, err = decodeIndices(append([]byte{bodyVersion}, b[3:3+2*n]...), members); err != nil {
		return nil, err
	}
	p.heads, err = decodeIndices(append([]byte{bodyVersion}, b[3+2*n:]...), heads)
	return &p, err
}

// A statement is: version, length of the proposal that it agrees with (4), that proposal, secagg body.
func encodeStatement(proposal, body []byte) []byte {
	b := binary.BigEndian.AppendUint32([]byte{bodyVersion}, uint32(len(proposal)))
	return append(append(b, proposal...), body...)
}

func decodeStatement(b []byte) (proposal, body []byte, err error) {
	if len(b) < 5 || b[0] != bodyVersion {
		return nil, nil, fmt.Errorf("%w: statement of %d bytes", errBody, len(b))
	}
	n := uint64(binary.BigEndian.Uint32(b[1:]))
	if uint64(len(b)-5) < n {
		return nil, nil, fmt.Errorf("%w: truncated statement", errBody)
	}
	return b[5 : 5+n], b[5+n:], nil
}

// Reasons of a quit, its sequence number.
const (
	quitRestarted uint64 = iota + 1 // the process started again; its secrets are gone
	quitStalled                     // the attempt did not go on in time, or cannot
	quitComplaint                   // the body names whose messages were wrong
	quitPolicy                      // the owner's policy demands a larger cohort
	quitSpent                       // a head is to be summed whose shares it has opened in this round
	quitEpoch                       // the members are about to change
	lastReason
)

var quitText = [lastReason]string{
	quitRestarted: "it was restarted", quitStalled: "the attempt does not go on",
	quitComplaint: "another member's messages are wrong", quitPolicy: "its owner demands a larger cohort",
	quitSpent: "it has opened a head already that is to be summed again",
	quitEpoch: "the members are about to change",
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

// emptyBody is the body of a message that says everything by being there: forfeit.
func emptyBody(b []byte) error {
	if len(b) != 1 || b[0] != bodyVersion {
		return fmt.Errorf("%w: %d bytes where one is due", errBody, len(b))
	}
	return nil
}
