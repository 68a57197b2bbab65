package secagg

import (
	"errors"
	"fmt"
	"slices"
)

// A Cohort is a part of a session's members that is summed apart: pair masks are shared only inside it, so that the masks of
// each cohort cancel on their own. Keys, shares, statements and opening are those of the whole session: what opens the sum of a cohort is
// a quorum of all members, and not of the few in it.
//
// An honest member's values are seen inside the sum of its cohort, with those of at least Least - f honest ones when f members of the
// cohort work together.
type Cohort struct {
	Members []int // places in the roster, ascending
	Least   int   // smallest sum: a cohort of which fewer are left is not in the sum at all; Quorum(len(Members)) or more
}

// checkCohorts refuses cohorts that do not divide the roster, or would open sums that are too small.
func (s *Session) checkCohorts() error {
	if s.Cohorts == nil {
		return nil
	}
	if len(s.Cohorts) < 2 {
		return errors.New("secagg session: one cohort is the whole session: leave Cohorts nil")
	}
	places := 0
	seen := make([]bool, len(s.Roster))
	for g, c := range s.Cohorts {
		if n := len(c.Members); n < MinMembers || c.Least < max(MinMembers, Quorum(n)) || c.Least > n {
			return fmt.Errorf("secagg session: cohort %d has %d members and a least sum of %d, want %d members or more and a quorum of them", g, n, c.Least, MinMembers)
		}
		for k, i := range c.Members {
			if i < 0 || i >= len(seen) || seen[i] || k > 0 && c.Members[k-1] >= i {
				return fmt.Errorf("secagg session: member %d of cohort %d is a stranger, listed twice or out of order", i, g)
			}
			seen[i] = true
			places++
		}
	}
	if places != len(s.Roster) {
		return fmt.Errorf("secagg session: %d of %d members are in a cohort", places, len(s.Roster))
	}
	return nil
}

// Together says whether two members are summed together, and so share a mask.
func (s *Session) Together(i, j int) bool {
	if s.Cohorts == nil {
		return true
	}
	for _, c := range s.Cohorts {
		if slices.Contains(c.Members, i) {
			return slices.Contains(c.Members, j)
		}
	}
	return false
}

// Parts divides a list of places into those that are summed together, each ascending, in the order of the cohorts; cohorts of which
// nobody is in the list are left out.
func (s *Session) Parts(list []int) (parts [][]int) {
	if s.Cohorts == nil {
		return [][]int{slices.Sorted(slices.Values(list))}
	}
	for _, c := range s.Cohorts {
		if part := common(c.Members, list); len(part) > 0 {
			parts = append(parts, part)
		}
	}
	return parts
}

// Thick leaves out of a list the members of cohorts of which too few are in it.
func (s *Session) Thick(list []int) (out []int) {
	if s.Cohorts == nil {
		return list
	}
	for _, c := range s.Cohorts {
		if part := common(c.Members, list); len(part) >= c.Least {
			out = append(out, part...)
		}
	}
	slices.Sort(out)
	return out
}

// thin returns an error if a cohort would be opened over fewer members than its least.
func (s *Session) thin(list []int) error {
	for g, c := range s.Cohorts {
		if n := len(common(c.Members, list)); n > 0 && n < c.Least {
			return fmt.Errorf("%w: cohort %d has %d of %d members, want %d or none", ErrThreshold, g, n, len(c.Members), c.Least)
		}
	}
	return nil
}

// common returns the members of the first, ascending list that are also in the other.
func common(members, list []int) (out []int) {
	for _, i := range members {
		if slices.Contains(list, i) {
			out = append(out, i)
		}
	}
	return out
}
