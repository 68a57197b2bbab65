package federation

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/fedlam/fedlam/federation/ledger"
	"github.com/fedlam/fedlam/training/weights"
)

// A streamTrainer trains on across rounds, and keeps account of what it did with every number.
type streamTrainer struct {
	index  int
	local  *weights.Set
	lead   Lead
	moves  int
	passed map[string][]float64 // minus what was trained, by tensor
	handed map[string][]float64 // the same when it was last handed over
	update map[string][]float32 // that was handed over
	sent   map[string][]float64 // the updates in certified sums, added up
	resets int                  // Merges that took certified weights as they are
}

// newStreamTrainer returns nil without fragments.
func newStreamTrainer(index int, rules *ledger.Rules) *streamTrainer {
	if !rules.Streams() {
		return nil
	}
	return &streamTrainer{index: index}
}

// train is what the driver does for Train.
func (n *node) train(a Train) Update {
	if n.stream == nil {
		return n.trainer.train(a.Round, a.Weights)
	}
	return n.stream.continued(a.Weights)
}

// move trains a little: numbers of the trunk and of the heads, differently at every member, with much in common.
func (s *streamTrainer) move() {
	s.moves++
	for _, t := range s.local.Tensors() {
		for k := range t.Data {
			x := math.Sin(float64(k+1)*1.7) + 0.5*math.Cos(float64(k+s.index)*0.3+float64(s.moves)*(1+float64(s.index)))
			t.Data[k] -= 0.001 * x
			s.passed[t.Name][k] += 0.001 * x
		}
	}
}

func (s *streamTrainer) continued(w *weights.Set) Update {
	s.move()
	s.lead.HandOver(s.local)
	u := Update{Tensors: map[string][]float32{}, Weight: map[string]float64{ledger.TrunkGroup: 1 / float64(s.index+1), ledger.HeadGroup("all"): 0.5}}
	for _, t := range w.Tensors() {
		mine, _ := s.local.Get(t.Name)
		v := make([]float32, len(t.Data))
		for k := range v {
			v[k] = float32(t.Data[k] - mine.Data[k])
		}
		u.Tensors[t.Name] = v
		s.handed[t.Name] = slices.Clone(s.passed[t.Name])
	}
	s.update = maps.Clone(u.Tensors)
	return u
}

// merge is what the driver does for Install.
func (s *streamTrainer) merge(a Install) {
	if s == nil {
		return
	}
	if s.local == nil {
		s.local, s.resets = a.Weights.Clone(), s.resets+1
		s.passed, s.handed, s.sent = map[string][]float64{}, map[string][]float64{}, map[string][]float64{}
		for _, t := range a.Weights.Tensors() {
			s.passed[t.Name], s.sent[t.Name] = make([]float64, len(t.Data)), make([]float64, len(t.Data))
		}
	}
	for _, x := range a.Taken {
		for k := x.From; k < x.From+x.Len && s.update != nil; k++ {
			s.sent[x.Tensor][k] += float64(s.update[x.Tensor][k])
		}
	}
	s.local = s.lead.Merge(s.local, a.Weights, a.Taken)
}

const long = "descriptor/more"

// streamCluster has a trunk of some length, and sums it in fragments.
func streamCluster(t testing.TB, n, fragments, bits, length int, rounds uint64) *cluster {
	t.Helper()
	return newCluster(t, n, rounds, uint64(fragments), func(g *ledger.Genesis, w *weights.Set) {
		g.Rules.Fragments, g.Rules.LaneBits, g.Rules.Outer, g.Rules.Rate = fragments, bits, ledger.OuterFedAvg, 1
		data := make([]float64, length)
		for k := range data {
			data[k] = float64(float32(math.Sin(float64(k))))
		}
		w.Put(weights.Tensor{Name: long, Shape: []int{length}, Data: data})
	})
}

// divided returns the layout of the cluster's training rounds.
func (c *cluster) divided() *Layout {
	c.t.Helper()
	setup := c.record(0)
	m := c.nodes[0].machine
	l, err := m.layOut(c.file(setup.WeightsOut), setup.Elements)
	if err != nil {
		c.t.Fatal(err)
	}
	return l
}

