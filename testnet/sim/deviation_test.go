package sim

import (
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// leader is who coordinates the first attempt at round 1 of a founded world.
func leader(t *testing.T, n int) (who int) {
	t.Helper()
	o, err := Run(&Scenario{Members: n, Rounds: 2, Founded: true})
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range o.Main {
		if _, by, ok := strings.Cut(line, "round 1, attempt 0: roster by M"); ok {
			if who, err = strconv.Atoi(by); err == nil {
				return who
			}
		}
	}
	t.Fatalf("nobody coordinates round 1:\n%s", strings.Join(o.Main, "\n"))
	return 0
}

// deviations has the member who coordinates the first attempt at round 1 deviate in one way in each scenario.
func deviations(t *testing.T, n int) (out []*Scenario) {
	who := leader(t, n)
	others := Members{(who + 1) % n, (who + n - 1) % n}
	slices.Sort(others)
	for _, d := range []Deviation{
		{Strategy: "delay", Delay: 3 * time.Second},
		{Strategy: "double"},
		{Strategy: "equivocate", Towards: others},
		{Strategy: "garbage"},
		{Strategy: "replay"},
		{Strategy: "spoil"},
		{Strategy: "stale"},
		{Strategy: "withhold", Towards: others},
		{Strategy: "withhold"},
	} {
		for _, step := range Steps {
			d.Who, d.Steps = who, []string{step}
			out = append(out, &Scenario{Members: n, Rounds: 3, Seed: uint64(len(out)), Founded: true, Byzantine: []Deviation{d}})
		}
	}
	return out
}

// TestDeviations plays every way to deviate in every step, or some of them.
func TestDeviations(t *testing.T) {
	all := deviations(t, 4)
	if *seeds == 0 { // one of eight, so that every way and every step has its turn
		all = slices.DeleteFunc(all, func(s *Scenario) bool { return s.Seed%8 != 3 })
	} else {
		all = append(all, deviations(t, 7)...)
	}
	soak(t, len(all), func(k int) *Scenario { return all[k] }, (*Outcome).Err)
}
