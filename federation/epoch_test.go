package federation

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/fedlam/fedlam/federation/ledger"
	"github.com/ipfs/go-cid"
	"pgregory.net/rapid"
)

// ripe are clusters whose first epoch may end with the next round.
var ripe = map[int]func() *cluster{
	4: sync.OnceValue(func() *cluster { return age(4) }),
	5: sync.OnceValue(func() *cluster { return age(5) }),
}

func age(n int) *cluster {
	c := newCluster(&testing.T{}, n, ledger.MinEpochRounds, uint64(n))
	c.run(2 * time.Minute)
	return c
}

// ripeCluster forks a cluster that goes on until that many rounds after the first ten.
func ripeCluster(t testing.TB, n int, more, seed uint64) *cluster {
	base := ripe[n]()
	if len(base.audit.faults) > 0 {
		t.Fatalf("ten rounds of %d members: %v", n, base.audit.faults)
	}
	c := base.fork(t, ledger.MinEpochRounds+more, seed)
	c.consent, c.outside = map[int][]byte{}, map[int]bool{}
	return c
}

// next is an epoch after the first, with the same members.
func (c *cluster) next() *ledger.Epoch {
	e := c.genesis.Epoch()
	return &ledger.Epoch{Genesis: e.Genesis, K: 1, Prev: e.CID(), Members: slices.Clone(e.Members), Heads: e.Heads, Rules: e.Rules}
}

// joins adds a node to the cluster and to an epoch.
func (c *cluster) joins(e *ledger.Epoch) *node {
	n := &node{index: len(c.nodes), disk: map[string][]byte{}, blocks: map[cid.Cid][]byte{}}
	e.Members = append(e.Members, ledger.Member{ID: n.id(), Name: fmt.Sprintf("M%d", n.index), Peer: fmt.Sprintf("peer %d", n.index), Heads: []string{"all"}})
	n.hopes = e
	c.nodes = append(c.nodes, n)
	return n
}

// rotates gives a member of an epoch the keys of a new node.
func (c *cluster) rotates(e *ledger.Epoch, i int) *node {
	n := &node{index: len(c.nodes), disk: map[string][]byte{}, blocks: map[cid.Cid][]byte{}, hopes: e}
	e.Rotated = append(e.Rotated, ledger.Rotation{Old: e.Members[i].ID, New: n.id()})
	e.Members[i].ID, e.Members[i].Peer = n.id(), fmt.Sprintf("peer %d", n.index)
	c.nodes = append(c.nodes, n)
	return n
}

// approve has the owners of members consent to an epoch.
func (c *cluster) approve(e *ledger.Epoch, members ...int) {
	for _, i := range members {
		c.consent[i] = e.Encode()
	}
}

// epochs lists the numbers of the epochs that certified the rounds from some on.
func (c *cluster) epochs(from uint64) (out []uint64) {
	for k := from; k < uint64(len(c.kinds())); k++ {
		out = append(out, c.audit.epochs[c.record(k).Epoch].K)
	}
	return out
}

func TestMemberJoins(t *testing.T) {
	c := ripeCluster(t, 4, 4, 1)
	next := c.next()
	joiner := c.joins(next)
	c.approve(next, 0, 2, 3)
	c.run(2 * time.Minute)
	if got, want := c.kinds()[10:], []string{"epoch", "train", "train", "train"}; !slices.Equal(got, want) {
		t.Fatalf("rounds %v, want %v", got, want)
	}
	if got := c.epochs(10); !slices.Equal(got, []uint64{0, 1, 1, 1}) {
		t.Errorf("the rounds are of epochs %v", got)
	}
	if r := c.record(13); !slices.Contains(r.Groups[0].Survivors, 4) || len(r.Groups[0].Survivors) != 5 {
		t.Errorf("the sum is over members %v, want the joiner's update in it", r.Groups[0].Survivors)
	}
	if s := joiner.machine.Status(); !s.Member || s.Epoch.K != 1 || joiner.trainer.installed == nil {
		t.Errorf("the joiner's status is %+v", s)
	}
}

