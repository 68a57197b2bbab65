package secagg

import (
	"errors"
	"slices"
	"strings"
	"testing"
)

// accused runs steps until one complains and returns whom about what.
func accused(t *testing.T, err error) (*Complaint, bool) {
	t.Helper()
	var c *Complaint
	return c, errors.As(err, &c)
}

// reshare returns Shares that can be changed without changing the map's.
func reshare(s Shares) Shares {
	back, err := DecodeShares(s.Encode())
	if err != nil {
		panic(err)
	}
	return back
}

// TestCheatingDealerIsNamed: what a dealer can do wrong before anything is masked is a complaint that names it.
func TestCheatingDealerIsNamed(t *testing.T) {
	overRings(t, func(t *testing.T, session newSession) {
		const cheat, victim = 2, 0
		for _, c := range []struct {
			name   string
			reason Reason
			change func(s *Shares, p *party)
		}{
			{"garbled sealed share", BadShare, func(s *Shares, _ *party) { s.Deals[victim].Sealed[SealedSize-1] ^= 1 }},
			{"garbled encapsulated key", BadShare, func(s *Shares, _ *party) { s.Deals[victim].Sealed[3] ^= 1 }},
			{"share of another recipient", BadShare, func(s *Shares, _ *party) { s.Deals[victim].Sealed = s.Deals[1].Sealed }},
			{"share that another dealer sealed", BadShare, func(s *Shares, p *party) { s.Deals[victim].Sealed = p.in.Shares[1].Deals[victim].Sealed }},
			{"share of b against its leaf", BadShare, func(s *Shares, _ *party) { s.Deals[victim].LeafB[0] ^= 1 }},
			{"share of z against its leaf", BadShare, func(s *Shares, _ *party) { s.Deals[victim].LeafZ[0] ^= 1 }},
			{"leaves of b and z exchanged", BadShare, func(s *Shares, _ *party) {
				d := &s.Deals[victim]
				d.LeafB, d.LeafZ = d.LeafZ, d.LeafB
			}},
			{"keys that nobody else saw", BadView, func(s *Shares, _ *party) { s.View[0] ^= 1 }},
			{"a recipient left out", BadDeal, func(s *Shares, _ *party) { s.Deals = s.Deals[1:] }},
			{"no ciphertext", BadDeal, func(s *Shares, _ *party) { s.Deals[3].Cipher = nil }},
			{"sealed share cut", BadDeal, func(s *Shares, _ *party) { s.Deals[victim].Sealed = s.Deals[victim].Sealed[:9] }},
		} {
			t.Run(c.name, func(t *testing.T) {
				p := newParty(t, session(4, 3))
				if err := p.until(atShares); err != nil {
					t.Fatal(err)
				}
				shares := reshare(p.in.Shares[cheat])
				c.change(&shares, p)
				p.in.Shares[cheat] = shares
				_, err := p.members[victim].Confirm(p.in.Shares)
				if got, ok := accused(t, err); !ok || got.Accused != cheat || got.Reason != c.reason || got.From != victim {
					t.Errorf("error %v, want a complaint about member %d: %v", err, cheat, c.reason)
				}
			})
		}
	})
}

// TestSwappedCiphertextFailsConfirmation: a pair ciphertext that decapsulates to another secret shows in the tags of both.
func TestSwappedCiphertextFailsConfirmation(t *testing.T) {
	overRings(t, func(t *testing.T, session newSession) {
		for name, change := range map[string]func(s *Shares){
			"flipped":                 func(s *Shares) { s.Deals[2].Cipher[9] ^= 4 },
			"of another pair":         func(s *Shares) { s.Deals[2].Cipher = s.Deals[3].Cipher },
			"low-order X25519 points": func(s *Shares) { clear(s.Deals[2].Cipher[CipherSize-32:]) },
		} {
			t.Run(name, func(t *testing.T) {
				p := newParty(t, session(4, 3))
				if err := p.until(atShares); err != nil {
					t.Fatal(err)
				}
				shares := reshare(p.in.Shares[0])
				change(&shares)
				// member 0 itself broadcast these bytes: it answers for them
				p.in.Shares[0], p.members[0].dealt = shares, digest(&shares)
				if err := p.runConfirm(); err != nil {
					t.Fatal(err)
				}
				err := p.runMask()
				if got, ok := accused(t, err); !ok || got.Reason != BadTag || got.From != 0 || got.Accused != 2 {
					t.Errorf("member 0: %v, want its complaint about the tag of member 2", err)
				}
				_, err = p.members[2].Mask(p.values[2], p.confirms)
				if got, ok := accused(t, err); !ok || got.Reason != BadTag || got.Accused != 0 {
					t.Errorf("member 2: %v, want its complaint about the tag of member 0", err)
				}
			})
		}
	})
}

