package secagg

import (
	"errors"
	"strings"
	"testing"

	"github.com/cloudflare/circl/kem/xwing"
)

// dealAgain replaces what a cheating member dealt, keeping leaves and sealed shares consistent with each other.
func dealAgain(t *testing.T, p *party, cheat int, change func(b, z *dealing)) {
	t.Helper()
	m := p.members[cheat]
	b := deal(m.sid, cheat, SecretB, m.secrets.b, p.s.Threshold)
	z := deal(m.sid, cheat, SecretZ, m.secrets.z, p.s.Threshold)
	change(&b, &z)
	shares := reshare(p.in.Shares[cheat])
	for k := range shares.Deals {
		key := p.in.Keys[shares.Deals[k].To]
		d, err := m.dealTo(&key, shares.View, &b, &z)
		if err != nil {
			t.Fatal(err)
		}
		shares.Deals[k] = d
	}
	p.in.Shares[cheat], m.dealt = shares, digest(&shares)
}

// encapsulateAgain gives the pair (0, to) a secret that does not follow from z, consistently at both ends.
func encapsulateAgain(t *testing.T, p *party, to int) (fix func()) {
	t.Helper()
	m, key := p.members[0], p.in.Keys[to].MaskKey
	secret, cipher, err := xwing.Encapsulate(key[:], make([]byte, xwing.EncapsulationSeedSize))
	if err != nil {
		t.Fatal(err)
	}
	shares := reshare(p.in.Shares[0])
	shares.to(to).Cipher = cipher
	p.in.Shares[0], m.dealt = shares, digest(&shares)
	return func() {
		end := m.peers[to]
		end.mask.key, end.confirmKey = pairKeys(m.sid, secret, 0, to)
		c := p.confirms[0]
		for k := range c.Tags {
			if c.Tags[k].To == to {
				c.Tags[k].MAC = end.tag(m.sid, 0, to, m.view)
			}
		}
	}
}

// TestCheatingDealerIsProven: what a receiver cannot see in its one share comes out when the secret is rebuilt, from public
// messages alone. Member 0 cheats; in half of the cases it drops out, so that z is opened.
func TestCheatingDealerIsProven(t *testing.T) {
	overRings(t, func(t *testing.T, session newSession) {
		for _, c := range []struct {
			name, want string
			leave      stage
			cheat      func(t *testing.T, p *party) (afterConfirm func())
			atKeys     bool
		}{
			{name: "b that it did not commit to", want: "self-mask", leave: atUnmask, atKeys: true,
				cheat: func(_ *testing.T, p *party) func() { p.members[0].secrets.b[0] ^= 1; return nil }},
			{name: "z of another mask key", want: "mask key", leave: atConfirm, atKeys: true,
				cheat: func(_ *testing.T, p *party) func() { p.members[0].secrets.z[0] ^= 1; return nil }},
			{name: "polynomial of b not derived from it", want: "shares it dealt", leave: atUnmask,
				cheat: func(t *testing.T, p *party) func() {
					dealAgain(t, p, 0, func(b, _ *dealing) { b.coeffs[0][0] ^= 1 })
					return nil
				}},
			{name: "polynomial of z not derived from it", want: "shares it dealt", leave: atConfirm,
				cheat: func(t *testing.T, p *party) func() {
					dealAgain(t, p, 0, func(_, z *dealing) { z.coeffs[1][3] ^= 1 })
					return nil
				}},
			{name: "polynomial of too high a degree", want: "shares it dealt", leave: atUnmask,
				cheat: func(t *testing.T, p *party) func() {
					dealAgain(t, p, 0, func(b, _ *dealing) { b.coeffs = append(b.coeffs, element{1}) })
					return nil
				}},
			{name: "ciphertext not derived from z", want: "ciphertext for member 3", leave: atConfirm,
				cheat: func(t *testing.T, p *party) func() { return encapsulateAgain(t, p, 3) }},
		} {
			t.Run(c.name, func(t *testing.T) {
				p := newParty(t, session(4, 3))
				p.leave[0] = c.leave
				var after func()
				err := p.runKeys()
				if c.atKeys {
					after = c.cheat(t, p)
				}
				err = errors.Join(err, p.runShares())
				if !c.atKeys {
					after = c.cheat(t, p)
				}
				err = errors.Join(err, p.runConfirm())
				if after != nil {
					after()
				}
				if err = errors.Join(err, p.runMask(), p.runSurvive(), p.runUnmask()); err != nil {
					t.Fatalf("the cheat shows too early for this test: %v", err)
				}
				_, err = Sum(p.s, p.in)
				var fault *Fault
				if !errors.As(err, &fault) || fault.Member != 0 || !strings.Contains(fault.What, c.want) {
					t.Errorf("Sum: %v, want a fault of member 0 about %q", err, c.want)
				}
			})
		}
	})
}
