package sim

import (
	"fmt"
	"maps"
	"slices"

	"github.com/fedlam/fedlam/federation"
	"github.com/fedlam/fedlam/federation/ledger"
	"github.com/fedlam/fedlam/federation/secagg"
)

// contributed keeps what a member adds to a sum, before it is masked.
func (a *audit) contributed(p *process, c federation.Contribution) {
	if a.lanes[c.Session] == nil {
		a.lanes[c.Session] = map[int][]federation.Contribution{}
	}
	c.Lanes = slices.Clone(c.Lanes)
	a.lanes[c.Session][p.index] = append(a.lanes[c.Session][p.index], c)
}

// checkSums compares the sums of a record, to the last bit, with what its members contributed.
func (a *audit) checkSums(r *ledger.Round) {
	for _, g := range r.Groups {
		if len(g.Survivors) < a.least(g.Name) {
			a.fault("round %d: the sum of %s is over %d members, want at least %d", r.R, g.Name, len(g.Survivors), a.least(g.Name))
		}
		if slices.ContainsFunc(g.Survivors, func(s uint64) bool { return a.spoilt[int(s)] }) {
			continue // what a liar sent is what it contributed, and nobody but itself knows it
		}
		sums, members := map[int][]uint32{}, map[int]int{} // by cohort
		for _, s := range g.Survivors {
			all := a.lanes[g.Session][int(s)]
			if len(all) != 1 {
				a.fault("M%d masked %d vectors in the certified session of %s in round %d, want 1", s, len(all), g.Name, r.R)
				return
			}
			x := all[0]
			if sums[x.Cohort] == nil {
				sums[x.Cohort] = make([]uint32, len(x.Lanes))
			}
			members[x.Cohort]++
			for k, v := range x.Lanes {
				sums[x.Cohort][k] += v
			}
		}
		var sum []uint32
		for _, cohort := range slices.Sorted(maps.Keys(sums)) {
			sum = append(sum, sums[cohort]...)
			if members[cohort] < a.w.genesis.Rules.MinCohort && g.Name == ledger.TrunkGroup {
				a.fault("round %d: the sum of a cohort of %s is over %d members, want at least %d", r.R, g.Name, members[cohort], a.w.genesis.Rules.MinCohort)
			}
		}
		a.divided += max(0, len(sums)-1)
		if federation.AggregateRoot(sum) != g.Aggregate {
			a.fault("round %d: the certified sum of %s is not that of what members %v contributed", r.R, g.Name, g.Survivors)
		}
		a.sums++
	}
}

// sumsText lists the sums of a record.
func sumsText(r *ledger.Round) (text string) {
	for _, g := range r.Groups {
		text += fmt.Sprintf(", %s over %d", g.Name, len(g.Survivors))
	}
	return text
}

// least is the smallest number of members in a sum.
func (a *audit) least(group string) int {
	rules := &a.w.genesis.Rules
	if group == ledger.TrunkGroup {
		return max(ledger.Quorum(a.w.s.Members), rules.MinCohort)
	}
	return max(ledger.Quorum(a.w.s.Members), rules.MinGroup) // all members use the head
}

// opening counts whose self-masks an honest member opens: those are the members in the sum.
func (a *audit) opening(p *process, u utterance) {
	group := ledger.TrunkGroup
	switch u.Type {
	case stepOpenHead:
		group = ledger.HeadGroup(headKey)
	case stepUnmask:
	default:
		return
	}
	m, err := secagg.DecodeUnmask(u.Body)
	if err != nil {
		a.fault("%s opens shares that nobody can read: %v", p, err)
		return
	}
	members := 0
	for _, o := range m.Opened {
		if o.Secret == secagg.SecretB {
			members++
		}
	}
	if members < a.least(group) {
		a.fault("%s opens a sum of %s over %d members in round %d, want at least %d", p, group, members, u.Round, a.least(group))
	}
	a.opened++
}
