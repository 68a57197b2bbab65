package federation

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/fedlam/fedlam/federation/ledger"
)

// typeOf is the type of an envelope, and whether it is of a round and signed by a member.
func (c *cluster) typeOf(raw []byte, round uint64, member int) string {
	e, err := ledger.DecodeEnvelope(raw)
	if err != nil || e.Round != round || e.From != c.genesis.Members[member].ID {
		return ""
	}
	return e.Type
}

// votesLate delays the votes of round 1, so that what comes late comes before its end.
func (c *cluster) votesLate(raw []byte) time.Duration {
	if e, err := ledger.DecodeEnvelope(raw); err == nil && e.Round == 1 && (e.Type == typePrepare || e.Type == typeCommit) {
		return 6 * time.Second
	}
	return 0
}

// TestSettledLate has what M1 opens come when the others have judged the round: they shun M3 from then on, and what they said about the
// round stands.
func TestSettledLate(t *testing.T) {
	t.Parallel()
	x := newFalseReport(t, 32, map[int][]int{3: {1}})
	x.long = flat
	x.slow = func(from, to int, raw []byte) time.Duration {
		if x.typeOf(raw, 1, 1) == typeOpenPair {
			return 6 * time.Second // twice the time for a step is 4
		}
		return x.votesLate(raw)
	}
	x.run(2 * time.Minute)
	void := 0
	for i, n := range x.nodes {
		if i == 3 {
			continue
		}
		if shunned := n.machine.shunned(); len(shunned) != 1 || !shunned[3] {
			t.Errorf("M%d shuns %v, want M3 alone", i, shunned)
		}
	}
	for _, line := range x.audit.story {
		if strings.Contains(line, "round 1: the round is void") {
			void++
		}
	}
	if void != 2 || x.kinds()[1] != "train" {
		t.Errorf("%d members find the round void, want M1, which knew in time, and M3; it is %q", void, x.kinds()[1])
	}
	if list := x.record(2).Groups[0].Survivors; slices.Contains(list, 3) {
		t.Errorf("the next round sums members %v, want not 3", list)
	}
	for i, n := range x.nodes {
		if i == 3 || n.archives[1] == nil {
			continue
		}
		report := replayed(t, x.replayConfig(1, i))
		late := strings.Contains(report.First, "does not say whether the reports and opened pairs that show this came in time")
		if report.Worst() != Incomplete || !late || len(report.Blame) != 2 || report.Blame[0].Member != "M3" || report.Blame[1].Member != "M3" {
			t.Errorf("as M%d has it: %s, blame %v", i, report.First, report.Blame)
		}
	}
}

// TestReportedLate has the false report of M3 come when it is not waited for any more. M1 has kept the one seed for it, opens it, and all shun M3.
func TestReportedLate(t *testing.T) {
	t.Parallel()
	x := newFalseReport(t, 32, map[int][]int{3: {1}})
	x.slow = func(from, to int, raw []byte) time.Duration {
		if x.typeOf(raw, 1, 3) == typeNorms {
			return 4 * time.Second
		}
		return x.votesLate(raw)
	}
	x.want(judgement{shunned: []int{3}, opened: [][2]int{{1, 3}}, kind: "train"})
}

// TestSeedsForgotten looks at what members keep of their pair masks once the norms are judged: nothing when all have reported, the one seed for
// a member that has not, and nothing at all after the round.
func TestSeedsForgotten(t *testing.T) {
	t.Parallel()
	for _, silent := range []bool{false, true} {
		c := auditedCluster(t, 5, 32, 16)
		seen := map[int]*session{}
		c.doom = func(n *node, a Action) bool {
			if n.machine.r == nil || n.machine.r.number != 1 {
				return false
			}
			if silent && n.index == 3 && says(c, n, a, typeNorms) {
				n.revive = 10 * time.Second
				return true
			}
			if says(c, n, a, typePrepare) && seen[n.index] == nil {
				trunk := n.machine.r.attempts[0].sessions[0]
				want := 0
				if silent && n.index < 3 {
					want = 1
				}
				if _, forSilent := trunk.seeds[3]; len(trunk.seeds) != want || trunk.pairs != nil || forSilent != (want == 1) {
					t.Errorf("silent %v: M%d keeps %d seeds and %d masks when it votes, want %d and none", silent, n.index, len(trunk.seeds), len(trunk.pairs), want)
				}
				seen[n.index] = trunk
			}
			return false
		}
		c.run(2 * time.Minute)
		if len(seen) < 4 {
			t.Fatalf("silent %v: saw only %d members vote", silent, len(seen))
		}
		for i, trunk := range seen {
			if len(trunk.seeds)+len(trunk.pairs) > 0 {
				t.Errorf("silent %v: M%d keeps seeds beyond the round", silent, i)
			}
		}
	}
}

// TestOpeningsRefused has M3 say of pairs what nobody asked for. None of it means anything, and nobody opens, shuns or leaves out anybody for it.
func TestOpeningsRefused(t *testing.T) {
	t.Parallel()
	honest := encodePairSeed([64]byte{1})
	for _, tt := range []struct {
		name string
		kind string
		seq  uint64
		body []byte
		told bool
	}{
		{"a pair that does not quarrel", typeOpenPair, 5, honest, false},
		{"a pair that does not quarrel, malformed", typeOpenPair, 5, honest[:9], true},
		{"of another version", typeOpenPair, 5, append([]byte{2}, honest[1:]...), true},
		{"a pair whose lower end is another", typeOpenPair, 1, honest, true},
		{"a member with itself", typeOpenPair, 3, honest, true},
		{"a stranger", typeOpenPair, 1 << 40, honest, true},
		{"a second report", typeNorms, 1, []byte("other sketches"), true},
	} {
		c := auditedCluster(t, 6, 32, 16)
		c.rounds, c.cheat, c.audit.alarms = 2, 4, []string{}
		openings := 0
		c.alter = func(from, _ int, raw []byte) [][]byte {
			if kind := c.typeOf(raw, 1, from); kind != typeNorms || from != 3 {
				if kind == typeOpenPair {
					openings++
				}
				return [][]byte{raw}
			}
			e, err := ledger.DecodeEnvelope(raw)
			if err != nil {
				t.Fatal(err)
			}
			e.Type, e.Seq, e.Body = tt.kind, tt.seq, tt.body
			e.SignEnvelope(testKey(3))
			return [][]byte{e.Encode(), raw}
		}
		c.run(time.Minute)
		story := strings.Join(c.audit.story, "\n")
		if told := strings.Contains(story, "M3 sent a message of type "+tt.kind+" that means nothing"); told != tt.told {
			t.Errorf("%s: told %v, want %v", tt.name, told, tt.told)
		}
		if openings > 0 || len(c.audit.alarms) > 0 || strings.Contains(story, "is left out") || c.kinds()[1] != "train" {
			t.Errorf("%s: %d pairs opened, alarms %q, round %s", tt.name, openings, c.audit.alarms, c.kinds()[1])
		}
	}
}

// TestOpenPairGolden pins the body, and that of the report it answers is pinned in package sketch.
func TestOpenPairGolden(t *testing.T) {
	var seed [64]byte
	for k := range seed {
		seed[k] = byte(k)
	}
	const want = "01000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f"
	body := encodePairSeed(seed)
	if got := fmt.Sprintf("%x", body); got != want {
		t.Errorf("opened pair %s, want %s", got, want)
	}
	if back, err := decodePairSeed(body); back != seed || err != nil {
		t.Errorf("read back %x, %v", back, err)
	}
}
