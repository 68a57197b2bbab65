package federation

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/fedlam/fedlam/federation/ledger"
)

// says tells whether an action sends a message of a type, of this member's own.
func says(c *cluster, n *node, a Action, kind string) bool {
	b, ok := a.(Broadcast)
	return ok && slices.ContainsFunc(b.Envelopes, func(raw []byte) bool {
		e, err := ledger.DecodeEnvelope(raw)
		return err == nil && e.Type == kind && e.From == c.genesis.Members[n.index].ID
	})
}

// TestAllSwitchedOff kills all members when the first of them is about to say something, or just has, at every step of a round, and
// starts all of them again: secrets and masked inputs are gone, what was opened cannot be completed. They go on from the last
// certificate and lose the round at most; what was committed to is not lost.
func TestAllSwitchedOff(t *testing.T) {
	t.Parallel()
	for _, n := range []int{3, 4, 7} {
		base := afterSetup(t, n)
		for _, kind := range []string{typeJoin, typeKeys, typeShares, typeConfirm, typeMasked, typeStateHead, typeOpenHead, typeFinal, typeStatement, typeUnmask, typePrepare, typeCommit} {
			for first := range min(n, 4) {
				if kind == typeFinal && first > 0 || n == 7 && (first != 2 || !slices.Contains([]string{typeMasked, typeStatement, typeUnmask, typePrepare, typeCommit}, kind)) || testing.Short() && first != 1 {
					continue // one member says the final; large ones take long
				}
				t.Run(fmt.Sprintf("n=%d/%s/%d have said it", n, kind, first), func(t *testing.T) {
					switchOff(t, base.fork(t, 3, uint64(first)), kind, first)
				})
			}
		}
	}
}

func switchOff(t *testing.T, c *cluster, kind string, first int) {
	said, off := 0, false
	committed := map[string]bool{}
	c.doom = func(n *node, a Action) bool {
		if off || !says(c, n, a, kind) {
			return false
		}
		if said++; said <= first {
			return false
		}
		off = true
		for _, other := range c.nodes {
			for key := range other.disk {
				if key == lockKey {
					committed[fmt.Sprint(other.index)] = true
				}
			}
			if other.machine != nil && other != n {
				other.revive = time.Duration(200+37*other.index) * time.Millisecond
				c.kill(other)
			}
		}
		n.revive = 300 * time.Millisecond
		return true
	}
	c.run(5 * time.Minute)
	kinds := c.kinds()[1:]
	if len(kinds) > 1 && kinds[0] == "void" {
		if kind == typeCommit && len(committed) > 0 {
			t.Errorf("rounds %v, and members %v had committed to the first", kinds, committed)
		}
		kinds = kinds[1:]
	}
	if !off || kinds[0] != "train" {
		t.Errorf("switched off: %v, rounds %v; want at most one void round", off, c.kinds()[1:])
	}
}

// TestDivided keeps the sum from half of the members, who then want the round void: whatever is decided, all decide the same.
func TestDivided(t *testing.T) {
	t.Parallel()
	for seed := range uint64(2) {
		for _, knowing := range []int{1, 2, 3} {
			c := afterSetup(t, 5).fork(t, 4, seed)
			c.slow = func(_, to int, raw []byte) time.Duration {
				e, err := ledger.DecodeEnvelope(raw)
				if err == nil && e.Round == 1 && to >= knowing && c.now < 25*time.Second && (e.Type == typeChunk || e.Type == typeUnmask && e.From != c.genesis.Members[0].ID) {
					return -1
				}
				return 0
			}
			c.run(10 * time.Minute)
			if kinds := c.kinds(); !slices.Contains(kinds[2:], "train") {
				t.Errorf("seed %d, %d members have the sum: rounds %v", seed, knowing, kinds)
			}
		}
	}
}

