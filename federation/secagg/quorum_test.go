package secagg

import (
	"errors"
	"slices"
	"strings"
	"testing"
)

func TestQuorum(t *testing.T) {
	for n, want := range map[int]int{2: 2, 3: 3, 4: 3, 5: 4, 6: 5, 7: 5, 8: 6, 9: 7, 10: 7, 20: 14, 100: 67, 200: 134, 255: 171} {
		if got := Quorum(n); got != want {
			t.Errorf("Quorum(%d) = %d, want %d", n, got, want)
		}
	}
	for n := MinMembers; n <= MaxMembers; n++ {
		if q := Quorum(n); 3*q <= 2*n || 3*(q-1) > 2*n {
			t.Errorf("Quorum(%d) = %d is not the least number above two thirds", n, q)
		}
		s := testSession(n, 1)
		if err := s.Validate(); err != nil {
			t.Errorf("n=%d: %v", n, err)
		}
	}
}

func TestSessionRefused(t *testing.T) {
	for name, change := range map[string]func(*Session){
		"alone":                      func(s *Session) { s.Roster = s.Roster[:1]; s.Threshold, s.MinSurvivors = 1, 1 },
		"nobody":                     func(s *Session) { s.Roster = nil },
		"256 members":                func(s *Session) { *s = testSession(256, 1) },
		"threshold below the quorum": func(s *Session) { s.Threshold = 3 },
		"threshold above n":          func(s *Session) { s.Threshold = 6 },
		"sum of one":                 func(s *Session) { s.MinSurvivors = 1 },
		"minimum above n":            func(s *Session) { s.MinSurvivors = 6 },
		"a member twice":             func(s *Session) { s.Roster[4] = s.Roster[0] },
		"no lanes":                   func(s *Session) { s.Lanes = 0 },
		"too many lanes":             func(s *Session) { s.Lanes = MaxLanes + 1 },
		"lanes of 8 bits":            func(s *Session) { s.Bits = 8 },
		"negative bits":              func(s *Session) { s.Bits = -16 },
		"no id":                      func(s *Session) { s.ID = [32]byte{} },
	} {
		s := testSession(5, 1)
		change(&s)
		if m, err := NewMember(s, 0, testRoot(0)); err == nil {
			t.Errorf("%s: accepted as %v", name, m)
		}
		if _, err := Sum(s, Transcript{}); err == nil || strings.Contains(err.Error(), "survivor list") {
			t.Errorf("%s: Sum did not refuse the session: %v", name, err)
		}
	}
	s := testSession(5, 1)
	for _, self := range []int{-1, 5} {
		if _, err := NewMember(s, self, testRoot(0)); err == nil {
			t.Errorf("own index %d was accepted", self)
		}
	}
	if _, err := NewMember(s, 0, [32]byte{}); err == nil {
		t.Error("an all-zero root was accepted")
	}
}

// TestMinSurvivorsBindsAtEveryStep: a member whose own minimum is above the threshold goes no further below it. The control are the same members
// without that minimum: the smaller sum is opened.
func TestMinSurvivorsBindsAtEveryStep(t *testing.T) {
	overRings(t, func(t *testing.T, session newSession) {
		for leave := atNothing; leave < atMask; leave++ {
			for _, least := range []int{5, 2} {
				s := session(5, 3)
				s.MinSurvivors = least
				p := newParty(t, s)
				p.leave[4] = leave
				err := p.until(atUnmask)
				if least == 5 && !errors.Is(err, ErrThreshold) {
					t.Errorf("one of five leaves after step %d: %v, want %v", leave, err, ErrThreshold)
				}
				if least == 2 {
					if got, sumErr := Sum(p.s, p.in); err != nil || sumErr != nil || !slices.Equal(got, p.partSum([]int{0, 1, 2, 3})) {
						t.Errorf("control: one of five leaves after step %d: sum %x of four (%v, %v)", leave, got, err, sumErr)
					}
				}
			}
		}
	})
}

// TestSumOfOneIsTheMember has a coordinator list one member alone. Nobody states it, and a transcript that shows it does not open. In the control, where
// neither is checked, what opens are that member's values.
func TestSumOfOneIsTheMember(t *testing.T) {
	overRings(t, func(t *testing.T, session newSession) {
		const victim = 2
		for _, checked := range []bool{true, false} {
			p := newParty(t, session(4, 8))
			loose := p.s
			loose.Threshold, loose.MinSurvivors = 1, 1
			if !checked {
				for _, m := range p.members {
					m.s.Threshold, m.s.MinSurvivors = 1, 1
				}
			}
			if err := p.until(atMask); err != nil {
				t.Fatal(err)
			}
			p.survivors = []int{victim}
			for i := range p.leave {
				if i != victim {
					p.leave[i] = atMask
				}
			}
			err := p.runSurvive()
			if checked {
				if !errors.Is(err, ErrThreshold) {
					t.Errorf("a list of one: %v, want %v", err, ErrThreshold)
				}
				continue
			}
			if err := errors.Join(err, p.runUnmask()); err != nil {
				t.Fatal(err)
			}
			if _, err := Sum(p.s, p.in); !errors.Is(err, ErrThreshold) {
				t.Errorf("the statement of one member: %v, want %v", err, ErrThreshold)
			}
			o, err := open(loose, p.in)
			if err != nil {
				t.Fatal(err)
			}
			if got, err := o.SumChunk(0, map[int][]byte{victim: p.in.Masked[victim].Chunks[0]}); err != nil || !slices.Equal(got, p.values[victim]) {
				t.Errorf("control: %x (%v), want the values of member %d", got, err, victim)
			}
		}
	})
}

