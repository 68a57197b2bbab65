package federation

import (
	"bytes"
	"flag"
	"slices"
	"testing"
	"time"

	"github.com/fedlam/fedlam/federation/ledger"
	"pgregory.net/rapid"
)

// TestBadNetwork runs rounds over networks that lose, repeat, reorder and spoil messages.
func TestBadNetwork(t *testing.T) {
	var seen [][]byte // of any round
	for _, tt := range []struct {
		name  string
		slow  func(c *cluster) time.Duration
		alter func(c *cluster, raw []byte) [][]byte
	}{
		{"a fifth is lost", func(c *cluster) time.Duration { return -time.Duration(c.random.IntN(5) / 4) }, nil},
		{"order is lost", func(c *cluster) time.Duration { return time.Duration(c.random.IntN(600)) * time.Millisecond }, nil},
		{"everything comes twice", nil, func(_ *cluster, raw []byte) [][]byte { return [][]byte{raw, raw} }},
		{"old messages come again", nil, func(c *cluster, raw []byte) [][]byte {
			seen = append(seen, raw)
			return [][]byte{seen[c.random.IntN(len(seen))], raw}
		}},
		{"a tenth is spoiled", nil, func(c *cluster, raw []byte) [][]byte {
			if c.random.IntN(10) > 0 {
				return [][]byte{raw}
			}
			bad := bytes.Clone(raw)
			bad[c.random.IntN(len(bad))] ^= byte(1 + c.random.IntN(255))
			return [][]byte{bad[:1+c.random.IntN(len(bad))], bad}
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := newCluster(t, 4, 3, 7)
			if tt.slow != nil {
				c.slow = func(int, int, []byte) time.Duration { return tt.slow(c) }
			}
			if tt.alter != nil {
				c.alter = func(_, _ int, raw []byte) [][]byte { return tt.alter(c, raw) }
			}
			c.run(5 * time.Minute)
		})
	}
}

// TestPartition cuts one member off for a while, and then the federation in two halves.
func TestPartition(t *testing.T) {
	c := newCluster(t, 4, 5, 3)
	c.slow = func(from, to int, _ []byte) time.Duration {
		alone := c.now < 3*time.Second && (from == 2) != (to == 2)
		halves := c.now > 5*time.Second && c.now < 20*time.Second && from/2 != to/2
		if alone || halves {
			return -1
		}
		return 0
	}
	c.run(3 * time.Minute)
	if got := c.kinds(); got[len(got)-1] != "train" {
		t.Errorf("rounds %v, want the last one to succeed", got)
	}
}

// TestCheatingDealer has a member that deals wrongly. Others can tell before anything is masked, and the next attempts are made
// without one side of the quarrel.
func TestCheatingDealer(t *testing.T) {
	for _, tt := range []struct {
		name string
		at   func(body []byte) int // which byte it spoils
	}{
		{"a share that does not open", func(body []byte) int { return 36 + 32 + 2 + 2 + 64 + 9 }},
		{"a ciphertext that gives another key", func(body []byte) int { return len(body) - 1 }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := afterSetup(t, 4).fork(t, 3, 1)
			c.audit.alarms = []string{}
			c.alter = func(from, _ int, raw []byte) [][]byte {
				e, err := ledger.DecodeEnvelope(raw)
				if from != 0 || err != nil || e.Type != typeShares || e.From != c.genesis.Members[0].ID {
					return [][]byte{raw}
				}
				e.Body = bytes.Clone(e.Body)
				e.Body[tt.at(e.Body)] ^= 1
				e.SignEnvelope(testKey(0))
				return [][]byte{e.Encode()}
			}
			c.run(3 * time.Minute)
			for k := uint64(1); k < 3; k++ {
				if r := c.record(k); r.Kind != "train" || !slices.Equal(r.Groups[0].Survivors, []uint64{1, 2, 3}) || r.Attempt > 4 {
					t.Errorf("%s round %d sums members %v in attempt %d, want soon those who do not cheat", r.Kind, k, r.Groups[0].Survivors, r.Attempt)
				}
			}
		})
	}
}

