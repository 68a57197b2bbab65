package robust

import (
	"math"
	"math/rand/v2"
	"testing"
)

// A scene is a federation in which everyone's update is 1 in every coordinate plus Gaussian noise, and the malicious
// send a vector as long as a norm audit lets pass.
type scene struct {
	noise     float64 // standard deviation of a coordinate
	malicious int
	direction func(dim int) []float64 // of unit length
}

const (
	members, groups, dim = 50, 10, 400
	allowed              = 1.5 // largest norm that passes, in units of an honest member's
)

// bound is the norm of what the malicious send.
func (s scene) bound() float64 { return allowed * math.Sqrt((1+s.noise*s.noise)*dim) }

// shift returns by how much a rule's result is moved along the attack's direction, compared with the mean of the honest;
// averaged over drawings.
func (s scene) shift(t *testing.T, rule Rule) (along float64) {
	t.Helper()
	const drawings = 20
	r := rand.New(rand.NewPCG(41, 42))
	u := s.direction(dim)
	for d := range drawings {
		updates := gaussians(r, members, dim)
		for i := range updates {
			for k := range u {
				if updates[i][k] = 1 + s.noise*updates[i][k]; i < s.malicious {
					updates[i][k] = s.bound() * u[k]
				}
			}
		}
		parts, err := Partition([32]byte{byte(d)}, indices(members), groups, members/groups)
		if err != nil {
			t.Fatal(err)
		}
		means := make([][]float64, len(parts))
		for g, p := range parts {
			var of [][]float64
			for _, i := range p {
				of = append(of, updates[i])
			}
			means[g] = aggregate(t, Mean{}, of)
		}
		got, honest := aggregate(t, rule, means), aggregate(t, Mean{}, updates[s.malicious:])
		for k := range u {
			along += (got[k] - honest[k]) * u[k] / drawings
		}
	}
	return along
}

// inOne puts everything into a single coordinate, as a backdoor in one element's row would.
func inOne(dim int) []float64 { u := make([]float64, dim); u[0] = 1; return u }

// against turns the common direction round: every coordinate by the same.
func against(dim int) []float64 {
	u := make([]float64, dim)
	for k := range u {
		u[k] = -1 / math.Sqrt(float64(dim))
	}
	return u
}

// TestDirectionalPoisoning checks the table of the package comment: what of the attack on the plain mean is left under each rule, when
// three of fifty are malicious. The plain mean is the control. Dense attacks within the noise are little hindered by any rule.
func TestDirectionalPoisoning(t *testing.T) {
	for name, c := range map[string]struct {
		scene
		median, trimmed, geometric float64
	}{
		"one coordinate, members agree":       {scene{0.1, 3, inOne}, 0.01, 0.01, 0.17},
		"one coordinate, members differ":      {scene{1, 3, inOne}, 0.09, 0.10, 0.83},
		"every coordinate, members agree":     {scene{0.1, 3, against}, 0.15, 0.17, 0.12},
		"every coordinate, members differ":    {scene{1, 3, against}, 0.88, 0.89, 0.72},
		"every coordinate, members are noise": {scene{3, 3, against}, 0.98, 0.99, 0.89},
	} {
		mean := c.shift(t, Mean{})
		share := float64(c.malicious) / members
		ones := 0.0
		for _, u := range c.direction(dim) {
			ones += u
		}
		if want := share * (c.bound() - ones); math.Abs(mean/want-1) > 0.05 {
			t.Errorf("control: %s: the mean moves by %.3f, want %.3f", name, mean, want)
		}
		for what, r := range map[string]struct {
			rule Rule
			want float64
		}{"median": {Median{}, c.median}, "trimmed": {TrimmedMean{3}, c.trimmed}, "geometric": {GeometricMedian{}, c.geometric}} {
			if got := c.shift(t, r.rule); math.Abs(got/mean-r.want) > 0.01 {
				t.Errorf("%s: %s: %.3f of the attack is left, want %.2f", name, what, got/mean, r.want)
			}
		}
	}
}

// TestPoisonStaysAmongTheHonest: whatever at most Withstands groups say, coordinate-wise rules stay within what honest groups say.
func TestPoisonStaysAmongTheHonest(t *testing.T) {
	r := rand.New(rand.NewPCG(51, 52))
	for name, rule := range map[string]Rule{"median": Median{}, "trimmed": TrimmedMean{3}, "mean": Mean{}} {
		outside := 0
		for range 200 {
			means := gaussians(r, 10, 5)
			bad := max(1, rule.Withstands(10))
			for k := range 5 {
				lie := 1e6 * r.NormFloat64()
				for g := range bad {
					means[g][k] = lie
				}
			}
			for k, x := range aggregate(t, rule, means) {
				low, high := math.Inf(1), math.Inf(-1)
				for _, honest := range means[bad:] {
					low, high = min(low, honest[k]), max(high, honest[k])
				}
				if x < low || x > high {
					outside++
				}
			}
		}
		if control := name == "mean"; control != (outside > 0) {
			t.Errorf("%s: outside of the honest groups in %d of 1000 coordinates", name, outside)
		}
	}
}