func TestMemberLeaves(t *testing.T) {
	t.Parallel()
	for _, owner := range []bool{true, false} { // by its own will, or expelled by the rest
		t.Run(fmt.Sprintf("approves=%v", owner), func(t *testing.T) {
			c := ripeCluster(t, 5, 4, 1)
			next := c.next()
			next.Members = slices.Delete(next.Members, 3, 4)
			c.approve(next, 0, 1, 2, 4)
			if owner {
				c.approve(next, 3)
			}
			c.outside[3] = true
			c.run(2 * time.Minute)
			if got, want := c.kinds()[10:], []string{"epoch", "train", "train", "train"}; !slices.Equal(got, want) {
				t.Fatalf("rounds %v, want %v", got, want)
			}
			c.settle(time.Second)
			left := c.nodes[3].machine
			if s := left.Status(); s.Member || s.Finished < 11 || s.Activity != "not a member since epoch 1: looking on, and answering who asks for finished rounds" {
				t.Errorf("who left has the status %+v", s)
			}
			if c.nodes[0].admits[c.nodes[3].id()] {
				t.Error("the others still talk to who left")
			}
			if r := c.record(13); !slices.Equal(r.Groups[0].Survivors, []uint64{0, 1, 2, 3}) {
				t.Errorf("the sum is over members %v", r.Groups[0].Survivors)
			}
			before, _ := c.file(c.record(11).WeightsIn).Get(elementRows)
			after, _ := c.file(c.record(11).WeightsOut).Get(elementRows)
			if slices.Equal(after.Data[:3], before.Data[:3]) || !slices.Equal(after.Data[3:], before.Data[3:]) {
				t.Errorf("element rows %v after %v: want that of O closed, for who left may have been one of the two who have it", after.Data, before.Data)
			}
			n := c.nodes[3]
			c.kill(n)
			c.start(n) // it starts again, and is still none
			if s := n.machine.Status(); s.Member {
				t.Errorf("after a restart it has the status %+v", s)
			}
		})
	}
}

func TestMemberRotates(t *testing.T) {
	c := ripeCluster(t, 4, 4, 1)
	next := c.next()
	c.rotates(next, 2)
	c.approve(next, 0, 1, 2)
	c.outside[2] = true
	c.run(2 * time.Minute)
	if got, want := c.kinds()[10:], []string{"epoch", "train", "train", "train"}; !slices.Equal(got, want) {
		t.Fatalf("rounds %v, want %v", got, want)
	}
	if r := c.record(13); !slices.Contains(r.Groups[0].Survivors, 2) {
		t.Errorf("the sum is over members %v, want the one with the new key in it", r.Groups[0].Survivors)
	}
	c.settle(time.Second)
	if s := c.nodes[2].machine.Status(); s.Member || s.Activity != "since epoch 1 this member goes on under another key: run the node that has it; this one only looks on" {
		t.Errorf("the node with the old key has the status %+v", s)
	}
}

// TestOldKeysAreRefused sends votes of who is no member any more into the next epoch.
func TestOldKeysAreRefused(t *testing.T) {
	for _, tt := range []struct {
		name    string
		change  func(c *cluster, next *ledger.Epoch)
		speaker int // whose vote counts
	}{
		{"rotated", func(c *cluster, next *ledger.Epoch) { c.rotates(next, 2); c.outside[4] = true }, 4},
		{"expelled", func(_ *cluster, next *ledger.Epoch) { next.Members = slices.Delete(next.Members, 2, 3) }, 3},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := ripeCluster(t, 4, 1, 1)
			next := c.next()
			tt.change(c, next)
			c.outside[2] = true
			c.approve(next, 0, 1, 3)
			c.run(time.Minute)
			m := c.nodes[0].machine
			if m.r == nil || m.epoch.K != 1 {
				t.Fatalf("status %+v", m.Status())
			}
			for _, who := range []int{2, tt.speaker} {
				e := &ledger.Envelope{Type: typePrepare, Round: m.r.number, Attempt: roundLevel, Session: m.sessionID(roundLevel), Body: encodePrepare(m.chain.NextVoid().CID())}
				e.SignEnvelope(testKey(who))
				m.Step(Received{e.Encode()})
				if got, want := len(m.r.ballot.prepares) > 0, who == tt.speaker; got != want {
					t.Errorf("a vote of node %d counts: %v, want %v", who, got, want)
				}
			}
		})
	}
}

