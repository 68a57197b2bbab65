package secagg

import (
	"errors"
	"slices"
	"testing"
)

// TestUnsignedKeysWouldRevealOneMember is what signatures are for, which this package leaves to its caller: a relay that makes up all messages of
// all others shows a member one consistent session, and the sum is the member's values. Federation TestForgedSenders is the refusal. As soon as one
// other member is real, and not all of its messages are made up, TestKeysFromTheMiddle is.
func TestUnsignedKeysWouldRevealOneMember(t *testing.T) {
	overRings(t, func(t *testing.T, session newSession) {
		const victim = 1
		p := newParty(t, session(4, 16))
		for i := range p.members {
			if i == victim {
				continue
			}
			relay, err := NewMember(p.s, i, testRoot(50+i)) // not that member
			if err != nil {
				t.Fatal(err)
			}
			p.members[i], p.values[i] = relay, make([]uint32, p.s.Lanes)
		}
		if err := p.until(atUnmask); err != nil {
			t.Fatal(err)
		}
		if got, err := Sum(p.s, p.in); err != nil || !slices.Equal(got, p.values[victim]) {
			t.Errorf("control: the relay has %x (%v), not the values of the member", got, err)
		}
	})
}

// TestOneKeyForBothWouldOpenShares has a member use one key to agree masks and to be sent shares. When it drops out, its z becomes public, and with
// it, in the control, the shares of others' secrets that were sealed to it, one of each of which nobody may ever see.
func TestOneKeyForBothWouldOpenShares(t *testing.T) {
	const lazy, dealer = 2, 0
	p := newParty(t, testSession(4, 3))
	if err := p.until(atKeys); err != nil {
		t.Fatal(err)
	}
	keys := p.in.Keys[lazy]
	keys.SealKey = keys.MaskKey
	seen := map[int]Keys{0: p.in.Keys[0], 1: p.in.Keys[1], lazy: keys, 3: p.in.Keys[3]}
	_, err := p.members[dealer].Shares(seen)
	if c, ok := accused(t, err); !ok || c.Accused != lazy || c.Reason != BadKeys {
		t.Errorf("one key for both: %v, want a complaint about member %d", err, lazy)
	}
	m, sid := p.members[dealer], p.s.key()
	b, z := deal(sid, dealer, SecretB, m.secrets.b, p.s.Threshold), deal(sid, dealer, SecretZ, m.secrets.z, p.s.Threshold)
	opened := p.members[lazy].secrets.z // by the others, when it has dropped out
	private, _ := maskKeyPair(sid, lazy, opened)
	for _, c := range []struct {
		name  string
		key   Keys
		reads bool
	}{{"a key of its own", p.in.Keys[lazy], false}, {"control: one key", keys, true}} {
		view := viewOfKeys(&p.s, seen)
		d, err := m.dealTo(&c.key, view, &b, &z)
		if err != nil {
			t.Fatal(err)
		}
		plain, err := unsealSeed(private, sealInfo(sid, view, dealer, lazy), d.Sealed)
		if reads := err == nil && slices.Equal(plain, sealedPlaintext(&b, &z, lazy)); reads != c.reads {
			t.Errorf("%s: whoever knows z reads the shares of member %d: %v (%v), want %v", c.name, dealer, reads, err, c.reads)
		}
	}
}

// TestOtherWeightsShareNoSum gives one member other weights than the rest, chosen so that the rest have nothing to add to them: the sum would be the
// update of that member. The control is a session id that does not bind the weights.
func TestOtherWeightsShareNoSum(t *testing.T) {
	overRings(t, func(t *testing.T, session newSession) {
		const victim = 0
		for _, bound := range []bool{true, false} {
			p := newParty(t, session(4, 16))
			for i := range p.members {
				c := Context{Genesis: []byte("genesis"), Round: 7, Roster: p.s.Roster, Group: "trunk"}
				if bound {
					c.WeightsIn = []byte("weights with which nothing is left to learn")
					if i == victim {
						c.WeightsIn = []byte("weights")
					}
				}
				s := p.s
				s.ID = c.ID()
				m, err := NewMember(s, i, testRoot(i))
				if err != nil {
					t.Fatal(err)
				}
				p.members[i] = m
				if i != victim {
					p.values[i], p.s.ID = make([]uint32, p.s.Lanes), s.ID
				}
			}
			err := p.until(atUnmask)
			if bound {
				if !errors.Is(err, ErrThreshold) || len(p.in.Masked) > 0 {
					t.Errorf("members with other weights: %v, and %d masked inputs", err, len(p.in.Masked))
				}
				continue
			}
			if got, err := Sum(p.s, p.in); err != nil || !slices.Equal(got, p.values[victim]) {
				t.Errorf("control: the sum is %x (%v), not the update of the member with other weights", got, err)
			}
		}
	})
}
