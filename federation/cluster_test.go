package federation

import (
	"container/heap"
	"crypto/ed25519"
	"crypto/sha256"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/fedlam/fedlam/federation/ledger"
	"github.com/fedlam/fedlam/training/weights"
	"github.com/ipfs/go-cid"
)

// A cluster runs all members of a federation in one thread and virtual time. Delays come from a seed, so every run can be
// repeated. What a member persisted or published survives its death; nothing else does.
type cluster struct {
	t       testing.TB
	genesis *ledger.Genesis
	first   File // genesis weights
	nodes   []*node
	random  *rand.Rand
	now     time.Duration
	queue   queue
	serial  int
	rounds  uint64 // to run
	stop    uint64 // after which members stop by themselves; 0 means never

	slow   func(from, to int, envelope []byte) time.Duration // extra delay; negative loses the message
	alter  func(from, to int, envelope []byte) [][]byte      // what arrives instead
	spoil  func(round uint64, u *Update)                     // what the trainer gives instead
	keep   bool                                              // members hand over transcripts
	doom   func(n *node, a Action) bool                      // whether a member dies before an action
	tamper func(member int, x Contribution)                  // changes what a member adds to a sum
	draws  func(n *node) io.Reader                           // where a member's randomness comes from instead
	canary func(n *node, a Judge) *Judged                    // what a trainer answers about canary sets instead; nil means nothing
	cheat  int                                               // who lies, plus one: it may halt
	gang   map[int]bool                                      // likewise, where there are several
	audit  *audit

	audits int // chunks that a member adds up itself before it votes; 0 means the default

	consent map[int][]byte // document that an owner approves of when the member first starts, by member
	outside map[int]bool   // nodes that are not waited for: they are no members, or not for long
}

// node is one member's machine with its disk.
type node struct {
	index   int
	machine *Machine // nil while dead
	life    int      // counts restarts: what was under way in an earlier life comes to nothing
	disk    map[string][]byte
	blocks  map[cid.Cid][]byte
	trainer *fakeTrainer
	stream  *streamTrainer // with fragments

	archives map[uint64][][]byte // by round

	actions int // carried out so far that others or a later life can see
	killAt  int // dies after that many actions; 0 means never
	revive  time.Duration
	halted  string

	hopes   *ledger.Epoch     // with which it becomes a member, if it is none
	admits  map[MemberID]bool // whom it talks to
	members map[MemberID]bool // to whom its broadcasts go
}

// id is the key that the others know the node by.
func (n *node) id() (id MemberID) {
	copy(id[:], testKey(n.index).Public().(ed25519.PublicKey))
	return id
}

type job struct {
	at     time.Duration
	serial int
	do     func()
}

type queue []job

// leads returns who coordinates an attempt of the round that is under way at the first member alive.
func (c *cluster) leads(attempt uint64) int {
	for _, n := range c.nodes {
		if n.machine != nil && n.machine.r != nil {
			return n.machine.coordinator(attempt)
		}
	}
	c.t.Fatal("nobody is in a round")
	return 0
}

// shunned lists the members of the epoch that a machine holds for proven to cheat.
func (m *Machine) shunned() map[int]bool {
	out := map[int]bool{}
	for i := range m.epoch.Members {
		if m.shuns(i) {
			out[i] = true
		}
	}
	return out
}

func (q queue) Len() int { return len(q) }
func (q queue) Less(i, j int) bool {
	return q[i].at < q[j].at || q[i].at == q[j].at && q[i].serial < q[j].serial
}
func (q queue) Swap(i, j int) { q[i], q[j] = q[j], q[i] }
func (q *queue) Push(x any)   { *q = append(*q, x.(job)) }
func (q *queue) Pop() any {
	last := (*q)[len(*q)-1]
	*q = (*q)[:len(*q)-1]
	return last
}

func testKey(i int) ed25519.PrivateKey {
	seed := sha256.Sum256(fmt.Appendf(nil, "member key %d", i))
	return ed25519.NewKeyFromSeed(seed[:])
}