// TestTooFewApprove has nothing change: fewer than a quorum of owners, all of one mind or not.
func TestTooFewApprove(t *testing.T) {
	c := ripeCluster(t, 4, 3, 1)
	one, other := c.next(), c.next()
	c.joins(one)
	other.Members = slices.Delete(other.Members, 3, 4)
	c.approve(one, 0, 1)
	c.approve(other, 2, 3)
	c.outside[4] = true
	c.run(2 * time.Minute)
	if got, want := c.kinds()[10:], []string{"train", "train", "train"}; !slices.Equal(got, want) {
		t.Errorf("rounds %v, want %v", got, want)
	}
	if s := c.nodes[4].machine.Status(); s.Finished > 0 || c.nodes[0].admits[c.nodes[4].id()] {
		t.Errorf("who was only proposed was let in: %+v", s)
	}
	c.settle(150 * time.Millisecond) // a new round has begun
	for i, n := range c.nodes[:4] {
		if got := n.machine.Status().Proposals; len(got) != 2 || len(got[0].By) != 2 {
			t.Errorf("member %d knows of %d proposals, want two with two approvals each", i, len(got))
		}
	}
}

// TestBothApproved has every owner approve of two epochs, one after the other: one of them begins, for all the same.
func TestBothApproved(t *testing.T) {
	c := ripeCluster(t, 4, 3, 1)
	one, other := c.next(), c.next()
	one.Reason, other.Reason = "one", "other"
	c.approve(one, 0, 1, 2, 3)
	for _, n := range c.nodes {
		c.later(time.Duration(20*n.index)*time.Millisecond, func() { c.step(n, n.life, Approve{other.Encode()}) })
	}
	c.run(2 * time.Minute)
	if got, want := c.kinds()[10:], []string{"epoch", "train", "train"}; !slices.Equal(got, want) {
		t.Errorf("rounds %v, want %v", got, want)
	}
}

// TestNotBeforeItsTime approves long before the epoch may end.
func TestNotBeforeItsTime(t *testing.T) {
	c := newCluster(t, 4, 12, 1)
	c.consent, c.outside = map[int][]byte{}, map[int]bool{}
	next := c.next()
	joiner := c.joins(next)
	c.approve(next, 0, 1, 2, 3)
	early := uint64(0)
	c.doom = func(n *node, a Action) bool {
		if n == joiner && n.machine.chain.Len() > 0 && early == 0 {
			early = n.machine.chain.Len()
		}
		return false
	}
	c.run(2 * time.Minute)
	want := append([]string{"setup"}, slices.Repeat([]string{"train"}, 9)...)
	if got, want := c.kinds(), append(want, "epoch", "train"); !slices.Equal(got, want) {
		t.Errorf("rounds %v, want %v", got, want)
	}
	if early == 0 || early > 5 {
		t.Errorf("the joiner first had %d rounds, want it to follow early", early)
	}
}

// TestApprovalsAreLost loses every approval on its way; what a quorum approves of comes by sync.
func TestApprovalsAreLost(t *testing.T) {
	c := ripeCluster(t, 4, 3, 1)
	next := c.next()
	c.joins(next)
	c.approve(next, 0, 1, 2)
	seen := map[string]bool{}
	c.slow = func(from, to int, raw []byte) time.Duration {
		e, err := ledger.DecodeEnvelope(raw)
		key := fmt.Sprint(from, to, string(raw))
		if err == nil && e.Type == typeApprove && !seen[key] {
			seen[key] = true
			return -1
		}
		return 0
	}
	c.run(2 * time.Minute)
	if kinds := c.kinds()[10:]; !slices.Contains(kinds, "epoch") {
		t.Errorf("rounds %v, want the epoch to end", kinds)
	}
}

// TestChangeInTheMiddle approves at different times of a round: the members leave the attempt, unless they are bound by opened shares.
func TestChangeInTheMiddle(t *testing.T) {
	t.Parallel()
	for at := 100 * time.Millisecond; at < 900*time.Millisecond; at += 100 * time.Millisecond {
		t.Run(at.String(), func(t *testing.T) {
			c := ripeCluster(t, 4, 4, uint64(at))
			next := c.next()
			c.joins(next)
			for _, n := range c.nodes[:3] {
				c.later(at, func() { c.step(n, n.life, Approve{next.Encode()}) })
			}
			c.run(2 * time.Minute)
			kinds := c.kinds()[10:]
			if k := slices.Index(kinds, "epoch"); k < 0 || k > 2 || slices.Contains(kinds, "void") {
				t.Errorf("rounds %v, want the epoch to end soon and no round to be lost", kinds)
			}
		})
	}
}

