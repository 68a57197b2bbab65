package federation

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/fedlam/fedlam/federation/ledger"
	"github.com/fedlam/fedlam/federation/secagg"
	"github.com/fedlam/fedlam/training/weights"
)

// A liar signs other messages than its machine, in round 1.
type liar struct {
	c     *cluster
	index int // -1 until it is known: whoever owns the first chunk of the trunk
	place int // in the order of that chunk
	lies  int
}

// lie has the owner of the trunk's chunk change messages of a type. change gets a copy of the body, and returns what is said instead to a
// member; nil means nothing.
func lie(c *cluster, place int, kind string, change func(e *ledger.Envelope, to int) []byte) *liar {
	l := &liar{c: c, index: -1, place: place}
	c.audit.alarms = []string{}
	c.alter = func(from, to int, raw []byte) [][]byte {
		e, err := ledger.DecodeEnvelope(raw)
		if err != nil || e.Round != 1 || e.Type != kind {
			return [][]byte{raw}
		}
		if l.index < 0 {
			l.index = c.ownerOf(0, place)
			c.cheat = l.index + 1
		}
		if l.index < 0 || e.From != c.genesis.Members[l.index].ID {
			return [][]byte{raw}
		}
		if to == l.index {
			return nil // it is not shown its own lies
		}
		other := *e
		other.Body = bytes.Clone(e.Body)
		if other.Body = change(&other, to); other.Body == nil {
			return nil
		}
		if !bytes.Equal(other.Body, e.Body) {
			l.lies++
		}
		other.SignEnvelope(testKey(l.index))
		return [][]byte{other.Encode()}
	}
	return l
}

// wrongSum changes the last word of a sum.
func wrongSum(e *ledger.Envelope, _ int) []byte {
	e.Body[len(e.Body)-1] ^= 1
	return e.Body
}

// convicted checks that the liar was shunned, and a proof kept, by all it takes to certify the right record: who has no part in that can be
// late for the proof.
func (l *liar) convicted(t *testing.T) {
	t.Helper()
	if l.index < 0 || l.lies == 0 {
		t.Fatal("nobody lied, the test shows nothing")
	}
	convicted := 0
	for i, n := range l.c.nodes {
		proof := false
		for key := range n.disk {
			proof = proof || strings.HasPrefix(key, LogPrefix+"evidence/")
		}
		if i == l.index {
			continue // it may have found its own lies, and halted
		}
		if n.machine.shunned()[l.index] != proof {
			t.Errorf("member %d has shunned the liar, member %d: %v, and keeps a proof: %v", i, l.index, !proof, proof)
		}
		if proof {
			convicted++
		}
		for other := range n.machine.shunned() {
			if other != l.index {
				t.Errorf("member %d has shunned member %d, who did nothing", i, other)
			}
		}
	}
	if least := ledger.Quorum(len(l.c.nodes)) - 1; convicted < least {
		t.Errorf("%d members convicted the liar, want %d", convicted, least)
	}
}

func (l *liar) trained(t *testing.T, members int) *ledger.Round {
	t.Helper()
	r := l.c.record(1)
	if r.Kind != ledger.Train || len(r.Groups) == 0 || len(r.Groups[0].Survivors) != members {
		t.Errorf("round 1 is %s over %+v, want trained over %d", r.Kind, r.Groups, members)
	}
	return r
}

// TestWrongSum has an owner tell all members the same wrong sums. Alone it is found by those who audit; with others by whoever compares.
// The right sum is certified in the same round.
func TestWrongSum(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ n, owners, audits int }{
		{4, 1, 1 << 20}, {5, 1, 1 << 20}, {4, 2, 0}, {5, 2, 0}, {7, 2, 0}, {4, 3, 0}, {7, 3, 0}, {10, 3, 0},
	} {
		t.Run(fmt.Sprintf("n=%d/owners=%d", tt.n, tt.owners), func(t *testing.T) {
			c := smallOwned(t, tt.n, tt.owners).fork(t, 3, 1)
			c.audits = tt.audits
			l := lie(c, 0, typeChunkSum, wrongSum)
			c.run(time.Minute)
			c.settle(time.Second)
			l.convicted(t)
			l.trained(t, tt.n)
		})
	}
}

// TestWrongVouch has the second owner of a chunk vouch for another sum than the first one told, which is right.
func TestWrongVouch(t *testing.T) {
	for _, n := range []int{4, 7} {
		c := smallOwned(t, n, 2).fork(t, 3, 1)
		l := lie(c, 1, typeVouch, wrongSum)
		c.run(time.Minute)
		c.settle(time.Second)
		l.convicted(t)
		l.trained(t, n)
	}
}

