package federation

import (
	"bytes"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/fedlam/fedlam/federation/ledger"
	"github.com/fedlam/fedlam/training/weights"
)

func TestHappyRounds(t *testing.T) {
	t.Parallel()
	for k := range 6 {
		n, bits := 3+k%3, []int{32, 16}[k/3]
		t.Run(fmt.Sprintf("n=%d, %d bits", n, bits), func(t *testing.T) {
			c := newCluster(t, n, 4, uint64(n), func(g *ledger.Genesis, _ *weights.Set) { g.Rules.LaneBits = bits })
			c.run(time.Minute)
			if got, want := c.kinds(), []string{"setup", "train", "train", "train"}; !slices.Equal(got, want) {
				t.Errorf("rounds %v, want %v", got, want)
			}
			for k := range uint64(4) {
				if r := c.record(k); r.Attempt != 0 || len(r.Groups) != 3 || len(r.Groups[0].Survivors) != n || len(r.Groups[2].Survivors) != 2 {
					t.Errorf("round %d, attempt %d: sums %+v; want trunk and head all over %d members, head two over 2", k, r.Attempt, r.Groups, n)
				}
			}
		})
	}
}

// TestSetupTotals compares what every member opened with the sums that the test knows, to the last bit.
func TestSetupTotals(t *testing.T) {
	c := newCluster(t, 4, 1, 1)
	c.run(time.Minute)
	var want SetupSums
	for i := range 4 {
		s := (&fakeTrainer{index: i, n: 4}).collect()
		want.Trunk = addTo(want.Trunk, s.Trunk)
	}
	if len(c.audit.sums) != 4 {
		t.Fatalf("%d members opened the statistics, want 4", len(c.audit.sums))
	}
	for _, got := range c.audit.sums {
		if !slices.Equal(got.Trunk, want.Trunk) || !slices.Equal(got.Elements, []uint64{4, 2}) || got.Heads["two"][1] != -16*(3+4) {
			t.Errorf("totals %+v, want trunk %v, elements [4 2]", got, want.Trunk)
		}
	}
	if r := c.record(0); !slices.Equal(r.Elements, []uint64{4, 2}) {
		t.Errorf("the record counts elements %v, want [4 2]", r.Elements)
	}
}

func addTo(sum, v []float64) []float64 {
	if sum == nil {
		return slices.Clone(v)
	}
	for k := range sum {
		sum[k] += v[k]
	}
	return sum
}

// TestOuterStep compares certified weights with the weighted mean of the known updates, up to quantisation.
func TestOuterStep(t *testing.T) {
	outerStep(t, 32, 1e-6)
	outerStep(t, 16, 3e-5) // steps of 1.3e-5, rounded at random
}

func outerStep(t *testing.T, bits int, tolerance float64) {
	c := newCluster(t, 4, 2, 1, func(g *ledger.Genesis, _ *weights.Set) {
		g.Rules.Outer, g.Rules.Rate, g.Rules.LaneBits = ledger.OuterFedAvg, 1, bits
	})
	c.run(time.Minute)
	r := c.record(1)
	before, after := c.file(r.WeightsIn), c.file(r.WeightsOut)
	for name, members := range map[string]int{"descriptor/repformers/w": 4, "heads/two/fitting/nets/0/layers/0/@variables/w": 2} {
		w, _ := before.Get(name)
		got, _ := after.Get(name)
		for k := range w.Data {
			sum, total := 0.0, 0.0
			for i := range members {
				u := (&fakeTrainer{index: i}).train(1, before)
				weight := 1.0
				if members == 4 {
					weight = u.Weight[ledger.TrunkGroup]
				}
				sum += weight * float64(u.Tensors[name][k])
				total += weight
			}
			if want := w.Data[k] - sum/total; math.Abs(got.Data[k]-want) > tolerance {
				t.Fatalf("%d bits: %s[%d] = %v, want %v within %g", bits, name, k, got.Data[k], want, tolerance)
			}
		}
	}
	for _, name := range []string{"descriptor/repinit_variable/@variables/davg", "heads/all/@variables/out_bias"} {
		w, _ := before.Get(name)
		if got, _ := after.Get(name); !slices.Equal(got.Data, w.Data) {
			t.Errorf("training moved %s", name)
		}
	}
}

