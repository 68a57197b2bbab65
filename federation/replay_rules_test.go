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
