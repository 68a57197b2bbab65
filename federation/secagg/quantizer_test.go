package secagg

import (
	"errors"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func testQuantizer(t testing.TB, peers, value, weight int, groups ...Group) *Quantizer {
	t.Helper()
	q, err := NewQuantizer(QuantizerConfig{Groups: groups, Peers: peers, ValueBits: value, WeightBits: weight})
	if err != nil {
		t.Fatal(err)
	}
	return q
}

func mustQuantize(t testing.TB, q *Quantizer, update []float64, weight float64, seed byte) []uint32 {
	t.Helper()
	lanes, _, err := q.Quantize(update, weight, Version{}, nil, [32]byte{seed, 1})
	if err != nil {
		t.Fatal(err)
	}
	return lanes
}

func addLanes(sum, lanes []uint32) {
	for k := range sum {
		sum[k] += lanes[k]
	}
}

func TestQuantizedMeanIsNearTheWeightedMean(t *testing.T) {
	groups := []Group{{"trunk", 500, 10, 0.1}, {"head", 100, 1e-3, 1e-4}}
	for _, c := range []struct {
		name                        string
		peers, value, weight, width int
	}{
		{"the design's bits, 256 peers", 256, 16, 8, 24}, {"fine, 5 peers", 5, 24, 5, 29},
		{"fine, unweighted, 2 peers", 2, 24, 0, 24}, {"coarse, unweighted", 5, 16, 0, 16},
	} {
		t.Run(c.name, func(t *testing.T) {
			q := testQuantizer(t, c.peers, c.value, c.weight, groups...)
			rng := rand.New(rand.NewPCG(1, 2))
			sum, want, weights := make([]uint32, q.Lanes()), make([]float64, 600), 0.0
			const members = 2
			for i := range members {
				u, w := make([]float64, 600), float64(i+1)/members
				for k := range u {
					scale := groups[0].Scale
					if k >= 500 {
						scale = groups[1].Scale
					}
					u[k] = scale * (2*rng.Float64() - 1)
					want[k] += w * u[k]
				}
				weights += w
				addLanes(sum, mustQuantize(t, q, u, w, byte(i)))
			}
			got, gotWeights, err := q.Dequantize(sum, members)
			if err != nil {
				t.Fatal(err)
			}
			step := math.Ldexp(1, 1-c.width)
			if math.Abs(gotWeights-weights) > 2*step {
				t.Errorf("sum of weights = %v, want %v", gotWeights, weights)
			}
			for k := range want {
				scale := groups[0].Scale
				if k >= 500 {
					scale = groups[1].Scale
				}
				// one step of rounding a value and half a step of rounding a weight, per member
				if diff := math.Abs(got[k] - want[k]/weights); diff > 1.5*members*step*scale/weights*1.01 {
					t.Fatalf("value %d = %v, want %v: off by %.2f steps", k, got[k], want[k]/weights, diff/step/scale)
				}
			}
		})
	}
}

func TestHeadroomIsProven(t *testing.T) {
	for _, c := range []struct{ peers, value, weight, noise int }{
		{256, 16, 8, 0}, {65536, 16, 0, 0}, {5, 24, 5, 0}, {2, 24, 7, 0}, {16, 16, 8, 4}, {3, 24, 6, 0}, {200, 24, 0, 0},
	} {
		config := QuantizerConfig{Groups: []Group{{"g", 2, 1e9, 1}}, Peers: c.peers, ValueBits: c.value, WeightBits: c.weight, NoiseBits: c.noise}
		q, err := NewQuantizer(config)
		if err != nil {
			t.Errorf("at the bound: %v", err)
			continue
		}
		config.WeightBits++
		if _, err := NewQuantizer(config); err == nil || !strings.Contains(err.Error(), "overflow") {
			t.Errorf("one bit more than %+v was accepted (%v)", c, err)
		}
		lanes := mustQuantize(t, q, []float64{1e6, -1e6}, 1, 3) // both saturate
		sum := make([]uint32, q.Lanes())
		for range c.peers {
			addLanes(sum, lanes)
		}
		mean, weights, err := q.Dequantize(sum, c.peers)
		if err != nil || mean[0] != 1 || mean[1] != -1 || weights != float64(c.peers) {
			t.Errorf("%+v: the largest sum is %v of weight %v (%v), want [1 -1] of %d", c, mean, weights, err, c.peers)
		}
	}
}

// TestOverflowWouldBeSilent is the control of TestHeadroomIsProven: past the bound a sum is accepted that is wrong.
func TestOverflowWouldBeSilent(t *testing.T) {
	q := testQuantizer(t, 256, 16, 8, Group{"g", 1, 1, 1})
	q.c.Peers = 1024 // without the check
	const members, value = 513, 1.0 / 1024
	lanes := mustQuantize(t, q, []float64{value}, 1, 3)
	sum := make([]uint32, q.Lanes())
	for range members {
		addLanes(sum, lanes)
	}
	mean, weights, err := q.Dequantize(sum, members)
	if err != nil || mean[0] < 100*value || weights > 2 {
		t.Errorf("control: %d members with the value %v fit in the lanes of 256: mean %v of weight %v (%v)", members, value, mean, weights, err)
	}
}

func TestRoundingIsUnbiased(t *testing.T) {
	q := testQuantizer(t, 256, 16, 0, Group{"g", 1 << 17, 1e9, 1})
	u := make([]float64, 1<<17)
	const x = 0.3 / (1<<15 - 1) // 0.3 steps
	for k := range u {
		u[k] = x
	}
	lanes := mustQuantize(t, q, u, 1, 9)
	ones := 0
	for _, lane := range lanes[:len(u)] {
		if lane > 1 {
			t.Fatalf("0.3 steps rounded to %d", int32(lane))
		}
		ones += int(lane)
	}
	n := float64(len(u))
	if got, sigma := float64(ones)/n, math.Sqrt(0.3*0.7/n); math.Abs(got-0.3) > 5*sigma {
		t.Errorf("0.3 steps round up in %.4f of all cases, want 0.3 within %.4f", got, 5*sigma)
	}
}

func TestClipKeepsTheDirection(t *testing.T) {
	q := testQuantizer(t, 2, 24, 7, Group{"a", 2, 5, 10}, Group{"b", 1, 1, 10})
	mean, _, err := q.Dequantize(mustQuantize(t, q, []float64{30, -40, 0.5}, 1, 1), 1)
	if err != nil {
		t.Fatal(err)
	}
	for k, want := range []float64{3, -4, 0.5} {
		if math.Abs(mean[k]-want) > 1e-6 {
			t.Errorf("value %d = %v, want %v", k, mean[k], want)
		}
	}
	if mean, _, err = q.Dequantize(mustQuantize(t, q, []float64{1e300, 1e300, 0}, 1, 1), 1); err != nil || math.Abs(mean[0]-5/math.Sqrt2) > 1e-5 {
		t.Errorf("a norm beyond float64: %v (%v), want %v", mean, err, 5/math.Sqrt2)
	}
}

func TestQuantizeRefuses(t *testing.T) {
	q := testQuantizer(t, 4, 16, 8, Group{"g", 2, 1, 1})
	for _, c := range []struct {
		name   string
		update []float64
		weight float64
	}{
		{"NaN", []float64{0, math.NaN()}, 1}, {"infinity", []float64{math.Inf(-1), 0}, 1}, {"short", []float64{1}, 1}, {"long", []float64{1, 2, 3}, 1},
		{"NaN weight", []float64{0, 0}, math.NaN()}, {"negative weight", []float64{0, 0}, -0.1}, {"weight above one", []float64{0, 0}, 1.1},
	} {
		if lanes, _, err := q.Quantize(c.update, c.weight, Version{}, nil, [32]byte{1}); err == nil {
			t.Errorf("%s: gave %v", c.name, lanes)
		}
	}
}

func TestQuantizerConfigRefused(t *testing.T) {
	ok := QuantizerConfig{Groups: []Group{{"g", 1, 1, 1}}, Peers: 4}
	if _, err := NewQuantizer(ok); err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(*QuantizerConfig){
		"no groups":       func(c *QuantizerConfig) { c.Groups = nil },
		"empty group":     func(c *QuantizerConfig) { c.Groups[0].Len = 0 },
		"same name twice": func(c *QuantizerConfig) { c.Groups = append(c.Groups, c.Groups[0]) },
		"no clip":         func(c *QuantizerConfig) { c.Groups[0].Clip = 0 },
		"infinite clip":   func(c *QuantizerConfig) { c.Groups[0].Clip = math.Inf(1) },
		"NaN scale":       func(c *QuantizerConfig) { c.Groups[0].Scale = math.NaN() },
		"no peers":        func(c *QuantizerConfig) { c.Peers = 0 },
		"15 bits":         func(c *QuantizerConfig) { c.ValueBits = 15 },
		"25 bits":         func(c *QuantizerConfig) { c.ValueBits = 25 },
		"too many lanes":  func(c *QuantizerConfig) { c.Groups = append(c.Groups, Group{"h", MaxLanes - 1, 1, 1}) },
		"negative noise":  func(c *QuantizerConfig) { c.NoiseBits = -1 },
		"huge weights":    func(c *QuantizerConfig) { c.WeightBits = 17 },
	} {
		c := ok
		c.Groups = append([]Group(nil), ok.Groups...)
		change(&c)
		if _, err := NewQuantizer(c); err == nil {
			t.Errorf("%s was accepted", name)
		}
	}
	if got := ValueBitsFor(5, 8, 0); got != 21 {
		t.Errorf("ValueBitsFor(5, 8, 0) = %d, want 21", got)
	}
	if got := ValueBitsFor(5, 0, 0); got != MaxValueBits {
		t.Errorf("ValueBitsFor(5, 0, 0) = %d, want %d", got, MaxValueBits)
	}
}

func TestDequantizeRefuses(t *testing.T) {
	q := testQuantizer(t, 4, 16, 8, Group{"g", 1, 1, 1})
	full := uint32(q.full)
	for name, sum := range map[string][]uint32{
		"value above the weight":  {full, full / 2},
		"value below":             {-full, full / 2},
		"weight above the peers'": {0, 2*full + 1},
		"negative weight":         {0, ^uint32(0)},
		"no weight":               {0, 0},
		"too short":               {0},
	} {
		if mean, _, err := q.Dequantize(sum, 2); err == nil {
			t.Errorf("%s: gave %v", name, mean)
		} else if (name == "no weight") != errors.Is(err, ErrNoWeight) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, _, err := q.Dequantize([]uint32{0, full}, 5); err == nil {
		t.Error("a sum over more members than there is headroom for was accepted")
	}
}

// TestHonestSumsAreAccepted: whatever honest members hold, their sum dequantizes within the scale.
func TestHonestSumsAreAccepted(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		peers := rapid.IntRange(1, 300).Draw(t, "peers")
		weightBits := rapid.IntRange(0, 7).Draw(t, "weight bits")
		q, err := NewQuantizer(QuantizerConfig{Groups: []Group{{"g", 3, 7, 2}}, Peers: peers, ValueBits: 16, WeightBits: weightBits})
		if err != nil {
			t.Fatal(err)
		}
		sum, members := make([]uint32, q.Lanes()), rapid.IntRange(1, min(peers, 8)).Draw(t, "members")
		for i := range members {
			u := rapid.SliceOfN(rapid.Float64(), 3, 3).Draw(t, "update")
			lanes, _, err := q.Quantize(u, rapid.Float64Range(0, 1).Draw(t, "weight"), Version{}, nil, [32]byte{byte(i)})
			if err != nil {
				t.Fatal(err)
			}
			addLanes(sum, lanes)
		}
		mean, _, err := q.Dequantize(sum, members)
		if errors.Is(err, ErrNoWeight) {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		for _, v := range mean {
			if !(math.Abs(v) <= 2) {
				t.Fatalf("mean %v outside the scale", mean)
			}
		}
	})
}