// TestForgedChange has a member vote for the end of an epoch that nobody approves of, and offer it.
func TestForgedChange(t *testing.T) {
	c := ripeCluster(t, 4, 2, 1)
	next := c.next()
	next.Reason = "forged"
	m := func() *Machine { return c.nodes[0].machine }
	c.later(50*time.Millisecond, func() {
		for _, n := range c.nodes {
			if n.machine == nil || n.machine.r == nil {
				continue
			}
			r := n.machine.chain.NextEpoch(next.CID())
			for _, liar := range []int{3} {
				e := &ledger.Envelope{Type: typePrepare, Round: m().r.number, Attempt: roundLevel, Session: m().sessionID(roundLevel), Body: encodePrepare(r.CID())}
				e.SignEnvelope(testKey(liar))
				if n.index != liar {
					c.step(n, n.life, Received{e.Encode()})
				}
			}
			o := &offer{cid: r.CID(), record: r, shown: -1}
			if n.machine.reasonFor(o) {
				t.Errorf("member %d has reason to vote for an epoch that nobody approves of", n.index)
			}
		}
	})
	c.audit.alarms, c.cheat = []string{}, 4
	c.run(2 * time.Minute)
	if kinds := c.kinds()[10:]; slices.Contains(kinds, "epoch") {
		t.Errorf("rounds %v", kinds)
	}
}

// TestBadApproval sends approvals of documents that may not follow.
func TestBadApproval(t *testing.T) {
	c := ripeCluster(t, 4, 0, 1)
	c.run(time.Minute)
	c.settle(100 * time.Millisecond)
	m := c.nodes[0].machine
	good := c.next().Encode()
	stale := c.next()
	stale.Prev = ledger.NoState()
	for _, tt := range []struct {
		name string
		seq  uint64
		body []byte
		want bool
	}{
		{"no document", 0, []byte{bodyVersion}, false},
		{"garbage", 0, append([]byte{bodyVersion}, "garbage"...), false},
		{"an epoch that may not follow", seqOf(stale.Encode()), encodeApproval(stale.Encode()), false},
		{"the number of another document", 7, encodeApproval(good), false},
		{"a good one", seqOf(good), encodeApproval(good), true},
	} {
		e := &ledger.Envelope{Type: typeApprove, Round: m.r.number, Attempt: roundLevel, Session: m.sessionID(roundLevel), Seq: tt.seq, Body: tt.body}
		e.SignEnvelope(testKey(1))
		m.Step(Received{e.Encode()})
		if got := len(m.r.proposals) > 0; got != tt.want {
			t.Errorf("%s: taken %v, want %v", tt.name, got, tt.want)
		}
	}
	m.Step(Approve{stale.Encode()})
	if m.approved != nil {
		t.Error("the owner could approve of an epoch that may not follow")
	}
}

// TestCheatsAreRemembered carries what is known of members over to their places in the next epoch.
func TestCheatsAreRemembered(t *testing.T) {
	c := ripeCluster(t, 5, 2, 1)
	c.audit.alarms = []string{}
	next := c.next()
	next.Members = slices.Delete(next.Members, 3, 4)
	c.approve(next, 0, 1, 2, 4)
	c.outside[3] = true
	c.later(20*time.Millisecond, func() { c.nodes[0].machine.shun(4, "a test") })
	c.run(time.Minute)
	m := c.nodes[0].machine
	if !maps.Equal(m.shunned(), map[int]bool{3: true}) {
		t.Errorf("shunned are %v, want the member that is number 3 now", m.shunned())
	}
}

func TestStrangersMachine(t *testing.T) {
	c := ripeCluster(t, 4, 0, 1)
	next := c.next()
	joiner := c.joins(next)
	cfg := Config{Genesis: c.genesis, Key: testKey(joiner.index), Random: &stream{}, SetupTrunk: setupTrunk, SetupHead: setupHead}
	if _, err := New(cfg); err == nil {
		t.Error("a stranger's machine starts without an epoch that lists it")
	}
	cfg.Joining = c.next()
	if _, err := New(cfg); err == nil {
		t.Error("a stranger's machine starts with an epoch that does not list it")
	}
	cfg.Joining = next
	m, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	actions := m.Step(Tick{time.Unix(1e9, 0)})
	asks := slices.ContainsFunc(actions, func(a Action) bool { _, ok := a.(FetchRounds); return ok })
	if says := slices.ContainsFunc(actions, func(a Action) bool { _, ok := a.(Broadcast); return ok }); says || !asks {
		t.Errorf("actions %v, want questions and no envelopes", actions)
	}
	if actions := m.Step(Approve{next.Encode()}); !slices.ContainsFunc(actions, func(a Action) bool { p, ok := a.(Progress); return ok && p.Level == Warning }) {
		t.Errorf("who is no member approves: %v", actions)
	}
}

