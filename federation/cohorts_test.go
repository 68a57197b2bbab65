package federation

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/fedlam/fedlam/federation/ledger"
	"github.com/fedlam/fedlam/federation/secagg"
	"github.com/fedlam/fedlam/training/weights"
	"github.com/ipfs/go-cid"
)

// cohortCluster divides the trunk and the head "all" into cohorts of four members.
func cohortCluster(t *testing.T, n int, rounds uint64, change func(*ledger.Genesis)) *cluster {
	t.Helper()
	c := newCluster(t, n, rounds, 1, func(g *ledger.Genesis, w *weights.Set) {
		g.Rules.MinCohort, g.Rules.Cohorts, g.Rules.Robust = 2, n/4, "median"
		w.Put(weights.Tensor{Name: "descriptor/more", Shape: []int{2048}, Data: make([]float64, 2048)})
		if change != nil {
			change(g)
		}
	})
	return c
}

// division lists the cohorts of the trunk in the round that a machine is in, when everybody takes part.
func division(m *Machine) (out [][]int) {
	var all []int
	for i := range m.epoch.Members {
		all = append(all, i)
	}
	for _, cohort := range m.cohorts(ledger.TrunkGroup, all, all, m.rules.MinCohort) {
		out = append(out, cohort.Members)
	}
	return out
}

// decoded reads a file of weights that some member has.
func (c *cluster) decoded(file cid.Cid) *weights.Set {
	c.t.Helper()
	for _, n := range c.nodes {
		if data := n.blocks[file]; data != nil {
			set, err := decodeFile(file, data, maxFile)
			if err != nil {
				c.t.Fatal(err)
			}
			return set
		}
	}
	c.t.Fatalf("nobody has %s", file)
	return nil
}

// TestCohorts has members die when they are about to send what they masked. Sums of cohorts, which the cluster compares bit by bit with what members contributed,
// go on without them; a cohort of which too few are left is not in the sum; and where that leaves too few altogether, the next attempt
// is made with one sum over all. Every round can be replayed.
func TestCohorts(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name     string
		n, die   int // who dies: that many of one cohort, in round 1
		bits     int
		rows     int
		attempt  uint64
		summed   int // members in the sum of round 1
		robustly bool
	}{
		{"nobody dies, 32 bits", 12, 0, 32, 0, 0, 12, true},
		{"nobody dies, 16 bits, norms audited", 12, 0, 16, 64, 0, 12, true},
		{"one dies", 12, 1, 32, 64, 0, 11, true},
		{"a cohort is too small", 16, 2, 16, 0, 0, 12, true},
		{"too few cohorts", 12, 2, 32, 0, 1, 10, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c := cohortCluster(t, tt.n, 3, func(g *ledger.Genesis) { g.Rules.LaneBits, g.Rules.AuditRows = tt.bits, tt.rows })
			c.keep = true
			var doomed []int
			c.doom = func(n *node, a Action) bool {
				if n.machine.r == nil || n.machine.r.number != 1 || !says(c, n, a, typeMasked) {
					return false
				}
				if doomed == nil { // some of a cohort that is not the coordinator's
					cohorts, leader := division(n.machine), n.machine.coordinator(0)
					k := slices.IndexFunc(cohorts, func(list []int) bool { return !slices.Contains(list, leader) })
					doomed = cohorts[k][:tt.die]
				}
				return slices.Contains(doomed, n.index)
			}
			c.run(3 * time.Minute)
			c.settle(time.Second)
			if testing.Verbose() {
				t.Log(strings.Join(c.audit.story, "\n"))
			}
			r := c.record(1)
			if got := len(r.Groups[0].Survivors); r.Kind != ledger.Train || got != tt.summed || r.Attempt != tt.attempt {
				t.Errorf("round 1 is %s in attempt %d over %d members, want a sum in attempt %d over %d", r.Kind, r.Attempt, got, tt.attempt, tt.summed)
			}
			alive := slices.IndexFunc(c.nodes, func(n *node) bool { return n.machine != nil })
			for round := range uint64(3) {
				report := replayed(t, c.replayConfig(round, alive))
				divided := slices.ContainsFunc(report.Checks, func(c ReplayCheck) bool {
					return c.What == "sum of trunk" && strings.Contains(c.Found, "cohort 2 is summed apart")
				})
				if !report.OK || round == 1 && divided != tt.robustly {
					t.Errorf("round %d: divided %v; %s\n%s", round, divided, report.First, report.text())
				}
			}
		})
	}
}

