package sketch

import (
	"encoding/binary"
	"math"
	"math/rand/v2"
	"testing"
)

// draws returns that many independent sketches.
func draws(t *testing.T, c Config, trials int) (out []*Sketch) {
	t.Helper()
	for k := range trials {
		var seed [32]byte
		binary.BigEndian.PutUint64(seed[:], uint64(k))
		s, err := New(seed, c)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, s)
	}
	return out
}

// estimates returns the squared norm of values as each of the sketches sees it.
func estimates(sketches []*Sketch, values []uint32) (out []float64) {
	for _, s := range sketches {
		sketch := s.Zero()
		s.Add(sketch, 0, values)
		out = append(out, s.squaredNorm(sketch))
	}
	return out
}

func moments(x []float64) (mean, sd float64) {
	for _, v := range x {
		mean += v / float64(len(x))
	}
	for _, v := range x {
		sd += (v - mean) * (v - mean) / float64(len(x)-1)
	}
	return mean, math.Sqrt(sd)
}

func above(x []float64, limit float64) float64 {
	n := 0.0
	for _, v := range x {
		if v > limit {
			n++
		}
	}
	return n / float64(len(x))
}

// spikes returns n lanes of that value, the rest zero.
func spikes(lanes, n int, value uint32) []uint32 {
	v := make([]uint32, lanes)
	for k := range n {
		v[k*lanes/n] = value
	}
	return v
}

// TestEstimateHasTheStatedMoments compares mean and variance with the formulas of the package comment.
func TestEstimateHasTheStatedMoments(t *testing.T) {
	const lanes, trials = 1 << 14, 600
	r := rand.New(rand.NewPCG(31, 32))
	all := Config{Lanes: lanes, Bits: 32, Bound: 1e6, Peak: 1e5}
	some := Config{Lanes: lanes, Bits: 32, Bound: 1e10, Peak: 1e7} // a sample
	for name, c := range map[string]struct {
		Config
		values []uint32
	}{
		"flat":             {all, gaussian(r, lanes, 100, 1e4)},
		"spikes":           {all, spikes(lanes, 5, 40000)},
		"flat, sampled":    {some, gaussian(r, lanes, 1e7, 1e9)},
		"one in a hundred": {some, spikes(lanes, lanes/100, 1e8)},
		"spikes, sampled":  {some, spikes(lanes, 37, 1e9)},
	} {
		c.FalseAccusation, c.Coalition = 0.1, 1
		sketches := draws(t, c.Config, trials)
		x, s := estimates(sketches, c.values), sketches[0]
		n2, n4 := 0.0, 0.0
		for _, v := range c.values {
			q := float64(int32(v))
			n2, n4 = n2+q*q, n4+q*q*q*q
		}
		p := s.Rate()
		want := math.Sqrt(((1-p)/p*n4 + 2.0/64*(n2*n2-n4)))
		mean, sd := moments(x)
		if math.Abs(mean-n2) > 4*want/math.Sqrt(trials) {
			t.Errorf("%s: mean %.4g, want %.4g ± %.2g", name, mean, n2, want/math.Sqrt(trials))
		}
		if math.Abs(sd/want-1) > 0.15 {
			t.Errorf("%s (rate %.3f): relative standard error %.3f, want %.3f", name, p, sd/n2, want/n2)
		}
		t.Logf("%s: rate %.4f, relative standard error %.3f, formula %.3f", name, p, sd/n2, want/n2)
	}
}

