package federation

import (
	"crypto/sha256"
	"fmt"
	"slices"

	"github.com/fedlam/fedlam/federation/ledger"
	"github.com/fedlam/fedlam/federation/robust"
	"github.com/fedlam/fedlam/federation/secagg"
)

// With the rule cohorts, the members of a sum are divided at random, each cohort is summed apart inside the one session, and a robust rule
// over the cohorts' means takes the place of the mean: who poisons its update in a direction, within the length allowed, spoils
// the mean of one cohort and no more. See package robust.

// fewestCohorts are needed for a rule to outvote one of them. With fewer there is one sum over all.
const fewestCohorts = 3

// cohortSize is how many members a cohort is planned with, so that a third of them may be missing in a sum of least members.
func cohortSize(least int) int { return least + (least+1)/2 }

// cohortCount is into how many cohorts so many members are divided; 0 when they are too few.
func (m *Machine) cohortCount(members, least int) int {
	if groups := min(m.rules.Cohorts, robust.MostGroups(members, cohortSize(least))); groups >= fewestCohorts {
		return groups
	}
	return 0
}

// cohortOf is how many members the smallest cohort has; 0 when there is one sum over all.
func (m *Machine) cohortOf(members, least int) int {
	if groups := m.cohortCount(members, least); groups > 0 {
		return members / groups
	}
	return 0
}

// cohorts divides the members of a session, or returns nil when the rules do not say so or the members are too few. all are those of the epoch who have
// a part in such a sum. They are divided once for the round, by the newest record, which binds secrets that nobody knew when it was made; so no
// coordinator chooses who is with whom. Cohorts of which too many are away are put together with others, which gives larger sums, never
// smaller ones.
func (m *Machine) cohorts(name string, all, members []int, least int) []secagg.Cohort {
	groups := m.cohortCount(len(all), least)
	if m.r.base.Kind != ledger.Train || groups == 0 {
		return nil
	}
	seed := sha256.Sum256(append(append([]byte("fedlam/v1/cohorts"), 0), append(m.r.base.Prev.Bytes(), name...)...))
	parts, err := robust.Partition(seed, all, groups, cohortSize(least))
	if err != nil {
		panic("federation: " + err.Error()) // members are distinct and enough
	}
	parts = joinThin(parts, members, least)
	if len(parts) < fewestCohorts {
		return nil
	}
	out := make([]secagg.Cohort, len(parts))
	for g, part := range parts {
		out[g].Least = leastOf(len(part), least)
		for k, i := range members {
			if slices.Contains(part, i) {
				out[g].Members = append(out[g].Members, k)
			}
		}
	}
	return out
}

// leastOf is the smallest sum over a cohort of so many members: a quorum of it, those that are away counted.
func leastOf(size, least int) int { return max(ledger.Quorum(size), least) }

// joinThin puts a cohort that has too few members in the roster together with the next, until all have enough or one is left.
func joinThin(parts [][]int, roster []int, least int) [][]int {
	for len(parts) > 1 {
		g := slices.IndexFunc(parts, func(part []int) bool { return overlap(part, roster) < leastOf(len(part), least) })
		if g < 0 {
			return parts
		}
		next := (g + 1) % len(parts)
		parts[next] = append(slices.Clone(parts[next]), parts[g]...)
		parts = slices.Delete(parts, g, g+1)
	}
	return parts
}

func overlap(part, roster []int) (n int) {
	for _, i := range part {
		if slices.Contains(roster, i) {
			n++
		}
	}
	return n
}

// summed returns whose inputs of a list are in the session's sum: those who have a part in it, but for members of cohorts of which too few
// are in the list.
func (s *session) summed(list []int) []int {
	return s.at(s.public.Thick(s.places(s.among(list))))
}

// peers is the largest number of members that are summed together.
func (s *session) peers() int {
	if s.public.Cohorts == nil {
		return len(s.members)
	}
	most := 0
	for _, c := range s.public.Cohorts {
		most = max(most, len(c.Members))
	}
	return most
}

// cohort is the number of the cohort that a place of the session belongs to; 0 when there is one sum over all.
func (s *session) cohort(place int) int {
	return max(0, slices.IndexFunc(s.public.Cohorts, func(c secagg.Cohort) bool { return slices.Contains(c.Members, place) }))
}

// ownCohorts are the session's cohorts, the own one with the least number that the owner demands; nil when it has fewer members.
func (s *session) ownCohorts(least int) []secagg.Cohort {
	out := slices.Clone(s.public.Cohorts)
	if out == nil {
		return nil
	}
	own := &out[s.cohort(s.self)]
	if own.Least = max(own.Least, least); own.Least > len(own.Members) {
		return nil
	}
	return out
}

// mean decodes a sum: of one sum its mean, of several what the rules' robust rule makes of their means. The sum of a cohort that cannot be
// right is left out.
func (m *Machine) mean(q coder, x *sum) (decoded, error) {
	if len(x.parts) == 1 {
		return q.decode(x.lanes, x.members)
	}
	each := len(x.lanes) / len(x.parts)
	var parts []decoded
	for g, members := range x.parts {
		d, err := q.decode(x.lanes[g*each:(g+1)*each], members)
		if err != nil {
			m.tell(Warning, "cohort %d of %s, %d members, is left out: %v", g, x.group.Name, members, err)
			continue
		}
		parts = append(parts, d)
	}
	return combine(parts, m.rules.Robust)
}

// combine applies a robust rule to the means of cohorts. Each counts the same.
func combine(parts []decoded, name string) (out decoded, err error) {
	if len(parts) < fewestCohorts {
		return out, fmt.Errorf("%d cohorts have a sum that can be right, want %d: others cannot outvote a poisoned one", len(parts), fewestCohorts)
	}
	rule, err := robust.Named(name, len(parts))
	if err != nil {
		return out, err
	}
	means := make([][]float64, len(parts))
	for g, p := range parts {
		means[g] = append(slices.Clip(p.mean), p.spread)
		out.weight += p.weight
		out.members += p.members
	}
	all, err := robust.Aggregate(rule, means)
	if err != nil {
		return out, err
	}
	last := len(all) - 1
	out.mean, out.spread = all[:last:last], all[last]
	return out, nil
}
