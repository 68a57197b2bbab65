package federation

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/fedlam/fedlam/federation/ledger"
	"github.com/fedlam/fedlam/training/weights"
)

// largeTrunk is how many numbers more the trunk has in tests with owners: four chunks with the rest.
const largeTrunk = 200_000

// newOwnedCluster makes a cluster with that many owners per chunk and a trunk of several chunks.
func newOwnedCluster(t testing.TB, n int, rounds, seed uint64, owners int) *cluster {
	t.Helper()
	return newCluster(t, n, rounds, seed, func(g *ledger.Genesis, w *weights.Set) {
		g.Rules.Owners = owners
		w.Put(weights.Tensor{Name: "descriptor/large", Shape: []int{largeTrunk}, Data: make([]float64, largeTrunk)})
	})
}

// ownedAfterSetup returns one whose setup round is certified.
func ownedAfterSetup(t testing.TB, n, owners int) *cluster {
	t.Helper()
	c := newOwnedCluster(t, n, 1, uint64(n), owners)
	c.run(time.Minute)
	return c
}

// TestHappyRoundsWithOwners has nobody in trouble: all sums are those of the members' lanes, as the audit checks, in the first attempt.
func TestHappyRoundsWithOwners(t *testing.T) {
	for _, n := range []int{4, 7, 10} {
		for _, owners := range []int{1, 2, 3} {
			t.Run(fmt.Sprintf("n=%d/owners=%d", n, owners), func(t *testing.T) {
				t.Parallel()
				c := newOwnedCluster(t, n, 2, uint64(n), owners)
				c.run(time.Minute)
				if got, want := c.kinds(), []string{"setup", "train"}; !slices.Equal(got, want) {
					t.Errorf("rounds %v, want %v", got, want)
				}
				for k := range uint64(2) {
					if r := c.record(k); r.Attempt != 0 || len(r.Groups) != 3 || len(r.Groups[0].Survivors) != n || len(r.Groups[2].Survivors) != 2 {
						t.Errorf("round %d, attempt %d: sums %+v; want trunk and head all over %d members, head two over 2", k, r.Attempt, r.Groups, n)
					}
				}
			})
		}
	}
}
