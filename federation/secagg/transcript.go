package secagg

import "fmt"

// A Transcript holds the authenticated public messages of a session, by the index of the member that signed them.
// Entries of another session, of an index outside the roster, or whose From differs from the key are ignored.
type Transcript struct {
	Keys       map[int]Keys   // of exactly the members that were dealt to
	Shares     map[int]Shares // of exactly the dealers in the view that the survivors state
	Statements map[int]Survivors
	Masked     map[int]Masked // of every survivor
	Unmasks    map[int]Unmask
}

// agreed returns the statement that at least Threshold of its own survivors made. Two different ones cannot exist,
// because two thirds of the roster intersect; so the order in which they are looked at does not matter.
func (in *Transcript) agreed(s *Session) (Survivors, error) {
	votes := make(map[[32]byte]int)
	for _, i := range sorted(in.Statements) {
		st := in.Statements[i]
		if !s.belongs(st.Session, st.From, i) || !st.has(i) {
			continue
		}
		d := st.Digest()
		if votes[d]++; votes[d] >= s.Threshold {
			return st, st.validate(s)
		}
	}
	return Survivors{}, fmt.Errorf("secagg sum: %w: no survivor list has %d equal statements: this session has no sum", ErrThreshold, s.Threshold)
}

// validate checks a statement that did not come from this member.
func (s *Survivors) validate(of *Session) error {
	if s.Roster != RosterHash(of.Roster) {
		return fmt.Errorf("secagg sum: %w: the survivors state another roster", ErrView)
	}
	last := -1
	for _, v := range s.List {
		if v.Member <= last || v.Member >= len(of.Roster) {
			return fmt.Errorf("secagg sum: %w: survivor list with member %d after %d", ErrMessage, v.Member, last)
		}
		last = v.Member
	}
	if len(s.List) < of.need() {
		return fmt.Errorf("secagg sum: %w: %d survivors, want %d", ErrThreshold, len(s.List), of.need())
	}
	if err := of.thin(s.members()); err != nil {
		return fmt.Errorf("secagg sum: %w", err)
	}
	return nil
}

// dealers checks that keys and shares are those the survivors state, and returns both.
func (in *Transcript) dealers(s *Session, st *Survivors) (map[int]Keys, map[int]Shares, error) {
	keys := make(map[int]Keys, len(in.Keys))
	for i, k := range in.Keys {
		if s.belongs(k.Session, k.From, i) {
			keys[i] = k
		}
	}
	shares := make(map[int]Shares, len(in.Shares))
	for i, b := range in.Shares {
		if _, ok := keys[i]; ok && s.belongs(b.Session, b.From, i) {
			shares[i] = b
		}
	}
	keysView := viewOfKeys(s, keys)
	if viewOfShares(s, keysView, shares) != st.View {
		return nil, nil, fmt.Errorf("secagg sum: %w: the keys and shares at hand are not those that the survivors state: fetch the missing ones", ErrView)
	}
	recipients := sorted(keys)
	for _, i := range sorted(shares) {
		if b := shares[i]; b.View != keysView || !b.wellFormed(recipients) {
			return nil, nil, &Fault{Member: i, What: "it dealt for other keys than the rest"}
		}
	}
	for _, v := range st.List {
		if _, ok := shares[v.Member]; !ok {
			return nil, nil, fmt.Errorf("secagg sum: %w: survivor %d dealt no shares", ErrView, v.Member)
		}
	}
	return keys, shares, nil
}

// headers checks that every survivor's masked input is the one the statement names.
func (in *Transcript) headers(s *Session, st *Survivors) (map[int]MaskedHeader, error) {
	headers := make(map[int]MaskedHeader, len(st.List))
	for _, v := range st.List {
		m, ok := in.Masked[v.Member]
		h := m.Header
		switch {
		case !ok:
			return nil, fmt.Errorf("secagg sum: the masked input of survivor %d is missing: fetch it", v.Member)
		case !s.belongs(h.Session, h.From, v.Member) || h.Root() != v.Root:
			return nil, fmt.Errorf("secagg sum: %w: the masked input of survivor %d is not the one the survivors state", ErrView, v.Member)
		case h.Lanes != s.Lanes || len(h.Leaves) != s.Chunks():
			return nil, &Fault{Member: v.Member, What: fmt.Sprintf("its masked input has %d lanes, want %d", h.Lanes, s.Lanes)}
		}
		headers[v.Member] = h
	}
	return headers, nil
}

// openers returns the members whose Unmask bodies hold: survivors that opened exactly one share of every dealer, of
// the right kind, as published. The others are left out, and do not matter while Threshold remain.
func (in *Transcript) openers(s *Session, st *Survivors, shares map[int]Shares) ([]int, error) {
	dealers, sid := sorted(shares), s.key()
	var good, bad []int
	for _, i := range sorted(in.Unmasks) {
		u := in.Unmasks[i]
		if !s.belongs(u.Session, u.From, i) || !st.has(i) {
			continue
		}
		if u.holds(sid, st, dealers, shares) {
			good = append(good, i)
		} else {
			bad = append(bad, i)
		}
	}
	if len(good) < s.Threshold {
		return nil, fmt.Errorf("secagg sum: %w: %d members opened valid shares, %d opened wrong ones %v, want %d", ErrThreshold, len(good), len(bad), bad, s.Threshold)
	}
	return good, nil
}

func (u *Unmask) holds(sid keyed, st *Survivors, dealers []int, shares map[int]Shares) bool {
	if len(u.Opened) != len(dealers) {
		return false
	}
	for k, i := range dealers {
		o, from := &u.Opened[k], shares[i]
		d := from.to(u.From)
		which, leaf := SecretZ, d.LeafZ
		if st.has(i) {
			which, leaf = SecretB, d.LeafB
		}
		if o.Of != i || o.Secret != which || shareLeaf(sid, i, u.From, which, o.Share, o.Salt) != leaf {
			return false
		}
	}
	return true
}