// testRules are those of a small federation in a hurry.
func testRules(n int) ledger.Rules {
	r := ledger.DefaultRules()
	r.MinCohort, r.MinGroup = min(n, 3), 2
	r.JoinGrace, r.StepTimeout, r.MaskTimeout, r.Forfeit = 4*time.Second, 2*time.Second, 2*time.Second, 4*time.Second
	return r
}

// newCluster makes n members. All use the head "all", members 0 and 1 also "two", the last one "own" alone.
func newCluster(t testing.TB, n int, rounds, seed uint64, change ...func(*ledger.Genesis, *weights.Set)) *cluster {
	t.Helper()
	g := &ledger.Genesis{Name: "cluster", Config: ledger.FileCID([]byte("{}")), Elements: []string{"H", "O"}, Rules: testRules(n)}
	w := testWeights()
	for _, f := range change {
		f(g, w)
	}
	first, err := encodeFile(w)
	if err != nil {
		t.Fatal(err)
	}
	g.Weights = first.CID
	for _, key := range []string{"all", "own", "two"} {
		g.Heads = append(g.Heads, ledger.Head{Key: key, Convention: ledger.FileCID([]byte(key))})
	}
	for i := range n {
		m := ledger.Member{Name: fmt.Sprintf("M%d", i), Peer: fmt.Sprintf("peer %d", i), Heads: []string{"all"}}
		copy(m.ID[:], testKey(i).Public().(ed25519.PublicKey))
		if i == n-1 {
			m.Heads = append(m.Heads, "own")
		}
		if i < 2 {
			m.Heads = append(m.Heads, "two")
		}
		g.Members = append(g.Members, m)
	}
	c := &cluster{t: t, genesis: g, first: first, random: rand.New(rand.NewPCG(seed, 1)), rounds: rounds, audit: newAudit()}
	for i := range n {
		c.nodes = append(c.nodes, &node{index: i, disk: map[string][]byte{}, blocks: map[cid.Cid][]byte{first.CID: first.Data}, archives: map[uint64][][]byte{}})
	}
	return c
}

// fork copies what is on the disks, for another run from there.
func (c *cluster) fork(t testing.TB, rounds, seed uint64) *cluster {
	f := &cluster{t: t, genesis: c.genesis, first: c.first, random: rand.New(rand.NewPCG(seed, 1)), rounds: rounds, audit: newAudit()}
	for _, n := range c.nodes {
		f.nodes = append(f.nodes, &node{index: n.index, disk: maps.Clone(n.disk), blocks: maps.Clone(n.blocks), archives: maps.Clone(n.archives), hopes: n.hopes})
	}
	maps.Copy(f.audit.records, c.audit.records)
	maps.Copy(f.audit.epochs, c.audit.epochs)
	f.consent, f.outside = maps.Clone(c.consent), maps.Clone(c.outside)
	return f
}

// start brings a member to life, with what is on its disk.
func (c *cluster) start(n *node) {
	n.life++
	n.trainer = &fakeTrainer{index: n.index, n: len(c.nodes)}
	n.stream = newStreamTrainer(n.index, &c.genesis.Rules)
	cfg := Config{Genesis: c.genesis, Archive: c.keep, Key: testKey(n.index), Joining: n.hopes, Policy: Policy{MinCohort: 2, Rounds: c.stop, Audits: c.audits}, SetupTrunk: setupTrunk, SetupHead: setupHead,
		Random: &stream{seed: sha256.Sum256(fmt.Appendf(nil, "%d/%d/%d", n.index, n.life, c.random.Uint64()))},
		Witness: func(x Contribution) {
			if c.tamper != nil {
				c.tamper(n.index, x)
			}
			c.audit.contributed(n.index, x)
		}}
	if c.draws != nil {
		cfg.Random = c.draws(n)
	}
	for key, value := range n.disk {
		cfg.Log = append(cfg.Log, Entry{[]byte(key), value})
	}
	m, err := New(cfg)
	if err != nil {
		c.t.Fatalf("member %d, life %d: %v", n.index, n.life, err)
	}
	n.machine = m
	n.admits, n.members = nil, nil
	c.tick(n, n.life)
	if document := c.consent[n.index]; document != nil && n.life == 1 {
		c.step(n, n.life, Approve{document})
	}
}

