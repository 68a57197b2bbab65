package secagg

// Sizes in bytes.
const (
	MaskKeySize = 1216 // X-Wing public key
	SealKeySize = 1216 // HPKE MLKEM768X25519 public key
	CipherSize  = 1120 // X-Wing ciphertext, also the encapsulated HPKE key
	KeysSize    = prefixSize + MaskKeySize + SealKeySize + 32
)

// Keys is the body of step 1: a member's public keys, fresh for this session.
type Keys struct {
	Session    [32]byte
	From       int
	MaskKey    [MaskKeySize]byte // X-Wing key derived from z: pair masks are agreed with it
	SealKey    [SealKeySize]byte // HPKE key that shares are sealed to; never the mask key
	Commitment [32]byte          // salted hash of b
}

// Encode returns the canonical bytes.
func (k *Keys) Encode() []byte {
	b := appendPrefix(make([]byte, 0, KeysSize), kindKeys, k.Session, k.From)
	b = append(b, k.MaskKey[:]...)
	b = append(b, k.SealKey[:]...)
	return append(b, k.Commitment[:]...)
}

// DecodeKeys reads a Keys body.
func DecodeKeys(body []byte) (Keys, error) {
	var k Keys
	r, sid, from := newReader("keys", kindKeys, body)
	k.Session, k.From = sid, from
	r.into(k.MaskKey[:])
	r.into(k.SealKey[:])
	r.into(k.Commitment[:])
	if err := r.done(); err != nil {
		return Keys{}, err
	}
	return k, nil
}
