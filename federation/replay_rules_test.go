package federation

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/fedlam/fedlam/federation/ledger"
	"github.com/fedlam/fedlam/training/weights"
)

// TestReplayUnderRules replays rounds in narrow lanes, with owners of chunks, and with audited norms, from every member's transcript.
func TestReplayUnderRules(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name  string
		rules func(r *ledger.Rules)
		say   string
	}{
		{"16 bits", func(r *ledger.Rules) { r.LaneBits = 16 }, ""},
		{"owners", func(r *ledger.Rules) { r.Owners = 2 }, "chunks have 2 owners each"},
		{"owners, 16 bits", func(r *ledger.Rules) { r.Owners, r.LaneBits = 2, 16 }, "chunks have 2 owners each"},
		{"norms", func(r *ledger.Rules) { r.AuditRows = 16 }, "norms of the updates: M0 "},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := newCluster(t, 5, 2, 1, func(g *ledger.Genesis, w *weights.Set) {
				tt.rules(&g.Rules)
				w.Put(weights.Tensor{Name: "descriptor/more", Shape: []int{150_000}, Data: make([]float64, 150_000)})
			})
			c.keep = true
			c.run(time.Minute)
			for member := range 5 {
				report := replayed(t, c.replayConfig(1, member))
				if !report.OK || len(report.Blame) > 0 || !strings.Contains(report.text(), tt.say) {
					t.Errorf("M%d: %s", member, report.text())
				}
			}
		})
	}
}

// TestReplayNamesTheLong replays a round that was void because an update was too long: the transcript alone names who sent it.
func TestReplayNamesTheLong(t *testing.T) {
	c := auditedCluster(t, 5, 32, 64)
	c.keep, c.audit.alarms, c.tamper = true, []string{}, longer(2, 1, 200)
	c.run(2 * time.Minute)
	report := replayed(t, c.replayConfig(1, 0))
	blamed := slices.ContainsFunc(report.Blame, func(b ReplayBlame) bool { return b.Member == "M2" && strings.Contains(b.Proof, "as long as allowed") })
	if report.Kind != ledger.Void || !blamed || !strings.Contains(report.text(), "longer than allowed were summed, of M2") {
		t.Errorf("blame %+v\n%s", report.Blame, report.text())
	}
}

// TestReplayEpochs replays the round that ended an epoch, and one of the next epoch, from what an old member and the new one kept.
func TestReplayEpochs(t *testing.T) {
	c := ripeCluster(t, 4, 3, 1)
	c.keep = true
	next := c.next()
	fresh := c.joins(next)
	c.approve(next, 0, 1, 2)
	c.run(2 * time.Minute)
	ended := uint64(0)
	for k, kind := range c.kinds() {
		if kind == ledger.Change {
			ended = uint64(k)
		}
	}
	if ended == 0 {
		t.Fatalf("rounds %v", c.kinds())
	}
	for _, tt := range []struct {
		member int
		round  uint64
		say    string
	}{{0, ended, "M0, M1, M2 approve of epoch 1"}, {0, ended + 1, "record and weights: the same bytes"}, {fresh.index, ended + 1, "record and weights: the same bytes"}} {
		report := replayed(t, c.replayConfig(tt.round, tt.member))
		if !report.OK || !strings.Contains(report.text(), tt.say) {
			t.Errorf("M%d, round %d: %s", tt.member, tt.round, report.text())
		}
	}
}

// TestReplayNamesWhoOpened replays a round of an attempt without the first member: places in a roster are not numbers of members.
func TestReplayNamesWhoOpened(t *testing.T) {
	c := afterSetup(t, 4).fork(t, 2, 1)
	c.keep = true
	c.doom = func(n *node, a Action) bool {
		_, trains := a.(Train)
		return n.index == 0 && trains
	}
	c.run(2 * time.Minute)
	text := replayed(t, c.replayConfig(1, 3)).text()
	for _, want := range []string{"M1, M2, M3 opened their shares of the trunk", "M1, M2, M3 opened their shares of head/all"} {
		if !strings.Contains(text, want) {
			t.Errorf("the story does not say %q:\n%s", want, text)
		}
	}
}