// TestPowerTable checks the table of the package comment: exact at τ = 2.4, and by drawing sketches.
func TestPowerTable(t *testing.T) {
	table := []struct{ k, p float64 }{{1.25, 0.004}, {1.5, 0.334}, {1.75, 0.897}, {2, 0.995}, {2.5, 1}, {3, 1}, {10, 1}}
	at := &Sketch{c: Config{Rows: 64}, plan: plan{factor: 2.4}}
	for _, row := range table {
		if got := at.Power(row.k); math.Abs(got-row.p) > 0.0006 {
			t.Errorf("Power(%v) = %.4f, table %.4f", row.k, got, row.p)
		}
	}
	const lanes, trials, value = 1 << 17, 250, 100
	c := Config{Lanes: lanes, Bits: 32, Bound: value * math.Sqrt(lanes), Peak: value}
	flat := spikes(lanes, lanes, value)
	sketches := draws(t, c, trials)
	x, s := estimates(sketches, flat), sketches[0]
	for _, row := range table {
		want := s.Power(row.k)
		got := above(x, s.Factor()*c.Bound*c.Bound/(row.k*row.k))
		if sd := math.Sqrt(want*(1-want)/trials) + 1e-3; math.Abs(got-want) > 4*sd {
			t.Errorf("τ = %.3f: named at %v C: %.3f, want %.3f ± %.3f", s.Factor(), row.k, got, want, sd)
		}
	}
}

// TestHonestMembersAreNotAccused draws honest vectors that are exactly as long and as uneven as allowed, at probabilities of
// accusation that can be counted. The bound is proven, and not tight.
func TestHonestMembersAreNotAccused(t *testing.T) {
	const lanes, trials = 1 << 13, 1000
	for name, c := range map[string]Config{
		"flat":               {Lanes: lanes, Bits: 32, Peak: 600},
		"in few lanes":       {Lanes: lanes, Bits: 32, Peak: 600 * 8},
		"sampled":            {Lanes: lanes, Bits: 16, Peak: 450},
		"sampled, few lanes": {Lanes: lanes, Bits: 16, Peak: 1300},
	} {
		n := lanes // lanes that carry all of the norm
		if c.Peak > 600 {
			n = lanes / 8
		}
		c.Coalition, c.Bound = 1, c.Peak*math.Sqrt(float64(n))
		x := []float64(nil)
		for _, epsilon := range []float64{0.1, 0.01, 1e-6} {
			c.FalseAccusation = epsilon
			sketches := draws(t, c, trials)
			x = estimates(sketches, spikes(lanes, n, uint32(c.Peak)))
			tau := sketches[0].Factor()
			if got := above(x, tau*c.Bound*c.Bound); got > epsilon {
				t.Errorf("%s: %.4f accused above τ = %.2f, want at most %v", name, got, tau, epsilon)
			}
			t.Logf("%s: rate %.3f, ε = %v: τ = %.2f", name, sketches[0].Rate(), epsilon, tau)
		}
		if mean, sd := moments(x); math.Abs(mean/(c.Bound*c.Bound)-1) > 4*sd/mean/math.Sqrt(trials) {
			t.Errorf("%s: mean estimate is %.3f of the bound; the vectors were to reach it", name, mean/(c.Bound*c.Bound))
		}
	}
}

// TestThresholdHoldsForTheExactDistribution: a flat vector's estimate is chi-squared; its exact tail at τ must be below ε.
func TestThresholdHoldsForTheExactDistribution(t *testing.T) {
	for _, rows := range []int{8, 64, 1024} {
		for _, epsilon := range []float64{0.01, 1e-6, 1e-12} {
			s := &Sketch{c: Config{Rows: rows}, plan: plan{factor: threshold(rows, 1, 0, epsilon)}}
			if got := s.Power(1); got > epsilon || got < epsilon/1000 {
				t.Errorf("%d rows, τ = %.3f: accused with %.2g, want between %.0e and %.0e", rows, s.factor, got, epsilon/1000, epsilon)
			}
		}
	}
	for _, row := range []struct{ spike, all, sampled float64 }{ // the table of the package comment
		{0, 2.28, 2.28}, {0.001, 2.43, 2.47}, {0.01, 2.78, 2.90}, {0.1, 4.00, 4.45}, {0.25, 5.19, 5.99}, {1, 9.28, 11.26},
	} {
		all, sampled := threshold(64, 1, row.spike, 1e-6), threshold(64, 0.5, row.spike, 1e-6)
		if math.Abs(all-row.all) > 0.006 || math.Abs(sampled-row.sampled) > 0.006 {
			t.Errorf("a = %v: τ = %.3f and %.3f, table %v and %v", row.spike, all, sampled, row.all, row.sampled)
		}
	}
	for _, c := range []struct{ rate, spike float64 }{{1, 0}, {1, 0.001}, {1, 0.1}, {0.5, 0.1}, {0.5, 1}} {
		if a, b := threshold(64, c.rate, c.spike, 1e-6), threshold(64, c.rate, c.spike, 1e-9); a >= b {
			t.Errorf("%+v: τ falls from %.3f to %.3f as accusations become rarer", c, a, b)
		}
	}
}

