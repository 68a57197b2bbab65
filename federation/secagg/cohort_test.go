package secagg

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// inCohorts divides a session by a list of cohort numbers, one for each place.
func inCohorts(s Session, number []int) Session {
	for g := range slices.Max(number) + 1 {
		var c Cohort
		for i, of := range number {
			if of == g {
				c.Members = append(c.Members, i)
			}
		}
		c.Least = Quorum(len(c.Members))
		s.Cohorts = append(s.Cohorts, c)
	}
	return s
}

// partSum adds up the values of some members.
func (p *party) partSum(list []int) []uint32 {
	sum := make([]uint32, p.s.Lanes)
	for _, i := range list {
		for k, v := range p.values[i] {
			sum[k] = inRing(p.s, sum[k]+v)
		}
	}
	return sum
}

// TestCohorts divides members at random, has as many of them leave as a session survives, and compares the sum of every cohort.
func TestCohorts(t *testing.T) {
	overRings(t, func(t *testing.T, session newSession) {
		rapid.Check(t, func(r *rapid.T) {
			groups := rapid.IntRange(2, 4).Draw(r, "cohorts")
			n := rapid.IntRange(3*groups, 16).Draw(r, "members")
			number := make([]int, n)
			for i := range number {
				number[i] = i % groups
			}
			number = rapid.Permutation(number).Draw(r, "division")
			p := newParty(t, inCohorts(session(n, 21), number))
			var alive []int
			spare := n - Quorum(n)
			for i := range p.leave {
				if spare > 0 && rapid.IntRange(0, 3).Draw(r, "leaves") == 0 {
					p.leave[i] = rapid.SampledFrom([]stage{atConfirm, atMask}).Draw(r, "after")
					spare--
				}
				if p.leave[i] > atConfirm {
					alive = append(alive, i)
				}
			}
			if err := p.until(atMask); err != nil {
				r.Fatal(err)
			}
			p.survivors = p.s.Thick(alive)
			for i := range p.leave {
				if !slices.Contains(p.survivors, i) {
					p.leave[i] = min(p.leave[i], atMask)
				}
			}
			enough := len(p.survivors) >= Quorum(n)
			if err := p.runSurvive(); (err == nil) != enough {
				r.Fatalf("statements over %d of %d members: %v", len(p.survivors), n, err)
			}
			if !enough {
				return
			}
			var open int
			for i := range p.leave {
				if p.leave[i] == atUnmask {
					open++
				}
			}
			if open < Quorum(n) {
				return
			}
			if err := p.runUnmask(); err != nil {
				r.Fatal(err)
			}
			var want []uint32
			for _, part := range p.s.Parts(p.survivors) {
				want = append(want, p.partSum(part)...)
			}
			got, err := Sum(p.s, p.in)
			if err != nil || !slices.Equal(got, want) {
				r.Errorf("cohorts %v, survivors %v: got %x, want %x: %v", number, p.survivors, got, want, err)
			}
		})
	})
}

// TestThinCohort has a coordinator list so few members of a cohort that its sum would nearly be one member's values: nobody states it,
// and a transcript that shows it does not open. Where the least number is not checked, the control, the sum of two members opens, and one
// of them knows the other's values.
func TestThinCohort(t *testing.T) {
	s := inCohorts(testSession(12, 4), []int{0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1})
	loose := s.clone()
	loose.Cohorts[0].Least = 2
	for _, checked := range []bool{true, false} {
		p := newParty(t, s)
		if err := p.until(atMask); err != nil {
			t.Fatal(err)
		}
		p.survivors = []int{0, 1, 5, 6, 7, 8, 9, 10, 11}
		for i, m := range p.members {
			if i > 1 && i < 5 {
				p.leave[i] = atMask
			}
			if !checked {
				m.s.Cohorts[0].Least = 2
			}
		}
		err := p.runSurvive()
		if checked {
			if !errors.Is(err, ErrThreshold) || !strings.Contains(err.Error(), "cohort 0 has 2 of 5") {
				t.Errorf("the statement over a thin cohort: %v", err)
			}
			continue
		}
		if err := errors.Join(err, p.runUnmask()); err != nil {
			t.Fatal(err)
		}
		if _, err := Open(s, p.in); !errors.Is(err, ErrThreshold) {
			t.Errorf("statements that name a thin cohort were opened: %v", err)
		}
		o, err := open(loose, p.in)
		if err != nil {
			t.Fatal(err)
		}
		sum, err := o.SumPart(0, 0, map[int][]byte{0: p.in.Masked[0].Chunks[0], 1: p.in.Masked[1].Chunks[0]})
		if err != nil {
			t.Fatal(err)
		}
		for k := range sum {
			sum[k] -= p.values[0][k]
		}
		if !slices.Equal(sum, p.values[1]) {
			t.Error("the control does not see member 1's values: this test would not notice")
		}
	}
}