// movedIn says for every number of the trunk whether it is not as it was, and fails the test if one of the others is not.
func (c *cluster) movedIn(r *ledger.Round, l *Layout) map[string][]bool {
	c.t.Helper()
	before, after := c.file(r.WeightsIn), c.file(r.WeightsOut)
	moved, may := map[string][]bool{}, map[string][]bool{}
	for _, t := range before.Tensors() {
		may[t.Name], moved[t.Name] = make([]bool, len(t.Data)), make([]bool, len(t.Data))
	}
	for _, group := range slices.Collect(maps.Keys(l.groups)) {
		for _, s := range l.Slices(group) {
			for k := s.From; k < s.From+s.Len; k++ {
				may[s.Tensor][k] = true
			}
		}
	}
	for _, t := range before.Tensors() {
		a, _ := after.Get(t.Name)
		for k := range t.Data {
			moved[t.Name][k] = a.Data[k] != t.Data[k]
			if moved[t.Name][k] && !may[t.Name][k] {
				c.t.Fatalf("round %d moved number %d of %s, whose turn it is not", r.R, k, t.Name)
			}
		}
	}
	return moved
}

// TestFragmentsTakeTurns runs twice through all fragments: each round moves the numbers of one and no other, nor anything of their
// outer state, and after k rounds every number has moved.
func TestFragmentsTakeTurns(t *testing.T) {
	t.Parallel()
	const laps = 2
	for _, k := range []int{2, 4, 8} {
		for _, bits := range []int{32, 16} {
			t.Run(fmt.Sprintf("%d fragments, %d bits", k, bits), func(t *testing.T) {
				c := streamCluster(t, 3, k, bits, 2000, uint64(1+laps*k))
				c.genesis.Rules.Outer, c.genesis.Rules.Rate, c.genesis.Rules.Momentum = ledger.OuterNesterov, 0.7, 0.9
				c.run(time.Minute)
				l := c.divided()
				for lap := range laps {
					total := 0
					for f := range k {
						r := c.record(uint64(1 + lap*k + f))
						if r.Kind != ledger.Train {
							t.Fatalf("round %d is %s", r.R, r.Kind)
						}
						turn := l.Turn(uint64(f))
						for _, moved := range c.movedIn(r, turn) {
							for _, is := range moved {
								if is {
									total++
								}
							}
						}
						c.checkState(r, turn)
					}
					heads := k * (l.Len(ledger.HeadGroup("all")) + l.Len(ledger.HeadGroup("two")))
					if want := l.Len(ledger.TrunkGroup) + heads; total < want*999/1000 { // a mean can be rounded to nothing
						t.Errorf("lap %d: %d numbers moved, want %d", lap, total, want)
					}
				}
			})
		}
	}
}

// checkState fails the test if the outer state of a slice changed whose turn it was not.
func (c *cluster) checkState(r *ledger.Round, turn *Layout) {
	c.t.Helper()
	was := c.file(c.record(r.R - 1).StateOut)
	now := c.file(r.StateOut)
	due := map[string]bool{}
	for _, list := range turn.groups {
		for _, s := range list {
			due["scale/"+s.Name] = true
			m, _ := was.Get("momentum/" + s.Tensor)
			a, _ := now.Get("momentum/" + s.Tensor)
			copy(m.Data[s.From:s.From+s.Len], a.Data[s.From:s.From+s.Len])
		}
	}
	for _, x := range now.Tensors() {
		if before, ok := was.Get(x.Name); !due[x.Name] && (!ok || !slices.Equal(before.Data, x.Data)) {
			c.t.Errorf("round %d changed %s, whose turn it was not", r.R, x.Name)
		}
	}
}

// accounts checks that every update that a member handed over is in a certified sum once, or still to come.
func (c *cluster) accounts(members ...int) {
	c.t.Helper()
	for _, i := range members {
		s := c.nodes[i].stream
		for _, x := range c.divided().Slices(ledger.TrunkGroup) {
			local, _ := s.local.Get(x.Tensor)
			w, _ := s.lead.Certified().Get(x.Tensor)
			for k := x.From; k < x.From+x.Len; k++ {
				waits := w.Data[k] - local.Data[k]
				if got := s.sent[x.Tensor][k] + waits; math.Abs(got-s.passed[x.Tensor][k]) > 1e-7 {
					c.t.Fatalf("M%d, %s[%d]: %g in certified sums and %g to be sent, but %g trained", i, x.Tensor, k, s.sent[x.Tensor][k], waits, s.passed[x.Tensor][k])
				}
			}
		}
	}
}