func TestWrongTagIsNamed(t *testing.T) {
	overRings(t, func(t *testing.T, session newSession) {
		for name, change := range map[string]func(c *Confirm){
			"flipped":       func(c *Confirm) { c.Tags[0].MAC[31] ^= 1 },
			"missing":       func(c *Confirm) { c.Tags = c.Tags[1:] },
			"of a third":    func(c *Confirm) { c.Tags = c.Tags[:2] },
			"none":          func(c *Confirm) { c.Tags = nil },
			"for a twin":    func(c *Confirm) { c.Tags[0], c.Tags[1] = c.Tags[1], c.Tags[0] },
			"for strangers": func(c *Confirm) { c.Tags[2].To = 9 },
		} {
			p := newParty(t, session(4, 3))
			if err := p.until(atConfirm); err != nil {
				t.Fatal(err)
			}
			confirm := p.confirms[3]
			confirm.Tags = slices.Clone(confirm.Tags)
			change(&confirm)
			p.confirms[3] = confirm
			masked, err := p.members[0].Mask(p.values[0], p.confirms)
			if got, ok := accused(t, err); !ok || got.Accused != 3 || got.Reason != BadTag || masked.Chunks != nil {
				t.Errorf("%s: %v, want a complaint about member 3 and no masked input", name, err)
			}
		}
	})
}

func TestBadKeysAreNamed(t *testing.T) {
	overRings(t, func(t *testing.T, session newSession) {
		for name, change := range map[string]func(k *Keys, p *party){
			"mask key outside the field": func(k *Keys, _ *party) { fill(k.MaskKey[:1152], 0xf0) },
			"seal key outside the field": func(k *Keys, _ *party) { fill(k.SealKey[:1152], 0xf0) },
			"one key for both":           func(k *Keys, _ *party) { k.SealKey = k.MaskKey },
			"mask key of another member": func(k *Keys, p *party) { k.MaskKey = p.in.Keys[1].MaskKey },
			"its mask key to seal with":  func(k *Keys, p *party) { k.SealKey = p.in.Keys[1].MaskKey },
		} {
			p := newParty(t, session(4, 3))
			if err := p.until(atKeys); err != nil {
				t.Fatal(err)
			}
			k := p.in.Keys[2]
			change(&k, p)
			p.in.Keys[2] = k
			_, err := p.members[0].Shares(p.in.Keys)
			if got, ok := accused(t, err); !ok || got.Accused != 2 || got.Reason != BadKeys {
				t.Errorf("%s: %v, want a complaint about member 2", name, err)
			}
		}
	})
}

// TestRelayThatAltersOwnMessages: a member recognises its own messages, so a relay cannot put others in their place.
func TestRelayThatAltersOwnMessages(t *testing.T) {
	overRings(t, func(t *testing.T, session newSession) {
		p := newParty(t, session(4, 3))
		if err := p.until(atKeys); err != nil {
			t.Fatal(err)
		}
		m := p.members[0]
		altered := p.in.Keys[0]
		altered.MaskKey = p.in.Keys[1].MaskKey
		honest := p.in.Keys[0]
		p.in.Keys[0] = altered
		if _, err := m.Shares(p.in.Keys); !errors.Is(err, ErrView) {
			t.Errorf("own keys altered: %v, want %v", err, ErrView)
		}
		p.in.Keys[0] = honest
		if err := p.runShares(); err != nil {
			t.Fatal(err)
		}
		shares := reshare(p.in.Shares[0])
		shares.Deals[1].LeafB[0] ^= 1
		p.in.Shares[0] = shares
		if _, err := m.Confirm(p.in.Shares); !errors.Is(err, ErrView) {
			t.Errorf("own shares altered: %v, want %v", err, ErrView)
		}
	})
}