// stated runs a session of n up to the statements.
func stated(t *testing.T, session newSession, n int) *party {
	t.Helper()
	p := newParty(t, session(n, 3))
	if err := p.until(atSurvive); err != nil {
		t.Fatal(err)
	}
	return p
}

// TestSplitView: a relay shows two halves different survivor lists. Neither half opens a share. The control is the
// same session with one list.
func TestSplitView(t *testing.T) {
	overRings(t, func(t *testing.T, session newSession) {
		p := newParty(t, session(5, 3))
		if err := p.until(atMask); err != nil {
			t.Fatal(err)
		}
		lists := [][]int{{0, 1, 2, 3, 4}, {0, 1, 2, 3, 4}, {0, 1, 2, 3, 4}, {0, 1, 3, 4}, {0, 1, 3, 4}}
		for i, m := range p.members {
			var err error
			if p.in.Statements[i], err = m.Survive(lists[i], p.roots); err != nil {
				t.Fatal(err)
			}
		}
		for i, m := range p.members {
			if u, err := m.Unmask(p.in.Statements); !errors.Is(err, ErrThreshold) || len(u.Opened) != 0 {
				t.Errorf("member %d of a 3:2 split opened %d shares (%v)", i, len(u.Opened), err)
			}
		}
		if err := stated(t, session, 5).runUnmask(); err != nil {
			t.Errorf("control: with one list: %v", err)
		}
	})
}

// TestOneDissenterDoesNotBlock: four equal statements of five are a quorum.
func TestOneDissenterDoesNotBlock(t *testing.T) {
	overRings(t, func(t *testing.T, session newSession) {
		p := stated(t, session, 5)
		odd := p.in.Statements[4]
		odd.List = slices.Clone(odd.List[:4])
		p.in.Statements[4] = odd
		if _, err := p.members[0].Unmask(p.in.Statements); err != nil {
			t.Errorf("four equal statements: %v", err)
		}
		delete(p.in.Statements, 3)
		if _, err := p.members[1].Unmask(p.in.Statements); !errors.Is(err, ErrThreshold) {
			t.Errorf("three equal statements: %v, want %v", err, ErrThreshold)
		}
	})
}

// TestOnlyDistinctRosterMembersCount: statements and unmask shares that are repeated under other indices, come from outside
// the roster, from a member that is not a survivor, or from another session, do not add up to a quorum. The control counts what says the same, as
// others do, and finds one.
func TestOnlyDistinctRosterMembersCount(t *testing.T) {
	overRings(t, func(t *testing.T, session newSession) {
		for _, c := range []struct {
			name string
			fake func(p *party) (int, Survivors)
		}{
			{"another's statement again", func(p *party) (int, Survivors) { return 2, p.in.Statements[1] }},
			{"outside the roster", func(p *party) (int, Survivors) { s := p.in.Statements[1]; s.From = 9; return 9, s }},
			{"negative index", func(p *party) (int, Survivors) { s := p.in.Statements[1]; s.From = -1; return -1, s }},
			{"not in the list", func(p *party) (int, Survivors) { s := p.in.Statements[1]; s.From = 3; return 3, s }},
			{"another session", func(p *party) (int, Survivors) { s := p.in.Statements[2]; s.Session[0] ^= 1; return 2, s }},
			{"the own one", func(p *party) (int, Survivors) { return 0, p.in.Statements[0] }},
		} {
			t.Run(c.name, func(t *testing.T) {
				p := newParty(t, session(4, 3))
				p.leave[3] = atMask - 1
				if err := p.until(atSurvive); err != nil {
					t.Fatal(err)
				}
				all := p.in.Statements
				at, fake := c.fake(p)
				few := map[int]Survivors{0: all[0], 1: all[1], at: fake}
				if at == 0 {
					few[0] = fake
				}
				if u, err := p.members[0].Unmask(few); !errors.Is(err, ErrThreshold) {
					t.Errorf("two statements and this one opened %d shares (%v)", len(u.Opened), err)
				}
				received := []Survivors{all[0], all[1], fake}
				first, counted := all[0], 0
				for _, st := range received {
					st.Session = first.Session // what it says is what counts, whoever says it
					if st.Digest() == first.Digest() {
						counted++
					}
				}
				if counted < p.s.Threshold {
					t.Errorf("control: counting messages gives %d, and a quorum are %d", counted, p.s.Threshold)
				}
				if err := p.runUnmask(); err != nil {
					t.Fatalf("control: three statements: %v", err)
				}
				p.in.Statements = few
				if _, err := Sum(p.s, p.in); !errors.Is(err, ErrThreshold) {
					t.Errorf("Sum with two statements and this one: %v", err)
				}
				p.in.Statements = all
				u := p.in.Unmasks[2]
				delete(p.in.Unmasks, 2)
				u.From = 3
				p.in.Unmasks[3] = u
				p.in.Unmasks[9] = p.in.Unmasks[1]
				if _, err := Sum(p.s, p.in); !errors.Is(err, ErrThreshold) {
					t.Errorf("Sum with two unmaskers and strangers: %v", err)
				}
			})
		}
	})
}

