package secagg

import (
	"crypto/hpke"
	"errors"
	"fmt"

	circlhpke "github.com/cloudflare/circl/hpke"
	"github.com/cloudflare/circl/kem/xwing"
)

// Shares are sealed by HPKE base mode (RFC 9180) with KEM MLKEM768X25519 (0x647a), HKDF-SHA256 and AES-256-GCM.
// Opening is the standard library's. Sealing is circl's implementation of the same suite, because it takes the
// encapsulation randomness as a parameter: sealed bytes are a function of the member's root, and so the same
// after a restart. The randomness comes from a secret of its own: were it derived from b or z, opening that secret
// would open every share that the member sealed.

var errSealed = errors.New("sealed share does not open")

func sealInfo(sid keyed, view [32]byte, from, to int) []byte {
	h := sid.hash("seal info", from, to)
	h.Write(view[:])
	return h.Sum(nil)
}

// fixed gives out its bytes once.
type fixed struct{ rest []byte }

func (f *fixed) Read(p []byte) (int, error) {
	if len(p) > len(f.rest) {
		return 0, errors.New("encapsulation wants more randomness than it says")
	}
	n := copy(p, f.rest)
	f.rest = f.rest[n:]
	return n, nil
}

// seal returns SealedSize bytes for a plaintext of sealedPlain bytes.
func seal(key *[SealKeySize]byte, info, plain, random []byte) ([]byte, error) {
	public, err := circlhpke.KEM_XWING.Scheme().UnmarshalBinaryPublicKey(key[:])
	if err != nil {
		return nil, fmt.Errorf("seal share: %w", err)
	}
	suite := circlhpke.NewSuite(circlhpke.KEM_XWING, circlhpke.KDF_HKDF_SHA256, circlhpke.AEAD_AES256GCM)
	sender, err := suite.NewSender(public, info)
	if err != nil {
		return nil, fmt.Errorf("seal share: %w", err)
	}
	enc, sealer, err := sender.Setup(&fixed{random})
	if err != nil {
		return nil, fmt.Errorf("seal share: %w", err)
	}
	sealed, err := sealer.Seal(plain, nil)
	if err != nil {
		return nil, fmt.Errorf("seal share: %w", err)
	}
	return append(enc, sealed...), nil
}

// unseal opens what seal made.
func unseal(key hpke.PrivateKey, info, sealed []byte) ([]byte, error) {
	plain, err := hpke.Open(key, hpke.HKDFSHA256(), hpke.AES256GCM(), info, sealed)
	if err != nil || len(plain) != sealedPlain {
		return nil, errSealed
	}
	return plain, nil
}

func sealKey(seed []byte) (hpke.PrivateKey, error) {
	key, err := hpke.MLKEM768X25519().NewPrivateKey(seed)
	if err != nil {
		return nil, errors.New("secagg: derive seal key") // never for a 32-byte seed
	}
	return key, nil
}

// usable reports whether both public keys are keys, and different ones.
func (k *Keys) usable() bool {
	if k.MaskKey == k.SealKey {
		return false
	}
	var pair xwing.PublicKey
	if pair.Unpack(k.MaskKey[:]) != nil {
		return false
	}
	_, err := hpke.MLKEM768X25519().NewPublicKey(k.SealKey[:])
	return err == nil
}
