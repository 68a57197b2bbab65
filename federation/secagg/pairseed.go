package secagg

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/cloudflare/circl/kem/xwing"
)

// When the two ends of a pair contradict each other about their mask, the lower one opens the seed of the one encapsulation from which
// it follows. It gives away that mask and nothing else: neither z nor the seed of another pair follows from it.

// PairSeedSize is the size of the seed of an encapsulation, in bytes.
const PairSeedSize = xwing.EncapsulationSeedSize

// A PairSeed is the randomness from which the lower end of a pair encapsulated to the upper one: HKDF(z, "enc"|sid|j).
type PairSeed [PairSeedSize]byte

// ErrPairSeed is wrapped when an opened seed is not the one that its pair was made from. Who signed that it opened this one cheated.
var ErrPairSeed = errors.New("this seed is not that of the pair")

// pairSeed derives the seed of the encapsulation to a later member.
func pairSeed(sid keyed, from, to int, z [32]byte) (seed PairSeed) {
	copy(seed[:], sid.derive(z[:], "enc", PairSeedSize, from, to))
	return seed
}

// PairSeeds returns the seeds of the pairs with later members, by index: those of the list that have one. They are secret, and none
// may be opened but that of a pair whose upper end contradicts this member in public. Nil without KeepPairMasks.
func (m *Member) PairSeeds(with []int) map[int]PairSeed {
	if m.pairs == nil {
		return nil
	}
	out := map[int]PairSeed{}
	for _, j := range with {
		if seed, ok := m.seeds[j]; ok {
			out[j] = seed
		}
	}
	return out
}

// OpenPair returns the key of the mask of a pair, from the seed that its lower end opened: it encapsulates to the upper end's public key
// again and compares with the ciphertext that the lower end published before anything was masked. upper and lower are the authenticated messages
// of one session. Errors wrap ErrPairSeed when the seed is not the one, and ErrMessage when the messages make no such pair.
func OpenPair(s Session, upper *Keys, lower *Shares, seed PairSeed) (maskKey [32]byte, err error) {
	low, high := lower.From, upper.From
	if low >= high || !s.Together(low, high) || !s.belongs(lower.Session, low, low) || !s.belongs(upper.Session, high, high) {
		return maskKey, fmt.Errorf("open pair of members %d and %d: %w: they are no pair of this session", low, high, ErrMessage)
	}
	deal := lower.to(high)
	if deal == nil || len(deal.Cipher) != CipherSize {
		return maskKey, fmt.Errorf("open pair of members %d and %d: %w: there is no ciphertext", low, high, ErrMessage)
	}
	secret, cipher, err := xwing.Encapsulate(upper.MaskKey[:], seed[:])
	if err != nil {
		return maskKey, fmt.Errorf("open pair of members %d and %d: %w: %w", low, high, ErrMessage, err)
	}
	if !bytes.Equal(cipher, deal.Cipher) {
		return maskKey, fmt.Errorf("open pair of members %d and %d: %w: it makes another ciphertext", low, high, ErrPairSeed)
	}
	maskKey, _ = pairKeys(s.key(), secret, low, high)
	return maskKey, nil
}