// TestClosedGroups raises the minimum to three: the head of two members is not shared any more, and the row of the element
// that two members have stays as it was.
func TestClosedGroups(t *testing.T) {
	c := newCluster(t, 4, 3, 1, func(g *ledger.Genesis, w *weights.Set) {
		g.Rules.MinGroup = 3
		for _, name := range w.Names() {
			if strings.HasPrefix(name, "heads/two/") {
				w.Delete(name)
			}
		}
	})
	c.run(time.Minute)
	r := c.record(2)
	for _, g := range r.Groups {
		if g.Name != ledger.TrunkGroup && g.Name != ledger.HeadGroup("all") {
			t.Errorf("the sum of %s was opened", g.Name)
		}
	}
	before, _ := c.file(c.genesis.Weights).Get(elementRows)
	after, _ := c.file(r.WeightsOut).Get(elementRows)
	if slices.Equal(after.Data[:3], before.Data[:3]) || !slices.Equal(after.Data[3:], before.Data[3:]) {
		t.Errorf("element rows %v after %v: want the first to move and the second not", after.Data, before.Data)
	}
}

// TestHeadLosesMember has a member of a two-member head die after it sent its masked inputs: the head keeps its weights, and
// the trunk goes on without waiting for the dead.
func TestHeadLosesMember(t *testing.T) {
	c := afterSetup(t, 4).fork(t, 2, 1)
	c.doom = func(n *node, a Action) bool {
		b, ok := a.(Broadcast)
		if !ok || n.index != 0 {
			return false
		}
		e, err := ledger.DecodeEnvelope(b.Envelopes[0])
		return err == nil && e.Type == typeStateHead
	}
	c.run(time.Minute)
	r := c.record(1)
	if r.Kind != ledger.Train || len(r.Groups) != 2 || r.Groups[1].Name != ledger.HeadGroup("all") || r.Attempt != 0 {
		t.Errorf("%s round, attempt %d, sums %+v; want trunk and head all in the first attempt", r.Kind, r.Attempt, r.Groups)
	}
	const name = "heads/two/fitting/nets/0/layers/0/@variables/w"
	before, _ := c.file(r.WeightsIn).Get(name)
	if after, _ := c.file(r.WeightsOut).Get(name); !slices.Equal(after.Data, before.Data) {
		t.Error("the head that lost a member moved")
	}
}

// TestZeroWeights has nobody count: the sum opens, is of no use, and the round is void.
func TestZeroWeights(t *testing.T) {
	c := afterSetup(t, 4).fork(t, 3, 1)
	c.spoil = func(round uint64, u *Update) {
		if round == 1 {
			u.Weight[ledger.TrunkGroup] = 0
		}
	}
	c.run(time.Minute)
	if got, want := c.kinds()[1:], []string{"void", "train"}; !slices.Equal(got, want) {
		t.Errorf("rounds %v, want %v", got, want)
	}
}

// TestDivergedMember has one member train to NaN: it adds nothing, and the others go on.
func TestDivergedMember(t *testing.T) {
	c := afterSetup(t, 4).fork(t, 2, 1)
	first := true
	c.spoil = func(_ uint64, u *Update) {
		if first {
			first = false
			u.Tensors["descriptor/repformers/w"][3] = float32(math.NaN())
		}
	}
	c.run(time.Minute)
	if r := c.record(1); r.Kind != ledger.Train || len(r.Groups[0].Survivors) != 3 {
		t.Errorf("%s round over members %v, want three", r.Kind, r.Groups[0].Survivors)
	}
}

// TestLateMember is away for four rounds and catches up.
func TestLateMember(t *testing.T) {
	c := newCluster(t, 4, 5, 1)
	c.stop = 5
	late := c.nodes[3]
	c.doom = func(n *node, a Action) bool {
		_, isTrain := a.(Train)
		if n == late && n.life == 1 && isTrain {
			n.revive = time.Minute
			return true
		}
		return false
	}
	c.run(2 * time.Minute)
	if s := late.machine.Status(); late.life != 2 || s.Finished != 5 || !s.Done {
		t.Errorf("life %d, status %+v; want the second life with 5 rounds, done", late.life, s)
	}
	c.settle(time.Second)
	if s := c.nodes[0].machine.Status(); len(s.Behind) > 0 {
		t.Errorf("members %v are behind after all finished", s.Behind)
	}
	installed, err := encodeFile(late.trainer.installed)
	if err != nil || !installed.CID.Equals(c.record(4).WeightsOut) {
		t.Errorf("its trainer has weights %s, want those of round 4", installed.CID)
	}
}