// TestKillAroundChange kills a member, or all, once after each of the actions around the end of an epoch, and starts it again from its disk.
func TestKillAroundChange(t *testing.T) {
	for _, victim := range []int{0, 4} { // 4 joins
		t.Run(fmt.Sprintf("M%d", victim), func(t *testing.T) {
			t.Parallel()
			stride := 3
			if testing.Short() {
				stride = 5
			}
			for k := 1; ; k += stride {
				c := ripeCluster(t, 4, 2, uint64(k))
				next := c.next()
				c.joins(next)
				c.approve(next, 0, 1, 2, 3)
				v := c.nodes[victim]
				v.killAt, v.revive = k, 300*time.Millisecond
				c.run(2 * time.Minute)
				if v.life == 1 && v.machine != nil {
					return
				}
				kinds := c.kinds()[10:]
				if slices.Index(kinds, "epoch") < 0 || slices.Contains(kinds[:1], "void") {
					t.Errorf("rounds %v", kinds)
				}
				if t.Failed() {
					t.Fatalf("killed after action %d", k)
				}
			}
		})
	}
}

// TestAllSwitchedOffAroundChange kills all members when some of them have voted for the end of the epoch, and starts them again; one
// whose owner approved never comes back.
func TestAllSwitchedOffAroundChange(t *testing.T) {
	t.Parallel()
	for _, kind := range []string{typePrepare, typeCommit} {
		for first := range 5 {
			t.Run(fmt.Sprintf("%s/%d have said it", kind, first), func(t *testing.T) {
				c := ripeCluster(t, 5, 3, uint64(first))
				next := c.next()
				c.joins(next)
				c.approve(next, 0, 1, 2, 3)
				said, off, locked := 0, false, 0
				c.doom = func(n *node, a Action) bool {
					if off || n.index > 4 || !says(c, n, a, kind) {
						return false
					}
					if said++; said <= first {
						return false
					}
					off = true
					for _, other := range c.nodes {
						if other.disk[lockKey] != nil {
							locked++
						}
						if other.machine != nil && other != n {
							other.revive = time.Duration(200+37*other.index) * time.Millisecond
							if other.index == 1 {
								other.revive = 0
							}
							c.kill(other)
						}
					}
					n.revive = 300 * time.Millisecond
					return true
				}
				c.run(5 * time.Minute)
				if kinds := c.kinds()[10:]; locked > 0 && kinds[0] != "epoch" {
					t.Errorf("rounds %v, and %d members had committed to the end of the epoch", kinds, locked)
				}
			})
		}
	}
}

// TestApprovalIsDurable restarts all members before the epoch may end: their owners do not have to consent again.
func TestApprovalIsDurable(t *testing.T) {
	c := newCluster(t, 4, 5, 1)
	c.consent, c.outside = map[int][]byte{}, map[int]bool{}
	next := c.next()
	c.approve(next, 0, 1, 2)
	c.run(time.Minute)
	for _, n := range c.nodes[:3] {
		if !bytes.Equal(n.disk[ApprovedKey], next.Encode()) {
			t.Errorf("member %d has not kept the approval", n.index)
		}
	}
	c.consent = nil
	c = c.fork(t, 12, 2)
	c.run(2 * time.Minute)
	if kinds := c.kinds(); kinds[10] != "epoch" {
		t.Errorf("rounds %v", kinds)
	}
	for _, n := range c.nodes {
		if n.disk[ApprovedKey] != nil {
			t.Errorf("member %d still keeps an approval", n.index)
		}
	}
}