// TestCohortsRefused lists sessions that divide their roster wrongly.
func TestCohortsRefused(t *testing.T) {
	for _, tt := range []struct {
		name    string
		cohorts []Cohort
	}{
		{"one", []Cohort{{[]int{0, 1, 2, 3, 4, 5}, 5}}},
		{"none", []Cohort{}},
		{"a member missing", []Cohort{{[]int{0, 1, 2}, 3}, {[]int{3, 4}, 2}}},
		{"a member twice", []Cohort{{[]int{0, 1, 2}, 3}, {[]int{2, 3, 4, 5}, 3}}},
		{"a stranger", []Cohort{{[]int{0, 1, 2}, 3}, {[]int{3, 4, 6}, 3}}},
		{"out of order", []Cohort{{[]int{1, 0, 2}, 3}, {[]int{3, 4, 5}, 3}}},
		{"a member alone", []Cohort{{[]int{0}, 1}, {[]int{1, 2, 3, 4, 5}, 4}}},
		{"least below a quorum", []Cohort{{[]int{0, 1, 2}, 2}, {[]int{3, 4, 5}, 3}}},
		{"least above its size", []Cohort{{[]int{0, 1, 2}, 4}, {[]int{3, 4, 5}, 3}}},
	} {
		s := testSession(6, 4)
		s.Cohorts = tt.cohorts
		if err := s.Validate(); err == nil {
			t.Errorf("%s: accepted", tt.name)
		}
	}
}

// TestPairMasksStayInCohorts checks who is reported on in an audit, and that a session's id must bind its cohorts.
func TestPairMasksStayInCohorts(t *testing.T) {
	p := newParty(t, inCohorts(testSession(6, 4), []int{0, 1, 0, 1, 0, 1}))
	for _, m := range p.members {
		m.KeepPairMasks()
	}
	if err := p.until(atMask); err != nil {
		t.Fatal(err)
	}
	for i, m := range p.members {
		got := sorted(m.PairMasks([]int{0, 1, 2, 3, 4, 5}))
		want := []int{(i + 2) % 6, (i + 4) % 6}
		if slices.Sort(want); !slices.Equal(got, want) {
			t.Errorf("member %d shares masks with %v, want %v", i, got, want)
		}
	}
	c := Context{Group: "trunk", Roster: testRoster(6)}
	plain := c.ID()
	c.Cohorts = p.s.Cohorts
	divided := c.ID()
	c.Cohorts = inCohorts(testSession(6, 4), []int{0, 1, 0, 1, 1, 0}).Cohorts
	if other := c.ID(); plain == divided || divided == other {
		t.Error("sessions with other cohorts have the same id")
	}
}

// BenchmarkCohorts masks 1 Mi parameters of a member of 100, in one sum and in ten cohorts.
func BenchmarkCohorts(b *testing.B) {
	for _, groups := range []int{1, 10} {
		b.Run(fmt.Sprintf("cohorts=%d", groups), func(b *testing.B) {
			pads := benchPads(100/groups-1, 50/groups)
			m := Masked{Header: MaskedHeader{Lanes: mebi, Leaves: make([][32]byte, mebi*4/ChunkSize)}, Chunks: make([][]byte, mebi*4/ChunkSize), ring: ring32}
			values := make([]uint32, mebi)
			b.SetBytes(4 * mebi)
			for b.Loop() {
				m.fill(values, pads)
			}
		})
	}
}