// TestOwnersConspire has both owners of a chunk tell the same wrong sum: believed by all who do not look, found by those who do.
func TestOwnersConspire(t *testing.T) {
	c := smallOwned(t, 7, 2).fork(t, 2, 1)
	c.audits = 1 << 20
	c.audit.alarms = []string{}
	liars := map[int]bool{}
	var conspired []byte
	c.gang = liars
	c.alter = func(from, _ int, raw []byte) [][]byte {
		e, err := ledger.DecodeEnvelope(raw)
		if err != nil || e.Round != 1 || e.Type != typeChunkSum && e.Type != typeVouch || e.Seq>>32 != 0 || from != c.ownerOf(0, 0) && from != c.ownerOf(0, 1) || e.From != c.genesis.Members[from].ID {
			return [][]byte{raw}
		}
		liars[from] = true
		if e.Type == typeVouch {
			e.Body = conspired
		} else {
			e.Body = wrongSum(&ledger.Envelope{Body: bytes.Clone(e.Body)}, 0)
			v, err := secagg.DecodeChunkSum(e.Body)
			if err != nil {
				t.Fatal(err)
			}
			hash := sha256.Sum256(v.Data)
			conspired = append([]byte{bodyVersion}, hash[:]...)
		}
		e.SignEnvelope(testKey(from))
		return [][]byte{e.Encode()}
	}
	c.run(time.Minute)
	c.settle(time.Second)
	if r := c.record(1); len(liars) != 2 || r.Kind != ledger.Train {
		t.Errorf("%d liars, round 1 is %s", len(liars), r.Kind)
	}
	for l := range liars {
		convicted := 0
		for i, n := range c.nodes {
			if !liars[i] && n.machine.shunned()[l] {
				convicted++
			}
		}
		if convicted < 3 { // of a quorum of five all but the liars
			t.Errorf("%d members have shunned member %d", convicted, l)
		}
	}
}

// TestTwoFacedOwner has an owner tell half of the members another sum than the rest.
func TestTwoFacedOwner(t *testing.T) {
	for _, owners := range []int{1, 2} {
		c := smallOwned(t, 5, owners).fork(t, 3, 1)
		c.audits = 1 << 20
		l := lie(c, 0, typeChunkSum, func(e *ledger.Envelope, to int) []byte {
			if to%2 == 0 {
				return wrongSum(e, to)
			}
			return e.Body
		})
		c.run(time.Minute)
		c.settle(time.Second)
		l.convicted(t)
		l.trained(t, 5)
	}
}

// TestAuditRefused has the only owner of a chunk lie about its sum and give nobody the inputs: they come from the senders.
func TestAuditRefused(t *testing.T) {
	c := smallOwned(t, 5, 1).fork(t, 3, 1)
	c.audits = 1 << 20
	l := lie(c, 0, typeChunkSum, wrongSum)
	refused := 0
	c.slow = func(from, _ int, raw []byte) time.Duration {
		e, err := ledger.DecodeEnvelope(raw)
		if err == nil && e.Type == typeChunk && from == l.index && e.From != c.genesis.Members[from].ID {
			refused++
			return -1
		}
		return 0
	}
	c.run(time.Minute)
	c.settle(time.Second)
	l.convicted(t)
	l.trained(t, 5)
	if refused == 0 {
		t.Error("nobody asked the owner, the test shows nothing")
	}
}

// TestFalseAccusation has a member say that a right sum is wrong. It costs the others a check, and the accuser its place.
func TestFalseAccusation(t *testing.T) {
	c := smallOwned(t, 5, 1).fork(t, 3, 1)
	c.audit.alarms = []string{}
	liar, done := -1, false
	c.alter = func(from, to int, raw []byte) [][]byte {
		e, err := ledger.DecodeEnvelope(raw)
		if err != nil || e.Round != 1 || e.Type != typeChunkSum || e.Seq>>32 != 0 || done && to != liar || e.From != c.genesis.Members[from].ID {
			return [][]byte{raw}
		}
		if liar < 0 {
			liar = (from + 1) % 5
		}
		if to != liar {
			return [][]byte{raw}
		}
		done = true
		hash := hashOf(raw)
		proof := &ledger.Envelope{Type: typeFraud, Round: e.Round, Attempt: e.Attempt, Session: e.Session, Seq: binary.BigEndian.Uint64(hash[:]),
			Body: append([]byte{bodyVersion}, raw...)}
		proof.SignEnvelope(testKey(liar))
		for _, other := range c.nodes {
			if other.index != liar {
				c.later(time.Millisecond, func() { c.step(other, other.life, Received{proof.Encode()}) })
			}
		}
		return [][]byte{raw}
	}
	c.run(time.Minute)
	c.settle(time.Second)
	if r := c.record(1); !done || r.Kind != ledger.Train || r.Attempt != 0 {
		t.Errorf("accused: %v; round 1 is %s in attempt %d", done, r.Kind, r.Attempt)
	}
	for i, n := range c.nodes {
		if i != liar && (len(n.machine.shunned()) != 1 || !n.machine.shunned()[liar]) {
			t.Errorf("member %d has shunned %v, want the accuser, %d", i, n.machine.shunned(), liar)
		}
	}
}

