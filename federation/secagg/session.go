package secagg

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// Limits of a session.
const (
	MinMembers = 2       // a sum of one member's values would be those values
	MaxMembers = 255     // Shamir points are the 255 non-zero elements of GF(2^8)
	MaxLanes   = 1 << 28 // 1 GiB of masked bytes per member in the larger ring
)

// A Session fixes what every member must agree on before the first message. All fields are public.
type Session struct {
	ID     [32]byte   // Context.ID; bound into every derived key, sealed share and statement
	Roster [][32]byte // distinct member ids in the order of the epoch record; a member's position is its index, index+1 its Shamir point

	Threshold    int // t: shares that open a secret; Quorum(len(Roster)) or more
	MinSurvivors int // the smallest sum this member takes part in, 2 or more; the larger of it and t binds
	Lanes        int // length of every member's value vector
	Bits         int // of a lane: values are added in Z_2^Bits; 32 or 16, 0 means DefaultBits

	Cohorts []Cohort // summed apart; nil for one sum over all. The id must bind them.
}

// Quorum returns floor(2n/3)+1: with n members it leaves an honest majority in every quorum while fewer than
// n/3 are malicious, so that two different survivor lists never both gather it.
func Quorum(n int) int { return 2*n/3 + 1 }

// need is the smallest number of members any step goes on with.
func (s *Session) need() int { return max(s.Threshold, s.MinSurvivors) }

// Validate refuses sessions that could not protect anyone.
func (s *Session) Validate() error {
	n := len(s.Roster)
	switch {
	case n < MinMembers || n > MaxMembers:
		return fmt.Errorf("secagg session: roster has %d members, want %d to %d", n, MinMembers, MaxMembers)
	case s.Threshold < Quorum(n) || s.Threshold > n:
		return fmt.Errorf("secagg session: threshold %d of %d members, want %d to %d: use Quorum", s.Threshold, n, Quorum(n), n)
	case s.MinSurvivors < MinMembers || s.MinSurvivors > n:
		return fmt.Errorf("secagg session: minimum of %d survivors among %d members, want %d to %d", s.MinSurvivors, n, MinMembers, n)
	case s.Lanes < 1 || s.Lanes > MaxLanes:
		return fmt.Errorf("secagg session: %d lanes, want 1 to %d: split the parameters into several sessions", s.Lanes, MaxLanes)
	case s.Bits != 0 && s.Bits != 32 && s.Bits != 16:
		return fmt.Errorf("secagg session: lanes of %d bits, want 32 or 16", s.Bits)
	case s.ID == [32]byte{}:
		return errors.New("secagg session: the id is all zero: compute it with Context.ID")
	}
	seen := make(map[[32]byte]int, n)
	for i, id := range s.Roster {
		if j, twice := seen[id]; twice {
			return fmt.Errorf("secagg session: members %d and %d of the roster are the same", j, i)
		}
		seen[id] = i
	}
	return s.checkCohorts()
}

// RosterHash binds the ordered member ids.
func RosterHash(roster [][32]byte) [32]byte {
	h := newHash("roster")
	var b [4]byte
	binary.BigEndian.PutUint32(b[:], uint32(len(roster)))
	h.Write(b[:])
	for _, id := range roster {
		h.Write(id[:])
	}
	return sum32(h)
}

// clone keeps later changes of the caller's slices out of a running session.
func (s Session) clone() Session {
	s.Roster = append([][32]byte(nil), s.Roster...)
	s.Cohorts = append([]Cohort(nil), s.Cohorts...)
	for g := range s.Cohorts {
		s.Cohorts[g].Members = append([]int(nil), s.Cohorts[g].Members...)
	}
	return s
}