// TestEquivocation has a coordinator that proposes different rosters to different members. Nothing is opened that way; the
// proof is kept, and the next coordinator does better.
func TestEquivocation(t *testing.T) {
	c := afterSetup(t, 4).fork(t, 2, 1)
	c.audit.alarms = []string{}
	liar := -1
	c.alter = func(from, to int, raw []byte) [][]byte {
		e, err := ledger.DecodeEnvelope(raw)
		if err != nil || e.Type != typeRoster || e.Attempt != 0 || e.From != c.genesis.Members[from].ID || to != (from+2)%4 {
			return [][]byte{raw}
		}
		liar, c.cheat = from, from+1
		without := slices.DeleteFunc([]int{0, 1, 2, 3}, func(i int) bool { return i == (from+1)%4 })
		e.Body = (&proposal{without, []int{0}}).encode()
		e.SignEnvelope(testKey(from))
		return [][]byte{e.Encode()}
	}
	c.run(2 * time.Minute)
	c.settle(time.Second)
	if liar < 0 {
		t.Fatal("nobody proposed a roster")
	}
	for i, n := range c.nodes {
		found := false
		for key := range n.disk {
			found = found || bytes.HasPrefix([]byte(key), []byte(LogPrefix+"evidence/"))
		}
		if !found && i != liar {
			t.Errorf("member %d keeps no proof against the coordinator, member %d", i, liar)
		}
		if i != liar && n.machine != nil && !n.machine.shunned()[liar] {
			t.Errorf("member %d would still name member %d in a roster", i, liar)
		}
	}
}

// TestGarbage has a member that signs nonsense: bodies cut, flipped and grown, differently for every recipient. The others
// do not crash and go on.
func TestGarbage(t *testing.T) {
	for seed := range uint64(3) {
		c := afterSetup(t, 4).fork(t, 3, seed)
		c.audit.alarms, c.cheat = []string{}, 4
		c.alter = func(from, _ int, raw []byte) [][]byte { return garbage(c, from, raw) }
		c.run(5 * time.Minute)
	}
}

// garbage is what arrives instead of a message that member 3 sends.
func garbage(c *cluster, from int, raw []byte) [][]byte {
	e, err := ledger.DecodeEnvelope(raw)
	if from != 3 || err != nil || e.From != c.genesis.Members[3].ID || c.random.IntN(3) == 0 {
		return [][]byte{raw}
	}
	e.Body = append(bytes.Clone(e.Body[:c.random.IntN(len(e.Body)+1)]), make([]byte, c.random.IntN(3))...)
	if n := len(e.Body); n > 0 {
		e.Body[c.random.IntN(n)] ^= byte(c.random.IntN(256))
	}
	if c.random.IntN(4) == 0 {
		e.Seq = c.random.Uint64() >> c.random.IntN(64)
	}
	if c.random.IntN(4) == 0 {
		e.Attempt = uint64(c.random.IntN(9))
	}
	e.SignEnvelope(testKey(3))
	return [][]byte{raw[:len(raw)-1], e.Encode()}
}

// TestRandomTrouble lets members die and come back, and messages get lost, at random times. Once the trouble ends all
// members finish, and what the audit forbids never happens.
func TestRandomTrouble(t *testing.T) {
	limitChecks(t, "12")
	bases := map[int]*cluster{}
	for n := 3; n <= 5; n++ {
		bases[n] = afterSetup(t, n)
	}
	rapid.Check(t, func(rt *rapid.T) {
		n := rapid.IntRange(3, 5).Draw(rt, "members")
		trouble(t, rt, bases[n], n)
	})
}

// trouble runs a cluster from where base ended.
func trouble(t *testing.T, rt *rapid.T, base *cluster, n int) {
	c := base.fork(t, 3, rapid.Uint64().Draw(rt, "seed"))
	loss := rapid.IntRange(0, 30).Draw(rt, "loss in percent")
	calm := 20 * time.Second
	c.slow = func(int, int, []byte) time.Duration {
		if c.now < calm && c.random.IntN(100) < loss {
			return -1
		}
		return time.Duration(c.random.IntN(100)) * time.Millisecond
	}
	for _, death := range rapid.SliceOfN(rapid.IntRange(0, 1000*n-1), 0, 6).Draw(rt, "deaths") {
		v := c.nodes[death%n]
		c.later(time.Duration(death/n)*5*time.Millisecond, func() {
			if v.machine != nil {
				v.revive = time.Duration(1+death%700) * time.Millisecond
				c.kill(v)
			}
		})
	}
	c.run(3 * time.Minute)
	if t.Failed() {
		rt.Fatalf("see above")
	}
}

// limitChecks keeps rapid short unless the command line says otherwise.
func limitChecks(t *testing.T, checks string) {
	f := flag.Lookup("rapid.checks")
	if f == nil || f.Value.String() != f.DefValue {
		return
	}
	if err := f.Value.Set(checks); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Value.Set(f.DefValue) })
}

// record returns the certified record of a round.
func (c *cluster) record(round uint64) *ledger.Round {
	c.t.Helper()
	for _, n := range c.nodes {
		if document := n.disk[string(RecordKey(round))]; document != nil {
			r, err := ledger.DecodeRound(document)
			if err != nil {
				c.t.Fatal(err)
			}
			return r
		}
	}
	c.t.Fatalf("round %d is not certified", round)
	return nil
}
