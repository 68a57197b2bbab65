package federation

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/fedlam/fedlam/federation/ledger"
	"github.com/fedlam/fedlam/training/weights"
	"github.com/ipfs/go-cid"
)

// testApplier is the part of the fake trainer that needs no data.
type testApplier struct{ fakeTrainer }

func (testApplier) Lengths() (trunk, head int) { return setupTrunk, setupHead }

func (a testApplier) Apply(_ context.Context, w *weights.Set, t SetupTotals) (*weights.Set, error) {
	return a.apply(w, t), nil
}

// replayConfig is what a stranger needs to replay a round of a cluster with the transcript of one member.
func (c *cluster) replayConfig(round uint64, member int) ReplayConfig {
	c.t.Helper()
	n := c.nodes[member]
	cfg := ReplayConfig{Genesis: c.genesis, Envelopes: n.archives[round], Applier: testApplier{}}
	for k := range round + 1 {
		cfg.Rounds = append(cfg.Rounds, Finished{Record: n.disk[string(RecordKey(k))], Certificate: n.disk[string(CertificateKey(k))], Epoch: n.disk[string(EpochKey(k))]})
	}
	cfg.Weights = n.blocks[c.record(round).WeightsIn]
	if state := c.stateBefore(round); !state.Equals(ledger.NoState()) {
		cfg.State = n.blocks[state]
	}
	return cfg
}

// stateBefore is the optimizer state that a round started from.
func (c *cluster) stateBefore(round uint64) cid.Cid {
	if round == 0 {
		return ledger.NoState()
	}
	return c.record(round - 1).StateOut
}

