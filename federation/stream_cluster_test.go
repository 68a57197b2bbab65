package federation

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/fedlam/fedlam/federation/ledger"
)

// TestFragmentsAfterRestart kills a member for some rounds. Its new life begins with all certified weights, and takes its part in every fragment.
func TestFragmentsAfterRestart(t *testing.T) {
	const rounds = 12
	c := streamCluster(t, 4, 4, 16, 512, rounds)
	late := c.nodes[3]
	c.doom = func(n *node, a Action) bool {
		x, is := a.(Train)
		if n == late && n.life == 1 && is && x.Round == 4 {
			n.revive = 4 * time.Second
			return true
		}
		return false
	}
	c.run(3 * time.Minute)
	if late.life != 2 || late.stream.resets != 1 {
		t.Fatalf("life %d with %d new beginnings, want 2 with 1", late.life, late.stream.resets)
	}
	in, out := map[int]bool{}, 0
	for r := uint64(4); r < rounds; r++ {
		if slices.Contains(c.record(r).Groups[0].Survivors, 3) {
			in[int(r-1)%4] = true
		} else {
			out++
		}
	}
	if out == 0 || len(in) < 4 {
		t.Errorf("the member missed %d rounds and was in the sums of fragments %v afterwards; want some, and all four", out, in)
	}
	if c.accounts(3); late.stream.moves == 0 {
		t.Error("its second life trained nothing")
	}
}

// TestFragmentOfKilledMember kills a member at many steps of a round and starts it again: the round goes on, or is repeated with the same fragment.
func TestFragmentOfKilledMember(t *testing.T) {
	t.Parallel()
	base := streamCluster(t, 4, 2, 16, 64, 2)
	base.run(time.Minute)
	for k := 1; ; k += 6 {
		c := base.fork(t, 4, uint64(k))
		v := c.nodes[1]
		v.killAt, v.revive = k, 300*time.Millisecond
		c.run(2 * time.Minute)
		if v.life == 1 && v.machine != nil {
			if k < 20 {
				t.Errorf("only %d steps", k)
			}
			return
		}
		trained := uint64(0)
		for r := range uint64(len(c.kinds()) - 1) {
			if record := c.record(r + 1); record.Kind == ledger.Train {
				c.movedIn(record, c.divided().Turn(trained))
				trained++
			}
		}
		c.accounts(0, 2, 3)
		if t.Failed() {
			t.Fatalf("killed after action %d", k)
		}
	}
}

// TestFragmentsAreAudited has a member send an update that is too long, in one fragment of the trunk.
func TestFragmentsAreAudited(t *testing.T) {
	c := streamCluster(t, 7, 4, 16, 8192, 4)
	c.genesis.Rules.AuditRows = 64
	c.audit.alarms, c.tamper = []string{}, longer(2, 2, 200)
	c.run(2 * time.Minute)
	if !slices.ContainsFunc(c.audit.alarms, func(s string) bool { return strings.Contains(s, "the update of M2 in round 2 was") }) {
		t.Errorf("alarms %q, want one that names M2", c.audit.alarms)
	}
	if got, want := c.kinds(), []string{"setup", "train", "void", "train"}; !slices.Equal(got, want) {
		t.Fatalf("rounds %v, want %v", got, want)
	}
	c.movedIn(c.record(1), c.divided().Turn(0))
	c.movedIn(c.record(3), c.divided().Turn(1))
}

// TestFragmentsUpload counts the bytes of all that a member sends to each other one in a round, for a long trunk.
func TestFragmentsUpload(t *testing.T) {
	const length, limit = 1 << 20, 0.3
	c := streamCluster(t, 3, 8, 16, length, 3)
	bytes, seen := map[uint64]int{}, map[have]bool{}
	c.slow = func(from, to int, raw []byte) time.Duration {
		if e, err := ledger.DecodeEnvelope(raw); err == nil && from == 1 && !seen[hashOf(raw)] {
			seen[hashOf(raw)] = true
			bytes[e.Round] += len(raw)
		}
		return 0
	}
	c.run(time.Minute)
	parameters := 0
	l := c.divided()
	for group := range l.groups {
		parameters += l.Len(group)
	}
	for r := uint64(1); r < 3; r++ {
		got := float64(bytes[r]) / float64(parameters)
		if got > limit || got < 0.25 {
			t.Errorf("round %d: %.3f bytes a parameter, want an eighth of two and something, up to %g", r, got, limit)
		}
		t.Logf("round %d: %d bytes, %.4f a parameter", r, bytes[r], got)
	}
}