// TestOwnerClaimsToMiss has an owner say that it holds less than it does. One of the two is left out of the sum, or the owner alone
// if it says so of many.
func TestOwnerClaimsToMiss(t *testing.T) {
	for _, tt := range []struct {
		name string
		of   int // how many it misses
		gone bool
	}{{"one sender", 1, false}, {"all senders", 5, true}} {
		t.Run(tt.name, func(t *testing.T) {
			c := smallOwned(t, 6, 1).fork(t, 2, 1)
			l := lie(c, 0, typeHeld, func(e *ledger.Envelope, _ int) []byte {
				list, err := decodeIndices(e.Body, 6)
				if err != nil {
					t.Fatal(err)
				}
				return encodeIndices(list[min(tt.of, len(list)):])
			})
			c.run(time.Minute)
			r := l.trained(t, 5)
			if out := !slices.Contains(r.Groups[0].Survivors, uint64(l.index)); r.Attempt != 0 || tt.gone && !out {
				t.Errorf("attempt %d sums members %v; the liar is member %d", r.Attempt, r.Groups[0].Survivors, l.index)
			}
		})
	}
}

// TestSenderLeavesOwnersOut has a member send no chunk to an owner. With one owner per chunk one of the two is left out of the sum;
// with two, the other owner passes the chunk on.
func TestSenderLeavesOwnersOut(t *testing.T) {
	for owners, want := range map[int]int{1: 4, 2: 5} {
		c := smallOwned(t, 5, owners).fork(t, 2, 1)
		lost := 0
		c.slow = func(from, to int, raw []byte) time.Duration {
			e, err := ledger.DecodeEnvelope(raw)
			if err == nil && e.Round == 1 && e.Type == typeChunk && from == c.ownerOf(0, 3) && to == c.ownerOf(0, 0) && e.From == c.genesis.Members[from].ID {
				lost++
				return -1
			}
			return 0
		}
		c.run(time.Minute)
		if r := c.record(1); lost == 0 || r.Kind != ledger.Train || r.Attempt != 0 || len(r.Groups[0].Survivors) != want {
			t.Errorf("%d owners, %d chunks lost: %s round over %+v in attempt %d, want %d members", owners, lost, r.Kind, r.Groups, r.Attempt, want)
		}
	}
}

// accuse has a member say that a right sum is wrong which another one believed, if there is one, and says whether there was.
func (c *cluster) accuse(accuser int, v *node) bool {
	m := v.machine
	for _, s := range m.r.current().sessions {
		for k := range s.owned.sums {
			for place, list := range s.owned.sums[k].said {
				if s.owned.sums[k].own != nil || s.members[place] == accuser {
					continue
				}
				y := list[0]
				e, err := ledger.DecodeEnvelope(y.raw)
				if err != nil {
					c.t.Fatal(err)
				}
				hash := hashOf(y.raw)
				proof := &ledger.Envelope{Type: typeFraud, Round: e.Round, Attempt: e.Attempt, Session: e.Session, Seq: binary.BigEndian.Uint64(hash[:]),
					Body: append([]byte{bodyVersion}, y.raw...)}
				proof.SignEnvelope(testKey(accuser))
				c.later(time.Millisecond, func() { c.step(v, v.life, Received{proof.Encode()}) })
				return true
			}
		}
	}
	return false
}