// TestReplayFromAnotherSession: messages of an earlier attempt are as good as none, at every step.
func TestReplayFromAnotherSession(t *testing.T) {
	overRings(t, func(t *testing.T, session newSession) {
		old := stated(t, session, 4)
		if err := old.runUnmask(); err != nil {
			t.Fatal(err)
		}
		for step := atShares; step <= atUnmask; step++ {
			s := session(4, 3)
			s.ID[5] ^= 1
			p := newParty(t, s)
			if err := p.until(step - 1); err != nil {
				t.Fatal(err)
			}
			for i := 1; i < 4; i++ {
				p.in.Keys[i], p.in.Shares[i], p.confirms[i], p.in.Statements[i] = old.in.Keys[i], old.in.Shares[i], old.confirms[i], old.in.Statements[i]
			}
			if err := p.call(step); step != atSurvive && !errors.Is(err, ErrThreshold) {
				t.Errorf("step %d with replayed messages: %v, want %v", step, err, ErrThreshold)
			}
		}
		s := old.s
		s.ID[5] ^= 1
		if _, err := Sum(s, old.in); !errors.Is(err, ErrThreshold) {
			t.Errorf("Sum under another session id: %v, want %v", err, ErrThreshold)
		}
	})
}

// TestRelabelledMessagesFail: rewriting the session id in recorded messages does not make them valid: keys, seals and
// tags are bound to it.
func TestRelabelledMessagesFail(t *testing.T) {
	overRings(t, func(t *testing.T, session newSession) {
		old := stated(t, session, 4)
		s := session(4, 3)
		s.ID[5] ^= 1
		p := newParty(t, s)
		if err := p.until(atShares); err != nil {
			t.Fatal(err)
		}
		replayed := old.in.Shares[2]
		replayed.Session, replayed.View = s.ID, p.in.Shares[2].View
		p.in.Shares[2] = replayed
		_, err := p.members[0].Confirm(p.in.Shares)
		if c, ok := accused(t, err); !ok || c.Accused != 2 || c.Reason != BadShare {
			t.Errorf("recorded shares under a new session id: %v, want a complaint about member 2", err)
		}
	})
}

// TestKeysFromTheMiddle: a relay that gives members keys of its own choice, where envelopes are not checked, is found
// by the views: no two groups confirm each other.
func TestKeysFromTheMiddle(t *testing.T) {
	overRings(t, func(t *testing.T, session newSession) {
		p := newParty(t, session(4, 3))
		if err := p.until(atKeys); err != nil {
			t.Fatal(err)
		}
		relay, err := NewMember(p.s, 1, testRoot(99))
		if err != nil {
			t.Fatal(err)
		}
		seen := map[int]Keys{0: p.in.Keys[0], 1: relay.Keys(), 2: p.in.Keys[2], 3: p.in.Keys[3]}
		if p.in.Shares[0], err = p.members[0].Shares(seen); err != nil {
			t.Fatal(err)
		}
		for i := 1; i < 4; i++ {
			if p.in.Shares[i], err = p.members[i].Shares(p.in.Keys); err != nil {
				t.Fatal(err)
			}
		}
		_, err = p.members[0].Confirm(p.in.Shares)
		if c, ok := accused(t, err); !ok || c.Reason != BadView {
			t.Errorf("member 0 was shown other keys of member 1: %v, want a complaint", err)
		}
		_, err = p.members[1].Confirm(p.in.Shares)
		if c, ok := accused(t, err); !ok || c.Reason != BadView || c.Accused != 0 {
			t.Errorf("member 1 sees that member 0 dealt for other keys: %v, want a complaint", err)
		}
	})
}

// TestConfirmsOfAnotherViewDoNotCount: shares shown to some and not to others leave too few confirmations.
func TestConfirmsOfAnotherViewDoNotCount(t *testing.T) {
	overRings(t, func(t *testing.T, session newSession) {
		p := newParty(t, session(5, 3))
		if err := p.until(atShares); err != nil {
			t.Fatal(err)
		}
		fewer := map[int]Shares{}
		for i := range 4 {
			fewer[i] = p.in.Shares[i]
		}
		for i, m := range p.members {
			seen := p.in.Shares
			if i < 2 {
				seen = fewer
			}
			var err error
			if p.confirms[i], err = m.Confirm(seen); err != nil {
				t.Fatal(err)
			}
		}
		for i, m := range p.members {
			if _, err := m.Mask(p.values[i], p.confirms); !errors.Is(err, ErrThreshold) || !errors.Is(err, ErrView) {
				t.Errorf("member %d masked with views split 2:3: %v", i, err)
			}
		}
	})
}