// TestSumChecksThePublicRecord: every public message that is changed after the statements makes Sum fail, or is
// left out where enough others remain. want is a word of the error.
func TestSumChecksThePublicRecord(t *testing.T) {
	overRings(t, func(t *testing.T, session newSession) {
		for _, c := range []struct {
			name, want string
			change     func(in *Transcript)
		}{
			{"keys", "not those that the survivors state", func(in *Transcript) { k := in.Keys[0]; k.Commitment[0] ^= 1; in.Keys[0] = k }},
			{"keys missing", "not those that the survivors state", func(in *Transcript) { delete(in.Keys, 3) }},
			{"shares", "not those that the survivors state", func(in *Transcript) { s := reshare(in.Shares[1]); s.Deals[0].LeafZ[0] ^= 1; in.Shares[1] = s }},
			{"shares missing", "not those that the survivors state", func(in *Transcript) { delete(in.Shares, 3) }},
			{"ciphertext", "not those that the survivors state", func(in *Transcript) { s := reshare(in.Shares[1]); s.Deals[3].Cipher[0] ^= 1; in.Shares[1] = s }},
			{"masked header", "not the one the survivors state", func(in *Transcript) { m := in.Masked[1]; m.Header.Leaves = [][32]byte{{1}}; in.Masked[1] = m }},
			{"masked header of another", "not the one the survivors state", func(in *Transcript) { in.Masked[1] = in.Masked[0] }},
			{"masked input missing", "missing", func(in *Transcript) { delete(in.Masked, 0) }},
			{"chunk missing", "missing", func(in *Transcript) { m := in.Masked[0]; m.Chunks = [][]byte{nil}; in.Masked[0] = m }},
			{"chunk", "does not match its header", func(in *Transcript) {
				m := in.Masked[0]
				m.Chunks = [][]byte{slices.Clone(m.Chunks[0])}
				m.Chunks[0][0] ^= 1
				in.Masked[0] = m
			}},
			{"chunk cut", "does not match its header", func(in *Transcript) { m := in.Masked[0]; m.Chunks = [][]byte{m.Chunks[0][:4]}; in.Masked[0] = m }},
			{"statement", "no survivor list", func(in *Transcript) { s := in.Statements[0]; s.Roster[0] ^= 1; in.Statements[0] = s }},
			{"statement missing", "no survivor list", func(in *Transcript) { delete(in.Statements, 0) }},
			{"unmask share", "opened wrong ones [0]", func(in *Transcript) { reopen(in, 0, func(o *Opened) { o.Share[0] ^= 1 }) }},
			{"unmask salt", "opened wrong ones [0]", func(in *Transcript) { reopen(in, 0, func(o *Opened) { o.Salt[0] ^= 1 }) }},
			{"unmask kind", "opened wrong ones [0]", func(in *Transcript) { reopen(in, 0, func(o *Opened) { o.Secret = SecretZ }) }},
			{"unmask of another dealer", "opened wrong ones [0]", func(in *Transcript) { reopen(in, 0, func(o *Opened) { o.Of = 9 }) }},
			{"unmask missing", "too few", func(in *Transcript) { delete(in.Unmasks, 0) }},
			{"unmask of another member", "too few", func(in *Transcript) { in.Unmasks[0] = in.Unmasks[1] }},
		} {
			t.Run(c.name, func(t *testing.T) {
				p := newParty(t, session(4, 3))
				p.leave[2] = atMask - 1 // three survivors of threshold three: each of them counts
				if err := p.until(atUnmask); err != nil {
					t.Fatal(err)
				}
				if got, err := Sum(p.s, p.in); err != nil || !slices.Equal(got, p.want()) {
					t.Fatalf("unchanged: %v", err)
				}
				c.change(&p.in)
				if got, err := Sum(p.s, p.in); err == nil || !strings.Contains(err.Error(), c.want) {
					t.Errorf("sum %x, error %v, want one with %q", got, err, c.want)
				}
			})
		}
	})
}

// reopen changes the first opened share of a member.
func reopen(in *Transcript, member int, change func(*Opened)) {
	u := in.Unmasks[member]
	u.Opened = slices.Clone(u.Opened)
	change(&u.Opened[0])
	in.Unmasks[member] = u
}

// TestWrongSharesDoNotStopTheRest: with one member more than needed, one wrong Unmask is passed over.
func TestWrongSharesDoNotStopTheRest(t *testing.T) {
	overRings(t, func(t *testing.T, session newSession) {
		p := newParty(t, session(4, 3))
		if err := p.until(atUnmask); err != nil {
			t.Fatal(err)
		}
		reopen(&p.in, 0, func(o *Opened) { o.Share[5] ^= 1 })
		if got, err := Sum(p.s, p.in); err != nil || !slices.Equal(got, p.want()) {
			t.Errorf("sum %x, error %v, want %x", got, err, p.want())
		}
	})
}
