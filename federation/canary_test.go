package federation

import (
	"fmt"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/fedlam/fedlam/federation/ledger"
	"github.com/fedlam/fedlam/training/weights"
	"pgregory.net/rapid"
)

const trunkTensor = "descriptor/repformers/w"

// watchedCluster has a canary set for the head that all members share and one that nobody shares, and has certified some rounds.
func watchedCluster(t testing.TB, n int, rounds uint64) *cluster {
	t.Helper()
	c := newCluster(t, n, rounds, 1)
	c.genesis.Heads[0].Canary, c.genesis.Heads[1].Canary = ledger.FileCID([]byte("frames")), ledger.FileCID([]byte("others"))
	c.run(time.Minute)
	return c
}

// tryCanaries answers for a trainer.
func (c *cluster) tryCanaries(n *node, a Judge) {
	e := &Judged{Round: a.Round, Record: a.Record, Errors: fakeCanary(a.Weights)}
	if c.canary != nil {
		e = c.canary(n, a)
	}
	if e != nil {
		c.answer(n, 40*time.Millisecond+c.delay(), *e)
	}
}

// fakeCanary has errors that grow as the mean of a tensor moves, which the honest updates hardly do.
func fakeCanary(w *weights.Set) map[string]CanaryError {
	mean := 0.0
	now, _ := w.Get(trunkTensor)
	first, _ := testWeights().Get(trunkTensor)
	for k, v := range now.Data {
		mean += (v - first.Data[k]) / float64(len(now.Data))
	}
	return map[string]CanaryError{"all": {0.01, 0.1 + 20*math.Abs(mean)}}
}

// poison has the member that counts most push all numbers of the tensor the same way, not further than honest updates go.
func poison(in uint64) func(round uint64, u *Update) {
	return func(round uint64, u *Update) {
		if round != in || u.Weight[ledger.TrunkGroup] != 1 {
			return
		}
		v := u.Tensors[trunkTensor]
		for k := range v {
			v[k] = 0.01
		}
	}
}

// TestCanaryStopsPoison has a member push the model where the canary set gets worse: the round is void and the next one trains. Without
// canaries, the control, the same update is certified; with canaries and without the update, too.
func TestCanaryStopsPoison(t *testing.T) {
	for _, tt := range []struct {
		name             string
		watched, poisons bool
		want             []string
	}{
		{"canaries and poison", true, true, []string{"void", "train"}},
		{"poison alone", false, true, []string{"train", "train"}},
		{"canaries alone", true, false, []string{"train", "train"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			base := newCluster(t, 4, 6, 1)
			if tt.watched {
				base = watchedCluster(t, 4, 6)
			} else {
				base.run(time.Minute)
			}
			c := base.fork(t, 8, 2)
			if tt.poisons {
				c.spoil = poison(6)
			}
			c.run(time.Minute)
			if got := c.kinds()[6:]; !slices.Equal(got, tt.want) {
				t.Errorf("rounds %v, want %v", got, tt.want)
			}
			told := strings.Count(strings.Join(c.audit.story, "\n"), "votes to leave the weights as they are: the force error on the canary set of head all is")
			if (told > 0) != (tt.want[0] == "void") {
				t.Errorf("%d members gave the reason", told)
			}
			if tt.want[0] == "void" {
				before, after := c.record(6), c.record(7)
				if !before.WeightsOut.Equals(before.WeightsIn) || !after.WeightsIn.Equals(before.WeightsIn) || after.WeightsOut.Equals(after.WeightsIn) {
					t.Errorf("weights went %s, %s, %s", before.WeightsIn, before.WeightsOut, after.WeightsOut)
				}
			}
		})
	}
}

// TestCanaryHistory runs more rounds than are remembered, with members that restart, and one whose trainer is slow: all remember the same.
func TestCanaryHistory(t *testing.T) {
	c := watchedCluster(t, 4, 10).fork(t, 20, 3)
	c.stop = 20
	slow := c.nodes[3]
	c.canary = func(n *node, a Judge) *Judged {
		e := Judged{Round: a.Round, Record: a.Record, Errors: fakeCanary(a.Weights)}
		e.Errors["own"] = CanaryError{1, 1} // no shared head: it does not count
		if n == slow && a.Round < 19 {
			c.answer(n, 300*time.Millisecond, e)
			return nil
		}
		return &e
	}
	c.run(2 * time.Minute)
	c.settle(time.Second)
	want, err := decodeCanaries(c.nodes[0].disk[canaryKey])
	if err != nil || len(want) != canaryRounds || want[0].round != 4 || want[canaryRounds-1].round != 19 || len(want[0].errors) != 1 {
		t.Fatalf("history %v, %v; want rounds 4 to 19 of one head", want, err)
	}
	for _, n := range c.nodes {
		got, err := decodeCanaries(n.disk[canaryKey])
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("M%d remembers %v, %v; want %v", n.index, got, err, want)
		}
		for key := range n.disk {
			if strings.HasPrefix(key, canaryPrefix) {
				t.Errorf("M%d keeps %s after the round", n.index, key)
			}
		}
	}
	if kinds := c.kinds(); slices.Contains(kinds, "void") {
		t.Errorf("rounds %v", kinds)
	}
}