// TestProposersDie lets the proposers of the first views be dead while the voting needs them.
func TestProposersDie(t *testing.T) {
	c := afterSetup(t, 7).fork(t, 3, 1)
	lost := false
	c.doom = func(n *node, a Action) bool {
		if r := n.machine.r; r == nil || r.number != 1 {
			return false
		}
		if i := n.index; says(c, n, a, typeUnmask) && !lost && i != n.machine.proposer(1) && i != n.machine.proposer(2) { // two more than can be missed restart before they open
			lost = true
			first, second := n.machine.proposer(1), n.machine.proposer(2)
			for _, other := range c.nodes {
				if other.machine != nil && other != n {
					if other.index != first && other.index != second {
						other.revive = 100 * time.Millisecond
					}
					c.kill(other)
				}
			}
			n.revive = 100 * time.Millisecond
			return true
		}
		return false
	}
	c.run(10 * time.Minute)
	if got, want := c.kinds()[1:], []string{"void", "train"}; !slices.Equal(got, want) {
		t.Errorf("rounds %v, want %v", got, want)
	}
}

// TestCommitsForTwoRecords shows a member quorums of commits for two records, which takes more liars than the protocol survives: it
// halts and keeps both certificates.
func TestCommitsForTwoRecords(t *testing.T) {
	c := afterSetup(t, 4).fork(t, 2, 1)
	for _, n := range c.nodes {
		c.start(n)
	}
	c.settle(100 * time.Millisecond)
	m := c.nodes[0].machine
	say := func(i int, view uint64, record []byte) []Action {
		r := m.chain.NextVoid()
		r.Attempt = uint64(record[0]) // of no importance: it is never decoded
		s := ledger.Sign(testKey(i), i, view, r.CID())
		e := &ledger.Envelope{Type: typeCommit, Round: 1, Attempt: roundLevel, Session: m.sessionID(roundLevel), Seq: view, Body: encodeCommit(s, r.CID())}
		e.SignEnvelope(testKey(i))
		return m.Step(Received{e.Encode()})
	}
	for i := 1; i < 4; i++ {
		say(i, 0, []byte{1})
	}
	var last []Action
	for i := 1; i < 4; i++ {
		last = say(i, 1, []byte{2})
	}
	if len(last) < 2 {
		t.Fatalf("actions %v, want evidence and a halt", last)
	}
	if _, ok := last[len(last)-1].(Halt); !ok {
		t.Errorf("actions %v, want a halt", last)
	}
	if p, ok := last[len(last)-2].(Persist); !ok || string(p.Set[0].Key) != LogPrefix+"evidence/fork" {
		t.Errorf("actions %v, want the evidence kept", last)
	}
}

// TestForkHeard lets a member hear of another certified history of its length: it asks for it, and halts.
func TestForkHeard(t *testing.T) {
	base := newCluster(t, 4, 1, 1)
	base.run(time.Minute)
	m := base.nodes[0].machine
	actions := m.Step(Reached{Member: base.genesis.Members[1].ID, Finished: 1, Record: ledger.NoState()})
	if !slices.ContainsFunc(actions, func(a Action) bool {
		f, ok := a.(FetchRounds)
		return ok && f.First == 0 && f.From == base.genesis.Members[1].ID
	}) {
		t.Errorf("actions %v, want to see the other's round 0", actions)
	}
	actions = m.Step(Reached{Member: base.genesis.Members[2].ID, Finished: 1, Record: m.chain.LastCID()})
	if slices.ContainsFunc(actions, func(a Action) bool { _, ok := a.(FetchRounds); return ok }) {
		t.Errorf("actions %v for a member with the same history", actions)
	}
}

// TestOrder draws turns: all members take theirs, and no member can say when.
func TestOrder(t *testing.T) {
	c := newCluster(t, 7, 3, 1)
	for _, n := range c.nodes {
		c.start(n)
	}
	orders := map[string]bool{}
	for k := uint64(0); k < 3; k++ {
		c.rounds = k
		c.resume(time.Minute)
		c.settle(50 * time.Millisecond)
		seen := map[int]bool{}
		for a := range uint64(7) {
			seen[c.leads(a)] = true
		}
		if len(seen) != 7 {
			t.Errorf("round %d: %d different members lead 7 attempts, want all", k, len(seen))
		}
		for _, n := range c.nodes {
			if n.machine.r != nil && n.machine.r.number == k {
				orders[fmt.Sprint(n.machine.r.order)] = true
			}
		}
	}
	if len(orders) < 2 {
		t.Errorf("orders %v, want another one in every round", orders)
	}
}
