package federation

import (
	"fmt"
	"slices"
	"testing"
	"time"
)

// afterSetup returns a cluster whose setup round is certified.
func afterSetup(t testing.TB, n int) *cluster {
	t.Helper()
	c := newCluster(t, n, 1, uint64(n))
	c.run(time.Minute)
	return c
}

// TestKillAtEveryStep kills a member once, after each of the actions it carries out in a round, and starts it again from its
// disk, or not. At most the round under way is lost, and whatever the audit forbids does not happen. Member 3 of four and of five
// coordinates the first attempt; 0 and 1 alone share a head.
func TestKillAtEveryStep(t *testing.T) {
	for _, tt := range []struct {
		name    string
		n       int
		victims []int
		setup   bool          // kill in the setup round, otherwise in the first training round
		revive  time.Duration // 0: stays dead
	}{
		{"three members", 3, []int{0}, false, 300 * time.Millisecond},
		{"four members", 4, []int{0, 1, 2, 3}, false, 300 * time.Millisecond},
		{"four members, dead for good", 4, []int{0, 3}, false, 0},
		{"four members, setup", 4, []int{0}, true, 300 * time.Millisecond},
		{"five members", 5, []int{1, 3}, false, 20 * time.Millisecond},
		{"five members, dead for good", 5, []int{3}, false, 0},
	} {
		base := newCluster(t, tt.n, 0, 1)
		if !tt.setup {
			base = afterSetup(t, tt.n)
		}
		for _, victim := range tt.victims {
			t.Run(fmt.Sprintf("%s/M%d", tt.name, victim), func(t *testing.T) {
				t.Parallel()
				killEverywhere(t, base, victim, tt.revive)
			})
		}
	}
}

func killEverywhere(t *testing.T, base *cluster, victim int, revive time.Duration) {
	stride := 2 // victims take turns with odd and even actions
	if testing.Short() {
		stride = 7
	}
	killEvery(t, base, victim, 1+victim%2, stride, revive)
}

// killEvery kills a member after its first, or a later action, and every so many. It returns how many rounds were void.
func killEvery(t *testing.T, base *cluster, victim, first, stride int, revive time.Duration) (voids int) {
	for k := first; ; k += stride {
		c := base.fork(t, base.rounds+1, uint64(k))
		v := c.nodes[victim]
		v.killAt, v.revive = k, revive
		c.run(2 * time.Minute)
		if v.life == 1 && v.machine != nil {
			t.Logf("%d steps, %d void rounds", k-1, voids)
			return voids // it was not killed: it has fewer actions than that
		}
		kinds := c.kinds()[base.rounds:]
		if slices.Contains(kinds, "void") {
			voids++
			c.rounds++
			c.resume(4 * time.Minute)
			kinds = c.kinds()[base.rounds:]
		}
		if last := len(kinds) - 1; last < 0 || last > 1 || kinds[last] == "void" || last == 1 && kinds[0] != "void" {
			t.Errorf("killed after action %d: rounds %v", k, kinds)
		}
		if t.Failed() {
			t.Fatalf("killed after action %d", k)
		}
	}
}
