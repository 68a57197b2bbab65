package sim

import (
	"flag"
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"
)

var (
	seeds  = flag.Int("seeds", 0, "play this many seeds of each kind; 0 for a few")
	first  = flag.Uint64("first", 1, "the first seed")
	size   = flag.Int("size", 0, "play the kill matrix of this many members only; 0 for all")
	shrink = flag.Bool("shrink", false, "shrink scenarios that fail")
)

// count is how many seeds are played, few unless the command line says otherwise.
func count(few int) int {
	if *seeds > 0 {
		return *seeds
	}
	return few
}

// soak plays scenarios and fails for every one that is wrong. It says how the rounds ended.
func soak(t *testing.T, count int, scenario func(k int) *Scenario, wrong func(*Outcome) error) {
	t.Helper()
	begin, ends, calm, slowest, failed := time.Now(), map[string]int{}, time.Duration(0), 0, 0
	Soak(count, scenario, func(k int, o *Outcome, err error) bool {
		if err == nil {
			err = wrong(o)
		}
		if err != nil {
			failed++
			t.Errorf("scenario %d: %v", k, err)
			if *shrink && o != nil {
				t.Logf("it fails as well when it is\n%s", Shrink(o.Scenario, func(s *Scenario) bool {
					o, err := Run(s)
					return err == nil && wrong(o) != nil
				}))
			}
			return failed < 5
		}
		ends[fmt.Sprintf("with %d void rounds", o.Voids())]++
		switch {
		case len(o.Stalled) > 0:
			ends["stand still"]++
		case o.Calm > calm:
			calm, slowest = o.Calm, k
		}
		return true
	})
	var text string
	for _, end := range slices.Sorted(maps.Keys(ends)) {
		text += fmt.Sprintf(", %d %s", ends[end], end)
	}
	t.Logf("%d scenarios%s; longest way to the end after the last trouble: %v (scenario %d); %v each", count, text, calm.Round(time.Millisecond), slowest,
		(time.Since(begin) / time.Duration(count)).Round(time.Millisecond))
}

// TestKillMatrix kills ceil(n/3)-1 members at every step.
func TestKillMatrix(t *testing.T) {
	few := map[int]int{4: len(KillSteps), 7: 4, 10: 1}
	for _, n := range KillSizes {
		if *size != 0 && n != *size || count(few[n]) == 0 {
			continue
		}
		t.Run(fmt.Sprintf("n=%d", n), func(t *testing.T) {
			soak(t, count(few[n]), func(k int) *Scenario {
				return KillMatrix(n, KillSteps[(int(*first)+k)%len(KillSteps)], *first+uint64(k))
			}, (*Outcome).Err)
		})
	}
}

// TestKillCohorts kills members of a federation whose sums are divided into cohorts: some are summed without those who died, some are
// left out, and some attempts are made with fewer cohorts or one sum.
func TestKillCohorts(t *testing.T) {
	divided := 0
	soak(t, count(6), func(k int) *Scenario {
		s := KillMatrix(13, KillSteps[(int(*first)+k)%len(KillSteps)], *first+uint64(k))
		s.Cohort, s.Divided = 2, 4
		return s
	}, func(o *Outcome) error {
		divided += o.Divided
		return o.Err()
	})
	if divided == 0 {
		t.Error("no sum was divided")
	}
}

// TestGenerated plays scenarios in which all members are honest and no more of them die than a quorum can miss.
func TestGenerated(t *testing.T) {
	soak(t, count(10), func(k int) *Scenario { return Generate(*first+uint64(k), Honest) }, (*Outcome).Err)
}

// TestLiars plays scenarios in which some members deviate. Whatever they do, nothing unsafe happens, and the others go on.
func TestLiars(t *testing.T) {
	soak(t, count(4), func(k int) *Scenario { return Generate(*first+uint64(k), WithLiars) }, (*Outcome).Err)
}

// TestOutages plays scenarios in which any number of members is killed at once, all of them included.
func TestOutages(t *testing.T) {
	soak(t, count(4), func(k int) *Scenario { return Generate(*first+uint64(k), Outage) }, (*Outcome).Err)
}
