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

// TestKillAtEveryStep kills every member once, after each of the actions it carries out in a round, and starts it again
// from its disk, or not. At most the round under way is lost, and whatever the cluster test forbids does not happen.
func TestKillAtEveryStep(t *testing.T) {
	for _, tt := range []struct {
		n      int
		revive time.Duration // 0: stays dead
	}{{3, 300 * time.Millisecond}, {4, 300 * time.Millisecond}, {4, 0}, {5, 20 * time.Millisecond}, {5, 0}} {
		base := afterSetup(t, tt.n)
		for victim := range tt.n {
			name := fmt.Sprintf("n=%d,revive=%v,victim=%d", tt.n, tt.revive, victim)
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				killEverywhere(t, base, victim, tt.revive)
			})
		}
	}
}

func killEverywhere(t *testing.T, base *cluster, victim int, revive time.Duration) {
	voids := 0
	for k := 1; ; k++ {
		c := base.fork(t, base.rounds+1, uint64(k))
		v := c.nodes[victim]
		v.killAt, v.revive = k, revive
		c.run(2 * time.Minute)
		if v.life == 1 && v.machine != nil {
			t.Logf("%d steps, %d void rounds", k-1, voids)
			return // it was not killed: it has fewer actions than that
		}
		kinds := c.kinds()[base.rounds:]
		if slices.Contains(kinds, "void") {
			voids++
			c.rounds++
			c.resume(4 * time.Minute)
			kinds = c.kinds()[base.rounds:]
		}
		if want := []string{"train"}; !slices.Equal(kinds, want) && !slices.Equal(kinds, []string{"void", "train"}) {
			t.Errorf("killed after action %d: rounds %v", k, kinds)
		}
		if t.Failed() {
			t.Fatalf("killed after action %d", k)
		}
	}
}