// admit takes over whom a member talks to, and lets it meet those who are new.
func (c *cluster) admit(n *node, a Members) {
	was := n.admits
	n.admits, n.members = map[MemberID]bool{}, map[MemberID]bool{}
	for _, m := range a.Epoch.Members {
		n.admits[m.ID], n.members[m.ID] = true, true
	}
	for _, m := range a.Joining {
		n.admits[m.ID] = true
	}
	if n.hopes != nil {
		for _, m := range n.hopes.Members {
			n.admits[m.ID] = true
		}
	}
	for _, other := range c.nodes {
		if other != n && !was[other.id()] {
			c.later(10*time.Millisecond, func() { c.meet(other, n) })
		}
	}
}

// meet tells two members that they can talk now.
func (c *cluster) meet(a, b *node) {
	if a.machine != nil && b.machine != nil && a.admits[b.id()] && b.admits[a.id()] {
		fa, fb := a.machine.Status().Finished, b.machine.Status().Finished
		c.step(a, a.life, Reached{Member: b.id(), Finished: fb})
		c.step(b, b.life, Reached{Member: a.id(), Finished: fa})
	}
}

func (c *cluster) later(delay time.Duration, do func()) {
	c.serial++
	heap.Push(&c.queue, job{c.now + delay, c.serial, do})
}

// tick keeps a member's clock going.
func (c *cluster) tick(n *node, life int) {
	c.step(n, life, Tick{time.Unix(1_700_000_000, 0).Add(c.now)})
	if n.machine != nil && n.life == life {
		c.later(100*time.Millisecond, func() { c.tick(n, life) })
	}
}

// step gives an event to a member and carries out what it wants, up to the action after which it dies.
func (c *cluster) step(n *node, life int, e Event) {
	if n.machine == nil || n.life != life {
		return
	}
	for _, a := range n.machine.Step(e) {
		if c.doom != nil && c.doom(n, a) {
			c.kill(n)
			return
		}
		c.carryOut(n, a)
		switch a.(type) {
		case Persist, Broadcast, Send, Publish, Store, Train, CollectSetup, ApplySetup:
			if n.actions++; n.actions == n.killAt { // death after any other action makes no difference
				c.kill(n)
				return
			}
		}
	}
}

func (c *cluster) kill(n *node) {
	n.machine = nil
	if n.revive > 0 {
		c.later(n.revive, func() { c.start(n) })
	}
}

// run starts everybody and goes on until all living members have all rounds, or virtual time is up.
func (c *cluster) run(limit time.Duration) {
	c.t.Helper()
	for _, n := range c.nodes {
		c.start(n)
	}
	c.resume(limit)
}

func (c *cluster) resume(limit time.Duration) {
	c.t.Helper()
	for len(c.queue) > 0 && c.now < limit && !c.done() {
		next := heap.Pop(&c.queue).(job)
		c.now = next.at
		next.do()
	}
	if !c.done() {
		for _, n := range c.nodes {
			if n.machine != nil && !c.outside[n.index] {
				s := n.machine.Status()
				c.audit.fail("M%d stands still after %v: %d rounds certified, attempt %d, %s", n.index, c.now, s.Finished, s.Attempt, s.Activity)
			}
		}
	}
	c.audit.check(c)
}

// settle lets everything happen that happens within a while.
func (c *cluster) settle(d time.Duration) {
	for end := c.now + d; len(c.queue) > 0 && c.queue[0].at < end; {
		next := heap.Pop(&c.queue).(job)
		c.now = next.at
		next.do()
	}
}

func (c *cluster) done() bool {
	for _, n := range c.nodes {
		if c.outside[n.index] {
			continue
		}
		if n.machine == nil && n.revive > 0 || n.machine != nil && n.machine.chain.Len() < c.rounds {
			return false
		}
		if n.halted != "" {
			return true
		}
	}
	return true
}
