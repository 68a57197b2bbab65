package federation

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/fedlam/fedlam/federation/ledger"
	"github.com/fedlam/fedlam/training/weights"
	"pgregory.net/rapid"
)

// TestKillWithOwners kills a member once, after some of the actions it carries out in a round with owners; which ones differs
// between the victims. There is always another copy of what it held, so that no round is lost.
func TestKillWithOwners(t *testing.T) {
	for _, tt := range []struct {
		n, owners int
		large     bool          // four chunks in the trunk instead of one
		revive    time.Duration // 0: stays dead
	}{
		{4, 1, true, 300 * time.Millisecond},
		{4, 2, false, 0},
		{5, 1, false, 0},
		{5, 2, true, 20 * time.Millisecond},
	} {
		base := smallOwned(t, tt.n, tt.owners)
		if tt.large {
			base = ownedAfterSetup(t, tt.n, tt.owners)
		}
		for victim := range 2 {
			t.Run(fmt.Sprintf("n=%d/owners=%d/M%d", tt.n, tt.owners, victim), func(t *testing.T) {
				t.Parallel()
				stride := 3
				if tt.large {
					stride = 9
				}
				if testing.Short() {
					stride = 20
				}
				if voids := killEvery(t, base, victim, 1+3*victim, stride, tt.revive); voids > 0 {
					t.Errorf("%d void rounds, and one death leaves a copy of everything", voids)
				}
			})
		}
	}
}

// smallOwned returns a cluster after its setup round, with owners and vectors of one chunk each.
func smallOwned(t testing.TB, n, owners int) *cluster {
	t.Helper()
	c := newCluster(t, n, 1, uint64(n), func(g *ledger.Genesis, _ *weights.Set) { g.Rules.Owners = owners })
	c.run(time.Minute)
	return c
}

// ownerOf returns who owns the chunk of the trunk at a place of the order, in the attempt under way at the first member that knows.
func (c *cluster) ownerOf(chunk, place int) int {
	for _, n := range c.nodes {
		if n.machine == nil || n.machine.r == nil {
			continue
		}
		if a := n.machine.r.current(); a != nil && len(a.sessions) > 0 {
			s := a.sessions[0]
			return s.members[s.owned.order[chunk][place]]
		}
	}
	return -1
}

// tells says whether an action carries a message of a type of the member's own, to all or to one.
func tells(c *cluster, n *node, a Action, kind string) bool {
	if s, ok := a.(Send); ok {
		a = Broadcast{s.Round, s.Envelopes}
	}
	return says(c, n, a, kind)
}

// TestOwnerDies has the first owner of a chunk die for good at every step of a round, before or after it says something. The round is
// not lost: others have what it held.
func TestOwnerDies(t *testing.T) {
	t.Parallel()
	for _, owners := range []int{1, 2} {
		base := smallOwned(t, 6, owners)
		for _, kind := range []string{typeMasked, typeChunk, typeHeld, typeStateHead, typeOpenHead, typeStatement, typeUnmask, typeChunkSum, typeVouch, typePrepare, typeCommit} {
			if kind == typeVouch && owners == 1 {
				continue // there is nobody to vouch
			}
			t.Run(fmt.Sprintf("owners=%d/before %s", owners, kind), func(t *testing.T) {
				c := base.fork(t, 2, 1)
				died, led := -1, -1
				c.doom = func(n *node, a Action) bool {
					place := 0
					if kind == typeVouch {
						place = 1
					}
					if died >= 0 || n.index != c.ownerOf(0, place) || !tells(c, n, a, kind) {
						return false
					}
					if b, ok := a.(Broadcast); ok && kind == typeChunkSum && !aboutTrunk(b) {
						return false
					}
					died, led = n.index, n.machine.coordinator(0)
					return true
				}
				c.run(time.Minute)
				if r := c.record(1); died != led && kind != typeMasked && r.Attempt != 0 && !slices.Contains([]string{typeStateHead, typeOpenHead, typeStatement}, kind) {
					t.Errorf("M%d died, and it took attempt %d", died, r.Attempt)
				}
				if got := c.kinds()[1:]; died < 0 || !slices.Equal(got, []string{"train"}) {
					t.Errorf("M%d died, rounds %v; want an owner dead and the round trained", died, got)
				}
			})
		}
	}
}

// aboutTrunk says whether the first envelope is about a chunk of the trunk.
func aboutTrunk(b Broadcast) bool {
	e, err := ledger.DecodeEnvelope(b.Envelopes[0])
	return err == nil && e.Seq>>32 == 0
}

// TestOwnerAndSenderDie has the only owner of a chunk and a sender die after all shares are open: the only copies of a chunk are gone,
// and the round is void.
func TestOwnerAndSenderDie(t *testing.T) {
	c := smallOwned(t, 7, 1).fork(t, 3, 1)
	owner := -1
	c.doom = func(n *node, a Action) bool {
		if r := n.machine.r; owner >= 0 || r == nil || r.number != 1 || n.index != c.ownerOf(0, 0) || !tells(c, n, a, typeChunkSum) || !aboutTrunk(a.(Broadcast)) {
			return false
		}
		owner = n.index
		for _, other := range c.nodes { // one that is not the next in the order: that one may have the owner's own chunk only
			if other != n && other.index != c.ownerOf(0, 1) {
				c.kill(other)
				return true
			}
		}
		return true
	}
	c.run(3 * time.Minute)
	if got := c.kinds()[1:]; owner < 0 || !slices.Equal(got, []string{"void", "train"}) {
		t.Errorf("rounds %v, want a void one, and then a trained one", got)
	}
}

// TestAllSwitchedOffWithOwners is TestAllSwitchedOff at the steps that owners have.
func TestAllSwitchedOffWithOwners(t *testing.T) {
	t.Parallel()
	for _, owners := range []int{1, 2} {
		base := smallOwned(t, 4, owners)
		for _, kind := range []string{typeHeld, typeStateHead, typeStatement, typeUnmask, typeChunkSum, typePrepare, typeCommit} {
			for _, first := range []int{0, 2} {
				t.Run(fmt.Sprintf("owners=%d/%s/%d have said it", owners, kind, first), func(t *testing.T) {
					switchOff(t, base.fork(t, 3, uint64(first)), kind, first)
				})
			}
		}
	}
}

// TestRandomTroubleWithOwners is TestRandomTrouble with owners.
func TestRandomTroubleWithOwners(t *testing.T) {
	limitChecks(t, "12")
	bases := map[[2]int]*cluster{}
	for n := 4; n <= 5; n++ {
		for owners := 1; owners <= 2; owners++ {
			bases[[2]int{n, owners}] = smallOwned(t, n, owners)
		}
	}
	rapid.Check(t, func(rt *rapid.T) {
		n, owners := rapid.IntRange(4, 5).Draw(rt, "members"), rapid.IntRange(1, 2).Draw(rt, "owners")
		trouble(t, rt, bases[[2]int{n, owners}], n)
	})
}