// TestConsentIsReplaced has an owner change its mind: what it approved of in an earlier round does not count any more.
func TestConsentIsReplaced(t *testing.T) {
	c := ripeCluster(t, 4, 4, 1)
	one, other := c.next(), c.next()
	one.Reason, other.Reason = "one", "other"
	c.approve(one, 0, 1)
	c.later(20*time.Millisecond, func() { c.step(c.nodes[1], 1, Approve{other.Encode()}) })
	late := false
	c.doom = func(n *node, a Action) bool {
		if n.index == 2 && n.machine.chain.Len() == 12 && n.machine.r != nil && !late {
			late = true
			c.later(0, func() { c.step(n, 1, Approve{one.Encode()}) })
		}
		return false
	}
	c.run(2 * time.Minute)
	if got, want := c.kinds()[10:], []string{"train", "train", "train", "train"}; !slices.Equal(got, want) || !late {
		t.Errorf("rounds %v, want %v; the third approval came: %v", got, want, late)
	}
}

// TestTwoEpochs ends an epoch and the next one, with a rotation of who joined, and a member that is away all the while.
func TestTwoEpochs(t *testing.T) {
	c := ripeCluster(t, 4, 1, 1)
	next := c.next()
	c.joins(next)
	c.approve(next, 0, 1, 2, 3)
	c.outside[3] = true
	c.doom = func(n *node, a Action) bool { _, trains := a.(Train); return n.index == 3 && trains }
	c.run(time.Minute)
	c.rounds = 21
	c.resume(3 * time.Minute)
	second := &ledger.Epoch{Genesis: next.Genesis, K: 2, Prev: next.CID(), Members: slices.Clone(next.Members), Heads: next.Heads, Rules: next.Rules}
	fresh := c.rotates(second, 4)
	c.start(fresh)
	for _, i := range []int{0, 1, 2, 4} {
		c.step(c.nodes[i], 1, Approve{second.Encode()})
	}
	c.outside[4] = true
	c.rounds = 24
	c.resume(6 * time.Minute)
	if got := c.epochs(10); got[0] != 0 || got[1] != 1 || !slices.Contains(got[:len(got)-1], 2) {
		t.Fatalf("the rounds from 10 on are of epochs %v", got)
	}
	c.doom, c.outside[3] = nil, false
	c.start(c.nodes[3])
	c.rounds = 26
	c.resume(8 * time.Minute)
	if s := c.nodes[3].machine.Status(); s.Epoch.K != 2 || !s.Member {
		t.Errorf("who was away has the status %+v", s)
	}
}

// TestRandomTroubleAroundChange lets messages get lost and members die while the epoch ends. All members of the next one get there.
func TestRandomTroubleAroundChange(t *testing.T) {
	limitChecks(t, "8")
	rapid.Check(t, func(rt *rapid.T) {
		c := ripeCluster(t, 4, 3, rapid.Uint64().Draw(rt, "seed"))
		next := c.next()
		c.joins(next)
		if rapid.Bool().Draw(rt, "one leaves") {
			next.Members = slices.Delete(next.Members, 2, 3)
			c.outside[2] = true
		}
		loss := rapid.IntRange(0, 30).Draw(rt, "loss in percent")
		calm := 15 * time.Second
		c.slow = func(int, int, []byte) time.Duration {
			if c.now < calm && c.random.IntN(100) < loss {
				return -1
			}
			return time.Duration(c.random.IntN(100)) * time.Millisecond
		}
		for i := range 4 {
			at := time.Duration(rapid.IntRange(20, 1500).Draw(rt, "approval")) * time.Millisecond
			c.later(at, func() { c.step(c.nodes[i], 1, Approve{next.Encode()}) })
		}
		for _, death := range rapid.SliceOfN(rapid.IntRange(0, 4999), 0, 5).Draw(rt, "deaths") {
			v := c.nodes[death%5]
			c.later(1600*time.Millisecond+time.Duration(death/5)*time.Millisecond, func() {
				if v.machine != nil {
					v.revive = time.Duration(1+death%700) * time.Millisecond
					c.kill(v)
				}
			})
		}
		c.outside[4] = true // whether the epoch ends in time depends on who knows when
		c.run(3 * time.Minute)
		c.outside[4], c.rounds = false, c.rounds+3
		c.resume(6 * time.Minute)
		if kinds := c.kinds()[10:]; !slices.Contains(kinds, "epoch") {
			t.Errorf("rounds %v", kinds)
		}
		if t.Failed() {
			rt.Fatalf("see above")
		}
	})
}