// replayed replays and fails the test on an error.
func replayed(t *testing.T, cfg ReplayConfig) *ReplayReport {
	t.Helper()
	report, err := Replay(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	return report
}

// text is a report for the log of a test.
func (r *ReplayReport) text() string {
	var b strings.Builder
	for _, c := range r.Checks {
		b.WriteString(string(c.Verdict) + "\t" + c.What + ": " + c.Found + "\n")
	}
	for _, s := range r.Story {
		b.WriteString("\t" + s + "\n")
	}
	for _, m := range r.Members {
		b.WriteString(m.Name + ": " + m.Account + "\n")
	}
	return b.String()
}

func TestReplayHappyRounds(t *testing.T) {
	for n := 3; n <= 5; n++ {
		c := newCluster(t, n, 3, uint64(n))
		c.keep = true
		c.run(time.Minute)
		for round := range uint64(3) {
			for member := range n {
				report := replayed(t, c.replayConfig(round, member))
				if !report.OK || report.First != "" || len(report.Blame) > 0 || report.Kind != c.record(round).Kind {
					t.Errorf("%d members, round %d as member %d has it: %s\n%s", n, round, member, report.First, report.text())
				}
				for _, m := range report.Members {
					if !m.Ready || !m.Roster || !m.Opened || m.Late || m.Left != "" || len(m.Sums) < 2 || m.Messages < 14 {
						t.Errorf("%d members, round %d: %+v, want it to have taken part", n, round, m)
					}
				}
			}
		}
	}
}

// TestReplayWithoutTheModel leaves open what the setup round did with its totals, and says so.
func TestReplayWithoutTheModel(t *testing.T) {
	c := newCluster(t, 4, 1, 1)
	c.keep = true
	c.run(time.Minute)
	cfg := c.replayConfig(0, 0)
	cfg.Applier = nil
	report := replayed(t, cfg)
	open := slices.IndexFunc(report.Checks, func(c ReplayCheck) bool { return c.Verdict == NotChecked })
	if !report.OK || open < 0 || !strings.Contains(report.Checks[open].Found, c.record(0).WeightsOut.String()) {
		t.Errorf("%s\n%s, want one check left open that names the weights", report.First, report.text())
	}
	cfg.Applier = spoilingApplier{}
	if report = replayed(t, cfg); report.OK || !strings.Contains(report.First, "the weights come out as") {
		t.Errorf("with another model: %s\n%s, want other weights", report.First, report.text())
	}
}

type spoilingApplier struct{ testApplier }

func (a spoilingApplier) Apply(ctx context.Context, w *weights.Set, t SetupTotals) (*weights.Set, error) {
	t.Trunk[0]++
	return a.testApplier.Apply(ctx, w, t)
}

// TestReplayDropout has a member die after it sent its masked inputs.
func TestReplayDropout(t *testing.T) {
	c := afterSetup(t, 4).fork(t, 2, 1)
	c.keep = true
	c.doom = func(n *node, a Action) bool { return n.index == 0 && says(c, n, a, typeStateHead) }
	c.run(time.Minute)
	report := replayed(t, c.replayConfig(1, 2))
	if gone := report.Members[0]; !report.OK || gone.Opened || gone.Signed || !gone.Roster {
		t.Errorf("%s, %+v\n%s", report.First, gone, report.text())
	}
	if !strings.Contains(report.text(), "sum of head/two: not opened in time") {
		t.Errorf("the head that lost a member is not told about:\n%s", report.text())
	}
}

// TestReplayLateMember has the masked inputs of one member reach the coordinator after it named whose are summed.
func TestReplayLateMember(t *testing.T) {
	c := afterSetup(t, 4).fork(t, 2, 1)
	c.keep = true
	late := -1
	c.slow = func(_, to int, raw []byte) time.Duration {
		e, err := ledger.DecodeEnvelope(raw)
		if err != nil || e.Round != 1 || e.Type != typeChunk {
			return 0
		}
		leader := c.leads(0)
		if late = (leader + 1) % 4; e.From == c.genesis.Members[late].ID && to == leader {
			return 10 * time.Second
		}
		return 0
	}
	c.run(time.Minute)
	report := replayed(t, c.replayConfig(1, 0))
	if x := report.Members[late]; !report.OK || !x.Late || len(x.Sums) > 0 || !strings.Contains(x.Account, "too late") {
		t.Errorf("%s, member %d: %+v\n%s", report.First, late, x, report.text())
	}
}

// TestReplayVoid replays rounds that came to nothing, for each of the reasons that there are.
func TestReplayVoid(t *testing.T) {
	t.Run("weights of zero", func(t *testing.T) {
		c := afterSetup(t, 4).fork(t, 2, 1)
		c.keep = true
		c.spoil = func(_ uint64, u *Update) { u.Weight[ledger.TrunkGroup] = 0 }
		c.run(time.Minute)
		wantVoid(t, c, "its sum is of no use", 0, 1)
	})
	t.Run("heads of the setup round opened in vain", func(t *testing.T) {
		c := newCluster(t, 4, 1, 1)
		c.keep = true
		dead := -1
		c.doom = func(n *node, a Action) bool {
			if dead >= 0 || !says(c, n, a, typeFinal) {
				return false
			}
			dead = n.index
			return true
		}
		c.run(time.Minute)
		wantVoid(t, c, "gave the round up", (dead+1)%4, 0)
	})
	t.Run("opened shares that are lost", func(t *testing.T) {
		wantVoid(t, switchedOffRound(t, 1), "with them missing no sum can be opened", 0, 1)
	})
	t.Run("nobody has a sum in time", func(t *testing.T) {
		wantVoid(t, switchedOffRound(t, 2), "nobody had a sum when the time for voting was up", 0, 1)
	})
}

// TestReplayCanaries replays rounds that some or all members had void because of their canary sets, and one in which too few objected.
func TestReplayCanaries(t *testing.T) {
	t.Run("all object", func(t *testing.T) {
		c := watchedCluster(t, 4, 6).fork(t, 7, 2)
		c.keep, c.spoil = true, poison(6)
		c.run(time.Minute)
		wantVoid(t, c, "M0, M1, M2, M3 voted against its weights in view 0", 1, 6)
	})
	base := watchedCluster(t, 4, 1)
	object := func(t *testing.T, members ...int) *cluster {
		c := base.fork(t, 2, 3)
		c.keep, c.canary = true, objecting(members...)
		c.run(2 * time.Minute)
		c.settle(time.Second)
		return c
	}
	t.Run("two of four object", func(t *testing.T) {
		c := object(t, 0, 1)
		wantVoid(t, c, "a sum was opened, and M0, M1 voted against its weights in view 0", 3, 1)
		cfg := c.replayConfig(1, 3)
		cfg.Envelopes = slices.DeleteFunc(slices.Clone(cfg.Envelopes), func(raw []byte) bool {
			e, err := ledger.DecodeEnvelope(raw)
			return err == nil && e.Type == typePrepare && e.Seq == 0 && e.From == c.genesis.Members[1].ID
		})
		if report := replayed(t, cfg); !strings.HasPrefix(report.Why, "no sum was certified") || !strings.Contains(report.Why, "M0 voted against") {
			t.Errorf("without the vote of M1: why %q, want that the votes do not tell\n%s", report.Why, report.text())
		}
	})
	t.Run("one of four objects", func(t *testing.T) {
		c := object(t, 2)
		if report := replayed(t, c.replayConfig(1, 3)); !report.OK || report.Kind != ledger.Train {
			t.Errorf("%s round: %s\n%s", report.Kind, report.First, report.text())
		}
	})
}

// switchedOffRound is a round in which all members were switched off when that many had opened their shares.
func switchedOffRound(t *testing.T, opened int) *cluster {
	c := afterSetup(t, 4).fork(t, 3, 2)
	c.keep = true
	switchOff(t, c, typeUnmask, opened)
	return c
}

func wantVoid(t *testing.T, c *cluster, why string, member int, round uint64) {
	t.Helper()
	report := replayed(t, c.replayConfig(round, member))
	if !report.OK || report.Kind != ledger.Void || !strings.Contains(report.Why, why) {
		t.Errorf("%s round: %s; why: %q, want %q\n%s", report.Kind, report.First, report.Why, why, report.text())
	}
}

// TestReplayFragments replays rounds that summed the trunk in parts, also from chunk owners, and one whose turn was lost: it is void, and
// the next round sums the same part.
func TestReplayFragments(t *testing.T) {
	for name, owners := range map[string]int{"masked inputs to all": 0, "two owners of every chunk": 2} {
		t.Run(name, func(t *testing.T) {
			const rounds = 5
			c := streamCluster(t, 4, 3, 16, 4096, rounds)
			c.genesis.Rules.Owners, c.audits, c.keep = owners, 1, true
			c.spoil = func(round uint64, u *Update) {
				if round == 2 {
					u.Weight[ledger.TrunkGroup] = 0
				}
			}
			c.run(2 * time.Minute)
			if got, want := c.kinds(), []string{"setup", "train", "void", "train", "train"}; !slices.Equal(got, want) {
				t.Fatalf("rounds %v, want %v", got, want)
			}
			wantVoid(t, c, "its sum is of no use", 1, 2)
			for k, round := range []uint64{1, 3, 4} {
				c.movedIn(c.record(round), c.divided().Turn(uint64(k)))
				report := replayed(t, c.replayConfig(round, k))
				if x := report.Checks[len(report.Checks)-2]; !report.OK || x.What != "record and weights" || !strings.HasPrefix(x.Found, "the same bytes as certified") {
					t.Errorf("round %d: %s\n%s", round, report.First, report.text())
				}
			}
		})
	}
}
