package secagg

import (
	"errors"
	"maps"
	"slices"
	"testing"
)

// Attacks that want both secrets of one member to be opened, each with the control that this works, and reveals its values, where the check is switched off.

// revealed takes off a member's masked input what both of its secrets give away.
func revealed(t *testing.T, p *party, victim int, b, z [32]byte) []uint32 {
	t.Helper()
	others := slices.DeleteFunc(sorted(p.in.Shares), func(i int) bool { return i == victim })
	r := rebuilder{s: &p.s, sid: p.s.key(), keys: p.in.Keys, shares: p.in.Shares, survivors: others}
	masks, err := r.pairMasks(victim, z)
	if err != nil {
		return nil // it is not the z that was dealt
	}
	lanes := lanesOf(p.in.Masked[victim])
	for _, m := range masks {
		m.negative = !m.negative // what undoes the others' masks for the victim is what the victim added
		m.apply(p.s.ring(), lanes)
	}
	self := mask{key: selfMask(p.s.key(), victim, b), negative: true}
	self.apply(p.s.ring(), lanes)
	return lanes
}

// rebuiltFrom interpolates a secret of a member from as many shares as are needed; nil if fewer were opened.
func rebuiltFrom(t *testing.T, p *party, of int, which Secret, opened []Unmask) *[32]byte {
	t.Helper()
	shares := map[int][32]byte{}
	for _, u := range opened {
		for _, o := range u.Opened {
			if o.Of == of && o.Secret == which {
				shares[u.From] = o.Share
			}
		}
	}
	if len(shares) < p.s.Threshold {
		return nil
	}
	from := sorted(shares)[:p.s.Threshold]
	var list [][32]byte
	for _, i := range from {
		list = append(list, shares[i])
	}
	value, err := combine(from, list)
	if err != nil {
		t.Fatal(err)
	}
	return &value
}

// attacked returns the values of the victim, or nil when the opened shares do not give them away.
func attacked(t *testing.T, p *party, victim int, opened []Unmask) []uint32 {
	t.Helper()
	b, z := rebuiltFrom(t, p, victim, SecretB, opened), rebuiltFrom(t, p, victim, SecretZ, opened)
	if b == nil || z == nil {
		return nil
	}
	return revealed(t, p, victim, *b, *z)
}

// memory is what a member holds of others' shares after masking, for one that does not remember what it said and opened.
func memory(m *Member) (forget func()) {
	peers := map[int]*peer{}
	for i, p := range m.peers {
		held := *p
		peers[i] = &held
	}
	return func() { m.peers, m.done, m.statement = peers, masked, Survivors{} }
}

// TestBothSharesAreAskedFor has a coordinator that, once all shares are open, asks for those of another list, in which one member is missing. The
// control are members that forget what they have said and opened.
func TestBothSharesAreAskedFor(t *testing.T) {
	overRings(t, func(t *testing.T, session newSession) {
		const victim = 2
		for _, checked := range []bool{true, false} {
			p := newParty(t, session(4, 16))
			if err := p.until(atMask); err != nil {
				t.Fatal(err)
			}
			var forget []func()
			for _, m := range p.members {
				forget = append(forget, memory(m))
			}
			if err := errors.Join(p.runSurvive(), p.runUnmask()); err != nil {
				t.Fatal(err)
			}
			opened := slices.Collect(maps.Values(p.in.Unmasks))
			second := map[int]Survivors{}
			for i, m := range p.members {
				if !checked {
					forget[i]()
				}
				if i == victim {
					continue
				}
				if st, err := m.Survive([]int{0, 1, 3}, p.roots); err == nil {
					second[i] = st
				} else if checked && !errors.Is(err, ErrSpent) {
					t.Errorf("member %d, asked for a second list: %v, want %v", i, err, ErrSpent)
				}
			}
			for _, m := range p.members {
				if u, err := m.Unmask(second); err == nil {
					opened = append(opened, u)
				}
			}
			got := attacked(t, p, victim, opened)
			if checked && got != nil {
				t.Errorf("the coordinator has values %x of member %d", got[:4], victim)
			}
			if !checked && !slices.Equal(got, p.values[victim]) {
				t.Errorf("control: members that forget give away %v, want the values of member %d", got, victim)
			}
		}
	})
}

// openedFor is what a member opens that does not ask whether others state the same.
func openedFor(m *Member, list []int) Unmask {
	out := Unmask{Session: m.s.ID, From: m.self}
	for _, i := range sorted(m.peers) {
		which := SecretZ
		if slices.Contains(list, i) {
			which = SecretB
		}
		out.Opened = append(out.Opened, Opened{Of: i, Secret: which, Share: m.peers[i].share[which-1], Salt: m.peers[i].salt[which-1]})
	}
	return out
}

// splitView has a relay show the list of everybody to some members and one without the victim to the rest, and a liar that states and opens for both. It
// returns the victim's values if that gives them away.
func splitView(t *testing.T, s Session, threshold int, compared bool) (p *party, got []uint32) {
	t.Helper()
	const victim = 2
	liar := len(s.Roster) - 1
	p = newParty(t, s)
	p.s.Threshold = threshold
	for _, m := range p.members {
		m.s.Threshold = threshold
	}
	if err := p.until(atMask); err != nil {
		t.Fatal(err)
	}
	all := p.survivors
	less := slices.DeleteFunc(slices.Clone(all), func(i int) bool { return i == victim })
	opened := []Unmask{openedFor(p.members[liar], all), openedFor(p.members[liar], less)}
	lists, said := map[int][]int{}, map[int]Survivors{}
	for i, m := range p.members[:liar] {
		lists[i] = all
		if i%2 == 1 {
			lists[i] = less
		}
		st, err := m.Survive(lists[i], p.roots)
		if err != nil {
			t.Fatal(err)
		}
		said[i] = st
	}
	for i, m := range p.members[:liar] {
		if !compared {
			opened = append(opened, openedFor(m, lists[i]))
			continue
		}
		heard := maps.Clone(said)
		agrees := said[i] // the liar agrees with everybody
		agrees.From = liar
		heard[liar] = agrees
		if u, err := m.Unmask(heard); err == nil {
			opened = append(opened, u)
		}
	}
	return p, attacked(t, p, victim, opened)
}

// TestSplitViewReveals goes through what keeps a relay with one liar from a member's values: statements are compared, and the threshold is above
// two thirds. As others have it, without the first or with a lower second, the values are there.
func TestSplitViewReveals(t *testing.T) {
	overRings(t, func(t *testing.T, session newSession) {
		for _, c := range []struct {
			name         string
			n, threshold int
			compared     bool
			reveals      bool
		}{
			{"four members", 4, Quorum(4), true, false},
			{"five members", 5, Quorum(5), true, false},
			{"statements not compared, the threshold alone", 5, Quorum(5), false, false},
			{"control: a majority of five, statements not compared", 5, 3, false, true},
			{"control: two thirds of four cut to a whole number", 4, 2 * 4 / 3, true, true},
			{"control: a majority of five", 5, 3, true, true},
		} {
			p, got := splitView(t, session(c.n, 16), c.threshold, c.compared)
			if slices.Equal(got, p.values[2]) != c.reveals {
				t.Errorf("%s: got %x, revealed must be %v", c.name, got, c.reveals)
			}
		}
	})
}
