package secagg

import (
	"fmt"
	"io"
	"slices"

	"github.com/cloudflare/circl/kem/xwing"
)

// A Member is one participant's side of one session. Its methods are the steps, in order: Keys, Shares, Confirm,
// Mask, Survive, Unmask. Each message map holds authenticated bodies by the index of the member that signed them;
// entries of another session, of an index outside the roster, or whose From differs from the key are ignored as
// if they had not arrived. A Member is not safe for concurrent use.
type Member struct {
	s    Session
	sid  keyed // Session.key
	self int
	done step

	secrets secrets
	keys    Keys

	keysSeen map[int]Keys // who is dealt to
	keysView [32]byte
	dealt    [32]byte // digest of the own Shares

	peers     map[int]*peer    // dealers of the view, itself included
	pairs     map[int][32]byte // keys of pair masks that outlive masking; nil unless wanted
	seeds     map[int]PairSeed // likewise, of the encapsulations to later members
	view      [32]byte
	confirmed []int // ascending
	root      [32]byte
	statement Survivors
}

// secrets of one session, all derived from the caller's root.
type secrets struct {
	z, b       [32]byte
	sealSeed   [32]byte // HPKE private key
	sealRandom [32]byte // randomness of sealing
}

// peer is what a member knows of one dealer after Confirm.
type peer struct {
	share, salt [2][32]byte // of b and z, by Secret-1
	confirmKey  [32]byte
	mask        mask // pair mask; unused for the member itself
}

// step is the last step that was taken.
type step int

const (
	started step = iota
	dealt
	confirmed
	masked
	survived
	unmasked
	erased
)

var stepText = [...]string{"Keys", "Shares", "Confirm", "Mask", "Survive", "Unmask", "Erase"}

// NewMember starts a session. self is the member's own index; root is 32 fresh secret bytes, from which every
// secret of the session is derived: the same root gives the same messages again.
func NewMember(s Session, self int, root [32]byte) (*Member, error) {
	if err := s.Validate(); err != nil {
		return nil, err
	}
	if self < 0 || self >= len(s.Roster) {
		return nil, fmt.Errorf("secagg: own index %d in a roster of %d members", self, len(s.Roster))
	}
	if root == [32]byte{} {
		return nil, fmt.Errorf("secagg: the secret root is all zero: pass 32 bytes of a cryptographic generator")
	}
	sid := s.key()
	m := &Member{s: s.clone(), sid: sid, self: self}
	m.secrets = secrets{
		z:          sid.derive32(root[:], "root z", self),
		b:          sid.derive32(root[:], "root b", self),
		sealSeed:   sid.derive32(root[:], "root seal key", self),
		sealRandom: sid.derive32(root[:], "root seal randomness", self),
	}
	key, err := sealKey(m.secrets.sealSeed[:])
	if err != nil {
		return nil, err
	}
	m.keys = Keys{Session: s.ID, From: self, Commitment: commitment(sid, self, m.secrets.b)}
	_, public := maskKeyPair(sid, self, m.secrets.z)
	m.keys.MaskKey = public
	copy(m.keys.SealKey[:], key.PublicKey().Bytes())
	return m, nil
}

// maskKeyPair derives the masking key from z.
func maskKeyPair(sid keyed, from int, z [32]byte) (private []byte, public [MaskKeySize]byte) {
	private, packed := xwing.DeriveKeyPairPacked(sid.derive(z[:], "mask key", xwing.SeedSize, from))
	copy(public[:], packed)
	return private, public
}

// encapsulate is the deterministic encapsulation of a pair secret, HKDF(z, "enc"|sid|j): whoever knows z repeats it.
func encapsulate(sid keyed, from, to int, z [32]byte, key *[MaskKeySize]byte) (secret, cipher []byte, err error) {
	seed := pairSeed(sid, from, to, z)
	return xwing.Encapsulate(key[:], seed[:])
}

// commitment is the hash of b, salted with session and index: b has 256 bits of entropy, so the salt needs no
// secret of its own.
func commitment(sid keyed, from int, b [32]byte) [32]byte {
	h := sid.hash("commitment", from)
	h.Write(b[:])
	return sum32(h)
}

// pairKeys derives from a pair secret what its two ends use it for. low < high are their indices.
func pairKeys(sid keyed, secret []byte, low, high int) (maskKey, confirmKey [32]byte) {
	return sid.derive32(secret, "pair mask", low, high), sid.derive32(secret, "pair confirm", low, high)
}

// enter checks that the member is right before the given step.
func (m *Member) enter(next step) error {
	switch {
	case m.done == erased:
		return fmt.Errorf("%s: %w", stepText[next], ErrErased)
	case m.done >= next:
		return fmt.Errorf("%s: %w: each step is taken once per session; resend the stored bytes", stepText[next], ErrSpent)
	case m.done != next-1:
		return fmt.Errorf("%s after %s: %w", stepText[next], stepText[m.done], ErrOrder)
	}
	return nil
}

// complain makes the error of a step that found a member at fault.
func (m *Member) complain(accused int, why Reason) error {
	return &Complaint{Session: m.s.ID, From: m.self, Accused: accused, Reason: why}
}

// enough returns an error if fewer members than needed are left for a step.
func (m *Member) enough(next step, have int) error {
	if need := m.s.need(); have < need {
		return fmt.Errorf("%s: %w: %d of %d members, want %d: wait for more or start a new attempt",
			stepText[next], ErrThreshold, have, len(m.s.Roster), need)
	}
	return nil
}

// Keys returns the public keys; calling it again gives the same.
func (m *Member) Keys() Keys { return m.keys }

// Erase wipes all secrets; every later step returns ErrErased. Call it when the session is over, however it ended.
func (m *Member) Erase() {
	m.secrets = secrets{}
	clear(m.pairs)
	clear(m.seeds)
	m.wipePeers()
	m.done = erased
}

func (m *Member) wipePeers() {
	for _, p := range m.peers {
		*p = peer{}
	}
	m.peers = nil
}

// String says which member it is and how far it has come, never what it holds.
func (m Member) String() string {
	return fmt.Sprintf("secagg.Member{%d of %d, last step %s, secrets hidden}", m.self, len(m.s.Roster), stepText[m.done])
}

// Format prints String for every verb, so that no log line shows a secret.
func (m Member) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, m.String()) }

// sorted returns the keys of a message map in ascending order.
func sorted[M any](of map[int]M) []int {
	list := make([]int, 0, len(of))
	for i := range of {
		list = append(list, i)
	}
	slices.Sort(list)
	return list
}
