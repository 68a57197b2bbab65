package secagg

import (
	"bytes"
	"errors"
	"slices"
	"testing"
)

// askedParty runs a session up to masking in which everybody keeps what an audit may need.
func askedParty(t *testing.T, s Session) *party {
	t.Helper()
	p := newParty(t, s)
	for _, m := range p.members {
		m.KeepPairMasks()
	}
	if err := p.until(atMask); err != nil {
		t.Fatal(err)
	}
	return p
}

// openPair opens the pair of two members with a seed.
func (p *party) openPair(low, high int, seed PairSeed) ([32]byte, error) {
	keys, shares := p.in.Keys[high], p.in.Shares[low]
	return OpenPair(p.s, &keys, &shares, seed)
}

// TestOpenPair: the seed that the lower end of a pair keeps opens the mask that both ends used, in both rings.
func TestOpenPair(t *testing.T) {
	overRings(t, func(t *testing.T, session newSession) {
		p := askedParty(t, session(4, 5))
		everyone := []int{0, 1, 2, 3}
		for low := range p.members {
			seeds := p.members[low].PairSeeds(everyone)
			if got, want := sorted(seeds), everyone[low+1:]; !slices.Equal(got, want) {
				t.Errorf("member %d keeps the seeds of pairs with %v, want %v", low, got, want)
			}
			for high, seed := range seeds {
				key, err := p.openPair(low, high, seed)
				if err != nil {
					t.Errorf("pair of %d and %d: %v", low, high, err)
				}
				for _, ends := range [][2]int{{low, high}, {high, low}} {
					if masks := p.members[ends[0]].PairMasks(everyone); masks[ends[1]] != key {
						t.Errorf("pair of %d and %d: the seed opens another mask than member %d used", low, high, ends[0])
					}
				}
			}
		}
		if got := p.members[0].PairSeeds([]int{2}); len(got) != 1 {
			t.Errorf("seeds of %d pairs, asked for one", len(got))
		}
		p.members[0].Erase()
		if left := p.members[0].PairSeeds(everyone); len(left) > 0 {
			t.Error("seeds outlive Erase")
		}
	})
}

// TestOpenPairRefused: nothing but the seed of that very encapsulation is taken.
func TestOpenPairRefused(t *testing.T) {
	p := askedParty(t, testSession(4, 5))
	other := testSession(4, 5)
	other.ID[0] ^= 1
	q := askedParty(t, other)
	seeds := p.members[0].PairSeeds([]int{1, 2, 3})
	keys := func(of *party, i int) *Keys { k := of.in.Keys[i]; return &k }
	shares := func(of *party, i int) *Shares { s := of.in.Shares[i]; return &s }
	garbled := keys(p, 1)
	garbled.MaskKey = [MaskKeySize]byte(bytes.Repeat([]byte{255}, MaskKeySize))
	short := shares(p, 0)
	short.Deals = short.Deals[:1]
	for _, tt := range []struct {
		name   string
		s      Session
		upper  *Keys
		lower  *Shares
		seed   PairSeed
		reason error
	}{
		{"seed of another pair", p.s, keys(p, 1), shares(p, 0), seeds[2], ErrPairSeed},
		{"seed of another lower end", p.s, keys(p, 2), shares(p, 1), seeds[2], ErrPairSeed},
		{"seed of another session", p.s, keys(p, 1), shares(p, 0), q.members[0].PairSeeds([]int{1})[1], ErrPairSeed},
		{"no seed", p.s, keys(p, 1), shares(p, 0), PairSeed{}, ErrPairSeed},
		{"messages of another session", q.s, keys(p, 1), shares(p, 0), seeds[1], ErrMessage},
		{"shares of another session", p.s, keys(p, 1), shares(q, 0), seeds[1], ErrMessage},
		{"ends exchanged", p.s, keys(p, 0), shares(p, 1), seeds[1], ErrMessage},
		{"a member with itself", p.s, keys(p, 0), shares(p, 0), seeds[1], ErrMessage},
		{"a key that is none", p.s, garbled, shares(p, 0), seeds[1], ErrMessage},
		{"no ciphertext", p.s, keys(p, 1), short, seeds[1], ErrMessage},
	} {
		if key, err := OpenPair(tt.s, tt.upper, tt.lower, tt.seed); !errors.Is(err, tt.reason) || key != [32]byte{} {
			t.Errorf("%s: key %x, %v, want %v", tt.name, key[:4], err, tt.reason)
		}
	}
}

// TestOpenPairFlipped: no bit of a seed can be changed, but for the five that X25519 ignores in a private key: these open the same mask.
func TestOpenPairFlipped(t *testing.T) {
	p := askedParty(t, testSession(3, 1))
	seed := p.members[0].PairSeeds([]int{1})[1]
	want, err := p.openPair(0, 1, seed)
	if err != nil {
		t.Fatal(err)
	}
	ignored := 0
	for bit := range 8 * PairSeedSize {
		flipped := seed
		flipped[bit/8] ^= 1 << (bit % 8)
		key, err := p.openPair(0, 1, flipped)
		switch {
		case err == nil && key == want:
			ignored++
		case !errors.Is(err, ErrPairSeed):
			t.Errorf("bit %d flipped: another mask is opened, %v", bit, err)
		}
	}
	if ignored != 5 {
		t.Errorf("%d bits do not matter, want 5", ignored)
	}
}
