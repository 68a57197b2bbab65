package sim

import (
	"slices"
	"testing"
	"time"
)

// deviations has member 1, who coordinates the first attempt at round 1, deviate in one way in each scenario.
func deviations(n int) (out []*Scenario) {
	for _, d := range []Deviation{
		{Strategy: "delay", Delay: 3 * time.Second},
		{Strategy: "double"},
		{Strategy: "equivocate", Towards: Members{0, n - 1}},
		{Strategy: "garbage"},
		{Strategy: "replay"},
		{Strategy: "spoil"},
		{Strategy: "stale"},
		{Strategy: "withhold", Towards: Members{0, n - 1}},
		{Strategy: "withhold"},
	} {
		for _, step := range Steps {
			d.Who, d.Steps = 1, []string{step}
			out = append(out, &Scenario{Members: n, Rounds: 3, Seed: uint64(len(out)), Founded: true, Byzantine: []Deviation{d}})
		}
	}
	return out
}

// TestDeviations plays every way to deviate in every step, or some of them.
func TestDeviations(t *testing.T) {
	all := deviations(4)
	if *seeds == 0 { // one of eight, so that every way and every step has its turn
		all = slices.DeleteFunc(all, func(s *Scenario) bool { return s.Seed%8 != 3 })
	} else {
		all = append(all, deviations(7)...)
	}
	soak(t, len(all), func(k int) *Scenario { return all[k] }, (*Outcome).Err)
}