// TestCanaryWithoutAnswer has trainers fail, or never answer: members vote as if there were no canaries.
func TestCanaryWithoutAnswer(t *testing.T) {
	base := watchedCluster(t, 4, 6)
	for _, tt := range []struct {
		name   string
		answer func(a Judge) *Judged
		say    string
	}{
		{"failure", func(a Judge) *Judged { return &Judged{Round: a.Round, Record: a.Record, Failure: "no memory"} }, "votes without them: no memory"},
		{"silence", func(Judge) *Judged { return nil }, "takes too long"},
		{"no head", func(a Judge) *Judged { return &Judged{Round: a.Round, Record: a.Record} }, "was not evaluated"},
		{"another record", func(a Judge) *Judged {
			return &Judged{Round: a.Round, Record: ledger.NoState(), Errors: map[string]CanaryError{"all": {math.NaN(), 0}}}
		}, "takes too long"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := base.fork(t, 8, 4)
			c.canary = func(_ *node, a Judge) *Judged { return tt.answer(a) }
			c.run(2 * time.Minute)
			if got := c.kinds()[6:]; !slices.Equal(got, []string{"train", "train"}) {
				t.Errorf("rounds %v", got)
			}
			if !strings.Contains(strings.Join(c.audit.story, "\n"), tt.say) {
				t.Errorf("nobody was told: %s", tt.say)
			}
		})
	}
}

// TestCanaryRestart kills members while the canary sets are evaluated and around their votes: the round is void all the same.
func TestCanaryRestart(t *testing.T) {
	base := watchedCluster(t, 4, 6)
	for _, tt := range []struct {
		name string
		at   func(c *cluster, n *node, a Action) bool
		all  bool
	}{
		{"one, while its trainer works", func(_ *cluster, _ *node, a Action) bool { _, ok := a.(Judge); return ok }, false},
		{"all, while a trainer works", func(_ *cluster, _ *node, a Action) bool { _, ok := a.(Judge); return ok }, true},
		{"one, about to vote", func(c *cluster, n *node, a Action) bool { return says(c, n, a, typePrepare) }, false},
		{"all, when one is about to vote", func(c *cluster, n *node, a Action) bool { return says(c, n, a, typePrepare) }, true},
		{"all, when one is about to commit", func(c *cluster, n *node, a Action) bool { return says(c, n, a, typeCommit) }, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := base.fork(t, 8, 5)
			c.spoil = poison(6)
			done := false
			c.doom = func(n *node, a Action) bool {
				if r := n.machine.r; done || r == nil || r.number != 6 || !tt.at(c, n, a) {
					return false
				}
				done, n.revive = true, 200*time.Millisecond
				for _, other := range c.nodes {
					if tt.all && other != n && other.machine != nil {
						other.revive = time.Duration(100+50*other.index) * time.Millisecond
						c.kill(other)
					}
				}
				return true
			}
			c.run(5 * time.Minute)
			if got := c.kinds()[6:]; !done || !slices.Equal(got, []string{"void", "train"}) {
				t.Errorf("killed: %v, rounds %v", done, got)
			}
		})
	}
}

// TestCanaryVerdictOutlivesRestart restarts a member that objected, and looks at what it thinks before anything was computed anew.
func TestCanaryVerdictOutlivesRestart(t *testing.T) {
	c := watchedCluster(t, 4, 6).fork(t, 7, 5)
	c.spoil = poison(6)
	var record string
	c.doom = func(n *node, a Action) bool {
		if p, ok := a.(Persist); ok && len(p.Set) == 1 && strings.HasPrefix(string(p.Set[0].Key), canaryPrefix) && record == "" {
			record = strings.TrimPrefix(string(p.Set[0].Key), canaryPrefix)
			c.carryOut(n, a)
			return true
		}
		return false
	}
	c.run(time.Minute)
	for _, n := range c.nodes {
		if n.machine != nil {
			continue
		}
		for _, other := range c.nodes { // nobody tells it how the round ended
			c.kill(other)
		}
		c.start(n)
		c.settle(50 * time.Millisecond)
		found := false
		for record, v := range n.machine.r.verdicts {
			found = found || v.fault != "" && n.machine.objects(record)
		}
		if !found {
			t.Errorf("M%d has forgotten what it thinks of %s: %v", n.index, record, n.machine.r.verdicts)
		}
		return
	}
	t.Error("nobody was killed")
}

