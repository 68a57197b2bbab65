package federation

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/fedlam/fedlam/federation/ledger"
)

// cutPair cuts the line between members 0 and 1 while cut says so, and counts the envelopes of one that others carry to the other, by round.
func cutPair(c *cluster, cut func() bool) (carried map[uint64]int) {
	carried = map[uint64]int{}
	c.slow = func(from, to int, raw []byte) time.Duration {
		if cut() && from < 2 && to < 2 {
			return -1
		}
		e, err := ledger.DecodeEnvelope(raw)
		if err == nil && to < 2 && from >= 2 && e.From == c.genesis.Members[1-to].ID {
			carried[e.Round]++
		}
		return 0
	}
	return carried
}

// TestPairApart has two members that never hear each other. A third one carries their messages, so that both are in nearly every sum and
// few attempts fail, whatever the coordinator.
func TestPairApart(t *testing.T) {
	t.Parallel()
	for n := 3; n <= 5; n++ {
		t.Run(fmt.Sprintf("n=%d", n), func(t *testing.T) {
			const rounds, settled = 24, 5
			c := newCluster(t, n, rounds, uint64(n))
			cutPair(c, func() bool { return true })
			c.run(5 * time.Minute)
			failed, whole := uint64(0), 0
			for k := uint64(settled); k < rounds; k++ {
				r := c.record(k)
				failed += r.Attempt
				if r.Kind == ledger.Train && len(r.Groups[0].Survivors) == n {
					whole++
				}
			}
			if failed > 6 || whole < rounds-settled-3 {
				t.Errorf("%d attempts failed and %d of %d sums are over all; want 6 at most, and 3 at most without somebody", failed, whole, rounds-settled)
			}
		})
	}
}

// TestDetourEnds heals the line: messages are not carried any more after a while, but for one that an answer brings by chance.
func TestDetourEnds(t *testing.T) {
	t.Parallel()
	const rounds, heal = 8 + 2*relayRounds, 6
	c := newCluster(t, 4, rounds, 1)
	carried := cutPair(c, func() bool { return c.nodes[0].machine == nil || c.nodes[0].machine.chain.Len() < heal })
	c.run(5 * time.Minute)
	const chance = 2
	if carried[heal-1] <= 5*chance {
		t.Errorf("little is carried while the line is cut: %v", carried)
	}
	for k := uint64(heal + relayRounds + 1); k < rounds; k++ {
		if carried[k] > chance {
			t.Errorf("round %d: %d messages are carried, %d rounds after the line was healed", k, carried[k], k-heal)
		}
	}
}

// TestNoDetour has everybody hear everybody: nobody asks early, and nobody is believed to be out of reach.
func TestNoDetour(t *testing.T) {
	c := newCluster(t, 4, 8, 1)
	c.run(time.Minute)
	for _, n := range c.nodes {
		for i, p := range n.machine.peers {
			if len(p.detours) > 0 {
				t.Errorf("member %d makes a detour to member %d: %v", n.index, i, p.detours)
			}
		}
		if n.machine.r.askedOnce {
			t.Errorf("member %d has asked early", n.index)
		}
	}
}

// TestPickHelper lists whom a member asks while messages of another are missing.
func TestPickHelper(t *testing.T) {
	c := newCluster(t, 5, 1, 1)
	c.run(time.Minute)
	m := c.nodes[0].machine
	key := func(i int) *stored {
		return &stored{env: &ledger.Envelope{Type: typeKeys, Session: [32]byte{byte(i)}}, from: i}
	}
	for _, tt := range []struct {
		name string
		said []int
		want []int // asks in one step, the first of them by the member that was asked last
	}{
		{"one is missing", []int{0, 2, 3, 4}, []int{2, 3, 4, 2}},
		{"two are missing", []int{0, 2, 4}, []int{2, 4, 2}},
		{"all are missing", []int{0}, []int{1, 2, 3, 4, 1}},
	} {
		a := &attempt{phase: phaseKeys, transcript: newTranscript()}
		for _, i := range tt.said {
			a.add(key(i))
		}
		m.helper = 1
		var got []int
		for k := range tt.want {
			got = append(got, m.pickHelper(a, typeKeys, k > 0))
		}
		if !slices.Equal(got, tt.want) {
			t.Errorf("%s: asked %v, want %v", tt.name, got, tt.want)
		}
	}
}

// TestFalseNeed has a member claim a hundred times a second that it has nothing of another. Each of the rest passes an envelope on to it once, and
// again no more often than syncs are answered.
func TestFalseNeed(t *testing.T) {
	c := newCluster(t, 4, 6, 1)
	type trip struct {
		from int
		hash have
	}
	trips, first := map[trip]int{}, map[trip]time.Duration{}
	every := c.genesis.Rules.StepTimeout / 16 // between two answers
	c.slow = func(from, to int, raw []byte) time.Duration {
		e, err := ledger.DecodeEnvelope(raw)
		if x := (trip{from, hashOf(raw)}); err == nil && to == 0 && from > 1 && e.From == c.genesis.Members[1].ID {
			if trips[x]++; trips[x] == 1 {
				first[x] = c.now
			}
			if most := 2 + int((c.now-first[x])/every); trips[x] > most {
				t.Errorf("member %d sent one message %d times in %v, want %d at most", from, trips[x], c.now-first[x], most)
			}
		}
		return 0
	}
	var claim func()
	claim = func() {
		if m := c.nodes[0].machine; m != nil && m.r != nil {
			raw := m.falseNeed(1)
			for _, to := range c.nodes[2:] {
				c.send(c.nodes[0], to, [][]byte{raw})
			}
		}
		c.later(10*time.Millisecond, claim)
	}
	c.later(0, claim)
	c.run(2 * time.Minute)
	if len(trips) == 0 {
		t.Error("nothing was passed on")
	}
	if got := c.kinds(); slices.Contains(got, "void") {
		t.Errorf("rounds %v, want none lost", got)
	}
}

// falseNeed is a Sync of a member that hides what it has of another.
func (m *Machine) falseNeed(of int) []byte {
	var list []have
	for s := range m.r.stored() {
		if s.from != of {
			list = append(list, s.hash)
		}
	}
	return m.sign(typeSync, roundLevel, 0, encodeSync(list)).raw
}
