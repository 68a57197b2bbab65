package secagg

import (
	"crypto/hmac"
	"crypto/hpke"
	"crypto/sha256"
	"encoding/binary"
	"fmt"

	"github.com/cloudflare/circl/kem/xwing"
)

// viewOfShares binds the Keys view and every accepted Shares body.
func viewOfShares(s *Session, keysView [32]byte, shares map[int]Shares) [32]byte {
	h := s.key().hash("shares view")
	h.Write(keysView[:])
	dealers := sorted(shares)
	digests := make([][32]byte, len(dealers)) // of 0.4 MB each with 200 members
	parallel(len(dealers), func(k int, _ *none) {
		body := shares[dealers[k]]
		digests[k] = digest(&body)
	})
	for k, i := range dealers {
		h.Write(binary.BigEndian.AppendUint16(nil, uint16(i)))
		h.Write(digests[k][:])
	}
	return sum32(h)
}

// Confirm opens what every dealer in shares sent, which must contain the own Shares. Once only.
// Errors: *Complaint naming the first bad dealer, ErrThreshold, ErrView.
func (m *Member) Confirm(shares map[int]Shares) (Confirm, error) {
	if err := m.enter(confirmed); err != nil {
		return Confirm{}, err
	}
	seen := make(map[int]Shares, len(shares))
	for i, s := range shares {
		if _, dealtTo := m.keysSeen[i]; dealtTo && m.s.belongs(s.Session, s.From, i) {
			seen[i] = s
		}
	}
	if own, ok := seen[m.self]; !ok || digest(&own) != m.dealt {
		return Confirm{}, fmt.Errorf("Confirm: %w: the own shares of member %d are missing or altered: the relay cannot be trusted", ErrView, m.self)
	}
	if err := m.enough(confirmed, len(seen)); err != nil {
		return Confirm{}, err
	}
	peers, err := m.acceptAll(seen)
	if err != nil {
		return Confirm{}, err
	}
	m.peers, m.view, m.done = peers, viewOfShares(&m.s, m.keysView, seen), confirmed
	out := Confirm{Session: m.s.ID, From: m.self, View: m.view}
	for _, j := range sorted(peers) {
		if j != m.self {
			out.Tags = append(out.Tags, Tag{To: j, MAC: peers[j].tag(m.sid, m.self, j, m.view)})
		}
	}
	return out, nil
}

// acceptAll opens the shares of every dealer in ascending order.
func (m *Member) acceptAll(seen map[int]Shares) (map[int]*peer, error) {
	recipients := sorted(m.keysSeen)
	private, _ := maskKeyPair(m.sid, m.self, m.secrets.z)
	defer clear(private)
	opens, err := sealKey(m.secrets.sealSeed[:])
	if err != nil {
		return nil, err
	}
	peers := make(map[int]*peer, len(seen))
	for _, i := range sorted(seen) {
		from := seen[i]
		switch {
		case from.View != m.keysView:
			return nil, m.complain(i, BadView)
		case !from.wellFormed(recipients):
			return nil, m.complain(i, BadDeal)
		}
		p, err := m.accept(&from, private, opens)
		if err != nil {
			return nil, err
		}
		peers[i] = p
	}
	return peers, nil
}

// accept takes one dealer's share and pair secret, with the private keys of masking and of sealing.
func (m *Member) accept(from *Shares, private []byte, opens hpke.PrivateKey) (*peer, error) {
	i := from.From
	p := new(peer)
	if i == m.self {
		b := deal(m.sid, i, SecretB, m.secrets.b, m.s.Threshold)
		z := deal(m.sid, i, SecretZ, m.secrets.z, m.s.Threshold)
		defer b.wipe()
		defer z.wipe()
		p.setShares(sealedPlaintext(&b, &z, i))
		return p, nil
	}
	d := from.to(m.self)
	plain, err := unseal(opens, sealInfo(m.sid, m.keysView, i, m.self), d.Sealed)
	if err != nil {
		return nil, m.complain(i, BadShare)
	}
	p.setShares(plain)
	clear(plain)
	if shareLeaf(m.sid, i, m.self, SecretB, p.share[0], p.salt[0]) != d.LeafB ||
		shareLeaf(m.sid, i, m.self, SecretZ, p.share[1], p.salt[1]) != d.LeafZ {
		return nil, m.complain(i, BadShare)
	}
	return p, m.agree(p, i, d.Cipher, private)
}

func (p *peer) setShares(plain []byte) {
	p.share[0], p.salt[0] = [32]byte(plain[0:]), [32]byte(plain[32:])
	p.share[1], p.salt[1] = [32]byte(plain[64:]), [32]byte(plain[96:])
}

// agree computes the secret shared with dealer i: decapsulated if i comes earlier in the roster, otherwise
// encapsulated again as in the own Shares.
func (m *Member) agree(p *peer, i int, cipher, private []byte) error {
	var secret []byte
	if i < m.self {
		secret = xwing.Decapsulate(cipher, private)
	} else {
		key := m.keysSeen[i].MaskKey
		var err error
		if secret, _, err = encapsulate(m.sid, m.self, i, m.secrets.z, &key); err != nil {
			return m.complain(i, BadKeys)
		}
	}
	p.mask.key, p.confirmKey = pairKeys(m.sid, secret, min(i, m.self), max(i, m.self))
	p.mask.negative = i < m.self
	clear(secret)
	return nil
}

// tag is the key confirmation from one end of a pair to the other.
func (p *peer) tag(sid keyed, from, to int, view [32]byte) (mac [32]byte) {
	h := hmac.New(sha256.New, p.confirmKey[:])
	head := sid.hash("tag", from, to)
	head.Write(view[:])
	h.Write(head.Sum(nil))
	h.Sum(mac[:0])
	return mac
}
