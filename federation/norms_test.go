package federation

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/fedlam/fedlam/federation/ledger"
	"github.com/fedlam/fedlam/federation/secagg"
	"github.com/fedlam/fedlam/training/weights"
)

// auditedCluster has a trunk long enough for statistics, and audits norms.
func auditedCluster(t *testing.T, n, bits, rows int) *cluster {
	t.Helper()
	c := newCluster(t, n, 1, 1, func(g *ledger.Genesis, w *weights.Set) {
		g.Rules.AuditRows, g.Rules.LaneBits = rows, bits
		w.Put(weights.Tensor{Name: "descriptor/more", Shape: []int{8192}, Data: make([]float64, 8192)})
	})
	c.run(time.Minute)
	return c.fork(t, 3, 1)
}

// longer makes the update of one member that many times as long after quantisation, where its own clipping does not see it.
func longer(index, round int, times int32) func(n int, x Contribution) {
	return func(n int, x Contribution) {
		if n != index || x.Round != uint64(round) || x.Group != ledger.TrunkGroup {
			return
		}
		mask := uint32(1)<<(x.Bits-1)<<1 - 1
		for k := range x.Lanes[:len(x.Lanes)-secagg.NarrowExtra] {
			lane := int32(x.Lanes[k]<<(32-x.Bits)) >> (32 - x.Bits)
			x.Lanes[k] = uint32(lane*times) & mask
		}
	}
}

// TestNormAudit has one member send an update 200 times as long as it is. All others name it in the same round, which is void; the next is
// made without it. Without the audit, the control, the sum passes or is refused and nobody is named.
func TestNormAudit(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name    string
		n       int
		bits    int
		audited bool
	}{
		{"32 bits", 5, 32, true}, {"32 bits, not audited", 5, 32, false}, {"16 bits", 7, 16, true}, {"16 bits, not audited", 7, 16, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			rows := 0
			if tt.audited {
				rows = 64
			}
			c := auditedCluster(t, tt.n, tt.bits, rows)
			c.audit.alarms, c.tamper = []string{}, longer(2, 1, 200)
			c.run(2 * time.Minute)
			if testing.Verbose() {
				t.Log(strings.Join(c.audit.story, "\n"))
			}
			named := slices.ContainsFunc(c.audit.alarms, func(s string) bool { return strings.Contains(s, "the update of M2 in round 1 was") })
			if named != tt.audited {
				t.Errorf("named: %v; alarms %q", named, c.audit.alarms)
			}
			if !tt.audited {
				return
			}
			if got, want := c.kinds()[1:3], []string{"void", "train"}; !slices.Equal(got, want) {
				t.Errorf("rounds %v, want %v", got, want)
			}
			if list := c.record(2).Groups[0].Survivors; slices.Contains(list, 2) || len(list) != tt.n-1 {
				t.Errorf("the next round sums members %v, want all but 2", list)
			}
			for i, n := range c.nodes {
				if i != 2 && n.machine != nil && !n.machine.shunned()[2] {
					t.Errorf("M%d does not shun the member", i)
				}
			}
		})
	}
}

// TestNormAuditHonest goes through rounds with a member that dies after masking, and one that is restarted before it reports: nobody is accused.
func TestNormAuditHonest(t *testing.T) {
	for _, bits := range []int{32, 16} {
		c := auditedCluster(t, 7, bits, 64)
		died, restarted := false, false
		c.doom = func(n *node, a Action) bool {
			switch {
			case n.index == 1 && !died && says(c, n, a, typeStatement):
				died, n.revive = true, time.Second
				return true
			case n.index == 4 && !restarted && says(c, n, a, typeNorms):
				restarted, n.revive = true, 100*time.Millisecond
				return true
			}
			return false
		}
		c.run(2 * time.Minute)
		reports := false
		for _, line := range c.audit.story {
			reports = reports || strings.Contains(line, "of the longest allowed")
		}
		if !died || !restarted || !reports || len(c.audit.alarms) > 0 {
			t.Errorf("%d bits: died %v, restarted %v, audited %v, alarms %q", bits, died, restarted, reports, c.audit.alarms)
		}
		if kinds := c.kinds()[1:]; slices.Contains(kinds, "void") {
			t.Errorf("%d bits: rounds %v", bits, kinds)
		}
	}
}

// TestNormAuditLie has a member that was too long lie about one pair mask to look shorter: the pair quarrels, both are left out of the next
// round at most, and the lie does not help.
func TestNormAuditLie(t *testing.T) {
	c := auditedCluster(t, 7, 32, 64)
	c.audit.alarms, c.tamper = []string{}, longer(2, 1, 200)
	c.alter = func(from, _ int, raw []byte) [][]byte {
		e, err := ledger.DecodeEnvelope(raw)
		if from != 2 || err != nil || e.Type != typeNorms || e.From != c.genesis.Members[2].ID {
			return [][]byte{raw}
		}
		e.Body = slices.Clone(e.Body)
		for k := len(e.Body) - 64*4; k < len(e.Body); k++ {
			e.Body[k] ^= 0x55
		}
		e.SignEnvelope(testKey(2))
		return [][]byte{e.Encode()}
	}
	c.cheat = 3
	c.run(2 * time.Minute)
	story := strings.Join(c.audit.story, "\n")
	if !strings.Contains(story, "M2 is left out of the next round: it contradicts") || !strings.Contains(story, "the update of M2 in round 1 was") {
		t.Errorf("the quarrel and the violation were not both found; alarms %q", c.audit.alarms)
	}
	if list := c.record(c.rounds - 1).Groups[0].Survivors; slices.Contains(list, 2) {
		t.Errorf("the last round sums members %v", list)
	}
}

// TestNormReportsRefused feeds reports that mean nothing.
func TestNormReportsRefused(t *testing.T) {
	c := auditedCluster(t, 4, 32, 16)
	c.audit.alarms = []string{}
	c.alter = func(from, _ int, raw []byte) [][]byte {
		e, err := ledger.DecodeEnvelope(raw)
		if from != 3 || err != nil || e.Type != typeNorms || e.From != c.genesis.Members[3].ID {
			return [][]byte{raw}
		}
		e.Body = e.Body[:c.random.IntN(len(e.Body))]
		e.SignEnvelope(testKey(3))
		return [][]byte{e.Encode()}
	}
	c.cheat = 4
	c.run(2 * time.Minute)
	if !strings.Contains(strings.Join(c.audit.story, "\n"), "the norm report of M3 does not hold") {
		t.Error("nobody was told of the bad report")
	}
}
