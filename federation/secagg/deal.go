package secagg

import "fmt"

// belongs reports whether a message found under index i is of this session and of that member.
func (s *Session) belongs(sid [32]byte, from, i int) bool {
	return sid == s.ID && from == i && i >= 0 && i < len(s.Roster)
}

// viewOfKeys binds every Keys body that a member saw.
func viewOfKeys(s *Session, keys map[int]Keys) [32]byte {
	h := s.key().hash("keys view")
	roster := RosterHash(s.Roster)
	h.Write(roster[:])
	for _, i := range sorted(keys) {
		k := keys[i]
		h.Write(k.Encode())
	}
	return sum32(h)
}

// Shares deals the secrets to every member in keys, which must contain the own Keys. Once only.
// Errors: *Complaint for unusable keys, ErrThreshold, ErrView when the own Keys were altered, ErrSpent.
func (m *Member) Shares(keys map[int]Keys) (Shares, error) {
	if err := m.enter(dealt); err != nil {
		return Shares{}, err
	}
	seen := make(map[int]Keys, len(keys))
	for i, k := range keys {
		if m.s.belongs(k.Session, k.From, i) {
			seen[i] = k
		}
	}
	if seen[m.self] != m.keys {
		return Shares{}, fmt.Errorf("Shares: %w: the own keys of member %d are missing or altered: the relay cannot be trusted", ErrView, m.self)
	}
	if err := m.enough(dealt, len(seen)); err != nil {
		return Shares{}, err
	}
	if err := m.checkKeys(seen); err != nil {
		return Shares{}, err
	}
	view := viewOfKeys(&m.s, seen)
	out := Shares{Session: m.s.ID, From: m.self, View: view, Deals: make([]Deal, 0, len(seen))}
	dealB := deal(m.sid, m.self, SecretB, m.secrets.b, m.s.Threshold)
	dealZ := deal(m.sid, m.self, SecretZ, m.secrets.z, m.s.Threshold)
	defer dealB.wipe()
	defer dealZ.wipe()
	for _, to := range sorted(seen) {
		key := seen[to]
		d, err := m.dealTo(&key, view, &dealB, &dealZ)
		if err != nil {
			return Shares{}, m.complain(to, BadKeys)
		}
		out.Deals = append(out.Deals, d)
	}
	m.keysSeen, m.keysView, m.dealt, m.done = seen, view, digest(&out), dealt
	return out, nil
}

// checkKeys complains about the first member whose keys cannot be used or are another member's.
func (m *Member) checkKeys(seen map[int]Keys) error {
	owner := make(map[[32]byte]bool, 2*len(seen))
	for _, i := range sorted(seen) {
		k := seen[i]
		maskKey, sealKey := hashKey(k.MaskKey[:]), hashKey(k.SealKey[:])
		if i != m.self && (!k.usable() || owner[maskKey] || owner[sealKey]) {
			return m.complain(i, BadKeys)
		}
		owner[maskKey], owner[sealKey] = true, true
	}
	return nil
}

func hashKey(key []byte) [32]byte {
	h := newHash("public key")
	h.Write(key)
	return sum32(h)
}

// dealTo makes one recipient's part of the Shares.
func (m *Member) dealTo(key *Keys, view [32]byte, b, z *dealing) (Deal, error) {
	to := key.From
	d := Deal{To: to, LeafB: b.leaf(to), LeafZ: z.leaf(to)}
	if to != m.self {
		plain := sealedPlaintext(b, z, to)
		defer clear(plain)
		random := m.sid.derive(m.secrets.sealRandom[:], "seal", 64, m.self, to)
		// The randomness also depends on the view: should a restarted member be shown other keys, it does not
		// encapsulate twice with the same randomness.
		random = m.sid.derive(append(random, view[:]...), "seal view", 64, m.self, to)
		sealed, err := seal(&key.SealKey, sealInfo(m.sid, view, m.self, to), plain, random)
		if err != nil {
			return Deal{}, err
		}
		d.Sealed = sealed
	}
	if to > m.self {
		_, cipher, err := encapsulate(m.sid, m.self, to, m.secrets.z, &key.MaskKey)
		if err != nil {
			return Deal{}, err
		}
		d.Cipher = cipher
	}
	return d, nil
}

// sealedPlaintext is what a recipient reads: share of b, its salt, share of z, its salt.
func sealedPlaintext(b, z *dealing, to int) []byte {
	plain := make([]byte, 0, sealedPlain)
	for _, d := range []*dealing{b, z} {
		share, salt := d.share(to), d.salt(to)
		plain = append(append(plain, share[:]...), salt[:]...)
	}
	return plain
}

func digest(s *Shares) [32]byte {
	h := newHash("shares digest")
	h.Write(s.Encode())
	return sum32(h)
}

// wellFormed reports whether the Shares have one deal of the right sizes for exactly the members with keys.
func (s *Shares) wellFormed(recipients []int) bool {
	if len(s.Deals) != len(recipients) {
		return false
	}
	for k, to := range recipients {
		d := &s.Deals[k]
		sealed, cipher := SealedSize, CipherSize
		if to == s.From {
			sealed = 0
		}
		if to <= s.From {
			cipher = 0
		}
		if d.To != to || len(d.Sealed) != sealed || len(d.Cipher) != cipher {
			return false
		}
	}
	return true
}

// to returns the deal of a recipient, which a well-formed Shares has for every member with keys.
func (s *Shares) to(recipient int) *Deal {
	for k := range s.Deals {
		if s.Deals[k].To == recipient {
			return &s.Deals[k]
		}
	}
	return nil
}