// TestCanaryOpinions lets any members find the canary set bad, any that a quorum can miss be away or die and come back, trainers be slow or silent, and
// messages get lost. The round ends with the same record for all, and the next one trains. When nobody is away, more objections
// than can be dishonest make it void, and none or fewer than that do not.
func TestCanaryOpinions(t *testing.T) {
	limitChecks(t, "15")
	bases := map[int]*cluster{}
	for n := 3; n <= 7; n++ {
		bases[n] = watchedCluster(t, n, 1)
	}
	rapid.Check(t, func(rt *rapid.T) {
		n := rapid.IntRange(3, 7).Draw(rt, "members")
		c := bases[n].fork(t, 3, rapid.Uint64().Draw(rt, "seed"))
		bad := rapid.Uint8Range(0, 1<<n-1).Draw(rt, "who finds it bad")
		patience := rapid.SampledFrom([]time.Duration{0, 300 * time.Millisecond, 4 * time.Second, -1}).Draw(rt, "delay of some trainers, or silence")
		slow := rapid.Uint8Range(0, 1<<n-1).Draw(rt, "which trainers")
		trouble := rapid.SampledFrom([]string{"none", "away", "restart", "loss"}).Draw(rt, "trouble")
		objections := 0
		for i := range n {
			objections += int(bad >> i & 1)
		}
		c.canary = func(v *node, a Judge) *Judged {
			e := &Judged{Round: a.Round, Record: a.Record, Errors: map[string]CanaryError{"all": {0.01, 0.1}}}
			if a.Round == 1 && bad>>v.index&1 == 1 {
				e.Errors["all"] = CanaryError{math.NaN(), 0.1}
			}
			if slow>>v.index&1 == 1 && patience != 0 {
				if patience > 0 {
					c.answer(v, patience, *e)
				}
				return nil
			}
			return e
		}
		spare := n - ledger.Quorum(n)
		lost := 0
		c.doom = func(v *node, a Action) bool {
			_, judges := a.(Judge)
			switch {
			case !judges || lost >= spare || a.(Judge).Round != 1:
				return false
			case trouble == "away":
				lost++
				return true
			case trouble == "restart":
				lost, v.revive = lost+1, 400*time.Millisecond
				return true
			}
			return false
		}
		if trouble == "loss" {
			c.slow = func(int, int, []byte) time.Duration { return -time.Duration(c.random.IntN(6) / 5) }
		}
		c.run(15 * time.Minute)
		kinds := c.kinds()[1:]
		if kinds[1] != "train" {
			rt.Errorf("rounds %v, want at most one lost", kinds)
		}
		if trouble == "none" && patience >= 0 {
			want := "train"
			if objections > spare {
				want = "void"
			}
			if kinds[0] != want {
				rt.Errorf("%d of %d object: %s, want %s", objections, n, kinds[0], want)
			}
		}
		if t.Failed() {
			rt.Fatalf("see above")
		}
	})
}

// TestCanaryDisagreement goes through every division of four and five members: what decides is whether more object than can be dishonest, also
// when one that does not is away.
func TestCanaryDisagreement(t *testing.T) {
	t.Parallel()
	for n := 4; n <= 5; n++ {
		base := watchedCluster(t, n, 1)
		for objecting := range n + 1 {
			for away := range 2 {
				if away+objecting > n {
					continue
				}
				t.Run(fmt.Sprintf("%d of %d object, %d away", objecting, n, away), func(t *testing.T) {
					c := base.fork(t, 3, uint64(objecting))
					c.canary = func(v *node, a Judge) *Judged {
						e := &Judged{Round: a.Round, Record: a.Record, Errors: map[string]CanaryError{"all": {0.01, 0.1}}}
						if a.Round == 1 && v.index < objecting {
							e.Errors["all"] = CanaryError{0.01, math.Inf(1)}
						}
						return e
					}
					c.doom = func(v *node, a Action) bool { _, ok := a.(Judge); return ok && v.index >= n-away }
					c.run(5 * time.Minute)
					want := []string{"train", "train"}
					if objecting > n-ledger.Quorum(n) {
						want[0] = "void"
					}
					if got := c.kinds()[1:]; !slices.Equal(got, want) {
						t.Errorf("rounds %v, want %v", got, want)
					}
				})
			}
		}
	}
}
