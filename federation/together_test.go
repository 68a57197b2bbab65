package federation

import (
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/fedlam/fedlam/federation/ledger"
	"github.com/ipfs/go-cid"
)

// TestRulesTogether sums fragments in 16-bit lanes, from chunk owners or with audited norms, under the watch of canary sets that find the weights
// of one round bad. That round is void, the next one sums the same fragment, what members trained meanwhile is in the sums once, and every
// round can be replayed.
func TestRulesTogether(t *testing.T) {
	t.Parallel()
	const rounds, bad = 8, 3
	for _, tt := range []struct {
		name         string
		owners, rows int
	}{{"chunk owners", 2, 0}, {"audited norms", 0, 64}} {
		t.Run(tt.name, func(t *testing.T) {
			c := streamCluster(t, 4, 3, 16, largeTrunk, rounds)
			c.genesis.Rules.Owners, c.genesis.Rules.AuditRows = tt.owners, tt.rows
			c.genesis.Heads[0].Canary = ledger.FileCID([]byte("frames"))
			c.audits, c.keep, c.stop = 1, true, rounds
			c.canary = func(_ *node, a Judge) *Judged {
				e := &Judged{Round: a.Round, Record: a.Record, Errors: map[string]CanaryError{"all": {0.01, 0.1}}}
				if a.Round == bad {
					e.Errors["all"] = CanaryError{math.NaN(), 0.1}
				}
				return e
			}
			c.run(2 * time.Minute)
			c.settle(time.Second)
			if got, want := c.kinds(), []string{"setup", "train", "train", "void", "train", "train", "train", "train"}; !slices.Equal(got, want) {
				t.Fatalf("rounds %v, want %v", got, want)
			}
			trained := uint64(0)
			for round := range uint64(rounds) {
				report := replayed(t, c.replayConfig(round, int(round)%4))
				if !report.OK || (round == bad) != strings.Contains(report.Why, "voted against its weights") {
					t.Errorf("round %d: %s; why: %q\n%s", round, report.First, report.Why, report.text())
				}
				if record := c.record(round); record.Kind == ledger.Train {
					c.movedIn(record, c.divided().Turn(trained))
					trained++
				}
			}
			c.accounts(0, 1, 2, 3)
		})
	}
}

// TestSilentJudgeOfRefutedRecord has the trainer never answer about a record that is taken back afterwards: its member does not wait for
// the answer forever.
func TestSilentJudgeOfRefutedRecord(t *testing.T) {
	c := watchedCluster(t, 4, 1).fork(t, 2, 1)
	n := c.nodes[0]
	c.canary = func(x *node, a Judge) *Judged {
		if x == n {
			return nil
		}
		return &Judged{Round: a.Round, Record: a.Record, Failure: "the test wants that this takes long"}
	}
	asked := false
	c.doom = func(x *node, a Action) bool {
		j, ok := a.(Judge)
		if !ok || x != n || asked {
			return false
		}
		asked = true
		m := x.machine
		m.r.own = cid.Undef // as refute leaves it
		if v := m.r.verdicts[j.Record]; !m.objects(j.Record) || m.stopJudging() {
			t.Errorf("before its time is up: verdict %+v", v)
		}
		m.now = m.now.Add(m.patience())
		if !m.stopJudging() || m.objects(j.Record) || m.stopJudging() {
			t.Errorf("after its time is up: verdict %+v", m.r.verdicts[j.Record])
		}
		return true
	}
	c.run(time.Minute)
	if !asked {
		t.Error("the trainer was not asked")
	}
}