// TestPoisonedDirection has one of twelve members push one weight as far as its lane allows, which no audit of norms minds. With the median
// of three cohorts that weight moves no further than honest members move it; in one sum over all, the control, it is far off.
func TestPoisonedDirection(t *testing.T) {
	t.Parallel()
	const at = 5 // lane
	moved := func(cohorts int, poison bool) float64 {
		c := cohortCluster(t, 12, 2, func(g *ledger.Genesis) {
			g.Rules.FirstScale = 1
			if g.Rules.Cohorts = cohorts; cohorts == 0 {
				g.Rules.Robust = ""
			}
		})
		c.tamper = func(n int, x Contribution) {
			if poison && n == 0 && x.Round == 1 && x.Group == ledger.TrunkGroup {
				x.Lanes[at] = 32767 * 255
			}
		}
		c.run(time.Minute)
		if kinds := c.kinds(); !slices.Equal(kinds, []string{"setup", "train"}) {
			t.Fatalf("rounds %v", kinds)
		}
		before, after := c.decoded(c.record(1).WeightsIn), c.decoded(c.record(1).WeightsOut)
		all, err := NewLayout(before, []string{"all", "two"}, c.record(0).Elements, 2)
		if err != nil {
			t.Fatal(err)
		}
		slice := all.Slices(ledger.TrunkGroup)[0]
		x, _ := before.Get(slice.Tensor)
		y, _ := after.Get(slice.Tensor)
		return math.Abs(y.Data[slice.From+at] - x.Data[slice.From+at])
	}
	honest, stopped, plain := moved(3, false), moved(3, true), moved(0, true)
	t.Logf("the weight moves by %.3g in an honest round, %.3g with the median of cohorts, %.3g with the mean", honest, stopped, plain)
	if stopped > 0.03 {
		t.Errorf("the poisoned weight moved by %.3g, want no more than honest members' updates of 0.01 can move it", stopped)
	}
	if plain < 10*stopped {
		t.Errorf("control: without cohorts the weight moved by %.3g: the attack does not work, so nothing was tested", plain)
	}
}

// TestBrokenCohort has one of sixteen members send a number that no member can have: its cohort is left out of the median, and the round goes on. In
// one sum over all, the control, the round is void.
func TestBrokenCohort(t *testing.T) {
	t.Parallel()
	for _, cohorts := range []int{4, 0} {
		c := cohortCluster(t, 16, 2, func(g *ledger.Genesis) {
			if g.Rules.Cohorts = cohorts; cohorts == 0 {
				g.Rules.Robust = ""
			}
		})
		c.audit.alarms = []string{}
		c.tamper = func(n int, x Contribution) {
			if n == 3 && x.Round == 1 && x.Group == ledger.TrunkGroup {
				x.Lanes[7] = 1 << 30
			}
		}
		c.run(time.Minute)
		want, told := ledger.Void, false
		if cohorts > 0 {
			want = ledger.Train
		}
		for _, line := range c.audit.story {
			told = told || strings.Contains(line, "of trunk, 4 members, is left out: ")
		}
		if got := c.record(1).Kind; got != want || told != (cohorts > 0) {
			t.Errorf("%d cohorts: round 1 is %s, want %s; told %v", cohorts, got, want, told)
		}
	}
}

// TestJoinThin looks at which cohorts are put together when members are away.
func TestJoinThin(t *testing.T) {
	parts := func() [][]int { return [][]int{{0, 1, 2, 3}, {4, 5, 6, 7}, {8, 9, 10, 11}, {12, 13, 14, 15}} }
	for _, tt := range []struct {
		away []int
		want string
	}{
		{nil, "[[0 1 2 3] [4 5 6 7] [8 9 10 11] [12 13 14 15]]"},
		{[]int{0, 5, 10, 15}, "[[0 1 2 3] [4 5 6 7] [8 9 10 11] [12 13 14 15]]"},
		{[]int{4, 5}, "[[0 1 2 3] [8 9 10 11 4 5 6 7] [12 13 14 15]]"},
		{[]int{12, 13}, "[[0 1 2 3 12 13 14 15] [4 5 6 7] [8 9 10 11]]"},
		{[]int{0, 1, 4, 5}, "[[12 13 14 15 8 9 10 11 4 5 6 7 0 1 2 3]]"},
		{[]int{0, 1, 2, 3, 4, 5}, "[[12 13 14 15 8 9 10 11 4 5 6 7 0 1 2 3]]"},
	} {
		var roster []int
		for i := range 16 {
			if !slices.Contains(tt.away, i) {
				roster = append(roster, i)
			}
		}
		if got := fmt.Sprint(joinThin(parts(), roster, 2)); got != tt.want {
			t.Errorf("away %v: %s, want %s", tt.away, got, tt.want)
		}
	}
}

// TestOwnersPolicyInCohorts has an owner who demands larger sums than a cohort can give: the member sends nothing, and says why.
func TestOwnersPolicyInCohorts(t *testing.T) {
	s := &session{members: []int{0, 1, 2, 3, 4, 5}, self: 4}
	s.public.Cohorts = []secagg.Cohort{{Members: []int{0, 1, 2}, Least: 3}, {Members: []int{3, 4, 5}, Least: 3}}
	if got := s.ownCohorts(2); got[1].Least != 3 {
		t.Errorf("least sums %v", got)
	}
	if s.ownCohorts(4) != nil {
		t.Error("a member agrees to a sum that is smaller than its owner's policy")
	}
	c := cohortCluster(t, 12, 1, nil)
	cfg := Config{Genesis: c.genesis, Key: testKey(0), Policy: Policy{MinCohort: 5}, SetupTrunk: setupTrunk, SetupHead: setupHead, Random: &stream{}}
	if _, err := New(cfg); err == nil || !strings.Contains(err.Error(), "cohorts of 4") {
		t.Errorf("a member that wants sums over five starts in a federation with cohorts of four: %v", err)
	}
	cfg.Policy.MinCohort = 4
	if _, err := New(cfg); err != nil {
		t.Error(err)
	}
	s.public.Cohorts[1] = secagg.Cohort{Members: []int{3, 4, 5}, Least: 2}
	if got := s.ownCohorts(3); got[1].Least != 3 || s.public.Cohorts[1].Least != 2 {
		t.Errorf("least sums %v; those of the others are %v", got, s.public.Cohorts)
	}
}