// TestLateAccusation has a member accuse others of wrong sums when their records are made already, or are with the trainer. They take
// back what they have, check, and make the same record again.
func TestLateAccusation(t *testing.T) {
	for round, kind := range []string{ledger.Setup, ledger.Train} {
		t.Run(kind, func(t *testing.T) {
			c := newCluster(t, 7, uint64(round)+1, 3, func(g *ledger.Genesis, _ *weights.Set) { g.Rules.Owners = 1 })
			c.audit.alarms = []string{}
			const accuser = 3
			accused, made := map[int]bool{}, map[int]int{}
			c.doom = func(n *node, a Action) bool {
				r := n.machine.r
				if r == nil || r.number != uint64(round) || n.index == accuser {
					return false
				}
				_, applies := a.(ApplySetup)
				if applies || round == 1 && says(c, n, a, typePrepare) {
					made[n.index]++
					accused[n.index] = accused[n.index] || c.accuse(accuser, n)
				}
				return false
			}
			c.run(time.Minute)
			c.settle(time.Second)
			again := 0
			for i := range accused {
				if accused[i] && !c.nodes[i].machine.shunned()[accuser] {
					t.Errorf("member %d has not shunned its accuser", i)
				}
				if accused[i] && made[i] > 1 {
					again++
				}
			}
			if r := c.record(uint64(round)); r.Kind != kind || r.Attempt != 0 || len(accused) == 0 || round == 0 && again == 0 {
				t.Errorf("members %v were accused, %d made their record again; round is %s in attempt %d", accused, again, r.Kind, r.Attempt)
			}
		})
	}
}

// TestVouchesAtRandom has a member that owns no chunk, or not all, vouch for another sum of each. The others check one chunk, and then
// believe nothing that it said: not all of them download everything.
func TestVouchesAtRandom(t *testing.T) {
	const n, chunks = 7, 4
	c := ownedAfterSetup(t, n, 1).fork(t, 2, 3)
	c.audit.alarms = []string{}
	liar, given := -1, 0
	c.slow = func(from, _ int, raw []byte) time.Duration {
		if e, err := ledger.DecodeEnvelope(raw); err == nil && e.Type == typeChunk && e.Round == 1 && liar >= 0 {
			given++
		}
		return 0
	}
	c.doom = func(v *node, a Action) bool {
		if liar >= 0 || v.machine.r == nil || v.machine.r.number != 1 || !says(c, v, a, typeUnmask) {
			return false
		}
		liar = v.index
		c.gang = map[int]bool{liar: true}
		for k := range chunks {
			e := v.machine.sign(typeVouch, v.machine.r.attempt, uint64(k), append([]byte{bodyVersion}, make([]byte, 32)...))
			for _, other := range c.nodes {
				if other != v {
					c.later(c.delay(), func() { c.step(other, other.life, Received{e.raw}) })
				}
			}
		}
		return false
	}
	c.run(time.Minute)
	c.settle(time.Second)
	shunned := 0
	for _, v := range c.nodes {
		if v.machine != nil && v.machine.shunned()[liar] {
			shunned++
		}
	}
	if r := c.record(1); r.Kind != ledger.Train || r.Attempt != 0 || shunned < 4 {
		t.Errorf("%s round in attempt %d; %d members have shunned the liar, member %d", r.Kind, r.Attempt, shunned, liar)
	}
	if most := 2 * n * n; given > most { // one that is checked and one that is drawn, of which owners have theirs
		t.Errorf("%d chunks were given out, want at most %d", given, most)
	}
}

// TestAuditImpossible has the only owner of a chunk lie about its sum and give nobody the inputs, and a sender that keeps its chunk
// back too. Nobody can tell who is wrong, and nobody votes for what it could not check: the round is void, or the right sum is vouched for.
func TestAuditImpossible(t *testing.T) {
	c := smallOwned(t, 5, 1).fork(t, 3, 1)
	c.audits = 1 << 20
	l := lie(c, 0, typeChunkSum, wrongSum)
	c.slow = func(from, to int, raw []byte) time.Duration {
		e, err := ledger.DecodeEnvelope(raw)
		if err != nil || e.Type != typeChunk || e.Round != 1 || l.index < 0 {
			return 0
		}
		accomplice := c.ownerOf(0, 4)
		if from == l.index || from == accomplice && e.From == c.genesis.Members[from].ID {
			return -1
		}
		return 0
	}
	c.run(3 * time.Minute)
	if got := c.kinds()[1:]; l.lies == 0 || got[1] != "train" {
		t.Errorf("%d lies, rounds %v, want the second one trained", l.lies, got)
	}
}

// TestGarbageWithOwners has a member that signs nonsense where chunks have owners.
func TestGarbageWithOwners(t *testing.T) {
	for seed := range uint64(3) {
		c := smallOwned(t, 4, 1+int(seed%2)).fork(t, 3, seed)
		c.audit.alarms, c.cheat = []string{}, 4
		c.alter = func(from, _ int, raw []byte) [][]byte { return garbage(c, from, raw) }
		c.run(5 * time.Minute)
	}
}