// TestFork shows a member another certified history: it halts and keeps the proof.
func TestFork(t *testing.T) {
	base := newCluster(t, 4, 1, 1)
	base.run(time.Minute)
	other := newCluster(t, 4, 1, 2)
	other.run(time.Minute)
	n := base.nodes[0]
	foreign := Finished{Record: other.nodes[0].disk[string(RecordKey(0))], Certificate: other.nodes[0].disk[string(CertificateKey(0))]}
	if bytes.Equal(foreign.Record, n.disk[string(RecordKey(0))]) {
		t.Fatal("both histories are the same, the test shows nothing")
	}
	actions := n.machine.Step(Rounds{From: base.genesis.Members[1].ID, Rounds: []Finished{foreign}})
	if _, ok := actions[len(actions)-1].(Halt); !ok || n.machine.Step(Tick{time.Unix(2e9, 0)}) != nil {
		t.Errorf("actions %v, want a Halt and silence afterwards", actions)
	}
}

func TestNewRefuses(t *testing.T) {
	c := newCluster(t, 4, 1, 1)
	c.run(time.Minute)
	good := Config{Genesis: c.genesis, Key: testKey(0), Random: &stream{}, Policy: Policy{MinCohort: 2}, SetupTrunk: setupTrunk, SetupHead: setupHead}
	if _, err := New(good); err != nil {
		t.Fatalf("the good one: %v", err)
	}
	for _, tt := range []struct {
		name  string
		spoil func(c *Config)
		say   string
	}{
		{"a stranger's key", func(c *Config) { c.Key = testKey(9) }, "not in the genesis"},
		{"a policy that demands more members than there are", func(c *Config) { c.Policy.MinCohort = 5 }, "min_cohort"},
		{"no policy, which means five", func(c *Config) { c.Policy.MinCohort = 0 }, "min_cohort"},
		{"no randomness", func(c *Config) { c.Random = nil }, "Random"},
		{"a spoiled record in the log", func(cfg *Config) {
			record := bytes.Clone(c.nodes[0].disk[string(RecordKey(0))])
			record[50] ^= 1
			cfg.Log = []Entry{{RecordKey(0), record}, {CertificateKey(0), c.nodes[0].disk[string(CertificateKey(0))]}}
		}, "restore"},
	} {
		cfg := good
		tt.spoil(&cfg)
		if _, err := New(cfg); err == nil || !strings.Contains(err.Error(), tt.say) {
			t.Errorf("%s: %v, want an error with %q", tt.name, err, tt.say)
		}
	}
}

func TestOwnerIsTold(t *testing.T) {
	c := newCluster(t, 3, 1, 1)
	c.run(time.Minute)
	story := strings.Join(c.audit.story, "\n")
	for _, want := range []string{
		"M0 round 0: head two: " + TwoMemberNotice, "M1 round 0: head two: " + TwoMemberNotice,
		"M2 round 0: head own has 1 of the 2 members", "only 3 members",
	} {
		if !strings.Contains(story, want) {
			t.Errorf("nobody was told: %s", want)
		}
	}
	if strings.Contains(story, "M2 round 0: head two") {
		t.Error("a member was told about a head that it does not use")
	}
}

// TestWrongFile answers a Fetch with other bytes.
func TestWrongFile(t *testing.T) {
	c := newCluster(t, 4, 1, 1)
	m, err := New(Config{Genesis: c.genesis, Key: testKey(0), Random: &stream{}, Policy: Policy{MinCohort: 2}, SetupTrunk: setupTrunk, SetupHead: setupHead})
	if err != nil {
		t.Fatal(err)
	}
	m.Step(Tick{time.Unix(1e9, 0)})
	actions := m.Step(Fetched{c.first.CID, []byte("something else")})
	if f, ok := actions[len(actions)-1].(Fetch); !ok || !f.CID.Equals(c.first.CID) {
		t.Errorf("actions %v, want another Fetch", actions)
	}
	actions = m.Step(Fetched{c.first.CID, c.first.Data})
	if !slices.ContainsFunc(actions, func(a Action) bool { _, ok := a.(CollectSetup); return ok }) {
		t.Errorf("actions %v, want the round to begin", actions)
	}
}