// checkFeedback compares certified weights with the weighted mean of all that the members gave, less what their error feedback holds,
// and demands that what it holds is at least so much, or the comparison would say little.
func (c *cluster) checkFeedback(rounds uint64, tolerance, least float64) {
	c.t.Helper()
	first, last := c.file(c.record(0).WeightsOut), c.file(c.record(rounds-1).WeightsOut)
	l := c.divided()
	largest, rest := 0.0, 0.0
	for f := range uint64(len(l.fragments)) {
		turn := l.Turn(f)
		at := 0
		for _, x := range turn.Slices(ledger.TrunkGroup) {
			was, _ := first.Get(x.Tensor)
			is, _ := last.Get(x.Tensor)
			for k := range x.Len {
				sum, left, total := 0.0, 0.0, 0.0
				for _, n := range c.nodes {
					w := 1 / float64(n.index+1)
					sum, total = sum+w*n.stream.sent[x.Tensor][x.From+k], total+w
					if r := n.machine.residuals[turn.feedback(ledger.TrunkGroup)]; r != nil {
						left += w * r.Values[at+k]
					}
				}
				want := was.Data[x.From+k] - (sum-left)/total
				largest = max(largest, math.Abs(is.Data[x.From+k]-want))
				rest = max(rest, math.Abs(left/total))
			}
			at += x.Len
		}
	}
	if largest > tolerance || rest < least {
		c.t.Errorf("certified weights are off by %.2g with error feedback of up to %.2g; want at most %.2g and at least %.2g", largest, rest, tolerance, least)
	}
	c.t.Logf("off by %.2g, error feedback up to %.2g", largest, rest)
}

// TestFragmentsLoseNothing has void rounds, a member whose update does not arrive, one that is cut off for some rounds, and nothing of the sort.
// Whatever was trained is in the certified weights, rounded as error feedback says, or will be sent.
func TestFragmentsLoseNothing(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name    string
		bits    int
		disturb func(c *cluster)
		misses  int // rounds in which M3 is in no sum
		kinds   []string
	}{
		{name: "undisturbed, 16 bits", bits: 16, disturb: func(*cluster) {}},
		{name: "undisturbed, 32 bits", bits: 32, disturb: func(*cluster) {}},
		{name: "void rounds", bits: 16, disturb: voidRounds(3, 4), kinds: []string{"train", "train", "void", "void", "train"}},
		{name: "lost update", bits: 16, disturb: loseUpdate(3, 3), misses: 1},
		{name: "cut off", bits: 16, disturb: cutOff(3, 3, 6), misses: 3},
	} {
		t.Run(tt.name, func(t *testing.T) {
			const rounds = 12
			c := streamCluster(t, 4, 4, tt.bits, 4096, rounds)
			tt.disturb(c)
			c.run(3 * time.Minute)
			if kinds := c.kinds(); tt.kinds != nil && !slices.Equal(kinds[1:1+len(tt.kinds)], tt.kinds) {
				t.Errorf("rounds %v, want %v", kinds[1:], tt.kinds)
			}
			if story := strings.Join(c.audit.story, "\n"); strings.Contains(story, "is shortened") {
				t.Fatalf("an update was clipped:\n%s", story)
			}
			c.accounts(0, 1, 2, 3)
			if tt.misses == 0 {
				c.checkFeedback(rounds, 1e-6, map[int]float64{16: 4e-6, 32: 0}[tt.bits])
			}
			trained, misses := uint64(0), 0
			for r := range uint64(rounds - 1) {
				if record := c.record(r + 1); record.Kind == ledger.Train {
					c.movedIn(record, c.divided().Turn(trained))
					trained++
					if !slices.Contains(record.Groups[0].Survivors, 3) {
						misses++
					}
				}
			}
			if misses != tt.misses {
				t.Errorf("M3 was left out of %d sums, want %d", misses, tt.misses)
			}
			for _, n := range c.nodes {
				if n.stream.resets != 1 {
					t.Errorf("M%d began anew %d times", n.index, n.stream.resets)
				}
			}
		})
	}
}

// voidRounds has nobody count in some rounds.
func voidRounds(which ...uint64) func(c *cluster) {
	return func(c *cluster) {
		c.spoil = func(round uint64, u *Update) {
			if slices.Contains(which, round) {
				u.Weight[ledger.TrunkGroup] = 0
			}
		}
	}
}

// loseUpdate loses what a member masked in a round.
func loseUpdate(member int, round uint64) func(c *cluster) {
	return func(c *cluster) {
		c.slow = func(from, _ int, raw []byte) time.Duration {
			if e, err := ledger.DecodeEnvelope(raw); err == nil && from == member && e.Round == round && e.Type == typeChunk {
				return -1
			}
			return 0
		}
	}
}

// cutOff takes a member off the network while the others do some rounds.
func cutOff(member int, from, to uint64) func(c *cluster) {
	return func(c *cluster) {
		c.slow = func(a, b int, _ []byte) time.Duration {
			r := uint64(0)
			for _, n := range c.nodes {
				r = max(r, n.machine.chain.Len())
			}
			if (a == member || b == member) && r >= from && r < to {
				return -1
			}
			return 0
		}
	}
}
