package secagg

// Sizes in bytes.
const (
	sealedPlain = 4 * 32                        // share and salt of b, share and salt of z
	SealedSize  = CipherSize + sealedPlain + 16 // HPKE: encapsulated key, ciphertext, AES-GCM tag
	dealMin     = 2 + 64                        // index and two leaves
	// MaxSharesSize is the size of the largest Shares body.
	MaxSharesSize = prefixSize + 32 + 2 + MaxMembers*(dealMin+SealedSize+CipherSize)
)

// Shares is the body of step 2: the sender's secrets dealt to everyone whose keys it saw, itself included.
type Shares struct {
	Session [32]byte
	From    int
	View    [32]byte // hash of all Keys bodies the sender saw; every member must have seen the same
	Deals   []Deal   // ascending by To
}

// A Deal is what one recipient gets. The leaves are salted hashes of the two shares: they are public before
// anything is masked, so a share opened later is checked against them.
type Deal struct {
	To           int
	LeafB, LeafZ [32]byte
	Sealed       []byte // SealedSize bytes: shares and salts under the recipient's seal key; empty where To == From
	Cipher       []byte // CipherSize bytes: X-Wing encapsulation to the recipient; empty where To <= From
}

// Encode returns the canonical bytes.
func (s *Shares) Encode() []byte {
	size := prefixSize + 32 + 2 + len(s.Deals)*dealMin
	for i := range s.Deals {
		size += len(s.Deals[i].Sealed) + len(s.Deals[i].Cipher)
	}
	b := appendPrefix(make([]byte, 0, size), kindShares, s.Session, s.From)
	b = append(b, s.View[:]...)
	b = appendIndex(b, len(s.Deals))
	for i := range s.Deals {
		d := &s.Deals[i]
		b = appendIndex(b, d.To)
		b = append(b, d.LeafB[:]...)
		b = append(b, d.LeafZ[:]...)
		b = append(b, d.Sealed...)
		b = append(b, d.Cipher...)
	}
	return b
}

// DecodeShares reads a Shares body.
func DecodeShares(body []byte) (Shares, error) {
	var s Shares
	r, sid, from := newReader("shares", kindShares, body)
	s.Session, s.From = sid, from
	r.into(s.View[:])
	n := r.count(dealMin)
	if r.err == nil {
		s.Deals = make([]Deal, n)
	}
	last := -1
	for i := range s.Deals {
		d := &s.Deals[i]
		d.To = r.after(last)
		last = d.To
		r.into(d.LeafB[:])
		r.into(d.LeafZ[:])
		if d.To != from {
			d.Sealed = append([]byte(nil), r.take(SealedSize)...)
		}
		if d.To > from {
			d.Cipher = append([]byte(nil), r.take(CipherSize)...)
		}
	}
	if err := r.done(); err != nil {
		return Shares{}, err
	}
	return s, nil
}
