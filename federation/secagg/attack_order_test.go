package secagg

import (
	"errors"
	"slices"
	"strings"
	"testing"
)

// Attacks on what is opened, and on when it is compared with what was committed to.

// steered has the last member wait for the sum of the others to be open and then send what makes the sum its own choice.
func steered(t *testing.T, p *party, cheat int, want []uint32) {
	t.Helper()
	if err := p.until(atUnmask); err != nil {
		t.Fatal(err)
	}
	sum, err := Sum(p.s, p.in)
	if err != nil {
		t.Fatal(err)
	}
	was := p.in.Masked[cheat]
	lanes := lanesOf(was)
	for k := range lanes {
		lanes[k] = inRing(p.s, lanes[k]+want[k]-sum[k])
	}
	chunk := words(p.s.ring(), lanes)
	header := was.Header
	header.Leaves = [][32]byte{chunkLeaf(p.s.ID, cheat, 0, chunk)}
	p.in.Masked[cheat] = Masked{Header: header, Chunks: [][]byte{chunk}, ring: p.s.ring()}
}

// TestInputChosenAfterOpening replaces a masked input once everything is open. The control are statements that are made only then.
func TestInputChosenAfterOpening(t *testing.T) {
	overRings(t, func(t *testing.T, session newSession) {
		const cheat = 3
		p, want := newParty(t, session(4, 16)), slices.Repeat([]uint32{4711}, 16)
		steered(t, p, cheat, want)
		if got, err := Sum(p.s, p.in); !errors.Is(err, ErrView) {
			t.Errorf("a masked input that was not stated: sum %v, error %v, want %v", got, err, ErrView)
		}
		header := p.in.Masked[cheat].Header
		for i, st := range p.in.Statements {
			st.List = slices.Clone(st.List)
			st.List[cheat].Root = header.Root()
			p.in.Statements[i] = st
		}
		if got, err := Sum(p.s, p.in); err != nil || !slices.Equal(got, want) {
			t.Errorf("control: with statements after opening the sum is %v (%v), want the cheat's choice", got, err)
		}
	})
}

// TestUncheckedShareBlamesTheReceiver deals a share that is not the published one. Its receiver sees that before it masks anything; the control is one
// that does not look: its share is what others find wrong, and it is the honest member that does not count, so that there is no sum.
func TestUncheckedShareBlamesTheReceiver(t *testing.T) {
	overRings(t, func(t *testing.T, session newSession) {
		const cheat, victim, away = 2, 0, 1
		for _, checked := range []bool{true, false} {
			p := newParty(t, session(4, 3))
			p.leave[away] = atConfirm
			if err := p.until(atShares); err != nil {
				t.Fatal(err)
			}
			shares := reshare(p.in.Shares[cheat])
			shares.Deals[victim].LeafB[5] ^= 1
			p.in.Shares[cheat], p.members[cheat].dealt = shares, digest(&shares)
			if checked {
				_, err := p.members[victim].Confirm(p.in.Shares)
				if c, ok := accused(t, err); !ok || c.Accused != cheat || c.Reason != BadShare {
					t.Errorf("a share against its leaf: %v, want a complaint about member %d before masking", err, cheat)
				}
				continue
			}
			trusting(t, p, cheat, victim)
			if err := errors.Join(p.runMask(), p.runSurvive(), p.runUnmask()); err != nil {
				t.Fatal(err)
			}
			if _, err := Sum(p.s, p.in); !errors.Is(err, ErrThreshold) || !strings.Contains(err.Error(), "opened wrong ones [0]") {
				t.Errorf("control: %v, want the victim's shares to be found wrong", err)
			}
		}
	})
}

// trusting runs Confirm with a victim that does not compare its share with the leaf.
func trusting(t *testing.T, p *party, cheat, victim int) {
	t.Helper()
	published := p.in.Shares[cheat]
	for i, m := range p.members {
		if i != victim {
			var err error
			if p.confirms[i], err = m.Confirm(p.in.Shares); err != nil {
				t.Fatal(err)
			}
			continue
		}
		fixed := reshare(published)
		fixed.Deals[victim].LeafB[5] ^= 1
		seen := map[int]Shares{0: p.in.Shares[0], 1: p.in.Shares[1], 2: fixed, 3: p.in.Shares[3]}
		peers, err := m.acceptAll(seen)
		if err != nil {
			t.Fatal(err)
		}
		m.peers, m.view, m.done = peers, viewOfShares(&m.s, m.keysView, p.in.Shares), confirmed
		c := Confirm{Session: p.s.ID, From: i, View: m.view}
		for _, j := range sorted(peers) {
			if j != i {
				c.Tags = append(c.Tags, Tag{To: j, MAC: peers[j].tag(m.sid, i, j, m.view)})
			}
		}
		p.confirms[i] = c
	}
}

// TestPointsThatGiveSecretsAway are the controls of TestShamirRefusesBadPoints and of "a member twice" in TestSessionRefused: interpolation that takes
// duplicate points gives another number without a word, and a member that is there twice holds two shares.
func TestPointsThatGiveSecretsAway(t *testing.T) {
	const threshold = 3
	d := deal(keyed{1}, 0, SecretB, [32]byte{1, 2, 3}, threshold)
	naive := func(points []int) [32]byte { // as lagrange has it, without its checks
		var sum element
		for k, i := range points {
			num, den := byte(1), byte(1)
			for m, j := range points {
				if m != k {
					num, den = mul(num, byte(j+1)), mul(den, byte(j+1)^byte(i+1))
				}
			}
			term := loadElement(d.share(i))
			term.scale(mul(num, invert(den)))
			sum.add(&term)
		}
		return sum.bytes()
	}
	if naive([]int{0, 1, 2}) != d.value {
		t.Fatal("interpolation at proper points does not give the secret: the controls show nothing")
	}
	if naive([]int{0, 1, 1}) == d.value {
		t.Error("control: a duplicate point does no harm")
	}
	if one := naive([]int{-1, 0, 1}); one != d.value { // the share at point zero, which is the secret, decides alone
		t.Errorf("control: with a share at point zero the others still count: %x", one)
	}
	machines := map[string]bool{}
	for point, owner := range []string{"twice", "another", "twice"} { // of a roster that lists one member under two indices
		machines[owner] = point < threshold
	}
	if len(machines) >= threshold {
		t.Fatal("the roster has no member twice")
	}
	if got, err := combine([]int{0, 1, 2}, [][32]byte{d.share(0), d.share(1), d.share(2)}); err != nil || got != d.value {
		t.Errorf("control: two machines with three points do not open a secret of threshold three: %x (%v)", got, err)
	}
}
