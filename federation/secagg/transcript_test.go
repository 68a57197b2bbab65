package secagg

import (
	"errors"
	"slices"
	"strings"
	"testing"
)

// TestSumChecksWhatIsStated: even a quorum cannot state nonsense. Every statement is changed in the same way.
func TestSumChecksWhatIsStated(t *testing.T) {
	overRings(t, func(t *testing.T, session newSession) {
		for _, c := range []struct {
			name, word string
			want       error
			change     func(p *party, s *Survivors)
		}{
			{"another roster", "roster", ErrView, func(_ *party, s *Survivors) { s.Roster[0] ^= 1 }},
			{"other shares", "not those", ErrView, func(_ *party, s *Survivors) { s.View[0] ^= 1 }},
			{"fewer survivors than the threshold, among whom nobody else counts", "no survivor list", ErrThreshold, func(_ *party, s *Survivors) { s.List = s.List[:2] }},
			{"a list out of order", "after", ErrMessage, func(_ *party, s *Survivors) { slices.Reverse(s.List) }},
			{"a survivor outside the roster", "after", ErrMessage, func(_ *party, s *Survivors) { s.List = append(slices.Clone(s.List), Survivor{Member: 4}) }},
			{"a survivor that dealt nothing", "dealt no shares", ErrView, func(_ *party, s *Survivors) { s.List = append(slices.Clone(s.List), Survivor{Member: 3}) }},
			{"another masked input", "not the one", ErrView, func(_ *party, s *Survivors) { s.List = slices.Clone(s.List); s.List[0].Root[0] ^= 1 }},
		} {
			t.Run(c.name, func(t *testing.T) {
				p := newParty(t, session(4, 3))
				p.leave[3] = atKeys
				if err := p.until(atUnmask); err != nil {
					t.Fatal(err)
				}
				for i, s := range p.in.Statements {
					c.change(p, &s)
					p.in.Statements[i] = s
				}
				if got, err := Sum(p.s, p.in); !errors.Is(err, c.want) || !strings.Contains(err.Error(), c.word) {
					t.Errorf("sum %x, error %v, want %v with %q", got, err, c.want, c.word)
				}
			})
		}
	})
}

// TestSumAppliesTheVerifiersMinimum: who verifies may ask for more survivors than the members did.
func TestSumAppliesTheVerifiersMinimum(t *testing.T) {
	overRings(t, func(t *testing.T, session newSession) {
		p := newParty(t, session(4, 3))
		p.leave[1] = atShares
		if err := p.until(atUnmask); err != nil {
			t.Fatal(err)
		}
		strict := p.s
		strict.MinSurvivors = 4
		if got, err := Sum(strict, p.in); !errors.Is(err, ErrThreshold) {
			t.Errorf("three survivors where four are asked for: sum %x, error %v", got, err)
		}
	})
}

// TestInputOfAnotherLengthIsAFault: a survivor that published and stated a vector of another length is named.
func TestInputOfAnotherLengthIsAFault(t *testing.T) {
	overRings(t, func(t *testing.T, session newSession) {
		p := newParty(t, session(3, 3))
		if err := p.until(atMask); err != nil {
			t.Fatal(err)
		}
		m := p.in.Masked[1]
		m.Header.Lanes = 4
		p.in.Masked[1] = m
		p.roots[1], p.members[1].root = m.Header.Root(), m.Header.Root()
		if err := errors.Join(p.runSurvive(), p.runUnmask()); err != nil {
			t.Fatal(err)
		}
		_, err := Sum(p.s, p.in)
		var fault *Fault
		if !errors.As(err, &fault) || fault.Member != 1 || !strings.Contains(err.Error(), "member 1 cheated") {
			t.Errorf("Sum: %v, want a fault of member 1", err)
		}
	})
}

// TestRecordHashes: the hashes for the round record bind survivors and inputs, and do not depend on who states them.
func TestRecordHashes(t *testing.T) {
	overRings(t, func(t *testing.T, session newSession) {
		p := newParty(t, session(4, 3))
		if err := p.until(atSurvive); err != nil {
			t.Fatal(err)
		}
		a, b := p.in.Statements[0], p.in.Statements[3]
		if a.ListHash() != b.ListHash() || a.MaskedRoot() != b.MaskedRoot() {
			t.Error("equal statements of two members give other hashes")
		}
		b.List = slices.Clone(b.List)
		b.List[2].Root[0] ^= 1
		if a.ListHash() != b.ListHash() || a.MaskedRoot() == b.MaskedRoot() {
			t.Error("another masked input must change MaskedRoot and only that")
		}
		b.List = b.List[:3]
		if a.ListHash() == b.ListHash() {
			t.Error("a survivor less does not change ListHash")
		}
	})
}
