package federation

import (
	"fmt"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/fedlam/fedlam/federation/ledger"
	"github.com/fedlam/fedlam/federation/secagg"
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

// TestOwnerOrderGolden pins who owns what: members of different versions would send chunks to different owners.
func TestOwnerOrderGolden(t *testing.T) {
	roster := make([][32]byte, 7)
	for k := range roster {
		roster[k][0] = byte(k + 1)
	}
	for chunk, want := range [][]int{{4, 1, 2, 0, 3, 6, 5}, {4, 0, 2, 6, 5, 3, 1}} {
		if got := ownerOrder([32]byte{9}, chunk, roster); !slices.Equal(got, want) {
			t.Errorf("owners of chunk %d: %v, want %v", chunk, got, want)
		}
	}
}

// TestRecipients checks who holds what over many chunks: as many others as there are owners hold the chunk of each sender, whatever it owns
// itself, every active owner holds the chunks of all others, and all members own about as much.
func TestRecipients(t *testing.T) {
	const n, chunks = 9, 400
	s := &secagg.Session{ID: [32]byte{3}, Roster: make([][32]byte, n), Lanes: chunks * secagg.ChunkSize / 4}
	for k := range s.Roster {
		s.Roster[k][0] = byte(k + 1)
	}
	everybody := []int{0, 1, 2, 3, 4, 5, 6, 7, 8}
	for owners := 1; owners <= n; owners++ {
		o := newOwned(owners, s)
		count := make([]int, n)
		for c := range chunks {
			active := o.active(c, everybody)
			for _, k := range active {
				count[k]++
			}
			for from := range n {
				to := o.recipients(c, from)
				if len(to) != min(owners, n-1) || slices.Contains(to, from) {
					t.Fatalf("%d owners: member %d sends chunk %d to %v", owners, from, c, to)
				}
				for _, k := range active {
					if k != from && !slices.Contains(to, k) {
						t.Fatalf("%d owners: owner %d of chunk %d gets none of member %d", owners, k, c, from)
					}
				}
				for _, k := range to {
					if !o.duty[k] {
						t.Fatalf("%d owners: member %d holds something and is not asked what", owners, k)
					}
				}
			}
		}
		for k, got := range count {
			if want := owners * chunks / n; got < want*6/10 || got > want*14/10 {
				t.Errorf("%d owners: member %d owns %d of %d chunks, want about %d", owners, k, got, chunks, want)
			}
		}
		if !o.covered(everybody, func(k int) bool { return true }) || o.covered(everybody, func(k int) bool { return false }) {
			t.Errorf("%d owners: covered by nobody, or not by everybody", owners)
		}
	}
}

// TestSyncKeepsChunks has members that lack chunks ask for what they lack: they are given those that they own, and no others.
func TestSyncKeepsChunks(t *testing.T) {
	c := smallOwned(t, 7, 2).fork(t, 2, 1)
	given := map[string]int{}
	c.slow = func(from, to int, raw []byte) time.Duration {
		e, err := ledger.DecodeEnvelope(raw)
		if err != nil || e.Round != 1 {
			return 0
		}
		if e.Type == typeChunk && c.nodes[from].machine != nil && c.nodes[from].machine.r != nil {
			m := c.nodes[from].machine
			if a := m.r.current(); a != nil && a.roster != nil && a.final == nil && !m.mayHold(a, &stored{env: e, from: m.epoch.Index(e.From)}, to) {
				given["to a stranger"]++
			}
			given["in all"]++
			if c.now < time.Second && c.random.IntN(3) == 0 {
				return -1
			}
		}
		return 0
	}
	c.run(time.Minute)
	if r := c.record(1); r.Kind != ledger.Train || given["to a stranger"] > 0 || given["in all"] == 0 {
		t.Errorf("%s round, chunks given: %v", r.Kind, given)
	}
}

// TestSpectatorWithOwners has a member that adds nothing: it owns nothing either, hears all sums, audits one of them, and votes.
func TestSpectatorWithOwners(t *testing.T) {
	c := smallOwned(t, 5, 1).fork(t, 2, 1)
	c.spoil = func(_ uint64, u *Update) {
		if w := u.Weight[ledger.TrunkGroup]; w == 1.0/3 { // that of member 2
			u.Tensors["descriptor/repformers/w"][3] = float32(math.NaN())
		}
	}
	voted, asked := false, 0
	c.doom = func(n *node, a Action) bool {
		voted = voted || n.index == 2 && says(c, n, a, typePrepare)
		if n.index == 2 && tells(c, n, a, typeAudit) {
			asked++
		}
		return false
	}
	c.run(time.Minute)
	if r := c.record(1); r.Kind != ledger.Train || slices.Contains(r.Groups[0].Survivors, 2) || !voted || asked == 0 {
		t.Errorf("%s round over %v; the spectator voted: %v, after %d requests", r.Kind, r.Groups[0].Survivors, voted, asked)
	}
}