// TestSpikesCannotHideFromTheSample: energy in few lanes is missed if too few of them are sampled, but a lane ends at half the ring, so
// that there are many. The table of the package comment says how often the worst of these vectors is named.
func TestSpikesCannotHideFromTheSample(t *testing.T) {
	const lanes, trials = 1 << 16, 500
	c := Config{Lanes: lanes, Bits: 16, Bound: 1 << 17, Peak: 256}
	sketches := draws(t, c, trials)
	t.Logf("rate %.4f, τ = %.2f", sketches[0].Rate(), sketches[0].Factor())
	for _, row := range []struct{ k, p float64 }{{2, 0.74}, {3, 0.99}, {4, 1}, {5, 1}, {10, 1}} {
		worst := 1.0
		for _, value := range []float64{1 << 15, 21845, 1 << 14, 1 << 13, 1 << 12} {
			n := int(row.k * row.k * c.Bound * c.Bound / (value * value))
			if n > lanes {
				continue
			}
			got := above(estimates(sketches, spikes(lanes, n, uint32(value))), sketches[0].Factor()*c.Bound*c.Bound)
			t.Logf("k = %v, %d lanes of %v: named %.3f", row.k, n, value, got)
			worst = min(worst, got)
		}
		if worst < row.p-3*math.Sqrt(row.p*(1-row.p)/trials)-1e-9 {
			t.Errorf("k = %v: named with %.3f, want %.3f", row.k, worst, row.p)
		}
	}
}

// TestSpikeHidesWithoutTheRing is why the table above needs lanes that end: in a wide ring a single lane can carry ten times the bound,
// and a sample mostly misses it. When all lanes are looked at it is always seen.
func TestSpikeHidesWithoutTheRing(t *testing.T) {
	const lanes, trials = 1 << 14, 200
	sampled := Config{Lanes: lanes, Bits: 32, Bound: 1e10, Peak: 1e7, Coalition: 1}
	whole := Config{Lanes: lanes, Bits: 32, Bound: 1e8, Peak: 1e6}
	for name, c := range map[string]struct {
		Config
		value uint32
		want  func(rate, named float64) bool
	}{
		"one lane of the largest size": {sampled, 1 << 31, func(rate, named float64) bool { return named <= 0.15 }},
		"all lanes":                    {whole, 1e9, func(_, named float64) bool { return named == 1 }},
	} {
		sketches := draws(t, c.Config, trials)
		s := sketches[0]
		if got := above(estimates(sketches, spikes(lanes, 1, c.value)), s.Factor()*c.Bound*c.Bound); !c.want(s.Rate(), got) {
			t.Errorf("%s (rate %.3f): named %.3f", name, s.Rate(), got)
		}
	}
}

// TestLanesThatCancel: when every lane is looked at, no vector of ten times the bound is missed more often than two equal lanes are.
func TestLanesThatCancel(t *testing.T) {
	const lanes, trials = 512, 4000
	c := Config{Lanes: lanes, Bits: 32, Bound: 1e6, Peak: 1e5}
	sketches := draws(t, c, trials)
	limit := 1.0 / (2 * 64)
	for _, n := range []int{1, 2, 3, 4, 6, 8, 64, lanes} {
		missed := 1 - above(estimates(sketches, spikes(lanes, n, uint32(1e7/math.Sqrt(float64(n))))), sketches[0].Factor()*1e12)
		sd := math.Sqrt(limit / trials)
		if missed > limit+4*sd || n == 2 && missed < limit-4*sd || n > 8 && missed > 0 {
			t.Errorf("%d lanes: missed %.4f, most is %.4f ± %.4f", n, missed, limit, sd)
		}
		t.Logf("%d lanes: missed %.4f", n, missed)
	}
}
